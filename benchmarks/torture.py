"""Kill a server with ``kill -9`` while clients write, again and again, and count what is lost.

    python benchmarks/torture.py --kills 200

Each kill comes at a random moment (``--seed``) of concurrent writes of every kind, some while the
server starts. After each one the state is opened, compared with all that was acknowledged, and
served again: every record is there as it was acknowledged (or as the one call in flight would
have made it), every file has its hash, every timer is there once, nothing that was acknowledged is
undone. A state directory is used for ``--kills-per-state`` kills; then time passes until nothing is
due, and every callback must have arrived. In every second directory the servers rewrite their
journals all the time, and in half of them the clock runs, ten minutes a second. Exits 1 and keeps
the directory at the first loss.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.torture.client import Collector
from tests.torture.nursery import open_nursery
from tests.torture.rounds import Tally, Torture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--kills-per-state", type=int, default=25)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    total, repeats, began = Tally(), 0, time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="plivo-sim-torture-"))
    print(f"seed {given.seed}, state in {folder}", flush=True)
    log = folder / "servers.log"
    with open_nursery(log) as plain, open_nursery(log, compacting=True) as compacting:
        for number, start in enumerate(range(0, given.kills, given.kills_per_state)):
            kills = min(given.kills_per_state, given.kills - start)
            nursery, running = (compacting if number % 2 else plain), number % 4 > 1
            with Collector().serving() as receiver:
                state = folder / f"state-{number}"
                seed = given.seed + number
                tally = Torture(nursery, receiver, state, seed, running=running).run(kills)
                repeats += receiver.repeats
            for name in ("kills", "acknowledged", "refused", "seen"):
                setattr(total, name, getattr(total, name) + getattr(tally, name))
            writes, took_s = total.acknowledged.total(), time.monotonic() - began
            kills = total.kills.total()
            print(f"{kills} kills, {writes} writes, none lost, {took_s:.0f} s", flush=True)
    total.seen["callbacks that came again"] = repeats
    _report(total)


def _report(total: Tally) -> None:
    for title, counts in (
        ("kills", total.kills),
        ("acknowledged", total.acknowledged),
        ("seen", total.seen),
    ):
        print(f"\n{title}: {counts.total() if title != 'seen' else ''}")
        _print_counts(counts)


def _print_counts(counts: Counter[str]) -> None:
    for name, count in sorted(counts.items()):
        print(f"  {name:<28}{count:>8}")


if __name__ == "__main__":
    main()
