"""Makes a catalogue of files, and says what is wrong in what a file says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from msgspec.structs import asdict, replace

from plivo_sim.catalogue.shape import (
    DocumentTypeEntry,
    Field,
    File,
    NamedField,
    RequirementEntry,
    SlotEntry,
)
from plivo_sim.domain.countries import Country, nameless
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.domain.requirements import Catalogue, DocumentType, FieldRule, Key, Requirement, Slot
from plivo_sim.domain.text import draw_uuid
from plivo_sim.domain.typed import Found, Steps
from plivo_sim.domain.words import did_you_mean


def build(files: Iterable[File], seed: int) -> Catalogue:
    """The catalogue of these files: later ones add, and replace what has the same key or word.

    Raises ValueError for an id that two requirements or two document types share.
    """
    files = list(files)
    maker = _Maker(files, seed)
    found: dict[tuple[Version, Key], Requirement] = {}
    absent: dict[tuple[Version, Key], Requirement] = {}
    for file in files:
        for entry in file.requirements:
            for requirement in maker.requirements(file, entry):
                key = (requirement.country_iso, requirement.number_type, requirement.user_type)
                told, other = (found, absent) if entry.exists else (absent, found)
                told[requirement.version, key] = requirement
                other.pop((requirement.version, key), None)
    _check_ids(found.values())
    return Catalogue(found.values(), maker.countries, absent.values())


def country_of(file: File, entry: RequirementEntry) -> str:
    """The country of an entry: its own, else that of its file."""
    return str(entry.country or file.country)


class _Maker:
    """Knows the words of all files; makes each document type once."""

    def __init__(self, files: Iterable[File], seed: int) -> None:
        self._seed = seed
        self._fields: dict[str, Field] = {}
        self._entries: dict[str, DocumentTypeEntry] = {}
        self._types: dict[tuple[Version, str], DocumentType] = {}
        self.countries: dict[str, Country] = {}
        for file in files:
            self._fields |= file.fields
            self._entries |= file.document_types
            if file.country:
                iso = str(file.country)
                before = self.countries.get(iso) or nameless(iso)
                self.countries[iso] = replace(before, **file.facts())

    def requirements(self, file: File, entry: RequirementEntry) -> Iterator[Requirement]:
        """One for each number type and user type of an entry."""
        iso = country_of(file, entry)
        country = self.countries.get(iso) or nameless(iso)
        types = [self._of_slot(each, entry.version) for each in entry.documents]
        for number_type in entry.number_types:
            for user_type in entry.user_types:
                yield Requirement(
                    id=self._id_of(entry, iso, number_type, user_type),
                    version=entry.version,
                    country_iso=iso,
                    number_type=number_type,
                    user_type=user_type,
                    slots=tuple(
                        Slot(name=name, scope=scope or number_type, types=made)
                        for name, scope, made in types
                    ),
                    end_user_fields=tuple(map(_own_rule, entry.end_user_fields)),
                    estimated_review_days=entry.estimated_review_days,
                    source=entry.source,
                    evidence=entry.evidence,
                    observed=entry.observed or "",
                    adjective=country.adjective,
                )

    def _id_of(
        self, entry: RequirementEntry, iso: str, number_type: NumberType, user_type: UserType
    ) -> str:
        place = f"{entry.version}/{iso}/{number_type}/{user_type}"
        return entry.id or draw_uuid(self._seed, "catalogue", place, 0)

    def _of_slot(
        self, slot: str | SlotEntry, version: Version
    ) -> tuple[str, str, tuple[DocumentType, ...]]:
        """Name, scope and types."""
        if isinstance(slot, str):
            type_ = self._type(slot, version)
            return type_.name, "", (type_,)
        return slot.name, slot.scope, tuple(self._type(word, version) for word in slot.any_of)

    def _type(self, word: str, version: Version) -> DocumentType:
        if (version, word) not in self._types:
            entry = self._entries[word]
            drawn = draw_uuid(self._seed, "catalogue", f"{version}/type/{word}", 0)
            self._types[version, word] = DocumentType(
                id=entry.id or drawn,
                word=word,
                name=entry.name,
                description=entry.description,
                proof_required=entry.proof_required,
                proof=entry.proof,
                fields=tuple(map(self._rule, entry.fields)),
                accepted_formats=entry.accepted_formats,
            )
        return self._types[version, word]

    def _rule(self, field: str | NamedField) -> FieldRule:
        if isinstance(field, str):
            return FieldRule(name=field, **asdict(self._fields[field]))
        return _own_rule(field)


def _own_rule(field: NamedField) -> FieldRule:
    return FieldRule(**asdict(field))


def _check_ids(requirements: Collection[Requirement]) -> None:
    owners: dict[str, str] = {}
    for each in requirements:
        here = f"{each.version} {each.country_iso} {each.number_type} {each.user_type}"
        named = {each.id: f"the requirement {here}"}
        named |= {type_.id: f"the document type {type_.word}" for type_ in each.document_types}
        for id, owner in named.items():
            if owners.setdefault(id, owner) != owner:
                raise ValueError(f"{owners[id]} and {owner} have the same id {id}")


# --- what is wrong in what a file says -------------------------------------------------------


def mistakes_of(data: Any, types: Collection[str], fields: Collection[str]) -> Iterator[Found]:
    """The mistakes in what a file says, as plain values whose shape need not be right. ``types``,
    ``fields``: the words that other files define."""
    if not isinstance(data, dict):
        return
    own_types, own_fields = _map(data.get("document_types")), _map(data.get("fields"))
    if "country" not in data:
        for name in sorted(data.keys() & set(Country.__struct_fields__)):
            yield (name,), "is a fact of a country, and the file has no 'country'"
    for word, field in own_fields.items():
        yield from _in_field(field, ("fields", word))
    words = [*fields, *own_fields]
    for word, entry in own_types.items():
        for index, each in enumerate(_list(_map(entry).get("fields"))):
            path: Steps = ("document_types", word, "fields", index)
            if isinstance(each, str) and each not in words:
                yield path, f"the catalogue has no field '{each}'{did_you_mean(each, words)}"
            yield from _in_field(each, path)
    known = [*types, *own_types]
    for index, each in enumerate(_list(data.get("requirements"))):
        for place, text in _in_requirement(_map(each), known, "country" in data):
            yield ("requirements", index, *place), text
    yield from _ids_given_twice(data)
    yield from _kinds_given_twice(data)


def _in_requirement(
    entry: Mapping[str, Any], known: Collection[str], has_country: bool
) -> Iterator[Found]:
    if not has_country and "country" not in entry:
        yield ("country",), "is required, for the file is about no country"
    if "id" in entry and any(len(_list(entry.get(key))) > 1 for key in _KINDS):
        yield ("id",), "needs one number type and one user type: write an entry for each"
    for index, document in enumerate(_list(entry.get("documents"))):
        path: Steps = ("documents", index)
        words: list[tuple[Steps, Any]] = [(path, document)]
        if isinstance(document, dict) and isinstance(document.get("any_of"), list):
            path = (*path, "any_of")
            words = [((*path, at), word) for at, word in enumerate(document["any_of"])]
            if not words:
                yield path, "must name at least one document type"
        for place, word in words:
            if isinstance(word, str) and word not in known:
                hint = did_you_mean(word, list(known))
                yield place, f"the catalogue has no document type '{word}'{hint}"
    for index, field in enumerate(_list(entry.get("end_user_fields"))):
        yield from _in_field(field, ("end_user_fields", index))


_KINDS = ("number_types", "user_types")


def _in_field(field: Any, path: Steps) -> Iterator[Found]:
    given = _map(field)
    least, most = given.get("min_length", 1), given.get("max_length", 255)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield (*path, "min_length"), f"is more than the max_length of {most}"
    if given.get("type") == "enum" and not given.get("enums"):
        yield (*path, "enums"), "is required of a field of type enum"


def _ids_given_twice(data: Mapping[str, Any]) -> Iterator[Found]:
    places = [("document_types", word) for word in _map(data.get("document_types"))]
    places += [("requirements", index) for index in range(len(_list(data.get("requirements"))))]
    seen: set[str] = set()
    for of, key in places:
        id = _map(data[of][key]).get("id")
        if isinstance(id, str) and id in seen:
            yield (of, key, "id"), f"{id} is given twice"
        seen.add(str(id))


def _kinds_given_twice(data: Mapping[str, Any]) -> Iterator[Found]:
    """Within one file, nobody means an entry that replaces another one."""
    seen: dict[tuple[str, ...], int] = {}
    for index, each in enumerate(_list(data.get("requirements"))):
        entry = _map(each)
        country = entry.get("country", data.get("country"))
        about = entry.get("version", Version.CURRENT.value), country
        listed = product(*(dict.fromkeys(map(str, _list(entry.get(key)))) for key in _KINDS))
        for number_type, user_type in listed:
            key = (*map(str, about), number_type, user_type)
            first = seen.setdefault(key, index)
            if first != index:
                text = f"{country} {number_type}, {user_type} stands in requirements[{first}], too"
                yield ("requirements", index), text
                break


def _map(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
