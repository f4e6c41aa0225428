"""The account itself: what it holds, its settings, snapshots, reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.account.lock import repeatable
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import Action, Build, Form, just_refused
from plivo_sim.console.pages import guard, open_account, show
from plivo_sim.control.accounts import document_of
from plivo_sim.domain.records import Ledger
from plivo_sim.domain.text import SNAPSHOT, decode_json
from plivo_sim.services.machines import chosen_by
from plivo_sim.settings import ACCOUNT_SETTINGS, DOCUMENTED, Settings
from plivo_sim.web.calls import current_call

SHOWN_MARKS = 50
COUNTED = {
    "Applications": "applications",
    "End users": "end_users",
    "Documents": "documents",
    "Numbers": "numbers",
    "Callbacks": "deliveries",
    "Waiting for their time": "timers",
}
"""What is counted -> its table."""


def account_page(auth_id: str) -> Response:
    """Counts, settings, and the ways to fill, keep and empty the account."""
    account = open_account(auth_id)
    server = current_call().sim.settings
    with account.lock:
        counts = {label: len(getattr(account.store, name)) for label, name in COUNTED.items()}
        settings = [_setting(name, account, server) for name in ACCOUNT_SETTINGS]
        marks = [_mark(name, mark) for name, mark in list(account.marks.items())[-SHOWN_MARKS:]]
        kept, machine = len(account.marks), account.machine
    return show(
        "account.html",
        account=account,
        counts=counts,
        server=server,
        machine=machine,
        chosen_by=chosen_by(account),
        settings=settings,
        chosen=_chosen(settings),
        marks=marks[::-1],
        kept=kept,
    )


def _mark(name: str, mark: Mark) -> dict[str, Any]:
    ledger: Ledger | None = mark["ledger"].get("ledger")
    return {
        "name": name,
        "now": ledger.clock.now if ledger else None,
        "applications": len(mark["applications"]),
    }


# --- settings --------------------------------------------------------------------------------


def _setting(name: str, account: Account, server: Settings) -> dict[str, Any]:
    default, field = Settings(), {each.name: each for each in fields(Settings)}[name]
    if name in account.overrides:
        source = "this account"
    elif getattr(server, name) != getattr(default, name):
        source = "server"
    else:
        source = "default"
    return {
        "name": name,
        "text": setting_text(name, getattr(account.settings, name)),
        "source": source,
        "default": setting_text(name, getattr(default, name)),
        "help": field.metadata["help"],
    }


def setting_text(name: str, value: Any) -> str:
    """A setting's value as one writes it."""
    if value is None:
        return DOCUMENTED if name == "review_delay" else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    return str(value)


def _chosen(settings: list[dict[str, Any]]) -> dict[str, str]:
    """The setting in the form: one that was refused, ``?setting=``, or none."""
    for done in just_refused("make_account"):
        for name, text in (done.action.body or {}).get("settings", {}).items():
            return {"name": name, "text": text}
    wanted = request.args.get("setting", "")
    return next((each for each in settings if each["name"] == wanted), {"name": "", "text": ""})


def set_setting(form: Form) -> list[Action]:
    account = form.get("account", "")
    name, text = form.get("name", ""), form.get("value", "").strip()
    return [
        Action(
            message=f"{name} is {text or 'empty'} in this account.",
            operation="make_account",
            body={"auth_id": account, "settings": {name: text}},
            cli=("account", "set", "--account", account),
            named=f"{name}={text}",
        )
    ]


# --- snapshots, reset ------------------------------------------------------------------------


def snapshot_page(auth_id: str) -> Response:
    """A snapshot as a document to keep, ``?name=``; what ``GET /_sim/snapshot/NAME`` answers."""
    with repeatable():
        account, name = open_account(auth_id), request.args.get("name", "")
    answer = Response(document_of(account, name), content_type="application/json")
    name_file(answer, f"{_file_name(name)}.json")
    guard(answer, "default-src 'none'; sandbox")
    return answer


def _file_name(name: str) -> str:
    kept = "".join(each if each.isalnum() or each in "-_. " else "-" for each in name)
    return kept.strip(". ")[:100] or "snapshot"


def take_snapshot(form: Form) -> list[Action]:
    account, name = form.get("account", ""), form.get("name", "").strip()
    return [
        Action(
            message=f"This moment is kept{f' as {name}' if name else ''}.",
            operation="snapshot",
            body={**({"name": name} if name else {}), "account": account},
            cli=("snapshot", "save", "--account", account),
            named=name,
        )
    ]


def restore(form: Form) -> list[Action]:
    """A snapshot that the simulator has."""
    account, name = form.get("account", ""), form.get("name", "")
    return [
        Action(
            message=f"{name} is the present again.",
            operation="restore",
            body={"name": name, "account": account},
            cli=("snapshot", "load", "--account", account),
            named=name,
        )
    ]


def restore_file(form: Form) -> list[Action]:
    """A snapshot from a file that was uploaded."""
    account, upload = form.get("account", ""), current_call().body.part("document")
    file = (upload.filename if upload else "") or ""
    document, wrong = None, "" if file else "choose the file of a snapshot first"
    if upload is not None and file:
        try:
            document = decode_json(upload.content, SNAPSHOT)
        except ValueError as error:
            wrong = f"{file} is no snapshot: not valid JSON: {error}"
    return [
        Action(
            message=f"The moment in {file} is the present.",
            operation="restore",
            body={"account": account, "snapshot": document},
            cli=("snapshot", "load", "--file", file, "--account", account),
            attached=("snapshot", file),
            wrong=wrong,
        )
    ]


def reset(form: Form) -> list[Action]:
    """This account or all of them, once the box is ticked."""
    account, every = form.get("account", ""), form.get("scope") == "all"
    sure = form.get("sure") == "yes"
    return [
        Action(
            message="Every account is empty." if every else f"{account} is empty.",
            operation="reset",
            body={"account": "all" if every else account, "undoable": True},
            cli=("reset", *(("--all",) if every else ()), "--undoable")
            + (() if every else ("--account", account)),
            wrong="" if sure else "tick 'yes, forget everything' to say that you mean it",
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/account", account_page),
    ("/account/snapshot.json", snapshot_page),
]

ACTIONS: dict[str, Build] = {
    "set-setting": set_setting,
    "take-snapshot": take_snapshot,
    "restore": restore,
    "restore-file": restore_file,
    "reset": reset,
}
