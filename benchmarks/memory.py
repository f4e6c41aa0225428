"""What many accounts cost in memory, descriptors and folders: each reads a lot and writes a little.

    python benchmarks/memory.py [--accounts 1000] [--calls 30] [--header-bytes 20000]

In process. A tenth of the accounts only reads, the others keep their state in a temporary folder.
Then every account is reset. Exit code 1 when more is resident than ``--most-mb`` beyond the start,
when more descriptors are open than ``--most-descriptors``, or when a folder is left.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
from pathlib import Path

from filling import resident_bytes
from werkzeug.test import Client

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator

MB = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=30, help="of each account")
    parser.add_argument("--header-bytes", type=int, default=20_000, help="sent with each call")
    parser.add_argument("--most-mb", type=float, default=200.0)
    parser.add_argument("--most-descriptors", type=int, default=80)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sim = make_simulator(Settings(paused=True, state=Path(folder)))
        try:
            return measured(sim, Path(folder) / "accounts", options)
        finally:
            sim.close()


def measured(sim: Simulator, folders: Path, options: argparse.Namespace) -> int:
    before = resident_bytes()
    accounts = [f"MA{number:018}" for number in range(options.accounts)]
    for number, auth_id in enumerate(accounts):
        if number % 10:
            sim.account(auth_id).keep_ledger()
    read(sim, accounts, options)
    grown_mb = (resident_bytes() - before) / MB
    sent_mb = options.accounts * options.calls * options.header_bytes / MB
    descriptors = len(os.listdir("/dev/fd"))
    kept_mb = sum(each.exchanges.size_bytes for each in sim.accounts()) / MB
    print(f"{options.accounts} accounts, {sent_mb:.0f} MB of headers: {kept_mb:.1f} MB are kept,")
    print(f"{grown_mb:.1f} MB more resident than at the start, {descriptors} descriptors,")
    sim.remove_all()
    left = len(os.listdir(folders))
    print(f"{left} folders after a reset")
    is_good = grown_mb <= options.most_mb and descriptors <= options.most_descriptors and not left
    return 0 if is_good else 1


def read(sim: Simulator, accounts: list[str], options: argparse.Namespace) -> None:
    """Round after round, so that every account is used again after all the others."""
    client = Client(create_app(sim), use_cookies=False)
    for number in range(options.calls):
        for auth_id in accounts:
            long = f"{auth_id} {number} ".ljust(options.header_bytes, "x")
            user = base64.b64encode(f"{auth_id}:token".encode()).decode()
            client.get(
                f"/v1/Account/{auth_id}/PhoneNumber/Compliance/",
                headers={"Authorization": f"Basic {user}", "X-Long": long},
            ).close()


if __name__ == "__main__":
    sys.exit(main())
