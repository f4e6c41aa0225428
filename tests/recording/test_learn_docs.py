"""The page about learning is typed, line by line, with another service in Plivo's place."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Http
from tests.recording.test_learning import service as service
from tests.recording.traffic import AUTH_ID, REQUIREMENTS, TOKEN, Application, reads

pytestmark = pytest.mark.live

PAGE = Path(__file__).parents[2] / "docs" / "learn.md"
SERVICE = "https://api.plivo.com"


def lines() -> list[list[str]]:
    """The words of each command that the page has in a block of its own."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    found = [shlex.split(line) for block in blocks for line in block.splitlines()]
    return [words[1:] for words in found if words[0] == "plivo-sim"]


@pytest.fixture
def environment(service: LiveSimulator) -> dict[str, str]:
    """As the page sets it; the service's authority is trusted."""
    trusted = {"SSL_CERT_FILE": str(service.authority), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, "PLIVO_AUTH_ID": AUTH_ID, "PLIVO_AUTH_TOKEN": TOKEN, **trusted}


def start(words: list[str], environment: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "plivo_sim.cli", *words]
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)


@contextmanager
def running(words: list[str], environment: dict[str, str], folder: Path) -> Iterator[str]:
    """A command that goes on until it is stopped; its URL, from what it prints."""
    process = start(words, environment, folder)
    try:
        assert process.stdout is not None
        url = ""
        while not url:
            line = process.stdout.readline()
            assert line, "it ended"
            found = re.search(r"(?:at|browser) +(http://[0-9.:]+)", line)
            url = found[1] if found else ""
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_the_page_works(service: LiveSimulator, environment: Any, tmp_path: Path) -> None:
    """Learned and served; recorded, shown, compared: no drift with what was learned, and drift
    without it."""
    learn, serve, record, show, verify = lines()
    assert [words[0] for words in lines()] == ["learn", "serve", "record", "tape", "verify"]
    done = start([*learn, "--base-url", service.url], environment, tmp_path)
    assert "combinations" in done.communicate(timeout=60)[0]
    with running([*serve, "--port", "0", "--paused"], environment, tmp_path) as url:
        ours = Application(url).call("GET", REQUIREMENTS)
        fidelity = Http(url).send("GET", "/_sim/fidelity", {}).json()
    theirs = Application(service.url, authority=str(service.authority)).call("GET", REQUIREMENTS)
    assert ours["document_types"] == theirs["document_types"]
    assert [row for row in fidelity["rows"] if row["observed"]]
    instead = [service.url if word == SERVICE else word for word in record]
    with running([*instead, "--listen", "127.0.0.1:0"], environment, tmp_path) as url:
        reads(Application(url))
    shown = start(show, environment, tmp_path).communicate(timeout=60)[0]
    assert len(re.findall(r"exchange +GET", shown)) == 8
    assert "Requirements" in shown
    with_it = start(verify, environment, tmp_path)
    assert "no drift" in with_it.communicate(timeout=60)[0]
    assert with_it.returncode == 0
    without = start([*verify[:3], "--json"], environment, tmp_path)
    drift = json.loads(without.communicate(timeout=60)[0])["drift"]
    assert without.returncode == 1
    assert {"document_types[0].name"} <= {each["where"] for each in drift}
    assert drift[0]["recorded"] == "'Deed of Incorporation'"


def test_a_recorder_stays_on_loopback(environment: Any, tmp_path: Path) -> None:
    """Unless it is told."""
    words = ["record", "--upstream", SERVICE, "--out", "tape.jsonl", "--listen", "0.0.0.0:0"]
    process = subprocess.run(
        [sys.executable, "-m", "plivo_sim.cli", *words],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 2
    assert "--listen-anywhere" in process.stderr
    assert not (tmp_path / "tape.jsonl").exists()
    with running([*words, "--listen-anywhere"], environment, tmp_path) as url:
        assert url
