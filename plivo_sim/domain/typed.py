"""Values and JSON text read into types, and what parsers and checkers complain of in our own words.

msgspec works out how to read a type when the type is first used, and several threads that do so at
the same moment end the process (0.22 and before; docs/dependencies.md). So every type is worked out
here, by one thread at a time, before anything is read into it. The linter keeps others from
calling msgspec for this.

Libraries change the words of their complaints from version to version, and PyYAML with and without
libyaml does not agree with itself. What is said here depends only on the place and the kind of a
mistake.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import msgspec

from plivo_sim.domain.limits import DURATION, SCHEMA_KEY
from plivo_sim.domain.words import did_you_mean

P = ParamSpec("P")
T = TypeVar("T")


def once(make: Callable[P, T]) -> Callable[P, T]:
    """Keep what ``make`` returns, by its positional arguments, for ever; one call at a time.

    ``functools.cache`` lets every thread that comes before the first is done make one of its own.
    """
    made: dict[tuple[Any, ...], T] = {}
    lock = threading.RLock()  # a value may be made of another

    @wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        if args not in made:
            with lock:
                if args not in made:
                    made[args] = make(*args, **kwargs)
        return made[args]

    return get


LONGEST_KEPT = 300
"""Characters of a text; what has to do with names, hosts and patterns is shorter (invented)."""


def kept(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function last returned for so many short texts (and other arguments); with a
    longer one it is called each time, so that nobody's text fills the memory."""

    def keeping(make: Callable[P, T]) -> Callable[P, T]:
        made = lru_cache(most)(make)

        @wraps(make)
        def get(*args: P.args, **kwargs: P.kwargs) -> T:
            if any(isinstance(each, str) and len(each) > LONGEST_KEPT for each in args):
                return make(*args, **kwargs)
            return made(*args, **kwargs)  # type: ignore[arg-type]  # hashable, as with once

        return get

    return keeping


if TYPE_CHECKING:
    _RealDatetime = datetime
else:
    _RealDatetime = next(each for each in datetime.__mro__ if type(each) is type)

Instant = Annotated[_RealDatetime, msgspec.Meta(tz=True)]
"""An aware datetime. Types say this, and not ``datetime``: while freezegun freezes time, that name
is another class, which nothing can be read into; a type that is worked out then, or a module that
is imported, would keep it."""


@once
def decoder_of(type_: type[T]) -> msgspec.json.Decoder[T]:
    """What reads JSON text into this type."""
    return msgspec.json.Decoder(type_)


def decode(text: bytes | str, type_: type[T]) -> T:
    """The value of a JSON text. Raises msgspec.DecodeError, with the path of what does not fit."""
    return decoder_of(type_).decode(text)


def convert(value: Any, type_: type[T]) -> T:
    """The same of plain values. Raises msgspec.ValidationError."""
    decoder_of(type_)
    return msgspec.convert(value, type_)


Steps = tuple[str | int, ...]
"""The path of something in a scenario."""
Found = tuple[Steps, str]
"""A mistake: where, and what."""


MISSING = "is required"
_PLACE = re.compile(r"`\$([^`]*)`$")


def json_trouble(text: bytes | str) -> str:
    """Where a text that a strict decoder refused is no JSON. Raises UnicodeDecodeError."""
    text = text if isinstance(text, str) else text.decode()
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "JSON has a lone surrogate"
    except json.JSONDecodeError as error:
        if not text[error.pos :].strip():
            return "JSON ends too early"
        return f"JSON is malformed in line {error.lineno}, column {error.colno}"
    except ValueError:
        return "JSON has a number of too many digits"
    except RecursionError:
        return "JSON has too many brackets in one another"
    return "JSON has a number out of range, or what the standard does not know, such as NaN"


def fitted(value: Any, kind: type[T]) -> T:
    """A plain value as a type. Raises ValueError with the first thing that does not fit."""
    try:
        return convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(misfit(error, value, kind)) from None


def decoded(
    decoder: msgspec.json.Decoder[T],  # the type's name
    text: bytes | memoryview | msgspec.Raw,
) -> T:
    """What a text in whole JSON says, as the type of a decoder. Raises ValueError as above."""
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ValueError(misfit(error, decoder_of(Any).decode(text), decoder.type)) from None


def misfit(error: Exception, value: Any, kind: Any) -> str:
    """The first thing that keeps a plain value from being of a type; ``error``: msgspec's."""
    path, text = next(all_misfits(error, value, kind))
    return f"{dotted(path)}: {text}" if path else text


def all_misfits(error: Exception, value: Any, kind: Any) -> Iterator[Found]:
    """Everything that keeps a plain value from being of a type, as far as it can be told; looked
    for as it is asked for."""
    found = misfits(value, kind)
    first = next(found, None)
    if first is not None:
        yield first
        yield from found
        return
    place = _PLACE.search(str(error))
    own = error.__cause__  # what the type itself says
    text = str(own) if type(own) is ValueError else "is not as it must be"
    path = place[1].lstrip(".") if place else ""
    yield ((path,) if path else (), text)


def misfits(value: Any, kind: Any) -> Iterator[Found]:
    """All that keeps a plain value from being of a type, looked for as it is asked for; nothing
    where a schema cannot say it."""
    import jsonschema  # here because it is heavy

    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine("array", lambda _, each: isinstance(each, list | tuple))
    checker: Any = jsonschema.validators.extend
    formats = jsonschema.FormatChecker(())
    formats.checks("date-time", raises=ValueError)(_is_aware)
    validator = checker(base, type_checker=types)
    schema = msgspec.json.schema(kind, schema_hook=schema_of_time)
    errors = validator(schema, format_checker=formats).iter_errors(value)
    for error in errors:
        yield from told(error)


def schema_of_time(kind: type) -> dict[str, str]:
    """For msgspec's schemas: while freezegun has its own datetime, it does not know the real ones,
    which types were made with. Raises NotImplementedError for others, as msgspec wants it."""
    if not issubclass(kind, date):
        raise NotImplementedError
    return {"type": "string", "format": "date-time" if issubclass(kind, datetime) else "date"}


def _is_aware(value: Any) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def told(error: Any) -> Iterator[Found]:
    """A mistake that jsonschema found: where, and what. One that it splits up is told once."""
    path: Steps = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        for key in [key for key in error.instance if key not in known]:
            yield (*path, key), f"unknown key{did_you_mean(str(key), known)}"
    elif error.validator == "anyOf" and error.context:
        yield from _told_of_kinds(error, path)
    elif error.validator == "enum":
        allowed = [word for word in map(str, error.validator_value) if word]
        hint = did_you_mean(str(error.instance), allowed, listed=0)
        yield path, f"{short(error.instance)} is not one of {', '.join(allowed)}{hint}"
    elif error.validator == "required":  # an error for each missing key, all with the same list
        for key in [key for key in error.validator_value if key not in error.instance]:
            yield (*path, key), MISSING
    elif error.validator == "pattern" and {"title", "examples"} <= error.schema.keys():
        kind, example = error.schema["title"], error.schema["examples"][0]
        yield path, f"{short(error.instance)} must be {kind}, as {example}"
    else:
        sentence = _SENTENCES.get(error.validator, lambda _: "is not as it must be")
        name = error.schema.get(SCHEMA_KEY) if "max" in error.validator.lower() else None
        limit = f" (limit {name})" if name else ""
        text = f"{short(error.instance)} {sentence(error.validator_value)}{limit}"
        yield path, _without_unit(error) or text


def _told_of_kinds(error: Any, path: Steps) -> Iterator[Found]:
    """A value that may be of several kinds: all that is wrong with it as the kind that it is."""
    kinds: dict[int, list[Any]] = {}
    for each in error.context:
        kinds.setdefault(each.schema_path[0], []).append(each)
    fitting = [
        errors
        for errors in kinds.values()
        if not any(each.validator == "type" and not each.path for each in errors)
    ]
    if fitting:  # a list with a wrong entry is a list, not a wrong word
        for each in max(fitting, key=lambda errors: any(each.path for each in errors)):
            yield from told(each)
        return
    named = dict.fromkeys(str(errors[0].validator_value) for errors in kinds.values())
    wanted = " or ".join(name for name in named if name != "null")
    unit = next(filter(None, (_without_unit(each) for each in error.context)), "")
    yield path, unit or f"{short(error.instance)} is not of type {wanted}"


def _without_unit(error: Any) -> str:
    """What is said of a number where a duration has to be; else nothing."""
    wanted, given = error.schema.get(SCHEMA_KEY), error.instance
    if wanted != DURATION.name or type(given) not in (int, float):
        return ""
    return f"{short(given)} has no unit: write {short(given)}d for days"


def _type(wanted: str | list[str]) -> str:
    return f"is not of type {' or '.join([wanted] if isinstance(wanted, str) else wanted)}"


_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "type": _type,
    "minLength": lambda least: f"is too short: at least {least} characters",
    "maxLength": lambda most: f"is too long: at most {most} characters",
    "minItems": lambda least: f"is too short: at least {least} entries",
    "maxItems": lambda most: f"is too long: at most {most} entries",
    "items": lambda _: "has too many entries",
    "minimum": lambda least: f"is less than the minimum of {least}",
    "maximum": lambda most: f"is more than the maximum of {most}",
    "exclusiveMinimum": lambda bound: f"must be more than {bound}",
    "exclusiveMaximum": lambda bound: f"must be less than {bound}",
    "pattern": lambda pattern: f"does not match {pattern}",
    "format": lambda name: "is no time with its zone" if name == "date-time" else f"is no {name}",
    "const": lambda value: f"must be {value!r}",
    "uniqueItems": lambda _: "has an entry twice",
}


def short(value: Any) -> str:
    """A plain value as Python writes it, cut after 60 characters; no more of it is looked at."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) >= 60:
            return f"{text[:57]}..."
    return text


def _pieces(value: Any) -> Iterator[str]:
    if type(value) is list:
        for index, each in enumerate(value):
            yield ", " if index else "["
            yield from _pieces(each)
        yield "]" if value else "[]"
    elif type(value) is dict:
        for index, (key, each) in enumerate(value.items()):
            yield ", " if index else "{"
            yield from _pieces(key)
            yield ": "
            yield from _pieces(each)
        yield "}" if value else "{}"
    else:
        yield repr(value[:60] if isinstance(value, str) else value)


MOST_OF_STEP = 80
"""Characters of one step of a path that are told: it may be told with each of many mistakes."""


def dotted(path: Steps) -> str:
    """A path as one writes it; long steps are cut."""
    text = ""
    for step in path:
        told = step if isinstance(step, int) else str(step)
        if isinstance(told, str) and len(told) > MOST_OF_STEP:
            told = f"{told[: MOST_OF_STEP - 3]}..."
        text += f"[{told}]" if isinstance(told, int) else f".{told}" if text else told
    return text
