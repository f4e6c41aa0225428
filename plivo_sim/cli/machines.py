"""``plivo-sim machine``: the status machine, which says what statuses there are and who leads from
one to another."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.cli.shared import (
    Document,
    Target,
    WrongFile,
    due_of,
    json_option,
    say,
    table,
    values,
    with_account,
    with_new_account,
)
from plivo_sim.cli.user_files import mistakes_as_json, problems_of, text_of_file, why_unreadable
from plivo_sim.cli.words import MACHINES
from plivo_sim.domain.limits import SCENARIO_TEXT

if TYPE_CHECKING:
    from plivo_sim.catalogue.checked import Mistake
    from plivo_sim.domain.machine import Machine

SERVER = "the server"
NAMED = 3
"""So many users of a machine are named."""


@click.group()
def machine() -> None:
    """Look at status machines, check and use them.

    A status machine says which statuses there are, and who leads from one to another.
    """


@machine.command("list")
@with_account
def list_(target: Target) -> None:
    """List the machines that ship, and who uses them.

    When no simulator answers, they are listed all the same.
    """
    from plivo_sim.machines import shipped_sentences

    users = _users(target)
    shipped = dict(shipped_sentences())
    rows = [
        {"name": name, "about": shipped.get(name, "does not ship"), "used_by": users.get(name, [])}
        for name in (*shipped, *sorted(users.keys() - shipped.keys()))
    ]
    target.show({"machines": rows}, _listed)


def _users(target: Target) -> Mapping[str, list[str]]:
    """Machine -> which accounts use it, and whether the server does."""
    from plivo_sim.client import Unreachable

    users: defaultdict[str, list[str]] = defaultdict(list)
    try:
        if target.account:
            target.check_account()
        accounts = target.client.control("GET", "/accounts")["accounts"]
        health = target.client.control("GET", "/health")
    except Unreachable as error:
        if not target.as_json:
            say(f"{error}; so who uses them is not known", err=True)
        return users
    users[health["machine"]].append(SERVER)
    for each in accounts:
        if target.account in ("", each["auth_id"]):
            users[each["machine"]].append(each["auth_id"])
    return users


def _listed(answer: dict[str, Any]) -> str:
    rows = [(each["name"], each["about"], _named(each["used_by"])) for each in answer["machines"]]
    return table(("machine", "what it is", "used by"), rows)


def _named(users: Sequence[str]) -> str:
    more = f" and {len(users) - NAMED} more" if len(users) > NAMED else ""
    return ", ".join(users[:NAMED]) + more


@machine.command()
@click.argument("name", metavar="[NAME|FILE]", type=MACHINES, required=False)
@with_account
def show(target: Target, name: str | None) -> None:
    """Show the machine that the account uses, as YAML.

    With NAME, one that ships; with FILE, the whole that the file makes. Those two need no
    simulator.
    """
    from plivo_sim.machines.loader import text_of

    if name is None:
        target.show(target.get("/machine"), _in_use)
        return
    found = _read(name)
    target.show(_plain(found), lambda _: _text_of(name, text_of(found)).rstrip())


def _in_use(answer: dict[str, Any]) -> str:
    from plivo_sim.machines import load_machine_data
    from plivo_sim.machines.loader import text_of

    whose = f"# The machine of {answer['account']}, chosen by the {answer['chosen_by']}."
    return f"{whose}\n{text_of(load_machine_data(answer['machine']))}".rstrip()


def _text_of(name: str, whole: str) -> str:
    """With its comments, if it ships."""
    from plivo_sim.machines import shipped_text
    from plivo_sim.machines.loader import is_file_name

    return whole if is_file_name(name) else shipped_text(name)


def _read(name: str) -> Machine:
    found = _machine_or_mistakes(name)
    if isinstance(found, list):
        raise WrongFile("\n".join(map(str, found)))
    return found


def _plain(machine: Machine) -> Any:
    import msgspec

    return msgspec.to_builtins(machine.file)


@machine.command()
@click.argument("names", metavar="FILE|NAME...", type=MACHINES, nargs=-1, required=True)
@json_option
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Check machines; prints every mistake with file, line and path. Needs no simulator.

    Exit code 2 when there is any.
    """
    mistakes: list[Mistake] = []
    for name in names:
        found = _machine_or_mistakes(name)
        if isinstance(found, list):
            mistakes += found
        elif not as_json:
            count = f"{len(found.statuses)} statuses, {len(found.arrows)} arrows"
            say(f"{name}: ok: {found.name}, {count}")
    if as_json:
        say(mistakes_as_json(mistakes))
    for mistake in mistakes if not as_json else ():
        say(str(mistake))
    if mistakes:
        raise click.exceptions.Exit(WrongFile.exit_code)


def _machine_or_mistakes(name: str) -> Machine | list[Mistake]:
    from plivo_sim.catalogue.checked import Mistake
    from plivo_sim.machines import MachineError
    from plivo_sim.machines.loader import read_machine_of

    try:
        return read_machine_of(name)
    except MachineError as error:
        return list(error.mistakes)
    except (OSError, UnicodeDecodeError) as error:
        return [Mistake(name, 0, "", why_unreadable(error))]


@machine.command()
@click.argument("name", metavar="[NAME|FILE]", type=MACHINES, required=False)
@click.option("--none", is_flag=True, help="Go back to the server's.")
@with_new_account
def use(target: Target, name: str | None, none: bool) -> None:
    """Use a machine that ships, or a file, in the account.

    It is refused when an application is in a status that the machine does not have. That of a
    scenario counts before it, for as long as the scenario is in use. What was due is told as kept,
    planned anew and dropped: reviews, and changes that time brings.
    """
    from plivo_sim.machines.loader import is_file_name

    if bool(name) == none:
        raise click.UsageError("give one of NAME|FILE, --none")
    if not name:
        target.show(target.call("DELETE", "/machine"), _used)
    elif is_file_name(name):
        path = Path(name)
        text = text_of_file(path, SCENARIO_TEXT)
        with problems_of(path, target.as_json):
            target.show(target.post("/machine", {"yaml": text}), partial(_kept, name))
    else:
        target.show(target.post("/machine", {"name": name}), partial(_kept, name))


def _kept(name: str, answer: dict[str, Any]) -> str:
    if answer["chosen_by"] != "scenario":
        return _used(answer)
    kept = f"{name} is kept, and used when the scenario with its own machine is dropped."
    return f"{_used(answer)}\n{kept}"


def _used(answer: dict[str, Any]) -> str:
    machine = answer["machine"]
    return values(
        [
            ("account", answer["account"]),
            ("machine", answer["name"]),
            ("chosen by", f"the {answer['chosen_by']}"),
            ("statuses", ", ".join(machine["statuses"])),
            *([("due", due)] if (due := due_of(answer)) else []),
        ]
    )


@machine.command()
@click.argument("name", metavar="[NAME|FILE]", type=MACHINES, required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("svg", "mermaid")),
    default="svg",
    show_default=True,
    help="What to write: a picture, or the text of a Mermaid diagram.",
)
@with_account
def draw(target: Target, name: str | None, format_: str) -> None:
    """Draw a machine that ships, or a file.

    Without a name it is the one that PLIVO_SIM_MACHINE names, or the default one; with --account
    or --url, or their variables, the one that the account uses. Only that needs a simulator. The
    picture goes to standard output: plivo-sim machine draw > machine.svg
    """
    from plivo_sim.machines.drawing import mermaid_of, svg_of

    found = _machine_to_draw(target, name)
    text = svg_of(found) if format_ == "svg" else mermaid_of(found)
    if target.as_json:
        target.show({"name": found.name, "format": format_, "text": text}, str)
    else:
        say(Document(text.removesuffix("\n")))


def _machine_to_draw(target: Target, name: str | None) -> Machine:
    from click.core import ParameterSource

    from plivo_sim.machines import DEFAULT

    context = click.get_current_context()
    sources = {context.get_parameter_source(each) for each in ("url", "account")}
    if name is None and sources - {ParameterSource.DEFAULT}:
        if target.account:
            target.check_account()
        return target.client.machine(target.account)
    return _read(name or os.environ.get("PLIVO_SIM_MACHINE") or DEFAULT)
