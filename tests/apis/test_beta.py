"""The new API as the beta page prints it: what works, and exactly how it looks.

source: documented, except where a test says otherwise.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from plivo_sim.apis.phone_number.beta import presenters
from plivo_sim.domain.records import DocumentReview, StatusChanged
from plivo_sim.machines import default_machine
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis import page
from tests.apis.page import FILES, URL, WAYS, Page, shape, speaking_beta
from tests.support import PDF, Http

MACHINE = default_machine()


@pytest.fixture(params=WAYS)
def http(request: pytest.FixtureRequest, http: Http) -> Http:
    return speaking_beta(http, request.param)


@pytest.fixture
def api(http: Http) -> Page:
    """The page's client."""
    return Page(http)


def decided(api: Page, *statuses: str, reason: str | None = None, **changes: Any) -> str:
    """The id of a new record that a reviewer has moved to this status by these steps."""
    id = api.id(**changes)
    for status in statuses:
        answer = api.http.decide(id, status, reason if status == statuses[-1] else None)
        assert answer.status_code == 200, answer.text
    return id


# --- requirements --------------------------------------------------------------------------


@pytest.mark.parametrize("number_type", ["local", "mobile"])
def test_requirements_are_the_printed_ones(api: Page, number_type: str) -> None:
    """Word by word and in the printed order."""
    shown = api.requirements(country_iso="IN", number_type=number_type)["number_types"]
    printed = [n for n in page.REQUIREMENTS["number_types"] if n["number_type"] == number_type]
    assert json.dumps(shown) == json.dumps(printed)


def test_requirements_without_filters_name_every_number_type(api: Page) -> None:
    """The printed two come first; tollfree is invented."""
    shown = api.requirements(country_iso="IN")
    assert [each["number_type"] for each in shown["number_types"]] == [
        "local",
        "mobile",
        "tollfree",
    ]
    assert list(shown) == list(page.REQUIREMENTS)


@pytest.mark.parametrize(
    "query",
    [
        {"country_iso": "in"},
        {"country_iso": "IN", "user_type": "business"},
        {"country_iso": "IN", "number_type": "", "user_type": ""},
    ],
)
def test_empty_filters_count_as_absent(api: Page, query: dict[str, str]) -> None:
    """And the country's case does not count. source: inferred"""
    assert len(api.requirements(**query)["number_types"]) == 3


# --- create and get ------------------------------------------------------------------------


def test_the_printed_create_is_answered_as_printed(api: Page) -> None:
    """The page's sample has no alias, and its message is this one."""
    created = api.create()
    assert shape(created) == shape(page.CREATED)
    assert created["message"] == page.CREATED["message"]


def test_an_approved_record_is_the_printed_one(api: Page) -> None:
    """Key by key, in order, value by value, but for ids, instants and the host."""
    id = api.id(alias="Plivo India Local")
    api.http.advance("3 business days")
    shown = api.get(id)
    api_id = shown.pop("api_id")
    assert re.fullmatch(r"[0-9a-f-]{36}", api_id)
    assert shape(shown) == shape(page.RECORD)
    assert without_ids(shown) == without_ids(page.RECORD)


def without_ids(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what differs from run to run."""
    text = json.dumps(record)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<instant>", text)
    text = re.sub(r"https?://[^/]+/v1/Account/[^/]+/", "<account>", text)
    result: dict[str, Any] = json.loads(text)
    return result


def test_the_review_takes_the_published_days(api: Page) -> None:
    """Three business days from Monday morning; ``updated_at`` is the decision."""
    id = api.id()
    api.http.advance("3 business days")
    shown = api.get(id)
    assert (shown["submitted_at"], shown["updated_at"]) == (
        "2026-01-05T09:00:00Z",
        "2026-01-08T09:00:00Z",
    )


def test_a_new_record_waits_for_review(api: Page) -> None:
    """With its documents pending and no reason."""
    shown = api.get(api.id())
    assert shown["status"] == "pending_review"
    assert shown["rejection_reason"] is None
    assert {document["status"] for document in shown["documents"]} == {"pending"}


def test_what_was_not_given_is_null_and_line2_is_left_out(api: Page) -> None:
    """The printed sample has no ``line2``; other keys are always there. source: inferred"""
    shown = api.get(api.id(end_user__email=..., end_user__address__state=...))
    assert shown["alias"] is None
    assert shown["end_user"]["email"] is None
    assert shown["end_user"]["address"]["state"] is None
    assert "line2" not in shown["end_user"]["address"]


def test_line2_stands_after_line1_when_given(api: Page) -> None:
    """The order is that of the attribute list."""
    shown = api.get(api.id(end_user__address__line2="2nd floor"))
    assert list(shown["end_user"]["address"])[:3] == ["line1", "line2", "city"]


@pytest.mark.parametrize(
    ("expand", "keys"),
    [
        ("", set()),
        ("documents", set()),
        ("documents,end_user,linked_numbers", {"linked_numbers"}),
        ("linked_numbers", {"linked_numbers"}),
        (" end_user , linked_numbers", {"linked_numbers"}),
    ],
)
def test_get_shows_linked_numbers_only_when_expanded(
    api: Page, expand: str, keys: set[str]
) -> None:
    """End user and documents are always there (decision "Shapes of beta answers")."""
    shown = api.get(api.id(), **({"expand": expand} if expand else {}))
    assert set(shown) == {"api_id", *page.RECORD} | keys


def test_linked_numbers_name_number_and_type(api: Page) -> None:
    """The page names the key only; the items are the SDKs'. source: observed"""
    id = decided(api, "accepted")
    page.link(api.http, id)
    shown = api.get(id, expand="linked_numbers")["linked_numbers"]
    assert shown == [{"number": "+912248885512", "number_type": "local"}]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_document_comes_back_from_its_url(api: Page, slash: str) -> None:
    """Byte by byte, with its type and name, with or without the last slash."""
    for document in api.get(api.id())["documents"]:
        answer = api.http.get(urlsplit(document["file_url"]).path + slash)
        name, content = FILES[document["type"]]
        assert (answer.status_code, answer.data) == (200, content)
        assert f"filename={name}" in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"] in ("application/pdf", "image/png")


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_url_works_with_and_without_the_last_slash(api: Page, slash: str) -> None:
    """None of them redirects."""
    body, content_type = page.page_form()
    created = api.http.post(f"{URL}{slash}", data=body, content_type=content_type)
    id = page.checked(created, presenters.CreatedOut, 201)["compliance_id"]
    api.http.decide(id, "rejected")
    for method, path, query in (
        ("GET", "/Requirements", {"country_iso": "IN"}),
        ("GET", "", {}),
        ("GET", f"/{id}", {}),
        ("PATCH", f"/{id}", {}),
        ("DELETE", f"/{id}", {}),
    ):
        send = {"json": {"alias": "b"}} if method == "PATCH" else {}
        answer = api.http.call(method, f"{URL}{path}{slash}", query_string=query, **send)
        assert answer.status_code == 200, (method, path, answer.text)
        assert answer.headers["X-Plivo-Sim-Dialect"] == "beta"


# --- statuses ------------------------------------------------------------------------------

STEPS = {
    "submitted": (),
    "accepted": ("accepted",),
    "rejected": ("rejected",),
    "more_info_required": ("more_info_required",),
    "suspended": ("accepted", "suspended"),
    "expired": ("accepted", "expired"),
}
PRINTED = {
    "submitted": ("pending_review", None),
    "accepted": ("approved", None),
    "rejected": ("rejected", "Blurred scan"),
    "more_info_required": ("more_info_required", "Blurred scan"),
    "suspended": ("rejected", "Suspended: Blurred scan"),
    "expired": ("rejected", "Expired: Blurred scan"),
}


def test_the_status_words_are_the_pages() -> None:
    """Every domain status prints as one of the page's four words."""
    assert set(MACHINE.words("beta").values()) == {
        "pending_review", "approved", "rejected", "more_info_required",
    }  # fmt: skip


@pytest.mark.parametrize("status", STEPS, ids=str)
def test_a_status_prints_as_its_word_with_its_reason(api: Page, status: str) -> None:
    """What the word hides, the reason tells. source: invented for suspended and expired"""
    id = decided(api, *STEPS[status], reason="Blurred scan" if STEPS[status] else None)
    shown = api.get(id)
    reason = PRINTED[status][1]
    assert (shown["status"], shown["rejection_reason"]) == (PRINTED[status][0], reason)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pending_review", ["submitted"]),
        ("approved", ["accepted"]),
        ("rejected", ["rejected", "suspended", "expired"]),
        ("more_info_required", ["more_info_required"]),
    ],
)
def test_a_status_filter_matches_all_that_prints_as_it(
    api: Page, word: str, expected: list[str]
) -> None:
    """Suspended and expired records are found as rejected."""
    ids = {status: decided(api, *steps) for status, steps in STEPS.items()}
    found = api.list(status=word)["compliances"]
    assert [each["compliance_id"] for each in found] == [ids[status] for status in expected]


@pytest.mark.parametrize("review", DocumentReview)
def test_a_document_shows_what_the_reviewer_said_of_it(api: Page, review: DocumentReview) -> None:
    """``verified`` is printed; the other two words are inferred."""
    id, account = api.id(), api.http.account
    said = {DocumentReview.VERIFIED: "", DocumentReview.REJECTED: "Blurred"}
    with account.transaction():
        application = account.store.applications.fetch(id)
        pairs = tuple((each, said[review]) for each in application.document_ids if review in said)
        account.store.applications.put(replace(application, reviewed=pairs))
    assert {document["status"] for document in api.get(id)["documents"]} == {review.value}


# --- list ----------------------------------------------------------------------------------


def test_a_list_shows_records_without_what_is_nested(api: Page) -> None:
    """The envelope is not printed; it is the recorded one. source: inferred"""
    id = api.id(alias="a")
    shown = api.list()
    assert list(shown) == ["api_id", "meta", "compliances"]
    plain = [key for key in page.RECORD if key not in ("end_user", "documents")]
    assert list(shown["compliances"][0]) == plain
    assert shown["compliances"][0]["compliance_id"] == id


def test_a_list_shows_the_nested_objects_where_get_does(api: Page) -> None:
    """With everything expanded an item is the record that get shows."""
    id = api.id()
    expand = "documents,end_user,linked_numbers"
    item = api.list(expand=expand)["compliances"][0]
    record = api.get(id, expand=expand)
    del record["api_id"]
    assert list(item.items()) == list(record.items())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"country_iso": "IN"}, [0, 1]),
        ({"country_iso": "DE"}, []),
        ({"number_type": "mobile"}, [1]),
        ({"alias": "one"}, [0]),
        ({"user_type": "individual"}, []),
        ({"status": "pending_review", "alias": "two"}, [1]),
        ({"status": "", "limit": ""}, [0, 1]),
    ],
    ids=str,
)
def test_list_filters(api: Page, query: dict[str, str], found: list[int]) -> None:
    """``status`` and ``country_iso`` are printed, the rest are the SDKs'. source: observed"""
    ids = [api.id(alias="one"), api.id(alias="two", number_type="mobile")]
    shown = api.list(**query)["compliances"]
    assert [ids.index(each["compliance_id"]) for each in shown] == found


def test_the_default_page_has_twenty_and_a_link_to_the_next(api: Page) -> None:
    """Oldest first; the links walk all of them."""
    ids = [api.id() for _ in range(23)]
    first = api.list()
    assert (first["meta"]["limit"], first["meta"]["total_count"]) == (20, 23)
    second = page.checked(api.http.get(first["meta"]["next"]), presenters.ListOut)
    walked = [each["compliance_id"] for each in first["compliances"] + second["compliances"]]
    assert walked == ids
    assert second["meta"]["next"] is None


def test_links_of_a_mounted_list_keep_the_mount(api: Page) -> None:
    """Else the next page would be answered by another dialect."""
    api.id(), api.id()
    shown = api.http.get(f"/beta/v1/Account/{api.http.auth_id}/{URL}/?limit=1").get_json()
    assert shown["meta"]["next"].startswith("/beta/v1/")


# --- update --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["rejected", "more_info_required"])
def test_an_update_is_answered_shortly_and_submits_again(api: Page, status: str) -> None:
    """The reason goes, the documents wait again. source: inferred (the answer)"""
    id = decided(api, status, reason="Blurred scan")
    api.http.advance("1h")
    answer = api.update(id, alias="Second try")
    assert list(answer) == list(page.CREATED)
    assert (answer["compliance_id"], answer["message"]) == (id, "Updated successfully")
    shown = api.get(id)
    assert (shown["status"], shown["rejection_reason"]) == ("pending_review", None)
    assert (shown["alias"], shown["submitted_at"]) == ("Second try", "2026-01-05T10:00:00Z")


def test_an_update_replaces_the_named_document_in_its_place(api: Page) -> None:
    """The others stay as they are."""
    id = decided(api, "rejected")
    before = api.get(id)["documents"]
    new = page.embedded(PDF + b"new", "new_bill.pdf")
    api.update(id, documents=[{"type": "address_proof", "file": new}])
    after = api.get(id)["documents"]
    assert [document["type"] for document in after] == list(FILES)
    assert [after[0], after[2]] == [before[0], before[2]]
    assert after[1]["file_name"] == "new_bill.pdf"
    assert after[1]["id"] != before[1]["id"]


def test_the_file_of_a_replaced_document_is_gone(api: Page) -> None:
    """Its URL is 404 as soon as nothing refers to it."""
    id = decided(api, "rejected")
    url = api.get(id)["documents"][0]["file_url"]
    new = page.embedded(PDF + b"new", "new.pdf")
    api.update(id, documents=[{"type": "identity_proof", "file": new}])
    assert api.http.get(urlsplit(url).path).status_code == 404


def test_an_update_of_the_end_user_keeps_what_it_does_not_name(api: Page) -> None:
    """It merges by key, within the address too."""
    id = decided(api, "rejected")
    api.update(id, end_user={"name": "Acme", "address": {"city": "Mysore"}})
    shown = api.get(id)["end_user"]
    expected = page.END_USER | {"name": "Acme"}
    expected["address"] = page.END_USER["address"] | {"city": "Mysore"}
    assert {key: shown[key] for key in expected} == expected


def test_an_update_may_change_the_callback(api: Page, transport: MemoryTransport) -> None:
    """source: inferred (the page names it for create only)"""
    id = decided(api, "rejected")
    api.update(id, callback_url="http://127.0.0.1:9/new", callback_method="get")
    api.http.advance("3 business days")
    assert (transport.sent[0].method, transport.sent[0].url.partition("?")[0]) == (
        "GET",
        "http://127.0.0.1:9/new",
    )


# --- delete --------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [(), ("rejected",), ("more_info_required",)], ids=str)
def test_what_is_not_approved_can_be_deleted(api: Page, steps: tuple[str, ...]) -> None:
    """With all that was made with it; then it is unknown."""
    before = page.counts(api.http)
    id = decided(api, *steps)
    deleted = api.delete(id)
    assert (deleted["compliance_id"], deleted["message"]) == (id, "Deleted successfully")
    assert list(deleted) == list(page.CREATED)
    assert page.counts(api.http) == before
    assert api.http.get(f"{URL}/{id}").status_code == 404


# --- webhooks ------------------------------------------------------------------------------


def callbacks(transport: MemoryTransport) -> list[dict[str, Any]]:
    return [json.loads(sent.body) for sent in transport.sent]


def test_the_approved_webhook_is_the_printed_one(api: Page, transport: MemoryTransport) -> None:
    """Three keys in the printed order."""
    id = api.id(callback_url="http://127.0.0.1:9/cb")
    api.http.advance("3 business days")
    expected = page.APPROVED_CALLBACK | {"compliance_id": id}
    assert transport.sent[0].body.decode() == json.dumps(expected, separators=(",", ":"))


@pytest.mark.parametrize(
    ("steps", "event", "status", "reason"),
    [
        (("rejected",), "rejected", "rejected", "Blurred scan"),
        (("more_info_required",), "more_info_required", "more_info_required", "Blurred scan"),
        (("accepted", "suspended"), "rejected", "rejected", "Suspended: Blurred scan"),
        (("accepted", "expired"), "rejected", "rejected", "Expired: Blurred scan"),
    ],
)
def test_the_other_webhooks_carry_the_reason(
    api: Page,
    transport: MemoryTransport,
    steps: tuple[str, ...],
    event: str,
    status: str,
    reason: str,
) -> None:
    """Suspended and expired are told as rejections (decision "Callbacks follow the reviewer")."""
    id = decided(api, *steps, reason="Blurred scan", callback_url="http://127.0.0.1:9/cb")
    told = callbacks(transport)[-1]
    assert list(told.items()) == [
        ("event", f"compliance.{event}"),
        ("compliance_id", id),
        ("status", status),
        ("rejection_reason", reason),
    ]


def test_a_reinstated_record_is_told_as_approved(api: Page, transport: MemoryTransport) -> None:
    """Suspended, then accepted again (decision "Callbacks follow the reviewer")."""
    decided(api, "accepted", "suspended", "accepted", callback_url="http://127.0.0.1:9/cb")
    assert [told["event"] for told in callbacks(transport)] == [
        "compliance.approved",
        "compliance.rejected",
        "compliance.approved",
    ]


def test_every_status_has_a_callback(api: Page) -> None:
    """The encoder is total, whatever a reviewer may do one day."""
    application = api.http.account.store.applications.fetch(api.id())
    for arrow in MACHINE.arrows:
        changed = StatusChanged(
            application=replace(application, status=arrow.to),
            previous=arrow.from_,
            at=application.updated_at,
            by_reviewer=True,
        )
        told = dict(presenters.encode_callback(changed, MACHINE))
        assert told["status"] == MACHINE.statuses[arrow.to].beta


def test_the_clients_own_calls_are_not_told(api: Page, transport: MemoryTransport) -> None:
    """Create, update and delete send nothing."""
    id = decided(api, "rejected", callback_url="http://127.0.0.1:9/cb")
    sent = len(transport.sent)
    api.update(id, alias="again")
    api.delete(id)
    assert len(transport.sent) == sent


# --- headers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "limit"), [("/Requirements?country_iso=IN", "100"), ("/", "60"), ("/none", "60")]
)
def test_rate_limit_headers_are_on_every_answer(api: Page, path: str, limit: str) -> None:
    """100 a minute for requirements, 60 for the rest, errors included."""
    headers = api.http.get(URL + path).headers
    assert headers["X-RateLimit-Limit"] == limit
    assert int(headers["X-RateLimit-Remaining"]) == int(limit) - 1
    assert headers["X-RateLimit-Reset"].isdigit()


def test_the_api_id_is_the_request_id(api: Page) -> None:
    """In the body of a success and in the header."""
    answer = api.http.get(f"{URL}/")
    assert answer.headers["X-Request-Id"] == answer.get_json()["api_id"]
