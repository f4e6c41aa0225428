"""What the marker and the argument of a fixture may say, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from plivo_sim.domain.typed import short
from plivo_sim.domain.words import did_you_mean
from plivo_sim.testing.values import NAMES, setting_of

ACCOUNT = ("auth_id", "auth_token", "subaccount_token")
MARKED = ("scenario", "machine", "clock", *ACCOUNT, "pointed")
"""Beside settings."""
CLOCKS = ("wall", "paused")
STARTED = ("host", "port", "state", "fsync", "tls", "tls_dir", "log_format")
"""The settings that mean nothing to a simulator that is there already."""
_HINT = f"; there are {', '.join(MARKED)} and the settings, such as start, seed, new_api"


def mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each argument that there is not, or whose value makes no sense."""
    known = [*MARKED, *NAMES]
    for name, value in given.items():
        if name not in known:
            yield f"{name}=: no such argument{did_you_mean(name, known) or _HINT}"
        elif name in STARTED:
            yield f"{name}: the simulator of the fixtures has started; use served({name}=…)"
        elif name in MARKED:
            yield from _of_marked(name, value)
        else:
            try:
                setting_of(name, value)
            except ValueError as error:
                yield str(error)


def _of_marked(name: str, value: Any) -> Iterator[str]:
    if name in ("scenario", "machine"):
        if not isinstance(value, str | os.PathLike | Mapping):
            yield f"{name}: {short(value)} is not a name, a path, a text or a dictionary"
    elif name == "clock":
        if value is not None and not (isinstance(value, str) and value in CLOCKS):
            hint = did_you_mean(str(value), CLOCKS, listed=0)
            yield f"clock: {short(value)} is not one of {', '.join(CLOCKS)}{hint}"
    elif name == "pointed":
        if not isinstance(value, bool):
            yield f"pointed: {short(value)} is not True or False"
    elif not isinstance(value, str):  # which may be a secret
        yield f"{name}: what is given is not a text"
    elif name == "auth_token" and not value:
        yield "auth_token: is empty"
