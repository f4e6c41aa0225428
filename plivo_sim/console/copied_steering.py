"""A control call, as a verb of the fixture of a test that is made of what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from plivo_sim.console.copied_faults import OWN_FAULT, STEERED, without_faults
from plivo_sim.console.copied_file import File, unknown_in
from plivo_sim.console.sources import quoted, source
from plivo_sim.domain.text import decode_json, printable
from plivo_sim.web.steering import Steering

NOT_IN_A_TEST = frozenset(
    {"paused", "start", "warp", "callback_url", "allow_callback_hosts", "rate_limits"}
)
"""Settings that the fixtures make, that lead to receivers which the test does not have, or whose
windows are of real time."""
OF_THE_CLOCK = frozenset({"pause", "resume", "set_rate"})
SENT_AGAIN = frozenset({"replay_webhook"})
GOING_BACK = frozenset({"restore", "reset", "undo"})


def steer(file: File, made: Steering) -> None:
    """The verb of the fixture that does the same, or the call itself."""
    if made.operation in OF_THE_CLOCK:
        return file.add(f"# {made.operation}: the clock of the test stands still, and is moved")
    if made.operation in STEERED:
        return file.add(f"# {made.operation}: {OWN_FAULT}")
    if made.operation in SENT_AGAIN:
        return file.add("# a callback was sent again here")
    if made.operation in GOING_BACK:
        return file.leave_out(made, "a test begins anew instead")
    if unknown := unknown_in(file, made):
        return file.leave_out(made, f"{unknown} was not made by a call that is carried over")
    body = decode_json(made.body) if made.body else {}
    if not isinstance(body, dict) or (made.body is None and made.method == "POST"):
        return file.leave_out(made, "its body is not kept")
    body.pop("account", None)
    write = _VERBS.get(made.operation)
    if write is not None:
        try:
            return write(file, made, body)
        except (LookupError, TypeError, ValueError, AttributeError, StopIteration):
            return file.leave_out(made, "its body is none that the verb takes")
    path = file.names.text(urlsplit(made.target).path)
    given = f", **{source(body, file.names, 4, 30 + len(path))}" if body else ""
    return file.add(f"control({quoted(made.method)}, {path}{given})")


def kept_scenario(file: File, scenario: Any, *, is_name: bool = False) -> Any:
    """What a test has of a scenario: all but its faults; the file says so."""
    kept = without_faults(scenario, is_name=is_name)
    if kept is not scenario:
        file.add(f"# the scenario without its faults: {OWN_FAULT}")
    return kept


def use(file: File, verb: str, given: Any) -> None:
    """Add the line that puts a scenario or a machine in force."""
    file.add(f"plivo_server.{verb}({source(given, file.names, 4, len(verb) + 16)})")


def advance_to(at: datetime) -> str:
    """The line that moves the clock of the test to an instant."""
    return f'plivo_server.advance(to=datetime.fromisoformat("{at.isoformat()}"))'


def _advance(file: File, made: Steering, body: dict[str, Any]) -> None:
    if body.get("until") is not None:
        until = body["until"]
        id, status = [file.names.text(str(until[key])) for key in ("application", "status")]
        file.add(f"plivo_server.advance_until({id}, {status})")
    elif body.get("to") is not None:
        file.add(advance_to(made.at))
    else:
        file.add(f"plivo_server.advance({_duration(body['by'])})")


def _duration(by: Any) -> str:
    """Raises TypeError for what is none."""
    if isinstance(by, bool) or not isinstance(by, str | int | float):
        raise TypeError
    return quoted(by) if isinstance(by, str) else f"seconds={by!r}"


def _decide(file: File, made: Steering, body: dict[str, Any]) -> None:
    id = made.target.split("/applications/")[1].partition("/")[0]
    given = [file.names.text(id), quoted(body["status"])]
    given += [quoted(body["reason"])] if body.get("reason") else []
    file.add(f"plivo_server.decide({', '.join(given)})")


def _use_one(verb: str) -> Callable[[File, Steering, dict[str, Any]], None]:
    def use_given(file: File, made: Steering, body: dict[str, Any]) -> None:
        keys = ("name", "yaml", "scenario", "machine")
        key = next(key for key in keys if body.get(key) is not None)
        given = body[key]
        if verb == "use_scenario":
            given = kept_scenario(file, given, is_name=key == "name")
        # The verb takes what is one line for a name, or for a path.
        is_line = key == "yaml" and isinstance(given, str) and "\n" not in given
        use(file, verb, f"{given}\n" if is_line else given)

    return use_given


def _with_values(verb: str) -> Callable[[File, Steering, dict[str, Any]], None]:
    def call(file: File, made: Steering, body: dict[str, Any]) -> None:
        file.add(f"plivo_server.{verb}(**{source(body, file.names, 4, len(verb) + 18)})")

    return call


def _configure(file: File, made: Steering, body: dict[str, Any]) -> None:
    settings = body.get("settings") or {}
    kept = {name: text for name, text in settings.items() if name not in NOT_IN_A_TEST}
    if kept:
        file.add(f"plivo_server.account.configure({source(kept, file.names, 4, 32)})")
    for name in sorted(settings.keys() - kept.keys()):
        file.add(f"# {printable(name)} was set here; a test has its own")


_VERBS: Mapping[str, Callable[[File, Steering, dict[str, Any]], None]] = {
    "advance": _advance,
    "set_clock": _advance,
    "decide": _decide,
    "use_scenario": _use_one("use_scenario"),
    "use_machine": _use_one("use_machine"),
    "next_outcome": _with_values("next_outcome"),
    "set_webhook_policy": _with_values("webhooks"),
    "make_account": _configure,
}
