"""Whoever computes for long without the lock of an account does so one at a time.

Threads share one interpreter: a hundred that compute take it from everybody else. Of those that
hold an account's lock there are few, because others wait for it, most of them without a thread;
``Simulator.long_work`` is such a lock for all others. It is waited for last: who holds it waits for
nothing, no account, receiver or file, so that it is always let go of soon. What is small does not
ask for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import msgspec
from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.account.lock import Passing
from plivo_sim.domain.text import encode_json
from plivo_sim.web.calls import current_call

FEW = 64
"""Records, calls or accounts, of which something is made without waiting."""
FEW_BYTES = 4096
"""The same of a body, or of what is put into words as JSON."""
BYTES_OF_THING = 4096
"""So many bytes of what is put into words are as much work as one thing."""
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def long_work(things: int, few: int = FEW) -> AbstractContextManager[object]:
    """To hold while something is made of so many things. Caller holds it while it waits for
    nothing; see the module."""
    return current_call().sim.long_work if things > few else nullcontext()


def work_on_texts(sizes_bytes: Iterable[int]) -> AbstractContextManager[object]:
    """The same while things with texts of these sizes are put into words: many count, and large
    ones."""
    return long_work(sum(1 + size // BYTES_OF_THING for size in sizes_bytes))


@contextmanager
def passing(
    accounts: Sequence[Account], things_in: Callable[[Account], int] = lambda _: 1
) -> Iterator[Passing]:
    """To look at all of these, or at so many things in each: who looks at many does so one at a
    time, and waits for none."""
    things = len(accounts)
    if things <= FEW:
        things = sum(map(things_in, accounts))
    with long_work(things):
        yield Passing(0.0) if things > FEW else Passing()


def work_on_body() -> AbstractContextManager[object]:
    """The same of the body of the call, which was read."""
    came = current_call().came
    return long_work(came.size_bytes if came is not None else 0, FEW_BYTES)


def work_on(value: Any) -> AbstractContextManager[object]:
    """The same of a scenario or a machine file."""
    return long_work(len(msgspec.json.encode(value)), FEW_BYTES)


def made_once(
    kept: dict[K, tuple[object, T]], name: K, basis: object, make: Callable[[], T], most: int
) -> T:
    """What is made of this ``basis``: again only when that is another. ``kept``: the last ones, at
    most so many, by their names."""
    found = kept.get(name)
    if found is None or found[0] != basis:
        with current_call().sim.long_work:
            found = kept.get(name)
            if found is None or found[0] != basis:
                kept.pop(name, None)
                while len(kept) >= most:
                    del kept[next(iter(kept))]
                found = kept[name] = basis, make()
    return found[1]


def answer_for_all(name: str, basis: object, make: Callable[[], Any]) -> Response:
    """The JSON of what is the same for everybody while its ``basis`` is the same: it is made once.
    ``name``: one of a few."""
    made = current_call().sim.made_for_all
    encoded = made_once(made, name, (basis,), lambda: encode_json(make()), FEW)
    return current_call().answer_encoded(encoded)
