"""A year of a reseller in one account: thousands of applications through the real services.

    python benchmarks/scale.py [--applications 100000] [--months 12] [--state DIR]

Each month a part of them is filed; reviews are due, a fifth is rejected or asked for more
and sent again, callbacks go to a memory transport that fails now and then,
some accepted ones are suspended. Time moves by ``advance``. Prints the cost of each month:
if something grew with what is stored, the last month would cost most. Ends with ``advance`` over
10,000 reviews that are due at once; ``--months 0`` does only that.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import msgspec
from filling import AUTH_ID, CALLBACK, fill, requirement_of, resident_bytes, simulator, wanted

from plivo_sim.account.account import Account
from plivo_sim.apis.phone_number.current.reading import RULES
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.language import Scenario
from plivo_sim.services import applications, corrections, policies, reviews
from plivo_sim.services.inputs import Correction
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport

MACHINE = default_machine()

SCENARIO = {
    "scenario": "A reseller files all year",
    "rules": [
        {"when": {"alias": "*3"}, "decide": "rejected", "reason": "Blurred scan"},
        {"when": {"alias": "*6"}, "decide": "more_info_required", "reason": "GST, please"},
    ],
}
"""Two of ten are sent back at the first attempt; the alias of a correction ends otherwise."""


class Forgetful(MemoryTransport):
    """Fails every seventh callback, and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def send(self, request):  # type: ignore[no-untyped-def]  # as its base
        self.count += 1
        answer = super().send(request)
        self.sent.clear()
        return answer if self.count % 7 else type(answer)(status=500)


def correct_all(account: Account) -> int:
    """Send every rejected application again, as a client does that polls its list."""
    statuses = tuple(each for each in MACHINE.statuses if MACHINE.correctable(each))
    found = account.store.applications.page({"status": statuses}, limit=1_000_000).records
    for each in found:
        corrections.correct(account, each, Correction(alias=f"{each.alias} again"), RULES)
    return len(found)


def suspend_some(account: Account, count: int) -> None:
    for each in account.store.applications.page({"status": ("accepted",)}, limit=count).records:
        reviews.decide(account, each, "suspended", "Complaints")


def month(sim: Simulator, account: Account, count: int) -> Counter[str]:
    """File so many, let thirty days go by, and correct what comes back."""
    happened: Counter[str] = Counter()
    requirement, there = requirement_of(account), len(account.store.applications)
    for week in range(4):
        for n in range(there + week * count // 4, there + (week + 1) * count // 4):
            applications.create(account, wanted(requirement, n, CALLBACK), RULES)
        for _ in range(7):
            result = sim.runner.advance(account, account.now() + timedelta(days=1))
            happened.update(type(each).__name__ for each in result.happenings)
        happened["corrected"] += correct_all(account)
    suspend_some(account, count // 100)
    return happened


def due_at_once(count: int, state: Path | None) -> None:
    """``advance`` over reviews that are due at one instant, each with a callback."""
    sim = simulator(state, Forgetful())
    account = sim.account(AUTH_ID)
    fill(account, count, CALLBACK)
    begun, used = time.perf_counter(), time.process_time()
    result = sim.runner.advance(account, account.now() + timedelta(days=60))
    taken, used = time.perf_counter() - begun, time.process_time() - used
    print(f"\nadvance over {count:,} due reviews, each with a callback and its retries:")
    print(f"{taken:.2f} s, {used:.2f} s of processor; {len(result.happenings):,} happenings told")
    sim.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applications", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--state", type=Path, default=None, help="keep the state there")
    asked = parser.parse_args()
    sim = simulator(asked.state, Forgetful())
    account = sim.account(AUTH_ID)
    policies.use_scenario(account, msgspec.convert(SCENARIO, Scenario))
    each = asked.applications // max(asked.months, 1)
    print("| month | applications | processor us an application | timers | deliveries | memory |")
    print("|---|---|---|---|---|---|")
    for number in range(1, asked.months + 1):
        begun = time.process_time()
        month(sim, account, each)
        cost = (time.process_time() - begun) / each * 1e6
        store = account.store
        print(
            f"| {number} | {len(store.applications):,} | {cost:.0f} | {len(store.timers)} "
            f"| {len(store.deliveries)} | {resident_bytes() >> 20} MB |",
            flush=True,
        )
    counted = Counter(a.status.value for a in account.store.applications.every())
    print(f"\n{dict(counted)}")
    sim.close()
    due_at_once(10_000, asked.state / "due" if asked.state else None)


if __name__ == "__main__":
    main()
