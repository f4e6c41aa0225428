"""Applications of the new API: made whole in one call, corrected, listed, deleted.

The legacy API builds the same records piece by piece; see ``drafts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from plivo_sim.domain.events import ApplicationDeleted
from plivo_sim.domain.models import (
    END_USER_DETAILS,
    Application,
    Document,
    DocumentReview,
    EndUser,
    Explanation,
    NumberType,
    Origin,
    PhoneNumber,
    StoredFile,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import (
    DocumentFacts,
    DocumentType,
    Requirement,
    check_documents,
    check_end_user,
)
from plivo_sim.domain.review import Asked, Plan, Submission
from plivo_sim.domain.statuses import CORRECTABLE, LOCKING, UNDELETABLE, Status
from plivo_sim.errors import Fault, Invalid, NotFound, Problem, WrongState
from plivo_sim.ports import Page, Where
from plivo_sim.services import callback_urls, planning, reviews, uploads
from plivo_sim.services.uploads import Upload
from plivo_sim.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDraft:
    """A document in a request: its type by id or word, its fields, its file."""

    type_reference: str
    data_fields: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a dialect decides about an application beyond its wording."""

    origin: Origin
    version: Version
    formats: tuple[str, ...]
    https_only: bool
    replaces_documents: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApplication:
    """A request to create; a value that was missing or unusable is None."""

    country_iso: str | None = None
    number_type: NumberType | None = None
    user_type: UserType | None = None
    alias: str | None = None
    end_user: Mapping[str, str | None] = field(default_factory=dict)
    documents: Sequence[DocumentDraft] = ()
    callback_url: str | None = None
    callback_method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A request to update; None means "not given"."""

    alias: str | None = None
    end_user: Mapping[str, str | None] = field(default_factory=dict)
    documents: Sequence[DocumentDraft] | None = None
    callback_url: str | None = None
    callback_method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a create or update did: the record, the plan for its review, the warnings."""

    application: Application
    plan: Plan
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationView:
    """An application with all that belongs to it, as one consistent picture."""

    application: Application
    end_user: EndUser
    documents: tuple[tuple[Document, DocumentType], ...]
    numbers: tuple[PhoneNumber, ...]


def get(world: World, id: str) -> Application:
    """The application. Raises NotFound."""
    application = world.store.applications.fetch(id)
    if application is None:
        raise NotFound("application", id)
    return application


def page(world: World, where: Where, *, offset: int, limit: int) -> Page[Application]:
    """Some of the account's applications, oldest first."""
    return world.store.applications.page(where, offset=offset, limit=limit)


def view(world: World, application: Application) -> ApplicationView:
    """The application with its end user, documents and numbers."""
    end_user = world.store.end_users.fetch(application.end_user_id)
    if end_user is None:
        raise NotFound("end_user", application.end_user_id)
    return ApplicationView(
        application=application,
        end_user=end_user,
        documents=tuple(
            (document, world.catalogue.types_by_id[document.document_type_id])
            for document in documents_of(world, application)
        ),
        numbers=tuple(world.store.numbers.having("application_id", application.id)),
    )


def documents_of(world: World, application: Application) -> list[Document]:
    """The documents of an application, in its order."""
    found = (world.store.documents.fetch(id) for id in application.document_ids)
    return [document for document in found if document is not None]


def requirement_of(world: World, application: Application) -> Requirement:
    """The requirement that the application was made against and keeps."""
    return world.catalogue.by_id[application.requirement_id]


def create(
    world: World,
    wanted: NewApplication,
    dialect: Dialect,
    found: Iterable[Problem] = (),
    asked: Asked | None = None,
) -> Accepted:
    """Make end user, documents and application in one go and submit it for review.

    ``found``: what the edge already saw wrong with the request. Raises Invalid with that and
    everything that is wrong here; then nothing was made.
    """
    with world.lock:
        requirement = _requirement(world, wanted, dialect.version)
        problems = merge(found, _problems(world, wanted, dialect, requirement))
        warnings = refuse(problems, strict=world.settings.strict)
        assert requirement is not None
        with world.transaction():
            application = _make(world, wanted, dialect, requirement)
            why = "created and submitted"
            application, plan = submit(world, application, why, dialect.origin, asked)
        return Accepted(application=application, plan=plan, warnings=warnings)


class _Undo(Exception):
    """Takes an evaluated submission back."""


def evaluate(
    world: World,
    wanted: NewApplication,
    dialect: Dialect,
    found: Iterable[Problem] = (),
    asked: Asked | None = None,
) -> tuple[Accepted, Explanation]:
    """What ``create`` would do, and why; nothing of it is kept. Raises Invalid as it would."""
    with world.lock:
        try:
            with world.transaction():
                done = create(world, wanted, dialect, found, asked)
                (explanation,) = planning.explanations_of(world, done.application.id)
                raise _Undo
        except _Undo:
            uploads.sweep(world)
            return done, explanation


def correct(
    world: World,
    application: Application,
    change: Correction,
    dialect: Dialect,
    found: Iterable[Problem] = (),
    asked: Asked | None = None,
) -> Accepted:
    """Apply a correction to a rejected application and submit it again: all or nothing.

    Raises WrongState unless it is rejected or needs more information (DECISIONS 17), Invalid
    when the result would not satisfy the requirement.
    """
    if application.status not in CORRECTABLE:
        raise WrongState("application", application.id, "update", application.status)
    with world.lock:
        requirement = requirement_of(world, application)
        end_user = _merged_end_user(world, application, change.end_user)
        entries = _entries(world, application, change, dialect, requirement)
        problems = merge(
            found,
            [
                *_check_entries(requirement, entries, dialect),
                *check_end_user(requirement, end_user),
                *_check_locked(world, application, end_user, change.end_user),
                *_check_callback(world, change.callback_url, dialect),
            ],
        )
        warnings = refuse(problems, strict=world.settings.strict)
        with world.transaction():
            ordered = _in_place(world, application, entries, dialect)
            application = _apply(world, application, change, end_user, ordered)
            why = "corrected and submitted again"
            application, plan = submit(world, application, why, dialect.origin, asked)
            uploads.sweep(world)
        return Accepted(application=application, plan=plan, warnings=warnings)


def submit(
    world: World, application: Application, why: str, via: Origin, asked: Asked | None = None
) -> tuple[Application, Plan]:
    """Hand an application to the reviewer, in the running transaction.

    ``asked``: the outcome that the request itself asks for. Raises WrongState unless the table
    allows it.
    """
    now = world.now()
    attempted = replace(application, attempt=application.attempt + 1, submitted_at=now)
    for document in documents_of(world, application):
        if document.review is not DocumentReview.PENDING:
            world.store.documents.put(
                replace(document, review=DocumentReview.PENDING, review_reason=None)
            )
    event = reviews.change_status(world, attempted, Status.SUBMITTED, at=now, by="client", why=why)
    application = event.application
    shown = view(world, application)
    plan = reviews.schedule(
        world,
        Submission(
            application=application,
            end_user=shown.end_user,
            documents=tuple(document for document, _ in shown.documents),
            requirement=requirement_of(world, application),
            via=via,
            asked=asked,
        ),
    )
    return application, plan


def delete(world: World, application: Application) -> None:
    """Remove an application, its timers, its queued callbacks, and what was made with it.

    Raises WrongState when it is accepted, or while numbers are linked to it (DECISIONS 19).
    """
    numbers = world.store.numbers.having("application_id", application.id)
    linked = f"linked numbers: {', '.join(n.id for n in numbers)}" if numbers else ""
    if application.status in UNDELETABLE or numbers:
        raise WrongState("application", application.id, "delete", application.status, linked)
    with world.transaction():
        world.agenda.cancel(application.id)
        planning.forget(world, application.id)
        world.store.applications.drop(application.id)
        for id in application.document_ids:
            drop_document_if_its_own(world, id)
        _drop_end_user_if_its_own(world, application.end_user_id)
        uploads.sweep(world)
        world.publish(ApplicationDeleted(application=application, at=world.now()))


def refuse(problems: Sequence[Problem], *, strict: bool) -> tuple[Problem, ...]:
    """Raise Invalid if any problem is hard (or strictness makes it so); else return the soft."""
    if any(strict or not problem.soft for problem in problems):
        raise Invalid([problem for problem in problems if strict or not problem.soft])
    return tuple(problems)


def merge(found: Iterable[Problem], more: Iterable[Problem]) -> list[Problem]:
    """Both lists, without those of ``more`` that lie at or below a path already complained of."""
    problems = list(found)
    flagged = {problem.path for problem in problems}
    for problem in more:
        prefixes = {problem.path[:length] for length in range(1, len(problem.path) + 1)}
        if not prefixes & flagged:
            problems.append(problem)
    return problems


# --- creating ----------------------------------------------------------------------------


def _requirement(world: World, wanted: NewApplication, version: Version) -> Requirement | None:
    if wanted.country_iso is None or wanted.number_type is None or wanted.user_type is None:
        return None
    key = (wanted.country_iso, wanted.number_type, wanted.user_type)
    return world.catalogue.find(version, key)


def _problems(
    world: World, wanted: NewApplication, dialect: Dialect, requirement: Requirement | None
) -> list[Problem]:
    problems = [
        *_check_callback(world, wanted.callback_url, dialect),
        *_check_alias(world, wanted),
    ]
    if requirement is None:
        if wanted.country_iso and wanted.number_type and wanted.user_type:
            problems.append(no_requirement(world, wanted, dialect.version))
        files = [(i, d.upload) for i, d in enumerate(wanted.documents) if d.upload]
        return problems + _check_files(files, dialect)
    entries = [_entry_of(draft, requirement) for draft in wanted.documents]
    problems += check_end_user(requirement, wanted.end_user)
    return problems + _check_entries(requirement, entries, dialect)


def no_requirement(world: World, wanted: NewApplication, version: Version) -> Problem:
    """The problem of a country, number type and user type that the catalogue does not have."""
    text = (
        f"no compliance requirement for {wanted.country_iso}/{wanted.number_type}/"
        f"{wanted.user_type}; the catalogue has {', '.join(world.catalogue.countries(version))}"
    )
    there = world.catalogue.of_country(version, wanted.country_iso or "")
    same_number_type = any(r.number_type is wanted.number_type for r in there)
    lacking = "user_type" if same_number_type else "number_type" if there else "country_iso"
    return Problem(Fault.NO_REQUIREMENT, ("country_iso",), text, {"lacking": lacking})


def _check_callback(world: World, url: str | None, dialect: Dialect) -> list[Problem]:
    if not url:
        return []
    problem = callback_urls.check(
        url,
        ("callback_url",),
        https_only=dialect.https_only,
        allowed=world.settings.allow_callback_hosts,
    )
    return [problem] if problem else []


def _check_alias(world: World, wanted: NewApplication) -> list[Problem]:
    """An alias is unique for one end user on the live service (field-reported): soft."""
    if not wanted.alias:
        return []
    for other in world.store.applications.having("alias", wanted.alias):
        end_user = world.store.end_users.fetch(other.end_user_id)
        if end_user is not None and end_user.name == wanted.end_user.get("name"):
            text = f"'{wanted.alias}' is used by application {other.id} of the same end user"
            return [Problem(Fault.BAD_VALUE, ("alias",), text, soft=True)]
    return []


def _make(
    world: World, wanted: NewApplication, dialect: Dialect, requirement: Requirement
) -> Application:
    now = world.now()
    assert wanted.alias is not None
    assert wanted.user_type is not None
    end_user = EndUser(
        id=world.ids.next("end_user"),
        seq=world.next_seq(),
        origin=dialect.origin,
        type=wanted.user_type,
        created_at=now,
        updated_at=now,
        **details_of(wanted.end_user),
    )
    world.store.end_users.put(end_user)
    documents = [
        _keep_document(world, _entry_of(draft, requirement), end_user.id, dialect.origin)
        for draft in wanted.documents
    ]
    return Application(
        id=world.ids.next("application"),
        seq=world.next_seq(),
        origin=dialect.origin,
        requirement_id=requirement.id,
        country_iso=requirement.country_iso,
        number_type=requirement.number_type,
        user_type=requirement.user_type,
        alias=wanted.alias,
        end_user_id=end_user.id,
        document_ids=tuple(document.id for document in documents),
        status=Status.DRAFT,
        callback_url=wanted.callback_url or None,
        callback_method=wanted.callback_method,
        created_at=now,
        updated_at=now,
    )


def details_of(given: Mapping[str, str | None]) -> dict[str, Any]:
    """The end-user attributes among these keys, empty ones as None, and always a name."""
    details = {key: given.get(key) or None for key in END_USER_DETAILS}
    return {**details, "name": given.get("name") or ""}


# --- documents: what is there, what comes in ---------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One document of the set that a request leads to: new, or one that stays."""

    type: DocumentType | None
    reference: str
    data_fields: Mapping[str, str]
    upload: Upload | None = None
    kept: Document | None = None

    @property
    def content(self) -> str | None:
        if self.upload is not None and self.upload.content:
            return self.upload.sha256
        return self.kept.file.sha256 if self.kept and self.kept.file else None


def _entry_of(draft: DocumentDraft, requirement: Requirement) -> _Entry:
    return _Entry(
        type=requirement.document_type(draft.type_reference),
        reference=draft.type_reference,
        data_fields=draft.data_fields,
        upload=draft.upload,
    )


def _entries(
    world: World,
    application: Application,
    change: Correction,
    dialect: Dialect,
    requirement: Requirement,
) -> list[_Entry]:
    """The set of documents that a correction leads to (DECISIONS 18)."""
    kept = [
        _Entry(
            type=world.catalogue.types_by_id[document.document_type_id],
            reference=document.document_type_id,
            data_fields=dict(document.data_fields),
            kept=document,
        )
        for document in documents_of(world, application)
    ]
    if change.documents is None:
        return kept
    given = [_entry_of(draft, requirement) for draft in change.documents]
    if dialect.replaces_documents:
        return given
    replaced = {entry.type.id for entry in given if entry.type is not None}
    staying = [entry for entry in kept if entry.type and entry.type.id not in replaced]
    return [_with_fields_kept(entry, kept) for entry in given] + staying


def _with_fields_kept(entry: _Entry, kept: Sequence[_Entry]) -> _Entry:
    """A new file in the place of another takes over its data fields, unless it brings its own."""
    if entry.data_fields or entry.type is None:
        return entry
    before = next((old for old in kept if old.type and old.type.id == entry.type.id), None)
    return replace(entry, data_fields=before.data_fields) if before else entry


def _in_place(
    world: World, application: Application, entries: Sequence[_Entry], dialect: Dialect
) -> list[_Entry]:
    """The entries in the order to keep: what replaces a document stands where that one stood."""
    if dialect.replaces_documents:
        return list(entries)
    before = [document.document_type_id for document in documents_of(world, application)]

    def place(entry: _Entry) -> int:
        id = entry.type.id if entry.type else ""
        return before.index(id) if id in before else len(before)

    return sorted(entries, key=place)


def _check_entries(
    requirement: Requirement, entries: Sequence[_Entry], dialect: Dialect
) -> list[Problem]:
    facts = [
        DocumentFacts(
            type=entry.type,
            type_reference=entry.reference,
            data_fields=entry.data_fields,
            has_file=entry.upload is not None or (entry.kept is not None and bool(entry.content)),
            index=index,
        )
        for index, entry in enumerate(entries)
    ]
    fresh = [(i, entry.upload) for i, entry in enumerate(entries) if entry.upload is not None]
    return merge(
        _check_files(fresh, dialect),
        [
            *check_documents(requirement, facts, allow_surplus=False),
            *([] if dialect.replaces_documents else _check_named_once(entries)),
            *_check_distinct(entries),
        ],
    )


def _check_named_once(entries: Sequence[_Entry]) -> list[Problem]:
    """Where documents are replaced by type, one request can name a type once."""
    first: dict[str, int] = {}
    problems = []
    for index, entry in enumerate(entries):
        if entry.kept is not None or entry.type is None:
            continue
        if entry.type.id in first:
            text = f"names the same type as documents[{first[entry.type.id]}]"
            path = ("documents", index, "document_type_id")
            problems.append(Problem(Fault.BAD_VALUE, path, text))
        first.setdefault(entry.type.id, index)
    return problems


def _check_distinct(entries: Sequence[_Entry]) -> list[Problem]:
    """The same file twice; a file that stays has no place in the request to complain of."""
    problems = uploads.check_distinct(
        [(i, e.content) for i, e in enumerate(entries) if e.content and e.kept is None]
    )
    stays = {e.content: e.type for e in entries if e.kept is not None and e.type}
    for index, entry in enumerate(entries):
        type_ = stays.get(entry.content) if entry.kept is None and entry.content else None
        if type_ is not None:
            text = f"the same file as the '{type_.name}' that the application has"
            problems.append(Problem(Fault.BAD_FILE, ("documents", index, "file"), text))
    return problems


def _check_files(files: Iterable[tuple[int, Upload]], dialect: Dialect) -> list[Problem]:
    found = (uploads.check(f, ("documents", i, "file"), dialect.formats) for i, f in files)
    return [problem for problem in found if problem is not None]


def _keep_document(world: World, entry: _Entry, end_user_id: str, origin: Origin) -> Document:
    if entry.kept is not None:
        return entry.kept
    assert entry.type is not None
    file: StoredFile | None = uploads.keep(world, entry.upload) if entry.upload else None
    now = world.now()
    document = Document(
        id=world.ids.next("document"),
        seq=world.next_seq(),
        origin=origin,
        end_user_id=end_user_id,
        document_type_id=entry.type.id,
        data_fields=tuple(entry.data_fields.items()),
        file=file,
        created_at=now,
        updated_at=now,
    )
    world.store.documents.put(document)
    return document


def drop_document_if_its_own(world: World, id: str) -> None:
    """Remove a document that one call of the new API made and that no application has now."""
    document = world.store.documents.fetch(id)
    if document is None or document.origin is Origin.LEGACY:
        return
    if not world.store.applications.having("document_ids", id):
        world.store.documents.drop(id)


def _drop_end_user_if_its_own(world: World, id: str) -> None:
    end_user = world.store.end_users.fetch(id)
    if end_user is None or end_user.origin is Origin.LEGACY:
        return
    if not (
        world.store.applications.having("end_user_id", id)
        or world.store.documents.having("end_user_id", id)
    ):
        world.store.end_users.drop(id)


# --- correcting ----------------------------------------------------------------------------


def _merged_end_user(
    world: World, application: Application, given: Mapping[str, str | None]
) -> EndUser:
    """The end user with the given keys changed; a key that is given as None keeps its value."""
    end_user = world.store.end_users.fetch(application.end_user_id)
    if end_user is None:
        raise NotFound("end_user", application.end_user_id)
    changed: dict[str, Any] = {
        key: value for key, value in given.items() if key in END_USER_DETAILS and value is not None
    }
    return replace(end_user, **changed) if changed else end_user


def _check_locked(
    world: World, application: Application, merged: EndUser, given: Mapping[str, str | None]
) -> list[Problem]:
    """An end user that a submitted or accepted application uses cannot change under it."""
    problems = []
    type_ = given.get("type")
    if type_ is not None and type_ != application.user_type:
        text = f"cannot change from {application.user_type}"
        problems.append(Problem(Fault.BAD_VALUE, ("end_user", "type"), text))
    if merged != world.store.end_users.fetch(merged.id):
        problems += [
            Problem(Fault.BAD_VALUE, ("end_user",), f"is locked by application {other.id}")
            for other in world.store.applications.having("end_user_id", merged.id)
            if other.id != application.id and other.status in LOCKING
        ]
    return problems


def _apply(
    world: World,
    application: Application,
    change: Correction,
    end_user: EndUser,
    entries: Sequence[_Entry],
) -> Application:
    now = world.now()
    if end_user != world.store.end_users.fetch(end_user.id):
        world.store.end_users.put(replace(end_user, updated_at=now))
    documents = [_keep_document(world, entry, end_user.id, application.origin) for entry in entries]
    changed = replace(
        application,
        alias=change.alias or application.alias,
        document_ids=tuple(document.id for document in documents),
        callback_url=application.callback_url if change.callback_url is None
        else change.callback_url or None,
        callback_method=change.callback_method or application.callback_method,
        updated_at=now,
    )  # fmt: skip
    world.store.applications.put(changed)
    for id in set(application.document_ids) - set(changed.document_ids):
        drop_document_if_its_own(world, id)
    return changed
