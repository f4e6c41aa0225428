"""Documents that stand alone, as the legacy API makes them, to be used by many applications.

Those that one call of the new API made are the same records, without an alias.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Page, Where
from plivo_sim.domain.errors import NotFound, Problem, ProblemKind
from plivo_sim.domain.records import Application, Document, Origin
from plivo_sim.domain.requirements import DocumentType, check_data_fields, too_much
from plivo_sim.services import document_sets as uploads
from plivo_sim.services.end_users import locking, named, refuse_if_used
from plivo_sim.services.inputs import Upload, merge, refuse

FORMATS = ("PDF", "PNG", "JPEG")
LONGEST_VALUE = 1000
"""Of a data field that the document type does not know (invented)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRequest:
    """A request to create or to update.

    On create, None is a value that was missing or unusable; on update, one that was not given.
    ``data_fields`` holds what was filled in, never empty values.
    """

    end_user_id: str | None = None
    document_type_id: str | None = None
    alias: str | None = None
    data_fields: Mapping[str, str] = field(default_factory=dict)
    upload: Upload | None = None


def get(account: Account, id: str) -> Document:
    """The document. Raises NotFound."""
    document = account.store.documents.fetch(id)
    if document is None:
        raise NotFound("document", id)
    return document


def page(account: Account, where: Where, *, offset: int, limit: int) -> Page[Document]:
    """Some of the account's documents, oldest first."""
    return account.store.documents.page(where, offset=offset, limit=limit)


def create(account: Account, wanted: DocumentRequest, found: Iterable[Problem] = ()) -> Document:
    """Make a document; its file may come later.

    ``found``: what the edge already saw wrong. Raises Invalid with that and everything wrong
    here: unknown end user or type, an alias that is taken, a file that cannot be taken, fields that
    the type asks for and that are missing (field-reported: docs/wire-facts.md, "Data fields are
    checked at upload") or break its rules (inferred).
    """
    with uploads.prepared(account, [wanted.upload]), account.lock:
        _refuse(account, wanted, None, found)
        assert wanted.end_user_id is not None
        assert wanted.document_type_id is not None
        with account.transaction():
            now = account.now()
            document = Document(
                id=account.ids.next("document"),
                seq=account.next_seq(),
                origin=Origin.LEGACY,
                end_user_id=wanted.end_user_id,
                document_type_id=wanted.document_type_id,
                alias=wanted.alias,
                data_fields=tuple(wanted.data_fields.items()),
                file=uploads.keep(account, wanted.upload) if wanted.upload else None,
                created_at=now,
                updated_at=now,
            )
            account.store.documents.put(document)
        return document


def update(
    account: Account, id: str, change: DocumentRequest, found: Iterable[Problem] = ()
) -> Document:
    """Change a document: data fields merge by name, a new file replaces the old.

    Raises NotFound, InUse while an application uses it that is submitted or has been accepted
    (decision "Locked documents") or when its end user would change while any does, Invalid as a
    create of what would result from it does (inferred).
    """
    with uploads.prepared(account, [change.upload]), account.lock:
        document = get(account, id)
        users = _users(account, id)
        refuse_if_used("document", id, "update", locking(account, users))
        if change.end_user_id not in (None, document.end_user_id):
            refuse_if_used("document", id, "change the end user of", named(users))
        _refuse(account, change, document, found)
        with account.transaction():
            changed = _changed(account, document, change)
            if changed != document:
                changed = replace(changed, updated_at=account.now())
                account.store.documents.put(changed)
                for each in users:
                    said = tuple(pair for pair in each.reviewed if pair[0] != id)
                    if said != each.reviewed:
                        account.store.applications.put(replace(each, reviewed=said))
            uploads.release(account, document)
            uploads.sweep(account)
        return changed


def _changed(account: Account, document: Document, change: DocumentRequest) -> Document:
    given: dict[str, Any] = {
        "end_user_id": change.end_user_id,
        "document_type_id": change.document_type_id,
        "alias": change.alias,
        "file": uploads.keep(account, change.upload) if change.upload else None,
    }
    fields = dict(document.data_fields) | dict(change.data_fields)
    return replace(
        document,
        data_fields=tuple(fields.items()),
        **{key: value for key, value in given.items() if value is not None},
    )


def delete(account: Account, id: str) -> None:
    """Remove a document and its file. Raises NotFound, InUse while any application uses it."""
    with account.lock:
        document = get(account, id)
        refuse_if_used("document", id, "delete", named(_users(account, id)))
        with account.transaction():
            uploads.release(account, document)
            account.store.documents.drop(id)
        uploads.sweep(account)


def _users(account: Account, id: str) -> list[Application]:
    return account.store.applications.having("document_ids", id)


def _refuse(
    account: Account, wanted: DocumentRequest, before: Document | None, found: Iterable[Problem]
) -> None:
    """``before``: the document that is to change."""
    type_id = wanted.document_type_id or (before.document_type_id if before else None)
    values = {**(dict(before.data_fields) if before else {}), **wanted.data_fields}
    problems = _check_alias(account, wanted.alias, before)
    if wanted.end_user_id and account.store.end_users.fetch(wanted.end_user_id) is None:
        text = f"no end user '{wanted.end_user_id[:50]}' in this account"
        problems.append(Problem(ProblemKind.UNKNOWN_RECORD, ("end_user_id",), text))
    type_ = account.catalogue.types_by_id.get(type_id) if type_id else None
    if wanted.document_type_id and type_ is None:
        text = f"no document type '{wanted.document_type_id[:50]}'"
        problems.append(Problem(ProblemKind.UNKNOWN_DOCUMENT_TYPE, ("document_type_id",), text))
    long = too_much(values) if wanted.data_fields else ""  # older ones stay as they are
    if long:
        text = f"the document's data {long}"
        problems.append(Problem(ProblemKind.BAD_LENGTH, ("data_fields",), text))
    problems += _check_values(type_, values)
    if wanted.upload is not None:
        problem = uploads.check(wanted.upload, ("file",), FORMATS)
        room = uploads.check_room(account, [(("file",), wanted.upload)])
        problems += [problem] if problem else room
    refuse(merge(found, problems), strict=account.settings.strict)


def _check_alias(account: Account, alias: str | None, before: Document | None) -> list[Problem]:
    """A second document of one alias is refused (field-reported: docs/wire-facts.md, "Document
    aliases are unique"). Only the legacy API gives documents an alias."""
    for other in account.store.documents.each("alias", alias) if alias else ():
        if before is None or other.id != before.id:
            text = f"document '{other.alias:.50}' already exists: {other.id}"
            return [Problem(ProblemKind.BAD_VALUE, ("alias",), text)]
    return []


def _check_values(type_: DocumentType | None, values: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the data fields: with those that the type asks for, and with others."""
    path = ("data_fields",)
    problems = check_data_fields(type_, values, path) if type_ else []
    asked = {rule.name for rule in type_.fields} if type_ else set()
    for name, value in values.items():
        if name not in asked and len(value) > LONGEST_VALUE:
            text = f"must have at most {LONGEST_VALUE} characters, has {len(value)}"
            problems.append(Problem(ProblemKind.BAD_LENGTH, (*path, name), text))
    return problems
