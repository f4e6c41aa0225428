"""Who may steer: control calls under foreign names or from foreign pages. DECISIONS 42."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plivo_sim.app import create_app
from plivo_sim.bootstrap import make_simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.control.support import check_problem
from tests.support import SDK_AGENT, Http

CALLS = [
    ("GET", "/health"),
    ("POST", "/reset"),
    ("POST", "/clock/advance"),
    ("GET", "/inbox/mine/messages"),
    ("POST", "/inbox/mine"),
]


@pytest.fixture
def named() -> Iterator[Http]:
    """A simulator that listens on every address and goes by two more names."""
    settings = replace(PAUSED, host="0.0.0.0", allowed_hosts=("plivo-sim", "sim.internal"))
    sim = make_simulator(settings, transport=MemoryTransport())
    yield Http(create_app(sim), sim)
    sim.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.0.0.1:8700", "127.0.0.2", "localhost", "localhost:8700", "LocalHost",
        "localhost.", "[::1]", "[::1]:8700",
    ],
)  # fmt: skip
def test_loopback_names_are_ours(http: Http, host: str) -> None:
    """With any port: a mapped one is not known here."""
    assert http.call("GET", "/_sim/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.5",
        "0.0.0.0", "plivo-sim", "evil.example:8700",
    ],
)  # fmt: skip
def test_foreign_hosts_are_refused(http: Http, method: str, path: str, host: str) -> None:
    """A name that resolves to this machine opens nothing; the answer says how to allow it."""
    http.sdk_created()
    bare = host.partition(":")[0]
    answer = http.call(method, f"/_sim{path}", headers={"Host": host})
    check_problem(
        answer,
        "untrusted",
        f"Host '{bare}' is not this simulator's; allow it with --allowed-hosts {bare} "
        f"or PLIVO_SIM_ALLOWED_HOSTS={bare}",
    )
    assert len(http.sim.accounts()) == 1


@pytest.mark.parametrize(
    "host",
    [
        "", ":8700", "127.0.0.1, evil.example", "evil.example@127.0.0.1", "127.0.0.1/evil",
        "127.0.0.1:", "127.0.0.1:8700:1", "127.0.0.1:http", "127.0.0.1 ", "[::1", "::1",
        "[::1]evil.example", "127.0.0.1#", "127.0.0.1?x", "2130706433", "0x7f000001", "0177.0.0.1",
        "[::ffff:8.8.8.8]", "[::]", "127.1", "127.0.0.1\\evil.example", "[127.0.0.1]evil",
        "\u2460.example", "localhost%00.evil.example",
    ],
)  # fmt: skip
def test_a_host_that_is_none_is_refused(http: Http, host: str) -> None:
    """Whatever a lenient parser would make of it."""
    answer = http.call("GET", "/_sim/accounts", headers={"Host": host})
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    "more",
    [
        {}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "navigate"}, {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ],
    ids=str,
)  # fmt: skip
def test_what_other_pages_embed_is_refused(http: Http, site: str, more: dict[str, str]) -> None:
    """Images, scripts and frames carry no ``Origin``, but the browser says where they are from."""
    headers = {"Sec-Fetch-Site": site} | more
    answer = http.call("GET", "/_sim/health", headers=headers)
    check_problem(answer, "untrusted", "calls from pages of other origins are not answered")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
         "Sec-Fetch-Dest": "document"},
    ],
    ids=str,
)  # fmt: skip
def test_links_and_own_pages_are_answered(http: Http, headers: dict[str, str]) -> None:
    """An address that somebody types, a call of the console, a link from a build's log."""
    assert http.call("GET", "/_sim/health", headers=headers).status_code == 200


def test_a_form_that_another_page_sends_is_refused_without_an_origin(http: Http) -> None:
    """Opened as a page of its own, but not by GET."""
    headers = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert http.call("POST", "/_sim/reset", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["plivo-sim", "plivo-sim:8700", "sim.internal", "0.0.0.0:8700"])
def test_allowed_hosts_are_ours(named: Http, host: str) -> None:
    """Those that the settings name, and the address listened on."""
    assert named.call("GET", "/_sim/health", headers={"Host": host}).status_code == 200


def test_other_hosts_stay_refused(named: Http) -> None:
    """Naming two does not open the rest."""
    assert named.call("GET", "/_sim/health", headers={"Host": "plivo"}).status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "", "http://127.0.0.1:3000", "http://localhost",
        "http://127.0.0.1.evil.example", "file://",
        "http://[::1", "127.0.0.1", "http://evil.example@127.0.0.1", "http://127.0.0.1#",
        "chrome-extension://127.0.0.1", "http://127.0.0.1, http://evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_pages_of_other_origins_are_refused(
    http: Http, method: str, path: str, origin: str
) -> None:
    """Another port is another origin."""
    http.sdk_created()
    answer = http.call(method, f"/_sim{path}", headers={"Origin": origin})
    check_problem(answer, "untrusted", f"calls from pages of '{origin}' are not answered")
    assert len(http.sim.accounts()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost:8700"])
def test_its_own_pages_may_call(http: Http, host: str) -> None:
    """The console does."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert http.call("GET", "/_sim/health", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "api.plivo.com"}, {"Origin": "http://evil.example"}])
def test_the_imitated_apis_check_neither(http: Http, headers: dict[str, str]) -> None:
    """They have credentials, and go by whatever name a test gives them."""
    http.agent = SDK_AGENT
    assert http.get("PhoneNumber/Compliance/", headers=headers).status_code == 200
