"""Whether a rule matches a submission, and if not, why not. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from plivo_sim.domain.limits import WHY
from plivo_sim.domain.records import Origin
from plivo_sim.domain.text import number_in
from plivo_sim.scenarios.globs import Texts, texts_of
from plivo_sim.scenarios.language import Comparison, Scalar, When
from plivo_sim.scenarios.patterns import regex
from plivo_sim.scenarios.rules import Submission

Facts = Mapping[str, Any]
_WANTED = ", wanted "
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_APIS = {Origin.LEGACY: "legacy", Origin.ATOMS: "atoms"}
LEAVES = tuple(
    name for name in When.__struct_fields__ if name not in ("any", "all", "not_", "data_fields")
)


def facts_of(
    submission: Submission, account: str, nth: int, changed: Sequence[str], now: datetime
) -> Facts:
    """What a rule can ask about. ``nth``: which submission of the account this is, from 1;
    ``changed``: the paths of what it has otherwise than the first attempt."""
    application, requirement = submission.application, submission.requirement
    words = {type_.id: type_.word for type_ in requirement.document_types}
    files = [each.file for each in submission.documents if each.file is not None]
    often = Counter(each.sha256 for each in files)
    fields: dict[str, list[str]] = {}
    for key, text in (pair for each in submission.documents for pair in each.data_fields):
        fields.setdefault(key, []).append(text)
    facts = {
        "country": application.country_iso,
        "number_type": application.number_type.value,
        "user_type": application.user_type.value,
        "api": api_of(submission.via),
        "dialect": submission.via.value,
        "alias": application.alias,
        "name": submission.end_user.name,
        "registration_number": submission.end_user.registration_number,
        "document_types": [
            words.get(d.document_type_id, d.document_type_id) for d in submission.documents
        ],
        "file_names": [each.name for each in files],
        "repeated_files": [each.name for each in files if often[each.sha256] > 1],
        "account": account,
        "application": application.id,
        "attempt": application.attempt,
        "changed": list(changed),
        "submission": nth,
    }
    return {
        **{name: Given(value) for name, value in facts.items()},
        "data_fields": {key: Given(texts) for key, texts in fields.items()},
        "today": f"{now:%Y-%m-%d}",
    }


def api_of(via: Origin) -> str:
    """The API that speaks this dialect."""
    return _APIS.get(via, "new")


def check(when: When, facts: Facts) -> tuple[bool, str, int]:
    """Whether every condition holds, what held or the first that does not, and how many held. Each
    condition is looked at once, those after the first that does not hold never."""
    held: list[str] = []
    for holds, told in _conditions(when, facts):
        if not holds:
            return False, _cut(told), len(held)
        held.append(told.partition(_WANTED)[0])
    return True, _cut(" and ".join(held)) if held else "it has no conditions", len(held)


def _cut(text: str) -> str:
    return text if len(text) <= WHY else f"{text[: WHY - 1]}…"


def _conditions(when: When, facts: Facts) -> Iterator[tuple[bool, str]]:
    for name in LEAVES:
        test = getattr(when, name)
        if test is not None:
            yield _leaf(name, test, facts[name], facts)
    for key, test in (when.data_fields or {}).items():
        yield _leaf(f"data field {key}", test, facts["data_fields"].get(key), facts)
    if when.any is not None:
        found = [check(each, facts) for each in when.any]
        held = next((why for holds, why, _ in found if holds), None)
        told = "; ".join(why for _, why, _ in found)
        yield held is not None, f"none of any: {told}" if held is None else held
    for each in when.all or ():
        holds, why, _ = check(each, facts)
        yield holds, why
    if when.not_ is not None:
        holds, why, _ = check(when.not_, facts)
        yield not holds, f"what must not hold does: {why}" if holds else why


def _leaf(name: str, test: Any, value: Any, facts: Facts) -> tuple[bool, str]:
    told = f"{name} is {_quoted(given_of(value).told)}"
    other = test.differs_from if isinstance(test, Comparison) else None
    if other is not None:
        told += f", while {other} is {_quoted(given_of(facts[other]).told)}"
    told += f"{_WANTED}{wanted_text(test)}"
    return holds(test, value, facts), told


class Given:
    """What a submission has for a condition: a value, or a list of them; read once for all that
    ask of it. ``is_missing``: whether it has none that is more than an empty text."""

    def __init__(self, value: Any) -> None:
        self.values = value if isinstance(value, list) else [value]
        self.is_missing = all(each in (None, "") for each in self.values)
        self._is_list = isinstance(value, list)

    @cached_property
    def told(self) -> Any:
        """What is told of it: of a text no more than is kept of a sentence."""
        if not self._is_list and not isinstance(self.values[0], str):
            return self.values[0]
        return ", ".join(dict.fromkeys(str(each)[:WHY] for each in self.values[:WHY]))

    @cached_property
    def texts(self) -> Texts:
        """Those that are looked at, numbers as texts, without what is missing."""
        return Texts(str(each) for each in self.values if each not in (None, ""))

    def equals(self, test: Scalar) -> bool:
        """Text compares without case, and as a glob; numbers as numbers."""
        if isinstance(test, str) and any(isinstance(each, str) for each in self.values):
            return self.texts.fit(test) or ("" in self.values and texts_of("").fit(test))
        return str(test) in self.texts.looked


def given_of(value: Any) -> Given:
    """The same, unless it has been read already."""
    return value if isinstance(value, Given) else Given(value)


def holds(test: Any, value: Any, facts: Facts) -> bool:
    """Whether a value, or one of a list of them, is as a test wants it. ``facts``: the others, for
    ``differs_from``, and ``today``."""
    given = given_of(value)
    if isinstance(test, Comparison):
        return _compares(test, given, facts)
    return any(map(given.equals, test if isinstance(test, list) else [test]))


def _compares(test: Comparison, given: Given, facts: Facts) -> bool:
    looked, folded = given.texts.looked, given.texts.folded
    other = given_of(facts[test.differs_from]).values[0] if test.differs_from else None
    checks = [
        test.missing is None or test.missing is given.is_missing,
        test.is_ is None or str(test.is_).casefold() in folded,
        test.glob is None or (not given.is_missing and given.equals(test.glob)),
        test.regex is None or any(_has(test.regex, text) for text in looked),
        test.one_of is None or (not given.is_missing and any(map(given.equals, test.one_of))),
        test.has is None or any(test.has.casefold() in text for text in folded),
        test.at_least is None or any(_number(text) >= test.at_least for text in looked),
        test.at_most is None or any(_number(text) <= test.at_most for text in looked),
        test.differs_from is None or any(_differs(text, other) for text in looked),
        test.passed is None or any(_has_passed(text, facts) is test.passed for text in looked),
    ]
    return all(checks)


def _differs(value: Any, other: Any) -> bool:
    """Whether both are given, and are not the same text, apart from case and spaces around it."""
    return bool(other) and str(value).strip().casefold() != str(other).strip().casefold()


def _has_passed(value: Any, facts: Facts) -> bool | None:
    """Whether it is a date, as ``2026-01-05``, before today; None: it is none."""
    return str(value) < facts["today"] if _DATE.fullmatch(str(value)) else None


def _has(pattern: str, text: str) -> bool:
    """Whether a regex is found in a text; one that is not supported (of a state that an older
    version wrote) is found in none."""
    try:
        return regex(pattern).found_in(text)
    except ValueError:
        return False


def _number(value: Any) -> float:
    try:
        return number_in(str(value))  # an int may be too large for a float
    except ValueError:
        return float("nan")


def wanted_text(test: Any) -> str:
    """A condition as a person would read it."""
    if isinstance(test, Comparison):
        parts = msgspec.to_builtins(test)
        return " and ".join(_part_text(key, value) for key, value in parts.items())
    if isinstance(test, list):
        return " or ".join(_quoted(each) for each in test)
    return _quoted(test)


def _part_text(key: str, value: Any) -> str:
    if key in ("missing", "passed"):
        negative = {"missing": "given", "passed": "not passed"}
        return key if value else negative[key]
    if isinstance(value, list):
        value = wanted_text(value)
    return f"{key.replace('_', ' ')} {f'{value:g}' if isinstance(value, float) else value}"


def _quoted(value: Any) -> str:
    return "missing" if value in (None, "") else f"'{value}'" if isinstance(value, str) else (
        str(value)
    )  # fmt: skip
