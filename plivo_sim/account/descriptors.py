"""How many files and sockets this process may have open, what of it is left to what, and whether an
error is for want of them, of memory or of threads: none of that is anybody else's fault.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Hashable
from contextlib import suppress
from math import inf
from typing import Generic, TypeVar

from plivo_sim.account.threads import NoThread
from plivo_sim.domain.limits import LOOK_UPS, SENDS

K = TypeVar("K", bound=Hashable)

MOST_OPEN = 65536
MOST_JOURNALS = 64
PARTS = 32
"""See ``Shares``."""
_WANTING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}


def allow_many() -> None:
    """Let this process have as many open as the system lets it: each connection takes one, each
    callback another. For processes that are a server and nothing else, as it is for all that is in
    them, and for what they start."""
    if sys.platform == "win32":
        return  # nothing limits them
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS has a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def allowed() -> float:
    """How many may be open at once."""
    if sys.platform == "win32":
        return inf
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return inf if soft == resource.RLIM_INFINITY else soft


def left_by_clients() -> float:
    """How many the connections of clients leave to all else."""
    return max(allowed() / 4, 32)


def most_sends() -> int:
    """How many callbacks may be under way at once, each with a descriptor and a thread."""
    return int(min(SENDS.most, left_by_clients() / 2))


def most_journals() -> int:
    """How many journals may stay open between two writes to them."""
    return int(min(MOST_JOURNALS, left_by_clients() / 4))


def most_look_ups() -> int:
    """How many names may be looked up at once."""
    return int(min(LOOK_UPS.most, max(left_by_clients() / 8, 8)))


def is_wanting(error: BaseException) -> bool:
    """Whether it is for want of descriptors, memory or threads, here or, of a connection, anywhere
    on this machine. What hides why it failed (a look-up, certificates that could not be read) is
    told by whether another descriptor can be had."""
    if isinstance(error, socket.gaierror | ssl.SSLCertVerificationError):
        return _has_none_left()
    is_errno = isinstance(error, OSError) and error.errno in _WANTING
    return is_errno or isinstance(error, MemoryError | NoThread)


def _has_none_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in _WANTING
    return False


class Shares(Generic[K]):
    """Of a number of places, how many each has. The last half is for those who have none. Who has
    n may take another while, of the other half, more than n ``PARTS``-ths of all are free: the more
    they are, the fewer each has, and who comes finds one. ``each``: how many one has at most. Not
    thread-safe."""

    def __init__(self, most: int, each: float = inf) -> None:
        self._most, self._each = most, each
        self._had: Counter[K] = Counter()
        self._taken = 0

    def take(self, who: K) -> bool:
        """Whether there was a place, which is taken."""
        has, free = self._had[who], self._most - self._taken
        spare = free - self._most / 2
        if free < 1 or has >= self._each or (has and has * self._most >= spare * PARTS):
            return False
        self._had[who] += 1
        self._taken += 1
        return True

    def give_back(self, who: K) -> None:
        self._had[who] -= 1
        self._taken -= 1
        if not self._had[who]:
            del self._had[who]
