"""The same state is written with the same bytes, however it came to be in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_sim.account.store.database import Database
from plivo_sim.account.store.format import (
    RECORD_TYPES,
    apply_line,
    content_of,
    from_plain,
    line_of,
    to_plain,
)
from plivo_sim.domain.text import decode_json, encode_json
from tests.account.store.generated import records
from tests.account.store.records import application, end_user, keep
from tests.conftest import bounded


@pytest.mark.parametrize("table", RECORD_TYPES)
@bounded(25)
@given(data=st.data())
def test_a_record_that_was_read_is_written_as_it_was(table: str, data: st.DataObject) -> None:
    """From a line of the journal and from the document of a snapshot alike."""
    record = data.draw(records(table))
    line, _ = line_of(content_of([(table, record.id, record)]), 0)
    rows: dict[str, dict[str, Any]] = {name: {} for name in RECORD_TYPES}
    apply_line(line, rows)
    again = rows[table][record.id]
    assert line_of(content_of([(table, again.id, again)]), 0)[0] == line
    plain = encode_json(to_plain(record))
    assert encode_json(to_plain(from_plain(table, decode_json(plain)))) == plain


def test_a_rewritten_journal_is_in_the_order_of_seq(tmp_path: Path) -> None:
    """One that was dropped and put again in one transaction stands elsewhere in memory."""
    contents = []
    for again in (False, True):
        path = tmp_path / f"{again}" / "MA" / "journal.jsonl"
        with Database(path) as db:
            keep(db, *(application(n) for n in (1, 2, 3)))
            with db.transaction():
                db.end_users.put(end_user(4))
                if again:
                    db.applications.drop("app-1")
                    db.applications.put(application(1))
            db.journal.replace(db.mark())
            contents.append(path.read_bytes())
    assert contents[0] == contents[1]
