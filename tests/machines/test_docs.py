"""``docs/machine.md``: its files load, its tables name every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.machine import Arrow, MachineFile, Review, StatusRow
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.machines.files import IN_REVIEW, YEARLY
from tests.support import Http

PAGE = (Path(__file__).parent.parent.parent / "docs" / "machine.md").read_text()


FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_files_of_the_page_are_those_that_the_tests_use() -> None:
    """Through every API, and through an SDK."""
    assert FILES == [IN_REVIEW, YEARLY]


def test_who_follows_the_page_sees_the_new_status(tmp_path: Path) -> None:
    """Served as the page says, with every setting at its default, an hour after a submission."""
    path = tmp_path / "in-review.yaml"
    path.write_text(FILES[0])
    sim = make_simulator(Settings(machine=str(path)), transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    id = http.sdk_created()
    http.advance("1h")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "in_review"
    http.advance("1d")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"
    sim.close()


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
