"""A moment of an account as one JSON document: records, clock, timers, dice, and the files.

To keep in a file, to carry to another simulator, or to look at. A document may come from anywhere:
nothing of it is applied before all of it has been read into types and checked.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from itertools import chain, islice
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.account.store.files import sha256_of
from plivo_sim.account.store.format import RECORD_TYPES, to_plain
from plivo_sim.domain import limits
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind
from plivo_sim.domain.limits import LATEST
from plivo_sim.domain.records import StoredFile, checked_hash
from plivo_sim.domain.text import encode_json
from plivo_sim.domain.typed import Found, Steps, all_misfits, convert, dotted
from plivo_sim.scenarios.complaints import words_in
from plivo_sim.scenarios.validation import mistakes_of
from plivo_sim.services import policies
from plivo_sim.services.document_sets import content_of, kind_of
from plivo_sim.services.integrity import excess_of, problems_of
from plivo_sim.services.machines import machine_in, whole_scenario
from plivo_sim.settings import HOSTS

FORMAT = 1
MOST_PROBLEMS = 100
"""So many are told; a document that has more is none."""

SECRETS = {"ledger": ("token", "subaccount_token", "move", "leaving_to", "leaving_by")}
"""Table -> fields that never leave."""
_ALONE = nullcontext()


def save_snapshot(
    account: Account, mark: Mark, making: AbstractContextManager[object] = _ALONE
) -> dict[str, Any]:
    """The mark as what ``encode_json`` takes, files as bytes, which become base64. ``making`` is
    held while objects are made, and not while files are read. Raises FileDamaged when an uploaded
    file cannot be had any more, and Invalid, before any is read, when the document would be larger
    than ``load_snapshot`` can be given it."""
    files = {d.file.sha256: d.file for d in mark["documents"].values() if d.file is not None}
    with making:
        tables = {
            name: {
                record.id: _leaving(name, to_plain(record))
                for record in sorted(rows.values(), key=attrgetter("seq"))
            }
            for name, rows in mark.items()
        }
        _refuse(_too_large(tables, files.values()))
    return {
        "plivo_sim_snapshot": FORMAT,
        "account": account.auth_id,
        "tables": tables,
        "files": {sha256: content_of(account, file) for sha256, file in sorted(files.items())},
    }


_BESIDE_BYTES = 1024
"""What the body of a restore has beside the tables and the texts of the files; of each file's name
and quotes, ``_BESIDE_FILE_BYTES``."""
_BESIDE_FILE_BYTES = 80


def _too_large(tables: Mapping[str, Any], files: Iterable[StoredFile]) -> Iterator[Found]:
    text = encode_json(tables)
    if (values := sum(map(text.count, (b",", b"[", b"{")))) > limits.SNAPSHOT_VALUES.most:
        yield ("name",), f"its document has {values} values: {limits.SNAPSHOT_VALUES}"
    size = _BESIDE_BYTES + len(text)
    size += sum(4 * (file.size_bytes // 3 + 1) + _BESIDE_FILE_BYTES for file in files)
    if size > limits.BODY.most:
        yield ("name",), f"its document has {size} bytes, files included: {limits.BODY}"


def _leaving(table: str, plain: dict[str, Any]) -> dict[str, Any]:
    plain = without_secrets(table, plain)
    if table == "ledger":
        plain["overrides"] = {k: v for k, v in plain["overrides"].items() if k != HOSTS}
    return plain


def without_secrets(table: str, plain: dict[str, Any]) -> dict[str, Any]:
    """A record as it may leave: the ledger without the account's tokens and moves."""
    return {key: value for key, value in plain.items() if key not in SECRETS.get(table, ())}


def load_snapshot(account: Account, document: Any) -> Mark:
    """A mark from a document, its files kept, and taken out of it. Caller holds the lock.

    The account's token is no part of it, nor are the hosts that its callbacks may go to and the
    move in which it came: the account keeps those that it has. Raises Invalid with what is wrong
    and where, and FileDamaged for a file that it does not bring along; then nothing of it was kept.
    """
    found = document.get("plivo_sim_snapshot") if isinstance(document, dict) else None
    if type(found) is not int or found != FORMAT:
        other = f", not {found}" if type(found) is int else ""
        _refuse([((), f"must be a snapshot document of format {FORMAT}{other}")])
    tables, texts = document.get("tables"), document.get("files", {})
    _refuse(_misshapen(tables, texts))
    mark: Mark = {name: {} for name in RECORD_TYPES}
    files: dict[str, bytes] = {}
    _refuse(chain(_read_tables(tables, mark), _read_files(texts, files)))
    mark["ledger"] = {
        id: replace(
            ledger,
            token=account.token,
            subaccount_token=account.subaccount_token,
            move=account.move,
            leaving_to=None,
            leaving_by="",
            overrides={k: v for k, v in ledger.overrides.items() if k != HOSTS}
            | {k: v for k, v in account.overrides.items() if k == HOSTS},
        )
        for id, ledger in mark["ledger"].items()
    }
    found_later = chain(
        problems_of(account, mark),
        excess_of(account, mark),
        _wrong_instants(mark),
        _mistaken_policies(account, mark),
        _lost_files(account, mark, files),
        _too_much(account, mark),
    )
    _refuse((("tables", *path), text) for path, text in found_later)
    account.any_file_loose = True  # should the records not come to be written
    for sha256 in {document.file_sha256 for document in mark["documents"].values()} & files.keys():
        account.files.keep(files[sha256], sha256)
    return mark


def _refuse(found: Iterable[Found]) -> None:
    problems = [
        Problem(ProblemKind.BAD_VALUE, path, text) for path, text in islice(found, MOST_PROBLEMS)
    ]
    if problems:
        raise Invalid(problems)


def _misshapen(tables: Any, files: Any) -> Iterator[Found]:
    if not isinstance(tables, dict):
        yield ("tables",), "must be an object"
    else:
        for name, rows in tables.items():
            if name not in RECORD_TYPES:
                yield ("tables", name), f"no such table; there are {', '.join(RECORD_TYPES)}"
            elif not isinstance(rows, dict):
                yield ("tables", name), "must be an object"
    if not isinstance(files, dict):
        yield ("files",), "must be an object"


def _read_tables(tables: Mapping[str, Mapping[str, Any]], mark: Mark) -> Iterator[Found]:
    """Put into the mark what can be read; tells of the rest."""
    for name, type_ in RECORD_TYPES.items():
        for id, plain in tables.get(name, {}).items():
            try:
                record = mark[name][id] = convert(plain, type_)
            except msgspec.ValidationError as error:
                for path, text in all_misfits(error, plain, type_):
                    yield ("tables", name, id, *path), text
                continue
            if record.id != id:
                yield ("tables", name, id, "id"), f"is {record.id[:80]!r}"
        rows = mark[name].values()
        if len({record.seq for record in rows}) < len(rows):
            yield ("tables", name), "has a seq twice"


def _read_files(texts: dict[str, Any], files: dict[str, bytes]) -> Iterator[Found]:
    """Each goes from the one to the other: large files are not there twice."""
    for name in tuple(texts):
        text = texts.pop(name)
        try:
            checked_hash(name)
        except ValueError as error:
            yield ("files", name[:80]), str(error)
            continue
        try:
            content = base64.b64decode(text, validate=True)
        except (ValueError, TypeError):
            yield ("files", name), "is not base64"
            continue
        if sha256_of(content) != name:
            yield ("files", name), "has another content than its name says"
        files[name] = content


def _wrong_instants(mark: Mark) -> Iterator[Found]:
    for name, rows in mark.items():
        for id, record in rows.items():
            for path, instant in _instants(record, (name, id)):
                if instant.utcoffset():
                    yield path, "is not in UTC"
                elif instant > LATEST and path != ("timers", id, "due_at"):
                    yield path, "is after the year 9000, where the clock stops"


def _instants(value: Any, path: Steps) -> Iterator[tuple[Steps, datetime]]:
    if isinstance(value, datetime):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _instants(getattr(value, name), (*path, name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _instants(each, (*path, index))


def _mistaken_policies(account: Account, mark: Mark) -> Iterator[Found]:
    """What would be refused if somebody set it now."""
    words, machine = words_in(account.catalogue), machine_in(mark, account.default_machine)
    for id, policy in mark["policies"].items():
        if policy.kind == "machine" or policies.trouble_of(policy):
            continue  # which is told of already
        for path, text in mistakes_of(whole_scenario(policy), [], words, machine):
            yield ("policies", id, "body"), f"{dotted(path)}: {text}"


def _too_much(account: Account, mark: Mark) -> Iterator[Found]:
    """More than the account may keep, once what nobody refers to any more has gone."""
    marks = (mark, *account.marks.values())
    documents = (d for each in marks for d in each.get("documents", {}).values())
    sizes = {d.file.sha256: d.file.size_bytes for d in documents if d.file is not None}
    if (size_bytes := sum(sizes.values())) > limits.ACCOUNT_FILES.most:
        yield ("documents",), f"all files have {size_bytes} bytes: {limits.ACCOUNT_FILES}"


def _lost_files(account: Account, mark: Mark, files: Mapping[str, bytes]) -> Iterator[Found]:
    """Files that are neither in the document nor in the account, or are not as it says."""
    for id, document in mark["documents"].items():
        file = document.file
        if file is None:
            continue
        here = ("documents", id, "file")
        content = files.get(file.sha256)
        try:
            content = account.files.read(file.sha256) if content is None else content
        except ValueError:
            continue  # no hash, which is told of already
        if content is None:
            yield (*here, "sha256"), "there is no such file"
            continue
        kind = kind_of(content)
        if kind is None or kind[1] != file.media_type:
            yield (*here, "media_type"), "is not that of the file"
        if len(content) != file.size_bytes:
            yield (*here, "size_bytes"), f"is not that of the file: {len(content)}"
