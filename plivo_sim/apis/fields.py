"""What bodies of the imitated APIs are made of, declared field by field, and the reading of one in
which nothing is wrong. Of any other, ``schema`` says what is: it makes marshmallow's schemas of
these, which a valid body needs not, nor a start: loading marshmallow takes longer than all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from plivo_sim.apis.words import MOST_ENTRIES, one_of, read_country
from plivo_sim.domain.requirements import too_much
from plivo_sim.domain.text import filled


class Unfit(ValueError):
    """Something is wrong with a value; what it is, marshmallow finds."""


class Field:
    """One field. ``key``: its name in bodies, where that is another than ours."""

    def __init__(self, *, required: bool = False, data_key: str | None = None) -> None:
        self.required = required
        self.data_key = data_key

    def read(self, value: Any) -> Any:
        """What a value that is not null means. Raises Unfit, or another ValueError."""
        return value


class EmbeddedFile(Field):
    """A file within JSON, which its reader checks: a data URL, or an object with its name and its
    content in base64."""


class Text(Field):
    """A string, not trimmed. ``filled``: a blank one counts as not given and is refused, as it is
    where a text is required."""

    def __init__(self, *, longest: int = 255, filled: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest
        self.filled = filled or self.required

    def read(self, value: Any) -> str:
        if type(value) is not str or len(value) > self.longest:
            raise Unfit
        if self.filled and not filled(value):
            raise Unfit
        return value


class Country(Text):
    """Two letters, in any case."""

    def read(self, value: Any) -> str:
        return read_country(super().read(value))


class Word(Field):
    """One of an enumeration's words, in any case, with or without spaces and hyphens."""

    def __init__(self, words: type[StrEnum], *, offered: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words
        self.offered = offered

    def read(self, value: Any) -> StrEnum:
        if not isinstance(value, str) or (not value and self.required):
            raise Unfit
        return one_of(self.words, value, self.offered)


class TextMap(Field):
    """An object whose values are strings; null values count as not given, and ``[]`` stands for
    an empty object."""

    def read(self, value: Any) -> dict[str, str]:
        if value == []:
            return {}
        if type(value) is not dict:
            raise Unfit
        given = {key: each for key, each in value.items() if each is not None}
        if not all(isinstance(each, str) for each in given.values()) or too_much(given):
            raise Unfit
        return given


class Nested(Field):
    """An object of its own."""

    def __init__(self, kind: type[Fields], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def read(self, value: Any) -> dict[str, Any]:
        return self.kind.read(value)


class Many(Field):
    """A list."""

    def __init__(self, inner: Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner

    def read(self, value: Any) -> list[Any]:
        if type(value) is not list or len(value) > MOST_ENTRIES or None in value:
            raise Unfit
        return [self.inner.read(each) for each in value]


class Fields:
    """An object: its fields are class attributes, those of a base first. Unknown keys are
    tolerated (but where it is ``closed``, says the OpenAPI document), null means "not given", and
    ``[]`` stands for an empty object."""

    fields: ClassVar[Mapping[str, Field]] = {}
    closed: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        own = {name: each for name, each in vars(cls).items() if isinstance(each, Field)}
        cls.fields = {**cls.fields, **own}

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """What the object gives, by our names. Raises ValueError where anything is wrong."""
        if data == []:
            data = {}
        if type(data) is not dict:
            raise Unfit
        usable = {}
        for name, field in cls.fields.items():
            value = data.get(field.data_key or name)
            if value is not None:
                usable[name] = field.read(value)
            elif field.required:
                raise Unfit
        return usable
