"""``plivo-sim replay``: play scenarios, show what happened, and report whether they hold."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from plivo_sim.cli.junit import Case, report
from plivo_sim.cli.numbers import IntRange
from plivo_sim.cli.replayed import NOBODY, NOTHING, Receiver, checked, lines_of, plain
from plivo_sim.cli.shared import (
    NothingAnswers,
    RefusedBySimulator,
    WrongFile,
    as_json,
    check_sendable,
    exit_codes,
    refusal,
    say,
    shape_of_answers,
    table,
    token_option,
)
from plivo_sim.cli.words import SCENARIOS
from plivo_sim.domain import limits
from plivo_sim.domain.text import printable, printable_lines
from plivo_sim.settings import read_url

if TYPE_CHECKING:
    from plivo_sim.client.replay import ScenarioResult
    from plivo_sim.domain.machine import Machine
    from plivo_sim.scenarios.language import Scenario

SUFFIXES = (".yaml", ".yml", ".json")
DOES_NOT_HOLD = 1


class Mistakes(WrongFile):
    """A scenario has mistakes, each in a line of its own."""

    def show(self, file: Any = None) -> None:
        say(self.message, file=file, err=file is None)


def _whence(token: str) -> str:
    source = click.get_current_context().get_parameter_source("token")
    if source is ParameterSource.DEFAULT:
        return f"the token '{token}' (another: --token, PLIVO_SIM_TOKEN)"
    return (
        f"the token of {'--token' if source is ParameterSource.COMMANDLINE else 'PLIVO_SIM_TOKEN'}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of one scenario: a result, and its ``lines``; or what went wrong, so that there
    is none; or why it was passed over."""

    source: str
    took_s: float = 0.0
    result: ScenarioResult | None = None
    receiver: Receiver = NOBODY
    lines: Sequence[str] = ()
    error: click.ClickException | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    skipped: str = ""

    @property
    def exit_code(self) -> int:
        if self.error is not None:
            return self.error.exit_code
        return 0 if self.result is None or self.result.holds else DOES_NOT_HOLD


@click.command()
@click.argument("sources", metavar="NAME|FILE|FOLDER...", type=SCENARIOS, nargs=-1, required=True)
@click.option(
    "--url",
    default="",
    envvar="PLIVO_SIM_URL",
    show_envvar=True,
    help="A running simulator to play it on; by default, one is started for the replay.",
)
@click.option(
    "--against",
    default="",
    metavar="URL",
    help="Webhook endpoint of your own application: callbacks go there, and it must take them, but"
    " refuse what is forged.",
)
@token_option("Auth token of the calls; callbacks are signed with it.")
@click.option(
    "--jobs",
    type=IntRange(1, 32),
    default=1,
    show_default=True,
    help="Play so many scenarios at once.",
)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write a report in JUnit's XML to this file, as CI servers read it.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print JSON and nothing else.")
def replay(
    sources: tuple[str, ...],
    url: str,
    against: str,
    token: str,
    jobs: int,
    junit: Path | None,
    as_json_: bool,
) -> None:
    """Play scenarios, show what happened and whether they hold.

    It submits a scenario's applications and moves time; the scenario is one that ships, or a
    file; of a folder, all files are played that have steps. Each plays in an account of its own,
    which is emptied first and kept afterwards. On a shared server, each job sets PLIVO_SIM_RUN_ID
    to a value of its own, so that it has accounts of its own; one that another job empties ends
    with an error.

    With --against, none holds, unless it says otherwise, whose callbacks are not all taken in the
    end (2xx), or of which a callback with a wrong or no signature is not refused; nor does one
    that ends before a callback was sent, or of whose callbacks none is sent. A refused call that a
    scenario does not list is no play that holds, whatever it expects.

    Exit codes: 0 what the scenarios expect holds, or they expect nothing, 1 it does not,
    2 a wrong scenario, 3 nothing answers; of several, the largest.
    """
    try:
        read_url(against)
    except ValueError:
        text = f"--against {against!r}: write http://127.0.0.1:8000/webhook"
        raise click.UsageError(text) from None
    check_sendable({"token": token})
    receiver = Receiver(against, token, _whence(token) if against else "")
    named = list(_named(sources))
    if junit is not None:
        junit.touch()  # now: one that cannot be written is not found out after all has been played
    with exit_codes(as_json_), shape_of_answers(url):
        known = _known_at(url)
    with _running(url) as base, ThreadPoolExecutor(jobs) as pool:
        plays = [pool.submit(_play, each, base, receiver, known) for each in named]
        try:
            played = []
            for each in plays:
                played.append(each.result())
                if not as_json_:
                    _tell(played[-1], alone=len(named) == 1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if junit is not None:
        from plivo_sim.catalogue.output_files import SHARED, write_whole

        write_whole(junit, report("plivo-sim replay", list(map(_case, played))), mode=SHARED)
    _conclude(played, as_json_)
    raise click.exceptions.Exit(max(each.exit_code for each in played))


def _conclude(played: Sequence[Played], as_json_: bool) -> None:
    """Raises WrongFile when there was nothing to play, or one alone could not be."""
    only = played[0]
    if as_json_ and len(played) == 1 and only.error is not None and not only.answer:
        raise only.error
    if as_json_:
        say(as_json(_as_plain(played)))
    elif len(played) > 1:
        say(_summary(played))
    if all(each.skipped for each in played):
        raise WrongFile("none of them has steps, so there is nothing to replay")


# --- playing -----------------------------------------------------------------------------------

Known = tuple[Collection[str], "Machine | None"]
"""The document types and the status machine that scenarios may name."""


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario to play, by name or path; whether it is there because its folder was named."""

    name: str
    of_folder: bool = False


def _named(sources: Sequence[str]) -> Iterator[Source]:
    """Each scenario once. Raises WrongFile for a folder without any."""
    seen: set[str] = set()
    for source in sources:
        found = [Source(source)]
        if Path(source).is_dir():
            found = [Source(str(path), of_folder=True) for path in sorted(_files_in(source))]
        if not found:
            raise WrongFile(f"{source}: no {', '.join(SUFFIXES)} file is in this folder")
        yield from (each for each in found if each.name not in seen)
        seen.update(each.name for each in found)


def _files_in(folder: str) -> Iterator[Path]:
    """Those that may be scenarios. Links to folders are not followed: one to ``/`` has everything.
    Raises WrongFile."""
    looked = 0
    for at, folders, names in os.walk(folder):
        looked += len(folders) + len(names)
        if looked > limits.FOLDER_ENTRIES.most:
            raise WrongFile(f"{folder}: {limits.FOLDER_ENTRIES}")
        yield from (each for name in names if (each := Path(at, name)).suffix in SUFFIXES)


def _known_at(url: str) -> Known:
    """What ships; the simulator at ``url`` may know documents and statuses of its own."""
    from plivo_sim.client.replay import server_machine
    from plivo_sim.machines import load_machine_data
    from plivo_sim.scenarios.loader import shipped_words

    if not url:
        return shipped_words(), None
    machine = load_machine_data(server_machine(url))
    return {*shipped_words(), *_words_at(url)}, machine


def _words_at(url: str) -> set[str]:
    from plivo_sim.client import Client

    return {
        type_["word"]
        for requirement in Client(url).control("GET", "/requirements")["requirements"]
        for demand in requirement["documents"]
        for type_ in demand["any_of"]
    }


def _play(source: Source, base: str, receiver: Receiver, known: Known) -> Played:
    from plivo_sim.client import Refused, Unreachable
    from plivo_sim.client.replay import WrongScenario
    from plivo_sim.client.replay import replay as play

    began, name = time.monotonic(), source.name
    answer: Mapping[str, Any] = {}
    try:
        scenario = _scenario_of(name, known)
        if not scenario.steps and source.of_folder:
            return Played(source=name, skipped="it has no steps")
        if not scenario.steps:
            raise WrongFile(f"{name}: it has no steps, so there is nothing to replay")
        with shape_of_answers(base):
            result = play(base, name, scenario, receiver.url, receiver.token)
            lines = list(lines_of(result, receiver))
        took_s = time.monotonic() - began
        return Played(source=name, took_s=took_s, result=result, receiver=receiver, lines=lines)
    except click.ClickException as told:
        error = told
    except WrongScenario as told:
        error = WrongFile(f"{name}: {told}")
    except Refused as told:
        error, answer = RefusedBySimulator(refusal(told)), told.body
    except Unreachable as told:
        error = NothingAnswers(str(told))
    return Played(source=name, took_s=time.monotonic() - began, error=error, answer=answer)


def _scenario_of(name: str, known: Known) -> Scenario:
    from plivo_sim.scenarios.loader import ScenarioError, find_scenario

    try:
        return find_scenario(name, *known)
    except ScenarioError as error:
        raise Mistakes("\n".join(map(str, error.mistakes))) from None
    except UnicodeDecodeError:
        raise WrongFile(f"{name}: not UTF-8 text") from None
    except OSError as error:
        raise WrongFile(f"{name}: {error.strerror}") from None


@contextmanager
def _running(url: str) -> Iterator[str]:
    """The simulator at ``url``, or one of our own for the time being."""
    if url:
        yield url
        return
    from plivo_sim.assembly import LiveSimulator
    from plivo_sim.settings import Settings

    try:
        simulator = LiveSimulator(Settings(port=0, paused=True, review_delay=None))
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    with simulator as live:
        yield live.url


# --- output ----------------------------------------------------------------------------------


def _tell(played: Played, *, alone: bool) -> None:
    """At once, while the others play; one of several has its name above it."""
    if not alone:
        say(f"=== {printable(played.source)}")
    if played.error is not None:
        played.error.message = printable_lines(played.error.message)  # type: ignore[misc]
        played.error.show()
    elif played.result is not None:
        say("\n".join(played.lines))
    else:
        say(f"passed over: {played.skipped}")
    if not alone:
        say("")


def _summary(every: Sequence[Played]) -> str:
    rows = [(_word(each), f"{each.took_s:.1f} s", each.source) for each in every]
    return table(("result", "took", "scenario"), rows)


def _word(played: Played) -> str:
    if played.result is not None and not played.result.holds:
        return "FAILED"
    if played.result is not None:
        return "holds" if played.result.checks else NOTHING
    return "ERROR" if played.error is not None else "passed over"


def _case(played: Played) -> Case:
    result, failure, skipped = played.result, "", played.skipped
    if result is not None and not result.checks:
        skipped = f"it {NOTHING}"
    if result is not None and not result.holds:
        failure = played.lines[-1]
        failed = [line for check in result.checks if not check.ok for line in checked(check)]
        failure = "\n".join([failure, *failed])
    return Case(
        name=played.source,
        took_s=played.took_s,
        failure=failure,
        error="" if played.error is None else played.error.message,
        skipped=skipped,
        output="\n".join(played.lines),
    )


def _as_plain(every: Sequence[Played]) -> dict[str, Any]:
    """Of one, its result, or what the simulator answered; of several, each with its source."""
    if len(every) == 1 and every[0].result is not None:
        return plain(every[0].result, every[0].receiver)
    if len(every) == 1 and every[0].answer:
        return dict(every[0].answer)
    return {"scenarios": [_plain_of(each) for each in every]}


def _plain_of(played: Played) -> dict[str, Any]:
    told = {"source": played.source, "took_s": round(played.took_s, 3)}
    if played.result is not None:
        return told | plain(played.result, played.receiver)
    error = played.error.message if played.error is not None else None
    return told | {"error": error, "skipped": played.skipped or None}
