"""``docs/machine.md``: its files load, its tables name every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plivo_sim.domain.machine import Arrow, MachineFile, Review, StatusRow
from tests.machines.files import YEARLY

PAGE = (Path(__file__).parent.parent.parent / "docs" / "machine.md").read_text()


FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_file_of_the_page_is_the_one_that_the_tests_use() -> None:
    """Adding a status has a page and tests of its own: ``tests/sdk/test_python_new_status.py``."""
    assert FILES == [YEARLY]


@pytest.mark.parametrize(
    ("heading", "kind", "more"),
    [
        ("## The file", MachineFile, {"extends"}),
        ("### `statuses`", StatusRow, set()),
        ("### `arrows`", Arrow, set()),
        ("### `review`", Review, set()),
    ],
)
def test_the_tables_name_every_key(heading: str, kind: type, more: set[str]) -> None:
    """And no other."""
    _, _, below = PAGE.partition(f"\n{heading}\n")
    table = below[below.index("|---|---|\n") :].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[1:]]
    names = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert names == {*kind.__struct_encode_fields__, *more}  # type: ignore[attr-defined]
