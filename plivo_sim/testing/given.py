"""What verbs were given, as the control API takes it. Raises ValueError for what makes no sense."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from plivo_sim.catalogue.user_files import text_in
from plivo_sim.domain.words import did_you_mean
from plivo_sim.machines.loader import is_file_name

_UNITS = ("business_days", "weeks", "days", "hours", "minutes", "seconds", "milliseconds")
_ALONE = ("by", "to", "business_days")
"""What cannot be combined with anything; the other units can, with each other."""


def move_of(
    by: str | timedelta | None, to: str | datetime | None, units: Mapping[str, float]
) -> dict[str, Any]:
    """The move of an advance: one of a duration, an instant, business days, and other units, which
    are added up."""
    for name in units:
        if name not in _UNITS:
            raise ValueError(f"there is no unit {name!r}{did_you_mean(name, _UNITS)}")
    told = {"by": by, "to": to, **units}
    told = {name: each for name, each in told.items() if each is not None}
    if not told:
        raise ValueError("advance: nothing is given; give by, to or units, such as days=3")
    if alone := [name for name in _ALONE if name in told and len(told) > 1]:
        others = ", ".join(name for name in told if name != alone[0])
        raise ValueError(f"advance: {alone[0]} cannot be combined with {others}; advance twice")
    if to is not None:
        return {"to": to if isinstance(to, str) else to.isoformat()}
    if isinstance(by, str):
        return {"by": by}
    given = ", ".join(f"{name}={each!r}" for name, each in told.items())
    amount: float
    move: dict[str, Any]
    if (days := units.get("business_days")) is not None:
        amount, move = days, {"by": f"{days} business days"}
    else:
        try:
            amount = (by if by is not None else timedelta(**units)).total_seconds()
        except (OverflowError, ValueError) as error:  # ValueError: of what is no number
            raise ValueError(f"advance: {given}: {error}") from None
        move = {"by": amount}
    if amount < 0:
        raise ValueError(f"advance: {given}: time never goes back")
    return move


def body_of(
    kind: str, given: str | os.PathLike[str] | Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """What a scenario or machine is called in complaints, and the body that chooses it. A path that
    is no text is one of a file, whatever ships."""
    if isinstance(given, Mapping):
        return "", {kind: dict(given)}
    if isinstance(given, str):
        if "\n" in given:
            return "", {"yaml": given}
        if not is_file_name(given):
            return given, {"name": given}
    try:
        return str(given), {"yaml": text_in(Path(given))}
    except OSError as error:
        raise ValueError(f"cannot read {kind} {given}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{kind} {given} is not UTF-8") from None
