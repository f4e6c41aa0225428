"""A state directory that somebody removes, replaces, opens to others or owns, while it is used."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from plivo_sim.account.store import disk
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.errors import StateUnreadable
from tests.conftest import PAUSED, serving
from tests.control.support import OTHER_ID
from tests.support import AUTH_ID, Http

GONE = "was removed, replaced or changed by somebody else"


def journal_of(state: Path) -> Path:
    return state / "accounts" / AUTH_ID / "journal.jsonl"


def remove(state: Path) -> None:
    shutil.rmtree(state)


def move_away(state: Path) -> None:
    state.rename(state.with_name("elsewhere"))


def put_another_in_its_place(state: Path) -> None:
    """Another server's: its lock, its journal."""
    move_away(state)
    shutil.copytree(state.with_name("elsewhere"), state)


def replace_lock(state: Path) -> None:
    (state / "lock").unlink()
    (state / "lock").touch()


def remove_account(state: Path) -> None:
    shutil.rmtree(journal_of(state).parent)


def replace_journal(state: Path) -> None:
    """By one of the same content and more."""
    content = journal_of(state).read_bytes()
    journal_of(state).unlink()
    journal_of(state).write_bytes(content * 2)


def empty_journal(state: Path) -> None:
    journal_of(state).write_bytes(b"")


def write_more(state: Path) -> None:
    with journal_of(state).open("ab") as file:
        file.write(b"x")


WHOLE = [remove, move_away, put_another_in_its_place, replace_lock]
ACCOUNT = [remove_account, replace_journal, empty_journal, write_more]


def contents(state: Path) -> dict[str, bytes]:
    """All but uploads, which may be there before the record that needs them."""
    found = (path for path in state.rglob("*") if path.is_file() and path.parent.name != "files")
    return {str(path): path.read_bytes() for path in found}


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
@pytest.mark.parametrize("spoil", WHOLE + ACCOUNT)
def test_a_write_is_refused_and_says_why(
    tmp_path: Path, spoil: Callable[[Path], None], is_open: bool
) -> None:
    """Again and again, whether its journal is open or not; what lies there now is left alone, and
    reading goes on."""
    state = tmp_path / "state"
    with serving(state) as http:
        id = http.sdk_created()
        if not is_open:
            http.account.store.journal._let_go()
        spoil(state)
        lying = contents(state)
        for alias in ("first", "second"):
            answer = http.sdk_create(alias=alias)
            assert answer.status_code == 500
            assert GONE in answer.get_json()["error"]
        assert contents(state) == lying
        assert [a.id for a in http.account.store.applications.every()] == [id]
        assert http.get(f"PhoneNumber/Compliance/{id}/").status_code == 200
    assert contents(state) == lying


@pytest.mark.parametrize("spoil", WHOLE)
def test_nothing_new_begins_there_either(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """No account, no upload, no reset: another server may use the place by now."""
    state = tmp_path / "state"
    with serving(state) as http:
        http.sdk_created()
        spoil(state)
        lying = contents(state)
        other = Http(http.app, http.sim, auth_id=OTHER_ID)
        assert other.sdk_create().status_code == 500
        assert GONE in http.control("POST", "/reset", {"account": AUTH_ID}).get_json()["detail"]
    assert contents(state) == lying


@pytest.mark.parametrize("spoil", ACCOUNT)
def test_a_reset_begins_a_new_journal(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """Of the account whose own is gone."""
    state = tmp_path / "state"
    with serving(state) as http:
        http.sdk_created()
        spoil(state)
        assert http.control("POST", "/reset", {"account": AUTH_ID}).status_code == 200
        id = http.sdk_created()
    with serving(state) as again:
        assert [a.id for a in again.account.store.applications.every()] == [id]


def test_a_journal_that_comes_from_elsewhere_is_not_written_to(tmp_path: Path) -> None:
    """Where an account had none yet."""
    state = tmp_path / "state"
    with serving(state) as http:
        assert http.get("PhoneNumber/Compliance/").status_code == 200
        journal_of(state).parent.mkdir()
        journal_of(state).write_bytes(b"something")
        assert GONE in http.sdk_create().get_json()["error"]
    assert journal_of(state).read_bytes() == b"something"


# --- whose it is ----------------------------------------------------------------------------------


def modes(state: Path) -> dict[str, int]:
    """Of everything that is there."""
    return {
        str(path.relative_to(state.parent)): stat.S_IMODE(path.stat().st_mode)
        for path in [state, *state.rglob("*")]
    }


def test_what_is_made_is_the_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask lets through."""
    before = os.umask(0)
    try:
        with serving(tmp_path / "deep" / "state") as http:
            http.sdk_created()
            http.control("POST", "/reset", {"account": "all"})
            http.sdk_created()
    finally:
        os.umask(before)
    found = modes(tmp_path / "deep")
    assert len(found) > 6
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_what_was_open_to_others_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At the start, and the log tells of it; but the directory that was chosen is left as it is."""
    state = tmp_path / "state"
    with serving(state) as http:
        http.sdk_created()
    for path in [state, *state.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    with serving(state) as again:
        again.sdk_created()
        (account,) = (state / "accounts").iterdir()
        own = [state / "accounts", state / "lock", account, account / "journal.jsonl"]
        assert [oct(stat.S_IMODE(path.stat().st_mode) & 0o077) for path in own] == ["0o0"] * 4
        for path in own:
            assert re.search(rf"{path} was open to other users \(mode (755|644)\)", caplog.text)
    assert stat.S_IMODE(state.stat().st_mode) == 0o755


@pytest.mark.parametrize("place", ["accounts", "lock", f"accounts/{AUTH_ID}", "journal"])
def test_what_belongs_to_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """With a sentence that names it."""
    state = tmp_path / "state"
    with serving(state) as http:
        http.sdk_created()
    path = journal_of(state) if place == "journal" else state / place
    theirs, fstat = path.stat().st_ino, os.fstat

    def found(descriptor: int) -> os.stat_result:
        values = list(fstat(descriptor))
        if fstat(descriptor).st_ino == theirs:
            values[4] += 1
        return os.stat_result(values)

    monkeypatch.setattr(disk.os, "fstat", found)
    with pytest.raises(StateUnreadable, match=f"cannot use {path}: it belongs to another user"):
        make_simulator(replace(PAUSED, state=state))


def test_a_directory_that_everybody_may_write_to_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Others could remove what is in it; not where it has the sticky bit, as /tmp has."""
    tmp_path.chmod(0o1777)
    with serving(tmp_path):
        assert "every user" not in caplog.text
    tmp_path.chmod(0o777)
    with serving(tmp_path):
        assert f"every user may write to {tmp_path}" in caplog.text
