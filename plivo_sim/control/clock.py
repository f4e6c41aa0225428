"""Where an account's time stands, and how to move it. Invented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.account.clock import VirtualClock
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    IN_BODY,
    account_named,
    duration_of,
    instant_of,
    invalid,
    json_object,
    object_of,
    refuse_unknown,
    takes,
    text_of,
    word_of,
)
from plivo_sim.domain.errors import NotReached
from plivo_sim.settings import read_rate
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import endpoint

SETTLE_S = 30.0
"""How long a call waits at most for what is due now, callbacks included."""

_UNTIL = object_of("application", "status", application="string", status="string") | {
    "description": "until this application has this status"
}


@endpoint("GET", "/clock", "Where time stands.", query=(ACCOUNT,), answers={200: "ClockOut"})
def get_clock() -> Response:
    account = account_named()
    with account.lock:
        return current_call().answer(presenters.clock_of(account))


@endpoint(
    "POST", "/clock/advance", "Move time; answers with what happened on the way.",
    **takes(
        by={"type": ["string", "number"], "description": "a duration, or seconds"},
        to="string: an instant", account=IN_BODY, until=_UNTIL,
    ) | {"body_required": True},
    answers={200: "AdvanceOut", 202: "AdvanceOut"}, errors=(404, 409),
)  # fmt: skip
def advance() -> Response:
    """``{"by": duration}``, ``{"to": instant}`` or ``{"until": {"application", "status"}}``.

    Answers with what happened, in order; 202 when it takes so long that it goes on after the
    answer. Until a status: 409 when nothing more is due and the application does not have it; time
    has then moved to the last event, and what happened stays. 409, too, when a restore or a reset
    ends it: what it did is undone.
    """
    data = json_object("by", "to", "until", "account")
    if sum(data.get(key) is not None for key in ("by", "to", "until")) != 1:
        raise invalid("", "give one of by, to, until")
    call, account = current_call(), account_named(data, sends=True)
    by, to = duration_of(data, "by"), instant_of(data, "to")
    if data.get("until") is not None:
        try:
            result = call.sim.advance_until(account, *_wanted(account, data["until"]))
        except NotReached as error:
            call.moved_from = error.began
            raise
    else:
        result = call.sim.advance(account, by, to=to)
    call.moved_from = result.began
    call.why = f"now {account.now():%Y-%m-%d %H:%M:%S}; {len(result.happenings)} happened"
    with account.lock:
        return call.answer(presenters.advanced(account, result), 202 if result.pending else 200)


def _wanted(account: Account, until: Any) -> tuple[str, str]:
    """Which application is to have which status."""
    if not isinstance(until, dict):
        raise invalid("until", "must be an object with application and status")
    refuse_unknown(until, ("application", "status"), "until")
    return text_of(until, "application") or "", word_of(until, "status", account.machine.statuses)


@endpoint(
    "POST", "/clock/settle", "Wait until what is due now is over, callbacks included.",
    **takes(account=IN_BODY), answers={200: "SettledOut", 202: "SettledOut"},
)  # fmt: skip
def settle() -> Response:
    """What is due happens, and the first attempts of its callbacks are waited for; 202 when some
    are still under way after 30 s."""
    account = account_named(json_object("account"), due=False)
    call = current_call()
    with call.due():
        settled = call.sim.runner.finish_due(account, SETTLE_S)
    with account.lock:
        shown = {**presenters.clock_of(account), "settled": settled}
        return call.answer(shown, 200 if settled else 202)


@endpoint("POST", "/clock/pause", "Stop time.", **takes(account=IN_BODY), answers={200: "ClockOut"})
def pause() -> Response:
    return _changed_clock(json_object("account"), VirtualClock.pause)


@endpoint(
    "POST", "/clock/resume", "Let time run again.", **takes(account=IN_BODY),
    answers={200: "ClockOut"},
)  # fmt: skip
def resume() -> Response:
    return _changed_clock(json_object("account"), VirtualClock.resume)


def _changed_clock(data: dict[str, Any], change: Callable[[VirtualClock], None]) -> Response:
    account = account_named(data)
    with account.lock:
        account.change_clock(change)
        return current_call().answer(presenters.clock_of(account))


@endpoint(
    "POST", "/clock/rate", "Set how many simulated seconds pass in a real second.",
    **takes("rate", rate="number: 86400 is a day a second", account=IN_BODY),
    answers={200: "ClockOut"}, errors=(409,),
)  # fmt: skip
def set_rate() -> Response:
    """``{"rate": simulated seconds per real second}``."""
    data = json_object("rate", "account")
    try:
        wanted = read_rate(str(data.get("rate", "")))
    except ValueError as error:
        raise invalid("rate", str(error)) from None
    return _changed_clock(data, lambda clock: clock.set_rate(wanted))


@endpoint(
    "POST", "/clock/set", "Move time to an instant.",
    **takes("to", to="string: an instant, not before now", account=IN_BODY),
    answers={200: "AdvanceOut", 202: "AdvanceOut"}, errors=(409,),
)  # fmt: skip
def set_clock() -> Response:
    """``{"to": instant}``: like an advance to an instant; time never goes back."""
    data = json_object("to", "account")
    to = instant_of(data, "to")
    if to is None:
        raise invalid("to", "is required")
    call, account = current_call(), account_named(data, sends=True)
    result = call.sim.advance(account, to=to)
    call.moved_from = result.began
    with account.lock:
        return call.answer(presenters.advanced(account, result), 202 if result.pending else 200)
