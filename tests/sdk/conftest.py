"""The official Python SDK, pointed at a simulator that really listens."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plivo
import plivo.rest.client
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.client.applications import sample
from tests.support import AUTH_ID, TOKEN


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The SDK opens the files that it uploads and leaves closing them to the collector."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"))


@pytest.fixture
def client(live: LiveSimulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[plivo.RestClient]:
    """The unmodified SDK; its one constant names the simulator, for the whole process."""
    monkeypatch.setattr(plivo.rest.client, "PLIVO_API_BASE_URI", f"{live.url}/v1/Account")
    with plivo.RestClient(AUTH_ID, TOKEN) as client:
        yield client
    gc.collect()  # now, where its unclosed files are forgiven, and not in somebody else's test


@pytest.fixture
def control(live: LiveSimulator) -> Client:
    """Control calls to the same simulator."""
    return Client(live.url, AUTH_ID, TOKEN)


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """A certificate (PDF) and a GST certificate (PNG), as local paths."""
    found = []
    for name in ("registration_certificate.pdf", "gst_certificate.png"):
        path = tmp_path / name
        path.write_bytes(sample(name).read_bytes())
        found.append(str(path))
    return found


def plain(value: Any) -> Any:
    """What the SDK made of an answer, as dicts and lists."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "__dict__"):
        return {key: plain(each) for key, each in vars(value).items()}
    return value
