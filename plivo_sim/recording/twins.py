"""Which record of a list here stands for which one of a recorded list, and which pages of a list
can be held against one another.

The place in a list says nothing of a record: an account has others that are older than its tape.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from plivo_sim.recording.forms import is_id, kind_of
from plivo_sim.recording.passing import is_public
from plivo_sim.recording.words import COUNTRY_KEYS, NUMBERED_KEYS, WORD_KEYS

RECORDS = ("objects", "compliances")
"""Keys of lists whose records may be older than the tape."""
OWN_IDS = (
    "number", "compliance_id", "compliance_application_id", "compliance_document_id",
    "document_id", "end_user_id", "document_type_id", "compliance_requirement_id",
    "requirement_id", "id",
)  # fmt: skip
"""A record has its own id under the first of these that it has; the others are those of what it
refers to."""
_NAMES = ("name", "document_name", "document_type_name", "field_name")
_OFFERS = re.compile(r"(?:/[a-z]+)?/v1/Account/[^/]+/PhoneNumber/?")

Key = Callable[[Any], object]


def own_id(record: Any) -> str:
    """The id of a record, or the id itself; empty without one."""
    if isinstance(record, dict):
        record = next((record[key] for key in OWN_IDS if is_id(record.get(key))), "")
    return record if is_id(record) else ""


def are_offers(target: str) -> bool:
    """Whether a call lists the numbers that may be rented, which are nobody's records."""
    return _OFFERS.fullmatch(target.partition("?")[0]) is not None


def are_records(target: str, key: str) -> bool:
    """Whether the list under this key of an answer has what users of the account made."""
    return key in RECORDS and not is_public(target) and not are_offers(target)


def are_filtered_alike(target: str, ids: Collection[str]) -> bool:
    """Whether the parameters of a call let the same records through here: all are words that a tape
    keeps, or ids that are known. Of a text or a date that has a stand-in, that is not sure."""
    return all(
        key in WORD_KEYS | COUNTRY_KEYS | NUMBERED_KEYS or value in ids
        for key, value in parse_qsl(target.partition("?")[2])
    )


def twins(
    recorded: list[Any], here: list[Any], ids: Mapping[str, str], *, in_order: bool
) -> dict[int, int]:
    """Index of a recorded one -> of the one that stands for it here: the one with its id (``ids``:
    those of the tape -> those here). Of those whose ids are not known yet, the ones that say the
    same, if there are as many here as on the tape. ``in_order``: nobody's record is among them, so
    that the first that says the same will do, else one of the same name, else the next one."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    known = set(ids.values())
    news = [i for i, each in enumerate(recorded) if own_id(each) not in ids]
    ours = [i for i, each in enumerate(here) if own_id(each) not in known]

    def pair(there: list[int], at: list[int], one: Key, other: Key, *, as_many: bool) -> None:
        found: dict[object, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, (indices, records, key) in enumerate(((there, recorded, one), (at, here, other))):
            for index in indices:
                free = index not in taken if side else index not in pairs
                if free and (word := key(records[index])):
                    found[word][side].append(index)
        for left, right in found.values():
            if len(left) == len(right) or not as_many:
                pairs.update(zip(left, right, strict=False))
        taken.update(pairs.values())

    every = list(range(len(recorded))), list(range(len(here)))
    pair(*every, lambda each: ids.get(own_id(each)), own_id, as_many=False)
    pair(news, ours, lambda each: _said(each, ids), lambda each: _said(each, dict.fromkeys(known)),
         as_many=not in_order)  # fmt: skip
    if in_order:
        pair(news, ours, _name, _name, as_many=False)
        pair(news, ours, lambda _: True, lambda _: True, as_many=False)
    return pairs


def _said(record: Any, ids: Mapping[str, str | None]) -> object:
    """What somebody told in a record, and the known ids to which it refers, as they are here; what
    time or the service makes of it is left out. None where it says nothing."""
    if not isinstance(record, dict):
        return None
    said: dict[str, object] = {}
    for key, value in record.items():
        if is_id(value):
            said[key] = (ids[value] or value) if value in ids else ""
        elif key != "status" and kind_of(value) in ("text", "e-mail address", "date", "boolean"):
            said[key] = value
    return frozenset(said.items()) if any(said.values()) else None


def _name(record: Any) -> object:
    told = record if isinstance(record, dict) else {}
    return next((told[key] for key in _NAMES if isinstance(told.get(key), str)), None)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. ``total``: of all its records, -1 where that is not told."""

    offset: int
    count: int
    total: int

    @classmethod
    def of(cls, answer: Mapping[str, Any], key: str) -> Page:
        meta = answer.get("meta")
        told = meta if isinstance(meta, dict) else {}
        offset, total = told.get("offset"), told.get("total_count")
        return cls(
            offset if type(offset) is int else -1,
            len(answer[key]),
            total if type(total) is int else -1,
        )

    @property
    def is_whole(self) -> bool:
        """Whether no record is on another page."""
        return self.offset == 0 and self.count == self.total
