"""Uploaded files are hashed and written while nobody waits for the account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.store.files import DiskFiles
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.services import inputs
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.current_support import BASE, rejected
from tests.apis.legacy_support import Legacy
from tests.conftest import PAUSED
from tests.support import PDF, PNG, SDK_AGENT, Http


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Http]:
    """A simulator that keeps its state in this folder."""
    sim = make_simulator(replace(PAUSED, state=tmp_path), transport=MemoryTransport())
    yield Http(create_app(sim), sim, agent=SDK_AGENT)
    sim.close()


def make_document(http: Http) -> Callable[[], TestResponse]:
    legacy = Legacy(http)
    owner, type_ = legacy.end_user(), legacy.types()[0]
    legacy.document(owner, type_)
    form = {"end_user_id": owner, "document_type_id": type_, "alias": "Other"}
    form |= legacy.data_fields(type_)
    return lambda: legacy.send_document(form, ("file", "other.pdf", PDF + b" 2"))


def change_document(http: Http) -> Callable[[], TestResponse]:
    legacy = Legacy(http)
    path = f"ComplianceDocument/{legacy.document(legacy.end_user())}/"
    return lambda: legacy.send_document({}, ("file", "other.pdf", PDF + b" 2"), path=path)


OTHERS = {0: (PDF + b" 2", "certificate.pdf"), 1: (PNG + b" 2", "gst.png")}


def make_application(http: Http) -> Callable[[], TestResponse]:
    http.sdk_created()
    data = http.sdk_data(alias="Other")
    return lambda: http.sdk_create(data, OTHERS)


def correct_application(http: Http) -> Callable[[], TestResponse]:
    path = f"{BASE}{rejected(http)}/"
    data = {"documents": http.sdk_data()["documents"]}
    return lambda: http.sdk_send("PATCH", path, data, OTHERS)


@pytest.mark.parametrize(
    "ready", [make_document, change_document, make_application, correct_application]
)
def test_the_account_is_free_while_files_are_hashed_and_written(
    ready: Callable[[Http], Callable[[], TestResponse]],
    http: Http,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = ready(http)
    seen: list[tuple[str, bool]] = []
    write, digest = DiskFiles._write, inputs.hashlib.sha256

    def note(what: str) -> None:
        seen.append((what, http.account.lock.raw._is_owned()))  # type: ignore[attr-defined]

    def noted_write(files: DiskFiles, aside: Path, content: bytes, *more: Any) -> None:
        note("write")
        write(files, aside, content, *more)

    def noted_digest(content: bytes) -> object:
        note("hash")
        return digest(content)

    monkeypatch.setattr(DiskFiles, "_write", noted_write)
    monkeypatch.setattr(inputs.hashlib, "sha256", noted_digest)
    answer = upload()
    assert answer.status_code in (200, 201, 202), answer.text
    assert {what for what, _ in seen} == {"write", "hash"}
    assert not any(held for _, held in seen)
