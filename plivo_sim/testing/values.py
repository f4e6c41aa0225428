"""Settings as tests give them: texts, as their options take them, or values of Python."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from plivo_sim.domain.durations import Duration
from plivo_sim.domain.serving import ServingRule
from plivo_sim.domain.typed import once, short
from plivo_sim.domain.words import did_you_mean
from plivo_sim.settings import (
    DOCUMENTED,
    Settings,
    check_atoms_tokens,
    check_credentials,
    read_setting,
    text_of,
)

NAMES = tuple(each.name for each in fields(Settings))
_KINDS: Mapping[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    PathLike: "a path",
    Duration: "a duration such as '36h'",
    datetime: "an instant such as '2026-01-05T09:00:00Z'",
    date: "a date",
    dict: "a dictionary of texts",
    ServingRule: "a rule such as '*[0-7]'",
    timedelta: "a timedelta",
    IPv4Network: "an address or a network",
    IPv6Network: "an address or a network",
    NoneType: "None",
    Mapping: "a dictionary",
    Iterable: "a list",
}
_PAIRS = {"credentials": check_credentials, "atoms_tokens": check_atoms_tokens}


def setting_of(name: str, given: Any) -> Any:
    """The value of a setting. Raises ValueError that names the setting: where there is none of this
    name, and for what is of another type, or not among its values."""
    if name not in NAMES:
        raise ValueError(f"{name}: no such setting{did_you_mean(name, NAMES)}")
    kind = _types()[name]
    if isinstance(given, PathLike) and (name == "machine" or Path in get_args(kind)):
        given = str(Path(given).absolute())  # so that it names no machine that ships
    if isinstance(given, str):
        return read_setting(name, given)
    if not fits(given, kind):
        told = "what is given" if get_origin(kind) is dict else short(given)  # no secrets
        raise ValueError(f"{name}: {told} is not {words_of(kind)}")
    if isinstance(given, Mapping):
        try:
            return _PAIRS[name](given.items())
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return given if given is None else read_setting(name, text_of(given))


def setting_text(name: str, given: Any) -> str:
    """The same as the control API takes it: a text stays as it is. Raises ValueError."""
    if isinstance(given, str):
        return given
    value = setting_of(name, given)
    return DOCUMENTED if value is None and name == "review_delay" else text_of(value)


@once
def _types() -> dict[str, Any]:
    return get_type_hints(Settings)


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a type, as an argument names it; a number is no truth value."""
    origin = get_origin(kind)
    if kind is Any or isinstance(kind, TypeVar):
        return True
    if origin in (Mapping, Iterable):
        return isinstance(value, origin) and not isinstance(value, str | bytes)
    if origin is None or origin is PathLike:
        if kind is float:
            kind = int | float
        return isinstance(value, origin or kind) and isinstance(value, bool) == (kind is bool)
    if origin is dict:
        texts = [*value, *value.values()] if isinstance(value, Mapping) else [None]
        return all(isinstance(each, str) for each in texts)
    if origin in (tuple, frozenset):
        is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
        return is_list and all(isinstance(e, str) or fits(e, get_args(kind)[0]) for e in value)
    return any(fits(value, each) for each in get_args(kind))


def words_of(kind: Any) -> str:
    """What is of that type: "a whole number or None"."""
    origin = get_origin(kind)
    if origin in (tuple, frozenset):
        return f"a list, each {words_of(get_args(kind)[0])}"
    if origin is None or origin in (dict, Mapping, Iterable, PathLike):
        known = origin or kind
        named = (words for each, words in _KINDS.items() if issubclass(known, each))
        return next(named, f"a {known.__name__}")
    return " or ".join(words_of(each) for each in get_args(kind))
