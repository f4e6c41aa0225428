"""Files go only when the records that named them are gone for good."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.apis.phone_number.current import reading
from plivo_sim.services import applications, corrections, document_sets
from plivo_sim.services.inputs import Correction, DocumentDraft, Upload
from tests.apis.legacy_support import Legacy
from tests.fakes import refuse_writes
from tests.support import PDF, PNG, SDK_AGENT, Http


def files_of(http: Http) -> set[str]:
    return {document.file.sha256 for document in http.account.store.documents.every()}


def test_a_delete_that_cannot_be_written_keeps_the_files(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are as before, and so is what they refer to."""
    id = http.sdk_created()
    before = files_of(http)
    refuse_writes(monkeypatch, http.account)
    answer = http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert answer.status_code == 500
    assert files_of(http) == before
    assert all(http.account.files.read(sha256) for sha256 in before)


def test_a_delete_takes_the_files_along(http: Http) -> None:
    """Nobody refers to them any more."""
    id = http.sdk_created()
    before = files_of(http)
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert not any(http.account.files.read(sha256) for sha256 in before)


def test_a_change_of_a_document_that_cannot_be_written_keeps_its_file(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file goes after the record of the new one is written, not before."""
    legacy = Legacy(http)
    id = legacy.document(legacy.end_user())
    before = files_of(http)
    refuse_writes(monkeypatch, http.account)
    answer = legacy.send_document({}, ("file", "new.png", PNG), path=f"ComplianceDocument/{id}/")
    assert answer.status_code == 500
    assert files_of(http) == before
    assert all(http.account.files.read(sha256) for sha256 in before)


def test_a_correction_within_a_transaction_that_fails_keeps_the_files(http: Http) -> None:
    """As when Atoms resubmits and its own record cannot be written."""
    id = http.sdk_created()
    http.decide(id, "rejected")
    account, before = http.account, files_of(http)
    application = applications.get(account, id)
    drafts = [
        DocumentDraft(
            type_reference=each.document_type_id, upload=Upload(name="a.pdf", content=new)
        )
        for each, new in zip(
            document_sets.documents_of(account, application), (PDF + b"2", PNG + b"2"), strict=True
        )
    ]
    named = replace(drafts[0], data_fields={"business_name": "Acme"})
    change = Correction(documents=[named, drafts[1]])

    def correct_and_fail() -> None:
        with account.transaction():
            corrections.correct(account, application, change, reading.RULES)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        correct_and_fail()
    assert files_of(http) == before
    assert all(account.files.read(sha256) for sha256 in before)


def test_what_was_kept_for_a_refused_write_goes_with_the_next_sweep(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file came before the record, which could not be written."""
    id = http.sdk_created()
    with monkeypatch.context() as patch:
        refuse_writes(patch, http.account)
        lost = {0: (PDF + b"lost", "certificate.pdf"), 1: (PNG + b"lost", "gst.png")}
        assert http.sdk_create(alias="lost", files=lost).status_code == 500
    assert len(http.account.files._contents) == 4
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert http.account.files._contents == {}


def test_a_sweep_looks_at_what_may_be_loose_only(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at every document: an account may have very many."""
    first, second = http.sdk_created(), http.sdk_created(alias="second")
    http.delete(f"PhoneNumber/Compliance/{first}/", headers={"User-Agent": SDK_AGENT})

    def never() -> Any:
        raise AssertionError("looked at every document")

    monkeypatch.setattr(http.account.store.documents, "every", never)
    deleted = http.delete(f"PhoneNumber/Compliance/{second}/", headers={"User-Agent": SDK_AGENT})
    assert (deleted.status_code, http.account.files._contents) == (200, {})


def test_a_restore_makes_the_next_sweep_look_at_all(http: Http) -> None:
    """The files of what the restore took away are loose, whichever they are."""
    id = http.sdk_created()
    with http.account.lock:
        mark = http.account.mark()
    other = {0: (PDF + b"other", "certificate.pdf"), 1: (PNG + b"other", "gst.png")}
    http.sdk_created(alias="other", files=other)
    http.account.restore(mark)
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert http.account.files._contents == {}
