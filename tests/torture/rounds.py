"""Kill, look, start again: the torture as tests run it for moments and benchmarks for an hour."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.torture import audit
from tests.torture.client import Client, Collector, Dead
from tests.torture.nursery import Nursery, Server
from tests.torture.writers import Terms, Writer, terms_of

ACCOUNTS = ("MAXXXXXXXXXXXXXXXXXX", "MAYYYYYYYYYYYYYYYYYY")
WRITERS = (0, 0, 0, 1)
"""The account of each writer: three share one."""
OPTIONS = ("--callback-retries", "1m,2m,4m,8m,16m")
STANDING = ("--review-delay", "1h")
RUNNING = ("--review-delay", "5m", "--no-paused", "--warp", "600")
"""Ten minutes a second: reviews and callbacks happen by themselves, too."""
SHORTEST_S, LONGEST_S = 0.02, 0.5
KILLED_STARTING = 0.1
"""How many servers are killed while they start."""


@dataclass
class Tally:
    """What was tried, how many times, and what came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)


class Clock:
    """Moves both accounts' time by small steps while the others write."""

    def __init__(self) -> None:
        self.known: dict[str, datetime] = {}
        self.steps = 0

    def move_until_dead(self, url: str) -> None:
        with Client(url, ACCOUNTS[0]) as client, suppress(Dead):
            while True:
                for account in ACCOUNTS:
                    body = {"by": "10m", "account": account}
                    told = client.send("POST", "/_sim/clock/advance", body)
                    self.known[account] = _instant(told["now"])
                    self.steps += 1

    def check(self, account: str, now: datetime) -> None:
        """Where it was acknowledged to be, or one step further."""
        known = self.known.get(account, now)
        assert known <= now <= known + timedelta(minutes=10), f"CLOCK: {known} {now}"
        self.known[account] = now


class Torture:
    """One state directory and everything that is known of it; ``running``: time passes there."""

    def __init__(
        self,
        nursery: Nursery,
        receiver: Collector,
        state: Path,
        seed: int,
        *,
        running: bool = False,
    ) -> None:
        self.tally = Tally()
        self._nursery, self._receiver, self._state = nursery, receiver, state
        self._running = running
        self._options = (*OPTIONS, *(RUNNING if running else STANDING))
        self._dice = random.Random(seed)
        self._clock = Clock()
        self._terms: Terms | None = None
        self._writers = [
            Writer(i, len(WRITERS), seed, ACCOUNTS[account]) for i, account in enumerate(WRITERS)
        ]

    def run(self, kills: int) -> Tally:
        """Kill this many times, then let time pass until nothing is due, and look at the end."""
        for _ in range(kills):
            if self._dice.random() < KILLED_STARTING:
                self._kill_one_that_starts()
            else:
                self._kill_one_that_works()
            self._look()
        self._end()
        for writer in self._writers:
            self.tally.acknowledged += writer.acknowledged
            self.tally.refused += writer.refused
        self.tally.acknowledged["clock moved"] = self._clock.steps
        shutil.rmtree(self._state)
        return self.tally

    def _kill_one_that_starts(self) -> None:
        server = Server(self._nursery, self._state, *self._options, ready=False)
        time.sleep(self._dice.uniform(0, 0.1))
        server.kill()
        server.bury()
        self.tally.kills["while starting"] += 1

    def _kill_one_that_works(self) -> None:
        server = Server(self._nursery, self._state, *self._options)
        self._check_over_http(server)
        if self._terms is None:
            with Client(server.url, ACCOUNTS[0]) as client:
                self._terms = terms_of(client, self._receiver.url)
        works: list[Any] = [lambda w=w: w.write_until_dead(server.url, self._terms)
                            for w in self._writers]  # fmt: skip
        works.append(lambda: self._clock.move_until_dead(server.url))
        failures: list[BaseException] = []
        killed = threading.Event()
        threads = [threading.Thread(target=_guarded, args=(w, killed, failures)) for w in works]
        for thread in threads:
            thread.start()
        time.sleep(self._dice.uniform(SHORTEST_S, LONGEST_S))
        killed.set()
        server.kill()
        for thread in threads:
            thread.join(60)
        server.bury()
        if failures:
            raise failures[0]
        self.tally.kills["at work"] += 1
        journals = self._state.glob("accounts/*/journal.new")
        self.tally.seen["kills amid a compaction"] += sum(1 for _ in journals)

    def _look(self) -> None:
        with audit.reopened(self._state) as sim:
            for account in sim.accounts():
                if not self._running:  # a clock that runs is written down with each write only
                    self._clock.check(account.auth_id, account.now())
                self.tally.seen += Counter(audit.check_whole(account))
            for writer in self._writers:
                audit.settle_with(writer, sim.account(writer.auth_id))
                self.tally.seen["records compared"] += len(writer.kept)
            for account in sim.accounts():
                audit.check_known(account, self._writers)

    def _check_over_http(self, server: Server) -> None:
        for writer in self._writers:
            with Client(server.url, writer.auth_id) as client:
                read = audit.check_over_http(client, writer)
            self.tally.seen["records read over HTTP"] += read

    def _end(self) -> None:
        server = Server(self._nursery, self._state, *self._options)
        self._check_over_http(server)
        for auth_id in ACCOUNTS:
            for _ in range(2):
                server.advance("60d", auth_id)
                while server.control("GET", f"/clock?account={auth_id}")["advancing"]:
                    time.sleep(0.05)
        server.kill()
        server.bury()
        with audit.reopened(self._state) as sim:
            for account in sim.accounts():
                audit.check_whole(account)
                self.tally.seen += Counter(audit.check_end(account, self._receiver))
        damaged = self._state.glob("accounts/*/*.damaged*")
        self.tally.seen["bytes of torn lines"] += sum(each.stat().st_size for each in damaged)


def _guarded(work: Any, killed: threading.Event, failures: list[BaseException]) -> None:
    """A writer ends when the server is dead, not before."""
    try:
        work()
        if not killed.is_set():
            raise AssertionError("the server stopped answering before it was killed")
    except BaseException as error:
        failures.append(error)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
