"""Input schemas of marshmallow, made of ``fields``; their complaints become problems with paths.

Every complaint is ``kind|sentence``; ``load`` turns those of a ValidationError into problems, in
the order of the schema. The OpenAPI documents are made of these schemas too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, pre_load

from plivo_sim.apis import fields as declared
from plivo_sim.apis.words import MOST_ENTRIES, one_of, read_country
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.requirements import too_much
from plivo_sim.domain.text import filled
from plivo_sim.domain.typed import once


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
        if value == []:
            return []
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
        long = too_much(given)
        if long:
            raise ValidationError(complaint(ProblemKind.BAD_LENGTH, long))
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


@once
def schema_of(kind: type[declared.Fields]) -> type[Schema]:
    """The schema of a body, under the name of what declares it."""
    made: dict[str, Any] = {name: _field_of(each) for name, each in kind.fields.items()}
    if kind.closed:
        made["Meta"] = type("Meta", (), {"unknown": RAISE})
    return type(kind.__name__, (WireSchema,), {**made, "__module__": kind.__module__})


def _field_of(field: declared.Field) -> fields.Field[Any]:
    about: dict[str, Any] = {"required": field.required, "data_key": field.data_key}
    if isinstance(field, declared.Text):
        kind = Country if isinstance(field, declared.Country) else Text
        return kind(longest=field.longest, filled=field.filled, **about)
    if isinstance(field, declared.Word):
        return Word(field.words, offered=field.offered, **about)
    if isinstance(field, declared.Nested):
        return Nested(schema_of(field.kind), **about)
    if isinstance(field, declared.Many):
        return Many(_field_of(field.inner), **about)
    return (TextMap if isinstance(field, declared.TextMap) else EmbeddedFile)(**about)


def load(
    schema: Schema, data: Any, to_domain: Callable[[Path], Path] = lambda path: path
) -> tuple[dict[str, Any], list[Problem]]:
    """What is usable of ``data``, and everything wrong with it; never raises."""
    try:
        return schema.load(data), []
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
