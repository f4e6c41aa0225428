"""What the marker, and the functions beside it, may be given."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, get_type_hints

import pytest
from freezegun import freeze_time

from plivo_sim.settings import Settings
from plivo_sim.testing import in_process, values
from plivo_sim.testing.markers import MARKED, STARTED, mistakes
from plivo_sim.testing.values import NAMES, setting_of

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("name", [*MARKED, *NAMES])
def test_a_wrong_type_and_a_misspelt_name_are_refused(name: str) -> None:
    """For every argument, in one sentence that begins with its name; only the marker refuses
    what means nothing to a simulator that runs."""
    (told,) = mistakes({name: b"secret"})
    assert told.startswith(f"{name}: ")
    assert ("has started" in told) == (name in STARTED)
    if name in NAMES:
        with pytest.raises(ValueError, match=rf"^{name}: .* is not "):
            setting_of(name, b"secret")
    misspelt = f"{name[:-1]}{name[-1] * 2}"
    (told,) = mistakes({misspelt: None})
    assert told == f"{misspelt}=: no such argument; did you mean '{name}'?"


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_type_is_told_in_frozen_time(name: str) -> None:
    """Though types are others then, if they are looked at for the first time."""
    usual = values.words_of(values._types()[name])
    with freeze_time("2012-01-14"):
        assert values.words_of(get_type_hints(Settings)[name]) == usual


@pytest.mark.parametrize("name", NAMES)
def test_the_default_is_taken(name: str) -> None:
    """As a value of Python, and is the same afterwards."""
    default = getattr(Settings(), name)
    assert setting_of(name, default) == default


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("seed", True, "True is not a whole number"),
        ("seed", 1.5, "1.5 is not a whole number"),
        ("strict", 1, "1 is not True or False"),
        ("warp", 0, "the rate must be a number from 1e-9 to 1e9"),
        ("warp", False, "False is not a number"),
        ("warp", None, "None is not a number"),
        ("callback_timeout_s", 500, "the timeout must be a number of seconds"),
        ("new_api", "curent", "'curent' is not one of auto, current, beta; did you mean 'current'"),
        ("review_delay", 5, "5 is not a duration such as '36h' or None"),
        ("callback_retries", [60], r"\[60\] is not a list, each a duration such as '36h'"),
        ("callback_retries", ["60"], "cannot read duration '60'"),
        ("holidays", "2026-13-01", "'2026-13-01' is not a date"),
        ("start", datetime(9001, 1, 1, tzinfo=UTC), "the clock stops at the year 9000"),
        ("credentials", {"me": "token"}, "what credential 1 begins with is no auth id"),
        ("credentials", {"MA" + "X" * 18: ""}, "credential 1 is not ID:TOKEN"),
        ("credentials", ["secret"], "what is given is not a dictionary of texts"),
        ("credentials", {"MA" + "X" * 18: 7}, "what is given is not a dictionary of texts"),
        ("atoms_tokens", {"key": "me"}, "pair 1 is not TOKEN:MA and 18 letters or digits"),
        ("atoms_tokens", {"key": None}, "what is given is not a dictionary of texts"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: Any, told: str) -> None:
    """As the option refuses it; by all that takes settings."""
    with pytest.raises(ValueError, match=f"^{name}: {told}"), in_process(**{name: value}):
        pass
    assert [each for each in mistakes({name: value}) if each.startswith(f"{name}: ")]


def test_values_are_taken() -> None:
    """Also where a text of the option could not say them: a token with a comma in it."""
    token = {"MA" + "X" * 18: "own, token"}
    assert setting_of("credentials", token) == token
    assert setting_of("holidays", {date(2026, 1, 26)}) == frozenset({date(2026, 1, 26)})
    assert setting_of("seed", 0) == 0
    with pytest.raises(ValueError, match="strickt: no such setting; did you mean 'strict'"):
        setting_of("strickt", True)


def test_the_ini_file_says_the_seed(pytester: pytest.Pytester) -> None:
    """For all tests; a marker counts more, and a wrong one ends the run before its first test."""
    pytester.makeini("[pytest]\nplivo_seed = 7")
    pytester.makepyfile("""
        import pytest

        def test_ini(plivo_sim, plivo_server):
            assert (plivo_sim.sim.settings.seed, plivo_server.sim.settings.seed) == (7, 7)

        @pytest.mark.plivo_sim(seed=8)
        def test_marker(plivo_sim):
            assert plivo_sim.sim.settings.seed == 8
    """)
    pytester.runpytest_subprocess("-p", "no:asyncio").assert_outcomes(passed=2)
    result = pytester.runpytest_subprocess("-p", "no:asyncio", "-o", "plivo_seed=x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: plivo_seed: 'x' is not a whole number"])
