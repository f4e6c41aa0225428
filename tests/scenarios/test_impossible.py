"""Conditions that no submission meets are refused with their place; those that one meets never."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plivo_sim.catalogue import load_catalogue
from plivo_sim.domain import limits
from plivo_sim.domain.countries import countries_with_numbers
from plivo_sim.domain.records import NumberType, Origin, UserType
from plivo_sim.scenarios import impossible
from plivo_sim.scenarios.language import When
from plivo_sim.scenarios.loader import (
    ScenarioError,
    doubts_about,
    load_scenario,
    load_scenario_data,
)
from plivo_sim.scenarios.matching import api_of, check
from plivo_sim.scenarios.patterns import regex
from tests.scenarios.test_matching import FACTS, HOLD

NO_SUCH = "can match nothing: there is no such"
ALL = "meets all that is asked of it"

IMPOSSIBLE = [
    # a condition, where in it, what is told
    ("attempt: {at_most: 0}", "attempt", f"{NO_SUCH} attempt; they count from 1"),
    ("submission: {at_most: 0.5}", "submission", f"{NO_SUCH} submission"),
    ("attempt: {at_least: .inf}", "attempt", NO_SUCH),
    ("attempt: {at_least: .nan}", "attempt", NO_SUCH),
    ("attempt: {at_least: 1.5, at_most: 1.7}", "attempt", NO_SUCH),
    ("attempt: {is: 1, at_least: 2}", "attempt", NO_SUCH),
    ("attempt: {one_of: [1, 2], at_least: 3}", "attempt", NO_SUCH),
    ("attempt: '1*'", "attempt", NO_SUCH),
    ("attempt: {passed: true}", "attempt", NO_SUCH),
    ("attempt: {passed: false}", "attempt", NO_SUCH),
    ("attempt: {has: x}", "attempt", "'has' can match nothing"),
    ("attempt: {has: '-1'}", "attempt", "'has' can match nothing"),
    ("attempt: {regex: x}", "attempt", "'regex' can match nothing"),
    ("submission: {regex: '^0?[a-f]$'}", "submission", "'regex' can match nothing"),
    ("attempt: {missing: true}", "attempt.missing", "attempt is never missing"),
    ("country: {missing: true}", "country.missing", "country is never missing"),
    ("application: {missing: true}", "application.missing", "never missing"),
    ("country: {has: ind}", "country", f"{NO_SUCH} country"),
    ("country: {regex: '^[a-z]{3}$'}", "country", f"{NO_SUCH} country"),
    ("country: '??x'", "country", f"{NO_SUCH} country"),
    ("country: {at_least: 1}", "country", f"{NO_SUCH} country"),
    ("number_type: {has: free, regex: '^local'}", "number_type", f"{NO_SUCH} number type"),
    ("user_type: {regex: ^company}", "user_type", f"{NO_SUCH} user type"),
    ("dialect: {has: v2}", "dialect", f"{NO_SUCH} dialect"),
    ("api: {passed: false}", "api", f"{NO_SUCH} api"),
    ("document_types: {has: gstt}", "document_types", "there is no such document type"),
    ("document_types: {regex: ^gts}", "document_types", "there is no such document type"),
    ("document_types: {at_most: 5}", "document_types", "there is no such document type"),
    ("changed: {regex: ^documnets}", "changed", "there is no such path of what is changed"),
    ("changed: {regex: 'name$', at_least: 1}", "changed", "'at_least' can match nothing"),
    ("account: MAXX", "account", "'MAXX' is no auth id of an account"),
    ("account: SAXXXXXXXXXXXXXXXXXX", "account", "is no auth id of an account"),
    ("name: {differs_from: name}", "name.differs_from", "compared with itself"),
    ("alias: {missing: true, has: x}", "alias", "what is missing cannot be compared"),
    ("data_fields: {x: {missing: true, passed: true}}", "data_fields.x", "what is missing"),
    ("api: legacy, dialect: current", "", f"no api and dialect {ALL}"),
    ("all: [{api: new}, {dialect: [legacy, atoms]}]", "", f"no api and dialect {ALL}"),
    ("all: [{country: IN}, {country: US}]", "", f"no country {ALL}"),
    ("country: IN, all: [{all: [{country: 'u*'}]}]", "", f"no country {ALL}"),
    ("country: IN, not: {country: 'i*'}", "", f"no country {ALL}"),
    ("country: IN, not: {any: [{alias: x}, {country: IN}]}", "", f"no country {ALL}"),
    ("not: {attempt: {at_least: 1}}", "not.attempt", "holds for every attempt"),
    ("not: {number_type: '*'}", "not.number_type", "holds for every number type"),
    ("any: [{alias: x}, {attempt: {at_most: 0}}]", "any[1].attempt", NO_SUCH),
    ("not: {user_type: {has: x}}", "not.user_type", NO_SUCH),
    ("attempt: 1, changed: alias", "changed", "at the first attempt nothing is changed"),
    ("attempt: {at_most: 1.5}, all: [{changed: 'documents.*'}]", "all[0].changed", "at the first"),
    ("attempt: 1, not: {changed: {missing: true}}", "not.changed", "at the first attempt"),
]  # fmt: skip


def mistakes_in(condition: str) -> list[tuple[str, str]]:
    """Path below ``when``, and text."""
    text = f"scenario: This happens.\nrules: [{{when: {{{condition}}}, decide: rejected}}]"
    try:
        load_scenario(text)
    except ScenarioError as error:
        return [(each.path.removeprefix("rules[0].when").lstrip("."), each.text)
                for each in error.mistakes]  # fmt: skip
    return []


@pytest.mark.parametrize(("condition", "path", "told"), IMPOSSIBLE, ids=lambda each: each)
def test_what_can_never_match_is_refused(condition: str, path: str, told: str) -> None:
    """Once, where it stands."""
    ((found, text),) = mistakes_in(condition)
    assert (found, told in text) == (path, True), text


LATER = {"attempt": 1_000_000, "submission": 10**9}
FIRST = {"attempt": 1, "changed": []}
POSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("attempt: {at_least: 1000000}", LATER),
    ("attempt: {at_least: 2.5, at_most: 3.5}", {"attempt": 3}),
    ("attempt: {regex: '^1[0-9]{6}$'}", LATER),
    ("attempt: {has: '00'}", LATER),
    ("submission: {glob: '1000000000'}", LATER),
    ("submission: {is: '7', at_most: 7}", {"submission": 7}),
    ("attempt: {differs_from: name, at_most: 2}", {}),
    ("attempt: {missing: false}", {}),
    ("not: {attempt: {differs_from: name, at_least: 1}}", {"name": "2"}),
    ("not: {attempt: {at_least: 1, at_most: 1}}", {}),
    ("not: {attempt: {at_least: 1}, alias: x}", {}),
    ("not: {any: [{attempt: 1}, {attempt: 3}]}", {}),
    ("not: {all: [{attempt: {at_least: 1}}, {country: US}]}", {}),
    ("not: {not: {country: IN}}", {}),
    ("country: '*x'", {"country": "MX"}),
    ("country: {has: x}", {"country": "MX"}),
    ("country: {regex: '^x'}", {"country": "XK"}),
    ("country: [IN, US], all: [{country: US}]", {"country": "US"}),
    ("number_type: {has: toll}", {"number_type": "tollfree"}),
    ("number_type: {regex: 'FREE$'}", {"number_type": "tollfree"}),
    ("api: new, dialect: [legacy, beta]", {"dialect": "beta"}),
    ("api: {differs_from: name}", {}),
    ("changed: {has: aliass}", {"changed": ["documents.passport.aliass"]}),
    ("changed: {regex: 'name$'}", {}),
    ("changed: {regex: '^documents[.]passport[.]x$'}", {"changed": ["documents.passport.x"]}),
    ("changed: {regex: '^end_user[.]'}", {}),
    ("changed: {missing: true}, attempt: 1", FIRST),
    ("attempt: 1, not: {changed: alias}", FIRST),
    ("attempt: 1, any: [{changed: alias}, {alias: '*'}]", FIRST),
    ("attempt: [1, 2], changed: end_user.name", {}),
    ("document_types: {has: '4a9'}", {"document_types": ["11111111-4a9f-4000-8000-000000000000"]}),
    ("document_types: {regex: '^[0-9a-f]{8}-'}",
     {"document_types": ["11111111-4a9f-4000-8000-000000000000"]}),
    ("document_types: {has: gst, regex: registration}", {}),
    ("all: [{document_types: gst_certificate}, {document_types: registration_certificate}]", {}),
    ("file_names: {regex: '[.]gif$'}", {"file_names": ["x.gif"]}),
    ("alias: {at_least: 5}", {"alias": "7"}),
    ("name: {passed: true}", {"name": "2020-01-01"}),
    ("alias: {is: a, has: A}", {"alias": "a"}),
    ("application: nonsense", {"application": "nonsense"}),
    ("alias: {missing: true}, not: {name: {missing: true}}", {"alias": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "facts"), POSSIBLE, ids=lambda each: str(each)[:60])
def test_what_can_match_is_taken(condition: str, facts: dict[str, Any]) -> None:
    """Each of these conditions holds for a submission."""
    when = msgspec.convert(yaml.safe_load(f"{{{condition}}}"), When)
    assert check(when, {**FACTS, **facts})[0]
    assert mistakes_in(condition) == []


@pytest.mark.parametrize("condition", [each for each in HOLD if "(?=" not in each])
def test_what_matches_elsewhere_is_taken(condition: str) -> None:
    """The conditions of the tests of matching."""
    assert mistakes_in(condition[1:-1]) == []


WORDS = sorted(load_catalogue(1).document_words)
COUNTRIES = sorted(countries_with_numbers())
COUNTS = st.integers(1, 4)
BOUNDS = st.none() | st.sampled_from([-1.0, 0.5, 1.0, 1.5, 2.0, 3.0])


def parts(texts: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """A comparison with such texts, or parts of them."""
    some = st.sampled_from(texts)
    cut = st.tuples(some, st.integers(0, 3), st.integers(1, 4)).map(
        lambda t: t[0][t[1] : t[1] + t[2]] or t[0]
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "is": some, "has": cut, "glob": cut.map(lambda t: f"*{t}*"), "missing": st.just(False),
            "one_of": st.lists(some, min_size=1, max_size=2),
            "regex": cut.map(lambda t: t.replace(".", "[.]")), "differs_from": st.just("name"),
        },
    ).filter(bool)  # fmt: skip


COUNTED = st.fixed_dictionaries(
    {},
    optional={
        "is": COUNTS, "at_least": BOUNDS.filter(lambda n: n is not None), "at_most": BOUNDS.filter(
            lambda n: n is not None
        ), "regex": st.sampled_from(["^[1-3]$", "2|4", "."]), "has": COUNTS.map(str),
        "differs_from": st.just("name"), "one_of": st.lists(COUNTS, min_size=1, max_size=2),
    },
).filter(bool)  # fmt: skip


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Of a submission, as they can be together."""
    via, attempt = draw(st.sampled_from(Origin)), draw(COUNTS)
    paths = st.sampled_from(["alias", "end_user.name", "documents.passport.x"])
    return {
        **FACTS,
        "country": draw(st.sampled_from(COUNTRIES)),
        "number_type": str(draw(st.sampled_from(NumberType))),
        "user_type": str(draw(st.sampled_from(UserType))),
        "api": api_of(via),
        "dialect": via.value,
        "attempt": attempt,
        "submission": draw(COUNTS),
        "document_types": draw(st.lists(st.sampled_from(WORDS), max_size=3)),
        "changed": draw(st.lists(paths, max_size=2)) if attempt > 1 else [],
    }


DENIED: dict[str, list[str]] = {
    "country": ["US", "MX"],
    "number_type": list(map(str, NumberType)),
    "user_type": list(map(str, UserType)),
    "api": ["new", "legacy", "atoms"],
    "dialect": list(map(str, Origin)),
    "document_types": WORDS[:3],
    "changed": ["alias", "end_user.name"],
}
FEW = [*DENIED, "attempt", "submission"]


def leaves(found: dict[str, Any], names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Tests of one of these facts each, of which many hold."""

    def tests(name: str) -> st.SearchStrategy[dict[str, Any]]:
        if name not in DENIED:
            leaf = (COUNTS | COUNTED).map(lambda test: {name: test})
            return leaf | leaf.map(lambda test: {"not": test})
        own = found[name] if isinstance(found[name], list) else [found[name]]
        texts = parts(own or DENIED[name])
        leaf = (st.sampled_from(own or DENIED[name]) | texts).map(lambda test: {name: test})
        return leaf | parts(DENIED[name]).map(lambda test: {"not": {name: test}})

    return st.sampled_from(names).flatmap(tests)


@given(data=st.data(), found=facts())
def test_what_a_submission_meets_is_never_refused(data: st.DataObject, found: Any) -> None:
    """Conditions that hold for it, together and one in another. What stands in a ``not`` may be
    impossible by itself."""
    names = data.draw(st.lists(st.sampled_from(FEW), min_size=1, max_size=2))
    conditions = data.draw(st.lists(leaves(found, names), min_size=2, max_size=5))
    hold = [each for each in conditions if check(msgspec.convert(each, When), found)[0]]
    nested: dict[str, Any] = {}
    for each in hold:
        nested = {"all": [nested, each]} if nested else each
    for when in ({"all": hold}, nested) if hold else ():
        assert [path for path in refused(when) if ".not." not in path] == []


def refused(when: dict[str, Any]) -> list[str]:
    """The paths of the mistakes in it."""
    try:
        load_scenario_data({"scenario": "This happens.", "rules": [{"when": when}]})
    except ScenarioError as error:
        return [each.path for each in error.mistakes]
    return []


@given(
    pattern=st.sampled_from(["^a+$", "b|c", r"^\d{3}$", "a^b", r"\bab", "[^ab]", "^ab?c", r"x\Z"]),
    begin=st.text("abc", max_size=3),
    rest=st.text("abcx1", max_size=4),
)
def test_a_regex_that_is_found_may_be_found(pattern: str, begin: str, rest: str) -> None:
    """In a text of such a beginning, and of such characters."""
    if regex(pattern).found_in(begin + rest):
        assert regex(pattern).may_be_found(begin)
        assert regex(pattern).may_be_found(begin, "abcx1")


@pytest.mark.parametrize(
    ("pattern", "begin", "alphabet"),
    [("^x", "documents.", None), ("x", "", "0123"), ("^a", "b", "a"), ("a[^0-9]", "", "01a")],
)
def test_a_regex_that_is_never_found(pattern: str, begin: str, alphabet: str | None) -> None:
    """Of such texts, no one has it."""
    expected = pattern == "a[^0-9]"  # as "aa" is one of them
    assert regex(pattern).may_be_found(begin, alphabet) is expected


def test_texts_that_are_compared_as_numbers_are_doubted() -> None:
    """A submission may have such a text, so they are only warned of."""
    text = """\
scenario: Some rules compare texts as numbers.
rules:
  - when: {alias: {at_least: 5}, registration_number: {at_most: 7}}
  - when: {any: [{not: {name: {passed: true}}}, {data_fields: {bill_date: {passed: true}}}]}
"""
    found = doubts_about(load_scenario(text), load_catalogue(1).field_names, text, "own.yaml")
    assert list(map(str, found)) == [
        "own.yaml:3: rules[0].when.alias.at_least: matches only a text that is a number",
        "own.yaml:4: rules[1].when.any[0].not.name.passed: matches only a text that is a date",
    ]


def test_the_look_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not looked at any more is taken to be possible."""
    calls = 0
    holds = impossible.holds

    def counting(*each: Any) -> bool:
        nonlocal calls
        calls += 1
        return holds(*each)

    monkeypatch.setattr(impossible, "holds", counting)
    assert len(refused({"all": [{"country": {"has": f"z{n}"}} for n in range(2000)]})) == (
        limits.MISTAKES.most
    )
    assert 0 < calls <= impossible.WORK
