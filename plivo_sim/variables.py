"""Variables whose names begin with ``PLIVO_SIM_``: which are read, set by a platform, or mistyped.

Kubernetes (and Docker links before it) tell every container where each service is; for a service
that is called plivo-sim these names begin like our own, and ``PLIVO_SIM_PORT`` is one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields

from plivo_sim.domain.words import did_you_mean
from plivo_sim.settings import Settings

PREFIX = "PLIVO_SIM_"
RUN_ID = PREFIX + "RUN_ID"
"""Which run this is: its accounts on a shared server are its own."""
SETTINGS = frozenset(PREFIX + each.name.upper() for each in fields(Settings))
KNOWN = SETTINGS | frozenset(
    PREFIX + name
    for name in ("ACCOUNT", "API", "ATOMS", "INBOX_HOST", "READY_FILE", "RUN_ID", "TOKEN", "URL")
)
"""The variables of the settings, those of single commands and of the pytest plugin, and those that
``run`` sets."""
_PROTOCOL = "(TCP|UDP|SCTP)"
_PLATFORM = re.compile(
    rf"(\w+_)?SERVICE_(HOST|PORT)(_\w+)?"
    rf"|(\w+_)?PORT_[0-9]+_{_PROTOCOL}(_(PROTO|PORT|ADDR))?|NAME|ENV_\w+"
)
_ADDRESS = re.compile(rf"{_PROTOCOL}://", re.IGNORECASE)


def is_of_platform(name: str, value: str) -> bool:
    """Whether a platform set this variable, which tells where a service is."""
    if name in KNOWN and not _ADDRESS.match(value):
        return False
    address = name.endswith("PORT") and _ADDRESS.match(value)
    return bool(address or _PLATFORM.fullmatch(name.removeprefix(PREFIX)))


def of_platform(variables: Mapping[str, str]) -> list[str]:
    """The names of those that are passed over."""
    return [name for name, value in _ours(variables) if is_of_platform(name, value)]


def unread(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Those that nothing reads, each with a hint, which may be empty."""
    for name, value in _ours(variables):
        if name not in KNOWN and not is_of_platform(name, value):
            words = [known.removeprefix(PREFIX) for known in sorted(KNOWN)]
            bare = name.removeprefix(PREFIX)
            hint = did_you_mean(bare, words, listed=0, cutoff=0.65, prefix=PREFIX)
            yield name, hint.removeprefix("; ") or "docs/settings.md has the names"


def of_settings(variables: Mapping[str, str]) -> list[str]:
    """The names of those that a server reads which a command starts."""
    return [
        name
        for name, value in _ours(variables)
        if name in SETTINGS and not is_of_platform(name, value)
    ]


def _ours(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted((name, text) for name, text in variables.items() if name.startswith(PREFIX))
