"""State that cannot be written or was damaged, as somebody meets it over HTTP."""

from __future__ import annotations

import html
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.store.files import sha256_of
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.cli.accounts import _status
from plivo_sim.cli.server import _greet
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.atoms.support import Atoms
from tests.conftest import PAUSED, serving
from tests.control.support import OTHER_ID, other_account
from tests.fakes import FULL, Disk
from tests.support import AUTH_ID, PDF, PNG, Http


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Http]:
    """A simulator that keeps its state on a disk."""
    with serving(tmp_path) as http:
        yield http


def current(http: Http) -> TestResponse:
    return http.sdk_create(alias="second")


def legacy(http: Http) -> TestResponse:
    return http.post("EndUser/", json={"name": "Acme", "end_user_type": "business"})


def beta(http: Http) -> TestResponse:
    (application,) = http.account.store.applications.every()
    path = f"PhoneNumber/Compliance/{application.id}/"
    return http.patch(path, json={"alias": "again"}, headers={"X-Plivo-Sim-Dialect": "beta"})


def control(http: Http) -> TestResponse:
    return http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"strict": "true"}})


def atoms(http: Http) -> TestResponse:
    return Atoms(http).submit()


def plain(body: Any) -> str:
    return str(body["error"])


CALLS: list[tuple[Callable[[Http], TestResponse], Callable[[Any], str]]] = [
    (current, plain),
    (legacy, plain),
    (beta, lambda body: str(body["error"]["message"])),
    (control, lambda body: str(body["detail"])),
]


@pytest.mark.parametrize("room", [0, 1, 200])
@pytest.mark.parametrize(("call", "text"), CALLS, ids=["current", "legacy", "beta", "control"])
def test_a_full_disk_is_told_in_the_dialects_words(
    on_disk: Http,
    disk: Disk,
    call: Callable[[Http], TestResponse],
    text: Callable[[Any], str],
    room: int,
) -> None:
    """500 with the file and the reason; nothing changed in memory or on disk, reading goes on,
    and once there is room the same call works."""
    id = on_disk.sdk_created()
    on_disk.decide(id, "rejected")
    store = on_disk.account.store
    before, kept = store.journal.path.read_bytes(), store.mark()
    disk.room = room
    answer = call(on_disk)
    assert answer.status_code == 500, answer.text
    assert f"annot write {store.journal.path}: {FULL}" in text(answer.get_json())
    assert store.mark() == kept
    assert store.journal.path.read_bytes() == before
    assert on_disk.get(f"PhoneNumber/Compliance/{id}/").status_code == 200
    disk.room = 1 << 30
    assert call(on_disk).status_code < 300


def test_a_full_disk_fails_atoms_too(on_disk: Http, disk: Disk) -> None:
    """In its own words; its account, which would have been the first write's, does not exist."""
    disk.room = 100
    answer = atoms(on_disk)
    assert answer.status_code == 500
    assert FULL in str(answer.get_json()["errors"])
    assert on_disk.sim.accounts() == []
    disk.room = 1 << 30
    assert atoms(on_disk).status_code < 300


def test_a_review_that_cannot_be_written_waits(on_disk: Http, disk: Disk) -> None:
    """It is due, so every request tries; once there is room it happens, once."""
    id = on_disk.sdk_created()
    disk.room = 0
    assert on_disk.control("POST", "/clock/advance", {"by": "30d"}).status_code == 500
    disk.room = 1 << 30
    on_disk.advance("30d")
    assert len(on_disk.account.store.applications.fetch(id).timeline) == 2


def test_what_a_full_disk_refused_is_not_there_after_a_restart(tmp_path: Path, disk: Disk) -> None:
    """What was acknowledged is."""
    with serving(tmp_path) as http:
        kept = [http.sdk_created(alias="before")]
        disk.room = 700
        assert http.sdk_create(alias="refused").status_code == 500
        disk.room = 1 << 30
        kept.append(http.sdk_created(alias="after"))
    with serving(tmp_path) as again:
        assert [a.id for a in again.account.store.applications.every()] == kept
        assert again.get("PhoneNumber/Compliance/").get_json()["meta"]["total_count"] == 2


def test_damaged_state_is_shown(tmp_path: Path) -> None:
    """By the health check and by ``plivo-sim status``: file, line, byte, and where the rest is."""
    with serving(tmp_path) as http:
        http.sdk_created()
        journal_file = http.account.store.journal.path
        size = journal_file.stat().st_size
        http.sdk_created(alias="lost")
    content = bytearray(journal_file.read_bytes())
    content[size + 100] ^= 1
    journal_file.write_bytes(content)
    with serving(tmp_path) as again:
        health = again.control("GET", "/health").get_json()
        assert len(again.account.store.applications) == 1
    (damage,) = health["damages"]
    assert damage["file"] == str(journal_file)
    assert (damage["offset"], damage["size_bytes"]) == (size, len(content) - size)
    assert Path(damage["kept_in"]).read_bytes() == content[size:]
    shown = _status("http://localhost", {"health": health, "accounts": [], "serves": ""})
    assert f"{journal_file} at line {damage['line']}, byte {size}" in shown
    assert damage["kept_in"] in shown


def test_a_start_greets_with_the_damage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can overlook it; whole state is greeted without."""
    settings = replace(PAUSED, state=tmp_path)
    with serving(tmp_path) as http:
        http.sdk_created()
        journal_file = http.account.store.journal.path
    with LiveSimulator(settings) as live:
        _greet(live, settings)
    assert "DAMAGED" not in capsys.readouterr().out
    content = bytearray(journal_file.read_bytes())
    content[-20] ^= 1
    journal_file.write_bytes(content)
    with LiveSimulator(settings) as live:
        _greet(live, settings)
        (damage,) = live.sim.damages
    assert f"  DAMAGED STATE     {damage}\n" in capsys.readouterr().out


def test_uploads_stay_when_the_journal_is_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a loss of power may leave it: told by greeting, health and console, at every start; a
    reset does not take them either."""
    settings = replace(PAUSED, state=tmp_path)
    with serving(tmp_path) as http:
        http.sdk_created()
        journal_file = http.account.store.journal.path
    uploads = {each.name: each.read_bytes() for each in (journal_file.parent / "files").iterdir()}
    journal_file.write_bytes(b"")
    for _ in range(2):
        with LiveSimulator(settings) as live:
            _greet(live, settings)
            (damage,) = live.sim.damages
        assert f"  DAMAGED STATE     {damage}\n" in capsys.readouterr().out
    with serving(tmp_path) as again:
        (told,) = again.control("GET", "/health").get_json()["damages"]
        assert (told["file"], told["size_bytes"]) == (
            str(journal_file),
            sum(map(len, uploads.values())),
        )
        assert told["kept_in"] in again.get(f"/console/{AUTH_ID}/").text
        again.sdk_created()
        again.account.reset()
    kept = {each.name: each.read_bytes() for each in Path(told["kept_in"]).iterdir()}
    assert kept == uploads != {}


def test_an_account_whose_journal_is_full_of_zeros_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a loss of power may leave it: told by greeting and health; the others are served."""
    settings = replace(PAUSED, state=tmp_path)
    with serving(tmp_path) as http:
        http.sdk_created()
        id = other_account(http).sdk_created()
        journal_file = http.account.store.journal.path
    journal_file.write_bytes(bytes(journal_file.stat().st_size))
    for _ in range(2):
        with LiveSimulator(settings) as live:
            _greet(live, settings)
            told = capsys.readouterr().out
            assert live.sim.damages
            assert all(f"  DAMAGED STATE     {each}\n" in told for each in live.sim.damages)
            other = live.sim.account(OTHER_ID)
            assert id in [each.id for each in other.store.applications.every()]


@pytest.mark.parametrize(
    ("calls", "paused", "rate"),
    [
        (["pause"], True, 1.0),
        (["pause", "resume"], False, 1.0),
        (["rate"], False, 3600.0),
        (["rate", "pause"], True, 3600.0),
    ],
)
def test_a_clock_goes_on_after_a_kill_as_it_was_set(
    tmp_path: Path, calls: list[str], paused: bool, rate: float
) -> None:
    """The directory as a kill leaves it: copied while the simulator runs."""
    running = replace(PAUSED, paused=False, state=tmp_path / "state")
    sim = make_simulator(running, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    http.sdk_created()
    for call in calls:
        body = {"account": AUTH_ID} | ({"rate": 3600} if call == "rate" else {})
        told = http.control("POST", f"/clock/{call}", body).get_json()
    shutil.copytree(tmp_path / "state", tmp_path / "killed")
    sim.close()
    again = make_simulator(replace(running, state=tmp_path / "killed"))
    clock = again.account(AUTH_ID).clock
    assert (clock.paused, clock.rate) == (paused, rate)
    if paused:
        assert f"{clock.now():%Y-%m-%dT%H:%M:%S.%fZ}" == told["now"]
    again.close()


def test_whole_state_shows_no_damage(on_disk: Http) -> None:
    """An empty list."""
    assert on_disk.control("GET", "/health").get_json()["damages"] == []


# --- uploads that are not what they were ---------------------------------------------------------


def remove(upload: Path) -> str:
    """It is gone; returns what is said of it."""
    upload.unlink()
    return f"he uploaded file {upload.name} of this account is missing"


def write_over(upload: Path) -> str:
    """Another PDF of the same length; returns what is said of it."""
    upload.write_bytes(PDF[:-1] + b"?")
    return f"{upload} is damaged: its content is not what was uploaded"


def download(http: Http, id: str, document: str) -> TestResponse:
    return http.get(f"PhoneNumber/Compliance/{id}/Document/{document}/download/")


def beta_download(http: Http, id: str, document: str) -> TestResponse:
    path = f"PhoneNumber/Compliance/{id}/Document/{document}/download/"
    return http.get(path, headers={"X-Plivo-Sim-Dialect": "beta"})


def shown_file(http: Http, id: str, document: str) -> TestResponse:
    return http.get(f"/console/{AUTH_ID}/applications/{id}/documents/{document}/file")


def saved(http: Http, *_: str) -> TestResponse:
    return http.control("GET", "/snapshot/before", account=AUTH_ID)


def shown_snapshot(http: Http, *_: str) -> TestResponse:
    return http.get(f"/console/{AUTH_ID}/account/snapshot.json", query_string={"name": "before"})


FILES: list[Callable[..., TestResponse]] = [
    download, beta_download, shown_file, saved, shown_snapshot,
]  # fmt: skip


def filed(http: Http) -> tuple[str, str, Path]:
    """An application, its first document, where that one's file lies; and a snapshot of it all."""
    id = http.sdk_created(files={0: (PDF, "a.pdf"), 1: (PNG, "b.png")})
    document, _ = http.account.store.applications.fetch(id).document_ids
    assert http.control("POST", "/snapshot", {"name": "before"}).status_code == 201
    return id, document, http.account.store.journal.path.with_name("files") / sha256_of(PDF)


@pytest.mark.parametrize("spoil", [remove, write_over])
@pytest.mark.parametrize("call", FILES)
def test_no_other_bytes_are_served_under_a_files_name(
    on_disk: Http, call: Callable[..., TestResponse], spoil: Callable[[Path], str]
) -> None:
    """500 in the surface's words, which say which file it is; the records can still be read."""
    id, document, upload = filed(on_disk)
    assert call(on_disk, id, document).status_code == 200
    sentence = spoil(upload)
    answer = call(on_disk, id, document)
    assert answer.status_code == 500
    assert sentence in html.unescape(answer.text)
    assert on_disk.get(f"PhoneNumber/Compliance/{id}/").status_code == 200


@pytest.mark.parametrize("brings", [True, False], ids=["with its files", "without"])
@pytest.mark.parametrize(("spoil", "status"), [(remove, 400), (write_over, 500)])
def test_a_document_with_its_files_mends_them(
    on_disk: Http, spoil: Callable[[Path], str], status: int, brings: bool
) -> None:
    """One that relies on what lies in the account is refused."""
    id, document, upload = filed(on_disk)
    kept = saved(on_disk).get_json()
    spoil(upload)
    kept |= {} if brings else {"files": {}}
    answer = on_disk.control("POST", "/restore", {"account": AUTH_ID, "snapshot": kept})
    assert answer.status_code == (200 if brings else status)
    assert (download(on_disk, id, document).data == PDF) is brings


# --- what is no file or folder of ours -----------------------------------------------------------


def swap(folder: Path) -> None:
    """The journals of two accounts change places."""
    first, second = ((folder / "accounts" / name / "journal.jsonl") for name in (AUTH_ID, OTHER_ID))
    first.rename(folder / "first")
    second.rename(first)
    (folder / "first").rename(second)


def link_folder(folder: Path) -> None:
    """An account's folder is moved away, and a link put into its place."""
    account = folder / "accounts" / AUTH_ID
    account.rename(folder.parent / "elsewhere")
    account.symlink_to(folder.parent / "elsewhere")


def rename_account(folder: Path) -> None:
    """An account's folder gets the name of a subaccount."""
    account = folder / "accounts" / AUTH_ID
    account.rename(account.with_name(f"SA{AUTH_ID[2:]}"))


def make_fifo(place: str) -> Callable[[Path], None]:
    """Somebody puts a FIFO there, which nobody writes to."""

    def make(folder: Path) -> None:
        (folder / place).unlink(missing_ok=True)
        os.mkfifo(folder / place)

    return make


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (swap, f"is the journal of account {OTHER_ID}, in the folder of another"),
        (link_folder, "is no folder"),
        (make_fifo(f"accounts/{AUTH_ID}/journal.jsonl"), "a link, a FIFO or a device, not a file"),
        (make_fifo("lock"), "a link, a FIFO or a device, not a file"),
        (make_fifo("accounts/MAZZZZZZZZZZZZZZZZZZ"), "is no folder"),
        (rename_account, "has the name of a subaccount, which holds nothing"),
    ],
    ids=["swapped journals", "linked folder", "journal", "lock", "account", "subaccount"],
)
def test_what_is_not_ours_is_refused(
    tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    """With a sentence, and at once."""
    state = tmp_path / "state"
    with serving(state) as http:
        http.sdk_created()
        other_account(http)
    spoil(state)
    with pytest.raises(StateUnreadable, match=sentence):
        make_simulator(replace(PAUSED, state=state))


def test_a_receiver_with_control_characters(tmp_path: Path) -> None:
    """The same; but no document brings one along."""
    wrong = "http://127.0.0.1:9/\r\n"
    with serving(tmp_path) as http:
        http.sdk_created()
        with http.account.transaction():
            http.account.overrides = {"callback_url": wrong}
            http.account.keep_ledger()
    with serving(tmp_path) as http:
        assert http.account.overrides == {"callback_url": wrong}
        http.control("POST", "/snapshot", {"name": "s", "account": AUTH_ID})
        document = http.control("GET", "/snapshot/s", account=AUTH_ID).get_json()
        body = {"snapshot": document, "account": AUTH_ID}
        assert http.control("POST", "/restore", body).status_code == 400


def test_a_receiver_that_no_request_can_have(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Older versions took one: the account is served, nothing of it is lost, and it is told, by a
    restore of it too. Nobody can set one any more."""
    wrong = "http://127.0.0.1:9/a b"
    with serving(tmp_path) as http:
        http.decide(http.sdk_created(callback_url="http://127.0.0.1:9/"), "accepted")
        (delivery,) = http.account.store.deliveries.every()
        with http.account.transaction():
            http.account.overrides = {"callback_url": wrong}
            http.account.keep_ledger()
            http.account.store.deliveries.put(msgspec.structs.replace(delivery, url=wrong))
    with serving(tmp_path) as http:
        for _ in range(2):
            assert f"{AUTH_ID}: no request can have its callback_url '{wrong}'" in caplog.text
            (own,) = http.control("GET", "/accounts").get_json()["accounts"]
            assert own["settings"] == {"callback_url": wrong}
            (kept,) = http.control("GET", "/webhooks").get_json()["webhooks"]
            assert kept["url"] == wrong
            http.control("POST", "/snapshot", {"name": "s", "account": AUTH_ID})
            document = http.control("GET", "/snapshot/s", account=AUTH_ID).get_json()
            http.decide(http.sdk_created(alias="Second"), "accepted")
            assert http.control("GET", "/webhooks").get_json()["total_count"] == 1
            caplog.clear()
            body = {"snapshot": document, "account": AUTH_ID}
            assert http.control("POST", "/restore", body).status_code == 200
        again = http.control("POST", f"/webhooks/{kept['id']}/replay")
        assert again.status_code < 300, again.text
        settings = {"auth_id": AUTH_ID, "settings": {"callback_url": wrong}}
        assert http.control("POST", "/accounts", settings).status_code == 400
