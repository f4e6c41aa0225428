"""Ids and dice: drawn from a seed."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.account.account import IdFactory
from plivo_sim.domain import text as ids
from plivo_sim.domain.text import draw_fraction, draw_uuid

ACCOUNT = "MAXXXXXXXXXXXXXXXXXX"
WORD = st.text("aZ09 -|\x1fé日😀", max_size=5)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(),
    WORD,
    st.sampled_from("abc"),
    st.integers(0),
    st.sampled_from([1, 4]),
)
def test_an_id_is_a_uuid(seed: int, account: str, kind: str, n: int, version: int) -> None:
    """Of the version that is asked for, in its canonical spelling."""
    drawn = draw_uuid(seed, account, kind, n, version)
    assert str(uuid.UUID(drawn)) == drawn
    assert (uuid.UUID(drawn).version, uuid.UUID(drawn).variant) == (version, uuid.RFC_4122)


def test_the_same_seed_draws_the_same_ids() -> None:
    """In another factory, in another process: this one is written down."""
    assert draw_uuid(1, ACCOUNT, "application", 1) == IdFactory(1, ACCOUNT).next("application")
    assert draw_uuid(1, ACCOUNT, "application", 1) == "bd827e3d-10dc-482f-8c04-e27f370df6de"


@pytest.mark.parametrize(
    "other",
    [(2, ACCOUNT, "a", 1), (1, "MAY", "a", 1), (1, ACCOUNT, "b", 1), (1, ACCOUNT, "a", 2)],
    ids=["seed", "account", "kind", "n"],
)
def test_seed_account_kind_and_number_each_make_another_id(
    other: tuple[int, str, str, int],
) -> None:
    """Ids are unique across accounts."""
    assert draw_uuid(*other) != draw_uuid(1, ACCOUNT, "a", 1)


def test_each_kind_counts_for_itself() -> None:
    """From 1; what one kind draws does not move another."""
    factory = IdFactory(1, ACCOUNT)
    assert [factory.next_n("a"), factory.next_n("a"), factory.next_n("b")] == [1, 2, 1]


def test_a_factory_goes_on_from_its_counts() -> None:
    """As after a restart; the counts that it was given are not changed."""
    kept = {"a": 7}
    factory = IdFactory(1, ACCOUNT, kept)
    assert factory.next("a") == draw_uuid(1, ACCOUNT, "a", 8)
    assert kept == {"a": 7}


def test_a_factory_passes_over_ids_that_are_taken() -> None:
    """As those that a snapshot brought along."""
    taken = draw_uuid(1, ACCOUNT, "a", 1)
    factory = IdFactory(1, ACCOUNT, None, lambda kind, id: id == taken)
    assert factory.next("a") == draw_uuid(1, ACCOUNT, "a", 2)


@settings(max_examples=50, deadline=None)
@given(st.integers(), st.lists(WORD | st.integers(), max_size=4))
def test_a_die_is_a_fraction_that_stays(seed: int, words: list[object]) -> None:
    """From 0 up to, not including, 1; the same words throw the same."""
    thrown = draw_fraction(seed, *words)
    assert 0 <= thrown < 1
    assert thrown == draw_fraction(seed, *words)


def test_a_die_never_shows_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for the highest hash that there can be."""

    class Highest:
        def digest(self) -> bytes:
            return b"\xff" * 8

    monkeypatch.setattr(ids.hashlib, "blake2b", lambda *_, **__: Highest())
    assert draw_fraction(1) < 1


def test_words_are_told_apart() -> None:
    """Where one ends and the next begins matters; lone surrogates are words too."""
    thrown = {draw_fraction(1, *words) for words in (("ab",), ("a", "b"), ("", "ab"), ("\ud800",))}
    assert len(thrown) == 4


def test_dice_are_fair_enough() -> None:
    """About half of many are below a half."""
    low = sum(draw_fraction(1, n) < 0.5 for n in range(1000))
    assert 430 < low < 570
