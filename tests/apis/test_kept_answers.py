"""Answers whose JSON is kept while nothing is written are never behind the records."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.web.calls import MOST_KEPT
from tests.apis.numbers_support import MUMBAI, Numbers
from tests.support import SDK_AGENT, Http

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


def test_no_more_than_some_are_kept(http: Http) -> None:
    """However many questions there are about one application."""
    path = f"PhoneNumber/Compliance/{http.sdk_created()}/?id="
    for n in range(2 * MOST_KEPT):
        assert http.get(f"{path}{n}", headers=SDK).status_code == 200
    _, texts = http.account.derived["presented"]
    assert 0 < len(texts) <= MOST_KEPT
