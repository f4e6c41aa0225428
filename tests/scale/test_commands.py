"""The commands and the pytest plugin, given nothing but the address of a proxy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scale.conftest import Cluster

pytestmark = [pytest.mark.live, pytest.mark.parametrize("cluster", ["haproxy"], indirect=True)]
ACCOUNTS = [f"MAXXXXXXXXXXXXXXXXX{end}" for end in "0123"]
SUITE = """
from pathlib import Path

import pytest

DATA = {"country_iso": "US", "number_type": "local", "end_user": {"type": "business", "name": "A"}}


@pytest.mark.parametrize("number", range(12))
def test_rejected(plivo_client, plivo_server, plivo_inbox, number):
    with Path("accounts").open("a") as file:
        print(plivo_server.auth_id, file=file)
    api = plivo_client.phone_number_compliance
    made = api.create(data=DATA | {"alias": f"case {number}", "callback_url": plivo_inbox.url})
    plivo_server.reject(made.compliance_id, "Name mismatch")
    plivo_server.advance(days=1)
    assert [each.json()["status"] for each in plivo_inbox.messages] == ["rejected"]
    assert all(each.signed for each in plivo_inbox.messages)
"""


def ran(cluster: Cluster, *words: str, code: int = 0, cwd: Path | None = None) -> str:
    """What the command says, on either stream; with PLIVO_SIM_URL alone."""
    done = subprocess.run(
        [sys.executable, "-m", *words], env=os.environ | {"PLIVO_SIM_URL": cluster.url}, cwd=cwd,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout


def command(cluster: Cluster, *words: str, code: int = 0) -> str:
    return ran(cluster, "plivo_sim.cli", *words, code=code)


def test_an_application_is_filed_and_decided(cluster: Cluster) -> None:
    """In an account of any server."""
    for auth_id in ACCOUNTS:
        assert "accepted" in command(cluster, "try", "--auth-id", auth_id)
        told = json.loads(command(cluster, "apps", "list", "--json", "--account", auth_id))
        (id,) = [each["id"] for each in told["applications"]]
        command(cluster, "apps", "suspend", id, "Complaints", "--account", auth_id)
        told = command(cluster, "apps", "reject", id, "--account", auth_id, code=1)
        assert f"--account {auth_id})" in told
        assert "suspended" in command(cluster, "apps", "why", id, "--account", auth_id)


def test_people_are_made_up(cluster: Cluster) -> None:
    """The command that is told next finds them."""
    told = command(cluster, "seed", "2").rpartition("see: plivo-sim ")[2].split()
    assert command(cluster, *told).count(" IN ") == 2


def test_scenarios_are_played(cluster: Cluster) -> None:
    """Each in an account of its own, wherever that is."""
    shipped = ("name-mismatch", "suspended", "webhook-retried", "stuck-in-review")
    assert command(cluster, "replay", *shipped, "--jobs", "2").count("\nholds ") == len(shipped)


def test_a_suite_passes(cluster: Cluster, tmp_path: Path) -> None:
    """Its accounts are on several servers."""
    (tmp_path / "test_it.py").write_text(SUITE)
    words = ("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    assert "12 passed" in ran(cluster, *words, cwd=tmp_path)
    used = (tmp_path / "accounts").read_text().split()
    assert len({cluster.server_of(each).url for each in used}) > 1


def test_run_starts_a_simulator_of_its_own(cluster: Cluster) -> None:
    """Whatever address is set."""
    shown = "import os; print(os.environ['PLIVO_SIM_URL'])"
    told = ran(cluster, "plivo_sim.cli", "run", "--", sys.executable, "-c", shown).strip()
    assert told.startswith("http://127.0.0.1:")
    assert told not in [cluster.url, *(each.url for each in cluster.servers)]


def test_who_names_no_account_is_told_so(cluster: Cluster) -> None:
    """The first server knows of its own accounts only, and says that it does."""
    command(cluster, "try", "--auth-id", ACCOUNTS[1])
    assert "PLIVO_SIM_ACCOUNT" in command(cluster, "apps", "list", code=1)
    for words in (("status",), ("account", "list")):
        assert "of one server alone" in command(cluster, *words)
