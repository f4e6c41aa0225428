"""Every block of the README is run, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client.applications import write_samples
from plivo_sim.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
INSTALL = "python3 -m venv .venv"
URL = "http://127.0.0.1:8700"


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


def test_every_block_has_a_language_that_a_test_runs() -> None:
    """No block escapes these tests."""
    fences = len(re.findall(r"^```", README, re.MULTILINE))
    assert fences == 2 * len(BLOCKS)
    assert {language for language, _ in BLOCKS} <= {"sh", "python", "js"}


@pytest.mark.parametrize("last", ["serve", "pytest"])
def test_ci_runs_the_very_commands_of_the_readme(last: str) -> None:
    """The commands that start it and that test it stand in both, word for word."""
    (command,) = [text.strip() for text in blocks("sh") if INSTALL in text and last in text]
    assert command in (ROOT / ".ci" / "run").read_text()


def test_every_page_of_the_docs_is_found_from_here() -> None:
    """And every link leads to something."""
    links = set(re.findall(r"\]\((?!http|#)([^)#]+)", README))
    assert [link for link in links if not (ROOT / link).exists()] == []
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - links - {"docs/dependencies.md"} == set()


@pytest.mark.live
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_python_and_shell_blocks_work_in_order(tmp_path: Path) -> None:
    """A reader who types them one after the other sees each of them succeed."""
    write_samples(tmp_path / "samples")
    with LiveSimulator(Settings(port=0)) as live:
        _type_all(live, tmp_path)


def _type_all(live: LiveSimulator, tmp_path: Path) -> None:
    runnable = [
        (language, text.replace(URL, live.url))
        for language, text in BLOCKS
        if language in ("sh", "python") and INSTALL not in text
    ]
    env = os.environ | {"PLIVO_SIM_URL": live.url}
    made = ""
    for language, text in runnable:
        if "def test_" in text:
            answer = _as_a_test(text, tmp_path)
        elif language == "python":
            done = _run([sys.executable, "-c", text], tmp_path, env)
            made = re.findall(r"'compliance_id': '([^']+)'", done)[0]
        else:
            script = text.replace(".venv/bin/plivo-sim", f"{sys.executable} -m plivo_sim.cli")
            answer = _run(["sh", "-euc", script.replace("curl -s", "curl -sS --fail-with-body")],
                          tmp_path, env | {"ID": made})  # fmt: skip
            assert answer.strip(), text


def _as_a_test(text: str, tmp_path: Path) -> str:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "test_readme.py").write_text(text)
    return _run([sys.executable, "-m", "pytest", "-q", "."], folder, dict(os.environ))


def _run(command: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout
