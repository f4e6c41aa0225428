"""The control API's answers: the core's own words, whole."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from plivo_sim.dialects.timestamps import microseconds
from plivo_sim.domain.events import StatusChanged
from plivo_sim.domain.models import Application, Attempt, Change, Delivery, Step, Timer
from plivo_sim.runner import Advance, Happening
from plivo_sim.world import World


def clock_of(world: World) -> dict[str, Any]:
    """Where an account's time stands. Caller holds the lock."""
    next_due = world.agenda.next_instant()
    return {
        "account": world.auth_id,
        "now": microseconds(world.now()),
        "paused": world.clock.paused,
        "rate": world.clock.rate,
        "advancing": world.advancing,
        "sending": world.sending,
        "next_due": _instant(next_due),
        "due_count": len(world.store.timers),
    }


def advanced(world: World, result: Advance) -> dict[str, Any]:
    """What an advance did, in the order in which it happened."""
    return {
        **clock_of(world),
        "pending": result.pending,
        "happenings": [happening_of(each) for each in result.happenings],
    }


def happening_of(happening: Happening) -> dict[str, Any]:
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
        "state": delivery.state,
        "status": delivery.attempts[-1].status,
        "error": delivery.attempts[-1].error,
    }


def application_of(world: World, application: Application) -> dict[str, Any]:
    """An application with its timeline and what comes next. Caller holds the lock."""
    return {
        "id": application.id,
        "account": world.auth_id,
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
        "next": [
            step
            for timer in world.store.timers.having("subject_id", application.id)
            for step in _upcoming(timer)
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "at": microseconds(change.at),
        "status": change.status,
        "by": change.by,
        "why": change.why,
        "reason": change.reason,
    }


def _upcoming(timer: Timer) -> list[dict[str, Any]]:
    first, *rest = timer.steps
    shown = [_step(first) | {"at": microseconds(timer.due_at)}]
    return shown + [_step(step) | {"after": str(step.after)} for step in rest]


def _step(step: Step) -> dict[str, Any]:
    return {"status": step.status, "reason": step.reason, "why": step.why}


def delivery_of(delivery: Delivery) -> dict[str, Any]:
    """A callback with every attempt."""
    return {
        "id": delivery.id,
        "application": delivery.application_id,
        "url": delivery.url,
        "method": delivery.method,
        "payload": dict(delivery.payload),
        "state": delivery.state,
        "why": delivery.why,
        "created_at": microseconds(delivery.created_at),
        "attempts": [_attempt(attempt) for attempt in delivery.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": microseconds(attempt.at),
        "url": attempt.url,
        "headers": dict(attempt.headers),
        "body": attempt.body,
        "status": attempt.status,
        "answer": attempt.answer,
        "error": attempt.error,
        "latency_s": attempt.latency_s,
    }


def account_of(world: World) -> dict[str, Any]:
    """An account: how much it holds, its own settings. Caller holds the lock."""
    return {
        "auth_id": world.auth_id,
        "now": microseconds(world.now()),
        "applications": len(world.store.applications),
        "end_users": len(world.store.end_users),
        "documents": len(world.store.documents),
        "numbers": len(world.store.numbers),
        "settings": dict(world.overrides),
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else microseconds(instant)
