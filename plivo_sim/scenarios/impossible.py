"""Finds conditions that no submission meets, by trying what a fact can be. Pure.

The facts of few values are looked at: country, kinds of numbers and users, API and dialect; of
the counted ones, the numbers at which an answer can change. What cannot be decided so is taken to
be possible: a condition that a submission can meet is never complained of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from math import ceil, floor, isfinite
from typing import Any, NamedTuple

import msgspec

from plivo_sim.domain.countries import countries_with_numbers
from plivo_sim.domain.records import Origin
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.scenarios.complaints import Words
from plivo_sim.scenarios.conditions import CLOSED, COUNTED, PATHS_FIRST, values_of
from plivo_sim.scenarios.language import Comparison, When
from plivo_sim.scenarios.matching import LEAVES, api_of, holds
from plivo_sim.scenarios.patterns import regex

WORK = 100_000
"""So many comparisons are made for a scenario, a step of a regex counted as one; what would be
looked at then is taken to be possible."""
_DIGITS = "0123456789"
_IN_IDS = "0123456789abcdef-"
_TYPED = ("at_least", "at_most", "passed")
_PARTS = ("regex", "has", *_TYPED)
"""What is looked at by itself; plain values and globs are elsewhere."""
_GROUPS = {"api": "api and dialect", "dialect": "api and dialect"}
"""Facts that depend on each other, by what both are called."""
_FEW = (*CLOSED, "country", *COUNTED)


class Asked(NamedTuple):
    """A test that has to hold, or, where ``wanted`` is false, must not; ``name``: of the fact."""

    path: Steps
    name: str
    test: Any
    wanted: bool


class Search:
    """One look at the conditions of a scenario that has no other mistakes in them."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._left = WORK

    def in_condition(self, when: When, path: Steps) -> Iterator[Found]:
        """Where nothing can match: the innermost conditions that are impossible by themselves."""
        inner = [found for key, each in _parts(when)
                 for found in self.in_condition(each, (*path, *key))]  # fmt: skip
        yield from inner or self._in_one(when, path)

    def _in_one(self, when: When, path: Steps) -> Iterator[Found]:
        """What is wrong with a condition whose parts are right."""
        found = list(self._in_lists(when, path))
        yield from found
        if not found and self._left > 0:
            asked = list(_asked(when, path))
            self._left -= len(asked)
            yield from self._together(asked, path)

    # --- facts of few values, all that is asked of one of them together --------------------------

    def _together(self, asked: list[Asked], path: Steps) -> Iterator[Found]:
        groups: dict[str, list[Asked]] = {}
        for each in asked:
            if each.name in _FEW and (known := _decidable(each)) is not None:
                groups.setdefault(_GROUPS.get(each.name, each.name), []).append(known)
        for name, tests in groups.items():
            left = self._possible(name, tests)
            if not next(left, None):
                yield _complaint(name, tests, path)
            elif name == "attempt" and next(left, None) is None:
                yield from self._at_the_first(tests, asked)

    def _possible(self, group: str, tests: list[Asked]) -> Iterator[Mapping[str, Any]]:
        """The values that this fact can have and that meet all tests."""
        cost = sum(map(_cost, tests))
        for value in self._domain(group, tests):
            self._left -= cost
            if self._left < 0 or all(
                holds(each.test, value[each.name], _NO_FACTS) is each.wanted for each in tests
            ):
                yield value

    def _domain(self, group: str, tests: list[Asked]) -> Iterable[Mapping[str, Any]]:
        if group in COUNTED:
            return ({group: each} for each in _turns(tests))
        if group == "country":
            return ({group: each} for each in self._countries())
        if group in CLOSED:
            return ({group: each} for each in CLOSED[group])
        return ({"api": api_of(each), "dialect": each.value} for each in Origin)

    def _countries(self) -> Iterator[str]:
        yield from self._words.countries
        yield from countries_with_numbers()

    def _at_the_first(self, tests: list[Asked], asked: list[Asked]) -> Iterator[Found]:
        """A complaint where only the first attempt is meant, and something has to be changed."""
        if not holds(1, next(self._possible("attempt", tests))["attempt"], _NO_FACTS):
            return
        for each in asked:
            if each.name == "changed" and holds(each.test, [], _NO_FACTS) is not each.wanted:
                yield each.path, "can match nothing: at the first attempt nothing is changed"
                return

    # --- facts with lists of values, and endless ones: each part of a test for itself ------------

    def _in_lists(self, when: When, path: Steps) -> Iterator[Found]:
        for name in ("document_types", "changed", *COUNTED):
            test = getattr(when, name)
            if not isinstance(test, Comparison):
                continue
            for key in _PARTS:
                part = getattr(test, key)
                if part is None or self._may_be(name, key, part):
                    continue
                what = name.replace("_", " ").removesuffix("s")
                told = "path of what is changed" if name == "changed" else what
                yield (*path, name), f"'{key}' can match nothing: there is no such {told}"

    def _may_be(self, name: str, key: str, part: Any) -> bool:
        """Whether any value of this fact can be so."""
        if name in COUNTED:
            if key == "has":
                return bool(part.isdecimal() and part.isascii())
            return key != "regex" or regex(part).may_be_found("", _DIGITS)
        if name == "changed":
            if key == "regex":
                pattern = regex(part)
                return pattern.may_be_found("documents.") or any(map(pattern.found_in, PATHS_FIRST))
            return key not in _TYPED
        if key == "has" and set(part.casefold()) <= set(_IN_IDS):
            return True  # a type that the requirement does not have is told by its id
        if key == "regex" and regex(part).may_be_found("", _IN_IDS):
            return True
        self._left -= len(self._words.documents)
        test = Comparison(**{key: part})
        return self._left < 0 or holds(test, list(self._words.documents), _NO_FACTS)


_NO_FACTS: Mapping[str, Any] = {"today": ""}


def _parts(when: When) -> Iterator[tuple[Steps, When]]:
    for name in ("any", "all"):
        for index, each in enumerate(getattr(when, name) or ()):
            yield (name, index), each
    if when.not_ is not None:
        yield ("not",), when.not_


def _asked(when: When, path: Steps) -> Iterator[Asked]:
    """All that has to hold where this does, alternatives apart."""
    for name in LEAVES:
        test = getattr(when, name)
        if test is not None:
            yield Asked((*path, name), name, test, True)
    for index, each in enumerate(when.all or ()):
        yield from _asked(each, (*path, "all", index))
    if when.not_ is not None:
        yield from _denied(when.not_, (*path, "not"))


def _denied(when: When, path: Steps) -> Iterator[Asked]:
    """All that must not hold where this does not: nothing for several conditions, of which any may
    be the one that does not."""
    given = [name for name in when.__struct_fields__ if getattr(when, name) is not None]
    if len(given) != 1:
        return
    (name,) = given
    if name in LEAVES:
        yield Asked((*path, name), name, getattr(when, name), False)
    elif name == "any" or (name == "all" and len(when.all or ()) == 1):
        for index, each in enumerate(getattr(when, name)):
            yield from _denied(each, (*path, name, index))
    elif when.not_ is not None:
        yield from _asked(when.not_, (*path, "not"))


def _decidable(asked: Asked) -> Asked | None:
    """What can be decided of a test by the value alone: it without the rest, which can only take
    away from what it allows; None for what must not hold and has such a rest."""
    test = asked.test
    if not isinstance(test, Comparison):
        return asked
    endless = ("regex", "has") if asked.name in COUNTED else ()
    rest = {key: None for key in ("differs_from", *endless) if getattr(test, key) is not None}
    if rest and not asked.wanted:
        return None
    return asked._replace(test=msgspec.structs.replace(test, **rest))


def _turns(tests: Collection[Asked]) -> list[int]:
    """From 1, the numbers at which an answer of the tests can change, and their neighbours."""
    found = {1}
    for each in tests:
        test = each.test
        bounds = [test.at_least, test.at_most] if isinstance(test, Comparison) else []
        for bound in bounds:
            if bound is not None and isfinite(bound):
                found |= {floor(bound), ceil(bound)}
        texts = map(str, values_of(test))
        found |= {int(text) for text in texts if text.isdecimal() and text.isascii()}
    near = {number + step for number in found for step in (-1, 0, 1)}
    return sorted(number for number in near if number >= 1)


def _cost(asked: Asked) -> int:
    test = asked.test
    pattern = test.regex if isinstance(test, Comparison) else None
    return 1 + len(values_of(test)) + (regex(pattern).size if pattern else 0)


def _complaint(group: str, tests: list[Asked], path: Steps) -> Found:
    what = tests[0].name if len({each.name for each in tests}) == 1 else group
    what = what.replace("_", " ")
    if len(tests) > 1:
        return path, f"can match nothing: no {what} meets all that is asked of it"
    (only,) = tests
    if not only.wanted:
        return only.path, f"can match nothing: it holds for every {what}"
    counted = "; they count from 1" if group in COUNTED else ""
    return only.path, f"can match nothing: there is no such {what}{counted}"
