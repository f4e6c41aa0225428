"""What is made on first use, and made once even when several threads come first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

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
