"""The short form of ``benchmarks/fuzz.py``."""

from __future__ import annotations

import pytest

from tests.hostile.fuzzing import Fuzzer

CASES = 600


@pytest.mark.parametrize("seed", [1, 2])
def test_spoiled_requests_are_refused_in_words(seed: int) -> None:
    """No 500, no stack trace, no empty body; always the same cases."""
    report = Fuzzer(seed).run(CASES)
    assert report.problems == []
    assert report.cases == CASES
    assert {200, 201, 400, 404} <= set(report.statuses)
