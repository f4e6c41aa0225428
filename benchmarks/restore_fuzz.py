"""Restore spoilt snapshot documents, in process: each is refused whole or served without a 500.

Run `python benchmarks/restore_fuzz.py --cases 10000`. Case n of a seed is always the same document,
so a problem can be seen again with `--seed S --only N`. Exit code 1 when a refused document changed
the account, or when a call failed with a 500 after one that was taken.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tests.hostile.restoring import Restorer

CHUNK = 100
"""After so many, problems are told."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this case alone, and its document")
    options = parser.parse_args()
    restorer = Restorer(options.seed)
    if options.only is not None:
        print(restorer.text_of(options.only))
        report = restorer.run(1, options.only)
        print("\n".join(report.problems) or "no problem")
        return 1 if report.problems else 0
    began = time.monotonic()
    report, told = restorer.report, 0
    for first in range(0, options.cases, CHUNK):
        restorer.run(min(CHUNK, options.cases - first), first)
        for problem in report.problems[told:]:
            print(problem, flush=True)
        told = len(report.problems)
    print(f"seed {options.seed}: {options.cases} documents in {time.monotonic() - began:.0f} s")
    print(f"refused  {report.refused}, the account as it was")
    print(f"served   {report.served}, {report.reads} calls")
    print("spoilt  ", ", ".join(f"{name} {n}" for name, n in report.mutations.most_common()))
    print(f"problems {told}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
