"""The shape of a catalogue file, as types: the one schema, from which the JSON Schema is made.

One shape serves a country's file, the common file, and a user's own file with entries for any
countries. ``docs/catalogue.md`` describes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from plivo_sim.domain.countries import (
    Applicants,
    Country,
    Digits,
    Part,
    Place,
    Rate,
    Weight,
    Word,
)
from plivo_sim.domain.records import NumberType, UserType, Version

Iso = Annotated[
    str,
    Meta(
        pattern="^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2 code",
        title="two capital letters",
        examples=["KE"],
    ),
]
Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="The real id; without one, it is drawn from the seed",
        title="a UUID in small letters",
        examples=["0a1b2c3d-0000-4000-8000-000000000001"],
    ),
]
Day = Annotated[
    str,
    Meta(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="When it was seen, yyyy-mm-dd",
        title="a day",
        examples=["2026-11-29"],
    ),
]
Source = Literal["documented", "observed", "field-reported", "inferred", "invented"]
"""How sure an entry is; ``fidelity.WORDS`` says what each word means."""


class Field(Part, frozen=True, kw_only=True):
    """A field of a document; its name is its key. ``made_up``: what ``plivo-sim seed`` fills it
    with; ``#`` is a digit and ``?`` a letter."""

    label: str
    required: bool = True
    type: Literal["string", "date", "enum"] = "string"
    min_length: Annotated[int, Meta(ge=0)] = 1
    max_length: Annotated[int, Meta(ge=1)] = 255
    help_text: str | None = None
    format: str | None = None
    enums: tuple[str, ...] = ()
    attribute: str = ""
    made_up: str = ""


class NamedField(Field, frozen=True, kw_only=True):
    """A field that belongs to one document type or requirement. ``attribute``: the end-user
    attribute that satisfies it, where the published name differs."""

    name: str


class DocumentTypeEntry(Part, frozen=True, kw_only=True):
    """A kind of document; its word is its key. ``proof_required``: whether a file is needed;
    ``proof``: what the legacy API says of that file. ``fields``: words of ``fields``, or fields of
    its own. ``accepted_formats``: information only, on the beta page."""

    name: str
    description: str
    id: Uuid | UnsetType = UNSET
    proof_required: bool = True
    proof: str = ""
    fields: tuple[str | NamedField, ...] = ()
    accepted_formats: tuple[str, ...] = ()


class SlotEntry(Part, frozen=True, kw_only=True):
    """One demand that any of several document types satisfies, under a name of its own. ``scope``:
    as the legacy API tells it; without one, the number type."""

    name: str
    any_of: tuple[str, ...]
    scope: str = ""


class RequirementEntry(Part, frozen=True, kw_only=True):
    """What is asked for by one or more number types and user types of a country.

    ``version``: ``current`` is what the SDKs and the legacy API show, ``beta`` what the beta page
    prints. ``source``: how sure that is; ``evidence``: where it is from, in a few words;
    ``observed``: the day on which it was seen. ``id`` needs one number type and one user type.
    ``exists``: false takes the entry of an earlier file away.
    """

    version: Version = Version.CURRENT
    country: Iso | UnsetType = UNSET
    number_types: Annotated[tuple[NumberType, ...], Meta(min_length=1)]
    user_types: Annotated[tuple[UserType, ...], Meta(min_length=1)]
    documents: tuple[str | SlotEntry, ...]
    exists: bool = True
    id: Uuid | UnsetType = UNSET
    source: Source = "invented"
    evidence: str = ""
    observed: Day | UnsetType = UNSET
    estimated_review_days: Annotated[int, Meta(ge=0, le=365)] = 3
    end_user_fields: tuple[NamedField, ...] = ()


class File(Part, frozen=True, kw_only=True):
    """A catalogue file. ``country``: the one that it is about; its facts follow (see ``Country``),
    and entries without a country are its own. ``page_fields`` is read by nobody: anchors can stand
    there."""

    country: Iso | UnsetType = UNSET
    name: Word | UnsetType = UNSET
    adjective: Word | UnsetType = UNSET
    monthly_rate: Rate | UnsetType = UNSET
    places: tuple[Place, ...] | UnsetType = UNSET
    number_examples: Mapping[NumberType, Digits] | UnsetType = UNSET
    applicants: Applicants | UnsetType = UNSET
    withheld: tuple[NumberType, ...] | UnsetType = UNSET
    renters: tuple[UserType, ...] | UnsetType = UNSET
    rent_page: str | UnsetType = UNSET
    campaign_types: tuple[NumberType, ...] | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    fields: Mapping[str, Field] = {}
    document_types: Mapping[str, DocumentTypeEntry] = {}
    page_fields: tuple[NamedField, ...] = ()
    requirements: tuple[RequirementEntry, ...] = ()

    def facts(self) -> dict[str, Any]:
        """What it says of its country."""
        told = ((name, getattr(self, name)) for name in Country.__struct_fields__)
        return {name: value for name, value in told if value is not UNSET}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a catalogue file, for editors and for ``catalogue check``."""
    schema: dict[str, Any] = msgspec.json.schema(File)
    for part in schema["$defs"].values():
        if "description" in part:
            part["description"] = " ".join(part["description"].replace("``", "`").split())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plivo-sim catalogue file",
        **schema,
    }
