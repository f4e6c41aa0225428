"""How a recorded answer differs from the simulator's own: status, shape, words, headers that count.

What somebody told is not compared, nor are ids, instants and counts: only what they look like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from plivo_sim.domain.typed import dotted
from plivo_sim.recording.forms import kind_of, translated
from plivo_sim.recording.headers import Headers, header, media_type
from plivo_sim.recording.masks import Masks
from plivo_sim.recording.passing import is_public
from plivo_sim.recording.stand_ins import Forms
from plivo_sim.recording.twins import RECORDS, Page, are_filtered_alike, are_offers, own_id, twins
from plivo_sim.recording.words import (
    CATALOGUE_KEYS,
    COUNTRY_KEYS,
    NUMBERED_KEYS,
    SENTENCE_KEYS,
    WORD_KEYS,
)

Path = tuple[str | int, ...]

_COUNTED_HEADERS = (
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "retry-after",
)
_LINKS = ("next", "previous")
"""Of ``meta``: whether there are other pages depends on how many records there are."""
_ABSENT = "-"
_LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """``where``: ``status``, ``header NAME``, or the path of a value."""

    where: str
    recorded: str
    here: str

    def told(self) -> dict[str, str]:
        return asdict(self)


def differing_status(recorded: int, here: int) -> Iterator[Difference]:
    if recorded != here:
        yield Difference("status", str(recorded), str(here))


def differing_headers(recorded: Headers, here: Headers) -> Iterator[Difference]:
    """The type of the body; which headers of rate limits there are."""
    ours, theirs = media_type(here), media_type(recorded)
    if ours != theirs:
        yield Difference("header content-type", theirs or _ABSENT, ours or _ABSENT)
    for name in _COUNTED_HEADERS:
        found = [bool(header(each, name)) for each in (recorded, here)]
        if found[0] != found[1]:
            yield Difference(f"header {name}", *("there" if each else _ABSENT for each in found))


class Comparison:
    """Compares two bodies. ``ids``: those of the tape -> those that stand for them here.

    ``target``: of the call that they answer. ``is_alone``: the simulator has no records but
    those that the service was given too, on the tape. ``older``: how many recorded records
    nothing here stands for.
    """

    def __init__(self, ids: Mapping[str, str], target: str, *, is_alone: bool) -> None:
        self._ids = ids
        self._known = set(ids.values())
        self._public = is_public(target)
        self._are_offers = are_offers(target)
        self._are_filtered_alike = are_filtered_alike(target, ids)
        self._is_alone = is_alone
        self._masks, self._forms = Masks(), Masks(Forms())
        self.older = 0

    def differences(self, recorded: Any, here: Any, path: Path = ()) -> Iterator[Difference]:
        kinds = kind_of(recorded), kind_of(here)
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if kinds[0] != kinds[1]:
            yield Difference(dotted(path) or "body", _shown(recorded), _shown(here))
        elif isinstance(recorded, dict):
            yield from self._of_objects(recorded, here, path)
        elif isinstance(recorded, list):
            yield from self._of_lists(recorded, here, path)
        elif translated(recorded, self._ids) != here and self._counts(key, recorded, here):
            yield Difference(dotted(path) or "body", _shown(recorded), _shown(here))

    def _counts(self, key: str, recorded: Any, here: Any) -> bool:
        """Whether values under this key are compared, and not only what they look like."""
        if self._public and (key in CATALOGUE_KEYS or key in NUMBERED_KEYS or key == "required"):
            return True
        if key in WORD_KEYS:
            return any(self._stays(each, key) for each in (recorded, here))
        if key in COUNTRY_KEYS:
            return isinstance(recorded, str) and len(recorded) == 2
        return key in SENTENCE_KEYS and self._said(recorded) != self._said(here)

    def _said(self, sentence: Any) -> Any:
        """A sentence with forms in place of what stays on no tape: a recorded one has stand-ins."""
        if not isinstance(sentence, str):
            return sentence
        return self._forms.sentence(translated(sentence, self._ids))

    def _stays(self, value: Any, key: str) -> bool:
        """Whether a tape has it as it is. Where neither is so, the recorded value is a stand-in,
        perhaps for the very one that is here, such as the word of an account's document type."""
        return bool(self._masks.value(value, key) == value)

    def _of_objects(self, recorded: Any, here: Any, path: Path) -> Iterator[Difference]:
        if key := self._records_in(recorded, here):
            recorded, here = dict(recorded), dict(here)
            yield from self._of_records(recorded, here, key, path)
        for key in recorded:
            if key in here:
                yield from self.differences(recorded[key], here[key], (*path, key))
            else:
                yield Difference(dotted((*path, key)), _shown(recorded[key]), _ABSENT)
        for key in here:
            if key not in recorded:
                yield Difference(dotted((*path, key)), _ABSENT, _shown(here[key]))

    def _of_lists(self, recorded: Any, here: Any, path: Path) -> Iterator[Difference]:
        pairs = twins(recorded, here, self._ids, in_order=True)
        yield from self._of_pairs(recorded, here, pairs, path)
        for index, each in enumerate(recorded):
            if index not in pairs:
                yield Difference(dotted((*path, index)), _shown(each), _ABSENT)
        for index in sorted({*range(len(here))} - {*pairs.values()}):
            yield Difference(dotted((*path, len(recorded))), _ABSENT, _shown(here[index]))

    def _of_pairs(
        self, recorded: Any, here: Any, pairs: Mapping[int, int], path: Path
    ) -> Iterator[Difference]:
        """Each with its twin, and whether they come in the same order."""
        order = [pairs[index] for index in sorted(pairs)]
        for index in sorted(pairs):
            yield from self.differences(recorded[index], here[pairs[index]], (*path, index))
        if order != sorted(order):
            places = [sorted(order).index(each) for each in order]
            told = f"order {', '.join(map(str, range(len(order))))}"
            yield Difference(dotted(path), *_cut(told, f"order {', '.join(map(str, places))}"))

    # --- records, others of which may be older than the tape ---------------------------------

    def _records_in(self, recorded: Any, here: Any) -> str:
        """The key of the records in the answer to a list; empty in another one."""
        keys = () if self._public else RECORDS
        both = (recorded, here)
        return next((k for k in keys if all(isinstance(each.get(k), list) for each in both)), "")

    def _of_records(self, recorded: Any, here: Any, key: str, path: Path) -> Iterator[Difference]:
        """Takes the records out of both answers, and what of ``meta`` cannot be compared.

        Of the records that the tape made, all that are here were there. So a recorded one stands on
        the same page here, or on one before; and one that is here, on the same or on one behind.
        """
        there, ours = recorded.pop(key), here.pop(key)
        theirs, mine = Page.of({**recorded, key: there}, key), Page.of({**here, key: ours}, key)
        pairs = twins(there, ours, self._ids, in_order=self._are_offers)
        yield from self._of_pairs(there, ours, pairs, (*path, key))
        lone = [index for index in range(len(there)) if index not in pairs]
        known = [index for index in lone if own_id(there[index]) in self._ids]
        older = len(lone) - len(known)
        self.older += older
        is_all = theirs.is_whole and not older
        is_aligned = self._is_alone and theirs.total == mine.total != -1
        if self._are_filtered_alike and not self._are_offers:
            if is_aligned or (theirs.offset == 0 if self._is_alone else mine.is_whole):
                for index in known:
                    yield Difference(dotted((*path, key, index)), _shown(there[index]), _ABSENT)
            if is_aligned or theirs.is_whole:
                here_alone = [ours[at] for at in sorted({*range(len(ours))} - {*pairs.values()})]
                for each in here_alone:
                    if own_id(each) in self._known or (self._is_alone and not older):
                        yield Difference(dotted((*path, key, len(there))), _ABSENT, _shown(each))
            is_other_count = theirs.total < mine.total or (is_all and theirs.total > mine.total)
            if self._is_alone and is_other_count and -1 not in (theirs.total, mine.total):
                where = dotted((*path, "meta", "total_count"))
                yield Difference(where, str(theirs.total), str(mine.total))
            if is_all or is_aligned:
                return
        for answer in (recorded, here):
            if isinstance(answer.get("meta"), dict):
                about = answer["meta"]
                answer["meta"] = {name: about[name] for name in about if name not in _LINKS}


def _cut(*texts: str) -> Iterator[str]:
    return (text[:_LONGEST_SHOWN] for text in texts)


def _shown(value: Any) -> str:
    kind = kind_of(value)
    if kind in ("text", "number", "boolean"):
        return f"{value!r}"[:_LONGEST_SHOWN]
    return kind
