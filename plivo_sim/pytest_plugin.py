"""The pytest plugin: installing plivo-sim is enough.

``plivo_sim`` (in process), ``plivo_server`` (behind a socket, one a session, reset before each
test), ``plivo_client`` (the official SDK pointed at it), ``plivo_inbox`` (a receiver), and
``@pytest.mark.plivo_sim(scenario=…, machine=…, start=…, seed=…, new_api=…, clock="wall",
auth_id=…, auth_token=…)``. Everything heavy is imported when a fixture is first used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pytest

if TYPE_CHECKING:
    from plivo_sim.testing import Handle, InProcess, Served
    from plivo_sim.testing.inbox import Inbox

H = TypeVar("H", bound="Handle")
_MARKED = ("scenario", "machine", "clock", "auth_id", "auth_token")
"""What the marker takes beside settings."""
_NAMES = f"; there are {', '.join(_MARKED)} and the settings, such as start, seed, new_api"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "plivo_sim(scenario, machine, start, seed, new_api, clock, auth_id, auth_token): how the "
        "simulator starts in this test, and which account its fixtures are of",
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
    from plivo_sim.testing.inbox import Inbox

    inbox = Inbox()
    yield inbox
    inbox.close()


@pytest.fixture
def plivo_sim(_plivo_in_process: InProcess, request: pytest.FixtureRequest) -> Iterator[InProcess]:
    """A fresh simulator in this process; its clock stands at 2026-01-05T09:00Z."""
    yield _begin(_plivo_in_process, request)
    _plivo_in_process.sim.remove_all()


@pytest.fixture
def plivo_server(_plivo_served: Served, request: pytest.FixtureRequest) -> Iterator[Served]:
    """A simulator behind a socket, as good as new; ``url`` says where."""
    yield _begin(_plivo_served, request)
    _plivo_served.sim.remove_all()  # so that nothing of this test arrives in the next


@pytest.fixture
def plivo_client(plivo_server: Served) -> Iterator[Any]:
    """The official SDK's client, pointed at ``plivo_server``."""
    plivo = pytest.importorskip("plivo", reason="plivo_client needs the SDK: pip install plivo")
    from plivo_sim.testing.sdk import point

    client = plivo.RestClient(plivo_server.auth_id, plivo_server.auth_token, timeout=30)
    with client:
        yield point(client, plivo_server.url)


@pytest.fixture
def plivo_inbox(_plivo_received: Inbox, request: pytest.FixtureRequest) -> Inbox:
    """A receiver of callbacks on loopback, empty, at a URL of this test's own."""
    token = _wanted(request).get("auth_token")
    _plivo_received.begin(*([token] if token is not None else []))
    return _plivo_received


def _wanted(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the test's marker says. Ends the test with a sentence when that makes no sense."""
    from dataclasses import fields

    from plivo_sim.domain.words import did_you_mean
    from plivo_sim.settings import Settings

    marker = request.node.get_closest_marker("plivo_sim")
    if marker is None:
        return {}
    known = [*_MARKED, *(field.name for field in fields(Settings))]
    wrong = [
        f"{name}=: no such argument{did_you_mean(name, known) or _NAMES}"
        for name in marker.kwargs
        if name not in known
    ]
    if (clock := marker.kwargs.get("clock")) not in (None, "wall", "paused"):
        wrong.append(f"clock: {clock!r} is not one of wall, paused")
    if marker.args:
        wrong.append("its arguments have names, such as scenario=")
    if wrong:
        _refuse("; ".join(wrong))
    return dict(marker.kwargs)


def _refuse(why: str) -> NoReturn:
    raise pytest.fail.Exception(f"@pytest.mark.plivo_sim: {why}", pytrace=False) from None


def _begin(handle: H, request: pytest.FixtureRequest) -> H:
    """Start the simulator anew, as the test's marker says."""
    from plivo_sim.domain.errors import SimError
    from plivo_sim.testing import test_settings

    wanted = _wanted(request)
    chosen = {name: _read(name, each) for name, each in wanted.items() if name not in _MARKED}
    if wanted.get("clock") == "wall":
        chosen |= {"paused": False, "start": None}
    handle.sim.begin_anew(test_settings(**chosen))
    account = {name: wanted[name] for name in ("auth_id", "auth_token") if name in wanted}
    try:
        handle.use_account(**account)
        if "machine" in wanted:
            handle.use_machine(wanted["machine"])
        if "scenario" in wanted:
            handle.use_scenario(wanted["scenario"])
    except (ValueError, OSError, SimError) as error:
        _refuse(str(error))
    request.node.stash[_HANDLE] = handle
    return handle


def _read(name: str, value: Any) -> Any:
    from plivo_sim.settings import read_setting

    try:
        return read_setting(name, value) if isinstance(value, str) else value
    except ValueError as error:
        _refuse(str(error))


_HANDLE: pytest.StashKey[Handle] = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)  # the newer kind of wrapper needs pluggy 1.2
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failing test shows what the simulator knows."""
    report: pytest.TestReport = (yield).get_result()
    if report.failed and report.when == "call" and _HANDLE in item.stash:
        report.sections.append(("plivo-sim", item.stash[_HANDLE].report()))
