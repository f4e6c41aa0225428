"""Snapshots: remember a moment, come back to it, carry it elsewhere as a document."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from plivo_sim import calls
from plivo_sim.account.store.format import RECORD_TYPES, to_plain
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain import limits, text
from plivo_sim.services import snapshots
from plivo_sim.web.streams import Stream, Writer
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED, serving
from tests.control.support import OTHER_ID, check_invalid, check_problem, other_account
from tests.fakes import meanwhile, until
from tests.hostile.world import fill
from tests.support import AUTH_ID, PDF, TOKEN, Http


def remember(http: Http, name: str = "before") -> None:
    answer = http.control("POST", "/snapshot", {"name": name, "account": http.auth_id})
    assert answer.status_code == 201, answer.text


def document(http: Http, name: str = "before") -> dict[str, Any]:
    answer = http.control("GET", f"/snapshot/{name}", account=http.auth_id)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def restore(http: Http, **body: Any) -> dict[str, Any]:
    answer = http.control("POST", "/restore", {"account": http.auth_id} | body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def picture(http: Http) -> list[dict[str, Any]]:
    """All that can be seen of the account's applications."""
    path = "PhoneNumber/Compliance/?expand=end_user,documents"
    return http.get(path, headers={"X-Plivo-Sim-Dialect": "current"}).get_json()["compliances"]


def downloads(http: Http) -> list[bytes]:
    """The files of the account's first application."""
    return [
        http.get(each["download_url"].removeprefix("http://127.0.0.1")).data
        for each in picture(http)[0]["documents"]
    ]


@pytest.fixture
def elsewhere() -> Iterator[Http]:
    """Another simulator."""
    sim = make_simulator(PAUSED, transport=MemoryTransport())
    yield Http(create_app(sim), sim)
    sim.close()


def test_a_snapshot_tells_what_it_remembers(http: Http) -> None:
    """201 with the account as it is; the name may be left out."""
    http.sdk_created()
    answer = http.control("POST", "/snapshot")
    assert answer.status_code == 201
    told = answer.get_json()
    assert (told["account"], told["name"], told["applications"]) == (AUTH_ID, "snapshot-1", 1)
    assert told["kept"].startswith("until the server ends")
    assert http.control("POST", "/snapshot").get_json()["name"] == "snapshot-2"


def test_restore_brings_back_records_clock_and_timers(http: Http) -> None:
    """The review that was pending then is pending again, and ends the same."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.advance("1d")
    before = picture(http)
    remember(http)
    happened = http.advance("30d")["happenings"]
    http.sdk_created(alias="later")
    told = restore(http, name="before")
    assert (told["now"], told["applications"]) == ("2026-01-06T09:00:00.000000Z", 1)
    assert picture(http) == before
    assert http.advance("30d")["happenings"] == happened
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"


def test_restore_brings_back_a_deleted_application_and_its_files(http: Http) -> None:
    """Files stay while a snapshot may need them."""
    id = http.sdk_created()
    files = downloads(http)
    remember(http)
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    restore(http, name="before")
    assert downloads(http) == files
    assert files[0] == PDF


@pytest.mark.parametrize("is_marked", [False, True])
def test_files_that_a_restore_leaves_without_a_record_are_forgotten(
    http: Http, elsewhere: Http, *, is_marked: bool
) -> None:
    """Those of before, and those that a document brings along for nothing; not those of marks."""
    http.sdk_created()
    kept = {each.file.sha256 for each in http.account.store.documents.every()}
    if is_marked:
        remember(http)
    remember(elsewhere)
    empty = document(elsewhere)
    empty["files"] = {hashlib.sha256(b"x").hexdigest(): base64.b64encode(b"x").decode()}
    restore(http, snapshot=empty)
    assert http.account.files.read(hashlib.sha256(b"x").hexdigest()) is None
    there = {sha256 for sha256 in kept if http.account.files.read(sha256) is not None}
    assert there == (kept if is_marked else set())


@pytest.mark.parametrize(
    ("limit", "most"), [("BODY", 3000), ("SNAPSHOT_VALUES", 100)], ids=["bytes", "values"]
)
def test_a_document_that_could_not_be_restored_is_not_made(
    http: Http, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    """No file is read for it; by its name it is restored."""
    http.sdk_created()
    remember(http)
    bound = replace(getattr(limits, limit), most=most)
    with monkeypatch.context() as patch:
        patch.setattr(limits, limit, bound)
        patch.setattr(http.account.files, "read", None)
        answer = http.control("GET", "/snapshot/before", account=http.auth_id)
    assert answer.status_code == 400
    assert str(bound) in answer.text
    restore(http, name="before")


def test_a_document_is_as_large_as_was_reckoned_at_most(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is made fits into the body of a restore."""
    http.sdk_created()
    remember(http)
    sizes: list[int] = []

    def check(tables: Any, files: Any) -> Iterator[Any]:
        with monkeypatch.context() as patch:
            patch.setattr(limits, "BODY", replace(limits.BODY, most=0))
            ((_, text),) = too_large(tables, files)
        sizes.append(int(text.partition(" bytes")[0].rpartition(" ")[2]))
        return iter(())

    too_large = snapshots._too_large
    monkeypatch.setattr(snapshots, "_too_large", check)
    body = json.dumps({"account": AUTH_ID, "snapshot": document(http)}, separators=(",", ":"))
    assert len(body) <= sizes[0] <= len(body) + 2000


def test_one_document_is_made_at_a_time(http: Http) -> None:
    """Each can take a few hundred megabytes; the next waits."""
    remember(http)
    with ExitStack() as stack:
        with http.sim.making_documents:
            waits = stack.enter_context(meanwhile(lambda: document(http)))
            while not http.sim.making_documents.waiting:
                os.sched_yield()
            assert not waits.done()
        assert waits.result(30)["account"] == AUTH_ID


def test_one_large_document_is_restored_at_a_time(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next waits; one of the size of other calls does not."""
    remember(http)
    kept = document(http)
    with ExitStack() as stack:
        with http.sim.making_documents:
            small = stack.enter_context(meanwhile(lambda: restore(http, snapshot=kept)))
            assert small.result(30)["auth_id"] == AUTH_ID
            monkeypatch.setattr(limits, "CONTROL_BODY", replace(limits.CONTROL_BODY, most=10))
            waits = stack.enter_context(meanwhile(lambda: restore(http, snapshot=kept)))
            while not http.sim.making_documents.waiting:
                os.sched_yield()
            assert not waits.done()
        assert waits.result(30)["auth_id"] == AUTH_ID


def test_no_copies_are_made_of_the_files_of_a_document(http: Http) -> None:
    """But the text itself; and of that none when it is sent."""
    http.sdk_created()
    with http.account.lock:
        files = snapshots.save_snapshot(http.account, http.account.mark())["files"]
    assert all(content is http.account.files.read(sha256) for sha256, content in files.items())
    sent: list[bytes] = []
    writer = Writer(cast("Stream", SimpleNamespace(send=sent.append)))
    writer.held = True
    text = bytes(100_000)
    writer.write(b"head")
    writer.write(text)
    writer.flush()
    assert (sent[0], sent[1] is text) == (b"head", True)


def test_restore_brings_back_the_dice(http: Http) -> None:
    """The next id is the one that it would have been."""
    http.sdk_created()
    remember(http)
    second = http.sdk_created(alias="second")
    restore(http, name="before")
    assert http.sdk_created(alias="second") == second


def test_a_snapshot_can_be_restored_again(http: Http) -> None:
    """As often as wanted; its name can be used anew."""
    http.sdk_created()
    remember(http)
    for _ in range(2):
        http.sdk_created(alias="later")
        assert restore(http, name="before")["applications"] == 1
    http.sdk_created(alias="later")
    remember(http)
    assert restore(http, name="before")["applications"] == 2


def test_snapshots_are_of_one_account(http: Http) -> None:
    """Coming back in one leaves the other where it is."""
    http.sdk_created()
    other = other_account(http)
    remember(http)
    other.advance("2d")
    restore(http, name="before")
    assert other.account.now().day == 7
    answer = other.control("POST", "/restore", {"name": "before", "account": OTHER_ID})
    check_problem(answer, "not_found", "snapshot 'before' not found", kind="snapshot", id="before")


# --- as a document ---------------------------------------------------------------------------


def test_a_document_holds_records_and_files(http: Http) -> None:
    """Plain JSON, files in base64 under their hashes, each content once."""
    http.sdk_created()
    http.sdk_created(alias="second")
    remember(http)
    kept = document(http)
    assert (kept["plivo_sim_snapshot"], kept["account"]) == (1, AUTH_ID)
    assert len(kept["tables"]["applications"]) == 2
    assert PDF in [base64.b64decode(text) for text in kept["files"].values()]
    assert len(kept["files"]) == 2


def test_a_name_may_have_a_slash(http: Http) -> None:
    """Whatever a snapshot is called, its document can be had."""
    http.sdk_created()
    body = {"name": "before/after", "account": AUTH_ID}
    assert http.control("POST", "/snapshot", body).status_code == 201
    assert http.control("GET", "/snapshot/before/after", account=AUTH_ID).status_code == 200


def test_a_document_can_be_carried_to_another_simulator(http: Http, elsewhere: Http) -> None:
    """All of it arrives: what was seen here is seen there, and time goes on from there."""
    http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.advance("1d")
    remember(http)
    restore(elsewhere, snapshot=json.loads(json.dumps(document(http))))
    assert picture(elsewhere) == picture(http)
    assert downloads(elsewhere) == downloads(http)
    assert elsewhere.advance("30d")["happenings"] == http.advance("30d")["happenings"]


def test_a_document_can_be_restored_after_a_reset(http: Http) -> None:
    """It needs nothing of the account that it was taken from."""
    http.sdk_created()
    before = picture(http)
    remember(http)
    kept = document(http)
    http.control("POST", "/reset")
    restore(http, snapshot=kept)
    assert picture(http) == before


@pytest.mark.parametrize("value", [None, 5, "text", [], {}])
def test_what_is_no_document(http: Http, value: Any) -> None:
    """Whatever it is."""
    http.sdk_created()
    answer = http.control("POST", "/restore", {"snapshot": value})
    check_invalid(answer, "snapshot", "must be a snapshot document of format 1")


# --- one account's snapshot in another ----------------------------------------------------------


@pytest.fixture
def twice(http: Http) -> tuple[str, str]:
    """The ids of an application and of its callback, which both accounts hold: the second was
    restored from the first."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.decide(id, "accepted")
    remember(http)
    restore(http, account=OTHER_ID, snapshot=document(http))
    (callback,) = http.control("GET", "/webhooks", account=AUTH_ID).get_json()["webhooks"]
    return id, callback["id"]


CALLS: list[tuple[str, str]] = [
    ("GET", "/applications/{id}"),
    ("GET", "/applications/{id}/why"),
    ("POST", "/applications/{id}/decision"),
    ("GET", "/webhooks/{callback}"),
    ("POST", "/webhooks/{callback}/replay"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("named", [AUTH_ID, OTHER_ID])
@pytest.mark.parametrize("where", ["query", "body"])
def test_the_account_that_is_named_is_the_one_that_is_meant(
    http: Http, twice: tuple[str, str], method: str, path: str, named: str, where: str
) -> None:
    """And the other stays as it is."""
    other = next(each for each in (AUTH_ID, OTHER_ID) if each != named)
    before = http.control("GET", "/export", account=other).get_json()
    own = http.control("GET", "/export", account=named).get_json()
    body = {"status": "expired"} if path.endswith("decision") else {}
    url = path.format(id=twice[0], callback=twice[1])
    if where == "body" and method == "POST":
        answer = http.control(method, url, body | {"account": named})
    else:
        answer = http.control(method, url, body if method == "POST" else None, account=named)
    assert answer.status_code in (200, 202), answer.text
    assert http.control("GET", "/export", account=other).get_json() == before
    if method == "POST":
        assert http.control("GET", "/export", account=named).get_json() != own


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_name_it_must_be_clear(
    http: Http, twice: tuple[str, str], method: str, path: str
) -> None:
    """400 that lists those that hold it; one that holds none is 404."""
    body = {"status": "expired"} if path.endswith("decision") else None
    url = path.format(id=twice[0], callback=twice[1])
    answer = http.control(method, url, body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "account_required")
    assert answer.get_json()["accounts"] == [AUTH_ID, OTHER_ID]
    answer = http.control(method, url, body, account="MAZZZZZZZZZZZZZZZZZZ")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")


def test_the_console_names_its_account(http: Http, twice: tuple[str, str]) -> None:
    """Its buttons decide in the account that its page is of."""
    page = http.get(f"/console/{OTHER_ID}/applications/{twice[0]}").text
    assert f'name="account" value="{OTHER_ID}"' in page


# --- mistakes --------------------------------------------------------------------------------


def test_restore_needs_a_name_or_a_document(http: Http) -> None:
    """400."""
    http.sdk_created()
    check_invalid(http.control("POST", "/restore", {}), "name", "is required")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/snapshot/none", None), ("POST", "/restore", {"name": "none"})],
)
def test_unknown_snapshots(http: Http, method: str, path: str, body: Any) -> None:
    """404 with the name."""
    http.sdk_created()
    answer = http.control(method, path, body)
    check_problem(answer, "not_found", "snapshot 'none' not found", kind="snapshot", id="none")


@pytest.mark.parametrize("path", ["/snapshot", "/restore"])
def test_names_are_strings(http: Http, path: str) -> None:
    """400 that names the path."""
    http.sdk_created()
    check_invalid(http.control("POST", path, {"name": 5}), "name", "must be a string")


# --- the same bytes --------------------------------------------------------------------------


def seen(http: Http) -> dict[str, bytes]:
    """What the control API shows of an account, as bytes."""
    remember(http, "now")
    paths = ["/export", "/snapshot/now", "/clock", "/accounts", "/webhooks", "/faults"]
    return {path: http.control("GET", path, account=AUTH_ID).data for path in paths}


def start_again(http: Http, state: Path) -> Iterator[Http]:
    """A server that reads the journal."""
    http.sim.close()
    with serving(state) as again:
        yield again


def rewrite(http: Http, state: Path) -> Iterator[Http]:
    """The same, of a journal that was rewritten."""
    http.account.store.journal.replace(http.account.store.mark())
    yield from start_again(http, state)


def carry_over(http: Http, state: Path) -> Iterator[Http]:
    """The document of a snapshot is restored after a reset."""
    kept = document(http, "now")
    http.control("POST", "/reset", {"account": AUTH_ID})
    http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {}})
    http.account.token = TOKEN  # which no document brings along
    restore(http, snapshot=kept)
    yield http


@pytest.mark.parametrize("way", [start_again, rewrite, carry_over])
def test_the_same_state_is_shown_in_the_same_bytes(
    tmp_path: Path, way: Callable[[Http, Path], Iterator[Http]]
) -> None:
    """Whole numbers and the order of records too, wherever the state was in between."""
    state = tmp_path / "state"
    with serving(state) as http:
        fill(http)
        for path, body in (
            ("/clock/rate", {"rate": 60}),
            ("/webhooks/policy", {"retries": ["5s", "1h"], "delay": "1m"}),
            ("/clock/advance", {"by": "6d"}),
        ):
            assert http.control("POST", path, body | {"account": AUTH_ID}).status_code == 200
        before = seen(http)
        for again in way(http, state):
            assert seen(again) == before


def test_a_dropped_snapshot_frees_its_files(http: Http) -> None:
    """Those that no document refers to any more."""
    id = http.sdk_created()
    remember(http)
    http.delete(f"PhoneNumber/Compliance/{id}/")
    kept = http.account.files
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert kept.read(sha256) == PDF
    http.control("DELETE", "/snapshot/before", account=AUTH_ID)
    assert kept.read(sha256) is None


def test_without_a_token_it_says_so_and_does_not_sign(http: Http, elsewhere: Http) -> None:
    """A document brings none along; until a call with one, every surface tells of it."""
    id = http.sdk_created(callback_url="http://localhost:9/")
    remember(http)
    kept = document(http)
    assert restore(http, snapshot=kept)["has_token"]
    assert not restore(elsewhere, snapshot=kept)["has_token"]
    elsewhere.decide(id, "rejected")
    elsewhere.advance("10s")
    (webhook,) = elsewhere.control("GET", "/webhooks").get_json()["webhooks"]
    (attempt,) = webhook["attempts"]
    assert not [name for name in attempt["headers"] if "Signature" in name]
    warning = attempt["headers"]["X-Plivo-Sim-Warning"]
    assert warning == f"not signed: no token of {AUTH_ID} is known yet"
    seen = {name: attempt[name] for name in ("url", "headers", "body")}
    answer = elsewhere.control("POST", "/webhooks/verify-signature", seen)
    check_invalid(answer, "token", f"is required: none of {AUTH_ID} is known yet")
    assert warning in elsewhere.get(f"/console/{AUTH_ID}/webhooks/{webhook['id']}").text
    assert "no token</span>" in elsewhere.get(f"/console/{AUTH_ID}/").text

    elsewhere.sdk_created(alias="next")
    assert elsewhere.control("GET", "/accounts").get_json()["accounts"][0]["has_token"]
    assert "no token</span>" not in elsewhere.get(f"/console/{AUTH_ID}/").text
    elsewhere.decide(id, "accepted")
    elsewhere.control("POST", f"/webhooks/{webhook['id']}/replay")
    attempt = elsewhere.control("GET", "/webhooks").get_json()["webhooks"][-1]["attempts"][-1]
    assert "X-Plivo-Signature-V3" in attempt["headers"]


def test_nobody_waits_for_a_receiver_while_others_wait_for_their_documents(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for a snapshot in a body that may be large waits for callbacks before."""
    seen: list[bool] = []
    wait = http.sim.runner._sender.wait

    def noting(*given: Any) -> bool:
        seen.append(http.sim.making_documents.raw._is_owned())  # type: ignore[attr-defined]
        return wait(*given)

    monkeypatch.setattr(http.sim.runner._sender, "wait", noting)
    monkeypatch.setattr(http.sim.runner, "wake", lambda _: None)  # as on a server
    http.sdk_created(callback_url="http://127.0.0.1:9/")
    remember(http)
    assert seen == [False]
    monkeypatch.setattr(limits, "CONTROL_BODY", replace(limits.CONTROL_BODY, most=1))
    remember(http)
    assert seen == [False, False]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/restore", {"name": "before"}),
        ("POST", "/snapshot", {"name": "another"}),
        ("POST", "/takeover", {"snapshot": {}}),
        ("GET", "/snapshot/before", None),
    ],
)
def test_nobody_waits_for_an_account_while_others_wait_for_their_documents(
    http: Http, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    """Whatever the length of the body, and in whose account somebody works for long."""
    monkeypatch.setattr(limits, "CONTROL_BODY", replace(limits.CONTROL_BODY, most=1))
    remember(http)
    other = replace(http, auth_id=OTHER_ID)
    other.sdk_created()
    remember(other)
    with ExitStack() as stack, http.account.lock:
        asked = partial(http.control, method, path, body, account=AUTH_ID)
        stack.enter_context(meanwhile(asked))
        until(lambda: http.account.lock.waiting == 1)
        made = stack.enter_context(meanwhile(lambda: document(other)))
        assert made.result(10)["account"] == OTHER_ID


def test_nobody_waits_for_a_file_while_others_wait_for_their_documents(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of one account may be slow; its own lock is free meanwhile, too."""
    http.sdk_created()
    remember(http)
    held: list[bool] = []

    def reading(sha256: str) -> bytes | None:
        for lock in (http.sim.making_documents, http.account.lock):
            held.append(lock.raw._is_owned())
        return read(sha256)

    read = http.account.files.read
    monkeypatch.setattr(http.account.files, "read", reading)
    assert document(http)["files"]
    assert set(held) == {False}


def test_an_export_is_put_into_words_while_others_use_the_account(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records do not change: what there is, is copied, and the account is free again."""
    http.sdk_created()
    held: list[bool] = []

    def encoding(record: Any) -> Any:
        held.append(http.account.lock.raw._is_owned())
        return to_plain(record)

    monkeypatch.setattr("plivo_sim.control.accounts.to_plain", encoding)
    assert http.control("GET", "/export").status_code == 200
    assert set(held) == {False}


@pytest.mark.parametrize("path", ["snapshot", "restore", "takeover"])
def test_a_large_document_is_decoded_once(
    http: Http, elsewhere: Http, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """And not before its call has its account."""
    http.sdk_created(alias="a-word-of-the-document")
    remember(http)
    body = {"snapshot": document(http)} | ({"rest": {}} if path == "takeover" else {"name": "x"})
    read, decode = [], text._decoder.decode

    def noting(piece: bytes) -> Any:
        read.append(bytes(piece))
        return decode(piece)

    monkeypatch.setattr(limits, "CONTROL_BODY", replace(limits.CONTROL_BODY, most=64))
    monkeypatch.setattr(text, "PIECE_BYTES", 64)
    monkeypatch.setattr(text, "_decoder", SimpleNamespace(decode=noting))
    monkeypatch.setattr(calls, "note_steering", lambda *_: None)  # which reads small ones once more
    assert elsewhere.control("POST", f"/{path}", body, account="none").status_code == 400
    assert b"a-word" not in b"".join(read)
    assert elsewhere.control("POST", f"/{path}", body, account=AUTH_ID).status_code < 300
    word = b"a-word-of-the-document"
    assert b"".join(read).count(word) == json.dumps(body).encode().count(word) > 0


def test_a_large_body_is_checked_as_a_small_one(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is no text is refused; no other account is taken for the one that is meant."""
    http.sdk_created()
    monkeypatch.setattr(limits, "CONTROL_BODY", replace(limits.CONTROL_BODY, most=1))
    http.control("POST", "/snapshot", {"name": "x"})
    document = http.control("GET", "/snapshot/x").get_json()
    answer = http.control("POST", "/restore", {"snapshot": document, "account": ["MA"]})
    assert (answer.status_code, answer.get_json()["problems"][0]["path"]) == (400, "account")


def test_a_document_of_an_account_that_nothing_was_written_to_is_listed(http: Http) -> None:
    """It has no ledger, so no clock; restored, the account is as new."""
    http.sdk_created()
    empty = {"plivo_sim_snapshot": 1, "tables": {}}
    answer = http.control("POST", "/snapshot", {"name": "empty", "snapshot": empty})
    assert answer.status_code == 201, answer.text
    answer = http.control("GET", "/snapshots")
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["snapshots"] == [
        {
            "name": "empty",
            "now": None,
            "applications": 0,
            "end_users": 0,
            "documents": 0,
            "numbers": 0,
        }
    ]
    assert http.call("GET", f"/console/{AUTH_ID}/account").status_code == 200
    assert document(http, "empty")["tables"] == {name: {} for name in RECORD_TYPES}
    http.advance("1d")
    told = restore(http, name="empty")
    assert (told["applications"], told["now"]) == (0, "2026-01-05T09:00:00.000000Z")
    http.sdk_created()
    assert len(http.account.store.ledger) == 1
