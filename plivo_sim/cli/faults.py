"""``plivo-sim fault``: faults of an account. The options of ``add`` are made from the type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec
from msgspec.inspect import BoolType, Field, FloatType, IntType, LiteralType, Type

from plivo_sim.cli.ids import RecordId
from plivo_sim.cli.numbers import FloatRange, IntRange
from plivo_sim.cli.shared import Target, table, with_account, with_new_account
from plivo_sim.cli.words import OPERATIONS
from plivo_sim.scenarios.language import HELP, fault_fields, plain_type


@click.group()
def fault() -> None:
    """Make calls fail on purpose."""


def fault_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every field of a fault."""
    for path, field in reversed(list(fault_fields())):
        command = _option(path, field)(command)
    return command


def _option(path: str, field: Field) -> Callable[[Callable[..., None]], Callable[..., None]]:
    flag, name, type_ = (
        path.replace(".", "-").replace("_", "-"),
        _variable(path),
        plain_type(field.type),
    )
    required = field.required and "." not in path
    default = field.default if isinstance(field.default, str | int | float) else None
    if path == "operation":
        kind: click.ParamType[Any] = OPERATIONS
    else:
        kind = _click_type(type_)
    note = f"  [default: {default}]" if default not in (None, "", "*") else ""
    help = f"{HELP.get(path, '')}{note}"
    if isinstance(type_, BoolType):
        return click.option(f"--{flag}/--no-{flag}", name, default=None, help=help)
    return click.option(f"--{flag}", name, type=kind, required=required, help=help)


def _click_type(type_: Type) -> click.ParamType[Any]:
    if isinstance(type_, LiteralType):
        return click.Choice([str(each) for each in type_.values])
    if isinstance(type_, IntType):
        return IntRange(type_.ge, type_.le)
    if isinstance(type_, FloatType):
        low = type_.ge if type_.gt is None else type_.gt
        return FloatRange(low, type_.le, min_open=type_.gt is not None)
    return click.STRING


def _variable(path: str) -> str:
    return path.replace(".", "__")


@fault.command()
@fault_options
@with_new_account
def add(target: Target, **given: Any) -> None:
    """Switch a fault on.

    It stays on until it is cleared, or has been injected --times. How often it was is not part of
    the state: a server that restarts with --state counts anew.
    """
    body: dict[str, Any] = {}
    for path, _ in fault_fields():
        value = given[_variable(path)]
        if value is None:
            continue
        *parts, name = path.split(".")
        holder = body
        for part in parts:
            holder = holder.setdefault(part, {})
        holder[name] = value
    target.show(target.post("/faults", body), lambda answer: f"{answer['id']} is on")


@fault.command("list")
@with_account
def list_(target: Target) -> None:
    """List the faults that are on, with those of the scenario.

    One that has struck as often as its --times allows is spent: it strikes no more.
    """
    target.show(target.get("/faults"), lambda answer: _list(answer, target.where))


@fault.command()
@click.argument("id", type=RecordId("fault"), required=False)
@with_account
def clear(target: Target, id: str | None) -> None:
    """Switch a fault off; without ID all but the scenario's."""
    if id is not None and not id.strip():
        raise click.UsageError("ID must not be empty")
    target.show(
        target.call("DELETE", f"/faults/{id}" if id else "/faults"),
        lambda answer: _list(answer, target.where),
    )


def _list(answer: dict[str, Any], where: str) -> str:
    own = {"id", "name", "effect", "struck", "spent"}
    rows = []
    for each in answer["faults"]:
        details = " ".join(
            f"{name}={msgspec.json.encode(value).decode() if isinstance(value, dict) else value}"
            for name, value in each.items()
            if name not in own
        )
        struck = f"{each['struck']}, spent" if each.get("spent") else each["struck"]
        rows.append((each["id"], each["effect"], struck, details))
    return table(("id", "effect", "struck", "details"), rows, f"no fault is on in {where}")
