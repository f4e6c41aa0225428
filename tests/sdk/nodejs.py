"""Node and the official SDK for it, or a skip that says how to get them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

FOLDER = Path(__file__).with_name("node")
MODULES = FOLDER / "node_modules"
INSTALL = "npm install --no-package-lock --no-save --prefix tests/sdk/node"


def node() -> str:
    """The command, if it and the SDK are there; else the test is skipped, or fails where
    ``TESTS_REQUIRE_NODE=1`` says that they have to be."""
    command = shutil.which("node")
    if command and (MODULES / "plivo").is_dir():
        return command
    missing = "the Node SDK" if command else "Node"
    told = f"{missing} is not installed; with Node 18 or newer: {INSTALL}"
    if os.environ.get("TESTS_REQUIRE_NODE") == "1":
        pytest.fail(told)
    pytest.skip(told)
