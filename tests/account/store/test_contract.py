"""What the store promises, over every way of keeping it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plivo_sim.account.store import index
from plivo_sim.account.store.database import FEW, MOST_INDEXES, Database
from plivo_sim.account.store.format import from_plain, to_plain
from plivo_sim.account.store.index import Index
from plivo_sim.domain.records import Application, Origin
from tests.account.store.records import AT, application, end_user, ids, keep, timer


@dataclass
class Kept:
    """A database; with ``reopens``, each look at it is a new one over the same journal."""

    path: Path | None
    reopens: bool = False

    def __post_init__(self) -> None:
        self._db = Database(self.path)

    @property
    def db(self) -> Database:
        if self.reopens:
            self._db.close()
            self._db = Database(self.path)
        return self._db

    def close(self) -> None:
        self._db.close()


@pytest.fixture(params=["memory", "journal", "reopened"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """Each way of keeping records."""
    path = None if request.param == "memory" else tmp_path / "account" / "journal.jsonl"
    kept = Kept(path, reopens=request.param == "reopened")
    yield kept
    kept.close()


# --- records ---------------------------------------------------------------------------------


def test_a_record_is_fetched_as_it_was_put(kept: Kept) -> None:
    """Equal in every field, enumerations and instants included."""
    put = application(
        1, document_ids=("d1", "d2"), rejection_reason="Naïve – 日本", submitted_at=AT
    )
    keep(kept.db, put)
    assert kept.db.applications.fetch("app-1") == put


def test_an_unknown_id_is_none(kept: Kept) -> None:
    """Nothing is raised for an id that nobody has."""
    assert kept.db.applications.fetch("nobody") is None


def test_a_put_with_the_same_id_replaces(kept: Kept) -> None:
    """There is one record, the later."""
    keep(kept.db, application(1), application(1, alias="later"))
    assert [a.alias for a in kept.db.applications.every()] == ["later"]


def test_a_dropped_record_is_gone(kept: Kept) -> None:
    """Neither fetched, nor listed, nor found by a field, nor counted."""
    keep(kept.db, application(1), application(2))
    with kept._db.transaction():
        kept._db.applications.drop("app-1")
    db = kept.db
    assert (db.applications.fetch("app-1"), ids(db.applications.every())) == (None, ["app-2"])
    assert (ids(db.applications.having("end_user_id", "user")), len(db.applications)) == (
        ["app-2"],
        1,
    )


def test_dropping_an_unknown_id_changes_nothing(kept: Kept) -> None:
    """It is not an error."""
    keep(kept.db, application(1))
    db = kept.db
    with db.transaction():
        db.applications.drop("nobody")
    assert len(kept.db.applications) == 1


def test_records_come_in_the_order_of_seq(kept: Kept) -> None:
    """Whatever the order in which they were put."""
    keep(kept.db, application(3), application(1), application(2))
    assert ids(kept.db.applications.every()) == ["app-1", "app-2", "app-3"]


def test_a_changed_record_keeps_its_place(kept: Kept) -> None:
    """The order is that of the account's history, not of the last change."""
    keep(kept.db, application(1), application(2), application(1, alias="changed"))
    assert ids(kept.db.applications.every()) == ["app-1", "app-2"]


def test_a_record_must_keep_its_seq(kept: Kept) -> None:
    """Another one is refused before anything changes."""
    db = kept.db
    keep(db, application(1))
    with pytest.raises(ValueError, match="not its own"), db.transaction():
        db.applications.put(application(2, id="app-1"))
    assert [a.seq for a in kept.db.applications.every()] == [1]


def test_two_records_cannot_share_a_seq(kept: Kept) -> None:
    """The second is refused."""
    db = kept.db
    keep(db, application(1))
    with pytest.raises(ValueError, match="not its own"), db.transaction():
        db.applications.put(application(1, id="app-2"))
    assert ids(kept.db.applications.every()) == ["app-1"]


@pytest.mark.parametrize("gap", [0, 1, 2, 3])
def test_a_piece_that_grew_is_parted(monkeypatch: pytest.MonkeyPatch, gap: int) -> None:
    """Between any two of the records, and nothing is lost, doubled or out of its place."""
    monkeypatch.setattr(index, "LOAD", 2)
    run = index.Run([application(n) for n in (10, 20, 30, 40, 50)])
    added = [10 * gap + n for n in (3, 1, 2, 4, 5)]
    for n in added:
        run.put(application(n))
    expected = sorted([10, 20, 30, 40, 50, *added])
    assert [each.seq for each in run] == expected
    assert [run.rank(n) for n in expected] == list(range(10))
    assert [run.window(n, 1)[0].seq for n in range(10)] == expected


# --- filters ---------------------------------------------------------------------------------


def test_having_finds_by_a_field(kept: Kept) -> None:
    """Oldest first."""
    keep(kept.db, *(application(n, end_user_id=f"u{n % 2}") for n in (1, 2, 3)))
    assert ids(kept.db.applications.having("end_user_id", "u1")) == ["app-1", "app-3"]


def test_having_finds_by_an_element_of_a_tuple(kept: Kept) -> None:
    """An application is found by each of its documents."""
    keep(kept.db, application(1, document_ids=("a", "b")), application(2, document_ids=("b",)))
    assert ids(kept.db.applications.having("document_ids", "b")) == ["app-1", "app-2"]


def test_an_index_follows_a_change(kept: Kept) -> None:
    """A record that got another value is found under that one only."""
    db = kept.db
    keep(db, application(1))
    assert db.applications.having("status", "submitted")
    keep(db, application(1, status="accepted"))
    assert (db.applications.having("status", "submitted"), ids(_accepted(kept.db))) == (
        [],
        ["app-1"],
    )


def _accepted(db: Database) -> list[Application]:
    return db.applications.having("status", "accepted")


SAMPLE = [
    application(1, status="accepted", country_iso="IN", document_ids=("a", "b")),
    application(2, status="rejected", country_iso="IN", document_ids=("b",)),
    application(3, status="accepted", country_iso="DE", document_ids=()),
    application(4, status="suspended", country_iso="DE", document_ids=("a", "b", "a")),
]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, [1, 2, 3, 4]),
        ({"status": ("accepted",)}, [1, 3]),
        ({"status": ("accepted", "suspended")}, [1, 3, 4]),
        ({"status": ("accepted", "accepted")}, [1, 3]),
        ({"status": ("accepted", "rejected"), "country_iso": ("IN",)}, [1, 2]),
        ({"status": ["suspended"], "country_iso": {"IN", "DE"}}, [4]),
        ({"status": ("draft",)}, []),
        ({"status": ()}, []),
        ({"document_ids": ("a",)}, [1, 4]),
        ({"document_ids": ("a", "b")}, [1, 2, 4]),
        ({"document_ids": ("b", "a"), "country_iso": ("IN",)}, [1, 2]),
        ({"rejection_reason": ("none",)}, []),
    ],
)
def test_a_page_matches_every_filter(kept: Kept, where: Any, found: list[int]) -> None:
    """All fields must match, each with any of its values; nobody is counted twice."""
    keep(kept.db, *SAMPLE)
    page = kept.db.applications.page(where)
    assert ([record.seq for record in page.records], page.total_count) == (found, len(found))


@pytest.mark.parametrize(
    ("offset", "limit", "found"),
    [(0, 2, [1, 2]), (1, 2, [2, 3]), (3, 9, [4]), (4, 9, []), (99, 9, []), (0, 0, []), (2, 0, [])],
)
@pytest.mark.parametrize("where", [{}, {"status": ("accepted", "rejected", "suspended")}])
def test_a_window_of_a_page(
    kept: Kept, where: Any, offset: int, limit: int, found: list[int]
) -> None:
    """``offset`` and ``limit`` cut the matches; the total counts them all."""
    keep(kept.db, *SAMPLE)
    page = kept.db.applications.page(where, offset=offset, limit=limit)
    assert ([record.seq for record in page.records], page.total_count) == (found, 4)


def test_more_combinations_of_filters_than_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer is right though an index has to go for every new one, before a change and
    after."""
    db = Database()
    fields = ("status", "country_iso", "number_type", "user_type", "alias", "origin")
    combinations = [
        [field for bit, field in enumerate(fields) if mask >> bit & 1]
        for mask in range(1, 2 ** len(fields))
    ]
    assert len(combinations) > MOST_INDEXES
    keep(db, application(1), application(2, status="accepted"))
    for changed in (None, application(2, status="rejected")):
        if changed is not None:
            keep(db, changed)
        for names in combinations:
            record = db.applications.fetch("app-2")
            where = {name: (str(getattr(record, name)),) for name in names}
            alone = set(names) & {"status", "alias"}
            assert ids(db.applications.page(where).records) == (
                ["app-2"] if alone else ["app-1", "app-2"]
            )
    assert len(db.applications._indexes) == MOST_INDEXES


def test_an_index_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second question in the same fields, and a change, make no new one."""
    made: list[tuple[str, ...]] = []
    init = Index.__init__

    def counted(self: Index, fields: tuple[str, ...], records: Iterator[Any]) -> None:
        made.append(fields)
        init(self, fields, records)

    monkeypatch.setattr(Index, "__init__", counted)
    db = Database()
    keep(db, application(1))
    for status in ("submitted", "accepted", "submitted"):
        db.applications.page({"status": (status,)})
        keep(db, application(1, alias=status))
    assert made == [("status",)]


# --- against a model -------------------------------------------------------------------------

STATUSES = st.sampled_from(["submitted", "accepted", "rejected"])
COUNTRIES = st.sampled_from(["IN", "DE", "FR"])
DOCUMENTS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3).map(tuple)
PUT = st.tuples(st.integers(1, 12), STATUSES, COUNTRIES, DOCUMENTS)
DROP = st.integers(1, 12)
CHANGES = st.lists(st.lists(PUT | DROP, max_size=6), max_size=8)
WHERE = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(STATUSES.map(str), max_size=3),
        "country_iso": st.lists(COUNTRIES, max_size=3),
        "document_ids": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
    },
)


def _matches(record: Application, where: dict[str, list[str]]) -> bool:
    for field, wanted in where.items():
        value = getattr(record, field)
        if not set(value if isinstance(value, tuple) else (value,)) & set(wanted):
            return False
    return True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES, st.lists(st.tuples(WHERE, st.integers(0, 9), st.integers(0, 6)), max_size=6))
def test_any_history_answers_like_a_dictionary(changes: Any, questions: Any) -> None:
    """After any puts and drops, before and after reopening, every window of every filter is what
    a brute-force look at a dictionary finds."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "LOAD", 2)
        path = Path(folder) / "journal.jsonl"
        db, model = Database(path), {}
        for number, batch in enumerate(changes):
            failing = number % 3 == 2
            before = dict(model)
            try:
                with db.transaction():
                    for change in batch:
                        _apply(db, model, change)
                    if failing:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                model = before
            _check(db, model, questions)
        db.close()
        again = Database(path)
        _check(again, model, questions)
        again.close()


def _apply(db: Database, model: dict[int, Application], change: Any) -> None:
    if isinstance(change, int):
        db.applications.drop(f"app-{change}")
        model.pop(change, None)
    else:
        seq, status, country, documents = change
        record = application(seq, status=status, country_iso=country, document_ids=documents)
        db.applications.put(record)
        model[seq] = record


def _check(db: Database, model: dict[int, Application], questions: Any) -> None:
    everyone = [model[seq] for seq in sorted(model)]
    assert list(db.applications.every()) == everyone
    for where, offset, limit in questions:
        found = [record for record in everyone if _matches(record, where)]
        page = db.applications.page(where, offset=offset, limit=limit)
        assert (page.records, page.total_count) == (found[offset : offset + limit], len(found))


# --- transactions ----------------------------------------------------------------------------


class Failed(Exception):
    """What goes wrong in a transaction here."""


@contextmanager
def failing(db: Database) -> Iterator[None]:
    """A transaction that fails at its end."""
    with suppress(Failed), db.transaction():
        yield
        raise Failed


def test_a_failed_transaction_takes_everything_back(kept: Kept) -> None:
    """Inserts, updates and deletes, the order, the indexes."""
    db = kept.db
    keep(db, application(1), application(2), application(4))
    before = list(db.applications.every())
    assert len(db.applications.having("status", "submitted")) == 3
    with failing(db):
        db.applications.put(application(3))
        db.applications.put(application(1, status="accepted"))
        db.applications.drop("app-2")
        db.end_users.put(end_user(9))
    for look in (db, kept.db):
        assert (list(look.applications.every()), len(look.end_users)) == (before, 0)
        assert look.applications.having("status", "submitted") == before
        assert look.applications.having("status", "accepted") == []


def test_a_row_that_comes_and_goes_in_a_failed_transaction(kept: Kept) -> None:
    """Put and dropped, or dropped and put again: as before."""
    db = kept.db
    keep(db, application(1))
    with failing(db):
        db.applications.put(application(2))
        db.applications.drop("app-2")
        db.applications.drop("app-1")
        db.applications.put(application(1, alias="again"))
    assert list(kept.db.applications.every()) == [application(1)]


def test_a_failed_transaction_gives_a_seq_back_to_its_owner(kept: Kept) -> None:
    """A retry's timer takes the seq of the one that it follows; taken back, the order holds."""
    db = kept.db
    with db.transaction():
        db.timers.put(timer(1))
        db.timers.put(timer(2))
    with failing(db):
        db.timers.drop("timer-1")
        db.timers.put(timer(1, id="retry"))
    for look in (db, kept.db):
        assert ids(look.timers.every()) == ["timer-1", "timer-2"]


def test_a_seq_can_pass_to_a_new_record(kept: Kept) -> None:
    """Dropped and taken over in one transaction."""
    db = kept.db
    with db.transaction():
        db.timers.put(timer(1))
    with db.transaction():
        db.timers.drop("timer-1")
        db.timers.put(timer(1, id="retry"))
    assert ids(kept.db.timers.every()) == ["retry"]


def test_a_nested_transaction_belongs_to_the_outer(kept: Kept) -> None:
    """When the outer fails, what the inner wrote goes too."""
    db = kept.db
    with failing(db):
        keep(db, application(1))
    assert len(kept.db.applications) == 0


def test_what_a_failed_inner_transaction_wrote_stays_with_the_outer(kept: Kept) -> None:
    """It joins the outer, and the outer went on."""
    db = kept.db
    with db.transaction():
        try:
            with db.transaction():
                db.applications.put(application(1))
                raise Failed
        except Failed:
            db.applications.put(application(2))
    assert ids(kept.db.applications.every()) == ["app-1", "app-2"]


def test_dirty_tells_whether_a_transaction_changed_something(kept: Kept) -> None:
    """False before the first write and after the end."""
    db, seen = kept.db, []
    with db.transaction():
        seen.append(db.dirty)
        db.applications.put(application(1))
        seen.append(db.dirty)
    assert [*seen, db.dirty] == [False, True, False]


def test_a_write_outside_a_transaction_is_refused(kept: Kept) -> None:
    """It could not be taken back."""
    db = kept.db
    with pytest.raises(RuntimeError, match="outside a transaction"):
        db.applications.put(application(1))
    assert len(kept.db.applications) == 0


# --- the whole -------------------------------------------------------------------------------


def test_a_mark_is_a_moment_to_come_back_to(kept: Kept) -> None:
    """Whatever happened since, in every table; the mark can be used again."""
    db = kept.db
    keep(db, application(1))
    mark = db.mark()
    for _ in range(2):
        with db.transaction():
            db.applications.drop("app-1")
            db.applications.put(application(2))
            db.end_users.put(end_user(3))
        db.restore(mark)
        assert (list(db.applications.every()), len(db.end_users)) == ([application(1)], 0)
    assert list(kept.db.applications.every()) == [application(1)]


def test_a_restored_store_goes_on(kept: Kept) -> None:
    """Indexes and order are of the restored records, and writing works."""
    db = kept.db
    keep(db, application(1), application(2, status="accepted"))
    mark = db.mark()
    keep(db, application(2, status="rejected"))
    assert ids(db.applications.having("status", "rejected")) == ["app-2"]
    db.restore(mark)
    keep(db, application(3, status="accepted"))
    assert ids(kept.db.applications.having("status", "accepted")) == ["app-2", "app-3"]


def test_a_restore_of_much_that_changed_little(kept: Kept) -> None:
    """Only the difference is made: put, changed, dropped, and a seq that was taken over."""
    db = kept.db
    keep(db, *(application(n) for n in range(1, 30)))
    assert len(db.applications.having("status", "submitted")) == 29
    mark = db.mark()
    with db.transaction():
        db.applications.drop("app-7")
        db.applications.put(application(7, id="app-70"))
        db.applications.put(application(8, status="accepted"))
        db.end_users.put(end_user(40))
    db.restore(mark)
    for look in (db, kept.db):
        assert ids(look.applications.every()) == [f"app-{n}" for n in range(1, 30)]
        assert len(look.applications.having("status", "submitted")) == 29
        assert (look.applications.having("status", "accepted"), len(look.end_users)) == ([], 0)


def test_a_restore_may_give_a_record_another_place(kept: Kept) -> None:
    """A snapshot from elsewhere has the same ids in another order."""
    db = kept.db
    keep(db, *(application(n) for n in range(1, 30)))
    mark = db.mark()
    mark["applications"]["app-1"] = application(50, id="app-1")
    db.restore(mark)
    for look in (db, kept.db):
        assert ids(look.applications.every()) == [*(f"app-{n}" for n in range(2, 30)), "app-1"]


@pytest.mark.parametrize("alike", [3, FEW + 5])
def test_a_filter_of_few_and_one_of_many(kept: Kept, alike: int) -> None:
    """An alias that few have, or many, and a status: the same answer either way."""
    records = [
        application(n, alias="same", status="accepted" if n % 2 else "rejected")
        for n in range(1, alike + 1)
    ]
    keep(kept.db, *records, application(200, status="accepted"))
    where = {"alias": ("same",), "status": ("accepted",)}
    page = kept.db.applications.page(where, offset=1, limit=2)
    wanted = [record for record in records if record.status == "accepted"]
    assert (page.records, page.total_count) == (wanted[1:3], len(wanted))


@pytest.mark.parametrize("alike", [3, FEW + 5])
def test_few_are_looked_at_one_by_one(alike: int) -> None:
    """An index of both fields would have an entry for almost every record."""
    db = Database()
    keep(db, *(application(n, alias="same") for n in range(1, alike + 1)))
    db.applications.page({"alias": ("same",), "status": ("accepted",)})
    assert (("alias", "status") in db.applications._indexes) is (alike > FEW)


def test_how_many_and_each_of_them(kept: Kept) -> None:
    """Without making a list."""
    keep(kept.db, *(application(n, end_user_id=f"u{n % 2}") for n in (1, 2, 3)))
    table = kept.db.applications
    assert [table.how_many("end_user_id", who) for who in ("u0", "u1", "u2")] == [1, 2, 0]
    assert next(table.each("end_user_id", "u1")).id == "app-1"


def test_a_reset_forgets_every_table(kept: Kept) -> None:
    """Nothing is left, and writing works."""
    db = kept.db
    with db.transaction():
        db.applications.put(application(1))
        db.end_users.put(end_user(2))
    db.reset()
    assert [len(db.applications), len(db.end_users)] == [0, 0]
    keep(db, application(1, alias="new"))
    assert [a.alias for a in kept.db.applications.every()] == ["new"]


def test_records_are_frozen(kept: Kept) -> None:
    """Nobody can change what the store holds by holding it."""
    keep(kept.db, application(1))
    record: Any = kept.db.applications.fetch("app-1")
    with pytest.raises(AttributeError):
        record.alias = "other"


def test_a_page_is_a_list_of_its_own(kept: Kept) -> None:
    """Emptying it empties nothing else."""
    db = kept.db
    keep(db, application(1))
    db.applications.page({}).records.clear()
    db.applications.having("status", "submitted").clear()
    assert ids(db.applications.page({}).records) == ["app-1"]


@pytest.mark.parametrize(
    ("table", "record"),
    [
        ("applications", application(1, origin=Origin.LEGACY, document_ids=("a",))),
        ("end_users", end_user(1, name="Ünï 😀", last_name=None)),
        ("timers", timer(1)),
    ],
)
def test_the_codec_gives_back_what_it_was_given(table: str, record: Any) -> None:
    """Through plain JSON values."""
    assert from_plain(table, to_plain(record)) == record


def test_the_codec_names_what_does_not_fit() -> None:
    """The path is in the error."""
    plain = to_plain(application(1)) | {"origin": "lost"}
    with pytest.raises(ValueError, match="origin: 'lost' is not one of "):
        from_plain("applications", plain)
