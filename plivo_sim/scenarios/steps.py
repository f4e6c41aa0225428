"""Checks the steps of a scenario, and what it expects of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.machine import Machine, words_of
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.domain.words import did_you_mean, like_country
from plivo_sim.scenarios.complaints import (
    Words,
    holds_wrong,
    not_one_of,
    part,
    parts,
    unknown_preset,
    unknown_word,
    unread,
)
from plivo_sim.scenarios.language import Correct, Deliveries, Expect, StepEntry, Submit

_STEP_COUNTRY = re.compile(r"[A-Z]{2}")

FILE_ENDINGS = (".pdf", ".png")


def step_mistakes(
    data: Mapping[str, Any],
    wrong: Collection[Steps],
    words: Words,
    machine: Machine,
) -> Iterator[Found]:
    """Steps that do nothing or two things, files of unknown documents, names of no application.

    Names are only looked at when the shape of every step is right.
    """
    steps = list(parts(data.get("steps"), StepEntry, ("steps",)))
    for path, step in steps:
        yield from _entry_mistakes(step, path)
        yield from _document_mistakes(step.submit, (*path, "submit"), words)
        yield from _document_mistakes(step.correct, (*path, "correct"), words)
        yield from unread(parse_duration, step.advance, (*path, "advance"))
    end = part(data.get("expect"), Expect)
    expectations = [((*path, "expect"), step.expect) for path, step in steps if step.expect]
    for path, expect in [*expectations, *([(("expect",), end)] if end is not None else [])]:
        yield from _expect_mistakes(expect, path)
        yield from _word_mistakes(expect, path, machine)
    if not holds_wrong(("steps",), wrong) and len(steps) == len(data.get("steps") or ()):
        yield from _name_mistakes(steps, end)


def _entry_mistakes(step: StepEntry, path: Steps) -> Iterator[Found]:
    given = [name for name in StepEntry.__struct_fields__ if getattr(step, name) is not None]
    if len(given) != 1 or step.advance == "":
        yield path, f"give one of {', '.join(StepEntry.__struct_fields__)}"


def _document_mistakes(step: Correct | None, path: Steps, words: Words) -> Iterator[Found]:
    if step is None:
        return
    if isinstance(step, Submit) and not _STEP_COUNTRY.fullmatch(step.country):
        text = f"'{step.country}' is no country code of two capital letters"
        yield (*path, "country"), text + like_country(step.country, words.countries)
    for word, name in step.files.items():
        here = (*path, "files", word)
        yield from unknown_word(word, words.documents, "document type", here)
        if not name.lower().endswith(FILE_ENDINGS):
            yield here, f"'{name}' must end in {' or '.join(FILE_ENDINGS)}"


def _expect_mistakes(expect: Expect, path: Steps) -> Iterator[Found]:
    if expect == Expect():
        yield path, "expects nothing"
    if expect.deliveries == Deliveries():
        yield (*path, "deliveries"), "expects nothing"
    for app, reasons in expect.reasons.items():
        for index, reason in enumerate(reasons):
            here = (*path, "reasons", app, index)
            if not reason.strip():
                yield here, "is empty: every reason would do"
            yield from unknown_preset(reason, here)


def _word_mistakes(expect: Expect, path: Steps, machine: Machine) -> Iterator[Found]:
    words = words_of(machine)
    for app, status in expect.status.items():
        yield from not_one_of(status, words["ends"], (*path, "status", app))
    for app, timeline in expect.timeline.items():
        for index, status in enumerate(timeline):
            yield from not_one_of(status, words["statuses"], (*path, "timeline", app, index))
    for index, status in enumerate(expect.callbacks or ()):
        yield from not_one_of(status, words["callbacks"], (*path, "callbacks", index))


def _name_mistakes(steps: list[tuple[Steps, StepEntry]], end: Expect | None) -> Iterator[Found]:
    """Applications that no step before has submitted."""
    submitted: list[str] = []
    for path, step in steps:
        if step.submit is not None:
            submitted.append(step.submit.app)
        elif step.correct is not None:
            yield from _unfiled(step.correct.app, submitted, (*path, "correct", "app"))
        elif step.get is not None:
            yield from _unfiled(step.get, submitted, (*path, "get"))
        elif step.expect is not None:
            yield from _unfiled_in(step.expect, submitted, (*path, "expect"))
    if end is not None and not steps:
        yield ("expect",), "there are no steps that could lead to it"
    elif end is not None:
        yield from _unfiled_in(end, submitted, ("expect",))


def _unfiled_in(expect: Expect, submitted: list[str], path: Steps) -> Iterator[Found]:
    for name in ("status", "timeline", "reasons"):
        for app in getattr(expect, name):
            yield from _unfiled(app, submitted, (*path, name, app))


def _unfiled(app: str, submitted: list[str], path: Steps) -> Iterator[Found]:
    if app not in submitted:
        yield path, f"no step before submits '{app}'{did_you_mean(app, submitted)}"
