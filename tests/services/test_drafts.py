"""Applications piece by piece: the rules beneath the legacy API."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import Invalid, NotFound, Problem, ProblemKind, WrongState
from plivo_sim.domain.records import Application, NumberType, Origin, TimerKind, UserType, Version
from plivo_sim.domain.requirements import Requirement
from plivo_sim.machines import default_machine
from plivo_sim.services import documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import NewEndUser
from plivo_sim.services.inputs import Upload
from plivo_sim.simulator import Simulator
from tests.support import PDF, PNG

MACHINE = default_machine()


@pytest.fixture
def account(sim: Simulator) -> Account:
    return sim.account("MAXXXXXXXXXXXXXXXXXX")


def requirement_of(account: Account, version: Version = Version.CURRENT) -> Requirement:
    found = account.catalogue.find(version, ("IN", NumberType.LOCAL, UserType.BUSINESS))
    assert found is not None
    return found


def end_user_of(account: Account, type_: UserType = UserType.BUSINESS) -> str:
    name = f"Acme {len(account.store.end_users)}"
    return end_users.create(account, NewEndUser(name=name, type=type_)).id


def documents_of(account: Account, end_user_id: str) -> list[str]:
    """The two complete documents that India asks a business for."""
    registration, gst = requirement_of(account).document_types
    return [
        documents.create(
            account,
            DocumentRequest(
                end_user_id=end_user_id,
                document_type_id=type_.id,
                alias=f"a{len(account.store.documents)}",
                data_fields={"business_name": "Acme"},
                upload=Upload(name="scan", content=content),
            ),
        ).id
        for type_, content in ((registration, PDF), (gst, PNG))
    ]


def wanted(account: Account, **changes: Any) -> NewDraft:
    given = {"requirement_id": requirement_of(account).id, "alias": "a"} | changes
    if "end_user_id" not in given:
        given["end_user_id"] = end_user_of(account)
        given.setdefault("document_ids", documents_of(account, given["end_user_id"]))
    return NewDraft(**given)


def complete(account: Account) -> Application:
    end_user_id = end_user_of(account)
    ids = documents_of(account, end_user_id)
    return drafts.create(
        account, wanted(account, end_user_id=end_user_id, document_ids=ids)
    ).application


def paths(caught: pytest.ExceptionInfo[Invalid]) -> list[Any]:
    return [(problem.fault, problem.path) for problem in caught.value.problems]


def test_a_draft_takes_country_and_types_from_its_requirement(account: Account) -> None:
    """And waits for nobody."""
    application = drafts.create(account, wanted(account)).application
    assert (application.country_iso, application.number_type) == ("IN", NumberType.LOCAL)
    assert (application.status, application.origin) == ("draft", Origin.LEGACY)
    assert account.agenda.next_instant() is None


def test_the_three_parts_name_the_requirement_too(account: Account) -> None:
    """The version that the SDKs share (decision "Requirement versions")."""
    parts = {"country_iso": "IN", "number_type": NumberType.LOCAL, "user_type": UserType.BUSINESS}
    made = drafts.create(account, wanted(account, requirement_id=None, **parts))
    assert made.application.requirement_id == requirement_of(account).id


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requirement_id": None}, [(ProblemKind.BAD_VALUE, ("requirement_id",))]),
        (
            {"requirement_id": None, "country_iso": "IN"},
            [
                (ProblemKind.MISSING_FIELD, ("number_type",)),
                (ProblemKind.MISSING_FIELD, ("user_type",)),
            ],
        ),
        ({"requirement_id": "x"}, [(ProblemKind.UNKNOWN_RECORD, ("requirement_id",))]),
        ({"end_user_id": "x"}, [
            (ProblemKind.UNKNOWN_RECORD, ("end_user_id",)),
            (ProblemKind.BAD_VALUE, ("document_ids",)),
        ]),
        ({"end_user_id": None}, [
            (ProblemKind.MISSING_FIELD, ("end_user_id",)),
            (ProblemKind.BAD_VALUE, ("document_ids",)),
        ]),
        ({"document_ids": []}, [(ProblemKind.BAD_VALUE, ("document_ids",))]),
        ({"country_iso": "DE"}, [(ProblemKind.BAD_VALUE, ("country_iso",))]),
        ({"document_ids": ["x", "y"]}, [
            (ProblemKind.UNKNOWN_RECORD, ("document_ids", 0)),
            (ProblemKind.UNKNOWN_RECORD, ("document_ids", 1)),
        ]),
        (
            {
                "requirement_id": None,
                "country_iso": "GB",
                "number_type": NumberType.LOCAL,
                "user_type": UserType.BUSINESS,
            },
            [(ProblemKind.NO_REQUIREMENT, ("country_iso",))],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_draft_is_named(
    account: Account, changes: dict[str, Any], expected: list[Any]
) -> None:
    """In the domain's own words."""
    with pytest.raises(Invalid) as caught:
        drafts.create(account, wanted(account, **changes))
    assert paths(caught) == expected
    assert len(account.store.applications) == 0


def test_what_the_edge_complained_of_is_not_complained_of_again(account: Account) -> None:
    """One complaint a path."""
    problem = Problem(ProblemKind.NOT_ALLOWED, ("number_type",), "must be another")
    changes = {"requirement_id": None, "country_iso": "IN", "user_type": UserType.BUSINESS}
    with pytest.raises(Invalid) as caught:
        drafts.create(account, wanted(account, **changes), [problem])
    assert caught.value.problems == (problem,)


def test_the_requirement_of_the_other_version_is_refused(account: Account) -> None:
    """A legacy end user could never satisfy it."""
    theirs = requirement_of(account, Version.BETA)
    with pytest.raises(Invalid) as caught:
        drafts.create(account, wanted(account, requirement_id=theirs.id))
    assert requirement_of(account).id in str(caught.value)


def test_the_end_user_must_be_of_the_requirements_type(account: Account) -> None:
    """An individual is no business."""
    person = end_user_of(account, UserType.INDIVIDUAL)
    ids = documents_of(account, person)
    with pytest.raises(Invalid) as caught:
        drafts.create(account, wanted(account, end_user_id=person, document_ids=ids))
    assert paths(caught) == [(ProblemKind.BAD_VALUE, ("end_user_id",))]


def test_documents_must_belong_to_the_end_user(account: Account) -> None:
    """On create and on update."""
    ids = documents_of(account, end_user_of(account))
    with pytest.raises(Invalid):
        drafts.create(account, wanted(account, document_ids=ids))
    application = drafts.create(account, wanted(account)).application
    with pytest.raises(Invalid):
        drafts.update(account, application.id, ids)


def test_one_document_serves_many_applications(account: Account) -> None:
    """Even while one of them is in review (documented: "across multiple applications")."""
    application = complete(account)
    drafts.submit(account, application.id)
    other = drafts.create(
        account,
        wanted(
            account,
            end_user_id=application.end_user_id,
            document_ids=application.document_ids,
            alias="b",
        ),
    )
    assert other.application.document_ids == application.document_ids


def test_submitting_starts_the_review(account: Account) -> None:
    """One attempt, one timer, the time of it."""
    application = complete(account)
    sent = drafts.submit(account, application.id).application
    assert (sent.status, sent.attempt, sent.submitted_at) == ("submitted", 1, account.now())
    (timer,) = account.store.timers.having("subject_id", sent.id)
    assert timer.kind is TimerKind.REVIEW


@pytest.mark.parametrize("status", list(MACHINE.statuses))
def test_what_may_be_updated_and_submitted(account: Account, status: str) -> None:
    """Drafts and what was sent back; the rest names its true status."""
    application = replace(complete(account), status=status)
    with account.transaction():
        account.store.applications.put(application)
    if status in ("draft", "rejected", "more_info_required"):
        ids = application.document_ids
        assert drafts.update(account, application.id, ids).status == status
        assert drafts.submit(account, application.id).application.status == "submitted"
        return
    for verb, act in (
        ("update", lambda: drafts.update(account, application.id, [])),
        ("submit", lambda: drafts.submit(account, application.id)),
    ):
        with pytest.raises(WrongState) as caught:
            act()
        assert (caught.value.verb, caught.value.status) == (verb, status)


def test_a_submission_that_is_incomplete_changes_nothing(account: Account) -> None:
    """Every gap is named by its place."""
    end_user_id = end_user_of(account)
    registration = requirement_of(account).document_types[0]
    bare = documents.create(
        account,
        DocumentRequest(
            end_user_id=end_user_id,
            document_type_id=registration.id,
            alias="a",
            data_fields={"business_name": "Acme"},
        ),
    )
    with account.transaction():  # as states of earlier versions have them
        account.store.documents.put(replace(bare, data_fields=()))
    made = drafts.create(
        account, wanted(account, end_user_id=end_user_id, document_ids=[bare.id])
    ).application
    before = account.store.mark()
    with pytest.raises(Invalid) as caught:
        drafts.submit(account, made.id)
    assert paths(caught) == [
        (ProblemKind.MISSING_DATA_FIELD, ("documents", 0, "data_fields", "business_name")),
        (ProblemKind.MISSING_FILE, ("documents", 0, "file")),
        (ProblemKind.MISSING_DOCUMENT, ("documents",)),
    ]
    assert account.store.mark() == before


def test_an_unknown_application_is_not_found(account: Account) -> None:
    """To change or to submit."""
    with pytest.raises(NotFound):
        drafts.update(account, "x", [])
    with pytest.raises(NotFound):
        drafts.submit(account, "x")
