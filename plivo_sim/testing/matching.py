"""Whether a value is the one that is wanted; some objects decide that themselves."""

from __future__ import annotations

import sys
from typing import Any

from plivo_sim.domain.typed import short

_PLAIN: tuple[Any, ...] = (str, int, float)
_PLAIN_EQUAL = [
    each.__eq__ for each in (object, *_PLAIN, bytes, list, tuple, dict, set, frozenset, type(None))
]


def plain(value: Any) -> Any:
    """The text or number that a member of an enumeration or of another subclass is, also in lists
    and dictionaries; whatever decides itself what is equal to it stays as it is."""
    kind = type(value)
    if kind is dict:
        return {plain(key): plain(each) for key, each in value.items()}
    if kind in (list, tuple):
        return kind(map(plain, value))
    if kind is bool or kind in _PLAIN:
        return value
    equal: Any = kind.__eq__
    for base in _PLAIN:
        if isinstance(value, base) and equal is base.__eq__:
            return base.__str__(value) if base is str else base.__pos__(value)
    return value


def is_matcher(name: str, wanted: object) -> bool:
    """Whether an object decides itself what is equal to it, as ``unittest.mock.ANY`` does: it is of
    none of Python's own types, and does not compare as one of them. Raises ValueError, with the
    name, for one that cannot be compared with a text."""
    kind = type(wanted)
    module = kind.__module__.partition(".")[0]
    if kind.__eq__ in _PLAIN_EQUAL or (module in sys.stdlib_module_names and module != "unittest"):
        return False
    is_equal(name, "", wanted)
    return True


def is_equal(name: str, found: Any, wanted: Any) -> bool:
    """Raises ValueError, with the name, for what cannot be compared: an array of numpy is equal in
    places."""
    try:
        return bool(found == wanted)
    except Exception as error:
        raise ValueError(f"{name}: {short(wanted)} cannot be compared: {error}") from None
