"""What teams met at the live service (docs/wire-facts.md, "The legacy API", field-reported): names
that are unique, checks at upload, ``operation_type``, the JSON type of a POST without a body."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.apis.legacy_support import BUSINESS, BUY, INDIA, Legacy, error_of
from tests.support import COUNTRIES, PDF, Http

WARNING = "X-Plivo-Sim-Warning"
OPERATION = (
    "operation_type: must be buy_number, else Plivo answers 'Could not find any requirement'"
)
LIVE = "Could not find any requirement; operation_type must be buy_number"
LIVE_TYPE = "use 'application/json' Content-Type and raw POST with json data"
ACME = {"name": "Acme", "end_user_type": "business"}


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


def be_strict(legacy: Legacy) -> None:
    legacy.http.account.configure({"strict": "true"})


# --- unique names ----------------------------------------------------------------------------


def test_a_second_end_user_of_one_name_is_refused(legacy: Legacy) -> None:
    """The text names the first; its type does not matter; nothing is made."""
    first = legacy.end_user(**ACME)
    before = legacy.state()
    for type_ in ("business", "individual"):
        answer = legacy.http.post("EndUser/", json=ACME | {"end_user_type": type_, "last_name": ""})
        assert error_of(answer) == f"name: end user 'Acme' already exists: {first}"
    assert legacy.state() == before


def test_names_are_compared_exactly_and_with_the_last_name(legacy: Legacy) -> None:
    """Another case or another last name is another end user."""
    legacy.end_user(**ACME)
    legacy.end_user(**ACME | {"name": "ACME"})
    legacy.end_user(**ACME, last_name="Ltd")
    again = legacy.http.post("EndUser/", json=ACME | {"last_name": "Ltd"})
    assert "end user 'Acme Ltd' already exists" in error_of(again)


def test_an_update_cannot_take_the_name_of_another(legacy: Legacy) -> None:
    """Nor by its last name alone; its own name it may keep."""
    first = legacy.end_user(**ACME)
    second = legacy.end_user(**ACME, last_name="Ltd")
    for change in ({"last_name": ""}, {"name": "Acme", "last_name": ""}):
        answer = legacy.http.post(f"EndUser/{second}/", json=change)
        assert error_of(answer) == f"name: end user 'Acme' already exists: {first}"
    same = {"name": "Acme", "last_name": "Ltd"}
    assert legacy.http.post(f"EndUser/{second}/", json=same).status_code == 202


def test_a_name_is_free_again_once_its_end_user_is_gone(legacy: Legacy) -> None:
    """Deleted or renamed."""
    legacy.http.delete(f"EndUser/{legacy.end_user(**ACME)}/")
    renamed = legacy.end_user(**ACME)
    legacy.http.post(f"EndUser/{renamed}/", json={"name": "Other"})
    legacy.end_user(**ACME)


def test_end_users_of_the_new_api_share_names(legacy: Legacy) -> None:
    """It makes one with each application; they take no name from the legacy API."""
    name = legacy.http.sdk_data()["end_user"]["name"]
    ids = [legacy.http.sdk_created(alias=alias) for alias in ("a", "b")]
    legacy.end_user(name=name)
    theirs = legacy.application_shown(ids[0])["end_user_id"]
    legacy.http.decide(ids[0], "rejected")
    change = {"name": name, "last_name": ""}
    assert legacy.http.post(f"EndUser/{theirs}/", json=change).status_code == 202


def test_a_correction_cannot_take_a_name_either(legacy: Legacy) -> None:
    """The new API may correct an application of the legacy API, end user included."""
    taken = legacy.end_user(**ACME)
    id = legacy.decided("rejected")
    before = legacy.state()
    change = {"end_user": {"name": "Acme"}}
    answer = legacy.http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", change, {})
    assert f"end_user.name: end user 'Acme' already exists: {taken}" in error_of(answer)
    assert legacy.state() == before


def test_a_second_document_of_one_alias_is_refused(legacy: Legacy) -> None:
    """On create and on update, whoever its end user is; its own alias it may keep."""
    first = legacy.document(legacy.end_user(), alias="proof")
    other = legacy.document(legacy.end_user())
    taken = f"alias: document 'proof' already exists: {first}"
    form = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[1]}
    before = legacy.state()
    assert error_of(legacy.send_document(form | {"alias": "proof"})) == taken
    change: Callable[[str], TestResponse] = lambda id: legacy.send_document(  # noqa: E731
        {"alias": "proof"}, path=f"ComplianceDocument/{id}/"
    )
    assert error_of(change(other)) == taken
    assert legacy.state() == before
    assert change(first).status_code == 202
    assert legacy.http.delete(f"ComplianceDocument/{first}/").status_code == 200
    assert change(other).status_code == 202


@pytest.mark.parametrize("kind", ["end user", "document"])
def test_of_eight_at_once_one_wins(legacy: Legacy, kind: str) -> None:
    """Whatever the order in which they come."""
    form = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[1], "alias": "a"}

    def create(_: int) -> TestResponse:
        if kind == "end user":
            return legacy.http.post("EndUser/", json=ACME)
        return legacy.send_document(form)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert sorted(each.status_code for each in answers) == [201, *[400] * 7]
    assert {"already exists" in each.text for each in answers if each.status_code == 400} == {True}


def test_names_stay_taken_over_a_restart(tmp_path: Path) -> None:
    """They are read from the state."""
    settings = Settings(paused=True, state=tmp_path)
    simulator = make_simulator(settings)
    legacy = Legacy(Http(create_app(simulator), simulator))
    legacy.document(legacy.end_user(**ACME), alias="proof")
    simulator.close()
    simulator = make_simulator(settings)
    legacy = Legacy(Http(create_app(simulator), simulator))
    assert "already exists" in error_of(legacy.http.post("EndUser/", json=ACME))
    form = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[1]}
    assert "already exists" in error_of(legacy.send_document(form | {"alias": "proof"}))
    simulator.close()


# --- documents -------------------------------------------------------------------------------


def test_a_field_that_is_missing_is_refused_at_upload(legacy: Legacy) -> None:
    """In the words of the live service, and where to look; Go sends the field empty."""
    registration, gst = legacy.types()
    form = {"end_user_id": legacy.end_user(), "document_type_id": registration, "alias": "a"}
    lists = f"GET ComplianceDocumentType/{registration}/ lists its fields"
    for fields in ({}, {"business_name": ""}, {"business_name": "undefined"}):
        answer = legacy.send_document(form | fields, ("file", "c.pdf", PDF))
        assert error_of(answer) == f"business_name not provided; {lists}"
    id = legacy.document(form["end_user_id"], gst)
    change = {"document_type_id": registration}
    answer = legacy.send_document(change, path=f"ComplianceDocument/{id}/")
    assert error_of(answer) == f"business_name not provided; {lists}"


def test_two_documents_of_one_type_are_accepted(legacy: Legacy) -> None:
    """In one application, from draft to Submit."""
    end_user = legacy.end_user()
    again = legacy.document(end_user, file=("second.pdf", PDF + b"\n"))
    ids = [*legacy.documents(end_user), again]
    id = legacy.submitted(end_user_id=end_user, document_ids=ids)
    shown = legacy.application_shown(id)["documents"]
    assert shown[0]["document_type_id"] == shown[2]["document_type_id"]


def test_document_types_are_listed_whatever_the_filter(legacy: Legacy) -> None:
    """A live client asks so; it is told that it asks in vain."""
    path = "ComplianceDocumentType/"
    answer = legacy.http.get(path, query_string=INDIA)
    assert answer.get_json()["objects"] == legacy.shown(path)["objects"]
    assert answer.headers[WARNING].count("ignored query parameter") == len(INDIA)


# --- applications ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "error"),
    [
        ([], "document_ids: must not be empty: the requirement asks for documents"),
        (None, "Field 'document_ids' is required."),
        ([7], "document_ids[0]: must be a string"),
    ],
)
def test_an_application_needs_documents(legacy: Legacy, ids: Any, error: str) -> None:
    """The page says so; one complaint only."""
    body = legacy.application_body(document_ids=[]) | {"document_ids": ids}
    assert error_of(legacy.http.post("ComplianceApplication/", json=body)) == error


def test_an_update_cannot_take_every_document_away(legacy: Legacy) -> None:
    """Unless the requirement asks for none."""
    change = {"document_ids": []}
    answer = legacy.http.post(f"ComplianceApplication/{legacy.application()}/", json=change)
    error = "document_ids: must not be empty: the requirement asks for documents"
    assert error_of(answer) == error
    free = legacy.application(country_iso2="US")
    assert legacy.http.post(f"ComplianceApplication/{free}/", json=change).status_code == 202


def test_an_application_has_a_callback_url_of_its_own(legacy: Legacy) -> None:
    """It comes before the account's."""
    legacy.http.account.configure({"callback_url": "http://127.0.0.1:9/account"})
    own = "https://hooks.example.com/own"
    id = legacy.decided("rejected", callback_url=own)
    (delivery,) = legacy.http.account.store.deliveries.every()
    assert (delivery.url, delivery.method, delivery.application_id) == (own, "POST", id)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://hooks.example.com/x", 201),
        ("http://127.0.0.1:9/x", 201),
        ("http://hooks.example.com/x", 400),
        ("hooks", 400),
    ],
)
def test_a_callback_url_is_https_or_local(legacy: Legacy, url: str, status: int) -> None:
    """As in the new API: http to a local host passes with a warning."""
    body = legacy.application_body(callback_url=url)
    answer = legacy.http.post("ComplianceApplication/", json=body)
    assert answer.status_code == status
    if status == 400:
        assert error_of(answer).startswith("callback_url: must be an http")
    else:
        warning = "must be an https URL" if url.startswith("http:") else "will not be sent"
        assert warning in answer.headers[WARNING]


# --- operation_type --------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"operation_type": "port"}])
@pytest.mark.parametrize("key", [INDIA, {"phone_number": "912248885512", **BUSINESS}])
def test_a_look_up_wants_operation_type(
    legacy: Legacy, key: dict[str, str], given: dict[str, str]
) -> None:
    """A warning; in a strict account the live refusal."""
    query = {name: text for name, text in (key | given).items() if name != "name"}

    def ask(more: dict[str, str]) -> TestResponse:
        return legacy.http.get("ComplianceRequirement/", query_string=query | more)

    answer = ask({})
    assert (answer.status_code, answer.headers[WARNING]) == (200, OPERATION)
    assert WARNING not in ask(BUY).headers
    be_strict(legacy)
    assert error_of(ask({})) == LIVE
    assert ask(BUY).status_code == 200


def test_a_create_by_country_and_types_wants_operation_type(legacy: Legacy) -> None:
    """Not one by the id of the requirement."""
    body = legacy.application_body(operation_type=None)
    answer = legacy.http.post("ComplianceApplication/", json=body)
    assert (answer.status_code, answer.headers[WARNING]) == (201, OPERATION)
    be_strict(legacy)
    body["alias"] = "another"
    assert error_of(legacy.http.post("ComplianceApplication/", json=body)) == LIVE
    ours = {name: body[name] for name in ("alias", "end_user_id", "document_ids")}
    ours["compliance_requirement_id"] = legacy.requirement()["compliance_requirement_id"]
    assert legacy.http.post("ComplianceApplication/", json=ours).status_code == 201


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ({"country_iso2": "KE"}, f"country KE; there is one for {COUNTRIES}"),
        (
            {"country_iso2": "AU"},
            "number type local in AU; there is one for mobile, tollfree",
        ),
        (
            {"number_type": "national"},
            "number type national in IN; there is one for local, mobile, tollfree",
        ),
    ],
)
def test_what_is_not_asked_for_anywhere_is_told(
    legacy: Legacy, key: dict[str, str], what: str
) -> None:
    """In a look-up and in a create, in words that a client matches on."""
    expected = f"Could not find any requirement for {what}"
    query = INDIA | BUY | key
    answer = legacy.http.get("ComplianceRequirement/", query_string=query)
    assert error_of(answer) == expected
    body = legacy.application_body(**key)
    assert error_of(legacy.http.post("ComplianceApplication/", json=body)) == expected


# --- a POST without a body -------------------------------------------------------------------


def bodiless(legacy: Legacy, which: str, **headers: str) -> TestResponse:
    if which == "Submit":
        path = f"ComplianceApplication/{legacy.application()}/Submit/"
    else:
        offers = legacy.http.get("PhoneNumber/?country_iso=US&type=local").get_json()["objects"]
        path = f"PhoneNumber/{offers[0]['number']}/"
    return legacy.http.post(path, data=b"", headers=headers)


@pytest.mark.parametrize("which", ["Submit", "rent"])
def test_a_post_without_a_body_wants_the_json_type(legacy: Legacy, which: str) -> None:
    """A warning; in a strict account the live refusal, which changes nothing."""
    answer = bodiless(legacy, which)
    assert answer.status_code in (201, 202)
    text = "POST needs Content-Type: application/json and raw JSON, such as {}; it is none"
    assert text in answer.headers[WARNING]
    be_strict(legacy)
    assert error_of(bodiless(legacy, which)) == LIVE_TYPE
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert error_of(bodiless(legacy, which, **form)) == LIVE_TYPE


@pytest.mark.parametrize(
    ("raw", "kind"), [(b"{}", "text/plain"), (b"a=b", "application/x-www-form-urlencoded")]
)
def test_submit_wants_the_json_type_of_a_body_too(legacy: Legacy, raw: bytes, kind: str) -> None:
    """source: inferred from the refusal of one without a body."""
    path = f"ComplianceApplication/{legacy.application()}/Submit/"
    be_strict(legacy)
    assert error_of(legacy.http.post(path, data=raw, content_type=kind)) == LIVE_TYPE
    legacy.http.account.configure({"strict": "false"})
    answer = legacy.http.post(path, data=raw, content_type=kind)
    assert answer.status_code == 202
    assert f"it is {kind}" in answer.headers[WARNING]


def test_submit_names_the_keys_that_it_ignores(legacy: Legacy) -> None:
    """But for the id, which some SDKs repeat."""
    id = legacy.application()
    answer = legacy.http.post(f"ComplianceApplication/{id}/Submit/", json={"id": id, "foo": 1})
    assert (answer.status_code, answer.headers[WARNING]) == (202, "ignored key 'foo'")


@pytest.mark.parametrize("which", ["Submit", "rent"])
def test_an_empty_body_of_the_json_type_passes(legacy: Legacy, which: str) -> None:
    """As the Python SDK sends it, in a strict account too."""
    be_strict(legacy)
    answer = bodiless(legacy, which, **{"Content-Type": "application/json; charset=UTF-8"})
    assert answer.status_code in (201, 202)
    assert "Content-Type" not in answer.headers.get(WARNING, "")
