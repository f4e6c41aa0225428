"""Answers whose JSON is kept while nothing is written are never behind the records."""

from __future__ import annotations

import gc
from contextlib import suppress
from dataclasses import replace
from typing import Any
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from plivo_sim.apis.phone_number.limits import OPERATIONS_A_MINUTE
from plivo_sim.domain.errors import NotServed
from plivo_sim.web.kept_answers import LONGEST_KEPT, MOST_KEPT, KeptAnswers
from tests.apis.kept_world import HEADERS, PATHS, PLAIN, SETTINGS, Side, side, told, wall_clock
from tests.apis.numbers_support import MUMBAI, OTHER_AUTH_ID, UNKNOWN_ID, Numbers
from tests.conftest import bounded
from tests.fakes import all_at_once
from tests.support import AUTH_ID, SDK_AGENT, Http

Change = tuple[Any, ...]
FAULTS = (
    {"effect": "error", "status": 503, "times": 1},
    {"effect": "error", "status": 429, "method": "GET"},
    {"effect": "invalid_json", "times": 2},
    {"effect": "error", "status": 500, "api": "beta"},
)
CONFIGURED: tuple[dict[str, str], ...] = (
    {"rate_limits": "on"},
    {"rate_limits": "off"},
    {"new_api": "beta"},
    {"paused": "off"},
    {"warp": "3600", "paused": "off"},
)
SDK, PAGE = {"User-Agent": SDK_AGENT}, {"X-Plivo-Sim-Dialect": "beta"}


def shown(http: Http, path: str, **kwargs: Any) -> dict[str, Any]:
    """What a GET shows, asked twice: the same, but for the id of the answer."""
    first, again = (http.get(path, **kwargs) for _ in range(2))
    assert first.status_code == 200, first.text
    one, other = first.get_json(), again.get_json()
    assert one.pop("api_id") == first.headers["X-Request-Id"] != other.pop("api_id")
    assert one == other
    return dict(one)


def statuses(http: Http, id: str) -> list[str]:
    """The application's status in each API."""
    new = f"PhoneNumber/Compliance/{id}/"
    return [
        shown(http, f"ComplianceApplication/{id}/")["status"],
        shown(http, new, headers=SDK)["compliance"]["status"],
        shown(http, new, headers=PAGE)["status"],
    ]


def test_a_decision_shows_everywhere(http: Http) -> None:
    """Each API shows the status that the record has now, in its own word."""
    id = http.sdk_created()
    before = statuses(http, id)
    http.decide(id, "accepted")
    assert statuses(http, id) == ["accepted", "accepted", "approved"] != before


def test_a_review_that_falls_due_shows(http: Http) -> None:
    """What happens by time alone shows as what a call does."""
    id = http.sdk_created()
    assert statuses(http, id)[0] == "submitted"
    http.advance("30d")
    assert statuses(http, id)[0] != "submitted"


def test_what_a_snapshot_brings_back_shows(http: Http) -> None:
    """A restore replaces the records without writing a transaction of its own."""
    id = http.sdk_created()
    mark = http.account.mark()
    http.decide(id, "rejected", "Blurred")
    assert statuses(http, id)[0] == "rejected"
    http.account.restore(mark)
    assert statuses(http, id)[0] == "submitted"


def test_what_is_expanded_is_part_of_the_question(http: Http) -> None:
    """One application, with and without its end user."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/"
    assert "end_user" not in shown(http, path, headers=SDK)["compliance"]
    assert "end_user" in shown(http, f"{path}?expand=end_user", headers=SDK)["compliance"]


def test_an_unknown_parameter_is_refused_after_an_answer_was_kept(http: Http) -> None:
    """The refusal is not the answer that was kept for the URL without it."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/"
    shown(http, path, headers=SDK)
    assert http.get(f"{path}?nonsense=1", headers=SDK).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8700"])
def test_downloads_are_where_the_caller_is(http: Http, host: str) -> None:
    """Links are made of the host that was asked, whoever asked before."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/?expand=documents"
    shown(http, path, headers=SDK | {"Host": "elsewhere.example"})
    document = shown(http, path, headers=SDK | {"Host": host})["compliance"]["documents"][0]
    assert document["download_url"].startswith(f"http://{host}/v1/")


def test_a_number_shows_the_next_rent_as_days_go_by(http: Http) -> None:
    """The day of the rent moves though the number does not change."""
    Numbers(http).rented()
    path = f"Number/{MUMBAI}/"
    before = shown(http, path)["renewal_date"]
    http.control("POST", "/clock/advance", {"by": "45d", "account": http.auth_id})
    assert shown(http, path)["renewal_date"] > before


def test_the_token_that_was_used_last_is_kept(http: Http) -> None:
    """Callbacks are signed with it, whoever the answer was made for at first."""
    path = f"ComplianceApplication/{http.sdk_created()}/"
    for token in ("one", "two", "one", "two"):
        assert replace(http, token=token).get(path).status_code == 200
        assert http.account.token == token


def test_a_fault_strikes_what_was_kept(http: Http) -> None:
    """And the call after it has the answer again."""
    path = f"ComplianceApplication/{http.sdk_created()}/"
    shown(http, path)
    http.control("POST", "/faults", {"effect": "error", "times": 2}, account=http.auth_id)
    assert [http.get(path).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_no_more_than_some_are_kept(http: Http) -> None:
    """However many questions there are about one application."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/?id="
    for n in range(MOST_KEPT + 10):
        assert http.get(f"{path}{n}", headers=SDK).status_code == 200
    kept = http.app.wsgi_app
    assert isinstance(kept, KeptAnswers)
    assert len(kept._kept) == MOST_KEPT


def test_a_long_request_is_not_kept(http: Http) -> None:
    """Its head would be kept with the answer."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/?id="
    kept = http.app.wsgi_app
    assert isinstance(kept, KeptAnswers)
    for length, number in ((LONGEST_KEPT, 0), (10, 1)):
        assert http.get(path + length * "x", headers=SDK).status_code == 200
        assert len(kept._kept) == number


def test_an_account_that_nobody_uses_is_not_held(http: Http) -> None:
    """By the answers of it that are kept."""
    other = replace(http, auth_id=OTHER_AUTH_ID)
    path = f"ComplianceApplication/{other.sdk_created()}/"
    assert other.get(path).status_code == 200
    gone = ref(other.account)
    http.sim.begin_anew(http.sim.settings)
    gc.collect()
    assert gone() is None


def changes() -> st.SearchStrategy[Change]:
    """What may happen between two reads."""
    return st.one_of(
        st.just(("nothing",)),
        st.tuples(st.just("decide"), st.sampled_from(["accepted", "rejected", "suspended"])),
        st.tuples(st.just("advance"), st.sampled_from(["10m", "1h", "1d", "45d"])),
        st.tuples(st.just("wait"), st.sampled_from([1, 30, 61, 3600, 86400])),
        st.tuples(st.just("fault"), st.sampled_from(FAULTS)),
        st.just(("no faults",)),
        st.tuples(st.just("configure"), st.sampled_from(CONFIGURED)),
        st.tuples(st.just("number"), st.sampled_from(["Main", "Other"])),
        st.tuples(st.just("settings"), st.sampled_from(range(len(SETTINGS)))),
        st.sampled_from([(each,) for each in ("create", "delete", "reset", "mark", "restore")]),
        st.sampled_from([(each,) for each in ("hand over", "take back", "calls", "other account")]),
        st.just(("move back",)),
    )


def status(answer: TestResponse) -> str:
    """Of a control call, which may tell of real time."""
    return answer.status


def change(side: Side, what: str, *given: Any) -> Any:
    """Do it on one side; what came of it."""
    http, account = side.http, {"account": AUTH_ID}
    match what:
        case "decide":
            return status(http.decide(side.id, *given, reason="Blurred"))
        case "advance":
            return status(http.control("POST", "/clock/advance", {"by": given[0], **account}))
        case "fault":
            return status(http.control("POST", "/faults", given[0], **account))
        case "no faults":
            return status(http.control("DELETE", "/faults", **account))
        case "configure":
            return status(  # the answer has real times in it
                http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": given[0]})
            )
        case "number":
            return told(http.post(f"Number/{MUMBAI}/", json={"alias": given[0]}))
        case "create":
            made = http.sdk_create(side.body)
            side.id = made.get_json().get("compliance_id", side.id)
            return told(made)
        case "delete":
            return told(http.delete(f"ComplianceApplication/{side.id}/"))
        case "reset":
            return status(http.control("POST", "/reset", account))
        case "mark":
            return status(http.control("POST", "/snapshots", {"name": "mark", **account}))
        case "restore":
            return status(http.control("POST", "/snapshots/mark/restore", account))
        case "settings":
            http.sim.begin_anew(SETTINGS[given[0]])
            return None
        case "hand over":
            return status(
                http.control("POST", "/handover", {"to": "http://127.0.0.1:9", **account})
            )
        case "take back":
            return status(http.control("POST", "/handover/end", {"moved": False, **account}))
        case "calls":  # as many as a window takes, but for some
            path = f"PhoneNumber/Compliance/{UNKNOWN_ID}/"
            return [told(http.get(path)) for _ in range(58)]
        case "other account":
            return told(replace(http, auth_id=OTHER_AUTH_ID).sdk_create(side.body))
        case "move back":
            with suppress(NotServed):
                http.account.restore(http.account.moment())
    return None


@given(
    steps=st.lists(
        st.tuples(
            changes(),
            st.sampled_from(PATHS),
            st.sampled_from(HEADERS),
            st.sampled_from(["GET", "GET", "GET", "HEAD"]),
        ),
        max_size=8,
    ),
    served=st.booleans(),
)
@bounded(30)
def test_an_answer_that_is_given_again_is_the_one_that_would_be_made(
    steps: list[tuple[Change, str, dict[str, Any], str]], served: bool
) -> None:
    """Whatever happens in between: status, headers and body, the request log and the log, the
    counts and the tokens are those of a simulator that keeps no answer."""
    with (
        wall_clock() as wall,
        side(PLAIN, wall, keeps=True, served=served) as keeping,
        side(PLAIN, wall, keeps=False, served=served) as making,
    ):
        for what, path, headers, method in steps:
            if what[0] == "wait":
                wall.pass_s(what[1])
            assert change(keeping, *what) == change(making, *what)
            for _ in range(3):
                given, made = (
                    each.read(path, headers=headers, method=method) for each in (keeping, making)
                )
                assert given == made


EACH_CHANGE: tuple[Change, ...] = (
    ("decide", "rejected"), ("advance", "10m"), ("advance", "45d"), ("fault", FAULTS[0]),
    ("fault", FAULTS[2]), ("configure", CONFIGURED[0]), ("configure", CONFIGURED[2]),
    ("configure", CONFIGURED[4]), ("number", "Other"), ("settings", 0), ("settings", 1),
    ("create",), ("delete",), ("reset",), ("hand over",), ("calls",), ("other account",),
    ("move back",),
)  # fmt: skip


@pytest.mark.parametrize("what", EACH_CHANGE)
@pytest.mark.parametrize("served", [True, False])
def test_after_each_change_the_answer_is_the_one_that_would_be_made(
    what: Change, served: bool
) -> None:
    """In each API, with headers in which there is a secret."""
    with (
        wall_clock() as wall,
        side(PLAIN, wall, keeps=True, served=served) as keeping,
        side(PLAIN, wall, keeps=False, served=served) as making,
    ):
        wall.pass_s(60)
        for round_ in range(2):
            if round_:
                assert change(keeping, *what) == change(making, *what)
            for path in (*PATHS[:4], PATHS[-1]):
                for _ in range(3):
                    given, made = (
                        each.read(path, headers=HEADERS[-1]) for each in (keeping, making)
                    )
                    assert given == made


@pytest.mark.parametrize("enforced", [True, False])
def test_calls_beyond_a_limit_are_refused_or_warned_of(enforced: bool) -> None:
    """As those whose answers are made each time."""
    settings = replace(PLAIN, rate_limits=enforced)
    with (
        wall_clock() as wall,
        side(settings, wall, keeps=True, served=True) as keeping,
        side(settings, wall, keeps=False, served=True) as making,
    ):
        wall.pass_s(60)
        for _ in range(OPERATIONS_A_MINUTE + 3):
            assert keeping.read(PATHS[1]) == making.read(PATHS[1])
        assert keeping.again >= OPERATIONS_A_MINUTE - 1
        assert change(keeping, "decide", "rejected") == change(making, "decide", "rejected")
        for _ in range(3):  # what is kept now was made beyond the limit
            assert keeping.read(PATHS[1]) == making.read(PATHS[1])
        wall.pass_s(60)
        assert keeping.read(PATHS[1]) == making.read(PATHS[1])


def test_what_is_masked_in_the_request_log_stays_so() -> None:
    """A secret in an answer, and the name of a header that sounds like one."""
    with (
        wall_clock() as wall,
        side(SETTINGS[2], wall, keeps=True, served=True) as keeping,
        side(SETTINGS[2], wall, keeps=False, served=True) as making,
    ):
        for alias in ("Plain", "see https://a.example/?token=geheim"):
            for each in (keeping, making):
                made = each.http.sdk_create({**each.body, "alias": alias})
                each.id = made.get_json()["compliance_id"]
            for _ in range(3):
                given, made_again = (
                    each.read(PATHS[1], headers=HEADERS[5]) for each in (keeping, making)
                )
                assert given == made_again
                assert "geheim" not in repr(given[2])
        assert keeping.again == 2


@pytest.mark.parametrize("path", PATHS[:6])
@pytest.mark.parametrize("headers", HEADERS[:6])
def test_answers_are_given_again(path: str, headers: dict[str, Any]) -> None:
    """The property above would hold if none were."""
    settings = SETTINGS[2]
    with wall_clock() as wall, side(settings, wall, keeps=True, served=True) as keeping:
        for _ in range(3):
            keeping.read(path, headers=headers)
        assert keeping.again == 2


def test_time_goes_by_on_a_running_clock() -> None:
    """What falls due happens first; and though nothing is written as a day goes by, a number shows
    another one."""
    settings = replace(PLAIN, paused=False)
    with (
        wall_clock() as wall,
        side(settings, wall, keeps=True, served=True) as keeping,
        side(settings, wall, keeps=False, served=True) as making,
    ):
        for passed_s, again in ((0, 0), (1, 2), (3600, 2), (1, 4), (45 * 86400, 4), (1, 6)):
            wall.pass_s(passed_s)
            for path in ("ComplianceApplication/{id}/", f"Number/{MUMBAI}/"):
                assert keeping.read(path) == making.read(path)
            assert keeping.again == again


def test_as_many_calls_as_the_limit_are_let_through() -> None:
    """Whether their answers are given again or made, and however many come at once."""
    settings = replace(PLAIN, rate_limits=True)
    with wall_clock() as wall, side(settings, wall, keeps=True, served=True) as keeping:
        wall.pass_s(60)
        path = f"PhoneNumber/Compliance/{keeping.id}/"

        def let_through() -> int:
            return sum(keeping.http.get(path).status_code == 200 for _ in range(20))

        assert sum(all_at_once(*[let_through] * 6)) == OPERATIONS_A_MINUTE
        assert keeping.again > 0
