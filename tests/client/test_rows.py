"""Applicants from a CSV file, read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from plivo_sim.client.applications import Outcome
from plivo_sim.client.rows import Table, read_rows
from plivo_sim.domain.limits import MISTAKES
from plivo_sim.machines import default_machine

KEYS = [("IN", "local", "business"), ("IN", "mobile", "individual"), ("AE", "local", "business")]


def read(tmp_path: Path, text: str | bytes) -> Table:
    path = tmp_path / "applicants.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_rows(path, KEYS, default_machine().outcomes)


def test_a_row(tmp_path: Path) -> None:
    """Every kind of column, trimmed; words in any case; a byte-order mark and blank lines."""
    table = read(
        tmp_path,
        "\ufeffName,COUNTRY,user_type,number_type,last_name,alias,outcome,reason,after,callback_url"
        "\n\n Asha , in,Individual,MOBILE,Rao,a,rejected,No seal,2d,http://localhost/\n,,,,,,,,,\n",
    )
    assert table.mistakes == []
    (row,) = table.rows
    assert (row.line, row.key) == (3, ("IN", "mobile", "individual"))
    assert row.end_user == {"name": "Asha", "last_name": "Rao"}
    assert row.outcome == Outcome(word="rejected", reason="No seal", after="2d")
    assert (row.alias, row.callback_url) == ("a", "http://localhost/")


def test_what_a_row_may_leave_out(tmp_path: Path) -> None:
    """A business that wants local numbers; nobody says how it ends."""
    (row,) = read(tmp_path, "country,name\nAE,Acme\n").rows
    assert (row.key, row.end_user, row.outcome) == (KEYS[2], {"name": "Acme"}, None)


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", [(1, "the file is empty; its first line names the columns: name, country, ...")]),
        ("name,country\n", [(2, "the file has no rows")]),
        (b"\xff\xfen", [(1, "the file is not UTF-8 text")]),
        ('name,country\n"a,b', [(2, "not a CSV file: unexpected end of data")]),
        (
            "nmae,country,country\n",
            [
                (1, "unknown column 'nmae'; did you mean 'name'?"),
                (1, "column 'country' is given twice"),
                (1, "column 'name' is missing"),
            ],
        ),
    ],
)
def test_a_file_that_is_no_table(
    tmp_path: Path, text: str | bytes, mistakes: list[tuple[int, str]]
) -> None:
    """Is said to be none."""
    assert read(tmp_path, text).mistakes == mistakes


@pytest.mark.parametrize(
    ("row", "mistakes"),
    [
        ("Acme", ["has 1 cells, but the first line has 6"]),
        ("Acme,IN,,,,,", ["has 7 cells, but the first line has 6"]),
        (",IN,,,,", ["name: is empty"]),
        ("Acme,,,,,", ["country: is empty"]),
        ("Acme,XX,,,,", ["country: 'XX' is not one of AE, IN"]),
        ("Acme,IN,company,,,", ["user_type: 'company' is not one of business, individual"]),
        (
            "Acme,AE,individual,,,",
            ["country: AE has no local individual numbers; it has local business"],
        ),
        (
            "Acme,IN,,yes,,",
            ["outcome: 'yes' is not one of accepted, rejected, more_info_required, nothing"],
        ),
        ("Acme,IN,,,Why not,2d", ["reason: needs an outcome", "after: needs an outcome"]),
        (
            "Acme,IN,,nothing,,2d",
            ["after: has no effect when nothing is decided"],
        ),
        (
            "Acme,IN,,accepted,,soon",
            ["after: cannot read duration 'soon': write 5s, 36h, 3d, 1d12h or '2 business days'"],
        ),
        (",XX,,,,", ["name: is empty", "country: 'XX' is not one of AE, IN"]),
    ],
)
def test_a_wrong_row(tmp_path: Path, row: str, mistakes: list[str]) -> None:
    """Everything that is wrong with it, under its own line."""
    table = read(tmp_path, f"name,country,user_type,outcome,reason,after\nGood,IN,,,,\n{row}\n")
    assert table.mistakes == [(3, text) for text in mistakes]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Though a cell before has several."""
    table = read(tmp_path, 'name,country\n"Two\nlines",IN\n,IN\nAcme,IN\n')
    assert table.mistakes == [(4, "name: is empty")]
    assert [row.line for row in table.rows] == [2, 5]


@pytest.mark.parametrize(
    "text",
    [
        ",".join(f"c{n}" for n in range(1000)),
        "name,country\n" + "a\n" * 1000,
        "name,country\n" + "a,??\n" * 1000,
    ],
    ids=["columns", "cells", "values"],
)
def test_only_so_many_mistakes_are_told(tmp_path: Path, text: str) -> None:
    """And no more are looked for."""
    assert MISTAKES.most <= len(read(tmp_path, text).mistakes) < MISTAKES.most + 10


def test_of_a_long_name_only_the_beginning_is_told(tmp_path: Path) -> None:
    """However long it is."""
    assert max(len(text) for _, text in read(tmp_path, "x" * 100_000).mistakes) < 1000
