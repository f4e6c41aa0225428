"""``plivo-sim account move``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import read_setting
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.support import Http

EVEN, ODD = "*[02468]", "*[13579]"
ACCOUNTS = [f"MAXXXXXXXXXXXXXXXXX{n}" for n in range(4)]


@pytest.fixture
def target(tmp_path: Path) -> Iterator[LiveSimulator]:
    """The new one, which serves the odd ones."""
    settings = replace(PAUSED, state=tmp_path / "target", serves=read_setting("serves", ODD))
    with LiveSimulator(settings) as live:
        yield live


def test_one_account_moves(shell: Shell, emptied: LiveSimulator, target: LiveSimulator) -> None:
    for auth_id in ACCOUNTS[:2]:
        Http(create_app(emptied.sim), emptied.sim, auth_id).sdk_created()
    words = ("account", "move", ACCOUNTS[1], "--from", emptied.url, "--to", target.url)
    planned = shell.json(*words, "--dry-run")
    assert planned == {
        "moved": [],
        "planned": [{"account": ACCOUNTS[1], "from": emptied.url, "to": target.url}],
    }
    assert "would move" in shell.told(*words, "--dry-run")
    assert len(emptied.sim.accounts()) == 2
    told = shell.told(*words)
    assert ACCOUNTS[1] in told
    assert target.url in told
    assert [each.auth_id for each in target.sim.accounts()] == [ACCOUNTS[1]]
    assert [each.auth_id for each in emptied.sim.accounts()] == [ACCOUNTS[0]]


def test_a_new_ring_moves_those_that_it_moves(
    shell: Shell, emptied: LiveSimulator, target: LiveSimulator
) -> None:
    for auth_id in ACCOUNTS:
        Http(create_app(emptied.sim), emptied.sim, auth_id).sdk_created()
    ring = ("--ring", f"{emptied.url}={EVEN}", "--ring", f"{target.url}={ODD}")
    moved = shell.json("account", "move", "--from", emptied.url, *ring)
    assert [each["account"] for each in moved["moved"]] == [ACCOUNTS[1], ACCOUNTS[3]]
    assert [each.auth_id for each in target.sim.accounts()] == [ACCOUNTS[1], ACCOUNTS[3]]
    assert [each.auth_id for each in emptied.sim.accounts()] == [ACCOUNTS[0], ACCOUNTS[2]]
    again = shell.told("account", "move", "--from", emptied.url, *ring)
    assert again == "nothing to move: 2 stay\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((ACCOUNTS[0],), "give one of --to, --ring"),
        (("--to", "http://127.0.0.1:1"), "name the accounts"),
        (("MA1", "--to", "http://127.0.0.1:1"), "18 letters or digits"),
        ((ACCOUNTS[0], "--ring", "http://127.0.0.1:1"), "URL=RULE"),
        ((ACCOUNTS[0], "--ring", "http://127.0.0.1:1=7"), "no ending"),
        ((ACCOUNTS[0], "--ring", f"http://127.0.0.1:1={ODD}"), "is served by none"),
        ((ACCOUNTS[0], "--ring", "http://a=*", "--ring", "http://b=*"), "http://a and http://b"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    shell: Shell, emptied: LiveSimulator, words: tuple[str, ...], told: str
) -> None:
    assert told in shell.error("account", "move", "--from", emptied.url, *words, code=2)


def test_what_goes_wrong_leaves_it_where_it_was(
    shell: Shell, emptied: LiveSimulator, target: LiveSimulator
) -> None:
    """The new server does not serve it, has it already, or is not there."""
    for auth_id in ACCOUNTS[:2]:
        Http(create_app(emptied.sim), emptied.sim, auth_id).sdk_created()
    Http(create_app(target.sim), target.sim, ACCOUNTS[1]).sdk_created()
    for auth_id, url, told in (
        (ACCOUNTS[0], target.url, "not this server's"),
        (ACCOUNTS[1], target.url, "exists here"),
        (ACCOUNTS[1], "http://127.0.0.1:1", "nothing answers"),
        ("MAYYYYYYYYYYYYYYYYY1", target.url, "not found"),
    ):
        words = ("account", "move", auth_id, "--from", emptied.url, "--to", url)
        done = shell.run(*words, code=None)
        assert done.exit_code in (1, 3)
        assert told in done.stderr
    assert [each.auth_id for each in emptied.sim.accounts()] == ACCOUNTS[:2]
    assert len(target.sim.accounts()) == 1
