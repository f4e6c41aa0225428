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
from plivo_sim.domain.errors import InUse, NotFound, Path, Problem, ProblemKind
from plivo_sim.domain.records import Application, EndUser, Origin, UserType
from plivo_sim.domain.text import filled
from plivo_sim.services.applications import check_alias
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """What an update did: the end user as it is now, and the warnings."""

    end_user: EndUser
    warnings: tuple[Problem, ...] = ()


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
    """Make an end user.

    ``found``: what the edge already saw wrong. Raises Invalid with that, or when there is one of
    this name (decision "Unique names of the legacy API").
    """
    with account.lock:
        taken = _check_name(account, wanted.name, filled(wanted.last_name))
        refuse([*found, *taken], strict=account.settings.strict)
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
                last_name=filled(wanted.last_name),
                created_at=now,
                updated_at=now,
            )
            account.store.end_users.put(end_user)
        return end_user


def check_renamed(account: Account, changed: EndUser, path: Path = ()) -> list[Problem]:
    """Whether an end user of the legacy API, as it is to become, takes another one's name;
    ``path``: where it stands in the request."""
    if changed.origin is not Origin.LEGACY:
        return []
    return _check_name(account, changed.name, changed.last_name, changed.id, path)


def _check_name(
    account: Account, name: str | None, last_name: str | None, own_id: str = "", path: Path = ()
) -> list[Problem]:
    """A second end user of one name is refused (field-reported: docs/wire-facts.md, "End users have
    unique names"); name and last name are compared exactly, among those that the legacy API made
    (inferred: the new API makes one with each application)."""
    if name is None:
        return []
    where = {"name": (name,), "last_name": (last_name,), "origin": (Origin.LEGACY,)}
    for other in account.store.end_users.page(where, limit=2).records:
        if other.id != own_id:
            whole = f"{name} {last_name}" if last_name else name
            text = f"end user '{whole[:50]}' already exists: {other.id}"
            return [Problem(ProblemKind.BAD_VALUE, (*path, "name"), text)]
    return []


def update(
    account: Account, id: str, change: EndUserChange, found: Iterable[Problem] = ()
) -> Updated:
    """Change an end user (decision "Locked documents").

    Raises NotFound, InUse while an application uses it that is submitted or has been accepted, or
    when its type would change once something uses it, Invalid, also when another has the name. That
    the aliases of its applications stay unique under another name is soft, as on create (inferred).
    """
    with account.lock:
        end_user = get(account, id)
        users = account.store.applications.having("end_user_id", id)
        refuse_if_used("end_user", id, "update", locking(account, users))
        if change.type not in (None, end_user.type):
            refuse_if_used("end_user", id, "change the type of", _used_by(account, id))
        changed = replace(end_user, **_changes(change))
        problems = [*found, *check_renamed(account, changed)]
        name, last_name = changed.name, changed.last_name
        if (name, last_name) != (end_user.name, end_user.last_name):
            for each in users:
                problems += check_alias(
                    account, each.alias, name, last_name, own=each, path=("name",)
                )
        warnings = refuse(problems, strict=account.settings.strict)
        if changed == end_user:
            return Updated(end_user=end_user, warnings=warnings)
        with account.transaction():
            changed = replace(changed, updated_at=account.now())
            account.store.end_users.put(changed)
        return Updated(end_user=changed, warnings=warnings)


def _changes(change: EndUserChange) -> dict[str, Any]:
    given: dict[str, Any] = {"name": change.name, "type": change.type}
    changes = {key: value for key, value in given.items() if value is not None}
    if change.last_name is not None:
        changes["last_name"] = filled(change.last_name)
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


def locking(account: Account, users: Iterable[Application]) -> list[str]:
    """Those of the applications that lock what they use, named: submitted (documented), accepted
    (inferred), and those that were (invented: decision "Locked documents")."""
    locking = account.machine.locking
    return named(application for application in users if application.status in locking)


def named(users: Iterable[Application]) -> list[str]:
    """Applications as an error names them, each with its true status."""
    return [f"application {application.id} ({application.status})" for application in users]


def refuse_if_used(kind: str, id: str, verb: str, used_by: Sequence[str]) -> None:
    """Raise InUse when there is anybody; of many it names some."""
    if used_by:
        more = len(used_by) - MOST_NAMED
        rest = [f"{more} more"] if more > 0 else []
        raise InUse(kind, id, verb, [*used_by[:MOST_NAMED], *rest])
