"""Which ids begin with a text: for shells and people who type. Invented."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.control.inputs import account_text, invalid, word_of
from plivo_sim.services.policies import faults_of
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Query, endpoint
from plivo_sim.web.long_work import passing

MOST = 50

Named = Iterator[tuple[str, str]]
"""Ids, and a word about each."""


def _applications(account: Account) -> Named:
    for each in account.store.applications.every():
        yield each.id, f"{each.status} {each.alias}"


def _webhooks(account: Account) -> Named:
    for each in account.store.deliveries.every():
        yield each.id, f"{each.state} {each.why}"


def _faults(account: Account) -> Named:
    for id, fault in faults_of(account):
        yield id, fault.effect


def _requests(account: Account) -> Named:
    for each in account.exchanges:
        yield each.id, f"{each.operation} {each.status}"


KINDS: dict[str, Callable[[Account], Named]] = {
    "application": _applications,
    "webhook": _webhooks,
    "fault": _faults,
    "request": _requests,
    "snapshot": lambda account: ((name, "") for name in list(account.marks)),
    "account": lambda account: iter([(account.auth_id, "")]),
}


@endpoint(
    "GET", "/ids", "Which ids begin with a text.",
    query=(
        Query(name="kind", required=True, enum=tuple(KINDS)),
        Query(name="prefix", description="what they begin with, in any case; default: nothing"),
        Query(name="account", description="only of this one; default: of every account"),
    ),
    answers={200: "IdsOut"},
)  # fmt: skip
def list_ids() -> Response:
    """The first 50 that begin so, by account and age, with a word about each, and how many there
    are. It changes nothing, and leaves out an account in which somebody works for long, unless it
    is asked for by name."""
    kind = word_of(request.args, "kind", KINDS)
    prefix, auth_id = request.args.get("prefix", "").casefold(), account_text()
    if auth_id and kind != "account" and not is_account(auth_id):
        raise invalid("account", "must be MA and 18 letters or digits")
    named, sim = auth_id if kind != "account" else "", current_call().sim
    if named:
        sim.check_here(named)
    accounts, total = sim.accounts(), 0
    found: list[dict[str, str]] = []

    def look(account: Account) -> None:
        nonlocal total
        for id, about in KINDS[kind](account):
            if not prefix or id.casefold().startswith(prefix):
                total += 1
                if len(found) < MOST:
                    found.append({"id": id, "account": account.auth_id, "about": about})

    if named:
        if (account := sim.known(named)) in accounts:
            with account.lock:
                look(account)
    else:
        with passing(accounts, _records_in) as patience:
            for account in accounts:
                with patience.held(account.lock) as is_held:
                    if is_held or kind == "account":
                        look(account)
    return current_call().answer({"kind": kind, "total_count": total, "ids": found})


def _records_in(account: Account) -> int:
    return len(account.store.applications) + len(account.store.deliveries) + len(account.exchanges)
