"""A simulator in each of the places where a test may have it, and an application in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.client.wsgi import Wsgi
from plivo_sim.settings import Settings
from plivo_sim.testing import Handle, InProcess, in_process, remote, served

PLACES = ("in_process", pytest.param("served", marks=pytest.mark.live),
          pytest.param("remote", marks=pytest.mark.live))  # fmt: skip


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[LiveSimulator]:
    """A server whose clocks run and whose reviews are over soon."""
    with LiveSimulator(Settings(port=0)) as live:
        yield live


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Any:
    """What makes a handle of this place; it takes settings of an account."""
    if request.param == "remote":
        url = request.getfixturevalue("elsewhere").url
        return lambda **settings: remote(url, name=request.node.nodeid, **settings)
    return {"in_process": in_process, "served": served}[request.param]


@pytest.fixture
def handle(place: Any) -> Iterator[Handle]:
    with place() as made:
        yield made


def client_of(handle: Handle, auth_id: str = "") -> Client:
    """A client of the imitated API, as the account of the handle or another."""
    credentials = auth_id or handle.auth_id, handle.auth_token
    if isinstance(handle, InProcess):
        return Client("http://127.0.0.1", *credentials, Wsgi(handle.app))
    return Client(handle.url, *credentials)


def file_in(handle: Handle, alias: str = "Acme", *, auth_id: str = "", **changes: Any) -> str:
    """File an American application, which needs no documents; returns its id."""
    data = {"country_iso": "US", "number_type": "local", "alias": alias,
            "end_user": {"type": "business", "name": alias}, **changes}  # fmt: skip
    form = [("data", json.dumps(data))]
    id: str = client_of(handle, auth_id).compliance("POST", form=form)["compliance_id"]
    return id


@pytest.fixture
def file(handle: Handle) -> Callable[..., str]:
    """See ``file_in``."""
    return partial(file_in, handle)
