"""``ComplianceApplication`` and Submit. Source: docs/wire-facts.md, "ComplianceApplication",
decisions: "Statuses, corrections, deletion" to "Answers and errors"."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.domain.records import Version
from tests.apis.legacy_support import UNKNOWN_ID, Legacy, error_of
from tests.apis.page import create_body
from tests.support import COUNTRIES, PDF, PNG, Http


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


# --- create --------------------------------------------------------------------------------


@pytest.mark.parametrize("by_subaccount", [True, False])
def test_a_draft_knows_whose_it_is(legacy: Legacy, by_subaccount: bool) -> None:
    """Made under a subaccount's URL it is that subaccount's, whose token signs its callbacks."""
    main = legacy.http.auth_id
    legacy.http.auth_id = f"SA{main[2:]}" if by_subaccount else main
    id = legacy.application()
    made = legacy.http.sim.account(main).store.applications.fetch(id)
    assert made is not None
    assert made.subaccount == (f"SA{main[2:]}" if by_subaccount else None)


def test_a_draft_shows_every_documented_key(legacy: Legacy) -> None:
    """The SDKs' names and the page's."""
    body = legacy.application_body()
    answer = legacy.http.post("ComplianceApplication/", json=body)
    assert answer.status_code == 201
    made = answer.get_json()
    registration, gst = legacy.types()
    at = "2026-01-05T09:00:00.000000Z"
    assert made == {
        "api_id": made["api_id"],
        "compliance_application_id": made["compliance_application_id"],
        "compliance_requirement_id": legacy.requirement()["compliance_requirement_id"],
        "alias": "Acme Mumbai",
        "status": "draft",
        "end_user_id": body["end_user_id"],
        "end_user_type": "business",
        "country_iso2": "IN",
        "country_iso": "IN",
        "number_type": "local",
        "documents": [
            {
                "document_id": body["document_ids"][0],
                "name": "Registration Certificate",
                "document_name": "Certificate",
                "document_type_id": registration,
                "document_type_name": "Registration Certificate",
                "scope": "local",
            },
            {
                "document_id": body["document_ids"][1],
                "name": "GST certificate",
                "document_name": "Certificate 2",
                "document_type_id": gst,
                "document_type_name": "GST certificate",
                "scope": "local",
            },
        ],
        "compliance_document_id": body["document_ids"],
        "created_at": at,
        "last_updated_at": at,
        "message": "created",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"end_user_type": "Business", "number_type": "LOCAL", "country_iso2": "in"},
        {"country_iso2": None, "country_iso": "IN"},
        {"compliance_application_id": "A1"},
    ],
)
def test_a_draft_can_be_spelt_in_many_ways(legacy: Legacy, changes: dict[str, Any]) -> None:
    """Any case, the page's country name, a repeated id."""
    body = legacy.application_body(**changes)
    assert legacy.http.post("ComplianceApplication/", json=body).status_code == 201


def test_pythons_nulls_are_not_given(legacy: Legacy) -> None:
    """It sends all seven keys."""
    id = legacy.requirement()["compliance_requirement_id"]
    body = legacy.application_body(compliance_requirement_id=id) | {
        "country_iso2": None,
        "number_type": None,
        "end_user_type": None,
    }
    made = legacy.http.post("ComplianceApplication/", json=body).get_json()
    assert (made["country_iso2"], made["compliance_requirement_id"]) == ("IN", id)


def test_number_types_come_with_spaces_and_go_without(legacy: Legacy) -> None:
    """``toll free`` and ``Toll-Free`` are ``tollfree``: Java knows that word only."""
    for text in ("toll free", "Toll-Free", "tollfree"):
        id = legacy.application(number_type=text)
        assert legacy.application_shown(id)["number_type"] == "tollfree"


def test_everything_that_is_missing_is_named(legacy: Legacy) -> None:
    """Either the requirement or its three parts."""
    error = error_of(legacy.http.post("ComplianceApplication/", json={}))
    assert error == (
        "Field 'end_user_id' is required. Field 'alias' is required. "
        "Field 'document_ids' is required. "
        "compliance_requirement_id: is required,"
        " or else country_iso2, number_type and end_user_type"
    )


def test_a_part_of_the_requirement_that_is_missing_is_named(legacy: Legacy) -> None:
    """By its name on the wire; one that is wrong is not called missing too."""
    body = legacy.application_body(number_type="fax", end_user_type=None, country_iso2=None)
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == (
        "number_type: must be one of local, mobile, tollfree, national, not 'fax'; "
        "Field 'country_iso2' is required. Field 'end_user_type' is required."
    )


def test_everything_that_is_wrong_is_named(legacy: Legacy) -> None:
    """References of other accounts and of nobody, with their places."""
    stranger = legacy.document(legacy.end_user())
    end_user = legacy.end_user()
    mine = legacy.document(end_user)
    body = legacy.application_body(
        end_user_id=end_user,
        document_ids=[mine, stranger, UNKNOWN_ID, mine],
        compliance_requirement_id=UNKNOWN_ID,
    )
    owner = legacy.shown(f"ComplianceDocument/{stranger}/")["end_user_id"]
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == (
        f"compliance_requirement_id: no compliance requirement '{UNKNOWN_ID}'; "
        f"document_ids[1]: belongs to end user {owner}, not to {end_user}; "
        f"document_ids[2]: no document '{UNKNOWN_ID}' in this account; "
        "document_ids[3]: is named twice"
    )


def test_an_unknown_end_user_is_named(legacy: Legacy) -> None:
    """400, because it is in the body."""
    body = legacy.application_body(country_iso2="US", document_ids=[])
    body["end_user_id"] = UNKNOWN_ID
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == f"end_user_id: no end user '{UNKNOWN_ID}' in this account"


def test_the_end_user_must_be_of_the_requirements_type(legacy: Legacy) -> None:
    """A business cannot apply as an individual."""
    body = legacy.application_body(end_user_type="individual")
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == "end_user_id: is of type business; the requirement is for individual"


def test_a_requirement_must_agree_with_its_parts(legacy: Legacy) -> None:
    """When both are given."""
    id = legacy.requirement()["compliance_requirement_id"]
    body = legacy.application_body(
        compliance_requirement_id=id, country_iso2="DE", number_type="mobile"
    )
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == (
        f"country_iso2: is IN in requirement {id}; number_type: is local in requirement {id}"
    )


def test_a_requirement_of_the_other_version_names_its_own(legacy: Legacy) -> None:
    """The beta page's asks for details that a legacy end user cannot have."""
    requirements = legacy.http.sim.catalogue.requirements
    theirs = next(r.id for r in requirements if r.version is Version.BETA)
    ours = legacy.requirement()["compliance_requirement_id"]
    body = legacy.application_body(compliance_requirement_id=theirs)
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == f"compliance_requirement_id: is of the new API only; use {ours}"


def test_a_country_that_the_catalogue_does_not_have_is_named(legacy: Legacy) -> None:
    """With those that it has."""
    body = legacy.application_body(country_iso2="KE")
    error = error_of(legacy.http.post("ComplianceApplication/", json=body))
    assert error == f"Could not find any requirement for country KE; there is one for {COUNTRIES}"


def test_a_repeated_alias_is_a_warning(legacy: Legacy) -> None:
    """Of one end user only; strict accounts refuse it (decision "Lenient with a warning")."""
    legacy.application()
    answer = legacy.http.post("ComplianceApplication/", json=legacy.application_body())
    assert "X-Plivo-Sim-Warning" not in answer.headers
    end_user = legacy.end_user()
    first = legacy.application(end_user_id=end_user)
    body = legacy.application_body(end_user_id=end_user)
    answer = legacy.http.post("ComplianceApplication/", json=body)
    used = f"alias: 'Acme Mumbai' is used by application {first} of the same end user"
    assert answer.headers["X-Plivo-Sim-Warning"] == used
    legacy.http.account.configure({"strict": "true"})
    assert used in error_of(legacy.http.post("ComplianceApplication/", json=body))


# --- list ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c"]),
        ("status=Draft", ["b", "c"]),
        ("status=SUBMITTED", ["a"]),
        ("status=rejected", []),
        ("end_user_type=Individual", ["c"]),
        ("number_type=toll-free", ["b"]),
        ("country_iso2=in", ["a", "b"]),
        ("country=IN", ["a", "b"]),
        ("country_iso=DE", ["c"]),
        ("alias=b", ["b"]),
        ("end_user_id={c}", ["c"]),
        ("country=DE&status=draft&alias=c", ["c"]),
        ("status=&country=&alias=", ["a", "b", "c"]),
        ("limit=1&offset=1", ["b"]),
        ("status=draft&limit=1&offset=1", ["c"]),
    ],
)
def test_a_list_filters_and_pages(legacy: Legacy, query: str, found: list[str]) -> None:
    """By status, types, country in three spellings, alias and end user."""
    legacy.submitted(alias="a")
    legacy.application(alias="b", number_type="tollfree")
    person = legacy.end_user(end_user_type="individual")
    legacy.application(
        alias="c",
        country_iso2="DE",
        end_user_id=person,
        end_user_type="individual",
    )
    shown = legacy.shown(f"ComplianceApplication/?{query.format(c=person)}")
    assert [each["alias"] for each in shown["objects"]] == found


def test_rejected_finds_what_prints_as_rejected(legacy: Legacy) -> None:
    """``more_info_required`` too: the page has no such status."""
    ids = [legacy.decided("rejected"), legacy.decided("more_info_required")]
    shown = legacy.shown("ComplianceApplication/?status=rejected")["objects"]
    assert [each["compliance_application_id"] for each in shown] == ids
    assert [each["status"] for each in shown] == ["rejected", "rejected"]
    assert [each["rejection_reason"] for each in shown] == ["Blurred scan"] * 2


# --- update, submit, delete ------------------------------------------------------------------


@pytest.mark.parametrize("status", ["draft", "rejected", "more_info_required"])
def test_the_documents_of_an_open_application_can_change(legacy: Legacy, status: str) -> None:
    """It keeps its status; nothing is submitted (decision "Locked documents")."""
    end_user = legacy.end_user()
    make = legacy.application if status == "draft" else None
    id = make(end_user_id=end_user) if make else legacy.decided(status, end_user_id=end_user)
    before = legacy.application_shown(id)
    fresh = legacy.document(end_user)
    answer = legacy.http.post(f"ComplianceApplication/{id}/", json={"document_ids": [fresh]})
    assert answer.status_code == 202
    assert answer.get_json() == {"api_id": answer.get_json()["api_id"], "message": "changed"}
    after = legacy.application_shown(id)
    assert after["compliance_document_id"] == [fresh]
    assert after["status"] == before["status"]


def test_an_update_moves_last_updated_at(legacy: Legacy) -> None:
    """On the account's clock."""
    id = legacy.application()
    legacy.http.advance("1h")
    ids = legacy.application_shown(id)["compliance_document_id"][:1]
    legacy.http.post(f"ComplianceApplication/{id}/", json={"document_ids": ids})
    shown = legacy.application_shown(id)
    assert shown["last_updated_at"] == "2026-01-05T10:00:00.000000Z"
    assert shown["created_at"] == "2026-01-05T09:00:00.000000Z"


@pytest.mark.parametrize("body", [{}, {"document_ids": None}, {"id": None}])
def test_an_update_that_gives_nothing_changes_nothing(legacy: Legacy, body: dict[str, Any]) -> None:
    """And says so."""
    id = legacy.application()
    before = legacy.state()
    answer = legacy.http.post(f"ComplianceApplication/{id}/", json=body)
    assert answer.status_code == 202
    assert answer.headers["X-Plivo-Sim-Warning"] == "nothing to change was given"
    assert legacy.state() == before


@pytest.mark.parametrize("status", ["submitted", "accepted", "suspended", "expired"])
@pytest.mark.parametrize(
    ("verb", "path"), [("update", "{id}/"), ("submit", "{id}/Submit/")], ids=["update", "submit"]
)
def test_a_closed_application_cannot_change(
    legacy: Legacy, status: str, verb: str, path: str
) -> None:
    """400 that names the true state, whatever the body says."""
    id = legacy.submitted() if status == "submitted" else legacy.decided(status)
    before = legacy.state()
    answer = legacy.http.post(
        f"ComplianceApplication/{path.format(id=id)}", json={"document_ids": [UNKNOWN_ID]}
    )
    expected = f"Cannot {verb} compliance application in {status} status."
    assert error_of(answer) == expected
    assert legacy.state() == before


def test_wrong_documents_of_an_update_are_named(legacy: Legacy) -> None:
    """With their places; nothing changes."""
    id = legacy.application()
    before = legacy.state()
    theirs = {"document_ids": [UNKNOWN_ID, 3]}
    error = error_of(legacy.http.post(f"ComplianceApplication/{id}/", json=theirs))
    assert error == "document_ids[1]: must be a string"
    theirs = {"document_ids": [UNKNOWN_ID]}
    error = error_of(legacy.http.post(f"ComplianceApplication/{id}/", json=theirs))
    assert error == f"document_ids[0]: no document '{UNKNOWN_ID}' in this account"
    assert legacy.state() == before


def test_submit_answers_the_whole_object(legacy: Legacy) -> None:
    """The SDKs read it; the message is the page's."""
    id = legacy.application()
    answer = legacy.submit(id)
    assert answer.status_code == 202
    sent = answer.get_json()
    assert (sent["status"], sent["message"]) == ("submitted", "changed")
    shown = legacy.application_shown(id)
    del sent["message"]
    assert sent | {"api_id": ""} == shown | {"api_id": ""}


def test_a_submitted_application_is_reviewed(legacy: Legacy) -> None:
    """After as many business days as the requirement publishes."""
    id = legacy.submitted()
    legacy.http.advance("3 business days")
    assert legacy.application_shown(id)["status"] == "accepted"


def test_a_rejected_application_is_corrected_and_sent_again(legacy: Legacy) -> None:
    """Rejected, document changed (still rejected), submitted, reviewed anew."""
    end_user = legacy.end_user()
    documents = legacy.documents(end_user)
    id = legacy.decided("rejected", end_user_id=end_user, document_ids=documents)
    assert legacy.application_shown(id)["rejection_reason"] == "Blurred scan"
    file = ("file", "sharp.pdf", PDF + b"\n")
    path = f"ComplianceDocument/{documents[0]}/"
    assert legacy.send_document({}, file, path=path).status_code == 202
    assert legacy.application_shown(id)["status"] == "rejected"
    sent = legacy.submit(id).get_json()
    assert sent["status"] == "submitted"
    assert "rejection_reason" not in sent
    assert legacy.http.account.store.applications.fetch(id).attempt == 2


def test_submit_names_everything_that_is_missing(legacy: Legacy) -> None:
    """Fields, files and whole documents, by their places."""
    end_user, (registration, _) = legacy.end_user(), legacy.types()
    document = legacy.document(end_user, registration, file=None)
    account = legacy.http.account
    with account.transaction():  # as states of earlier versions have them
        account.store.documents.put(
            replace(account.store.documents.fetch(document), data_fields=())
        )
    id = legacy.application(end_user_id=end_user, document_ids=[document])
    before = legacy.state()
    assert error_of(legacy.submit(id)) == (
        "document_ids[0]: business_name not provided;"
        f" GET ComplianceDocumentType/{registration}/ lists its fields; "
        "document_ids[0].file: a file is required for document type 'Registration Certificate'; "
        "document_ids: a document of type 'GST certificate' is required"
    )
    assert legacy.state() == before


def test_any_document_of_a_slot_fills_it(legacy: Legacy) -> None:
    """A passport or an identity card."""
    person = legacy.end_user(end_user_type="individual")
    slots = legacy.requirement(end_user_type="individual")["acceptable_document_types"]
    card = slots[0]["acceptable_documents"][1]["document_type_id"]
    address = slots[1]["acceptable_documents"][0]["document_type_id"]
    names = {"first_name": "A", "last_name": "B", "unique_identification_number": "1"}
    place = {"address_line_1": "1 MG Road", "city": "X", "postal_code": "1", "country": "IN"}
    documents = [
        legacy.document(person, card, **names),
        legacy.document(person, address, ("bill.png", PNG), **place),
    ]
    id = legacy.application(end_user_id=person, end_user_type="individual", document_ids=documents)
    assert legacy.submit(id).status_code == 202
    shown = legacy.application_shown(id)["documents"][0]
    assert (shown["name"], shown["document_type_name"]) == ("Proof of Identity", "National ID")


def test_surplus_documents_are_no_problem(legacy: Legacy) -> None:
    """They fill no slot, so they show their type's name and no scope
    (decision "Surplus documents")."""
    end_user = legacy.end_user()
    types = legacy.shown("ComplianceDocumentType/?document_name=Use+Case")["objects"]
    surplus = legacy.document(end_user, types[0]["document_type_id"], file=None)
    documents = [*legacy.documents(end_user), surplus]
    id = legacy.submitted(end_user_id=end_user, document_ids=documents)
    shown = legacy.application_shown(id)["documents"][2]
    assert (shown["name"], shown["scope"]) == ("Use Case", None)


def test_the_same_file_in_two_slots_is_warned_of(legacy: Legacy) -> None:
    """On Submit, when the set is complete (decision "Files and downloads")."""
    end_user, (registration, gst) = legacy.end_user(), legacy.types()
    documents = [
        legacy.document(end_user, registration, business_name="Acme"),
        legacy.document(end_user, gst),
    ]
    id = legacy.application(end_user_id=end_user, document_ids=documents)
    told = legacy.submit(id).headers["X-Plivo-Sim-Warning"]
    assert told.startswith("document_ids[1]: the same file as document_ids[0]")


def test_nothing_is_asked_for_in_an_unregulated_country(legacy: Legacy) -> None:
    """A draft without documents can be submitted."""
    id = legacy.application(country_iso2="US", document_ids=[])
    assert legacy.submit(id).status_code == 202


@pytest.mark.parametrize("status", ["draft", "submitted", "rejected", "suspended", "expired"])
def test_a_deleted_application_is_gone_and_its_parts_stay(legacy: Legacy, status: str) -> None:
    """End user and documents stand alone here."""
    end_user = legacy.end_user()
    documents = legacy.documents(end_user)
    made = {"end_user_id": end_user, "document_ids": documents}
    if status == "draft":
        id = legacy.application(**made)
    else:
        id = legacy.submitted(**made) if status == "submitted" else legacy.decided(status, **made)
    answer = legacy.http.delete(f"ComplianceApplication/{id}/")
    assert answer.status_code == 200
    assert answer.get_json()["message"] == "changed"
    gone = legacy.http.get(f"ComplianceApplication/{id}/")
    assert error_of(gone, 404) == "Compliance application not found."
    assert legacy.shown("ComplianceDocument/")["meta"]["total_count"] == 2
    assert legacy.http.account.agenda.next_instant() is None


def test_one_without_documents_leaves_its_end_user_too(legacy: Legacy) -> None:
    """It was made by itself, and nothing else needs it."""
    end_user = legacy.end_user()
    id = legacy.application(country_iso2="US", end_user_id=end_user, document_ids=[])
    assert legacy.http.delete(f"ComplianceApplication/{id}/").status_code == 200
    assert legacy.http.get(f"EndUser/{end_user}/").status_code == 200


def test_an_accepted_application_cannot_be_deleted(legacy: Legacy) -> None:
    """Never (decision "Deleting applications")."""
    id = legacy.decided("accepted")
    error = error_of(legacy.http.delete(f"ComplianceApplication/{id}/"))
    assert error == "Cannot delete compliance application in accepted status."


# --- the same records in the new API ----------------------------------------------------------


def test_an_application_of_the_new_api_is_read_here(legacy: Legacy) -> None:
    """With its end user and documents, whose alias is null."""
    id = legacy.http.sdk_created()
    shown = legacy.application_shown(id)
    assert (shown["status"], shown["alias"]) == ("submitted", "Acme Mumbai")
    assert shown["documents"][0]["document_name"] == "Registration Certificate"
    (listed,) = legacy.shown("ComplianceApplication/")["objects"]
    assert listed["compliance_application_id"] == id
    document = legacy.shown(f"ComplianceDocument/{shown['compliance_document_id'][0]}/")
    assert document["alias"] is None
    assert document["file_name"] == "certificate.pdf"
    end_user = legacy.shown(f"EndUser/{shown['end_user_id']}/")
    assert end_user["name"] == "Acme Traders Pvt Ltd"


def test_an_application_of_the_new_api_is_corrected_and_submitted_here(legacy: Legacy) -> None:
    """Documents of both APIs can be mixed; what is no longer used stays."""
    id = legacy.http.sdk_created()
    legacy.http.decide(id, "rejected", "Blurred scan")
    shown = legacy.application_shown(id)
    _, gst = shown["compliance_document_id"]
    fresh = legacy.document(shown["end_user_id"], business_name="Acme")
    body = {"document_ids": [fresh, gst]}
    assert legacy.http.post(f"ComplianceApplication/{id}/", json=body).status_code == 202
    assert legacy.submit(id).status_code == 202
    assert legacy.shown("ComplianceDocument/")["meta"]["total_count"] == 3
    sdk = legacy.http.get(f"PhoneNumber/Compliance/{id}/").get_json()
    assert sdk["compliance"]["status"] == "submitted"


def test_an_application_of_the_new_api_is_deleted_here(legacy: Legacy) -> None:
    """And what was made with it goes with it."""
    id = legacy.http.sdk_created()
    assert legacy.http.delete(f"ComplianceApplication/{id}/").status_code == 200
    assert legacy.shown("ComplianceDocument/")["meta"]["total_count"] == 0
    assert legacy.shown("EndUser/")["meta"]["total_count"] == 0


def test_an_application_of_the_beta_page_is_read_and_submitted_here(legacy: Legacy) -> None:
    """It keeps the page's requirement, whose documents are other ones; its alias is null."""
    answer = legacy.http.post("PhoneNumber/Compliance/", json=create_body())
    id = answer.get_json()["compliance_id"]
    legacy.http.decide(id, "more_info_required", "Blurred scan")
    shown = legacy.application_shown(id)
    assert (shown["status"], shown["alias"]) == ("rejected", None)
    names = [each["name"] for each in shown["documents"]]
    assert names == ["Identity Proof", "Address Proof", "Business Registration"]
    requirement = legacy.shown(f"ComplianceRequirement/{shown['compliance_requirement_id']}/")
    assert [slot["name"] for slot in requirement["acceptable_document_types"]] == names
    assert legacy.submit(id).status_code == 202


def test_a_document_for_the_beta_pages_requirement_is_made_here(legacy: Legacy) -> None:
    """Its types are readable by id, so they can be named."""
    answer = legacy.http.post("PhoneNumber/Compliance/", json=create_body())
    id = answer.get_json()["compliance_id"]
    legacy.http.decide(id, "rejected", "Blurred scan")
    shown = legacy.application_shown(id)
    first, *others = shown["compliance_document_id"]
    type_id = shown["documents"][0]["document_type_id"]
    fresh = legacy.document(shown["end_user_id"], type_id, ("sharp.png", PNG + b"1"))
    body = {"document_ids": others}
    legacy.http.post(f"ComplianceApplication/{id}/", json=body)
    assert "a document of type 'Identity Proof' is required" in error_of(legacy.submit(id))
    body = {"document_ids": [fresh, *others]}
    legacy.http.post(f"ComplianceApplication/{id}/", json=body)
    assert legacy.http.delete(f"ComplianceDocument/{first}/").status_code == 200
    assert legacy.submit(id).status_code == 202


def test_a_document_of_the_new_api_is_protected_here(legacy: Legacy) -> None:
    """By the application that it was made with."""
    shown = legacy.application_shown(legacy.http.sdk_created())
    document = shown["compliance_document_id"][0]
    assert "it is used by" in error_of(legacy.http.delete(f"ComplianceDocument/{document}/"))
    assert "it is used by" in error_of(legacy.http.delete(f"EndUser/{shown['end_user_id']}/"))


def test_a_draft_is_read_and_deleted_in_the_new_api(legacy: Legacy) -> None:
    """Its parts stay, because the legacy API made them."""
    id = legacy.application()
    shown = legacy.http.get(f"PhoneNumber/Compliance/{id}/?expand=end_user,documents")
    assert shown.get_json()["compliance"]["status"] == "draft"
    assert legacy.http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    assert legacy.shown("ComplianceDocument/")["meta"]["total_count"] == 2


def test_a_rejected_legacy_application_is_corrected_in_the_new_api(legacy: Legacy) -> None:
    """A PATCH resubmits it."""
    id = legacy.decided("rejected")
    answer = legacy.http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "x"}, {})
    assert answer.status_code == 200, answer.text
    shown = legacy.application_shown(id)
    assert (shown["alias"], shown["status"]) == ("x", "submitted")


# --- callbacks -------------------------------------------------------------------------------


def test_a_legacy_callback_carries_both_names_of_the_id(legacy: Legacy) -> None:
    """To the account's URL, because a legacy application has none of its own."""
    legacy.http.account.configure({"callback_url": "http://127.0.0.1:9/cb"})
    id = legacy.decided("rejected")
    (delivery,) = legacy.http.account.store.deliveries.every()
    assert dict(delivery.payload) == {
        "compliance_application_id": id,
        "compliance_id": id,
        "status": "rejected",
        "rejection_reason": "Blurred scan",
    }


def test_a_callback_of_an_accepted_application_has_no_reason(legacy: Legacy) -> None:
    """Only where there is one."""
    legacy.http.account.configure({"callback_url": "http://127.0.0.1:9/cb"})
    id = legacy.submitted()
    legacy.http.advance("3 business days")
    (delivery,) = legacy.http.account.store.deliveries.every()
    assert dict(delivery.payload) == {
        "compliance_application_id": id,
        "compliance_id": id,
        "status": "accepted",
    }


def test_a_submit_may_ask_for_its_outcome(legacy: Legacy) -> None:
    """With a header, as in the new API."""
    id = legacy.application()
    headers = {"X-Plivo-Sim-Outcome": "rejected; after=2d; reason=Blurred"}
    path = f"ComplianceApplication/{id}/Submit/"
    assert legacy.http.post(path, headers=headers).status_code == 202
    legacy.http.advance("2d")
    shown = legacy.application_shown(id)
    assert (shown["status"], shown["rejection_reason"]) == ("rejected", "Blurred")


def test_an_outcome_that_cannot_be_read_changes_nothing(legacy: Legacy) -> None:
    """The header is the request's own fault."""
    id = legacy.application()
    before = legacy.state()
    path = f"ComplianceApplication/{id}/Submit/"
    answer = legacy.http.post(path, headers={"X-Plivo-Sim-Outcome": "perhaps"})
    assert error_of(answer).startswith("X-Plivo-Sim-Outcome: must be one of")
    answer = legacy.http.post(path, headers={"X-Plivo-Sim-Outcome": "in_review"})
    assert "machine default has no status 'in_review'; these that ship do" in error_of(answer)
    twice = 'rejected; after=1d; reason="; reason=x"; After=2d'
    answer = legacy.http.post(path, headers={"X-Plivo-Sim-Outcome": twice})
    assert error_of(answer).startswith("X-Plivo-Sim-Outcome: has after more than once")
    assert legacy.state() == before


def test_a_rule_knows_that_a_submission_came_through_here(legacy: Legacy) -> None:
    """Even of an application that the new API made, when it is submitted again here."""
    id = legacy.http.sdk_created()
    legacy.http.decide(id, "rejected", "Blurred scan")
    rule = {"when": {"api": "legacy"}, "decide": "rejected", "reason": "By post", "after": "1h"}
    scenario = {"scenario": "What comes through the legacy API is rejected.", "rules": [rule]}
    body = {"scenario": scenario, "account": legacy.http.auth_id}
    assert legacy.http.control("POST", "/scenario", body).status_code == 200
    assert legacy.submit(id).status_code == 202
    legacy.http.advance("1h")
    assert legacy.application_shown(id)["rejection_reason"] == "By post"


def test_another_application_leaves_the_reviews_of_an_accepted_one(legacy: Legacy) -> None:
    """Documents may be of several applications; each is reviewed for itself."""
    end_user_id = legacy.end_user()
    both = {"end_user_id": end_user_id, "document_ids": legacy.documents(end_user_id)}
    first = legacy.decided("accepted", alias="one", **both)

    def statuses(id: str) -> set[str]:
        shown = legacy.http.get(
            f"/beta/v1/Account/{legacy.http.auth_id}/PhoneNumber/Compliance/{id}/"
        )
        return {each["status"] for each in shown.get_json()["documents"]}

    second = legacy.submitted(alias="two", **both)
    assert (statuses(first), statuses(second)) == ({"verified"}, {"pending"})
    legacy.http.decide(second, "rejected", "Blurred scan")
    assert (statuses(first), statuses(second)) == ({"verified"}, {"pending"})
