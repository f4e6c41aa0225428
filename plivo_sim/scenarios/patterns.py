"""The ``regex`` of scenarios, which is matched in steps that grow with the text and never faster.

The backtracking of Python's ``re`` can take for ever (``^(a+)+$``), and no engine without it comes
ready made for every platform (docs/dependencies.md). So the part of the language that has no need
of it is read here, into a program of states that are all followed at once (Thompson's way): a text
costs at most its length times the length of the program, and both have a limit; what a class says
of a character takes as long for many members as for one. Only whether a pattern is found in a text
is asked, so a lazy repetition is the same as a greedy one. Case does not count, as in globs.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator

from plivo_sim.domain import limits
from plivo_sim.domain.typed import kept
from plivo_sim.scenarios.globs import Matcher

Node = Callable[["_Program", int], int]
"""Puts a part of a pattern in front of the state that follows it; returns its first state."""


@kept(256)
def regex(text: str) -> Pattern:
    """A pattern from its text. Raises ValueError that says what cannot be read, is not supported,
    or is over a limit, and where."""
    limits.REGEX.check(len(text), "the regex")
    return Pattern(_Reader(text).whole())


class Pattern:
    """See the module. ``size``: how many states its program has."""

    def __init__(self, node: Node) -> None:
        program = _Program()
        self._tests, self._ways, self._places = program.tests, program.ways, program.places
        self._end = program.add()
        self._start = node(program, self._end)
        self.size = len(self._ways)

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text; never in one that is too long (the limit
        ``regex_text``)."""
        if len(text) > limits.REGEX_TEXT.most:
            return False
        states: list[int] = []
        for at in range(len(text) + 1):
            waiting = self._followed({*states, self._start}, text, at)
            if waiting is None:
                return True
            here, tests = text[at : at + 1], self._tests
            holds = (
                {test: test(here) for test in {tests[state] for state in waiting}} if here else {}
            )
            states = [way for state in waiting if holds.get(tests[state])
                      for way in self._ways[state]]  # fmt: skip
        return False

    def may_be_found(self, begin: str, alphabet: str | None = None) -> bool:
        """Whether it may be found in a text that begins so and goes on with characters of the
        alphabet, None: any; False only where it is found in none. Of places, only the start of the
        text is looked at."""
        states, at = {self._start}, 0
        while True:
            reached = self._reached(states, at)
            if self._end in reached:
                return True
            chars = begin[at : at + 1] or alphabet
            on = {way for state in reached & self._tests.keys()
                  if chars is None or any(map(self._tests[state], chars))
                  for way in self._ways[state]}  # fmt: skip
            if at < len(begin):
                states = {self._start, *on}
            elif on <= states:
                return False
            else:
                states |= on
            at += 1

    def _reached(self, states: set[int], at: int) -> set[int]:
        """These and the states that are reached from them without a character, where all places
        may hold but the start of a text, which is at 0 alone."""
        seen, todo = set(states), list(states)
        while todo:
            state = todo.pop()
            if state in self._tests or (at and self._places.get(state) in _STARTS):
                continue
            new = [way for way in self._ways[state] if way not in seen]
            seen.update(new)
            todo += new
        return seen

    def _followed(self, seen: set[int], text: str, at: int) -> list[int] | None:
        """The states that wait for a character, out of those that are reached without one; None
        when the end is reached."""
        states, waiting = list(seen), []
        while states:
            state = states.pop()
            if state == self._end:
                return None
            if state in self._tests:
                waiting.append(state)
            elif state not in self._places or self._places[state](text, at):
                new = [way for way in self._ways[state] if way not in seen]
                seen.update(new)
                states += new
        return waiting


class _Program:
    """The states of a pattern: each has ways on, and may want a character, or a place."""

    def __init__(self) -> None:
        self.ways: list[tuple[int, ...]] = []
        self.tests: dict[int, Matcher] = {}
        self.places: dict[int, Callable[[str, int], bool]] = {}

    def add(self, *ways: int) -> int:
        """A new state with these ways on. Raises ValueError when there are too many."""
        limits.REGEX_STEPS.check(len(self.ways) + 1, "the regex with its repetitions")
        self.ways.append(ways)
        return len(self.ways) - 1


def _one(test: Matcher) -> Node:
    def put(program: _Program, following: int) -> int:
        state = program.add(following)
        program.tests[state] = test
        return state

    return put


def _place(holds: Callable[[str, int], bool]) -> Node:
    def put(program: _Program, following: int) -> int:
        state = program.add(following)
        program.places[state] = holds
        return state

    return put


def _row(nodes: list[Node]) -> Node:
    def put(program: _Program, following: int) -> int:
        following = program.add(following)  # so that nothing, repeated, counts too
        for node in reversed(nodes):
            following = node(program, following)
        return following

    return put


def _either(nodes: list[Node]) -> Node:
    return lambda program, following: program.add(*(node(program, following) for node in nodes))


def _repeated(node: Node, least: int, most: int | None) -> Node:
    def put(program: _Program, following: int) -> int:
        following = at = program.add(following)
        if most is None:
            at = program.add()
            program.ways[at] = (node(program, at), following)
        for _ in range((most or least) - least):
            at = program.add(node(program, at), following)
        for _ in range(least):
            at = node(program, at)
        return at

    return put


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


_CLASSES: dict[str, Matcher] = {
    "d": str.isdecimal,
    "w": lambda c: c.isalnum() or c == "_",
    "s": str.isspace,
    "D": lambda c: not c.isdecimal(),
    "W": lambda c: not (c.isalnum() or c == "_"),
    "S": lambda c: not c.isspace(),
}
Range = tuple[str, str]
"""The first and the last character, both included."""


class _Class:
    """Whether a character is one of these, in either case; a named class has no case."""

    def __init__(self, members: Iterable[str | Range | Matcher], *, is_not: bool = False) -> None:
        members = list(members)
        self._chars = frozenset(each for each in members if isinstance(each, str))
        self._named = tuple({each for each in members if callable(each)})
        ranges = _merged(each for each in members if isinstance(each, tuple))
        self._firsts, self._lasts = [low for low, _ in ranges], [high for _, high in ranges]
        self._is_not = is_not

    def __call__(self, char: str) -> bool:
        has = any(map(self._has, {char, char.lower(), char.upper()}))
        has = has or any(test(char) for test in self._named)
        return has is not self._is_not

    def _has(self, char: str) -> bool:
        if char in self._chars:
            return True
        at = bisect(self._firsts, char) - 1
        return at >= 0 and len(char) == 1 and char <= self._lasts[at]


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """Those that overlap as one, sorted."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


_PLACES: dict[str, Callable[[str, int], bool]] = {
    "^": lambda _, at: at == 0,
    "$": lambda text, at: at == len(text) or (at == len(text) - 1 and text[at] == "\n"),
    "A": lambda _, at: at == 0,
    "Z": lambda text, at: at == len(text),
    "b": lambda text, at: _is_word(text, at - 1) is not _is_word(text, at),
    "B": lambda text, at: _is_word(text, at - 1) is _is_word(text, at),
}
_STARTS = (_PLACES["^"], _PLACES["A"])
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_COUNTS = re.compile(r"\{(?!\})([0-9]{0,4})(?:(,)([0-9]{0,4}))?\}")
_SUPPORTED = (
    "supported are letters, classes, groups, |, ^ $ \\b, \\d \\w \\s, * + ? {m,n}, and (?i) at the"
    " start"
)


class _Reader:
    """Reads the text of a pattern from left to right; ``at`` is where it stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 4 * text.startswith("(?i)")  # which says what holds anyway
        self._depth = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise self._wrong("a ) without its (")
        return node

    def _choice(self) -> Node:
        branches = [self._sequence()]
        while self._takes("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _either(branches)

    def _sequence(self) -> Node:
        return _row(list(self._pieces()))

    def _pieces(self) -> Iterator[Node]:
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            node = self._atom()
            counts = self._counts()
            if counts is not None:
                node = _repeated(node, *counts)
                if self._takes("+"):
                    raise self._wrong("a repetition that gives nothing back is not supported", -1)
                self._takes("?")
                if self._counts() is not None:
                    raise self._wrong("a repetition of a repetition", -1)
            yield node

    def _counts(self) -> tuple[int, int | None] | None:
        """How often what stands before is repeated; None when it is not."""
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._takes(sign):
                return counts
        match = _COUNTS.match(self._text, self._at)
        if match is None:
            return None
        least = int(match[1] or 0)
        most = (int(match[3]) if match[3] else None) if match[2] else least
        if most is not None and most < least:
            raise self._wrong("more at least than at most")
        self._at = match.end()
        return least, most

    def _atom(self) -> Node:
        sign = self._next()
        if sign == "(":
            return self._group()
        if sign == "[":
            return _one(self._class())
        if sign == ".":
            return _one(lambda c: c != "\n")
        if sign in "^$":
            return self._place(sign)
        if sign in "*+?" or _COUNTS.match(self._text, self._at - 1):
            raise self._wrong("nothing to repeat", -1)
        if sign == "\\":
            letter = self._text[self._at : self._at + 1]
            if letter and letter in "AZbB":
                return self._place(self._next())
            return _one(_Class([self._escaped()]))
        return _one(_Class([sign]))

    def _place(self, sign: str) -> Node:
        if self._counts() is not None:
            raise self._wrong("nothing to repeat", -1)
        return _place(_PLACES[sign])

    def _group(self) -> Node:
        begin = self._at
        if self._takes("?") and not self._takes(":"):
            raise self._wrong(f"(?{self._text[self._at : self._at + 1]} is not supported", -2)
        self._depth += 1
        limits.REGEX_DEPTH.check(self._depth, "groups in one another")
        node = self._choice()
        if not self._takes(")"):
            self._at = begin
            raise self._wrong("missing ) of the group that begins", -1)
        self._depth -= 1
        return node

    def _class(self) -> Matcher:
        begin = self._at
        is_not = self._takes("^")
        members: list[str | Range | Matcher] = []
        while not members or not self._takes("]"):
            if self._at >= len(self._text):
                self._at = begin
                raise self._wrong("unterminated [ that begins", -1)
            members.append(self._range())
        return _Class(members, is_not=is_not)

    def _range(self) -> str | Range | Matcher:
        low = self._member()
        follows = self._text[self._at + 1 : self._at + 2]
        if not isinstance(low, str) or follows in ("", "]") or not self._takes("-"):
            return low
        high = self._member()
        if not isinstance(high, str) or high < low:
            raise self._wrong("a range that is none", -1)
        return low, high

    def _member(self) -> str | Matcher:
        sign = self._next()
        return self._escaped() if sign == "\\" else sign

    def _escaped(self) -> str | Matcher:
        if self._at >= len(self._text):
            raise self._wrong("a \\ at the end", -1)
        letter = self._next()
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter.isalnum():
            raise self._wrong(f"\\{letter} is not supported", -2)
        return letter

    def _takes(self, sign: str) -> bool:
        takes = self._text.startswith(sign, self._at)
        self._at += len(sign) * takes
        return takes

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _wrong(self, what: str, back: int = 0) -> ValueError:
        where = self._at + back + 1
        hint = f"; {_SUPPORTED}" if what.endswith("supported") else ""
        return ValueError(f"{what}, at character {where} of the regex{hint}")
