"""What somebody who looks at an account has to know: what is switched on, what goes wrong.

The header of each page shows it in a word, the overview in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from plivo_sim.account.account import Account
from plivo_sim.domain.records import RETRY, DeliveryState
from plivo_sim.scenarios import loader as library
from plivo_sim.services import policies
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.signatures import tokens_of

MOST_COUNTED = 1000
SHORT = 32


class Notice(NamedTuple):
    """``word``: for the header. ``path``: below the account's pages, or a whole one; ``tone``: its
    colour."""

    word: str
    text: str
    path: str
    tone: str


def notices_of(sim: Simulator, account: Account) -> list[Notice]:
    """What goes wrong first, on the server and in the account. Caller holds the lock."""
    return [*_damages(sim), *notices_in(account), *_unmatched(sim)]


def notices_in(account: Account) -> list[Notice]:
    """Those of the account alone. Caller holds the lock."""
    return [*_callbacks(account), *_unsigned(account), *_switched_on(account)]


def notices_of_server(sim: Simulator) -> list[Notice]:
    """Those that are of no account."""
    return [*_damages(sim), *_unmatched(sim)]


def _damages(sim: Simulator) -> Iterator[Notice]:
    if sim.damages:
        told = "; ".join(map(str, islice(sim.damages, 3)))
        yield Notice("state damaged", f"Kept state was found damaged: {told}", "account", "bad")


def _unmatched(sim: Simulator) -> Iterator[Notice]:
    if number := len(sim.unmatched):
        told = _many(number, "unmatched call")
        are = "it is" if number == 1 else "they are"
        text = f"{told} on this server: refused, or of a wrong URL, so {are} in no account's list."
        yield Notice(told, text, "/console/unmatched", "wait")


def _callbacks(account: Account) -> Iterator[Notice]:
    rows = account.store.deliveries
    for state, word in ((DeliveryState.FAILED, "failed"), (DeliveryState.BLOCKED, "blocked")):
        if number := rows.how_many("state", state):
            told = f"{_many(number, 'callback')} {word}"
            hosts = "its host is" if number == 1 else "their hosts are"
            why = "no try arrived" if word == "failed" else f"{hosts} not allowed"
            yield Notice(told, f"{told}: {why}.", f"traffic?kind=callback&state={state}", "bad")
    pending = islice(rows.each("state", DeliveryState.PENDING), MOST_COUNTED)
    if number := sum(bool(each.attempts) for each in pending):
        told = f"{_many(number, 'callback')} to {RETRY}"
        text = f"{told}: the last try failed, the next is due."
        yield Notice(told, text, f"traffic?kind=callback&state={RETRY}", "wait")


def _unsigned(account: Account) -> Iterator[Notice]:
    if len(account.store.applications) and tokens_of(account, None) is None:
        text = "No token of the account is known, as after a restore: its callbacks are not signed"
        yield Notice("no token", f"{text} until a call with one.", "account", "wait")


def _switched_on(account: Account) -> Iterator[Notice]:
    if scenario := policies.scenario_of(account):
        sentence = scenario.scenario
        by_sentence = {each.scenario: each.title for each in library.shipped_cards()}
        short = by_sentence.get(sentence, sentence)
        short = short if len(short) <= SHORT else f"{short[: SHORT - 1].rstrip()}…"
        yield Notice(f"scenario: {short}", f"A scenario decides: {sentence}", "scenario", "on")
    if faults := policies.faults_of(account):
        told = _many(len(faults), "fault")
        spent = sum(policies.is_spent(account, id, fault) for id, fault in faults)
        left = "" if not spent else ", spent" if spent == len(faults) else f", {spent:,} spent"
        names = ", ".join(dict.fromkeys(fault.effect for _, fault in faults))
        tone = "" if spent == len(faults) else "wait"
        yield Notice(f"{told}{left}", f"{told} switched on{left}: {names}.", "faults", tone)
    if number := account.store.policies.how_many("kind", "next_outcome"):
        told = f"next {number} decided" if number > 1 else "next outcome set"
        text = "What the reviewer decides next is set for "
        text += f"{number} submissions." if number > 1 else "one submission."
        yield Notice(told, text, "scenario", "on")


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
