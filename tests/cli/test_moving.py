"""``plivo-sim account move``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Mark
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import BrokenOff, Client, Unreachable
from plivo_sim.control import accounts
from plivo_sim.control.inputs import invalid
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


class Lossy:
    """The network between the command and the servers: of calls of these paths, each once, the
    call is lost (``before``) or its answer is (``after``)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *lost: tuple[str, str, BaseException]):
        self.lost = list(lost)
        control = Client.control

        def lossy(client: Client, method: str, path: str, body: Any = None, **query: Any) -> Any:
            found = [each for each in self.lost if method == "POST" and each[0] == path][:1]
            for each in found:
                self.lost.remove(each)
                if each[1] == "before":
                    raise each[2]
            answer = control(client, method, path, body, **query)
            for _, _, error in found:
                raise error
            return answer

        monkeypatch.setattr(Client, "control", lossy)


CUT = BrokenOff("the connection was cut")
LATE = Unreachable("no answer in time")
STOP = KeyboardInterrupt()


@pytest.mark.parametrize(
    ("lost", "ends", "told", "again"),
    [
        ([("/takeover", "after", CUT)], "new", "", ""),
        ([("/takeover", "after", LATE)], "new", "", ""),
        ([("/takeover", "after", STOP)], "new", "", ""),
        ([("/takeover", "before", CUT)], "old", "was cut", "new"),
        ([("/takeover", "before", STOP)], "old", "", "new"),
        ([("/takeover", "after", CUT), ("/takeover/end", "before", CUT)],
         "new", "not known whether", "new"),
        ([("/takeover", "before", CUT), ("/takeover/end", "before", STOP)],
         "", "interrupted; so it is not known whether", "new"),
        ([("/takeover", "before", CUT), ("/takeover/end", "after", CUT)],
         "", "not known whether", "old"),
        ([("/handover/end", "before", CUT)], "new", "may keep it, out of use", "new"),
        ([("/handover/end", "before", STOP)], "new", "may keep it, out of use", "new"),
        ([("/handover", "after", CUT)], "", "may keep MAXXXXXXXXXXXXXXXXX1 out of use", "new"),
        ([("/takeover", "before", CUT), ("/handover/end", "before", CUT)],
         "", "may keep MAXXXXXXXXXXXXXXXXX1 out of use", "old"),
        ([("/snapshot", "before", CUT)], "old", "was cut", "new"),
        ([("/snapshot", "before", CUT), ("/takeover/end", "before", CUT)],
         "new", "not known whether", "new"),
        ([("/snapshot", "before", CUT), ("/takeover/end", "after", CUT)],
         "", "not known whether", "old"),
        ([("/takeover", "after", CUT), ("/snapshot", "before", CUT)], "old", "was cut", "new"),
    ],
)  # fmt: skip
def test_it_is_in_use_at_one_server_whatever_is_lost(
    shell: Shell,
    emptied: LiveSimulator,
    target: LiveSimulator,
    monkeypatch: pytest.MonkeyPatch,
    lost: list[tuple[str, str, BaseException]],
    ends: str,
    told: str,
    again: str,
) -> None:
    """And what was written there meanwhile is there when the same command has gone on. ``ends``:
    where; empty: out of use at the old one."""
    auth_id = ACCOUNTS[1]
    callers = {
        "old": Http(create_app(emptied.sim), emptied.sim, auth_id),
        "new": Http(create_app(target.sim), target.sim, auth_id),
    }
    ids = [callers["old"].sdk_created()]
    callers["old"].control("POST", "/snapshot", {"name": "kept"}, account=auth_id)
    words = ("account", "move", auth_id, "--from", emptied.url, "--to", target.url)

    def places() -> str:
        found = [name for name, http in callers.items() if http.sim.accounts()]
        assert len(found) <= 1
        return "".join(found)

    with monkeypatch.context() as patched:
        Lossy(patched, *lost)
        done = shell.run(*words, code=None)
    assert told in done.stderr
    assert not ("not known" in done.stderr and "stays" in done.stderr)
    assert (done.exit_code == 0) == (lost[0][2] is not STOP and not told)
    assert places() == ends
    if ends:
        ids.append(callers[ends].sdk_created())
    if again:
        shell.run(*words, code=0 if again == "new" else None)
    assert places() == (again or ends)
    http = callers[again or ends]
    assert [each.id for each in http.account.store.applications.every()] == ids
    assert [*http.account.marks] == ["kept"]


def test_what_was_written_at_the_new_server_before_the_move_failed_stays(
    shell: Shell, emptied: LiveSimulator, target: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same command goes on."""
    auth_id = ACCOUNTS[1]
    old = Http(create_app(emptied.sim), emptied.sim, auth_id)
    new = Http(create_app(target.sim), target.sim, auth_id)
    ids = [old.sdk_created()]
    for name in ("kept", "lacking"):
        old.control("POST", "/snapshot", {"name": name}, account=auth_id)
    words = ("account", "move", auth_id, "--from", emptied.url, "--to", target.url)
    send = Client.control

    def cut(client: Client, method: str, path: str, body: Any = None, **query: Any) -> Any:
        if path == "/snapshot" and body["name"] == "lacking":
            ids.append(new.sdk_created())
            raise CUT
        return send(client, method, path, body, **query)

    with monkeypatch.context() as patched:
        patched.setattr(Client, "control", cut)
        told = shell.error(*words, code=1)
    assert f"is at {target.url}, not whole, without the snapshots lacking" in told
    assert (len(emptied.sim.accounts()), len(target.sim.accounts())) == (0, 1)
    assert old.get("EndUser/").status_code == 421
    shell.told(*words)
    assert [each.id for each in new.account.store.applications.every()] == ids
    assert [*new.account.marks] == ["kept", "lacking"]


def test_a_snapshot_that_cannot_be_given_is_told_before_anything_moves(
    shell: Shell, emptied: LiveSimulator, target: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = Http(create_app(emptied.sim), emptied.sim, ACCOUNTS[1])
    http.sdk_created()
    http.control("POST", "/snapshot", {"name": "large"}, account=ACCOUNTS[1])
    taken = []

    def too_large(account: Account, name: str) -> Mark:
        raise invalid("name", "its document has too many bytes")

    monkeypatch.setattr(accounts, "mark_named", too_large)
    monkeypatch.setattr(target.sim, "taking_over", lambda *given: taken.append(given))
    words = ("account", "move", ACCOUNTS[1], "--from", emptied.url, "--to", target.url)
    assert "too many bytes" in shell.error(*words, code=1)
    assert taken == []
    assert [each.auth_id for each in emptied.sim.accounts()] == [ACCOUNTS[1]]
    assert http.get("EndUser/").status_code == 200


def test_a_move_to_a_third_one_is_refused(
    shell: Shell, emptied: LiveSimulator, target: LiveSimulator
) -> None:
    """While it may be at the second."""
    http = Http(create_app(emptied.sim), emptied.sim, ACCOUNTS[1])
    http.sdk_created()
    http.control("POST", "/handover", {"to": "http://127.0.0.1:1"}, account=ACCOUNTS[1])
    words = ("account", "move", ACCOUNTS[1], "--from", emptied.url, "--to", target.url)
    told = shell.error(*words, code=1)
    assert "is being moved to http://127.0.0.1:1, and may be there already" in told
    assert f"/_sim/handover/end?account={ACCOUNTS[1]}" in told
    assert [*emptied.sim.accounts(), *target.sim.accounts()] == []
    emptied.sim.end_handover(ACCOUNTS[1], moved=False)
