"""``docs/walk.md``, typed by a tester into one terminal, from the first block to the last."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings
from tests.support import free_ports

DOCS = Path(__file__).parent.parent / "docs"
WALK = (DOCS / "walk.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", WALK, re.MULTILINE | re.DOTALL)
BEFORE = (
    "python3 -m venv .venv && .venv/bin/pip install -q -c constraints-test.txt . plivo",
    ".venv/bin/plivo-sim serve",
)
"""What is there already when the test begins."""
STOP = "kill $! 2>/dev/null || true"
"""The walk's last line stops the webhook; this does where an earlier one failed."""


def test_every_block_is_one_that_the_walk_s_test_types() -> None:
    """All are shell; only installing and serving are there already."""
    assert {language for language, _ in BLOCKS} == {"sh"}
    assert [text.strip() for _, text in BLOCKS][:2] == list(BEFORE)


def test_the_readme_leads_here() -> None:
    """A tester who has never seen the project finds it."""
    assert "docs/walk.md" in (DOCS.parent / "README.md").read_text()


@pytest.mark.live
def test_the_walk(tmp_path: Path) -> None:
    """Each command succeeds; in the end the webhook has heard of both, twice."""
    with LiveSimulator(Settings(port=0)) as live:
        script = "".join(text for _, text in BLOCKS[2:])
        script = script.replace("http://127.0.0.1:8700", live.url)
        script = script.replace("8001", str(*free_ports(1)))
        script = script.replace(".venv/bin/python", sys.executable)
        script = script.replace(".venv/bin/plivo-sim", f"{sys.executable} -m plivo_sim.cli")
        done = subprocess.run(
            ["sh", "-euc", f"trap '{STOP}' EXIT\nexport PLIVO_SIM_URL={live.url}\n{script}"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    heard = (tmp_path / "heard.txt").read_text().splitlines()
    assert [line.split()[0] for line in heard] == ["rejected", "accepted"] * 2
    assert "Business name is not identical" in heard[0]
    assert "the scenario holds" in done.stdout
