"""Socket activation: systemd listens, and hands its socket to the server that it starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from plivo_sim.client import Client
from plivo_sim.web.server import handed_over

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no systemd")

START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": sys.argv[2]}
os.execv(sys.executable, [sys.executable, "-m", "plivo_sim.cli", *sys.argv[3:]])
"""
"""As systemd starts a service: the process that gets the socket is the one that is named."""


@contextmanager
def started(listener: socket.socket, count: int = 1) -> Iterator[subprocess.Popen[str]]:
    fd = str(listener.fileno())
    words = [sys.executable, "-c", START, fd, str(count), "serve", "--paused"]
    process = subprocess.Popen(
        words, pass_fds=[listener.fileno()], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.live
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_connection_that_came_before_the_start_is_answered(family: socket.AddressFamily) -> None:
    """It has waited in systemd's socket; the port is that socket's, whatever the setting says."""
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((host, port), timeout=60) as early:
            early.sendall(b"GET /_sim/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with started(listener) as process:
                assert early.recv(100).startswith(b"HTTP/1.1 200 ")
                url = (
                    f"http://{host}:{port}" if family == socket.AF_INET else f"http://[::1]:{port}"
                )
                assert Client(url).ready()["status"] == "ready"
                assert process.stdout is not None
                assert any(str(port) in process.stdout.readline() for _ in range(5))


def test_several_sockets_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, started(listener, 2) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "2 sockets; one is taken" in told


def test_one_that_is_meant_for_another_process_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A child of the service inherits the variables; they are removed for its own children."""
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    monkeypatch.setenv("LISTEN_FDS", "1")
    assert handed_over() is None
    assert "LISTEN_PID" not in os.environ


def unbound() -> socket.socket:
    return socket.socket()


def bound() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


def datagrams() -> socket.socket:
    made = socket.socket(type=socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    return made


def local() -> socket.socket:
    made, other = socket.socketpair()
    other.close()
    return made


@pytest.mark.parametrize("make", [unbound, bound, datagrams, local])
def test_what_nobody_connects_to_is_refused(make: Callable[[], socket.socket]) -> None:
    """An unbound socket would have listened to everybody, on some port."""
    with make() as given, started(given) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "is not one of TCP that listens" in told
    assert "Traceback" not in told
