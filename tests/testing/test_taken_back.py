"""What went out stays known though an undo or a restore takes back what it was about: a test that
expects that no such callback was sent is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.services import applications, reviews
from plivo_sim.testing import Handle, in_process
from tests.conftest import PAUSED
from tests.fakes import Gate
from tests.support import Http, Receiver
from tests.testing.conftest import file_in


def restore(handle: Handle) -> None:
    handle.calls.post("/restore", {"name": "before"})


def undo(handle: Handle) -> None:
    handle.calls.post("/undo", {"sure": True})


def gone(handle: Handle, **query: Any) -> dict[str, Any]:
    """What the control API tells of callbacks that were taken back."""
    found: dict[str, Any] = handle.calls.get("/webhooks", taken_back="yes", **query)
    return found


@pytest.fixture
def told(handle: Handle) -> Iterator[Handle]:
    """A simulator that sends callbacks to a receiver, with a point to undo and a snapshot."""
    with Receiver().serving() as receiver:
        handle.account.configure({"callback_url": receiver.url, "review_delay": "30d"})
        handle.calls.post("/snapshot", {"name": "before"})
        handle.calls.post("/undo/points", {"what": "all of it"})
        yield handle


@pytest.mark.parametrize("back", [restore, undo])
def test_a_callback_that_was_taken_back_went_out(
    told: Handle, back: Callable[[Handle], None]
) -> None:
    """Each verb finds it, with its state and payload; what did not go out is not there."""
    id = file_in(told)
    told.accept(id)
    back(told)
    assert told.applications() == []
    for wanted in ({}, {"status": "accepted"}, {"compliance_id": id}):
        with pytest.raises(AssertionError, match="went out; 1 of them was taken back since"):
            told.expect_no_callback(**wanted)
    came = told.expect_callback(status="accepted")
    assert (came.taken_back, came.state, len(came.attempts)) == (True, "delivered", 1)
    told.expect_no_callback(status="rejected")
    told.reject(file_in(told), "x")
    assert [(each.payload["status"], each.taken_back) for each in told.callbacks()] == [
        ("accepted", True),
        ("rejected", False),
    ]


@pytest.mark.parametrize("back", [restore, undo])
def test_what_was_not_sent_is_not_known(told: Handle, back: Callable[[Handle], None]) -> None:
    """It never went out, and now it never will."""
    told.webhooks(delay="1d")
    told.accept(file_in(told))
    back(told)
    told.expect_no_callback()
    assert told.callbacks() == []


def test_one_that_is_there_again_is_not_taken_back(told: Handle) -> None:
    """Going to a later moment brings it back, once; and away again, once."""
    told.accept(file_in(told))
    told.calls.post("/snapshot", {"name": "after"})
    for name, expected in (("before", [True]), ("after", [False]), ("before", [True])):
        told.calls.post("/restore", {"name": name})
        assert [each.taken_back for each in told.callbacks()] == expected


def test_attempts_that_were_taken_back_went_out(told: Handle) -> None:
    """Of one that is tried again, and of which the present knows the first attempt alone."""
    with Receiver(500).serving() as receiver:
        told.account.configure({"callback_url": receiver.url})
        told.accept(file_in(told))
        told.calls.post("/snapshot", {"name": "tried"})
        told.advance("1h")
        told.calls.post("/restore", {"name": "tried"})
        states = [(each.state, len(each.attempts)) for each in told.callbacks()]
    assert states == [("delivered", 2), ("pending", 1)]
    assert told.expect_callback(status="accepted").taken_back


def test_undo_until_nothing_is_left(told: Handle) -> None:
    """Then the account does not exist any more; what it sent is known all the same."""
    told.reset()
    with Receiver().serving() as receiver:
        told.calls.post("/undo/points", {"what": "all of it"})
        told.account.configure({"callback_url": receiver.url})
        told.accept(file_in(told))
        undo(told)
    with pytest.raises(AssertionError, match="1 of them was taken back since"):
        told.expect_no_callback(status="accepted")


def test_a_reset_forgets_them(told: Handle) -> None:
    told.accept(file_in(told))
    restore(told)
    assert gone(told)["total_count"] == 1
    told.reset()
    assert gone(told) == {"total_count": 0, "webhooks": [], "forgotten": 0}


def test_they_are_listed_as_others_are(told: Handle) -> None:
    """In pages, of an application, in a state."""
    ids = [file_in(told, f"Acme {n}") for n in range(3)]
    for id in ids:
        told.accept(id)
    restore(told)
    every = gone(told)
    assert [each["application"] for each in every["webhooks"]] == ids
    assert gone(told, offset=1, limit=1)["webhooks"] == every["webhooks"][1:2]
    assert gone(told, application=ids[2])["webhooks"] == every["webhooks"][2:]
    assert gone(told, state="failed")["total_count"] == 0
    assert told.calls.get("/webhooks", taken_back="no")["total_count"] == 0


def test_one_that_was_on_its_way_went_out() -> None:
    """Its receiver has been called, whatever it answers."""
    gate = Gate()
    settings = replace(PAUSED, allow_callback_hosts=("receiver.example",))
    sim = make_simulator(settings, transport=gate)
    http = Http(create_app(sim), sim)
    account = http.account
    mark = account.mark()
    id = http.sdk_created(callback_url="https://receiver.example/")
    with account.transaction():
        reviews.decide(account, applications.get(account, id), "accepted")
    sim.runner.start_due(account)
    gate.wait_for(1)
    account.restore(mark)
    gate.open()
    (found,), forgotten = account.sent_and_gone()
    assert (found.application_id, forgotten) == (id, 0)
    sim.close()


def test_more_than_are_kept() -> None:
    """Of those before them nobody can tell."""
    with Receiver().serving() as receiver, in_process(callback_url=receiver.url) as handle:
        handle.calls.post("/snapshot", {"name": "before"})
        handle.sim.account(handle.auth_id).taken_back.most = 1
        for name in ("Acme", "Other"):
            handle.accept(file_in(handle, name))
        restore(handle)
        assert (len(gone(handle)["webhooks"]), gone(handle)["forgotten"]) == (1, 1)
        with pytest.raises(AssertionError, match="nobody can tell: 1 older callbacks are not kept"):
            handle.expect_no_callback(status="rejected")
