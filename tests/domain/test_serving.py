"""The rule that says which accounts a server has, and the same rule as a proxy matches it."""

from __future__ import annotations

import re
import string

import pytest

from plivo_sim.domain.serving import read_rule

KEY = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("*[0-7]", "01234567"),
        ("*7", "7"),
        ("*[0-3A-C],*z", "0123ABCz"),
        ("*[a-z] *[5]", string.ascii_lowercase + "5"),
        ("", KEY),
        ("*", KEY),
    ],
)
def test_the_end_of_the_key_decides(text: str, ends: str) -> None:
    """Of subaccounts, too; and what a proxy matches is the same."""
    rule = read_rule(text)
    for end in KEY:
        key = "X" * 17 + end
        expected = end in ends
        assert [rule.serves(f"{kind}A{key}") for kind in "MS"] == [expected, expected], end
        assert (re.search(rule.regex, key) is not None) == expected


def test_endings_may_be_longer() -> None:
    rule = read_rule("*1[0-3]")
    assert [rule.serves("MA" + "X" * 16 + end) for end in ("10", "13", "14", "03")] == [
        True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["[0-7]", "*[", "*[]", "*.", "*[^0]", "x*", "**", "*[0-", "*[7-0]"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        read_rule(text)


def test_a_rule_is_bounded() -> None:
    with pytest.raises(ValueError, match="too long"):
        read_rule("*[0-7]," * 1000)
