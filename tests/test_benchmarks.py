"""The comparison with other servers: its arithmetic, its tables, and one small round of it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import story
from benchmarks.peers.book import Book
from benchmarks.peers.calls import Client, Failed, Request, client, post_files, post_form
from benchmarks.peers.candidates import chosen
from benchmarks.peers.load import fill, load
from benchmarks.peers.own import (
    CALLBACK,
    CREATE,
    FLOOR,
    GET,
    OURS,
    REQUIREMENTS,
    START,
    STEPS,
    Bare,
    Place,
    Story,
)
from benchmarks.peers.plot import svg
from benchmarks.peers.processes import Process
from benchmarks.peers.report import (
    BUSY,
    Footnotes,
    as_text,
    markdown,
    ratio_cell,
    save,
    table,
    value_cell,
    versions,
)
from benchmarks.peers.targets import targets
from plivo_sim import __version__
from tests.support import free_ports

ABOUT: dict[str, Any] = {
    "date": "2026-01-05 09:00 UTC",
    "machine": {"cores": 2, "memory_gb": 8.0, "cpu": "a CPU", "load_before": 0.1},
    "versions": {OURS: "1.0"},
}


@pytest.fixture
def book() -> Book:
    """Three rounds of three candidates, of which one has no reset and the floor keeps nothing."""
    made = Book([FLOOR, OURS, "emulate"])
    rate = made.row("get 32 rate", "get, 32 connections", "/s", "more")
    rate.samples = {FLOOR: [990, 1000, 5000], OURS: [900, 100, 905], "emulate": [2000]}
    reset = made.row("reset@10000", "reset, at 10,000 records", "ms")
    reset.samples = {OURS: [1.5]}
    reset.missing = {FLOOR: "stores nothing", "emulate": "has no reset"}
    for size, ms in ((100, 0.5), (100_000, 0.6)):
        row = made.row(f"page@{size}", f"a page of 20, at {size:,} records", "ms")
        row.samples = {FLOOR: [0.4], OURS: [ms], "emulate": [ms * size / 100]}
    return made


def test_a_row_is_of_medians(book: Book) -> None:
    """One wild round of three changes nothing."""
    row = book.rows["get 32 rate"]
    assert (row.median(FLOOR), row.median(OURS)) == (1000, 900)
    assert row.ratio(OURS) == 0.9


def test_ours_is_the_base_where_the_floor_has_no_value(book: Book) -> None:
    """And such a ratio is marked."""
    row = book.rows["reset@10000"]
    assert row.base() == OURS
    assert ratio_cell(row, OURS) == "1.00°"


def test_what_is_missing_has_a_footnote(book: Book) -> None:
    """Each reason once, with everybody whom it is about."""
    book.absent["emulate"] = "needs node"
    notes = Footnotes()
    lines = {line[0]: line for line in table(book, value_cell, notes)}
    assert lines["reset, at 10,000 records"][3:] == ["–[1]", "1.50", "–[2]"]
    assert notes.texts() == [f"{FLOOR}: stores nothing", "emulate: has no reset"]


def test_a_table_is_aligned(book: Book) -> None:
    """Every line of values ends in the same column."""
    lines = as_text(table(book, value_cell, Footnotes())).splitlines()
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("what", "measured", "verdict"),
    [
        ("get, 32 connections", "0.90 × bare Flask", "met"),
        ("get, 8 connections", "not measured", "–"),
        ("page at 100,000 records", "1.20 × at 100", "met"),
        ("start to first answer", "not measured", "–"),
    ],
)
def test_targets_are_judged_by_this_run(book: Book, what: str, measured: str, verdict: str) -> None:
    """A target that was not measured is neither met nor missed."""
    found = next(each for each in targets(book) if each.what == what)
    assert (found.measured, found.verdict) == (measured, verdict)


def test_the_first_create_is_held_against_a_later_one(book: Book) -> None:
    """It may take 10 ms longer."""
    book.row("first create", "", "ms").samples = {OURS: [14.0]}
    book.row("later create", "", "ms").samples = {OURS: [3.5]}
    found = next(each for each in targets(book) if each.what == "first record, beyond the tenth")
    assert (found.measured, found.verdict) == ("10.50 ms", "missed")


def test_a_missed_target_says_so(book: Book) -> None:
    """1.3 times is the most that a page may cost at 100,000 records."""
    book.rows["page@100000"].samples[OURS] = [0.66]
    found = next(each for each in targets(book) if each.what == "page at 100,000 records")
    assert (found.measured, found.verdict) == ("1.32 × at 100", "missed")


def test_the_results_are_written(book: Book, tmp_path: Path) -> None:
    """Medians, samples and reasons as JSON; the tables as Markdown."""
    save(tmp_path, book, [], ABOUT)
    rows = {row["key"]: row for row in json.loads((tmp_path / "peers.json").read_text())["rows"]}
    assert rows["get 32 rate"]["medians"] == {FLOOR: 1000, OURS: 900, "emulate": 2000}
    assert rows["reset@10000"]["missing"]["emulate"] == "has no reset"
    assert "| get, 32 connections | /s | more | 1.00 | 0.90 | 2.00 |" in (
        tmp_path / "peers.md"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize(("load", "told"), [(0.1, False), (3.0, True)])
def test_a_busy_machine_is_told_of(book: Book, load: float, told: bool) -> None:
    """With the date: numbers of such a run are noise."""
    about = {**ABOUT, "machine": {**ABOUT["machine"], "load_before": load}}
    assert (BUSY in markdown(book, [], about)) is told


def test_the_results_name_our_version() -> None:
    """And the commit, where there is one."""
    assert versions([])[OURS].split()[0] == __version__


def test_the_plot_has_a_curve_for_each_candidate(book: Book) -> None:
    """In a panel, one line of two points each; and it is XML."""
    root = ET.fromstring(svg(book, (100, 100_000)))
    drawn = [each.get("points", "") for each in root.iter() if each.tag.endswith("polyline")]
    assert [len(points.split()) for points in drawn if points] == [2, 2, 2]


def test_placeholders_are_filled_in_everywhere() -> None:
    """In path, headers and body; as long in every request."""
    request = Request("POST", "/@@", b"a@@", {"Authorization": "##"})
    assert request.numbered(8001) == Request(
        "POST", "/000000008001", b"a000000008001", {"Authorization": "2"}
    )


def test_a_form_keeps_its_placeholder() -> None:
    """Encoding would hide it."""
    assert post_form("/", {"name": "Acme @@"}).body == b"name=Acme+@@"


def test_files_have_the_size_they_are_said_to_have() -> None:
    """Two of 200 kB."""
    assert 399_900 < len(post_files("/", {}, ("a", "b")).body) < 401_000


def test_the_floor_is_always_measured() -> None:
    """Ratios need it."""
    assert [each.name for each in chosen(["ours"])] == [FLOOR, OURS]


def test_a_name_that_is_nobodys_is_refused() -> None:
    """Rather than silently measured without."""
    with pytest.raises(SystemExit, match="no such candidate: mote"):
        peers.main(["--only", "mote"])


@pytest.mark.live
def test_one_small_round(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ours and the floor: every operation is answered, and the results are written."""
    arguments = "--only ours --quick --records 30 --phase records reviews --out"
    book = peers.main([*arguments.split(), str(tmp_path)])
    assert not [row.label for row in book.rows.values() if OURS not in row.samples]
    assert "a page of 20, at 30 records" in capsys.readouterr().out
    assert (tmp_path / "performance-records.svg").exists()


class Silent(Bare):
    """Tells of a callback that never comes."""

    def story(self, client: Client, receiver: str) -> Story:
        yield CALLBACK, None


@pytest.mark.live
def test_a_story_is_told_step_by_step(tmp_path: Path) -> None:
    """Ours has every step, the floor those that it can; each is timed, and the whole is their sum;
    a hundredth follows in the last process."""
    book = peers.main(
        ["--only", "ours", "--phase", "story", "--rounds", "1", "--out", str(tmp_path)]
    )
    rows = book.rows
    assert rows["story steps"].samples == {FLOOR: [4], OURS: [6]}
    for who, steps in ((OURS, STEPS), (FLOOR, (START, REQUIREMENTS, CREATE, GET))):
        assert [step for step in STEPS if who in rows[f"story {step}"].samples] == list(steps)
        each = [rows[f"story {step}"].samples[who][0] for step in steps]
        assert rows["story cold"].samples[who] == [pytest.approx(sum(each))]
        assert len(rows["story warm"].samples[who]) == 1
    assert rows["story callback"].missing[FLOOR] == "its story has no such step"


@pytest.mark.live
def test_a_callback_that_does_not_come_fails_the_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not left out of the sum."""
    monkeypatch.setattr(story, "CALLBACK_TIMEOUT_S", 0.01)
    bare = Silent()
    place = Place(*free_ports(1), tmp_path, tmp_path)
    process = Process(bare.command(place), tmp_path, bare.env())
    try:
        process.wait_until_listening(place.port)
        with (
            client(place.port) as asking,
            story.inbox() as receiver,
            pytest.raises(Failed, match="no callback"),
        ):
            story.tell(bare, asking, receiver)
    finally:
        process.stop()


@pytest.mark.live
def test_a_load_counts_answers_not_errors(tmp_path: Path) -> None:
    """By plain threads, as where there is no wrk; a fill stops at its number."""
    bare = Bare()
    place = Place(*free_ports(1), tmp_path, tmp_path)
    process = Process(bare.command(place), tmp_path, bare.env())
    try:
        process.wait_until_answered(place.port, bare.first())
        assert load(place.port, bare.page(), 2, 0.1).per_s > 0
        assert fill(place.port, bare.create(), 10, 5) == 10
        with client(place.port) as asking:
            assert asking.ask(bare.files(asking)).json()["alias"] == "400000 bytes in 2 files"
        assert process.memory_mb() > 1
    finally:
        process.stop()
