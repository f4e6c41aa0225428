"""Several servers behind one HAProxy: a rolling restart, a resize under load, and how far it goes.

    python benchmarks/wide.py restart --calls 30000
    python benchmarks/wide.py resize --seconds 20
    python benchmarks/wide.py ratios --seconds 5

Needs HAProxy (Debian: apt-get install haproxy). Everything runs on 127.0.0.1, with the
configuration of docs/examples/scale, and one folder of state a server.

``restart``: four servers are stopped (SIGTERM) and started again, one after the other and three
times over, while clients make end users and read them back. Prints how many calls there were and
how many failed.

``resize``: two servers become four. Accounts move while clients write to them; then the proxy gets
the new map. Prints the calls, the refusals (421, while the map is the old one) and how many writes
that were acknowledged are not there afterwards.

``ratios``: requests a second through the proxy with 1, 2 and 4 servers, each as a ratio of the
first: the best of three rounds, in turns. Servers, proxy and clients share the machine: its cores
are told, too.

Exits 1 when a call failed (``restart``) or an acknowledged write is lost.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.scale.proxies import RULES, program, start_proxy
from tests.support import free_ports

ROOT = Path(__file__).parents[1]
HALVES = [",".join(RULES[n::2]) for n in range(2)]
DRAIN_S = 1.0
CLIENTS = 8
ROUNDS = 3
"""Of rolling restarts, spread over the calls; of ratios."""
ACCOUNTS = [f"MAXXXXXXXXXXXXXXXX{a}{b}" for a in "0123" for b in "0123"]


@dataclass
class Server:
    """A simulator in a process of its own."""

    folder: Path
    port: int
    rule: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = ["serve", "--port", str(self.port), "--state", str(self.folder / str(self.port))]
        words += ["--paused", "--require-account", "--serves", self.rule, "--drain-s", str(DRAIN_S)]
        command = [sys.executable, "-m", "plivo_sim.cli", *words]
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        while not _answers(self.port):
            assert self.process.poll() is None, "a server ended"
            time.sleep(0.01)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/_sim/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


@dataclass
class Proxy:
    """HAProxy with the example's configuration."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self, servers: Sequence[Server]) -> None:
        """Or go on with other servers: what is under way is finished by the old process. With fewer
        than four, each has several of the rules."""
        ports = [self.port, *(servers[n % len(servers)].port for n in range(4))]
        more = ["-sf", str(self.process.pid)] if self.process else []
        self.process = start_proxy("haproxy", self.folder, ports, *more)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)


@contextmanager
def running(rules: Sequence[str]) -> Iterator[tuple[Proxy, list[Server]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port, *ports = free_ports(1 + len(rules))
        servers = [Server(folder, own, rule) for own, rule in zip(ports, rules, strict=True)]
        proxy = Proxy(folder, port)
        try:
            for each in servers:
                each.start()
            proxy.start(servers)
            yield proxy, servers
        finally:
            proxy.stop()
            for each in servers:
                if each.process is not None and each.process.poll() is None:
                    each.stop()


def headers_of(auth_id: str) -> dict[str, str]:
    credentials = base64.b64encode(f"{auth_id}:token".encode()).decode()
    return {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}


@dataclass
class Client:
    """Makes end users in the accounts in turn, and reads each back."""

    number: int
    port: int
    answers: Counter[int] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None

    def call(self, method: str, auth_id: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer; status 0 for a call that was cut. Nothing is tried again."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        text = None if body is None else json.dumps(body)
        url = f"/v1/Account/{auth_id}/EndUser/{path}"
        try:
            self.connection.request(method, url, text, headers_of(auth_id))
            answer = self.connection.getresponse()
            status, told = answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            status, told = 0, {}
        if status == 0:
            self.connection.close()
            self.connection = None
        self.answers[status] += 1
        return status, told

    def work(self, goes_on: threading.Event, most: int = sys.maxsize) -> None:
        for n in itertools.count():
            if not goes_on.is_set() or sum(self.answers.values()) >= most:
                return
            auth_id = ACCOUNTS[(n + self.number) % len(ACCOUNTS)]
            body = {"name": f"{self.number}-{n}", "end_user_type": "business"}
            status, told = self.call("POST", auth_id, "", body)
            if status == 201:
                self.acknowledged[told["end_user_id"]] = auth_id
                self.call("GET", auth_id, f"{told['end_user_id']}/")


@contextmanager
def load(port: int, most: int = sys.maxsize) -> Iterator[list[Client]]:
    """So many clients, until the block ends; each makes so many calls at most."""
    clients = [Client(n, port) for n in range(CLIENTS)]
    goes_on = threading.Event()
    goes_on.set()
    threads = [threading.Thread(target=each.work, args=(goes_on, most)) for each in clients]
    for each in threads:
        each.start()
    try:
        yield clients
        if most < sys.maxsize:
            for each in threads:
                each.join()
    finally:
        goes_on.clear()
        for each in threads:
            each.join()


def told_of(clients: Sequence[Client]) -> Counter[int]:
    return sum((each.answers for each in clients), Counter())


def lost(clients: Sequence[Client], port: int) -> list[str]:
    """The acknowledged writes that are not there."""
    reader = Client(0, port)
    return [
        id
        for client in clients
        for id, auth_id in client.acknowledged.items()
        if reader.call("GET", auth_id, f"{id}/")[0] != 200
    ]


def restart(calls: int) -> int:
    with running(RULES) as (proxy, servers):
        with load(proxy.port, calls // CLIENTS) as clients:
            for round in range(ROUNDS):
                while sum(told_of(clients).values()) < calls * (round + 0.5) / ROUNDS:
                    time.sleep(0.01)
                for each in servers:
                    each.stop()
                    each.start()
        answers, missing = told_of(clients), lost(clients, proxy.port)
    failed = sum(count for status, count in answers.items() if status not in (200, 201))
    print(
        f"{sum(answers.values())} calls during {ROUNDS} rolling restarts of {len(RULES)} servers:"
    )
    print(f"failed {failed}, acknowledged writes lost {len(missing)}; answers {dict(answers)}")
    return int(bool(failed or missing))


def resize(seconds: float) -> int:
    with running(HALVES) as (proxy, servers):
        with load(proxy.port) as clients:
            time.sleep(seconds / 4)
            ports = free_ports(2)
            # The old two keep their rules until the accounts are moved; the new map is in force
            # when every server has its quarter.
            quarters = [RULES[0], RULES[1], RULES[2], RULES[3]]
            new = [Server(proxy.folder, ports[n], quarters[n + 2]) for n in range(2)]
            for each in new:
                each.start()
            ring = [*zip([*servers, *new], quarters, strict=True)]
            moved = 0
            began = time.perf_counter()
            for each in servers:
                words = ["account", "move", "--from", each.url, "--json"]
                for server, rule in ring:
                    words += ["--ring", f"{server.url}={rule}"]
                done = subprocess.run(
                    [sys.executable, "-m", "plivo_sim.cli", *words], cwd=ROOT, check=True,
                    capture_output=True,
                )  # fmt: skip
                moved += len(json.loads(done.stdout)["moved"])
            proxy.start([*servers, *new])
            took_s = time.perf_counter() - began
            for each, rule in zip(servers, quarters[:2], strict=True):
                each.stop()
                each.rule = rule
                each.start()
            time.sleep(seconds / 4)
        answers = told_of(clients)
        missing = lost(clients, proxy.port)
        for each in new:
            each.stop()
    print(f"{moved} of {len(ACCOUNTS)} accounts moved from 2 servers to 4, in {took_s:.1f} s:")
    print(f"{sum(answers.values())} calls, {answers[421]} refused with 421 meanwhile;")
    print(f"acknowledged writes lost {len(missing)}; answers {dict(answers)}")
    return int(bool(missing))


def _hammer(port: int, seconds: float, number: int, done: Any) -> None:
    clients = [Client(number * 100 + n, port) for n in range(4)]
    goes_on = threading.Event()
    goes_on.set()
    threads = [threading.Thread(target=each.work, args=(goes_on,)) for each in clients]
    for each in threads:
        each.start()
    time.sleep(seconds)
    goes_on.clear()
    for each in threads:
        each.join()
    answers = told_of(clients)
    done.put(answers[200] + answers[201])


def ratios(seconds: float) -> int:
    """The best of a few rounds, in turns: whatever else the machine does hits each alike."""
    rates = dict.fromkeys((1, 2, 4), 0.0)
    for _ in range(ROUNDS):
        for count in rates:
            rates[count] = max(rates[count], _rate(count, seconds))
    print(f"{os.cpu_count()} cores, for servers, proxy and clients together")
    for count, rate in rates.items():
        print(
            f"{count} servers: {rate / rates[1]:.2f} of one server's {rates[1]:.0f} calls a second"
        )
    return 0


def _rate(count: int, seconds: float) -> float:
    """Calls a second through the proxy, with so many servers."""
    with running([",".join(RULES[n::count]) for n in range(count)]) as (proxy, _):
        done: Any = multiprocessing.Queue()
        processes = [
            multiprocessing.Process(target=_hammer, args=(proxy.port, seconds, n, done))
            for n in range(2)
        ]
        for each in processes:
            each.start()
        rate = sum(done.get() for _ in processes) / seconds
        for each in processes:
            each.join()
    return rate


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=["restart", "resize", "ratios"])
    parser.add_argument("--calls", type=int, default=30_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    if program("haproxy") is None:
        parser.error("needs haproxy (Debian: apt-get install haproxy)")
    if given.what == "restart":
        return restart(given.calls)
    return resize(given.seconds) if given.what == "resize" else ratios(given.seconds)


if __name__ == "__main__":
    sys.exit(main())
