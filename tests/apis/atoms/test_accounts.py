"""Tokens, organisations, accounts (invented; decision "Atoms organisations")."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings, read_setting
from plivo_sim.simulator import AUTH_ID, Simulator
from plivo_sim.web.access import account_of
from tests.apis.atoms.support import BASE, TOKEN, Atoms, errors
from tests.support import Http, basic

MAPPED = "MAATOMSATOMSATOMS123"


@pytest.fixture
def start() -> Iterator[Callable[[str], Http]]:
    """Starts a simulator with this ``atoms_tokens``."""
    started: list[Simulator] = []

    def start(tokens: str) -> Http:
        chosen = read_setting("atoms_tokens", tokens)
        started.append(make_simulator(Settings(paused=True, atoms_tokens=chosen)))
        return Http(create_app(started[-1]), started[-1])

    yield start
    for sim in started:
        sim.close()


@pytest.mark.parametrize(
    ("authorization", "cookie"),
    [
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer two words", None),
        ("Bearer <token>", None),
        ("Bearer tok\u00e9n", None),
        ("Bearer a,b", None),
        ("Token abc", None),
        ("abc", None),
        (basic(), None),
        (None, "session="),
        (None, "session=<x>"),
        (None, f"sid={TOKEN}"),
        ("Bearer", f"session={TOKEN}"),
    ],
)
def test_401_without_or_with_a_malformed_token(
    atoms: Atoms, authorization: str | None, cookie: str | None
) -> None:
    """On every operation; a wrong header is not made up for by a cookie."""
    headers = {"Authorization": authorization, "Cookie": cookie}
    for method, path in (
        ("GET", "/status"),
        ("GET", "/requirements"),
        ("POST", "/applications"),
        ("PATCH", "/applications/x"),
        ("POST", "/applications/x/refresh"),
        ("GET", "/nowhere"),
    ):
        errors(atoms.call(method, path, headers=headers), 401)
    assert atoms.sim.accounts() == []


@pytest.mark.parametrize("token", ["a", "sk_live-1.2~3+4/5==", "x" * 2000])
def test_any_well_formed_token_is_taken(http: Http, token: str) -> None:
    """And its account is well formed."""
    assert Atoms(http, token).status().status_code == 200
    assert AUTH_ID.fullmatch(account_of(token))


def test_every_answer_names_the_account(atoms: Atoms) -> None:
    """Refusals too: control calls need it."""
    for answer in (atoms.status(), atoms.refresh("x")):
        assert answer.headers["X-Plivo-Sim-Account"] == atoms.auth_id == account_of(TOKEN)


def test_the_account_does_not_depend_on_the_seed() -> None:
    """So that a test, or a proxy, may name it; a token may name one itself."""
    assert account_of("KEY") == "MA5CA24005B740717BA4"


@pytest.mark.parametrize("token", [MAPPED, f"{MAPPED}-ci", f"{MAPPED}.a/b"])
def test_a_token_may_name_its_account(token: str) -> None:
    assert account_of(token) == MAPPED
    assert account_of(f"{MAPPED}A") != MAPPED
    assert account_of(f"x{token}") != MAPPED


def test_a_token_that_names_an_account_is_not_its_fixed_one() -> None:
    """Whoever knows an auth id does not reach an account that has a token."""
    sim = make_simulator(Settings(paused=True, credentials={MAPPED: "its own"}))
    errors(Atoms(Http(create_app(sim), sim), f"{MAPPED}-ci").status(), 401)


def test_a_read_makes_no_account(atoms: Atoms) -> None:
    """The first application does."""
    atoms.status()
    atoms.requirements()
    atoms.refresh("x")
    assert atoms.sim.accounts() == []
    atoms.submitted()
    assert [account.auth_id for account in atoms.sim.accounts()] == [atoms.auth_id]


def test_organisations_do_not_see_each_other(atoms: Atoms) -> None:
    """Not in status, clock or reset."""
    other = Atoms(atoms.http, token="atoms-key-2")
    made = atoms.submitted()
    assert other.status().get_json()["data"]["step"] == "form"
    theirs = other.submitted()
    atoms.http.advance("10d")
    assert atoms.known(made)["status"] == "accepted"
    assert other.known(theirs)["status"] == "submitted"
    atoms.http.control("POST", "/reset", {"account": atoms.auth_id})
    assert atoms.status().get_json()["data"]["step"] == "form"
    assert other.known(theirs) == theirs


def test_tokens_can_be_given_accounts(start: Callable[[str], Http]) -> None:
    """Two keys of one organisation share its applications, and are two people."""
    http = start(f"one:{MAPPED}, two:{MAPPED}")
    one, two = Atoms(http, "one"), Atoms(http, "two")
    made = one.submitted()
    assert two.status().headers["X-Plivo-Sim-Account"] == MAPPED
    assert two.status().get_json()["data"]["application"] == made
    errors(two.submit(), 409)
    assert two.submitted(numberType="mobile")["organizationId"] == made["organizationId"]
    assert two.submitted(numberType="tollfree")["createdBy"] != made["createdBy"]


def test_other_tokens_keep_their_own(start: Callable[[str], Http]) -> None:
    """Derived as ever."""
    other = Atoms(start(f"one:{MAPPED}"), "three")
    assert other.status().headers["X-Plivo-Sim-Account"] == account_of("three")


@pytest.mark.parametrize("text", ["one", "one:", f":{MAPPED}", "one:SAXXXXXXXXXXXXXXXXXX", "a:MA1"])
def test_wrong_pairs_are_refused(text: str) -> None:
    """The setting is named."""
    with pytest.raises(ValueError, match="atoms_tokens"):
        read_setting("atoms_tokens", text)


def test_an_account_can_be_used_through_plivo_s_own_api_too(start: Callable[[str], Http]) -> None:
    """One account, both views."""
    http = start(f"one:{MAPPED}")
    made = Atoms(http, "one").submitted()
    plivo = Http(http.app, http.sim, auth_id=MAPPED)
    assert plivo.get(f"PhoneNumber/Compliance/{made['plivoComplianceId']}/").status_code == 200
    assert plivo.sdk_create(alias="own").status_code == 201
    assert len(http.sim.accounts()) == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_last_slash_is_tolerated(atoms: Atoms, slash: str) -> None:
    """On every operation, without a redirect."""
    made = atoms.rejected()
    form = {"documents": atoms.documents()}
    assert atoms.call("GET", f"/status{slash}", query_string={}).status_code == 400
    assert atoms.call("GET", f"/requirements{slash}", query_string={}).status_code == 400
    assert atoms.call("POST", f"/applications/{made['_id']}/refresh{slash}").status_code == 200
    answer = atoms.send("PATCH", f"/applications/{made['_id']}{slash}", form, None)
    assert answer.status_code == 200
    fields = atoms.fields(numberType="mobile")
    assert atoms.send("POST", f"/applications{slash}", fields, None).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "", 404),
        ("GET", "/applications", 405),
        ("DELETE", "/applications/x", 405),
        ("GET", "/applications/x", 405),
        ("GET", "/applications/x/refresh", 405),
        ("POST", "/status", 405),
    ],
)
def test_other_urls_and_methods(atoms: Atoms, method: str, path: str, status: int) -> None:
    """404 and 405 in the shape of errors."""
    errors(atoms.call(method, path), status)


def test_outside_of_compliance_there_is_nothing(atoms: Atoms) -> None:
    """404 in the same shape."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    errors(atoms.http.get("/atoms/v1/user", headers=headers), 404)
    assert BASE == "/atoms/v1/compliance"


def test_no_answer_has_a_rate_limit_header(atoms: Atoms) -> None:
    """The SDK would sleep until its reset; refusals are looked at by ``errors``."""
    for answer in (atoms.status(), atoms.requirements(), atoms.submit()):
        assert not [name for name, _ in answer.headers if "ratelimit" in name.lower()]
