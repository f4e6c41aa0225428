"""How much processor time calls like this one took before: what the next one will take is not known
before it is done.

Calls are alike that have the same account, method, path without ids, names of parameters with as
long values, and about as large a body.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from enum import Enum, auto
from typing import TypeAlias

LONG_S = 0.01
"""Processor time from which on a call is a long one."""
KEPT = 2
MOST_KINDS = 4096

_TARGET = re.compile(rb"\s*(\S{1,32}) ([^\s?]{0,2048})\??(\S{0,2048})")
_ACCOUNT = re.compile(rb"(?<![0-9A-Za-z])[MS]A[0-9A-Z]{18}(?![0-9A-Za-z])")
_ID = re.compile(rb"(?<=/)[^/]*[0-9][^/]*")
_VALUE = re.compile(rb"=[^&]*")

Alike: TypeAlias = tuple[bytes, bytes, bytes, bytes, int]
"""The account, if any, and what is alike in other accounts."""


class Cost(Enum):
    """What is expected of a call."""

    SMALL = auto()
    """One of the last two of its account was: the other may have met what happens now and then."""
    LIKELY_SMALL = auto()
    """Those of other accounts were, and none of its own is known."""
    UNKNOWN = auto()
    LONG = auto()
    """Both of the last two of its account were."""


def alike(came: bytes | bytearray) -> Alike:
    """What the request has in common with those like it; ``came``: as it came, headers and all."""
    found = _TARGET.match(came)
    method, path, query = (b"", b"", b"") if found is None else map(bytes, found.groups())
    named = _ACCOUNT.search(path) or _ACCOUNT.search(query)
    account = b"" if named is None else named[0]
    if account:
        path, query = path.replace(account, b""), query.replace(account, b"")
    query = _VALUE.sub(lambda value: b"%d" % len(value[0]), query)
    return account, method, _ID.sub(b"", path), query, len(came).bit_length()


class Costs:
    """The last two of each kind, of so many kinds. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Alike, tuple[float, ...]] = OrderedDict()

    def note(self, call: Alike, took_s: float) -> None:
        """Of one that was answered, the processor time."""
        with self._lock:
            for kind in (call, _of_any(call)):
                self._kept[kind] = (*self._kept.pop(kind, ())[1 - KEPT :], took_s)
            while len(self._kept) > MOST_KINDS:
                self._kept.popitem(last=False)

    def least_s(self, call: Alike) -> float:
        """The smaller of its account's; 0 if none is known."""
        with self._lock:
            return min(self._kept.get(call, (0.0,)))

    def expected(self, call: Alike) -> Cost:
        with self._lock:
            own, others = self._kept.get(call), self._kept.get(_of_any(call), ())
        if own is None:
            return Cost.LIKELY_SMALL if any(map(_is_small, others)) else Cost.UNKNOWN
        if any(map(_is_small, own)):
            return Cost.SMALL
        return Cost.LONG if len(own) == KEPT else Cost.UNKNOWN


def _is_small(took_s: float) -> bool:
    return took_s < LONG_S


def _of_any(call: Alike) -> Alike:
    return b"*", *call[1:]
