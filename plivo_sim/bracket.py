"""A ``with`` of two functions, for what is entered so often that a generator would be felt."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Bracket:
    """Calls ``begin`` and then ``end`` with the error that ended it, if one did. It keeps nothing
    of its own, so that one serves all uses, nested ones too."""

    def __init__(
        self, begin: Callable[[], None], end: Callable[[BaseException | None], None]
    ) -> None:
        self._begin, self._end = begin, end

    def __enter__(self) -> None:
        self._begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(error)
