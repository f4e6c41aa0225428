"""The command line starts fast: nothing heavy is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("flask", "werkzeug", "faker", "phonenumbers", "tinydb", "marshmallow")
_SCRIPT = f"""
import sys
from plivo_sim.cli import main
main(sys.argv[1:], standalone_mode=False)
print("imported:", *(name for name in {HEAVY!r} if name in sys.modules))
"""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",), ("scenario", "check", "instant-accept"), ("seed", "--help"),
        ("scenario", "new", "mine"), ("catalogue", "list"), ("catalogue", "show", "IN"),
        ("fault", "add", "--help"), ("serve", "--help"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_server_is_imported(words: tuple[str, ...], tmp_path: Path) -> None:
    """Not by help texts, and not by what needs no simulator."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *words],
        capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "imported:"


_SERVE = """
import sys
import click
from plivo_sim.cli import main
main.get_command(click.Context(main), "serve")
from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings
live = LiveSimulator(Settings(port=0)).start()
live.stop()
print("imported:", *(name for name in UNNEEDED if name in sys.modules))
"""
UNNEEDED = ("yaml", "apispec", "jsonschema", "limits", "faker", "phonenumbers", "urllib3",
            "trustme", "requests", "plivo_sim.client.people", "plivo_sim.openapi",
            "marshmallow", "plivo_sim.client")  # fmt: skip


def test_a_server_starts_without_what_few_need() -> None:
    """Readers of YAML and bodies, makers of documents, numbering plans and names, and other
    commands come when asked for."""
    done = subprocess.run(
        [sys.executable, "-c", f"UNNEEDED = {UNNEEDED!r}\n{_SERVE}"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "imported:"


def test_the_check_can_fail(tmp_path: Path) -> None:
    """An import of one of them is seen."""
    done = subprocess.run(
        [sys.executable, "-c", f"import faker\n{_SCRIPT}", "--help"],
        capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "imported: faker"
