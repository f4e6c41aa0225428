"""What is known against the pinned libraries, and what their licences are.

Run `python .ci/audit.py advisories` or `python .ci/audit.py licences`. Exit code 1 when there is a
known vulnerability, or a licence that is not allowed or not told; when no registry or no advisory
service can be reached it says "skipped: …" and exits with 0. The licences are those of `.venv`.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import venv
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
ALLOWED = ("MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "ISC")
PATIENCE_S = 180


def main(what: str) -> int:
    judge, tool, needs_service = {
        "advisories": (advisories, "pip-audit", True),
        "licences": (licences, "pip-licenses", False),
    }[what]
    with tempfile.TemporaryDirectory() as folder:
        may_fail = True
        try:
            tools = install(pathlib.Path(folder), tool)
            may_fail = needs_service
            return judge(tools)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            print(f"{'skipped' if may_fail else 'failed'}: {error.cmd[0].name} did not work here")
            print((error.stderr or b"")[-300:].decode("utf-8", "replace"))
            return 0 if may_fail else 1


def install(folder: pathlib.Path, *names: str) -> pathlib.Path:
    """Into an environment of their own; returns where its programs are."""
    venv.create(folder, with_pip=True)
    tools = folder / "bin"
    run(tools / "pip", "install", "-q", *names)
    return tools


def run(*command: str | pathlib.Path, fails_with: tuple[int, ...] = ()) -> bytes:
    """What it prints. Raises CalledProcessError, TimeoutExpired."""
    ran = subprocess.run(command, capture_output=True, timeout=PATIENCE_S)
    if ran.returncode and ran.returncode not in fails_with:
        raise subprocess.CalledProcessError(ran.returncode, command, ran.stdout, ran.stderr)
    return ran.stdout


def advisories(tools: pathlib.Path) -> int:
    """1 is also pip-audit's exit code for what it found."""
    options = ("--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off")
    printed = run(tools / "pip-audit", "-r", CONSTRAINTS, *options, fails_with=(1,))
    if not printed.strip():
        print("skipped: the advisory service cannot be reached")
        return 0
    return told_of_advisories(json.loads(printed)["dependencies"])


def told_of_advisories(found: list[dict[str, Any]]) -> int:
    """Those that nobody could say anything about are no fault, but are not hidden either."""
    asked = [each for each in found if "skip_reason" not in each]
    if not asked:
        print("skipped: the advisory service knows none of the libraries, so it was not reached")
        return 0
    wrong = [each for each in asked if each["vulns"]]
    for each in wrong:
        ids = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
        print(f"{each['name']} {each['version']}: {ids}")
    print(f"{len(asked)} of {len(found)} libraries asked about, {len(wrong)} with advisories")
    return 1 if wrong else 0


def licences(tools: pathlib.Path) -> int:
    names = [line.split("==")[0] for line in CONSTRAINTS.read_text().splitlines() if "==" in line]
    python = ROOT / ".venv/bin/python"
    options = ("--python", python, "--format", "json", "--packages", *names)
    return told_of_licences(json.loads(run(tools / "pip-licenses", *options)), len(names))


def told_of_licences(found: list[dict[str, str]], expected: int) -> int:
    """Each has to be one of the permissive ones by its name, and none may be missing."""
    wrong = [each for each in found if not is_allowed(each["License"])]
    for each in wrong:
        print(f"{each['Name']} {each['Version']}: {each['License']} is not allowed")
    print(f"{len(found)} of {expected} libraries, {len(wrong)} with a licence that is not allowed")
    return 1 if wrong or len(found) != expected else 0


def is_allowed(licence: str) -> bool:
    return "GPL" not in licence and any(word in licence for word in ALLOWED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
