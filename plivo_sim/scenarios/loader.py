"""Reads scenario files strictly: every mistake in one pass, with line, path and "did you mean".

The shape is checked with the JSON Schema that the types make (``jsonschema``), the meaning
(durations, instants, patterns, the table's arrows) after it. A file with any mistake loads not at
all.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from plivo_sim.domain.statuses import Status, allowed
from plivo_sim.durations import parse_duration
from plivo_sim.scenarios.model import Comparison, Decision, Delay, Scenario, When, json_schema
from plivo_sim.settings import read_instant

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with a file; ``line`` counts from 1, 0 when unknown."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.text}" if self.path else f"{where}: {self.text}"


class ScenarioError(ValueError):
    """A scenario has mistakes: all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def load_scenario(text: str, file: str = "scenario") -> Scenario:
    """A scenario from YAML (or JSON) text. Raises ScenarioError with every mistake."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 0
        told = getattr(error, "problem", None) or str(error)
        raise ScenarioError([Mistake(file, line, "", f"not valid YAML: {told}")]) from None
    except (ValueError, RecursionError) as error:
        raise ScenarioError([Mistake(file, 0, "", f"not valid YAML: {error}")]) from None
    return _checked(data, file, lambda path: _line_of(node, path))


def load_scenario_data(data: Any, file: str = "scenario") -> Scenario:
    """A scenario from plain values. Raises ScenarioError with every mistake."""
    return _checked(data, file, lambda path: 0)


def read_scenario(path: Path) -> Scenario:
    """A scenario from a file. Raises ScenarioError, OSError."""
    return load_scenario(path.read_text("utf-8"), str(path))


def _checked(data: Any, file: str, line_of: Callable[[Steps], int]) -> Scenario:
    found = list(_shape_mistakes(data))
    try:
        scenario = msgspec.convert(_without(data, [path for path, _ in found]), Scenario)
    except msgspec.ValidationError as error:
        found = found or [((), str(error))]
    else:
        found += _meaning_mistakes(scenario)
        if not found:
            return scenario
    raise ScenarioError(Mistake(file, line_of(path), _dotted(path), text) for path, text in found)


def _without(data: Any, paths: Iterable[Steps]) -> Any:
    """The data without the keys complained of, so that the rest can be looked at in this pass."""
    data = copy.deepcopy(data)
    for path in paths:
        holder = data
        for step in path[:-1]:
            holder = holder[step]
        if path and isinstance(holder, dict):
            holder.pop(path[-1], None)
    return data


def _shape_mistakes(data: Any) -> Iterator[tuple[Steps, str]]:
    import jsonschema

    validator = jsonschema.Draft202012Validator(json_schema())
    errors = sorted(validator.iter_errors(data), key=lambda e: [str(p) for p in e.absolute_path])
    for error in errors:
        yield from _told(error)


def _told(error: Any) -> Iterator[tuple[Steps, str]]:
    path: Steps = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        for key in [key for key in error.instance if key not in known]:
            yield (*path, key), f"unknown key{_did_you_mean(str(key), known)}"
    elif error.validator == "anyOf" and error.context:
        deepest = max(error.context, key=lambda e: (len(e.absolute_path), e.validator != "type"))
        if deepest.validator == "type" and len(deepest.absolute_path) == len(path):
            kinds = dict.fromkeys(str(e.validator_value) for e in error.context)
            yield path, f"{_short(error.instance)} is not of type {' or '.join(kinds)}"
        else:
            yield from _told(deepest)
    elif error.validator == "enum":
        hint = _did_you_mean(str(error.instance), [str(v) for v in error.validator_value])
        allowed_words = ", ".join(map(str, error.validator_value))
        yield path, f"{_short(error.instance)} is not one of {allowed_words}{hint}"
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        yield path, f"{', '.join(missing)} is required"
    else:
        yield path, error.message[:200]


def _meaning_mistakes(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    for index, rule in enumerate(scenario.rules):
        yield from _decision_mistakes(rule, ("rules", index))
        yield from _when_mistakes(rule.when, ("rules", index, "when"))
    if scenario.default is not None:
        yield from _decision_mistakes(scenario.default, ("default",))
    policy = scenario.webhooks
    for text, path in [
        (policy.delay, ("webhooks", "delay")),
        (policy.age, ("webhooks", "age")),
        *((each, ("webhooks", "retries", i)) for i, each in enumerate(policy.retries or ())),
        *((s.advance or "", ("steps", i, "advance")) for i, s in enumerate(scenario.steps)),
    ]:
        yield from _try(parse_duration, text, path)
    for index, step in enumerate(scenario.steps):
        if sum(each is not None for each in (step.submit, step.advance, step.get)) != 1:
            yield ("steps", index), "give one of submit, advance, get"


def _decision_mistakes(decision: Decision, path: Steps) -> Iterator[tuple[Steps, str]]:
    after = decision.after
    if isinstance(after, str):
        yield from _try(parse_duration, after, (*path, "after"))
    elif after is not None:
        yield from _delay_mistakes(after, (*path, "after"))
    current = None if decision.decide == "nothing" else Status(decision.decide)
    for index, then in enumerate(decision.then):
        here = (*path, "then", index)
        yield from _try(parse_duration, then.after, (*here, "after"))
        if current is None or not allowed(current, Status(then.status)):
            yield (*here, "status"), f"{then.status} cannot follow {current or 'nothing'}"
        current = Status(then.status)


def _delay_mistakes(delay: Delay, path: Steps) -> Iterator[tuple[Steps, str]]:
    if sum(each is not None for each in (delay.at, delay.between, delay.about)) != 1:
        yield path, "give one of at, between, about"
    yield from _try(read_instant, delay.at or "", (*path, "at"))
    for index, text in enumerate(delay.between or ()):
        yield from _try(parse_duration, text, (*path, "between", index))
    for key in ("about", "give_or_take"):
        yield from _try(parse_duration, getattr(delay, key) or "", (*path, key))


def _when_mistakes(when: When, path: Steps) -> Iterator[tuple[Steps, str]]:
    for name in When.__struct_fields__:
        test = getattr(when, name)
        if isinstance(test, Comparison) and test.regex is not None:
            yield from _try(re.compile, test.regex, (*path, name, "regex"))
    for key, test in (when.data_fields or {}).items():
        if isinstance(test, Comparison) and test.regex is not None:
            yield from _try(re.compile, test.regex, (*path, "data_fields", key, "regex"))
    for name in ("any", "all"):
        for index, each in enumerate(getattr(when, name) or ()):
            yield from _when_mistakes(each, (*path, name, index))
    if when.not_ is not None:
        yield from _when_mistakes(when.not_, (*path, "not"))


def _try(read: Any, text: str, path: Steps) -> Iterator[tuple[Steps, str]]:
    if not text:
        return
    try:
        read(text)
    except (ValueError, re.error) as error:
        yield path, str(error)


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; there are {', '.join(known)}" if len(known) < 12 else ""


def _short(value: Any) -> str:
    return repr(value) if len(repr(value)) < 60 else f"{repr(value)[:57]}..."


def _dotted(path: Steps) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _line_of(node: Any, path: Steps) -> int:
    """The line where a path stands in the file; of an unknown key, the key's own."""
    line = node.start_mark.line + 1 if node is not None else 0
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if getattr(k, "value", None) == step]
            if not pairs:
                return line
            key, node = pairs[0]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                return line
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line
