"""Files go only when the records that named them are gone for good."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.errors import StorageFailed
from tests.support import SDK_AGENT, Http


def files_of(http: Http) -> set[str]:
    return {document.file.sha256 for document in http.world.store.documents.every()}


def test_a_delete_that_cannot_be_written_keeps_the_files(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are as before, and so is what they refer to."""
    id = http.sdk_created()
    before = files_of(http)

    def full(ops: Any) -> None:
        raise StorageFailed("no space left")

    monkeypatch.setattr(http.world.store.journal, "append", full)
    answer = http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert answer.status_code == 500
    assert files_of(http) == before
    assert all(http.world.files.read(sha256) for sha256 in before)


def test_a_delete_takes_the_files_along(http: Http) -> None:
    """Nobody refers to them any more."""
    id = http.sdk_created()
    before = files_of(http)
    http.delete(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert not any(http.world.files.read(sha256) for sha256 in before)
