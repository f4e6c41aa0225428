"""Event loops: whether one runs here, and what to say when a verb blocked it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from plivo_sim.testing.handle import Handle

P = ParamSpec("P")
R = TypeVar("R")


def waits(verb: Callable[Concatenate[Handle, P], R]) -> Callable[Concatenate[Handle, P], R]:
    """A verb that waits for receivers. When it blocks an event loop and receivers do not answer
    meanwhile, the report says why: they may run in that loop."""

    @wraps(verb)
    def watched(self: Handle, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not has_running_loop():
            return verb(self, *args, **kwargs)
        before = self.silent()
        try:
            return verb(self, *args, **kwargs)
        finally:
            silent = self.silent()
            if urls := sorted({silent[each] for each in silent.keys() - before.keys()}):
                self.hint(verb.__name__, urls)

    return watched


def loop_hint(verb: str, urls: Iterable[str]) -> str:
    """That receivers may run in the loop that a verb blocked."""
    return (
        f"hint: {', '.join(urls)} did not answer while {verb}(…) blocked the event loop that it "
        "was called in. If that receiver runs in the same loop, it cannot answer meanwhile: "
        f"await plivo_server.aio.{verb}(…) instead"
    )


def has_running_loop() -> bool:
    """Whether this thread runs an asyncio event loop right now."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
