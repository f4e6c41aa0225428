"""Whether a value is the one that is wanted; some objects decide that themselves."""

from __future__ import annotations

import sys
from typing import Any

from plivo_sim.domain.typed import short


def is_matcher(name: str, wanted: object) -> bool:
    """Whether an object decides itself what is equal to it, as ``unittest.mock.ANY`` does: it is of
    none of Python's own types. Raises ValueError, with the name, for one that cannot be compared
    with a text."""
    kind = type(wanted)
    module = kind.__module__.partition(".")[0]
    if kind.__eq__ is object.__eq__ or (module in sys.stdlib_module_names and module != "unittest"):
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
