"""Peers are installed into a directory of their own in the user's cache, at fixed versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.peers.calls import Lacks

INSTALL_TIMEOUT_S = 240.0


@dataclass(frozen=True)
class Package:
    """One version of a package of PyPI or npm; ``extra`` as in ``moto[server]``."""

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    extra: str = ""

    @property
    def wanted(self) -> str:
        if self.registry == "npm":
            return f"{self.name}@{self.version}"
        return f"{self.name}{self.extra}=={self.version}"

    @property
    def shown(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def folder(self) -> str:
        return re.sub(r"[^a-z0-9.]+", "-", f"{self.name} {self.version}".lower()).strip("-")


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "plivo-sim-benchmarks"


def ensure(package: Package, cache: Path) -> Path:
    """The folder it is installed in, after installing it if need be. Raises Lacks."""
    folder = cache / package.folder
    complete = folder / ".complete"
    if complete.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"installing {package.wanted}", file=sys.stderr, flush=True)
    for command in _commands(package, folder):
        _run(command, package)
    complete.touch()
    return folder


def _commands(package: Package, folder: Path) -> list[list[str]]:
    if package.registry == "pypi":
        python = str(folder / "bin" / "python")
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        return [[sys.executable, "-m", "venv", str(folder)], [*pip, package.wanted]]
    npm = shutil.which("npm")
    if npm is None:
        raise Lacks("needs npm, which is not installed")
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder)]
    return [[npm, "install", *quiet, package.wanted]]


def _run(command: list[str], package: Package) -> None:
    # Whatever virtual environment this runs in is not the peer's.
    outside = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    env = {name: value for name, value in os.environ.items() if name not in outside}
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Lacks(f"could not be installed within {INSTALL_TIMEOUT_S:.0f} s") from None
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        raise Lacks(f"{package.registry} could not install {package.shown}")
