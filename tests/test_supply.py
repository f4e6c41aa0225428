"""What is installed: the pinned versions, and how CI judges them."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WANTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["tls"]]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize("wanted", WANTED)
def test_every_pin_is_one_that_the_project_takes(wanted: str) -> None:
    """Each dependency is pinned, within its range."""
    requirement = Requirement(wanted)
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


@pytest.fixture(scope="module")
def audit() -> Any:
    """CI's own judgement."""
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("vulns", "code", "told"),
    [
        ([], 0, "1 of 2 libraries asked about, 0 with advisories"),
        ([{"id": "CVE-2026-1"}], 1, "flask 3.1: CVE-2026-1"),
        (None, 0, "skipped: "),
    ],
)
def test_an_advisory_fails_and_silence_does_not(
    audit: Any, capsys: pytest.CaptureFixture[str], vulns: Any, code: int, told: str
) -> None:
    """A service that cannot be reached is told of as skipped."""
    unknown = {"name": "x", "skip_reason": "not found"}
    asked = unknown if vulns is None else {"name": "flask", "version": "3.1", "vulns": vulns}
    assert audit.told_of_advisories([unknown, asked]) == code
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("licence", "code"),
    [("MIT License", 0), ("Apache-2.0 OR BSD-3-Clause", 0), ("GPL-3.0", 1), ("UNKNOWN", 1)],
)
def test_licences(audit: Any, licence: str, code: int) -> None:
    """Permissive ones only."""
    found = [{"Name": "x", "Version": "1", "License": licence}]
    assert audit.told_of_licences(found) == code
