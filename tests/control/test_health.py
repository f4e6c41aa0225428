"""Whether it lives and whether it is ready."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from plivo_sim.account.store.directory import PROBE
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.support import Http


def test_it_lives_and_is_ready(http: Http) -> None:
    """In memory nothing can be in the way."""
    assert http.get("/_sim/health/live").get_json() == {"status": "ok"}
    ready = http.get("/_sim/health/ready")
    assert (ready.status_code, ready.get_json()) == (200, {"status": "ready", "reasons": []})


def test_a_client_learns_which_version_it_speaks_to(http: Http) -> None:
    """The documents are those of the package that answers (docs/stability.md)."""
    told = http.get("/_sim/health").get_json()["version"]
    document = http.get("/_sim/openapi/control.json").get_json()
    assert told == document["info"]["version"] == metadata.version("plivo-sim")


def test_it_is_not_ready_while_it_stops(http: Http) -> None:
    """But it lives."""
    http.sim.stopping = True
    ready = http.get("/_sim/health/ready")
    assert ready.status_code == 503
    assert ready.get_json() == {"status": "unready", "reasons": ["is shutting down"]}
    assert http.get("/_sim/health/live").status_code == 200


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_asking_writes_through_no_link(tmp_path: Path) -> None:
    """Somebody who may write to the directory has put one where the look is taken."""
    state, target = tmp_path / "state", tmp_path / "target"
    target.write_text("kept", "utf-8")
    sim = make_simulator(replace(PAUSED, state=state), transport=MemoryTransport())
    try:
        (state / f".ready-{os.getpid()}").symlink_to(target)
        http = Http(create_app(sim), sim)
        assert http.get("/_sim/health/ready").status_code == 200
        left = {path.name for path in state.iterdir() if not path.is_symlink()}
        assert left == {"accounts", "holder", "lock"}
    finally:
        sim.close()
    assert target.read_text("utf-8") == "kept"


def test_what_a_killed_server_has_left_of_a_look_goes_with_the_next_start(tmp_path: Path) -> None:
    """Others' files stay."""
    state = tmp_path / "state"
    state.mkdir()
    for name in (f"{PROBE}0123456789abcdef", "ready", ".other"):
        (state / name).write_bytes(b"x")
    make_simulator(replace(PAUSED, state=state), transport=MemoryTransport()).close()
    assert {path.name for path in state.iterdir()} == {
        "accounts", "holder", "lock", "ready", ".other",
    }  # fmt: skip


def test_it_is_not_ready_when_nothing_can_be_written(tmp_path: Path) -> None:
    """The directory is gone, say, or the disk is full."""
    state = tmp_path / "state"
    sim = make_simulator(replace(PAUSED, state=state), transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    assert http.get("/_sim/health/ready").status_code == 200
    assert not list(state.glob(".ready*"))
    state.rename(tmp_path / "elsewhere")
    ready = http.get("/_sim/health/ready")
    sim.close()
    assert ready.status_code == 503
    assert ready.get_json()["reasons"] == [f"cannot write to {state}: No such file or directory"]
