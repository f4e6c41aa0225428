"""Which dialect answers (decision "Which dialect answers"): clients as they are on the wire, then
the rule itself.

source: observed for the SDKs' headers and bodies (docs/wire-facts.md, "Headers of each SDK",
"Captured from Python", "Captured from Node"), field-reported for the others' (docs/wire-facts.md,
"Create is a form with a data part", "The beta page is superseded").
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from plivo_sim.apis.dialects import BodyClue, Clues, detect_dialect
from plivo_sim.apis.reading import DIALECT_HEADER, is_plivo_client
from plivo_sim.domain.records import Origin
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from tests.apis import page
from tests.apis.legacy_support import Legacy
from tests.apis.page import FORM, URL, Page
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http, basic, multipart

AGENTS = {
    "python": "plivo-python/4.63.0 (Python: 3.11.7)",
    "node": "plivo-node/4.79.0 (Node: v20.20.2)",
    "go": "plivo-go/7.60.2 (Go: go1.19.8)",
    "ruby": "plivo-ruby/4.63.4 (Ruby 3.1.2)",
    "php": "plivo-php/4.70.0 (PHP 8.2.35)",
    "java": "plivo-java/5.49.0 (Implementation: null null null, Specification: null null null)",
    "net": "plivo-dotnet/5.53.0.0",
    "Plivo's command line": "Plivo-CLI/0.4.1",
    "the same in small letters": "plivo-cli/1.0",
}
STRANGERS = {
    "nobody": "",
    "go's uploads": "Go-http-client/1.1",
    "curl": "curl/8.5.0",
    "aiohttp": "Python/3.11 aiohttp/3.9.5",
    "requests": "python-requests/2.32.3",
    "axios": "axios/1.7.2",
    "node's fetch": "node",
    "a browser": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "smallestai": "python-httpx/0.28.1",
    "one that names an SDK": "my-app/1.0 (uses plivo-python/4.63.0)",
    "another of Plivo's": "plivo-browser-sdk/2.0",
}

# --- bodies as the clients write them ------------------------------------------------------

B = "d31c4c19c2a2a3d1107ecbd7"
Part = tuple[list[str], bytes]


def raw(parts: list[Part], boundary: str = B) -> bytes:
    """A multipart body of parts given by their very header lines."""
    lines = [
        f"--{boundary}\r\n".encode() + "\r\n".join(head).encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    ]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def named(name: str, filename: str | None = None) -> str:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'Content-Disposition: form-data; name="{name}"{file}'


def sdk_bodies(data: str) -> dict[str, tuple[str, str, bytes]]:
    """Client -> User-Agent of its creates, Content-Type, body."""
    text = data.encode()
    form = f"multipart/form-data; boundary={B}"
    octets = "Content-Type: application/octet-stream"
    pdf, png = "Content-Type: application/pdf", "Content-Type: image/png"
    first, second = named("documents[0].file", "a.pdf"), named("documents[1].file", "utility b.png")
    plain_files: list[Part] = [([first, pdf], PDF), ([second, png], PNG)]
    length = f"Content-Length: {len(text)}"
    json_part = "Content-Type: application/json"
    binary = "Content-Transfer-Encoding: binary"
    go = [([named("data")], text), ([first, octets], PDF), ([second, octets], PNG)]
    net = [
        (["Content-Type: text/plain; charset=utf-8",
          "Content-Disposition: form-data; name=data"], text),
        ([pdf, 'Content-Disposition: form-data; name="documents[0].file"; filename=a.pdf; '
               "filename*=utf-8''a.pdf"], PDF),
        ([png, 'Content-Disposition: form-data; name="documents[1].file"; filename=b.png; '
               "filename*=utf-8''b.png"], PNG),
    ]  # fmt: skip
    php = [
        ([named("data"), length], text),
        ([first, f"Content-Length: {len(PDF)}", pdf], PDF),
        ([second, f"Content-Length: {len(PNG)}", png], PNG),
    ]
    ruby = [
        ([named("data")], text),
        ([first, f"Content-Length: {len(PDF)}", pdf, binary], PDF),
        ([second, f"Content-Length: {len(PNG)}", png, binary], PNG),
    ]
    return {
        "python": (AGENTS["python"], form,
                   raw([([named("data")], text), ([first], PDF), ([second], PNG)])),
        "node": (AGENTS["node"], form, raw([([named("data")], text), *plain_files])),
        "go": (STRANGERS["go's uploads"], form, raw(go)),
        "ruby": (AGENTS["ruby"], form, raw(ruby)),
        "php": (AGENTS["php"], form, raw(php)),
        "java": (AGENTS["java"], form, raw([([named("data"), length], text), *plain_files])),
        "net": (AGENTS["net"], f'multipart/form-data; boundary="{B}"', raw(net)),
        "aiohttp": (STRANGERS["aiohttp"], form,
                    raw([([json_part, named("data")], text), *plain_files])),
        "axios": (STRANGERS["axios"], form, raw([([named("data")], text), *plain_files])),
        "browser with a Blob": (STRANGERS["a browser"], form,
                                raw([([named("data", "blob"), json_part], text), *plain_files])),
        "node's fetch with a Blob": (STRANGERS["node's fetch"], form,
                                     raw([([named("data", "blob"), json_part], text),
                                          *plain_files])),
        "Plivo's command line": (AGENTS["Plivo's command line"], form,
                                 raw([([second, octets], PNG), ([named("data")], text),
                                      ([first, octets], PDF)])),
        "curl with a file of data": (STRANGERS["curl"], form,
                                     raw([([named("data", "app.json"), octets], text),
                                          *plain_files])),
    }  # fmt: skip


SDK_CLIENTS = tuple(sdk_bodies("{}"))
CHOOSE = "Plivo's API of today differs"


def dialect(answer: Any) -> str:
    told: str = answer.headers["X-Plivo-Sim-Dialect"]
    return told


def warning(answer: Any) -> str:
    return str(answer.headers.get("X-Plivo-Sim-Warning", ""))


def speaking(api: Page) -> Page:
    """The same, by the fixed mount."""
    return Page(replace(api.http, mount="/beta"))


@pytest.mark.parametrize("client", SDK_CLIENTS)
@pytest.mark.parametrize("with_agent", [True, False])
def test_a_create_as_each_client_sends_it(http: Http, client: str, with_agent: bool) -> None:
    """Understood whole, and by its body alone if need be."""
    agent, content_type, body = sdk_bodies(json.dumps(http.sdk_data()))[client]
    answer = http.post(
        f"{URL}/",
        data=body,
        content_type=content_type,
        headers={"User-Agent": agent if with_agent else "Go-http-client/1.1"},
    )
    assert (answer.status_code, dialect(answer)) == (201, "current"), answer.text
    assert answer.get_json()["message"].endswith("submitted for review.")


@pytest.mark.parametrize("agent", [AGENTS["python"], AGENTS["ruby"], ""])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_form_without_files(http: Http, method: str, agent: str) -> None:
    """Python and Ruby send ``data`` urlencoded then."""
    id = http.sdk_created()
    http.decide(id, "rejected")
    answer = http.call(
        method,
        f"{URL}/" + (f"{id}/" if method == "PATCH" else ""),
        data=urlencode({"data": '{"alias": "b"}'}),
        content_type=FORM,
        headers={"User-Agent": agent},
    )
    assert dialect(answer) == "current"


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        ("GET", f"{URL}/Requirements/?country_iso=IN", {}),
        ("GET", f"{URL}/", {}),
        ("GET", f"{URL}/some-id/", {}),
        ("DELETE", f"{URL}/some-id/", {"data": '""', "content_type": "application/json"}),
        ("POST", f"{URL}/", {}),
        ("POST", f"{URL}/", {"json": {}}),
        ("POST", f"{URL}/some-id/", {"json": {}}),
    ],
)
def test_an_sdks_agent_is_enough(
    http: Http, agent: str, method: str, path: str, request_: dict[str, Any]
) -> None:
    """For calls without a telling body: an empty create of Python's among them."""
    answer = http.call(method, path, headers={"User-Agent": agent}, **request_)
    assert dialect(answer) == "current"


ALL_THREE = "country_iso=IN&number_type=local&user_type=business"
PAGE_BODY, PAGE_KIND = page.page_form()
DOTTED_BODY, _ = page.page_form(".")
TODAYS_JSON = {"alias": "a", "end_user": {"type": "business", "address_line1": "12 MG Road"}}


def form(*fields: tuple[str, str]) -> dict[str, Any]:
    body, content_type = multipart(list(fields), [])
    return {"data": body, "content_type": content_type}


CALLS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    # what hand-written clients of today's API and Plivo's command line begin with
    "a look-up": ("GET", f"/Requirements/?{ALL_THREE}", {}, "current"),
    "a look-up with nothing in a filter": ("GET", "/?status=", {}, "current"),
    "a list": ("GET", "/", {}, "current"),
    "a list of the accepted": ("GET", "/?status=accepted", {}, "current"),
    "a list of the submitted": ("GET", "/?status=submitted&limit=2", {}, "current"),
    "a list of what both reject": ("GET", "/?status=rejected", {}, "current"),
    "a list of a status that nobody has": ("GET", "/?status=klingon", {}, "current"),
    "a list by alias": ("GET", "/?alias=Acme", {}, "current"),
    "an unknown id": ("GET", "/some-id", {}, "current"),
    "a correction of an unknown id": ("PATCH", "/some-id", {"json": {"alias": "b"}}, "current"),
    "a deletion of an unknown id": ("DELETE", "/some-id", {}, "current"),
    "a wrong method": ("PUT", "/", {}, "current"),
    "no such URL": ("GET", "/a/b", {}, "current"),
    # what the page prints
    "the page's look-up": ("GET", "/Requirements?country_iso=IN", {}, "beta"),
    "a look-up of nothing": ("GET", "/Requirements", {}, "beta"),
    "a look-up without a user type": (
        "GET", "/Requirements?country_iso=IN&number_type=local&user_type=", {}, "beta"),
    "a look-up without a number type": (
        "GET", "/Requirements?country_iso=IN&user_type=business", {}, "beta"),
    "the page's list": ("GET", "/?status=approved&country_iso=DE", {}, "beta"),
    "a list in review": ("GET", "/?status=pending_review", {}, "beta"),
    "a list of what lacks information": ("GET", "/?status=More_Info_Required", {}, "beta"),
    "a page's status beside today's filters": (
        "GET", "/?status=approved&number_type=local&user_type=business&offset=0", {}, "beta"),
    "a page's status in a whole look-up": (
        "GET", f"/Requirements?{ALL_THREE}&status=approved", {}, "beta"),
    "the page's create in brackets": (
        "POST", "/", {"data": PAGE_BODY, "content_type": PAGE_KIND}, "beta"),
    "the page's create in dots": (
        "POST", "/", {"data": DOTTED_BODY, "content_type": PAGE_KIND}, "beta"),
    "the page's create as JSON": ("POST", "/", {"json": page.create_body()}, "beta"),
    "the page's create as JSON texts": (
        "POST", "/", form(("country_iso", "IN"), ("end_user", json.dumps(page.END_USER))), "beta"),
    "the page's create, urlencoded": (
        "POST", "/",
        {"data": urlencode(page.flat(page.CREATE)), "content_type": FORM}, "beta"),
    "the page's create without documents": (
        "POST", "/", {"json": {"country_iso": "IN", "end_user": {"name": "A"}}}, "beta"),
    "the page's create by a client that writes capitals": (
        "POST", "/", {"json": {"CountryIso": "IN"}}, "beta"),
    "the page's create with files named as today's": (
        "POST", "/",
        form(("documents[0].type", "identity_proof"), ("documents[0].file", "%PDF-")), "beta"),
    "JSON that cannot be read": (
        "POST", "/", {"data": "{", "content_type": "application/json"}, "beta"),
    # today's words where today's API does not take them, and bodies that say nothing
    "today's words as JSON": ("POST", "/", {"json": TODAYS_JSON}, "current"),
    "data as JSON": ("POST", "/", {"json": {"data": TODAYS_JSON}}, "current"),
    "a document type's id as JSON": (
        "POST", "/", {"json": {"documents": [{"document_type_id": "x"}]}}, "current"),
    "a document type's id in brackets": (
        "POST", "/", form(("documents[0][document_type_id]", "x")), "current"),
    "a document type's id in dots": (
        "POST", "/", form(("documents.0.document_type_id", "x")), "current"),
    "a flat address in brackets": (
        "POST", "/", form(("end_user[address_line1]", "x")), "current"),
    "a flat address within a JSON text": (
        "POST", "/", form(("end_user", ' {"address_line1": "x"}')), "current"),
    "flat keys": ("POST", "/", form(("alias", "a"), ("user_type", "business")), "current"),
    "flat keys as Node's own test writes them": (
        "POST", "/", form(("alias", "a"), ("userType", "business")), "current"),
    "today's words that are null": (
        "POST", "/", {"json": {"alias": "a", "user_type": None}}, "beta"),
    "today's create whose data was forgotten": (
        "POST", "/", form(("documents[0].file", "%PDF-"), ("documents[1].file", "")), "current"),
    "flat keys with today's files": (
        "POST", "/", form(("alias", "a"), ("documents[0].file", "%PDF-")), "current"),
    "data under another name": (
        "POST", "/", form(("payload", '{"country_iso": "IN", "alias": "a"}')), "current"),
    "JSON under another name": ("POST", "/", {"json": {"payload": {"alias": "a"}}}, "current"),
    "a JSON object with nothing in it": ("POST", "/", {"json": {}}, "current"),
    "a JSON list": ("POST", "/", {"json": []}, "current"),
    "a JSON list of the page's creates": ("POST", "/", {"json": [{"alias": "a"}]}, "current"),
    "a JSON text": ("POST", "/", {"json": "alias"}, "current"),
    "no body": ("POST", "/", {}, "current"),
    "an empty body that is said to be JSON": (
        "POST", "/", {"data": "", "content_type": "application/json"}, "current"),
    "a form that cannot be read": (
        "POST", "/", {"data": PAGE_BODY[:-99], "content_type": PAGE_KIND}, "current"),
    "a form without a boundary": (
        "POST", "/", {"data": PAGE_BODY, "content_type": "multipart/form-data"}, "current"),
    "another type of body": ("POST", "/", {"data": "<a/>", "content_type": "text/xml"}, "current"),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("agent", [STRANGERS["curl"], STRANGERS["requests"], ""])
def test_what_the_request_itself_says(http: Http, agent: str, call: str) -> None:
    """Whoever sends it, whatever the account has written; a beta that was taken for one says how
    to choose."""
    method, path, request, expected = CALLS[call]
    http.sdk_created()
    speaking(Page(http)).id()
    answer = http.call(method, URL + path, headers={"User-Agent": agent}, **request)
    assert dialect(answer) == expected
    assert (CHOOSE in warning(answer)) is (expected == "beta")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("agent", [AGENTS["python"], AGENTS["Plivo's command line"]])
def test_plivos_own_clients_speak_todays_api_whatever_they_say(
    http: Http, agent: str, call: str
) -> None:
    method, path, request, _ = CALLS[call]
    answer = http.call(method, URL + path, headers={"User-Agent": agent}, **request)
    assert dialect(answer) == "current"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("way", ["mount", "setting", "header"])
def test_a_beta_that_was_asked_for_answers_all_of_it(http: Http, way: str, call: str) -> None:
    """``data`` alone is stronger than the setting. Nobody is told what they know."""
    method, path, request, _ = CALLS[call]
    if way == "header":
        http.headers[DIALECT_HEADER] = "beta"
    else:
        page.speaking_beta(http, way)
    answer = http.call(method, URL + path, **request)
    expected = "current" if (way, call) == ("setting", "data as JSON") else "beta"
    assert (dialect(answer), CHOOSE in warning(answer)) == (expected, False)


@pytest.mark.parametrize("agent", STRANGERS.values(), ids=STRANGERS)
def test_others_that_send_the_pages_shape(http: Http, agent: str) -> None:
    """Forms and JSON alike are the page's, and are made as it says."""
    body, content_type = page.page_form()
    for request in ({"data": body, "content_type": content_type}, {"json": page.create_body()}):
        answer = http.post(f"{URL}/", headers={"User-Agent": agent}, **request)
        assert (answer.status_code, dialect(answer)) == (201, "beta")


@pytest.mark.parametrize("requested", ["current", "beta", "CURRENT", "Beta"])
@pytest.mark.parametrize("agent", [SDK_AGENT, ""])
def test_the_header_decides(http: Http, requested: str, agent: str) -> None:
    """Before the User-Agent; its case does not count."""
    answer = http.get(f"{URL}/", headers={DIALECT_HEADER: requested, "User-Agent": agent})
    assert dialect(answer) == requested.lower()


@pytest.mark.parametrize("mount", ["current", "beta"])
@pytest.mark.parametrize(
    "headers", [{"User-Agent": SDK_AGENT}, {DIALECT_HEADER: "current"}, {}], ids=str
)
@pytest.mark.parametrize("path", ["/", "/Requirements", "/some-id/", "/a/b/c/d"])
def test_a_mount_decides(http: Http, mount: str, headers: dict[str, str], path: str) -> None:
    """Before everything, errors included."""
    answer = http.get(f"/{mount}/v1/Account/{AUTH_ID}/{URL}{path}", headers=headers)
    assert dialect(answer) == mount


def test_a_header_that_the_mount_overrules_is_told(http: Http) -> None:
    """Only where they disagree."""
    url = f"/beta/v1/Account/{AUTH_ID}/{URL}/"
    answer = http.get(url, headers={DIALECT_HEADER: "current"})
    assert dialect(answer) == "beta"
    assert (
        answer.headers["X-Plivo-Sim-Warning"]
        == f"{DIALECT_HEADER}: current does not count below /beta/v1"
    )
    assert "X-Plivo-Sim-Warning" not in http.get(url, headers={DIALECT_HEADER: "Beta"}).headers


@pytest.mark.parametrize("above", ["/current/current/v1", "/current/beta/v1", "/v2", ""])
def test_a_url_that_only_ends_as_the_new_apis_is_of_no_api(http: Http, above: str) -> None:
    """It names no dialect, and has no rate limit."""
    answer = http.get(f"{above}/Account/{AUTH_ID}/{URL}/")
    assert (answer.status_code, answer.get_json()["error"]) == (
        404,
        "The requested URL does not exist.",
    )
    assert not [name for name, _ in answer.headers if name.startswith(("X-Plivo", "X-Rate"))]


def test_a_correction_with_data_says_nothing_of_the_beta_that_it_corrects(http: Http) -> None:
    """The record is the beta's, the body today's: the body counts."""
    id = speaking(Page(http)).id()
    answer = http.patch(f"{URL}/{id}/", data={"data": '{"alias": "x"}'})
    assert (answer.status_code, dialect(answer)) == (400, "current")
    assert CHOOSE not in warning(answer)


def test_a_mounted_create_with_data_is_the_mounts(http: Http) -> None:
    """Even where it cannot be understood then; what was ignored is told."""
    _, content_type, body = sdk_bodies("{}")["go"]
    url = f"/beta/v1/Account/{AUTH_ID}/{URL}/"
    answer = http.post(url, data=body, content_type=content_type)
    assert (answer.status_code, dialect(answer)) == (422, "beta")
    assert "ignored field 'data'" in answer.headers["X-Plivo-Sim-Warning"]


def test_an_unknown_word_in_the_header_is_no_clue(http: Http) -> None:
    """As if it were not there, and a warning says which words there are."""
    answer = http.get(f"{URL}/", headers={DIALECT_HEADER: "klingon"})
    assert dialect(answer) == "current"
    text = f"{DIALECT_HEADER} must be one of current, beta, not 'klingon'"
    assert answer.headers["X-Plivo-Sim-Warning"] == text


@pytest.mark.parametrize(
    "call", ["the page's create in dots", "the page's create as JSON", "today's words as JSON",
             "data as JSON", "flat keys"],
)  # fmt: skip
def test_an_evaluation_is_of_the_dialect_that_would_answer(http: Http, call: str) -> None:
    """``POST /_sim/evaluate`` reads the body as the create would be read."""
    _, _, request, expected = CALLS[call]
    answer = http.post("/_sim/evaluate", query_string={"account": AUTH_ID}, **request)
    assert answer.get_json()["dialect"] == expected


# --- the record ----------------------------------------------------------------------------


@pytest.fixture
def ids(http: Http) -> dict[str, str]:
    """An application of each API, by its API."""
    return {
        "current": http.sdk_created(),
        "beta": speaking(Page(http)).id(),
        "legacy": Legacy(http).submitted(),
    }


ON_ONE = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/Document/none/download")]


@pytest.mark.parametrize(("method", "below"), ON_ONE)
@pytest.mark.parametrize("setting", ["auto", "current", "beta"])
def test_a_path_with_an_id_follows_the_record(
    http: Http, ids: dict[str, str], setting: str, method: str, below: str
) -> None:
    """Before the body and the setting. A beta is warned of unless the setting asked for it."""
    http.account.configure({"new_api": setting})
    for origin, id in ids.items():
        answer = http.call(method, f"{URL}/{id}{below}", json={"alias": "b", "user_type": "x"})
        assert dialect(answer) == ("beta" if origin == "beta" else "current")
        assert (CHOOSE in warning(answer)) is (origin == "beta" and setting != "beta")


def test_nothing_depends_on_what_was_written_before(http: Http) -> None:
    """A plain list of an account that only the beta has written to is today's."""
    speaking(Page(http)).id()
    Page(http).id()
    assert dialect(http.get(f"{URL}/")) == "current"


@pytest.mark.parametrize(("method", "below"), ON_ONE)
def test_refusals_before_the_view_follow_the_record(
    http: Http, ids: dict[str, str], method: str, below: str
) -> None:
    """Injected faults among them."""
    fault = {"effect": "error", "status": 503, "times": 3, "account": AUTH_ID}
    assert http.control("POST", "/faults", fault).status_code == 201
    for origin, id in ids.items():
        answer = http.call(method, f"{URL}/{id}{below}")
        assert answer.status_code == 503
        assert dialect(answer) == ("beta" if origin == "beta" else "current")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(("origin", "expected"), [("current", 400), ("beta", 413)])
def test_a_body_too_large_is_told_as_far_as_known(
    http: Http, ids: dict[str, str], method: str, origin: str, expected: int
) -> None:
    """By the record; a create has none, and its body cannot say."""
    is_update = method == "PATCH"
    answer = http.call(
        method,
        f"{URL}/" + (ids[origin] if is_update else ""),
        data=PAGE_BODY,
        content_type=PAGE_KIND,
        environ_overrides={"CONTENT_LENGTH": str(LARGEST_BODY_BYTES + 1)},
    )
    assert dialect(answer) == (origin if is_update else "current")
    assert answer.status_code == (expected if is_update else 400)


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({"User-Agent": SDK_AGENT}, "/?status=approved", "current"),
        ({"User-Agent": "Go-http-client/1.1"}, "/", "current"),
        ({"User-Agent": "Go-http-client/1.1"}, "/?status=approved", "beta"),
        ({}, "/Requirements?country_iso=IN", "beta"),
        ({}, f"/Requirements?{ALL_THREE}", "current"),
        ({DIALECT_HEADER: "beta"}, "/", "beta"),
    ],
)
@pytest.mark.parametrize("credentials", [None, basic(token="")])
def test_a_stranger_is_told_by_headers_and_query_alone(
    http: Http, headers: dict[str, str], path: str, expected: str, credentials: str | None
) -> None:
    """A record is none of the stranger's business."""
    id = speaking(Page(http)).id()
    strange = {**headers, "Authorization": credentials}
    answer = http.get(URL + path, headers=strange)
    assert (answer.status_code, dialect(answer)) == (401, expected)
    answer = http.get(f"{URL}/{id}", headers=strange)
    assert dialect(answer) == headers.get(DIALECT_HEADER, "current")


@pytest.mark.parametrize("mount", ["", "/current", "/beta"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_requirements_is_no_id(http: Http, mount: str, method: str, slash: str) -> None:
    """405 with the one method that it has, in every dialect and spelling."""
    path = f"{mount}/v1/Account/{AUTH_ID}/{URL}/Requirements{slash}"
    answer = http.call(method, path, json={})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert dialect(answer) == (mount.strip("/") or "current")


# --- the setting ---------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["current", "beta"])
@pytest.mark.parametrize("call", CALLS)
def test_the_setting_replaces_what_would_be_guessed(http: Http, setting: str, call: str) -> None:
    """But not what is certain: header, ``data``, Plivo's own clients."""
    method, path, request, _ = CALLS[call]
    settings = {"auth_id": AUTH_ID, "settings": {"new_api": setting}}
    assert http.control("POST", "/accounts", settings).status_code == 201
    expected = "current" if call == "data as JSON" else setting
    assert dialect(http.call(method, URL + path, **request)) == expected
    by_header = http.call(method, URL + path, headers={DIALECT_HEADER: "current"}, **request)
    assert dialect(by_header) == "current"
    by_agent = http.call(method, URL + path, headers={"User-Agent": SDK_AGENT}, **request)
    assert dialect(by_agent) == "current"


# --- numbers and Link ----------------------------------------------------------------------

RENT = "PhoneNumber/912248885512/"
LINK = f"{URL}/Link/"
NUMBER_CALLS: dict[str, tuple[str, str, Any, str]] = {
    "an SDK's rent": ("POST", RENT, {"compliance_application_id": "x"}, "current"),
    "the page's rent": ("POST", RENT, {"compliance_id": "x"}, "beta"),
    "both names": (
        "POST", RENT, {"compliance_id": "x", "compliance_application_id": "y"}, "current"),
    "the page's name without a value": ("POST", RENT, {"compliance_id": None, "app_id": 5},
                                        "current"),
    "a number that is not rented": ("GET", "Number/912248885512/", None, "current"),
    "a wrong limit": ("GET", "Number/?limit=0", None, "current"),
    "an SDK's links": ("POST", LINK, {"numbers": [{"compliance_application_id": "x"}]}, "current"),
    "the page's links": ("POST", LINK, {"numbers": [{"compliance_id": "x"}]}, "current"),
    ".NET's links": ("POST", LINK, {"Numbers": [{"ComplianceId": "x"}]}, "current"),
    "links of another shape": ("POST", LINK, "text", "current"),
    "a wrong method": ("GET", LINK, None, "current"),
}  # fmt: skip


def words(answer: Any) -> str:
    """Whose words an error has: the page's is an object."""
    assert answer.status_code >= 400
    return "beta" if isinstance(answer.get_json()["error"], dict) else "current"


@pytest.mark.parametrize("call", NUMBER_CALLS)
def test_errors_of_numbers_follow_the_same_choice(http: Http, call: str) -> None:
    """Link names its dialect, as every answer of the new API does."""
    method, path, body, expected = NUMBER_CALLS[call]

    def answer(**headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        found = http.call(method, path, headers=named, **({} if body is None else {"json": body}))
        if path == LINK:
            assert dialect(found) == words(found)
        return found

    guessed = answer()
    assert words(guessed) == expected
    assert (CHOOSE in warning(guessed)) is (expected == "beta")
    assert words(answer(User_Agent=SDK_AGENT)) == "current"
    assert words(answer(User_Agent=AGENTS["Plivo's command line"])) == "current"
    assert words(answer(X_Plivo_Sim_Dialect="beta")) == "beta"
    assert words(answer(X_Plivo_Sim_Dialect="current")) == "current"
    for setting in ("current", "beta"):
        http.account.configure({"new_api": setting})
        assert words(answer()) == setting
    assert CHOOSE not in warning(answer())


def test_links_that_succeed_name_the_dialect_too(http: Http) -> None:
    assert dialect(http.post(LINK, json={"numbers": []})) == "current"
    answer = http.post(LINK, json={"numbers": ["912248885512"], "compliance_id": "x"})
    assert (answer.status_code, dialect(answer)) == (200, "current")


# --- the rule itself -----------------------------------------------------------------------


def test_every_combination_of_clues_has_an_answer() -> None:
    """And it is the first clue in the order of decision "Which dialect answers" that speaks."""
    axes = {
        "requested": ["", "current", "beta"],
        "body": list(BodyClue),
        "user_agent": ["", SDK_AGENT],
        "record_origin": [None, *Origin],
        "setting": ["auto", "current", "beta"],
        "has_beta_status": [False, True],
        "is_open_lookup": [False, True],
    }
    for values in product(*axes.values()):
        clues = Clues(**dict(zip(axes, values, strict=True)))
        origin = clues.record_origin
        speaking = [
            clues.requested,
            "current" if clues.body is BodyClue.DATA else "",
            "current" if clues.user_agent else "",
            "" if origin is None else "beta" if origin is Origin.BETA else "current",
            clues.setting.replace("auto", ""),
            "beta" if clues.has_beta_status or clues.is_open_lookup else "",
            "beta" if clues.body is BodyClue.BETA else "",
            "current",
        ]
        assert detect_dialect(clues) == next(word for word in speaking if word)


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_plivos_own_agents_are_known(agent: str) -> None:
    """In their exact formats, whatever the version and the case."""
    assert is_plivo_client(agent)
    assert is_plivo_client(agent.upper())


@pytest.mark.parametrize("agent", STRANGERS.values(), ids=STRANGERS)
def test_other_agents_are_not(agent: str) -> None:
    """The name must stand at the start."""
    assert not is_plivo_client(agent)
