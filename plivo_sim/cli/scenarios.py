"""``plivo-sim scenario``: use, check and write scenarios."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.cli.numbers import IntRange
from plivo_sim.cli.shared import (
    Document,
    Target,
    WrongFile,
    due_of,
    json_option,
    read_pairs,
    say,
    table,
    values,
    with_account,
    with_new_account,
    with_simulator,
)
from plivo_sim.cli.user_files import mistakes_as_json, problems_of, text_of_file, why_unreadable
from plivo_sim.cli.words import DECIDABLE, MACHINES, REASONS, SCENARIOS
from plivo_sim.domain.limits import SCENARIO_TEXT
from plivo_sim.domain.records import NumberType, UserType

if TYPE_CHECKING:
    from plivo_sim.catalogue.checked import Mistake
    from plivo_sim.domain.machine import Machine
    from plivo_sim.domain.requirements import Catalogue

SCENARIO_SUFFIXES = (".yaml", ".yml", ".json")


@click.group()
def scenario() -> None:
    """Use, check and write scenarios.

    A scenario says what the reviewer decides, and what happens to callbacks and calls.
    """


@scenario.command("list")
@with_simulator
def list_(target: Target) -> None:
    """List the scenarios that ship."""
    target.show(
        target.get("/scenarios"),
        lambda answer: table(
            ("name", "theme", "scenario"),
            [(each["name"], each["theme"], each["scenario"]) for each in answer["scenarios"]],
        ),
    )


@scenario.command()
@click.argument("name", type=SCENARIOS, required=False)
@with_account
def show(target: Target, name: str | None) -> None:
    """Show the account's scenario; with NAME, one that ships."""
    if name:
        target.show(
            target.of_all.get(f"/scenarios/{name}"),
            lambda answer: Document(str(answer["yaml"]).rstrip()),
        )
    else:
        target.show(target.get("/scenario"), _present)


def _present(answer: dict[str, Any]) -> str:
    scenario = answer["scenario"]
    due = [("due", due_of(answer))] if answer.get("due") else []
    due += [("warning", each) for each in answer.get("warnings", ())]
    if scenario is None:
        return "\n".join([f"{answer['account']} has no scenario", *(values(due) for _ in due)])
    parts = [values([("account", answer["account"]), ("scenario", scenario["scenario"]), *due])]
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
@click.argument("name", metavar="NAME|FILE", type=SCENARIOS, required=False)
@click.option("--none", is_flag=True, help="Use no scenario any more.")
@with_new_account
def use(target: Target, name: str | None, none: bool) -> None:
    """Use a scenario that ships, or a file, in the account. Its rules start counting anew."""
    if bool(name) == none:
        raise click.UsageError("give one of NAME|FILE, --none")
    if not name:
        target.show(target.call("DELETE", "/scenario"), _present)
        return
    path = Path(name)
    if path.suffix in SCENARIO_SUFFIXES or path.is_file():
        target.show(_use_file(target, path), _present)
    else:
        target.show(target.post("/scenario", {"name": name}), _present)


def _use_file(target: Target, path: Path) -> Any:
    """The simulator reads the file, because only it knows its own catalogue's words."""
    text = text_of_file(path, SCENARIO_TEXT)
    with problems_of(path, target.as_json):
        return target.post("/scenario", {"yaml": text})


@scenario.command("next")
@click.argument("status", type=DECIDABLE, required=False)
@click.option("--clear", is_flag=True, help="Take back those that wait in line.")
@click.option("--reason", type=REASONS, help="The name of a preset, or any text.")
@click.option(
    "--after",
    metavar="DURATION",
    help="How long the review takes; default: the account's review delay.",
)
@with_new_account
def next_(
    target: Target, status: str | None, clear: bool, reason: str | None, after: str | None
) -> None:
    """Decide the next submission, whatever the scenario says.

    STATUS is one in which a review can end, or nothing: plivo-sim machine show lists them.
    Called several times, the first decision is for the next submission, the second for the one
    after it, and so on.
    """
    given = {"decide": status, "reason": reason, "after": after}
    body = {name: text for name, text in given.items() if text}
    if clear == bool(body) or not (clear or status):
        raise click.UsageError("give one of STATUS, --clear")
    answer = target.call("DELETE", "/next-outcome") if clear else target.post("/next-outcome", body)
    target.show(answer, lambda answer: f"{answer['waiting']} waiting")


@scenario.command("try")
@click.argument("name", metavar="[NAME|FILE]", type=SCENARIOS, required=False)
@click.option("--application", metavar="ID", help="One of the account, sent once more as it is.")
@click.option("--country", metavar="XX", help="Of a made-up application: two letters.")
@click.option("--number-type", type=click.Choice(list(map(str, NumberType))), help="Likewise.")
@click.option("--user-type", type=click.Choice(list(map(str, UserType))), help="Likewise.")
@click.option("--alias", help="Likewise.")
@click.option("--applicant", metavar="NAME", help="Likewise: the end user's name.")
@click.option("--registration-number", help="Likewise.")
@click.option(
    "--file",
    "files",
    metavar="DOCUMENT=NAME",
    multiple=True,
    callback=read_pairs,
    help="Likewise: under which name the document of this type is uploaded.",
)
@click.option(
    "--field",
    "data_fields",
    metavar="NAME=VALUE",
    multiple=True,
    callback=read_pairs,
    help="Likewise: a field of the documents.",
)
@click.option("--attempt", type=IntRange(1), help="Which attempt it is.")
@with_account
def try_(
    target: Target, name: str | None, application: str | None, attempt: int | None, **given: Any
) -> None:
    """Show which rule would decide a submission, and why. Nothing is submitted or changed.

    The scenario is the account's, or the one that is named.
    """
    given["name"] = given.pop("applicant")
    submit = {key: value for key, value in given.items() if value}
    if application and submit:
        raise click.UsageError("--application is sent as it is; the other options make one up")
    body: dict[str, Any] = {"application": application} if application else {"submit": submit}
    if attempt is not None:
        body["attempt"] = attempt
    path = Path(name or "")
    if name and (path.suffix in SCENARIO_SUFFIXES or path.is_file()):
        body["yaml"] = text_of_file(path, SCENARIO_TEXT)
        with problems_of(path, target.as_json):
            answer = target.post("/scenario/dry-run", body)
    else:
        answer = target.post("/scenario/dry-run", {**body, **({"name": name} if name else {})})
    target.show(answer, _tried)


def _tried(answer: dict[str, Any]) -> str:
    pairs = [("would be", answer["would"]), ("by", answer["decided_by"])]
    pairs += [(f"after {each['after']}", each["status"]) for each in answer["steps"]]
    rules = [(each["rule"], each["matched"], each["why"]) for each in answer["rules"]]
    return values(pairs) + (f"\n\n{table(('rule', 'matched', 'why'), rules)}" if rules else "")


# --- without a simulator ---------------------------------------------------------------------


@scenario.command()
@click.argument("files", metavar="FILE|NAME...", type=SCENARIOS, nargs=-1, required=True)
@click.option(
    "--catalogue",
    type=click.Path(path_type=Path),
    envvar="PLIVO_SIM_CATALOGUE",
    show_envvar=True,
    help="The file or folder that serve has with --catalogue; its document types count too.",
)
@click.option(
    "--machine",
    metavar="NAME|FILE",
    type=MACHINES,
    default="default",
    envvar="PLIVO_SIM_MACHINE",
    show_envvar=True,
    help="What serve has with --machine; a scenario with a machine of its own needs none.",
)
@json_option
def check(files: tuple[str, ...], catalogue: Path | None, machine: str, as_json: bool) -> None:
    """Check scenarios; prints every mistake with file, line and path. Needs no simulator.

    Exit code 2 when there is any. A data field that the catalogue does not have is only warned of:
    a client may send it.
    """
    words, known = _catalogue(catalogue), _machine(machine)
    found: list[Mistake] = []
    doubts: list[Mistake] = []
    for file in files:
        mistakes, warnings = _checked(file, words, known, quiet=as_json)
        found, doubts = found + mistakes, doubts + warnings
    if as_json:
        say(mistakes_as_json(found, doubts))
    for mistake in found if not as_json else ():
        say(str(mistake))
    if found:
        raise click.exceptions.Exit(WrongFile.exit_code)


def _catalogue(catalogue: Path | None) -> Catalogue:
    from plivo_sim.catalogue import load_catalogue

    try:
        return load_catalogue(1, catalogue)
    except OSError as error:
        raise WrongFile(f"{catalogue}: {error.strerror}") from None
    except ValueError as error:
        raise WrongFile(str(error)) from None


def _machine(name: str) -> Machine:
    from plivo_sim.machines.loader import find_machine

    try:
        return find_machine(name)
    except ValueError as error:
        raise WrongFile(str(error)) from None


def _checked(
    file: str, catalogue: Catalogue, machine: Machine, *, quiet: bool
) -> tuple[list[Mistake], list[Mistake]]:
    """The mistakes, and what is warned of."""
    from plivo_sim.catalogue.checked import Mistake
    from plivo_sim.catalogue.user_files import text_in
    from plivo_sim.scenarios.loader import ScenarioError, doubts_about, find_scenario, is_file

    try:
        scenario = find_scenario(file, catalogue.document_words, machine)
        text = text_in(Path(file)) if is_file(file) else ""
    except ScenarioError as error:
        return list(error.mistakes), []
    except (OSError, UnicodeDecodeError) as error:
        return [Mistake(file, 0, "", why_unreadable(error))], []
    doubts = doubts_about(scenario, catalogue.field_names, text, file)
    if not quiet:
        for each in doubts:
            say(str(replace(each, text=f"warning: {each.text}")))
        say(f"{file}: ok: {scenario.scenario}")
    return [], doubts


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def new(name: str, force: bool) -> None:
    """Write a commented scenario to start from, NAME.yaml. Needs no simulator."""
    from plivo_sim.catalogue.output_files import SHARED, write_whole

    path = Path(name) if Path(name).suffix in SCENARIO_SUFFIXES[:2] else Path(f"{name}.yaml")
    if path.exists() and not force:
        raise WrongFile(f"{path} exists already; --force overwrites it")
    write_whole(path, starter(path.stem).encode(), mode=SHARED)
    say(f"wrote {path}; next: plivo-sim scenario check {path}")


def starter(name: str) -> str:
    """A scenario that shows the language, most of it in comments."""
    from plivo_sim.client.applications import sample

    title = json.dumps(f"{name}: a blurred scan is rejected, its correction is accepted.")
    text: str = sample("scenario.yaml").read_text("utf-8")
    return text.replace("TITLE", title, 1)
