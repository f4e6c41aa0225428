"""Accounts: their settings, their snapshots, an export of what they hold, and a reset."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.account.lock import repeatable
from plivo_sim.account.store.format import to_plain
from plivo_sim.apis.words import microseconds
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    IN_BODY,
    account_named,
    account_text,
    document_in,
    flag_of,
    invalid,
    json_object,
    object_given,
    refuse,
    takes,
    text_of,
)
from plivo_sim.domain import limits
from plivo_sim.domain.errors import AccountRequired, FileDamaged, Invalid, NotFound
from plivo_sim.domain.records import Ledger
from plivo_sim.domain.text import encode_json
from plivo_sim.services.document_sets import sweep, swept
from plivo_sim.services.snapshots import load_snapshot, save_snapshot, without_secrets
from plivo_sim.settings import account_troubles
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, endpoint
from plivo_sim.web.long_work import long_work, passing

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import ExportOut, MadeOut, MarkedOut, SnapshotSummaryOut


@endpoint(
    "GET", "/export", "The records as plain TinyDB JSON.", query=(ACCOUNT,),
    answers={200: "ExportOut"},
)  # fmt: skip
def export() -> Response:
    """The account's records as stock TinyDB reads them: table -> document number -> document.

    The number is the record's ``seq``, because stock TinyDB takes whole numbers only; its id is in
    the document. The account's token is left out.
    """
    account = account_named(sends=True)
    with account.lock:
        mark = account.store.mark()
    with long_work(sum(map(len, mark.values()))):
        tables = {
            table: {
                str(record.seq): without_secrets(table, to_plain(record))
                for record in sorted(rows.values(), key=attrgetter("seq"))
            }
            for table, rows in mark.items()
            if rows
        }
        return current_call().answer(cast("ExportOut", tables))


@endpoint("GET", "/accounts", "All accounts of this server.", answers={200: "AccountsOut"})
def list_accounts() -> Response:
    call, shown = current_call(), []
    accounts = call.sim.accounts()
    with passing(accounts) as patience:
        for account in accounts:
            with patience.held(account.lock):
                shown.append(presenters.account_of(account))
    return call.answer({"accounts": shown, "serves": str(call.sim.settings.serves)})


@endpoint(
    "POST", "/accounts", "Make an account, or change its settings.",
    query=(ACCOUNT,), bodies={JSON: "account_body"}, answers={201: "MadeOut"},
)  # fmt: skip
def make_account() -> Response:
    """``{"auth_id", "settings": {name: text}}``: make an account, or change its settings; with
    ``"anew": true`` it holds nothing, and has these settings only. ``began`` of the answer tells
    this account from one that takes its place later: see there."""
    data = json_object("auth_id", "settings", "anew")
    auth_id = text_of(data, "auth_id") or ""
    account_text(data, "auth_id")  # the query names no other
    if not is_account(auth_id):
        raise invalid("auth_id", "must be MA and 18 letters or digits")
    settings = data.get("settings", {})
    if not isinstance(settings, dict):
        raise invalid("settings", "must be an object")
    anew = flag_of(data, "anew")
    texts = {name: _as_text(value) for name, value in settings.items()}
    call = current_call()
    troubles = account_troubles(texts, call.sim.settings)
    refuse((("settings", name), text) for name, text in troubles)
    was_known = call.sim.known(auth_id) is not None
    account = call.sim.account(auth_id)
    if anew and (was_known or len(account.store.ledger)):
        call.sim.remove(account)
    try:
        account.configure(texts)
    except ValueError as error:
        raise invalid("settings", str(error)) from None
    call.account = account
    with account.lock:
        shown: MadeOut = {**presenters.account_of(account), "began": presenters.began_of(account)}
        return call.answer(shown, 201)


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


@endpoint(
    "POST", "/reset", "Remove everything in an account, its snapshots too.",
    **takes(
        account=f"{IN_BODY}, or all",
        undoable={"type": "boolean", "description": "keep what can be undone; see POST /_sim/undo"},
    ), answers={200: "ResetOut"}, is_moment=True,
)  # fmt: skip
def reset() -> Response:
    """``{"account": "MA…"}`` or ``"all"``: remove what it holds; its clock starts again. With
    ``"undoable": true`` the points of ``GET /_sim/undo`` stay, and the files that they need."""
    call = current_call()
    data = json_object("account", "undoable")
    undoable = flag_of(data, "undoable")
    wanted = account_text(data)
    known = [account.auth_id for account in call.sim.accounts()]
    must_name = call.sim.settings.require_account
    if wanted == "all" or (not wanted and not known and not must_name):
        gone = known
        call.sim.remove_all(undoable=undoable)
    elif not wanted and (must_name or len(known) > 1):
        raise AccountRequired(known, every=True, always=must_name)
    else:
        account = account_named(data, due=False)  # a reset works whatever is due
        gone = [account.auth_id]
        call.sim.remove(account, undoable=undoable)
    return call.answer({"reset": gone})


KEPT = "until the server ends or the account is reset; to keep it, save its document"


@endpoint(
    "POST", "/snapshot", "Remember this moment of an account, until the server ends.",
    query=(ACCOUNT,), bodies={JSON: "snapshot_body"}, body_required=False,
    answers={201: "MarkedOut"},
)  # fmt: skip
def snapshot() -> Response:
    """``{"name": …}``: remember this moment of the account under a name, in memory only: with the
    server it is gone, with ``--state`` too. ``GET /_sim/snapshot/{name}`` gives what to keep. With
    ``"snapshot"``, such a document, its moment is remembered instead of this one; with the
    ``"move"`` by which the account came here, as a part of that, which its undo takes away."""
    data = object_given("name", "snapshot", "move", "account")
    account, move = account_named(data, sends=True), text_of(data, "move")
    with account.lock:
        name = text_of(data, "name") or f"snapshot-{len(account.marks) + 1}"
        if len(name) > limits.SNAPSHOT_NAME.most:
            raise invalid("name", f"is too long: {limits.SNAPSHOT_NAME}")
        account.check_in_use()
        if name not in account.marks and len(account.marks) >= limits.SNAPSHOTS.most:
            text = f"the account keeps too many: {limits.SNAPSHOTS}; take one of their names"
            raise invalid("name", text)
        is_given = "snapshot" in data
        account.marks[name] = (
            loaded(account, document_in(data, "snapshot")) if is_given else account.mark()
        )
        marks = account.marks  # which only a reset takes away
        current_call().stands = lambda: account.marks is marks
        if move and move == account.move:
            current_call().sim.note_brought(account, name)
        shown: MarkedOut = {
            **presenters.account_of(account),
            "account": account.auth_id,
            "name": name,
            "kept": KEPT,
        }
        return current_call().answer(shown, 201)


@endpoint(
    "GET", "/snapshot/{path:name}", "A snapshot as a document, of up to 56 MiB.", query=(ACCOUNT,),
    answers={200: "SnapshotOut"}, errors=(404,),
)  # fmt: skip
def get_snapshot(name: str) -> Response:
    """The snapshot as a document to keep: records and files. One that a restore would not take,
    of more than 56 MiB with the files in base64, is refused; its name can be restored still."""
    with repeatable():
        account = account_named()
    return current_call().answer_encoded(document_of(account, name))


def document_of(account: Account, name: str, mark: Mark | None = None) -> bytes:
    """The document of a snapshot, or of this mark, as JSON. One is made at a time; none waits for
    the files of its account meanwhile, and of each account one does. Raises NotFound."""
    making = current_call().sim.long_work
    with account.documents:
        with account.lock:
            kept = mark_named(account, name) if mark is None else mark
        try:
            document = save_snapshot(account, kept, making)
        except FileDamaged:
            if mark is None:  # perhaps the snapshot was dropped meanwhile, and its files
                with account.lock:
                    mark_named(account, name)
            raise
        with making:
            return encode_json(document)


@endpoint(
    "GET", "/snapshots", "The snapshots that the simulator has.", query=(ACCOUNT,),
    answers={200: "SnapshotsOut"},
)  # fmt: skip
def list_snapshots() -> Response:
    """The snapshots of the account, oldest first: what it held then, and when."""
    account = account_named()
    with account.lock:
        shown = [_marked(name, mark) for name, mark in account.marks.items()]
    return current_call().answer({"account": account.auth_id, "snapshots": shown})


def _marked(name: str, mark: Mark) -> SnapshotSummaryOut:
    ledger: Ledger | None = mark["ledger"].get("ledger")
    return {
        "name": name,
        "now": microseconds(ledger.clock.now) if ledger else None,
        "applications": len(mark["applications"]),
        "end_users": len(mark["end_users"]),
        "documents": len(mark["documents"]),
        "numbers": len(mark["numbers"]),
    }


@endpoint(
    "DELETE", "/snapshot/{path:name}", "Forget a snapshot.", query=(ACCOUNT,),
    answers={200: "DroppedOut"}, errors=(404,),
)  # fmt: skip
def drop_snapshot(name: str) -> Response:
    """What the account holds now stays as it is."""
    account = account_named()
    with account.lock:
        account.check_in_use()
        mark_named(account, name)
        del account.marks[name]
        sweep(account)  # of the files that only this snapshot needed
    return current_call().answer({"account": account.auth_id, "dropped": name})


@endpoint(
    "POST", "/restore", "Go back to a snapshot.",
    query=(ACCOUNT,), bodies={JSON: "restore_body"}, answers={200: "RestoredOut"}, errors=(404,),
    is_moment=True,
)  # fmt: skip
def restore() -> Response:
    """``{"name": …}``, or ``{"snapshot": document}``: go back to that moment. Of a document the
    account takes neither tokens nor ``allow_callback_hosts``: it keeps its own."""
    data = object_given("name", "snapshot", "account")
    account = account_named(data)
    with account.lock, swept(account):
        name = text_of(data, "name")
        if "snapshot" in data:
            mark = loaded(account, document_in(data, "snapshot"))
        elif name:
            mark = mark_named(account, name)
        else:
            raise invalid("name", "is required")
        due = current_call().sim.restore(account, mark)
        current_call().account = account
        told = {**presenters.account_of(account), "due": presenters.due_of(due)}
        return current_call().answer(told)


def loaded(account: Account, document: Any) -> Mark:
    """See ``load_snapshot``; what is wrong is at ``snapshot.…``."""
    try:
        return load_snapshot(account, document)
    except Invalid as error:
        raise Invalid(
            [replace(each, path=("snapshot", *each.path)) for each in error.problems]
        ) from None


def mark_named(account: Account, name: str) -> Mark:
    if name not in account.marks:
        raise NotFound("snapshot", name, account.marks)
    return account.marks[name]
