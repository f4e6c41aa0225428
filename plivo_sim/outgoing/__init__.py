"""What this process would send to the live services: stopped (``guard``) or redirected
(``pointing``).

Nothing here imports the simulator or an HTTP library: the pytest plugin loads it in every run.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

HOSTS = (
    "api.plivo.com",
    "voice.plivo.com",
    "lookup.plivo.com",
    "stats.plivo.com",
    "phlorunner.plivo.com",
    "api.smallest.ai",
    "api.india.smallest.ai",
    "api.dev.smallest.ai",
    "app.smallest.ai",
)
"""The hosts of the live services that the two Python SDKs know (observed: plivo 4.63.0,
smallestai 5.14.0), and ``voice.plivo.com``."""


def plain_host(host: object) -> str:
    """A host as it stands in ``HOSTS``: as Python's sockets would ask for it (IDNA makes other
    dots and wide letters plain ones, and drops soft hyphens), in lower case, with no dot at the
    end; empty for what is none."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("latin-1")
    if not isinstance(host, str):
        return ""
    if not host.isascii():
        with suppress(UnicodeError):  # no socket takes it
            host = host.encode("idna").decode()
    return host.lower().rstrip(".")


def read_hosts(given: Iterable[str]) -> frozenset[str]:
    """The hosts to look for; ``HOSTS`` where none is given. Raises ValueError for what is no host
    name, such as a URL: no call would ever be to it; and for a text, which is no list."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ValueError(f"hosts: {given!r} is not a list of host names")
    named = frozenset(map(plain_host, given)) or frozenset(HOSTS)
    if named <= set(HOSTS):
        return named
    from plivo_sim.domain.urls import read_host  # only for who names other hosts

    return frozenset(map(read_host, named))
