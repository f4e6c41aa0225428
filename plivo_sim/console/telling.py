"""What a button did, in as few sentences as say it: those that did the same together, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from plivo_sim.console.actions import Done

NAMED_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence about calls that did the same, or were refused for the same reason. ``names``:
    the first of those that they were about, each with the path of its page, if it has one, below
    the account's; ``more``: how many others. ``places``: what was refused, each with the API's path
    of it, if it is known."""

    ok: bool
    text: str
    names: tuple[tuple[str, str], ...] = ()
    more: int = 0
    places: tuple[tuple[str, str], ...] = ()


def told(done: Iterable[Done]) -> list[Told]:
    """What was not done, and what was: those that did the same together, with their names."""
    groups: dict[tuple[bool, str], list[Done]] = {}
    for each in done:
        name, id = each.action.name, each.action.ids.get("id", "")
        if each.ok:
            text = each.action.did if name else each.message
        else:
            text = _of_it("; ".join(each.problems), id)
        groups.setdefault((each.ok, text), []).append(each)
    found = []
    for (ok, text), those in sorted(groups.items(), key=lambda each: each[0][0]):
        names = [pair for each in those if (pair := _named(each))[0]]
        if ok and len(names) > 1:
            text = f"{text} {len(names):,}"
        if not ok and len(those) == 1 and names:  # its own sentence, which says of what it is
            (name, id), names = (names[0][0], those[0].action.ids.get("id", "")), []
            text = "; ".join(those[0].problems).replace(id, name)
        shown = tuple(names[:NAMED_AT_ONCE])
        found.append(Told(ok, text, shown, len(names) - len(shown), tuple(those[0].places)))
    return found


def _named(done: Done) -> tuple[str, str]:
    """What it was about, and its page; of what has no name the id, if it was refused."""
    if done.action.name:
        return done.action.name, _page_of(done)
    return "" if done.ok else done.action.ids.get("id", ""), ""


def _page_of(done: Done) -> str:
    id = done.action.ids.get("id") or (done.ok and done.answer.get("compliance_id"))
    return f"{done.action.listed}/{quote(id, safe='')}" if id else ""


def _of_it(text: str, id: str) -> str:
    """A sentence about a record, as it is the same about others."""
    return text.replace(f"application {id}", "it").replace(id, "ID") if id else text
