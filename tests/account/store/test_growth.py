"""A journal does not grow for ever, however often its simulator is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.store import compaction, journal
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


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The compactions that were begun."""
    made: list[Path] = []

    class Counted(compaction.Compaction):
        def __init__(self, path: Path, *others: Any) -> None:
            made.append(path)
            super().__init__(path, *others)

    monkeypatch.setattr(journal, "Compaction", Counted)
    return made


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compactions are begun of small journals, too."""
    monkeypatch.setattr(journal, "COMPACT_OVER_BYTES", 2000)


def test_a_journal_is_rewritten_when_it_is_larger_than_a_megabyte(
    tmp_path: Path, begun: list[Path]
) -> None:
    """As the docs say (docs/state.md)."""
    with Database(tmp_path / "journal.jsonl") as db:
        for size, count in ((600_000, 0), (400_000, 0), (100_000, 1)):
            keep(db, application(1, alias="x" * size))
            assert len(begun) == count


@pytest.mark.usefixtures("early")
def test_a_journal_that_lives_is_not_rewritten_again_and_again(
    tmp_path: Path, begun: list[Path]
) -> None:
    """What lives is over the threshold: only when three times as much is dead it pays."""
    with Database(tmp_path / "journal.jsonl") as db:
        keep(db, *(application(n) for n in range(1, 41)))
        begun.clear()
        for turn in range(400):
            keep(db, application(1, alias=f"turn {turn}"))
    assert 1 <= len(begun) <= 4


@pytest.mark.usefixtures("early")
def test_one_that_cannot_be_rewritten_is_left_for_a_while(
    tmp_path: Path, begun: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk, say: not every write tries again."""

    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compaction.Compaction, "step", full)
    with Database(tmp_path / "journal.jsonl") as db:
        keep(db, *(application(n) for n in range(1, 41)))
        for turn in range(40):
            keep(db, application(1, alias=f"turn {turn}"))
    assert len(begun) == 1
