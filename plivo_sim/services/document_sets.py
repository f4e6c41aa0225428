"""The set of documents that a request leads to: what stays, what comes in, what is wrong.

The page adds or replaces documents by type (documented); the SDKs' update replaces the whole set
(field-reported).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from plivo_sim.domain.models import Application, Document, Origin, StoredFile
from plivo_sim.domain.requirements import (
    DocumentFacts,
    DocumentType,
    Requirement,
    check_documents,
)
from plivo_sim.errors import Fault, Problem
from plivo_sim.services import uploads
from plivo_sim.services.inputs import Correction, Dialect, DocumentDraft, merge
from plivo_sim.services.uploads import Upload
from plivo_sim.world import World


def documents_of(world: World, application: Application) -> list[Document]:
    """The documents of an application, in its order."""
    found = (world.store.documents.fetch(id) for id in application.document_ids)
    return [document for document in found if document is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
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


def entry_of(draft: DocumentDraft, requirement: Requirement) -> Entry:
    return Entry(
        type=requirement.document_type(draft.type_reference),
        reference=draft.type_reference,
        data_fields=draft.data_fields,
        upload=draft.upload,
    )


def entries_of(
    world: World,
    application: Application,
    change: Correction,
    dialect: Dialect,
    requirement: Requirement,
) -> list[Entry]:
    """The set of documents that a correction leads to (DECISIONS 18)."""
    kept = [
        Entry(
            type=world.catalogue.types_by_id[document.document_type_id],
            reference=document.document_type_id,
            data_fields=dict(document.data_fields),
            kept=document,
        )
        for document in documents_of(world, application)
    ]
    if change.documents is None:
        return kept
    given = [entry_of(draft, requirement) for draft in change.documents]
    if dialect.replaces_documents:
        return given
    replaced = {entry.type.id for entry in given if entry.type is not None}
    staying = [entry for entry in kept if entry.type and entry.type.id not in replaced]
    return [_with_fields_kept(entry, kept) for entry in given] + staying


def _with_fields_kept(entry: Entry, kept: Sequence[Entry]) -> Entry:
    """A new file in the place of another takes over its data fields, unless it brings its own."""
    if entry.data_fields or entry.type is None:
        return entry
    before = next((old for old in kept if old.type and old.type.id == entry.type.id), None)
    return replace(entry, data_fields=before.data_fields) if before else entry


def in_place(
    world: World, application: Application, entries: Sequence[Entry], dialect: Dialect
) -> list[Entry]:
    """The entries in the order to keep: what replaces a document stands where that one stood."""
    if dialect.replaces_documents:
        return list(entries)
    before = [document.document_type_id for document in documents_of(world, application)]

    def place(entry: Entry) -> int:
        id = entry.type.id if entry.type else ""
        return before.index(id) if id in before else len(before)

    return sorted(entries, key=place)


def check_entries(
    requirement: Requirement, entries: Sequence[Entry], dialect: Dialect
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
        check_files(fresh, dialect),
        [
            *check_documents(requirement, facts, allow_surplus=False),
            *([] if dialect.replaces_documents else _check_named_once(entries)),
            *_check_distinct(entries),
        ],
    )


def _check_named_once(entries: Sequence[Entry]) -> list[Problem]:
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


def _check_distinct(entries: Sequence[Entry]) -> list[Problem]:
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


def check_files(files: Iterable[tuple[int, Upload]], dialect: Dialect) -> list[Problem]:
    found = (uploads.check(f, ("documents", i, "file"), dialect.formats) for i, f in files)
    return [problem for problem in found if problem is not None]


def keep_document(world: World, entry: Entry, end_user_id: str, origin: Origin) -> Document:
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
        uploads.release(world, document)
        world.store.documents.drop(id)
