"""Does a rule match a submission, and if not, why not. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from plivo_sim.domain.models import Origin
from plivo_sim.domain.review import Submission
from plivo_sim.scenarios.model import Comparison, Scalar, When

Facts = Mapping[str, Any]
_APIS = {Origin.LEGACY: "legacy", Origin.ATOMS: "atoms"}
_LEAVES = tuple(
    name for name in When.__struct_fields__ if name not in ("any", "all", "not_", "data_fields")
)


def facts_of(submission: Submission, account: str, nth: int) -> Facts:
    """What a rule can ask about. ``nth``: which submission of the account this is, from 1."""
    application, requirement = submission.application, submission.requirement
    words = {type_.id: type_.word for type_ in requirement.document_types}
    return {
        "country": application.country_iso,
        "number_type": application.number_type.value,
        "user_type": application.user_type.value,
        "api": _APIS.get(submission.via, "new"),
        "dialect": submission.via.value,
        "alias": application.alias,
        "name": submission.end_user.name,
        "registration_number": submission.end_user.registration_number,
        "document_types": [
            words.get(d.document_type_id, d.document_type_id) for d in submission.documents
        ],
        "file_names": [d.file.name for d in submission.documents if d.file is not None],
        "data_fields": {k: v for d in submission.documents for k, v in d.data_fields},
        "account": account,
        "application": application.id,
        "attempt": application.attempt,
        "submission": nth,
    }


def check(when: When, facts: Facts) -> tuple[bool, str, int]:
    """Whether every condition holds, the first that does not, and how many held before it."""
    met = 0
    for holds, told in _conditions(when, facts):
        if not holds:
            return False, told, met
        met += 1
    return True, "every condition holds" if met else "it has no conditions", met


def _conditions(when: When, facts: Facts) -> Sequence[tuple[bool, str]]:
    found: list[tuple[bool, str]] = []
    for name in _LEAVES:
        test = getattr(when, name)
        if test is not None:
            found.append(_leaf(name, test, facts[name]))
    for key, test in (when.data_fields or {}).items():
        found.append(_leaf(f"data field {key}", test, facts["data_fields"].get(key)))
    if when.any is not None:
        told = "; ".join(check(each, facts)[1] for each in when.any)
        found.append((any(check(each, facts)[0] for each in when.any), f"none of any: {told}"))
    for each in when.all or ():
        holds, told, _ = check(each, facts)
        found.append((holds, told))
    if when.not_ is not None:
        found.append((not check(when.not_, facts)[0], "what must not hold does"))
    return found


def _leaf(name: str, test: Any, value: Any) -> tuple[bool, str]:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return _holds(test, value), f"{name} is {_quoted(shown)}, wanted {wanted_text(test)}"


def _holds(test: Any, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    if isinstance(test, Comparison):
        return _compares(test, values)
    tests = test if isinstance(test, list) else [test]
    return any(_equals(each, one) for each in tests for one in values)


def _equals(test: Scalar, value: Any) -> bool:
    """Text compares without case, and as a glob; numbers as numbers."""
    if isinstance(test, str) and isinstance(value, str):
        return fnmatch.fnmatchcase(value.casefold(), test.casefold())
    if value is None:
        return False
    return bool(str(test) == str(value))


def _compares(test: Comparison, values: list[Any]) -> bool:
    given = [value for value in values if value not in (None, "")]
    checks = [
        test.missing is None or test.missing is (not given),
        test.is_ is None or any(str(test.is_).casefold() == str(v).casefold() for v in given),
        test.glob is None or any(_equals(test.glob, value) for value in given),
        test.regex is None or any(re.search(test.regex, str(value)) for value in given),
        test.one_of is None or any(_equals(t, value) for t in test.one_of for value in given),
        test.has is None or any(test.has.casefold() in str(value).casefold() for value in given),
        test.at_least is None or any(_number(v) >= test.at_least for v in given),
        test.at_most is None or any(_number(v) <= test.at_most for v in given),
    ]
    return all(checks)


def _number(value: Any) -> float:
    try:
        return float(value)
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
    if key == "missing":
        return "missing" if value else "given"
    if isinstance(value, list):
        value = wanted_text(value)
    return f"{key.replace('_', ' ')} {f'{value:g}' if isinstance(value, float) else value}"


def _quoted(value: Any) -> str:
    return "missing" if value in (None, "") else f"'{value}'" if isinstance(value, str) else (
        str(value)
    )  # fmt: skip
