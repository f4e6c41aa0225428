"""Checks the conditions of rules: patterns, words, values that no fact can have. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from plivo_sim.domain import limits
from plivo_sim.domain.countries import is_country
from plivo_sim.domain.records import END_USER_DETAILS, NumberType, Origin, UserType
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.domain.words import did_you_mean, like_country
from plivo_sim.scenarios.complaints import Words, unknown_word, unread
from plivo_sim.scenarios.globs import glob, is_glob
from plivo_sim.scenarios.language import Comparison, Rule, Scalar, Scenario, When
from plivo_sim.scenarios.patterns import regex

APIS = ("new", "legacy", "atoms")

CLOSED: dict[str, tuple[str, ...]] = {
    "number_type": tuple(NumberType),
    "user_type": tuple(UserType),
    "api": APIS,
    "dialect": tuple(Origin),
}

COUNTED = ("attempt", "submission")

_ALWAYS = (*CLOSED, "country", "account", "application", *COUNTED)
"""What every submission has."""

_PATHS = ("alias", "callback_url", "end_user", "documents")

PATHS_FIRST = ("alias", "callback_url", *(f"end_user.{each}" for each in END_USER_DETAILS))
"""What an attempt can change; all other paths begin with ``documents.``."""

_TEXTS = ("alias", "name", "registration_number", "file_names", "repeated_files", "account",
          "application")  # fmt: skip

_ACCOUNT = re.compile(r"MA[A-Za-z0-9]{18}", re.IGNORECASE)

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
        yield from _idle_comparisons(name, test, (*path, name))
        for value in values_of(test):
            if isinstance(value, str) and is_glob(value):
                yield from _glob_mistakes(name, value, (*path, name), words)
            else:
                yield from _value_mistakes(name, value, (*path, name), words)
    for key, test in (when.data_fields or {}).items():
        yield from _test_mistakes(test, (*path, "data_fields", key))
    for name in ("any", "all"):
        inner = getattr(when, name)
        if inner == []:
            yield (*path, name), "is empty"
        for index, each in enumerate(inner or ()):
            yield from _inner_mistakes(each, (*path, name, index), words, depth + 1)
    if when.not_ is not None:
        yield from _inner_mistakes(when.not_, (*path, "not"), words, depth + 1)


def _inner_mistakes(when: When, path: Steps, words: Words, depth: int) -> Iterator[Found]:
    if when == When():
        yield path, "has no condition, so it always holds"
    yield from condition_mistakes(when, path, words, depth)


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
    for key in ("has", "regex"):
        if getattr(test, key) == "":
            yield (*path, key), "is empty: every text has it"
    for key in ("is", "glob"):
        if getattr(test, "is_" if key == "is" else key) == "":
            yield (*path, key), "is empty: nothing is; write {missing: true}"
    yield from unread(regex, test.regex, (*path, "regex"))
    if test.missing and test != Comparison(missing=True):
        yield path, "can match nothing: what is missing cannot be compared"
    if test.at_least is not None and test.at_most is not None and test.at_least > test.at_most:
        yield path, f"nothing is at least {test.at_least:g} and at most {test.at_most:g}"


def _idle_comparisons(name: str, test: Any, path: Steps) -> Iterator[Found]:
    """Comparisons that this fact never meets, whatever it is."""
    if not isinstance(test, Comparison):
        return
    if test.missing and name in _ALWAYS:
        yield (
            (*path, "missing"),
            f"can match nothing: {name} is never missing",
        )
    if test.differs_from == name:
        yield (*path, "differs_from"), "can match nothing: it is compared with itself"


def _texts(test: Any) -> Iterator[str]:
    """Every text that a test compares with, the regex apart."""
    if isinstance(test, Comparison):
        test = [test.is_, test.glob, test.has, *(test.one_of or ())]
    return (each for each in (test if isinstance(test, list) else [test]) if isinstance(each, str))


def values_of(test: Any) -> list[Scalar]:
    """The values and globs that a whole value is compared with."""
    if isinstance(test, Comparison):
        given = [each for each in (test.is_, test.glob) if each is not None]
        return [*given, *(test.one_of or ())]
    return test if isinstance(test, list) else [test]


def _glob_mistakes(name: str, wanted: str, path: Steps, words: Words) -> Iterator[Found]:
    """A glob that fits none of the few words which this fact can be."""
    known: Collection[str] = CLOSED.get(name, ())
    what = name.replace("_", " ")
    if name == "document_types":
        known, what = words.documents, "document type"
    elif name == "changed" and wanted.casefold().startswith("end_user."):
        known, what = [f"end_user.{each}" for each in END_USER_DETAILS], "detail of an end user"
    if known and not any(map(glob(wanted), known)):
        yield path, f"'{wanted}' matches no {what}{did_you_mean(wanted, sorted(known), listed=0)}"


def _value_mistakes(name: str, value: Scalar, path: Steps, words: Words) -> Iterator[Found]:
    """A value that this fact can never have."""
    text = str(value)
    if name in CLOSED:
        yield from unknown_word(text, CLOSED[name], name.replace("_", " "), path)
    elif name == "document_types":
        yield from unknown_word(text, words.documents, "document type", path)
    elif name == "changed":
        yield from _path_mistakes(text, words, path)
    elif name == "country":
        yield from _country_mistakes(text, words, path)
    elif name == "account" and not _ACCOUNT.fullmatch(text):
        yield path, f"'{text}' is no auth id of an account: MA and 18 letters or digits"
    elif name in COUNTED and not (text.isascii() and text.isdecimal() and int(text) >= 1):
        yield path, f"{text} is no {name}; they count from 1"


def _path_mistakes(text: str, words: Words, path: Steps) -> Iterator[Found]:
    """A complaint about the path of nothing that an attempt sends."""
    first, dot, rest = text.casefold().partition(".")
    yield from unknown_word(first, _PATHS, "part of a submission", path)
    if first == "documents":
        word = _COUNTED_WORD.sub("", rest.partition(".")[0])
        yield from unknown_word(word, words.documents, "document type", path)
    elif first == "end_user":
        yield from unknown_word(rest, END_USER_DETAILS, "detail of an end user", path)
    elif dot and first in _PATHS:
        yield path, f"'{first}' has no parts"


def doubtful_fields(scenario: Scenario, known: Collection[str]) -> Iterator[Found]:
    """Names of data fields that no document of the catalogue asks for. A client can send others,
    which are kept, so this is no mistake; mostly it is one all the same. ``known``: those of the
    catalogue."""
    for index, rule in enumerate(scenario.rules):
        for path, name in _fields_in(rule.when, ("rules", index, "when")):
            if name not in known:
                hint = did_you_mean(name, sorted(known), listed=0)
                yield path, f"no document of the catalogue has a field '{name}'{hint}"


def doubtful_texts(scenario: Scenario) -> Iterator[Found]:
    """Texts that are compared as numbers or as dates, which they are in few submissions."""
    for index, rule in enumerate(scenario.rules):
        yield from _typed_texts(rule.when, ("rules", index, "when"))


def _typed_texts(when: When, path: Steps) -> Iterator[Found]:
    for name in _TEXTS:
        test = getattr(when, name)
        for key, kind in (("at_least", "number"), ("at_most", "number"), ("passed", "date")):
            is_usual = name == "registration_number" and kind == "number"
            if isinstance(test, Comparison) and getattr(test, key) is not None and not is_usual:
                told = f"matches only a text that is a {kind}"
                yield (*path, name, key), told
    for key in ("any", "all"):
        for index, each in enumerate(getattr(when, key) or ()):
            yield from _typed_texts(each, (*path, key, index))
    if when.not_ is not None:
        yield from _typed_texts(when.not_, (*path, "not"))


def _fields_in(when: When, path: Steps) -> Iterator[Found]:
    """The names of data fields that are looked at."""
    for name in when.data_fields or {}:
        yield (*path, "data_fields", name), name
    for text in map(str, values_of(when.changed) if when.changed is not None else ()):
        steps = text.split(".")
        if len(steps) == 3 and steps[0] == "documents" and not is_glob(steps[2]):
            yield (*path, "changed"), steps[2]
    for key in ("any", "all"):
        for index, each in enumerate(getattr(when, key) or ()):
            yield from _fields_in(each, (*path, key, index))
    if when.not_ is not None:
        yield from _fields_in(when.not_, (*path, "not"))


def _country_mistakes(text: str, words: Words, path: Steps) -> Iterator[Found]:
    """A complaint about what is the code of no country: such a condition never holds."""
    if not _COUNTRY.fullmatch(text):
        told = f"'{text}' is no country code of two letters"
        yield path, told + like_country(text, words.countries)
    elif text.upper() not in words.countries and not is_country(text.upper()):
        yield path, f"there is no country '{text}'{like_country(text, words.countries)}"
