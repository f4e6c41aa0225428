"""Records to store, made from as little as a test cares about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from plivo_sim.account.store.database import Database
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.records import (
    STEPPING,
    Application,
    Delivery,
    EndUser,
    NumberType,
    Origin,
    Step,
    Timer,
    TimerKind,
    UserType,
)

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def application(seq: int, **changes: Any) -> Application:
    """An application whose id and place are ``seq``."""
    values: dict[str, Any] = {
        "id": f"app-{seq}",
        "seq": seq,
        "origin": Origin.CURRENT,
        "requirement_id": "requirement",
        "country_iso": "IN",
        "number_type": NumberType.LOCAL,
        "user_type": UserType.BUSINESS,
        "alias": f"alias {seq}",
        "end_user_id": "user",
        "document_ids": (),
        "status": "submitted",
        "created_at": AT,
        "updated_at": AT,
    }
    return Application(**(values | changes))


def end_user(seq: int, **changes: Any) -> EndUser:
    """An end user whose id and place are ``seq``."""
    values: dict[str, Any] = {
        "id": f"user-{seq}",
        "seq": seq,
        "origin": Origin.CURRENT,
        "type": UserType.BUSINESS,
        "name": f"User {seq}",
        "created_at": AT,
        "updated_at": AT,
    }
    return EndUser(**(values | changes))


def delivery(seq: int, **changes: Any) -> Delivery:
    """A callback whose id and place are ``seq``."""
    values: dict[str, Any] = {
        "id": f"delivery-{seq}",
        "seq": seq,
        "application_id": "app-1",
        "url": "http://127.0.0.1:9/cb",
        "method": "POST",
        "payload": (("status", "accepted"),),
        "created_at": AT,
    }
    return Delivery(**(values | changes))


def timer(seq: int, **changes: Any) -> Timer:
    """A timer whose id and place are ``seq``."""
    values: dict[str, Any] = {
        "id": f"timer-{seq}",
        "seq": seq,
        "due_at": AT,
        "kind": TimerKind.REVIEW,
        "subject_id": "app-1",
    } | changes
    if values["kind"] in STEPPING:
        values.setdefault("steps", (Step(after=Duration(), status="accepted"),))
    return Timer(**values)


def keep(db: Database, *records: Application) -> None:
    """Put applications in one transaction."""
    with db.transaction():
        for record in records:
            db.applications.put(record)


def ids(records: Iterable[Any]) -> list[str]:
    """Their ids, in their order."""
    return [record.id for record in records]
