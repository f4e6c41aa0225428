"""Whatever is done in whatever order: the simulator and a small model of it agree.

Longer: ``HYPOTHESIS_PROFILE=long`` or ``--hypothesis-profile=long``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import convert

from plivo_sim.control.presenters import happening_of
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.records import DeliveryState
from plivo_sim.domain.text import encode_json
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.language import WebhookPolicy
from plivo_sim.services.policies import set_webhook_policy
from plivo_sim.services.snapshots import save_snapshot
from plivo_sim.simulator import Simulator
from plivo_sim.simulator.instants import Happening
from tests.conftest import bounded
from tests.simulator.verbs import (
    ACCOUNTS,
    NUMBERS,
    SETTINGS,
    ByHttp,
    ByServices,
    Refused,
    Verbs,
    fresh,
)

MACHINE = default_machine()

HOUR, DAY = 3600, 86400
PLANS: dict[str, list[tuple[int, str]]] = {
    "Acme": [(HOUR, "accepted")],
    "SIM-ACCEPT": [(0, "accepted")],
    "SIM-REJECT": [(HOUR, "rejected")],
    "SIM-MORE-INFO": [(HOUR, "more_info_required")],
    "SIM-STUCK": [],
    "SIM-REINSTATE": [
        (HOUR, "accepted"),
        (30 * DAY, "suspended"),
        (7 * DAY, "accepted"),
    ],
    "SIM-REJECT-ONCE": [(HOUR, "rejected")],
}
"""What the reviewer does to an application with this in its alias, and how long after."""
STEPS = [0, 600, HOUR, DAY, 31 * DAY]

accounts = st.sampled_from(ACCOUNTS)
aliases = st.sampled_from(sorted(PLANS))
places = st.integers(0, 7)
statuses = st.sampled_from([*MACHINE.statuses, *["rejected"] * 5])
numbers_ = st.sampled_from(NUMBERS)
seconds = st.sampled_from(STEPS)


@dataclass
class Known:
    """An application as the model has it; ``due``: at which second what comes next."""

    alias: str
    statuses: list[str] = field(default_factory=lambda: ["draft"])
    plan: list[tuple[int, str]] = field(default_factory=list)
    due: int | None = None

    @property
    def status(self) -> str:
        return self.statuses[-1]

    def submit(self, now: int) -> None:
        again = "submitted" in self.statuses
        self.statuses.append("submitted")
        alias = "Acme" if again and self.alias.endswith("-ONCE") else self.alias
        self.wait_for(PLANS[alias], now)

    def wait_for(self, plan: list[tuple[int, str]], now: int) -> None:
        self.plan, self.due = plan, now + plan[0][0] if plan else None

    def run_until(self, now: int) -> int:
        """What is due happens; how many times."""
        count = 0
        while self.due is not None and self.due <= now:
            self.statuses.append(self.plan[0][1])
            self.wait_for(self.plan[1:], self.due)
            count += 1
        return count


@dataclass
class Account:
    """One account as the model has it."""

    now: int = 0
    told: int = 0
    applications: dict[str, Known] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        self.told += sum(each.run_until(self.now) for each in self.applications.values())

    def at(self, place: int) -> str:
        """The id of some application."""
        return list(self.applications)[place % len(self.applications)]


class Machine(RuleBasedStateMachine):
    """Two accounts; every rule acts in one, and the invariants look at both."""

    verbs_of: Callable[[Simulator, str], Verbs]

    def __init__(self) -> None:
        super().__init__()
        self.sim = fresh()
        self.verbs = {each: type(self).verbs_of(self.sim, each) for each in ACCOUNTS}
        self.model = {each: Account() for each in ACCOUNTS}

    def teardown(self) -> None:
        self.sim.close()

    def attempt(self, expected: bool, work: Callable[[], Any]) -> bool:
        """Do it; whether it was done is what the model expects."""
        done = True
        try:
            work()
        except Refused:
            done = False
        assert done is expected
        return done

    @rule(account=accounts, alias=aliases)
    def create(self, account: str, alias: str) -> None:
        id = self.verbs[account].create(alias)
        known = self.model[account].applications[id] = Known(alias)
        known.submit(self.model[account].now)
        self.model[account].run()

    @rule(account=accounts, alias=aliases)
    def draft(self, account: str, alias: str) -> None:
        id = self.verbs[account].draft(alias)
        self.model[account].applications[id] = Known(alias)

    @rule(account=accounts, place=places, verb=st.sampled_from(["submit", "correct"]))
    def hand_in(self, account: str, place: int, verb: str) -> None:
        model = self.model[account]
        if not model.applications:
            return
        id = model.at(place)
        known = model.applications[id]
        expected = MACHINE.allowed(known.status, "submitted")
        if verb == "correct" and known.status == "draft":
            expected = False
        if self.attempt(expected, lambda: getattr(self.verbs[account], verb)(id)):
            known.submit(model.now)
            model.run()

    @rule(account=accounts, place=places)
    def change_documents(self, account: str, place: int) -> None:
        model = self.model[account]
        if model.applications:
            id = model.at(place)
            status = model.applications[id].status
            expected = status in ("draft", "rejected", "more_info_required")
            self.attempt(expected, lambda: self.verbs[account].change_documents(id))

    @rule(account=accounts, place=places)
    def delete(self, account: str, place: int) -> None:
        model = self.model[account]
        if not model.applications:
            return
        id = model.at(place)
        accepted = model.applications[id].status == "accepted"
        expected = not accepted and id not in model.numbers.values()
        if self.attempt(expected, lambda: self.verbs[account].delete(id)):
            del model.applications[id]

    @rule(account=accounts, place=places, status=statuses)
    def decide(self, account: str, place: int, status: str) -> None:
        model = self.model[account]
        if not model.applications:
            return
        id = model.at(place)
        known = model.applications[id]
        expected = MACHINE.allowed(known.status, status) and status != "submitted"
        if self.attempt(expected, lambda: self.verbs[account].decide(id, status)):
            known.statuses.append(status)
            known.wait_for([], 0)
            model.told += 1

    @rule(account=accounts, by=seconds)
    def advance(self, account: str, by: int) -> None:
        self.verbs[account].advance(by)
        self.model[account].now += by
        self.model[account].run()

    @precondition(lambda self: any(model.applications for model in self.model.values()))
    @rule(account=accounts, place=places, number=numbers_, verb=st.sampled_from(["rent", "link"]))
    def take_number(self, account: str, place: int, number: str, verb: str) -> None:
        model = self.model[account]
        if not model.applications:
            return
        id = model.at(place)
        here = (number in model.numbers) == (verb == "link")
        expected = here and model.applications[id].status == "accepted"
        if self.attempt(expected, lambda: getattr(self.verbs[account], verb)(number, id)):
            model.numbers[number] = id

    @rule(account=accounts, number=numbers_)
    def release(self, account: str, number: str) -> None:
        model = self.model[account]
        expected = number in model.numbers
        if self.attempt(expected, lambda: self.verbs[account].release(number)):
            del model.numbers[number]

    @rule(account=accounts)
    @precondition(lambda self: self.sim.accounts())
    def reset(self, account: str) -> None:
        if self.sim.account(account) in self.sim.accounts():
            self.verbs[account].reset()
            self.model[account] = Account()

    @invariant()
    def both_know_the_same(self) -> None:
        for auth_id, model in self.model.items():
            account = self.sim.account(auth_id)
            found = {
                each.id: ["draft", *(change.status for change in each.timeline)]
                for each in account.store.applications.every()
            }
            assert found == {id: each.statuses for id, each in model.applications.items()}
            numbers = {each.id: each.application_id for each in account.store.numbers.every()}
            assert numbers == model.numbers

    @invariant()
    def only_allowed_transitions(self) -> None:
        for auth_id in ACCOUNTS:
            for each in self.sim.account(auth_id).store.applications.every():
                told = ["draft", *(change.status for change in each.timeline)]
                assert all(MACHINE.allowed(before, after) for before, after in pairwise(told))
                assert each.status == told[-1]
                assert each.attempt == told.count("submitted")

    @invariant()
    def a_timer_for_each_that_waits_and_no_other(self) -> None:
        for auth_id, model in self.model.items():
            store = self.sim.account(auth_id).store
            waiting = {id for id, each in model.applications.items() if each.due is not None}
            late = store.deliveries.having("state", DeliveryState.PENDING)
            assert sorted(each.subject_id for each in store.timers.every()) == sorted(
                [*waiting, *(each.id for each in late)]
            )
            assert {each.application_id for each in late} <= model.applications.keys()

    @invariant()
    def a_callback_for_each_change_that_the_reviewer_made(self) -> None:
        for auth_id, model in self.model.items():
            assert len(self.sim.account(auth_id).store.deliveries) == model.told

    @invariant()
    def every_file_of_a_document_is_there(self) -> None:
        for auth_id in ACCOUNTS:
            account = self.sim.account(auth_id)
            for each in account.store.documents.every():
                assert each.file is not None
                assert account.files.read(each.file.sha256) is not None


class Services(Machine):
    verbs_of = ByServices


class OverHttp(Machine):
    verbs_of = ByHttp


TestServices = Services.TestCase
TestServices.settings = bounded(25, stateful_step_count=30)
TestOverHttp = OverHttp.TestCase
TestOverHttp.settings = bounded(12, stateful_step_count=30)


# --- scenarios: lists of steps, performed -------------------------------------------------------

Step = tuple[Any, ...]

steps = st.one_of(
    st.tuples(st.just("create"), aliases),
    st.tuples(st.just("draft"), aliases),
    st.tuples(st.sampled_from(["submit", "correct", "change_documents", "delete"]), places),
    st.tuples(st.just("decide"), places, statuses),
    st.tuples(st.just("advance"), seconds),
    st.tuples(st.sampled_from(["rent", "link"]), numbers_, places),
    st.tuples(st.just("release"), numbers_),
)
scenarios = st.lists(steps, min_size=1, max_size=14)


def perform(verbs: Verbs, scenario: list[Step]) -> None:
    """Each step; what is refused is left out."""
    made: list[str] = []
    for verb, *told in scenario:
        if verb in ("submit", "correct", "change_documents", "delete", "decide"):
            if not made:
                continue
            told[0] = made[told[0] % len(made)]
        elif verb in ("rent", "link"):
            if not made:
                continue
            told[1] = made[told[1] % len(made)]
        try:
            done = getattr(verbs, verb)(*told)
        except Refused:
            continue
        if verb in ("create", "draft"):
            made.append(done)


def exported(sim: Simulator) -> str:
    """The whole state of the account, records and files."""
    account = sim.account(ACCOUNTS[0])
    return encode_json(save_snapshot(account, account.mark())).decode()


@bounded(15)
@given(scenario=scenarios)
def test_the_same_calls_give_the_same_journal(scenario: list[Step]) -> None:
    """Byte for byte, and so do the answers and the export."""
    told = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            sim = fresh(replace(SETTINGS, state=Path(folder)))
            verbs = ByHttp(sim)
            perform(verbs, scenario)
            export = exported(sim)
            sim.close()
            journals = sorted(Path(folder).rglob("journal*"))
            told.append((verbs.told, export, [each.read_bytes() for each in journals]))
    assert told[0] == told[1]


delays = st.sampled_from([Duration(HOUR), Duration(90), Duration(business_days=2)])
policies = st.fixed_dictionaries(
    {},
    optional={
        "delay": st.sampled_from(["10m", "2 business days"]),
        "duplicate": st.integers(1, 2),
        "reorder": st.just(True),
        "drop": st.sampled_from([-1, 1, 2]),
        "retries": st.sampled_from([["0s", "30s"], ["1h", "1d", "1 business day"]]),
    },
)


@bounded(25)
@given(
    scenario=scenarios,
    policy=policies,
    delay=delays,
    first=st.integers(0, 40 * DAY),
    second=st.integers(0, 40 * DAY),
)
def test_two_advances_are_one(
    scenario: list[Step], policy: dict[str, Any], delay: Duration, first: int, second: int
) -> None:
    """What happens, in which order, and the whole state, whatever the account's policy for
    callbacks (decision "Same calls, same journal")."""
    told = []
    for legs in ([first, second], [first + second]):
        sim = fresh(replace(SETTINGS, review_delay=delay))
        set_webhook_policy(sim.account(ACCOUNTS[0]), convert(policy, WebhookPolicy))
        perform(ByServices(sim), scenario)
        happened: list[Happening] = []
        for leg in legs:
            happened += sim.advance(sim.account(ACCOUNTS[0]), Duration(leg)).happenings
        told.append(([happening_of(each) for each in happened], exported(sim)))
        sim.close()
    assert told[0] == told[1]
