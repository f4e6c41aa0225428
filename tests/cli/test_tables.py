"""Tables and values for people."""

from __future__ import annotations

import pytest

from plivo_sim.cli.shared import cell, instant, table, values


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """And no line ends in spaces."""
    assert table(("id", "status"), [("a", "accepted"), ("long-id", None)]).splitlines() == [
        "ID       STATUS",
        "a        accepted",
        "long-id  -",
    ]


def test_no_row() -> None:
    """Is said so."""
    assert table(("id",), [], "no account exists") == "no account exists"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), ("", "-"), (0, "0"), (True, "yes"), (False, "no"), ("a\x1b[31m\nb", "a [31m b")],
)
def test_a_cell_stays_on_its_line(value: object, shown: str) -> None:
    """What would drive a terminal is a space."""
    assert cell(value) == shown


def test_values_stand_in_one_column() -> None:
    """After the longest name."""
    assert values([("id", 1), ("status", "ok")]) == "id      1\nstatus  ok"


def test_instants_to_the_second() -> None:
    """Without T and Z."""
    assert instant("2026-01-05T09:00:00.000000Z") == "2026-01-05 09:00:00"
    assert instant(None) == ""
