"""What the commands share: the simulator that they call, their options, errors and exit codes.

0: done. 1: the simulator refused. 2: wrong usage, or a wrong file. 3: nothing answers.
130: Ctrl-C.

Answers as text: tables, lists of values, instants.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plivo_sim.cli.ids import RecordId, whole, whole_ones
from plivo_sim.cli.numbers import IntRange
from plivo_sim.domain.text import printable, printable_lines
from plivo_sim.domain.words import did_you_mean
from plivo_sim.settings import DEFAULT_URL

if TYPE_CHECKING:
    from plivo_sim.client import Client, Refused

C = TypeVar("C", bound=Callable[..., Any])
T = TypeVar("T")


class RefusedBySimulator(click.ClickException):
    """The simulator refused; the message is its own."""

    exit_code = 1


class WrongFile(click.ClickException):
    """A file that was given cannot be used."""

    exit_code = 2


class NothingAnswers(click.ClickException):
    """No simulator answers at the URL."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Target:
    """The simulator and account that a command is for, and how its answer is shown."""

    client: Client
    account: str = ""
    as_json: bool = False
    creates: bool = False
    """Whether the command may create the account."""

    @property
    def where(self) -> str:
        """The account, for a sentence about it."""
        return f"account {self.account}" if self.account else "this account"

    @property
    def of_all(self) -> Target:
        """The same simulator, for no particular account."""
        return replace(self, account="")

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, **query)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self.call("POST", path, body or {})

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A control call for the account that was named. Raises Refused, Unreachable."""
        if self.account and not (self.creates and method == "POST"):
            self.check_account()
        return self.client.control(method, path, body, account=self.account, **query)

    def check_account(self) -> None:
        """Raises Refused for an account that does not exist: the simulator would answer as for
        an empty one."""
        from plivo_sim.client import Refused
        from plivo_sim.simulator import is_account

        told = self.client.control("GET", "/accounts", account=self.account)
        known = [each["auth_id"] for each in told["accounts"]]
        if self.account in known or not is_account(self.account):
            return
        text = f"account {self.account} does not exist{did_you_mean(self.account, known)}"
        body = {
            "type": "urn:plivo-sim:problem:not_found",
            "title": "No such record",
            "status": 404,
            "code": "not_found",
            "detail": text,
            "kind": "account",
            "id": self.account,
        }
        raise Refused(
            404, f"{text}\nTo create it: plivo-sim account set --account {self.account}", body
        )

    def show(self, answer: Any, words: Callable[[Any], str]) -> None:
        """Print the answer as it is with ``--json``, else as the text that ``words`` makes. That is
        made in both cases: it raises what ``shape_of_answers`` takes for another server's."""
        told = words(answer)
        say(as_json(answer) if self.as_json else told)


class Document(str):
    """A text that somebody keeps, or a program reads, such as JSON: it is printed whole."""


MOST_SAID = 8000
"""No simulator says a longer line, or has a longer value; another server might."""
MOST_SAID_AT_ONCE = 16 * 1024 * 1024


def say(text: str, *, err: bool = False, nl: bool = True, file: Any = None) -> None:
    """Print text. All that a command prints comes through here: words of a server, of a file or of
    the command line may stand in it. A terminal obeys none of them, and long ones are cut, but for
    those of a ``Document``."""
    told = printable_lines(text) if isinstance(text, Document) else sentences(text)
    click.echo(told, file=file, err=err, nl=nl)


def sentences(text: str) -> str:
    """As ``say`` prints them."""
    if len(text) > MOST_SAID:
        lines = shortened(text, MOST_SAID_AT_ONCE).split("\n")
        text = "\n".join(shortened(line) for line in lines)
    return printable_lines(text)


def shortened(text: str, most: int = MOST_SAID) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def as_json(value: Any) -> Document:
    return Document(json.dumps(value, indent=2))


def url_option(command: C) -> C:
    return click.option(
        "--url",
        default=DEFAULT_URL,
        envvar="PLIVO_SIM_URL",
        show_default=True,
        show_envvar=True,
        help="Where the simulator answers.",
    )(command)


def token_option(help: str) -> Callable[[C], C]:
    """``--token``; ``help``: whose it is."""
    return click.option(
        "--token",
        default="token",
        show_default=True,
        envvar="PLIVO_SIM_TOKEN",
        show_envvar=True,
        help=help,
    )


def json_option(command: C) -> C:
    text = "Print the simulator's JSON and nothing else."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


def with_simulator(command: Callable[..., None], *, creates: bool = False) -> Callable[..., None]:
    """``--url`` and ``--json``; the command gets a ``Target`` first."""

    @functools.wraps(command)
    def run(*, url: str, as_json: bool, account: str = "", **given: Any) -> None:
        from plivo_sim.client import Client

        check_sendable({"url": url, "account": account, **given})
        with exit_codes(as_json), shape_of_answers(url):
            client = Client(url)
            account = whole(client, "account", account, "")
            whole_ones(client, account, given)
            command(Target(client, account, as_json, creates), **given)

    return json_option(url_option(run))


def check_sendable(given: Mapping[str, Any]) -> None:
    """Raises BadParameter for a value that JSON has no way to say: bytes that are no text, NaN."""
    for name, value in given.items():
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, str) and not _is_text(each):
                text = f"{each!r} is not UTF-8 text"
            elif isinstance(each, float) and not math.isfinite(each):
                text = f"{each} is not a finite number"
            else:
                continue
            parameters = click.get_current_context().command.params
            found = next((each for each in parameters if each.name == name), None)
            raise click.BadParameter(text, param=found)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def account_option(help: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """``--account``; ``help``: when it is needed."""
    return click.option(
        "--account",
        default="",
        envvar="PLIVO_SIM_ACCOUNT",
        show_envvar=True,
        type=RecordId("account"),
        metavar="MA...",
        help=help,
    )


def with_new_account(command: Callable[..., None]) -> Callable[..., None]:
    """Like ``with_account``; the account is created if it does not exist."""
    return with_account(command, creates=True)


def with_holder(command: Callable[..., None]) -> Callable[..., None]:
    """Like ``with_simulator``, for a command about one record."""
    text = "Auth id of the account; needed only where several hold a record of this id."
    return account_option(text)(with_simulator(command))


def with_account(command: Callable[..., None], *, creates: bool = False) -> Callable[..., None]:
    """Like ``with_simulator``, with ``--account``, which must exist."""
    text = "Auth id of the account; needed when several exist."
    return account_option(text)(with_simulator(command, creates=creates))


def page_options(command: C) -> C:
    """``--limit`` and ``--offset`` of a list."""
    size, first = IntRange(1), IntRange(0)
    for decorate in (
        click.option("--offset", type=first, default=0, show_default=True, help="Skip this many."),
        click.option(
            "--limit", type=size, default=100, show_default=True, help="At most this many."
        ),
    ):
        command = decorate(command)
    return command


def id_argument(kind: str) -> Callable[[C], C]:
    """``ID`` of a record, which must not be empty, as an unset variable of a script would be."""
    return click.argument("id", type=RecordId(kind), callback=not_empty)


def read_option(parameter: click.Parameter, read: Callable[[str], T], text: str) -> T:
    """The value of an option, by a reader of the settings. Raises BadParameter."""
    try:
        return read(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def read_pairs(
    context: click.Context, parameter: click.Parameter, texts: Sequence[str]
) -> dict[str, str]:
    """The callback of an option NAME=VALUE that is given several times. Raises BadParameter."""
    pairs = [text.partition("=") for text in texts]
    wrong = [
        text for text, (name, sign, _) in zip(texts, pairs, strict=True) if not (name and sign)
    ]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE", context, parameter)
    return {name: value for name, _, value in pairs}


def read_existing_country(text: str) -> str:
    """The code of a country that has phone numbers, in capital letters. Raises ValueError with a
    sentence, and the code that was probably meant."""
    from plivo_sim.catalogue import load_catalogue
    from plivo_sim.domain.countries import is_country
    from plivo_sim.domain.words import like_country

    iso = text.upper()
    if len(iso) == len("IN") and is_country(iso):
        return iso
    hint = like_country(text, load_catalogue(0).names)
    if len(iso) != len("IN"):
        raise ValueError(f"{text!r} is no country: write its two letters, such as KE{hint}")
    raise ValueError(f"there is no country {text!r}{hint}")


def not_empty(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("must not be empty")
    return value


def why_unusable(error: OSError | RecursionError) -> str:
    """Why the system, or the interpreter, failed, in a sentence."""
    if isinstance(error, RecursionError):
        return "what was given is nested too deeply"
    text = error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename else f"cannot be written: {text}"


@contextmanager
def exit_codes(as_json_: bool = False) -> Iterator[None]:
    """Turns what the client raises into messages and exit codes."""
    from plivo_sim.client import Refused, Unreachable

    try:
        yield
    except Refused as error:
        if as_json_ and error.body:
            say(as_json(error.body))
            raise click.exceptions.Exit(RefusedBySimulator.exit_code) from None
        raise RefusedBySimulator(refusal(error)) from None
    except Unreachable as error:
        raise NothingAnswers(str(error)) from None


@contextmanager
def shape_of_answers(url: str) -> Iterator[None]:
    """While answers of a server are read: one that lacks what every simulator's has is not from
    a simulator. Raises NothingAnswers then."""
    try:
        yield
    except UnicodeError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        lacks = f"its answer has no {error}" if isinstance(error, KeyError) else "by its answer"
        raise NothingAnswers(f"what answers at {url} is not plivo-sim: {lacks}") from error


def refusal(error: Refused) -> str:
    """A refusal as text: the sentence, each problem with its path, the accounts to choose from."""
    if error.body.get("code") == "account_required":
        return _which_account(error.body.get("accounts", []), error.text)
    placed = [each for each in error.body.get("problems", []) if each.get("path")]
    if not placed:
        return error.text
    lines = [f"  {each['path']}: {each['message']}" for each in placed]
    return "\n".join([str(error.body.get("title", error.text)), *lines])


def _which_account(accounts: list[str], text: str) -> str:
    if "--require-account" in text:
        return "this server has to be told which account: give --account, or PLIVO_SIM_ACCOUNT"
    if not accounts:
        return "no account exists yet; one is created when something is written to it"
    lines = [f"  --account {auth_id}" for auth_id in accounts]
    if "account=all" in text:
        lines.append("  --all")
    return "\n".join(["several accounts exist; choose one:", *lines])


GAP = "  "


WIDEST_COLUMN = 200
"""Else each row would be as wide as the longest value that a server gave."""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "") -> str:
    """Columns under their heads; ``empty`` is the sentence for no row at all."""
    cells = [[cell(each) for each in row] for row in rows]
    if not cells:
        return empty
    lines = [[head.upper() for head in heads], *cells]
    widths = [min(max(len(line[i]) for line in lines), WIDEST_COLUMN) for i in range(len(heads))]
    return "\n".join(
        GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def values(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, one a line, the values in one column."""
    shown = [(name, cell(value)) for name, value in pairs]
    width = max(len(name) for name, _ in shown)
    return "\n".join(f"{name.ljust(width)}{GAP}{text}" for name, text in shown)


def due_of(answer: dict[str, Any]) -> str:
    """What a change of the status machine did to what is due; empty when it is the same as
    before."""
    due = answer.get("due") or {}
    return ", ".join(f"{count} {name}" for name, count in due.items())


def cell(value: object) -> str:
    """A value on one line: ``-`` for an empty one, and without control characters."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(shortened(str(value)))


def instant(text: Any) -> str:
    """``2026-01-05T09:00:00.000000Z`` as ``2026-01-05 09:00:00``, in UTC."""
    return "" if text is None else str(text)[:19].replace("T", " ")
