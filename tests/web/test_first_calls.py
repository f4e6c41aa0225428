"""What is made on first use is made by one thread: fresh servers bear parallel first calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
    asked = surfaces()
    del asked["openapi"]  # whose maker, msgspec, knows no datetime then
    print(answers(asked))
print(answers(surfaces()))
"""


def test_what_is_loaded_in_frozen_time_works_in_it_and_after() -> None:
    """Every surface is first called, and so loaded, while freezegun has its own datetime."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FROZEN], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "[]\n[]\n"), done.stderr


@pytest.mark.live
@pytest.mark.parametrize("nth", [0, 3, 6])
def test_a_fresh_server_bears_parallel_first_calls(nth: int) -> None:
    """Each surface's, by eight threads at once; more servers: ``benchmarks/first_calls.py``."""
    asked = surfaces()
    answered, complaints = borne(asked, nth)
    assert complaints == []
    assert answered >= 8 * len(asked)
