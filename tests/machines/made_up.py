"""Valid machine files that nobody thought of, for tests of whatever machine there is."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from plivo_sim.domain.machine import Machine
from plivo_sim.machines import load_machine_data

NAMES = (
    "draft", "submitted", "accepted", "rejected", "held", "in_review", "fresh", "handed_in",
    "revoked", "lapsed", "on_ice", "x",
)  # fmt: skip
WORDS = (*NAMES, "pending_review", "Approved", "looked-at", "v2.ok")
DELAYS = ("1m", "1h", "36h", "2 business days", "30d", "365d")
TONES = ("good", "bad", "wait", "idle")


@st.composite
def machine_files(draw: st.DrawFn, most: int = 8, least: int = 3) -> dict[str, Any]:
    """A whole machine file of ``least`` to ``most`` statuses, with arrows by all takers. Each
    status after the first two is reached from one before it; automatic arrows lead on, never back,
    so that they close no circle."""
    count = draw(st.integers(least, most))
    names = draw(st.permutations(NAMES))[:count] if count <= len(NAMES) else many(count)
    draft, submitted = names[:2]
    arrows: dict[tuple[str, str], dict[str, Any]] = {(draft, submitted): {"by": ["client"]}}
    takers = st.lists(st.sampled_from(["reviewer", "time", "hand"]), min_size=1, unique=True)
    for place in range(2, count):
        origin = names[draw(st.sampled_from([1, place - 1, (place + 1) // 2]))]
        arrows[origin, names[place]] = {"by": draw(takers)}
    ends = st.tuples(st.sampled_from(names[1:]), st.sampled_from(names[2:]))
    for origin, target in draw(st.lists(ends, max_size=count)):
        if origin != target:
            arrows.setdefault((origin, target), {"by": draw(takers)})
    again = draw(st.lists(st.sampled_from(names[2:]), unique=True, max_size=3))
    arrows |= {(origin, submitted): {"by": ["client"]} for origin in again}
    for (origin, target), arrow in arrows.items():
        event = draw(st.sampled_from(["", "", "told_so"]))
        arrow |= {"event": event} if event else {}
        if "reviewer" in arrow["by"] and draw(st.integers(0, 3)) == 0:
            arrow["not_before"] = draw(st.sampled_from(DELAYS[:4]))
        if _leads_on(names, origin, target) and "client" not in arrow["by"]:
            _make_automatic(draw, arrows, origin, arrow)
        if arrow["by"] == ["time"] and "after" not in arrow:
            arrow["by"] = ["time", "hand"]  # for time alone, a plan would have to come there
    left = {origin for origin, _ in arrows}
    submitting = {origin for (origin, _), arrow in arrows.items() if "client" in arrow["by"]}
    statuses = {name: draw(_rows(name in submitting)) for name in names}
    for name in names:
        statuses[name]["ends"] = name not in left
    reviewed = [
        t for (o, t), arrow in arrows.items() if o == submitted and "reviewer" in arrow["by"]
    ]
    return {
        "machine": "made-up",
        "about": draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)),
        "starts": {"draft": draft, "submitted": submitted},
        "review": {"outcome": draw(st.sampled_from([*reviewed, "nothing"]))},
        "statuses": statuses,
        "arrows": [{"from": o, "to": t, **arrow} for (o, t), arrow in arrows.items()],
    }


def many(count: int) -> list[str]:
    """So many names, of different lengths."""
    return [f"s{n}{'_and_so_on' * (n % 4)}" for n in range(count)]


def _leads_on(names: Any, origin: str, target: str) -> bool:
    return list(names).index(origin) < list(names).index(target)


def _make_automatic(
    draw: st.DrawFn, arrows: dict[Any, dict[str, Any]], origin: str, arrow: dict[str, Any]
) -> None:
    """Now and then, where none leaves the status by itself yet."""
    racing = any(o == origin and "after" in each for (o, _), each in arrows.items())
    if not racing and draw(st.integers(0, 3)):
        arrow["by"] = list(dict.fromkeys([*arrow["by"], "time"]))
        arrow["after"] = draw(st.sampled_from(DELAYS))


@st.composite
def _rows(draw: st.DrawFn, submits: bool) -> dict[str, Any]:
    word = st.sampled_from(WORDS)
    may = draw(st.lists(st.sampled_from(["edit", "delete", "link"]), unique=True))
    return {
        **{dialect: draw(word) for dialect in ("legacy", "current", "beta", "atoms")},
        "client": [*may, *(["submit"] if submits else [])],
        "locks": draw(st.booleans()),
        "reason": draw(st.sampled_from(["", "No reason given."])),
        "tone": draw(st.sampled_from(TONES)),
    }


machines: st.SearchStrategy[Machine] = machine_files().map(load_machine_data)
"""Each of them is valid: one that is not raises, and fails its test."""
_ALL = len(NAMES)
with_all_names: st.SearchStrategy[Machine] = machine_files(_ALL, _ALL).map(load_machine_data)
"""Any two of these have the same statuses, in other roles."""
