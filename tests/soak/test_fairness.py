"""A short form of ``benchmarks/fairness.py``: beside a crowd, others are answered all the same."""

from __future__ import annotations

import pytest

from benchmarks.fairness import KINDS, PATIENCE_S, compared


@pytest.mark.live
def test_a_bystander_is_answered_beside_every_kind_of_crowd() -> None:
    """All at once: its calls succeed, and its callbacks arrive. Without the lists in many accounts,
    which the others need not wait for to begin."""
    _, beside = compared([kind for kind in KINDS if kind != "lists"], 20, 0.2)
    assert beside["calls"]
    assert max(beside["callbacks"]) < PATIENCE_S * 1000
