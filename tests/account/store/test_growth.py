"""A journal does not grow for ever, however often its simulator is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from plivo_sim.account.store import journal
from plivo_sim.account.store.database import Database
from tests.account.store.records import application, keep


def test_a_journal_stays_small_through_many_short_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One record, changed again and again by one simulator after the other."""
    monkeypatch.setattr(journal, "COMPACT_OVER_BYTES", 10_000)
    path = tmp_path / "journal.jsonl"
    for life in range(30):
        with Database(path) as db:
            for n in range(20):
                keep(db, application(1, alias=f"{life} {n} " + "x" * 200))
    assert path.stat().st_size < 20_000
    with Database(path) as db:
        assert [each.alias[:5] for each in db.applications.every()] == ["29 19"]
