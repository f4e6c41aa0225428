"""``serve`` and ``try``, as processes of their own: what they print, obey and refuse."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from plivo_sim import __version__
from plivo_sim.account.descriptors import MOST_OPEN
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.cli import main
from plivo_sim.cli.applications import run_try
from plivo_sim.cli.ready_file import ReadyFile
from plivo_sim.cli.server import _greeting
from plivo_sim.cli.shared import RefusedBySimulator, WrongFile
from plivo_sim.cli.starting import STOP_SIGNALS, ending_within, heard
from plivo_sim.client import Client, Refused
from plivo_sim.client.wsgi import Wsgi
from plivo_sim.settings import Settings, read_setting
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.fakes import full_pipe, until
from tests.machines.files import YEARLY
from tests.support import AUTH_ID, TOKEN

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "plivo_sim.cli"]
PATIENCE_S = 120.0


def environment(**variables: str) -> dict[str, str]:
    """This process's, without what would steer the simulator."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PLIVO_SIM_")}
    return inherited | variables


class Serving:
    """A ``plivo-sim serve`` that has greeted; ``greeting`` is what it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.greeting = ""
        for line in process.stdout:
            self.greeting += line
            if "Then move time" in line:
                break
        found = re.search(r"(https?://\S+)/v1/Account", self.greeting)
        assert found, f"no greeting: {self.greeting!r}"
        self.url = found[1]

    def client(self, auth_id: str = AUTH_ID, token: str = TOKEN) -> Client:
        return Client(self.url, auth_id, token)

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to stop; its exit code and what it still printed."""
        self.process.send_signal(how)
        printed, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, printed


@contextmanager
def serving(*options: str, **variables: str) -> Iterator[Serving]:
    """A simulator on a free port, until the block ends; killed if it gets stuck."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *options],
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        yield Serving(process)
    finally:
        process.terminate()
        process.communicate()
        watchdog.cancel()


def run(*words: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    env = environment(PYTHONPATH=str(ROOT), **variables)
    return subprocess.run(
        [*COMMAND, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE_S
    )


# --- serve -----------------------------------------------------------------------------------

live = pytest.mark.live


@live
def test_serve_greets_with_what_to_do_next() -> None:
    """The whole greeting, in memory and with the default delay."""
    with serving() as served:
        assert served.greeting == (
            f"plivo-sim {__version__}\n"
            f"  Point an SDK at   {served.url}/v1/Account\n"
            f"  In a browser      {served.url}/\n"
            f"  State             in memory, lost when this stops\n"
            f"  A review takes    5s\n"
            f"  First steps       plivo-sim try --url {served.url}\n"
            f"  Then move time    curl -X POST {served.url}/_sim/clock/advance "
            f"-H 'Content-Type: application/json' -d '{{\"by\": \"3d\"}}'\n"
        )
        assert served.client().control("GET", "/health")["version"] == __version__


@live
@pytest.mark.parametrize("how", ["option", "variable"])
def test_serve_names_a_machine_that_is_not_the_default_one(tmp_path: Path, how: str) -> None:
    """Its name, and the file that it is from; health tells it."""
    path = tmp_path / "yearly.yaml"
    path.write_text(YEARLY)
    options = ("--machine", str(path)) if how == "option" else ()
    variables = {} if options else {"PLIVO_SIM_MACHINE": str(path)}
    with serving(*options, **variables) as served:
        assert f"\n  Status machine    yearly, from {path}\n" in served.greeting
        assert served.client().control("GET", "/health")["machine"] == "yearly"


@live
def test_a_machine_survives_a_kill(tmp_path: Path) -> None:
    """What ``machine use`` has answered is kept."""
    machine = {"yaml": YEARLY, "account": AUTH_ID}
    with serving("--state", str(tmp_path)) as served:
        served.client().control("POST", "/machine", machine)
        served.stop(signal.SIGKILL)
    with serving("--state", str(tmp_path)) as served:
        told = served.client().control("GET", "/machine", account=AUTH_ID)
        assert (told["name"], told["chosen_by"]) == ("yearly", "account")


@live
def test_the_ready_file_names_a_url_that_answers(tmp_path: Path) -> None:
    """Whole, and nothing else beside it."""
    ready = tmp_path / "ready"
    with serving("--ready-file", str(ready)) as served:
        while not ready.exists():
            assert served.process.poll() is None
        assert ready.read_text() == served.url
        assert Client(ready.read_text()).control("GET", "/health")["status"] == "ok"
        assert list(tmp_path.iterdir()) == [ready]
        served.stop()
    assert list(tmp_path.iterdir()) == []


@live
def test_what_nobody_reads_stops_no_server(tmp_path: Path) -> None:
    """It starts, answers and ends, though all that it prints goes into a full pipe."""
    ready = tmp_path / "ready"
    with full_pipe() as (_, writer), subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--ready-file", str(ready)],
        env=environment(), stdout=writer, stderr=writer,
    ) as process:  # fmt: skip
        try:
            until(lambda: ready.exists() or process.poll() is not None)
            assert Client(ready.read_text()).control("GET", "/accounts")["accounts"] == []
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_a_ready_file_of_an_earlier_server_is_removed(tmp_path: Path) -> None:
    """Before this one answers; and at the end the file of a server that came later stays."""
    path = tmp_path / "ready"
    path.write_text("http://127.0.0.1:1")
    ready = ReadyFile(path)
    assert not path.exists()
    ready.write("http://127.0.0.1:2")
    assert path.read_text() == "http://127.0.0.1:2"
    path.write_text("http://127.0.0.1:3")
    ready.remove()
    assert path.read_text() == "http://127.0.0.1:3"


@pytest.mark.parametrize("is_link", [False, True])
def test_a_file_with_something_else_in_it_is_no_ready_file(tmp_path: Path, is_link: bool) -> None:
    """A mistyped name, or a link that somebody left in a folder of all: nothing is deleted."""
    notes = path = tmp_path / "notes.txt"
    notes.write_text("my notes")
    if is_link:
        path = tmp_path / "ready"
        path.symlink_to(notes)
    with pytest.raises(WrongFile, match="something else in it"):
        ReadyFile(path)
    assert notes.read_text() == "my notes"


def test_a_ready_file_by_a_link(tmp_path: Path) -> None:
    """The link stays; what it leads to is the file."""
    path = tmp_path / "ready"
    path.symlink_to(tmp_path / "real")
    ready = ReadyFile(path)
    ready.write("http://127.0.0.1:2")
    assert (path.is_symlink(), path.read_text()) == (True, "http://127.0.0.1:2")
    ready.remove()
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_as_ready_file_stays_one() -> None:
    """The URL is written to it: here a terminal."""
    reader, device = os.openpty()
    try:
        path = Path(os.ttyname(device))
        ready = ReadyFile(path)
        ready.write("http://127.0.0.1:2")
        assert os.read(reader, 100) == b"http://127.0.0.1:2"
        ready.remove()
        assert path.is_char_device()
    finally:
        os.close(reader)
        os.close(device)


def test_a_fifo_as_ready_file_stays_one(tmp_path: Path) -> None:
    """Nothing waits for its reader, who gets the URL when it comes."""
    path = tmp_path / "ready"
    os.mkfifo(path)
    ready = ReadyFile(path)
    ready.write("http://127.0.0.1:2")
    assert path.read_text() == "http://127.0.0.1:2"
    ready.remove()
    assert path.is_fifo()


def test_the_standard_output_as_ready_file(tmp_path: Path) -> None:
    """What was printed before is kept, also when it goes to a file."""
    log = tmp_path / "log"
    script = (
        "from pathlib import Path; from plivo_sim.cli.ready_file import ReadyFile;"
        "r = ReadyFile(Path('/dev/stdout')); print('greeting', flush=True);"
        "r.write('http://127.0.0.1:2'); r.remove()"
    )
    with log.open("w") as stdout:
        subprocess.run([sys.executable, "-c", script], stdout=stdout, check=True)
    assert log.read_text() == "greeting\nhttp://127.0.0.1:2"


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("nope.invalid", "--host takes an address of this machine"),
        ("192.0.2.1", "--host takes an address of this machine"),
    ],
)
def test_a_host_that_is_none_of_this_machine(host: str, told: str) -> None:
    """Another port would not help."""
    done = run("serve", "--host", host, "--port", "0")
    assert done.returncode == 1
    assert one_sentence(done).endswith(told)


def test_a_damaged_authority(tmp_path: Path) -> None:
    """The files are named, and what to do."""
    for name in ("ca.pem", "ca-key.pem"):
        (tmp_path / name).write_text("damaged")
        (tmp_path / name).chmod(0o600)
    done = run("serve", "--port", "0", "--tls", "--tls-dir", str(tmp_path))
    assert done.returncode == 1
    assert str(tmp_path / "ca-key.pem") in one_sentence(done)


@live
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it_cleanly(how: int) -> None:
    """Exit code 0, whatever connections are still open: they are closed."""
    with serving() as served:
        place = urlsplit(served.url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        connection.request("GET", "/_sim/health")
        connection.getresponse().read()
        code, printed = served.stop(how)
        assert connection.sock.recv(1) == b""
        connection.close()
    assert (code, printed) == (0, "stopping\n")


HANGS = """
import threading
from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main, run, server
LiveSimulator.stop = lambda live: threading.Event().wait(3600)
server.STOPS_WITHIN_S = run.STOPS_WITHIN_S = 0.01
main()
"""


@live
def test_a_stop_that_hangs_is_ended() -> None:
    """At a disk that stalls, say: what was acknowledged is written."""
    command = [sys.executable, "-c", HANGS, "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            served = Serving(process)
            assert served.stop() == (0, "stopping\n")
        finally:
            process.kill()


@live
def test_a_run_whose_stop_hangs_is_ended() -> None:
    """With the exit code of its command."""
    words = ["run", "--port", "0", "--", sys.executable, "-c", "exit(7)"]
    done = subprocess.run(
        [sys.executable, "-c", HANGS, *words], cwd=ROOT, env=environment(), timeout=PATIENCE_S
    )
    assert done.returncode == 7


def test_a_stop_that_is_over_in_time_ends_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not watched any more."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with ending_within(3600.0):
        (watch,) = [each for each in threading.enumerate() if each.name == "stopping"]
    watch.join(60)
    assert (watch.is_alive(), ended) == (False, [])


def test_who_ignores_the_end_of_the_terminal_goes_on_so() -> None:
    """As nohup asks."""
    assert signal.SIGHUP in heard(STOP_SIGNALS)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert heard(STOP_SIGNALS) == [signal.SIGINT, signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)


@live
def test_too_few_descriptors_are_told() -> None:
    """Before, it started, and answered nobody."""
    few = ["sh", "-c", 'ulimit -n 48; exec "$@"', "sh", *COMMAND, "serve", "--port", "0"]
    done = subprocess.run(few, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    text = "no more than 48 files may be open (ulimit -n), and 64 are needed"
    assert done.stderr == f"Error: {text}\n"


@live
@pytest.mark.skipif(sys.platform != "linux", reason="nobody else can ask for it")
def test_it_may_open_as_many_files_as_the_system_lets_it(tmp_path: Path) -> None:
    """Without a state directory too: connections and callbacks need them."""
    import resource

    ready = tmp_path / "ready"
    few = ["sh", "-c", 'ulimit -Sn 100; exec "$@"', "sh", *COMMAND, "serve", "--port", "0"]
    with subprocess.Popen([*few, "--ready-file", str(ready)], stdout=subprocess.DEVNULL) as process:
        try:
            until(lambda: ready.exists() or process.poll() is not None)
            soft, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            assert soft == min(hard, MOST_OPEN)
        finally:
            process.kill()


@live
def test_a_port_in_use_is_told() -> None:
    """Exit code 1 and a way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    text = f"cannot listen on 127.0.0.1:{port}: Address already in use; try --port 0"
    assert done.stderr == f"Error: {text}\n"


@pytest.mark.parametrize(
    "words",
    [("serve", "--port", "0"), ("run", "--", "true"), ("replay", "instant-accept")],
    ids=" ".join,
)
def test_a_free_threaded_python_without_its_lock_is_refused(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """In one sentence that says what to do, by every command that starts a simulator."""
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: False, raising=False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: plivo-sim does not run without Python's global lock yet")
    assert "PYTHON_GIL=1" in done.stderr
    assert done.stderr.count("\n") == 1


@live
def test_requests_are_logged_on_stderr(tmp_path: Path) -> None:
    """One line each, with the dialect, the status and one clause."""
    log = tmp_path / "log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0"],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        served = Serving(process)
        with pytest.raises(Refused):
            served.client().compliance("GET", "none/")
        served.stop()
    (line,) = [line for line in log.read_text().splitlines() if "Compliance" in line]
    path = f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/none/"
    wanted = rf"\d\d:\d\d:\d\d GET {path} current 404 [\d.]+ms Compliance application not found\."
    assert re.fullmatch(wanted, line)


# --- settings --------------------------------------------------------------------------------


@live
def test_variables_are_obeyed_and_options_win() -> None:
    """A PLIVO_SIM_* variable for every setting; the command line has the last word."""
    with serving(
        "--review-delay",
        "36h",
        PLIVO_SIM_PAUSED="1",
        PLIVO_SIM_START="2030-01-01T00:00:00Z",
        PLIVO_SIM_REVIEW_DELAY="1h",
        PLIVO_SIM_CREDENTIALS=f"{AUTH_ID}:{TOKEN} MAYYYYYYYYYYYYYYYYYY:other",
    ) as served:
        clock = served.client().control("GET", "/clock", account=AUTH_ID)
        assert (clock["now"], clock["paused"]) == ("2030-01-01T00:00:00.000000Z", True)
        assert "A review takes    1d12h" in served.greeting
        assert served.client().compliance("GET")["compliances"] == []
        for auth_id in (AUTH_ID, "MAYYYYYYYYYYYYYYYYYY"):
            with pytest.raises(Refused, match="401: The auth token is wrong"):
                served.client(auth_id, "wrong").compliance("GET")


WRONG_OPTIONS = [
    (["--port", "x"], "port: 'x' is not a port: a whole number from 0 to 65535"),
    (["--port", ""], "port: '' is not a port"),
    (["--port", "70000"], "port: '70000' is not a port"),
    (["--warp", "fast"], "warp: the rate must be a number from 1e-9 to 1e9, not 'fast'"),
    (["--warp", "0"], "warp: the rate must be a number from 1e-9 to 1e9, not '0'"),
    (["--review-delay", "soon"], "review_delay: cannot read duration 'soon'"),
    (["--start", "tomorrow"], "start: cannot read instant 'tomorrow'"),
    (["--holidays", "Monday"], "holidays: 'Monday' is not a date: write 2026-01-26"),
    (
        ["--callback-timeout-s", "long"],
        "callback_timeout_s: the timeout must be a number",
    ),
    (["--new-api", "newest"], "new_api: 'newest' is not one of auto, current, beta"),
    (["--callback-retries", "60s,soon"], "callback_retries: cannot read duration 'soon'"),
    (["--credential", "MAXX"], "credentials: credential 1 is not ID:TOKEN"),
    (["--start", "9000-01-01T00:00:01Z"], "start: the clock stops at the year 9000"),
    (["--seed", "x"], "seed: 'x' is not a whole number"),
    (["--nonsense"], "there is no option --nonsense"),
]


@pytest.mark.parametrize(("options", "text"), WRONG_OPTIONS, ids=lambda each: str(each)[:40])
def test_wrong_options_are_usage_errors(options: list[str], text: str) -> None:
    """Exit code 2 and a sentence that names the setting; nothing is started."""
    done = CliRunner().invoke(main, ["serve", *options])
    assert done.exit_code == 2
    assert text in done.output


def test_a_wrong_variable_is_a_usage_error() -> None:
    """Like the option that it stands for."""
    done = CliRunner(env={"PLIVO_SIM_STRICT": "perhaps"}).invoke(main, ["serve"])
    assert done.exit_code == 2
    assert "strict" in done.output.lower()


@live
def test_a_missing_catalogue_is_told_by_its_name(tmp_path: Path) -> None:
    """And not as a port that cannot be had."""
    done = run("serve", "--port", "0", "--catalogue", str(tmp_path / "none.yaml"))
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
    assert "listen" not in done.stderr


# --- state -----------------------------------------------------------------------------------


@live
def test_a_state_directory_has_one_simulator(tmp_path: Path) -> None:
    """A second one is refused, whichever way it is started."""
    with serving("--state", str(tmp_path)) as served:
        assert f"State             {tmp_path}" in served.greeting
        done = run("serve", "--port", "0", PLIVO_SIM_STATE=str(tmp_path))
    assert done.returncode == 1
    holder = (tmp_path / "holder").read_text().strip()
    assert holder == f"process {served.process.pid} on {socket.gethostname()}"
    text = (
        f"{tmp_path} is in use by another plivo-sim ({holder}); stop it or choose another --state"
    )
    assert done.stderr == f"Error: {text}\n"


@live
def test_state_is_there_again(tmp_path: Path) -> None:
    """After a stop, with the clock where it stood."""
    options = ("--state", str(tmp_path), "--paused")
    with serving(*options) as served:
        done = run("try", "--url", served.url, "--auth-id", AUTH_ID)
        assert done.returncode == 0, done.stderr
        before = served.client().control("GET", "/accounts")
        assert served.stop()[0] == 0
    with serving(*options) as served:
        assert served.client().control("GET", "/accounts") == before
        assert before["accounts"][0]["applications"] == 1


@pytest.mark.parametrize("below", ["", "below"], ids=["a file", "below a file"])
def test_a_state_directory_that_cannot_be_used(tmp_path: Path, below: str) -> None:
    """Exit code 1 and its name."""
    (tmp_path / "state").touch()
    place = tmp_path / "state" / below
    done = run("serve", "--port", "0", "--state", str(place))
    assert done.returncode == 1
    assert str(place) in done.stderr
    assert "Traceback" not in done.stderr


# --- places that cannot be written, terminals that cannot show ------------------------------


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What a failing command said, which is one line."""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("Error: ").rstrip()


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A place where nothing can be written: below a file."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "below"


@live
def test_a_ready_file_that_cannot_be_written(blocked: Path) -> None:
    """The simulator stops again: whoever waits for the file would wait for ever."""
    done = run("serve", "--port", "0", "--ready-file", str(blocked))
    assert done.returncode == 2
    assert one_sentence(done) == f"--ready-file {blocked}: Not a directory"


def test_samples_that_cannot_be_written(blocked: Path) -> None:
    """A wrong file, like any other."""
    done = run("try", "--samples", str(blocked))
    assert done.returncode == 2
    assert one_sentence(done) == f"{blocked}: Not a directory"


def test_a_folder_for_certificates_that_cannot_be_made(blocked: Path) -> None:
    """It is named, and not taken for a port in use."""
    done = run("serve", "--port", "0", "--tls", "--tls-dir", str(blocked))
    assert done.returncode == 1
    assert one_sentence(done).startswith(f"--tls-dir: {blocked}: Not a directory; ")


def test_tls_without_a_home_directory() -> None:
    """What to do about it is said."""
    code = (
        "import pathlib, plivo_sim.cli\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "plivo_sim.cli.main(['serve', '--tls', '--port', '0'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "--tls-dir" in one_sentence(done)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("--version",), ("scenario", "check", "name-mismatch")])
def test_a_full_disk(words: tuple[str, ...]) -> None:
    """What a command prints cannot be kept: exit code 2 and a sentence, once."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *words], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert one_sentence(done) == "cannot be written: No space left on device"


def test_a_terminal_without_the_letters(tmp_path: Path) -> None:
    """They are shown escaped."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("scenario: प्रमाण पत्र wird abgelehnt.", "utf-8")
    done = run("scenario", "check", str(scenario), PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u092a" in done.stdout
    assert "wird abgelehnt" in done.stdout


@pytest.mark.parametrize(
    "words", [("--help",), ("scenario", "check", "name-mismatch"), ("scenario", "check", "no")]
)
def test_output_that_nobody_reads(words: tuple[str, ...]) -> None:
    """The exit code that a shell has for SIGPIPE; no refusal, and no words."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        errors = pipe if words[-1] == "no" else subprocess.PIPE
        done = subprocess.run(
            [*COMMAND, *words], env=environment(), stdout=pipe, stderr=errors, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr or "") == (141, "")


def test_no_output_at_all() -> None:
    """A closed standard output is no mistake of the command."""
    command = " ".join([*COMMAND, "scenario", "check", "name-mismatch", ">&-"])
    done = subprocess.run(
        ["sh", "-c", command],
        env=environment(), stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_json_that_is_nested_without_end(tmp_path: Path) -> None:
    """A wrong file."""
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    done = run("evaluate", str(deep))
    assert done.returncode == 2
    assert one_sentence(done) == "what was given is nested too deeply"


# --- words that are no command ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "meant"),
    [("statsu", "status"), ("clok", "clock"), ("reject", "apps reject"), ("save", "snapshot save")],
)
def test_a_mistyped_command_gets_a_suggestion(word: str, meant: str) -> None:
    """Also the name of one that belongs to a group."""
    done = CliRunner().invoke(main, [word])
    assert done.exit_code == 2
    assert f"No such command '{word}'; did you mean '{meant}'?" in done.output


# --- try -------------------------------------------------------------------------------------


def section(printed: str, title: str) -> str:
    """What ``try`` printed under a title, up to the next one."""
    lines = printed.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(title)) + 1
    rest = [n for n in range(start, len(lines)) if lines[n].startswith("# ")]
    return "\n".join(lines[start : min(rest, default=len(lines))]).strip()


SAMPLES = "my; samples"
"""Not where ``try`` is called, and with what means something to a shell and to curl."""


@pytest.fixture
def tried(tmp_path: Path) -> Iterator[tuple[Serving, str]]:
    """A running simulator, and what ``try --samples`` said of it in this folder."""
    with serving("--paused") as served:
        done = run("try", "--url", served.url, "--samples", SAMPLES, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        yield served, done.stdout


@live
def test_try_tells_the_whole_scenario(tried: tuple[Serving, str]) -> None:
    """The answer, the timeline, and a signed callback."""
    _, printed = tried
    made = json.loads(section(printed, "# Answer"))
    assert made["message"] == "Compliance application created and submitted for review."
    timeline = section(printed, "# Timeline").splitlines()
    assert [line.split()[:2] for line in timeline] == [
        ["2026-01-05T09:00:00.000000Z", "submitted"],
        ["2026-01-05T09:00:05.000000Z", "accepted"],
    ]
    body, signature = section(printed, "# Callbacks received").splitlines()
    assert json.loads(body) == {"compliance_id": made["compliance_id"], "status": "accepted"}
    assert re.fullmatch(r"  X-Plivo-Signature-V3: \S{44}", signature)


@live
def test_try_writes_samples(tried: tuple[Serving, str], tmp_path: Path) -> None:
    """Those that it uses, and some that are refused."""
    _, printed = tried
    names = sorted(path.name for path in (tmp_path / SAMPLES).iterdir())
    assert [f"wrote {SAMPLES}/{name}" in printed for name in names] == [True] * len(names)
    assert {"registration_certificate.pdf", "gst_certificate.png", "too_big.pdf"} <= set(names)


@live
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_line_that_try_prints_works(tried: tuple[Serving, str], tmp_path: Path) -> None:
    """Typed as it stands, where ``try`` was called."""
    script = section(tried[1], "# curl")
    done = subprocess.run(
        ["sh", "-ec", f"{script} -sS --fail-with-body"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert json.loads(done.stdout)["compliance_id"]


@live
def test_the_sdk_code_that_try_prints_works(tried: tuple[Serving, str], tmp_path: Path) -> None:
    """Run as it stands, where ``try`` was called."""
    served, printed = tried
    code = section(printed, "# plivo for Python")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    (account,) = served.client().control("GET", "/accounts")["accounts"]
    assert account["applications"] == 2


@live
def test_try_can_be_repeated(tried: tuple[Serving, str]) -> None:
    """And shows the callback of its own application only."""
    served, _ = tried
    done = run("try", "--url", served.url)
    made = json.loads(section(done.stdout, "# Answer"))
    body, _ = section(done.stdout, "# Callbacks received").splitlines()
    assert json.loads(body)["compliance_id"] == made["compliance_id"]


@live
def test_try_in_an_account_of_a_run() -> None:
    """Another for each ``PLIVO_SIM_RUN_ID``, and that which is named, if one is."""
    with serving("--paused") as served:
        for run_id in ("job 7", "job 8", ""):
            done = run("try", "--url", served.url, PLIVO_SIM_RUN_ID=run_id)
            assert done.returncode == 0, done.stderr
        named = ("--auth-id", AUTH_ID)
        done = run("try", "--url", served.url, *named, PLIVO_SIM_RUN_ID="job 7")
        found = served.client().control("GET", "/accounts")["accounts"]
    assert [each["applications"] for each in found] == [1, 1, 1, 1]
    assert {AUTH_ID, "MATRYTRYTRYTRYTRYTRY"} < {each["auth_id"] for each in found}


@live
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # any address
def test_try_on_a_strict_simulator(host: str) -> None:
    """Which takes https callback URLs only, but for that of an account: as its greeting says."""
    with serving("--strict", "--host", host) as served:
        assert f"First steps       plivo-sim try --url {served.url}\n" in served.greeting
        done = run("try", "--url", served.url.replace("127.0.0.1", host))
        assert (done.returncode, done.stderr) == (0, "")
        assert "callback_url" not in section(done.stdout, "# curl")
        made = json.loads(section(done.stdout, "# Answer"))
        body, _ = section(done.stdout, "# Callbacks received").splitlines()
        assert json.loads(body)["compliance_id"] == made["compliance_id"]


@live
def test_try_leaves_the_callback_url_of_a_strict_account() -> None:
    """Its callback was taken elsewhere, and that is said."""
    with serving("--strict") as served:
        url = f"{served.url}/_sim/inbox/own"
        account = {"auth_id": AUTH_ID, "settings": {"callback_url": url}}
        served.client().control("POST", "/accounts", account)
        done = run("try", "--url", served.url, "--auth-id", AUTH_ID)
    assert section(done.stdout, "# Callbacks received") == f"{url} took it"


@live
@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/webhooks/policy", {"drop": -1}, "no callback came; that to URL is dropped: "),
        ("/scenario", {"name": "stuck-in-review"}, "nothing more is due"),
    ],
)
def test_try_without_a_callback(path: str, body: dict[str, Any], told: str) -> None:
    """Exit code 1, and the reason."""
    with serving() as served:
        served.client().control("POST", path, body | {"account": AUTH_ID})
        done = run("try", "--url", served.url, "--auth-id", AUTH_ID)
    assert done.returncode == 1
    assert told.replace("URL", f"{served.url}/_sim/inbox/{AUTH_ID}") in done.stderr


def test_try_tells_what_the_last_attempt_came_to() -> None:
    sim = make_simulator(PAUSED, transport=MemoryTransport(500))
    client = Client("http://127.0.0.1", AUTH_ID, TOKEN, Wsgi(create_app(sim)))
    with pytest.raises(RefusedBySimulator, match="is pending: answered 500"):
        run_try(client, TOKEN, [].append)
    sim.close()


@live
def test_try_over_tls(tmp_path: Path) -> None:
    """As the greeting says, at the first start: the server's callbacks trust its own authority."""
    with serving("--tls", "--tls-dir", str(tmp_path)) as served:
        trust = f"SSL_CERT_FILE={tmp_path / 'ca.pem'}"
        assert f"First steps       {trust} plivo-sim try --url {served.url}\n" in served.greeting
        assert f"curl --cacert {tmp_path / 'ca.pem'} -X POST" in served.greeting
        trusting = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        done = run("try", "--url", served.url, **trusting)
        assert (done.returncode, done.stderr) == (0, "")
        assert "X-Plivo-Signature-V3" in section(done.stdout, "# Callbacks received")
        played = run("replay", "name-mismatch", "--url", served.url, **trusting)
        assert "the scenario holds" in played.stdout


def test_try_without_a_simulator() -> None:
    """Exit code 3, and how to start one."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = run("try", "--url", url)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"Error: nothing answers at {url}; start it: plivo-sim serve\n"


# --- help ------------------------------------------------------------------------------------


def test_help_lists_the_commands() -> None:
    """And the exit code is 0."""
    done = CliRunner().invoke(main, ["--help"])
    assert done.exit_code == 0
    assert {"serve", "try"} <= set(re.findall(r"^  (\w+)", done.output, re.MULTILINE))


def test_help_of_serve_names_every_setting_and_its_variable() -> None:
    """Nobody has to read the source for one."""
    words = " ".join(CliRunner().invoke(main, ["serve", "--help"]).output.split())
    for setting in fields(Settings):
        assert f"PLIVO_SIM_{setting.name.upper()}" in words.replace("- ", "-")
        help_text: Any = setting.metadata["help"]
        assert help_text.split(";")[0].split()[0] in words


@pytest.mark.parametrize("words", [["-h"], ["serve", "-h"], ["try", "--help"]])
def test_help_by_either_flag(words: list[str]) -> None:
    """For every command."""
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, done.output.startswith("Usage: ")) == (0, True)


def test_version() -> None:
    """The installed one."""
    assert CliRunner().invoke(main, ["--version"]).output == f"plivo-sim, version {__version__}\n"


def test_the_greeting_of_one_server_of_several() -> None:
    """Neither command would work at its own address: the one names no account, the other one that
    may be another server's."""
    settings = Settings(require_account=True, serves=read_setting("serves", "*[0-7]"))
    told = _greeting("http://127.0.0.1:8701", settings, "")
    assert told.endswith("\n  Accounts          *[0-7]; calls come through a proxy")
    assert "_sim" not in told
