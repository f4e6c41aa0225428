"""``plivo-sim seed``: fill an account with applicants, made up or from a CSV file."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plivo_sim.cli.numbers import FloatRange, Int, IntRange
from plivo_sim.cli.shared import (
    RefusedBySimulator,
    Target,
    WrongFile,
    refusal,
    table,
    token_option,
    with_new_account,
)
from plivo_sim.cli.words import COUNTRIES
from plivo_sim.client.rows import COLUMNS, read_rows
from plivo_sim.domain.limits import SEEDED
from plivo_sim.domain.machine import NOTHING
from plivo_sim.domain.words import like_listed
from plivo_sim.machines.loader import known_machine

if TYPE_CHECKING:
    from plivo_sim.client import Client
    from plivo_sim.client.applications import Applicant
    from plivo_sim.client.filing import Countries, Requirements
    from plivo_sim.domain.machine import Machine


T = TypeVar("T")
_SHARE = FloatRange(0, 1)
_SHARES = {
    "pending" if outcome == NOTHING else outcome.removesuffix("_required"): outcome
    for outcome in known_machine().outcomes
}
"""Option -> outcome; of the machine that this process knows. The account's has the last word."""


def _share_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, outcome in reversed(_SHARES.items()):
        told = (
            f"ends {outcome.replace('_', ' ')}: 0.7" if outcome != NOTHING else "is never decided"
        )
        option = click.option(
            f"--{name.replace('_', '-')}", type=_SHARE, help=f"Share that {told}."
        )
        command = option(command)
    return command


@click.command()
@click.argument("count", metavar="[N]", type=IntRange(1, SEEDED.most), required=False)
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Read the applicants from this file instead. Columns: {', '.join(COLUMNS)}.",
)
@click.option(
    "--seed",
    type=Int(),
    default=1,
    show_default=True,
    help="Another seed, other people.",
)
@click.option(
    "--country", metavar="XX", type=COUNTRIES, multiple=True, help="Only these countries."
)
@_share_options
@click.option(
    "--share",
    "more",
    metavar="STATUS=SHARE",
    multiple=True,
    help="The same for any status in which a review can end in the account's machine, or for"
    " nothing: in_review=0.2. Repeatable.",
)
@click.option("--callback-url", metavar="URL", default="", help="Where their callbacks go.")
@token_option("Auth token of the account; its callbacks are signed with the last one used.")
@with_new_account
def seed(
    target: Target,
    count: int | None,
    file: Path | None,
    seed: int,
    country: tuple[str, ...],
    more: tuple[str, ...],
    callback_url: str,
    token: str,
    **shares: float | None,
) -> None:
    """Create N applications of made-up people and businesses.

    Each has a generated PDF and PNG as proofs. They are sent to the real API, for the account
    that exists or, when there is none, a new one. What no share covers is decided as usual.
    """
    from plivo_sim.client import Client
    from plivo_sim.client.filing import account_at

    given = [(_SHARES[name], share) for name, share in shares.items() if share is not None]
    given += map(_share_in, more)
    _check_usage(count, file, country, callback_url, given)
    requirements, countries = _requirements(target, country)
    client = Client(target.client.url, target.account or account_at(target.client), token)
    machine = client.machine(client.auth_id)
    if file is not None:
        applicants = _from_file(client, file, seed, requirements, countries, machine)
    else:
        wanted = _ending(given, machine)
        applicants = _made_up(count or 0, seed, requirements, countries, wanted, callback_url)
    other = "" if file is not None else f"other people: --seed {seed + 1}"
    answers = _create_all(client, applicants, requirements, other)
    answer = {"account": client.auth_id, "applications": answers}
    target.show(answer, lambda _: _summary(client.auth_id, applicants))


def _check_usage(
    count: int | None,
    file: Path | None,
    country: tuple[str, ...],
    callback_url: str,
    shares: list[tuple[str, float]],
) -> None:
    if (count is None) == (file is None):
        raise click.UsageError("give one of N, --csv")
    if file is not None and (country or callback_url or shares):
        raise click.UsageError("countries, outcomes and callback URLs are columns of the CSV file")
    if twice := [name for name, n in Counter(name for name, _ in shares).items() if n > 1]:
        raise click.UsageError(f"the share of {twice[0]} is given twice")
    if sum(share for _, share in shares) > 1 + 1e-9:
        raise click.UsageError("the shares add up to more than 1")


def _share_in(text: str) -> tuple[str, float]:
    name, equals, share = text.partition("=")
    if not name or not equals:
        raise click.UsageError(f"--share {text!r} is not STATUS=SHARE")
    return name, _SHARE(share)


def _ending(shares: list[tuple[str, float]], machine: Machine) -> dict[str, float]:
    """The shares, once the account's machine can end a review in each."""
    for name, _ in shares:
        if name not in machine.outcomes:
            text = f"in machine {machine.name}, a review ends in {', '.join(machine.outcomes)}"
            hint = like_listed(name, machine.outcomes)
            raise click.UsageError(f"{text}, not in {name}{hint}")
    return {name: share for name, share in shares if share}


def _requirements(target: Target, country: tuple[str, ...]) -> tuple[Requirements, Countries]:
    from plivo_sim.client.filing import catalogue_at

    try:
        return catalogue_at(target.client, country)
    except ValueError as error:
        raise click.UsageError(f"--country {error}") from None


def _made_up(
    count: int,
    seed: int,
    requirements: Requirements,
    countries: Countries,
    shares: dict[str, float],
    callback_url: str,
) -> list[Applicant]:
    from plivo_sim.client.people import People

    people = People(seed, countries.__getitem__)
    keys = [key for key, each in requirements.items() if each["documents"]] or list(requirements)
    return [
        people.draw(index, keys, outcome=outcome, callback_url=callback_url)
        for index, outcome in enumerate(people.outcomes(count, shares))
    ]


def _from_file(
    client: Client,
    file: Path,
    seed: int,
    requirements: Requirements,
    countries: Countries,
    machine: Machine,
) -> list[Applicant]:
    """The applicants of a CSV file, once the simulator too has no objection to any of them."""
    from plivo_sim.client.people import People

    found = read_rows(file, requirements, machine.outcomes)
    people = People(seed, countries.__getitem__)
    applicants = {
        row.line: people.complete(
            row.line,
            row.key,
            row.end_user,
            alias=row.alias,
            outcome=row.outcome,
            callback_url=row.callback_url,
        )
        for row in found.rows
    }
    wrong = found.mistakes + list(_refused_rows(client, applicants, requirements))
    if wrong:
        lines = [f"{file}:{line}: {text}" for line, text in sorted(wrong)]
        raise WrongFile("\n".join(["nothing was created", *lines]))
    return list(applicants.values())


def _refused_rows(
    client: Client, applicants: dict[int, Applicant], requirements: Requirements
) -> Iterator[tuple[int, str]]:
    from plivo_sim.client.applications import create_request

    with _progress(applicants.items(), "checking") as bar:
        for line, applicant in bar:
            request = create_request(applicant, requirements[applicant.key])
            answer = client.evaluate(request.form, request.headers)
            for problem in answer.get("problems", ()):
                yield line, f"{problem['path']}: {problem['message']}"


def _create_all(
    client: Client, applicants: Sequence[Applicant], requirements: Requirements, other: str
) -> list[dict[str, Any]]:
    """``other``: how to make other people, for when these exist already."""
    from plivo_sim.client import Refused
    from plivo_sim.client.applications import create_request

    answers = []
    with _progress(applicants, "creating") as bar:
        for applicant in bar:
            request = create_request(applicant, requirements[applicant.key])
            try:
                answers.append(
                    client.compliance("POST", form=request.form, headers=request.headers)
                )
            except Refused as error:
                text = f"{refusal(error)}\n  application '{applicant.alias}'; created before it:"
                text += f" {len(answers)} of {len(applicants)}"
                if other and error.text.startswith("alias: "):  # a strict server has them already
                    text += f"\n  {other}"
                raise RefusedBySimulator(text) from None
    return answers


@contextmanager
def _progress(each: Iterable[T], label: str) -> Iterator[Iterable[T]]:
    """A bar on a terminal's error output, and nothing where there is none."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield each
        return
    with click.progressbar(list(each), label=label, file=sys.stderr) as bar:
        yield bar


def _summary(account: str, applicants: Sequence[Applicant]) -> str:
    words = [each.outcome.word if each.outcome else "as usual" for each in applicants]
    counts = Counter(zip((each.key[0] for each in applicants), words, strict=True))
    heads = sorted(set(words))
    rows = [
        (country, *(counts[country, word] for word in heads))
        for country in sorted({country for country, _ in counts})
    ]
    shown = table(("country", *heads), rows)
    return f"{shown}\n{len(applicants)} created; see: plivo-sim apps list --account {account}"
