"""Globs: what they match, that they match as Python's do, and what bounds their work."""

from __future__ import annotations

import re
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_sim.domain import limits
from plivo_sim.scenarios.globs import Texts, glob, globs_of
from plivo_sim.scenarios.language import Comparison, FaultRule, When
from plivo_sim.scenarios.matching import WHY, check
from tests.support import calls_of


@pytest.mark.parametrize(
    ("wanted", "text", "fits"),
    [("Acme*", "ACME ltd", True), ("a?c", "abc", True), ("a?c", "ac", False), ("[!a]x", "bX", 1)],
)
def test_globs_compare_without_case(wanted: str, text: str, fits: bool) -> None:
    """As they always did."""
    assert glob(wanted)(text) == fits


PIECES = ["*", "**", "?", "a", "K", "ß", "é", "[", "]", "-", "[ab]", "[!a]", "[]a]", "[a-c]",
          "[!b-z]", "[c-a]", "[a-]", "[-a]", "[A-Ck]", "[a-b-c]"]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.lists(st.text("aAbckK-]zßé", max_size=6), min_size=1, max_size=4),
)
def test_generated_globs_match_as_python_s_do(wanted: str, texts: list[str]) -> None:
    """One text of several fits where Python has one that does."""
    fits = re.compile(translate(wanted.casefold())).match
    assert Texts(texts).fit(wanted) is any(fits(text.casefold()) for text in texts)


@pytest.mark.parametrize("wanted", ["*" + "?" * 150 + "x*", "*a" * 75 + "b", "*" + "[a-y!]" * 30])
def test_the_steps_of_a_glob_do_not_depend_on_the_text(wanted: str) -> None:
    """Also where it nearly fits everywhere, and for many texts as for one."""
    for texts in (Texts(["a" * 2500]), Texts(["a" * 160]), Texts("a" * n for n in range(70))):
        texts.fit(wanted)  # finds the places
        assert calls_of(lambda texts=texts: texts.fit(wanted)) < 10 * len(wanted) + 20


MOST = limits.CONDITION_TEXTS.most


@pytest.mark.parametrize(
    "test", ["a*", "a" * (MOST + 1), Comparison(has="a"), Comparison(glob="*"), ["x", "a*"],
             Comparison(one_of=["a*"]), Comparison(differs_from="name")],
)  # fmt: skip
def test_a_text_that_has_no_room_is_as_none(test: object) -> None:
    """It is there, and is told shortened."""
    facts = {"alias": "a" * (MOST + 1), "name": "b"}
    holds, told, _ = check(When(alias=test), facts)
    assert not holds
    assert len(told) == WHY
    assert check(When(alias=Comparison(missing=False)), facts)[0]


def test_what_is_short_has_room_behind_what_is_long() -> None:
    """Each once."""
    files = ["a" * (MOST - 1), "b" * 2, "c", "c"]
    for wanted, holds in (("a*", True), ("b*", False), ("c", True)):
        assert check(When(file_names=wanted), {"file_names": files})[0] is holds


def test_a_path_that_has_no_room_is_as_no_fault_wants_it() -> None:
    """But for those that take every path."""
    ((_, fits),) = globs_of(FaultRule(effect="slow", path="/v1/*"))
    assert fits("/v1/".ljust(MOST, "a"))
    assert not fits("/v1/".ljust(MOST + 1, "a"))
    assert globs_of(FaultRule(effect="slow")) == ()
