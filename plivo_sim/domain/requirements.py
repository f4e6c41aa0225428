"""What a country asks for, and the pure check of an application against it.

The catalogue is data (``catalogue/countries``); this module only knows what it says. What is
published of a requirement is also what is checked (inferred). Each version of a requirement has
its own id and its own document-type ids (decision "Requirement versions").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from plivo_sim.domain import limits
from plivo_sim.domain.countries import Country, nameless
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.records import EndUser, NumberType, UserType, Version
from plivo_sim.domain.text import filled


class FieldRule(msgspec.Struct, frozen=True, kw_only=True):
    """A field that must be filled in. ``attribute``: the end-user attribute that satisfies it,
    where the published name differs (``address.line1`` -> ``address_line1``).

    ``made_up``: what ``plivo-sim seed`` fills it with; ``#`` is a digit and ``?`` a letter.

    ``type`` is one of three words, and dates are written ``yyyy-mm-dd`` (documented:
    docs/wire-facts.md, "Kinds of fields").
    """

    name: str
    label: str
    required: bool = True
    type: Literal["string", "date", "enum"] = "string"
    min_length: int = 1
    max_length: int = 255
    help_text: str | None = None
    format: str | None = None
    enums: tuple[str, ...] = ()
    attribute: str = ""
    made_up: str = ""


class DocumentType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of document. ``word`` is its short name (``identity_proof``)."""

    id: str
    word: str
    name: str
    description: str
    proof_required: bool = True
    proof: str = ""
    fields: tuple[FieldRule, ...] = ()
    accepted_formats: tuple[str, ...] = ()


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One demand of a requirement: a document of any of these types satisfies it."""

    name: str
    scope: str
    types: tuple[DocumentType, ...]


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """``adjective``: its country's, for sentences. ``source``: how sure it is; ``evidence``: where
    it is from; ``observed``: the day on which it was seen, ``yyyy-mm-dd``, or empty."""

    id: str
    version: Version
    country_iso: str
    number_type: NumberType
    user_type: UserType
    slots: tuple[Slot, ...]
    end_user_fields: tuple[FieldRule, ...] = ()
    estimated_review_days: int = 3
    source: str = "invented"
    evidence: str = ""
    observed: str = ""
    adjective: str = ""

    @property
    def document_types(self) -> tuple[DocumentType, ...]:
        return tuple(type_ for slot in self.slots for type_ in slot.types)

    def document_type(self, reference: str) -> DocumentType | None:
        """The type with this id or this word, if the requirement knows it."""
        wanted = reference.lower()
        for type_ in self.document_types:
            if wanted in (type_.id, type_.word):
                return type_
        return None


Key = tuple[str, NumberType, UserType]


class Catalogue:
    """All requirements, found by id or by (country, number type, user type) and version, and all
    else that is known of countries. ``absent``: those that are known not to be there."""

    def __init__(
        self,
        requirements: Iterable[Requirement],
        countries: Mapping[str, Country] = {},
        absent: Iterable[Requirement] = (),
    ) -> None:
        self.requirements = tuple(requirements)
        self.absent = tuple(absent)
        self._countries = countries
        self.by_id = {r.id: r for r in self.requirements}
        self._by_key: dict[tuple[Version, Key], Requirement] = {
            (r.version, (r.country_iso, r.number_type, r.user_type)): r for r in self.requirements
        }
        self.types_by_id = {t.id: t for r in self.requirements for t in r.document_types}
        self.document_words = frozenset(t.word for t in self.types_by_id.values())
        self.field_names = frozenset(f.name for t in self.types_by_id.values() for f in t.fields)

    def find(self, version: Version, key: Key) -> Requirement | None:
        return self._by_key.get((version, key))

    def country(self, country_iso: str) -> Country:
        """The facts of a country; one that no file describes is called by its code."""
        return self._countries.get(country_iso) or nameless(country_iso)

    @property
    def names(self) -> dict[str, str]:
        """What each country that requires something is called, by its code."""
        isos = sorted({each.country_iso for each in self.requirements})
        return {iso: self.country(iso).name for iso in isos}

    def countries(self, version: Version) -> list[str]:
        return sorted({r.country_iso for r in self.requirements if r.version is version})

    def of_country(self, version: Version, country_iso: str) -> list[Requirement]:
        return [
            r for r in self.requirements if r.version is version and r.country_iso == country_iso
        ]

    def no_requirement(
        self,
        version: Version,
        country_iso: str,
        number_type: str | None = None,
        user_type: str | None = None,
    ) -> Problem:
        """The problem of what ``find`` or ``of_country`` has no requirement for, None meaning any:
        its path and its text say which of the three is wrong.

        The text begins with the live service's words (field-reported: docs/wire-facts.md, "Could
        not find any requirement"). What follows them is ours (invented).
        """
        found, place = self.of_country(version, country_iso), country_iso
        lacking, there = "country_iso", self.countries(version)
        text = f"country {country_iso}"
        for name, word in (("number_type", number_type), ("user_type", user_type)):
            if found and word is not None:
                lacking, there = name, [getattr(each, name).value for each in found]
                text = f"{name.replace('_', ' ')} {word} in {place}"
                found = [each for each in found if getattr(each, name) == word]
                place += f"/{word}"
        text = f"Could not find any requirement for {text}; there is one for "
        text += ", ".join(dict.fromkeys(there))
        return Problem(ProblemKind.NO_REQUIREMENT, (lacking,), text)


class DocumentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the check needs to know of one document. ``index``: its place in the request."""

    type: DocumentType | None
    type_reference: str
    data_fields: Mapping[str, str]
    has_file: bool
    index: int


def check_documents(
    requirement: Requirement, documents: Sequence[DocumentFacts], *, allow_surplus: bool
) -> list[Problem]:
    """Everything that is wrong with the set of documents.

    ``allow_surplus``: the legacy API takes documents that nobody asked for
    (decision "Surplus documents").
    """
    problems: list[Problem] = []
    accepted = {type_.id for type_ in requirement.document_types}
    for document in documents:
        if document.type is None or document.type.id not in accepted:
            if not allow_surplus:
                problems.append(_unknown_type(requirement, document))
            continue
        problems += check_document(document.type, document, document.index)
    given = {document.type.id for document in documents if document.type is not None}
    problems += [
        Problem(
            ProblemKind.MISSING_DOCUMENT,
            ("documents",),
            f"a document of type '{slot.name}' is required",
            {"slot": slot, "requirement": requirement},
        )
        for slot in requirement.slots
        if not any(type_.id in given for type_ in slot.types)
    ]
    return problems


def check_document(type_: DocumentType, document: DocumentFacts, index: int) -> list[Problem]:
    """What one document lacks of what its type asks for: fields, lengths, words, the file."""
    path = ("documents", index)
    problems = check_data_fields(type_, document.data_fields, (*path, "data_fields"))
    if type_.proof_required and not document.has_file:
        text = f"a file is required for document type '{type_.name}'"
        problems.append(Problem(ProblemKind.MISSING_FILE, (*path, "file"), text))
    return problems


def check_data_fields(type_: DocumentType, values: Mapping[str, str], path: Path) -> list[Problem]:
    """What is missing or wrong among the fields that a document type asks for."""
    problems: list[Problem] = []
    for rule in type_.fields:
        value = values.get(rule.name, "")
        problem = check_value(rule, value, (*path, rule.name))
        if problem is not None and not filled(value):
            text = f"is required for document type '{type_.name}'"
            facts = {"type": type_, "field": rule.name}
            problem = Problem(ProblemKind.MISSING_DATA_FIELD, problem.path, text, facts)
        if problem is not None:
            problems.append(problem)
    return problems


def too_much(values: Mapping[str, str]) -> str:
    """What is said of data fields that are too many, or too long together (invented: no page gives
    a limit for fields that a document type does not ask for); empty when nothing is."""
    size = sum(len(name) + len(text) for name, text in values.items())
    for count, limit in ((len(values), limits.FIELDS), (size, limits.DATA_FIELDS)):
        if count > limit.most:
            return f"has {count} {limit.unit}: {limit}"
    return ""


def check_end_user(
    requirement: Requirement, end_user: EndUser | Mapping[str, str | None]
) -> list[Problem]:
    """Which end-user fields that the requirement publishes are missing or of a wrong length."""
    problems = []
    for rule in requirement.end_user_fields:
        attribute = rule.attribute or rule.name
        value = (
            end_user.get(attribute)
            if isinstance(end_user, Mapping)
            else getattr(end_user, attribute)
        )
        problem = check_value(rule, value or "", ("end_user", attribute))
        if problem is not None:
            problems.append(problem)
    return problems


def check_value(rule: FieldRule, value: str, path: tuple[str | int, ...]) -> Problem | None:
    """One value against one rule: presence, length, the list of words, and for a date that the
    calendar has it. That a wrong date or word is refused is inferred."""
    if not filled(value):
        if not rule.required:
            return None
        return Problem(ProblemKind.MISSING_FIELD, path, "is required", {"label": rule.label})
    if rule.type == "date" and not _is_date(value):
        return Problem(ProblemKind.BAD_VALUE, path, "must be a date, written yyyy-mm-dd")
    if not rule.min_length <= len(value) <= rule.max_length:
        least = "" if rule.min_length == rule.max_length else f"{rule.min_length} to "
        text = f"must have {least}{rule.max_length} characters, has {len(value)}"
        return Problem(ProblemKind.BAD_LENGTH, path, text)
    if rule.enums and value not in rule.enums:
        text = f"must be one of {', '.join(rule.enums)}"
        return Problem(ProblemKind.NOT_ALLOWED, path, text)
    return None


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _unknown_type(requirement: Requirement, document: DocumentFacts) -> Problem:
    """The types are told as the requirement's version publishes them: by their word on the beta
    page, else by name and id."""
    published = requirement.document_types
    if requirement.version is Version.BETA:
        allowed = [type_.word for type_ in published]
    else:
        allowed = [f"{type_.name} ({type_.id})" for type_ in published]
    text = (
        f"unknown document type '{document.type_reference}' for "
        f"{requirement.country_iso}/{requirement.number_type}/{requirement.user_type}; "
        f"it takes {', '.join(allowed) or 'no documents'}"
    )
    path = ("documents", document.index, "document_type_id")
    return Problem(ProblemKind.UNKNOWN_DOCUMENT_TYPE, path, text)
