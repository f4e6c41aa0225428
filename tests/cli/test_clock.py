"""``plivo-sim clock``."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.support import Http

pytestmark = pytest.mark.live


def test_show(shell: Shell, application: str) -> None:
    """The time, and what is due next."""
    assert shell.told("clock", "show").splitlines()[1:] == [
        "now       2026-01-05 09:00:00",
        "clock     paused",
        "next due  2026-01-08 09:00:00",
        "due       1",
    ]


@pytest.mark.parametrize(
    ("words", "now"),
    [
        (("36h",), "2026-01-06T21:00:00"),
        (("2", "business", "days"), "2026-01-07T09:00:00"),
        (("2 business days",), "2026-01-07T09:00:00"),
        (("--to", "2026-01-06T00:00:00Z"), "2026-01-06T00:00:00"),
    ],
)
def test_advance(shell: Shell, application: str, words: tuple[str, ...], now: str) -> None:
    """By a duration, quoted or not, or to an instant."""
    assert shell.json("clock", "advance", *words)["now"].startswith(now)


def test_advance_tells_what_happened(shell: Shell, application: str) -> None:
    """The transition and its callback, each at its time."""
    first, second = shell.json("clock", "advance", "3d")["happenings"]
    assert (first["type"], first["to"]) == ("transition", "accepted")
    assert (second["type"], second["error"] is not None) == ("callback", True)


def test_advance_in_words(shell: Shell, application: str) -> None:
    """A line for each, and where the clock stands."""
    heads, moved, callback, now = shell.told("clock", "advance", "3d").splitlines()
    assert heads.split() == ["AT", "APPLICATION", "WHAT"]
    assert moved == f"2026-01-08 09:00:00  {application}  submitted -> accepted"
    assert "callback retry 1 of 3, attempt 1: " in callback
    assert now == "now 2026-01-08 09:00:00"


def test_advance_until(shell: Shell, application: str) -> None:
    """The application has the status."""
    words = ("clock", "advance", "--until", "accepted", "--application", application)
    assert shell.json(*words)["now"].startswith("2026-01-08T09:00")


def test_advance_until_what_never_comes(shell: Shell, application: str) -> None:
    """Exit code 1."""
    words = ("clock", "advance", "--until", "suspended", "--application", application)
    assert "not reached" in shell.error(*words, code=1)


@pytest.mark.parametrize(
    "words",
    [(), ("1d", "--to", "2027-01-01"), ("--until", "accepted"), ("1d", "--application", "x")],
)
def test_advance_takes_one_of_three(words: tuple[str, ...]) -> None:
    """Else it is wrong usage."""
    assert "Usage:" in Shell("http://127.0.0.1:1").error("clock", "advance", *words, code=2)


def test_a_duration_that_cannot_be_read(shell: Shell, application: str) -> None:
    """The simulator says how to write it."""
    assert "by: cannot read duration '3x'" in shell.error("clock", "advance", "3x", code=1)


def test_set_goes_forward_only(shell: Shell, application: str) -> None:
    """To an instant; an earlier one is refused."""
    assert shell.json("clock", "set", "2026-02-01")["now"].startswith("2026-02-01T00:00:00")
    assert "never goes back" in shell.error("clock", "set", "2026-01-01", code=1)


def test_resume_rate_pause(shell: Shell, application: str) -> None:
    """Each answers with the clock."""
    assert shell.json("clock", "resume")["paused"] is False
    assert shell.json("clock", "rate", "60")["rate"] == 60
    assert "runs, 60 s per second" in shell.told("clock", "show")
    assert shell.json("clock", "pause")["paused"] is True


def test_show_what_never_is_due(shell: Shell, http: Http) -> None:
    """It lies behind the end of the clock."""
    http.control("POST", "/clock/advance", {"to": "8999-12-31T23:00:00Z", "account": http.auth_id})
    http.sdk_created()
    assert shell.told("clock", "show").splitlines()[3:] == [
        "next due  never: the clock stops at the year 9000",
        "due       1",
    ]
