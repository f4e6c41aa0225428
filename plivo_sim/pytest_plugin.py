"""The pytest plugin: installing plivo-sim is enough.

``plivo_sim`` (in process), ``plivo_server`` (behind a socket, one a session, reset before each
test), ``plivo_client`` (the official SDK pointed at it), ``plivo_pointed`` (everything pointed at
it), ``plivo_inbox`` (a receiver), and ``@pytest.mark.plivo_sim(scenario=…, machine=…, start=…,
seed=…, new_api=…, clock="wall", auth_id=…, auth_token=…, subaccount_token=…, pointed=True)``.
Everything heavy is imported when a fixture is first used. The guard is in ``outgoing/plugin.py``.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from plivo_sim.testing import Handle, InProcess, Remote, Served
    from plivo_sim.testing.inbox import Inbox

pytest_plugins = ("plivo_sim.outgoing.plugin",)

_ACCOUNT = ("auth_id", "auth_token", "subaccount_token")
_INI = (*_ACCOUNT, "seed")
"""What the ini file may say for every test."""
_ARGUMENTS = ("plivo_sim", "plivo_server")
"""The fixtures that take the same as an argument (``indirect`` parameters)."""
_NAMELESS = "its arguments have names, such as scenario="


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
    for name in _INI:
        parser.addini(f"plivo_{name}", f"as {name}= of the marker plivo_sim, for every test")


def _given(config: pytest.Config, name: str) -> str:
    """What an option says, or the variable of this name."""
    text: str | None = config.getoption(f"plivo_sim_{name}")
    return os.environ.get(f"PLIVO_SIM_{name.upper()}", "") if text is None else text


def _url(config: pytest.Config) -> str:
    """Of the simulator that runs elsewhere, with its scheme; empty without one."""
    text = _given(config, "url")
    if text:
        from plivo_sim.domain.urls import with_scheme

        text = with_scheme(text)
    return text


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Before the first test: whether a simulator answers at the URL, if any test is to use it. With
    pytest-xdist its controller asks, which does not know the tests."""
    config = session.config
    url = config.stash[_URL]
    if not url or config.option.collectonly or hasattr(config, "workerinput"):
        return
    names = (getattr(each, "fixturenames", ()) for each in session.items)
    if config.pluginmanager.has_plugin("dsession") or any("plivo_server" in each for each in names):
        from plivo_sim.client import Client

        try:
            Client(url).ready()
        except Exception as error:
            raise pytest.UsageError(f"--plivo-sim-url, or PLIVO_SIM_URL: {_why(error)}") from None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist learns which run this is. With ``--dist each`` every worker runs
    every test, so each is a run of its own."""
    run_id = node.config.stash[_RUN_ID]
    is_own = node.config.getoption("dist", "") == "each"
    node.workerinput["plivo_sim_run_id"] = f"{run_id}-{node.gateway.id}" if is_own else run_id


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Where the simulator is, and which ``PLIVO_SIM_*`` variables nothing reads, or not here."""
    lines = []
    if config.stash[_URL]:
        lines = [f"plivo-sim: {config.stash[_URL]}, --plivo-sim-run-id={config.stash[_RUN_ID]}"]
    given = {name: text for name, text in os.environ.items() if name.startswith("PLIVO_SIM_")}
    if given:
        from plivo_sim.variables import of_settings, unread

        told = "{} is set, and nothing reads it; {}"
        lines += [f"plivo-sim: {told.format(*each)}" for each in unread(given)]
        if not config.stash[_URL]:
            told = "plivo-sim: {} is set, which no fixture reads; the marker or served takes {}="
            known = of_settings(given)
            lines += [told.format(each, each.removeprefix("PLIVO_SIM_").lower()) for each in known]
    return lines


def pytest_configure(config: pytest.Config) -> None:
    made_by_controller = getattr(config, "workerinput", {}).get("plivo_sim_run_id")
    config.stash[_URL] = _url(config)
    config.stash[_RUN_ID] = made_by_controller or _given(config, "run_id") or os.urandom(8).hex()
    config.addinivalue_line(
        "markers",
        "plivo_sim(scenario, machine, start, seed, new_api, clock, auth_id, auth_token, "
        "subaccount_token, pointed): how the simulator starts in this test, which account its "
        "fixtures are of, and whether all that would call Plivo is pointed at it",
    )
    auth_id = config.getini("plivo_auth_id")
    if auth_id and not re.fullmatch("[MS]A[A-Za-z0-9]{18}", auth_id):
        text = f"plivo_auth_id: {auth_id!r} is not MA or SA and 18 letters or digits"
        raise pytest.UsageError(text)
    if seed := config.getini("plivo_seed"):
        from plivo_sim.settings import read_setting

        try:
            read_setting("seed", seed)
        except ValueError as error:
            raise pytest.UsageError(f"plivo_{error}") from None


def pytest_itemcollected(item: pytest.Item) -> None:
    """``pointed=True`` is the fixture ``plivo_pointed``, before all others."""
    said = (each.kwargs for each in item.iter_markers("plivo_sim"))
    names = getattr(item, "fixturenames", None)
    is_pointed = next((each["pointed"] for each in said if "pointed" in each), False) is True
    if is_pointed and names is not None:
        names[:] = dict.fromkeys(("plivo_pointed", *names))


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
    from plivo_sim.testing.inbox import LOOPBACK, Inbox, own_address

    host = _given(pytestconfig, "inbox_host")
    if not host and (url := pytestconfig.stash[_URL]):
        host = own_address(url)
    inbox = Inbox(host=host or LOOPBACK)
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
    handle = request.getfixturevalue("_plivo_remote" if _is_elsewhere(request) else "_plivo_served")
    _begin(handle, request)
    yield handle
    try:
        try:
            handle.close_clients()
        finally:
            handle.end()  # so that nothing of this test arrives in the next
    except Exception as error:
        if not _is_ours(error):
            raise
        pytest.fail(f"plivo_server, after the test: {error}", pytrace=False)


@pytest.fixture
def plivo_client(plivo_server: Served | Remote) -> Any:
    """The official SDK's client, pointed at ``plivo_server``."""
    try:
        return plivo_server.client()
    except ModuleNotFoundError as error:  # no skip: the suite would be green without a test
        pytest.fail(f"plivo_client needs the SDK (pip install plivo): {error}", pytrace=False)


@pytest.fixture
def plivo_pointed(
    plivo_server: Served | Remote, pytestconfig: pytest.Config
) -> Iterator[Served | Remote]:
    """``plivo_server``, with all that this process would send to Plivo going there meanwhile."""
    from plivo_sim.outgoing.pointing import pointed

    with pointed(plivo_server.url, pytestconfig.getini("plivo_guard_hosts")):
        yield plivo_server


@pytest.fixture
def plivo_inbox(_plivo_received: Inbox, request: pytest.FixtureRequest) -> Inbox:
    """A receiver of callbacks on loopback, empty, at a URL of this test's own."""
    wanted = _wanted(request)
    given = {"token": wanted["auth_token"]} if "auth_token" in wanted else {}
    names = request.fixturenames
    is_here = not _is_elsewhere(request) if "plivo_server" in names else "plivo_sim" in names
    _plivo_received.begin(**given, is_near=is_here)
    _plivo_received.subaccount_token = wanted.get("subaccount_token", "")
    _plivo_received.known = request.node.stash.setdefault(_KNOWN, [])
    return _plivo_received


def _is_elsewhere(request: pytest.FixtureRequest) -> bool:
    """Whether ``plivo_server`` of this test is the simulator that runs elsewhere."""
    return bool(request.config.stash[_URL]) and "auth_id" not in _wanted(request)


def _wanted(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the ini file, the markers (the nearest last) and the fixture's argument say. Ends the
    test with a sentence when that makes no sense."""
    from plivo_sim.testing.accounts import merged
    from plivo_sim.testing.markers import mistakes

    ini = {name: request.config.getini(f"plivo_{name}") for name in _INI}
    markers = [*request.node.iter_markers("plivo_sim")]
    layers = [each.kwargs for each in reversed(markers)]
    params = getattr(request.node, "callspec", None)
    given = [params.params[name] for name in _ARGUMENTS if params and name in params.params]
    wrong = [] if all(not each.args for each in markers) else [_NAMELESS]
    wrong += [f"{each!r} is no dictionary" for each in given if not isinstance(each, Mapping)]
    if wrong or (wrong := [text for each in (*layers, *given) for text in mistakes(each)]):
        _refuse("; ".join(wrong))
    return merged([{name: text for name, text in ini.items() if text}, *layers, *given])


def _refuse(why: str) -> NoReturn:
    raise pytest.fail.Exception(f"@pytest.mark.plivo_sim: {why}", pytrace=False) from None


def _begin(handle: InProcess | Served | Remote, request: pytest.FixtureRequest) -> None:
    """Start the simulator, or the account, anew, as the test's marker says."""
    from plivo_sim.client import Unreachable
    from plivo_sim.domain.errors import SimError
    from plivo_sim.testing import Remote
    from plivo_sim.testing.accounts import fixed_tokens
    from plivo_sim.testing.markers import MARKED
    from plivo_sim.testing.values import setting_of

    wanted = _wanted(request)
    chosen = {name: each for name, each in wanted.items() if name not in MARKED}
    if wanted.get("clock") == "wall":
        chosen |= {"paused": False, "start": None}
    if fixed := fixed_tokens(wanted):
        chosen["credentials"] = setting_of("credentials", chosen.get("credentials", {})) | fixed
    account = {name: wanted[name] for name in ("auth_id", "auth_token") if name in wanted}
    try:
        if isinstance(handle, Remote):
            handle.begin(request.node.nodeid, **account, **chosen)
        else:
            handle.begin(**chosen)
            handle.use_account(**account)
        if "machine" in wanted:
            handle.use_machine(wanted["machine"])
        if "scenario" in wanted:
            handle.use_scenario(wanted["scenario"])
    except BaseException as error:
        with suppress(Unreachable, SimError, OSError):
            handle.end()  # what was made of it; the fixture does not come to its own end
        if isinstance(error, ValueError | OSError | SimError):
            _refuse(str(error))
        if isinstance(error, Unreachable):
            pytest.fail(str(error), pytrace=False)
        raise
    handle.known = request.node.stash.setdefault(_KNOWN, [])
    fixed = setting_of("credentials", chosen.get("credentials", {}))
    handle.known += [handle.credentials, *fixed.items()]
    request.node.stash[_HANDLE] = handle


_HANDLE: pytest.StashKey[Handle] = pytest.StashKey()
_KNOWN: pytest.StashKey[list[tuple[str, str]]] = pytest.StashKey()
"""Auth ids and tokens of all accounts that a test has handles for, or gave fixed tokens."""


@pytest.hookimpl(hookwrapper=True)  # the newer kind of wrapper needs pluggy 1.2
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failing test shows what the simulator knows."""
    report: pytest.TestReport = (yield).get_result()
    if report.failed and report.when == "call" and _HANDLE in item.stash:
        report.sections.append(("plivo-sim", _told_by(item.stash[_HANDLE])))


def _told_by(handle: Handle) -> str:
    """What the simulator knows, else why it does not say it: the test may have ended it, and what
    the test has patched is patched still. What a hook raises would end the whole run."""
    try:
        told = handle.report()
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException as error:  # pytest's own failures are no Exception
        told = f"no report: {_why(error)}"
    return told.encode(errors="backslashreplace").decode()  # as pytest-xdist can send it


def _why(error: BaseException) -> str:
    """The sentence of an error of ours; others with their type."""
    if _is_ours(error):
        return str(error)
    return "".join(traceback.format_exception_only(error)).strip()


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.startswith("plivo_sim.")
