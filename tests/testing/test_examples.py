"""The documentation's Python projects: each one's own test suite, as its team would run it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PROJECTS = {
    "flask-project": "app.py",
    "fastapi-project": "main.py",
    "django-project": "filings/compliance.py",
}
"""Each with the file that checks signatures and stores what became of a filing."""
VARIABLES = ("PLIVO_", "PYTEST_", "DJANGO_")
OURS = ("schemathesis", "hypothesispytest", "randomly", "xdist", "asyncio")
"""Plugins that this project's environment has; that of such a team need not, and each takes long to
load."""


@pytest.fixture(params=PROJECTS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of it, outside this one."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(EXAMPLES / request.param, tmp_path / request.param, ignore=ignored)


def run(project: Path, *options: str) -> str:
    """What its suite prints."""
    without = [word for plugin in OURS for word in ("-p", f"no:{plugin}")]
    env = {name: text for name, text in os.environ.items() if not name.startswith(VARIABLES)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *without, *options],
        cwd=project, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def names_in(project: Path) -> list[str]:
    texts = [path.read_text() for path in project.glob("test_*.py")]
    return [
        name for text in texts for name in re.findall(r"^(?:async )?def (test_\w+)", text, re.M)
    ]


@pytest.mark.live
def test_its_suite_passes(project: Path) -> None:
    """Every test of it: served and handed, accepted, rejected, corrected, forged, twice, late."""
    printed = run(project)
    names = names_in(project)
    assert len(names) >= 5
    assert f"\n{len(names)} passed in " in printed, printed


@pytest.mark.live
def test_its_tests_are_tests(project: Path) -> None:
    """A webhook that takes what is forged fails one of them, one that stores twice another."""
    path = project / PROJECTS[project.name]
    text = path.read_text()
    broken = text.replace(
        "    return plivo.utils.validate", "    return True or plivo.utils.validate"
    )
    assert broken != text
    broken, count = re.subn(r"\n( +if .*) != now:", r"\n\1 is not now:", broken)
    assert count == 1
    path.write_text(broken)
    printed = run(project, "-k", "forged or twice or late")
    failed = set(re.findall(r"^FAILED test_handed.py::(\w+)", printed, re.M))
    assert failed == {
        "test_a_forged_callback_is_refused",
        "test_a_callback_that_comes_twice_is_stored_once",
    }, printed


def test_the_docs_lead_to_it() -> None:
    """The page on testing names each folder; requirements are among those of this project."""
    told = (ROOT / "docs" / "testing.md").read_text()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    taken = [*declared["dependencies"], *declared["optional-dependencies"]["test"]]
    names = {re.split("[><=]", each)[0] for each in taken}
    for folder, file in PROJECTS.items():
        assert f"(examples/{folder}/)" in told
        assert f"(examples/{folder}/{file})" in told
        assert set((EXAMPLES / folder / "requirements.txt").read_text().split()) <= names
