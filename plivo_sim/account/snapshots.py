"""A moment of an account as one JSON document: records, clock, timers, dice, and the files.

To keep in a file, to carry to another simulator, or to look at.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.account.store.format import RECORD_TYPES, from_plain, to_plain

FORMAT = 1

SECRETS = {"ledger": ("token", "subaccount_token")}
"""Table -> fields that never leave."""


def save_snapshot(account: Account, mark: Mark) -> dict[str, Any]:
    """The mark as plain JSON values. Caller holds the lock."""
    hashes = {d.file.sha256 for d in mark["documents"].values() if d.file is not None}
    files = {sha256: account.files.read(sha256) for sha256 in sorted(hashes)}
    return {
        "plivo_sim_snapshot": FORMAT,
        "account": account.auth_id,
        "tables": {
            name: {id: without_secrets(name, to_plain(record)) for id, record in rows.items()}
            for name, rows in mark.items()
        },
        "files": {k: base64.b64encode(v).decode() for k, v in files.items() if v is not None},
    }


def without_secrets(table: str, plain: dict[str, Any]) -> dict[str, Any]:
    """A record as it may leave: the ledger without the account's tokens."""
    return {key: value for key, value in plain.items() if key not in SECRETS.get(table, ())}


def load_snapshot(account: Account, document: Any) -> Mark:
    """A mark from a document, its files kept. Raises ValueError that names what does not fit.

    The account's tokens are no part of it: the account keeps those that it has.
    """
    found = document.get("plivo_sim_snapshot") if isinstance(document, dict) else None
    if found != FORMAT:
        other = f", not {found}" if isinstance(found, int) else ""
        raise ValueError(f"must be a snapshot document of format {FORMAT}{other}")
    tables, files = document.get("tables"), document.get("files", {})
    if not isinstance(tables, dict) or not isinstance(files, dict):
        raise ValueError("tables and files must be objects")
    unknown = [name for name in tables if name not in RECORD_TYPES]
    if unknown:
        raise ValueError(f"no table {unknown[0]!r}; there are {', '.join(RECORD_TYPES)}")
    mark: Mark = {name: _rows(name, tables.get(name, {})) for name in RECORD_TYPES}
    mark["ledger"] = {
        id: replace(ledger, token=account.token, subaccount_token=account.subaccount_token)
        for id, ledger in mark["ledger"].items()
    }
    account.check(mark)
    for sha256, text in files.items():
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, TypeError):
            raise ValueError(f"file {sha256} is not base64") from None
        if account.files.keep(content) != sha256:
            raise ValueError(f"file {sha256} has another content than its name says")
    return mark


def _rows(table: str, plain: Any) -> dict[str, Any]:
    """The records of one table, by id; each id and each seq once."""
    if not isinstance(plain, dict):
        raise ValueError(f"table {table} must be an object")
    rows = {id: from_plain(table, each) for id, each in plain.items()}
    for id, record in rows.items():
        if record.id != id:
            raise ValueError(f"{table} {id!r} holds the id {record.id!r}")
    if len({record.seq for record in rows.values()}) < len(rows):
        raise ValueError(f"table {table} has a seq twice")
    return rows
