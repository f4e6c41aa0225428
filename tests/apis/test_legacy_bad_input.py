"""Every operation of the legacy API against what clients get wrong. Nothing may change."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.apis.legacy_support import (
    LISTS,
    OPERATIONS,
    OTHER_AUTH_ID,
    UNKNOWN_ID,
    Legacy,
    error_of,
    ids_of,
)
from tests.support import AUTH_ID, TOKEN, Http, basic

BY_ID = [(method, path) for method, path in OPERATIONS if "{" in path]
OF_ACCOUNTS = [pair for pair in BY_ID if "{type}" not in pair[1] and "{req" not in pair[1]]
JSON_WRITES = [
    "EndUser/",
    "EndUser/{end_user}/",
    "ComplianceApplication/",
    "ComplianceApplication/{application}/",
]
FORM_WRITES = ["ComplianceDocument/", "ComplianceDocument/{document}/"]
WRITES = [*JSON_WRITES, *FORM_WRITES, "ComplianceApplication/{application}/Submit/"]


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


# --- credentials, ids, URLs, methods ---------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer token",
        "Basic ???",
        "Basic",
        basic(AUTH_ID, ""),
        basic("me", TOKEN),
        basic(OTHER_AUTH_ID, TOKEN),
    ],
    ids=["none", "empty", "bearer", "malformed", "bare", "no-token", "ill-formed", "foreign"],
)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_without_the_accounts_credentials_it_is_401(
    legacy: Legacy, method: str, path: str, authorization: str | None
) -> None:
    """Missing, malformed, or somebody else's."""
    ids = ids_of(legacy)
    before = legacy.state()
    headers = {"Authorization": authorization}
    error_of(legacy.http.call(method, path.format(**ids), headers=headers), 401)
    assert legacy.state() == before


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_fixed_token_takes_no_other(method: str, path: str) -> None:
    """401 with another token."""
    simulator = make_simulator(Settings(paused=True, credentials={AUTH_ID: "another"}))
    ids = dict.fromkeys(("end_user", "document", "application", "type", "requirement"), "x")
    answer = Http(create_app(simulator), simulator).call(method, path.format(**ids))
    assert error_of(answer, 401) == "The auth token is wrong."
    simulator.close()


@pytest.mark.parametrize(("method", "path"), BY_ID)
def test_an_unknown_id_is_404(legacy: Legacy, method: str, path: str) -> None:
    """The error names the kind of record."""
    names = ("end_user", "document", "application", "type", "requirement")
    answer = legacy.http.call(method, path.format(**dict.fromkeys(names, UNKNOWN_ID)))
    assert error_of(answer, 404).endswith(" not found.")


@pytest.mark.parametrize(("method", "path"), OF_ACCOUNTS)
def test_the_ids_of_another_account_are_404(legacy: Legacy, method: str, path: str) -> None:
    """As if they did not exist; there they stay as they are (decision "Foreign ids are 404")."""
    ids = ids_of(legacy)
    before = legacy.state()
    stranger = Http(legacy.http.app, legacy.http.sim, OTHER_AUTH_ID)
    assert error_of(stranger.call(method, path.format(**ids)), 404).endswith(" not found.")
    assert legacy.state() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "EndUser/"),
        ("DELETE", "EndUser/"),
        ("PATCH", "EndUser/x/"),
        ("PUT", "EndUser/x/"),
        ("POST", "ComplianceDocumentType/"),
        ("DELETE", "ComplianceDocumentType/x/"),
        ("POST", "ComplianceRequirement/"),
        ("POST", "ComplianceRequirements/x/"),
        ("PATCH", "ComplianceDocument/x/"),
        ("DELETE", "ComplianceDocument/"),
        ("PATCH", "ComplianceApplication/x/"),
        ("DELETE", "ComplianceApplication/"),
        ("GET", "ComplianceApplication/x/Submit/"),
        ("DELETE", "ComplianceApplication/x/Submit/"),
        ("OPTIONS", "EndUser/"),
    ],
)
def test_a_method_that_a_url_does_not_have_is_405(legacy: Legacy, method: str, path: str) -> None:
    """The answer says which it has."""
    answer = legacy.http.call(method, path)
    assert error_of(answer, 405).startswith("Method not allowed; use ")
    assert method not in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "EndUsers/",
        "enduser/",
        "ComplianceApplication/x/submit/",
        "ComplianceApplication/x/Submit/again/",
        "EndUser/x/y/",
        "ComplianceDocument//",
        "Compliance/",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_url_that_does_not_exist_is_404(legacy: Legacy, method: str, path: str) -> None:
    """In this API's words, not as a web page."""
    answer = legacy.http.call(method, path)
    assert error_of(answer, 404) == "The requested URL does not exist."


# --- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [b"{", b'{"name": ', b"nonsense", b'{"name": NaN}', b"\xff\xfe", b'{"a": "\\u0000"}'],
)
@pytest.mark.parametrize("path", [*JSON_WRITES, "ComplianceApplication/{application}/Submit/"])
def test_a_body_that_is_no_json_is_refused(legacy: Legacy, path: str, raw: bytes) -> None:
    """With the place where reading it failed."""
    ids = ids_of(legacy)
    before = legacy.state()
    answer = legacy.http.post(path.format(**ids), data=raw, content_type="application/json")
    assert error_of(answer).startswith("the body is not valid JSON: ")
    assert legacy.state() == before


@pytest.mark.parametrize("body", ["text", 3, True, [1], [{}]])
@pytest.mark.parametrize("path", JSON_WRITES)
def test_json_that_is_no_object_is_refused(legacy: Legacy, path: str, body: Any) -> None:
    """An empty list is PHP's empty object; nothing else is."""
    ids = ids_of(legacy)
    before = legacy.state()
    error = error_of(legacy.http.post(path.format(**ids), json=body))
    assert error == "the body must be a JSON object"
    assert legacy.state() == before


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=B",
    ],
)
def test_a_body_that_ends_early_is_refused(legacy: Legacy, path: str, content_type: str) -> None:
    """Rather than read as an empty one."""
    ids = ids_of(legacy)
    before = legacy.state()
    answer = legacy.http.post(
        path.format(**ids),
        data=b"{}",
        environ_overrides={"CONTENT_LENGTH": "100"},
        content_type=content_type,
    )
    assert error_of(answer) == "the body ended early"
    assert legacy.state() == before


@pytest.mark.parametrize(
    ("raw", "content_type", "error"),
    [
        (
            b'--B\r\nContent-Disposition: form-data; name="alias"\r\n\r\nx',
            "multipart/form-data; boundary=B",
            "the multipart body",
        ),
        (b"x=y", "multipart/form-data; boundary=B", "the multipart body"),
        (b"x=y", "multipart/form-data", "the multipart body has no boundary"),
        (b"alias=%ff", "application/x-www-form-urlencoded", "the form is not valid UTF-8"),
        (b"a=&" * 301, "application/x-www-form-urlencoded", "the form has more than 300"),
        (
            b'--B\r\nContent-Disposition: form-data; name="alias"\r\n\r\n\xff\r\n--B--\r\n',
            "multipart/form-data; boundary=B",
            "form field 'alias' is not valid UTF-8",
        ),
        (
            b'--B\r\nContent-Disposition: form-data; name="alias"\r\n\r\na\x00\r\n--B--\r\n',
            "multipart/form-data; boundary=B",
            "form field 'alias' has a null character",
        ),
    ],
    ids=["cut", "no-parts", "no-boundary", "utf-8", "many", "part-utf-8", "null"],
)
@pytest.mark.parametrize("path", FORM_WRITES)
def test_a_form_that_cannot_be_read_is_refused(
    legacy: Legacy, path: str, raw: bytes, content_type: str, error: str
) -> None:
    """With what is wrong with it."""
    ids = ids_of(legacy)
    before = legacy.state()
    answer = legacy.http.post(path.format(**ids), data=raw, content_type=content_type)
    assert error_of(answer).startswith(error)
    assert legacy.state() == before


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "image/png"],
)
@pytest.mark.parametrize("path", JSON_WRITES)
def test_another_content_type_than_json_is_refused(
    legacy: Legacy, path: str, content_type: str
) -> None:
    """The error says which one to send: a curl without a header sends a form."""
    ids = ids_of(legacy)
    before = legacy.state()
    answer = legacy.http.post(path.format(**ids), data=b'{"name": "x"}', content_type=content_type)
    assert "with Content-Type: application/json" in error_of(answer)
    assert legacy.state() == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/pdf"])
@pytest.mark.parametrize("path", FORM_WRITES)
def test_another_content_type_than_a_form_is_refused(
    legacy: Legacy, path: str, content_type: str
) -> None:
    """A document is a form."""
    ids = ids_of(legacy)
    before = legacy.state()
    answer = legacy.http.post(path.format(**ids), data=b'{"alias": "x"}', content_type=content_type)
    assert error_of(answer).startswith("the body must be a form: multipart/form-data")
    assert legacy.state() == before


def test_a_body_without_content_type_is_read_as_json(legacy: Legacy) -> None:
    """The lenient reading."""
    answer = legacy.http.post("EndUser/", data=b'{"name": "x", "end_user_type": "business"}')
    assert answer.status_code == 201


def test_a_body_over_the_limit_is_refused_before_it_is_read(legacy: Legacy) -> None:
    """400, the code whose text every SDK shows."""
    answer = legacy.http.post(
        "ComplianceDocument/",
        data=b"{}",
        environ_overrides={"CONTENT_LENGTH": str(60 * 1024 * 1024)},
        content_type="multipart/form-data; boundary=B",
    )
    assert "over the limit" in error_of(answer)


# --- values ----------------------------------------------------------------------------------

ENDUSER_TYPES = "must be one of individual, business, not"
NUMBER_TYPES = "must be one of local, mobile, tollfree, national, not"


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("EndUser/", {}, "Field 'name' is required. Field 'end_user_type' is required."),
        (
            "EndUser/",
            {"name": None, "end_user_type": None},
            "Field 'name' is required. Field 'end_user_type' is required.",
        ),
        (
            "EndUser/",
            {"name": "  ", "end_user_type": ""},
            "Field 'name' is required. Field 'end_user_type' is required.",
        ),
        (
            "EndUser/",
            {"name": 3, "last_name": ["x"], "end_user_type": {}},
            "name: must be a string; last_name: must be a string; end_user_type: must be a string",
        ),
        (
            "EndUser/",
            {"name": "x" * 256, "end_user_type": "robot"},
            "name: must have at most 255 characters, has 256;"
            f" end_user_type: {ENDUSER_TYPES} 'robot'",
        ),
        (
            "EndUser/{end_user}/",
            {"name": "", "end_user_type": "x"},
            f"Field 'name' is required. end_user_type: {ENDUSER_TYPES} 'x'",
        ),
        ("EndUser/{end_user}/", {"name": True}, "name: must be a string"),
        (
            "ComplianceApplication/",
            {
                "alias": 1,
                "end_user_id": [],
                "document_ids": "x",
                "country_iso2": "India",
                "number_type": "fax",
                "end_user_type": 7,
                "compliance_requirement_id": {},
            },
            "compliance_requirement_id: must be a string; "
            "country_iso2: must be an ISO 3166-1 alpha-2 country code; "
            f"number_type: {NUMBER_TYPES} 'fax'; end_user_type: must be a string; "
            "end_user_id: must be a string; alias: must be a string; "
            "document_ids: must be a list",
        ),
        (
            "ComplianceApplication/{application}/",
            {"document_ids": {"a": 1}},
            "document_ids: must be a list",
        ),
        (
            "ComplianceApplication/{application}/",
            {"document_ids": [None, 1, ""]},
            "Field 'document_ids[0]' is required. document_ids[1]: must be a string;"
            " Field 'document_ids[2]' is required.",
        ),
    ],
)
def test_every_wrong_value_is_named(legacy: Legacy, path: str, body: Any, error: str) -> None:
    """All at once, with their paths."""
    ids = ids_of(legacy)
    before = legacy.state()
    assert error_of(legacy.http.post(path.format(**ids), json=body)) == error
    assert legacy.state() == before


# --- queries ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", "limit: must be a whole number, 1 to 100"),
        ("limit=101", "limit: must be a whole number, 1 to 100"),
        ("limit=-1", "limit: must be a whole number, 1 to 100"),
        ("limit=ten", "limit: must be a whole number, 1 to 100"),
        ("limit=1.5", "limit: must be a whole number, 1 to 100"),
        ("offset=-1", "offset: must be a whole number, 0 or more"),
        ("offset=x", "offset: must be a whole number, 0 or more"),
        ("offset=99999999999999999999", "offset: must be a whole number, 0 or more"),
        (
            "limit=x&offset=x",
            "offset: must be a whole number, 0 or more; limit: must be a whole number, 1 to 100",
        ),
    ],
)
@pytest.mark.parametrize("path", LISTS)
def test_paging_out_of_range_is_refused(legacy: Legacy, path: str, query: str, error: str) -> None:
    """Of every list: at most 100 a page (decision "Pages of the legacy API")."""
    assert error_of(legacy.http.get(f"{path}?{query}")) == error


@pytest.mark.parametrize(
    ("path", "query", "error"),
    [
        ("EndUser/", "end_user_type=robot", f"end_user_type: {ENDUSER_TYPES} 'robot'"),
        (
            "ComplianceApplication/",
            "status=approved&number_type=fax&end_user_type=x&country=India",
            "status: must be one of draft, submitted, accepted, rejected, suspended, expired,"
            f" not 'approved'; end_user_type: {ENDUSER_TYPES} 'x';"
            f" number_type: {NUMBER_TYPES} 'fax';"
            " country: must be an ISO 3166-1 alpha-2 country code",
        ),
        (
            "ComplianceApplication/",
            "status=more_info_required",
            "status: must be one of draft, submitted, accepted, rejected, suspended, expired,"
            " not 'more_info_required'",
        ),
    ],
)
def test_a_filter_that_is_no_such_word_is_refused(
    legacy: Legacy, path: str, query: str, error: str
) -> None:
    """With the words there are (decision "Order and paging")."""
    assert error_of(legacy.http.get(f"{path}?{query}")) == error


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_parameter_is_ignored_with_a_warning(legacy: Legacy, path: str) -> None:
    """A misspelt filter would look like one that matches everything
    (decision "Unknown query parameters")."""
    answer = legacy.http.get(f"{path}?colour=red&id=1")
    assert answer.status_code == 200
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored query parameter 'colour'"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "EndUser/"), ("GET", "EndUser/x/"), ("DELETE", "ComplianceDocument/x/"),
     ("GET", "ComplianceRequirement/"), ("POST", "ComplianceApplication/"),
     ("POST", "ComplianceApplication/x/Submit/"), ("GET", "Number/912248885512/"),
     ("POST", "Number/912248885512/"), ("DELETE", "Number/912248885512/"),
     ("POST", "PhoneNumber/912248885512/"), ("GET", "PhoneNumber/"), ("GET", "Number/")],
)  # fmt: skip
def test_every_call_names_the_parameters_that_it_ignores(
    legacy: Legacy, method: str, path: str
) -> None:
    """On refusals too (decision "Unknown query parameters")."""
    answer = legacy.http.call(method, f"{path}?colour=red")
    warnings = answer.headers["X-Plivo-Sim-Warning"].split("; ")
    assert "ignored query parameter 'colour'" in warnings
