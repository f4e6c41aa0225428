"""Pictures of machines: nothing overlaps, everything is readable, whatever the machine says."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import given
from msgspec.structs import replace

from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from plivo_sim.domain.machine import Machine
from plivo_sim.machines import default_machine, load_machine_data, shipped_machine, shipped_names
from plivo_sim.machines.drawing import PALETTES, Picture, mermaid_of, picture_of, svg_of
from plivo_sim.machines.layout import MOST_WORK, Box, lay_out
from plivo_sim.machines.loader import load_machine
from plivo_sim.services.machines import use_machine
from tests.conftest import bounded
from tests.machines.files import YEARLY
from tests.machines.made_up import machine_files
from tests.support import AUTH_ID, Http, calls_of

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def texts_of(svg: str) -> list[str]:
    """Every text that is written in the picture."""
    return [each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def overlapping(picture: Picture) -> list[tuple[Box, Box]]:
    boxes = (*picture.layout.boxes, *picture.layout.labels)
    return [(one, other) for one, other in combinations(boxes, 2) if one.overlaps(other)]


def crossed(picture: Picture) -> list[tuple[str, str, str]]:
    """Arrows that go through the box of a status which is neither of their ends."""
    found = []
    boxes = dict(zip(picture.statuses, picture.layout.boxes, strict=True))
    for (arrow, _), line in zip(picture.arrows, picture.layout.lines, strict=True):
        for name, box in boxes.items():
            for one, other in zip(line[::2], line[1::2], strict=True):  # where it may pass a box
                way = Box(one[0], (one[1] + other[1]) / 2, 0, abs(one[1] - other[1]))
                if name not in (arrow.from_, arrow.to) and way.overlaps(box):
                    found.append((arrow.from_, arrow.to, name))
    return found


def check(machine: Machine) -> None:
    """What holds of every picture."""
    picture = picture_of(machine, {}, {})
    assert overlapping(picture) == []
    assert crossed(picture) == []
    svg = svg_of(machine, {}, {})
    assert svg == svg_of(machine, {}, {})
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    named = {each.get("id"): each.text for each in root if each.get("id")}
    assert all(named[id] for id in (root.get("aria-labelledby") or "").split())
    written = texts_of(svg)
    assert set(machine.statuses) <= set(written)
    assert len(list(root.iter(f"{SVG}path"))) == len(machine.arrows) + 1 + 4  # the start, the heads
    for arrow, lines in picture.arrows:
        assert lines[0] == ", ".join(arrow.takers)
        assert arrow.after is None or f"after {arrow.after}" in lines


@pytest.mark.parametrize("name", shipped_names())
def test_the_pictures_of_those_that_ship(name: str) -> None:
    """No box lies on another, no line goes through one, each text is there."""
    check(shipped_machine(name))


@bounded(40)
@given(machine_files())
def test_the_pictures_of_machines_that_nobody_thought_of(file: dict[str, object]) -> None:
    """The same of each."""
    check(load_machine_data(file))


@bounded(5)
@given(machine_files(30))
def test_the_pictures_of_large_machines(file: dict[str, object]) -> None:
    """The same of thirty statuses."""
    check(load_machine_data(file))


@pytest.mark.parametrize("name", shipped_names())
def test_each_text_fits_its_box(name: str) -> None:
    """A letter is at most 0.63 of its size wide on average, in the widest of the usual fonts."""
    picture = picture_of(shipped_machine(name), {}, {})
    pairs = [
        *zip(picture.statuses.values(), picture.layout.boxes, strict=True),
        *zip((lines for _, lines in picture.arrows), picture.layout.labels, strict=True),
    ]
    for lines, box in pairs:
        assert all(0.55 * 12 * len(line) < box.width for line in lines), lines
        assert 14 * len(lines) < box.height, lines


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable(scheme: str) -> None:
    """Against what it stands on, and each line against the page."""
    page = PALETTES[scheme]["page"][0]
    for name, (fill, line, text) in PALETTES[scheme].items():
        assert contrast(text, fill) >= 7 or name in ("client", "reviewer", "time", "hand"), name
        assert contrast(text, fill) >= 4.5, name
        assert contrast(line, page) >= 3 or name == "page", name
    assert f"prefers-color-scheme:{scheme}" in svg_of(default_machine()) or scheme == "light"


HOSTILE = "</desc><script>alert(1)</script> & \"'>]]> \x00\x0b\ufffe %%{init: {}}%%\n--> s0"


def test_no_text_of_a_file_becomes_markup() -> None:
    """A sentence is free text; names and words are checked, but the picture does not lean on it."""
    file = default_machine().file
    row = replace(file.statuses["rejected"], beta=HOSTILE)
    wrong = f"rejected{HOSTILE}"
    arrows = tuple(
        replace(
            each,
            from_=wrong if each.from_ == "rejected" else each.from_,
            to=wrong if each.to == "rejected" else each.to,
            event=HOSTILE,
        )
        for each in file.arrows
    )
    statuses = {n: r for n, r in file.statuses.items() if n != "rejected"} | {wrong: row}
    machine = Machine(
        replace(file, machine=HOSTILE, about=HOSTILE, statuses=statuses, arrows=arrows)
    )
    svg, plain = svg_of(machine), svg_of(default_machine())
    tags = {each.tag for each in ElementTree.fromstring(svg).iter()}
    assert tags == {each.tag for each in ElementTree.fromstring(plain).iter()}
    assert any("<script>" in text for text in texts_of(svg))
    mermaid = mermaid_of(machine)
    assert len(mermaid.splitlines()) == len(mermaid_of(default_machine()).splitlines())
    ours = re.compile('<br/>|state "|" as|title: "|"$', re.MULTILINE)
    assert not re.search("[<{%\"'&]", ours.sub("", mermaid))


def test_counts_are_shown_and_an_arrow_that_nobody_took_is_dotted() -> None:
    """One, several, none."""
    taken = {("draft", "submitted"): 13, ("submitted", "accepted"): 1}
    svg = svg_of(default_machine(), {"draft": 2, "accepted": 11}, taken)
    assert [text for text in texts_of(svg) if text.endswith(" now")] == [
        "2 now", "0 now", "11 now", "0 now", "0 now", "0 now", "0 now"
    ]  # fmt: skip
    assert {"13 times", "once"} < set(texts_of(svg))
    never = len(default_machine().arrows) - 2
    assert texts_of(svg).count("never taken") == svg.count(' never"') == never
    assert "never" not in "".join(texts_of(svg_of(default_machine())))


def test_ends_and_starts_are_marked() -> None:
    """A double border and a word; a dot, and what a submission gives."""
    svg = svg_of(default_machine())
    assert svg.count('class="inner"') == texts_of(svg).count("end") == 1
    assert svg.count('class="start"') == 1
    assert "what a submission gives" in texts_of(svg)


def test_mermaid_says_the_same() -> None:
    """Each status, each arrow with its takers, the start and the end."""
    text = mermaid_of(shipped_machine("default"))
    assert text.splitlines()[:4] == [
        "---", 'title: "Status machine default"', "---", "stateDiagram-v2"
    ]  # fmt: skip
    assert "  s1 --> s2 : reviewer, hand\n" in text
    assert "  [*] --> s0\n" in text
    assert "  s6 --> [*]\n" in text


@pytest.mark.parametrize("count", [50, 100])
def test_the_work_for_a_picture_has_an_end(count: int) -> None:
    """It grows with the places of the picture, which the limits of a machine bound: a chain, and
    arrows from its beginning to everything."""
    edges = [(i, i + 1) for i in range(count - 1)] + [(0, i) for i in range(2, count)]
    work = calls_of(lambda: lay_out([(80, 30)] * count, edges, [(40, 20)] * len(edges)))
    places = sum(2 * (target - origin) for origin, target in edges)
    assert work < 40 * max(MOST_WORK, 6 * places)


# --- where it is shown -----------------------------------------------------------------------


def test_the_picture_in_the_docs_is_the_commands() -> None:
    """``plivo-sim machine draw > docs/machine.svg`` renews it."""
    written = CliRunner().invoke(main, ["machine", "draw"])
    assert written.exit_code == 0
    assert (ROOT / "docs" / "machine.svg").read_text("utf-8") == written.output


def test_the_command_draws_a_file_and_writes_mermaid(tmp_path: Path) -> None:
    """A file that is wrong is told with its mistakes."""
    path = tmp_path / "yearly.yaml"
    path.write_text(
        "machine: yearly\nextends: default\narrows: [{from: accepted, to: expired, after: 365d}]\n"
    )
    drawn = CliRunner().invoke(main, ["machine", "draw", str(path)])
    assert "after 365d" in texts_of(drawn.output)
    told = CliRunner().invoke(main, ["machine", "draw", str(path), "--format", "mermaid"])
    assert "  s2 --> s6 : time, hand<br/>after 365d\n" in told.output
    path.write_text("machine: yearly\nextends: defalt\n")
    wrong = CliRunner().invoke(main, ["machine", "draw", str(path)])
    assert wrong.exit_code == 2
    assert f"{path}:2: extends: no machine of this name ships" in wrong.stderr


@pytest.mark.live
def test_the_command_draws_what_is_in_use(
    live: LiveSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's where it or the server is given, else what the variable names."""

    def drawn(*words: str) -> str:
        done = CliRunner().invoke(main, ["machine", "draw", "--format", "mermaid", *words])
        assert done.exit_code == 0, done.output
        return done.output

    use_machine(live.sim.account(AUTH_ID), load_machine(YEARLY))
    assert drawn("--url", live.url) == mermaid_of(load_machine(YEARLY))
    monkeypatch.setenv("PLIVO_SIM_MACHINE", "in-review")
    assert drawn() == mermaid_of(shipped_machine("in-review"))
    assert drawn("revocable") == mermaid_of(shipped_machine("revocable"))
    monkeypatch.setenv("PLIVO_SIM_URL", live.url)
    assert drawn("--account", AUTH_ID) == mermaid_of(load_machine(YEARLY))


def test_the_live_picture_counts_what_is_there(http: Http) -> None:
    """Applications by status, arrows by how often these took them."""
    http.sdk_created()
    id = http.sdk_created(alias="other")
    assert http.decide(id, "rejected").status_code == 200
    answer = http.get("/_sim/machine.svg", query_string={"account": AUTH_ID})
    assert answer.content_type == "image/svg+xml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    machine = http.account.machine
    counts = {"submitted": 1, "rejected": 1}
    taken = {(machine.draft, "submitted"): 2, ("submitted", "rejected"): 1}
    assert answer.text == svg_of(machine, counts, taken)
