"""The account's status machine: which one is in use, who chose it, how to choose another."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from plivo_sim.console.actions import Action, Build, Form, text_refused, yaml_of
from plivo_sim.console.pages import open_account, show
from plivo_sim.domain.machine import Machine
from plivo_sim.machines import shipped_names, shipped_sentences, shipped_text
from plivo_sim.machines.loader import text_of
from plivo_sim.services.machines import chosen_by
from plivo_sim.web.long_work import work_on

MACHINE_FILE = "machine.yaml"


def machine_page(auth_id: str) -> Response:
    """The machine in use as a table of who leads from where to where, and ways to choose
    another."""
    account = open_account(auth_id)
    refused = text_refused("use_machine")
    with account.lock:
        machine, chooser = account.machine, chosen_by(account)
    return show(
        "machine.html",
        account=account,
        rows=len(machine.arrows),
        machine=machine,
        chosen_by=chooser,
        shipped=shipped_sentences(),
        text=refused.yaml if refused else _begun(machine, chooser),
        mistakes=refused.mistakes if refused else [],
    )


def _begun(machine: Machine, chooser: str) -> str:
    """The text in the editor: the shipped machine of ``?edit=``, else the account's own."""
    wanted = request.args.get("edit", "")
    if wanted in shipped_names():
        return shipped_text(wanted)
    if chooser != "account":
        return ""
    with work_on(machine.file):
        return text_of(machine)


def use(form: Form) -> list[Action]:
    """A machine that ships."""
    account, name = form.get("account", ""), form.get("name", "")
    return [
        Action(
            message=f"The account uses the status machine {name}.",
            operation="use_machine",
            body={"name": name, "account": account},
            cli=("machine", "use", "--account", account),
            named=name,
        )
    ]


def write(form: Form) -> list[Action]:
    """A machine that was written in the editor."""
    account, text = form.get("account", ""), yaml_of(form)
    return [
        Action(
            message="The account uses the status machine that was written.",
            operation="use_machine",
            body={"yaml": text, "account": account},
            cli=("machine", "use", MACHINE_FILE, "--account", account),
            written=(MACHINE_FILE, text),
        )
    ]


def drop(form: Form) -> list[Action]:
    account = form.get("account", "")
    return [
        Action(
            message="The account has no status machine of its own.",
            operation="drop_machine",
            query={"account": account},
            cli=("machine", "use", "--none", "--account", account),
        )
    ]


PAGES: list[tuple[str, Callable[..., Response]]] = [("/account/machine", machine_page)]

ACTIONS: dict[str, Build] = {
    "use-machine": use,
    "write-machine": write,
    "drop-machine": drop,
}
