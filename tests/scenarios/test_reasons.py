"""A reason is a text or the name of a preset, the same way wherever one can be given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plivo_sim.client import Client
from plivo_sim.client.wsgi import Wsgi
from plivo_sim.domain.errors import Invalid
from plivo_sim.scenarios.rules import PRESETS, read_reason
from plivo_sim.testing import Handle
from tests.support import AUTH_ID, Http

MISTYPED = "there is no preset 'name_mismach'; did you mean 'name_mismatch'?"


def by_control(http: Http, reason: str) -> Any:
    return http.decide(http.sdk_created(), "rejected", reason).get_json()


def by_next_outcome(http: Http, reason: str) -> Any:
    body = {"decide": "rejected", "reason": reason, "after": "1h", "account": AUTH_ID}
    told = http.control("POST", "/next-outcome", body)
    return told.get_json() if told.status_code >= 400 else reviewed(http)


def by_scenario(http: Http, reason: str) -> Any:
    scenario = {
        "scenario": "One is rejected.",
        "default": {"decide": "rejected", "reason": reason, "after": "1h"},
    }
    told = http.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    return told.get_json() if told.status_code >= 400 else reviewed(http)


def reviewed(http: Http) -> Any:
    id = http.sdk_created()
    http.advance("1h")
    return http.control("GET", f"/applications/{id}").get_json()


WAYS = (by_control, by_next_outcome, by_scenario)


@pytest.mark.parametrize("given", WAYS)
def test_the_name_of_a_preset_is_its_sentence(
    http: Http, given: Callable[[Http, str], Any]
) -> None:
    """The applicant reads the sentence, never the name."""
    assert given(http, "name_mismatch")["rejection_reason"] == PRESETS["name_mismatch"]


@pytest.mark.parametrize("given", WAYS)
def test_a_name_that_no_preset_has_is_refused(
    http: Http, given: Callable[[Http, str], Any]
) -> None:
    """With the name that was probably meant, and its path."""
    (problem,) = given(http, "name_mismach")["problems"]
    assert problem["path"].endswith("reason")
    assert MISTYPED in problem["message"]


def test_the_header_takes_names_and_refuses_what_is_nearly_one(http: Http) -> None:
    """In the dialect's own body."""
    http.headers["X-Plivo-Sim-Outcome"] = "rejected; after=1h; reason=name_mismatch"
    assert reviewed(http)["rejection_reason"] == PRESETS["name_mismatch"]
    http.headers["X-Plivo-Sim-Outcome"] = "rejected; after=1h; reason=name_mismach"
    refused = http.sdk_create()
    assert refused.status_code == 400
    assert MISTYPED in refused.get_json()["error"]


def test_the_python_handle_takes_names(http: Http) -> None:
    """As the command line does."""
    handle = Handle(Client("http://127.0.0.1", transport=Wsgi(http.app)))
    told = handle.reject(http.sdk_created(), "name_mismatch")
    assert told.rejection_reason == PRESETS["name_mismatch"]


def test_the_python_handle_refuses_what_is_nearly_a_name(http: Http) -> None:
    """And the application stays as it was."""
    id = http.sdk_created()
    with pytest.raises(Invalid, match="did you mean 'name_mismatch'"):
        Handle(Client("http://127.0.0.1", transport=Wsgi(http.app))).reject(id, "name_mismach")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "submitted"


@pytest.mark.parametrize(
    "text",
    [
        "Name mismatch",
        "Incomplete.",
        "incomplete",
        "re-submit",
        "E_DOC_17",
        "name mismatch on page 2",
        "आधार",
    ],
)
def test_a_text_is_a_text(text: str) -> None:
    """One word too, unless it looks like a name."""
    assert read_reason(text) == text


@pytest.mark.parametrize("text", ["no_such_preset", "complaint", "Name-Mismach", " missing_pages "])
def test_what_looks_like_a_name_is_one(text: str) -> None:
    """An underscore makes a name of a word, and so does being almost one."""
    with pytest.raises(ValueError, match="there is no preset"):
        read_reason(text)
