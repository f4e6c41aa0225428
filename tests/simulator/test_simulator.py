"""Accounts of a simulator: which exist, what reads do not do, what a seed decides."""

from __future__ import annotations

import gc
import json
import os
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import AccountRequired, NotFound, StateUnreadable
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.simulator import accounts as accounts_module
from tests.control.test_explanations import evaluate
from tests.fakes import Gate, Wall, all_at_once, meanwhile
from tests.support import AUTH_ID, Http

OTHER = "MAYYYYYYYYYYYYYYYYYY"
CALLBACK = "http://127.0.0.1:9/cb"

Maker = Callable[..., Http]


class SecondTry:
    """A transport whose receivers fail at every first attempt."""

    def send(self, request: Outgoing) -> Answer:
        return Answer(status=500 if dict(request.headers)["X-Plivo-Sim-Attempt"] == "1" else 200)


@pytest.fixture
def make() -> Iterator[Maker]:
    """Makes simulators with paused clocks, and closes them."""
    made: list[Simulator] = []

    def maker(**chosen: Any) -> Http:
        values = {"paused": True, "review_delay": None} | chosen
        made.append(make_simulator(Settings(**values), transport=SecondTry(), real=Wall()))
        return Http(create_app(made[-1]), made[-1])

    yield maker
    for sim in made:
        sim.close()


# --- which accounts there are ----------------------------------------------------------------


def test_the_first_write_makes_an_account(http: Http) -> None:
    """Not the reads before it."""
    http.get("PhoneNumber/Compliance/")
    assert http.sim.accounts() == []
    http.sdk_created()
    assert [account.auth_id for account in http.sim.accounts()] == [AUTH_ID]


def test_a_refused_write_makes_none(http: Http) -> None:
    """Nothing was written."""
    assert http.sdk_create(alias=None).status_code == 400
    assert http.sim.accounts() == []


def test_accounts_are_listed_by_their_ids(http: Http) -> None:
    """Whichever was written to first: a restart could not tell."""
    other = Http(http.app, http.sim, auth_id=OTHER)
    http.get("PhoneNumber/Compliance/")
    other.sdk_created()
    http.sdk_created()
    assert [account.auth_id for account in http.sim.accounts()] == [AUTH_ID, OTHER]


def test_the_only_account_is_found(http: Http) -> None:
    """With none, or several, it must be named."""
    with pytest.raises(AccountRequired):
        http.sim.only_account()
    http.sdk_created()
    assert http.sim.only_account().auth_id == AUTH_ID
    Http(http.app, http.sim, auth_id=OTHER).sdk_created()
    with pytest.raises(AccountRequired) as required:
        http.sim.only_account()
    assert required.value.accounts == (AUTH_ID, OTHER)


def test_an_application_is_found_in_whichever_account(http: Http) -> None:
    """Ids are unique."""
    http.sdk_created()
    id = Http(http.app, http.sim, auth_id=OTHER).sdk_created()
    assert http.sim.account_of_application(id).auth_id == OTHER
    assert http.sim.decide(id, "accepted").status == "accepted"
    with pytest.raises(NotFound):
        http.sim.account_of_application("nobody")


def test_two_first_writers_make_one_account(http: Http) -> None:
    """However they race: nothing of either is lost."""
    for number in range(10):
        auth_id = f"MA{number:018}"
        other = Http(http.app, http.sim, auth_id=auth_id)
        made = all_at_once(*[other.sdk_created] * 4)
        account = http.sim.account(auth_id)
        assert sorted(a.id for a in account.store.applications.every()) == sorted(made)
    assert len(http.sim.accounts()) == 10


def test_a_held_account_is_the_one_that_others_get(sim: Simulator) -> None:
    """Though it is not stored: two requests at once must write into the same."""
    first = sim.account(AUTH_ID)
    assert sim.account(AUTH_ID) is first


def test_unwritten_accounts_are_forgotten(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for a million of them fills no memory."""
    monkeypatch.setattr(accounts_module, "MOST_UNUSED", 8)
    asked_for = [weakref.ref(sim.account(f"MA{number:018}")) for number in range(50)]
    gc.collect()
    assert sum(each() is not None for each in asked_for) < 20
    assert sim.accounts() == []


def test_a_written_account_is_never_forgotten(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others are asked for."""
    monkeypatch.setattr(accounts_module, "MOST_UNUSED", 2)
    id = http.sdk_created()
    for number in range(20):
        http.sim.account(f"MA{number:018}")
    gc.collect()
    assert http.sim.account_of_application(id) is http.sim.account(AUTH_ID)


# --- reads change nothing --------------------------------------------------------------------


def readings(http: Http, id: str) -> list[tuple[str, str]]:
    """Every way of looking."""
    base = f"/v1/Account/{http.auth_id}"
    document = http.sim.account(AUTH_ID).store.applications.fetch(id).document_ids[0]
    return [
        ("GET", f"{base}/PhoneNumber/Compliance/"),
        ("GET", f"{base}/PhoneNumber/Compliance/?status=accepted&limit=1&offset=3"),
        ("GET", f"{base}/PhoneNumber/Compliance/{id}/?expand=end_user,documents"),
        ("GET", f"{base}/PhoneNumber/Compliance/{id}/Document/{document}/download/"),
        ("GET", f"{base}/PhoneNumber/Compliance/nobody/"),
        ("GET", f"{base}/PhoneNumber/Compliance/Requirements/?country_iso=IN"),
        ("GET", f"{base}/EndUser/"),
        ("GET", f"{base}/ComplianceApplication/{id}/"),
        ("GET", f"{base}/nonsense/"),
        ("OPTIONS", f"{base}/PhoneNumber/Compliance/"),
        ("GET", f"/_sim/clock?account={http.auth_id}"),
        ("GET", f"/_sim/applications?account={http.auth_id}"),
        ("GET", f"/_sim/webhooks?account={http.auth_id}"),
        ("GET", f"/_sim/applications/{id}"),
        ("GET", "/_sim/accounts"),
        ("GET", "/_sim/health"),
    ]


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_reads_change_no_byte_on_disk(make: Maker, tmp_path: Path) -> None:
    """Whoever looks, at whatever, with whatever token."""
    http = make(state=tmp_path)
    id = http.sdk_created(callback_url=CALLBACK)
    http.advance("3d")
    before = files_below(tmp_path)
    for method, path in readings(http, id):
        for token in ("my_auth_token", "another"):
            http.token = token
            http.call(method, path)
    assert files_below(tmp_path) == before
    assert before


def test_reads_on_unknown_accounts_store_nothing(make: Maker, tmp_path: Path) -> None:
    """No folder, no account; the answers are those of an empty one."""
    http = make(state=tmp_path)
    id = http.sdk_created()
    before = files_below(tmp_path)
    other = Http(http.app, http.sim, auth_id=OTHER)
    for method, path in readings(other, id):
        other.call(method, path)
    assert other.get("PhoneNumber/Compliance/").get_json()["meta"]["total_count"] == 0
    assert files_below(tmp_path) == before
    assert [account.auth_id for account in http.sim.accounts()] == [AUTH_ID]


def test_reads_move_neither_ids_nor_dice(make: Maker) -> None:
    """What is made after a hundred looks has the id that it would have had."""
    quiet, asked = make(), make()
    for http in (quiet, asked):
        http.sdk_created()
    (application,) = asked.account.store.applications.every()
    for method, path in readings(asked, application.id) * 3:
        asked.call(method, path)
    assert quiet.sdk_created(alias="two") == asked.sdk_created(alias="two")


# --- seeds -----------------------------------------------------------------------------------


def history(http: Http) -> Any:
    """What a client sees of a fixed series of calls, ids of answers included."""
    seen: list[Any] = []
    made = []
    for number in range(3):
        answer = http.sdk_create(alias=f"A{number}", callback_url=CALLBACK)
        seen.append(answer.get_json())
        made.append(answer.get_json()["compliance_id"])
    seen.append(http.decide(made[0], "rejected", "No.").get_json())
    seen.append(http.advance("9d")["happenings"])
    seen.append(http.get(f"PhoneNumber/Compliance/{made[0]}/?expand=documents").get_json())
    seen.append(http.delete(f"PhoneNumber/Compliance/{made[0]}/").get_json())
    seen.append(http.get("PhoneNumber/Compliance/").get_json())
    return seen


def test_the_same_seed_and_calls_give_the_same_answers(make: Maker) -> None:
    """Word for word, in another simulator."""
    assert history(make()) == history(make())


def test_another_seed_gives_other_ids_and_the_same_outcomes(make: Maker) -> None:
    """No id is shared; what happens when is."""
    first, second = history(make(seed=1)), history(make(seed=2))
    assert not ids_in(first) & ids_in(second)
    assert [h["to"] for h in first[4] if "to" in h] == [h["to"] for h in second[4] if "to" in h]


def test_another_account_gives_other_ids(make: Maker) -> None:
    """Ids are unique across a simulator's accounts."""
    http = make()
    first = history(http)
    second = history(Http(http.app, http.sim, auth_id=OTHER))
    shared = ids_in(first) & ids_in(second)
    catalogue = http.sim.catalogue
    assert shared <= catalogue.by_id.keys() | catalogue.types_by_id.keys()


def ids_in(seen: Any) -> set[str]:
    """Everything in an answer that looks like an id."""
    return {
        word for word in json.dumps(seen).split('"') if len(word) == 36 and word.count("-") == 4
    }


def test_a_reset_account_repeats_itself(make: Maker) -> None:
    """As if it had never been used."""
    http = make()
    first = history(http)
    http.sim.remove(http.account)
    assert history(http) == first


def test_a_restart_in_the_middle_changes_no_id(make: Maker, tmp_path: Path) -> None:
    """The records of two runs are those of one."""
    whole = make()
    for number in range(4):
        whole.sdk_created(alias=f"A{number}")
    whole.advance("9d")
    for number in range(2):
        http = make(state=tmp_path)
        http.sdk_created(alias=f"A{2 * number}")
        http.sdk_created(alias=f"A{2 * number + 1}")
        http.sim.close()
    http = make(state=tmp_path)
    http.advance("9d")
    assert list(http.account.store.applications.every()) == list(
        whole.account.store.applications.every()
    )


# --- the state directory ---------------------------------------------------------------------


def test_a_directory_serves_one_simulator(make: Maker, tmp_path: Path) -> None:
    """A second one is refused clearly; once the first is closed it works."""
    first = make(state=tmp_path)
    first.sdk_created()
    with pytest.raises(StateUnreadable, match="in use by another plivo-sim"):
        make(state=tmp_path)
    first.sim.close()
    assert len(make(state=tmp_path).sim.accounts()) == 1


def test_a_refused_directory_is_let_go_of(make: Maker, tmp_path: Path) -> None:
    """After what was wrong is mended, the same process can open it."""
    first = make(state=tmp_path)
    first.sdk_created()
    first.sim.close()
    journal = tmp_path / "accounts" / AUTH_ID / "journal.jsonl"
    good = journal.read_bytes()
    journal.write_bytes(b"spoilt\n" * 9)
    with pytest.raises(StateUnreadable, match="not a plivo-sim journal"):
        make(state=tmp_path)
    journal.write_bytes(good)
    assert len(make(state=tmp_path).sim.accounts()) == 1


@pytest.mark.parametrize("change", ["seed", "catalogue"])
def test_records_of_another_seed_or_catalogue_are_refused(
    make: Maker, tmp_path: Path, change: str
) -> None:
    """Their requirements would be unknown; the sentence says what to do."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "requirements: [{version: current, country: XX, number_types: [local],"
        " user_types: [business], documents: []}]"
    )
    http = make(state=tmp_path / "state", catalogue=own)
    wanted: dict[str, Any] = {"country_iso": "XX", "documents": [], "files": {}}
    http.sdk_created(**(wanted if change == "catalogue" else {}))
    http.sim.close()
    changed = {"seed": {"seed": 2, "catalogue": own}, "catalogue": {}}[change]
    with pytest.raises(StateUnreadable, match=f"account {AUTH_ID}.*--seed or --catalogue"):
        make(state=tmp_path / "state", **changed)
    assert len(make(state=tmp_path / "state", catalogue=own).sim.accounts()) == 1


def test_a_directory_that_cannot_be_made_is_refused(make: Maker, tmp_path: Path) -> None:
    """Here a file is in its place."""
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(StateUnreadable, match="cannot use"):
        make(state=tmp_path / "state")


def test_strange_things_in_the_directory_are_left_alone(make: Maker, tmp_path: Path) -> None:
    """A folder that is no account, a leftover of a compaction."""
    http = make(state=tmp_path)
    id = http.sdk_created()
    http.sim.close()
    auth_id = tmp_path / "accounts" / AUTH_ID
    (auth_id / "journal.new").write_bytes(b"half")
    (tmp_path / "accounts" / "notes").mkdir()
    shutil.copytree(auth_id, tmp_path / "accounts" / "backup")
    http = make(state=tmp_path)
    assert [account.auth_id for account in http.sim.accounts()] == [AUTH_ID]
    assert http.get(f"PhoneNumber/Compliance/{id}/").status_code == 200


def test_uploaded_files_come_back_after_a_restart(make: Maker, tmp_path: Path) -> None:
    """Byte for byte, from the download URL."""
    http = make(state=tmp_path)
    id = http.sdk_created()
    http.sim.close()
    http = make(state=tmp_path)
    document = http.account.store.applications.fetch(id).document_ids[0]
    answer = http.get(f"PhoneNumber/Compliance/{id}/Document/{document}/download")
    assert answer.data == http.account.files.read(
        http.account.store.documents.fetch(document).file.sha256
    )
    assert answer.data.startswith(b"%PDF-")


def test_what_is_written_to_a_replaced_account_goes_nowhere(make: Maker) -> None:
    """A call that was being served when the simulator began anew does not bring its account back
    in the place of the new one."""
    http = make()
    http.sdk_created()
    replaced = http.account
    http.sim.begin_anew(http.sim.settings)
    replaced.keep_ledger()
    assert (http.sim.accounts(), http.account is replaced) == ([], False)


def test_a_wrong_catalogue_does_not_begin_anew(make: Maker, tmp_path: Path) -> None:
    """What there is stays."""
    http = make()
    http.sdk_created()
    (tmp_path / "wrong.yaml").write_text("nothing")
    with pytest.raises(ValueError, match=r"wrong\.yaml"):
        http.sim.begin_anew(Settings(catalogue=tmp_path / "wrong.yaml"))
    assert len(http.sim.accounts()) == 1


def test_beginning_anew_retires_every_account(make: Maker) -> None:
    """Written or only read: whoever still holds one holds nothing that is served."""
    http = make()
    other = Http(http.app, http.sim, auth_id=OTHER)
    written, read = http.account, other.account
    http.sdk_created()
    http.sim.begin_anew(http.sim.settings)
    assert [each.retired for each in (written, read)] == [True, True]
    assert [http.account.retired, other.account.retired] == [False, False]
    assert http.account is not written
    assert other.account is not read


def test_beginning_anew_leaves_nothing_of_the_server_either(make: Maker) -> None:
    """Inboxes, calls that reached no account, accounts that are being moved or were: a test found
    those of the one before."""
    http = make()

    def kept() -> list[int]:
        inbox, lost = http.get("/_sim/inbox/mine/messages"), http.get("/_sim/unmatched")
        return [len(inbox.get_json()["messages"]), len(lost.get_json()["unmatched"])]

    moving, moved = (Http(http.app, http.sim, auth_id=f"MA{c * 18}") for c in "AB")
    for each in (moving, moved):
        each.account.keep_ledger()
        http.sim.hand_over(each.auth_id, "http://127.0.0.1:9")
    http.sim.end_handover(moved.auth_id, moved=True)
    http.post("/_sim/inbox/mine", data=b"{}")
    http.get("/v1/nowhere")
    assert kept() == [1, 1]
    http.sim.begin_anew(http.sim.settings)
    assert kept() == [0, 0]
    assert [each.account.retired for each in (moving, moved)] == [False, False]
    assert http.sim.accounts() == []


# --- what many accounts take -------------------------------------------------------------------


def test_accounts_that_were_reset_are_forgotten(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like those that were never written to."""
    monkeypatch.setattr(accounts_module, "MOST_UNUSED", 8)
    http = make()
    made = []
    for number in range(30):
        account = http.sim.account(f"MA{number:018}")
        account.keep_ledger()
        made.append(weakref.ref(account))
        http.sim.remove(account)
    del account
    gc.collect()
    assert sum(each() is not None for each in made) < 12
    assert http.sim.accounts() == []


def test_the_requests_of_many_accounts_share_a_budget(make: Maker) -> None:
    """And with them the inboxes: accounts that read with long headers hold no more together."""
    http = make()
    http.sim.memory.most_bytes = 1_000_000
    accounts = []
    for number in range(200):
        caller = Http(http.app, http.sim, auth_id=f"MA{number:018}")
        caller.account.keep_ledger()
        accounts.append(caller.account)
        caller.get("PhoneNumber/Compliance/", headers={"X-Long": "x" * 20_000})
        if number % 10 == 0:
            http.post(f"/_sim/inbox/{number % 100}", data=b"x" * 20_000)
    kept = [*http.sim.inboxes._kept.values(), *(a.exchanges for a in accounts)]
    held = sum(log.size_bytes for log in kept)
    assert 800_000 < held <= 1_000_000
    assert len(accounts[-1].exchanges) == 1


def test_a_reset_leaves_no_folder(
    make: Maker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does an evaluation, which keeps nothing; and what is made is nobody else's at once."""
    http = make(state=tmp_path)
    http.sdk_created()
    assert os.listdir(tmp_path / "accounts") == [AUTH_ID]
    http.sim.remove(http.account)
    assert os.listdir(tmp_path / "accounts") == []
    evaluate(http)
    assert os.listdir(tmp_path / "accounts") == []
    http.sdk_created()
    http.sim.close()
    assert len(make(state=tmp_path).sim.accounts()) == 1
    assert "open to other users" not in caplog.text


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_folder_without_an_account_goes_at_the_start(
    make: Maker, tmp_path: Path, is_damaged: bool
) -> None:
    """A kill left it in the middle of a reset; not one of whose journal something lies aside, as it
    may need the files."""
    http = make(state=tmp_path)
    http.sdk_created()
    http.sim.close()
    journal = tmp_path / "accounts" / AUTH_ID / "journal.jsonl"
    if is_damaged:
        header, first, *_ = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(header + first[:-9])
    else:
        journal.unlink()
    http = make(state=tmp_path)
    assert http.sim.accounts() == []
    files = tmp_path / "accounts" / AUTH_ID / "files"
    assert (len(os.listdir(files)) if files.exists() else 0) == (2 if is_damaged else 0)


@pytest.mark.live
def test_what_is_due_after_a_restart_waits_for_no_request(tmp_path: Path) -> None:
    """The accounts that the state directory holds are looked at when the server starts."""
    sim = make_simulator(
        Settings(state=tmp_path, review_delay=Duration(0.01)), transport=SecondTry(), real=Wall()
    )
    Http(create_app(sim), sim).sdk_created(callback_url=CALLBACK)
    sim.close()
    gate = Gate()
    gate.open()
    with LiveSimulator(Settings(state=tmp_path, port=0), transport=gate):
        gate.wait_for(1)


def test_an_account_that_is_opened_keeps_others_waiting_for_itself_only(make: Maker) -> None:
    """Its disk may be slow. It is opened once, by one of those who want it."""
    sim = make().sim
    begun, may_go_on = Event(), Event()
    opened: list[str] = []
    open_now = sim._make_account

    def open_slowly(auth_id: str, *given: Any) -> Account:
        opened.append(auth_id)
        if auth_id == AUTH_ID:
            begun.set()
            assert may_go_on.wait(60)
        return open_now(auth_id, *given)

    sim._make_account = open_slowly
    with meanwhile(lambda: sim.account(AUTH_ID)) as first:
        assert begun.wait(60)
        with (
            meanwhile(lambda: sim.account(AUTH_ID)) as second,
            meanwhile(lambda: sim.account(OTHER)) as other,
        ):
            try:
                assert other.result(60).auth_id == OTHER
                assert sim.accounts() == []
            finally:
                may_go_on.set()
    assert first.result() is second.result()
    assert opened == [AUTH_ID, OTHER]


def test_an_account_that_is_opened_while_all_begins_anew_has_the_new_settings(make: Maker) -> None:
    """Not those with which it was begun to be opened."""
    sim = make().sim
    open_now = sim._make_account

    def open_late(auth_id: str, *given: Any) -> Account:
        made = open_now(auth_id, *given)
        sim._make_account = open_now
        sim.begin_anew(Settings(seed=7, paused=True))
        return made

    sim._make_account = open_late
    assert sim.account(AUTH_ID).settings.seed == 7
