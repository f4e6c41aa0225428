"""What is refused in the beta page's dialect: status, whole body, every problem, nothing changed.

source: documented for the error object, the seven printed codes and the HTTP statuses; invented
for the other codes and for ``problems``.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.apis.phone_number import beta
from plivo_sim.apis.phone_number.beta.errors import ErrorOut, error_body, to_domain
from plivo_sim.domain.errors import (
    InUse,
    Invalid,
    Problem,
    ProblemKind,
    SimError,
    StorageFailed,
    WrongState,
)
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from plivo_sim.web.calls import Injected, RateLimited, TooLarge
from tests.apis import page
from tests.apis.page import FILES, FORM, URL, WAYS, Page, create_body, embedded, speaking_beta
from tests.support import AUTH_ID, JPEG, PDF, PNG, Http, basic, check_answer, multipart

OTHER = "MAYYYYYYYYYYYYYYYYYY"
UNKNOWN_ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture(params=WAYS)
def http(request: pytest.FixtureRequest, http: Http) -> Http:
    return speaking_beta(http, request.param)


@pytest.fixture
def api(http: Http) -> Page:
    return Page(http)


def refused(answer: TestResponse, status: int, *expected: tuple[str, str | None]) -> Any:
    """The body of a refusal: this status, and exactly these (code, param) in this order."""
    assert answer.status_code == status, answer.text
    assert answer.headers["X-Plivo-Sim-Dialect"] == "beta"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"]
    body = answer.get_json()
    check_answer(body, ErrorOut)
    error = body["error"]
    assert list(error) == list(page.ERROR["error"])
    problems = body.get("problems", [{key: error[key] for key in ("code", "message", "param")}])
    assert [(each["code"], each["param"]) for each in problems] == list(expected)
    assert problems[0] == {key: error[key] for key in ("code", "message", "param")}
    assert all(each["message"] and "None" not in each["message"] for each in problems)
    return body


# --- the printed error ---------------------------------------------------------------------


def test_a_missing_document_is_told_as_printed(api: Page) -> None:
    """Only country and document differ from the page's own example."""
    answer = api.http.post(f"{URL}/", json=create_body(documents=page.documents_of()[::2]))
    body = refused(answer, 422, ("missing_required_document", "documents"))
    assert body["error"] == page.ERROR["error"] | {
        "message": "Address Proof is required for Indian local numbers"
    }


def test_countries_are_told_by_their_adjective_or_their_code(http: Http) -> None:
    """As in "for German local numbers" (documented)."""
    catalogue = http.sim.catalogue
    for country, told in (("DE", "for German local"), ("AE", "for Emirati local")):
        found = catalogue.find(Version.CURRENT, (country, NumberType.LOCAL, UserType.BUSINESS))
        assert found is not None
        facts = {"slot": found.slots[0], "requirement": found}
        problem = Problem(ProblemKind.MISSING_DOCUMENT, ("documents",), "", facts)
        assert told in error_body(Invalid([problem]), "")[1]["error"]["message"]


def test_every_kind_of_problem_has_a_code() -> None:
    """So no problem that the core may find ends as an internal error."""
    for fault in ProblemKind:
        if fault is not ProblemKind.MISSING_DOCUMENT:
            status, body = error_body(
                Invalid([Problem(fault, ("alias",), "is wrong", {"field": "x"})]), ""
            )
            types = {400: "invalid_request_error", 422: "validation_error"}
            assert body["error"]["type"] == types[status]


@pytest.mark.parametrize(
    ("error", "status", "type_", "code"),
    [
        (RateLimited(60), 429, "rate_limit_error", "rate_limit_exceeded"),
        (TooLarge(9), 413, "invalid_request_error", "request_too_large"),
        (StorageFailed("disk full"), 500, "api_error", "internal_error"),
        (InUse("end_user", "e", "delete", ["a"]), 409, "state_error", "resource_in_use"),
        (WrongState("application", "a", "link", "submitted"), 409, "state_error",
         "compliance_not_approved"),
        (Injected(403, "no"), 403, "permission_error", "insufficient_permissions"),
        (Injected(503, "no"), 503, "api_error", "internal_error"),
        (Injected(409, "no"), 409, "state_error", "state_conflict"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, SimError) else None,
)  # fmt: skip
def test_the_rarer_errors(error: SimError, status: int, type_: str, code: str) -> None:
    """The table of errors, beyond what a plain call provokes."""
    got, body = error_body(error, "api-id")
    assert (got, body["error"]["type"], body["error"]["code"]) == (status, type_, code)
    check_answer(body, ErrorOut)


BY_STATUS = {
    400: ("invalid_request_error", "invalid_request"),
    401: ("authentication_error", "invalid_credentials"),
    403: ("permission_error", "insufficient_permissions"),
    404: ("not_found_error", "not_found"),
    405: ("invalid_request_error", "method_not_allowed"),
    408: ("invalid_request_error", "request_timeout"),
    409: ("state_error", "state_conflict"),
    413: ("invalid_request_error", "request_too_large"),
    414: ("invalid_request_error", "url_too_long"),
    415: ("invalid_request_error", "unsupported_encoding"),
    418: ("api_error", "internal_error"),
    422: ("validation_error", "invalid_field"),
    423: ("api_error", "internal_error"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    431: ("invalid_request_error", "headers_too_large"),
    500: ("api_error", "internal_error"),
    501: ("invalid_request_error", "unsupported_encoding"),
    503: ("api_error", "internal_error"),
    505: ("invalid_request_error", "unsupported_version"),
}


@pytest.mark.parametrize("status", BY_STATUS)
def test_an_injected_status_has_its_type_and_code(status: int) -> None:
    """Each that a fault may have; others are the service's own trouble."""
    got, body = error_body(Injected(status, "no"), "")
    assert (got, (body["error"]["type"], body["error"]["code"])) == (status, BY_STATUS[status])


IN_ORDER = (
    "country_iso", "number_type", "alias", "end_user", "end_user.type", "end_user.name",
    "end_user.email", "end_user.address", "end_user.address.line1", "end_user.address.line2",
    "end_user.address.city", "end_user.address.state", "end_user.address.postal_code",
    "end_user.address.country", "end_user.registration_number", "end_user.else",
    "documents[0]", "documents[0].type", "documents[0].file", "documents[0].data_fields",
    "documents[1].type", "documents", "callback_url", "callback_method", "else",
)  # fmt: skip


def test_each_field_has_its_place_in_the_order_of_problems() -> None:
    """Found in the opposite order, with one of no known field behind its siblings."""
    paths = [tuple(int(s) if s.isdigit() else s for s in re.findall(r"\w+", each))
             for each in reversed(IN_ORDER)]  # fmt: skip
    problems = [Problem(ProblemKind.BAD_VALUE, to_domain(path), "is wrong") for path in paths]
    told = error_body(Invalid(problems), "")[1]["problems"]
    assert [each["param"] for each in told] == list(IN_ORDER)


# --- who calls -----------------------------------------------------------------------------

CALLS = [
    ("GET", "/Requirements?country_iso=IN"),
    ("POST", "/"),
    ("GET", "/"),
    ("GET", "/{id}"),
    ("PATCH", "/{id}"),
    ("DELETE", "/{id}"),
    ("GET", "/{id}/Document/{document}/download"),
]
CREDENTIALS = {
    "missing": None,
    "not basic": "Bearer abc",
    "not base64": "Basic %%%",
    "no colon": "Basic " + base64.b64encode(AUTH_ID.encode()).decode(),
    "empty token": basic(token=""),
    "ill-formed id": basic(user="MA123"),
    "another account": basic(user=OTHER),
}


@pytest.mark.parametrize("header", CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_bad_credentials(api: Page, method: str, path: str, header: str | None) -> None:
    """401 for every call, and nothing is done."""
    id = api.id()
    api.http.decide(id, "rejected")
    before, url = page.counts(api.http), URL + filled(api, path, id)
    answer = api.http.call(method, url, json={"alias": "x"}, headers={"Authorization": header})
    body = refused(answer, 401, ("invalid_credentials", None))
    assert body["error"]["type"] == "authentication_error"
    assert page.counts(api.http) == before
    assert api.get(id)["alias"] is None


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if "{id}" in call[1]])
def test_another_accounts_record_is_unknown(api: Page, method: str, path: str) -> None:
    """404, as if it were not there (decision "Foreign ids are 404")."""
    id = api.id()
    before = page.counts(api.http)
    url = f"{api.http.mount}/v1/Account/{OTHER}/{URL}{filled(api, path, id)}"
    answer = api.http.call(
        method, url, json={"alias": "x"}, headers={"Authorization": basic(user=OTHER)}
    )
    body = refused(answer, 404, ("compliance_not_found", "compliance_id"))
    assert id in body["error"]["message"]
    assert page.counts(api.http) == before


def filled(api: Page, path: str, id: str) -> str:
    document = api.http.account.store.applications.fetch(id).document_ids[0]
    return path.format(id=id, document=document)


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if "{id}" in call[1]])
@pytest.mark.parametrize("id", [UNKNOWN_ID, "none", "%20", "x" * 300])
def test_an_unknown_record(api: Page, method: str, path: str, id: str) -> None:
    """404 whatever the id looks like."""
    answer = api.http.call(method, URL + path.format(id=id, document=id), json={"alias": "x"})
    refused(answer, 404, ("compliance_not_found", "compliance_id"))


def test_an_unknown_document(api: Page) -> None:
    """Of a record that exists; one of another record is no better."""
    id, other = api.id(), api.id()
    for document in (UNKNOWN_ID, api.http.account.store.applications.fetch(other).document_ids[0]):
        answer = api.http.get(f"{URL}/{id}/Document/{document}/download")
        refused(answer, 404, ("document_not_found", "document_id"))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/", "GET, POST"),
        ("DELETE", "/", "GET, POST"),
        *((method, "/Requirements", "GET") for method in ("POST", "PUT", "PATCH", "DELETE")),
        ("DELETE", "/Requirements/", "GET"),
        ("POST", "/some-id", "DELETE, GET, PATCH"),
        ("PUT", "/some-id", "DELETE, GET, PATCH"),
        ("POST", "/some-id/Document/some-id/download", "GET"),
    ],
)
def test_wrong_methods(http: Http, method: str, path: str, allowed: str) -> None:
    """405; only PATCH updates (observed)."""
    answer = http.call(method, URL + path, json={})
    refused(answer, 405, ("method_not_allowed", None))
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/some-id/Document", "/some-id/Document/x", "/some-id/submit", "/a/b/c/d"]
)
def test_unknown_urls(http: Http, path: str) -> None:
    """404 with a code of its own."""
    refused(http.get(URL + path), 404, ("url_not_found", None))


# --- query strings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/Requirements", 400, [("invalid_parameter", "country_iso")]),
        ("/Requirements?country_iso=", 400, [("invalid_parameter", "country_iso")]),
        ("/Requirements?country_iso=IND", 400, [("invalid_parameter", "country_iso")]),
        ("/Requirements?country_iso=1%20", 400, [("invalid_parameter", "country_iso")]),
        ("/Requirements?country_iso=DE", 422, [("invalid_field", "country_iso")]),
        ("/Requirements?country_iso=IN&user_type=individual", 422,
         [("invalid_field", "user_type")]),
        ("/Requirements?country_iso=IN&user_type=martian", 400,
         [("invalid_parameter", "user_type")]),
        ("/Requirements?country_iso=IN&number_type=national", 400,
         [("invalid_parameter", "number_type")]),
        ("/Requirements?country_iso=IN&id=1", 400, [("unknown_parameter", "id")]),
        ("/Requirements?x=1&number_type=a&user_type=b", 400, [
            ("invalid_parameter", "country_iso"), ("invalid_parameter", "number_type"),
            ("unknown_parameter", "x"), ("invalid_parameter", "user_type")]),
        ("/?limit=0", 400, [("invalid_parameter", "limit")]),
        ("/?limit=101", 400, [("invalid_parameter", "limit")]),
        ("/?limit=many", 400, [("invalid_parameter", "limit")]),
        ("/?limit=-1", 400, [("invalid_parameter", "limit")]),
        ("/?limit=1.5", 400, [("invalid_parameter", "limit")]),
        ("/?limit=%D9%A1", 400, [("invalid_parameter", "limit")]),
        ("/?offset=-1", 400, [("invalid_parameter", "offset")]),
        ("/?status=accepted", 400, [("invalid_parameter", "status")]),
        ("/?status=submitted", 400, [("invalid_parameter", "status")]),
        ("/?number_type=fixed", 400, [("invalid_parameter", "number_type")]),
        ("/?number_type=national", 400, [("invalid_parameter", "number_type")]),
        ("/?country_iso=IND", 400, [("invalid_parameter", "country_iso")]),
        ("/?user_type=robot", 400, [("invalid_parameter", "user_type")]),
        ("/?expand=true", 400, [("invalid_parameter", "expand")]),
        ("/?expand=documents,files", 400, [("invalid_parameter", "expand")]),
        ("/?page=2", 400, [("unknown_parameter", "page")]),
        ("/?page=2&limit=0&status=x", 400, [
            ("unknown_parameter", "page"), ("invalid_parameter", "status"),
            ("invalid_parameter", "limit")]),
        ("/{id}?expand=everything", 400, [("invalid_parameter", "expand")]),
        ("/{id}?fields=alias", 400, [("unknown_parameter", "fields")]),
        ("/{id}/Document/{document}/download?x=1", 400, [("unknown_parameter", "x")]),
    ],
)  # fmt: skip
def test_bad_parameters(api: Page, path: str, status: int, expected: list[tuple[str, str]]) -> None:
    """All at once; what exists but is not supported is 422 (decision "The beta page's scope")."""
    refused(api.http.get(URL + filled(api, path, api.id())), status, *expected)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("country_iso=DE", "country DE; there is one for IN"),
        ("country_iso=IN&user_type=individual",
         "user type individual in IN; there is one for business"),
        ("country_iso=IN&number_type=mobile&user_type=individual",
         "user type individual in IN/mobile; there is one for business"),
    ],
)  # fmt: skip
def test_what_has_no_requirement_is_named(http: Http, query: str, told: str) -> None:
    """In the words that every API has for it
    (wire-facts.md, "Could not find any requirement")."""
    answer = http.get(f"{URL}/Requirements?{query}").get_json()
    assert answer["error"]["message"] == f"Could not find any requirement for {told}"


def test_an_unknown_parameter_is_told_in_the_observed_words(http: Http) -> None:
    """source: observed (a commit of the Java SDK)"""
    body = http.get(f"{URL}/Requirements?country_iso=IN&id=1").get_json()
    assert body["error"]["message"] == "Unknown query parameter 'id'"


def test_get_tolerates_an_id(api: Page) -> None:
    """The Java SDK sends it on every get (observed; decision "Unknown query parameters")."""
    id = api.id()
    shown = api.http.get(f"{URL}/{id}/?id={id}").get_json()
    assert shown["compliance_id"] == id


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_writes_take_no_parameters(api: Page, method: str) -> None:
    """And a refused write changes nothing."""
    id = api.id()
    api.http.decide(id, "rejected")
    before = page.counts(api.http)
    path = f"{URL}/?dry_run=1" if method == "POST" else f"{URL}/{id}?dry_run=1"
    answer = api.http.call(method, path, json=create_body(alias="x"))
    refused(answer, 400, ("unknown_parameter", "dry_run"))
    assert page.counts(api.http) == before
    assert api.get(id)["status"] == "rejected"


# --- bodies that cannot be read ------------------------------------------------------------

_FORM_BODY, _FORM_TYPE = page.page_form()
UNREADABLE: dict[str, dict[str, Any]] = {
    "JSON cut short": {"data": b'{"alias": "x"', "content_type": "application/json"},
    "JSON with NaN": {"data": b'{"alias": NaN}', "content_type": "application/json"},
    "JSON not UTF-8": {"data": b'{"alias": "\xff"}', "content_type": "application/json"},
    "JSON with a null character": {"data": b'{"alias": "a\\u0000"}'},
    "JSON too deep": {"data": b'{"alias":' + b"[" * 99 + b"]" * 99 + b"}"},
    "multipart cut short": {"data": _FORM_BODY[:-200], "content_type": _FORM_TYPE},
    "multipart without boundary": {"data": _FORM_BODY, "content_type": "multipart/form-data"},
    "multipart that is none": {"data": b"hello", "content_type": _FORM_TYPE},
    "text": {"data": b"alias=x", "content_type": "text/plain"},
    "XML": {"data": b"<alias/>", "content_type": "application/xml"},
    "form not UTF-8": {"data": b"alias=%FF", "content_type": FORM},
    "JSON text cut short": {"data": b"end_user={", "content_type": FORM},
    "documents text cut short": {"data": b"documents=[{]", "content_type": FORM},
    "a field twice": {"data": b"alias=a&alias=b", "content_type": FORM},
    "a field in two spellings": {
        "data": b"end_user[name]=a&end_user.name=b", "content_type": FORM,
    },
    "a field and its object": {"data": b"end_user=1&end_user.name=b", "content_type": FORM},
    "too many documents": {"json": {"documents": [{}] * 51}},
    "an index too high": {"data": b"documents[50].type=x", "content_type": FORM},
    "an index out of reach": {"data": b"documents[999999999999].type=x", "content_type": FORM},
}  # fmt: skip


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_unreadable_bodies(api: Page, method: str, request_: dict[str, Any]) -> None:
    """400 with one problem, and nothing is done."""
    id = api.id()
    api.http.decide(id, "rejected")
    before = page.counts(api.http)
    answer = api.http.call(method, f"{URL}/" + (id if method == "PATCH" else ""), **request_)
    refused(answer, 400, ("unreadable_body", None))
    assert page.counts(api.http) == before
    assert api.get(id)["status"] == "rejected"


@pytest.mark.parametrize("value", [b"[1]", b"7", b'"text"', b"true", b"null"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_no_object(api: Page, method: str, value: bytes) -> None:
    """400, and the body as a whole is named."""
    id = api.id()
    api.http.decide(id, "rejected")
    path = f"{URL}/" + (id if method == "PATCH" else "")
    answer = api.http.call(method, path, data=value, content_type="application/json")
    body = refused(answer, 400, ("wrong_type", None))
    assert body["error"]["message"] == "The body must be an object"


def test_an_update_without_a_body(api: Page) -> None:
    """It says nothing, so it is no update; a create without one lists what it needs."""
    id = api.id()
    api.http.decide(id, "rejected")
    refused(api.http.patch(f"{URL}/{id}"), 400, ("unreadable_body", None))


class Unread:
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_too_large_is_refused_unread(api: Page, method: str) -> None:
    """413 by the announced length alone."""
    id = api.id()
    answer = api.http.call(
        method,
        f"{URL}/" + (id if method == "PATCH" else ""),
        content_type="application/json",
        environ_overrides={
            "wsgi.input": Unread(),
            "CONTENT_LENGTH": str(LARGEST_BODY_BYTES + 1),
        },
    )
    refused(answer, 413, ("request_too_large", None))


# --- fields --------------------------------------------------------------------------------

LONG = "x" * 256
MISSING, TYPE, VALUE, FIELD = (
    "missing_required_field", "wrong_type", "invalid_value", "invalid_field",
)  # fmt: skip
FIELDS: list[tuple[dict[str, Any], int, list[tuple[str, str]]]] = [
    ({"country_iso": ...}, 422, [(MISSING, "country_iso")]),
    ({"country_iso": None}, 422, [(MISSING, "country_iso")]),
    ({"country_iso": ""}, 422, [(MISSING, "country_iso")]),
    ({"country_iso": 91}, 400, [(TYPE, "country_iso")]),
    ({"country_iso": "IND"}, 422, [(FIELD, "country_iso")]),
    ({"country_iso": "DE"}, 422, [(FIELD, "country_iso")]),
    ({"number_type": ...}, 422, [(MISSING, "number_type")]),
    ({"number_type": "fixed"}, 400, [(VALUE, "number_type")]),
    ({"number_type": "national"}, 400, [(VALUE, "number_type")]),
    ({"number_type": ["local"]}, 400, [(TYPE, "number_type")]),
    ({"alias": 5}, 400, [(TYPE, "alias")]),
    ({"alias": LONG}, 422, [(FIELD, "alias")]),
    ({"end_user": ...}, 422, [(MISSING, "end_user")]),
    ({"end_user": "Acme"}, 400, [(TYPE, "end_user")]),
    ({"end_user": [1]}, 400, [(TYPE, "end_user")]),
    ({"end_user__type": ...}, 422, [(MISSING, "end_user.type")]),
    ({"end_user__type": "martian"}, 400, [(VALUE, "end_user.type")]),
    ({"end_user__type": "individual"}, 422, [(FIELD, "end_user.type")]),
    ({"end_user__name": ...}, 422, [(MISSING, "end_user.name")]),
    ({"end_user__name": "  "}, 422, [(MISSING, "end_user.name")]),
    ({"end_user__name": LONG}, 422, [(FIELD, "end_user.name")]),
    ({"end_user__name": {"first": "A"}}, 400, [(TYPE, "end_user.name")]),
    ({"end_user__email": False}, 400, [(TYPE, "end_user.email")]),
    ({"end_user__address": ...}, 422, [
        (MISSING, "end_user.address.line1"), (MISSING, "end_user.address.city"),
        (MISSING, "end_user.address.postal_code"), (MISSING, "end_user.address.country")]),
    ({"end_user__address": "123 MG Road"}, 400, [(TYPE, "end_user.address")]),
    ({"end_user__address__line1": None}, 422, [(MISSING, "end_user.address.line1")]),
    ({"end_user__address__city": ""}, 422, [(MISSING, "end_user.address.city")]),
    ({"end_user__address__city": "x" * 101}, 422, [(FIELD, "end_user.address.city")]),
    ({"end_user__address__postal_code": 560001}, 400, [(TYPE, "end_user.address.postal_code")]),
    ({"end_user__address__postal_code": "5" * 11}, 422, [(FIELD, "end_user.address.postal_code")]),
    ({"end_user__address__country": "IND"}, 422, [(FIELD, "end_user.address.country")]),
    ({"end_user__registration_number": ...}, 422, [(MISSING, "end_user.registration_number")]),
    ({"end_user__registration_number": "U" * 51}, 422, [(FIELD, "end_user.registration_number")]),
    ({"callback_url": "ftp://x.example"}, 422, [(FIELD, "callback_url")]),
    ({"callback_url": "not a url"}, 422, [(FIELD, "callback_url")]),
    ({"callback_url": 5}, 400, [(TYPE, "callback_url")]),
    ({"callback_method": "PUT"}, 400, [(VALUE, "callback_method")]),
    ({"callback_method": 1}, 400, [(TYPE, "callback_method")]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "status", "expected"), FIELDS, ids=lambda each: str(each)[:60])
def test_fields_of_a_create(
    api: Page, changes: dict[str, Any], status: int, expected: list[tuple[str, str]]
) -> None:
    """One wrong field, one problem at its place, nothing made."""
    before = page.counts(api.http)
    refused(api.http.post(f"{URL}/", json=create_body(**changes)), status, *expected)
    assert page.counts(api.http) == before


UPDATABLE = ("alias", "end_user", "callback_url", "callback_method")


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        case for case in FIELDS
        if next(iter(case[0])).startswith(UPDATABLE) and ... not in case[0].values()
        and None not in case[0].values()
    ],
    ids=lambda each: str(each)[:60],
)  # fmt: skip
def test_fields_of_an_update(
    api: Page, changes: dict[str, Any], status: int, expected: list[tuple[str, str]]
) -> None:
    """The same rules, and the record stays as it was."""
    id = api.id(alias="before")
    api.http.decide(id, "rejected")
    before = {**api.get(id), "api_id": ""}
    top = {name.partition("__")[0] for name in changes}
    body = {key: value for key, value in create_body(**changes).items() if key in top}
    refused(api.http.patch(f"{URL}/{id}", json=body), status, *expected)
    assert {**api.get(id), "api_id": ""} == before


def test_all_problems_at_once_in_the_order_of_the_page(http: Http) -> None:
    """The first of them decides the status: here one of 422 before one of 400."""
    body = {
        "callback_method": "PUT",
        "documents": [{"type": "identity_proof", "file": "/path/to/passport.pdf"}, {"type": "x"}],
        "end_user": {"type": "business", "address": {"postal_code": 1, "city": LONG}},
        "number_type": "local",
        "country_iso": "IN",
    }
    refused(
        http.post(f"{URL}/", json=body), 422,
        (MISSING, "end_user.name"),
        (MISSING, "end_user.address.line1"),
        (FIELD, "end_user.address.city"),
        (TYPE, "end_user.address.postal_code"),
        (MISSING, "end_user.address.country"),
        (MISSING, "end_user.registration_number"),
        ("invalid_file", "documents[0].file"),
        ("unknown_document_type", "documents[1].type"),
        ("missing_required_document", "documents"),
        ("missing_required_document", "documents"),
        (VALUE, "callback_method"),
    )  # fmt: skip


def test_the_first_problem_of_400_decides_as_well(http: Http) -> None:
    """A wrong word before a missing field."""
    answer = http.post(f"{URL}/", json=create_body(number_type="fixed", end_user__name=...))
    refused(answer, 400, (VALUE, "number_type"), (MISSING, "end_user.name"))


@pytest.mark.parametrize(
    "request_", [{}, {"json": {}}, {"data": b"x=1", "content_type": FORM}], ids=range(3)
)
def test_an_empty_create_names_all_that_is_needed(http: Http, request_: dict[str, Any]) -> None:
    """Also when there is no body at all."""
    expected = [(MISSING, n) for n in ("country_iso", "number_type", "end_user", "documents")]
    refused(http.post(f"{URL}/", **request_), 422, *expected)


def test_form_fields_are_named_as_in_json(http: Http) -> None:
    """Paths in errors do not depend on the encoding."""
    body, content_type = page.page_form(end_user__address__city="", end_user__type="martian")
    answer = http.post(f"{URL}/", data=body, content_type=content_type)
    refused(answer, 400, (VALUE, "end_user.type"))
    body, content_type = page.page_form(end_user__address__city="")
    answer = http.post(f"{URL}/", data=body, content_type=content_type)
    refused(answer, 422, (MISSING, "end_user.address.city"))


def test_a_gap_in_the_indexes_is_named(http: Http) -> None:
    """A form that counts from one: the paths stay those of the request."""
    fields = page.flat(page.CREATE)
    fields += [(f"documents[{i}][type]", type_) for i, type_ in enumerate(FILES, 1)]
    files = [(f"documents[{i}][file]", *file) for i, file in enumerate(FILES.values(), 1)]
    body, content_type = multipart(fields, files)
    answer = http.post(f"{URL}/", data=body, content_type=content_type)
    refused(answer, 422, (MISSING, "documents[0].type"))


# --- documents and files -------------------------------------------------------------------

BIG = b"%PDF-1.7" + b"x" * (5 * 1024 * 1024)
BAD_FILES: dict[str, tuple[Any, str]] = {
    "a path": ("/path/to/passport.pdf", "upload it as a multipart part"),
    "wrong bytes": (embedded(b"hello", "passport.pdf"), "must be PDF or PNG"),
    "JPEG": (embedded(JPEG, "passport.jpg"), "must be PDF or PNG; it is JPEG"),
    "empty": (embedded(b"", "passport.pdf"), "is empty"),
    "too large": (embedded(BIG, "passport.pdf"), "exceeds the 5 MB size limit"),
    "a name of 100": (embedded(PDF, "x" * 96 + ".pdf"), "100 characters, at most 99"),
    "not base64": ({"name": "a.pdf", "content": "%%%"}, "not valid base64"),
    "a data URL without data": ("data:application/pdf", "not valid base64"),
    "a data URL that is not base64": ("data:application/pdf;base64,%%%", "not valid base64"),
    "a plain data URL": ("data:,hello", "must be PDF or PNG"),
}


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_file_rules_in_json(api: Page, bad: tuple[Any, str]) -> None:
    """``invalid_file`` at the file's place, with the reason (decision "Files and downloads")."""
    before = page.counts(api.http)
    answer = api.http.post(f"{URL}/", json=create_body(documents__1__file=bad[0]))
    body = refused(answer, 422, ("invalid_file", "documents[1].file"))
    assert bad[1] in body["error"]["message"]
    assert page.counts(api.http) == before


UPLOADS: dict[str, tuple[str, bytes]] = {
    "wrong bytes": ("passport.pdf", b"hello"),
    "JPEG": ("passport.jpg", JPEG),
    "empty": ("passport.pdf", b""),
    "too large": ("passport.pdf", BIG),
    "a name of 100": ("x" * 96 + ".pdf", PDF),
}


@pytest.mark.parametrize("upload", UPLOADS.values(), ids=UPLOADS)
@pytest.mark.parametrize("field", ["documents[0].file", "documents[0][file]", "files"])
def test_file_rules_in_a_form(api: Page, field: str, upload: tuple[str, bytes]) -> None:
    """The path is the same however the part is named."""
    before = page.counts(api.http)
    documents = [{"type": type_} for type_ in FILES]
    fields = [*page.CREATE.items(), ("documents", documents)]
    others = [(f"documents[{i}].file", *f) for i, f in enumerate(FILES.values()) if i]
    body, content_type = multipart(
        [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in fields],
        [(field, *upload), *others],
    )
    answer = api.http.post(f"{URL}/", data=body, content_type=content_type)
    refused(answer, 422, ("invalid_file", "documents[0].file"))
    assert page.counts(api.http) == before


def test_a_path_in_a_form_is_refused_with_a_hint(http: Http) -> None:
    """The page's own sample passes paths."""
    fields = [(n, v if isinstance(v, str) else json.dumps(v)) for n, v in page.CREATE.items()]
    fields += [(f"documents[{i}][type]", type_) for i, type_ in enumerate(FILES)]
    fields += [(f"documents[{i}][file]", f"/path/to/{i}.pdf") for i in range(3)]
    body, content_type = multipart(fields, [])
    answer = http.post(f"{URL}/", data=body, content_type=content_type)
    refused(answer, 422, *[("invalid_file", f"documents[{i}].file") for i in range(3)])


def test_five_megabytes_are_allowed(api: Page) -> None:
    """The limit itself is within."""
    api.created(json=create_body(documents__0__file=embedded(BIG[: 5 * 1024 * 1024], "a.pdf")))


def another(type_: str) -> dict[str, Any]:
    return {"type": type_, "file": embedded(PDF, "b.pdf")}


DOCUMENTS: list[tuple[dict[str, Any], int, list[tuple[str, str]]]] = [
    ({"documents": ...}, 422, [("missing_required_document", "documents")] * 3),
    ({"documents": []}, 422, [("missing_required_document", "documents")] * 3),
    ({"documents": None}, 422, [("missing_required_document", "documents")] * 3),
    ({"documents": "x"}, 400, [(TYPE, "documents")]),
    ({"documents__0": "x"}, 400, [
        (TYPE, "documents[0]"), ("missing_required_document", "documents")]),
    ({"documents__0__type": ...}, 422, [
        (MISSING, "documents[0].type"), ("missing_required_document", "documents")]),
    ({"documents__0__type": 7}, 400, [
        (TYPE, "documents[0].type"), ("missing_required_document", "documents")]),
    ({"documents__0__type": "gst_certificate"}, 400, [
        ("unknown_document_type", "documents[0].type"),
        ("missing_required_document", "documents")]),
    ({"documents__2__file": ...}, 422, [(MISSING, "documents[2].file")]),
    ({"documents__2__file": None}, 422, [(MISSING, "documents[2].file")]),
    ({"documents__2__file": 7}, 400, [(TYPE, "documents[2].file")]),
    ({"documents__2__file": {"name": "a.pdf"}}, 400, [(TYPE, "documents[2].file")]),
    ({"documents__2__file": {"name": 1, "content": ""}}, 400, [(TYPE, "documents[2].file")]),
    ({"documents__0__data_fields": 1}, 400, [(TYPE, "documents[0].data_fields")]),
    ({"documents__0__data_fields": {"x": "y" * 16_384}}, 422, [
        (FIELD, "documents[0].data_fields")]),
    ({"documents": [*page.documents_of(), another("identity_proof")]}, 422, [
        (FIELD, "documents[3].type")]),
    ({"documents": [*page.documents_of(), another("use_case")]}, 400, [
        ("unknown_document_type", "documents[3].type")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status", "expected"), DOCUMENTS, ids=lambda each: str(each)[:50]
)
def test_documents_of_a_create(
    api: Page, changes: dict[str, Any], status: int, expected: list[tuple[str, str]]
) -> None:
    """Missing, surplus, twice, of a wrong shape. Nothing is made."""
    before = page.counts(api.http)
    refused(api.http.post(f"{URL}/", json=create_body(**changes)), status, *expected)
    assert page.counts(api.http) == before


def test_the_same_file_twice_is_a_warning(api: Page) -> None:
    """The page prints no rule (wire-facts.md, "The same file in two slots")."""
    body = create_body(documents__2__file=embedded(PDF + b"1", "other.pdf"))
    answer = api.http.post(f"{URL}/", json=body)
    assert answer.status_code == 201
    assert "documents[2].file: the same file as" in answer.headers["X-Plivo-Sim-Warning"]


def test_a_file_that_the_record_has_in_another_place_counts_as_twice(api: Page) -> None:
    """In an update."""
    id = api.id()
    api.http.decide(id, "rejected")
    documents = [{"type": "identity_proof", "file": embedded(PNG, "a.png")}]
    answer = api.http.patch(f"{URL}/{id}", json={"documents": documents})
    told = "documents[0].file: the same file as the 'Address Proof' that the application has"
    assert answer.headers["X-Plivo-Sim-Warning"].startswith(told)


def test_one_type_by_word_and_by_id_is_the_same_type(http: Http) -> None:
    """So that is twice, too."""
    account = http.account
    requirement = account.catalogue.find(Version.BETA, ("IN", NumberType.LOCAL, UserType.BUSINESS))
    again = {"type": requirement.document_types[0].id, "file": embedded(PDF, "b.pdf")}
    answer = http.post(f"{URL}/", json=create_body(documents=[*page.documents_of(), again]))
    refused(answer, 422, (FIELD, "documents[3].type"))


@pytest.mark.parametrize(
    ("documents", "status", "expected"),
    [
        ([{"type": "identity_proof"}], 422, [(MISSING, "documents[0].file")]),
        ([{"file": embedded(PDF, "a.pdf")}], 422, [(MISSING, "documents[0].type")]),
        ([{"type": "gst_certificate", "file": embedded(PDF, "a.pdf")}], 400,
         [("unknown_document_type", "documents[0].type")]),
        ([{"type": "identity_proof", "file": embedded(PDF, "a.pdf")},
          {"type": "identity_proof", "file": embedded(PDF + b"2", "b.pdf")}], 422,
         [(FIELD, "documents[1].type")]),
        ("x", 400, [(TYPE, "documents")]),
    ],
    ids=range(5),
)  # fmt: skip
def test_documents_of_an_update(
    api: Page, documents: Any, status: int, expected: list[tuple[str, str]]
) -> None:
    """Missing, surplus, twice, of a wrong shape. Nothing is changed."""
    id = api.id()
    api.http.decide(id, "rejected")
    before = api.get(id)
    answer = api.http.patch(f"{URL}/{id}", json={"alias": "new", "documents": documents})
    refused(answer, status, *expected)
    assert {**api.get(id), "api_id": ""} == {**before, "api_id": ""}


def test_an_unknown_type_names_the_right_ones(http: Http) -> None:
    """By word, as the page publishes them (decision "Requirement versions")."""
    answer = http.post(f"{URL}/", json=create_body(documents__0__type="passport"))
    message = answer.get_json()["error"]["message"]
    assert message.endswith(f"; it takes {', '.join(FILES)}")


def test_the_user_type_of_a_record_cannot_change(api: Page) -> None:
    """An update that says so is refused."""
    id = api.id()
    api.http.decide(id, "rejected")
    answer = api.http.patch(f"{URL}/{id}", json={"end_user": {"type": "individual"}})
    refused(answer, 422, (FIELD, "end_user.type"))


# --- states --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ((), "in current status: pending_review"),
        (("accepted",), "in current status: approved"),
        (("accepted", "suspended"), "in current status: rejected (Suspended)"),
        (("accepted", "expired"), "in current status: rejected (Expired)"),
    ],
)
def test_an_update_in_another_status(api: Page, steps: tuple[str, ...], told: str) -> None:
    """409 ``compliance_not_editable`` that names the status in the page's words
    (decision "Correctable applications")."""
    id = api.id()
    for status in steps:
        api.http.decide(id, status)
    before = {**api.get(id), "api_id": ""}
    answer = api.http.patch(f"{URL}/{id}", json={"alias": "new"})
    body = refused(answer, 409, ("compliance_not_editable", "compliance_id"))
    assert body["error"]["type"] == "state_error"
    assert body["error"]["message"].endswith(told)
    assert {**api.get(id), "api_id": ""} == before


@pytest.mark.parametrize("linked", [False, True])
def test_an_approved_record_cannot_be_deleted(api: Page, linked: bool) -> None:
    """Linked or not; numbers are named (decision "Deleting applications")."""
    id = api.id()
    api.http.decide(id, "accepted")
    if linked:
        page.link(api.http, id)
    before = page.counts(api.http)
    body = refused(
        api.http.delete(f"{URL}/{id}"), 409, ("compliance_not_deletable", "compliance_id")
    )
    assert ("912248885512" in body["error"]["message"]) is linked
    assert page.counts(api.http) == before


def test_a_linked_record_that_is_no_longer_approved_cannot_be_deleted(api: Page) -> None:
    """Unlink the numbers first."""
    id = api.id()
    api.http.decide(id, "accepted")
    page.link(api.http, id)
    api.http.decide(id, "suspended")
    body = refused(
        api.http.delete(f"{URL}/{id}"), 409, ("compliance_not_deletable", "compliance_id")
    )
    assert "linked numbers: 912248885512" in body["error"]["message"]


# --- the rest ------------------------------------------------------------------------------


def test_over_the_rate_limit(api: Page) -> None:
    """429 with ``Retry-After``, when the account enforces the published limits."""
    settings = {"auth_id": AUTH_ID, "settings": {"rate_limits": "true"}}
    assert api.http.control("POST", "/accounts", settings).status_code == 201
    for _ in range(60):
        api.list()
    answer = api.http.get(f"{URL}/")
    refused(answer, 429, ("rate_limit_exceeded", None))
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_unforeseen_error(api: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with the page's object; no trace of where it happened."""

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(beta, "present_list", broken)
    body = refused(api.http.get(f"{URL}/"), 500, ("internal_error", None))
    assert body["error"]["type"] == "api_error"
    assert "secret" not in str(body)


def test_http_callbacks_are_allowed_anywhere(api: Page) -> None:
    """The page is silent about https, unlike the current dialect's live service
    (decision "Plain-http callbacks")."""
    api.create(callback_url="http://example.com/hook")
