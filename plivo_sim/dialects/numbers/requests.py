"""Bodies of numbers and of Link, in every shape that an SDK is known to send (observed).

What nobody reads (``ha_enable``, ``verification_info``, ``cnam`` …) is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import request

from plivo_sim.dialects.bodies import not_taken, read_body, unreadable
from plivo_sim.dialects.shapes import Shape, load
from plivo_sim.dialects.words import MOST_ENTRIES
from plivo_sim.errors import Fault, Path, Problem
from plivo_sim.services.numbers import Change

SDK_KEY = "compliance_application_id"
PAGE_KEY = "compliance_id"

_SCHEMAS = "plivo_sim.dialects.numbers.schemas"
_rent_in, _change_in = Shape(_SCHEMAS, "RentIn"), Shape(_SCHEMAS, "ChangeIn")
_LOOKUPS = ("", "enabled", "disabled")


@dataclass(slots=True)
class ReadChange:
    """A change as far as it could be read. ``page_words``: the body spoke as the page does."""

    change: Change
    problems: list[Problem] = field(default_factory=list)
    page_words: bool = False


@dataclass(slots=True)
class ReadLinks:
    """A Link request as far as it could be read: number as written and application id each."""

    items: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    page_words: bool = False


# --- one number ----------------------------------------------------------------------------


def read_rent() -> ReadChange:
    return _read_change(_rent_in, _json_object())


def read_change() -> ReadChange:
    """``app_id: null`` takes the application away: .NET sends it for that (observed)."""
    data = _json_object()
    if "app_id" in data and data["app_id"] is None:
        data = {**data, "app_id": ""}
    return _read_change(_change_in, data)


def _read_change(shape: Shape, data: Mapping[str, Any]) -> ReadChange:
    usable, problems = load(shape, data)
    by_sdk, by_page = usable.pop(SDK_KEY, None), usable.pop(PAGE_KEY, None)
    if by_sdk is not None and by_page is not None and by_sdk != by_page:
        text = f"is not the same as '{SDK_KEY}'"
        problems.append(Problem(Fault.BAD_VALUE, (PAGE_KEY,), text))
    if usable.get("cnam_lookup", "") not in _LOOKUPS:
        text = "must be one of enabled, disabled"
        problems.append(Problem(Fault.NOT_ALLOWED, ("cnam_lookup",), text))
    application_id = by_page if by_sdk is None else by_sdk
    change = Change(**usable, application_id=application_id)
    return ReadChange(change, problems, data.get(PAGE_KEY) is not None)


def _json_object() -> dict[str, Any]:
    data = _json()
    if data is None or data == []:  # PHP writes [] for an empty object
        return {}
    if not isinstance(data, dict):
        raise unreadable("the body must be a JSON object")
    return data


def _json() -> Any:
    body = read_body(request)
    if body.kind not in ("json", "empty"):
        text = "the body must be JSON, with Content-Type: application/json"
        raise not_taken(text, body.media_type)
    return body.json if body.kind == "json" else None


# --- Link ----------------------------------------------------------------------------------


def read_links() -> ReadLinks:
    """Every shape of wire-facts 2.7: ``{"numbers": [...]}`` or the list alone, items with either
    spelling of the id, strings beside one id for all, one item alone. Keys in any case, because
    .NET keeps its caller's (observed). Raises Invalid when it is none of these.
    """
    data = _json()
    read = ReadLinks()
    if isinstance(data, list):
        _read_items(data, {}, (), read)
        return read
    if not isinstance(data, dict):
        raise unreadable("the body must be a JSON object with 'numbers', or a list")
    keys = _plain_keys(data, read)
    if "numbers" in keys:
        _read_items(keys["numbers"], keys, ("numbers",), read)
    elif "number" in keys:
        _read_item(data, {}, (), read)
    else:
        read.problems.append(Problem(Fault.MISSING_FIELD, ("numbers",), "is required"))
    return read


def _read_items(items: Any, above: Mapping[str, Any], path: Path, read: ReadLinks) -> None:
    if not isinstance(items, list):
        read.problems.append(Problem(Fault.WRONG_TYPE, path, "must be a list"))
        return
    if len(items) > MOST_ENTRIES:
        told = f"must have at most {MOST_ENTRIES} entries, has {len(items)}"
        read.problems.append(Problem(Fault.BAD_LENGTH, path, told))
        return
    for index, item in enumerate(items):
        _read_item(item, above, (*path, index), read)


def _read_item(item: Any, above: Mapping[str, Any], path: Path, read: ReadLinks) -> None:
    if not isinstance(item, str | dict):
        text = "must be an object with 'number', or a string"
        read.problems.append(Problem(Fault.WRONG_TYPE, path, text))
        return
    own = {"number": item} if isinstance(item, str) else _plain_keys(item, read)
    found: dict[str, Any] = {
        "number": own.get("number"),
        SDK_KEY: own.get(SDK_KEY, above.get(SDK_KEY)),
    }
    wrong = list(_problems(found, path))
    if wrong:
        read.problems += wrong
    else:
        read.items.append((found["number"], found[SDK_KEY]))


def _problems(found: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for name, value in found.items():
        if value is None or value == "":
            yield Problem(Fault.MISSING_FIELD, (*path, name), "is required")
        elif not isinstance(value, str):
            yield Problem(Fault.WRONG_TYPE, (*path, name), "must be a string")


_SPELLINGS = {
    "numbers": "numbers",
    "number": "number",
    "phonenumber": "number",
    "complianceapplicationid": SDK_KEY,
    "complianceid": SDK_KEY,
}


def _plain_keys(data: Mapping[str, Any], read: ReadLinks) -> dict[str, Any]:
    """The object with one spelling of each key; null counts as not given."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        bare = key.lower().replace("_", "")
        if value is not None and bare in _SPELLINGS:
            found.setdefault(_SPELLINGS[bare], value)
            read.page_words |= bare == "complianceid"
    return found
