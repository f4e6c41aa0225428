"""Count the moves between modules: calls that enter another module of the package, and return.

`python benchmarks/moves.py` makes one create with two files and two GETs of an application through
the WSGI application, in process: each once to warm up and once under `sys.setprofile`. The second
GET is given an answer that was kept. It prints
the number of moves of each, and the pairs of modules between which there are most. Only modules of
`plivo_sim` count, and what the libraries do between two of them hides no move. A generator that is
resumed from another module counts each time. The count is the same on every machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.hot_path import ACCOUNT, SDK_AGENT, Call, call, read, simulator_app
from benchmarks.peers.calls import Answer, Client, Request
from benchmarks.peers.own import Ours

COMPLIANCE = f"{ACCOUNT}/PhoneNumber/Compliance/"

Moves = Counter[tuple[str, str]]
"""(Caller's module, callee's module) -> how many calls."""


def main() -> None:
    parser = argparse.ArgumentParser(description="count the moves between modules")
    parser.add_argument("--top", type=int, default=12, help="how many pairs to print")
    top = parser.parse_args().top
    for name, moves in measured().items():
        print(f"{name}: {moves.total()} moves")
        for (caller, callee), count in moves.most_common(top):
            print(f"  {count:4}  {caller} -> {callee}")


def measured() -> dict[str, Moves]:
    """The moves of each request, by its name."""
    ours = Ours()
    with tempfile.TemporaryDirectory() as folder:
        app, close = simulator_app(Path(folder))
        try:
            form = ours.files(cast(Client, InProcess(app)))
            first, create = as_call(form.numbered(1)), as_call(form.numbered(2))
            made = json.loads(call(app, first)[1])["compliance_id"]
            get = read(f"{COMPLIANCE}{made}/", User_Agent=SDK_AGENT)
            call(app, get)
            return {
                "create with two files": moves_of(lambda: call(app, create), 201),
                "GET of an application": moves_of(lambda: call(app, get), 200),
                "the same GET again": moves_of(lambda: call(app, get), 200),
            }
        finally:
            close()


def moves_of(request: Callable[[], tuple[int, bytes]], status: int) -> Moves:
    """What one request moves, in the thread that serves it."""
    moves: Moves = Counter()
    within = [""]  # the module of each call that is under way; a library's counts as its caller's

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            within.append(_module(frame) or within[-1])
        elif event == "return" and len(within) > 1:
            callee = within.pop()
            if within[-1] and callee != within[-1]:
                moves[within[-1], callee] += 1

    sys.setprofile(profile)
    try:
        answer = request()
    finally:
        sys.setprofile(None)
    assert answer[0] == status, answer
    return moves


def _module(frame: FrameType) -> str:
    """The module of a frame, without the package's name; empty for a library's."""
    name = str(frame.f_globals.get("__name__", ""))
    return name.removeprefix("plivo_sim.") if name.startswith("plivo_sim.") else ""


class InProcess:
    """Asks the application itself, as the client of the comparison asks a server."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def ask(self, wanted: Request) -> Answer:
        return Answer(*call(self.app, as_call(wanted)))


def as_call(wanted: Request) -> Call:
    """The request as the benchmark of the hot path writes it."""
    return wanted.method, wanted.path, wanted.body, dict(wanted.headers)


if __name__ == "__main__":
    main()
