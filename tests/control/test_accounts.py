"""Which account a call means, accounts with settings, reset, health. Decisions
"One account, one clock", "Reads store nothing", "Naming the account"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from plivo_sim import __version__
from plivo_sim.control import CONTROL, webhooks
from plivo_sim.control.inputs import ACCOUNT
from plivo_sim.services import reviews
from tests.control.support import OTHER_ID, check_invalid, check_problem, other_account
from tests.support import AUTH_ID, Http

ACCOUNT_CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/clock", None),
    ("POST", "/clock/advance", {"by": "1h"}),
    ("POST", "/clock/settle", {}),
    ("GET", "/report", None),
    ("POST", "/clock/set", {"to": "2026-01-06T00:00:00Z"}),
    ("POST", "/clock/pause", {}),
    ("POST", "/clock/resume", {}),
    ("POST", "/clock/rate", {"rate": 2}),
    ("GET", "/applications", None),
    ("GET", "/webhooks", None),
    ("POST", "/reset", {}),
    ("POST", "/snapshot", {"name": "s"}),
    ("GET", "/snapshot/s", None),
    ("POST", "/restore", {"name": "s"}),
]
every_call = pytest.mark.parametrize(
    ("method", "path", "body"), ACCOUNT_CALLS, ids=[call[1] for call in ACCOUNT_CALLS]
)


def snapped(http: Http) -> Http:
    """An account with an application and a snapshot."""
    http.sdk_created()
    body = {"name": "s", "account": http.auth_id}
    assert http.control("POST", "/snapshot", body).status_code == 201
    return http


# --- which one -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *((path, body) for method, path, body in ACCOUNT_CALLS if method == "POST"),
        ("/clock/advance", {"by": "1d"}),
        ("/next-outcome", {"decide": "accepted"}),
        ("/faults", {"operation": "*", "effect": "reset"}),
        ("/webhooks/policy", {}),
        ("/machine", {"name": "strict-beta"}),
        ("/undo/points", {"what": "x"}),
        ("/handover", {"to": "http://127.0.0.1:1"}),
    ],
)
def test_an_account_in_the_body_and_another_in_the_query_is_refused(
    http: Http, path: str, body: dict[str, Any]
) -> None:
    """Neither wins: the call would be about one that somebody did not mean."""
    snapped(http)
    other_account(http)
    answer = http.control("POST", path, {"account": OTHER_ID, **body}, account=AUTH_ID)
    check_invalid(answer, "account", f"is {OTHER_ID} in the body and {AUTH_ID} in the query")
    assert len(http.account.marks) == 1


def test_all_accounts_in_the_body_and_one_in_the_query_is_refused(http: Http) -> None:
    """Nothing is reset."""
    http.sdk_created()
    answer = http.control("POST", "/reset", {"account": "all"}, account=AUTH_ID)
    check_invalid(answer, "account", f"is all in the body and {AUTH_ID} in the query")
    assert len(http.account.store.applications) == 1


def test_the_same_account_in_both_is_taken(http: Http) -> None:
    """Proxies route by the query."""
    http.sdk_created()
    body = {"by": "1d", "account": AUTH_ID}
    assert http.control("POST", "/clock/advance", body, account=AUTH_ID).status_code == 200
    answer = http.control("POST", "/accounts", {"auth_id": AUTH_ID}, account=OTHER_ID)
    check_invalid(answer, "auth_id", f"is {AUTH_ID} in the body and {OTHER_ID} in the query")


def test_no_call_takes_a_parameter_twice_of_which_it_reads_one(http: Http) -> None:
    """Every row is walked; the inboxes take whatever a callback has in its query."""
    for row in CONTROL.endpoints:
        url = "/_sim" + re.sub(r"\{[^}]*\}", "x", row.path)
        for query in (ACCOUNT, *row.query):
            answer = http.call(row.method, f"{url}?{query.name}=a&{query.name}=a")
            if row.view is webhooks.receive:
                assert answer.status_code == 200, answer.text
            elif query.many:
                assert "is given more than once" not in answer.text
            else:
                check_invalid(answer, query.name, "is given more than once")


@every_call
def test_a_call_without_account_means_the_only_one(
    http: Http, method: str, path: str, body: Any
) -> None:
    """As long as there is one."""
    answer = snapped(http).control(method, path, body)
    assert answer.status_code in (200, 201), answer.text


@every_call
def test_with_several_accounts_a_call_must_name_one(
    http: Http, method: str, path: str, body: Any
) -> None:
    """400 that lists them."""
    other_account(snapped(http))
    text = "several accounts exist: say which one with account=MA..."
    if path == "/reset":
        text += ", or account=all for every one"
    answer = http.control(method, path, body)
    check_problem(answer, "account_required", text, accounts=[AUTH_ID, OTHER_ID])


@every_call
def test_the_account_is_named_in_the_query(http: Http, method: str, path: str, body: Any) -> None:
    """For every call."""
    other_account(snapped(http))
    answer = http.control(method, path, body, account=AUTH_ID)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"), [call for call in ACCOUNT_CALLS if call[2] is not None]
)
def test_the_account_is_named_in_the_body(
    http: Http, method: str, path: str, body: dict[str, Any]
) -> None:
    """For every call that has one."""
    other_account(snapped(http))
    answer = http.control(method, path, body | {"account": AUTH_ID})
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("method_path", [("GET", "/clock"), ("GET", "/webhooks")])
def test_without_any_account_there_is_none_to_mean(
    http: Http, method_path: tuple[str, str]
) -> None:
    """400 with an empty list."""
    text = "no account exists yet: create an application first, or name one with account=MA..."
    check_problem(http.control(*method_path), "account_required", text, accounts=[])


@pytest.mark.parametrize("account", ["me", "SAXXXXXXXXXXXXXXXXXX", f"{AUTH_ID}X", "MA"])
def test_ill_formed_accounts(http: Http, account: str) -> None:
    """A subaccount lives in its parent, whose id is the one to give."""
    http.sdk_created()
    answer = http.control("GET", "/clock", account=account)
    check_invalid(answer, "account", "must be MA and 18 letters or digits")


def test_looking_at_an_unknown_account_makes_none(http: Http) -> None:
    """It answers from an empty account (decision "Reads store nothing")."""
    http.sdk_created()
    assert http.control("GET", "/applications", account=OTHER_ID).get_json()["total_count"] == 0
    assert [account.auth_id for account in http.sim.accounts()] == [AUTH_ID]


# --- accounts and their settings -------------------------------------------------------------


def made(http: Http, **settings: Any) -> dict[str, Any]:
    answer = http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": settings})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_accounts_are_listed_with_what_they_hold(http: Http) -> None:
    """Oldest first."""
    http.sdk_created()
    other_account(http)
    assert http.control("GET", "/accounts").get_json() == {
        "accounts": [
            {
                "auth_id": auth_id,
                "now": "2026-01-05T09:00:00.000000Z",
                "applications": 1,
                "end_users": 1,
                "documents": 2,
                "numbers": 0,
                "machine": "default",
                "has_token": True,
                "settings": {},
            }
            for auth_id in (AUTH_ID, OTHER_ID)
        ],
        "serves": "",
    }


def test_an_account_can_be_made_before_it_is_used(http: Http) -> None:
    """With settings of its own; lists and booleans may be written as such."""
    shown = made(http, review_delay="36h", strict=True, holidays=["2026-01-06", "2026-01-07"])
    assert shown["settings"] == {
        "review_delay": "36h",
        "strict": "True",
        "holidays": "2026-01-06,2026-01-07",
    }
    assert http.account.settings.strict is True
    id = http.sdk_created()
    due = http.control("GET", f"/applications/{id}").get_json()["next"][0]["at"]
    assert due == "2026-01-06T21:00:00.000000Z"


def test_a_new_accounts_clock_starts_by_its_settings(http: Http) -> None:
    """Where and whether it runs."""
    assert made(http, start="2030-05-01T00:00:00Z")["now"] == "2030-05-01T00:00:00.000000Z"


def test_settings_are_changed_one_by_one(http: Http) -> None:
    """Those that are not named stay; another account's are its own."""
    made(http, review_delay="1h")
    assert made(http, strict=True)["settings"] == {"review_delay": "1h", "strict": "True"}
    assert other_account(http).account.settings.strict is False


def test_settings_of_a_clock_that_is_under_way(http: Http) -> None:
    """Warp and pause change it from now on."""
    http.sdk_created()
    made(http, warp=60)
    assert http.control("GET", "/clock").get_json()["rate"] == 60.0


NO_SUCH = "no setting of an account; there are "


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"colour": "blue"}, NO_SUCH),
        ({"port": "80"}, NO_SUCH),
        ({"credentials": "MA:x"}, NO_SUCH),
        ({"warp": "fast"}, "the rate must be a number from 1e-9 to 1e9, not 'fast'"),
        ({"strict": "perhaps"}, "'perhaps' is neither true nor false"),
        ({"review_delay": "soon"}, "cannot read duration 'soon'"),
        ({"new_api": "newest"}, "'newest' is not one of auto, current, beta"),
        ({"holidays": "Monday"}, "'Monday'"),
        ({"callback_timeout_s": "x"}, ""),
    ],
)
def test_wrong_settings(http: Http, settings: dict[str, Any], text: str) -> None:
    """400 that names the setting, and none of them is taken."""
    http.sdk_created()
    body = {"auth_id": AUTH_ID, "settings": {"strict": True} | settings}
    answer = http.control("POST", "/accounts", body)
    assert answer.status_code == 400
    (problem,) = answer.get_json()["problems"]
    (name,) = settings
    assert (problem["path"], problem["message"][: len(text)]) == (f"settings.{name}", text)
    assert http.account.settings.strict is False


def test_all_wrong_settings_are_told_at_once(http: Http) -> None:
    """Each with its path; and so are all keys that a call does not have."""
    body = {"auth_id": AUTH_ID, "settings": {"warp": "fast", "strict": True, "port": "1"}}
    answer = http.control("POST", "/accounts", body)
    paths = [problem["path"] for problem in answer.get_json()["problems"]]
    assert (answer.status_code, paths) == (400, ["settings.warp", "settings.port"])
    answer = http.control("POST", "/accounts", {"auth_id": AUTH_ID, "one": 1, "two": 2})
    paths = [problem["path"] for problem in answer.get_json()["problems"]]
    assert (answer.status_code, paths) == (400, ["one", "two"])


def test_a_start_in_the_past_changes_nothing(http: Http) -> None:
    """409, and the settings beside it are not taken either."""
    http.sdk_created()
    body = {"auth_id": AUTH_ID, "settings": {"strict": True, "start": "2020-01-01T00:00:00Z"}}
    text = "the clock never goes back: it is 2026-01-05T09:00:00Z already"
    check_problem(http.control("POST", "/accounts", body), "clock_refused", text)
    assert (http.account.settings.strict, http.account.overrides) == (False, {})


@pytest.mark.parametrize(
    ("body", "path", "text"),
    [
        ({}, "auth_id", "must be MA and 18 letters or digits"),
        ({"auth_id": "SAXXXXXXXXXXXXXXXXXX"}, "auth_id", "must be MA and 18 letters or digits"),
        ({"auth_id": AUTH_ID, "settings": []}, "settings", "must be an object"),
        ({"auth_id": AUTH_ID, "token": "x"}, "token", "unknown; there are auth_id, settings, anew"),
    ],
)
def test_wrong_accounts(http: Http, body: dict[str, Any], path: str, text: str) -> None:
    """400, and no account is made."""
    check_invalid(http.control("POST", "/accounts", body), path, text)
    assert http.sim.accounts() == []


# --- reset -----------------------------------------------------------------------------------


def test_an_account_is_made_anew(http: Http) -> None:
    """It holds nothing, its clock starts again, and what it had of settings is gone; a mistake
    changes nothing."""
    other_account(http)
    http.sdk_created()
    body = {"auth_id": AUTH_ID, "settings": {"strict": "on", "start": "2030-01-01T00:00:00Z"}}
    assert http.control("POST", "/accounts", body).status_code == 201
    again = {"auth_id": AUTH_ID, "anew": True}
    for wrong in ({"anew": 1}, {"settings": {"warp": "x"}}):
        assert http.control("POST", "/accounts", again | wrong).status_code == 400
    assert len(http.account.store.applications) == 1
    told = http.control("POST", "/accounts", again | {"settings": {"magic": "off"}}).get_json()
    assert (told["applications"], told["settings"]) == (0, {"magic": "off"})
    assert told["now"] == "2026-01-05T09:00:00.000000Z"
    assert len(http.sim.accounts()) == 2


def test_reset_forgets_one_account(http: Http) -> None:
    """Records, files, clock and settings; the other account is left alone."""
    http.sdk_created()
    made(http, strict=True)
    other = other_account(http)
    http.advance("1d")
    answer = http.control("POST", "/reset", {"account": AUTH_ID})
    assert answer.get_json() == {"reset": [AUTH_ID]}
    assert [account.auth_id for account in http.sim.accounts()] == [OTHER_ID]
    assert other.get("PhoneNumber/Compliance/").status_code == 200
    assert http.account.settings.strict is False
    assert http.account.now().isoformat() == "2026-01-05T09:00:00+00:00"


def test_after_a_reset_the_same_calls_give_the_same_ids(http: Http) -> None:
    """The account begins anew, dice included (decision "Seeded ids and dice")."""
    first = http.sdk_created()
    http.control("POST", "/reset")
    assert http.sdk_created() == first


@pytest.mark.parametrize("count", [0, 1, 2])
def test_reset_of_all(http: Http, count: int) -> None:
    """However many there are."""
    accounts = [AUTH_ID, OTHER_ID][:count]
    for auth_id in accounts:
        Http(http.app, http.sim, auth_id=auth_id).sdk_created()
    answer = http.control("POST", "/reset", {"account": "all"})
    assert answer.get_json() == {"reset": accounts}
    assert http.control("GET", "/accounts").get_json() == {"accounts": [], "serves": ""}


def test_reset_with_nothing_there(http: Http) -> None:
    """Is done at once."""
    assert http.control("POST", "/reset").get_json() == {"reset": []}


# --- health ----------------------------------------------------------------------------------


def test_health(http: Http) -> None:
    """Needs no account."""
    http.sdk_created()
    other_account(http)
    answer = http.control("GET", "/health")
    assert answer.get_json() | {"state": "memory"} == {
        "status": "ok",
        "version": __version__,
        "state": "memory",
        "machine": "default",
        "accounts": 2,
        "damages": [],
    }


@pytest.mark.parametrize("wanted", [AUTH_ID, "all"])
def test_reset_works_whatever_is_due(
    http: Http, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    """It makes nothing happen first: what fails then would keep the account from being reset."""

    def fail(*_: Any) -> None:
        raise AssertionError("made to happen")

    http.sdk_created()
    monkeypatch.setattr(reviews, "run", fail)
    with http.account.lock:
        http.account.clock.move_to(http.account.now() + timedelta(days=30))
    assert http.control("POST", "/reset", {"account": wanted}).get_json() == {"reset": [AUTH_ID]}


def test_a_reset_of_all_forgets_the_calls_of_accounts_that_were_only_read(http: Http) -> None:
    """They do not exist, but have a request log."""
    http.get("EndUser/")
    assert len(http.account.exchanges) == 1
    http.control("POST", "/reset", {"account": "all"})
    assert len(http.account.exchanges) == 0


def test_an_account_that_another_has_taken_the_place_of(http: Http) -> None:
    """A call that says when its account began is refused once that is not so any more."""
    began = made(http)["began"]
    of_it = {"account": AUTH_ID, "began": began}
    assert http.control("GET", "/requests", **of_it).status_code == 200
    assert made(http, strict=True)["began"] == began
    http.control("POST", "/reset", {"account": AUTH_ID})
    told = f"account {AUTH_ID} is not the one that began at {began} any more: meanwhile its server"
    told += " was restarted, or somebody reset it; "
    for method, path in (("GET", "/requests"), ("POST", "/reset"), ("POST", "/clock/settle")):
        answer = http.control(method, path, **of_it)
        now = answer.get_json()["detail"].rpartition(" ")[2]
        assert now > began
        check_problem(answer, "replaced", f"{told}this one began at {now}")
    answer = http.control("GET", "/requests", account=OTHER_ID, began=began)
    check_problem(answer, "replaced", f"{told.replace(AUTH_ID, OTHER_ID)}there is none")
