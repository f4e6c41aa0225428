"""``plivo-sim run``: a simulator for the time of one command."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from typing import Any

import pytest

from plivo_sim.cli import run as run_module
from plivo_sim.settings import Settings
from tests.support import free_ports

pytestmark = pytest.mark.live

RUN = [sys.executable, "-m", "plivo_sim.cli", "run"]
ASKS = """
import json, os, urllib.request
health = json.load(urllib.request.urlopen(os.environ["PLIVO_SIM_URL"] + "/_sim/health"))
assert health["status"] == "ok"
assert os.environ["PLIVO_SIM_API"] == os.environ["PLIVO_SIM_URL"] + "/v1/Account"
import plivo
from plivo_sim.testing.sdk import pointed
with pointed(os.environ["PLIVO_SIM_URL"]), plivo.RestClient() as client:
    print(client.end_users.list().meta.total_count)
"""


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *args], capture_output=True, text=True, timeout=60, check=False)


def test_the_command_finds_a_simulator_and_credentials() -> None:
    """The SDK reads its auth id and token from the environment."""
    done = run("--", sys.executable, "-c", ASKS)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


@pytest.mark.parametrize("code", [0, 7])
def test_it_ends_with_the_command_s_exit_code(code: int) -> None:
    """So that CI sees it."""
    assert run("--", sys.executable, "-c", f"raise SystemExit({code})").returncode == code


def test_a_command_that_is_not_there() -> None:
    """127, as a shell says it."""
    done = run("--", "no-such-command-at-all")
    assert done.returncode == 127
    assert "cannot run 'no-such-command-at-all'" in done.stderr


def test_a_signal_reaches_the_command() -> None:
    """And the simulator stops after it."""
    code = "print('up', flush=True); import signal; signal.pause()"
    with subprocess.Popen(
        [*RUN, "--", sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM


def test_a_hangup_that_is_ignored_stays_so() -> None:
    """As nohup asks, for the command too."""
    asks = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    nohup = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
    done = subprocess.run(
        [*nohup, *RUN, "--", sys.executable, "-c", asks],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_proxy_is_not_asked_for_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command calls this machine directly; what it called so before, it still does."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    done = run("--", sys.executable, "-c", f"{ASKS}\nprint(os.environ['no_proxy'])")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "intranet.example,127.0.0.1,localhost,::1"


def test_what_kubernetes_sets_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in a line on stderr; the command runs."""
    monkeypatch.setenv("PLIVO_SIM_PORT", "tcp://10.96.14.2:8700")
    done = run("--", sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr.startswith("PLIVO_SIM_PORT: set by the platform")


@pytest.mark.parametrize("by_variable", [False, True])
def test_the_port_can_be_chosen(by_variable: bool) -> None:
    """By option or variable, as with serve."""
    port = str(*free_ports(1))
    asks = "import os; print(os.environ['PLIVO_SIM_URL'])"
    options = () if by_variable else ("--port", port)
    env = os.environ | ({"PLIVO_SIM_PORT": port} if by_variable else {})
    done = subprocess.run(
        [*RUN, *options, "--", sys.executable, "-c", asks],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == f"http://127.0.0.1:{port}\n", done.stderr


def test_ctrl_c_reaches_the_command_once() -> None:
    """The terminal sends it to every process by itself; a second one would cut the command's own
    ending short."""
    code = """
import os, signal
come, note = os.pipe()  # a signal between a look and a pause would be waited for
os.set_blocking(note, False)
signal.set_wakeup_fd(note)
heard = []
signal.signal(signal.SIGINT, lambda *_: (heard.append(1), print("heard", flush=True)))
signal.signal(signal.SIGTERM, lambda *_: exit(len(heard)))
print("up", flush=True)
while True:
    os.read(come, 1)
"""
    terminal, theirs = pty.openpty()

    def take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [*RUN, "--", sys.executable, "-c", code],
        stdin=theirs, stdout=subprocess.PIPE, text=True, preexec_fn=take_the_terminal,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.write(terminal, b"\x03")
        assert process.stdout.readline() == "heard\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 1
    os.close(terminal)
    os.close(theirs)


def test_options_are_those_of_serve() -> None:
    """A wrong one is a usage error."""
    done = run("--review-delay", "soon", "--", "true")
    assert done.returncode == 2
    assert "review_delay" in done.stderr


def test_a_signal_before_the_command_is_known_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; without this the command would outlive a run that is ended at that moment."""
    begun: list[subprocess.Popen[bytes]] = []

    class Late(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            begun.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

        sent = 0

        def send_signal(self, sig: int) -> None:
            self.sent += 1
            super().send_signal(sig)

    monkeypatch.setattr(run_module.subprocess, "Popen", Late)
    code = run_module.run_beside(("sleep", "60"), Settings(port=0), dict(os.environ))
    assert (code, begun[0].sent) == (128 + signal.SIGTERM, 1)  # type: ignore[attr-defined]
