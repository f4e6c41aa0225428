"""What URLs begin with: valid whatever the host, and made in one place."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client
from plivo_sim.domain.urls import base_url, base_url_asked, read_host, with_scheme
from plivo_sim.settings import Settings
from plivo_sim.web.server import make_server
from tests.apis.page import page_form
from tests.support import AUTH_ID, SDK_AGENT, TOKEN, Http, basic

SOURCES = Path(__file__).parents[2] / "plivo_sim"
SERVER = ("127.0.0.1", 8700)


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8700, "http://127.0.0.1:8700"),
        ("::1", 8700, "http://[::1]:8700"),
        ("fe80::1%eth0", 8700, "http://[fe80::1%25eth0]:8700"),
        ("plivo_sim", 80, "http://plivo_sim"),
        ("::1", None, "http://[::1]"),
    ],
)
def test_every_host_makes_a_valid_url(host: str, port: int | None, url: str) -> None:
    """An address of version 6 has brackets; the port that http implies is left out."""
    assert base_url("http", host, port) == url
    assert urlsplit(url).hostname == host.replace("%", "%25")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("plivo_sim:8700", "http://plivo_sim:8700"),
        ("[::1]:8700", "http://[::1]:8700"),
        ("LocalHost", "http://localhost"),
        ("sim.example:80", "http://sim.example"),
        (None, "http://127.0.0.1:8700"),
        ("", "http://127.0.0.1:8700"),
        ("not a host", "http://127.0.0.1:8700"),
        ("[127.0.0.1]", "http://127.0.0.1:8700"),
        ("[::", "http://127.0.0.1:8700"),
        ("sim:0", "http://127.0.0.1:8700"),
        ("sim:99999", "http://127.0.0.1:8700"),
        (f"{'a' * 64}.example", "http://127.0.0.1:8700"),
    ],
)
def test_urls_begin_with_what_was_asked(host: str | None, url: str) -> None:
    """By the ``Host`` header, or by the server's own address when no URL can have that."""
    assert base_url_asked("http", host, SERVER) == url


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("::1", "http://[::1]"),
        ("[::1]:8700", "http://[::1]:8700"),
        ("https://sim.example/", "https://sim.example"),
    ],
)
def test_a_url_may_be_given_without_its_scheme(given: str, url: str) -> None:
    """To ``--url``."""
    assert with_scheme(given) == url


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("Sim.Example.", "sim.example"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("plivo_sim", "plivo_sim"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_hosts_are_read_as_they_are_compared(text: str, host: str) -> None:
    """One spelling each, which is that of a ``Host`` header."""
    assert read_host(text) == host


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("sim.example:8700", "write sim.example"),
        ("https://sim.example/path", "write sim.example"),
        ("https://[::1]:8700", "write ::1"),
        ("*.example.com", "write each name in full"),
        ("10.0.0.0/8", "write 10.0.0.0"),
        (".example.com", "write each name in full"),
        ("", "write each name in full"),
        ("a..b", "write each name in full"),
    ],
)
def test_what_no_host_can_equal_is_refused(text: str, advice: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is no host name; {advice}")):
        read_host(text)


@pytest.mark.parametrize("host", ["plivo_sim:8700", "[::1]:8700"])
def test_download_urls_are_valid(http: Http, host: str) -> None:
    """Under the name of a compose service, and an address in brackets."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/?expand=documents"
    answer = http.get(path, headers={"Host": host, "User-Agent": SDK_AGENT})
    url = answer.get_json()["compliance"]["documents"][0]["download_url"]
    assert url.startswith(f"http://{host}/v1/Account/{AUTH_ID}/")


@pytest.mark.parametrize("host", ["plivo_sim:8700", "not a host", f"{'a' * 64}.example"])
def test_the_journal_tells_valid_urls(http: Http, host: str) -> None:
    """Whatever the ``Host`` of the call was."""
    http.get("EndUser/", headers={"Host": host})
    (exchange,) = http.control("GET", "/requests", account=AUTH_ID).get_json()["requests"]
    parts = urlsplit(exchange["url"])
    assert parts.netloc == (host if "_" in host else "localhost")
    assert parts.path == f"/v1/Account/{AUTH_ID}/EndUser/"


def test_the_inbox_tells_valid_urls(http: Http) -> None:
    """Of the callbacks that it received."""
    http.sim.settings = Settings(allowed_hosts=("plivo_sim",))
    http.post("/_sim/inbox/mine", headers={"Host": "plivo_sim:8700"}, data=b"{}")
    (message,) = http.get("/_sim/inbox/mine/messages").get_json()["messages"]
    assert message["url"] == "http://plivo_sim:8700/_sim/inbox/mine"


def test_curl_lines_of_the_console_have_the_name_of_the_service(http: Http) -> None:
    """As whoever looks at the page reached it."""
    http.sim.settings = Settings(allowed_hosts=("plivo_sim",))
    http.sdk_created()
    page = http.get(f"/console/{AUTH_ID}/numbers", headers={"Host": "plivo_sim:8700"}).text
    assert "http://plivo_sim:8700/" in page
    assert "http:/v1" not in page


@pytest.mark.live
def test_a_simulator_on_an_address_of_version_6_is_reached_by_its_url() -> None:
    """By the URL that ``serve`` prints and ``run`` hands on; its own links lead there too."""
    with LiveSimulator(Settings(host="::1", port=0, paused=True)) as live:
        assert live.url.startswith("http://[::1]:")
        client = Client(live.url, AUTH_ID, TOKEN)
        assert client.control("GET", "/health/live") == {"status": "ok"}


@pytest.mark.live
def test_a_caller_without_a_host_gets_the_address_of_the_server(http: Http) -> None:
    """HTTP/1.0 has none: the link leads to the socket that was called."""
    id = http.sdk_created()
    server = make_server(create_app(http.sim), host="127.0.0.1")
    server.start()
    path = f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/{id}/?expand=documents"
    with socket.create_connection(("127.0.0.1", server.port), 60) as sock:
        authorization = http.headers | {"Authorization": basic()}
        head = "".join(f"{name}: {value}\r\n" for name, value in authorization.items())
        sock.sendall(f"GET {path} HTTP/1.0\r\n{head}\r\n".encode())
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    server.stop()
    assert f'"download_url":"http://127.0.0.1:{server.port}/v1/'.encode() in answer


def test_no_other_module_puts_a_host_into_a_url() -> None:
    """What is made of a host is made in ``urls``."""
    made = re.compile(r"https?://\{")
    found = {path.name for path in SOURCES.rglob("*.py") if made.search(path.read_text())}
    assert found == {"urls.py"}


@pytest.mark.parametrize(
    "check",
    [
        lambda http, url: http.sdk_create(callback_url=url),
        lambda http, url: http.post(
            "PhoneNumber/Compliance/",
            **dict(zip(("data", "content_type"), page_form(callback_url=url), strict=True)),
            headers={"X-Plivo-Sim-Dialect": "beta"},
        ),
    ],
    ids=["current", "beta"],
)
def test_the_longest_url_is_one(http: Http, check: Callable[[Http, str], TestResponse]) -> None:
    """2048 characters are taken, in both dialects; one more is not."""
    url = "http://127.0.0.1:9/" + "x" * (2048 - 19)
    assert len(url) == 2048
    answer = check(http, url + "x")
    assert answer.status_code in (400, 422)
    assert "2048" in answer.text
    answer = check(http, url)
    assert answer.status_code == 201, answer.text
