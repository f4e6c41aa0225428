"""Which applications a list shows: filters, a search for whatever a person may hold in hand, order.

All of it stands in the URL's query, so a list can be bookmarked and sent to somebody. What has an
index is asked of it; anything else is one pass over the records, which never change, so the account
is held only while they are listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from plivo_sim.account.account import Account
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import (
    RETRY,
    Application,
    Delivery,
    DeliveryState,
    Document,
    EndUser,
    Origin,
    PhoneNumber,
)

INDEXED = ("status", "origin", "country_iso")
FILTERS = (*INDEXED, "number_type", "user_type")
"""Fields of an application that a query names; each may be repeated."""

HEALTHS = ("failed", "blocked", RETRY, "pending", "dropped", "cancelled", "delivered", "none")
"""What became of an application's newest callback, worst first; ``none``: it has none."""
SORTS = ("status", "alias", "applicant", "for", "origin", "reason", "callbacks", "changed", "next")
"""What a list can be in the order of; ``-alias``: the other way round. Without: newest first."""
FEWEST_DIGITS = 4
"""So many digits have to be given for a search among numbers that are written in any way."""
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for."""

    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    text: str = ""
    callbacks: str = ""
    sort: str = ""

    @property
    def query(self) -> str:
        """The same as a query, without a page; ends with ``&`` unless it is empty."""
        return self.without()

    def without(self, *names: str) -> str:
        """``query`` less some of it."""
        pairs = [(name, value) for name, values in self.where.items() for value in values]
        pairs += [("q", self.text), ("callbacks", self.callbacks), ("sort", self.sort)]
        kept = urlencode([(name, each) for name, each in pairs if each and name not in names])
        return kept and f"{kept}&"

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.where or self.text or self.callbacks)

    @property
    def is_indexed(self) -> bool:
        return not (self.text or self.callbacks or self.sort) and self.where.keys() <= set(INDEXED)


def asked_in(args: MultiDict[str, str]) -> Asked:
    """What a query asks for; words that mean nothing are left out, values that nothing has find
    nothing."""
    where = {
        name: tuple(dict.fromkeys(values))
        for name in FILTERS
        if (values := [each for each in args.getlist(name) if each])
    }
    sort, callbacks = args.get("sort", ""), args.get("callbacks", "")
    return Asked(
        where=where,
        text=args.get("q", "").strip(),
        callbacks=callbacks if callbacks in HEALTHS else "",
        sort=sort if sort.removeprefix("-") in SORTS else "",
    )


@dataclass(frozen=True, slots=True)
class Found:
    """``applications`` in order, the last one first to be shown; ``counts``: how many there are of
    each status, whatever status was asked for."""

    applications: Sequence[Application]
    counts: Mapping[str, int]


def counts_of(account: Account, asked: Asked) -> dict[str, int]:
    """The ``counts`` of an indexed question. Caller holds the lock."""
    rows, others = account.store.applications, dict(asked.where)
    others.pop("status", None)
    return {
        status: rows.page({**others, "status": [status]}, limit=0).total_count
        for status in account.machine.statuses
    }


def find(account: Account, asked: Asked) -> Found:
    """Everything that was asked for."""
    held = Held.of(account)
    wanted, every = asked.where.get("status"), list(held.applications)
    for is_one in _tests(held, asked):
        every = list(filter(is_one, every))
    shown = every if wanted is None else [each for each in every if each.status in wanted]
    counts = dict.fromkeys(held.machine.statuses, 0) | Counter(each.status for each in every)
    return Found(_in_order(held, shown, asked.sort), counts)


def _tests(held: Held, asked: Asked) -> list[Callable[[Application], bool]]:
    """What holds of an application that is one of them, its status aside; the cheapest first."""
    tests: list[Callable[[Application], bool]] = []
    for name, values in asked.where.items():
        if name != "status":
            tests.append(partial(_has, name, frozenset(values)))
    if asked.callbacks:
        latest = latest_callbacks(held.deliveries)
        tests.append(lambda each: health(latest.get(each.id)) == asked.callbacks)
    if asked.text:
        tests.append(says(held, asked.text))
    return tests


def _has(name: str, values: frozenset[str], each: Application) -> bool:
    return getattr(each, name) in values


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The records of an account at one moment."""

    machine: Machine
    applications: Sequence[Application]
    end_users: Mapping[str, EndUser]
    documents: Sequence[Document]
    numbers: Sequence[PhoneNumber]
    deliveries: Sequence[Delivery]
    due: Mapping[str, datetime]
    others: Sequence[tuple[str, str]]
    """Ids by which other APIs know applications, each with the application's own."""

    @classmethod
    def of(cls, account: Account) -> Held:
        """Takes the lock."""
        with account.lock:
            store = account.store
            due: dict[str, datetime] = {}
            for timer in store.timers.every():
                if timer.steps:
                    due[timer.subject_id] = min(timer.due_at, due.get(timer.subject_id, _LAST))
            return cls(
                machine=account.machine,
                applications=list(store.applications.every()),
                end_users={each.id: each for each in store.end_users.every()},
                documents=list(store.documents.every()),
                numbers=list(store.numbers.every()),
                deliveries=list(store.deliveries.every()),
                due=due,
                others=[
                    (each.id, each.plivo_compliance_id) for each in store.atoms_applications.every()
                ],
            )


# --- searching -------------------------------------------------------------------------------


def says(held: Held, text: str) -> Callable[[Application], bool]:
    """Whether an application, or anything that belongs to it, has a text in it, in any case: ids,
    alias, reason, callback URL; the applicant's id, name, e-mail and registration number; a
    document's id, alias, file name and fields; the id of a callback; a number, however written."""
    wanted = text.casefold()
    people = {id for id, each in held.end_users.items() if wanted in text_of_end_user(each)}
    papers = {each.id for each in held.documents if wanted in text_of_document(each)}
    linked = {each.application_id for each in held.numbers if number_says(each, wanted)}
    linked |= {each.application_id for each in held.deliveries if wanted in each.id.casefold()}
    linked |= {own for id, own in held.others if wanted in id.casefold()}

    def is_said(each: Application) -> bool:
        return (
            each.end_user_id in people
            or each.id in linked
            or wanted in text_of_application(each)
            or (bool(papers) and not papers.isdisjoint(each.document_ids))
        )

    return is_said


def text_of_application(each: Application) -> str:
    """What of it alone can be searched for, in lower case, a line each; likewise below."""
    reason, url = each.rejection_reason or "", each.callback_url or ""
    return f"{each.id}\n{each.alias}\n{reason}\n{url}\n{each.requirement_id}".casefold()


def text_of_end_user(each: EndUser) -> str:
    name = f"{each.name} {each.last_name}" if each.last_name else each.name
    return f"{each.id}\n{name}\n{each.email or ''}\n{each.registration_number or ''}".casefold()


def text_of_document(each: Document) -> str:
    name = each.file.name if each.file is not None else ""
    fields = "\n".join([value for _, value in each.data_fields])
    return f"{each.id}\n{each.alias or ''}\n{name}\n{fields}".casefold()


def number_says(number: PhoneNumber, wanted: str) -> bool:
    """Whether a number, or its alias, is meant: with a plus, blanks and dashes, too."""
    digits = "".join(each for each in wanted if each.isdigit() and each.isascii())
    written = len(digits) >= FEWEST_DIGITS and not wanted.strip("+-() 0123456789./")
    return (written and digits in number.id) or wanted in (number.alias or "").casefold()


# --- callbacks -------------------------------------------------------------------------------


def latest_callbacks(deliveries: Iterable[Delivery]) -> dict[str, Delivery]:
    """The newest of each application; ``deliveries`` come oldest first. Copies count not."""
    return {each.application_id: each for each in deliveries if each.repeats is None}


def health(newest: Delivery | None) -> str:
    """One of ``HEALTHS``."""
    if newest is None:
        return "none"
    is_tried_again = newest.state is DeliveryState.PENDING and newest.attempts
    return RETRY if is_tried_again else str(newest.state)


# --- order -----------------------------------------------------------------------------------


def _in_order(held: Held, found: list[Application], sort: str) -> Sequence[Application]:
    """The last one comes first in the list; those that are alike stay newest first."""
    if not sort:
        return found
    key = _key(held, sort.removeprefix("-"))
    return sorted(found, key=key, reverse=not sort.startswith("-"))


def _key(held: Held, name: str) -> Callable[[Application], Any]:
    statuses = {status: place for place, status in enumerate(held.machine.statuses)}
    if name == "applicant":
        return lambda each: _name_of(held.end_users.get(each.end_user_id)).casefold()
    if name == "callbacks":
        latest = latest_callbacks(held.deliveries)
        return lambda each: HEALTHS.index(health(latest.get(each.id)))
    keys: dict[str, Callable[[Application], Any]] = {
        "status": lambda each: statuses.get(each.status, len(statuses)),
        "alias": lambda each: (each.alias or each.id).casefold(),
        "for": lambda each: (each.country_iso, each.number_type, each.user_type),
        "origin": lambda each: list(Origin).index(each.origin),
        "reason": lambda each: (each.rejection_reason or "\U0010ffff").casefold(),
        "changed": lambda each: each.updated_at,
        "next": lambda each: held.due.get(each.id, _LAST),
    }  # fmt: skip
    return keys[name]


def _name_of(end_user: EndUser | None) -> str:
    return f"{end_user.name} {end_user.last_name or ''}" if end_user is not None else ""
