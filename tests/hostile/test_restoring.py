"""The short form of ``benchmarks/restore_fuzz.py``."""

from __future__ import annotations

import pytest

from tests.hostile.restoring import Restorer

CASES = 150


@pytest.mark.parametrize("seed", [1, 2])
def test_a_spoilt_document_is_refused_whole_or_served(seed: int) -> None:
    """Never a 500; always the same documents."""
    report = Restorer(seed).run(CASES)
    assert report.problems == []
    assert report.refused + report.served == CASES
    assert report.refused > CASES // 2
    assert report.served > CASES // 20
