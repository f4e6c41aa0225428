"""Applicants from a CSV file: read strictly, every wrong row named before anything is sent."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from plivo_sim.catalogue.user_files import text_in
from plivo_sim.client.applications import Key, Outcome
from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.limits import CSV_TEXT, MISTAKES
from plivo_sim.domain.machine import NOTHING
from plivo_sim.domain.records import END_USER_DETAILS
from plivo_sim.domain.words import did_you_mean

COLUMNS = {
    "name": "Name of the business, or first name of the person. Required.",
    "country": "Two letters. Required.",
    "user_type": "business (the default) or individual.",
    "number_type": "local (the default), mobile, tollfree or national.",
    "alias": "Alias of the application.",
    "last_name": "Last name of the person.",
    "email": "E-mail address.",
    "address_line1": "Street and number.",
    "address_line2": "More of the address.",
    "city": "City.",
    "state": "State or region.",
    "postal_code": "Postal code.",
    "registration_number": "Registration number of the business.",
    "outcome": "What the reviewer decides: a status in which a review can end in the account's"
    " machine, such as accepted or rejected, or nothing; empty: as without it.",
    "reason": "Why: a text, or the name of a preset. Needs an outcome.",
    "after": "How long the review takes: 2d, '2 business days'. Needs an outcome.",
    "callback_url": "Where its callbacks go.",
}
"""Every column and what it says. Empty cells of the end user are made up."""

REQUIRED = ("name", "country")
_DEFAULTS = {"user_type": "business", "number_type": "local"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One applicant, as far as the file says who it is; ``line`` is where it begins."""

    line: int
    key: Key
    end_user: dict[str, str]
    alias: str = ""
    outcome: Outcome | None = None
    callback_url: str = ""


@dataclass(slots=True)
class Table:
    """What was read, and what is wrong: line and sentence."""

    rows: list[Row] = field(default_factory=list)
    mistakes: list[tuple[int, str]] = field(default_factory=list)


def read_rows(path: Path, keys: Collection[Key], outcomes: Collection[str]) -> Table:
    """The rows of a file; ``keys``: what the catalogue has requirements for; ``outcomes``: in what
    a review can end. Raises OSError."""
    table = Table()
    try:
        text = text_in(path, CSV_TEXT).removeprefix("\ufeff")
    except UnicodeDecodeError:
        table.mistakes.append((1, "the file is not UTF-8 text"))
        return table
    if len(text) > CSV_TEXT.most:
        table.mistakes.append((1, f"the file is too large: {CSV_TEXT}"))
        return table
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        _read(reader, table, keys, outcomes)
    except csv.Error as error:
        table.mistakes.append((reader.line_num, f"not a CSV file: {error}"))
    return table


def _read(reader: Any, table: Table, keys: Collection[Key], outcomes: Collection[str]) -> None:
    heads = [head.strip().casefold() for head in next(reader, [])]
    found = islice(_header_mistakes(heads), MISTAKES.most)
    table.mistakes += [(1, text) for text in found]
    if table.mistakes:
        return
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            given = _given(line, heads, [cell.strip() for cell in cells], table)
            wrong = [(line, text) for text in _row_mistakes(given, keys, outcomes)] if given else []
            table.mistakes += wrong
            if given and not wrong:
                table.rows.append(_row(line, given))
        line = reader.line_num + 1
        if len(table.mistakes) >= MISTAKES.most:
            break
    if not table.rows and not table.mistakes:
        table.mistakes.append((line, "the file has no rows"))


def _header_mistakes(heads: Sequence[str]) -> Iterator[str]:
    if not heads:
        yield f"the file is empty; its first line names the columns: {', '.join(REQUIRED)}, ..."
        return
    for head, count in Counter(heads).items():
        if head not in COLUMNS:
            hint = did_you_mean(head[:80], COLUMNS, listed=len(COLUMNS))
            yield f"unknown column '{head[:80]}'{hint}"
        elif count > 1:
            yield f"column '{head}' is given twice"
    for name in REQUIRED:
        if name not in heads:
            yield f"column '{name}' is missing"


def _given(
    line: int, heads: Sequence[str], cells: Sequence[str], table: Table
) -> dict[str, str] | None:
    """What a row says, column by column; None for one of another length."""
    if len(cells) != len(heads):
        text = f"has {len(cells)} cells, but the first line has {len(heads)}"
        table.mistakes.append((line, text))
        return None
    return {name: cell for name, cell in zip(heads, cells, strict=True) if cell}


def _row(line: int, given: dict[str, str]) -> Row:
    word = given.get("outcome", "")
    return Row(
        line=line,
        key=_key(given),
        end_user={
            name: text
            for name, text in given.items()
            if name in END_USER_DETAILS and name != "country"
        },
        alias=given.get("alias", ""),
        outcome=Outcome(word=word, reason=given.get("reason", ""), after=given.get("after", ""))
        if word
        else None,
        callback_url=given.get("callback_url", ""),
    )


def _key(given: dict[str, str]) -> Key:
    values = {**_DEFAULTS, **given}
    return values["country"].upper(), values["number_type"].lower(), values["user_type"].lower()


def _row_mistakes(
    given: dict[str, str], keys: Collection[Key], outcomes: Collection[str]
) -> Iterator[str]:
    missing = [name for name in REQUIRED if name not in given]
    for name in missing:
        yield f"{name}: is empty"
    if "country" not in missing:
        yield from _key_mistakes(_key(given), keys)
    word = given.get("outcome")
    if word is not None and word not in outcomes:
        yield f"outcome: '{word[:80]}' is not one of {', '.join(outcomes)}"
    for name in ("reason", "after"):
        if name in given and word is None:
            yield f"{name}: needs an outcome"
        if name in given and word == NOTHING:
            yield f"{name}: has no effect when nothing is decided"
    if "after" in given:
        try:
            parse_duration(given["after"])
        except ValueError as error:
            yield f"after: {error}"


def _key_mistakes(key: Key, keys: Collection[Key]) -> Iterator[str]:
    """Which part of a requirement's key is unknown, or that they do not go together."""
    if key in keys:
        return
    names = ("country", "number_type", "user_type")
    known = [sorted({each[i] for each in keys}) for i in range(3)]
    wrong = [i for i in range(3) if key[i] not in known[i]]
    for i in wrong:
        yield f"{names[i]}: '{key[i]}' is not one of {', '.join(known[i])}"
    if not wrong:
        has = sorted({f"{each[1]} {each[2]}" for each in keys if each[0] == key[0]})
        yield f"country: {key[0]} has no {key[1]} {key[2]} numbers; it has {', '.join(has)}"
