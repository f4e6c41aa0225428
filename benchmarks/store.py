"""What a call costs when the account holds 100, 10,000 and 100,000 applications.

    python benchmarks/store.py [--most 100000] [--rounds 300]

All accounts live in one process and each round asks each of them in turn, so other load on the
machine affects all of them alike: read the ratios. Calls go through the whole WSGI application,
without a socket. Then: reset, mark and restore at 10,000 records; memory; reopening the largest
from its journal.
"""

from __future__ import annotations

import argparse
import base64
import gc
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filling import (
    AUTH_ID,
    fill,
    fill_with_copies,
    requirement_of,
    resident_bytes,
    simulator,
    wanted,
)

from plivo_sim.apis.phone_number.current.reading import RULES
from plivo_sim.app import create_app
from plivo_sim.services import applications, reviews
from plivo_sim.simulator import Simulator

COMPLIANCE = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
LEGACY = f"/v1/Account/{AUTH_ID}/ComplianceApplication/"
AUTHORIZATION = "Basic " + base64.b64encode(f"{AUTH_ID}:token".encode()).decode()


class Account:
    """A simulator with one account of so many applications."""

    def __init__(self, count: int, state: Path | None = None) -> None:
        self.count = count
        self.sim: Simulator = simulator(state)
        self.account = self.sim.account(AUTH_ID)
        self.app = create_app(self.sim)
        fill_with_copies(self.account, count)
        for n, each in enumerate(self.account.store.applications.page({}, limit=count).records):
            if n % 10 < 3:
                status = ("accepted", "rejected", "more_info_required")[n % 10]
                reviews.decide(self.account, each, status)
        self.requirement = requirement_of(self.account)
        self.made = count

    def get(self, path: str, query: str = "", dialect: str = "current") -> float:
        """Seconds of one GET."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_AUTHORIZATION": AUTHORIZATION,
            "HTTP_X_PLIVO_SIM_DIALECT": dialect,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
        }
        told: list[str] = []
        begun = time.perf_counter()
        answer = self.app(environ, lambda status, headers, *_: told.append(status))
        b"".join(answer)
        getattr(answer, "close", lambda: None)()
        taken = time.perf_counter() - begun
        assert told[0].startswith("200"), (path, query, told)
        return taken

    def middle(self) -> str:
        (found,) = self.account.store.applications.page({}, offset=self.count // 2, limit=1).records
        return found.id

    def create(self) -> float:
        self.made += 1
        asked = wanted(self.requirement, self.made)
        begun = time.perf_counter()
        applications.create(self.account, asked, RULES)
        return time.perf_counter() - begun

    def delete(self) -> float:
        """The newest, so that the count stays."""
        store = self.account.store.applications
        (last,) = store.page({}, offset=len(store) - 1, limit=1).records
        begun = time.perf_counter()
        applications.delete(self.account, last)
        return time.perf_counter() - begun

    def decide(self) -> float:
        """There and back, so that every status keeps its share; half of both."""
        account = self.account
        (first,) = account.store.applications.page({"status": ("accepted",)}, limit=1).records
        begun = time.perf_counter()
        suspended = reviews.decide(account, first, "suspended")
        reviews.decide(account, suspended.application, "accepted")
        return (time.perf_counter() - begun) / 2


OPERATIONS: list[tuple[str, Callable[[Account], float]]] = [
    ("get", lambda a: a.get(f"{COMPLIANCE}{a.middle()}/")),
    ("create", Account.create),
    ("delete", Account.delete),
    ("decide", Account.decide),
    ("list, first page", lambda a: a.get(COMPLIANCE)),
    ("list, last page", lambda a: a.get(COMPLIANCE, f"offset={a.count - 20}")),
    ("list, middle page", lambda a: a.get(COMPLIANCE, f"offset={a.count // 2}&limit=20")),
    ("by status", lambda a: a.get(COMPLIANCE, "status=accepted&offset=3&limit=5")),
    (
        "by status, several in one word",
        lambda a: a.get(COMPLIANCE, "status=rejected&offset=3&limit=5"),
    ),
    (
        "by four filters",
        lambda a: a.get(
            COMPLIANCE,
            "status=submitted&country_iso=IN&number_type=local&user_type=business&limit=5",
        ),
    ),
    ("by alias", lambda a: a.get(COMPLIANCE, "alias=alias%207")),
    ("legacy list by status", lambda a: a.get(LEGACY, "status=submitted&offset=3&limit=5")),
]


def flatness(accounts: list[Account], rounds: int) -> None:
    counts = [f"{account.count:,}" for account in accounts]
    print(f"\n| median of {rounds}, us | {' | '.join(counts)} | last / first |")
    print("|---|" + "---|" * (len(accounts) + 1))
    for name, operation in OPERATIONS:
        for account in accounts:
            operation(account)  # makes the index, if it takes one
        taken: list[list[float]] = [[] for _ in accounts]
        for _ in range(rounds):
            for account, times in zip(accounts, taken, strict=True):
                times.append(operation(account))
        medians = [statistics.median(times) * 1e6 for times in taken]
        shown = " | ".join(f"{median:.0f}" for median in medians)
        print(f"| {name} | {shown} | {medians[-1] / medians[0]:.2f} |", flush=True)


def between_tests(rounds: int) -> None:
    """Reset, mark and restore of an account with 10,000 records, a few changes in between."""
    auth_id = Account(10_000 // 6)
    account = auth_id.account
    count = sum(len(rows) for rows in account.store.mark().values())
    mark = account.mark()
    marks, restores, resets = [], [], []
    for _ in range(rounds):
        auth_id.create()
        auth_id.decide()
        begun = time.perf_counter()
        account.mark()
        marked = time.perf_counter()
        account.restore(mark)
        marks.append(marked - begun)
        restores.append(time.perf_counter() - marked)
    for _ in range(rounds):
        account.restore(mark)
        begun = time.perf_counter()
        account.reset()
        resets.append(time.perf_counter() - begun)
    print(f"\n| at {count:,} records, in memory | median ms |\n|---|---|")
    for name, times in (("reset", resets), ("mark", marks), ("restore", restores)):
        print(f"| {name} | {statistics.median(times) * 1e3:.2f} |")


def reopening(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        sim = simulator(state)
        gc.collect()
        before = resident_bytes()
        fill(sim.account(AUTH_ID), count)
        gc.collect()
        each = (resident_bytes() - before) / count
        sim.close()
        size = sum(path.stat().st_size for path in state.rglob("journal.jsonl"))
        del sim
        gc.collect()
        begun, used = time.perf_counter(), time.process_time()
        again = simulator(state)
        taken, used = time.perf_counter() - begun, time.process_time() - used
        assert len(again.account(AUTH_ID).store.applications) == count
        again.close()
    print("\n| | |\n|---|---|")
    print(f"| memory an application with end user and two documents, of {count:,} | {each:.0f} B |")
    print(f"| its journal | {size / count:.0f} B |")
    print(f"| reopening {count:,} | {taken:.2f} s ({used:.2f} s of processor) |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=300)
    asked = parser.parse_args()
    reopening(asked.most)
    between_tests(min(asked.rounds, 50))
    sizes = [size for size in (100, 10_000, 100_000) if size < asked.most] + [asked.most]
    flatness([Account(size) for size in sizes], asked.rounds)


if __name__ == "__main__":
    main()
