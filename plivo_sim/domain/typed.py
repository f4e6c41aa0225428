"""Values and JSON text read into types.

msgspec works out how to read a type when the type is first used, and several threads that do so at
the same moment end the process (0.22 and before; docs/dependencies.md). So every type is worked out
here, by one thread at a time, before anything is read into it. The linter keeps others from
calling msgspec for this.

What is made on first use, and made once even when several threads come first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import msgspec

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
