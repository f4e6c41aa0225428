"""Input schemas of marshmallow: fields whose complaints become problems with paths.

Every complaint is ``kind|sentence``; ``load`` turns those of a ValidationError into problems, in
the order of the schema.

Shapes of answers that both dialects share (observed), for OpenAPI and the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, missing, pre_load

from plivo_sim.apis.words import MOST_ENTRIES, one_of, read_country
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.text import filled


class LinkedNumberOut(Schema):
    number = fields.String(required=True)
    number_type = fields.String(required=True)


class MetaOut(Schema):
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)
    total_count = fields.Integer(required=True)
    next = fields.String(required=True, allow_none=True)
    previous = fields.String(required=True, allow_none=True)


def complaint(kind: ProblemKind, text: str) -> str:
    return f"{kind}|{text}"


_MISSING = complaint(ProblemKind.MISSING_FIELD, "is required")


Messages = dict[str, str | list[Any] | dict[Any, Any]]


if TYPE_CHECKING:
    AnyField = fields.Field[Any]
    TextMapField = fields.Field[dict[str, str]]
    AnyList = fields.List[Any]
else:  # generic since marshmallow 4 only
    AnyField = TextMapField = fields.Field
    AnyList = fields.List


def _type_errors(what: str) -> Messages:
    text = complaint(ProblemKind.WRONG_TYPE, f"must be {what}")
    return {"required": _MISSING, "null": _MISSING, "invalid": text, "invalid_utf8": text,
            "type": text}  # fmt: skip


class Text(fields.String):
    """A string, not trimmed. ``filled``: a blank one counts as not given and is refused, as it is
    where a text is required."""

    default_error_messages = _type_errors("a string")

    def __init__(self, *, longest: int = 255, filled: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest
        self.filled = filled or self.required

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = value if type(value) is str else super()._deserialize(value, attr, data, **kwargs)
        if self.filled and not filled(text):
            raise self.make_error("required")
        if len(text) > self.longest:
            wrong = f"must have at most {self.longest} characters, has {len(text)}"
            raise ValidationError(complaint(ProblemKind.BAD_LENGTH, wrong))
        return str(text)


class Word(AnyField):
    """One of an enumeration's words, in any case, with or without spaces and hyphens."""

    default_error_messages = _type_errors("a string")

    def __init__(self, words: type[StrEnum], *, offered: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words
        self.offered = offered

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not value and self.required:
            raise self.make_error("required")
        try:
            return one_of(self.words, value, self.offered)
        except ValueError as error:
            raise ValidationError(complaint(ProblemKind.NOT_ALLOWED, str(error))) from None


class Country(Text):
    """Two letters, in any case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return read_country(text)
        except ValueError as error:
            raise ValidationError(complaint(ProblemKind.BAD_VALUE, str(error))) from None


class Nested(fields.Nested):
    default_error_messages = _type_errors("an object")


class Many(AnyList):
    default_error_messages = _type_errors("a list")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > MOST_ENTRIES:
            text = f"must have at most {MOST_ENTRIES} entries, has {len(value)}"
            raise ValidationError(complaint(ProblemKind.BAD_LENGTH, text))
        return super()._deserialize(value, attr, data, **kwargs)


class TextMap(TextMapField):
    """An object whose values are strings; null values count as not given, and ``[]`` stands for
    an empty object."""

    default_error_messages = _type_errors("an object of strings")

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> dict[str, str]:
        if value == []:
            return {}
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        given = {key: each for key, each in value.items() if each is not None}
        wrong = {
            key: [complaint(ProblemKind.WRONG_TYPE, "must be a string")]
            for key, each in given.items()
            if not isinstance(each, str)
        }
        if wrong:
            raise ValidationError(wrong)
        return given


class EmbeddedFile(fields.Raw):
    """A file within JSON, which its reader checks: a data URL, or an object with its name and its
    content in base64."""


class WireSchema(Schema):
    """Unknown keys are tolerated; null means "not given"; ``[]`` stands for an empty object."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {  # noqa: RUF012 (marshmallow's own way)
        "type": complaint(ProblemKind.WRONG_TYPE, "must be an object")
    }

    @pre_load
    def _without_nulls(self, data: Any, **kwargs: Any) -> Any:
        if data == []:
            return {}
        if isinstance(data, Mapping):
            return {key: value for key, value in data.items() if value is not None}
        return data

    def plain_load(self, data: Any) -> dict[str, Any] | None:
        """What ``load`` makes of an object with nothing wrong; None where ``load`` is needed.

        Only the fields' own reading: the machinery around it takes most of the time of ``load``.
        """
        if type(data) is not dict or not self._is_plain:
            return None
        usable = {}
        try:
            for name, field in self.load_fields.items():
                value = data.get(name)
                if value is not None:
                    usable[name] = field._deserialize(value, name, data)
                elif field.required:
                    return None
        except ValidationError:
            return None
        return usable

    @cached_property
    def _is_plain(self) -> bool:
        """Whether that reading is complete: no hooks around it, no defaults, no other names."""
        kind = type(self)
        hooks = {name for name in dir(kind) if hasattr(getattr(kind, name), "__marshmallow_hook__")}
        return hooks == {"_without_nulls"} and not (
            self.many or self.partial or any(map(_does_more, self.load_fields.values()))
        )


_AROUND = ("pre_load", "post_load")
"""What fields have since marshmallow 4."""


def _does_more(field: fields.Field[Any]) -> bool:
    """Whether ``load`` does more with a value than the field's own reading."""
    around = field.validators or any(getattr(field, name, None) for name in _AROUND)
    elsewhere = field.data_key or field.attribute or field.load_default is not missing
    return bool(around or elsewhere)


def load(
    schema: Schema, data: Any, to_domain: Callable[[Path], Path] = lambda path: path
) -> tuple[dict[str, Any], list[Problem]]:
    """What is usable of ``data``, and everything wrong with it; never raises."""
    try:
        plain = schema.plain_load(data) if isinstance(schema, WireSchema) else None
        return (schema.load(data) if plain is None else plain), []
    except ValidationError as error:
        error.__traceback__ = None  # its frames refer to it, and to all that was sent
        usable = error.valid_data if isinstance(error.valid_data, dict) else {}
        return usable, list(_problems(error.messages, (), to_domain))


def _problems(tree: Any, path: Path, to_domain: Callable[[Path], Path]) -> Iterator[Problem]:
    if isinstance(tree, Mapping):
        for key, below in tree.items():
            yield from _problems(below, path if key == "_schema" else (*path, key), to_domain)
        return
    for each in tree if isinstance(tree, list) else [tree]:
        kind, ours, text = str(each).partition("|")
        if not ours:  # words of marshmallow's: a kind of complaint that it did not have before
            kind, text = ProblemKind.BAD_VALUE, "is not valid"
        yield Problem(ProblemKind(kind), to_domain(path), text)
