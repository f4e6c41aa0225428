"""The control API's answers, in the simulator's own words; its errors are problem details
(RFC 9457).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from plivo_sim.account.account import Account
from plivo_sim.apis.words import microseconds
from plivo_sim.domain.errors import (
    AccountReplaced,
    AccountRequired,
    Busy,
    ClockRefused,
    Invalid,
    NotFound,
    NotReached,
    NotServed,
    SimError,
    WouldLose,
    WrongCoding,
    WrongState,
)
from plivo_sim.domain.records import (
    Application,
    Attempt,
    Change,
    Delivery,
    Explanation,
    StatusChanged,
    Step,
    Timer,
    Verdict,
)
from plivo_sim.domain.typed import dotted
from plivo_sim.services import reviews
from plivo_sim.services.attempts import changed_in
from plivo_sim.services.due import Due, is_undecided
from plivo_sim.services.foresight import foreseen
from plivo_sim.services.verdicts import verdict_of
from plivo_sim.simulator.instants import Happening
from plivo_sim.simulator.runner import Advance
from plivo_sim.web.calls import (
    Call,
    NoSuchPage,
    Refused,
    TooLarge,
    TooSlow,
    Untrusted,
    WrongMethod,
)
from plivo_sim.webhooks.signatures import tokens_of

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import (
        AccountOut,
        AdvanceOut,
        ApplicationOut,
        AttemptOut,
        AttemptWhyOut,
        ChangeOut,
        ClockOut,
        Code,
        DifferenceOut,
        DueOut,
        ExplainedOut,
        HappeningOut,
        NextOut,
        ProblemDetailsOut,
        VerdictOut,
        WebhookOut,
    )

NEAR_MISSES = 3


def clock_of(account: Account) -> ClockOut:
    """Where an account's time stands. Caller holds the lock."""
    next_due, due_count = account.next_due(), len(account.store.timers)
    return {
        "account": account.auth_id,
        "now": microseconds(account.now()),
        "paused": account.clock.paused,
        "rate": account.clock.rate,
        "advancing": account.advancing,
        "sending": account.sending,
        "next_due": _instant(next_due),
        "due_count": due_count,
        "due_never": next_due is None and due_count > 0,
    }


def advanced(account: Account, result: Advance) -> AdvanceOut:
    """What an advance did, in the order in which it happened."""
    return {
        **clock_of(account),
        "pending": result.pending,
        "began": microseconds(result.began),
        "transitions": dict(result.transitions),
        "callbacks": {state.value: count for state, count in result.callbacks.items()},
        "happenings": [happening_of(each) for each in result.happenings],
    }


def happening_of(happening: Happening) -> HappeningOut:
    if isinstance(happening, StatusChanged):
        return {
            "type": "transition",
            "at": microseconds(happening.at),
            "application": happening.application.id,
            "from": happening.previous,
            "to": happening.application.status,
            "reason": happening.application.rejection_reason,
        }
    delivery = happening.delivery
    return {
        "type": "callback",
        "at": microseconds(happening.at),
        "delivery": delivery.id,
        "application": delivery.application_id,
        "attempt": len(delivery.attempts),
        "retries": happening.retries,
        "state": delivery.state,
        "status": delivery.attempts[-1].status,
        "error": delivery.attempts[-1].error,
    }


def application_of(account: Account, application: Application) -> ApplicationOut:
    """An application with its timeline and what comes next. Caller holds the lock."""
    return {
        "id": application.id,
        "account": account.auth_id,
        "origin": application.origin,
        "alias": application.alias,
        "status": application.status,
        "rejection_reason": application.rejection_reason,
        "country_iso": application.country_iso,
        "number_type": application.number_type,
        "user_type": application.user_type,
        "requirement_id": application.requirement_id,
        "end_user_id": application.end_user_id,
        "document_ids": list(application.document_ids),
        "callback_url": application.callback_url,
        "callback_method": application.callback_method,
        "attempt": application.attempt,
        "created_at": microseconds(application.created_at),
        "updated_at": microseconds(application.updated_at),
        "submitted_at": _instant(application.submitted_at),
        "timeline": [_change(change) for change in application.timeline],
        "next": [step for timer in timers_of(account, application.id) for step in _upcoming(timer)],
        "forgotten_callbacks": application.forgotten_callbacks,
        "verdict": verdict_of(account, application),
    }


def timers_of(account: Account, application_id: str) -> list[Timer]:
    """What an application waits for, soonest first: its reviewer, and time, each when it will
    really come. Caller holds the lock."""
    waiting = account.store.timers.having("subject_id", application_id)
    coming = [found for timer in waiting if (found := foreseen(account, timer)) is not None]
    return sorted(coming, key=lambda timer: (timer.due_at, timer.seq))


def _change(change: Change) -> ChangeOut:
    return {
        "at": microseconds(change.at),
        "status": change.status,
        "by": change.by,
        "why": change.why,
        "reason": change.reason,
    }


def _upcoming(timer: Timer) -> list[NextOut]:
    first, *rest = timer.steps
    shown: list[NextOut] = [{**_step(step), "after": str(step.after)} for step in rest]
    return [{**_step(first), "at": microseconds(timer.due_at)}, *shown]


def _step(step: Step) -> NextOut:
    return {"status": step.status, "reason": step.reason, "why": step.why}


def attempts_of(account: Account, application: Application) -> list[AttemptWhyOut]:
    """What decided each attempt, oldest first, and what it changed. Caller holds the lock."""
    found = reviews.explanations_of(account, application.id)
    changed = changed_in(found)
    waiting = application.attempt if is_undecided(application) else -1
    shown: list[AttemptWhyOut] = []
    for each in found:
        differences: list[DifferenceOut] = [
            {"path": path, "before": before, "after": after}
            for path, before, after in changed.get(each.attempt, ())
        ]
        decided = each.attempt != waiting
        shown.append({**explained(each), "decided": decided, "changed": differences})
    return shown


def explained(explanation: Explanation) -> ExplainedOut:
    """What decided one attempt, and which rules nearly did."""
    missed = [each for each in explanation.verdicts if not each.matched and each.met > 0]
    nearest = sorted(missed, key=lambda verdict: -verdict.met)[:NEAR_MISSES]
    return {
        "attempt": explanation.attempt,
        "decided_by": explanation.told,
        "rules": [_counted(each) for each in explanation.verdicts],
        "near_misses": [_counted(each) for each in nearest],
    }


def _counted(verdict: Verdict) -> VerdictOut:
    return {**rule_of(verdict), "conditions_met": verdict.met}


def rule_of(verdict: Verdict) -> VerdictOut:
    """Whether a rule matched, and why."""
    return {"rule": verdict.rule, "matched": verdict.matched, "why": verdict.why}


def delivery_of(delivery: Delivery, retries: int) -> WebhookOut:
    """A callback with every attempt; ``retries``: how many it gets at most."""
    return {
        "id": delivery.id,
        "application": delivery.application_id,
        "url": delivery.url,
        "method": delivery.method,
        "payload": dict(delivery.payload),
        "state": delivery.state,
        "why": delivery.why,
        "created_at": microseconds(delivery.created_at),
        "retries": retries,
        "attempts": [_attempt(attempt) for attempt in delivery.attempts],
    }


def _attempt(attempt: Attempt) -> AttemptOut:
    return {
        "at": microseconds(attempt.at),
        "url": attempt.url,
        "headers": dict(attempt.headers),
        "body": attempt.body,
        "status": attempt.status,
        "answer": attempt.answer,
        "damage": attempt.damage,
        "error": attempt.error,
        "latency_s": attempt.latency_s,
    }


def account_of(account: Account) -> AccountOut:
    """An account: how much it holds, its own settings. Caller holds the lock, or takes it as it is
    (``Passing``)."""
    return {
        "auth_id": account.auth_id,
        "now": microseconds(account.clock.now()),
        "applications": len(account.store.applications),
        "end_users": len(account.store.end_users),
        "documents": len(account.store.documents),
        "numbers": len(account.store.numbers),
        "machine": account.machine.name,
        "has_token": tokens_of(account, None) is not None,
        "settings": dict(account.overrides),
    }


def began_of(account: Account) -> str:
    """When it was made or last reset, or opened by a server that was restarted, in real time."""
    return microseconds(datetime.fromtimestamp(account.began_s, UTC))


def due_of(due: Due) -> DueOut:
    """What became of what is due."""
    return {"kept": due.kept, "planned": due.planned, "dropped": due.dropped}


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else microseconds(instant)


MEDIA_TYPE = "application/problem+json"

_KINDS: tuple[tuple[type[SimError], int, str, str], ...] = (
    (NotFound, 404, "not_found", "No such record"),
    (NoSuchPage, 404, "no_such_page", "No such page"),
    (WrongMethod, 405, "wrong_method", "Method not allowed"),
    (AccountRequired, 400, "account_required", "Say which account"),
    (AccountReplaced, 400, "replaced", "Another account by now"),
    (NotServed, 421, "misdirected", "Another server's account"),
    (Invalid, 400, "invalid", "The request has problems"),
    (TooLarge, 413, "too_large", "The body is too large"),
    (TooSlow, 408, "too_slow", "The request did not arrive in time"),
    (WrongCoding, 415, "wrong_coding", "The body's encoding is not taken"),
    (WrongState, 409, "wrong_state", "The status does not allow this"),
    (ClockRefused, 409, "clock_refused", "The clock cannot do that"),
    (NotReached, 409, "not_reached", "The status was not reached"),
    (Busy, 409, "busy", "Another call is doing this"),
    (WouldLose, 409, "would_lose", "It would undo more than that"),
    (Untrusted, 403, "untrusted", "Not from here"),
)


def problem_details(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    """Status and body of a refusal, a ``ProblemDetailsOut``."""
    call.media_type = MEDIA_TYPE
    status, code, title = next(
        (
            (status, code, title)
            for type_, status, code, title in _KINDS
            if isinstance(error, type_)
        ),
        (500, "internal", "The simulator failed"),
    )
    if isinstance(error, Refused):
        status, code, title = error.status, "refused", "HTTP that is not taken"
        if status == 503:
            title = "There was no room for it"
    body: ProblemDetailsOut = {
        "type": f"urn:plivo-sim:problem:{code}",
        "title": title,
        "status": status,
        "code": cast("Code", code),
        "detail": str(error),
    }
    if isinstance(error, AccountRequired):
        body["accounts"] = list(error.accounts)
    if isinstance(error, Invalid):
        problems = [(dotted(problem.path), problem.text) for problem in error.problems]
        body["detail"] = "; ".join(": ".join(filter(None, each)) for each in problems)
        body["problems"] = [{"path": path, "message": text} for path, text in problems]
    if isinstance(error, NotFound):
        body["kind"], body["id"] = error.kind, error.id
    return status, {**body}
