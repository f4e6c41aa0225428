"""The traps of docs/wire-facts.md, "Checklist of traps" that concern the legacy API, one test each
at least.

The forms of documents (traps 3 and 5) are in ``test_legacy_documents``.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client.applications import sample
from tests.apis.legacy_support import BUY, INDIA, OPERATIONS, Legacy, ids_of
from tests.support import AUTH_ID, PDF, Http, basic, multipart

SUCCESSES = {"POST": {201, 202}, "GET": {200}, "DELETE": {200}}


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


def good(legacy: Legacy, method: str, path: str, *, slash: str = "/") -> Any:
    """The answer of an operation as it succeeds."""
    ids = ids_of(legacy)
    form = {"document_type_id": ids["type"], "end_user_id": ids["end_user"], "alias": "a"}
    form["business_name"] = "Acme"
    arguments: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
        ("POST", "EndUser/"): lambda: {"json": {"name": "x", "end_user_type": "business"}},
        ("POST", "ComplianceDocument/"): lambda: {"data": form},
        ("POST", "ComplianceApplication/"): lambda: {"json": legacy.application_body()},
        ("GET", "ComplianceRequirement/"): lambda: {"query_string": INDIA},
        ("GET", "ComplianceRequirements/"): lambda: {"query_string": INDIA},
    }
    given = arguments.get((method, path), dict)()
    return legacy.http.call(method, path.format(**ids).rstrip("/") + slash, **given)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_trap_1_both_spellings_of_every_url_answer(
    legacy: Legacy, method: str, path: str, slash: str
) -> None:
    """With and without the last slash; none redirects."""
    answer = good(legacy, method, path, slash=slash)
    assert answer.status_code in SUCCESSES[method], answer.text


@pytest.mark.parametrize("encoding", ["multipart", "urlencoded"])
def test_trap_2_a_document_comes_in_both_form_encodings(legacy: Legacy, encoding: str) -> None:
    """Ruby sends urlencoded without a file, the others multipart."""
    form = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[1], "alias": "a"}
    if encoding == "multipart":
        answer = legacy.send_document(form)
    else:
        answer = legacy.http.post("ComplianceDocument/", data=form)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"data": b"", "content_type": "application/json"},
        {"data": b'""', "content_type": "application/json"},
        {"data": b"{}", "content_type": "application/json"},
        {"data": b"[]", "content_type": "application/json"},
        {"data": b'{"id": "A1"}', "content_type": "application/json; charset=UTF-8"},
        {"data": b"", "headers": {"Content-Length": None, "Transfer-Encoding": "chunked"}},
    ],
    ids=["nothing", "python", "node", "php", "list", "java", "go"],
)
def test_trap_6_submit_takes_any_body_that_means_nothing(
    legacy: Legacy, kwargs: dict[str, Any]
) -> None:
    """Every SDK sends another one."""
    id = legacy.application()
    answer = legacy.http.post(f"ComplianceApplication/{id}/Submit/", **kwargs)
    assert answer.status_code == 202


@pytest.mark.parametrize("raw", [b'""', b"{}", b"nonsense"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_trap_6_a_body_on_get_and_delete_is_ignored(
    legacy: Legacy, method: str, raw: bytes
) -> None:
    """Node sends two bytes with both."""
    id = legacy.end_user()
    path = f"EndUser/{id}/"
    answer = legacy.http.call(method, path, data=raw, content_type="application/json")
    assert answer.status_code == 200


def test_trap_6_ids_repeated_in_a_body_are_tolerated(legacy: Legacy) -> None:
    """Go and Ruby do so; no warning, for it is not the caller's doing."""
    end_user, application = legacy.end_user(), legacy.application()
    body: dict[str, Any] = {"name": "x", "end_user_id": end_user}
    answer = legacy.http.post(f"EndUser/{end_user}/", json=body)
    assert (answer.status_code, answer.headers.get("X-Plivo-Sim-Warning")) == (202, None)
    ids = legacy.application_shown(application)["compliance_document_id"]
    body = {"document_ids": ids, "compliance_application_id": application}
    answer = legacy.http.post(f"ComplianceApplication/{application}/", json=body)
    assert (answer.status_code, answer.headers.get("X-Plivo-Sim-Warning")) == (202, None)


@pytest.mark.parametrize("name", ["country_iso2", "country_iso", "country"])
def test_trap_8_a_country_has_three_names(legacy: Legacy, name: str) -> None:
    """Go's list says ``country``, the page ``country_iso``; none is warned of."""
    legacy.application()
    answer = legacy.http.get("ComplianceApplication/", query_string={name: "DE"})
    assert answer.get_json()["objects"] == []
    assert "X-Plivo-Sim-Warning" not in answer.headers


def test_trap_8_java_leaks_the_phone_number_as_id(legacy: Legacy) -> None:
    """No warning either: it cannot be helped."""
    phone = "+912248885512"
    query = {"id": phone, "phone_number": phone, "end_user_type": "business", **BUY}
    answer = legacy.http.get("ComplianceRequirement/", query_string=query)
    assert answer.status_code == 200
    assert "X-Plivo-Sim-Warning" not in answer.headers


@pytest.mark.parametrize("text", ["toll free", "Toll-Free", "TOLLFREE", "toll_free"])
def test_trap_9_number_types_come_in_any_spelling(legacy: Legacy, text: str) -> None:
    """In look-ups, bodies and filters; ``tollfree`` goes out (trap 24: Java's enum)."""
    assert legacy.requirement(number_type=text)["number_type"] == "tollfree"
    legacy.application(number_type=text)
    found = legacy.http.get("ComplianceApplication/", query_string={"number_type": text})
    assert [each["number_type"] for each in found.get_json()["objects"]] == ["tollfree"]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_traps_12_to_16_a_success_is_json_without_error(
    legacy: Legacy, method: str, path: str
) -> None:
    """``application/json``, more than ``{}``, no key ``error``; 200, 201 or 202, and a delete
    200."""
    answer = good(legacy, method, path)
    assert answer.status_code in SUCCESSES[method], answer.text
    assert answer.content_type == "application/json"
    body = answer.get_json()
    assert len(body) > 1
    assert "error" not in body
    assert answer.headers["X-Request-Id"] == body["api_id"]


def test_traps_17_and_18_a_look_up_is_one_object_and_types_have_arrays(legacy: Legacy) -> None:
    """Flat, not a list; ``enums`` an array, ``proof_required`` text."""
    assert "objects" not in legacy.requirement()
    (type_, *_) = legacy.shown("ComplianceDocumentType/")["objects"]
    assert type_["information"][0]["enums"] == []
    assert isinstance(type_["proof_required"], str)
    assert isinstance(type_["information"][0]["max_length"], int)


def test_trap_19_times_are_rfc_3339_with_microseconds(legacy: Legacy) -> None:
    """Go refuses every other spelling."""
    end_user = legacy.end_user()
    document = legacy.document(end_user)
    application = legacy.application(end_user_id=end_user)
    for path in (
        f"EndUser/{end_user}/",
        f"ComplianceDocument/{document}/",
        f"ComplianceApplication/{application}/",
        f"ComplianceDocumentType/{legacy.types()[0]}/",
    ):
        text = legacy.shown(path)["created_at"]
        assert datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
        assert (len(text), text[-1]) == (27, "Z")


def test_trap_22_the_next_page_is_an_offset_or_null(legacy: Legacy) -> None:
    """A cursor would break the Python SDK's iteration."""
    for _ in range(21):
        legacy.end_user()
    first = legacy.shown("EndUser/")
    assert first["meta"]["next"] == f"/v1/Account/{AUTH_ID}/EndUser/?limit=20&offset=20"
    second = legacy.http.get(first["meta"]["next"]).get_json()
    assert (len(first["objects"]), len(second["objects"])) == (20, 1)
    assert second["meta"]["next"] is None


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("accepted", "accepted"),
        ("rejected", "rejected"),
        ("more_info_required", "rejected"),
        ("suspended", "suspended"),
        ("expired", "expired"),
    ],
)
def test_trap_26_statuses_are_lower_case_words_of_the_sdks(
    legacy: Legacy, status: str, word: str
) -> None:
    """Never the beta page's; a reason only where there is one."""
    shown = legacy.application_shown(legacy.decided(status))
    assert shown["status"] == word
    assert ("rejection_reason" in shown) == (status != "accepted")


def test_traps_28_and_29_submit_answers_all_and_locks(legacy: Legacy) -> None:
    """The full object and the page's message; then updates are refused with 400."""
    id = legacy.application()
    sent = legacy.submit(id).get_json()
    assert sent["message"] == "changed"
    assert sent["documents"]
    again = legacy.http.post(f"ComplianceApplication/{id}/", json={})
    assert again.status_code == 400


@pytest.mark.parametrize("kind", ["EndUser", "ComplianceDocument", "ComplianceApplication"])
def test_trap_30_a_post_to_an_id_updates(legacy: Legacy, kind: str) -> None:
    """Where the new API says 405."""
    ids = ids_of(legacy)
    id = ids[{"EndUser": "end_user", "ComplianceDocument": "document"}.get(kind, "application")]
    assert legacy.http.post(f"{kind}/{id}/").status_code == 202


def test_trap_31_a_page_over_20_is_answered_with_a_warning(legacy: Legacy) -> None:
    """The page allows 20; ``limit=50`` was not refused live."""
    names = [f"User {n:02}" for n in range(21)]
    for name in names:
        legacy.end_user(name=name)
    first = legacy.http.get("EndUser/?limit=20")
    assert "X-Plivo-Sim-Warning" not in first.headers
    answer = legacy.http.get("EndUser/?limit=50")
    assert answer.headers["X-Plivo-Sim-Warning"] == "limit: Plivo documents at most 20"
    assert answer.get_json()["meta"]["limit"] == 50
    assert [each["name"] for each in answer.get_json()["objects"]] == names


def test_trap_33_no_answer_is_the_pages_copy_and_paste(legacy: Legacy) -> None:
    """It prints a document for end users and applications."""
    ids = ids_of(legacy)
    assert "document_id" not in legacy.shown(f"EndUser/{ids['end_user']}/")
    assert "document_id" not in legacy.application_shown(ids["application"])


def test_trap_39_a_new_record_has_every_key(legacy: Legacy) -> None:
    """Null or empty, never absent: .NET and PHP read them unconditionally."""
    id = legacy.application(country_iso2="US", document_ids=[])
    shown = legacy.application_shown(id)
    assert shown["documents"] == shown["compliance_document_id"] == []
    assert legacy.shown(f"EndUser/{legacy.end_user()}/")["last_name"] is None


@pytest.mark.live
def test_go_submits_with_an_empty_chunked_body(live: LiveSimulator) -> None:
    """Over a real socket, where chunks are real; the connection stays usable."""
    connection = http.client.HTTPConnection("127.0.0.1", int(live.url.rsplit(":", 1)[1]))
    headers = {"Authorization": basic(), "Content-Type": "application/json"}
    path = f"/v1/Account/{AUTH_ID}/ComplianceApplication/x/Submit/"
    for _ in range(2):
        connection.request("POST", path, iter(()), headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, b"not found" in answer.read()) == (404, True)
    connection.close()


@pytest.mark.live
def test_node_sends_a_body_with_get_on_a_kept_connection(live: LiveSimulator) -> None:
    """What is not read must not be taken for the next request."""
    connection = http.client.HTTPConnection("127.0.0.1", int(live.url.rsplit(":", 1)[1]))
    headers = {"Authorization": basic(), "Content-Type": "application/json"}
    for method in ("GET", "DELETE", "GET"):
        connection.request(method, f"/v1/Account/{AUTH_ID}/EndUser/x/", b'""', headers)
        answer = connection.getresponse()
        assert (answer.status, b"not found" in answer.read()) == (404, True)
    connection.close()


@pytest.mark.live
def test_a_file_comes_over_a_real_socket(live: LiveSimulator) -> None:
    """A document with a file that does not exist elsewhere: whole and under its name."""
    assert sample("registration_certificate.pdf").read_bytes() == PDF
    connection = http.client.HTTPConnection("127.0.0.1", int(live.url.rsplit(":", 1)[1]))
    body, content_type = multipart([("alias", "a")], [("file", "c.pdf", PDF)])
    headers = {"Authorization": basic(), "Content-Type": content_type}
    path = f"/v1/Account/{AUTH_ID}/ComplianceDocument/"
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"Field 'end_user_id' is required." in answer.read()
    connection.close()


def test_data_fields_as_one_form_field_get_a_hint(legacy: Legacy) -> None:
    """As the new API has them; here each is a form field of its own."""
    answer = legacy.http.call(
        "POST", "ComplianceDocument/", data={"data_fields": '{"business_name": "K"}'}
    )
    assert answer.status_code == 400
    told = answer.headers["X-Plivo-Sim-Warning"]
    assert "ignored form field 'data_fields': each data field is a form field of its own" in told
