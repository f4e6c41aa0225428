"""Who may steer: control calls under foreign names or from foreign pages.
Decision "Guarded control API"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import read_setting
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
    name = origin.removeprefix("http://")
    advice = f"; allow it with --allowed-hosts {name} or PLIVO_SIM_ALLOWED_HOSTS={name}"
    hint = advice if name in ("evil.example", "127.0.0.1.evil.example") else ""
    check_problem(answer, "untrusted", f"calls from pages of '{origin}' are not answered{hint}")
    assert len(http.sim.accounts()) == 1


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8700", "https://sim.internal"),
        ("plivo-sim:8700", "https://sim.internal:8443"),
        ("sim.internal", "https://SIM.internal"),
        ("sim.internal:443", "https://sim.internal"),
    ],
)
def test_a_proxy_may_rewrite_either_header(named: Http, host: str, origin: str) -> None:
    """``Host`` and ``Origin`` are looked for in the same list; scheme and port may differ."""
    named.sdk_created()
    answer = named.call("POST", "/_sim/reset", headers={"Host": host, "Origin": origin})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:3000", "null", "ftp://sim.internal"]
)
def test_naming_hosts_opens_no_other_origin(named: Http, origin: str) -> None:
    """Another program's page on this machine neither."""
    headers = {"Host": "plivo-sim:8700", "Origin": origin}
    assert named.call("POST", "/_sim/reset", headers=headers).status_code == 403


@pytest.mark.parametrize("header", ["Host", "Origin"])
@pytest.mark.parametrize(
    "given",
    ["sim.example:9000", "[2001:DB8::1]:9000", "plivo_sim", "10.244.0.12:8700", "Sim.local."],
)
def test_the_advice_of_a_refusal_leads_to_an_answer(http: Http, header: str, given: str) -> None:
    """What it says to allow is read as a setting, and lets the same call through."""
    headers = {header: given if header == "Host" else f"https://{given}"}
    refusal = http.get("/_sim/accounts", headers=headers)
    assert refusal.status_code == 403
    advised = read_setting("allowed_hosts", refusal.get_json()["detail"].rpartition("=")[2])
    http.sim.settings = replace(PAUSED, allowed_hosts=advised)
    assert http.get("/_sim/accounts", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Host": "10.244.0.12:8700"}, {"Host": ""}, {"Host": "sim", "Origin": "http://evil.example"}],
    ids=str,
)
@pytest.mark.parametrize("probe", ["live", "ready"])
def test_probes_are_answered_to_anybody(http: Http, probe: str, headers: dict[str, str]) -> None:
    """An orchestrator asks by the container's address, which nobody can name before."""
    assert http.call("GET", f"/_sim/health/{probe}", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost:8700"])
def test_its_own_pages_may_call(http: Http, host: str) -> None:
    """The console does."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert http.call("GET", "/_sim/health", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "api.plivo.com"}, {"Host": ""}])
def test_the_imitated_apis_go_by_any_name(http: Http, headers: dict[str, str]) -> None:
    """Whatever a test gives them; which pages may call them: ``tests/web/test_access.py``."""
    http.agent = SDK_AGENT
    assert http.get("PhoneNumber/Compliance/", headers=headers).status_code == 200
