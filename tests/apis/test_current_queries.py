"""URLs, methods, ids, query strings and states in the current dialect.

Source: wire-facts.md, "The new API today"; decisions: "Statuses, corrections, deletion" and
"Answers and errors".
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.current_support import (
    BASE,
    COMPLETE_KEY,
    ON_ONE,
    OPERATIONS,
    Operation,
    check_refusal,
    documents_of,
    form_of,
    refused,
    rejected,
)
from tests.conftest import PAUSED
from tests.support import AUTH_ID, COUNTRIES, SDK_AGENT, Http

NO_APPLICATION = "Compliance application not found."
NO_DOCUMENT = "Compliance document not found."
NO_PAGE = "The requested URL does not exist."


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


# --- query strings ---------------------------------------------------------------------------

MISSING = "Field '{}' is required."
STATUSES = "draft, submitted, accepted, rejected, suspended, expired"
NUMBER_TYPES = "local, mobile, tollfree"
LIMIT = "limit: must be a whole number, 1 to 100"
OFFSET = "offset: must be a whole number, 0 or more"
EXPAND = "expand: must be a list of end_user, documents, linked_numbers; not '{}'"

WRONG_QUERIES = [
    ("Requirements/", "", " ".join(map(MISSING.format, ("country_iso", "number_type",
                                                         "user_type")))),
    ("Requirements/", "country_iso=IN&number_type=&user_type=",
     " ".join(map(MISSING.format, ("number_type", "user_type")))),
    ("Requirements/", "number_type=local&user_type=business", MISSING.format("country_iso")),
    ("Requirements/", "country_iso=IN&number_type=fixed&user_type=business",
     f"number_type: must be one of {NUMBER_TYPES}, not 'fixed'"),
    ("Requirements/", "country_iso=IN&number_type=local&user_type=alien",
     "user_type: must be one of individual, business, not 'alien'"),
    *[("Requirements/", f"country_iso={text}&number_type=local&user_type=business",
       "country_iso: must be an ISO 3166-1 alpha-2 country code")
      for text in ("India", "IND", "1N", "I")],
    ("Requirements/", "country=IN",
     "Unknown query parameter 'country'; Field 'country_iso' is required. "
     "Field 'number_type' is required. Field 'user_type' is required."),
    ("Requirements/", "country_iso=ZZ&number_type=local&user_type=business",
     f"Could not find any requirement for country ZZ; there is one for {COUNTRIES}"),
    ("Requirements/", "country_iso=IN&number_type=national&user_type=business",
     "Could not find any requirement for number type national in IN; "
     "there is one for local, mobile, tollfree"),
    ("Requirements/", f"{COMPLETE_KEY}&id=1", "Unknown query parameter 'id'"),
    ("Requirements/", f"{COMPLETE_KEY}&limit=1&offset=2",
     "Unknown query parameter 'limit'; Unknown query parameter 'offset'"),
    ("", "limit=0", LIMIT),
    ("", "limit=101", LIMIT),
    ("", "limit=-1", LIMIT),
    ("", "limit=ten", LIMIT),
    ("", "limit=1.5", LIMIT),
    ("", "limit=1e1", LIMIT),
    ("", "limit=%2B5", LIMIT),
    ("", "limit=%EF%BC%95", LIMIT),  # a full-width 5
    ("", f"limit={'9' * 5000}", LIMIT),
    ("", "offset=-1", OFFSET),
    ("", "offset=--1", OFFSET),
    ("", "offset=x", OFFSET),
    ("", "offset=10000000000", OFFSET),
    ("", "status=approved", f"status: must be one of {STATUSES}, not 'approved'"),
    ("", "status=more_info_required",
     f"status: must be one of {STATUSES}, not 'more_info_required'"),
    ("", "number_type=fixed", f"number_type: must be one of {NUMBER_TYPES}, not 'fixed'"),
    ("", "user_type=x", "user_type: must be one of individual, business, not 'x'"),
    ("", "expand=numbers", EXPAND.format("numbers")),
    ("", "expand=documents%2Cfiles", EXPAND.format("files")),
    ("", "id=1", "Unknown query parameter 'id'"),
    ("", "id=1&limit=0&offset=x", f"Unknown query parameter 'id'; {OFFSET}; {LIMIT}"),
    ("{id}/", "limit=1", "Unknown query parameter 'limit'"),
    ("{id}/", "expand=all", EXPAND.format("all")),
]  # fmt: skip


@pytest.mark.parametrize(("path", "query", "text"), WRONG_QUERIES, ids=lambda each: each[:50])
def test_wrong_queries_are_400(sdk: Http, path: str, query: str, text: str) -> None:
    """Every problem is named; unknown parameters are refused, as the live service does."""
    path = BASE + path.format(id=sdk.sdk_created())
    refused(sdk, lambda: sdk.get(f"{path}?{query}"), 400, text)


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.name in ("create", "update", "delete", "download")],
    ids=lambda each: each.name,
)
def test_operations_without_parameters_take_none(sdk: Http, operation: Operation) -> None:
    """Whatever is in the query string is unknown there."""
    id = rejected(sdk)
    document = documents_of(sdk, id)[0]["document_id"]
    with_query = replace(operation, path=f"{operation.path}?expand=documents")
    text = "Unknown query parameter 'expand'"
    refused(sdk, lambda: with_query.call(sdk, id, document), 400, text)


@pytest.mark.parametrize("query", ["limit=&offset=&status=&country_iso=&expand=", "limit=100"])
def test_empty_parameters_count_as_absent(sdk: Http, query: str) -> None:
    """Go sends the empty ones (observed)."""
    id = sdk.sdk_created()
    listed = sdk.get(f"{BASE}?{query}").get_json()["compliances"]
    assert [each["compliance_id"] for each in listed] == [id]


@pytest.mark.parametrize(
    "query",
    [
        "country_iso=in&number_type=Toll-Free&user_type=BUSINESS",
        "country_iso=IN&number_type=toll%20free&user_type=Business",
        "country_iso=IN&number_type=TOLL_FREE&user_type=business",
    ],
)
def test_words_in_any_spelling(sdk: Http, query: str) -> None:
    """Case, spaces and hyphens do not count (observed: Ruby capitalises)."""
    answer = sdk.get(f"{BASE}Requirements/?{query}")
    assert (answer.status_code, answer.get_json()["number_type"]) == (200, "tollfree")


def test_the_status_filter_takes_any_case_and_all_that_prints_as_the_word(sdk: Http) -> None:
    """``more_info_required`` prints as rejected here, and is found as such."""
    first, second = rejected(sdk), sdk.sdk_created(alias="second")
    sdk.decide(second, "more_info_required")
    listed = sdk.get(f"{BASE}?status=Rejected").get_json()["compliances"]
    assert [(each["compliance_id"], each["status"]) for each in listed] == [
        (first, "rejected"),
        (second, "rejected"),
    ]


def test_a_page_past_the_end_is_empty(sdk: Http) -> None:
    """It still knows the total, and what came before."""
    sdk.sdk_created()
    listed = sdk.get(f"{BASE}?offset=5&limit=2").get_json()
    assert listed["compliances"] == []
    assert listed["meta"] == {
        "limit": 2,
        "offset": 5,
        "total_count": 1,
        "next": None,
        "previous": f"/v1/Account/{AUTH_ID}/{BASE}?limit=2&offset=3",
    }


# --- ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ON_ONE, ids=lambda each: each.name)
@pytest.mark.parametrize("id", ["none", "0", "3118f6e0-b309-43c2-bca7-b8b3c58a6189", "%00", "é"])
def test_unknown_ids_are_404(sdk: Http, operation: Operation, id: str) -> None:
    """Whatever they look like."""
    refused(sdk, lambda: operation.call(sdk, id), 404, NO_APPLICATION)


def test_downloads_of_what_is_not_there(sdk: Http) -> None:
    """An unknown document, that of another application, and one that has no file."""
    id, other = sdk.sdk_created(), sdk.sdk_created(alias="other")
    foreign = documents_of(sdk, other)[0]["document_id"]
    for document in ("none", foreign):
        path = f"{BASE}{id}/Document/{document}/download/"
        refused(sdk, lambda path=path: sdk.get(path), 404, NO_DOCUMENT)


@pytest.mark.parametrize("verb", ["get", "delete"])
def test_a_deleted_application_is_unknown(sdk: Http, verb: str) -> None:
    """To every further call."""
    id = sdk.sdk_created()
    assert sdk.delete(f"{BASE}{id}/").status_code == 200
    refused(sdk, lambda: getattr(sdk, verb)(f"{BASE}{id}/"), 404, NO_APPLICATION)


# --- states ----------------------------------------------------------------------------------

FILED = {
    "submitted": [],
    "accepted": ["accepted"],
    "rejected": ["rejected"],
    "more_info_required": ["more_info_required"],
    "suspended": ["accepted", "suspended"],
    "expired": ["accepted", "expired"],
}


def filed(sdk: Http, status: str) -> str:
    """The id of an application that a reviewer brought to this status."""
    id = sdk.sdk_created()
    for step in FILED[status]:
        assert sdk.decide(id, step).status_code == 200
    return id


@pytest.mark.parametrize("status", ["submitted", "accepted", "suspended", "expired"])
def test_only_rejected_applications_can_be_updated(sdk: Http, status: str) -> None:
    """400 in the words of the live service (wire-facts.md, "Update replaces all documents")."""
    path = f"{BASE}{filed(sdk, status)}/"
    text = "Compliance application must be in 'rejected' status"
    refused(sdk, lambda: sdk.patch(path, **form_of({"alias": "x"})), 400, text)


@pytest.mark.parametrize("status", ["rejected", "more_info_required"])
def test_a_corrected_application_is_submitted_again(sdk: Http, status: str) -> None:
    """A correction that fits is a new submission."""
    answer = sdk.patch(f"{BASE}{filed(sdk, status)}/", **form_of({"alias": "x"}))
    assert (answer.status_code, answer.get_json()["compliance"]["status"]) == (200, "submitted")


def test_an_accepted_application_cannot_be_deleted(sdk: Http) -> None:
    """400 that names the status."""
    path = f"{BASE}{filed(sdk, 'accepted')}/"
    text = "Cannot delete compliance application in accepted status."
    refused(sdk, lambda: sdk.delete(path), 400, text)


@pytest.mark.parametrize("status", sorted(set(FILED) - {"accepted"}))
def test_all_others_can_be_deleted(sdk: Http, status: str) -> None:
    """While no number is linked to them."""
    assert sdk.delete(f"{BASE}{filed(sdk, status)}/").status_code == 200


# --- URLs and methods ------------------------------------------------------------------------

WRONG_METHODS = [
    ("PUT", "", "GET, POST"),
    ("PATCH", "", "GET, POST"),
    ("DELETE", "", "GET, POST"),
    ("OPTIONS", "", "GET, POST"),
    ("TRACE", "", "GET, POST"),
    ("BREW", "", "GET, POST"),
    ("POST", "{id}/", "DELETE, GET, PATCH"),
    ("PUT", "{id}/", "DELETE, GET, PATCH"),
    ("OPTIONS", "{id}/", "DELETE, GET, PATCH"),
    ("PUT", "{id}", "DELETE, GET, PATCH"),
    ("POST", "{id}/Document/{document}/download/", "GET"),
    ("DELETE", "{id}/Document/{document}/download", "GET"),
]


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG_METHODS)
def test_wrong_methods_are_405_and_name_the_right_ones(
    sdk: Http, method: str, path: str, allowed: str
) -> None:
    """In the sentence and in ``Allow``; POST on an id is one of them (observed)."""
    id = sdk.sdk_created()
    path = BASE + path.format(id=id, document=documents_of(sdk, id)[0]["document_id"])
    text = f"Method not allowed; use {allowed}."
    answer = refused(sdk, lambda: sdk.call(method, path), 405, text)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}none/Document/", f"{BASE}none/Document/x/", f"{BASE}none/x", f"{BASE}none/x/y/z/",
        f"{BASE}/", f"{BASE}/none/", f"{BASE}none//",
    ],
)  # fmt: skip
def test_unknown_urls_are_404(sdk: Http, path: str) -> None:
    """Empty ids among them: they do not mean the list."""
    refused(sdk, lambda: sdk.get(path), 404, NO_PAGE)


@pytest.mark.parametrize(
    "path", ["PhoneNumber/Compliances/", "phonenumber/compliance/", "Nothing/"]
)
def test_urls_beside_the_api_are_404_json(sdk: Http, path: str) -> None:
    """The rest of the account has no other shape of error."""
    answer = sdk.get(path)
    assert answer.status_code == 404
    assert answer.get_json() == {"api_id": answer.headers["X-Request-Id"], "error": NO_PAGE}


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/Account/", "/v2/x", "/favicon.ico"])
def test_urls_outside_every_account_are_404_json(sdk: Http, path: str) -> None:
    """Nobody has to say who they are for that."""
    answer = sdk.get(path, headers={"Authorization": None})
    assert answer.status_code == 404
    assert answer.get_json() == {"api_id": answer.headers["X-Request-Id"], "error": NO_PAGE}


@pytest.mark.parametrize("slash", ["", "/"], ids=["no slash", "slash"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_both_spellings_of_every_url_are_answered(
    sdk: Http, operation: Operation, slash: str
) -> None:
    """With the last slash and without, and never by a redirect."""
    id = rejected(sdk)
    document = documents_of(sdk, id)[0]["document_id"]
    path, _, query = f"{BASE}{operation.path}".partition("?")
    path = f"{path.rstrip('/')}{slash}".format(id=id, document=document)
    body = form_of({"alias": "x"}) if operation.takes_body else {}
    answer = sdk.call(operation.method, f"{path}?{query}", **body)
    assert answer.status_code in (200, 400)  # 400: this is no complete create


# --- too much --------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "most"), [("", 60), (f"Requirements/?{COMPLETE_KEY}", 100)])
def test_the_rate_limit_is_429_where_it_is_on(path: str, most: int) -> None:
    """The sentence names the limit; Retry-After says when to come back, in real seconds."""
    sim = make_simulator(replace(PAUSED, rate_limits=True), transport=MemoryTransport())
    sdk = Http(create_app(sim), sim, agent=SDK_AGENT)
    answers = [sdk.get(BASE + path) for _ in range(most + 1)]
    sim.close()
    assert {answer.status_code for answer in answers[:-1]} == {200}
    last = answers[-1]
    check_refusal(last)
    assert (last.status_code, last.get_json()["error"]) == (
        429,
        f"Rate limit of {most} requests per minute exceeded.",
    )
    assert 0 < int(last.headers["Retry-After"]) <= 60
    assert last.headers["X-RateLimit-Remaining"] == "0"
