"""Reads the catalogue: the files that ship, and a user's own on top of them.

A start reads the JSON twin of the files that ship; ``docs/catalogue.md`` describes the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import product
from os.path import realpath
from pathlib import Path
from typing import Any

import msgspec

from plivo_sim.catalogue.building import build, country_of, mistakes_of
from plivo_sim.catalogue.checked import MOST_MISTAKES, Bounds, FileMistakes, Mistake
from plivo_sim.catalogue.shape import File, RequirementEntry, json_schema
from plivo_sim.catalogue.user_files import text_in
from plivo_sim.domain import limits
from plivo_sim.domain.countries import Country, nameless
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.typed import Found, decode, dotted, fitted, once

BOUNDS = Bounds(limits.CATALOGUE_TEXT, limits.CATALOGUE_VALUES)
SUFFIXES = (".yaml", ".yml", ".json")


def load_catalogue(seed: int, extra: Path | None = None) -> Catalogue:
    """The catalogue for a seed (ids are drawn from it).

    ``extra``: a file, or a folder of them, whose entries are added, replacing those for the same
    version, country, number type and user type. Raises ValueError that names the file and
    everything that is wrong in it.
    """
    if extra is None:
        return _shipped_catalogue(seed)
    return build([*shipped_files(), *own_files(extra)], seed)


def check_text(text: str, name: str) -> None:
    """Raises ValueError, as ``load_catalogue`` would for a file of this name that says this."""
    shipped = shipped_files()
    build([*shipped, read_file(text, name, shipped)], 0)


@lru_cache(maxsize=16)
def _shipped_catalogue(seed: int) -> Catalogue:
    """Nobody changes a catalogue, so test suites share one a seed."""
    return build(shipped_files(), seed)


# --- the files that ship ---------------------------------------------------------------------


def folder() -> Traversable:
    """Where ``common.yaml``, ``countries/`` and their twin are."""
    return resources.files("plivo_sim.catalogue")


@once
def shipped_files() -> tuple[File, ...]:
    """The common file and those of the countries, from their JSON twin: reading YAML was a tenth
    of the start when there were five countries."""
    return decode(folder().joinpath("catalogue.json").read_bytes(), tuple[File, ...])


def shipped_as_json(place: Traversable | None = None) -> bytes:
    """``catalogue.json``, as it has to be: the common file, then the countries, those of the most
    weight first. Raises FileMistakes."""
    place = place or folder()
    common = read_file(place.joinpath("common.yaml").read_text("utf-8"), "common.yaml")
    countries = [
        read_file(each.read_text("utf-8"), each.name, [common])
        for each in place.joinpath("countries").iterdir()
        if each.name.endswith(".yaml")
    ]
    countries.sort(key=lambda file: (-(file.weight or 1), file.country))
    return msgspec.json.format(msgspec.json.encode([common, *countries]), indent=1) + b"\n"


# --- a user's own ----------------------------------------------------------------------------


def own_files(place: Path) -> list[File]:
    """The files of a user: one, or those of a folder in the order of their names. Raises
    ValueError."""
    files = list(shipped_files())
    known = len(files)
    for path in paths_in(place):
        files.append(read_file(text_of(path), str(path), files))
    return files[known:]


def paths_in(place: Path) -> list[Path]:
    """The file, or the files of a folder, in which a link may lead to another of its files, as in
    what Kubernetes mounts. Raises ValueError."""
    try:
        if not place.is_dir():
            return [place]
        found = sorted(p for p in place.iterdir() if p.suffix in SUFFIXES and not p.is_dir())
    except OSError as error:
        raise ValueError(f"cannot read catalogue {place}: {error.strerror}") from None
    limits.CATALOGUE_FILES.check(len(found), str(place))
    within = Path(realpath(place))
    for each in found:
        if not Path(realpath(each)).is_relative_to(within):
            raise ValueError(f"cannot read catalogue {each}: it is a link that leaves the folder")
    return found


def text_of(path: Path) -> str:
    """What a file says. Raises ValueError that names it."""
    try:
        return text_in(path, limits.CATALOGUE_TEXT)
    except OSError as error:
        raise ValueError(f"cannot read catalogue {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"catalogue {path} is not UTF-8") from None


def read_file(
    text: str,
    name: str,
    others: Iterable[File] = (),
    more: Callable[[Any], Iterable[Found]] = lambda _: (),
) -> File:
    """A catalogue file. ``others``: those whose fields and document types it may name; ``more``:
    further checks of its plain values. Raises FileMistakes with everything that is wrong."""
    from plivo_sim.catalogue.yaml_files import explained, plain_values  # here: most need none

    read = plain_values(text, name, BOUNDS)
    data = {} if read.data is None else read.data
    shape = list(explained(_validator(), data, read.words))
    wrong = [path for path, _ in shape]
    types, fields = words_of(others)
    said = (
        (path, told)
        for path, told in (*mistakes_of(data, types, fields), *more(data))
        if not any(path[: len(each)] == each for each in wrong)
    )
    found = [*read.twice, *shape, *said][:MOST_MISTAKES]
    if not found:
        return fitted(data, File)
    line_of = read.lines()
    mistakes = [Mistake(name, line_of(path), dotted(path), told) for path, told in found]
    raise FileMistakes(sorted(mistakes, key=lambda mistake: mistake.line))


def words_of(files: Iterable[File]) -> tuple[list[str], list[str]]:
    """The document types and the fields that files define."""
    files = list(files)
    types = dict.fromkeys(word for file in files for word in file.document_types)
    return list(types), list(dict.fromkeys(word for file in files for word in file.fields))


@once
def _validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(json_schema())


# --- one country -----------------------------------------------------------------------------


def countries_in(files: Iterable[File]) -> list[str]:
    """The countries that files are about, or have entries for, sorted."""
    files = list(files)
    named = {str(file.country) for file in files if file.country}
    return sorted(named | {country_of(f, each) for f in files for each in f.requirements})


def one_country(files: Iterable[File], country_iso: str) -> File:
    """What all files together say of a country, as one file of its own: facts of later files
    replace earlier ones, and so do entries with the same key."""
    about = [file for file in files if file.country == country_iso]
    facts: dict[str, Any] = {}
    for file in about:
        facts |= file.facts()
    entries = tuple(_entries_of(files, country_iso))
    return File(
        country=country_iso,
        **facts,
        fields={word: each for file in about for word, each in file.fields.items()},
        document_types={word: t for file in about for word, t in file.document_types.items()},
        requirements=entries,
    )


def _entries_of(files: Iterable[File], country_iso: str) -> Iterator[RequirementEntry]:
    """The entries of a country without what later ones replace."""
    found = [
        msgspec.structs.replace(entry, country=msgspec.UNSET)
        for file in files
        for entry in file.requirements
        if country_of(file, entry) == country_iso
    ]
    for index, entry in enumerate(found):
        later = {kind for each in found[index + 1 :] for kind in _kinds(each)}
        if later.isdisjoint(_kinds(entry)):
            yield entry
            continue
        for number_type in entry.number_types:
            users = [u for u in entry.user_types if (entry.version, number_type, u) not in later]
            if users:
                left = {"number_types": (number_type,), "user_types": tuple(users)}
                yield msgspec.structs.replace(entry, **left)


def _kinds(entry: RequirementEntry) -> Iterator[tuple[str, ...]]:
    return product((entry.version,), entry.number_types, entry.user_types)


def as_yaml(file: File) -> str:
    """A file as YAML, in the order of its shape, without what is as it is by default."""
    import yaml

    plain = msgspec.to_builtins(file)
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return text


def country_facts(file: File) -> Country:
    """The facts of a file's country."""
    return msgspec.structs.replace(nameless(str(file.country)), **file.facts())
