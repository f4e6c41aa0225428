"""The default status machine, and what a machine answers."""

from __future__ import annotations

import pytest

from plivo_sim.domain.durations import Duration
from plivo_sim.domain.machine import DIALECTS, Machine, json_of, machine_of, words_of
from plivo_sim.machines import default_machine, load_machine_data
from plivo_sim.testing import Handle

MACHINE = default_machine()
ARROWS = {
    "draft": {"submitted"},
    "submitted": {"accepted", "rejected", "more_info_required"},
    "rejected": {"submitted"},
    "more_info_required": {"submitted"},
    "accepted": {"suspended", "expired"},
    "suspended": {"accepted"},
    "expired": set(),
}
YEARLY = {
    "machine": "yearly",
    "extends": "default",
    "arrows": [{"from": "accepted", "to": "expired", "after": "365d"}],
}


@pytest.mark.parametrize("origin", MACHINE.statuses)
@pytest.mark.parametrize("target", MACHINE.statuses)
def test_the_arrows_are_those_of_the_design(origin: str, target: str) -> None:
    """All 49 pairs."""
    assert MACHINE.allowed(origin, target) == (target in ARROWS[origin])


def test_each_decision_by_hand_has_a_name_of_its_own() -> None:
    """The names are commands, and the buttons of the console."""
    commands = [way.command for status in MACHINE.statuses for way in MACHINE.ways_to(status)]
    assert len(commands) == len(set(commands))
    assert MACHINE.open_to("suspended")["accepted"].command == "reinstate"
    assert MACHINE.open_to("submitted")["accepted"].command == "accept"


def test_a_tester_has_a_verb_for_every_decision() -> None:
    """The handle of the fixtures decides what the commands decide."""
    commands = [way.command for status in MACHINE.decidable for way in MACHINE.ways_to(status)]
    fixtures = [{"more-info": "ask_for_more"}.get(command, command) for command in commands]
    assert [name for name in fixtures if not hasattr(Handle, name)] == []


def test_who_takes_an_arrow() -> None:
    """The client submits, the reviewer decides, time alone lets expire, a tester may do both."""
    assert MACHINE.allowed("draft", "submitted", "client")
    assert not MACHINE.allowed("draft", "submitted", "reviewer", "time", "hand")
    assert not MACHINE.allowed("submitted", "accepted", "client", "time")
    assert MACHINE.taker("submitted", "accepted") == "reviewer"
    assert MACHINE.taker("accepted", "expired") == "time"


def test_nothing_happens_by_itself_in_the_default_machine() -> None:
    """That accepted applications expire after a time is not known."""
    assert not MACHINE.is_automatic
    assert [MACHINE.automatic(each) for each in MACHINE.statuses] == [None] * 7


def test_three_lines_let_an_acceptance_expire_after_a_year() -> None:
    """The rest is the default machine's."""
    yearly = load_machine_data(YEARLY)
    found = yearly.automatic("accepted")
    assert found is not None
    assert (found[0].to, found[1]) == ("expired", Duration(365 * 86400))
    assert yearly.ways_to("expired") == MACHINE.ways_to("expired")
    assert yearly.statuses == MACHINE.statuses


def test_every_status_has_its_words() -> None:
    """None is empty, and schemas find them by name."""
    for dialect in DIALECTS:
        assert all(MACHINE.words(dialect).values())
    words = words_of(MACHINE)
    assert words["outcomes"] == ("accepted", "rejected", "more_info_required", "nothing")
    assert words["following"] == ("accepted", "suspended", "expired")
    assert words["callbacks"] == ("submitted", "accepted", "rejected", "suspended", "expired")
    assert words["current status"] == (
        "draft", "submitted", "accepted", "rejected", "suspended", "expired",
    )  # fmt: skip
    assert "form" in words["atoms step"]


def test_what_the_client_may_do() -> None:
    """Correct what was rejected, edit a draft too, delete all but an accepted one, link to that."""
    may = {verb: {s for s in MACHINE.statuses if MACHINE.may(s, verb)} for verb in VERBS}
    assert may["submit"] == may["edit"] == {"draft", "rejected", "more_info_required"}
    assert may["delete"] == set(MACHINE.statuses) - {"accepted"}
    assert may["link"] == MACHINE.linking == {"accepted"}
    assert {s for s in MACHINE.statuses if MACHINE.correctable(s)} == may["edit"] - {"draft"}
    assert MACHINE.locking == {"submitted", "accepted", "suspended", "expired"}


VERBS = ("edit", "delete", "submit", "link")


def test_a_machine_is_what_its_json_says() -> None:
    """So it can be kept in a record."""
    kept = machine_of(json_of(MACHINE))
    assert kept == MACHINE
    assert kept is not MACHINE
    assert kept != load_machine_data(YEARLY)


def passing(**arrow: object) -> Machine:
    """A status between a submission and the decision about it."""
    words = dict.fromkeys(DIALECTS, "in_review")
    return load_machine_data(
        {
            "machine": "passing",
            "extends": "default",
            "statuses": {"in_review": {**words, "locks": True}},
            "arrows": [
                {"from": "submitted", "to": "in_review", "by": "time", "after": "1h", **arrow},
                {"from": "in_review", "to": "accepted", "by": ["reviewer", "hand"]},
                {"from": "in_review", "to": "rejected", "by": ["reviewer", "hand"]},
                {"from": "submitted", "to": "accepted", "by": None},
                {"from": "submitted", "to": "rejected", "by": None},
            ],
        }
    )


def test_a_review_ends_where_the_reviewer_gets_to_by_waiting() -> None:
    """The decision that only the next status has can be planned before."""
    machine = passing()
    assert set(machine.outcomes) == {
        "accepted", "rejected", "more_info_required", "in_review", "nothing",
    }  # fmt: skip
    assert machine.by_itself("submitted") == ["submitted", "in_review"]
    assert machine.may_follow("submitted", "accepted")
    assert not machine.allowed("submitted", "accepted")
    assert machine.can_decide("accepted", "suspended", "accepted")
    assert not machine.can_decide("rejected", "accepted")


def test_an_arrow_by_hand_is_called_as_others_to_the_same_status() -> None:
    """A change need not say it again."""
    assert passing().open_to("in_review")["accepted"].command == "accept"
    by_hand = passing(by=["time", "hand"]).open_to("submitted")["in_review"]
    assert (by_hand.command, by_hand.label) == ("in-review", "In review")


def test_an_arrow_may_have_words_of_its_own_in_callbacks() -> None:
    """The event is the beta dialect's, the status is told by API."""
    machine = passing(event="taken", callback={"current": "reviewing"})
    assert machine.told("submitted", "in_review", "beta") == ("taken", "in_review")
    assert machine.told("submitted", "in_review", "current")[1] == "reviewing"
    assert machine.told("submitted", "in_review", "legacy")[1] == "in_review"
    assert "reviewing" in machine.callback_words("current")


def test_the_default_review_may_differ_by_kind() -> None:
    """The first case that fits counts, and leaves out what it does not say."""
    machine = load_machine_data(
        {
            "machine": "kinds",
            "extends": "default",
            "review": {
                "delay": "2d",
                "cases": [
                    {"country": "IN", "api": "legacy", "delay": "5d"},
                    {"country": "IN", "outcome": "more_info_required"},
                    {"user_type": "individual", "outcome": "nothing"},
                ],
            },
        }
    )
    days = {"2d": Duration(2 * 86400), "5d": Duration(5 * 86400)}
    assert machine.review("IN", "local", "business", "legacy") == ("accepted", days["5d"])
    assert machine.review("IN", "local", "business", "beta") == ("more_info_required", days["2d"])
    assert machine.review("DE", "local", "individual", "beta") == ("nothing", days["2d"])
    assert machine.review("DE", "local", "business", "beta") == ("accepted", days["2d"])
