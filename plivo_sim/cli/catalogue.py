"""``plivo-sim catalogue``: the countries, their files, and files of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.cli.shared import (
    Document,
    WrongFile,
    as_json,
    json_option,
    read_existing_country,
    say,
    table,
)
from plivo_sim.cli.words import COUNTRIES
from plivo_sim.domain.typed import Found
from plivo_sim.domain.words import did_you_mean

if TYPE_CHECKING:
    from plivo_sim.catalogue.checked import Mistake
    from plivo_sim.catalogue.shape import File, RequirementEntry

own_option: Callable[[Any], Any] = click.option(
    "--catalogue",
    "own",
    type=click.Path(path_type=Path),
    envvar="PLIVO_SIM_CATALOGUE",
    show_envvar=True,
    help="The file or folder that serve has with --catalogue; it counts too.",
)


@click.group()
def catalogue() -> None:
    """What each country requires: list, show, check and begin files. Needs no simulator."""


@catalogue.command("list")
@own_option
@json_option
def list_(own: Path | None, as_json: bool) -> None:
    """List the countries, with number types and how sure each is."""
    from plivo_sim.catalogue import countries_in, one_country

    files = _files(own)
    rows = [_row(one_country(files, iso)) for iso in countries_in(files)]
    if as_json:
        say(_json({"countries": rows}))
        return
    lines = [
        (each["country"], each["name"], ", ".join(each["number_types"]), _sure(each["sources"]))
        for each in rows
    ]
    say(table(("", "", "", ""), lines).partition("\n")[2])  # each begins with its letters


@catalogue.command()
@click.argument("country", metavar="XX", type=COUNTRIES)
@click.option("--table", "as_table", is_flag=True, help="What it requires, as a table.")
@own_option
@json_option
def show(country: str, as_table: bool, own: Path | None, as_json: bool) -> None:
    """Show a country's file; with --table, what it requires."""
    import msgspec

    from plivo_sim.catalogue import as_yaml, countries_in, one_country

    files, iso = _files(own), country.upper()
    known = countries_in(files)
    if iso not in known:
        text = f"the catalogue has no country {country}{did_you_mean(iso, known)}"
        raise click.UsageError(text)
    file = one_country(files, iso)
    if as_json:
        say(_json(msgspec.to_builtins(file)))
    elif as_table:
        say(_requirements(file))
    else:
        say(Document(as_yaml(file)), nl=False)


@catalogue.command()
@click.argument(
    "places", metavar="FILE|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@json_option
def check(places: tuple[Path, ...], as_json: bool) -> None:
    """Check files of one's own; prints every mistake with its line.

    Each may name what those before it define, as in a folder of them, which serve takes. Beyond
    what a start checks, number examples must be valid numbers, and Faker must have the locale.
    Exit code 2 when there is any mistake, or nothing to check.
    """
    from plivo_sim.catalogue import paths_in
    from plivo_sim.catalogue.checked import Mistake
    from plivo_sim.catalogue.shape import File

    checked: list[File] = []
    found: list[Mistake] = []
    told: list[str] = []
    for place in places:
        before, known = len(found), len(checked)
        try:
            for path in paths_in(place):
                found += _mistakes_of(path, checked)
        except ValueError as error:
            raise WrongFile(str(error)) from None
        if len(found) == before and all(file == File() for file in checked[known:]):
            found.append(Mistake(str(place), 0, "", "nothing is in it that could be checked"))
        if len(found) == before:
            entries = sum(len(file.requirements) for file in checked[known:])
            told.append(f"{place}: ok: {len(checked) - known} files, {entries} entries")
    if as_json:
        shown = [
            {"file": each.file, "line": each.line or None, "path": each.path, "message": each.text}
            for each in found
        ]
        say(_json({"mistakes": shown}))
    for line in [*told, *map(str, found)] if not as_json else ():
        say(line)
    if found:
        raise click.exceptions.Exit(WrongFile.exit_code)


@catalogue.command()
@click.argument("country", metavar="XX", type=COUNTRIES)
def new(country: str) -> None:
    """Print a commented file for a country, valid as it is."""
    from plivo_sim.catalogue import folder

    try:
        iso = read_existing_country(country)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    text = folder().joinpath("template.yaml").read_text("utf-8")
    say(Document(text.replace("XX", iso)), nl=False)


# --- what is shown ---------------------------------------------------------------------------


def _files(own: Path | None) -> list[File]:
    """The files that ship, and a user's own. Raises WrongFile."""
    from plivo_sim.catalogue import own_files, shipped_files

    try:
        return [*shipped_files(), *(own_files(own) if own else ())]
    except ValueError as error:
        raise WrongFile(str(error)) from None


def _row(file: File) -> dict[str, Any]:
    from plivo_sim.catalogue import country_facts

    offered = (each for each in file.requirements if each.exists)
    types = dict.fromkeys(t.value for each in offered for t in each.number_types)
    sources = Counter(each.source for each in file.requirements)
    return {
        "country": file.country,
        "name": country_facts(file).name,
        "number_types": list(types),
        "sources": dict(sources),
    }


def _sure(sources: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sources.items())


def _requirements(file: File) -> str:
    rows = [
        (
            ", ".join(entry.number_types),
            ", ".join(entry.user_types),
            entry.version,
            _demands(entry),
            entry.source,
            " ".join(filter(None, (entry.evidence, str(entry.observed or "")))),
        )
        for entry in file.requirements
    ]
    return table(("number types", "user types", "version", "documents", "how sure", "from"), rows)


def _demands(entry: RequirementEntry) -> str:
    if not entry.exists:
        return "not offered"
    texts = [d if isinstance(d, str) else " or ".join(d.any_of) for d in entry.documents]
    return ", ".join(texts) or "nothing"


def _json(value: Any) -> Document:
    return as_json(value)


# --- checks ----------------------------------------------------------------------------------


def _mistakes_of(path: Path, checked: list[File]) -> Sequence[Mistake]:
    """All that is wrong with a file; ``checked`` gets it if nothing is."""
    from plivo_sim.catalogue import read_file, shipped_files, text_of
    from plivo_sim.catalogue.building import build
    from plivo_sim.catalogue.checked import FileMistakes, Mistake

    before = [*shipped_files(), *checked]
    try:
        file = read_file(text_of(path), str(path), before, _unusable)
        build([*before, file], 1)
    except FileMistakes as error:
        return error.mistakes
    except ValueError as error:
        text = str(error).removeprefix(f"{path}: ")
        return [Mistake(str(path), 0, "", text)]
    checked.append(file)
    return ()


def _unusable(data: Any) -> Iterator[Found]:
    """What the libraries for names and numbers do not know, in plain values of any shape."""
    from faker.config import AVAILABLE_LOCALES

    given: dict[str, Any] = data if isinstance(data, dict) else {}
    applicants, examples = given.get("applicants"), given.get("number_examples")
    locale = applicants.get("locale", "en_US") if isinstance(applicants, dict) else "en_US"
    if isinstance(locale, str) and locale not in AVAILABLE_LOCALES:
        hint = did_you_mean(locale, sorted(AVAILABLE_LOCALES))
        yield ("applicants", "locale"), f"Faker has no locale {locale}{hint}"
    for number_type, digits in examples.items() if isinstance(examples, dict) else ():
        from plivo_sim.services.inventory import is_example  # here because it is heavy

        if not is_example(str(given.get("country")), number_type, str(digits)):
            text = f"{digits} is no valid {number_type} number of {given.get('country')}"
            yield ("number_examples", number_type), text
