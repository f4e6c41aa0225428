"""The guard: calls to the live services are stopped where they are made."""

from __future__ import annotations

import asyncio
import http.client
import socket
import socketserver
import threading
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from inspect import getsourcelines
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import plivo
import pytest
import requests
import trio
import urllib3
from smallestai import AsyncSmallestAI, SmallestAI

from plivo_sim.outgoing import HOSTS, read_hosts
from plivo_sim.outgoing.guard import Guard, LiveCallError
from tests.support import Receiver

NOBODY = "http://127.0.0.1:1"
"""A proxy that nobody asks, because the call is stopped before."""


def resolves() -> Any:
    return socket.getaddrinfo("API.plivo.com.", 443)


def resolves_the_old_way() -> Any:
    return socket.gethostbyname("api.plivo.com")


def resolves_the_old_way_with_aliases() -> Any:
    return socket.gethostbyname_ex("api.plivo.com")


def connects() -> Any:
    with socket.socket() as sock:
        return sock.connect(("api.plivo.com", 443))


def creates_a_connection() -> Any:
    return socket.create_connection(("voice.plivo.com", 443))


def http_client() -> Any:
    return http.client.HTTPSConnection("api.plivo.com").request("GET", "/")


def http_client_in_a_tunnel() -> Any:
    connection = http.client.HTTPSConnection("127.0.0.1", 1)
    return connection.set_tunnel("api.plivo.com")


def urllib_request() -> Any:
    return urllib.request.urlopen("https://api.plivo.com/")


def urllib3_pool() -> Any:
    return urllib3.PoolManager().request("GET", "https://api.plivo.com/", retries=False)


def requests_get() -> Any:
    return requests.get("https://api.plivo.com/")


def requests_by_proxy() -> Any:
    return requests.get("https://api.plivo.com/", proxies={"https": NOBODY})


def requests_by_proxy_in_the_clear(proxy: str = "") -> Any:
    return requests.get("http://api.plivo.com/", proxies={"http": proxy})


def httpx_get() -> Any:
    return httpx.get("https://api.smallest.ai/")


def httpx_by_proxy() -> Any:
    return httpx.get("https://api.smallest.ai/", proxy=NOBODY)


def plivo_sdk() -> Any:
    with plivo.RestClient("MAXXXXXXXXXXXXXXXXXX", "token") as client:
        return client.end_users.list()


def smallestai_sdk() -> Any:
    return SmallestAI(api_key="key").atoms.compliance.get_compliance_status(
        country_iso="IN", number_type="local", user_type="business"
    )


async def loop_resolves() -> Any:
    return await asyncio.get_running_loop().getaddrinfo("api.plivo.com", 443)


async def streams() -> Any:
    return await asyncio.open_connection("api.plivo.com", 443)


async def loop_connects_a_socket() -> Any:
    with socket.socket() as sock:
        sock.setblocking(False)
        return await asyncio.get_running_loop().sock_connect(sock, ("api.plivo.com", 443))


async def loop_connects() -> Any:
    loop = asyncio.get_running_loop()
    return await loop.create_connection(
        protocol_factory=asyncio.Protocol, host="api.plivo.com", port=443
    )


async def loop_connects_for_datagrams() -> Any:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("api.plivo.com", 443)
    )


async def loop_binds_for_datagrams() -> Any:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("api.plivo.com", 443))


async def loop_listens() -> Any:
    loop = asyncio.get_running_loop()
    return await loop.create_server(asyncio.Protocol, ["127.0.0.1", "api.plivo.com"], 0)


async def httpx_async() -> Any:
    async with httpx.AsyncClient() as client:
        return await client.get("https://api.smallest.ai/")


async def httpx_async_by_proxy() -> Any:
    async with httpx.AsyncClient(proxy=NOBODY) as client:
        return await client.get("https://api.smallest.ai/")


async def aiohttp_get() -> Any:
    async with aiohttp.ClientSession() as session:
        return await session.get("https://api.plivo.com/")


async def aiohttp_by_proxy() -> Any:
    async with aiohttp.ClientSession() as session:
        return await session.get("https://api.plivo.com/", proxy=NOBODY)


async def smallestai_async() -> Any:
    client = AsyncSmallestAI(api_key="key")
    return await client.atoms.compliance.get_compliance_status(
        country_iso="IN", number_type="local", user_type="business"
    )


async def trio_connects() -> Any:
    return await trio.open_tcp_stream("api.plivo.com", 443)


CALLS = (
    resolves, resolves_the_old_way, resolves_the_old_way_with_aliases, connects,
    creates_a_connection, http_client, http_client_in_a_tunnel, urllib_request, urllib3_pool,
    requests_get, requests_by_proxy, httpx_get, httpx_by_proxy, plivo_sdk, smallestai_sdk,
)  # fmt: skip
AWAITED = (
    loop_resolves, loop_connects_a_socket, loop_connects, loop_connects_for_datagrams,
    loop_binds_for_datagrams, loop_listens, streams, httpx_async, httpx_async_by_proxy,
    aiohttp_get, aiohttp_by_proxy, smallestai_async,
)  # fmt: skip


def in_asyncio(call: Callable[[], Any]) -> Any:
    return asyncio.run(call())


def in_uvloop(call: Callable[[], Any]) -> Any:
    return pytest.importorskip("uvloop", reason="Windows has none").run(call())


@pytest.mark.parametrize(
    ("run", "call"),
    [
        *[(lambda call: call(), call) for call in CALLS],
        *[(run, call) for run in (in_asyncio, in_uvloop) for call in AWAITED],
        (trio.run, trio_connects),
    ],
    ids=lambda each: each.__name__,
)
def test_a_call_is_stopped_and_its_line_named(
    guard: Guard, run: Callable[..., Any], call: Callable[[], Any]
) -> None:
    """Whatever library makes it, in event loops too, directly or by a proxy."""
    with pytest.raises(LiveCallError) as stopped:
        run(call)
    text = str(stopped.value)
    lines, first = getsourcelines(call)
    assert any(
        f"{__file__}:{first + n} in {call.__name__} calls " in text for n in range(len(lines))
    )
    assert "pointed=True" in text
    assert guard.take() == [stopped.value.place]
    assert guard.take() == []


LIVE = "live.plivo.invalid"
SPELLINGS = (
    LIVE, "LIVE.plivo.invalid.", "live。plivo。invalid", "live．plivo｡invalid。",
    "ｌｉｖｅ.plivo.invalid", "LI\u00adVE.plivo.invalid", b"live.plivo.invalid",
)  # fmt: skip
FUNCTIONS: dict[str, Callable[[socket.socket, Any], Any]] = {
    "getaddrinfo": lambda _, host: socket.getaddrinfo(host, 443),
    "gethostbyname": lambda _, host: socket.gethostbyname(host),
    "gethostbyname_ex": lambda _, host: socket.gethostbyname_ex(host),
    "gethostbyaddr": lambda _, host: socket.gethostbyaddr(host),
    "create_connection": lambda _, host: socket.create_connection((host, 443)),
    "bind": lambda sock, host: sock.bind((host, 0)),
    "connect": lambda sock, host: sock.connect((host, 443)),
    "connect_ex": lambda sock, host: sock.connect_ex((host, 443)),
    "sendto": lambda sock, host: sock.sendto(b"x", (host, 443)),
    "sendto with flags": lambda sock, host: sock.sendto(b"x", 0, (host, 443)),
    "sendmsg": lambda sock, host: sock.sendmsg([b"x"], [], 0, (host, 443)),
}


@pytest.mark.parametrize("host", SPELLINGS, ids=ascii)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_that_sockets_do_with_a_host_is_stopped(function: str, host: Any) -> None:
    """However the host is spelt that Python's sockets would ask for."""
    guard = Guard([LIVE])
    guard.switch(True)
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
            pytest.raises(LiveCallError, match=rf"calls {LIVE}, "),
        ):
            FUNCTIONS[function](sock, host)
    finally:
        guard.switch(False)


def test_an_empty_list_of_hosts_is_the_default() -> None:
    """As the ini line ``plivo_guard_hosts =`` gives it."""
    assert read_hosts([]) == frozenset(HOSTS)


@pytest.mark.usefixtures("guard")
def test_datagrams_to_others_pass() -> None:
    """Also when what they carry reads as a host."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        there.bind(("127.0.0.1", 0))
        sock.connect(there.getsockname())
        sock.sendmsg((b"api.plivo.com",))
        assert there.recv(100) == b"api.plivo.com"


def test_a_proxy_in_the_clear_is_no_way_round(guard: Guard) -> None:
    """It is asked by the whole URL."""
    with socket.create_server(("127.0.0.1", 0)) as proxy, pytest.raises(LiveCallError):
        requests_by_proxy_in_the_clear(f"http://127.0.0.1:{proxy.getsockname()[1]}")


def test_a_line_is_told_from_the_root() -> None:
    """And what has no line of the user's names its thread."""
    guard = Guard(root=__file__.rpartition("/")[0])
    guard.switch(True)
    errors: list[str] = []

    def keep(args: threading.ExceptHookArgs) -> None:
        errors.append(str(args.exc_value))

    threading.excepthook, before = keep, threading.excepthook
    try:
        with pytest.raises(LiveCallError, match=r"^test_guard\.py:\d+ in resolves calls"):
            resolves()
        thread = threading.Thread(
            target=socket.getaddrinfo, args=("api.plivo.com", 443), name="worker-7"
        )
        thread.start()
        thread.join()
    finally:
        threading.excepthook = before
        guard.switch(False)
    assert "code without a line of yours (thread 'worker-7') calls api.plivo.com" in errors[0]


def test_nothing_else_is_stopped_and_all_is_undone() -> None:
    """Other hosts pass; afterwards every function is the one that was there before."""

    def functions() -> list[Any]:
        return [
            socket.getaddrinfo,
            socket.gethostbyname,
            socket.socket.connect,
            "connect" in vars(socket.socket),
            asyncio.BaseEventLoop.getaddrinfo,
            http.client.HTTPConnection.set_tunnel,
            http.client.HTTPConnection.putrequest,
            aiohttp.connector.BaseConnector.connect,
        ]

    async def resolve() -> Any:
        return await asyncio.get_running_loop().getaddrinfo("localhost", port)

    before = functions()
    guard = Guard(("api.example.com",))
    guard.switch(True)
    try:
        assert functions() != before
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            socket.create_connection(("localhost", port)).close()
            assert asyncio.run(resolve())
        with pytest.raises(LiveCallError, match=r"calls api\.example\.com"):
            socket.getaddrinfo("api.example.com", 443)
    finally:
        guard.switch(False)
    assert functions() == before
    assert len(guard.take()) == 1


class Here(aiohttp.abc.AbstractResolver):
    """Every name is this machine, as in aiohttp's own example of a fake server."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> Any:
        where = {"hostname": host, "host": "127.0.0.1", "port": self.port}
        return [where | {"family": socket.AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None: ...


class Ok(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.mark.usefixtures("guard")
def test_a_test_that_leads_the_name_to_itself_is_left_alone(tmp_path: Path) -> None:
    """By a resolver of its own, a socket file, or a library that answers instead."""

    async def by_resolver(url: str) -> int:
        resolver = Here()
        resolver.port = int(url.rpartition(":")[2].partition("/")[0])
        connector = aiohttp.TCPConnector(resolver=resolver)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post("http://api.plivo.com/callback") as answer,
        ):
            return answer.status

    with Receiver().serving() as receiver:
        assert asyncio.run(by_resolver(receiver.url)) == 200
    file = str(tmp_path / "socket")
    with socketserver.UnixStreamServer(file, Ok) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with httpx.Client(transport=httpx.HTTPTransport(uds=file)) as client:
            assert client.get("http://api.plivo.com/").status_code == 200
        thread.join()
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(204))) as client:
        assert client.get("http://api.plivo.com/").status_code == 204
