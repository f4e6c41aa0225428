"""What is made on first use is made by one thread: fresh servers bear parallel first calls."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from plivo_sim.app import document
from tests.web.first_calls import borne, surfaces

_FIRST_USES = """
import sys, threading
from plivo_sim.domain.typed import convert, decode
import msgspec

def first_uses(read):
    inner = msgspec.defstruct("Inner", [("a", int, 0)])
    outer = msgspec.defstruct("Outer", [("inner", inner), ("last", int)])
    barrier = threading.Barrier(8)

    def use():
        barrier.wait()
        assert read(outer).last == 1

    threads = [threading.Thread(target=use) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

sys.setswitchinterval(1e-6)
for _ in range(300):
    first_uses(lambda type_: convert({"inner": {}, "last": 1}, type_))
    first_uses(lambda type_: decode('{"inner": {}, "last": 1}', type_))
print("all is well")
"""


def test_a_type_is_worked_out_by_one_thread() -> None:
    """With msgspec alone, 0.22 and before, the first of these ends the process."""
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_USES], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stderr


_FROZEN = """
from freezegun import freeze_time
import plivo_sim.assembly
from tests.web.first_calls import answers, surfaces
with freeze_time("2012-01-14"):
    print(answers(surfaces()))
print(answers(surfaces()))
"""


def test_what_is_loaded_in_frozen_time_works_in_it_and_after() -> None:
    """Every surface is first called, and so loaded, while freezegun has its own datetime."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FROZEN], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "[]\n[]\n"), done.stderr


_FROZEN_DOCUMENT = """
import json
from freezegun import freeze_time
from plivo_sim.app import document
with freeze_time("2012-01-14"):
    print(json.dumps(document("control"), sort_keys=True))
"""


def test_a_document_that_is_made_in_frozen_time_is_the_same() -> None:
    """Though msgspec does not know the types of its instants then."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FROZEN_DOCUMENT],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == json.dumps(document("control"), sort_keys=True)


@pytest.mark.live
@pytest.mark.parametrize("nth", [0, 3, 6])
def test_a_fresh_server_bears_parallel_first_calls(nth: int) -> None:
    """Each surface's, by eight threads at once; more servers: ``benchmarks/first_calls.py``."""
    asked = surfaces()
    answered, complaints = borne(asked, nth)
    assert complaints == []
    assert answered >= 8 * len(asked)
