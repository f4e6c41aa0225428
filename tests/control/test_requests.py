"""``GET /_sim/requests``: the last exchanges of an account, readable and without secrets."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Request

from plivo_sim.account.account import KEPT_EXCHANGE_BYTES, KEPT_EXCHANGES
from plivo_sim.control.presenters import problem_details
from plivo_sim.scenarios.operations import OPERATIONS
from plivo_sim.web.calls import Call
from plivo_sim.web.kept_bodies import KEPT_BODY_BYTES, KEPT_TEXT
from plivo_sim.web.request_log import exchange_of
from tests.support import AUTH_ID, PDF, PNG, Http, multipart


def last(http: Http) -> Any:
    return http.control("GET", "/requests", account=AUTH_ID).get_json()["requests"][-1]


def test_the_whole_url_is_shown(http: Http) -> None:
    """With host, fixed mount and query."""
    http.get(
        f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/", query_string={"alias": "a b"}
    )
    path = f"http://127.0.0.1/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    assert last(http)["url"] in (f"{path}?alias=a+b", f"{path}?alias=a%20b")


def test_headers_have_their_names(http: Http) -> None:
    """As they came, content type included."""
    http.post("EndUser/", json={}, headers={"X-My-Own": "here"})
    headers = last(http)["headers"]
    assert headers["X-My-Own"] == "here"
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Proxy-Authorization"])
def test_secrets_are_masked(http: Http, name: str) -> None:
    """In what is shown, and in what is kept already."""
    http.token = "very-secret-token"
    secrets = {} if name == "Authorization" else {name: "very-secret-token"}
    http.get("EndUser/", headers=secrets)
    shown = f"Basic {AUTH_ID}:***" if name == "Authorization" else "***"
    assert last(http)["headers"][name] == shown
    assert "very-secret" not in repr(list(http.account.exchanges))


@pytest.mark.parametrize(
    ("login", "shown"),
    [
        ("MAWRONGWRONGWRONGWRO:very-secret", "Basic MAWRONGWRONGWRONGWRO:***"),
        ("maTooShort:very-secret", "Basic maTooShort:***"),
        ("very-secret:MAWRONGWRONGWRONGWRO", "***"),
        ("MAvery-secret:x", "***"),
        ("MA" + "x" * 38 + ":very-secret", "***"),
        ("very-secret", "***"),
    ],
)
def test_a_refused_login_is_shown_by_its_name(http: Http, login: str, shown: str) -> None:
    """Never the token, nor what may be the token in the place of the name."""
    encoded = base64.b64encode(login.encode()).decode()
    http.get("EndUser/", headers={"Authorization": f"Basic {encoded}"})
    (call,) = http.control("GET", "/unmatched").get_json()["unmatched"]
    assert call["status"] == 401
    assert call["headers"]["Authorization"] == shown


SECRET = "very-secret"


def secretive_calls(http: Http) -> None:
    """A secret in a query, in JSON, in forms of both kinds, in JSON within a form, in the URL of
    the page before, and in an answer that repeats it."""
    http.get(
        f"EndUser/?limit=5&auth_token={SECRET}", headers={"Referer": f"http://a/?jwt={SECRET}"}
    )
    http.post("EndUser/", json={"name": "Zoë", "api_key": SECRET, "x": [{"password": SECRET}]})
    http.post("EndUser/", data={"name": "Zoë", "auth_token": SECRET})
    http.sdk_send("POST", "PhoneNumber/Compliance/", {"alias": "a", "token": SECRET})
    form, kind = multipart([("client_secret", SECRET)], [])
    http.post("PhoneNumber/Compliance/", data=form, content_type=kind)
    id = http.sdk_created()
    http.control("POST", "/next-outcome", {"outcome": "accepted", "account": AUTH_ID})
    http.get(f"PhoneNumber/Compliance/{id}/", query_string={"password": SECRET})


def test_secrets_in_queries_and_bodies_are_masked(
    http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """In what is kept, shown, exported, logged and offered as a command."""
    caplog.set_level("DEBUG", logger="plivo_sim")
    secretive_calls(http)
    kept = http.control("GET", "/requests", account=AUTH_ID).get_json()["requests"]
    assert kept[0]["url"].endswith("EndUser/?limit=5&auth_token=***")
    assert kept[0]["headers"]["Referer"] == "http://a/?jwt=***"
    assert kept[1]["body"] == {"name": "Zoë", "api_key": "***", "x": [{"password": "***"}]}
    assert kept[2]["body"][1] == {"name": "auth_token", "text": "***"}
    pages = [http.get(f"/console/{AUTH_ID}/requests/{each['id']}").text for each in kept]
    listed = http.get(f"/console/{AUTH_ID}/requests").text
    exported = http.control("GET", "/export", account=AUTH_ID).text
    assert SECRET not in "".join([repr(kept), *pages, listed, exported, caplog.text])
    assert SECRET not in repr(list(http.account.exchanges))


@pytest.mark.parametrize(
    "text",
    [f'{{"password": "{SECRET}"}}', f'[{{"password": "{SECRET}"}}]',
     json.dumps(f'{{"password": "{SECRET}"}}'), f"http://a/?password={SECRET}",
     f"http://me:{SECRET}@a/"],
    ids=["object", "list", "JSON in JSON", "query", "credentials"],
)  # fmt: skip
def test_secrets_in_other_headers_are_masked(http: Http, text: str) -> None:
    """In JSON and in URLs, as in a body."""
    http.get("EndUser/", headers={"X-Own": text})
    assert "***" in last(http)["headers"]["X-Own"]
    assert SECRET not in repr(list(http.account.exchanges))


def test_a_secret_that_an_answer_repeats_is_masked(http: Http) -> None:
    """The fields of a document are whatever the client calls them."""
    call = Call(http.sim, problem_details, Request({"wsgi.url_scheme": "http"}))
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": ""}
    answer = call.answer({"data_fields": {"password": SECRET}})
    exchange = exchange_of(call, environ, answer, 1.0, http.account.now())
    assert exchange.answer == b'{"data_fields":{"password":"***"}}'


def test_secrets_in_a_callback_url_are_not_logged(
    http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor told when a test has failed; the answers show the URL to whoever may read it."""
    caplog.set_level("INFO", logger="plivo_sim")
    url = f"http://127.0.0.1:9/cb?api_key={SECRET}"
    http.decide(http.sdk_created(callback_url=url), "accepted")
    assert "http://127.0.0.1:9/cb?api_key=***" in caplog.text
    assert SECRET not in caplog.text


def test_a_json_body_is_shown(http: Http) -> None:
    """As values, also when the call was refused."""
    http.post("EndUser/", json={"name": "Zoë", "end_user_type": 7})
    assert last(http)["body"] == {"name": "Zoë", "end_user_type": 7}
    assert last(http)["status"] == 400


def sent(http: Http) -> Any:
    return last(http)["sent"]


def test_of_a_long_json_body_the_start_is_kept(http: Http) -> None:
    """And its size is told; the start is no JSON, and nothing is wrong with it."""
    http.post("EndUser/", json={"name": "x" * KEPT_BODY_BYTES})
    size = KEPT_BODY_BYTES + len('{"name": ""}')
    assert last(http)["body"] == f"({size} bytes, of which the first {KEPT_BODY_BYTES} are kept)"
    kept = sent(http)
    assert kept["text"].startswith('{"name": "xxx')
    assert len(kept["text"]) == KEPT_BODY_BYTES
    assert (kept["size_bytes"], kept["changed"], kept["stopped"]) == (size, ["cut"], None)


def test_a_body_of_many_kilobytes_is_kept_whole(http: Http) -> None:
    """39 kB are no more than a few documents with their fields."""
    text = json.dumps({"name": "x" * 39_000})
    http.post("EndUser/", data=text, content_type="application/json")
    assert sent(http)["text"] == text
    assert sent(http)["changed"] == []


BROKEN = '{"name": "Zoë",\n "end_user_type": business}'


def test_a_body_that_is_no_json_is_kept_as_it_came(http: Http) -> None:
    """With the place where its reading stopped: in bytes, and as an editor counts."""
    http.post("EndUser/", data=BROKEN.encode(), content_type="application/json")
    assert last(http)["body"] is None
    assert sent(http) == {
        "size_bytes": len(BROKEN.encode()), "text": BROKEN, "base64": None, "changed": [],
        "is_read": False,
        "stopped": {
            "offset": BROKEN.encode().index(b"business"), "line": 2, "column": 19,
            "why": "Expecting value",
        },
    }  # fmt: skip


def test_a_body_that_is_no_text_is_kept_as_it_came(http: Http) -> None:
    """A byte that is not UTF-8 is named."""
    raw = b'{"name": "Zo\xeb"}'
    http.post("EndUser/", data=raw, content_type="application/json")
    assert base64.b64decode(sent(http)["base64"]) == raw
    assert sent(http)["text"] is None
    assert sent(http)["stopped"]["offset"] == 12
    assert "0xeb" in sent(http)["stopped"]["why"]


def test_a_body_of_another_type_is_kept_as_it_came(http: Http) -> None:
    """Good JSON, if the Content-Type only said so."""
    http.post("EndUser/", data=b'{"name": "a"}', content_type="text/plain")
    assert last(http)["status"] == 400
    assert sent(http)["text"] == '{"name": "a"}'
    assert "text/plain" in sent(http)["stopped"]["why"]


def test_a_form_is_kept_as_it_came(http: Http) -> None:
    """Beside the fields that it has, one that is not UTF-8 is found."""
    raw = b"name=a%20b&end_user_type=%ff"
    http.post("EndUser/", data=raw, content_type="application/x-www-form-urlencoded")
    assert sent(http)["text"] == raw.decode()
    assert sent(http)["stopped"]["offset"] == raw.index(b"end_user_type")


def test_a_packed_body_is_kept_unpacked(http: Http) -> None:
    """And one that is not what it says to be as it came."""
    body = gzip.compress(b'{"name": "a"}', mtime=0)
    headers = {"Content-Encoding": "gzip"}
    http.post("EndUser/", data=body, content_type="application/json", headers=headers)
    assert (sent(http)["text"], sent(http)["changed"]) == ('{"name": "a"}', ["unpacked"])
    http.post("EndUser/", data=body[:-3], content_type="application/json", headers=headers)
    assert base64.b64decode(sent(http)["base64"]) == body[:-3]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_body_that_nobody_reads_is_kept(http: Http, method: str) -> None:
    """What the client sent is what it sent."""
    http.call(method, "EndUser/none/", data=b'{"a": 1}', content_type="application/json")
    assert (sent(http)["text"], sent(http)["is_read"]) == ('{"a": 1}', False)


def test_a_body_that_a_fault_left_unread_is_kept(http: Http) -> None:
    """Also where the fault struck before it was read."""
    http.control("POST", "/faults", {"effect": "error", "account": AUTH_ID})
    http.post("EndUser/", json={"name": "a"})
    assert json.loads(sent(http)["text"]) == {"name": "a"}


def test_a_request_without_a_body_has_none(http: Http) -> None:
    http.get("EndUser/")
    assert (last(http)["body"], sent(http)) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"token": "very-secret", x', b'{"api_key": ["very-secret"', b"password=very-secret",
        b'{"data": "{\\"auth_token\\": \\"very-secret\\", x}"', b'{"\\u0074oken": "very-secret"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("type_", ["application/json", "text/plain", "multipart/form-data"])
def test_secrets_in_bodies_that_nobody_can_read_are_masked(
    http: Http, raw: bytes, type_: str
) -> None:
    """And it is told that something is."""
    http.post("EndUser/", data=raw, content_type=type_)
    assert "masked" in sent(http)["changed"]
    assert SECRET not in http.control("GET", "/requests", account=AUTH_ID).text
    assert SECRET not in repr(list(http.account.exchanges))


def test_the_headers_of_an_answer_are_shown(http: Http) -> None:
    """As they went out."""
    answer = http.get("EndUser/")
    assert dict(last(http)["answer_headers"])["X-Request-Id"] == answer.headers["X-Request-Id"]
    assert last(http)["answer_size"] == len(answer.data)


def test_of_a_spoilt_answer_the_end_is_kept(http: Http) -> None:
    """That is where it is broken."""
    http.control("POST", "/faults", {"effect": "invalid_json", "account": AUTH_ID})
    answer = http.get("ComplianceDocumentType/")
    assert len(answer.data) > KEPT_TEXT
    assert last(http)["answer_end"] == answer.text[KEPT_TEXT:][-len(last(http)["answer_end"]) :]
    assert last(http)["answer_end"].endswith(',"')


def test_what_was_forgotten_is_counted(http: Http) -> None:
    """Since the account was reset."""
    for _ in range(KEPT_EXCHANGES + 3):
        http.get("EndUser/")
    assert http.control("GET", "/requests", account=AUTH_ID).get_json()["forgotten"] == 3


def test_files_are_told_by_name_type_size_and_hash(http: Http) -> None:
    """And form fields by their text."""
    scan = (io.BytesIO(PDF), "certificate.pdf", "application/pdf")
    http.post("PhoneNumber/Compliance/", data={"data": "{}", "documents[0].file": scan})
    data, file = last(http)["body"]
    assert data["name"] == "data"
    assert file == {
        "name": "documents[0].file", "filename": "certificate.pdf", "size_bytes": len(PDF),
        "media_type": "application/pdf", "sha256": hashlib.sha256(PDF).hexdigest(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "offset", "why"),
    [
        (b'{"alias": "Acme",\n "x": y}', 24, "Expecting value"),
        (b"alias=Acme", 0, "Expecting value"),
        (b'{"alias": "Caf\xe9"}', 14, "not UTF-8: the byte 0xe9"),
        (b'{"alias": "%s", y}' % (b"a" * 2 * KEPT_TEXT), 8014, "Expecting property name"),
    ],
)
def test_where_json_in_a_form_stops(http: Http, data: bytes, offset: int, why: str) -> None:
    """Of any length, and whether it begins as JSON or not."""
    form = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % each
        for each in ((b"data", data), (b"other", b"{"))
    )
    http.post("PhoneNumber/Compliance/", data=form + b"--x--\r\n",
              content_type="multipart/form-data; boundary=x")  # fmt: skip
    assert last(http)["status"] == 400
    stopped = last(http)["body"][0]["stopped"]
    assert stopped["offset"] == offset
    assert stopped["why"].startswith(why)


def test_json_that_came_as_a_file(http: Http) -> None:
    """As a browser sends it, when it is told the type: its text is kept, too."""
    blob = (io.BytesIO(b'{"alias": x}'), "blob", "application/json")
    http.post("PhoneNumber/Compliance/", data={"data": blob})
    (part,) = last(http)["body"]
    assert (part["filename"], part["text"]) == ("blob", '{"alias": x}')
    assert part["stopped"]["offset"] == 10


def test_of_a_long_answer_the_start_is_kept(http: Http) -> None:
    """The requirement's list of fields is longer than that."""
    http.get("ComplianceDocumentType/")
    assert len(last(http)["answer"]) == KEPT_TEXT


def test_the_journal_is_bounded_in_number_and_bytes(http: Http) -> None:
    """The oldest go."""
    for _ in range(KEPT_EXCHANGES + 1):
        http.get("EndUser/")
    assert len(http.account.exchanges) == KEPT_EXCHANGES
    padding = "x" * 60_000
    for _ in range(KEPT_EXCHANGE_BYTES // 60_000 + 1):
        http.get("EndUser/", headers={"X-Padding": padding})
    assert len(http.account.exchanges) < KEPT_EXCHANGE_BYTES // 60_000 + 1


def test_reading_the_journal_leaves_no_trace_in_it(http: Http) -> None:
    """Twice the same answer."""
    http.get("EndUser/")
    first = http.control("GET", "/requests", account=AUTH_ID).get_json()
    assert http.control("GET", "/requests", account=AUTH_ID).get_json() == first


def again(http: Http, id: str) -> Any:
    return http.control("POST", f"/requests/{id}/resend", {"account": AUTH_ID})


@pytest.mark.parametrize("mount", ["", "/beta"])
def test_a_request_is_sent_again(http: Http, mount: str) -> None:
    """Through the very API, with the account's credentials and the bytes that came."""
    path = f"{mount}/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/?x=1"
    first = http.call(
        "POST", path, data=b'{"alias": oops}', content_type="application/json",
        headers={"X-Own": "here"},
    )  # fmt: skip
    before = last(http)
    made = again(http, before["id"]).get_json()
    assert made["id"] != before["id"]
    assert len(http.account.exchanges) == 2
    same = ("method", "url", "sent", "status", "why", "dialect", "operation")
    assert {name: made[name] for name in same} == {name: before[name] for name in same}
    assert made["headers"]["X-Own"] == "here"
    assert first.status_code == made["status"]


def test_what_is_sent_again_is_done_again(http: Http) -> None:
    """An end user gets the name again that it had."""
    made = http.post("EndUser/", json={"name": "Acme", "end_user_type": "business"}).get_json()
    http.post(f"EndUser/{made['end_user_id']}/", json={"name": "First"})
    id = last(http)["id"]
    http.post(f"EndUser/{made['end_user_id']}/", json={"name": "Second"})
    assert again(http, id).get_json()["status"] < 300
    assert http.account.store.end_users.fetch(made["end_user_id"]).name == "First"


def test_a_form_with_files_is_sent_again(http: Http) -> None:
    """With the files that the account has stored; the same is made once more."""
    http.sdk_create(files={0: (PDF, "a.pdf"), 1: (PNG, "b.png")})
    before = last(http)
    made = again(http, before["id"]).get_json()
    assert (made["status"], made["body"]) == (201, before["body"])
    files = [each.file.name for each in http.account.store.documents.every() if each.file]
    assert sorted(files) == ["a.pdf", "a.pdf", "b.png", "b.png"]


@pytest.mark.parametrize(
    ("send", "told"),
    [
        (lambda http: http.sdk_create(files={0: (b"no PDF", "a.pdf")}), "'a.pdf' is not kept"),
        (
            lambda http: http.post(
                "EndUser/", data={"token": "x", "f": (io.BytesIO(PDF), "a.pdf")}
            ),
            "secrets",
        ),
        (lambda http: http.post("EndUser/", json={"name": "x" * KEPT_BODY_BYTES}), "the start"),
        (lambda http: http.post("EndUser/", json={"token": "x"}), "secrets"),
        (lambda http: http.get("EndUser/?token=x"), "query"),
    ],
)
def test_what_is_not_kept_whole_is_not_sent_again(
    http: Http, send: Callable[[Http], Any], told: str
) -> None:
    """It would be another request."""
    send(http)
    refused = again(http, last(http)["id"])
    assert refused.status_code == 400
    assert told in refused.get_json()["detail"]


def test_a_request_that_a_fault_cuts_is_answered_too(http: Http) -> None:
    """The caller of the control API is not cut off."""
    http.get("EndUser/")
    id = last(http)["id"]
    http.control("POST", "/faults", {"effect": "reset", "account": AUTH_ID, "times": 1})
    assert again(http, id).get_json()["fault"].endswith("reset")
    assert again(http, "none").status_code == 404


def test_operations_are_listed_with_their_calls(http: Http) -> None:
    """All of those that faults can name."""
    listed = http.control("GET", "/operations").get_json()["operations"]
    assert [each["operation"] for each in listed] == list(OPERATIONS)
    assert {
        "operation": "compliance.create", "api": "new", "method": "POST",
        "path": "/v1/Account/{auth_id}/PhoneNumber/Compliance/",
        "summary": "Create an application and submit it for review.",
    } in listed  # fmt: skip


def test_requests_of_one_operation(http: Http) -> None:
    """By its name or a glob, in any case; a name that there is not is refused with its likeness."""
    http.get("EndUser/")
    http.get("ComplianceApplication/")

    def asked(operation: str) -> Any:
        return http.control("GET", "/requests", operation=operation, account=AUTH_ID)

    def found(operation: str) -> list[str]:
        return [each["operation"] for each in asked(operation).get_json()["requests"]]

    assert found("legacy.List_End_Users") == ["legacy.list_end_users"]
    assert found("*.list_*") == ["legacy.list_end_users", "legacy.list_applications"]
    refused = asked("legacy.list_enduser")
    assert refused.status_code == 400
    assert "did you mean 'legacy.list_end_users'?" in refused.get_json()["detail"]
    refused = asked("complianse.*")
    assert "did you mean 'compliance." in refused.get_json()["detail"]


@pytest.mark.parametrize("part", ["text of a form", "JSON", "header"])
def test_what_is_kept_of_a_request_counts(http: Http, part: str) -> None:
    """Towards what an account keeps, whatever part of the request it is."""
    for length in (1, 1001):
        match part:
            case "text of a form":
                form, kind = multipart([("data", "x" * length)], [])
                http.post("EndUser/", data=form, content_type=kind)
            case "JSON":
                http.post("EndUser/", json={"name": "x" * length})
            case "header":
                http.get("EndUser/", headers={"X-Own": "x" * length})
    short, long = (each.size_bytes for each in http.account.exchanges)
    assert long - short >= 1000


@pytest.mark.parametrize("host", ["xn--a.com", "[::1]:99999"])
def test_a_host_that_no_url_can_have(http: Http, host: str) -> None:
    """It is kept, and whoever looks at the lists still sees them."""
    http.sdk_created()
    assert http.get("EndUser/", headers={"Host": host}).status_code in (200, 400)
    http.call("GET", "/nowhere", headers={"Host": host})
    for path in ("/requests", "/unmatched", "/events", "/report"):
        assert http.control("GET", path, account=AUTH_ID).status_code == 200
    for path in (f"/console/{AUTH_ID}/traffic", "/console/unmatched", f"/console/{AUTH_ID}/"):
        assert http.get(path).status_code == 200


def test_a_request_that_there_is_not(http: Http) -> None:
    """404, as for what is asked of it; not an empty list, as if it did not fit a filter."""
    id = http.get("EndUser/").headers["X-Request-Id"]
    query = {"account": AUTH_ID, "id": id}
    assert len(http.control("GET", "/requests", **query).get_json()["requests"]) == 1
    query["operation"] = "compliance.*"
    assert http.control("GET", "/requests", **query).get_json()["requests"] == []
    answer = http.control("GET", "/requests", account=AUTH_ID, id="none")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
