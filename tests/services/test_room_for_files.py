"""All files of an account together: bounded, whatever way they come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.account import Account
from plivo_sim.account.store.files import DiskFiles
from plivo_sim.domain import limits
from tests.apis.atoms.support import Atoms, certificates
from tests.apis.legacy_support import Legacy
from tests.fakes import refuse_writes
from tests.support import PDF, PNG, SDK_AGENT, Http

OTHERS = {0: (PDF + b"other", "certificate.pdf"), 1: (PNG + b"other", "gst.png")}


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Callable[[Account], int]:
    """The account may hold so many bytes as it does, and no more."""

    def filled(account: Account) -> int:
        most = account.files.size_with({})
        limit = replace(limits.ACCOUNT_FILES, most=most)
        monkeypatch.setattr(limits, "ACCOUNT_FILES", limit)
        return most

    return filled


def legacy_create(http: Http, id: str) -> TestResponse:
    legacy = Legacy(http)
    fields = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[0]}
    return legacy.send_document(fields, ("file", "a.pdf", PDF + b"other"))


def legacy_update(http: Http, id: str) -> TestResponse:
    legacy = Legacy(http)
    document = legacy.document(legacy.end_user(), file=None)
    path = f"ComplianceDocument/{document}/"
    return legacy.send_document({}, ("file", "a.pdf", PDF + b"other"), path=path)


def create(http: Http, id: str) -> TestResponse:
    return http.sdk_create(alias="second", files=OTHERS)


def correct(http: Http, id: str) -> TestResponse:
    http.decide(id, "rejected")
    return http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", http.sdk_data(), OTHERS)


WAYS = {each.__name__: each for each in (legacy_create, legacy_update, create, correct)}


@pytest.mark.parametrize("way", WAYS)
def test_more_than_the_account_may_keep_is_refused(
    http: Http, fill: Callable[[Account], int], way: str
) -> None:
    """With the limit's name; nothing of it is kept."""
    id = http.sdk_created()
    most = fill(http.account)
    answer = WAYS[way](http, id)
    assert (answer.status_code, str(limits.ACCOUNT_FILES) in answer.text) == (400, True)
    assert http.account.files.size_with({}) == most


def test_files_that_come_by_atoms(http: Http, fill: Callable[[Account], int]) -> None:
    """Plivo's words arrive there."""
    atoms = Atoms(http)
    assert atoms.submit().status_code == 201
    most = fill(atoms.account)
    atoms.http.decide(next(atoms.account.store.applications.every()).id, "rejected")
    (known,) = atoms.account.store.atoms_applications.every()
    answer = atoms.resubmit(known.id, certificates(b" other"))
    assert answer.status_code >= 400
    assert limits.ACCOUNT_FILES.name in answer.text
    assert atoms.account.files.size_with({}) == most


def test_a_file_that_the_account_has_takes_no_room(
    http: Http, fill: Callable[[Account], int]
) -> None:
    """It is kept once."""
    http.sdk_created()
    most = fill(http.account)
    assert http.sdk_create(alias="again").status_code == 201
    assert http.account.files.size_with({}) == most


def test_what_nobody_refers_to_makes_room(
    http: Http, fill: Callable[[Account], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a deleted application, and that of one which could not be written."""
    id = http.sdk_created()
    with monkeypatch.context() as patch:
        refuse_writes(patch, http.account)
        assert http.sdk_create(alias="lost", files=OTHERS).status_code == 500
    fill(http.account)
    third = {0: (PDF + b"third", "certificate.pdf"), 1: (PNG + b"third", "gst.png")}
    assert http.sdk_create(alias="third", files=third).status_code == 201
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert http.sdk_create(alias="fourth").status_code == 201


def test_undo_points_give_way_to_what_is_written_only(
    http: Http, fill: Callable[[Account], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to what is evaluated, nor to what cannot be written."""
    id = http.sdk_created(files=OTHERS)
    third = {0: (PDF + b"third", "certificate.pdf"), 1: (PNG + b"third", "gst.png")}
    account: Account = http.account
    point = http.control("POST", "/undo/points", {"what": "a delete", "account": http.auth_id})
    assert point.status_code == 201
    assert http.delete(f"PhoneNumber/Compliance/{id}/").status_code == 200
    fill(account)
    with monkeypatch.context() as patch:
        refuse_writes(patch, account)
        assert http.sdk_create(files=third).status_code == 500
    evaluate = f"/_sim/evaluate?account={http.auth_id}"
    assert http.sdk_send("POST", evaluate, http.sdk_data(), third).status_code == 200
    assert len(account.undo_points) == 1
    assert http.sdk_create(files=third).status_code == 201
    assert len(account.undo_points) == 0


def test_what_a_snapshot_needs_counts(http: Http, fill: Callable[[Account], int]) -> None:
    """Deleted or not: it is on the disk."""
    id = http.sdk_created()
    http.control("POST", "/snapshot", {"account": http.auth_id})
    fill(http.account)
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert limits.ACCOUNT_FILES.name in http.sdk_create(alias="2", files=OTHERS).text


def test_what_no_snapshot_needs_makes_room_beside_one(
    http: Http, fill: Callable[[Account], int]
) -> None:
    """A snapshot that refers to no file keeps none."""
    http.control("POST", "/snapshot", {"account": http.auth_id})
    id = http.sdk_created(files=OTHERS)
    fill(http.account)
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert http.sdk_create(alias="second").status_code == 201


def test_a_document_of_more_than_that_is_refused(
    http: Http, fill: Callable[[Account], int]
) -> None:
    """What is there already goes, but for what other snapshots need."""

    def remember(name: str) -> None:
        http.control("POST", "/snapshot", {"account": http.auth_id, "name": name})

    http.sdk_created()
    remember("before")
    kept = http.control("GET", "/snapshot/before", account=http.auth_id).get_json()
    body = {"account": http.auth_id, "snapshot": kept}
    http.control("POST", "/reset", {"account": http.auth_id})
    assert http.sdk_create(files=OTHERS).status_code == 201
    most = fill(http.account)
    assert http.control("POST", "/restore", body).status_code == 200
    http.control("POST", "/reset", {"account": http.auth_id})
    assert http.sdk_create(files=OTHERS).status_code == 201
    remember("other")
    answer = http.control("POST", "/restore", body)
    assert (answer.status_code, str(limits.ACCOUNT_FILES) in answer.text) == (400, True)
    assert http.account.files.size_with({}) == most


def test_the_folder_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier process left counts; then it is counted on."""
    DiskFiles(tmp_path / "files").keep(b"12345")
    files = DiskFiles(tmp_path / "files")
    assert files.size_with({}) == 5
    monkeypatch.setattr(files, "_sizes_there", None)
    name = files.keep(b"123")
    files.keep(b"123")
    assert (files.size_with({}), files.size_with({name: 3, "other": 4})) == (8, 12)
    files.forget(name)
    assert files.size_with({}) == 5
    files.forget_all_but(())
    assert files.size_with({}) == 0
