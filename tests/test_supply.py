"""What is installed: the pinned versions, and how CI judges them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNNING = [*PROJECT["dependencies"], *EXTRAS["tls"]]
TESTING = [*EXTRAS["test"], *EXTRAS["lint"]]


def pins(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


@pytest.mark.parametrize(
    ("wanted", "files"),
    [(wanted, ["constraints.txt"]) for wanted in RUNNING]
    + [(wanted, ["constraints.txt", "constraints-test.txt"]) for wanted in TESTING],
)
def test_every_pin_is_one_that_the_project_takes(wanted: str, files: list[str]) -> None:
    """Each dependency is pinned, within its range, and so is each test and lint tool."""
    requirement = Requirement(wanted)
    pinned = {name: version for file in files for name, version in pins(file).items()}
    assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_no_library_is_pinned_twice() -> None:
    """The second file takes in the first, so a name in both could only contradict."""
    assert "-c constraints.txt" in (ROOT / "constraints-test.txt").read_text().splitlines()
    assert pins("constraints.txt").keys() & pins("constraints-test.txt").keys() == set()


def test_every_python_from_the_oldest_that_is_taken_is_claimed() -> None:
    """The classifiers, from which ``.ci/pythons`` knows what to try, begin at requires-python."""
    prefix = "Programming Language :: Python :: 3."
    named = [int(each.removeprefix(prefix)) for each in PROJECT["classifiers"] if prefix in each]
    assert PROJECT["requires-python"] == f">=3.{named[0]}"
    assert named == list(range(named[0], named[-1] + 1))


@pytest.mark.parametrize("installs", ["chromium", "node", "tools", "python"])
def test_a_step_of_ci_succeeds_only_if_what_it_installs_is_there(
    tmp_path: Path, installs: str
) -> None:
    """Even where the installer itself claims success and has done nothing."""
    programs = {"apt-get": "exit 0", "id": "echo 0"}
    for name, does in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    done = _in_bash(f". .ci/installs.bash; install_{installs}", path=tmp_path)
    assert done.returncode != 0, done.stdout


def test_a_browser_that_is_there_is_not_installed_again(tmp_path: Path) -> None:
    """It is asked for its version, which CI prints."""
    (tmp_path / "google-chrome").write_text("#!/bin/sh\necho Chrome 156\n")
    (tmp_path / "google-chrome").chmod(0o755)
    done = _in_bash(". .ci/installs.bash; install_chromium", path=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Chrome 156\n")


def _in_bash(script: str, *, path: Path) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(
        [bash, "-c", script],
        cwd=ROOT,
        env={"PATH": str(path), "temporary": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


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
    assert audit.told_of_licences(found, 1) == code


def test_a_library_whose_licence_is_not_told_fails(audit: Any) -> None:
    """One that is pinned and was not looked at is not allowed by silence."""
    found = [{"Name": "x", "Version": "1", "License": "MIT"}]
    assert audit.told_of_licences(found, 2) == 1


@pytest.mark.parametrize(("what", "code"), [("advisories", 0), ("licences", 1)])
def test_a_tool_that_fails_is_skipped_only_if_it_asks_a_service(
    audit: Any, monkeypatch: pytest.MonkeyPatch, what: str, code: int
) -> None:
    """Licences are read from disk: there, a failure is one."""

    def fails(*command: Any, **options: Any) -> bytes:
        raise subprocess.CalledProcessError(2, command, b"", b"no such environment")

    monkeypatch.setattr(audit, "install", lambda *names: Path("bin"))
    monkeypatch.setattr(audit, "run", fails)
    assert audit.main(what) == code
