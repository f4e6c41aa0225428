"""Checks a machine: names, arrows, who takes them, what nothing reaches or leaves. Pure.

A file of changes is checked as the whole that it makes; what is wrong with a part that the file
does not have is told at the nearest place that it has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from plivo_sim.domain import limits
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.machine import NOTHING, Arrow, MachineFile, Review, Starts, StatusRow
from plivo_sim.domain.text import decode_json, encode_json
from plivo_sim.domain.typed import Found, Steps, convert
from plivo_sim.domain.words import did_you_mean

P = TypeVar("P")
BY_HAND = ("command", "help", "label", "done")
RESERVED = {NOTHING: "a review that decides nothing", "absent": "what was never filed"}


@dataclass(slots=True)
class Whole:
    """A machine as plain values, and where its parts stand in the file. ``found``: what is wrong
    with the way in which a file of changes changes its base. ``removed``: the ends of each arrow
    that the file takes away, and where."""

    plain: Any
    places: Mapping[int, Steps] = field(default_factory=dict)
    found: list[Found] = field(default_factory=list)
    removed: dict[Steps, Steps] = field(default_factory=dict)

    def place(self, path: Steps) -> Steps:
        """The path of the whole as one of the file; of an arrow that is taken away, ``arrows`` and
        its ends."""
        if path[:1] == ("arrows",) and path[1:] in self.removed:
            return self.removed[path[1:]]
        if len(path) > 1 and path[0] == "arrows" and isinstance(path[1], int):
            here = self.places.get(path[1])
            return (*here, *path[2:]) if here is not None else ("arrows",)
        return path


def whole_of(data: Any, base: MachineFile | None) -> Whole:
    """What a file says, on top of its base if it has one. A status of ``null`` is taken away with
    its arrows, an arrow with ``by: null`` alone; what is given of others replaces what they had."""
    if base is None or not isinstance(data, Mapping):
        arrows = data.get("arrows") if isinstance(data, Mapping) else None
        count = len(arrows) if isinstance(arrows, list) else 0
        return Whole(data, {i: ("arrows", i) for i in range(count)})
    plain = decode_json(encode_json(base))
    whole = Whole({**plain, "about": "", **{k: v for k, v in data.items() if k != "extends"}})
    for name in ("starts", "review"):
        if isinstance(data.get(name), Mapping):
            whole.plain[name] = {**plain[name], **data[name]}
    gone = _change_statuses(whole, plain["statuses"], data.get("statuses", {}))
    kept = [each for each in plain["arrows"] if gone.isdisjoint((each["from"], each["to"]))]
    _change_arrows(whole, kept, data.get("arrows", []), _names_in(plain["arrows"]))
    return whole


def _names_in(arrows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the base calls a decision by hand for a status, the first way first."""
    named: dict[str, dict[str, Any]] = {}
    for arrow in arrows:
        if arrow.get("command"):
            named.setdefault(arrow["to"], {key: arrow[key] for key in BY_HAND if key in arrow})
    return named


def _named(arrow: Any, named: Mapping[str, Mapping[str, Any]]) -> Any:
    """A new arrow by hand, called as the base calls a decision for its status, unless it says."""
    if not isinstance(arrow, Mapping) or "hand" not in str(arrow.get("by")):
        return arrow
    return {**named.get(str(arrow.get("to")), {}), **arrow}


def _change_statuses(whole: Whole, before: dict[str, Any], given: Any) -> set[str]:
    """Returns the names of those that are taken away."""
    if not isinstance(given, Mapping):
        return set()
    statuses, gone = dict(before), set()
    for name, row in given.items():
        if row is None:
            gone.add(name)
            if statuses.pop(name, None) is None and len(whole.found) < limits.MISTAKES.most:
                text = f"there is no status '{name}' to take away"
                whole.found.append((("statuses", name), text + did_you_mean(name, list(before))))
        elif isinstance(row, Mapping):
            statuses[name] = {**before.get(name, {}), **row}
        else:
            statuses[name] = row
    whole.plain["statuses"] = statuses
    return gone


def _change_arrows(
    whole: Whole,
    before: list[dict[str, Any]],
    given: Any,
    named: Mapping[str, Mapping[str, Any]],
) -> None:
    if not isinstance(given, list):
        return
    arrows: list[Any] = list(before)
    ends = {(each["from"], each["to"]): i for i, each in enumerate(arrows)}
    places: dict[int, Steps] = {}
    for index, arrow in enumerate(given):
        here: Steps = ("arrows", index)
        pair = _ends_of(arrow)
        known = ends.get(pair) if pair is not None else None
        if known is not None and known in places:
            whole.found.append((here, f"is given twice, from {pair[0]} to {pair[1]}"))  # type: ignore[index]
        elif isinstance(arrow, Mapping) and "by" in arrow and arrow["by"] is None and pair:
            if known is None:
                text = f"there is no arrow from {pair[0]} to {pair[1]} to take away"
                whole.found.append((here, text))
            else:
                arrows[known], places[known] = None, here
                whole.removed[pair] = here
        elif known is not None:
            arrows[known], places[known] = _merged(arrows[known], arrow), here
        else:
            places[len(arrows)] = here
            if pair is not None:
                ends[pair] = len(arrows)
            arrows.append(_named(arrow, named))
    left = [i for i, each in enumerate(arrows) if each is not None]
    whole.plain["arrows"] = [arrows[i] for i in left]
    whole.places = {new: places[old] for new, old in enumerate(left) if old in places}


def _merged(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is no longer taken by hand has no name for that either."""
    whole = {**before, **given}
    lost = () if "hand" in str(whole.get("by")) else set(BY_HAND) - given.keys()
    return {key: value for key, value in whole.items() if key not in lost}


def _ends_of(arrow: Any) -> tuple[str, str] | None:
    if not isinstance(arrow, Mapping):
        return None
    origin, target = arrow.get("from"), arrow.get("to")
    return (origin, target) if isinstance(origin, str) and isinstance(target, str) else None


# --- what it says ----------------------------------------------------------------------------


def mistakes_of(whole: Whole) -> Iterator[Found]:
    """Everything wrong with what a machine says, of every part that has the right shape, where it
    stands in the file."""
    yield from whole.found
    for path, text in _mistakes_of(whole.plain, whole.removed, whole.places):
        yield whole.place(path), text


def _mistakes_of(
    plain: Any, removed: Collection[Steps], written: Collection[int]
) -> Iterator[Found]:
    if not isinstance(plain, Mapping):
        return
    given = plain.get("statuses")
    names = [str(each) for each in given] if isinstance(given, Mapping) else []
    told = plain.get("arrows")
    listed = told if isinstance(told, list) else []
    if len(names) > limits.STATUSES.most or len(listed) > limits.ARROWS.most:
        return  # which is told of already
    rows = {
        str(name): row
        for name, each in (given.items() if isinstance(given, Mapping) else ())
        if (row := _part(each, StatusRow)) is not None
    }
    arrows = [(i, a) for i, each in enumerate(listed) if (a := _part(each, Arrow)) is not None]
    for name in names:
        if name in RESERVED:
            yield ("statuses", name), f"'{name}' is the word for {RESERVED[name]}: choose another"
    whole_ones = {index for index, _ in arrows}
    for index, each in enumerate(listed):
        if index not in whole_ones and isinstance(each, Mapping):
            yield from _readable_mistakes(each, names, ("arrows", index))
    yield from _arrow_mistakes(arrows, names)
    yield from _twice(arrows)
    yield from _racing(arrows, written)
    yield from _circles(arrows)
    yield from _command_mistakes(arrows)
    starts, review = _part(plain.get("starts"), Starts), _part(plain.get("review"), Review)
    if starts is not None:
        for key in ("draft", "submitted"):
            yield from _no_status(getattr(starts, key), names, ("starts", key))
    if len(arrows) < len(listed) or len(rows) < len(names) or starts is None:
        return
    if not {starts.draft, starts.submitted} <= set(names):
        return
    plain_arrows = [each for _, each in arrows]
    yield from _client_mistakes(arrows, rows, starts)
    yield from _lost_statuses(plain_arrows, rows, starts, removed)
    yield from _never_taken(arrows, starts)
    if review is not None:
        yield from _review_mistakes(review, plain_arrows, names, starts)


def _part(value: Any, kind: type[P]) -> P | None:
    try:
        return convert(value, kind)
    except msgspec.ValidationError:
        return None


def _no_status(name: str, names: Collection[str], path: Steps) -> Iterator[Found]:
    if name not in names:
        yield path, f"there is no status '{name}'{did_you_mean(name, sorted(names))}"


def _arrow_mistakes(arrows: Iterable[tuple[int, Arrow]], names: Collection[str]) -> Iterator[Found]:
    for index, arrow in arrows:
        here: Steps = ("arrows", index)
        yield from _no_status(arrow.from_, names, (*here, "from"))
        yield from _no_status(arrow.to, names, (*here, "to"))
        if arrow.from_ == arrow.to:
            yield here, f"leads from {arrow.from_} to itself"
        if not arrow.takers:
            yield (*here, "by"), "is empty: nobody takes it"
        if arrow.after is not None and "time" not in arrow.takers:
            yield (*here, "after"), "only an arrow by 'time' is taken by itself"
        if arrow.not_before is not None and "reviewer" not in arrow.takers:
            yield (*here, "not_before"), "belongs to an arrow by 'reviewer'"
        yield from _no_duration(arrow.after, (*here, "after"))
        yield from _no_duration(arrow.not_before, (*here, "not_before"))
        by_hand = [name for name in BY_HAND if getattr(arrow, name)]
        if by_hand and "hand" not in arrow.takers:
            yield (*here, by_hand[0]), "belongs to an arrow by 'hand'"


def _readable_mistakes(
    arrow: Mapping[str, Any], names: Collection[str], here: Steps
) -> Iterator[Found]:
    """Those of an arrow that has a part of another shape, as far as its other parts tell."""
    for key in ("from", "to"):
        if isinstance(arrow.get(key), str):
            yield from _no_status(arrow[key], names, (*here, key))
    for key in ("after", "not_before"):
        if isinstance(arrow.get(key), str):
            yield from _no_duration(arrow[key], (*here, key))


def _no_duration(text: str | None, path: Steps) -> Iterator[Found]:
    try:
        parse_duration(text or "0")
    except ValueError as error:
        yield path, str(error)


def _twice(arrows: Iterable[tuple[int, Arrow]]) -> Iterator[Found]:
    seen: set[tuple[str, str]] = set()
    for index, arrow in arrows:
        if (arrow.from_, arrow.to) in seen:
            yield ("arrows", index), f"is given twice, from {arrow.from_} to {arrow.to}"
        seen.add((arrow.from_, arrow.to))


def _racing(arrows: Iterable[tuple[int, Arrow]], written: Collection[int]) -> Iterator[Found]:
    """Automatic arrows that leave one status: all that the file itself has, not its base."""
    leaving: defaultdict[str, list[tuple[int, Arrow]]] = defaultdict(list)
    for index, arrow in arrows:
        if arrow.after is not None:
            leaving[arrow.from_].append((index, arrow))
    for origin, racing in leaving.items():
        for index, arrow in racing if len(racing) > 1 else ():
            others = " and ".join(f"{a.from_} to {a.to}" for i, a in racing if i != index)
            text = (
                f"{origin} to {arrow.to} races with {others}: one arrow leaves {origin} by itself"
            )
            if index in written:
                yield ("arrows", index, "after"), text


def _circles(arrows: Iterable[tuple[int, Arrow]]) -> Iterator[Found]:
    """In which nobody would ever decide."""
    leaving = {a.from_: (index, a.to) for index, a in arrows if a.after is not None}
    for origin, (index, target) in leaving.items():
        at, steps = target, 0
        while at in leaving and at != origin and steps <= len(leaving):
            at, steps = leaving[at][1], steps + 1
        if at == origin and target != origin:
            text = f"leads back to {origin} by itself, without an end"
            yield ("arrows", index, "after"), text


def _command_mistakes(arrows: Iterable[tuple[int, Arrow]]) -> Iterator[Found]:
    decides: dict[str, str] = {}
    for index, arrow in arrows:
        other = decides.setdefault(arrow.command, arrow.to) if arrow.command else arrow.to
        if other != arrow.to:
            text = f"'{arrow.command}' decides for {other} already"
            yield ("arrows", index, "command"), text


def _client_mistakes(
    arrows: Iterable[tuple[int, Arrow]], rows: Mapping[str, StatusRow], starts: Starts
) -> Iterator[Found]:
    """The one call by which the client changes a status is a submission."""
    submitting = set()
    for index, arrow in arrows:
        if "client" not in arrow.takers:
            continue
        here = ("arrows", index, "by")
        if arrow.to != starts.submitted:
            text = f"no API has a call that leads to {arrow.to}: the client submits, to"
            yield here, f"{text} {starts.submitted}"
        elif arrow.from_ in rows and "submit" not in rows[arrow.from_].client:
            yield here, f"the client may not 'submit' in {arrow.from_}"
        submitting.add(arrow.from_)
    for name, row in rows.items():
        if "submit" in row.client and name not in submitting:
            text = f"'submit' needs an arrow by the client from {name} to {starts.submitted}"
            yield ("statuses", name, "client"), text
    if starts.draft not in submitting:
        text = f"the client has no arrow from it to {starts.submitted}: nothing can be submitted"
        yield ("starts", "draft"), text


def _lost_statuses(
    arrows: Collection[Arrow],
    rows: Mapping[str, StatusRow],
    starts: Starts,
    removed: Collection[Steps],
) -> Iterator[Found]:
    reached = _reached(starts.draft, lambda at: (a.to for a in arrows if a.from_ == at))
    left, entered = (Counter(map(end, arrows)) for end in (lambda a: a.from_, lambda a: a.to))
    for name, row in rows.items():
        led = [pair for pair in removed if pair[1] == name]
        leaving = [pair for pair in removed if pair[0] == name]
        if name not in reached and led and not entered[name]:
            text = f"this takes away the last arrow that leads to {name}: say '{name}: null' in"
            yield ("arrows", *led[-1]), f"{text} statuses, too, or give it another arrow"
        elif name not in reached:
            yield ("statuses", name), f"no arrow leads to it from {starts.draft}"
        if not left[name] and not row.ends and leaving:
            text = f"this takes away the last arrow that leaves {name}: say 'ends: true' of it in"
            yield ("arrows", *leaving[-1]), f"{text} statuses, or give it another arrow"
        elif not left[name] and not row.ends:
            yield ("statuses", name), "no arrow leaves it; say 'ends: true' if that is meant"
        if left[name] and row.ends:
            yield ("statuses", name, "ends"), "it ends, but an arrow leaves it"


def _never_taken(arrows: Iterable[tuple[int, Arrow]], starts: Starts) -> Iterator[Found]:
    """Of time alone, which neither says when, nor leaves a status that a plan comes to."""
    plans = _reached(
        starts.submitted,
        lambda at: (
            a.to
            for _, a in arrows
            if a.from_ == at and not {"reviewer", "time"}.isdisjoint(a.takers)
        ),
    )
    for index, arrow in arrows:
        if set(arrow.takers) == {"time"} and arrow.after is None and arrow.from_ not in plans:
            text = f"is never taken: no plan of the reviewer's comes to {arrow.from_}; say 'after'"
            yield ("arrows", index, "by"), f"{text}, how long it lasts"


def _reached(start: str, next_of: Callable[[str], Iterable[str]]) -> set[str]:
    reached, fresh = {start}, [start]
    while fresh:
        for each in next_of(fresh.pop()):
            if each not in reached:
                reached.add(each)
                fresh.append(each)
    return reached


def _review_mistakes(
    review: Review, arrows: Collection[Arrow], names: Collection[str], starts: Starts
) -> Iterator[Found]:
    by_itself = _reached(
        starts.submitted,
        lambda at: (a.to for a in arrows if a.from_ == at and a.after is not None),
    )
    possible = {a.to for a in arrows if a.from_ in by_itself and {"reviewer", "time"} & {*a.takers}}
    told: list[tuple[str | None, Steps]] = [(review.outcome, ("review", "outcome"))]
    told += [(c.outcome, ("review", "cases", i, "outcome")) for i, c in enumerate(review.cases)]
    for outcome, path in told:
        if outcome in (None, NOTHING):
            continue
        wrong = list(_no_status(outcome, names, path))
        yield from wrong
        if not wrong and outcome not in possible:
            yield path, f"the reviewer has no arrow from {starts.submitted} to {outcome}"
    yield from _no_duration(review.delay, ("review", "delay"))
    for index, case in enumerate(review.cases):
        yield from _no_duration(case.delay, ("review", "cases", index, "delay"))
