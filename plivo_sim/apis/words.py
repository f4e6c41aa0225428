"""What reading and presenting share: words of enumerations, countries, instants as texts.

A status is printed in the words that the account's machine has for it (``machines/default.yaml``):
lower case on the wire, capitalised in the prose of the legacy page.

Instants as each API prints them. All UTC, all with ``Z`` (observed).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from plivo_sim.domain.errors import WrongState
from plivo_sim.domain.machine import WORDS_KEY, Dialect, StatusRow
from plivo_sim.domain.records import NumberType
from plivo_sim.machines import default_machine

CurrentWord = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "current status"})]
LegacyWord = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "legacy status"})]
BetaWord = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "beta status"})]
AtomsWord = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "atoms status"})]
NumbersWord = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "numbers status"})]


def row_of(error: WrongState) -> StatusRow | None:
    """What a machine says of the status that an error names: the default one, unless the error
    knows better. None for one that neither has, such as what Atoms was told before."""
    return error.row or default_machine().statuses.get(error.status)


def word_of(error: WrongState, dialect: Dialect) -> str:
    """That status in the words of an API."""
    row = row_of(error)
    return row.word(dialect) if row is not None else error.status


Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Url = Annotated[str, Meta(extra_json_schema={"format": "url"})]
JsonObject = Annotated[
    dict[str, Any],
    Meta(description="Any JSON object", extra_json_schema={"additionalProperties": True}),
]
"""What nobody knows more of, or a document of another kind."""


def microseconds(instant: datetime) -> str:
    """``2026-04-06T10:44:17.899379Z``, as recorded (current dialect, legacy)."""
    return f"{instant.isoformat(timespec='microseconds')[:26]}Z"


def milliseconds(instant: datetime) -> str:
    """``2026-04-06T10:44:17.899Z`` (Atoms)."""
    return f"{microseconds(instant)[:-4]}Z"


def seconds(instant: datetime) -> str:
    """``2024-01-15T10:30:00Z``, as the beta page prints it."""
    return f"{microseconds(instant)[:-8]}Z"


MOST_ENTRIES = 1000
"""Of a list (invented): reading a longer one would take long, only to refuse it."""

W = TypeVar("W", bound=StrEnum)
_SEPARATORS = str.maketrans("", "", " -_")


def read_word(words: type[W], text: str) -> W | None:
    """The word that this text means: case, spaces, hyphens and underscores do not count."""
    known = _squeezed_words(words)
    found: W | None = known.get(text) or known.get(_squeezed(text))
    return found


def one_of(words: type[W], text: str, offered: Iterable[str] = ()) -> W:
    """The same; raises ValueError with a sentence when it is none of them. ``offered``: the words
    that the sentence names, where an API prints fewer than are taken."""
    word = read_word(words, text)
    if word is None:
        raise ValueError(f"must be one of {', '.join(offered or words)}, not '{text[:50]}'")
    return word


TODAYS_NUMBER_TYPES = (NumberType.LOCAL, NumberType.MOBILE, NumberType.TOLLFREE)
"""Those of today's page (documented: docs/wire-facts.md, "Requirements take all three
parameters"); national is taken too."""


@cache
def _squeezed_words(words: type[StrEnum]) -> dict[str, Any]:
    return {_squeezed(word.value): word for word in reversed(words)}


def _squeezed(text: str) -> str:
    return text.lower().translate(_SEPARATORS)


def read_country(text: str) -> str:
    """A country code in capital letters. Raises ValueError with a sentence."""
    if len(text) != 2 or not (text.isascii() and text.isalpha()):
        raise ValueError("must be an ISO 3166-1 alpha-2 country code")
    return text.upper()
