"""The regexes of scenarios: what they match, what is not supported, and that they are linear."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_sim.domain import limits
from plivo_sim.scenarios.language import Comparison, When
from plivo_sim.scenarios.loader import ScenarioError, load_scenario
from plivo_sim.scenarios.matching import check
from plivo_sim.scenarios.patterns import regex
from tests.support import calls_of

TEXTS = [
    "", "a", "b", "ab", "aab", "abab", "A", "Acme Ltd.", "acme", "x-y", "a\nb", "a\n", "42", "4a2",
    "a_1", "a b", "äß", "Ä", "a.b", "]", "^", "{2}", "a{", "-", "aaa", "\t", "()", "caT", "٣", "\\",
]  # fmt: skip
PATTERNS = [
    "", "a", "^a", "a$", "^a$", "^$", "a*", "a+", "^a+$", "a?b", "^(a+)+$", "^(a|b)*$", "ab|ba",
    "(?:ab)+", "^(ab){2}$", "a{2}", "^a{1,2}b", "a{2,}", "a{,2}b", "^.$", "^.b", "[ab]+$", "[^ab]",
    "[a-c]", r"\d", r"^\d+$", r"\w\s\w", r"\W", r"\S\b", r"\bLtd", r"\Bb", "(?i)ACME", "(?i)^[A-C]",
    "(?i)ä", r"a\.b", r"[\d_]", r"[]]", r"[^]a]", "[a-]", r"\\", "a{", "a{}", "^(?:)*$",
    "a*?b", "a+?$", "a??b", r"\Aa\Z", r"\n", "(a*)*b", "(|a)b", "x|", r"[\]^-]", "[^\\W]$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_matches_as_python_does(pattern: str) -> None:
    """Of what is supported, every text gets the same answer; case does not count."""
    for text in TEXTS:
        wanted = re.search(pattern, text, re.IGNORECASE) is not None
        assert regex(pattern).found_in(text) is wanted, text


@pytest.mark.parametrize("name", "dwsDWSntrfva")
@pytest.mark.parametrize("form", [r"\{}", r"[\{}]", r"[^\{}]"])
def test_every_class_and_control_is_pythons(name: str, form: str) -> None:
    """Alone, within a class, and not within it."""
    pattern = form.format(name)
    for char in map(chr, range(0x700)):
        wanted = re.search(pattern, char, re.IGNORECASE) is not None
        assert regex(pattern).found_in(char) is wanted, char


@pytest.mark.parametrize("wanted", ["ACME*", "acme*"])
def test_globs_and_regexes_treat_case_alike(wanted: str) -> None:
    """And so do the other comparisons of texts."""
    plain = wanted.rstrip("*")
    for test in (wanted, Comparison(glob=wanted), Comparison(regex=f"^{plain}"),
                 Comparison(has=plain), Comparison(is_=f"{plain} Ltd."),
                 Comparison(one_of=[wanted]), [wanted]):  # fmt: skip
        assert check(When(name=test), {"name": "Acme Ltd."})[0], test


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\w"])
PLACES = st.sampled_from(["^", "$", r"\b"])
COUNTS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}"])
GENERATED = st.recursive(
    st.one_of(st.tuples(ATOMS, COUNTS).map("".join), PLACES),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})?"),
    ),
    max_leaves=6,
)


@given(GENERATED, st.text("ab \n", max_size=6))
def test_generated_patterns_match_as_python_does(pattern: str, text: str) -> None:
    """Python's own engine is the judge, where the texts are too short for it to take long."""
    assert regex(pattern).found_in(text) is (re.search(pattern, text) is not None)


UNSUPPORTED = {
    "(?=a)": "(?= is not supported, at character 1",
    "a(?!b)": "(?! is not supported, at character 2",
    "(?<=a)b": "(?< is not supported, at character 1",
    "(?P<n>a)": "(?P is not supported, at character 1",
    r"(a)\1": r"\1 is not supported, at character 4",
    "a++": "gives nothing back is not supported, at character 3",
    r"\p": r"\p is not supported, at character 1",
    "a**": "a repetition of a repetition, at character 3",
    "*a": "nothing to repeat, at character 1",
    "{2}": "nothing to repeat, at character 1",
    "^*": "nothing to repeat, at character 2",
    "a{3,2}": "more at least than at most, at character 2",
    "[b-a]": "a range that is none, at character 4",
    "(a": "missing ) of the group that begins, at character 1",
    "a)": "a ) without its (, at character 2",
    "[a": "unterminated [ that begins, at character 1",
    "a\\": r"a \ at the end, at character 2",
    "a" * 201: "at most 200 characters (limit regex)",
    "(a{99}){99}": "at most 400 steps (limit regex_steps)",
    "(((){9999}){9999}){9999}": "at most 400 steps (limit regex_steps)",
    "((x{0}){9999}){9999}": "at most 400 steps (limit regex_steps)",
    "(" * 21 + ")" * 21: "at most 20 levels (limit regex_depth)",
}


@pytest.mark.parametrize(("pattern", "told"), UNSUPPORTED.items(), ids=map(str, range(22)))
def test_what_is_not_supported_is_told_when_it_is_loaded(pattern: str, told: str) -> None:
    """With its line, and where in the regex."""
    quoted = "'" + pattern.replace("'", "''") + "'"
    text = f"scenario: one regex\nrules:\n  - when: {{name: {{regex: {quoted}}}}}\n"
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text)
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.path) == (3, "rules[0].when.name.regex")
    assert told in mistake.text


def test_all_regexes_of_a_scenario_have_a_limit_together() -> None:
    """One submission asks them all."""
    rule = "  - when: {name: {regex: 'a{300}'}}\n"
    load_scenario("scenario: many regexes\nrules:\n" + rule * 3)
    with pytest.raises(ScenarioError, match=r"at most 1000 steps \(limit all_regex_steps\)"):
        load_scenario("scenario: many regexes\nrules:\n" + rule * 4)


EVIL = ["^(a+)+$", "^(a|a)*$", "(a*)*b", "^(a|aa)+$", "(.*a){10}c", "a*a*a*a*b", "(x+x+)+y"]


@pytest.mark.parametrize("pattern", EVIL)
def test_steps_grow_with_the_text_and_no_faster(pattern: str) -> None:
    """Twice the text is twice the steps, where backtracking takes for ever."""
    compiled = regex(pattern)
    short, long = (
        calls_of(lambda n=n: compiled.found_in("a" * n + "!"))  # type: ignore[misc]
        for n in (100, 200)
    )
    assert long <= 2.1 * short
    assert short < 100 * 10 * compiled.size


CHINESE = "".join(map(chr, range(0x4E00, 0x4E00 + 178)))


@pytest.mark.parametrize(
    "members", [CHINESE, r"\d\w\s" * 29, "".join(f"{c}-{c}" for c in CHINESE[:59])]
)
@pytest.mark.parametrize("case", ["", "(?i)"])
def test_a_class_of_many_members_takes_no_more_steps(case: str, members: str) -> None:
    """It is counted as one step, however much stands in it."""
    one, many = regex(f"{case}[xa]{{100}}!"), regex(f"{case}[{members}a]{{100}}!")
    assert many.size == one.size
    text = "a" * limits.REGEX_TEXT.most
    few = calls_of(lambda: one.found_in(text))
    assert calls_of(lambda: many.found_in(text)) <= 1.1 * few


@given(
    st.lists(st.sampled_from(["a", "K", "ß", "é", "b-d", "A-C", "c-y", r"\d", r"\S"]), min_size=1),
    st.sampled_from(["", "^"]),
    st.sampled_from(["", "(?i)"]),
    st.text("aAbBcCkKyZßéÉ5 ", min_size=1, max_size=1),
)
def test_classes_hold_what_pythons_hold(members: list[str], no: str, case: str, char: str) -> None:
    """Ranges that overlap, both cases, named classes and their opposites."""
    pattern = f"{case}[{no}{''.join(members)}]"
    assert regex(pattern).found_in(char) is (re.search(pattern, char, re.IGNORECASE) is not None)


def test_a_long_text_is_matched_by_none() -> None:
    """Nobody has such a name."""
    assert regex("a").found_in("a" * limits.REGEX_TEXT.most)
    assert not regex("a").found_in("a" * (limits.REGEX_TEXT.most + 1))


def test_all_texts_of_a_condition_have_a_limit_together() -> None:
    """Each is looked at once; a regex is found in none of those behind."""
    many = [f"{n:0250}" for n in range(20)]
    for last, found in ((9, True), (10, False)):
        assert (
            check(When(file_names=Comparison(regex=f"{last}$")), {"file_names": many[: last + 1]})[
                0
            ]
            is found
        )
    assert check(When(file_names=Comparison(regex="x")), {"file_names": [*many[:1] * 99, "x"]})[0]
