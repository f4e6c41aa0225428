"""What of a sentence may stand on a tape."""

from __future__ import annotations

import re

import pytest

from plivo_sim.recording.masks import _ADDRESS, Masks
from plivo_sim.recording.stand_ins import StandIns


@pytest.mark.parametrize(
    "told",
    ["203.0.113.77", "123 456 789", "123-45-6789", "987.654.321", "(415) 555 267", "12/34/56"],
)
def test_groups_of_digits_do_not_stay_in_a_sentence(told: str) -> None:
    """As single groups they are as short as a count, which stays."""
    made = Masks(StandIns(b"key")).sentence(f"not found: {told} at 12 of 100")
    assert told not in made
    assert made.startswith("not found: ")
    assert made.endswith(" at 12 of 100")


def test_nothing_stays_of_a_sentence_that_is_too_long() -> None:
    """Its words are not looked at one by one."""
    masks = Masks(StandIns(b"key"))
    assert masks.sentence("failed " * 1428) == "failed " * 1428
    assert "failed" not in masks.sentence("failed " * 1429)


@pytest.mark.parametrize("sign", ["-", "a.", "1_"])
def test_a_run_of_a_sentence_is_passed_over_once(sign: str) -> None:
    """Where no address is in it, either: one begins only where such a run does."""
    text = sign * 500 + "@x"
    address = re.compile(_ADDRESS)
    assert [n for n in range(len(text)) if address.match(text, n)] == [0]


@pytest.mark.parametrize(
    ("sentence", "stays"),
    [
        ("(priya@kolkatateahouse.test)", "priya"),
        ("<a.b-c_d@kolkatateahouse.test>,", "kolkata"),
        ("see (https://kolkatateahouse.test/x?y=priya),", "kolkata"),
        ("mailto:priya@kolkatateahouse.test", "priya"),
    ],
)
def test_an_address_within_a_sentence_does_not_stay(sentence: str, stays: str) -> None:
    """Wherever it begins."""
    made = Masks(StandIns(b"key")).sentence(sentence)
    assert stays not in made
    assert made != sentence


@pytest.mark.parametrize("told", ["919812345678", "+919812345678", "14155550123", "0123456789"])
def test_of_a_phone_number_only_the_calling_code_stays(told: str) -> None:
    """Its stand-in is as long, and the same everywhere."""
    masks = Masks(StandIns(b"key"))
    made = masks.text(told, "number")
    assert len(made) == len(told)
    assert made[:6] != told[:6]
    assert masks.text(told, "number") == made
    if "9198" in told:
        assert made.removeprefix("+").startswith("91")


@pytest.mark.parametrize(
    ("key", "value", "stays"),
    [
        ("limit", 20, True), ("offset", 9_999, True), ("offset", 919812345678, False),
        ("anything", 999, True), ("anything", 1_000, False), ("anything", 22.5726, False),
        ("lat", 22, False), ("longitude", 88.0, False), ("max_length", 65_535, False),
    ],
)  # fmt: skip
def test_which_numbers_stay(key: str, value: float, stays: bool) -> None:
    """Small whole ones, and counts that paging needs; no phone number, and no place."""
    (made,) = Masks(StandIns(b"key")).value({key: value}).values()
    assert (made == value) is stays
    assert Masks(StandIns(b"key")).value({"max_length": 65_535}, public=True) == {
        "max_length": 65_535
    }
