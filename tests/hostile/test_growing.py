"""What reads a text that anybody may have sent takes steps that grow with it, and no faster.

The texts are made: each pair of signs that mean something to whoever reads them, again and again,
behind what makes it look. Steps are counted, of patterns in characters.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import json
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest

from plivo_sim.domain import secrets
from plivo_sim.domain.errors import Invalid
from plivo_sim.web import parts, request_log
from tests.hostile.test_backtracking import name_of
from tests.support import calls_of

SIZE = 600
"""More than what is looked at of a value that may be a name."""
SIGNS = (
    '"name":', "'key'=", '"token":', '["token",', "name=", "token=", "token:", '"', "'", "\\",
    "%22", r"\u0022", ":", ",", "{", "//", "@", "&", "\n\n", "\r\n--", " ", "x",
)  # fmt: skip
BEGINS = "token "
"""A text without such a word is only searched for one."""


class Counting:
    """A pattern that counts the characters that it reads: up to the end of what it finds, up to the
    end of all where a search finds nothing, and one where nothing begins at a place."""

    read = 0

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        self.pattern = pattern

    def match(self, text: Any, at: int = 0, *end: int) -> Any:
        found = self.pattern.match(text, at, *end)
        Counting.read += found.end() - at if found else 1
        return found

    def search(self, text: Any, at: int = 0, *end: int) -> Any:
        found = self.pattern.search(text, at, *end)
        Counting.read += (found.end() if found else min((len(text), *end))) - at
        return found

    def finditer(self, text: Any, at: int = 0) -> Iterator[Any]:
        for found in self.pattern.finditer(text, at):
            Counting.read += found.end() - at
            at = found.end()
            yield found
        Counting.read += len(text) - at

    def __getattr__(self, name: str) -> Any:
        Counting.read += 1
        return getattr(self.pattern, name)


def as_form(text: str) -> None:
    raw = f'--b\r\nContent-Disposition: form-data; name="{text}\r\n\r\n{text}\r\n--b--\r\n'
    with contextlib.suppress(Invalid):
        parts.multipart_parts(raw.encode("latin-1"), "b", "", 100)


READERS: dict[str, Callable[[str], Any]] = {
    "bytes": lambda text: secrets.masked_bytes(text.encode("latin-1")),
    "JSON": lambda text: secrets.masked_json(json.dumps([text, {"name": text}]).encode()),
    "text": secrets.masked_text,
    "URL": secrets.without_secrets,
    "query": secrets.masked_query,
    "head": lambda text: request_log.masked_environ({
        "QUERY_STRING": text, "REQUEST_URI": f"/x?{text}", "PATH_INFO": text,
        "HTTP_X": f"?{text}"}),
    "form": as_form,
}  # fmt: skip
MODULES = (secrets, request_log, parts)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                monkeypatch.setattr(module, name, Counting(value))


def steps(read: Callable[[str], Any], text: str) -> int:
    Counting.read = 0
    return calls_of(lambda: read(text)) + Counting.read


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.usefixtures("counted")
def test_four_times_the_text_is_four_times_the_work(reader: str) -> None:
    """Whichever two signs it repeats."""
    read, slow = READERS[reader], []
    for sign in map("".join, product(SIGNS, SIGNS)):
        texts = (BEGINS + sign * (times * SIZE // len(sign)) for times in (1, 4))
        few, many = (steps(read, text) for text in texts)
        if many > 6 * few + 100:
            slow.append((sign, few, many))
    assert not slow


def test_texts_are_read_from_a_place_on_by_patterns_alone() -> None:
    """Which are counted: of ``text.find(sign, at)`` nobody could tell how far it reads."""
    names = {"find", "rfind", "index", "rindex", "count"}
    found = [
        ast.unparse(call)
        for call in ast.walk(ast.parse(inspect.getsource(secrets)))
        if isinstance(call, ast.Call) and call.args[1:] and name_of(call.func) in names
    ]
    assert not found
