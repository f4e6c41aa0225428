"""What plivo-sim does where the names that Windows lacks are missing, and files behave as on NTFS.

It is no Windows: see ``emulated``.
"""

from __future__ import annotations

import ast
import http.client
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import pytest
import urllib3

from plivo_sim.web import connections
from plivo_sim.web.server import make_server
from tests.conftest import serving as in_process
from tests.support import Http
from tests.windows.emulated import BREAK, FORBIDDEN, RESERVED

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
ACCOUNT = "MAxxxxxxxxxxxxxxxxxx"
LOADED = """\
from importlib import import_module
from pkgutil import walk_packages
import plivo_sim
for each in walk_packages(plivo_sim.__path__, "plivo_sim."):
    if not each.name.endswith("__main__"):
        import_module(each.name)
"""
FROZEN = """\
from freezegun import freeze_time
with freeze_time("2020-01-01"):
    from plivo_sim.account.clock import monotonic_s
    earlier = monotonic_s()
assert 0 <= monotonic_s() - earlier < 3600
"""
SUITE = [
    "tests/account/store/test_growth.py",
    "tests/recording/test_tapes.py",
    "tests/web/test_server.py",
]
NOT_THERE = "for_its_owner or bounded"  # file modes; what takes some 100 MB


def words(folder: Path, module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.windows.emulated", str(folder), module, *arguments]


def run(folder: Path, module: str, *arguments: str, code: int = 0) -> str:
    """What was printed."""
    done = subprocess.run(
        words(folder, module, *arguments),
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """Where a simulator with a state answers, and its process; it is ended by ``SIGBREAK``."""
    served = words(folder, "plivo_sim.cli", "serve", "--port", "0", "--paused", "--fsync", "always",
                   "--state", str(folder / "state"))  # fmt: skip
    with subprocess.Popen(served, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            yield process.stdout.readline().split()[-1].removesuffix("/v1/Account"), process.pid
            process.send_signal(BREAK)
            process.wait(PATIENCE_S)
        finally:
            process.kill()
        assert (process.returncode, "stopping" in process.stdout.read()) == (0, True)


def told(method: str, url: str, body: Any = None) -> Any:
    headers = urllib3.make_headers(basic_auth=f"{ACCOUNT.upper()}:x") if "/v1/" in url else {}
    answer = urllib3.request(
        method, url, json=body, timeout=PATIENCE_S, retries=False, headers=headers
    )
    assert answer.status in (200, 201), answer.data
    return answer.json()


@pytest.mark.parametrize("script", [LOADED, FROZEN], ids=["loaded", "frozen"])
def test_modules_load(tmp_path: Path, script: str) -> None:
    """None needs a name or a module that is not there; deadlines know no frozen time, not even one
    in which they were loaded."""
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        words(tmp_path, "script"),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_simulator_lives_twice(tmp_path: Path) -> None:
    """It starts, files applications and decides, tells who it is, stops, and goes on where it was.
    Two accounts whose ids differ in capital letters only are kept apart."""
    query = f"account={ACCOUNT}"
    with serving(tmp_path) as (url, pid):
        for account in (ACCOUNT, ACCOUNT.upper()):
            seeded = ("seed", "1", "--url", url, "--account", account, "--json")
            (made,) = json.loads(run(tmp_path, "plivo_sim.cli", *seeded))["applications"]
        told("POST", f"{url}/_sim/clock/advance?{query}", {"by": "9 days"})
        fault = {"effect": "reset", "operation": "compliance.get", "times": 1}
        told("POST", f"{url}/_sim/faults?account={ACCOUNT.upper()}", fault)
        place = f"{url}/v1/Account/{ACCOUNT.upper()}/PhoneNumber/Compliance/"
        with pytest.raises(urllib3.exceptions.ProtocolError):
            told("GET", f"{place}{made['compliance_id']}/")
        before = told("GET", f"{url}/_sim/applications?{query}")
        found = run(tmp_path, "plivo_sim.cli", "doctor", "--url", url,
                    "--state", str(tmp_path / "state"))  # fmt: skip
        assert f"is in use by a running plivo-sim (process {pid} on " in found
        second = ("serve", "--port", "0", "--state", str(tmp_path / "state"))
        assert f"(process {pid} on " in run(tmp_path, "plivo_sim.cli", *second, code=1)
    with serving(tmp_path) as (url, _):
        assert told("GET", f"{url}/_sim/applications?{query}") == before
        told("POST", f"{url}/_sim/reset?{query}")
        assert [p.name for p in (tmp_path / "state" / "accounts").iterdir()] == [ACCOUNT.upper()]


def test_a_command_runs_beside_one(tmp_path: Path) -> None:
    """It is found by its name, and its exit code is that of the command."""
    run(tmp_path, "plivo_sim.cli", "run", "--", "python3", "-c", "raise SystemExit(7)", code=7)


def test_tests_pass(tmp_path: Path) -> None:
    """Those of the store that rename and remove files, of tapes, of waiting for sockets."""
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'own'}"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # this module is loaded already
    out = run(tmp_path, "pytest", *options, "-k", f"not ({NOT_THERE})", *SUITE)
    assert " passed" in out


def test_what_is_registered_while_select_waits_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has nothing better than ``select``, which knows what it was called with."""
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
    monkeypatch.setattr(connections, "TICK_S", 3600.0)
    app = flask.Flask(__name__)
    app.add_url_rule("/", "root", lambda: "here")
    server = make_server(app)
    server.start()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        for _ in range(5):
            client.request("GET", "/")
            assert client.getresponse().read() == b"here"
    finally:
        client.close()
        server.stop()


def test_a_folder_that_was_called_as_its_account_is_renamed(tmp_path: Path) -> None:
    """Ids with small letters once had folders that NTFS took for those of other accounts."""
    accounts = tmp_path / "accounts"
    with in_process(tmp_path) as served:
        made = Http(served.app, served.sim, auth_id=ACCOUNT).sdk_created()
    (folder,) = accounts.iterdir()
    assert folder.name.lower() != ACCOUNT.lower()
    folder.rename(accounts / ACCOUNT)
    with in_process(tmp_path) as served:
        kept = served.sim.account(ACCOUNT).store.applications.every()
        assert [each.id for each in kept] == [made]
    assert list(accounts.iterdir()) == [folder]


def test_text_is_read_and_written_as_everywhere() -> None:
    """Windows has another encoding, and another end of a line, where a file is opened without."""
    calls = [
        call
        for file in (ROOT / "plivo_sim").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
    ]
    assert [ast.unparse(call) for call in calls if not _needed(call) <= _given(call)] == []


def _given(call: ast.Call) -> set[str | None]:
    named = {each.arg for each in call.keywords}
    is_told = any(isinstance(each, ast.Constant) and each.value == "utf-8" for each in call.args)
    return named | {"encoding"} if is_told else named


def _needed(call: ast.Call) -> set[str]:
    """What a call that opens a text has to say."""
    match call.func:
        case ast.Attribute(attr="read_text"):
            return {"encoding"}
        case ast.Attribute(attr="write_text"):
            return {"encoding", "newline"}
        case ast.Attribute(attr="open", value=ast.Name(id="os" | "client")):  # a URL
            return set()
        case ast.Attribute(attr="open"):
            modes = call.args[:1]
        case ast.Name(id="open") if len(call.args) < 3:  # else it is not buffered: no text
            modes = call.args[1:]
        case _:
            return set()
    mode = ast.literal_eval(modes[0]) if modes and isinstance(modes[0], ast.Constant) else ""
    if "b" in mode:
        return set()
    return {"encoding"} if not modes or mode == "r" else {"encoding", "newline"}


def test_a_checkout_has_names_that_ntfs_takes() -> None:
    """And no two in a folder that are the same to it."""
    folders = ("plivo_sim", "scenarios", "docs", "tests", "benchmarks")
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    paths = [path for path in paths if "node_modules" not in path.parts]
    assert len({str(path).lower() for path in paths}) == len(paths)
    wrong = [each for each in paths if RESERVED.fullmatch(each.name) or FORBIDDEN.search(each.name)]
    assert wrong == []
