"""End users that stand alone, as the legacy API makes them.

Those that one call of the new API made are the same records (inferred): read, listed and changed
here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Page, Where
from plivo_sim.domain.errors import InUse, NotFound, Problem
from plivo_sim.domain.records import Application, EndUser, Origin, UserType
from plivo_sim.domain.statuses import LOCKING
from plivo_sim.services.inputs import refuse

MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndUser:
    """A request to create; a value that was missing or unusable is None."""

    name: str | None = None
    last_name: str | None = None
    type: UserType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndUserChange:
    """A request to update; None means "not given", an empty last name removes it."""

    name: str | None = None
    last_name: str | None = None
    type: UserType | None = None


def get(account: Account, id: str) -> EndUser:
    """The end user. Raises NotFound."""
    end_user = account.store.end_users.fetch(id)
    if end_user is None:
        raise NotFound("end_user", id)
    return end_user


def page(account: Account, where: Where, *, offset: int, limit: int) -> Page[EndUser]:
    """Some of the account's end users, oldest first."""
    return account.store.end_users.page(where, offset=offset, limit=limit)


def create(account: Account, wanted: NewEndUser, found: Iterable[Problem] = ()) -> EndUser:
    """Make an end user. ``found``: what the edge already saw wrong; raises Invalid with it."""
    refuse(list(found), strict=account.settings.strict)
    assert wanted.name is not None
    assert wanted.type is not None
    with account.transaction():
        now = account.now()
        end_user = EndUser(
            id=account.ids.next("end_user"),
            seq=account.next_seq(),
            origin=Origin.LEGACY,
            type=wanted.type,
            name=wanted.name,
            last_name=wanted.last_name or None,
            created_at=now,
            updated_at=now,
        )
        account.store.end_users.put(end_user)
        return end_user


def update(
    account: Account, id: str, change: EndUserChange, found: Iterable[Problem] = ()
) -> EndUser:
    """Change an end user (decision "Locked documents").

    Raises NotFound, InUse while a submitted or accepted application uses it or when its type
    would change once something uses it, Invalid.
    """
    with account.lock:
        end_user = get(account, id)
        users = account.store.applications.having("end_user_id", id)
        refuse_if_used("end_user", id, "update", locking(users))
        if change.type not in (None, end_user.type):
            refuse_if_used("end_user", id, "change the type of", _used_by(account, id))
        refuse(list(found), strict=account.settings.strict)
        changed = replace(end_user, **_changes(change))
        if changed == end_user:
            return end_user
        with account.transaction():
            changed = replace(changed, updated_at=account.now())
            account.store.end_users.put(changed)
        return changed


def _changes(change: EndUserChange) -> dict[str, Any]:
    given: dict[str, Any] = {"name": change.name, "type": change.type}
    changes = {key: value for key, value in given.items() if value is not None}
    if change.last_name is not None:
        changes["last_name"] = change.last_name or None
    return changes


def delete(account: Account, id: str) -> None:
    """Remove an end user. Raises NotFound, InUse while an application or a document uses it.

    That documents hold it too is invented: they would be left without an owner.
    """
    with account.lock:
        get(account, id)
        refuse_if_used("end_user", id, "delete", _used_by(account, id))
        with account.transaction():
            account.store.end_users.drop(id)


def _used_by(account: Account, id: str) -> list[str]:
    documents = account.store.documents.having("end_user_id", id)
    return [
        *named(account.store.applications.having("end_user_id", id)),
        *(f"document {document.id}" for document in documents),
    ]


def locking(users: Iterable[Application]) -> list[str]:
    """Those of the applications that lock what they use, named."""
    return named(application for application in users if application.status in LOCKING)


def named(users: Iterable[Application]) -> list[str]:
    """Applications as an error names them, each with its true status."""
    return [f"application {application.id} ({application.status})" for application in users]


def refuse_if_used(kind: str, id: str, verb: str, used_by: Sequence[str]) -> None:
    """Raise InUse when there is anybody; of many it names some."""
    if used_by:
        more = len(used_by) - MOST_NAMED
        rest = [f"{more} more"] if more > 0 else []
        raise InUse(kind, id, verb, [*used_by[:MOST_NAMED], *rest])
