"""A tape that is not there yet, and a command line to which no simulator is near."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "tape.jsonl"


@pytest.fixture
def shell() -> Shell:
    """A command line to which no simulator is near."""
    return Shell("http://127.0.0.1:9")
