"""Values and JSON text read into types.

msgspec works out how to read a type when the type is first used, and several threads that do so at
the same moment end the process (0.22 and before; docs/dependencies.md). So every type is worked out
here, by one thread at a time, before anything is read into it. The linter keeps others from
calling msgspec for this.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from plivo_sim.once import once

T = TypeVar("T")


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
