"""A book as tables: on the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.peers.book import Book, Row
from benchmarks.peers.own import FLOOR, OURS, Candidate
from benchmarks.peers.targets import Target, targets

NONE = "–"
BUSY = "The machine was busy with other things before the run: its numbers are noise."
OF_OURS = "°"
RESULT = "peers"
Cell = Callable[[Row, str], str]


def shown(value: float) -> str:
    """Three figures, thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def value_cell(row: Row, who: str) -> str:
    value = row.median(who)
    return NONE if value is None else shown(value)


def ratio_cell(row: Row, who: str) -> str:
    """With a sign where the base is not the floor but ours."""
    ratio = row.ratio(who)
    if ratio is None:
        return NONE
    return shown(ratio) + ("" if row.base() == FLOOR else OF_OURS)


class Footnotes:
    """Numbered reasons, each once, with whom they are about."""

    def __init__(self) -> None:
        self._about: dict[str, list[str]] = {}

    def mark(self, reason: str, who: str) -> str:
        about = self._about.setdefault(reason, [])
        if who not in about:
            about.append(who)
        return f"[{list(self._about).index(reason) + 1}]"

    def texts(self) -> list[str]:
        return [f"{', '.join(about)}: {reason}" for reason, about in self._about.items()]


def table(book: Book, cell: Cell, notes: Footnotes) -> list[list[str]]:
    """A head and a line for each row that has any value."""
    lines = [["", "unit", "better", *book.names]]
    for row in book.rows.values():
        if not (row.samples or set(row.missing.values()) - {""}):
            continue
        cells = [cell(row, who) for who in book.names]
        marked = [
            text + notes.mark(book.why_not(row, who), who) if text == NONE else text
            for who, text in zip(book.names, cells, strict=True)
        ]
        lines.append([row.label, row.unit, row.better, *marked])
    return lines


def target_table(found: Sequence[Target]) -> list[list[str]]:
    head = ["target", "wanted", "measured", "verdict"]
    return [head, *([each.what, each.wanted, each.measured, each.verdict] for each in found)]


def as_text(lines: list[list[str]]) -> str:
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    left = 1 if len(lines[0]) > 4 else 4  # numbers to the right, words to the left
    return "\n".join(
        "  ".join(
            text.ljust(width) if n < left else text.rjust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(lines: list[list[str]]) -> str:
    head, *rest = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([head, "|" + "---|" * len(lines[0]), *rest])


# --- what it was measured on -----------------------------------------------------------------


def machine() -> dict[str, Any]:
    """Cores, memory and CPU model; nothing that names the machine."""
    memory, model = None, platform.machine()
    try:
        found = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
        memory = round(int(found[1]) / 1e6, 1) if found else None
        named = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        model = named[1].strip() if named else model
    except OSError:
        pass
    return {
        "cores": os.cpu_count(), "memory_gb": memory, "cpu": model, "system": platform.system(),
        "load_before": round(os.getloadavg()[0], 2),
    }  # fmt: skip


def is_busy(about: dict[str, Any]) -> bool:
    """Whether a quarter of the cores, or more, had work before it began."""
    return bool(about["machine"]["load_before"] > (about["machine"]["cores"] or 1) / 4)


def versions(candidates: list[Candidate]) -> dict[str, str]:
    """Of ours with its commit, of what runs everything, and of each package."""
    own = {name: metadata.version(name) for name in ("flask", "cheroot", "tinydb", "msgspec")}
    told = {OURS: _own_version(), "Python": platform.python_version(), **own}
    for name, command in (("Node", ["node", "--version"]), ("wrk", ["wrk", "--version"])):
        told[name] = _first_line(command)
    told["JVM"] = _first_line(["java", "-version"])
    told |= {each.name: each.package.version for each in candidates if each.package}
    return {name: version for name, version in told.items() if version}


def _own_version() -> str:
    here = Path(__file__).resolve().parent
    found = re.search(
        r'__version__ = "(.+)"', (here.parents[1] / "plivo_sim" / "__init__.py").read_text()
    )
    commit = _first_line(["git", "-C", str(here), "rev-parse", "--short", "HEAD"])
    return " ".join(filter(None, [found[1] if found else "", commit and f"({commit})"]))


def _first_line(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    if done.returncode and command[0] != "wrk":  # which says its version and exits with 1
        return ""
    lines = (done.stdout + done.stderr).strip().splitlines()
    found = re.search(r"v?\d[\w.+-]*|[0-9a-f]{7,}", lines[0]) if lines else None
    return found[0] if found else ""


# --- the results file ------------------------------------------------------------------------


def save(folder: Path, book: Book, candidates: list[Candidate], about: dict[str, Any]) -> None:
    """``peers.json`` and ``peers.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {**about, "does": {each.name: each.does for each in candidates}, "rows": book.as_json()}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (folder / f"{RESULT}.json").write_text(text + "\n")
    (folder / f"{RESULT}.md").write_text(markdown(book, candidates, about))


def about_run(candidates: list[Candidate], plan: dict[str, Any]) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(),
        "versions": versions(candidates),
        "plan": plan,
    }


def markdown(book: Book, candidates: list[Candidate], about: dict[str, Any]) -> str:
    notes = Footnotes()
    on = about["machine"]
    parts = [
        "# plivo-sim and its peers, measured in one run",
        "Written by `python -m benchmarks.peers`; what it does and how to read it:"
        " [benchmarks/README.md](../README.md).",
        f"{about['date']}; {on['cores']} cores, {on['memory_gb']} GB, {on['cpu']}; load average"
        f" before the run {on['load_before']}.",
        BUSY if is_busy(about) else "",
        ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ".",
        f"## Ratios\n\nBare Flask is 1; where it has no such operation ({OF_OURS}), plivo-sim is.",
        as_markdown(table(book, ratio_cell, notes)),
        "## Values\n\nMedians.",
        as_markdown(table(book, value_cell, notes)),
        "\n".join(f"{n}. {text}" for n, text in enumerate(notes.texts(), 1)),
        "## Targets",
        as_markdown(target_table(targets(book))),
        "## Who does what\n",
        "\n".join(f"- **{each.name}** ({each.kind}): {each.does}" for each in candidates),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def print_report(book: Book, about: dict[str, Any]) -> None:
    notes = Footnotes()
    print(f"\nratios: {FLOOR} is 1; where it has no such operation ({OF_OURS}), {OURS} is\n")
    print(as_text(table(book, ratio_cell, notes)))
    print("\nvalues: medians\n")
    print(as_text(table(book, value_cell, notes)))
    print()
    for n, text in enumerate(notes.texts(), 1):
        print(f"[{n}] {text}")
    print("\ntargets\n")
    print(as_text(target_table(targets(book))))
    if is_busy(about):
        print(f"\n{BUSY}")
