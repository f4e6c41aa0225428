"""The journal of requests in the console: the list, the page of one, the same as curl."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.console.actions import curl
from plivo_sim.console.pages import PAGE_SIZE
from plivo_sim.web.access import account_of
from plivo_sim.web.kept_bodies import KEPT_BODY_BYTES, KEPT_TEXT
from tests.console.support import HOME
from tests.support import AUTH_ID, PDF, Http, multipart

LIST = f"{HOME}/requests"
NASTY = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"


def last(http: Http) -> Any:
    return http.control("GET", "/requests", account=http.auth_id).get_json()["requests"][-1]


def listed(http: Http, query: str = "") -> list[str]:
    """Method and URL of what a list page shows, from above."""
    page = html.unescape(http.get(f"{HOME}/traffic{query}").text)
    return re.findall(rf'<a href="{LIST}/[^"]+">([^<]+)</a>', page)


def page_of_last(http: Http) -> str:
    """The text of the last request's page, entities resolved."""
    answer = http.get(f"{LIST}/{last(http)['id']}")
    assert answer.status_code == 200
    return html.unescape(answer.text)


def as_curl(http: Http) -> list[str]:
    """The words of the command on the last request's page."""
    found = re.search(r'<pre id="as-curl"[^>]*>(.*?)</pre>', page_of_last(http), re.S)
    assert found is not None
    return shlex.split(found[1])


def strike(http: Http, **fault: Any) -> None:
    http.control("POST", "/faults", {"effect": "error", "account": AUTH_ID, **fault})


# --- the list --------------------------------------------------------------------------------


def test_newest_first(http: Http) -> None:
    """The list begins with what came last; the account's own part of a URL is left out."""
    http.get("EndUser/")
    http.get(f"/beta/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/?limit=1")
    assert listed(http) == ["GET /beta…/PhoneNumber/Compliance/?limit=1", "GET …/EndUser/"]


def test_pages(http: Http) -> None:
    """Each page holds the next older ones."""
    for n in range(PAGE_SIZE + 1):
        http.get(f"EndUser/?offset={n}")
    assert listed(http)[0] == f"GET …/EndUser/?offset={PAGE_SIZE}"
    assert listed(http, "?page=2") == ["GET …/EndUser/?offset=0"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?dialect=numbers", ["GET …/Number/"]),
        ("?operation=legacy.get_end_user", ["GET …/EndUser/none/"]),
        ("?status=4", ["GET …/EndUser/none/"]),
        ("?status=5", ["GET …/EndUser/"]),
        ("?fault=any", ["GET …/EndUser/"]),
        ("?fault=late: error", ["GET …/EndUser/"]),
        ("?dialect=legacy&status=4", ["GET …/EndUser/none/"]),
        ("?dialect=numbers&fault=any", []),
        ("?dialect=klingon", []),
    ],
)
def test_filters(http: Http, query: str, expected: list[str]) -> None:
    """By dialect, operation, class of status and fault; several must all hold."""
    http.get("Number/")
    http.get("EndUser/none/")
    strike(http, name="late", status=503, path="*/EndUser/", times=1)
    http.get("EndUser/")
    assert listed(http, query) == expected


def test_what_a_filter_offers(http: Http) -> None:
    """The classes of status, and what there is of the rest."""
    http.get("EndUser/")
    page = http.get(f"{HOME}/traffic").text
    offered = re.findall(r'<option value="([^"]*)"', page)
    assert {"2", "4", "5", "legacy", "legacy.list_end_users"} <= set(offered)


def test_a_filter_without_a_match_says_so(http: Http) -> None:
    """And how to see all."""
    http.get("EndUser/")
    page = http.get(f"{HOME}/traffic?status=5").text
    assert "No matching call" in page
    assert f'href="{HOME}/traffic"' in page


def test_no_request_yet(http: Http) -> None:
    """An empty journal gives a call to copy."""
    page = html.unescape(http.get(f"{HOME}/traffic").text)
    assert f"curl -u {AUTH_ID}:any-token 'http://127.0.0.1/v1/Account/{AUTH_ID}/" in page


def test_the_console_is_not_in_the_journal(http: Http) -> None:
    """Looking leaves no trace."""
    http.get("EndUser/")
    http.get(f"{HOME}/traffic")
    assert len(listed(http)) == 1


# --- one request -----------------------------------------------------------------------------


def test_a_request_is_shown_as_it_came(http: Http) -> None:
    """URL, headers, and the body indented."""
    http.post("EndUser/", json={"name": "Zoë"}, headers={"X-My-Own": "here"})
    page = page_of_last(http)
    assert f"POST http://127.0.0.1/v1/Account/{AUTH_ID}/EndUser/\n" in page
    assert "\nX-My-Own: here" in page
    assert '{\n  "name": "Zoë"\n}</pre>' in page


def test_an_answer_is_pretty(http: Http) -> None:
    """Indented JSON, with its status and type."""
    http.get("EndUser/")
    page = page_of_last(http)
    assert f'{{\n  "api_id": "{last(http)["id"]}",\n' in page
    assert "HTTP 200\nContent-Type: application/json\n" in page


def test_the_start_of_a_long_answer_is_told_to_be_one(http: Http) -> None:
    """What is kept is shown as it is."""
    http.get("ComplianceDocumentType/")
    page = page_of_last(http)
    assert f"Only the first {KEPT_TEXT} bytes are kept" in page
    assert '{"api_id":' in page


def test_what_touched_it(http: Http) -> None:
    """The fault, by its name and effect, and what it said."""
    strike(http, name="late", status=503, message="Not now")
    http.get("EndUser/")
    page = page_of_last(http)
    assert "<strong>Fault:</strong> late: error" in page
    assert "<dt>Outcome</dt><dd>Not now</dd>" in page


def test_the_rule_that_decided(http: Http) -> None:
    """A request that made an application leads to it and says what decided it."""
    id = http.sdk_created(alias="Acme")
    page = page_of_last(http)
    assert f'href="{HOME}/applications/{id}">Acme</a>' in page
    assert "decided by" in page


def test_an_application_leads_here(http: Http) -> None:
    """The link on its page is one that works."""
    id = http.sdk_created()
    page = http.get(f"{HOME}/applications/{id}").text
    found = re.search(rf'href="({LIST}/[^"]+)"', page)
    assert found is not None
    assert http.get(found[1]).status_code == 200


def test_files_are_told_by_name_and_size(http: Http) -> None:
    """And the JSON beside them is indented."""
    http.sdk_create(files={0: (PDF, "certificate.pdf")})
    page = page_of_last(http)
    assert "file certificate.pdf, " in page
    assert '{\n  "country_iso": "IN",' in page


@pytest.mark.parametrize("id", ["none", "%00", "2e6852e6-b737-1008-b5d8-dc20acd1d2ce", "<i>"])
def test_an_unknown_request_is_a_404_page(http: Http, id: str) -> None:
    """As HTML, with the id as text."""
    answer = http.get(f"{LIST}/{id}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<i>" not in answer.text


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Proxy-Authorization"])
def test_secrets_are_nowhere(http: Http, name: str) -> None:
    """Neither in the list nor on the page nor in the command."""
    http.token = "very-secret-token"
    http.get("EndUser/", headers={} if name == "Authorization" else {name: "very-secret-token"})
    assert "very-secret" not in http.get(f"{HOME}/traffic").text
    assert "very-secret" not in page_of_last(http)
    shown = f"Basic {AUTH_ID}:***" if name == "Authorization" else "***"
    assert f"{name}: {shown}" in page_of_last(http)
    assert "***" not in " ".join(as_curl(http))


def test_a_refused_login_is_named(http: Http) -> None:
    """In the list and on its page, whose command has it, too, with the token left out."""
    other = Http(http.app, http.sim, auth_id="MAWRONGWRONGWRONGWRO", token="very-secret")
    other.call("GET", f"/v1/Account/{AUTH_ID}/EndUser/")
    page = http.get("/console/unmatched").text
    assert '<td class="text">MAWRONGWRONGWRONGWRO</td>' in page
    found = re.search(r'href="(/console/unmatched/[^"]+)"', page)
    assert found is not None
    shown = html.unescape(http.get(found[1]).text)
    assert '-u "MAWRONGWRONGWRONGWRO:$PLIVO_AUTH_TOKEN"' in shown
    assert "very-secret" not in shown


def test_what_a_client_sets_is_text(http: Http) -> None:
    """URL, headers, body and answer, in the list and on the page."""
    http.post(
        "EndUser/?q=<script>",
        json={"name": NASTY, NASTY: 1, "end_user_type": NASTY},
        headers={"X-Test": NASTY, "User-Agent": NASTY},
    )
    for path in (
        f"{HOME}/traffic",
        f"{LIST}/{last(http)['id']}",
        f"{HOME}/traffic?dialect=<script>&operation=<script>",
    ):
        page = http.get(path).text
        assert "<img src=x" not in page
        assert "<script>" not in page


def test_parts_of_a_form_are_text(http: Http) -> None:
    """Names, file names and values."""
    body, kind = multipart([("<script>1", "<script>2")], [("<script>3", "<script>4", b"x")])
    http.post("ComplianceDocument/", data=body, content_type=kind)
    page = http.get(f"{LIST}/{last(http)['id']}").text
    assert "<script>" not in page
    assert all(f"&lt;script&gt;{n}" in page for n in range(1, 5))


# --- as curl ---------------------------------------------------------------------------------


def test_curl_of_a_read(http: Http) -> None:
    """The token is left to the environment; what curl makes itself is left out."""
    http.get("EndUser/?limit=2", headers={"X-My-Own": "it's here", "Accept-Encoding": "gzip"})
    assert as_curl(http) == [
        "curl", "-u", f"{AUTH_ID}:$PLIVO_AUTH_TOKEN",
        f"http://127.0.0.1/v1/Account/{AUTH_ID}/EndUser/?limit=2", "-H", "X-My-Own: it's here",
    ]  # fmt: skip


def test_the_shell_fills_the_token_in(http: Http) -> None:
    """The variable stands in double quotes."""
    http.get("EndUser/")
    assert f'-u "{AUTH_ID}:$PLIVO_AUTH_TOKEN"' in page_of_last(http)


def run_curl(http: Http, tmp_path: Path) -> bytes:
    """What the command on the last request's page really sends as its body."""
    found = re.search(r'<pre id="as-curl"[^>]*>(.*?)</pre>', page_of_last(http), re.S)
    assert found is not None
    fake = tmp_path / "curl"
    fake.write_text(FAKE_CURL, "utf-8")
    fake.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", found[1]], env=environ, check=True)
    return (tmp_path / "body").read_bytes()


FAKE_CURL = f"""#!{sys.executable}
import os, pathlib, sys
here = pathlib.Path(__file__).with_name("body")
for name, value in zip(sys.argv, sys.argv[1:]):
    if name == "--data-raw":
        here.write_bytes(os.fsencode(value))
    elif name == "--data-binary":
        assert value == "@-"
        here.write_bytes(sys.stdin.buffer.read())
"""


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": business}', b'{"name": "Zo\xc3\xab",\n\t\x0b}', b'{"name": "Zo\xeb"}',
        b"\x00\xff\r\n", b'@/etc/passwd', b'{"n" :  1, "n": 2}\n', b"{\"n\": '$(id)`!'}",
        b'{"name": "' + b"x" * 39_000 + b'"}',
    ],
)  # fmt: skip
def test_curl_sends_the_very_bytes_that_came(http: Http, tmp_path: Path, body: bytes) -> None:
    """Broken JSON, what is no text, and what a shell or curl would read otherwise."""
    http.post("EndUser/", data=body, content_type="application/json")
    assert run_curl(http, tmp_path) == body
    assert "Content-Type: application/json" in as_curl(http)


def test_curl_keeps_the_type_that_was_wrong(http: Http) -> None:
    """And sends none where none came: curl would call it a form."""
    http.post("EndUser/", data=b"{}", content_type="multipart/form-data")
    assert "Content-Type: multipart/form-data" in as_curl(http)
    http.post("EndUser/", data=b"{}")
    assert as_curl(http)[-4:] == ["-H", "Content-Type:", "--data-raw", "{}"]


def test_where_the_reading_of_a_body_stopped_is_marked(http: Http) -> None:
    """In the body itself, and as line and column."""
    http.post("EndUser/", data=b'{"a": 1,\n "b": two}', content_type="application/json")
    page = page_of_last(http)
    assert '"b": <mark class="stop" title="Expecting value">t</mark>wo}' in page
    assert "Reading stopped in line 2, column 7 (byte 15): Expecting value" in page


def test_a_part_of_a_form_that_is_no_json_is_marked(http: Http) -> None:
    """The SDKs send their data so."""
    form, kind = multipart([("data", '{"alias": "a", oops}')], [])
    http.post("PhoneNumber/Compliance/", data=form, content_type=kind)
    assert '"a", <mark class="stop"' in page_of_last(http)


def test_a_body_that_is_no_text_is_shown_in_hexadecimal(http: Http) -> None:
    """Beside its characters."""
    http.post("EndUser/", data=b'{"name": "Zo\xeb"}', content_type="application/json")
    assert "7b 22 6e 61 6d 65 22 3a 20 22 5a 6f eb 22 7d" in page_of_last(http)


def test_the_headers_of_the_answer_are_shown(http: Http) -> None:
    """As they went out."""
    answer = http.get("EndUser/")
    assert f"\nX-Request-Id: {answer.headers['X-Request-Id']}" in page_of_last(http)


def test_the_end_of_an_answer_that_a_fault_has_spoilt_is_shown(http: Http) -> None:
    """Whatever stands between."""
    strike(http, effect="invalid_json")
    http.get("ComplianceDocumentType/")
    found = re.search(r'<pre id="answer-end"[^>]*>(.*?)</pre>', page_of_last(http), re.S)
    assert found is not None
    assert found[1].endswith(',"')


def test_curl_of_json(http: Http) -> None:
    """The body as it was."""
    http.post("EndUser/", json={"name": "it's Zoë's", "n": [1, None]})
    words = as_curl(http)
    assert words[:3] == ["curl", "-X", "POST"]
    assert "Content-Type: application/json" in words
    assert json.loads(words[words.index("--data-raw") + 1]) == {
        "name": "it's Zoë's",
        "n": [1, None],
    }


def test_curl_of_a_json_list(http: Http) -> None:
    """Which is no form."""
    http.post("EndUser/", json=[{"name": "a"}])
    assert as_curl(http)[-2:] == ["--data-raw", '[{"name": "a"}]']


def test_curl_of_what_was_not_kept(http: Http) -> None:
    """What is kept of it, and the page says so."""
    http.post("EndUser/", json={"name": "x" * KEPT_BODY_BYTES})
    assert as_curl(http)[-1].startswith('{"name": "xxx')
    assert "Only the start of the body was kept" in page_of_last(http)
    assert f"Only its first {KEPT_BODY_BYTES:,} of {KEPT_BODY_BYTES + 12:,} bytes" in (
        page_of_last(http)
    )


def test_curl_of_a_form_with_files(http: Http) -> None:
    """Text as it is, files by their names; curl makes the boundary."""
    body, kind = multipart([("data", "@/etc/passwd")], [("file", 'my "own".pdf', PDF)])
    body = body.replace(b'my "own".pdf', b'my \\"own\\".pdf')
    http.post("ComplianceDocument/", data=body, content_type=kind)
    words = as_curl(http)
    assert words[-4:] == [
        "--form-string", "data=@/etc/passwd", "-F", 'file=@"my \\"own\\".pdf"'
    ]  # fmt: skip
    assert not any("multipart" in word for word in words)


def test_curl_calls_this_simulator(http: Http) -> None:
    """A client may have named any host; whoever pastes the command does not send a token there."""
    http.get("EndUser/", headers={"Host": "evil.example"})
    assert f"http://127.0.0.1/v1/Account/{AUTH_ID}/EndUser/" in as_curl(http)
    assert "Host: evil.example" in page_of_last(http)


def test_the_name_of_a_part_names_no_file(http: Http) -> None:
    """What a client calls a part does not make curl read another file."""
    body, kind = multipart([], [("a=@/etc/passwd;x", "b.pdf", PDF)])
    http.post("ComplianceDocument/", data=body, content_type=kind)
    assert as_curl(http)[-1] == 'a%3D@/etc/passwd;x=@"b.pdf"'


@pytest.mark.parametrize(
    ("media_type", "told"),
    [
        ("image/png", ";type=image/png"),
        ("image/png,/etc/passwd", ""),
        ("image/png,@/etc/passwd", ""),
        ("image/png;filename=x", ";type=image/png"),
        ("image/png /etc/passwd", ""),
        ("image", ""),
    ],
)
def test_the_type_of_a_part_names_no_file(http: Http, media_type: str, told: str) -> None:
    """Behind a comma curl would read another file."""
    body, kind = multipart([], [("file", "b.png", PDF)])
    body = body.replace(b'"b.png"', f'"b.png"\r\nContent-Type: {media_type}'.encode())
    http.post("ComplianceDocument/", data=body, content_type=kind)
    assert as_curl(http)[-1] == f'file=@"b.png"{told}'


def test_a_part_that_has_no_file_name_names_no_path(http: Http) -> None:
    """A binary one counts as a file, of the part's name."""
    body, kind = multipart([], [("/etc/passwd", None, PDF)])
    body = body.replace(b'passwd"', b'passwd"\r\nContent-Type: application/octet-stream')
    http.post("ComplianceDocument/", data=body, content_type=kind)
    assert as_curl(http)[-1] == '/etc/passwd=@"passwd";type=application/octet-stream'


def test_curl_of_an_encoded_form(http: Http) -> None:
    """As it was encoded."""
    http.post("EndUser/", data={"name": "a&b", "x y": "@z"})
    assert as_curl(http)[-2] == "--data-raw"
    assert as_curl(http)[-1] in ("name=a%26b&x+y=%40z", "name=a%26b&x+y=@z")


def test_curl_of_an_atoms_call(http: Http) -> None:
    """The bearer token is left to the environment, too."""
    query = "countryIso=IN&numberType=local&userType=business"
    headers = {"Authorization": "Bearer very-secret-token"}
    http.get(f"/atoms/v1/compliance/status?{query}", headers=headers)
    account = account_of("very-secret-token")
    id = last(Http(http.app, http.sim, auth_id=account))["id"]
    page = html.unescape(http.get(f"/console/{account}/requests/{id}").text)
    assert '-H "Authorization: Bearer $ATOMS_TOKEN"' in page
    assert "very-secret" not in page


@pytest.mark.parametrize(
    "text", ["it's", "$(touch x)", "`id`", "a\nb", "\x1b[31m", "é \u202e", "\\'\n", "-d @x", "😀\n"]
)
def test_a_shell_takes_it_for_text(text: str) -> None:
    """Whatever a client has put in, bash hands it to curl as it is, and a terminal obeys none."""
    command = curl("POST", "http://x/", {}, ["-d", text])
    assert command.isprintable()
    printed = command.replace("curl", "printf '%s\\n'", 1)
    done = subprocess.run(["bash", "-c", f"{printed}"], capture_output=True, check=True)
    assert done.stdout.decode() == f"-X\nPOST\nhttp://x/\n-d\n{text}\n"


def test_brackets_of_a_url_are_taken_as_they_are() -> None:
    """Curl would read them as a range."""
    assert curl("GET", "http://x/?a[0]=1", {}) == "curl -g 'http://x/?a[0]=1'"


def test_an_empty_header_stays() -> None:
    """As curl wants it written."""
    assert curl("GET", "http://x/", {"X-Empty": ""}) == "curl http://x/ -H 'X-Empty;'"
