"""The verbs do the same wherever the simulator is: in process, served, remote."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.domain.errors import Invalid, NotFound, NotReached, WrongState
from plivo_sim.testing import Handle, in_process
from plivo_sim.testing.inbox import Inbox
from plivo_sim.testing.records import Attempted, StatusChanged
from tests.support import Receiver
from tests.testing.conftest import file_in

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
File = Callable[..., str]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serving() as serving:
        yield serving


def test_time_stands_still_until_a_verb_moves_it(handle: Handle) -> None:
    """At the same instant everywhere."""
    assert handle.now == START
    handle.advance("1d12h")
    handle.advance(hours=12)
    handle.advance(timedelta(days=1))
    assert handle.now == START + timedelta(days=3)
    handle.advance(business_days=2)
    handle.advance(to=START + timedelta(days=10))
    assert handle.now == START + timedelta(days=10)


def test_an_advance_tells_what_happened(handle: Handle, file: File, receiver: Receiver) -> None:
    """Changes of status and callbacks, each with its record as it was then."""
    id = file(callback_url=receiver.url)
    happened = handle.advance(business_days=5)
    changed, tried = happened
    assert isinstance(changed, StatusChanged)
    assert isinstance(tried, Attempted)
    assert (changed.application.id, changed.previous) == (id, "submitted")
    assert changed.application.status == changed.application.timeline[-1].status == "accepted"
    assert (tried.delivery.state, tried.delivery.attempts[0].status) == ("delivered", 200)
    assert changed.at == tried.at < handle.now


def test_an_advance_in_which_too_much_happens(
    handle: Handle, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tells how much is left out."""
    monkeypatch.setattr("plivo_sim.simulator.runner.MOST_HAPPENINGS", 2)
    for alias in ("Acme", "Bolt", "Car"):
        file(alias)
    with pytest.warns(UserWarning, match="only the first 2 of 3 happenings are told") as warned:
        assert len(handle.advance(days=30)) == 2
    assert warned[0].filename == __file__


def test_the_records_are_as_they_were_then(handle: Handle, file: File) -> None:
    """Of an application that changes twice within one advance."""
    then = [{"status": "suspended", "after": "1d"}]
    decision = {"decide": "accepted", "after": "1d", "then": then}
    handle.use_scenario({"scenario": "Accepted, then suspended.", "default": decision})
    id = file()
    first, second = handle.advance(days=3)
    assert isinstance(first, StatusChanged)
    assert isinstance(second, StatusChanged)
    assert [first.application.status, second.application.status] == ["accepted", "suspended"]
    assert len(first.application.timeline) == 2
    assert handle.application(id).status == "suspended"


def test_time_goes_on_until_a_status(handle: Handle, file: File) -> None:
    """Or says why it cannot."""
    id = file()
    handle.advance_until(id, "accepted")
    assert START < handle.now < START + timedelta(days=10)
    with pytest.raises(NotReached, match="nothing more is due"):
        handle.advance_until(id, "expired")
    with pytest.raises(ValueError, match="did you mean 'accepted'"):
        handle.advance_until(id, "acepted")
    with pytest.raises(NotFound):
        handle.advance_until("none", "accepted")


def test_decisions_by_hand(handle: Handle, file: File, receiver: Receiver) -> None:
    """The receiver has answered when the verb returns."""
    id = file(callback_url=receiver.url)
    assert handle.reject(id, "name_mismatch").rejection_reason
    assert len(receiver.received) == 1
    other = file("Other")
    assert handle.ask_for_more(other).status == "more_info_required"
    accepted = file("Third")
    handle.accept(accepted)
    handle.suspend(accepted)
    handle.reinstate(accepted)
    handle.expire(accepted)
    statuses = [change.status for change in handle.application(accepted).timeline]
    assert statuses == ["submitted", "accepted", "suspended", "accepted", "expired"]
    assert [each.id for each in handle.applications()] == [id, other, accepted]


def test_what_makes_no_sense_is_refused(handle: Handle, file: File) -> None:
    """By the same errors, with the same words."""
    id = file()
    with pytest.raises(ValueError, match="did you mean 'accepted'"):
        handle.decide(id, "acepted")
    with pytest.raises(Invalid, match="did you mean 'name_mismatch'"):
        handle.reject(id, "name_mismach")
    with pytest.raises(WrongState, match=f"{id}.* in status submitted"):
        handle.suspend(id)
    for none in ("none", ".", "../applications", "a/b", "a?b"):
        for verb in (handle.application, handle.accept):
            with pytest.raises(NotFound, match=re.escape(f"'{none}' not found")):
                verb(none)
    with pytest.raises(ValueError, match="id: is empty"):
        handle.application("")
    with pytest.raises(ValueError, match=r"instant-acept: .*did you mean 'instant-accept'"):
        handle.use_scenario("instant-acept")
    with pytest.raises(ValueError, match="arows: unknown key; did you mean 'arrows'"):
        handle.use_machine({"machine": "x", "extends": "default", "arows": []})
    with pytest.raises(ValueError, match=r"cannot read scenario none\.yaml"):
        handle.use_scenario("none.yaml")


def test_a_file_is_named_by_a_path_too(handle: Handle, tmp_path: Path) -> None:
    """Whatever it is called: no text with a path in it ships."""
    machine, scenario = tmp_path / "default", tmp_path / "instant-accept"
    machine.write_text("{machine: own, extends: default}")
    scenario.write_text("{scenario: Of a file., default: {decide: rejected}}")
    handle.use_machine(machine)
    assert handle.account.machine.name == "own"
    handle.use_scenario(scenario)
    assert handle.calls.get("/scenario")["scenario"]["scenario"] == "Of a file."
    with pytest.raises(ValueError, match="cannot read scenario instant-accept: No such file"):
        handle.use_scenario(Path("instant-accept"))


def test_a_simulator_starts_with_paths(tmp_path: Path) -> None:
    class OfAnotherLibrary:
        def __init__(self, name: str) -> None:
            self.name = name

        def __fspath__(self) -> str:
            return str(tmp_path / self.name)

    (tmp_path / "machine").write_text("{machine: own, extends: default}")
    files: dict[str, Any] = {each: OfAnotherLibrary(each) for each in ("machine", "state")}
    with in_process(**files) as sim:
        assert sim.account.machine.name == "own"
    assert (tmp_path / "state").is_dir()
    with pytest.raises(ValueError, match=r"seed: .* is not a whole number"):
        in_process(seed=OfAnotherLibrary("seed")).__enter__()


def test_what_is_set_up(handle: Handle, file: File, receiver: Receiver) -> None:
    """Outcomes, faults, the webhook policy, a scenario, a machine."""
    handle.next_outcome("rejected", reason="name_mismatch", after="1h")
    handle.webhooks(drop=1)
    id = file(callback_url=receiver.url)
    handle.advance("1h")
    assert handle.application(id).status == "rejected"
    assert [each.state for each in handle.callbacks()] == ["dropped"]
    handle.use_scenario("instant-accept")
    handle.use_machine("in-review")
    assert handle.account.machine.name == "in-review"
    handle.drop_machine()
    assert handle.account.machine.name == "default"
    assert handle.fault("unavailable", times=1)
    with pytest.raises(Exception, match="503"):
        file("Third")


def test_callbacks_are_expected(handle: Handle, file: File, receiver: Receiver) -> None:
    """Delivered ones; or that there is none."""
    handle.expect_no_callback()
    id = file(callback_url=receiver.url)
    handle.accept(id)
    assert handle.expect_callback(compliance_id=id).payload["status"] == "accepted"
    handle.expect_no_callback(status="rejected")
    with pytest.raises(AssertionError, match="1 callback with status='accepted' went out\nclock: "):
        handle.expect_no_callback(status="accepted")
    with pytest.raises(AssertionError, match="no callback has a key 'statsu'; did you mean"):
        handle.expect_no_callback(statsu="accepted")
    with pytest.raises(AssertionError, match="with status='expired' was delivered\nclock: "):
        handle.expect_callback(status="expired")


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ({"status": "rejectd"}, "no callback has the status 'rejectd'; did you mean 'rejected'"),
        ({"event": "compliance.aproved"}, "did you mean 'compliance.approved'"),
        ({"sttus": "accepted"}, "no callback has a key 'sttus'; did you mean 'status'"),
        ({"state": "delivered"}, "no callback has a key 'state'; did you mean 'status'"),
    ],
)
def test_what_no_callback_can_have_is_refused(
    handle: Handle, wanted: dict[str, str], hint: str
) -> None:
    """Before any came: else "none came" would always hold."""
    with pytest.raises(ValueError, match=hint):
        handle.callbacks(**wanted)
    for verb in (handle.expect_no_callback, handle.expect_callback):
        with pytest.raises(AssertionError, match=hint):
            verb(**wanted)


def test_words_of_every_api_are_taken_before_there_is_an_application(handle: Handle) -> None:
    """As nobody knows whose callbacks will come; there is no id yet."""
    for status in ("accepted", "approved", "more_info_required", "expired"):
        handle.expect_no_callback(status=status)
    handle.expect_no_callback(event="compliance.approved")
    assert handle.callbacks(rejection_reason="A scan is missing") == []
    with pytest.raises(ValueError, match="no application of this account has the id 'x'"):
        handle.callbacks(compliance_id="x")


def test_what_is_due_now_is_waited_for(place: Any, receiver: Receiver) -> None:
    """What the application's own calls caused, too."""
    with place(review_delay="0s") as handle:
        file_in(handle, callback_url=receiver.url)
        handle.settle()
        assert [each.json()["status"] for each in receiver.received] == ["accepted"]


def test_callbacks_are_signed(handle: Handle, file: File) -> None:
    """With the token of the account."""
    inbox = Inbox()
    try:
        handle.accept(file(callback_url=inbox.url))
        assert [each.signed for each in inbox.messages] == [True]
    finally:
        inbox.close()


def test_the_account_has_settings_of_its_own(handle: Handle) -> None:
    """As texts; what makes no sense is refused."""
    assert handle.account.configure({"strict": "on"})["strict"] == "on"
    assert handle.account.settings["strict"] == "on"
    with pytest.raises(ValueError, match="strict: 'x' is neither true nor false"):
        handle.account.configure({"strict": "x"})


def test_a_reset_forgets(handle: Handle, file: File) -> None:
    """Records and time; ids begin anew."""
    id = file()
    handle.advance("3d")
    handle.reset()
    assert (handle.applications(), handle.now) == ([], START)
    assert file() == id
