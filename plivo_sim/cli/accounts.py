"""``plivo-sim account``: accounts and their settings; ``status``, ``reset`` and ``export``.

``plivo-sim snapshot``: the state of an account at a moment, kept by name or in a file.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.ids import RecordId
from plivo_sim.cli.moving import move
from plivo_sim.cli.shared import (
    Target,
    WrongFile,
    as_json,
    due_of,
    instant,
    not_empty,
    say,
    table,
    values,
    with_account,
    with_new_account,
    with_simulator,
)
from plivo_sim.cli.user_files import text_of_file
from plivo_sim.cli.words import ACCOUNT_SETTINGS
from plivo_sim.domain.limits import BODY

COUNTED = ("applications", "end_users", "documents", "numbers")


@click.group()
def account() -> None:
    """Look at accounts and change their settings."""


account.add_command(move)


@account.command("list")
@with_simulator
def list_(target: Target) -> None:
    """List accounts, each with its own settings."""
    target.show(target.get("/accounts"), accounts_table)


def accounts_table(answer: dict[str, Any]) -> str:
    """A line for each; then whose they are, where a proxy stands in front of several servers."""
    rows = [
        (
            each["auth_id"],
            instant(each["now"]),
            *(each[name] for name in COUNTED),
            each["machine"],
            "known" if each["has_token"] else "none",
            " ".join(f"{name}={text}" for name, text in each["settings"].items()),
        )
        for each in answer["accounts"]
    ]
    heads = ("account", "now", "apps", "end users", "documents", "numbers", "machine", "token",
             "settings")  # fmt: skip
    shown = table(heads, rows, "no account exists yet; the first write creates one")
    if not answer["serves"]:
        return shown
    return f"{shown}\n\nof one server alone, which has those that end in {answer['serves']}"


@account.command("set")
@click.argument("settings", metavar="NAME=VALUE...", type=ACCOUNT_SETTINGS, nargs=-1)
@with_new_account
def set_(target: Target, settings: tuple[str, ...]) -> None:
    """Change settings of one account.

    NAME is that of the server's setting, with underscores: review_delay=3d. The account that
    --account names is created if it does not exist; without NAME=VALUE nothing else happens.
    """
    if not (settings or target.account):
        raise click.UsageError("give NAME=VALUE, or --account to create one")
    given = dict(map(_setting, settings))
    auth_id = target.account or target.get("/clock")["account"]
    target.show(target.post("/accounts", {"auth_id": auth_id, "settings": given}), _account)


def _setting(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise click.UsageError(f"{text!r} is not NAME=VALUE")
    return name, value


def _account(answer: dict[str, Any]) -> str:
    return values([("account", answer["auth_id"]), *answer["settings"].items()])


@click.command()
@with_simulator
def status(target: Target) -> None:
    """Show whether the simulator answers, and its accounts."""
    answer = {"health": target.get("/health"), **target.get("/accounts")}
    target.show(answer, lambda answer: _status(target.client.url, answer))


def _status(url: str, answer: dict[str, Any]) -> str:
    health = answer["health"]
    head = values(
        [
            ("url", url),
            ("status", health["status"]),
            ("version", health["version"]),
            ("state", health["state"]),
            ("machine", health["machine"]),
            *(("DAMAGED", _damage(each)) for each in health["damages"]),
        ]
    )
    return f"{head}\n\n{accounts_table(answer)}"


def _damage(damage: dict[str, Any]) -> str:
    where = f"line {damage['line']}, byte {damage['offset']}"
    return f"{damage['file']} at {where}; the rest is in {damage['kept_in']}"


@click.command()
@click.option("--all", "all_", is_flag=True, help="Every account.")
@click.option("--undoable", is_flag=True, help="Keep what plivo-sim undo goes back to.")
@with_account
def reset(target: Target, all_: bool, undoable: bool) -> None:
    """Delete everything in an account, and the account.

    Its snapshots are deleted too: to keep one, save it to a file first (plivo-sim snapshot save
    --file FILE). The account is created again when something is written to it.
    """
    said = click.get_current_context().get_parameter_source("account")
    if all_ and said is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("give one of --all, --account")
    body: dict[str, Any] = {"undoable": True} if undoable else {}
    if all_:
        answer = target.of_all.post("/reset", body | {"account": "all"})
    else:
        answer = target.post("/reset", body)
    target.show(answer, _reset)


def _reset(answer: dict[str, Any]) -> str:
    return f"reset {', '.join(answer['reset'])}" if answer["reset"] else "no account to reset"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@with_account
def export(target: Target, file: Path) -> None:
    """Write an account's records to a TinyDB file.

    FILE may be - for the standard output. tinydb.TinyDB(FILE).table("applications").all() lists
    the applications. The account's token is left out.
    """
    answer = target.get("/export")
    counts = ", ".join(f"{len(rows.keys())} {name}" for name, rows in answer.items())
    if target.as_json or str(file) == "-":
        say(as_json(answer))
    if str(file) == "-":
        return
    from plivo_sim.catalogue.output_files import write_whole

    write_whole(file, as_json(answer).encode())
    if not target.as_json:
        say(f"{file}: {counts or 'no records'}")


_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def snapshot() -> None:
    """Save, list and drop states of an account, and return to one."""


@snapshot.command()
@click.argument("name", required=False)
@click.option("--file", type=_FILE, help="Also write it to this file, records and documents.")
@with_account
def save(target: Target, name: str | None, file: Path | None) -> None:
    """Save the present state under NAME.

    The simulator keeps it in memory until it stops, with --state too. With --file it is written
    there as well. Without NAME it is named after the file, or snapshot-N.
    """
    wanted = name or (file.stem if file else None)
    answer = target.post("/snapshot", {"name": wanted} if wanted else {})
    if file is not None:
        from plivo_sim.catalogue.output_files import write_whole

        document = target.get(f"/snapshot/{answer['name']}")
        write_whole(file, json.dumps(document).encode())
    where = f" and in {file}" if file else ""
    target.show(
        answer,
        lambda made: f"{made['account']} at {instant(made['now'])} is {made['name']}{where}",
    )


@snapshot.command()
@click.argument("name", type=RecordId("snapshot"), required=False)
@click.option("--file", type=_FILE, help="A file that save --file wrote.")
@with_new_account
def load(target: Target, name: str | None, file: Path | None) -> None:
    """Return to the state saved as NAME, or to the one in a file.

    A file is loaded into the account that it was saved from, unless --account names another.
    """
    if bool(name) == (file is not None):
        raise click.UsageError("give one of NAME, --file")
    body: dict[str, Any] = {"name": name}
    if file is not None:
        document = _read(file)
        target = dataclasses.replace(target, account=target.account or str(document.get("account")))
        body = {"snapshot": document}
    answer = target.post("/restore", body)
    target.show(answer, _is_back)


def _is_back(answer: dict[str, Any]) -> str:
    back = f"{answer['auth_id']} is back at {instant(answer['now'])}"
    if not answer["has_token"]:
        back += "; no token of it is known: its callbacks are not signed until a call with one"
    is_as_saved = not answer["due"]["planned"] + answer["due"]["dropped"]
    return back if is_as_saved else f"{back}; due, with another machine: {due_of(answer)}"


@snapshot.command("list")
@with_account
def list_snapshots(target: Target) -> None:
    """List the snapshots that the simulator has, oldest first."""
    empty = f"no snapshot of {target.where}"
    target.show(target.get("/snapshots"), lambda answer: _snapshots(answer["snapshots"], empty))


def _snapshots(snapshots: list[dict[str, Any]], empty: str) -> str:
    rows = [
        (each["name"], instant(each["now"]), *(each[name] for name in COUNTED))
        for each in snapshots
    ]
    return table(("name", "at", "apps", "end users", "documents", "numbers"), rows, empty)


@snapshot.command()
@click.argument("name", type=RecordId("snapshot"), callback=not_empty)
@with_account
def drop(target: Target, name: str) -> None:
    """Forget the state saved as NAME. A file stays."""
    answer = target.call("DELETE", f"/snapshot/{name}")
    target.show(answer, lambda answer: f"dropped {answer['dropped']} of {answer['account']}")


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(text_of_file(file, BODY))
    except ValueError as error:
        raise WrongFile(f"{file}: not valid JSON: {error}") from None
    if not isinstance(document, dict) or "plivo_sim_snapshot" not in document:
        raise WrongFile(f"{file}: not a snapshot; plivo-sim snapshot save --file writes one")
    return document
