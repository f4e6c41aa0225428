"""Servers in processes of their own, which never outlive this one; their memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.calls import Client, Failed, Request

START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 15.0
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A server's process group; whatever it prints goes nowhere."""

    def __init__(self, command: list[str], folder: Path, env: dict[str, str]) -> None:
        inherited = {**os.environ, "HOME": str(folder)}
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled
        self.began_s = time.perf_counter()
        self._popen = subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def wait_until_listening(self, port: int) -> float:
        """Milliseconds from its start until it takes connections. Raises Failed."""
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if self._popen.poll() is not None:
                raise Failed(f"ended with {self._popen.returncode} instead of starting")
            if time.perf_counter() - self.began_s > START_TIMEOUT_S:
                raise Failed(f"did not start within {START_TIMEOUT_S:.0f} s")
            time.sleep(0.002)
        return (time.perf_counter() - self.began_s) * 1000

    def wait_until_answered(self, port: int, request: Request) -> float:
        """Milliseconds from its start to its first answer. Raises Failed."""
        self.wait_until_listening(port)
        asking = Client(port)
        try:
            asking.ask(request)
        finally:
            asking.close()
        return (time.perf_counter() - self.began_s) * 1000

    def memory_mb(self) -> float:
        """Megabytes (10^6) of it and its children, shared pages divided among their users."""
        return sum(_memory_bytes(pid) for pid in _family(self._popen.pid)) / 1e6

    def stop(self, *, politely: bool = False) -> None:
        """Kill the whole group; ``politely`` lets it write down what it holds first."""
        if politely:
            self._popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(STOP_TIMEOUT_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait(STOP_TIMEOUT_S)


def _family(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _memory_bytes(pid: int) -> int:
    for name, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
                if line.startswith(key):
                    return int(line.split()[1]) * 1024
    raise Failed("this system does not tell a process's memory")


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="plivo-sim-peers-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def python_path() -> dict[str, str]:
    """Lets a child import the checkout that this file is of."""
    root = str(Path(__file__).resolve().parents[2])
    return {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}


def own_python() -> str:
    return sys.executable
