"""The command line against one served simulator, emptied before each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from tests.conftest import PAUSED
from tests.support import Http

OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"

_APART = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
_RUNNER = CliRunner(**_APART)
"""Both outputs are apart; click before 8.2 has to be asked for that."""


@dataclass
class Shell:
    """Types commands; ``url`` is where they look for a simulator."""

    url: str
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str | Path, code: int | None = 0) -> Result:
        """Type a command, which must end with this exit code; None: with any."""
        env = {
            "PLIVO_SIM_URL": self.url,
            "PLIVO_SIM_ACCOUNT": None,
            "PLIVO_SIM_TOKEN": None,
        } | self.env
        done = _RUNNER.invoke(main, list(map(str, words)), env=env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert code in (None, done.exit_code), done.output
        return done

    def told(self, *words: str | Path, code: int = 0) -> str:
        """What a command prints on its standard output."""
        return self.run(*words, code=code).stdout

    def error(self, *words: str | Path, code: int) -> str:
        """What a command that fails prints on its error output; it prints nothing else."""
        done = self.run(*words, code=code)
        assert done.stdout == ""
        return done.stderr

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """The JSON that a command prints with ``--json``, and nothing else."""
        done = self.run(*words, "--json", code=code)
        assert done.stderr == ""
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def served() -> Iterator[LiveSimulator]:
    """A simulator behind a real socket, clocks standing still, for all tests of a worker."""
    with LiveSimulator(PAUSED) as live:
        yield live


@pytest.fixture
def emptied(served: LiveSimulator) -> LiveSimulator:
    """The same, without any account; nothing is covered."""
    served.sim.remove_all()
    served.sim.coverage.clear()
    return served


@pytest.fixture
def shell(emptied: LiveSimulator) -> Shell:
    """A command line beside it."""
    return Shell(emptied.url)


@pytest.fixture
def http(emptied: LiveSimulator) -> Http:
    """Calls of it, in process."""
    return Http(create_app(emptied.sim), emptied.sim)


@pytest.fixture
def other(http: Http) -> Http:
    """The same as another account."""
    return Http(http.app, http.sim, auth_id=OTHER_ID)


@pytest.fixture
def application(http: Http) -> str:
    """The id of an application in review, the only account's only one."""
    return http.sdk_created(alias="Acme Mumbai", callback_url="http://127.0.0.1:9/cb")
