"""What the docstrings of Smallest's SDK 5.14 say of the other three operations (documented)."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.apis.atoms.presenters import RequirementOut, StatusOut
from tests.apis.atoms.support import KEY, Atoms, certificates, errors
from tests.support import check_answer


def step(atoms: Atoms, **key: str) -> str:
    body = atoms.status(**key).get_json()
    assert body["status"] is True
    check_answer(body["data"], StatusOut)
    return body["data"]["step"]


# --- get_compliance_status ---------------------------------------------------------------------


def test_form_no_application_exists_user_should_submit_one(atoms: Atoms) -> None:
    """And ``application`` is null."""
    assert step(atoms) == "form"
    assert atoms.status().get_json()["data"]["application"] is None


@pytest.mark.parametrize(
    ("decisions", "wanted"),
    [
        ([], "submitted"),
        (["accepted"], "accepted"),
        (["rejected"], "rejected"),
        (["more_info_required"], "rejected"),
        (["accepted", "expired"], "expired"),
        (["accepted", "suspended"], "suspended"),
        (["accepted", "suspended", "accepted"], "accepted"),
    ],
)
def test_which_step_to_render(atoms: Atoms, decisions: list[str], wanted: str) -> None:
    """The step follows what the reviewer did."""
    made = atoms.submitted()
    for decision in decisions:
        atoms.decide(made, decision)
    assert step(atoms) == wanted


def test_for_a_given_country_number_type_and_user_type(atoms: Atoms) -> None:
    """Another combination has a step of its own."""
    atoms.submitted()
    assert step(atoms, numberType="mobile") == "form"


def test_the_existing_compliance_application(atoms: Atoms) -> None:
    """As the submission was answered."""
    made = atoms.submitted()
    assert atoms.known(made) == made


def test_document_types_required_for_this_combination(atoms: Atoms) -> None:
    """The same as at the requirements endpoint, with or without an application."""
    for _ in range(2):
        required = atoms.status().get_json()["data"]["requiredDocuments"]
        assert required == atoms.requirements().get_json()["data"]["documentTypes"]
        atoms.submit()


@pytest.mark.parametrize("country", ["IND", "I", "", "1N"])
def test_sending_3_or_more_characters_returns_400(atoms: Atoms, country: str) -> None:
    """Exactly two letters, in both look-ups."""
    for answer in (atoms.status(countryIso=country), atoms.requirements(countryIso=country)):
        assert "countryIso" in errors(answer, 400)[0]


@pytest.mark.parametrize("name", list(KEY))
@pytest.mark.parametrize("path", ["/status", "/requirements"])
def test_all_three_parameters_are_needed(atoms: Atoms, path: str, name: str) -> None:
    """Each is told of by name; unknown ones do not matter."""
    query = {key: value for key, value in KEY.items() if key != name} | {"page": "1"}
    told = errors(atoms.call("GET", path, query_string=query), 400)
    assert told == [f"Field '{name}' is required."]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("numberType", "national", "numberType: must be one of local, mobile, tollfree"),
        ("userType", "company", "userType: must be one of individual, business"),
        ("countryIso", "ZZ", "Could not find any requirement for country ZZ"),
    ],
)
def test_words_that_there_are_not(atoms: Atoms, name: str, value: str, told: str) -> None:
    """400, and the right ones are named."""
    assert errors(atoms.status(**{name: value}), 400)[0].startswith(told)


# --- get_compliance_requirements ---------------------------------------------------------------


def test_discover_what_documents_are_required(atoms: Atoms) -> None:
    """Those of the SDKs' version of the requirement, in camel case."""
    data = atoms.requirements().get_json()["data"]
    check_answer(data, RequirementOut)
    assert {name: data[name] for name in KEY} == KEY
    first = data["documentTypes"][0]
    assert first["name"] == "Registration Certificate"
    assert first["requiredFields"] == [
        {
            "fieldName": "business_name",
            "friendlyName": "Legal Name",
            "helpText": None,
            "fieldType": "string",
            "required": True,
        }
    ]


def test_results_are_cached_for_1_hour(atoms: Atoms) -> None:
    """Plivo is not asked again within the hour, by the account's own clock."""
    assert atoms.requirements().status_code == 200
    atoms.fault("unavailable", api="plivo-for-atoms", operation="compliance.requirements")
    atoms.http.advance("59m59s")
    assert atoms.requirements().status_code == 200
    assert atoms.status().status_code == 200
    atoms.http.advance("1s")
    assert atoms.requirements().status_code == 502
    assert atoms.status().status_code == 502


def test_the_cache_is_an_account_s_own(atoms: Atoms) -> None:
    """What one organisation has fetched, another has not."""
    atoms.requirements()
    other = Atoms(atoms.http, token="atoms-key-2")
    other.fault("unavailable", api="plivo-for-atoms")
    assert other.requirements().status_code == 502


def test_a_reset_forgets_the_cache(atoms: Atoms) -> None:
    """The account begins anew."""
    atoms.requirements()
    atoms.submitted()
    atoms.http.control("POST", "/reset", {"account": atoms.auth_id})
    atoms.fault("unavailable", api="plivo-for-atoms")
    assert atoms.requirements().status_code == 502


def test_an_empty_document_types_array_if_no_compliance_is_needed(atoms: Atoms) -> None:
    """The United States."""
    data = atoms.requirements(countryIso="US").get_json()["data"]
    assert data["documentTypes"] == []


# --- resubmit ----------------------------------------------------------------------------------


def test_resubmit_a_previously_rejected_application_with_corrected_documents(
    atoms: Atoms,
) -> None:
    """200; it is in review again, at Plivo too, with the new files."""
    made = atoms.rejected()
    atoms.http.advance("1m")
    answer = atoms.resubmit(made["_id"], [("new.pdf", certificates(b"2")[0][1]),
                                          ("new.png", certificates(b"2")[1][1])])  # fmt: skip
    assert answer.status_code == 200
    assert answer.get_json()["data"] == made | {
        "status": "submitted",
        "rejectionReason": "",
        "documentFileNames": ["new.pdf", "new.png"],
        "updatedAt": "2026-01-05T09:01:00.000Z",
    }
    assert atoms.at_plivo(made) == "submitted"
    assert atoms.known(made) == answer.get_json()["data"]


@pytest.mark.parametrize(
    "decisions", [[], ["accepted"], ["accepted", "suspended"], ["accepted", "expired"]]
)
def test_only_applications_in_rejected_status_can_be_resubmitted(
    atoms: Atoms, decisions: list[str]
) -> None:
    """400, and nothing changed."""
    made = atoms.submitted()
    for decision in decisions:
        atoms.decide(made, decision)
    status = decisions[-1] if decisions else "submitted"
    before = atoms.state()
    assert errors(atoms.resubmit(made["_id"]), 400) == [
        f"Only rejected applications can be resubmitted. Status: {status}"
    ]
    assert atoms.state() == before


def test_a_request_for_more_information_can_be_resubmitted(atoms: Atoms) -> None:
    """It is a rejection here."""
    made = atoms.submitted()
    atoms.decide(made, "more_info_required", "Page 2 is missing")
    assert atoms.known(made)["rejectionReason"] == "Page 2 is missing"
    assert atoms.resubmit(made["_id"]).status_code == 200


def test_all_documents_must_be_re_uploaded(atoms: Atoms) -> None:
    """Partial updates are not supported: Plivo misses the other one."""
    made = atoms.rejected()
    before = atoms.state()
    one: dict[str, Any] = atoms.documents()[0]
    answer = atoms.resubmit(made["_id"], certificates()[:1], documents=[one])
    assert errors(answer, 400) == ["documents: a document of type 'GST certificate' is required"]
    assert atoms.state() == before


def test_the_same_files_may_be_uploaded_again(atoms: Atoms) -> None:
    """The reviewer may have been wrong."""
    made = atoms.rejected()
    assert atoms.resubmit(made["_id"], certificates()).status_code == 200


@pytest.mark.parametrize("count", [0, 1, 3])
def test_file_and_document_count_must_match_exactly(atoms: Atoms, count: int) -> None:
    """Mismatch returns 400 with the printed message."""
    made = atoms.rejected()
    files = [*certificates(), ("third.pdf", certificates(b"3")[0][1])][:count]
    told = errors(atoms.resubmit(made["_id"], files), 400)
    assert told == [f"Expected 2 files, got {count}"]


def test_an_application_of_another_organization_cannot_be_resubmitted(atoms: Atoms) -> None:
    """404, as if there were none."""
    made = atoms.rejected()
    other = Atoms(atoms.http, token="atoms-key-2")
    told = errors(other.resubmit(made["_id"]), 404)
    assert told == errors(other.resubmit("nothing"), 404) == ["Compliance application not found."]
