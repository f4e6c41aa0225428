"""Which regular expressions may read a text more than once, told from the expression alone.

An expression becomes an automaton with a state for each of its characters (Glushkov's). Matching
takes more steps than a multiple of the text's length where one text leads in two ways from a loop
into another (or from the place where a search begins into a loop), and what follows may fail
(Weber and Seidl, "On the degree of ambiguity of finite automata", 1991).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

ALPHABET = frozenset(map(chr, [*range(0x180), 0x2028, 0x3000, 0xFEFF, 0x10FFFF]))
NOTHING: frozenset[str] = frozenset()
CLASSES = {
    sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S", sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
COPIES = 2
"""A repeat with an end is no loop: so many of it stand for all."""


@dataclass
class Part:
    """Of an expression. ``first`` and ``last``: its states, and what may not come before, or
    behind, them, since a possessive repeat would have taken it; ``skip``: the same where the part
    may be left out, None where it may not."""

    first: dict[int, frozenset[str]] = field(default_factory=dict)
    last: dict[int, frozenset[str]] = field(default_factory=dict)
    skip: frozenset[str] | None = None


def empty() -> Part:
    return Part(skip=NOTHING)


class Automaton:
    """``how``: whether the expression is searched for, matched or fully matched."""

    def __init__(self, pattern: str | bytes, flags: int, how: str) -> None:
        tree = _parser.parse(pattern, flags)
        self.flags = tree.state.flags
        self.sets: list[frozenset[str]] = [NOTHING]
        self.edges: dict[int, dict[int, frozenset[str]]] = {}
        self.twice: set[tuple[int, int]] = set()
        anchored = tree.data and tree.data[0][0] is sre.AT and not self.flags & re.MULTILINE
        if how == "search" and not anchored:
            self.edges[0] = {0: ALPHABET}
        whole = self._join([Part(last={0: NOTHING}), self._sequence(tree)])
        self.accepting = set() if how == "fullmatch" else set(whole.last)

    def _state(self, chars: Iterable[str]) -> Part:
        self.sets.append(frozenset(chars))
        state = {len(self.sets) - 1: NOTHING}
        return Part(state, dict(state))

    def _link(self, last: dict[int, frozenset[str]], first: dict[int, frozenset[str]]) -> None:
        for source, behind in last.items():
            for target, before in first.items():
                chars = self.sets[target] - behind - before
                known = self.edges.setdefault(source, {})
                if chars & known.get(target, NOTHING):
                    self.twice.add((source, target))
                known[target] = known.get(target, NOTHING) | chars

    def _join(self, parts: Iterable[Part]) -> Part:
        whole = empty()
        for part in parts:
            self._link(whole.last, part.first)
            if whole.skip is not None:
                whole.first |= {state: no | whole.skip for state, no in part.first.items()}
            kept = {} if part.skip is None else {s: n | part.skip for s, n in whole.last.items()}
            whole.last = kept | part.last
            both = whole.skip is not None and part.skip is not None
            whole.skip = (whole.skip or NOTHING) | (part.skip or NOTHING) if both else None
        return whole

    def _sequence(self, tree: Any) -> Part:
        return self._join(self._part(kind, value) for kind, value in tree)

    def _part(self, kind: Any, value: Any) -> Part:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self._repeat(kind is sre.POSSESSIVE_REPEAT, *value)
        if kind is sre.BRANCH:
            return self._either([self._sequence(each) for each in value[1]])
        if kind is sre.SUBPATTERN:
            return self._sequence(value[3])
        if kind is sre.ATOMIC_GROUP:
            return self._sequence(value)
        if kind is sre.ASSERT and value[0] < 0 and len(self.sets) == 1:
            return self._sequence(value[1])  # what a search begins behind
        if kind is sre.AT and value is sre.AT_BEGINNING and self.flags & re.MULTILINE:
            return self._state("\n")
        if kind is sre.AT and value in (sre.AT_END, sre.AT_END_STRING):
            return self._state(NOTHING)
        if kind in (sre.AT, sre.ASSERT, sre.ASSERT_NOT, sre.GROUPREF):
            return empty()
        return self._state(self._chars(kind, value))

    def _repeat(self, possessive: bool, least: int, most: Any, tree: Any) -> Part:
        if most is not sre.MAXREPEAT:
            copies = [self._sequence(tree) for _ in range(min(most, COPIES))]
            for part in copies[min(least, COPIES) :]:
                part.skip = NOTHING
            return self._join(copies)
        part = self._sequence(tree)
        self._link(part.last, part.first)
        taken = frozenset().union(*(self.sets[each] for each in part.first))
        behind = taken if possessive else NOTHING
        part.last = {state: no | behind for state, no in part.last.items()}
        part.skip = behind if least == 0 else part.skip
        return part

    def _either(self, parts: list[Part]) -> Part:
        whole = Part()
        for part in parts:
            whole.first |= part.first
            whole.last |= part.last
            if part.skip is not None:
                whole.skip = part.skip if whole.skip is None else whole.skip & part.skip
        return whole

    def _chars(self, kind: Any, value: Any) -> frozenset[str]:
        if kind is sre.ANY:
            return ALPHABET if self.flags & re.DOTALL else ALPHABET - {"\n"}
        if kind is sre.NOT_LITERAL:
            return ALPHABET - self._cased({chr(value)})
        if kind is sre.IN:
            chars = self._cased(set().union(*(self._one(*each) for each in value)))
            return ALPHABET - chars if value[0][0] is sre.NEGATE else chars
        return self._cased(self._one(kind, value))

    def _one(self, kind: Any, value: Any) -> set[str]:
        if kind is sre.LITERAL:
            return {chr(value)}
        if kind is sre.RANGE:
            return {each for each in ALPHABET if value[0] <= ord(each) <= value[1]}
        if kind is sre.CATEGORY:
            ascii_only = self.flags & re.ASCII
            return {each for each in ALPHABET if re.match(CLASSES[value], each, ascii_only)}
        assert kind is sre.NEGATE, kind
        return set()

    def _cased(self, chars: set[str]) -> frozenset[str]:
        if self.flags & re.IGNORECASE:
            chars = chars | {each.lower() for each in chars} | {each.upper() for each in chars}
        return frozenset(chars)

    # --- what takes long --------------------------------------------------------------------

    def _reached(self, start: tuple[int, ...]) -> set[tuple[int, ...]]:
        """From some states, by the same text from each of them."""
        seen: set[tuple[int, ...]] = set()
        waiting = [start]
        while waiting:
            for each in self._steps(waiting.pop()):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
        return seen

    def _steps(self, states: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        ways: list[tuple[tuple[int, ...], frozenset[str]]] = [((), ALPHABET)]
        for state in states:
            ways = [
                ((*so_far, target), common & chars)
                for so_far, common in ways
                for target, chars in self.edges.get(state, {}).items()
                if common & chars
            ]
        return (each for each, _ in ways)

    def slow(self) -> bool:
        """Whether some text is read more often than a fixed number of times."""
        onward = {state: {t for (t,) in self._reached((state,))} for state in range(len(self.sets))}
        loops = [state for state, reached in onward.items() if state in reached]
        if any(source in onward[target] for source, target in self.twice):
            return True
        for p in loops:
            if any(len({*pair}) == 2 and (p, p) in self._reached(pair) for pair in self._pairs(p)):
                return True
            for q in onward[p].intersection(loops) - {p} - self.accepting:
                if (p, q, q) in self._reached((p, p, q)):
                    return True
        return False

    def _pairs(self, state: int) -> set[tuple[int, ...]]:
        return self._reached((state, state))


def is_slow(pattern: str | bytes, flags: int = 0, how: str = "search") -> bool:
    return Automaton(pattern, flags, how).slow()
