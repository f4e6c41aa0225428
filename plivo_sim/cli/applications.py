"""``plivo-sim apps``: the applications of an account, and what a reviewer does with them."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from plivo_sim.cli.shared import (
    Asked,
    RefusedBySimulator,
    WrongFile,
    asks,
    asks_account,
    id_argument,
    instant,
    page_options,
    table,
    text_of_file,
    values,
)
from plivo_sim.client import Client
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.statuses import Status
from plivo_sim.scenarios.rules import PRESETS


def _choice(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([each.value for each in words])


@click.group()
def apps() -> None:
    """List applications, explain them, decide them by hand."""


@apps.command("list")
@click.option("--status", type=_choice(Status), multiple=True, help="Only with this status.")
@click.option("--country", metavar="XX", multiple=True, help="Only of this one.")
@click.option("--number-type", type=_choice(NumberType), multiple=True, help="Only for these.")
@click.option("--user-type", type=_choice(UserType), multiple=True, help="Only by these.")
@page_options
@asks_account
def list_(
    asked: Asked,
    status: tuple[str, ...],
    country: tuple[str, ...],
    number_type: tuple[str, ...],
    user_type: tuple[str, ...],
    limit: int,
    offset: int,
) -> None:
    """List applications, oldest first. A filter that is given twice takes either."""
    answer = asked.get(
        "/applications",
        status=status,
        country_iso=country,
        number_type=number_type,
        user_type=user_type,
        limit=limit,
        offset=offset,
    )
    asked.show(answer, _list)


def _list(answer: dict[str, Any]) -> str:
    shown, total = answer["applications"], answer["total_count"]
    rows = [
        (
            each["id"],
            each["status"],
            each["country_iso"],
            each["number_type"],
            each["user_type"],
            instant(each["submitted_at"]),
            each["alias"],
        )
        for each in shown
    ]
    heads = ("id", "status", "country", "number", "user", "submitted", "alias")
    more = f"\n{len(shown)} of {total}; see --limit and --offset" if total > len(shown) else ""
    return table(heads, rows) + more


@apps.command()
@id_argument
@asks
def show(asked: Asked, id: str) -> None:
    """Show an application: its timeline, and what comes next."""
    asked.show(asked.get(f"/applications/{id}"), _application)


def _application(answer: dict[str, Any]) -> str:
    kind = f"{answer['country_iso']} {answer['number_type']} {answer['user_type']}"
    parts = [
        values(
            [
                ("id", answer["id"]),
                ("account", answer["account"]),
                ("alias", answer["alias"]),
                ("kind", kind),
                ("made through", answer["origin"]),
                ("status", answer["status"]),
                ("reason", answer["rejection_reason"]),
                ("attempt", answer["attempt"]),
                ("callback", answer["callback_url"]),
            ]
        ),
        _timeline(answer["timeline"]),
    ]
    if answer["next"]:
        rows = [
            (instant(step.get("at")) or f"{step['after']} later", step["status"], step["why"])
            for step in answer["next"]
        ]
        parts.append(table(("next", "status", "why"), rows))
    return "\n\n".join(parts)


def _timeline(timeline: list[dict[str, Any]]) -> str:
    rows = [
        (instant(each["at"]), each["status"], each["by"], each["why"], each["reason"])
        for each in timeline
    ]
    return table(("at", "status", "by", "why", "reason"), rows)


@apps.command()
@id_argument
@asks
def why(asked: Asked, id: str) -> None:
    """Explain who decided each attempt, and why.

    Shows which rule it was, and why the others did not match.
    """
    asked.show(asked.get(f"/applications/{id}/why"), _why)


def _why(answer: dict[str, Any]) -> str:
    parts = [f"{answer['id']} is {answer['status']}"]
    for each in answer["attempts"]:
        told = f"attempt {each['attempt']}: decided by {each['decided_by']}"
        if each["rules"]:
            rows = [(rule["rule"], rule["matched"], rule["why"]) for rule in each["rules"]]
            told += f"\n{table(('rule', 'matched', 'why'), rows)}"
        parts.append(told)
    return "\n\n".join(parts)


# --- decisions -------------------------------------------------------------------------------

_REASON_HELP = (
    f"The same as REASON, what the applicant is told: a text, or one of {', '.join(PRESETS)}."
)


@apps.command()
@id_argument
@asks
def accept(asked: Asked, id: str) -> None:
    """Accept a submitted application."""
    _decide(asked, id, Status.ACCEPTED)


@apps.command()
@id_argument
@asks
def reinstate(asked: Asked, id: str) -> None:
    """Accept a suspended application again."""
    found = asked.get(f"/applications/{id}")["status"]
    if found != Status.SUSPENDED:
        raise RefusedBySimulator(f"cannot reinstate application {id} in status {found}")
    _decide(asked, id, Status.ACCEPTED)


def _decision(verb: str, status: Status, help: str) -> click.Command:
    @click.command(verb, help=help)
    @id_argument
    @click.argument("why", metavar="REASON", required=False)
    @click.option("--reason", metavar="TEXT", help=_REASON_HELP)
    @asks
    def decision(asked: Asked, id: str, why: str | None, reason: str | None) -> None:
        if why and reason:
            raise click.UsageError("give one of REASON, --reason")
        _decide(asked, id, status, why or reason)

    return decision


for _verb, _status, _help in (
    ("reject", Status.REJECTED, "Reject a submitted application."),
    ("more-info", Status.MORE_INFO_REQUIRED, "Ask for more about a submitted application."),
    ("suspend", Status.SUSPENDED, "Suspend an accepted application."),
    ("expire", Status.EXPIRED, "Let an accepted application expire."),
):
    apps.add_command(_decision(_verb, _status, _help))


def _decide(asked: Asked, id: str, status: Status, reason: str | None = None) -> None:
    body = {"status": status, **({"reason": reason} if reason else {})}
    answer = asked.post(f"/applications/{id}/decision", body)
    asked.show(answer, lambda told: f"{told['id']} is {told['status']}")


File = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("data", type=File)
@click.option("--file", "files", type=File, multiple=True, help="Of a document, in their order.")
@asks_account
def evaluate(asked: Asked, data: Path, files: tuple[Path, ...]) -> None:
    """Tell what would happen to an application, and why.

    Nothing of it is kept. DATA is a file with the JSON of the SDK's ``data``.
    """
    text = text_of_file(data)
    try:
        json.loads(text)
    except ValueError as error:
        raise WrongFile(f"{data}: {error}") from None
    form: Any = [("data", text)]
    form += [
        (f"documents[{index}].file", (file.name, file.read_bytes()))
        for index, file in enumerate(files)
    ]
    if asked.account:
        asked.check_account()
    client = Client(asked.client.url, asked.account or "")
    asked.show(client.evaluate(form), _evaluated)


def _evaluated(answer: dict[str, Any]) -> str:
    if answer["would"] == "refused":
        head = values([("would be", "refused"), ("with", answer["status"])])
        rows = [(each["path"], each["message"]) for each in answer["problems"]]
        return f"{head}\n\n{table(('path', 'problem'), rows)}"
    told = [("would be", answer["would"]), ("by", answer["by"])]
    told += [(f"after {each['after']}", each["status"]) for each in answer["steps"]]
    rules = [(each["rule"], each["matched"], each["why"]) for each in answer["rules"]]
    return values(told) + (f"\n\n{table(('rule', 'matched', 'why'), rules)}" if rules else "")
