"""A plugin for pytest: ``-p repeated --times 10`` runs every test of a suite so often."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=1, help="run every test so often")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Random order then mixes the runs."""
    metafunc.fixturenames.append("_run")
    times = metafunc.config.getoption("--times")
    metafunc.parametrize("_run", range(times), indirect=True)


@pytest.fixture
def _run(request: pytest.FixtureRequest) -> Any:
    return request.param
