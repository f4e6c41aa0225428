"""The verbs of a handle as coroutines, for asyncio and trio."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from plivo_sim.testing.handle import Handle
from plivo_sim.testing.loops import has_running_loop

P = ParamSpec("P")
R = TypeVar("R")


def _coroutine(
    verb: Callable[Concatenate[Handle, P], R],
) -> Callable[Concatenate[Aio, P], Coroutine[Any, Any, R]]:
    @wraps(verb)
    async def call(self: Aio, /, *args: P.args, **kwargs: P.kwargs) -> R:
        own: Callable[P, R] = getattr(self._handle, verb.__name__)  # of its kind of handle
        work = partial(own, *args, **kwargs)
        if not has_running_loop() and (trio := sys.modules.get("trio")) is not None:
            found: R = await trio.to_thread.run_sync(work)
            return found
        import asyncio

        return await asyncio.to_thread(work)

    return call


class Aio:
    """The verbs of a handle that call the simulator, each as a coroutine; see ``Handle.aio``."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    advance = _coroutine(Handle.advance)
    advance_until = _coroutine(Handle.advance_until)
    settle = _coroutine(Handle.settle)
    decide = _coroutine(Handle.decide)
    accept = _coroutine(Handle.accept)
    reject = _coroutine(Handle.reject)
    ask_for_more = _coroutine(Handle.ask_for_more)
    suspend = _coroutine(Handle.suspend)
    reinstate = _coroutine(Handle.reinstate)
    expire = _coroutine(Handle.expire)
    use_scenario = _coroutine(Handle.use_scenario)
    use_machine = _coroutine(Handle.use_machine)
    drop_machine = _coroutine(Handle.drop_machine)
    next_outcome = _coroutine(Handle.next_outcome)
    fault = _coroutine(Handle.fault)
    webhooks = _coroutine(Handle.webhooks)
    application = _coroutine(Handle.application)
    applications = _coroutine(Handle.applications)
    callbacks = _coroutine(Handle.callbacks)
    expect_callback = _coroutine(Handle.expect_callback)
    expect_no_callback = _coroutine(Handle.expect_no_callback)
    requests = _coroutine(Handle.requests)
    expect_request = _coroutine(Handle.expect_request)
    report = _coroutine(Handle.report)
    reset = _coroutine(Handle.reset)
