"""What may stand on a tape as it is: the words of the APIs. Everything else is replaced.

Keys, statuses and paths are those of the OpenAPI documents; names of document types and fields are
the catalogue's. A word that the simulator does not know yet, such as a new status, stays when its
parts are in ``words.txt``, plain technical words that are nobody's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Any

from plivo_sim.apis.atoms.routes import ATOMS
from plivo_sim.apis.legacy.routes import LEGACY
from plivo_sim.apis.numbers.routes import NUMBERS
from plivo_sim.apis.phone_number.routes import BETA, CURRENT
from plivo_sim.catalogue import load_catalogue
from plivo_sim.openapi import build
from plivo_sim.web.endpoints import Surface

SURFACES: tuple[Surface, ...] = (CURRENT, LEGACY, NUMBERS, BETA, ATOMS)

SENTENCE_KEYS = frozenset({"error", "errors", "message", "detail", "title"})
"""Their values are sentences of the service: words of the API stay, all else is replaced."""

CATALOGUE_KEYS = frozenset(
    {
        "name", "description", "proof_required", "field_name", "friendly_name", "field_type",
        "help_text", "format", "enums", "scope", "document_name", "document_type_name", "type",
        "label", "word", "accepted_formats", "title",
    }
)  # fmt: skip
"""What a requirement or a document type says; nobody but the service wrote it."""

WORD_KEYS = frozenset(
    {
        "status", "type", "number_type", "user_type", "end_user_type", "callback_method", "code",
        "field_type", "field_name", "expand", "services", "param", "event", "operation_type",
        "scope", "order", "sort", "numberType", "userType", "fieldName", "fieldType",
    }
)  # fmt: skip
COUNTRY_KEYS = frozenset({"country", "country_iso", "country_iso2", "countryIso", "endUserCountry"})
NUMBERED_KEYS = frozenset(
    {
        "limit", "offset", "total_count", "min_length", "max_length", "minLength", "maxLength",
        "estimated_review_days", "updated_count",
    }
)  # fmt: skip
"""Their values are counts and lengths, in digits."""
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*+(?:[_-][A-Za-z0-9]++)*+")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_TOLD = re.compile(r"One of (.*)\.")


class Words:
    """The words of all APIs; made once, because the documents take a moment."""

    def __init__(self) -> None:
        self.keys: set[str] = {"documents", "file", "files", "data"}
        self.values: set[str] = {"GET", "POST"}
        self.segments: set[str] = set()
        for surface in SURFACES:
            document = build(surface)
            self._add_paths(document["paths"])
            self._add_schemas(document)
        self.plain = frozenset(_resource("words.txt").split())
        types = load_catalogue(1).types_by_id.values()
        self.document_names = {type_.name for type_ in types}
        self.enums = {word for type_ in types for rule in type_.fields for word in rule.enums}
        self.field_names = {rule.name for type_ in types for rule in type_.fields}
        self.keys |= self.field_names

    def _add_paths(self, paths: dict[str, Any]) -> None:
        for path in paths:
            self.segments |= {each for each in path.split("/") if each and "{" not in each}

    def _add_schemas(self, document: Any) -> None:
        for key, value in _pairs(document):
            if key == "properties" and isinstance(value, dict):
                self.keys |= {part for name in value for part in re.split(r"[][.]+", name) if part}
            elif key == "parameters":
                self.keys |= {each["name"] for each in value if isinstance(each, dict)}
            elif key == "enum":
                self.values |= {word for word in value if isinstance(word, str)}
            elif key == "description" and isinstance(value, str) and (told := _TOLD.match(value)):
                self.values |= set(told[1].split(", "))
        self.keys.discard("")

    def is_word(self, text: str) -> bool:
        """Whether it is a word of an API, or made of plain words: ``under_review``."""
        if text in self.values:
            return True
        if not _IDENTIFIER.fullmatch(text) or not has_few_digits(text):
            return False
        parts = _PARTS.findall(text)
        return all(self.is_plain(each) or (len(each) < 3 and each.isdigit()) for each in parts)

    def is_plain(self, text: str) -> bool:
        """Whether it is in the list of plain words, in small letters or as it is."""
        return text in self.plain or text.lower() in self.plain

    def is_key(self, text: str) -> bool:
        return text in self.keys or self.is_word(text)


def has_few_digits(text: str) -> bool:
    """Whether all its digits together are as few as those of a count: three."""
    return sum(each.isdecimal() for each in text) <= 3


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from _pairs(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key, each
            yield from _pairs(each)


def _resource(name: str) -> str:
    return resources.files("plivo_sim.recording").joinpath(name).read_text("utf-8")


@lru_cache(maxsize=1)
def words_of_the_apis() -> Words:
    return Words()
