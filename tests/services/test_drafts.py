"""Applications piece by piece: the rules beneath the legacy API."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.domain.models import (
    Application,
    NumberType,
    Origin,
    TimerKind,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import Requirement
from plivo_sim.domain.statuses import Status
from plivo_sim.errors import Fault, Invalid, NotFound, Problem, WrongState
from plivo_sim.services import documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import NewEndUser
from plivo_sim.services.uploads import Upload
from plivo_sim.simulator import Simulator
from plivo_sim.world import World
from tests.support import PDF, PNG


@pytest.fixture
def world(sim: Simulator) -> World:
    return sim.world("MAXXXXXXXXXXXXXXXXXX")


def requirement_of(world: World, version: Version = Version.SDK) -> Requirement:
    found = world.catalogue.find(version, ("IN", NumberType.LOCAL, UserType.BUSINESS))
    assert found is not None
    return found


def end_user_of(world: World, type_: UserType = UserType.BUSINESS) -> str:
    return end_users.create(world, NewEndUser(name="Acme", type=type_)).id


def documents_of(world: World, end_user_id: str) -> list[str]:
    """The two complete documents that India asks a business for."""
    registration, gst = requirement_of(world).document_types
    return [
        documents.create(
            world,
            DocumentRequest(
                end_user_id=end_user_id,
                document_type_id=type_.id,
                alias="a",
                data_fields={"business_name": "Acme"},
                upload=Upload(name="scan", content=content),
            ),
        ).id
        for type_, content in ((registration, PDF), (gst, PNG))
    ]


def wanted(world: World, **changes: Any) -> NewDraft:
    given = {"requirement_id": requirement_of(world).id, "alias": "a"} | changes
    given.setdefault("end_user_id", end_user_of(world))
    return NewDraft(**given)


def complete(world: World) -> Application:
    end_user_id = end_user_of(world)
    ids = documents_of(world, end_user_id)
    return drafts.create(
        world, wanted(world, end_user_id=end_user_id, document_ids=ids)
    ).application


def paths(caught: pytest.ExceptionInfo[Invalid]) -> list[Any]:
    return [(problem.fault, problem.path) for problem in caught.value.problems]


def test_a_draft_takes_country_and_types_from_its_requirement(world: World) -> None:
    """And waits for nobody."""
    application = drafts.create(world, wanted(world)).application
    assert (application.country_iso, application.number_type) == ("IN", NumberType.LOCAL)
    assert (application.status, application.origin) == (Status.DRAFT, Origin.LEGACY)
    assert world.agenda.next_instant() is None


def test_the_three_parts_name_the_requirement_too(world: World) -> None:
    """The version that the SDKs share (DECISIONS 24)."""
    parts = {"country_iso": "IN", "number_type": NumberType.LOCAL, "user_type": UserType.BUSINESS}
    made = drafts.create(world, wanted(world, requirement_id=None, **parts))
    assert made.application.requirement_id == requirement_of(world).id


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requirement_id": None}, [(Fault.BAD_VALUE, ("requirement_id",))]),
        (
            {"requirement_id": None, "country_iso": "IN"},
            [
                (Fault.MISSING_FIELD, ("number_type",)),
                (Fault.MISSING_FIELD, ("user_type",)),
            ],
        ),
        ({"requirement_id": "x"}, [(Fault.UNKNOWN_RECORD, ("requirement_id",))]),
        ({"end_user_id": "x"}, [(Fault.UNKNOWN_RECORD, ("end_user_id",))]),
        ({"end_user_id": None}, [(Fault.MISSING_FIELD, ("end_user_id",))]),
        ({"country_iso": "DE"}, [(Fault.BAD_VALUE, ("country_iso",))]),
        ({"document_ids": ["x", "y"]}, [
            (Fault.UNKNOWN_RECORD, ("document_ids", 0)),
            (Fault.UNKNOWN_RECORD, ("document_ids", 1)),
        ]),
        (
            {
                "requirement_id": None,
                "country_iso": "GB",
                "number_type": NumberType.LOCAL,
                "user_type": UserType.BUSINESS,
            },
            [(Fault.NO_REQUIREMENT, ("country_iso",))],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_draft_is_named(
    world: World, changes: dict[str, Any], expected: list[Any]
) -> None:
    """In the domain's own words."""
    with pytest.raises(Invalid) as caught:
        drafts.create(world, wanted(world, **changes))
    assert paths(caught) == expected
    assert len(world.store.applications) == 0


def test_what_the_edge_complained_of_is_not_complained_of_again(world: World) -> None:
    """One complaint a path."""
    problem = Problem(Fault.NOT_ALLOWED, ("number_type",), "must be another")
    changes = {"requirement_id": None, "country_iso": "IN", "user_type": UserType.BUSINESS}
    with pytest.raises(Invalid) as caught:
        drafts.create(world, wanted(world, **changes), [problem])
    assert caught.value.problems == (problem,)


def test_the_requirement_of_the_other_version_is_refused(world: World) -> None:
    """A legacy end user could never satisfy it."""
    theirs = requirement_of(world, Version.DOCUMENTED)
    with pytest.raises(Invalid) as caught:
        drafts.create(world, wanted(world, requirement_id=theirs.id))
    assert requirement_of(world).id in str(caught.value)


def test_the_end_user_must_be_of_the_requirements_type(world: World) -> None:
    """An individual is no business."""
    person = end_user_of(world, UserType.INDIVIDUAL)
    with pytest.raises(Invalid) as caught:
        drafts.create(world, wanted(world, end_user_id=person))
    assert paths(caught) == [(Fault.BAD_VALUE, ("end_user_id",))]


def test_documents_must_belong_to_the_end_user(world: World) -> None:
    """On create and on update."""
    ids = documents_of(world, end_user_of(world))
    with pytest.raises(Invalid):
        drafts.create(world, wanted(world, document_ids=ids))
    application = drafts.create(world, wanted(world)).application
    with pytest.raises(Invalid):
        drafts.update(world, application.id, ids)


def test_one_document_serves_many_applications(world: World) -> None:
    """Even while one of them is in review (documented: "across multiple applications")."""
    application = complete(world)
    drafts.submit(world, application.id)
    other = drafts.create(
        world,
        wanted(
            world,
            end_user_id=application.end_user_id,
            document_ids=application.document_ids,
            alias="b",
        ),
    )
    assert other.application.document_ids == application.document_ids


def test_submitting_starts_the_review(world: World) -> None:
    """One attempt, one timer, the time of it."""
    application = complete(world)
    sent = drafts.submit(world, application.id).application
    assert (sent.status, sent.attempt, sent.submitted_at) == (Status.SUBMITTED, 1, world.now())
    (timer,) = world.store.timers.having("subject_id", sent.id)
    assert timer.kind is TimerKind.REVIEW


@pytest.mark.parametrize("status", list(Status))
def test_what_may_be_updated_and_submitted(world: World, status: Status) -> None:
    """Drafts and what was sent back; the rest names its true status."""
    application = replace(complete(world), status=status)
    with world.transaction():
        world.store.applications.put(application)
    if status in (Status.DRAFT, Status.REJECTED, Status.MORE_INFO_REQUIRED):
        ids = application.document_ids
        assert drafts.update(world, application.id, ids).status is status
        assert drafts.submit(world, application.id).application.status is Status.SUBMITTED
        return
    for verb, act in (
        ("update", lambda: drafts.update(world, application.id, [])),
        ("submit", lambda: drafts.submit(world, application.id)),
    ):
        with pytest.raises(WrongState) as caught:
            act()
        assert (caught.value.verb, caught.value.status) == (verb, status)


def test_a_submission_that_is_incomplete_changes_nothing(world: World) -> None:
    """Every gap is named by its place."""
    end_user_id = end_user_of(world)
    registration = requirement_of(world).document_types[0]
    bare = documents.create(
        world,
        DocumentRequest(end_user_id=end_user_id, document_type_id=registration.id, alias="a"),
    )
    made = drafts.create(
        world, wanted(world, end_user_id=end_user_id, document_ids=[bare.id])
    ).application
    before = world.store.mark()
    with pytest.raises(Invalid) as caught:
        drafts.submit(world, made.id)
    assert paths(caught) == [
        (Fault.MISSING_DATA_FIELD, ("documents", 0, "data_fields", "business_name")),
        (Fault.MISSING_FILE, ("documents", 0, "file")),
        (Fault.MISSING_DOCUMENT, ("documents",)),
    ]
    assert world.store.mark() == before


def test_an_unknown_application_is_not_found(world: World) -> None:
    """To change or to submit."""
    with pytest.raises(NotFound):
        drafts.update(world, "x", [])
    with pytest.raises(NotFound):
        drafts.submit(world, "x")
