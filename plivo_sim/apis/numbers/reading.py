"""Bodies of numbers and of Link, in every shape that an SDK is known to send (observed).

Keys without an effect here (``ha_enable``, ``verification_info``, ``cnam`` …) are ignored and named
in a warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plivo_sim.apis.numbers.queries import LOOKUPS, not_a_lookup
from plivo_sim.apis.reading import (
    Shape,
    load,
)
from plivo_sim.apis.words import MOST_ENTRIES
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.typed import dotted
from plivo_sim.services.inventory import digits_of
from plivo_sim.services.numbers import Change
from plivo_sim.web.bodies import Body, unreadable

SDK_KEY = "compliance_application_id"
PAGE_KEY = "compliance_id"
SCHEMAS = "plivo_sim.apis.numbers.schemas"


_rent_in, _change_in = Shape(SCHEMAS, "RentIn"), Shape(SCHEMAS, "ChangeIn")


@dataclass(slots=True)
class ReadChange:
    """A change as far as it could be read."""

    change: Change
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReadLinks:
    """A Link request as far as it could be read. ``items``: pairs of a number, as written, and an
    application id. ``id_key``: what an id that is missing is called."""

    id_key: str
    items: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def contradictions(self) -> Iterator[str]:
        """Each number that is to be linked to several applications. The items are done one after
        the other, so the last that can be linked counts."""
        wanted: dict[str, set[str]] = {}
        for number, id in self.items:
            ids = wanted.setdefault(digits_of(number), set())
            if len(ids) == 1 and id not in ids:
                yield f"number {number[:50]} is given several applications: the last one counts"
            ids.add(id)


Keys = Mapping[str, tuple[str, Any]]
"""What an object gives: by what it means, the key as it is written and the value."""


# --- one number ----------------------------------------------------------------------------


def read_rent(body: Body, digits: str, dialect: str) -> ReadChange:
    """What to do with the number of these digits once it is rented."""
    return _read_change(_rent_in, body.json_object(), digits, dialect)


def read_change(body: Body, digits: str, dialect: str) -> ReadChange:
    """``app_id: null`` removes the application: .NET sends it for that (observed)."""
    data = body.json_object()
    if "app_id" in data and data["app_id"] is None:
        data = {**data, "app_id": ""}
    return _read_change(_change_in, data, digits, dialect)


def _read_change(shape: Shape, data: Mapping[str, Any], digits: str, dialect: str) -> ReadChange:
    """The number itself, which Python and Java repeat (observed), is nothing that is ignored.

    In today's API ``compliance_id`` is no parameter: the id counts as not given, with a soft
    problem (inferred: docs/wire-facts.md, "What commit messages tell of the live service")."""
    usable, problems = load(shape, data)
    by_sdk, by_page = usable.pop(SDK_KEY, None), usable.pop(PAGE_KEY, None)
    if by_page is not None and dialect == "current":
        text = f"is no parameter of today's API and was ignored; it is called {SDK_KEY}"
        problems.append(Problem(ProblemKind.BAD_VALUE, (PAGE_KEY,), text, soft=True))
        by_page = None
    if by_sdk is not None and by_page is not None and by_sdk != by_page:
        text = f"is not the same as '{SDK_KEY}'"
        problems.append(Problem(ProblemKind.BAD_VALUE, (PAGE_KEY,), text))
    if usable.get("cnam_lookup", "") not in LOOKUPS:
        problems.append(not_a_lookup(ProblemKind.NOT_ALLOWED))
    application_id = by_page if by_sdk is None else by_sdk
    change = Change(**usable, application_id=application_id)
    ignored = [
        name[:50]
        for name, value in data.items()
        if value is not None
        and name not in shape.fields
        and not (name == "number" and digits_of(str(value)) == digits)
    ]
    return ReadChange(change, problems, ignored)


def read_links(body: Body, dialect: str) -> ReadLinks:
    """Every shape of docs/wire-facts.md, "Link is bulk": ``{"numbers": [...]}`` or the list alone;
    items with either spelling of the id, or strings beside one id for all; a single item. Keys are
    taken in any case, because .NET keeps its caller's (observed). Each but the one that most SDKs
    send has a soft problem: the others stand in tests of SDKs only, and whether the live service
    takes them is unknown (inferred). An id that is missing is asked for by the dialect's name for
    it. Raises Invalid for what no SDK sends."""
    data = body.json
    read = ReadLinks(id_key=PAGE_KEY if dialect == "beta" else SDK_KEY)
    if not _is_the_usual_shape(data):
        read.problems.append(Problem(ProblemKind.UNREADABLE, (), _USUAL_SHAPE, soft=True))
    if isinstance(data, list):
        _read_items(data, {}, (), read)
        return read
    if not isinstance(data, dict):
        raise unreadable("the body must be a JSON object with 'numbers', or a list")
    is_item = not _has(data, "numbers")
    if is_item and _has(data, "number"):
        _read_item(data, {}, (), read)
        return read
    keys = _used(data, ("numbers", SDK_KEY), (), read)
    if is_item:
        read.problems.append(Problem(ProblemKind.MISSING_FIELD, ("numbers",), "is required"))
    else:
        key, items = keys["numbers"]
        _read_items(items, keys, (key,), read)
    return read


_USUAL_SHAPE = (
    'today\'s API is only known to take {"numbers": [{"number": ..., "compliance_application_id":'
    " ...}]}"
)


def _is_the_usual_shape(data: Any) -> bool:
    items = data.get("numbers") if isinstance(data, dict) else None
    return isinstance(items, list) and all(
        isinstance(each, dict) and {"number", SDK_KEY} <= each.keys() for each in items
    )


def _read_items(items: Any, above: Keys, path: Path, read: ReadLinks) -> None:
    if not isinstance(items, list):
        read.problems.append(Problem(ProblemKind.WRONG_TYPE, path, "must be a list"))
        return
    if len(items) > MOST_ENTRIES:
        text = f"must have at most {MOST_ENTRIES} entries, has {len(items)}"
        read.problems.append(Problem(ProblemKind.BAD_LENGTH, path, text))
        return
    for index, item in enumerate(items):
        _read_item(item, above, (*path, index), read)


def _read_item(item: Any, above: Keys, path: Path, read: ReadLinks) -> None:
    if not isinstance(item, str | dict):
        text = "must be an object with 'number', or a string"
        read.problems.append(Problem(ProblemKind.WRONG_TYPE, path, text))
        return
    before = len(read.problems)
    given = {"number": item} if isinstance(item, str) else item
    own = _used(given, ("number", SDK_KEY), path, read)
    number: tuple[str, Any] = own.get("number", ("number", None))
    id: tuple[str, Any] = own.get(SDK_KEY) or above.get(SDK_KEY) or (read.id_key, None)
    read.problems += [each for key, value in (number, id) for each in _wrong(value, (*path, key))]
    if len(read.problems) == before:
        read.items.append((number[1], id[1]))


def _wrong(value: Any, path: Path) -> Iterator[Problem]:
    if value is None or value == "":
        yield Problem(ProblemKind.MISSING_FIELD, path, "is required")
    elif not isinstance(value, str):
        yield Problem(ProblemKind.WRONG_TYPE, path, "must be a string")


_SPELLINGS = {
    "numbers": "numbers",
    "number": "number",
    "phonenumber": "number",
    "complianceapplicationid": SDK_KEY,
    "complianceid": SDK_KEY,
}


def _meant_by(key: str) -> str | None:
    return _SPELLINGS.get(key.lower().replace("_", ""))


def _has(data: Mapping[str, Any], name: str) -> bool:
    return any(value is not None and _meant_by(key) == name for key, value in data.items())


def _used(data: Mapping[str, Any], names: Collection[str], path: Path, read: ReadLinks) -> Keys:
    """These of an object; null counts as not given. Notes the keys that nothing uses, and those
    that say something else than another spelling of them."""
    found: dict[str, tuple[str, Any]] = {}
    for key, value in data.items():
        name = _meant_by(key)
        if value is None:
            continue
        if name not in names:
            read.ignored.append(dotted((*path, key[:50])))
        elif name in found and value != found[name][1]:
            text = f"is not the same as '{found[name][0]}'"
            read.problems.append(Problem(ProblemKind.BAD_VALUE, (*path, key), text))
        elif name is not None:
            found.setdefault(name, (key, value))
    return found
