"""Who may do what: every operation of every surface, from its row, with every kind of caller.
Decision "Who may do what"; the figures are in docs/trust.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from plivo_sim.app import SURFACES, create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.console import ACTIONS, PAGES
from plivo_sim.settings import read_setting
from plivo_sim.web.access import PROBES, account_of
from plivo_sim.web.endpoints import full_path
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.current_support import state_of
from tests.conftest import PAUSED
from tests.control.support import check_problem
from tests.support import AUTH_ID, SDK_AGENT, TOKEN, Http, basic

SUB = f"SA{AUTH_ID[2:]}"
OTHER, OTHER_SUB = "MAYYYYYYYYYYYYYYYYYY", "SAYYYYYYYYYYYYYYYYYY"
PAGE, STRANGE = "http://localhost:3000", "https://evil.example"
DERIVED = "a-key-without-a-name"
FIXED = replace(
    PAUSED,
    credentials={
        AUTH_ID: TOKEN,
        OTHER: "of-other",
        OTHER_SUB: "of-sub",
        account_of(DERIVED): "fixed",
    },
    atoms_tokens={"named": AUTH_ID, "of-other": OTHER},
    cors_origins=(PAGE,),
)
Answer = tuple[int, str] | None
"""What a kind of caller is told: a status and a part of its text; None: it is let in."""

NOT_THEIRS = (401, "not those of the account in the URL")
FOREIGN = (403, "are not answered")
RIGHT = {"Authorization": basic()}
_ATTACK = {"Sec-Fetch-Site": "Cross-Site", "Origin": STRANGE}


def by(user: str, token: str) -> dict[str, str]:
    return {"Authorization": basic(user, token)}


ACCOUNT_KINDS: dict[str, tuple[str, dict[str, str], Answer]] = {
    "none": (AUTH_ID, {}, (401, "credentials are required")),
    "a wrong token": (AUTH_ID, by(AUTH_ID, "wrong"), (401, "token is wrong")),
    "another account's": (AUTH_ID, by(OTHER, "of-other"), NOT_THEIRS),
    "another subaccount's": (AUTH_ID, by(OTHER_SUB, "of-sub"), NOT_THEIRS),
    "its subaccount's": (AUTH_ID, by(SUB, "any"), (401, f"--credential {SUB}:TOKEN")),
    "its subaccount's, main's token": (AUTH_ID, by(SUB, TOKEN), (401, "--credential")),
    "a subaccount's, for itself": (SUB, by(SUB, "any"), (401, f"--credential {SUB}:TOKEN")),
    "a fixed subaccount's, for main": (OTHER, by(OTHER_SUB, "of-sub"), NOT_THEIRS),
    "a fixed subaccount's, wrong": (OTHER_SUB, by(OTHER_SUB, "any"), (401, "token is wrong")),
    "a fixed subaccount's, for itself": (OTHER_SUB, by(OTHER_SUB, "of-sub"), None),
    "main's, for its subaccount": (SUB, RIGHT, None),
    "main's, for another subaccount": (OTHER_SUB, RIGHT, NOT_THEIRS),
    "right": (AUTH_ID, RIGHT, None),
    "right, account of no form": (f"XA{AUTH_ID[2:]}", RIGHT, NOT_THEIRS),
    "right, account is a word": ("nonsense", RIGHT, NOT_THEIRS),
    "right, from a foreign page": (AUTH_ID, RIGHT | _ATTACK, FOREIGN),
    "right, from an image": (AUTH_ID, RIGHT | {"Sec-Fetch-Site": "cross-site"}, FOREIGN),
    "right, from a page of our old name": (
        AUTH_ID, RIGHT | {"Host": "evil.example", "Origin": "http://evil.example"}, FOREIGN,
    ),
    "right, from another port": (
        AUTH_ID, RIGHT | {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:5173"}, None,
    ),
    "right, from an allowed page": (
        AUTH_ID, RIGHT | {"Sec-Fetch-Site": "cross-site", "Origin": PAGE}, None,
    ),
}  # fmt: skip
"""Kind -> the account in the URL, the headers, the answer."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


ATOMS_KINDS: dict[str, tuple[dict[str, str], Answer]] = {
    "none": ({}, (401, "bearer token is required")),
    "malformed": (bearer("a b"), (401, "token is malformed")),
    "of Plivo": (RIGHT, (401, "not a bearer token")),
    "derived, of a fixed account": (bearer(DERIVED), (401, "--atoms-tokens")),
    "right": (bearer("named"), None),
    "right, as a cookie": ({"Cookie": "session=named"}, None),
    "right, from a foreign page": (bearer("named") | _ATTACK, FOREIGN),
    "cookie, from a foreign page": ({"Cookie": "session=named"} | _ATTACK, FOREIGN),
    "right, from an allowed page": (bearer("named") | {"Origin": PAGE}, None),
}

STEERING_KINDS: dict[str, tuple[dict[str, str], Answer]] = {
    "none": ({}, None),
    "wrong": (by(AUTH_ID, "wrong"), None),
    "right": (RIGHT, None),
    "under a foreign name": ({"Host": "evil.example"}, (403, "not this simulator")),
    "from a foreign page": (_ATTACK, FOREIGN),
    "from an image": ({"Sec-Fetch-Site": "CROSS-SITE"}, FOREIGN),
    "from another port": ({"Sec-Fetch-Site": "same-site"}, FOREIGN),
    "from a page with CORS": ({"Origin": PAGE}, FOREIGN),
    "from its own page": ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}, None),
    "a callback": ({"X-Plivo-Sim-Delivery": "1"}, (403, "callbacks are received")),
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Http]:
    """A simulator with fixed tokens, in which each of two accounts has an application."""
    sim = make_simulator(FIXED, transport=MemoryTransport())
    http = Http(create_app(sim), sim, agent=SDK_AGENT)
    http.sdk_created()
    replace(http, auth_id=OTHER, token="of-other").sdk_created()
    http.headers = {"Authorization": None}  # type: ignore[dict-item]  # each kind has its own
    yield http
    sim.close()


OPERATIONS = [
    (surface.name, row.method, full_path(surface, row))
    for surface in SURFACES.values()
    for row in surface.endpoints
]
OF_ACCOUNTS = [each for each in OPERATIONS if "{auth_id}" in each[2]]
OF_ATOMS = [each for each in OPERATIONS if each[0] == "atoms"]
STEERING = [
    *(each for each in OPERATIONS if each[0] == "control"),
    ("console", "GET", "/"),
    ("console", "GET", "/console/"),
    *(("console", "GET", f"/console/{AUTH_ID}{rule}") for rule, _ in PAGES),
    *(("console", "POST", f"/console/do/{name}") for name in ACTIONS),
]


def path_of(template: str, account: str) -> str:
    """With an account, and with ids that nothing has; numbers are digits."""
    numbered = template.replace("{auth_id}", account).replace("{number}", "14155550100")
    return re.sub(r"[{<][^}>]*[}>]", "00000000-0000-4000-8000-000000000000", numbered)


def check(http: Http, method: str, path: str, headers: dict[str, Any], answer: Answer) -> None:
    """It is told this, and a refusal changes nothing."""
    before = state_of(http)
    given = http.call(method, path, headers=headers)
    if answer is None:
        assert given.status_code != 401, given.text
        assert not any(FOREIGN[1] in line for line in given.text.splitlines()), given.text
        return
    assert given.status_code == answer[0], given.text
    if given.mimetype == "application/json":
        assert answer[1] in given.text
    assert state_of(http) == before


@pytest.mark.parametrize("kind", ACCOUNT_KINDS)
def test_whose_credentials_open_the_operations_of_an_account(guarded: Http, kind: str) -> None:
    """Of the new API in both dialects, the legacy API and numbers."""
    account, headers, answer = ACCOUNT_KINDS[kind]
    for name, method, template in OF_ACCOUNTS:
        mount = SURFACES[name].mount
        check(guarded, method, mount + path_of(template, account), headers, answer)


@pytest.mark.parametrize("kind", ATOMS_KINDS)
def test_whose_tokens_open_the_operations_of_atoms(guarded: Http, kind: str) -> None:
    """A token is of one account: there is no way to name another."""
    headers, answer = ATOMS_KINDS[kind]
    for _, method, template in OF_ATOMS:
        check(guarded, method, path_of(template, AUTH_ID), headers, answer)


@pytest.mark.parametrize("kind", STEERING_KINDS)
def test_who_may_steer(kind: str) -> None:
    """Control API and console have no credentials and look at the page; the probes of health at
    nothing."""
    headers, answer = STEERING_KINDS[kind]
    sim = make_simulator(FIXED, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    http.sdk_created()
    for _, method, template in STEERING:
        path = path_of(template, AUTH_ID)
        is_inbox = path.startswith("/_sim/inbox/") and kind == "a callback"
        open_to_all = path.startswith(PROBES) or is_inbox
        check(http, method, path, headers, None if open_to_all else answer)
    sim.close()


def test_unknown_urls_of_ours_are_guarded_too(guarded: Http) -> None:
    """A foreign page does not learn what exists."""
    for path in ("/_sim/nothing", "/console/nothing/at/all"):
        answer = guarded.get(path, headers={"Origin": STRANGE})
        assert answer.status_code == 403, answer.text


def test_an_atoms_token_sees_its_own_account(guarded: Http) -> None:
    """The other's has what the other filed, and no more."""
    answer = guarded.get("/atoms/v1/compliance/status", headers=bearer("of-other"))
    assert answer.headers["X-Plivo-Sim-Account"] == OTHER


@pytest.mark.parametrize("token", ["any", "another"])
def test_without_a_fixed_token_a_subaccount_takes_any(http: Http, token: str) -> None:
    """As its account does."""
    answer = http.get(f"/v1/Account/{SUB}/EndUser/", headers=by(SUB, token))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("fixed", "told"),
    [({SUB: "t"}, True), ({SUB: "t", AUTH_ID: "u"}, False), ({AUTH_ID: "u"}, False)],
)
def test_a_fixed_token_of_a_subaccount_alone_is_told_of(
    fixed: dict[str, str], told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Its account takes any, and may do all that it may."""
    sim = make_simulator(replace(PAUSED, credentials=fixed), transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    answer = http.get(f"/v1/Account/{SUB}/EndUser/", headers=by(AUTH_ID, "any"))
    assert (answer.status_code == 200) is told
    assert (f"--credential {SUB}:TOKEN alone protects nothing" in caplog.text) is told
    assert (f"with --credential {AUTH_ID}:TOKEN" in caplog.text) is told


# --- browser code ----------------------------------------------------------------------------


def ask(http: Http, path: str, origin: str = PAGE, **more: str) -> Any:
    """A preflight, as a browser sends it: without credentials."""
    headers = {
        "Authorization": None,
        "Origin": origin,
        "Sec-Fetch-Site": "cross-site",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return http.call("OPTIONS", path, headers=headers | more)


@pytest.mark.parametrize("path", ["EndUser/", "PhoneNumber/Compliance/", "Number/", "/atoms/v1/x"])
def test_an_allowed_page_may_ask(guarded: Http, path: str) -> None:
    """And is told what it may send."""
    answer = ask(guarded, path, **{"Access-Control-Request-Private-Network": "true"})
    assert answer.status_code == 200
    assert answer.get_json()["api_id"]
    allowed = {
        name.removeprefix("Access-Control-"): value
        for name, value in answer.headers.items()
        if name.startswith("Access-Control-")
    }
    assert allowed == {
        "Allow-Origin": PAGE,
        "Allow-Credentials": "true",
        "Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Allow-Headers": "authorization,content-type",
        "Max-Age": "600",
        "Allow-Private-Network": "true",
    }
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["EndUser/", "nowhere/"])
def test_an_allowed_page_reads_answers_and_refusals(guarded: Http, path: str) -> None:
    """Otherwise its code sees no reason."""
    for headers in (RIGHT, {}):
        headers = guarded.get(path, headers=headers | {"Origin": PAGE}).headers
        assert headers["Access-Control-Allow-Origin"] == PAGE
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert "X-Plivo-Sim-Warning" in headers["Access-Control-Expose-Headers"]


def allows(answer: Any) -> bool:
    return any(name.startswith("Access-Control-") for name in dict(answer.headers))


def test_other_pages_are_told_nothing(guarded: Http) -> None:
    """Neither in a preflight nor in an answer, nor on the surfaces of our own."""
    assert ask(guarded, "EndUser/", STRANGE).status_code == 403
    assert not allows(ask(guarded, "EndUser/", STRANGE))
    near = RIGHT | {"Origin": "http://127.0.0.1:5173", "Sec-Fetch-Site": "same-site"}
    assert not allows(guarded.get("EndUser/", headers=near))
    assert not allows(ask(guarded, "/_sim/reset"))
    assert not allows(ask(guarded, "/console/"))


def test_without_the_setting_there_is_no_cors(http: Http) -> None:
    """As ever: an answer has none of its headers."""
    answer = http.get("EndUser/")
    assert not allows(answer)
    assert "Vary" not in answer.headers
    assert ask(http, "EndUser/", **{"Sec-Fetch-Site": "same-site"}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Mode": "cors"}, 200),  # Node's fetch
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": PAGE}, 200),  # behind a proxy for development
        ({"Origin": "http://127.0.0.1:5173"}, 200),
        ({"Origin": PAGE}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "CROSS-SITE"}, 403),
        (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "Navigate",
             "Sec-Fetch-Dest": "document"},
            403,  # with credentials in the link, it would say with what token callbacks are signed
        ),
        ({"Host": "api.plivo.com"}, 200),
        ({"Host": "api.plivo.com", "Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate",
          "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate",
          "Sec-Fetch-Dest": "document"}, 200),
    ],
    ids=str,
)  # fmt: skip
def test_which_pages_may_call_an_imitated_api(
    http: Http, headers: dict[str, str], status: int
) -> None:
    """Whoever is no browser is not looked at."""
    assert http.get("EndUser/", headers=headers).status_code == status


BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Accept-Language": "en"}
NODE = {"User-Agent": "node", "Accept-Language": "*", "Sec-Fetch-Mode": "cors"}


@pytest.mark.parametrize(
    "marks",
    [BROWSER, {"Accept-Language": "*"}, {"User-Agent": BROWSER["User-Agent"]},
     {"Origin": "http://evil.example"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8700", "plivo-sim.ns.svc", "8.8.8.8", "", "x y"]
)
@pytest.mark.parametrize(
    "path", ["EndUser/", "PhoneNumber/Compliance/", "/atoms/v1/compliance/status"]
)
def test_a_browser_reads_nothing_under_a_name_that_may_lead_here(
    http: Http, path: str, host: str, marks: dict[str, str]
) -> None:
    """Over plain http it marks no site, and the page is of our own origin (DNS rebinding)."""
    answer = http.get(path, headers=marks | {"Host": host})
    assert answer.status_code == 403, answer.text
    assert "of browsers to Host" in answer.text


LOCAL = [
    "127.0.0.1:8700", "[::1]:8700", "localhost", "sim.localhost", "plivo-sim:8700", "192.168.1.5",
    "host.docker.internal", "plivo-sim.ns.svc.cluster.local", "box.lan", "api.plivo.com",
    "api.smallest.ai", "sim.example", "public.example",
]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
def test_a_browser_may_use_names_that_nobody_owns_and_those_of_settings(
    http: Http, host: str
) -> None:
    """And those that are imitated: nobody else can lead them here."""
    http.sim.settings = replace(
        PAUSED, allowed_hosts=("sim.example",), public_url="https://public.example/base"
    )
    for marks in (BROWSER, BROWSER | {"Origin": f"http://{host}"}):
        answer = http.get("EndUser/", headers=marks | {"Host": host})
        assert answer.status_code == 200, answer.text


READABLE = ["EndUser/", "/_sim/accounts", "/console/"]
CAME_AS = [
    ("evil.example:8700", 403),
    ("plivo-sim.ns.svc", 403),
    ("", 403),
    ("localhost:8700", 200),
    ("sim.example", 200),
]
"""The ``Host`` of a browser, and whether a trusted proxy's ``X-Forwarded-Host`` makes it good."""


@pytest.mark.parametrize(("host", "status"), CAME_AS)
@pytest.mark.parametrize("path", READABLE)
def test_a_forwarded_name_makes_no_page_ours(http: Http, path: str, host: str, status: int) -> None:
    """A page under a name that leads here (DNS rebinding) sends the headers of a proxy itself."""
    trusted = read_setting("trusted_proxies", "127.0.0.1")
    http.sim.settings = replace(PAUSED, trusted_proxies=trusted, allowed_hosts=("sim.example",))
    for forwarded in ("localhost", "127.0.0.1", "sim.example"):
        marks = BROWSER | {"Host": host, "X-Forwarded-Host": forwarded}
        answer = http.get(path, headers=marks, environ_base={"REMOTE_ADDR": "127.0.0.1"})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("path", READABLE)
def test_a_program_behind_a_proxy_is_asked_for_the_forwarded_name_alone(
    http: Http, path: str
) -> None:
    """A proxy may call its servers by names of their own."""
    trusted = read_setting("trusted_proxies", "127.0.0.1")
    http.sim.settings = replace(PAUSED, trusted_proxies=trusted)
    marks = {"Host": "replica-1.ns.svc", "X-Forwarded-Host": "localhost"}
    answer = http.get(path, headers=marks, environ_base={"REMOTE_ADDR": "127.0.0.1"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("marks", [{}, NODE, {"User-Agent": "curl/8"}], ids=str)
@pytest.mark.parametrize("host", ["plivo-sim.ns.svc", "sim.example.com:8700", ""])
def test_programs_may_use_any_name(http: Http, host: str, marks: dict[str, str]) -> None:
    """Such as those of a cluster; Node's ``fetch`` marks itself in part."""
    assert http.get("EndUser/", headers=marks | {"Host": host}).status_code == 200


def test_the_refusal_says_what_would_allow_the_name(http: Http) -> None:
    """And that does."""
    headers = BROWSER | {"Host": "sim.example"}
    told = http.get("EndUser/", headers=headers).get_json()["error"]
    assert told == (
        "Requests of browsers to Host 'sim.example' are not answered; allow it with"
        " --allowed-hosts sim.example or PLIVO_SIM_ALLOWED_HOSTS=sim.example."
    )
    http.sim.settings = replace(PAUSED, allowed_hosts=("sim.example",))
    assert http.get("EndUser/", headers=headers).status_code == 200


def test_the_public_url_is_ours(http: Http) -> None:
    """For the control API too."""
    http.sim.settings = replace(PAUSED, public_url="https://public.example/base")
    assert http.get("/_sim/health", headers={"Host": "public.example"}).status_code == 200
    assert http.get("/_sim/health", headers={"Host": "other.example"}).status_code == 403


LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "marks",
    [LINK | {"Sec-Fetch-Site": "cross-site"}, LINK | {"Sec-Fetch-Site": "same-site"}, BROWSER],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/_sim/inbox/mine", "/_sim/inbox/mine/"])
def test_a_link_puts_nothing_into_an_inbox(
    http: Http, path: str, method: str, marks: dict[str, str]
) -> None:
    """What it holds may still be looked at."""
    assert http.call(method, path, headers=marks).status_code == 403
    messages = http.get("/_sim/inbox/mine/messages", headers=marks)
    assert messages.get_json()["messages"] == []


@pytest.mark.parametrize(
    "marks",
    [{}, NODE, LINK | {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}],
    ids=str,
)
def test_programs_and_persons_may_put_a_message_into_an_inbox(
    http: Http, marks: dict[str, str]
) -> None:
    """A callback by GET, and an address that somebody types."""
    assert http.get("/_sim/inbox/mine", headers=marks).status_code == 200


def test_links_from_other_sites_change_nothing(http: Http) -> None:
    """Every operation that is a GET: records, clock, inboxes and the token of callbacks stay."""
    http.sdk_created()
    http.token = "another"

    def seen() -> object:
        inbox = http.sim.accounts()[0].token, http.get("/_sim/inbox/x/messages").get_json()
        return inbox, state_of(http)

    before = seen()
    for name, method, template in OPERATIONS:
        if method == "GET":
            path = SURFACES[name].mount + path_of(template, AUTH_ID)
            http.get(path, headers=LINK | {"Sec-Fetch-Site": "cross-site"})
    http.get("/_sim/inbox/x", headers=LINK | {"Sec-Fetch-Site": "cross-site"})
    assert seen() == before


def test_hosts_that_may_steer_may_also_call(http: Http) -> None:
    """Their pages are trusted with more already."""
    http.sim.settings = replace(PAUSED, allowed_hosts=("app.example",))
    headers = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    assert http.get("EndUser/", headers=headers).status_code == 200


def test_the_refusal_says_what_would_allow_the_page(http: Http) -> None:
    """In the words of the API that was called."""
    text = (
        f"equests from pages of '{PAGE}' are not answered; allow it with --cors-origins {PAGE} "
        f"or PLIVO_SIM_CORS_ORIGINS={PAGE}"
    )
    attack = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}
    assert http.get("EndUser/", headers=attack).get_json()["error"] == f"R{text}."
    beta = http.get("/beta/v1/Account/x/PhoneNumber/Compliance/", headers=attack).get_json()
    assert beta["error"]["code"] == "insufficient_permissions"
    atoms = http.get("/atoms/v1/compliance/status", headers=attack).get_json()
    assert atoms == {"status": False, "errors": [f"R{text}."]}


@pytest.mark.parametrize(
    "host", ["[::ffff:127.0.0.1]", "[::FFFF:7f00:1]:8700", "[0:0:0:0:0:0:0:1]", "[::0001]:8700"]
)
def test_every_spelling_of_loopback_is_ours(http: Http, host: str) -> None:
    """IPv6 has several, also for 127.0.0.1."""
    assert http.get("/_sim/health", headers={"Host": host}).status_code == 200


def test_a_mark_in_any_case_is_one(http: Http) -> None:
    """Of the control API as of the others."""
    answer = http.get("/_sim/health", headers={"Sec-Fetch-Site": "Cross-Site"})
    check_problem(answer, "untrusted", "calls from pages of other origins are not answered")
