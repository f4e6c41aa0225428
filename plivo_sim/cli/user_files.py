"""Files that a command is given: read, and what is wrong with them told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plivo_sim.cli.shared import Document, WrongFile, as_json, say
from plivo_sim.domain.limits import CONTROL_BODY, Limit

if TYPE_CHECKING:
    from plivo_sim.catalogue.checked import Mistake


def text_of_file(path: Path, limit: Limit = CONTROL_BODY) -> str:
    """Raises WrongFile when it cannot be read, or is longer than what it is for may be."""
    from plivo_sim.catalogue.user_files import text_in  # here because the help needs none

    try:
        text = text_in(path, limit)
    except (OSError, UnicodeDecodeError) as error:
        raise WrongFile(f"{path}: {why_unreadable(error)}") from None
    if len(text) > limit.most:
        raise WrongFile(f"{path}: is too large: {limit}")
    return text


def bytes_of_file(path: Path, limit: Limit) -> bytes:
    """The same of a file that is no text."""
    from plivo_sim.catalogue.user_files import bytes_in

    try:
        content = bytes_in(path, limit.most)
    except OSError as error:
        raise WrongFile(f"{path}: {why_unreadable(error)}") from None
    if len(content) > limit.most:
        raise WrongFile(f"{path}: is too large: {limit}")
    return content


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    return str(error.strerror) if isinstance(error, OSError) else "not UTF-8 text"


def mistakes_as_json(
    mistakes: Iterable[Mistake], warnings: Iterable[Mistake] | None = None
) -> Document:
    """Those of files that were checked, and what was warned of, if anything can be."""
    told = {"mistakes": list(map(_mistake, mistakes))}
    if warnings is not None:
        told["warnings"] = list(map(_mistake, warnings))
    return as_json(told)


def _mistake(each: Mistake) -> dict[str, Any]:
    return {"file": each.file, "line": each.line or None, "path": each.path, "message": each.text}


@contextmanager
def problems_of(file: Path, as_json_: bool) -> Iterator[None]:
    """While the content of a file is sent: a refusal that lists problems is about the file."""
    from plivo_sim.client import Refused

    try:
        yield
    except Refused as error:
        problems = error.body.get("problems")
        if not problems:
            raise
        if as_json_:
            say(as_json(error.body))
            raise click.exceptions.Exit(WrongFile.exit_code) from None
        raise WrongFile("\n".join(_placed(str(file), each) for each in problems)) from None


def _placed(file: str, problem: dict[str, str]) -> str:
    """``file:line: path: text`` of a problem whose text begins with ``line N: ``."""
    line = re.match(r"line (\d+): ", problem["message"])
    text = problem["message"][line.end() :] if line else problem["message"]
    where = f"{file}:{line[1]}" if line else file
    return ": ".join(part for part in (where, problem["path"], text) if part)
