"""``plivo-sim scenario``: scenarios, the ones that ship and one's own."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.cli.shared import (
    Asked,
    WrongFile,
    as_json,
    asks,
    asks_account,
    json_option,
    makes_account,
    problems_of,
    table,
    text_of_file,
    values,
    why_unreadable,
)

if TYPE_CHECKING:
    from plivo_sim.scenarios.loader import Mistake

SCENARIO_SUFFIXES = (".yaml", ".yml", ".json")


DECISIONS = ("accepted", "rejected", "more_info_required", "nothing")


@click.group()
def scenario() -> None:
    """Use, check and write scenarios.

    A scenario says what the reviewer decides, and what happens to callbacks and calls.
    """


@scenario.command("list")
@asks
def list_(asked: Asked) -> None:
    """List the scenarios that ship."""
    asked.show(
        asked.get("/scenarios"),
        lambda told: table(
            ("name", "scenario"), [(each["name"], each["scenario"]) for each in told["scenarios"]]
        ),
    )


@scenario.command()
@click.argument("name", required=False)
@asks_account
def show(asked: Asked, name: str | None) -> None:
    """Show the account's scenario; with NAME, one that ships."""
    if name:
        asked.show(asked.of_all.get(f"/scenarios/{name}"), lambda told: str(told["yaml"]).rstrip())
    else:
        asked.show(asked.get("/scenario"), _present)


def _present(answer: dict[str, Any]) -> str:
    scenario = answer["scenario"]
    if scenario is None:
        return f"{answer['account']} has no scenario"
    parts = [values([("account", answer["account"]), ("scenario", scenario["scenario"])])]
    rules = scenario.get("rules", [])
    if rules:
        named = [each.get("name") or f"rule {i + 1}" for i, each in enumerate(rules)]
        rows = [
            (name, each.get("decide", "accepted"), answer["fired"].get(name, 0))
            for name, each in zip(named, rules, strict=True)
        ]
        parts.append(table(("rule", "decides", "fired"), rows))
    return "\n\n".join(parts)


@scenario.command()
@click.argument("name", metavar="NAME|FILE", required=False)
@click.option("--none", is_flag=True, help="Go back to no scenario at all.")
@makes_account
def use(asked: Asked, name: str | None, none: bool) -> None:
    """Make a scenario that ships, or a file, the account's. Its rules start counting anew."""
    if bool(name) == none:
        raise click.UsageError("give one of NAME|FILE, --none")
    if not name:
        asked.show(asked.ask("DELETE", "/scenario"), _present)
        return
    path = Path(name)
    if path.suffix in SCENARIO_SUFFIXES or path.is_file():
        asked.show(_use_file(asked, path), _present)
    else:
        asked.show(asked.post("/scenario", {"name": name}), _present)


def _use_file(asked: Asked, path: Path) -> Any:
    """The simulator reads the file, because only it knows its own catalogue's words."""
    text = text_of_file(path)
    with problems_of(path, asked.as_json):
        return asked.post("/scenario", {"yaml": text})


@scenario.command("next")
@click.argument("status", type=click.Choice(DECISIONS))
@click.option("--reason", help="The name of a preset, or any text.")
@click.option("--after", metavar="DURATION", help="Else after the account's review delay.")
@makes_account
def next_(asked: Asked, status: str, reason: str | None, after: str | None) -> None:
    """Decide the next submission, whatever the scenario says. They queue."""
    given = {"decide": status, "reason": reason, "after": after}
    body = {name: text for name, text in given.items() if text}
    asked.show(asked.post("/next-outcome", body), lambda told: f"{told['waiting']} waiting")


# --- without a simulator ---------------------------------------------------------------------


@scenario.command()
@click.argument("files", metavar="FILE|NAME...", nargs=-1, required=True)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PLIVO_SIM_CATALOGUE",
    show_envvar=True,
    help="The file that serve has with --catalogue; its document types count too.",
)
@json_option
def check(files: tuple[str, ...], catalogue: Path | None, as_json: bool) -> None:
    """Check scenarios; prints every mistake with file, line and path. Needs no simulator.

    Exit code 2 when there is any.
    """
    words = _document_words(catalogue) if catalogue else None
    found = [mistake for file in files for mistake in _mistakes(file, words, quiet=as_json)]
    if as_json:
        click.echo(_as_json(found))
    for mistake in found if not as_json else ():
        click.echo(str(mistake))
    if found:
        raise click.exceptions.Exit(WrongFile.exit_code)


def _document_words(catalogue: Path) -> Collection[str]:
    from plivo_sim.catalogue import load_catalogue

    try:
        return load_catalogue(1, catalogue).document_words
    except OSError as error:
        raise WrongFile(f"{catalogue}: {error.strerror}") from None
    except ValueError as error:
        raise WrongFile(str(error)) from None


def _mistakes(file: str, words: Collection[str] | None, *, quiet: bool) -> list[Mistake]:
    from plivo_sim.scenarios.loader import Mistake, ScenarioError, find_scenario

    try:
        scenario = find_scenario(file, words)
    except ScenarioError as error:
        return list(error.mistakes)
    except (OSError, UnicodeDecodeError) as error:
        return [Mistake(file, 0, "", why_unreadable(error))]
    if not quiet:
        click.echo(f"{file}: ok: {scenario.scenario}")
    return []


def _as_json(mistakes: list[Mistake]) -> str:
    shown = [
        {"file": each.file, "line": each.line or None, "path": each.path, "message": each.text}
        for each in mistakes
    ]
    return as_json({"mistakes": shown})


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def new(name: str, force: bool) -> None:
    """Write a commented scenario to begin with, NAME.yaml. Needs no simulator."""
    path = Path(name) if Path(name).suffix in SCENARIO_SUFFIXES[:2] else Path(f"{name}.yaml")
    if path.exists() and not force:
        raise WrongFile(f"{path} is there already; --force writes over it")
    path.write_text(starter(path.stem), "utf-8")
    click.echo(f"wrote {path}; next: plivo-sim scenario check {path}")


def starter(name: str) -> str:
    """A scenario that shows the language, most of it in comments."""
    title = json.dumps(f"{name}: a blurred scan is rejected, its correction is accepted.")
    return _STARTER.replace("TITLE", title)


_STARTER = """\
scenario: TITLE
# One sentence that says what happens. plivo-sim scenario check FILE finds every mistake;
# plivo-sim scenario use FILE makes this the account's scenario.
# Editors complete and check this file by its schema:
# yaml-language-server: $schema=http://127.0.0.1:8700/_sim/schema/scenario.json

# Rules are tried in order; the first one whose conditions all hold decides the submission.
rules:
  - name: blurred scan
    when:
      country: IN
      alias: "*blurred*"         # a value, a glob, a list of them, or {regex: ...}
      # number_type: [local, mobile]
      # user_type: business
      # attempt: {at_least: 2}   # the second submission and later ones
      # not: {name: "Acme*"}
    times: 1                     # it decides once; then the rules below count
    decide: rejected             # accepted, rejected, more_info_required, nothing
    reason: unreadable_scan      # the name of a preset, or any text
    after: 2 business days       # or 36h, {between: [1d, 5d]}, {at: 2026-03-01T09:00:00Z}

  # - name: complaints
  #   when: {name: "*Telemarketing*"}
  #   decide: accepted
  #   after: 1d
  #   then:                      # what follows, counted from the step before it
  #     - {status: suspended, after: 30d, reason: complaints}
  #     - {status: accepted, after: 7d}

# What is decided when no rule matches; without it, accepted after the account's review delay.
default:
  decide: accepted
  after: 1d

# webhooks:
#   retries: [60s, 120s, 240s]
#   delay: 10m
#   duplicate: 1
#   drop: 1                      # the first callback is lost

# faults:
#   - {effect: error, status: 503, times: 2, operation: compliance.create}
#   - {effect: slow, latency_s: 2, every: 3}

# What plivo-sim replay FILE does, and what must hold then. What a step leaves out is that of a
# complete Indian business application.
steps:
  - submit: {app: first, alias: A blurred scan}
  - advance: 2 business days
  - correct: {app: first}
  - advance: 1d

expect:
  status: {first: accepted}
  timeline: {first: [submitted, rejected, submitted, accepted]}
"""
