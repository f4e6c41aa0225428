"""Checks the conditions of rules: patterns, words, values that no fact can have. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from plivo_sim.domain import limits
from plivo_sim.domain.countries import is_country
from plivo_sim.domain.records import NumberType, Origin, UserType
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.domain.words import like_country
from plivo_sim.scenarios.complaints import Words, unknown_word, unread
from plivo_sim.scenarios.language import Comparison, Rule, Scalar, When
from plivo_sim.scenarios.patterns import is_glob, regex

APIS = ("new", "legacy", "atoms")

_WORDS: dict[str, tuple[str, ...]] = {
    "number_type": tuple(NumberType),
    "user_type": tuple(UserType),
    "api": APIS,
    "dialect": tuple(Origin),
}

_COUNTED = ("attempt", "submission")

_PATHS = ("alias", "callback_url", "end_user", "documents")

_COUNTED_WORD = re.compile(r"\[\d+\]$")

_COUNTRY = re.compile(r"[A-Za-z]{2}")


def condition_mistakes(when: When, path: Steps, words: Words, depth: int = 0) -> Iterator[Found]:
    if depth > limits.CONDITION_DEPTH.most:
        yield path, f"is nested too deeply: {limits.CONDITION_DEPTH}"
        return
    for name in When.__struct_fields__:
        test = getattr(when, name)
        if test is None or name in ("any", "all", "not_", "data_fields"):
            continue
        yield from _test_mistakes(test, (*path, name))
        for value in _values(test):
            yield from _value_mistakes(name, value, (*path, name), words)
    for key, test in (when.data_fields or {}).items():
        yield from _test_mistakes(test, (*path, "data_fields", key))
    for name in ("any", "all"):
        inner = getattr(when, name)
        if inner == []:
            yield (*path, name), "is empty"
        for index, each in enumerate(inner or ()):
            yield from condition_mistakes(each, (*path, name, index), words, depth + 1)
    if when.not_ is not None:
        yield from condition_mistakes(when.not_, (*path, "not"), words, depth + 1)


def regexes_together(rules: Sequence[tuple[Steps, Rule]]) -> Iterator[Found]:
    """A complaint about the rule with which the regexes of all are too much for one submission."""
    steps = 0
    for path, rule in rules:
        steps += sum(map(_size_of, _regexes_of(rule.when)))
        if steps > limits.ALL_REGEX_STEPS.most:
            yield path, f"the regexes up to here have {steps} steps: {limits.ALL_REGEX_STEPS}"
            return


def _regexes_of(when: When) -> Iterator[str]:
    tests = [getattr(when, name) for name in When.__struct_fields__]
    for test in (*tests, *(when.data_fields or {}).values()):
        if isinstance(test, Comparison) and test.regex is not None:
            yield test.regex
    for each in (*(when.any or ()), *(when.all or ()), *((when.not_,) if when.not_ else ())):
        yield from _regexes_of(each)


def _size_of(text: str) -> int:
    try:
        return regex(text).size
    except ValueError:
        return 0


def _test_mistakes(test: Any, path: Steps) -> Iterator[Found]:
    if test == []:
        yield path, "an empty list matches nothing"
    for text in _texts(test):
        if len(text) > limits.GLOB.most:
            yield path, f"a text of {len(text)} characters: {limits.GLOB}"
    if not isinstance(test, Comparison):
        return
    if test == Comparison():
        yield path, "compares with nothing"
    if test.one_of == []:
        yield (*path, "one_of"), "an empty list matches nothing"
    yield from unread(regex, test.regex, (*path, "regex"))
    if test.at_least is not None and test.at_most is not None and test.at_least > test.at_most:
        yield path, f"nothing is at least {test.at_least:g} and at most {test.at_most:g}"


def _texts(test: Any) -> Iterator[str]:
    """Every text that a test compares with, the regex apart."""
    if isinstance(test, Comparison):
        test = [test.is_, test.glob, test.has, *(test.one_of or ())]
    return (each for each in (test if isinstance(test, list) else [test]) if isinstance(each, str))


def _values(test: Any) -> Iterator[Scalar]:
    """The plain values that a test compares with, globs apart."""
    if isinstance(test, Comparison):
        values = [*([test.is_] if test.is_ is not None else ()), *(test.one_of or ())]
    else:
        values = test if isinstance(test, list) else [test]
    return (value for value in values if not (isinstance(value, str) and is_glob(value)))


def _value_mistakes(name: str, value: Scalar, path: Steps, words: Words) -> Iterator[Found]:
    """A value that this fact can never have."""
    text = str(value)
    if name in _WORDS:
        yield from unknown_word(text, _WORDS[name], name.replace("_", " "), path)
    elif name == "document_types":
        yield from unknown_word(text, words.documents, "document type", path)
    elif name == "changed":
        yield from _path_mistakes(text, words, path)
    elif name == "country":
        yield from _country_mistakes(text, words, path)
    elif name in _COUNTED and not (text.isascii() and text.isdecimal() and int(text) >= 1):
        yield path, f"{text} is no {name}; they count from 1"


def _path_mistakes(text: str, words: Words, path: Steps) -> Iterator[Found]:
    """A complaint about the path of nothing that an attempt sends."""
    first, _, rest = text.partition(".")
    yield from unknown_word(first, _PATHS, "part of a submission", path)
    if first == "documents":
        word = _COUNTED_WORD.sub("", rest.partition(".")[0])
        yield from unknown_word(word, words.documents, "document type", path)


def _country_mistakes(text: str, words: Words, path: Steps) -> Iterator[Found]:
    """A complaint about what is the code of no country: such a condition never holds."""
    if not _COUNTRY.fullmatch(text):
        told = f"'{text}' is no country code of two letters"
        yield path, told + like_country(text, words.countries)
    elif text.upper() not in words.countries and not is_country(text.upper()):
        yield path, f"there is no country '{text}'{like_country(text, words.countries)}"
