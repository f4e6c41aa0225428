"""What requests ask of applications, and what is done with the problems that they have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import msgspec

from plivo_sim.domain.errors import Invalid, Problem
from plivo_sim.domain.records import Method, NumberType, Origin, UserType, Version


class Upload(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A file as a client sent it; ``name`` is a bare name, without folders."""

    name: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """What the file store will know it by."""
        return hashlib.sha256(self.content).hexdigest()


class DocumentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A document in a request: its type by id or word, its fields, its file."""

    type_reference: str
    data_fields: Mapping[str, str] = msgspec.field(default_factory=dict)
    upload: Upload | None = None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect decides about an application beyond its wording.

    ``expected_details``: details of the end user that clients may leave out with a warning.
    ``unique_aliases``: whether an alias is the client's choice, which one end user has once.
    """

    origin: Origin
    version: Version
    formats: tuple[str, ...]
    replaces_documents: bool
    https_only: bool = True
    expected_details: tuple[str, ...] = ()
    unique_aliases: bool = True


class NewApplication(msgspec.Struct, frozen=True, kw_only=True):
    """A request to create; a value that was missing or unusable is None."""

    country_iso: str | None = None
    number_type: NumberType | None = None
    user_type: UserType | None = None
    alias: str | None = None
    end_user: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    documents: Sequence[DocumentDraft] = ()
    callback_url: str | None = None
    callback_method: Method = "POST"
    subaccount: str | None = None


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A request to update; None means "not given"."""

    alias: str | None = None
    end_user: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    documents: Sequence[DocumentDraft] | None = None
    callback_url: str | None = None
    callback_method: Method | None = None


def refuse(problems: Sequence[Problem], *, strict: bool) -> tuple[Problem, ...]:
    """Raise Invalid if any problem is hard (or strictness makes it so); else return the soft."""
    if any(strict or not problem.soft for problem in problems):
        raise Invalid([_as_told(each) for each in problems if strict or not each.soft])
    return tuple(problems)


def _as_told(problem: Problem) -> Problem:
    """In the live service's words, where they are known (decision "What no legacy SDK sends")."""
    if not problem.live_text:
        return problem
    return replace(problem, path=(), text=problem.live_text)


def merge(found: Iterable[Problem], more: Iterable[Problem]) -> list[Problem]:
    """Both lists, without those of ``more`` that lie at or below a path already complained of."""
    problems = list(found)
    flagged = {problem.path for problem in problems}
    for problem in more:
        prefixes = {problem.path[:length] for length in range(1, len(problem.path) + 1)}
        if not prefixes & flagged:
            problems.append(problem)
    return problems
