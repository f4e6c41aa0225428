"""Do fresh servers bear parallel first calls?

    python benchmarks/first_calls.py --servers 100

Starts one ``plivo-sim serve`` after the other and asks each, by eight threads at the same moment,
the first calls of every surface: both dialects of the new API, legacy, numbers, Atoms, what steers,
the rest of the control API, the console and the OpenAPI documents; each server begins with another
surface. Prints what went wrong, and exits 1 when anything did: a connection without an
answer, an answer of 400 or more, a traceback in the log, an end other than with 0.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.web.first_calls import borne, surfaces


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--only", metavar="SURFACE", help="ask for nothing else")
    given = parser.parse_args()
    asked = surfaces()
    if given.only:
        asked = {given.only: asked[given.only]}
    answered = failed = 0
    for n in range(given.servers):
        calls, complaints = borne(asked, n)
        answered += calls
        failed += bool(complaints)
        for each in complaints:
            print(f"server {n + 1}: {each}", flush=True)
    print(f"{given.servers} servers, {answered} calls answered, {failed} servers failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
