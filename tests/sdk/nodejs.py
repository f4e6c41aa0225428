"""Node, the official SDK for it and other packages, or a skip that says how to get them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

FOLDER = Path(__file__).with_name("node")
MODULES = FOLDER / "node_modules"
INSTALL = "npm install --no-package-lock --no-save --prefix tests/sdk/node"


def node() -> str:
    """The command, if it and all packages are there; else the test is skipped, or fails where
    ``TESTS_REQUIRE_NODE=1`` says that they have to be."""
    command = node_alone()
    for name in json.loads((FOLDER / "package.json").read_text())["dependencies"]:
        if not (MODULES / name).is_dir():
            _lacks(f"the Node package {name}")
    return command


def node_alone() -> str:
    """The same, for tests that need no package."""
    return shutil.which("node") or _lacks("Node")


def _lacks(missing: str) -> NoReturn:
    told = f"{missing} is not installed; with Node 18 or newer: {INSTALL}"
    if os.environ.get("TESTS_REQUIRE_NODE") == "1":
        pytest.fail(told)
    pytest.skip(told)
