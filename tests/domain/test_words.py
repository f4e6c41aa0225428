"""Words that somebody mistyped."""

from __future__ import annotations

import pytest

from plivo_sim.domain.words import did_you_mean, meant


@pytest.mark.parametrize(
    ("word", "listed", "told"),
    [
        ("rejectd", 11, "; did you mean 'rejected'?"),
        ("info", 11, "; did you mean 'more_info'?"),
        ("xyz", 11, "; there are accepted, rejected, more_info"),
        ("xyz", 2, ""),
        ("rejectd", 0, "; did you mean 'rejected'?"),
        ("", 0, ""),
        ("fo", 0, ""),
    ],
)
def test_what_was_meant(word: str, listed: int, told: str) -> None:
    """The closest, one that has it in it, else all of them if they are few."""
    assert did_you_mean(word, ["accepted", "rejected", "more_info"], listed=listed) == told


def test_a_prefix_counts_for_nothing_and_is_shown() -> None:
    """Else everything that begins alike would be close."""
    assert did_you_mean("PRT", ["PORT"], prefix="SIM_", cutoff=0.7) == "; did you mean 'SIM_PORT'?"
    assert did_you_mean("LOG", ["PORT"], prefix="SIM_", listed=0) == ""


def test_the_parts_in_another_order_count_before_the_letters() -> None:
    """An operation is asked for by its resource first, as other tools name theirs."""
    known = ["legacy.create_end_user", "legacy.delete_end_user", "numbers.rent"]
    assert did_you_mean("end_user.create", known) == "; did you mean 'legacy.create_end_user'?"
    assert did_you_mean("end-user-list", known, listed=0, cutoff=0.9) == ""


def test_several_may_be_meant() -> None:
    """In one question."""
    assert meant(["a b", "c"]) == "; did you mean 'a b' or 'c'?"
    assert meant([]) == ""
