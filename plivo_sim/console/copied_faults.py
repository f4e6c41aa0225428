"""Faults in a test that is made of what was done.

A fault of the account strikes by count, by chance or by the real time between calls, and counts
reads, too, which a test does not make again. So the test has none of these: each call that one
struck has a fault of its own, which strikes it alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from plivo_sim.catalogue.yaml_text import plain_yaml
from plivo_sim.console.sources import quoted
from plivo_sim.scenarios.language import CUTTING, REFUSING, SPOILING
from plivo_sim.scenarios.loader import shipped_text
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering

STEERED = frozenset({"add_fault", "remove_fault", "clear_faults"})
"""The control calls about faults."""
OWN_FAULT = "each call that one struck has a fault of its own"
_CUT, _GARBLED = "urllib3.exceptions.ProtocolError", "json.JSONDecodeError"


class Strike(NamedTuple):
    """What a fault did to a call. ``id``: the fault's; ``raises``: what the call raises in a test,
    as source; empty where it is answered."""

    id: str
    effect: str
    raises: str


def strike_on(made: Steering | Exchange) -> Strike | None:
    """What made a call fail; None of one that was served, or only slowed down."""
    if isinstance(made, Steering):
        return None
    id, _, effect = made.fault.rpartition(": ")
    if effect in REFUSING:
        return Strike(id, effect, "")
    if effect in CUTTING:
        return Strike(id, effect, _CUT)
    if effect not in SPOILING or not made.answer or made.method == "HEAD":  # there is no JSON
        return None
    raises = {"truncated": _CUT, "invalid_json": _GARBLED}
    return Strike(id, effect, raises.get(effect, ""))


def as_verb(strike: Strike, made: Exchange) -> str:
    """The line that makes the next call of a test fail in the same way."""
    given = [quoted(strike.effect), f"name={quoted(strike.id)}"]
    if strike.effect == "error":
        given.append(f"status={made.status}")
    if strike.effect not in SPOILING:
        given.append(f"applied={made.is_spoilt}")
    return f"plivo_server.fault({', '.join(given)}, times=1)"


def without_faults(given: Any, *, is_name: bool = False) -> Any:
    """A scenario as it was given, by name or in full, without its faults: the same if it has none.
    Raises ValueError for a name that does not ship."""
    values = shipped_text(given) if is_name else given
    if isinstance(values, str) and "faults" in values:
        values = plain_yaml(values)
    if not isinstance(values, dict) or not values.get("faults"):
        return given
    return {key: each for key, each in values.items() if key != "faults"}


def expecting(strike: Strike | None, call: str) -> str:
    """The source of a call, indented by four, which raises what it raised then."""
    if strike is None or not strike.raises:
        return call
    within = f"    {call}".replace("\n", "\n    ")
    return f"with pytest.raises({strike.raises}):\n    {within}"
