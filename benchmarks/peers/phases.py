"""The measuring itself, phase by phase; in each the candidates take turns."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.book import Book, Row
from benchmarks.peers.calls import Client, Failed, Lacks, Request, client
from benchmarks.peers.load import fill, load
from benchmarks.peers.own import Candidate, Ours, Place
from benchmarks.peers.processes import Process, free_port, scratch

CONNECTIONS = (8, 32)
RESETS_AT = 10_000
PATIENCE = 3
"""Ours gets so many times the time to fill up: targets are about its largest number of records."""


@dataclass(frozen=True)
class Plan:
    """How much of it. ``ends_s``, on the monotonic clock, is when no new phase of a peer begins."""

    rounds: int = 3
    seconds: float = 2
    sizes: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    fill_budget_s: float = 40  # of each, for all sizes together
    slot_s: float = 0.25  # of one operation in one round, at some number of records
    reviews: int = 10_000
    ends_s: float = float("inf")

    def check_time(self) -> None:
        """Raises Lacks when the run has to end."""
        if time.monotonic() > self.ends_s:
            raise Lacks("the time of the whole run was up")


@dataclass
class Running:
    """A candidate's server that has answered."""

    candidate: Candidate
    place: Place
    process: Process
    started_ms: float
    records: int = 0
    filling_s: float = 0
    per_s: float = 0  # when it was last filled with a number worth timing
    gone: str = ""  # why it takes no further part
    reads: Request | None = None

    def client(self) -> contextlib.AbstractContextManager[Client]:
        return client(self.place.port)

    def one_record(self) -> None:
        """Prepare, make a record and remember how to read it. Raises Failed."""
        with self.client() as asking:
            self.candidate.prepare(asking)
            made = asking.ask(self.candidate.create())
        self.reads = self.candidate.read(made)
        self.records += 1

    def reset(self) -> None:
        """Empty it where it can be emptied; then there is one record. Raises Failed."""
        with contextlib.suppress(Lacks):
            wanted = self.candidate.reset()
            with self.client() as asking:
                asking.ask(wanted)
            self.records = 0
        self.one_record()


@dataclass
class Bench:
    """Everything that the phases share."""

    book: Book
    plan: Plan
    candidates: list[tuple[Candidate, Path]]  # and where each was installed

    def start(self, candidate: Candidate, installed: Path, folder: Path) -> Running:
        """Raises Failed; nothing is left running then."""
        place = Place(free_port(), folder, installed)
        process = Process(candidate.command(place), folder, candidate.env())
        try:
            return Running(
                candidate, place, process,
                process.wait_until_answered(place.port, candidate.first()),
            )  # fmt: skip
        except BaseException:
            process.stop()
            raise

    @contextlib.contextmanager
    def running(self) -> Iterator[list[Running]]:
        """Every candidate that starts, at the same time, with one record each."""
        with contextlib.ExitStack() as stack:
            found: list[Running] = []
            for candidate, installed in self.candidates:
                if candidate.name in self.book.absent:
                    continue
                folder = stack.enter_context(scratch())
                try:
                    self.plan.check_time()
                    one = self.start(candidate, installed, folder)
                    stack.callback(_stop, one)
                    one.one_record()
                except (Lacks, Failed) as error:
                    self.book.absent[candidate.name] = str(error)
                    continue
                found.append(one)
            yield found

    def note(self, row: Row, who: str, measure: Callable[[], float]) -> None:
        """One sample of a row; or why there is none, and from then on never."""
        if who in row.missing:
            return
        try:
            self.plan.check_time()
            row.samples.setdefault(who, []).append(measure())
        except (Lacks, Failed) as error:
            row.samples.pop(who, None)
            row.missing[who] = str(error)


def _stop(one: Running) -> None:
    one.process.stop()  # the one that it has now: a restart replaces it


# --- start -----------------------------------------------------------------------------------


def measure_start(bench: Bench) -> None:
    """From process start to the first answer and the first record; memory when idle."""
    bench.book.row("start", "start to first answer", "ms")
    bench.book.row("first create", "first record, after that", "ms")
    bench.book.row("later create", "the same, the tenth time", "ms")
    bench.book.row("memory idle", "memory, idle", "MB")
    for turn in range(bench.plan.rounds + 1):
        for candidate, installed in bench.candidates:
            if candidate.name in bench.book.absent:
                continue
            with scratch() as folder:  # the first start may have to compile: it is not noted
                _start_once(bench, candidate, installed, folder, noted=turn > 0)


def _start_once(
    bench: Bench, candidate: Candidate, installed: Path, folder: Path, *, noted: bool
) -> None:
    keys = ("start", "first create", "later create", "memory idle")
    start, first, later, idle = (bench.book.rows[key] for key in keys)
    who = candidate.name
    try:
        bench.plan.check_time()
        one = bench.start(candidate, installed, folder)
    except (Lacks, Failed) as error:
        bench.book.absent[who] = str(error)
        return
    try:
        if not noted:
            return
        bench.note(start, who, lambda: one.started_ms)
        bench.note(first, who, lambda: _timed_ms(one.one_record))
        bench.note(idle, who, one.process.memory_mb)
        bench.note(later, who, lambda: [_timed_ms(one.one_record) for _ in range(9)][-1])
    finally:
        one.process.stop()


def _timed_ms(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


# --- load ------------------------------------------------------------------------------------


def measure_load(bench: Bench) -> None:
    """Requests a second and p99, and the create with two files."""
    plan = bench.plan
    with bench.running() as servers:
        for one in servers:
            _warm_up(one, min(plan.seconds, 1))
        for connections in CONNECTIONS:
            for operation in ("get", "create"):
                _load_rows(bench, servers, operation, connections)
        row = bench.book.row("files", "create with two files of 200 kB", "ms")
        for _ in range(plan.rounds):
            for one in servers:
                bench.note(row, one.candidate.name, lambda: _files_ms(one, plan))  # noqa: B023


def _warm_up(one: Running, seconds: float) -> None:
    with contextlib.suppress(Failed):
        for request in (one.reads, one.candidate.create()):
            assert request is not None
            load(one.place.port, request, CONNECTIONS[0], seconds)


def _load_rows(bench: Bench, servers: list[Running], operation: str, connections: int) -> None:
    key, at = f"{operation} {connections}", f"{operation}, {connections} connections"
    rates = bench.book.row(f"{key} rate", at, "/s", "more")
    p99s = bench.book.row(f"{key} p99", f"{at}, p99", "ms")
    for _ in range(bench.plan.rounds):
        for one in servers:
            who = one.candidate.name
            taken: list[float] = []
            bench.note(rates, who, lambda: _rate(bench, one, operation, connections, taken))  # noqa: B023
            if taken:
                bench.note(p99s, who, taken.pop)
            else:
                p99s.missing[who] = rates.missing.get(who, "")


def _rate(
    bench: Bench, one: Running, operation: str, connections: int, p99_ms: list[float]
) -> float:
    one.reset()  # so that every load meets an empty server, whatever was created before
    request = one.reads if operation == "get" else one.candidate.create()
    assert request is not None
    found = load(one.place.port, request, connections, bench.plan.seconds)
    p99_ms.append(found.p99_ms)
    return found.per_s


def _files_ms(one: Running, plan: Plan) -> float:
    with one.client() as asking:
        request = one.candidate.files(asking)
        return _slot_ms(asking, request, plan.slot_s, most=20)


def _slot_ms(asking: Client, request: Request, slot_s: float, most: int) -> float:
    """The median of as many calls as fit, of three at least."""
    taken: list[float] = []
    end = time.perf_counter() + slot_s
    asking.timed_ms(request)  # the connection is made here
    while len(taken) < 3 or (len(taken) < most and time.perf_counter() < end):
        taken.append(asking.timed_ms(request))
    return sorted(taken)[len(taken) // 2]


# --- records ---------------------------------------------------------------------------------


def measure_records(bench: Bench) -> None:
    """What a page, a get and a create cost at each number of records; memory; resetting."""
    with bench.running() as servers:
        for size in bench.plan.sizes:
            for one in servers:
                _fill(bench, one, size)
            for _ in range(bench.plan.rounds):
                for one in servers:
                    _at_size(bench, one, size)
            if size == bench.plan.sizes[-1]:
                for one in servers:
                    _restarts(bench, one, size)
            if size >= RESETS_AT or size == bench.plan.sizes[-1]:
                for one in servers:
                    _resets(bench, one, size)


def _fill(bench: Bench, one: Running, size: int) -> None:
    row = bench.book.row(f"memory@{size}", f"memory at {size:,} records", "MB")
    bench.note(row, one.candidate.name, lambda: _filled_mb(bench, one, size))


def _filled_mb(bench: Bench, one: Running, size: int) -> float:
    if not one.candidate.stores:
        raise Lacks("stores nothing")
    if one.gone:
        raise Lacks(one.gone)
    try:
        _fill_up(one, size, bench.plan)
    except (Lacks, Failed) as error:
        one.gone = str(error)
        raise
    return one.process.memory_mb()


def _fill_up(one: Running, size: int, plan: Plan) -> None:
    """Raises Lacks when it would take, or took, too long."""
    wanted = size - one.records
    if wanted <= 0:
        return
    patience = PATIENCE if isinstance(one.candidate, Ours) else 1
    left_s = min(plan.fill_budget_s * patience - one.filling_s, plan.ends_s - time.monotonic())
    if left_s < 1 or (one.per_s and wanted / one.per_s > 2 * left_s):
        at_rate = f" at {one.per_s:,.0f}/s" if one.per_s else ""
        raise Lacks(f"would take too long to reach {size:,} records{at_rate}")
    began = time.perf_counter()
    done = fill(one.place.port, one.candidate.create(), wanted, left_s)
    took_s = time.perf_counter() - began
    one.records += done
    one.filling_s += took_s
    if done >= 500:
        one.per_s = done / took_s
    if one.records < size * 0.99:
        raise Lacks(f"reached {one.records:,} of {size:,} records in {one.filling_s:.0f} s")


def _at_size(bench: Bench, one: Running, size: int) -> None:
    candidate = one.candidate
    wanted = {"page": candidate.page(), "get": one.reads, "create": candidate.create()}
    for name, request in (wanted | candidate.pages(size)).items():
        assert request is not None
        what = f"a {name} of 20" if "page" in name else name
        row = bench.book.row(f"{name}@{size}", f"{what}, at {size:,} records", "ms")
        most = 20 if name == "create" else 50
        bench.note(row, candidate.name, lambda: _operation_ms(bench, one, request, most))  # noqa: B023


def _operation_ms(bench: Bench, one: Running, request: Request, most: int) -> float:
    if one.gone:
        raise Lacks(one.gone)
    with one.client() as asking:
        return _slot_ms(asking, request, bench.plan.slot_s, most)


def _resets(bench: Bench, one: Running, size: int) -> None:
    """As many as rounds, refilled in between where that is quick."""
    row = bench.book.row(f"reset@{size}", f"reset, at {size:,} records", "ms")
    who = one.candidate.name
    for turn in range(bench.plan.rounds):
        began = time.monotonic()
        if turn and not one.gone:
            with contextlib.suppress(Failed):
                wanted = size - one.records
                one.records += fill(one.place.port, one.candidate.create(), wanted, 10)
        bench.note(row, who, lambda: _reset_ms(one))
        if who in row.missing or size > RESETS_AT or time.monotonic() - began > 6:
            break


def _reset_ms(one: Running) -> float:
    request = one.candidate.reset()
    if one.gone:
        raise Lacks(one.gone)
    with one.client() as asking:
        took_ms = asking.timed_ms(request)
    one.records = 0
    one.one_record()
    return took_ms


def _restarts(bench: Bench, one: Running, size: int) -> None:
    if not isinstance(one.candidate, Ours):
        return
    row = bench.book.row("restart", f"restart with {size:,} records", "ms")
    for _ in range(bench.plan.rounds):
        bench.note(row, one.candidate.name, lambda: _restarted_ms(bench, one))


def _restarted_ms(bench: Bench, one: Running) -> float:
    if one.gone:
        raise Lacks(one.gone)
    one.process.stop(politely=True)
    again = bench.start(one.candidate, one.place.installed, one.place.folder)
    one.place, one.process = again.place, again.process
    assert one.reads is not None
    with one.client() as asking:
        asking.ask(one.reads)  # what was acknowledged is there
    return again.started_ms


# --- ours alone ------------------------------------------------------------------------------


def measure_reviews(bench: Bench) -> None:
    """Advancing over due reviews, of ours alone."""
    reviews = bench.plan.reviews
    row = bench.book.row("advance", f"advance over {reviews:,} due reviews", "ms")
    for candidate, installed in bench.candidates:
        if isinstance(candidate, Ours):
            with scratch() as folder:
                one = bench.start(candidate, installed, folder)
                try:
                    for _ in range(bench.plan.rounds):
                        bench.note(row, candidate.name, lambda: _advance_ms(one, reviews))  # noqa: B023
                finally:
                    one.process.stop()


def _advance_ms(one: Running, reviews: int) -> float:
    ours = one.candidate
    assert isinstance(ours, Ours)
    one.reset()
    with one.client() as asking:
        asking.ask(ours.control("clock/pause"))
    done = fill(one.place.port, ours.submission(), reviews, 60)
    if done < reviews:
        raise Failed(f"only {done:,} of {reviews:,} submissions were taken")
    with one.client() as asking:
        return asking.timed_ms(ours.control("clock/advance", by="30d"))
