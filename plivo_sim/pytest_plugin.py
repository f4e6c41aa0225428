"""The pytest plugin: installing plivo-sim is enough.

``plivo_sim`` (in process), ``plivo_server`` (behind a socket, one a session, reset before each
test), ``plivo_client`` (the official SDK pointed at it), ``plivo_inbox`` (a receiver), and
``@pytest.mark.plivo_sim(scenario=…, machine=…, start=…, seed=…, new_api=…, clock="wall",
auth_id=…, auth_token=…)``. Everything heavy is imported when a fixture is first used.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from plivo_sim.testing import Handle, InProcess, Remote, Served
    from plivo_sim.testing.inbox import Inbox

_MARKED = ("scenario", "machine", "clock", "auth_id", "auth_token")
"""What the marker takes beside settings."""
_NAMES = f"; there are {', '.join(_MARKED)} and the settings, such as start, seed, new_api"


_URL: pytest.StashKey[str] = pytest.StashKey()
_RUN_ID: pytest.StashKey[str] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("plivo-sim")
    group.addoption(
        "--plivo-sim-url", metavar="URL", help="a simulator that runs elsewhere, in which each "
        "test gets an account of its own; default: PLIVO_SIM_URL, else a server of its own",
    )  # fmt: skip
    group.addoption(
        "--plivo-sim-run-id", metavar="TEXT", help="what the auth ids of these accounts are made "
        "of, with the tests' ids; default: PLIVO_SIM_RUN_ID, else random",
    )  # fmt: skip
    group.addoption(
        "--plivo-sim-inbox-host", metavar="HOST", help="where that simulator reaches plivo_inbox; "
        "default: PLIVO_SIM_INBOX_HOST, else the address of this machine that faces it",
    )  # fmt: skip


def _given(config: pytest.Config, name: str) -> str:
    """What an option says, or the variable of this name."""
    text: str | None = config.getoption(f"plivo_sim_{name}")
    return os.environ.get(f"PLIVO_SIM_{name.upper()}", "") if text is None else text


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist learns which run this is."""
    node.workerinput["plivo_sim_run_id"] = node.config.stash[_RUN_ID]


def pytest_report_header(config: pytest.Config) -> str | None:
    if not config.stash[_URL]:
        return None
    return f"plivo-sim: {config.stash[_URL]}, --plivo-sim-run-id={config.stash[_RUN_ID]}"


def pytest_configure(config: pytest.Config) -> None:
    made_by_controller = getattr(config, "workerinput", {}).get("plivo_sim_run_id")
    config.stash[_URL] = _given(config, "url")
    config.stash[_RUN_ID] = made_by_controller or _given(config, "run_id") or os.urandom(8).hex()
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
def _plivo_remote(pytestconfig: pytest.Config) -> Remote:
    from plivo_sim.testing import Remote

    return Remote(pytestconfig.stash[_URL], pytestconfig.stash[_RUN_ID])


@pytest.fixture(scope="session")
def _plivo_received(pytestconfig: pytest.Config) -> Iterator[Inbox]:
    from plivo_sim.testing.inbox import Inbox, own_address

    host = _given(pytestconfig, "inbox_host")
    if not host and (url := pytestconfig.stash[_URL]):
        host = own_address(url)
    inbox = Inbox(host=host or "127.0.0.1")
    yield inbox
    inbox.close()


@pytest.fixture
def plivo_sim(_plivo_in_process: InProcess, request: pytest.FixtureRequest) -> Iterator[InProcess]:
    """A fresh simulator in this process; its clock stands at 2026-01-05T09:00Z."""
    _begin(_plivo_in_process, request)
    yield _plivo_in_process
    _plivo_in_process.end()


@pytest.fixture
def plivo_server(request: pytest.FixtureRequest) -> Iterator[Served | Remote]:
    """A simulator behind a socket, as good as new; ``url`` says where. One that runs elsewhere, if
    there is one, unless the test wants a certain account."""
    elsewhere = request.config.stash[_URL] and "auth_id" not in _wanted(request)
    handle = request.getfixturevalue("_plivo_remote" if elsewhere else "_plivo_served")
    _begin(handle, request)
    yield handle
    handle.end()  # so that nothing of this test arrives in the next


@pytest.fixture
def plivo_client(plivo_server: Served | Remote) -> Iterator[Any]:
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


def _begin(handle: InProcess | Served | Remote, request: pytest.FixtureRequest) -> None:
    """Start the simulator, or the account, anew, as the test's marker says."""
    from plivo_sim.client import Unreachable
    from plivo_sim.domain.errors import SimError
    from plivo_sim.testing import Remote

    wanted = _wanted(request)
    chosen = {name: _read(name, each) for name, each in wanted.items() if name not in _MARKED}
    if wanted.get("clock") == "wall":
        chosen |= {"paused": False, "start": None}
    account = {name: wanted[name] for name in ("auth_id", "auth_token") if name in wanted}
    try:
        if isinstance(handle, Remote):
            handle.use_account(handle.auth_id, **account)
            handle.begin(request.node.nodeid, **chosen)
        else:
            handle.begin(**chosen)
            handle.use_account(**account)
        if "machine" in wanted:
            handle.use_machine(wanted["machine"])
        if "scenario" in wanted:
            handle.use_scenario(wanted["scenario"])
    except (ValueError, OSError, SimError) as error:
        _refuse(str(error))
    except Unreachable as error:
        pytest.fail(str(error), pytrace=False)
    request.node.stash[_HANDLE] = handle


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
