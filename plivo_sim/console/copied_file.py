"""The file of a copied test while it is written, and what it is made of: an account as it was, and
the calls that were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from plivo_sim.account.account import OWN_MACHINE, Account
from plivo_sim.console.sources import Names
from plivo_sim.domain import limits
from plivo_sim.domain.records import Application, Policy
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.text import printable
from plivo_sim.settings import Settings
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering

Made = Steering | Exchange


@dataclass(frozen=True, slots=True)
class Taken:
    """What a copy needs of an account, by reference: records do not change. ``others``: the ids of
    end users and documents."""

    auth_id: str
    now: datetime
    settings: Settings
    catalogue: Catalogue
    scenario: Policy | None
    machine: Policy | None
    applications: Mapping[str, Application]
    others: frozenset[str]


def take(account: Account) -> Taken:
    """Caller holds the lock."""
    store = account.store
    return Taken(
        auth_id=account.auth_id,
        now=account.now(),
        settings=account.settings,
        catalogue=account.catalogue,
        scenario=store.policies.fetch("scenario"),
        machine=store.policies.fetch(OWN_MACHINE),
        applications={each.id: each for each in store.applications.every()},
        others=frozenset(
            each.id for rows in (store.end_users, store.documents) for each in rows.every()
        ),
    )


@dataclass(slots=True)
class File:
    """The file that is being written. ``text``: that of the call which is being carried over, and
    ``at`` its place; ``last``: the place of the last call in whose text an id is. ``missing``: what
    could not be carried over. ``size``: characters; ``cut``: how many calls there was no room
    for."""

    account: Taken
    names: Names
    now: datetime
    last: Mapping[str, int]
    text: str = ""
    at: int = 0
    size: int = 0
    cut: int = 0
    lines: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Nothing, if that would be too much."""
        self.size += sum(len(line) + 5 for line in lines)
        if not self.is_full:
            self.lines += [f"    {line}" if line else "" for line in lines]

    @property
    def is_full(self) -> bool:
        return self.size > limits.COPY_TEXT.most

    def leave_out(self, made: Made, why: str) -> None:
        told = printable(f"{made.method} {path_of(made)}"[:120])
        self.missing.append(f"{told}: {why}")
        self.add(f"# not carried over: {told}: {why}")


def path_of(made: Made) -> str:
    return made.target if isinstance(made, Steering) else urlsplit(made.url).path


def text_of(made: Made) -> str:
    """All in which the id of a record may stand."""
    if isinstance(made, Steering):
        return f"{made.target}\n{(made.body or b'').decode('utf-8', 'replace')}"
    return f"{made.url}\n{made.shown()['body']!r}"


def unknown_in(file: File, made: Made) -> str:
    """A record that the call is about and that no variable of the test stands for."""
    account, path = file.account, path_of(made)
    return next(
        (
            id
            for id in file.names.unknown_in(file.text)
            if id in path or id in account.applications or id in account.others
        ),
        "",
    )
