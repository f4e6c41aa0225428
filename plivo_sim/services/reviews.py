"""The review: from a submission to what the reviewer does, and when.

Acceptance verifies every document (documented: the page's sample); a refusal that names no
document leaves them pending (invented).
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from plivo_sim.domain.events import StatusChanged
from plivo_sim.domain.models import (
    Application,
    Change,
    DocumentReview,
    Pairs,
    Step,
    Timer,
    TimerKind,
)
from plivo_sim.domain.review import Plan, Submission
from plivo_sim.domain.statuses import Status, allowed
from plivo_sim.errors import WrongState
from plivo_sim.services import planning
from plivo_sim.world import World

_REASONED = frozenset(
    {Status.REJECTED, Status.MORE_INFO_REQUIRED, Status.SUSPENDED, Status.EXPIRED}
)
_VERBS = {
    Status.SUBMITTED: "submit",
    Status.ACCEPTED: "accept",
    Status.REJECTED: "reject",
    Status.MORE_INFO_REQUIRED: "ask for more information on",
    Status.SUSPENDED: "suspend",
    Status.EXPIRED: "expire",
    Status.DRAFT: "make a draft of",
}


def schedule(world: World, submission: Submission) -> Plan:
    """Make the plan for a submission and set the timer of its first step."""
    plan = planning.plan(world, submission)
    application = submission.application
    set_timer(world, application.id, plan.steps, application.updated_at)
    return plan


def set_timer(world: World, application_id: str, steps: tuple[Step, ...], start: datetime) -> None:
    """Wait for the first of these steps, counted from ``start``."""
    if not steps:
        return
    world.agenda.add(
        Timer(
            id=world.ids.next("timer"),
            seq=world.next_seq(),
            due_at=steps[0].after.after(start, world.settings.holidays),
            kind=TimerKind.REVIEW,
            subject_id=application_id,
            steps=steps,
        )
    )


def run(world: World, timer: Timer) -> StatusChanged | None:
    """Do what a due review timer says, at its own instant, and wait for what follows it.

    A step that the table no longer allows (somebody decided by hand meanwhile) does nothing.
    """
    with world.transaction():
        world.store.timers.drop(timer.id)
        application = world.store.applications.fetch(timer.subject_id)
        step, rest = timer.steps[0], timer.steps[1:]
        if application is None or not allowed(application.status, step.status):
            return None
        event = change_status(
            world,
            application,
            step.status,
            at=timer.due_at,
            by="time" if step.status is Status.EXPIRED else "reviewer",
            why=step.why,
            reason=step.reason,
            documents=step.documents,
        )
        set_timer(world, application.id, rest, timer.due_at)
        return event


def decide(
    world: World, application: Application, status: Status, reason: str | None = None
) -> StatusChanged:
    """A decision by hand: follows the arrows, cancels the pending review (DECISIONS 22).

    Raises WrongState when the table has no such arrow, or it is the applicant's to make.
    """
    if status in (Status.DRAFT, Status.SUBMITTED) or not allowed(application.status, status):
        raise WrongState("application", application.id, _VERBS[status], application.status)
    with world.transaction():
        world.agenda.cancel(application.id)
        return change_status(
            world,
            application,
            status,
            at=world.now(),
            by="hand",
            why="decided by hand",
            reason=reason,
        )


def change_status(
    world: World,
    application: Application,
    status: Status,
    *,
    at: datetime,
    by: str,
    why: str,
    reason: str | None = None,
    documents: Pairs = (),
) -> StatusChanged:
    """Move an application along an arrow of the table, in the running transaction.

    Raises WrongState when there is no such arrow.
    """
    if not allowed(application.status, status):
        raise WrongState("application", application.id, _VERBS[status], application.status)
    told = (reason or "No reason given.") if status in _REASONED else None
    moved = replace(
        application,
        status=status,
        rejection_reason=told,
        updated_at=at,
        timeline=(
            *application.timeline,
            Change(at=at, status=status, by=by, why=why, reason=told),
        ),
    )
    world.store.applications.put(moved)
    _review_documents(world, moved, dict(documents), at)
    event = StatusChanged(
        application=moved, previous=application.status, at=at, by_reviewer=by != "client"
    )
    world.publish(event)
    return event


def _review_documents(
    world: World, application: Application, told: dict[str, str], at: datetime
) -> None:
    """What the reviewer says of each document: acceptance verifies all; else only those named."""
    for id in application.document_ids:
        document = world.store.documents.fetch(id)
        if document is None:
            continue
        word = world.catalogue.types_by_id[document.document_type_id].word
        reason = "" if application.status is Status.ACCEPTED else told.get(word)
        if reason is None:
            continue
        review = DocumentReview.REJECTED if reason else DocumentReview.VERIFIED
        if (document.review, document.review_reason) != (review, reason or None):
            world.store.documents.put(
                replace(document, review=review, review_reason=reason or None, updated_at=at)
            )
