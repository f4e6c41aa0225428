"""The set of documents that a request leads to: what stays, what comes in, what is wrong.

The page adds or replaces documents by type (documented); the SDKs' update replaces the whole set
(field-reported).

Files that come in: what is wrong with one, and keeping it.

Rules: 5 MB each (documented; 5 MiB here, the lenient reading), names up to 99 characters, no
empty file (field-reported). Types are told by the first bytes, never by name or header. The same
file in two slots of one application is a warning: Plivo's tools list it among the causes of a
rejection, and no page makes it a rule of the API (documented: docs/wire-facts.md, "The same file in
two slots").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from itertools import chain

import msgspec
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain import limits
from plivo_sim.domain.errors import FileDamaged, Path, Problem, ProblemKind
from plivo_sim.domain.records import Application, Document, MediaType, Origin, StoredFile
from plivo_sim.domain.requirements import DocumentFacts, DocumentType, Requirement, check_documents
from plivo_sim.domain.typed import dotted
from plivo_sim.services.inputs import Correction, Dialect, DocumentDraft, Upload, merge

LARGEST_BYTES = 5 * 1024 * 1024
LONGEST_NAME = 99

_MAGIC: tuple[tuple[bytes, str, MediaType], ...] = (
    (b"%PDF-", "PDF", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
    (b"\xff\xd8\xff", "JPEG", "image/jpeg"),
)


def kind_of(content: bytes) -> tuple[str, MediaType] | None:
    """``("PDF", "application/pdf")`` and the like, by the first bytes; None if it is neither."""
    for magic, word, media_type in _MAGIC:
        if content.startswith(magic):
            return word, media_type
    return None


def check(upload: Upload, path: Path, formats: Sequence[str]) -> Problem | None:
    """The first thing that is wrong with a file."""

    def bad(text: str) -> Problem:
        return Problem(ProblemKind.BAD_FILE, path, text)

    if not upload.content:
        return bad(f"file '{upload.name}' is empty")
    if len(upload.content) > LARGEST_BYTES:
        return bad(f"file '{upload.name}' exceeds the 5 MB size limit")
    if len(upload.name) > LONGEST_NAME:
        return bad(f"file name has {len(upload.name)} characters, at most {LONGEST_NAME} allowed")
    kind = kind_of(upload.content)
    if kind is None or kind[0] not in formats:
        found = f"it is {kind[0]}" if kind else "its content is none of them"
        return bad(f"file '{upload.name}' must be {' or '.join(formats)}; {found}")
    return None


def check_distinct(files: Iterable[tuple[Path, bytes | str]]) -> list[Problem]:
    """The same file in two slots of one application, softly; ``files``: where the request names
    each, and its content (or the hash of a kept one)."""
    first: dict[bytes | str, Path] = {}
    problems = []
    for path, content in files:
        if content in first:
            problems.append(_same_file(path, dotted(first[content])))
        first.setdefault(content, path)
    return problems


def _same_file(path: Path, other: str) -> Problem:
    text = f"the same file as {other}, which is a cause of rejection"
    return Problem(ProblemKind.BAD_FILE, path, text, soft=True)


def check_room(account: Account, files: Iterable[tuple[Path, Upload]]) -> list[Problem]:
    """Whether the account may keep these files too, once what nobody refers to any more has gone,
    which it does when they are written (a limit of the simulator's own, ``account_files``). Raises
    StorageFailed."""
    files = list(files)
    more = {upload.sha256: len(upload.content) for _, upload in files}
    if not more:
        return []
    size_bytes = account.files.size_with(more)
    if size_bytes > limits.ACCOUNT_FILES.most:
        size_bytes = _needed_bytes(account, more)
    if size_bytes <= limits.ACCOUNT_FILES.most:
        return []
    path, upload = files[0]
    text = f"the account's files would have {size_bytes} bytes: {limits.ACCOUNT_FILES}"
    return [Problem(ProblemKind.BAD_FILE, path, text, {"name": upload.name})]


def _needed_bytes(account: Account, more: Mapping[str, int]) -> int:
    """How much documents and snapshots need with these files (hash -> bytes)."""
    marked = (mark["documents"].values() for mark in account.marks.values())
    documents = chain(account.store.documents.every(), *marked)
    sizes = {each.file.sha256: each.file.size_bytes for each in documents if each.file is not None}
    return sum({**sizes, **more}.values())


def _make_room(account: Account) -> None:
    if account.files.size_with({}) > limits.ACCOUNT_FILES.most:
        account.undo_points.clear()  # nobody asked to keep them: they give way
        account.any_file_loose = True
        _sweep(account)


@contextmanager
def prepared(account: Account, uploads: Iterable[Upload | None]) -> Iterator[None]:
    """Within, these are kept at once: hashing and writing them, which takes long, is done before,
    while nobody waits for the account. Caller does not hold its lock."""
    with ExitStack() as ends:
        for each in uploads:
            if each is not None and len(each.content) <= LARGEST_BYTES and kind_of(each.content):
                ends.callback(account.files.prepare(each.content, each.sha256))
        yield


def keep(account: Account, upload: Upload) -> StoredFile:
    """Store a checked file. It is loose until the record that refers to it is written."""
    kind = kind_of(upload.content)
    assert kind is not None
    sha256 = account.files.keep(upload.content, upload.sha256)
    account.loose_files.add(sha256)
    account.when_written(partial(account.loose_files.discard, sha256))
    account.when_written(partial(_make_room, account))
    return StoredFile(
        sha256=sha256,
        name=upload.name,
        size_bytes=len(upload.content),
        media_type=kind[1],
    )


def content_of(account: Account, file: StoredFile) -> bytes:
    """The bytes that were uploaded. Raises FileDamaged when they cannot be had any more."""
    content = account.files.read(file.sha256)
    if content is None:
        raise FileDamaged(f"the uploaded file {file.sha256} of this account is missing")
    return content


def release(account: Account, document: Document) -> None:
    """A document goes, or gets another file: the next sweep looks whether anybody needs its own."""
    if document.file is not None:
        account.loose_files.add(document.file.sha256)


def sweep(account: Account) -> None:
    """Forget the files that no document refers to; not while a mark might need one of them.

    Within a transaction it waits until that is written: one that is not leaves the records that
    need them, and so would a kill in between.
    """
    account.when_written(lambda: _sweep(account))


@contextmanager
def swept(account: Account) -> Iterator[None]:
    """Afterwards, what no document refers to is forgotten: what the records before needed, and what
    was kept for others that could not be written."""
    try:
        yield
    finally:
        sweep(account)


def _sweep(account: Account) -> None:
    with account.lock:
        if account.any_file_loose:
            documents = account.store.documents.every()
            kept = {d.file.sha256 for d in documents if d.file is not None}
            kept |= account.marked_files()
            account.any_file_loose = not account.files.forget_all_but(kept)
        if account.marks or account.undo_points:
            return
        account.loose_files = {
            sha256
            for sha256 in account.loose_files
            if not account.store.documents.how_many("file_sha256", sha256)
            and not account.files.forget(sha256)
        }


def documents_of(account: Account, application: Application) -> list[Document]:
    """The documents of an application, in its order."""
    found = (account.store.documents.fetch(id) for id in application.document_ids)
    return [document for document in found if document is not None]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
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


def entries_for(drafts: Iterable[DocumentDraft], requirement: Requirement | None) -> list[Entry]:
    """The documents of a request; without a requirement nobody knows their types."""
    return [
        Entry(
            type=requirement.document_type(draft.type_reference) if requirement else None,
            reference=draft.type_reference,
            data_fields=draft.data_fields,
            upload=draft.upload,
        )
        for draft in drafts
    ]


def entries_of(
    account: Account,
    application: Application,
    change: Correction,
    dialect: Dialect,
    requirement: Requirement,
) -> list[Entry]:
    """The set of documents that a correction leads to (decision "All-or-nothing corrections")."""
    kept = [
        Entry(
            type=account.catalogue.types_by_id[document.document_type_id],
            reference=document.document_type_id,
            data_fields=dict(document.data_fields),
            kept=document,
        )
        for document in documents_of(account, application)
    ]
    if change.documents is None:
        return kept
    given = entries_for(change.documents, requirement)
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
    account: Account, application: Application, entries: Sequence[Entry], dialect: Dialect
) -> list[Entry]:
    """The entries in the order to keep: what replaces a document stands where that one stood."""
    if dialect.replaces_documents:
        return list(entries)
    before = [document.document_type_id for document in documents_of(account, application)]

    def place(entry: Entry) -> int:
        id = entry.type.id if entry.type else ""
        return before.index(id) if id in before else len(before)

    return sorted(entries, key=place)


def check_entries(
    account: Account, requirement: Requirement, entries: Sequence[Entry], dialect: Dialect
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
    return merge(
        check_files(account, entries, dialect),
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
            problems.append(Problem(ProblemKind.BAD_VALUE, path, text))
        first.setdefault(entry.type.id, index)
    return problems


def _check_distinct(entries: Sequence[Entry]) -> list[Problem]:
    """The same file twice; a file that stays has no place in the request to complain of."""
    problems = check_distinct(
        [
            (("documents", i, "file"), e.content)
            for i, e in enumerate(entries)
            if e.content and e.kept is None
        ]
    )
    stays = {e.content: e.type for e in entries if e.kept is not None and e.type}
    for index, entry in enumerate(entries):
        type_ = stays.get(entry.content) if entry.kept is None and entry.content else None
        if type_ is not None:
            path = ("documents", index, "file")
            problems.append(_same_file(path, f"the '{type_.name}' that the application has"))
    return problems


def check_files(account: Account, entries: Iterable[Entry], dialect: Dialect) -> list[Problem]:
    """What is wrong with the files that came with the request."""
    files: list[tuple[Path, Upload]] = [
        (("documents", index, "file"), entry.upload)
        for index, entry in enumerate(entries)
        if entry.upload
    ]
    found = (check(upload, path, dialect.formats) for path, upload in files)
    problems = [problem for problem in found if problem is not None]
    return problems or check_room(account, files)


def keep_document(
    account: Account, entry: Entry, end_user_id: str, origin: Origin, now: datetime
) -> Document:
    """The document of an entry, and its file; made now unless it stays."""
    if entry.kept is not None:
        return entry.kept
    assert entry.type is not None
    file: StoredFile | None = keep(account, entry.upload) if entry.upload else None
    id, seq = account.next_identity("document")
    document = Document(
        id=id,
        seq=seq,
        origin=origin,
        end_user_id=end_user_id,
        document_type_id=entry.type.id,
        data_fields=tuple(entry.data_fields.items()),
        file=file,
        created_at=now,
        updated_at=now,
    )
    account.store.documents.put(document)
    return document


def drop_document_if_its_own(account: Account, id: str) -> None:
    """Remove a document that one call of the new API made and that no application has now."""
    document = account.store.documents.fetch(id)
    if document is None or document.origin is Origin.LEGACY:
        return
    if not account.store.applications.having("document_ids", id):
        release(account, document)
        account.store.documents.drop(id)
