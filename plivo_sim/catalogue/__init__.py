"""Reads the requirement catalogue: the one that ships, and a user's own on top of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, reduce
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from plivo_sim.catalogue.yaml_text import composed, misread, read_as, text_loader, yaml_trouble
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.domain.requirements import Catalogue, DocumentType, FieldRule, Key, Requirement, Slot
from plivo_sim.domain.text import draw_uuid
from plivo_sim.domain.typed import decode, fitted, misfits


class _TypeEntry(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str
    proof_required: bool = True
    proof: str = ""
    fields: list[str] = []
    accepted_formats: list[str] = []


class _SlotEntry(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    any_of: list[str]


class _RequirementEntry(msgspec.Struct, forbid_unknown_fields=True):
    version: Version
    country: str
    number_types: list[NumberType]
    user_types: list[UserType]
    documents: list[str | _SlotEntry]
    source: str = "invented"
    estimated_review_days: int = 3
    end_user_fields: list[dict[str, Any]] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    fields: dict[str, dict[str, Any]] = {}
    document_types: dict[str, _TypeEntry] = {}
    page_fields: list[dict[str, Any]] = []
    requirements: list[_RequirementEntry] = []


def load_catalogue(seed: int, extra: Path | None = None) -> Catalogue:
    """The catalogue for a seed (ids are drawn from it).

    ``extra``: a file whose entries are added, replacing those for the same version, country,
    number type and user type. Raises ValueError that names the file and the wrong entry.
    """
    if extra is None:
        return _shipped_catalogue(seed)
    own = _read(_text_of(extra), str(extra))
    return _catalogue_of({"catalogue.yaml": _shipped(), str(extra): own}, seed)


@lru_cache(maxsize=16)
def _shipped_catalogue(seed: int) -> Catalogue:
    """Nobody changes a catalogue, so test suites share one a seed."""
    return _catalogue_of({"catalogue.yaml": _shipped()}, seed)


def _shipped() -> _File:
    """The catalogue that ships, from its JSON form: reading YAML was a tenth of the start."""
    return decode(_data("catalogue.json"), _File)


def shipped_as_json() -> bytes:
    """``catalogue.json``, as it has to be; a test holds that it is."""
    shipped = _read(_data("catalogue.yaml").decode(), "catalogue.yaml")
    return msgspec.json.format(msgspec.json.encode(shipped), indent=1) + b"\n"


def _data(name: str) -> bytes:
    return resources.files("plivo_sim.catalogue").joinpath(name).read_bytes()


def _catalogue_of(files: Mapping[str, _File], seed: int) -> Catalogue:
    fields: dict[str, dict[str, Any]] = {}
    types: dict[str, _TypeEntry] = {}
    for file in files.values():
        fields |= file.fields
        types |= file.document_types
    found: dict[tuple[Version, Key], Requirement] = {}
    for name, file in files.items():
        for index, entry in enumerate(file.requirements):
            try:
                expanded = list(_expand(entry, fields, types, seed))
            except ValueError as error:
                raise ValueError(f"{name}: requirements[{index}]: {error}") from None
            for requirement in expanded:
                key = (requirement.country_iso, requirement.number_type, requirement.user_type)
                found[requirement.version, key] = requirement
    return Catalogue(found.values())


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ValueError(f"cannot read catalogue {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"catalogue {path} is not UTF-8") from None


def _read(text: str, name: str) -> _File:
    import yaml  # here because a start needs none

    told: Any = None
    try:
        told = composed(text)[1]() or {}
        return fitted(told, _File)
    except yaml.YAMLError as error:
        line, trouble = yaml_trouble(error, text)
        raise ValueError(f"{name}:{line}: {trouble}") from None
    except RecursionError:
        raise ValueError(f"{name}: is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}{_misread(text, told)}") from None


def _misread(text: str, told: Any) -> str:
    """The explanation, if what does not fit is a word that YAML reads as something else."""
    import yaml

    wrong = [*islice(misfits(told, _File), 1)] if told is not None else []
    for path, word in misread(yaml.compose(text, Loader=text_loader())) if wrong else ():
        if path == wrong[0][0]:
            value = reduce(lambda whole, step: whole[step], path, told)
            return f'; {read_as(word, value)}; write "{word}" in quotes if that is meant'
    return ""


def _expand(
    entry: _RequirementEntry,
    fields: Mapping[str, dict[str, Any]],
    types: Mapping[str, _TypeEntry],
    seed: int,
) -> Iterator[Requirement]:
    for number_type in entry.number_types:
        for user_type in entry.user_types:
            scope = f"{entry.version}/{entry.country}/{number_type}/{user_type}"
            yield Requirement(
                id=draw_uuid(seed, "catalogue", scope, 0),
                version=entry.version,
                country_iso=entry.country,
                number_type=number_type,
                user_type=user_type,
                slots=tuple(
                    _slot(slot, number_type, fields, types, entry.version, seed)
                    for slot in entry.documents
                ),
                end_user_fields=tuple(fitted(entry.end_user_fields, list[FieldRule])),
                estimated_review_days=entry.estimated_review_days,
                source=entry.source,
            )


def _slot(
    slot: str | _SlotEntry,
    scope: str,
    fields: Mapping[str, dict[str, Any]],
    types: Mapping[str, _TypeEntry],
    version: Version,
    seed: int,
) -> Slot:
    words = [slot] if isinstance(slot, str) else slot.any_of
    unknown = [word for word in words if word not in types]
    if unknown:
        raise ValueError(f"the catalogue has no document type {', '.join(unknown)}")
    if not words:
        raise ValueError("any_of must name at least one document type")
    made = tuple(_type(word, types[word], fields, version, seed) for word in words)
    name = made[0].name if isinstance(slot, str) else slot.name
    return Slot(name=name, scope=scope, types=made)


def _type(
    word: str,
    entry: _TypeEntry,
    fields: Mapping[str, dict[str, Any]],
    version: Version,
    seed: int,
) -> DocumentType:
    unknown = [name for name in entry.fields if name not in fields]
    if unknown:
        raise ValueError(f"the catalogue has no field {', '.join(unknown)} (type {word})")
    return DocumentType(
        id=draw_uuid(seed, "catalogue", f"{version}/type/{word}", 0),
        word=word,
        name=entry.name,
        description=entry.description,
        proof_required=entry.proof_required,
        proof=entry.proof,
        fields=tuple(fitted({"name": name, **fields[name]}, FieldRule) for name in entry.fields),
        accepted_formats=tuple(entry.accepted_formats),
    )
