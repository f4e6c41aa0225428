"""The built-in inboxes: which go when there are too many, and what is known of them afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.account import logs
from plivo_sim.account.logs import Budget, Inboxes, Received
from plivo_sim.domain.limits import Limit


@pytest.fixture
def inboxes(monkeypatch: pytest.MonkeyPatch) -> Inboxes:
    """Three at most, of two messages."""
    monkeypatch.setattr(logs, "INBOXES", Limit("inboxes", 3, "inboxes", ""))
    monkeypatch.setattr(logs, "INBOX_MESSAGES", Limit("inbox_messages", 2, "messages", ""))
    return Inboxes(Budget())


def message(body: str = "") -> dict[str, Any]:
    return {"body": body, "url": "", "headers": {}, "query": {}}


def fill(inboxes: Inboxes, *names: str) -> None:
    for name in names:
        inboxes.keep(name, message(name))


@pytest.mark.parametrize("use", ["keep", "received", "clear"])
def test_the_one_that_was_not_used_for_longest_goes(inboxes: Inboxes, use: str) -> None:
    """However long ago it was made."""
    fill(inboxes, "a", "b", "c")
    if use == "keep":
        fill(inboxes, "a")
    else:
        getattr(inboxes, use)("a")
    fill(inboxes, "d")
    assert [name for name in "abcd" if inboxes.received(name).uncertain] == ["b"]


def test_to_look_at_all_of_them_uses_none(inboxes: Inboxes) -> None:
    fill(inboxes, "a", "b", "c")
    inboxes.received("a", is_use=False)
    fill(inboxes, "d")
    assert [*inboxes.sizes()] == ["b", "c", "d"]


def test_what_went_with_an_inbox_stays_known(inboxes: Inboxes) -> None:
    """What it had forgotten too; no more of one that comes back, or is new, than went before it."""
    fill(inboxes, "a", "a", "a", "b", "c", "d")
    assert inboxes.received("a") == Received([], 0, 3)
    fill(inboxes, "a")
    assert [inboxes.received(name).uncertain for name in "acdx"] == [3, 0, 0, 4]
    assert inboxes.forgotten == 4
    inboxes.clear("a")
    assert inboxes.received("a").uncertain == 0


def test_an_inbox_that_was_emptied_takes_nothing_along(inboxes: Inboxes) -> None:
    inboxes.clear("a")
    fill(inboxes, "b", "c", "d")
    assert inboxes.received("a").uncertain == 0
    assert [*inboxes.sizes()] == ["b", "c", "d"]


def test_when_all_are_emptied_all_is_certain(inboxes: Inboxes) -> None:
    fill(inboxes, *"abcdef")
    inboxes.clear()
    assert inboxes.received("a") == Received([])
