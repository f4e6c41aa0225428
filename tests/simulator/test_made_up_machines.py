"""Whatever status machine an account has: what happens in it is what that machine says.

Longer: ``HYPOTHESIS_PROFILE=long`` or ``--hypothesis-profile=long``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from plivo_sim.account.account import Account
from plivo_sim.control.presenters import happening_of
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import STEPPING, Application, Change, Timer, TimerKind
from plivo_sim.services.foresight import foreseen
from plivo_sim.services.machines import use_machine
from plivo_sim.services.snapshots import load_snapshot
from plivo_sim.simulator import Simulator
from tests.conftest import bounded
from tests.machines.made_up import machines, with_all_names
from tests.simulator.test_state_machines import DAY, HOUR, exported, perform, scenarios
from tests.simulator.verbs import SETTINGS, ByHttp, ByServices, Refused, Verbs, fresh
from tests.support import AUTH_ID

places = st.integers(0, 7)
leaps = st.sampled_from([60, HOUR, DAY, 4 * DAY, 31 * DAY, 400 * DAY])


def with_machine(machine: Machine) -> Simulator:
    """A simulator whose account has it."""
    sim = fresh()
    use_machine(sim.account(AUTH_ID), machine)
    return sim


class MadeUp(RuleBasedStateMachine):
    """One account with a machine; the reviewer has the machine's default outcome, after an hour."""

    verbs_of: Callable[[Simulator], Verbs]
    sim: Simulator
    verbs: Verbs
    machine: Machine

    @initialize(machine=machines)
    def begin(self, machine: Machine) -> None:
        self.machine = machine
        self.sim = with_machine(machine)
        self.verbs = type(self).verbs_of(self.sim)
        self.verbs.create("Acme")

    def teardown(self) -> None:
        """Once all that happens by itself has happened."""
        if hasattr(self, "sim"):
            self.verbs.advance(400 * DAY)
            self.only_arrows_of_the_machine_are_taken()
            self.automatic_arrows_are_taken_at_their_instant()
            self.each_status_is_what_its_timeline_ends_in()
            self.sim.close()

    # --- what is done ------------------------------------------------------------------------

    def applications(self) -> list[Application]:
        return list(self.sim.account(AUTH_ID).store.applications.every())

    def pick(self, place: int) -> Application | None:
        found = self.applications()
        return found[place % len(found)] if found else None

    def attempt(self, work: Callable[[], Any]) -> bool:
        try:
            work()
        except Refused:
            return False
        return True

    @rule(by=leaps)
    def create(self, by: int) -> None:
        self.verbs.create("Acme")
        self.verbs.advance(by)

    @rule()
    def draft(self) -> None:
        self.verbs.draft("Acme")

    @rule(place=places)
    def submit(self, place: int) -> None:
        if (each := self.pick(place)) is not None:
            done = self.attempt(lambda: self.verbs.submit(each.id))
            assert done is self.machine.allowed(each.status, self.machine.submitted, "client")

    @rule(place=places)
    def correct(self, place: int) -> None:
        if (each := self.pick(place)) is not None:
            done = self.attempt(lambda: self.verbs.correct(each.id))
            assert not done or self.machine.correctable(each.status)

    @rule(place=places)
    def change_documents(self, place: int) -> None:
        if (each := self.pick(place)) is not None:
            done = self.attempt(lambda: self.verbs.change_documents(each.id))
            assert done is self.machine.may(each.status, "edit")

    @rule(place=places)
    def delete(self, place: int) -> None:
        if (each := self.pick(place)) is not None:
            done = self.attempt(lambda: self.verbs.delete(each.id))
            assert done is self.machine.may(each.status, "delete")

    @rule(place=places, which=places)
    def decide(self, place: int, which: int) -> None:
        if (each := self.pick(place)) is not None:
            status = list(self.machine.statuses)[which % len(self.machine.statuses)]
            done = self.attempt(lambda: self.verbs.decide(each.id, status))
            assert done is self.machine.allowed(each.status, status, "hand")

    @rule(by=leaps)
    def advance(self, by: int) -> None:
        self.verbs.advance(by)

    # --- what holds --------------------------------------------------------------------------

    def steps(self) -> Iterator[tuple[Application, str, datetime, Change]]:
        """Every change of status, with the status before it and when that was entered."""
        for each in self.applications():
            before, entered = self.machine.draft, each.created_at
            for change in each.timeline:
                yield each, before, entered, change
                before, entered = change.status, change.at

    @invariant()
    def only_arrows_of_the_machine_are_taken(self) -> None:
        for _, before, _, change in self.steps():
            arrow = self.machine.arrow(before, change.status)
            assert arrow is not None, (before, change)
            assert change.by in arrow.takers, (before, change)

    @invariant()
    def automatic_arrows_are_taken_at_their_instant(self) -> None:
        account = self.sim.account(AUTH_ID)
        holidays = account.settings.holidays
        for _, before, entered, change in self.steps():
            found = self.machine.automatic(before)
            due = found[1].after(entered, holidays) if found else None
            assert due is None or change.at <= due, (before, change)
            if change.by == "time":
                exact = found is not None and found[0].to == change.status and change.at == due
                assert exact or self.machine.file.review.outcome == change.status
        for each in self.applications():
            found = self.machine.automatic(each.status)
            if found is not None:
                entered = each.timeline[-1].at if each.timeline else each.created_at
                assert account.now() < found[1].after(entered, holidays)

    @invariant()
    def each_status_is_what_its_timeline_ends_in(self) -> None:
        for each in self.applications():
            told = [self.machine.draft, *(change.status for change in each.timeline)]
            assert each.status == told[-1]
            assert each.attempt == told.count(self.machine.submitted)
            assert all(one != other for one, other in pairwise(told))

    @invariant()
    def every_dialect_has_the_machines_word(self) -> None:
        if not isinstance(self.verbs, ByHttp):
            return
        below, http = f"v1/Account/{AUTH_ID}", self.verbs.http
        for each in self.applications()[-1:]:
            row = self.machine.statuses[each.status]
            new = f"{below}/PhoneNumber/Compliance/{each.id}/"
            legacy = f"/{below}/ComplianceApplication/{each.id}/"
            assert http.get(f"/current/{new}").get_json()["compliance"]["status"] == row.current
            assert http.get(f"/beta/{new}").get_json()["status"] == row.beta
            assert http.get(legacy).get_json()["status"] == row.legacy


class Services(MadeUp):
    verbs_of = ByServices


class OverHttp(MadeUp):
    verbs_of = ByHttp


TestServices = Services.TestCase
TestServices.settings = bounded(15, stateful_step_count=20)
TestOverHttp = OverHttp.TestCase
TestOverHttp.settings = bounded(6, stateful_step_count=12)


spans = st.integers(0, 60 * DAY)


@bounded(12)
@given(machine=machines, scenario=scenarios, first=spans, second=spans)
def test_two_advances_are_one(
    machine: Machine, scenario: list[Any], first: int, second: int
) -> None:
    """What happens, in which order, and the whole state."""
    told = []
    for legs in ([first, second], [first + second]):
        sim = with_machine(machine)
        perform(ByServices(sim), [("create", "Acme"), *scenario])
        happened = [
            happening_of(each)
            for leg in legs
            for each in sim.advance(sim.account(AUTH_ID), Duration(leg)).happenings
        ]
        told.append((happened, exported(sim)))
        sim.close()
    assert told[0] == told[1]


@bounded(12)
@given(machine=machines, scenario=scenarios, by=spans)
def test_a_snapshot_goes_on_as_what_it_was_taken_of(
    machine: Machine, scenario: list[Any], by: int
) -> None:
    """Restored on another server, whose own machine is the default one, it is the same, and so is
    all that is still to come."""
    sim, other = with_machine(machine), fresh(SETTINGS)
    perform(ByServices(sim), [("create", "Acme"), *scenario])
    account = other.account(AUTH_ID)
    other.restore(account, load_snapshot(account, document_of(sim)))
    assert document_of(other) == document_of(sim)
    assert other.account(AUTH_ID).machine == machine
    for each in (sim, other):
        each.advance(each.account(AUTH_ID), Duration(by))
    assert document_of(other) == document_of(sim)
    sim.close()
    other.close()


@bounded(25)
@given(machine=with_all_names, other=with_all_names, scenario=scenarios, by=spans)
def test_a_change_and_a_change_back_leave_all_that_was_due(
    machine: Machine, other: Machine, scenario: list[Any], by: int
) -> None:
    """Each with its status and instant, and nothing else; meanwhile time leads on as the other
    machine says."""
    sim = with_machine(machine)
    perform(ByServices(sim), [("create", "Acme"), *scenario])
    account = sim.account(AUTH_ID)
    sim.advance(account, Duration(by))
    before = coming(account)
    use_machine(account, other)
    for each in account.store.applications.every():
        found = other.automatic(each.status)
        waiting = [t for t in account.store.timers.having("subject_id", each.id) if is_automatic(t)]
        assert [t.steps[0].status for t in waiting] == ([found[0].to] if found else [])
    use_machine(account, machine)
    assert coming(account) == before
    sim.close()


def is_automatic(timer: Timer) -> bool:
    return timer.kind is TimerKind.AUTOMATIC


def coming(account: Account) -> set[tuple[str, bool, str, datetime]]:
    """What is due: of which application, whether by itself, to which status, and when."""
    found = (foreseen(account, timer) for timer in account.store.timers.every())
    return {
        (each.subject_id, is_automatic(each), each.steps[0].status, each.due_at)
        for each in found
        if each is not None and each.kind in STEPPING
    }


def document_of(sim: Simulator) -> Any:
    """A snapshot of its account, as it is read from a file."""
    return json.loads(exported(sim))
