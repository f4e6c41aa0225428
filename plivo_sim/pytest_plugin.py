"""The pytest plugin: installing plivo-sim is enough.

``plivo_sim`` (in process), ``plivo_server`` (behind a socket, one a session, reset before each
test), ``plivo_client`` (the official SDK pointed at it), ``plivo_inbox`` (a receiver), and
``@pytest.mark.plivo_sim(scenario=…, start=…, seed=…, new_api=…, clock="wall")``. Everything
heavy is imported when a fixture is first used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from plivo_sim.testing import Handle, Inbox, InProcess, Served

H = TypeVar("H", bound="Handle")
_MARKED = ("scenario", "clock")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "plivo_sim(scenario, start, seed, new_api, clock): how the simulator starts in this test",
    )


@pytest.fixture(scope="session")
def _plivo_in_process() -> Iterator[InProcess]:
    from plivo_sim.testing import InProcess

    handle = InProcess()
    yield handle
    handle.close()


@pytest.fixture(scope="session")
def _plivo_served() -> Iterator[Served]:
    from plivo_sim.testing import Served

    handle = Served()
    yield handle
    handle.close()


@pytest.fixture(scope="session")
def _plivo_received() -> Iterator[Inbox]:
    from plivo_sim.testing import Inbox

    inbox = Inbox()
    yield inbox
    inbox.close()


@pytest.fixture
def plivo_sim(_plivo_in_process: InProcess, request: pytest.FixtureRequest) -> InProcess:
    """A fresh simulator in this process; its clock stands at 2026-01-05T09:00Z."""
    return _begin(_plivo_in_process, request)


@pytest.fixture
def plivo_server(_plivo_served: Served, request: pytest.FixtureRequest) -> Served:
    """A simulator behind a socket, as good as new; ``url`` says where."""
    return _begin(_plivo_served, request)


@pytest.fixture
def plivo_client(plivo_server: Served) -> Iterator[Any]:
    """The official SDK's client, pointed at ``plivo_server``."""
    plivo = pytest.importorskip("plivo", reason="plivo_client needs the SDK: pip install plivo")
    from plivo_sim.pointing import point

    client = plivo.RestClient(plivo_server.auth_id, plivo_server.auth_token, timeout=30)
    with client:
        yield point(client, plivo_server.url)


@pytest.fixture
def plivo_inbox(_plivo_received: Inbox) -> Inbox:
    """A receiver of callbacks on loopback, empty."""
    _plivo_received.clear()
    return _plivo_received


def _begin(handle: H, request: pytest.FixtureRequest) -> H:
    """Start the simulator anew, as the test's marker says."""
    from plivo_sim.settings import read_setting
    from plivo_sim.testing import test_settings

    marker = request.node.get_closest_marker("plivo_sim")
    wanted: dict[str, Any] = dict(marker.kwargs) if marker is not None else {}
    chosen = {
        name: read_setting(name, value) if isinstance(value, str) else value
        for name, value in wanted.items()
        if name not in _MARKED
    }
    if wanted.get("clock") == "wall":
        chosen |= {"paused": False, "start": None}
    handle.sim.begin_anew(test_settings(**chosen))
    if "scenario" in wanted:
        handle.use_scenario(wanted["scenario"])
    request.node.stash[_HANDLE] = handle
    return handle


_HANDLE: pytest.StashKey[Handle] = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)  # the newer kind of wrapper needs pluggy 1.2
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failing test shows what the simulator knows."""
    report: pytest.TestReport = (yield).get_result()
    if report.failed and report.when == "call" and _HANDLE in item.stash:
        report.sections.append(("plivo-sim", item.stash[_HANDLE].report()))
