"""Calls to the live services go to a simulator, whoever made the client, and when."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import plivo
import pytest
import requests
from smallestai import AsyncSmallestAI, SmallestAI

from plivo_sim.client.applications import write_samples
from plivo_sim.outgoing.guard import LiveCallError
from plivo_sim.testing import AUTH_ID, AUTH_TOKEN, Served
from plivo_sim.testing.sdk import point, pointed
from tests.support import Receiver

pytestmark = [
    pytest.mark.live,
    pytest.mark.usefixtures("guard"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the SDK leaves its files open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

# Made before anything is pointed anywhere, as in an application's module.
CLIENT = plivo.RestClient(AUTH_ID, AUTH_TOKEN, timeout=30)
UPLOADER = plivo.RestClient(AUTH_ID, AUTH_TOKEN, timeout=30)
HTTPX = httpx.Client(timeout=60)
ATOMS = SmallestAI(api_key="key", max_retries=0, httpx_client=HTTPX)
SESSION = requests.Session()
URL = f"https://api.plivo.com/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
ASKED = {"country_iso": "IN", "number_type": "local", "user_type": "business"}
DATA = {
    "country_iso": "US", "number_type": "local", "alias": "Acme",
    "end_user": {"type": "business", "name": "Acme"},
}  # fmt: skip


@pytest.fixture(scope="module")
def two() -> Iterator[list[Served]]:
    servers = [Served(), Served()]
    yield servers
    for session in (
        SESSION,
        HTTPX,
        *(s for c in (CLIENT, UPLOADER) for s in (c.session, c.multipart_session)),
    ):
        session.close()
    for each in servers:
        each.close()


@pytest.fixture
def server(two: list[Served]) -> Served:
    for each in two:
        each.reset()
    return two[0]


def calls(server: Served) -> list[tuple[str, str, int]]:
    """Method, URL and status of what arrived for the account."""
    account = server.sim.account(server.auth_id)
    with account.lock:
        return [(e.method, e.url.partition("?")[0], e.status) for e in account.exchanges]


def test_clients_of_the_sdk_that_were_there_before(server: Served, tmp_path: Path) -> None:
    """Ordinary calls, and uploads as the first call; voice too. Afterwards they leave again."""
    with pointed(server.url):
        files = [str(path) for path in write_samples(tmp_path)[:1]]
        made = UPLOADER.phone_number_compliance.create(data=DATA, documents=files)
        assert CLIENT.phone_number_compliance.get(made.compliance_id).compliance["alias"] == "Acme"
        with pytest.raises(plivo.exceptions.ResourceNotFoundError):
            CLIENT.calls.create(from_="1", to_="2", answer_url="http://127.0.0.1/x")
        CLIENT.phone_number_compliance.create(data=DATA, documents=files)
    assert len(server.applications()) == 2
    for client in (CLIENT, UPLOADER):
        with pytest.raises(LiveCallError):
            client.phone_number_compliance.get(made.compliance_id)
        with pytest.raises(LiveCallError):
            client.phone_number_compliance.create(data=DATA, documents=files)
    gc.collect()  # the SDK's open files, while that is no error


def test_clients_that_are_made_within_leave_no_trace(server: Served) -> None:
    """They go to the simulator until the block ends."""
    with pointed(server.url):
        client = plivo.RestClient(AUTH_ID, AUTH_TOKEN)
        assert client.end_users.list().meta.total_count == 0
    with client, pytest.raises(LiveCallError):
        client.end_users.list()


def test_clients_of_atoms(server: Served) -> None:
    """In an event loop, too."""

    async def ask() -> Any:
        async with httpx.AsyncClient(timeout=60) as own:
            client = AsyncSmallestAI(api_key="key", max_retries=0, httpx_client=own)
            with pointed(server.url):
                return await client.atoms.compliance.get_compliance_status(**ASKED)

    with pointed(server.url):
        told = ATOMS.atoms.compliance.get_compliance_status(**ASKED)
    assert (told.data.step, asyncio.run(ask()).data.step) == ("form", "form")


def test_calls_without_an_sdk(server: Served) -> None:
    """By requests, httpx and aiohttp; the answer is the simulator's, the rest is as sent."""

    async def by_httpx() -> int:
        async with httpx.AsyncClient(
            base_url=URL, auth=(AUTH_ID, AUTH_TOKEN), timeout=60
        ) as client:
            with pointed(server.url):
                return (await client.post("", data={"data": "{}"})).status_code

    async def by_aiohttp() -> int:
        async with aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(AUTH_ID, AUTH_TOKEN)}
        ) as session:
            with pointed(server.url):
                async with session.get(URL, params={"alias": "a b/ü"}) as answer:
                    return answer.status

    with pointed(server.url):
        answer = SESSION.get(URL, params={"limit": 1}, auth=(AUTH_ID, AUTH_TOKEN))
        with httpx.Client(auth=(AUTH_ID, AUTH_TOKEN), timeout=60) as client:
            sent = client.get(URL, headers={"X-Own": "1"})
    assert answer.url.startswith(f"{server.url}/v1/Account/{AUTH_ID}/PhoneNumber/")
    assert (answer.status_code, sent.status_code) == (200, 200)
    assert (asyncio.run(by_httpx()), asyncio.run(by_aiohttp())) == (400, 200)
    there = URL.replace("https://api.plivo.com", server.url)
    assert calls(server) == [
        ("GET", there, 200), ("GET", there, 200), ("POST", there, 400), ("GET", there, 200),
    ]  # fmt: skip


def test_the_innermost_one_counts(server: Served, two: list[Served]) -> None:
    """Of several servers; when it fails, the outer one counts again."""
    other = two[1]

    def file_and_fail() -> None:
        with pointed(other.url):
            CLIENT.phone_number_compliance.create(data=DATA)
            raise ZeroDivisionError

    with pointed(server.url):
        with pytest.raises(ZeroDivisionError):
            file_and_fail()
        CLIENT.phone_number_compliance.create(data=DATA)
        CLIENT.phone_number_compliance.create(data=DATA | {"alias": "Acme, again"})
    assert (len(server.applications()), len(other.applications())) == (2, 1)
    with pytest.raises(LiveCallError):
        CLIENT.phone_number_compliance.list()


def test_blocks_of_threads_overlap(server: Served, two: list[Served]) -> None:
    """One that ends leaves the other in force; other threads' calls are redirected."""
    first, second = pointed(server.url), pointed(two[1].url)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    thread = threading.Thread(target=CLIENT.phone_number_compliance.create, kwargs={"data": DATA})
    thread.start()
    thread.join()
    second.__exit__(None, None, None)
    assert (len(server.applications()), len(two[1].applications())) == (0, 1)


def test_other_calls_are_left_alone(server: Served, two: list[Served]) -> None:
    """Those to other hosts, and those of a client that was pointed by itself; proxies are not asked
    for a simulator."""
    own = point(
        plivo.RestClient(AUTH_ID, AUTH_TOKEN, proxies={"http": "http://127.0.0.1:1"}), two[1].url
    )
    own.proxies = None
    with pointed(f"{server.url}/current"), own:
        assert SESSION.get(f"{two[1].url}/_sim/health/ready").status_code == 200
        own.phone_number_compliance.list()
        proxies = {"https": "http://127.0.0.1:1", "http": "http://127.0.0.1:1"}
        answer = SESSION.get(URL, auth=(AUTH_ID, AUTH_TOKEN), proxies=proxies)
    assert answer.url.startswith(f"{server.url}/current/v1/Account/")
    assert [len(calls(each)) for each in two] == [1, 1]


class Redirecting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://live.plivo.invalid/callback?a=b")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def test_calls_that_come_by_a_redirect() -> None:
    """From a host that is left alone to a live one; aiohttp's do not go to its proxy either."""

    async def by_aiohttp(url: str, **given: Any) -> int:
        async with aiohttp.ClientSession() as session, session.get(url, **given) as answer:
            return answer.status

    with HTTPServer(("127.0.0.1", 0), Redirecting) as other, Receiver().serving() as receiver:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        with pointed(receiver.url.removesuffix("/callback"), ["live.plivo.invalid"]):
            asyncio.run(by_aiohttp(f"http://127.0.0.1:{other.server_port}/"))
            asyncio.run(by_aiohttp("http://live.plivo.invalid/", proxy="http://127.0.0.1:1"))
        thread.join()
    base = receiver.url.removesuffix("/callback")
    assert [each.url for each in receiver.received] == [f"{base}/callback?a=b", f"{base}/"]
