"""Applications of the new API: made whole in one call, corrected, listed, deleted.

The legacy API builds the same records piece by piece; see ``drafts``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Page, Where
from plivo_sim.domain.errors import NotFound, Path, Problem, ProblemKind
from plivo_sim.domain.machine import StatusRow
from plivo_sim.domain.records import (
    END_USER_DETAILS,
    Application,
    ApplicationDeleted,
    Document,
    EndUser,
    Explanation,
    Origin,
    PhoneNumber,
    TimerKind,
    Version,
)
from plivo_sim.domain.requirements import DocumentType, Requirement, check_end_user
from plivo_sim.domain.text import filled
from plivo_sim.domain.urls import blocked_text, check_callback_url, looks_local
from plivo_sim.scenarios.rules import Plan, RequestedOutcome, Submission
from plivo_sim.services import document_sets, reviews
from plivo_sim.services.document_sets import (
    Entry,
    check_entries,
    check_files,
    documents_of,
    drop_document_if_its_own,
    entries_for,
    keep_document,
)
from plivo_sim.services.inputs import Dialect, NewApplication, merge, refuse


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What a create or update did: the record, the plan for its review, the warnings."""

    application: Application
    plan: Plan
    warnings: tuple[Problem, ...] = ()


class ApplicationView(msgspec.Struct, frozen=True, kw_only=True):
    """An application with all that belongs to it, as one consistent picture; ``row``: what the
    account's machine says of its status."""

    application: Application
    row: StatusRow
    end_user: EndUser
    documents: tuple[tuple[Document, DocumentType], ...]
    numbers: tuple[PhoneNumber, ...]


def get(account: Account, id: str) -> Application:
    """The application. Raises NotFound."""
    application = account.store.applications.fetch(id)
    if application is None:
        raise NotFound("application", id)
    return application


def page(account: Account, where: Where, *, offset: int, limit: int) -> Page[Application]:
    """Some of the account's applications, oldest first."""
    return account.store.applications.page(where, offset=offset, limit=limit)


def view(account: Account, application: Application) -> ApplicationView:
    """The application with its end user, documents and numbers."""
    end_user = account.store.end_users.fetch(application.end_user_id)
    if end_user is None:
        raise NotFound("end_user", application.end_user_id)
    return ApplicationView(
        application=application,
        row=account.machine.statuses[application.status],
        end_user=end_user,
        documents=tuple(
            (document, account.catalogue.types_by_id[document.document_type_id])
            for document in documents_of(account, application)
        ),
        numbers=tuple(account.store.numbers.having("application_id", application.id)),
    )


def requirement_of(account: Account, application: Application) -> Requirement:
    """The requirement that the application was made against and keeps."""
    return account.catalogue.by_id[application.requirement_id]


def create(
    account: Account,
    wanted: NewApplication,
    dialect: Dialect,
    found: Iterable[Problem] = (),
    requested: RequestedOutcome | None = None,
) -> Accepted:
    """Make end user, documents and application in one go and submit it for review.

    ``found``: what the edge already saw wrong with the request. Raises Invalid with that and
    everything that is wrong here; then nothing was made.
    """
    uploads = [each.upload for each in wanted.documents]
    with document_sets.prepared(account, uploads), account.lock:
        requirement = _requirement(account, wanted, dialect.version)
        entries = entries_for(wanted.documents, requirement)
        problems = merge(found, _problems(account, wanted, dialect, requirement, entries))
        warnings = refuse(problems, strict=account.settings.strict)
        assert requirement is not None
        with account.transaction():
            made = _make(account, wanted, dialect, requirement, entries, requested)
            application, plan = submit(account, made, "created and submitted")
        warnings += plan.warnings
        return Accepted(application=application, plan=plan, warnings=warnings)


class _Undo(Exception):
    """Takes an evaluated submission back."""


def evaluate(
    account: Account,
    wanted: NewApplication,
    dialect: Dialect,
    found: Iterable[Problem] = (),
    requested: RequestedOutcome | None = None,
) -> tuple[Accepted, Explanation]:
    """What ``create`` would do, and why; nothing of it is kept. Raises Invalid as it would."""
    with account.lock:
        try:
            with account.transaction():
                done = create(account, wanted, dialect, found, requested)
                (explanation,) = reviews.explanations_of(account, done.application.id)
                raise _Undo
        except _Undo:
            document_sets.sweep(account)
            return done, explanation


def submit(account: Account, submission: Submission, why: str) -> tuple[Application, Plan]:
    """Hand an application to the reviewer, in the running transaction.

    Raises WrongState unless the machine allows it, Invalid when its timeline is too long.
    """
    now = account.now()
    application = submission.application
    reviews.check_timeline(application)
    attempted = replace(application, attempt=application.attempt + 1, submitted_at=now, reviewed=())
    if application.attempt:
        account.agenda.cancel(application.id, TimerKind.REVIEW)
    event = reviews.change_status(
        account, attempted, account.machine.submitted, at=now, by="client", why=why
    )
    submitted = replace(submission, application=event.application)
    return submitted.application, reviews.schedule(account, submitted)


def delete(account: Account, application: Application) -> None:
    """Remove an application, its timers, its queued callbacks, and what was made with it.

    Raises WrongState when the client may not delete it in its status, or while numbers are linked
    to it (decision "Deleting applications").
    """
    numbers = account.store.numbers.having("application_id", application.id)
    linked = f"linked numbers: {', '.join(n.id for n in numbers)}" if numbers else ""
    if numbers or not account.machine.may(application.status, "delete"):
        raise reviews.wrong_state(account, application, "delete", linked)
    with account.transaction():
        account.agenda.cancel(application.id)
        reviews.forget(account, application.id)
        account.store.applications.drop(application.id)
        for id in application.document_ids:
            drop_document_if_its_own(account, id)
        _drop_end_user_if_its_own(account, application.end_user_id)
        account.publish(ApplicationDeleted(application=application, at=account.now()))
    document_sets.sweep(account)


# --- creating ----------------------------------------------------------------------------


def _requirement(account: Account, wanted: NewApplication, version: Version) -> Requirement | None:
    if wanted.country_iso is None or wanted.number_type is None or wanted.user_type is None:
        return None
    key = (wanted.country_iso, wanted.number_type, wanted.user_type)
    return account.catalogue.find(version, key)


def _problems(
    account: Account,
    wanted: NewApplication,
    dialect: Dialect,
    requirement: Requirement | None,
    entries: Sequence[Entry],
) -> list[Problem]:
    problems = [
        *check_alias_and_end_user(
            account, dialect, requirement, wanted.alias, details_of(wanted.end_user)
        ),
        *check_callback(account, wanted.callback_url, dialect),
    ]
    if requirement is None:
        if wanted.country_iso and wanted.number_type and wanted.user_type:
            key = (wanted.country_iso, wanted.number_type, wanted.user_type)
            problem = account.catalogue.no_requirement(dialect.version, *key)
            if problem.path == ("user_type",):
                problem = dataclasses.replace(problem, path=("end_user", "type"))
            problems.append(problem)
        return problems + check_files(account, entries, dialect)
    return problems + check_entries(account, requirement, entries, dialect)


def check_callback(account: Account, url: str | None, dialect: Dialect) -> list[Problem]:
    if not url:
        return []
    problem = check_callback_url(
        url,
        ("callback_url",),
        https_only=dialect.https_only,
        allowed=account.settings.allow_callback_hosts,
    )
    return [problem] if problem else []


def callback_warning(account: Account, url: str | None) -> list[str]:
    """Why the callbacks of an application to that URL will not be sent, if so, and what would let
    them: the simulator calls local hosts only (decision "Plain-http callbacks")."""
    host = urlsplit(url).hostname or "" if url else ""
    if not host or looks_local(host, account.settings.allow_callback_hosts):
        return []
    told = blocked_text(host, account.settings.way)
    return [f"callback_url: callbacks will not be sent; {told}"]


def check_alias_and_end_user(
    account: Account,
    dialect: Dialect,
    requirement: Requirement | None,
    alias: str | None,
    details: Mapping[str, str | None],
    before: tuple[Application, EndUser] | None = None,
) -> list[Problem]:
    """What is wrong with the alias and the end user's details that an application is to have.

    ``before``: what a correction starts from; of what it leaves as it was, only what the
    requirement asks for can be wrong.
    """
    application, end_user = before or (None, None)
    problems = check_end_user(requirement, details) if requirement is not None else []
    problems += [
        Problem(ProblemKind.MISSING_FIELD, ("end_user", name), "is required", soft=True)
        for name in dialect.expected_details
        if not details[name] and (end_user is None or getattr(end_user, name))
    ]
    name, last_name = details["name"], details["last_name"]
    known = application and end_user and (application.alias, end_user.name, end_user.last_name)
    if dialect.unique_aliases and known != (alias, name, last_name):
        problems += check_alias(account, alias, name, last_name, end_user, application)
    return problems


def check_alias(
    account: Account,
    alias: str | None,
    name: str | None,
    last_name: str | None,
    end_user: EndUser | None = None,
    own: Application | None = None,
    path: Path = ("alias",),
) -> list[Problem]:
    """An alias is unique for one end user on the live service (field-reported:
    docs/wire-facts.md, "Aliases of applications"): soft. End users of one name and last name are
    one, whichever API made them (inferred).

    ``end_user``: whose name that is to be, if it is stored already; ``own``: the application whose
    alias it is to be.
    """
    for other in _of_alias_and_name(account, alias, name, last_name, end_user):
        if own is None or other.id != own.id:
            text = f"'{alias}' is used by application {other.id} of the same end user"
            return [Problem(ProblemKind.BAD_VALUE, path, text, soft=True)]
    return []


def _of_alias_and_name(
    account: Account,
    alias: str | None,
    name: str | None,
    last_name: str | None,
    end_user: EndUser | None,
) -> Iterator[Application]:
    """The applications with this alias of this end user, or of one of this name. A load test may
    give all of its applications one alias, or all of its end users one name: the rarer of the two
    decides where to look."""
    applications, end_users = account.store.applications, account.store.end_users
    if not alias or not name:
        return

    def is_same(other: EndUser | None) -> bool:
        if other is None or (end_user is not None and other.id == end_user.id):
            return other is not None
        return (other.name, other.last_name) == (name, last_name)

    if applications.how_many("alias", alias) <= end_users.how_many("name", name):
        for each in applications.each("alias", alias):
            if is_same(end_users.fetch(each.end_user_id)):
                yield each
        return
    known = (end_user,) if end_user is not None else ()
    for namesake in filter(is_same, chain(known, end_users.each("name", name))):
        where = {"alias": (alias,), "end_user_id": (namesake.id,)}
        yield from applications.page(where, limit=2).records


def _make(
    account: Account,
    wanted: NewApplication,
    dialect: Dialect,
    requirement: Requirement,
    entries: Sequence[Entry],
    requested: RequestedOutcome | None,
) -> Submission:
    """The records of a new application, to be submitted; its own is stored with that."""
    now = account.now()
    end_user = _make_end_user(account, wanted, dialect.origin, now)
    documents = tuple(
        keep_document(account, entry, end_user.id, dialect.origin, now) for entry in entries
    )
    id, seq = account.next_identity("application")
    assert wanted.alias is not None
    application = Application(
        id=id,
        seq=seq,
        origin=dialect.origin,
        requirement_id=requirement.id,
        country_iso=requirement.country_iso,
        number_type=requirement.number_type,
        user_type=requirement.user_type,
        alias=wanted.alias,
        end_user_id=end_user.id,
        document_ids=tuple(document.id for document in documents),
        status=account.machine.draft,
        callback_url=wanted.callback_url or None,
        callback_method=wanted.callback_method,
        subaccount=wanted.subaccount,
        created_at=now,
        updated_at=now,
    )
    return Submission(
        application=application,
        end_user=end_user,
        documents=documents,
        requirement=requirement,
        via=dialect.origin,
        requested=requested,
    )


def _make_end_user(
    account: Account, wanted: NewApplication, origin: Origin, now: datetime
) -> EndUser:
    assert wanted.user_type is not None
    id, seq = account.next_identity("end_user")
    end_user = EndUser(
        id=id,
        seq=seq,
        origin=origin,
        type=wanted.user_type,
        created_at=now,
        updated_at=now,
        **details_of(wanted.end_user),
    )
    account.store.end_users.put(end_user)
    return end_user


def details_of(given: Mapping[str, str | None]) -> dict[str, Any]:
    """The end-user attributes among these keys, blank ones as None, and always a name."""
    details = {key: filled(given.get(key)) for key in END_USER_DETAILS}
    return {**details, "name": details["name"] or ""}


def _drop_end_user_if_its_own(account: Account, id: str) -> None:
    end_user = account.store.end_users.fetch(id)
    if end_user is None or end_user.origin is Origin.LEGACY:
        return
    if not (
        account.store.applications.having("end_user_id", id)
        or account.store.documents.having("end_user_id", id)
    ):
        account.store.end_users.drop(id)
