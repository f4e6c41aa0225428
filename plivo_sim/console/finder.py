"""The search of the header: pages, things to do, and records of the account, by whatever one holds
in hand. A page of its own, which the script shows as a list below the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console import selection
from plivo_sim.console.pages import open_account, show
from plivo_sim.console.selection import Held
from plivo_sim.domain.machine import Machine
from plivo_sim.scenarios import loader as library
from plivo_sim.web.request_log import Exchange

SHOWN = 8
"""Of each kind."""
SHORTEST = 2
"""Fewer characters are in everything."""

TABS = {
    "": "Overview", "applications": "Applications", "traffic": "Traffic",
    "inbox": "Traffic: inbox", "webhooks/policy": "Traffic: disturbed callbacks", "time": "Time",
    "scenario": "Scenario", "faults": "Faults", "numbers": "Numbers", "account": "Account",
    "account/coverage": "Coverage", "account/machine": "Status machine", "history": "History",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found: a ``path`` below the account's pages, or a button ``do`` with its
    ``fields``."""

    label: str
    path: str = ""
    note: str = ""
    do: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def search_page(auth_id: str) -> Response:
    """Commands and records; without a text, the commands that there are."""
    account = open_account(auth_id)
    text = request.args.get("q", "").strip()
    groups = {"Pages and commands": _first(_commands(account, text))}
    if len(text) >= SHORTEST:
        groups |= _records(account, text)
    return show(
        "search.html",
        account=account,
        text=text,
        groups={name: hits for name, hits in groups.items() if hits},
        shortest=SHORTEST,
    )


# --- commands --------------------------------------------------------------------------------


def _commands(account: Account, text: str) -> Iterator[Hit]:
    """Those in whose label each word is, those that begin with it first."""
    words = text.casefold().split()
    found = [
        each
        for each in (*_actions(account), *_pages(account.machine), *_scenarios())
        if all(word in f"{each.label} {each.note}".casefold() for word in words)
    ]
    first = words[0] if words else ""
    return iter(sorted(found, key=lambda each: not each.label.casefold().startswith(first)))


def _actions(account: Account) -> Iterator[Hit]:
    yield Hit("New application", do="seed", fields={"count": "1"})
    yield Hit("Advance 1 hour", do="advance", fields={"by": "1h"})
    yield Hit("Advance 1 day", do="advance", fields={"by": "1d"})
    with account.lock:
        next_due, paused = account.next_due(), account.clock.paused
    if next_due is not None:
        yield Hit("Advance to next event", do="to-event", fields={"to": next_due.isoformat()})
    yield Hit("Run the clock", do="resume") if paused else Hit("Pause the clock", do="pause")
    yield Hit("Take a snapshot", do="take-snapshot", fields={"name": ""})
    yield Hit("Drop the scenario", do="drop-scenario")
    yield Hit("Switch all faults off", do="clear-faults")


def _pages(machine: Machine) -> Iterator[Hit]:
    for path, label in TABS.items():
        yield Hit(label, path)
    for status in machine.statuses:
        yield Hit(f"Applications: {status.replace('_', ' ')}", f"applications?status={status}")


def _scenarios() -> Iterator[Hit]:
    for card in library.shipped_cards():
        what = f"Use scenario {card.name}"
        yield Hit(what, note=card.scenario, do="use-scenario", fields={"name": card.name})


# --- records ---------------------------------------------------------------------------------


def _records(account: Account, text: str) -> dict[str, list[Hit]]:
    held, wanted = Held.of(account), text.casefold()
    is_said = selection.says(held, text)
    return {
        "Applications": _first(
            Hit(
                each.alias or each.id,
                f"applications/{each.id}",
                f"{each.status.replace('_', ' ')}, {each.id}",
            )
            for each in reversed(held.applications)
            if is_said(each)
        ),
        "Callbacks": _first(
            Hit(f"{each.state} to {each.url}", f"webhooks/{each.id}", each.id)
            for each in reversed(held.deliveries)
            if wanted in each.id.casefold() or wanted in each.url.casefold()
        ),
        "Requests": _first(
            Hit(_line(each), f"requests/{each.id}", each.id)
            for each in reversed(list(account.exchanges))
            if wanted in each.id.casefold() or wanted in _line(each).casefold()
        ),
        "Numbers": _first(
            Hit(f"+{each.id}", f"numbers?q={each.id}", each.alias or "")
            for each in reversed(held.numbers)
            if selection.number_says(each, wanted)
        ),
    }


def _first(hits: Iterator[Hit]) -> list[Hit]:
    return list(islice(hits, SHOWN))


def _line(exchange: Exchange) -> str:
    path = exchange.environ.get("PATH_INFO", "")
    return f"{exchange.status} {exchange.method} {path} {exchange.operation}"


PAGES: list[tuple[str, Callable[..., Response]]] = [("/search", search_page)]
