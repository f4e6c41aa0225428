"""Mixed load over every API with faults on, and what it does to a server's memory, file
descriptors and threads. Runs for seconds in ``test_soak`` and as long as one likes in
``benchmarks/soak.py``.
"""

from __future__ import annotations

import http.client
import json
import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from plivo_sim.web.access import account_of
from tests.apis.page import create_body
from tests.support import PDF, PNG, SDK_AGENT, basic, multipart

ACCOUNTS = [f"MASOAK{n:014}" for n in range(4)]
OPTIONS = (
    "--no-paused", "--review-delay", "1s", "--callback-retries", "1s,2s",
    "--callback-timeout-s", "1",
)  # fmt: skip
TOLD = "Told to fail"
"""In the body of each 500 that was asked for; the beta dialect would make a small letter large."""
FAULTS: list[dict[str, Any]] = [
    {"effect": "error", "probability": 0.01, "message": TOLD},
    {"effect": "unavailable", "probability": 0.01},
    {"effect": "rate_limited", "probability": 0.01, "retry_after_s": 1},
    {"effect": "slow", "probability": 0.02, "latency_s": 0.05},
    {"effect": "reset", "probability": 0.005},
    {"effect": "empty", "probability": 0.005},
    {"effect": "truncated", "probability": 0.005},
    {"effect": "invalid_json", "probability": 0.005},
]
WORKS_BETWEEN_RESETS = 60


class Receiver:
    """Takes callbacks; some it refuses, some it leaves without an answer for too long."""

    def __init__(self) -> None:
        self.count = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                receiver.count += 1
                if receiver.count % 50 == 0:
                    time.sleep(1.5)
                self.send_response(500 if receiver.count % 10 == 0 else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # it gave up
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    @contextmanager
    def serving(self) -> Iterator[Receiver]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@dataclass
class Sample:
    """A server process at one moment."""

    at_s: float
    rss_mb: float
    fds: int
    threads: int


def sample(pid: int, at_s: float = 0.0) -> Sample:
    """Ask the system."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    fds = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    rss_mb = int(status["VmRSS"].split()[0]) / 1024
    return Sample(at_s, rss_mb, fds, int(status["Threads"]))


@dataclass
class Measured:
    """What all the clients saw."""

    took_s: list[tuple[float, float]] = field(default_factory=list)
    """When a call began (since the load began) and how long it took."""
    outcomes: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)


class User:
    """One client after the other's fashion: makes, reads, changes and deletes, never too much."""

    def __init__(self, index: int, url: str, receiver_url: str, began: float) -> None:
        self.measured = Measured()
        self._url, self._receiver_url, self._began = url, receiver_url, began
        self._account = ACCOUNTS[index % len(ACCOUNTS)]
        self._token = f"soak-{index}"
        self._dice = random.Random(index)
        self._connection: http.client.HTTPConnection | None = None
        self._works = 0

    def run(self, stop: threading.Event) -> None:
        """One piece of work after the other."""
        works: list[Callable[[], None]] = [
            self.current, self.beta, self.legacy, self.numbers, self.atoms, self.control,
            self.rudeness,
        ]  # fmt: skip
        while not stop.is_set():
            self._dice.choice(works)()
            self._works += 1
            if self._works % WORKS_BETWEEN_RESETS == 0:
                self._send("POST", "/_sim/reset", {"account": self._account})
                self._send("POST", "/_sim/reset", {"account": account_of(self._token)})
                switch_faults_on(self._url, self._account)
        self._close()

    # --- calls -------------------------------------------------------------------------------

    def _call(
        self, method: str, path: str, content: bytes | None, content_type: str, **headers: str
    ) -> Any:
        """The answer's JSON; None for any that is not a success, as faults have it."""
        if not path.startswith("/"):
            path = f"/v1/Account/{self._account}/{path}"
        sent = {"Authorization": basic(self._account), "Content-Type": content_type} | headers
        if self._connection is None or self._dice.random() < 0.05:
            self._close()
            self._connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=30)
        began = time.monotonic()
        try:
            self._connection.request(method, path, content, sent)
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self._close()
            self.measured.outcomes["cut"] += 1
            return None
        self.measured.took_s.append((began - self._began, time.monotonic() - began))
        self.measured.outcomes[str(answer.status)] += 1
        if answer.status == 500 and TOLD.encode() not in body:
            self.measured.unexpected.append(f"{method} {path}: {body[:200]!r}")
        if not 200 <= answer.status < 300:
            return None
        try:
            return json.loads(body)
        except ValueError:
            return None

    def _send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = None if body is None else json.dumps(body).encode()
        return self._call(method, path, content, "application/json", **headers)

    def _form(
        self, method: str, path: str, fields: dict[str, str], files: list[Any], **headers: str
    ) -> Any:
        content, content_type = multipart(list(fields.items()), files)
        return self._call(method, path, content, content_type, **headers)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _paper(self, start: bytes) -> bytes:
        return start + self._dice.randbytes(self._dice.randint(10, 20_000))

    # --- works -------------------------------------------------------------------------------

    def _types(self) -> list[str] | None:
        query = "country_iso=IN&number_type=local&user_type=business"
        path = f"PhoneNumber/Compliance/Requirements/?{query}"
        told = self._send("GET", path, **{"User-Agent": SDK_AGENT})
        return told and [each["document_type_id"] for each in told["document_types"]]

    def _sdk_create(self, alias: str) -> str | None:
        types = self._types()
        if not types:
            return None
        details = {
            "type": "business", "name": "Acme", "email": "a@b.example", "address_line1": "1",
            "city": "Mumbai", "state": "MH", "postal_code": "400001", "country": "IN",
        }  # fmt: skip
        data = {
            "country_iso": "IN", "number_type": "local", "alias": alias, "end_user": details,
            "callback_url": self._receiver_url,
            "documents": [
                {"document_type_id": types[0], "data_fields": {"business_name": "Acme"}},
                {"document_type_id": types[1]},
            ],
        }  # fmt: skip
        files = [
            ("documents[0].file", "a.pdf", self._paper(PDF)),
            ("documents[1].file", "b.png", self._paper(PNG)),
        ]
        fields, agent = {"data": json.dumps(data)}, {"User-Agent": SDK_AGENT}
        told = self._form("POST", "PhoneNumber/Compliance/", fields, files, **agent)
        return told and told["compliance_id"]

    def current(self) -> None:
        """Made, read, rejected, corrected, deleted."""
        id = self._sdk_create(f"soak {self._works} {self._dice.choice(['', 'SIM-REJECT'])}")
        agent = {"User-Agent": SDK_AGENT}
        self._send("GET", "PhoneNumber/Compliance/?expand=end_user,documents", **agent)
        if id is None:
            return
        self._send("GET", f"PhoneNumber/Compliance/{id}/", **agent)
        self._send("POST", f"/_sim/applications/{id}/decision", {"status": "rejected"})
        change = {"data": json.dumps({"alias": "again"})}
        self._form("PATCH", f"PhoneNumber/Compliance/{id}/", change, [], **agent)
        if self._dice.random() < 0.8:
            self._send("DELETE", f"PhoneNumber/Compliance/{id}/", **agent)

    def beta(self) -> None:
        """The page's own JSON, with embedded files."""
        body = create_body(callback_url=self._receiver_url)
        told = self._send("POST", "PhoneNumber/Compliance/", body)
        self._send("GET", "PhoneNumber/Compliance?status=pending_review&limit=5")
        if told:
            self._send("GET", f"PhoneNumber/Compliance/{told.get('compliance_id')}")
            self._send("DELETE", f"PhoneNumber/Compliance/{told.get('compliance_id')}")

    def legacy(self) -> None:
        """Piece by piece, submitted, taken away again."""
        types = self._types()
        name = f"Acme {uuid4()}"
        owner = self._send("POST", "EndUser/", {"name": name, "end_user_type": "business"})
        if not types or not owner:
            return
        papers = []
        for type_, start in zip(types, (PDF, PNG), strict=True):
            form = {
                "end_user_id": owner["end_user_id"], "document_type_id": type_,
                "alias": f"{name} {type_}",
                "business_name": "Acme",
            }  # fmt: skip
            files = [("file", "a.pdf", self._paper(start))]
            paper = self._form("POST", "ComplianceDocument/", form, files)
            papers += [paper["document_id"]] if paper else []
        body = {
            "country_iso2": "IN", "number_type": "local", "end_user_type": "business",
            "alias": "soak", "end_user_id": owner["end_user_id"], "document_ids": papers,
        }  # fmt: skip
        made = self._send("POST", "ComplianceApplication/", body)
        if made:
            path = f"ComplianceApplication/{made['compliance_application_id']}/"
            self._send("POST", f"{path}Submit/")
            self._send("GET", path)
            self._send("DELETE", path)
        self._send("GET", "ComplianceDocument/?limit=20")
        for paper in papers:
            self._send("DELETE", f"ComplianceDocument/{paper}/")
        self._send("DELETE", f"EndUser/{owner['end_user_id']}/")

    def numbers(self) -> None:
        """Searched, rented, changed, given back."""
        found = self._send("GET", "PhoneNumber/?country_iso=US&limit=20")
        if found:
            number = self._dice.choice(found["objects"])["number"]
            self._send("POST", f"PhoneNumber/{number}/", {})
            self._send("POST", f"Number/{number}/", {"alias": "soak"})
            self._send("GET", "Number/")
            self._send("DELETE", f"Number/{number}/")

    def atoms(self) -> None:
        """One organisation's application; the account is reset now and then."""
        bearer = {"Authorization": f"Bearer {self._token}"}
        base, key = "/atoms/v1/compliance", "countryIso=IN&numberType=local&userType=business"
        asked = self._send("GET", f"{base}/requirements?{key}", **bearer)
        if not asked:
            return
        types = [each["documentTypeId"] for each in asked["data"]["documentTypes"]]
        fields = {
            "countryIso": "IN", "numberType": "local", "userType": "business",
            "endUser": json.dumps({"name": "Acme", "email": "a@b.example", "city": "Mumbai"}),
            "documents": json.dumps([
                {"documentTypeId": types[0], "dataFields": {"business_name": "Acme"}},
                {"documentTypeId": types[1]},
            ]),
        }  # fmt: skip
        files = [("files", "a.pdf", self._paper(PDF)), ("files", "b.png", self._paper(PNG))]
        made = self._form("POST", f"{base}/applications", fields, files, **bearer)
        if made:
            self._send("POST", f"{base}/applications/{made['data']['_id']}/refresh", **bearer)
        self._send("GET", f"{base}/status?{key}", **bearer)

    def control(self) -> None:
        """What a test suite or the console asks."""
        account = f"account={self._account}"
        for path in ("health", f"clock?{account}", f"webhooks?{account}", "accounts",
                     f"requests?{account}", f"faults?{account}"):  # fmt: skip
            self._send("GET", f"/_sim/{path}")
        body = {"account": self._account, "by": "1h"}
        self._send("POST", "/_sim/clock/advance", body)
        if self._dice.random() < 0.2:
            self._send("POST", "/_sim/snapshot", {"account": self._account, "name": "one"})

    def rudeness(self) -> None:
        """A client that goes amid its request, one that talks nonsense, a stranger."""
        for content in (
            b"POST /v1/Account/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc",
            b"nonsense\r\n\r\n",
            b"GET /v1/Account/" + self._account.encode() + b"/EndUser/ HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            with suppress(OSError), self._socket() as sock:
                sock.sendall(content)
        stranger = f"MA{self._dice.randrange(10**18):018}"
        headers = {"Authorization": basic(stranger)}
        self._send("GET", f"/v1/Account/{stranger}/EndUser/", **headers)

    def _socket(self) -> socket.socket:
        parts = urlsplit(self._url)
        return socket.create_connection((parts.hostname or "", parts.port or 0), 5)


@contextmanager
def crowd(url: str, size: int) -> Iterator[None]:
    """So many connections that are in nobody's use: half of them say nothing, half dawdle amid a
    head. One that is closed is opened again."""
    address = urlsplit(url).hostname or "", urlsplit(url).port or 0
    stop = threading.Event()

    def open_one(index: int) -> socket.socket:
        sock = socket.create_connection(address, 5)
        if index % 2:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: sim\r\nX-Slow: ")
        return sock

    def keep_open() -> None:
        crowding = [open_one(index) for index in range(size)]
        poll = select.poll()
        at = {each.fileno(): index for index, each in enumerate(crowding)}
        for each in crowding:
            poll.register(each, select.POLLIN)
        while not stop.wait(0.05):
            for number, _ in poll.poll(0):
                index = at.pop(number)
                poll.unregister(number)
                crowding[index].close()
                crowding[index] = open_one(index)
                at[crowding[index].fileno()] = index
                poll.register(crowding[index], select.POLLIN)
        for each in crowding:
            each.close()

    thread = threading.Thread(target=keep_open)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def switch_faults_on(url: str, account: str) -> None:
    """Every fault, each now and then."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    for fault in FAULTS:
        body = json.dumps({**fault, "name": f"soak-{fault['effect']}", "account": account})
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/_sim/faults", body, headers)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 201, told
    connection.close()


def soak(
    url: str, pid: int, seconds: float, users: int, every_s: float = 1.0
) -> tuple[list[Sample], Measured, int]:
    """Load for so long: the samples, what the clients saw, how many callbacks came."""
    for account in ACCOUNTS:
        made = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        made.request("POST", "/_sim/accounts", json.dumps({"auth_id": account}),
                     {"Content-Type": "application/json"})  # fmt: skip
        made.getresponse().read()
        made.close()
        switch_faults_on(url, account)
    stop, began, samples = threading.Event(), time.monotonic(), []
    with Receiver().serving() as receiver:
        clients = [User(index, url, receiver.url, began) for index in range(users)]
        failures: list[BaseException] = []
        threads = [
            threading.Thread(target=_guarded, args=(each, stop, failures)) for each in clients
        ]
        for thread in threads:
            thread.start()
        while (at_s := time.monotonic() - began) < seconds and not failures:
            samples.append(sample(pid, at_s))
            stop.wait(every_s)
        stop.set()
        for thread in threads:
            thread.join(60)
        if failures:
            raise failures[0]
        count = receiver.count
    return samples, _together(clients), count


def _guarded(user: User, stop: threading.Event, failures: list[BaseException]) -> None:
    try:
        user.run(stop)
    except BaseException as error:
        failures.append(error)


def _together(users: list[User]) -> Measured:
    whole = Measured()
    for each in users:
        whole.took_s += each.measured.took_s
        whole.outcomes += each.measured.outcomes
        whole.unexpected += each.measured.unexpected
    return whole


def at_rest(pid: int, most_fds: int, timeout_s: float = 20.0) -> Sample:
    """The server once nobody asks it any more: when it has no more descriptors than this, or when
    it had the fewest within the time."""
    found, end_s = sample(pid), time.monotonic() + timeout_s
    while time.monotonic() < end_s and found.fds > most_fds:
        time.sleep(0.2)
        found = min(found, sample(pid), key=lambda each: each.fds)
    return found
