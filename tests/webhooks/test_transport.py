"""Sending callbacks over real sockets to receivers that misbehave."""

from __future__ import annotations

import errno
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.account.threads import NoThread
from plivo_sim.domain.urls import host_name
from plivo_sim.settings import read_setting
from plivo_sim.webhooks import lines, transport
from plivo_sim.webhooks.timeouts import Timeout, Timeouts
from plivo_sim.webhooks.transport import KEPT_ANSWER_BYTES, HttpTransport, MemoryTransport
from tests.fakes import meanwhile
from tests.peers import (
    DRIPS,
    ENDLESS,
    OK,
    PATIENCE_S,
    WITHIN,
    Peer,
    answering,
    dripping_handshake,
    peer,
)

pytestmark = pytest.mark.live

ENDED = "the receiver closed the connection without an answer"


def outgoing(port: int, *, timeout_s: float = 60.0) -> Outgoing:
    """A request to a receiver on loopback."""
    url = f"http://127.0.0.1:{port}/cb"
    return Outgoing(method="POST", url=url, headers=(), body=b"{}", timeout_s=timeout_s)


def send(url: str, *, method: str = "POST", body: bytes = b"{}", **changes: Any) -> Answer:
    """One request, as the outbox makes them."""
    values: dict[str, Any] = {
        "method": method,
        "url": url,
        "headers": (("Content-Type", "application/json"), ("X-Own", "1")),
        "body": body,
        "timeout_s": PATIENCE_S,
    }
    return HttpTransport().send(Outgoing(**(values | changes)))


def timely(url: str, **changes: Any) -> Answer:
    """With time enough for a receiver that does answer."""
    return send(url, timeout_s=60.0, **changes)


# --- receivers that answer -------------------------------------------------------------------


def test_a_post_arrives_whole() -> None:
    """Method, target with query, the URL's host, the headers, the body."""
    with peer(answering(OK)) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/cb?a=b&c=%20#part", body=b'{"x": 1}')
    (seen,) = there.seen
    assert (answer.status, answer.body, answer.error) == (200, "ok", None)
    assert seen.startswith(b"POST /cb?a=b&c=%20 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{there.port}\r\n".encode() in seen
    assert b"X-Own: 1\r\n" in seen
    assert seen.endswith(b'\r\n\r\n{"x": 1}')


def test_a_get_has_no_body() -> None:
    """And a URL without a path asks for the root."""
    with peer(answering(OK)) as there:
        assert timely(f"http://127.0.0.1:{there.port}?a=b", method="GET", body=b"").status == 200
    (seen,) = there.seen
    assert seen.startswith(b"GET /?a=b HTTP/1.1\r\n")
    assert b"content-length" not in seen.lower()


@pytest.mark.parametrize("status", [201, 204, 302, 404, 410, 500, 503])
def test_any_status_is_told(status: int) -> None:
    """What it means is the outbox's business."""
    with peer(answering(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)) as there:
        assert timely(f"http://127.0.0.1:{there.port}/").status == status


def test_a_redirect_is_not_followed() -> None:
    """One request, and its status is the redirect's."""
    with peer(answering(OK)) as target:
        content = b"HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:%d/\r\n\r\n"
        with peer(answering(content % target.port)) as there:
            assert timely(f"http://127.0.0.1:{there.port}/").status == 307
    assert (len(there.seen), target.seen) == (1, [])


def test_a_body_that_is_not_text_is_kept_as_far_as_it_goes() -> None:
    """A byte that is no UTF-8 is there as a number."""
    with peer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\xff\x00")) as there:
        assert timely(f"http://127.0.0.1:{there.port}/").body == "a\\xff\x00"


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n5\r\nsh",
        b"HTTP/1.0 200 OK\r\n\r\nshort",
    ],
    ids=["length", "chunked", "until closed"],
)
def test_a_body_that_ends_early_leaves_the_answer(content: bytes) -> None:
    """The receiver said 200: that counts."""
    with peer(answering(content)) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert (answer.status, answer.body[:5]) == (200, "short")
    announces_no_end = content.startswith(b"HTTP/1.0")
    assert answer.damage.startswith("it ended early") is not announces_no_end


@pytest.mark.parametrize(
    ("body", "shown", "damage"),
    [
        (b"fine", "fine", ""),
        ("Zoë".encode(), "Zoë", ""),
        (b"Zo\xeb \x89PNG", "Zo\\xeb \\x89PNG", "it is not UTF-8"),
        (b"a" * 5000 + b"end", "end", "912 bytes in the middle are left out"),
        (b"a" * 20_000, "aaa", "only the first 16,384 of 20,000 bytes were read"),
    ],
    ids=["text", "UTF-8", "no text", "long", "longer"],
)
def test_damage_of_an_answer_is_told(body: bytes, shown: str, damage: str) -> None:
    """Its end is kept, and bytes that are no text are there as numbers."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with peer(answering(head + body)) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert answer.body.endswith(shown)
    assert damage in answer.damage
    assert bool(damage) is bool(answer.damage)


def test_of_a_huge_body_the_start_is_read() -> None:
    """100 MB are announced; a few buffers' worth is ever sent."""

    def flood(self: Peer, connection: socket.socket) -> None:
        self.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(1600):
            connection.sendall(b"x" * 65536)
            self.sent_bytes += 65536

    with peer(flood) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert (answer.status, len(answer.body)) == (200, KEPT_ANSWER_BYTES)
    assert there.sent_bytes < 30_000_000


def test_what_stands_around_an_answer_is_passed_over() -> None:
    """Interim answers, extensions of chunks, headers behind the body."""
    with peer(WITHIN) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert (answer.status, answer.body, answer.error, answer.damage) == (200, "ok", None, "")


@pytest.mark.parametrize("limit", ENDLESS)
def test_what_stands_around_an_answer_is_read_up_to_a_limit(limit: str) -> None:
    """Or it would keep a processor busy until the receiver's time is up."""
    with peer(ENDLESS[limit]) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert answer.status is None
    assert answer.error is not None
    assert answer.error.startswith("the receiver's answer has ")
    assert answer.error.endswith(f"(limit {limit})")


# --- receivers that do not -------------------------------------------------------------------


def test_a_refused_connection_is_told() -> None:
    """Nobody listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        answer = timely(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (answer.status, answer.error) == (None, "connection refused")


@pytest.fixture
def given_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """After how many seconds connections are cut; the clock that they are counted by stands
    still."""
    given: list[float] = []

    begin = Timeouts.begin

    def noting(self: Timeouts, within_s: float, act: Callable[[], None]) -> Timeout:
        given.append(within_s)
        return begin(self, within_s, act)

    monkeypatch.setattr(Timeouts, "begin", noting)
    for each in (lines, transport):
        monkeypatch.setattr(each, "monotonic_s", lambda: 1024.0)
    return given


@pytest.mark.parametrize("treat", DRIPS.values(), ids=DRIPS)
def test_a_receiver_is_given_its_time_and_no_more(
    treat: Callable[[Peer, socket.socket], None], given_s: list[float]
) -> None:
    """However it spends it: it is cut off long before it has said all."""
    with peer(treat) as there:
        answer = send(f"http://127.0.0.1:{there.port}/")
    assert (answer.status, answer.error) == (None, f"timed out after {PATIENCE_S:g} s")
    assert given_s == [PATIENCE_S]


def test_what_is_under_way_can_be_cut() -> None:
    """From another thread, long before its time is up; the receiver sees the connection end."""
    began, ended = threading.Event(), threading.Event()

    def hang(self: Peer, connection: socket.socket) -> None:
        self.read_request(connection)
        began.set()
        if connection.recv(1) == b"":
            ended.set()

    with peer(hang) as silent:
        transport, request = HttpTransport(), outgoing(silent.port, timeout_s=60.0)
        with meanwhile(lambda: transport.send(request)) as sent:
            assert began.wait(60)
            transport.cut(request)
        assert ended.wait(60)
    assert sent.result().error == "timed out"


def test_what_was_cut_before_it_was_connected_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing arrives at the receiver."""
    with peer(answering(OK)) as receiver:
        transport, request = HttpTransport(), outgoing(receiver.port)
        connect = socket.create_connection

        def connect_late(*given: Any) -> socket.socket:
            transport.cut(request)
            return connect(*given)

        monkeypatch.setattr(socket, "create_connection", connect_late)
        assert transport.send(request).error == "timed out"
    assert receiver.seen == []


def test_a_receiver_that_does_not_accept_is_given_its_time() -> None:
    """Its backlog is full: connecting takes for ever."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        answer = send(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert answer.error == f"timed out after {PATIENCE_S:g} s"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "is not HTTP: SSH-2.0-OpenSSH_9.6"),
        (b"HTTP/1.1 twohundred OK\r\n\r\n", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n", "is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n", "is not HTTP"),
    ],
    ids=["nothing", "another protocol", "no status", "too many headers", "a long header"],
)
def test_an_answer_that_is_none_is_told(content: bytes, error: str) -> None:
    """In a sentence."""
    with peer(answering(content)) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert answer.status is None
    assert error in (answer.error or "")
    assert answer.error == (answer.error or "").strip()


def test_a_reset_is_told() -> None:
    """The receiver cuts the connection."""

    def reset(self: Peer, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with peer(reset) as there:
        answer = timely(f"http://127.0.0.1:{there.port}/")
    assert answer.error == ENDED


# --- which hosts -----------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; each would be a question to a name server."""
    names: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> Any:
        names.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "api.plivo.com", "8.8.8.8", "169.254.169.254", "[fe80::1]", "0.0.0.0",
        "[::]", "[2001:4860:4860::8888]", "[::ffff:169.254.169.254]", "[::ffff:8.8.8.8]",
        "224.0.0.1", "100.100.100.200", "localhost.example.com", "127.0.0.1.nip.io", "0x7f.1",
        "192.0.2.1", "198.18.0.1", "198.19.255.254", "198.51.100.7", "203.0.113.9", "240.0.0.1",
        "255.255.255.255", "[::ffff:198.18.0.1]", "[::ffff:203.0.113.9]", "[2001:db8::1]",
        "[2001:2::1]", "[100::1]",
    ],
)  # fmt: skip
def test_other_hosts_are_blocked_unasked(asked: list[str], host: str) -> None:
    """Public, link-local (where clouds keep their secrets) and odd ones: no name server hears of
    them, and the answer names the setting."""
    answer = timely(f"http://{host}/latest/meta-data")
    assert answer.status is None
    assert "--allow-callback-hosts" in (answer.error or "")
    assert asked == []


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Make every name mean these addresses."""

    def look_up(host: str, port: int, *_: Any, **__: Any) -> Any:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize("address", ["169.254.1.2", "0.250.250.254", "192.168.65.254"])
@pytest.mark.parametrize("host", ["host.docker.internal", "host.containers.internal"])
def test_the_machine_of_a_container_is_a_local_receiver(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str
) -> None:
    """As Podman, OrbStack and Docker Desktop name it; nobody has to allow it."""
    called: list[str] = []

    def connect(place: tuple[str, int], *_: Any) -> Any:
        called.append(place[0])
        raise ConnectionRefusedError

    resolve_to(monkeypatch, address)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert timely(f"http://{host}:3000/").error == "connection refused"
    assert called == [address]


@pytest.mark.parametrize(
    "host", ["[::ffff:127.0.0.1]", "[::FFFF:7F00:1]", "[0:0:0:0:0:ffff:7f00:1]"]
)
def test_loopback_in_any_spelling_is_reached(host: str) -> None:
    """Over IPv4, which a machine without IPv6 has, too."""
    with peer(answering(OK)) as there:
        assert timely(f"http://{host}:{there.port}/").status == 200


def test_an_address_of_ipv4_in_ipv6_is_connected_to_as_ipv4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine without IPv6 has no other way."""
    called: list[str] = []

    def connect(place: tuple[str, int], *_: Any) -> Any:
        called.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert timely("http://[::ffff:127.0.0.1]:9/").error == "connection refused"
    assert called == ["127.0.0.1"]


@pytest.mark.parametrize("address", ["198.18.0.1", "203.0.113.9"])
def test_a_name_that_is_allowed_may_mean_an_address_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Proxies give public names addresses out of the network of benchmarks; one that the user
    named may have such."""
    resolve_to(monkeypatch, address)
    called: list[str] = []

    def connect(place: tuple[str, int], *_: Any) -> Any:
        called.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    timely("http://hooks.example.com/", allowed_hosts=("hooks.example.com",))
    assert called == [address]


def test_no_advice_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """To allow a name would not open the metadata address that it means: that is said at once."""
    resolve_to(monkeypatch, "169.254.169.254")
    answer = timely("http://metadata.google.internal/")
    told = "is started with --allow-callback-hosts 169.254.169.254 or"
    assert told in (answer.error or "")


@pytest.mark.parametrize(
    "host", ["hooks.example.com", "Hooks.Example.com.", "[2001:DB8:0::1]", "8.8.8.8"]
)
def test_the_advice_of_a_block_opens_the_host(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """What it says to allow is read as a setting, and the callback goes out."""
    blocked = timely(f"http://{host}/").error or ""
    allowed = read_setting("allow_callback_hosts", blocked.rpartition("=")[2])
    with peer(answering(OK)) as there:
        resolve_to(monkeypatch, "127.0.0.1")
        answer = timely(f"http://{host}:{there.port}/", allowed_hosts=allowed)
    assert answer.status == 200


@pytest.mark.parametrize("host", ["receiver", "receiver.test", "metadata.google.internal"])
@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34", "169.254.169.254", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe", "fe80::1",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "192.0.0.192", "0.0.0.0", "0.0.0.1", "::",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1",
        "::a9fe:a9fe", "224.0.0.1", "ff02::1", "168.63.129.16", "100.100.100.200",
        "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "240.0.0.1", "255.255.255.255",
        "::ffff:c612:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_a_local_name_with_another_address_is_blocked(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str
) -> None:
    """Also when only one of its addresses is such."""
    resolve_to(monkeypatch, "127.0.0.1", address)
    assert "blocked" in (timely(f"http://{host}:9/").error or "")


def test_an_allowed_host_goes_wherever_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user said so; the Host header is the name."""
    with peer(answering(OK)) as there:
        resolve_to(monkeypatch, "127.0.0.1")
        answer = timely(
            f"http://hooks.example.com:{there.port}/", allowed_hosts=("hooks.example.com",)
        )
    assert answer.status == 200
    assert f"Host: hooks.example.com:{there.port}".encode() in there.seen[0]


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "0.0.0.0",
        "fe80::1",
        "100.100.100.200",
    ],
)
def test_an_allowed_host_is_not_followed_to_metadata(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Allowing a name is no word about where clouds keep their secrets."""
    resolve_to(monkeypatch, "93.184.216.34", address)
    answer = timely("http://hooks.example.com/", allowed_hosts=("hooks.example.com",))
    told = f"only if the server is started with --allow-callback-hosts {host_name(address)} or"
    assert told in (answer.error or "")


@pytest.mark.parametrize(
    "host",
    ["2852039166", "0xa9fea9fe", "025177524776", "0", "[::ffff:a9fe:a9fe]", "169。254。169。254"],
)
def test_other_spellings_of_an_address_are_blocked(host: str) -> None:
    """Decimal, hexadecimal, octal: what the system reads them as counts."""
    answer = timely(f"http://{host}/latest/meta-data")
    assert answer.status is None
    assert "blocked" in (answer.error or "") or "cannot be resolved" in (answer.error or "")


def test_a_name_that_nobody_tells_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that hangs has the receiver's time, and no more."""
    over = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        over.wait(60)
        raise socket.gaierror(-3, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    answer = send("http://receiver.test/")
    over.set()
    assert answer.error == "timed out while looking up the host's name"


class HungNames:
    """Look-ups of ``.test`` names hang until ``over``; ``asked`` are those that were begun."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.over = threading.Event()
        self._begun = threading.Semaphore(0)
        real = socket.getaddrinfo

        def hang(host: str, *args: Any, **kwargs: Any) -> Any:
            if not host.endswith(".test"):
                return real(host, *args, **kwargs)
            self.asked.append(host)
            self._begun.release()
            assert self.over.wait(60)
            return real("127.0.0.1", *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", hang)

    def wait_for(self, count: int) -> None:
        """Until so many more were begun."""
        for _ in range(count):
            assert self._begun.acquire(timeout=60)


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[HungNames]:
    """Until the end of the test, at the latest."""
    names = HungNames(monkeypatch)
    yield names
    names.over.set()


def told_of(transport: HttpTransport, host: str, account: str = "", **changes: Any) -> str | None:
    """What the log says of a callback to this host; by default somebody who waits for a moment."""
    values = {"timeout_s": 0.05} | changes
    request = Outgoing(
        method="POST", url=f"http://{host}/", headers=(), body=b"", account=account, **values
    )
    return transport.send(request).error


SLOW_NAME = "timed out while looking up the host's name"


def test_look_ups_that_hang_do_not_pile_up(
    hung: HungNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that are left behind are bounded; whoever finds none waits for one, with a bound."""
    monkeypatch.setattr(lines, "most_look_ups", lambda: 2)
    transport = HttpTransport()
    errors = {told_of(transport, f"receiver{n}.test", f"MA{n}") for n in range(4)}
    assert errors == {SLOW_NAME}
    hung.wait_for(2)
    assert sorted(hung.asked) == ["receiver0.test", "receiver1.test"]


def test_a_name_that_hangs_takes_one_thread(hung: HungNames) -> None:
    """However many wait for it, and whoever they are; its answer is for all of them."""
    transport = HttpTransport()
    assert {told_of(transport, "receiver.test", f"MA{n}") for n in range(20)} == {SLOW_NAME}
    hung.wait_for(1)
    assert hung.asked == ["receiver.test"]
    with meanwhile(lambda: told_of(transport, "receiver.test:1", timeout_s=60)) as told:
        hung.over.set()
    assert told.result() == "connection refused"


@pytest.mark.parametrize(("most", "each"), [(1024, 8), (8, 4)])
def test_names_of_one_account_leave_room_for_those_of_others(
    hung: HungNames, monkeypatch: pytest.MonkeyPatch, most: int, each: int
) -> None:
    """It has a few threads, however few there are, and they are its own."""
    monkeypatch.setattr(lines, "most_look_ups", lambda: most)
    transport = HttpTransport()
    for n in range(each + 3):
        assert told_of(transport, f"receiver{n}.test", "MA1") == SLOW_NAME
    hung.wait_for(each)
    assert len(hung.asked) == each
    told_of(transport, "other.test", "MA2")
    hung.wait_for(1)
    assert hung.asked[each:] == ["other.test"]


def test_a_look_up_gives_its_thread_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it found something or not, time after time; else there were none some day."""
    monkeypatch.setattr(lines, "most_look_ups", lambda: 2)
    monkeypatch.setattr(lines, "MOST_LOOK_UPS_EACH", 2)
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        if host.startswith("unknown"):
            raise socket.gaierror(-2, "Name or service not known")
        return real("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    transport = HttpTransport()
    for n in range(6):
        known, unknown = f"known{n}.test:1", f"unknown{n}.test:1"
        assert told_of(transport, known, timeout_s=60) == "connection refused"
        assert "cannot be resolved" in (told_of(transport, unknown, timeout_s=60) or "")


def test_who_waits_for_a_look_up_begins_when_another_ends(
    hung: HungNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the end of its patience."""
    monkeypatch.setattr(lines, "most_look_ups", lambda: 1)
    transport = HttpTransport()
    told_of(transport, "receiver0.test")
    hung.wait_for(1)
    with meanwhile(lambda: told_of(transport, "receiver1.test:1", timeout_s=60)) as told:
        hung.over.set()
    assert told.result() == "connection refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "Api.LocalHost.", "[::1]", "10.0.0.1"])
def test_what_needs_no_look_up_waits_for_none(
    hung: HungNames, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Literal addresses and loopback names, however many names hang."""
    monkeypatch.setattr(lines, "most_look_ups", lambda: 1)
    transport = HttpTransport()
    told_of(transport, "receiver.test")
    hung.wait_for(1)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert told_of(transport, host, timeout_s=60) == "connection refused"
    assert hung.asked == ["receiver.test"]


def refuse(*_: Any) -> Any:
    raise ConnectionRefusedError


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was checked is the one that is connected to."""
    answers = ["127.0.0.1", "8.8.8.8"]
    with peer(answering(OK)) as there:
        inet = (socket.AF_INET, socket.SOCK_STREAM, 6, "")

        def look_up(host: str, port: int, *_: Any, **__: Any) -> Any:
            if host == "127.0.0.1":
                return [(*inet, (host, port))]
            return [(*inet, (answers.pop(0), port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        assert timely(f"http://rebind.test:{there.port}/").status == 200
    assert answers == ["8.8.8.8"]


def test_a_name_that_means_v6_first_finds_a_v4_receiver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next address is tried when one refuses; localhost is such a name."""
    with peer(answering(OK)) as there:
        real = socket.getaddrinfo

        def look_up(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host == "receiver.test":
                return [*real("::1", port, *args, **kwargs), *real("127.0.0.1", port)]
            return real(host, port, *args, **kwargs)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        assert timely(f"http://receiver.test:{there.port}/").status == 200
        assert timely(f"http://localhost:{there.port}/").status == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_a_v6_loopback_receiver_is_reached() -> None:
    """With its brackets in the Host header."""
    try:
        with peer(answering(OK), socket.AF_INET6) as there:
            assert timely(f"http://[::1]:{there.port}/").status == 200
    except OSError:
        pytest.skip("no IPv6 loopback here")
    assert f"Host: [::1]:{there.port}".encode() in there.seen[0]


def test_a_name_nobody_knows_is_told(asked: list[str]) -> None:
    """A compose service that is not up."""
    answer = timely("http://receiver:8080/")
    assert "cannot be resolved" in (answer.error or "")
    assert asked == ["receiver"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[::1", "nonsense", "http://"])
def test_a_url_that_is_none_is_an_error_in_the_log(url: str) -> None:
    """``send`` never raises."""
    assert timely(url).error


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Peer, Path]]:
    """A receiver with a certificate for 127.0.0.1, and the authority that made it."""
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def treat(self: Peer, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            answering(OK)(self, wrapped)

    with peer(treat) as there:
        yield there, tmp_path / "ca.pem"


def test_a_trusted_https_receiver_is_reached(
    secure: tuple[Peer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SSL_CERT_FILE`` says whom to trust."""
    there, authority = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert timely(f"https://127.0.0.1:{there.port}/").status == 200


def test_the_server_s_own_authority_is_trusted_too(
    secure: tuple[Peer, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside what is trusted anyway; whoever it made no certificate for stays untrusted."""
    there, authority = secure
    own = tmp_path / "own.pem"
    request = replace(outgoing(0), url=f"https://127.0.0.1:{there.port}/")
    pytest.importorskip("trustme").CA().cert_pem.write_to_path(str(own))
    assert HttpTransport(authority).send(request).status == 200
    assert "CERTIFICATE_VERIFY_FAILED" in (HttpTransport(own).send(request).error or "")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert HttpTransport(own).send(request).status == 200
    elsewhere = replace(request, url=f"https://localhost:{there.port}/")
    assert "Hostname mismatch" in (HttpTransport(authority).send(elsewhere).error or "")


def test_an_untrusted_https_receiver_is_not_told_anything(secure: tuple[Peer, Path]) -> None:
    """The certificate is checked before the request goes out."""
    there, _ = secure
    assert "CERTIFICATE_VERIFY_FAILED" in (timely(f"https://127.0.0.1:{there.port}/").error or "")
    assert there.seen == []


def test_a_handshake_that_drips_is_cut(given_s: list[float]) -> None:
    """One TLS record, a byte at a time, for ever."""
    with peer(dripping_handshake) as there:
        assert send(f"https://127.0.0.1:{there.port}/").error == f"timed out after {PATIENCE_S:g} s"
    assert given_s == [PATIENCE_S]


@pytest.mark.parametrize("is_cut", [True, False], ids=["cut", "reset by the receiver"])
def test_what_ended_before_its_handshake_is_closed(
    monkeypatch: pytest.MonkeyPatch, is_cut: bool
) -> None:
    """On a machine that is busy, the certificates may be loaded only after the time is up."""
    ended, transport = threading.Event(), HttpTransport()
    load = ssl.create_default_context

    def reset(self: Peer, connection: socket.socket) -> None:
        if is_cut:
            connection.recv(65536)
            connection.sendall(b"too late")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
        ended.set()

    def load_late() -> ssl.SSLContext:
        if is_cut:
            transport.cut(request)
        assert ended.wait(60)
        return load()

    with peer(reset) as there, warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always")
        request = replace(outgoing(there.port), url=f"https://127.0.0.1:{there.port}/")
        monkeypatch.setattr(ssl, "create_default_context", load_late)
        error = transport.send(request).error
    assert error == ("timed out" if is_cut else ENDED)
    assert unclosed == []


# --- what this process wants -----------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EMFILE, "Too many open files"),
        MemoryError(),
        NoThread("no more"),
    ],
)
@pytest.mark.parametrize("where", ["connecting", "deadline"])
def test_what_this_process_wants_is_no_answer_of_the_receiver(
    monkeypatch: pytest.MonkeyPatch, error: Exception, where: str
) -> None:
    """It is raised, for whoever can wait for it; who only asks is told a sentence."""

    def want(*_: Any) -> Any:
        raise error

    if where == "connecting":
        monkeypatch.setattr(socket, "create_connection", want)
    else:
        monkeypatch.setattr(lines.TIMEOUTS, "begin", want)
    with pytest.raises(type(error)):
        send("http://localhost:9/")
    if where == "connecting":
        text = HttpTransport().why_unreachable("http://localhost:9/", (), 1)
        assert text == "this machine has no room for another connection (ulimit -n, memory)"


def test_an_address_that_is_not_reached_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the number of the error."""

    def refuse(*_: Any) -> Any:
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert send("http://10.0.0.1/").error == "the receiver cannot be reached: No route to host"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_send_takes_one_descriptor(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """And gives it back."""

    def twin(*_: Any) -> Any:
        raise AssertionError("a second one")

    made: list[socket.socket] = []
    connect = socket.create_connection

    def noted(*given: Any) -> socket.socket:
        made.append(connect(*given))
        return made[-1]

    there: Peer
    if scheme == "https":
        there, authority = request.getfixturevalue("secure")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    else:
        there = request.getfixturevalue("plain")
    monkeypatch.setattr(socket, "fromfd", twin)
    monkeypatch.setattr(socket, "create_connection", noted)
    with warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always")
        assert timely(f"{scheme}://127.0.0.1:{there.port}/").status == 200
        gc.collect()
    assert [each.fileno() for each in made] == [-1]
    assert unclosed == []


@pytest.fixture
def plain() -> Iterator[Peer]:
    with peer(answering(OK)) as there:
        yield there


# --- the one for tests -----------------------------------------------------------------------


def test_the_memory_transport_answers_in_turn_and_then_200() -> None:
    """It keeps what was sent."""
    transport, request = MemoryTransport(500, 404), Outgoing(
        method="POST", url="http://127.0.0.1/", headers=(), body=b"", timeout_s=1
    )  # fmt: skip
    assert [transport.send(request).status for _ in range(3)] == [500, 404, 200]
    assert transport.sent == [request] * 3
