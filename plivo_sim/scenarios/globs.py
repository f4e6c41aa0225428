"""Globs, compared with all texts of a condition at once: a step of a glob is one operation on
numbers whose bits are places in these texts. So a glob takes as many steps as it has characters,
whatever it and the texts say, and nothing is compiled; both have a limit. Case does not count.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from operator import or_

from plivo_sim.domain import limits
from plivo_sim.domain.typed import kept
from plivo_sim.scenarios.language import FaultRule

Matcher = Callable[[str], bool]

_MAGIC = re.compile(r"[*?\[]")


def is_glob(wanted: str) -> bool:
    """Whether a text is more than a plain word."""
    return _MAGIC.search(wanted) is not None


def parts_of(wanted: str) -> Iterator[str]:
    """The characters of a glob, and its classes whole."""
    at = 0
    while at < len(wanted):
        end = (
            wanted.find("]", at + 2 + (wanted[at + 1 : at + 2] == "!")) if wanted[at] == "[" else 0
        )
        size = end + 1 - at if end > 0 else 1
        yield wanted[at : at + size]
        at += size


class Texts:
    """Those that a glob or a word is compared with, each once: as many as have room in the limit
    ``condition_texts``. ``looked``: these; ``folded``: without their case."""

    def __init__(self, texts: Iterable[str]) -> None:
        left = limits.CONDITION_TEXTS.most
        self.looked: list[str] = []
        for text in dict.fromkeys(texts):
            if len(text) <= left:
                left -= len(text)
                self.looked.append(text)
        self.folded = {text.casefold(): None for text in self.looked}

    def fit(self, wanted: str) -> bool:
        """Whether one of them fits a glob, or is a plain word."""
        wanted = wanted.casefold()
        if not is_glob(wanted):
            return wanted in self.folded
        places = self._places
        at = places.starts
        for part in parts_of(wanted):
            at = places.behind(at) if part == "*" else (at & places.of(part)) << 1
            if not at:
                return False
        return bool(at & places.ends)

    @cached_property
    def _places(self) -> _Places:
        return _Places(self.folded)


class _Places:
    """The places of texts, as bits: of each one that before each of its characters, and its end;
    then one that is none, so that nothing is carried into the next text."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.starts = self.ends = 0
        self._chars: dict[str, int] = {}
        at = 0
        for text in texts:
            self.starts |= 1 << at
            for char in text:
                self._chars[char] = self._chars.get(char, 0) | 1 << at
                at += 1
            self.ends |= 1 << at
            at += 2
        self._gaps = self.ends << 1
        self._all = ((1 << at) - 1) ^ self._gaps
        self._any = self._all ^ self.ends

    def behind(self, at: int) -> int:
        """In each text the first of these places, and all that follow it."""
        return ((self._gaps - at) ^ at | at) & self._all

    def of(self, part: str) -> int:
        """Those of the characters that are as this part of a glob wants one."""
        if part == "?":
            return self._any
        if len(part) == 1:
            return self._chars.get(part, 0)
        is_not = part[1] == "!"
        found = self._in_class(part[2:-1] if is_not else part[1:-1])
        return self._any ^ found if is_not else found

    def _in_class(self, members: str) -> int:
        found = at = 0
        while at < len(members):
            is_range = members[at + 1 : at + 2] == "-" and at + 2 < len(members)
            size = 3 if is_range else 1
            low, high = members[at], members[at + size - 1]
            if not is_range:
                found |= self._chars.get(low, 0)
            elif low <= high:
                order, upto = self._sorted
                found |= upto[bisect_right(order, high)] ^ upto[bisect_left(order, low)]
            at += size
        return found

    @cached_property
    def _sorted(self) -> tuple[list[str], list[int]]:
        """The characters in order, and the places of so many of the first of them."""
        order = sorted(self._chars)
        return order, list(accumulate((self._chars[char] for char in order), or_, initial=0))


@kept(256)
def texts_of(text: str) -> Texts:
    """One text, to be compared."""
    return Texts((text,))


def glob(wanted: str) -> Matcher:
    """Whether a text fits a glob, case apart."""
    return lambda text: texts_of(text).fit(wanted)


_FACTS_OF_CALLS = ("api", "operation", "method", "path", "application")


def globs_of(fault: FaultRule) -> tuple[tuple[str, Matcher], ...]:
    """What a fault wants of a call: a fact's name and its glob, for those that are not ``*``."""
    wanted = ((name, getattr(fault, name)) for name in _FACTS_OF_CALLS)
    return tuple((name, glob(text)) for name, text in wanted if text != "*")
