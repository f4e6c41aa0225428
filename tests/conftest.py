"""Fixtures: a simulator in process, one that is served, a receiver of callbacks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import freezegun
import hypothesis
import pytest

from plivo_sim.account.store import compaction as store_compaction
from plivo_sim.account.store import damage as store_damage
from plivo_sim.account.store import files as store_files
from plivo_sim.account.store import format as store_format
from plivo_sim.account.store import journal as store_journal
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.fakes import Disk
from tests.support import Http, Receiver

# freezegun looks at every attribute of every module; smallestai's are imported when looked at, and
# that fails on frozen time and leaves it frozen for all tests to come.
freezegun.configure(extend_ignore_list=["smallestai"])

hypothesis.settings.register_profile("quick", deadline=None)
hypothesis.settings.register_profile("long", deadline=None, max_examples=500)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def bounded(max_examples: int, **others: Any) -> hypothesis.settings:
    """Settings of a property that the default run tries only so often; the profile ``long``
    (``HYPOTHESIS_PROFILE``, ``--hypothesis-profile``) as often as it says."""
    is_long = hypothesis.settings.get_current_profile_name() == "long"
    chosen = {} if is_long else {"max_examples": max_examples}
    return hypothesis.settings(deadline=None, **chosen, **others)


_DEFAULTS = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}
for _name, _default in _DEFAULTS.items():  # a shell in the background, or nohup, ignores them
    if (_each := getattr(signal, _name, None)) and signal.getsignal(_each) is signal.SIG_IGN:
        signal.signal(_each, _default)

PAUSED = Settings(port=0, paused=True, review_delay=None)


@contextmanager
def serving(state: Path, **others: Any) -> Iterator[Http]:
    """A simulator that keeps its state in this folder, in process; its clocks stand still."""
    sim = make_simulator(replace(PAUSED, state=state, **others), transport=MemoryTransport())
    try:
        yield Http(create_app(sim), sim)
    finally:
        sim.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """What every file of the state lies on from here on; it fills up when its ``room`` is set."""
    made = Disk()
    for module in (store_compaction, store_damage, store_files, store_format, store_journal):
        monkeypatch.setattr(module, "open_file", made.open_file)
    return made


@pytest.fixture
def transport() -> MemoryTransport:
    """Callbacks go here: kept, and answered 200."""
    return MemoryTransport()


@pytest.fixture
def sim(transport: MemoryTransport) -> Iterator[Simulator]:
    """A fresh simulator in memory; its clocks stand at 2026-01-05T09:00Z."""
    simulator = make_simulator(PAUSED, transport=transport)
    yield simulator
    simulator.close()


@pytest.fixture
def http(sim: Simulator) -> Http:
    """Its HTTP face, in process."""
    return Http(create_app(sim), sim)


@pytest.fixture
def live() -> Iterator[LiveSimulator]:
    """A fresh simulator behind a real socket, clocks standing still."""
    with LiveSimulator(replace(PAUSED, callback_timeout_s=60.0)) as served:
        yield served


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real receiver of callbacks on loopback; answers 200 unless told otherwise."""
    with Receiver().serving() as serving:
        yield serving
