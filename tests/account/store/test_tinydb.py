"""TinyDB's own public API, on our database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tinydb import Query, where
from tinydb.table import Document

from plivo_sim.account.store.database import Database
from plivo_sim.account.store.format import to_plain
from plivo_sim.domain.errors import StorageFailed
from plivo_sim.domain.records import ClockReading, Ledger
from tests.account.store.records import AT, application, end_user, ids, keep

IN_REVIEW = where("status") == "submitted"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A database on disk that holds two applications."""
    database = Database(tmp_path / "journal.jsonl")
    keep(database, application(1), application(2, status="accepted"))
    yield database
    database.close()


def document(seq: int, **changes: Any) -> Document:
    """An application as TinyDB takes one."""
    return Document(to_plain(application(seq, **changes)), doc_id=f"app-{seq}")


def reopened(db: Database) -> Database:
    """What the journal holds."""
    db.close()
    again = Database(db.journal.path)
    again.close()
    return again


def test_search_finds_documents_with_their_ids(db: Database) -> None:
    """Plain JSON values, as a TinyDB user knows them."""
    (found,) = db.applications.search(IN_REVIEW)
    assert (found.doc_id, found["alias"], found["status"]) == ("app-1", "alias 1", "submitted")


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda table: table.count(IN_REVIEW), 1),
        (lambda table: table.contains(IN_REVIEW), True),
        (lambda table: table.contains(doc_id="nobody"), False),
        (lambda table: table.get(doc_id="app-2")["status"], "accepted"),
        (lambda table: table.get(Query().alias.matches(".* 2")).doc_id, "app-2"),
        (lambda table: table.get(where("alias") == "nobody"), None),
        (lambda table: [each.doc_id for each in table], ["app-1", "app-2"]),
        (lambda table: len(table.all()), 2),
        (lambda table: len(table), 2),
    ],
)
def test_reading(db: Database, ask: Callable[[Any], Any], answer: Any) -> None:
    """Every reading method of a TinyDB table."""
    assert ask(db.applications) == answer


def test_a_change_of_a_found_document_changes_nothing(db: Database) -> None:
    """Stock TinyDB hands out its own dictionaries."""
    for found in (*db.applications.search(IN_REVIEW), *db.applications.all()):
        found["alias"] = "changed"
    assert [a.alias for a in db.applications.every()] == ["alias 1", "alias 2"]


def test_nor_does_a_change_within_a_found_document(db: Database) -> None:
    """The one record that holds a dictionary gives a copy of it."""
    clock = ClockReading(now=AT, rate=1.0, paused=True)
    with db.transaction():
        db.ledger.put(Ledger(clock=clock, counts={"seq": 1}, overrides={}))
    for found in db.ledger.all():
        found["counts"]["seq"] = 99
    assert [ledger.counts for ledger in db.ledger.every()] == [{"seq": 1}]


def test_insert_takes_a_document_with_its_id(db: Database) -> None:
    """It becomes a record, found by its fields and kept."""
    assert db.applications.insert(document(3)) == "app-3"
    assert ids(db.applications.having("status", "submitted")) == ["app-1", "app-3"]
    assert reopened(db).applications.fetch("app-3") == application(3)


def test_insert_multiple(db: Database) -> None:
    """In one go."""
    assert db.applications.insert_multiple([document(3), document(4)]) == ["app-3", "app-4"]
    assert len(reopened(db).applications) == 4


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (to_plain(application(3)), "ids are given"),
        (document(1), "already exists"),
        (Document(to_plain(application(3)), doc_id="app-4"), "holds the id 'app-3'"),
        (Document(to_plain(application(1)) | {"id": "app-3"}, doc_id="app-3"), "not its own"),
        (Document({"id": "app-3", "seq": 3}, doc_id="app-3"), "is required"),
    ],
    ids=["no id", "taken", "two ids", "seq taken", "no record"],
)
def test_an_insert_that_makes_no_record_is_refused(
    db: Database, values: Any, sentence: str
) -> None:
    """With a ValueError that says why; nothing changes."""
    with pytest.raises(ValueError, match=sentence):
        db.applications.insert(values)
    assert ids(db.applications.every()) == ["app-1", "app-2"]


def test_update_changes_records_and_indexes(db: Database) -> None:
    """The changed record is found under its new value, and kept."""
    assert db.applications.having("status", "rejected") == []
    assert db.applications.update({"status": "rejected"}, IN_REVIEW) == ["app-1"]
    assert ids(db.applications.having("status", "rejected")) == ["app-1"]
    assert reopened(db).applications.fetch("app-1") == application(1, status="rejected")


def test_an_update_that_breaks_a_record_changes_nothing(db: Database) -> None:
    """All or nothing, though the first one would have fitted."""
    with pytest.raises(ValueError, match="status"):
        db.applications.update_multiple(
            [({"alias": "new"}, where("id") == "app-1"), ({"status": 7}, where("id") == "app-2")]
        )
    assert [a.alias for a in db.applications.every()] == ["alias 1", "alias 2"]


def test_upsert_updates_or_inserts(db: Database) -> None:
    """By query and by id."""
    assert db.applications.upsert({"alias": "new"}, IN_REVIEW) == ["app-1"]
    assert db.applications.upsert(document(2, alias="too")) == ["app-2"]
    assert db.applications.upsert(document(3)) == ["app-3"]
    assert [a.alias for a in reopened(db).applications.every()] == ["new", "too", "alias 3"]


def test_remove(db: Database) -> None:
    """By query and by id; what is gone is in no index."""
    assert db.applications.remove(IN_REVIEW) == ["app-1"]
    assert db.applications.remove(doc_ids=["app-2"]) == ["app-2"]
    assert db.applications.having("status", "accepted") == []
    assert len(reopened(db).applications) == 0


def test_truncate_empties_one_table(db: Database) -> None:
    """And only that."""
    with db.transaction():
        db.end_users.put(end_user(9))
    db.applications.truncate()
    again = reopened(db)
    assert (len(again.applications), len(again.end_users)) == (0, 1)


@pytest.mark.parametrize(
    ("drop", "left"),
    [(lambda db: db.drop_table("applications"), 1), (lambda db: db.drop_tables(), 0)],
)
def test_dropping_tables(db: Database, drop: Callable[[Database], None], left: int) -> None:
    """The records go; the tables themselves stay usable, also through what held them before."""
    with db.transaction():
        db.end_users.put(end_user(9))
    drop(db)
    assert (len(db.applications), len(db.end_users), len(db)) == (0, left, left)
    keep(db, application(5))
    assert ids(reopened(db).applications.every()) == ["app-5"]


def test_no_query_is_answered_from_a_stale_cache(db: Database) -> None:
    """A search sees what ``put``, ``drop`` and roll-backs did since the last one."""
    found = [len(db.applications.search(IN_REVIEW))]
    keep(db, application(3))
    found.append(len(db.applications.search(IN_REVIEW)))
    with db.transaction():
        db.applications.drop("app-1")
    found.append(len(db.applications.search(IN_REVIEW)))
    with pytest.raises(ZeroDivisionError), db.transaction():
        _drop_and_fail(db)
    found.append(len(db.applications.search(IN_REVIEW)))
    assert found == [1, 2, 1, 1]


def _drop_and_fail(db: Database) -> None:
    db.applications.drop("app-3")
    assert db.applications.search(IN_REVIEW) == []
    raise ZeroDivisionError


def test_a_write_joins_the_running_transaction(db: Database) -> None:
    """Taken back with it."""
    with pytest.raises(ZeroDivisionError), db.transaction():
        _insert_and_fail(db)
    assert ids(reopened(db).applications.every()) == ["app-1", "app-2"]


def _insert_and_fail(db: Database) -> None:
    db.applications.insert(document(3))
    raise ZeroDivisionError


def test_tables_names_those_that_hold_something(db: Database) -> None:
    """As stock TinyDB does."""
    assert db.tables() == {"applications"}


@pytest.mark.parametrize(
    "use",
    [
        lambda db: db.table("other"),
        lambda db: db.insert(document(3)),
        lambda db: list(db),
    ],
    ids=["table", "insert", "iter"],
)
def test_there_is_no_default_table_and_no_other(
    db: Database, use: Callable[[Database], Any]
) -> None:
    """The sentence says so, and nothing is made on the side."""
    with pytest.raises((ValueError, AttributeError), match=r"no table|no default table"):
        use(db)
    assert db.tables() == {"applications"}


def test_a_database_can_be_shown(db: Database) -> None:
    """``repr`` names the journal and counts."""
    assert "journal.jsonl: " in repr(db)
    assert "applications=2" in repr(db)


def test_storage_read_and_write_are_whole(db: Database) -> None:
    """TinyDB's storage port: what ``read`` gives, ``write`` takes."""
    whole = db.storage.read()
    assert whole is not None
    assert set(whole) == {"applications"}
    db.storage.write(whole)
    assert list(reopened(db).applications.every()) == [
        application(1),
        application(2, status="accepted"),
    ]


def test_a_closed_database_takes_no_writes(db: Database) -> None:
    """Its file may be another simulator's by now."""
    db.close()
    with pytest.raises(StorageFailed, match="closed"):
        keep(db, application(3))
    assert ids(db.applications.every()) == ["app-1", "app-2"]


def test_a_database_is_a_context_manager(tmp_path: Path) -> None:
    """It closes itself."""
    with Database(tmp_path / "journal.jsonl") as db:
        keep(db, application(1))
    with pytest.raises(StorageFailed):
        keep(db, application(2))


def test_a_record_is_the_same_as_a_plain_mapping(db: Database) -> None:
    """The documents hold every field of the record under its name."""
    (found,) = db.applications.search(IN_REVIEW)
    assert set(found) == set(to_plain(application(1)))
