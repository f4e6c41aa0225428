"""What others wait while a crowd is waited for: slow heads, held calls, long polls, hanging
receivers, hanging look-ups of receivers' names; while ten clients upload 5 MB each into the
bystander's own account, again and again; or while others compute for long: exports, long scenarios
that are checked, schemas, or lists in many accounts.

    python benchmarks/fairness.py --size 500 --seconds 5

Starts ``plivo-sim serve`` with a state directory on a free port of 127.0.0.1, once a kind. A
bystander with an account of its own reads and writes, one call after the other, and has callbacks
sent to a receiver that answers at once; first alone, then beside the crowd. Prints both, and their
ratio.
Exits 1 when the p99 of the bystander's calls or callbacks beside a crowd is over ``--most-ms``.

A look-up hangs because the server's process was told so: no name server is asked.
"""

from __future__ import annotations

import argparse
import json
import queue
import select
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.apis.page import create_body
from tests.support import basic, multipart
from tests.torture.nursery import Server, open_nursery

HANGING = "hangs.plivo-sim.example"
NAMES = [f"{n}.{HANGING}" for n in range(50)]
OPTIONS = (
    "--no-paused", "--review-delay", "1ms", "--callback-timeout-s", "60",
    "--callback-retries", "1h", "--allow-callback-hosts", ",".join(NAMES),
)  # fmt: skip
BYSTANDER = "MABYSTANDER000000000"
PATIENCE_S = 60.0
"""A callback that takes longer counts as having taken so long."""
HELD_S = 2.0
UPLOADERS = 10
UPLOAD_BYTES = 5_000_000
WORKERS = 60
ACCOUNTS = 50
"""Of the crowd whose callbacks hang."""


class Bystander:
    """Its calls and callbacks, and how long each took."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._came: queue.SimpleQueue[str] = queue.SimpleQueue()

    def measure(self, seconds: float) -> dict[str, list[float]]:
        """Milliseconds of each call and callback, for so long."""
        calls: list[float] = []
        callbacks: list[float] = []
        end_s = time.monotonic() + seconds
        with self._receiving() as url:
            for n in range(10**6):
                body = create_body(callback_url=f"{url}{n}")
                calls.append(timed(lambda: called(self._server, "GET", BYSTANDER)))
                calls.append(timed(lambda body=body: called(self._server, "POST", BYSTANDER, body)))
                began_s = time.monotonic()
                with suppress(queue.Empty):
                    while self._came.get(timeout=PATIENCE_S) != f"/{n}":
                        pass
                callbacks.append((time.monotonic() - began_s) * 1000)
                if time.monotonic() > end_s:
                    return {"calls": calls, "callbacks": callbacks}
        raise AssertionError("an endless loop ended")

    @contextmanager
    def _receiving(self) -> Iterator[str]:
        came = self._came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                came.put(self.path)

            def log_message(self, *_: Any) -> None: ...

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as receiver:
            thread = threading.Thread(target=receiver.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{receiver.server_port}/"
            receiver.shutdown()
            thread.join()


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    began_s = time.monotonic()
    work()
    return (time.monotonic() - began_s) * 1000


def path_of(account: str) -> str:
    return f"/v1/Account/{account}/PhoneNumber/Compliance/"


def called(server: Server, method: str, account: str, body: Any = None) -> None:
    """A call of the new API that has to succeed, on a connection of its own."""
    sent = None if body is None else json.dumps(body).encode()
    asked(server, method, path_of(account), sent, Authorization=basic(account))


def asked(
    server: Server, method: str, path: str, sent: bytes | None = None, **headers: str
) -> dict[str, Any]:
    """What a call says that has to succeed; names of headers with underscores."""
    named = {"Content-Type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(server.connect()) as connection:
        connection.request(method, path, sent, named)
        answer = connection.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
    assert answer.status in (200, 201), told
    return told


@contextmanager
def slow_heads(server: Server, size: int) -> Iterator[None]:
    """Clients that have sent half of a head; begun again whenever they are sent away."""
    with crowding(server, size, b"GET / HTTP/1.1\r\nHost: sim\r\nX-Slow: "):
        yield


@contextmanager
def held_calls(server: Server, size: int) -> Iterator[None]:
    """Calls that the latency of their account's fault holds; made again when they are answered."""
    account = "MAHELD00000000000000"
    add_fault(server, {"effect": "slow", "latency_s": HELD_S, "account": account})
    head = f"GET {path_of(account)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {basic(account)}"
    with crowding(server, size, f"{head}\r\n\r\n".encode()):
        yield


@contextmanager
def long_polls(server: Server, size: int) -> Iterator[None]:
    """Calls that wait for an event of a kind that does not come, while others come."""
    sent = b"GET /_sim/events?wait=30&kind=clock HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with crowding(server, size, sent):
        yield


@contextmanager
def different_polls(server: Server, size: int) -> Iterator[None]:
    """Calls that wait for events that do not come, each for others."""
    sent = b"GET /_sim/events?wait=30&operation=none-%d* HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with crowding(server, size, sent):
        yield


def add_fault(server: Server, fault: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/json"}
    with closing(server.connect()) as connection:
        connection.request("POST", "/_sim/faults", json.dumps(fault), headers)
        assert connection.getresponse().status == 201


@contextmanager
def crowding(server: Server, size: int, sent: bytes) -> Iterator[None]:
    """So many connections on which this was sent, and is again once an answer has come; each with
    a number of its own in the place of ``%d``."""
    stop, poll = threading.Event(), select.poll()
    crowd: dict[int, socket.socket] = {}

    def join() -> None:
        sock = socket.create_connection(address, 30)
        crowd[sock.fileno()] = sock
        poll.register(sock, select.POLLIN)
        send(sock)

    def send(sock: socket.socket) -> None:
        with suppress(OSError):  # it was sent away, which the next look finds
            sock.sendall(sent.replace(b"%d", b"%d" % sock.fileno()))

    def is_answered(sock: socket.socket) -> bool:
        try:
            return b" 200 " in sock.recv(65536)[:20]
        except OSError:
            return False

    def go_on() -> None:
        while not stop.is_set():
            for number, _ in poll.poll(50):
                sock = crowd[number]
                if is_answered(sock):
                    send(sock)
                else:
                    poll.unregister(number)
                    crowd.pop(number).close()
                    join()

    connection = server.connect()
    address = connection.host, connection.port
    for _ in range(size):
        join()
    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for each in crowd.values():
            each.close()


@contextmanager
def hanging_receivers(server: Server, size: int) -> Iterator[None]:
    """Callbacks of many accounts to receivers that take the connection and say nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as receiver:
        submit(server, size, f"http://127.0.0.1:{receiver.getsockname()[1]}/")
        yield


@contextmanager
def hanging_look_ups(server: Server, size: int) -> Iterator[None]:
    """Callbacks of many accounts to names that nobody resolves."""
    submit(server, size, *(f"https://{name}/" for name in NAMES))
    yield


def submit(server: Server, size: int, *urls: str) -> None:
    def submit_one(n: int) -> None:
        body = create_body(callback_url=urls[n % len(urls)])
        called(server, "POST", f"MACROWD{n % ACCOUNTS:013}", body)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(submit_one, range(size)))


@contextmanager
def uploads(server: Server, _: int) -> Iterator[None]:
    """Ten clients, each of which uploads a document of 5 MB to the bystander's account and deletes
    it, again and again."""
    base, signed = f"/v1/Account/{BYSTANDER}", {"Authorization": basic(BYSTANDER)}
    end_user = json.dumps({"name": "Acme", "end_user_type": "business"}).encode()
    owner = asked(server, "POST", f"{base}/EndUser/", end_user, **signed)["end_user_id"]
    listed = asked(server, "GET", f"{base}/ComplianceDocumentType/", **signed)["objects"]
    type_ = next(each for each in listed if not each["information"])["document_type_id"]
    stop = threading.Event()

    def upload(n: int) -> None:
        proof = (b"%%PDF-1.4\n%% %d\n" % n).ljust(UPLOAD_BYTES, b"x")
        fields = [("end_user_id", owner), ("document_type_id", type_), ("alias", f"Proof {n}")]
        body, kind = multipart(fields, [("file", "proof.pdf", proof)])
        path = f"{base}/ComplianceDocument/"
        while not stop.is_set():
            made = asked(server, "POST", path, body, Content_Type=kind, **signed)
            asked(server, "DELETE", f"{path}{made['document_id']}/", **signed)

    with ThreadPoolExecutor(UPLOADERS) as pool:
        done = [pool.submit(upload, n) for n in range(UPLOADERS)]
        try:
            yield
        finally:
            stop.set()
            for each in done:
                each.result()


@contextmanager
def exports(server: Server, size: int) -> Iterator[None]:
    """60 clients that export an account of eight times as many applications, again and again."""
    account = "MALARGE0000000000000"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: called(server, "POST", account, create_body()), range(size * 8)))
    with working(server, WORKERS, "GET", f"/_sim/export?account={account}"):
        yield


@contextmanager
def checks(server: Server, size: int) -> Iterator[None]:
    """60 clients that have a scenario checked in which each of so many rules is wrong."""
    sent = json.dumps({"yaml": f"scenario: long\nrules: [{'1,' * size * 30}]"}).encode()
    with working(server, WORKERS, "POST", "/_sim/scenario/check", sent):
        yield


@contextmanager
def schemas(server: Server, _: int) -> Iterator[None]:
    """100 clients that ask for the schema of scenarios, again and again."""
    with working(server, 100, "GET", "/_sim/schema/scenario.json"):
        yield


@contextmanager
def lists(server: Server, size: int) -> Iterator[None]:
    """60 clients that list so many applications each, of 20 accounts."""
    accounts = [f"MALISTS{n:013}" for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        every = [each for each in accounts for _ in range(size)]
        list(pool.map(lambda each: called(server, "POST", each, create_body()), every))
    with ExitStack() as stack:
        for each in accounts:
            path = f"/_sim/applications?limit=1000&account={each}"
            stack.enter_context(working(server, 3, "GET", path))
        yield


@contextmanager
def working(
    server: Server, clients: int, method: str, path: str, sent: bytes | None = None
) -> Iterator[None]:
    """So many clients, each of which makes this call again when it is answered, or hangs up at the
    end."""
    stop, crowd = threading.Event(), [server.connect() for _ in range(clients)]

    def call(connection: HTTPConnection) -> None:
        with suppress(OSError, HTTPException, ValueError):
            while not stop.is_set():
                connection.request(method, path, sent, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                while answer.read(1 << 20):
                    pass

    with ThreadPoolExecutor(clients) as pool:
        done = [pool.submit(call, each) for each in crowd]
        try:
            yield
        finally:
            stop.set()
            for each in crowd:
                if each.sock is not None:
                    with suppress(OSError):
                        each.sock.shutdown(socket.SHUT_RDWR)
            for future in done:
                future.result()
            for each in crowd:
                each.close()


KINDS = {
    "lists": lists,
    "slow heads": slow_heads,
    "held calls": held_calls,
    "long polls": long_polls,
    "different polls": different_polls,
    "hanging receivers": hanging_receivers,
    "hanging look-ups": hanging_look_ups,
    "uploads": uploads,
    "exports": exports,
    "checks": checks,
    "schemas": schemas,
}


def compared(kinds: Iterable[str], size: int, seconds: float) -> tuple[Any, Any]:
    """What the bystander measured alone, and beside a crowd of each of these kinds."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="plivo-sim-fair-"))
        nursery = stack.enter_context(open_nursery(hanging=HANGING))
        server = Server(nursery, Path(folder, "state"), *OPTIONS)
        bystander = Bystander(server)
        alone = bystander.measure(seconds)
        for kind in kinds:
            stack.enter_context(KINDS[kind](server, size))
        bystander.measure(0.0)  # once the crowd has been let in
        return alone, bystander.measure(seconds)


def percentiles(took_ms: list[float]) -> tuple[float, float]:
    """p50 and p99, of a single one itself."""
    if len(took_ms) == 1:
        return took_ms[0], took_ms[0]
    cuts = statistics.quantiles(took_ms, n=100, method="inclusive")
    return cuts[49], cuts[98]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--most-ms", type=float, default=250.0)
    parser.add_argument("--only", choices=KINDS, action="append")
    given = parser.parse_args()
    wrong = False
    print(
        f"{'beside':<20} {'of the bystander':<16} {'p50 ms':>14} {'p99 ms':>16} {'ratio':>12} "
        f"{'longest ms':>16}"
    )
    for kind in given.only or KINDS:
        alone, beside = compared([kind], given.size, given.seconds)
        for what in alone:
            before, after = percentiles(alone[what]), percentiles(beside[what])
            wrong |= after[1] > given.most_ms
            print(f"{given.size:>4} {kind:<15.15} {what:<16} "
                  f"{before[0]:>6.1f} {after[0]:>7.1f} {before[1]:>8.1f} {after[1]:>7.1f} "
                  f"{after[0] / before[0]:>5.1f} {after[1] / before[1]:>6.1f} "
                  f"{max(alone[what]):>8.1f} {max(beside[what]):>7.1f}",
                  flush=True)  # fmt: skip
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
