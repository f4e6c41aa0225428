"""Correcting a rejected application through the new API: all of it or nothing (inferred)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import NotFound, Problem, ProblemKind
from plivo_sim.domain.records import END_USER_DETAILS, Application, Document, EndUser
from plivo_sim.scenarios.rules import RequestedOutcome, Submission
from plivo_sim.services import document_sets, reviews
from plivo_sim.services.applications import (
    Accepted,
    check_alias_and_end_user,
    check_callback,
    details_of,
    requirement_of,
    submit,
)
from plivo_sim.services.attempts import is_as_before
from plivo_sim.services.document_sets import (
    Entry,
    check_entries,
    drop_document_if_its_own,
    entries_of,
    in_place,
    keep_document,
)
from plivo_sim.services.end_users import check_renamed
from plivo_sim.services.inputs import Correction, Dialect, merge, refuse

CORRECTED = "corrected and submitted again"
AS_IT_WAS = "submitted again as it was"


def correct(
    account: Account,
    application: Application,
    change: Correction,
    dialect: Dialect,
    found: Iterable[Problem] = (),
    requested: RequestedOutcome | None = None,
) -> Accepted:
    """Apply a correction to a rejected application and submit it again: all or nothing.

    Raises WrongState unless it is rejected or needs more information
    (decision "Correctable applications"), Invalid when the result would not satisfy the
    requirement.
    """
    if not account.machine.correctable(application.status):
        raise reviews.wrong_state(account, application, "correct")
    with account.lock:
        requirement = requirement_of(account, application)
        before = _end_user_of(account, application)
        details = _merged_details(before, change.end_user)
        end_user = replace(before, **details)
        alias = application.alias if change.alias is None else change.alias
        entries = entries_of(account, application, change, dialect, requirement)
        problems = merge(
            found,
            [
                *check_entries(account, requirement, entries, dialect),
                *check_alias_and_end_user(
                    account, dialect, requirement, alias, details, (application, before)
                ),
                *_check_locked(account, application, end_user, change.end_user),
                *check_callback(account, change.callback_url, dialect),
                *_check_documents_given(application, change, dialect),
            ],
        )
        warnings = refuse(problems, strict=account.settings.strict)
        method = application.callback_method
        with account.transaction():
            ordered = in_place(account, application, entries, dialect)
            application, documents = _apply(account, application, change, end_user, ordered)
            submission = Submission(
                application=application,
                end_user=end_user,
                documents=documents,
                requirement=requirement,
                via=dialect.origin,
                requested=requested,
            )
            is_same = is_as_before(account, submission) and method == application.callback_method
            application, plan = submit(account, submission, AS_IT_WAS if is_same else CORRECTED)
        document_sets.sweep(account)
        warnings += plan.warnings
        return Accepted(application=application, plan=plan, warnings=warnings)


def _end_user_of(account: Account, application: Application) -> EndUser:
    end_user = account.store.end_users.fetch(application.end_user_id)
    if end_user is None:
        raise NotFound("end_user", application.end_user_id)
    return end_user


def _merged_details(end_user: EndUser, given: Mapping[str, str | None]) -> dict[str, Any]:
    """The end user's details with the given keys changed; a key that is given as None keeps its
    value."""
    before = {key: getattr(end_user, key) for key in END_USER_DETAILS}
    return details_of(before | {key: value for key, value in given.items() if value is not None})


def _check_documents_given(
    application: Application, change: Correction, dialect: Dialect
) -> list[Problem]:
    """An update of the live service replaces the whole set (documented: docs/wire-facts.md,
    "Update replaces all documents"), so one without documents may lose them all; here they stay
    (invented): soft (decision "All-or-nothing corrections")."""
    if not dialect.replaces_documents or change.documents is not None:
        return []
    if not application.document_ids:
        return []
    text = "on Plivo an update replaces all documents: send them again"
    return [Problem(ProblemKind.BAD_VALUE, ("documents",), text, soft=True)]


def _check_locked(
    account: Account, application: Application, merged: EndUser, given: Mapping[str, str | None]
) -> list[Problem]:
    """An end user cannot change under another application that locks it, nor take the name of
    another of the legacy API."""
    problems = []
    type_ = given.get("type")
    if type_ is not None and type_ != application.user_type:
        text = f"cannot change from {application.user_type}"
        problems.append(Problem(ProblemKind.BAD_VALUE, ("end_user", "type"), text))
    if merged != account.store.end_users.fetch(merged.id):
        problems += check_renamed(account, merged, ("end_user",))
        problems += [
            Problem(ProblemKind.BAD_VALUE, ("end_user",), f"is locked by application {other.id}")
            for other in account.store.applications.having("end_user_id", merged.id)
            if other.id != application.id and other.status in account.machine.locking
        ]
    return problems


def _apply(
    account: Account,
    application: Application,
    change: Correction,
    end_user: EndUser,
    entries: Sequence[Entry],
) -> tuple[Application, tuple[Document, ...]]:
    now = account.now()
    if end_user != account.store.end_users.fetch(end_user.id):
        account.store.end_users.put(replace(end_user, updated_at=now))
    documents = tuple(
        keep_document(account, entry, end_user.id, application.origin, now) for entry in entries
    )
    changed = replace(
        application,
        alias=application.alias if change.alias is None else change.alias,
        document_ids=tuple(document.id for document in documents),
        callback_url=application.callback_url if change.callback_url is None
        else change.callback_url or None,
        callback_method=change.callback_method or application.callback_method,
        updated_at=now,
    )  # fmt: skip
    account.store.applications.put(changed)
    for id in set(application.document_ids) - set(changed.document_ids):
        drop_document_if_its_own(account, id)
    return changed, documents
