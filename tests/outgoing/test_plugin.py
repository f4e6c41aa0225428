"""The guard in a pytest run, used as a user's project would."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

APPLICATION = """
import socket

def notify():
    return socket.getaddrinfo("api.plivo.com", 443)

def notify_or_not():
    try:
        notify()
    except Exception:
        pass
"""
CALLS = "application.py:4 in notify calls api.plivo.com"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """An application that calls Plivo."""
    pytester.makepyfile(application=APPLICATION)
    pytester.syspathinsert()
    return pytester


def run(project: pytest.Pytester, *args: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:randomly", *args)


def summary(result: pytest.RunResult) -> list[str]:
    """What the run tells at its end of calls whose error was caught."""
    text = result.stdout.str()
    _, _, told = text.partition("plivo-sim: stopped calls to live services")
    told, _, _ = told.partition("short test summary info")  # whole messages, where CI is set
    return [line.partition(": application.py")[0] for line in told.splitlines() if CALLS in line]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_what_is_caught_is_told(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """At the end of the run, and in the report of a test that fails otherwise; what fails by it
    tells it once."""
    project.makepyfile("""
        import application, pytest, threading

        def test_fails_by_it():
            application.notify()

        def test_goes_on():
            application.notify_or_not()
            application.notify_or_not()

        def test_fails_later():
            application.notify_or_not()
            assert False

        @pytest.fixture(scope="session")
        def warm():
            application.notify_or_not()

        def test_in_a_fixture(warm): ...

        def test_in_a_thread():
            thread = threading.Thread(target=application.notify_or_not)
            thread.start()
            thread.join()

        def test_calls_nobody(): ...
    """)
    result = run(project, *workers)
    result.assert_outcomes(passed=4, failed=2)
    caught = ("fails_later", "goes_on", "in_a_fixture", "in_a_thread")
    told = [f"test_what_is_caught_is_told.py::test_{name}" for name in caught]
    assert sorted(summary(result)) == told
    result.stdout.fnmatch_lines(["*plivo-sim guard*", "A call to a live service was stopped; *"])


def test_what_is_called_while_tests_are_collected_is_told(project: pytest.Pytester) -> None:
    """By the first conftest, too."""
    project.makeconftest("import application; application.notify_or_not()")
    project.makepyfile(test_one="import application; application.notify_or_not()\ndef test(): ...")
    result = run(project, "-n", "1")
    result.assert_outcomes(passed=1)
    assert summary(result) == ["outside of tests"]
    project.makepyfile(test_one="import application; application.notify()")
    failed = run(project)
    failed.assert_outcomes(errors=1)
    failed.stdout.fnmatch_lines([f"*{CALLS}*"])


def test_it_can_be_switched_off(project: pytest.Pytester) -> None:
    """By a marker, or for all; the nearest marker counts. Afterwards it is on again."""
    project.makepyfile("""
        import socket, pytest

        def is_on():
            return hasattr(socket.getaddrinfo, "__wrapped__")

        @pytest.mark.plivo_guard("off")
        class TestOff:
            def test_off(self):
                assert not is_on()

            @pytest.mark.plivo_guard("on")
            def test_on(self):
                assert is_on()

        def test_as_configured(request):
            assert is_on() == (request.config.getini("plivo_guard") == "on")
    """)
    run(project, "--strict-markers").assert_outcomes(passed=3)
    run(project, "-o", "plivo_guard=off").assert_outcomes(passed=3)


def test_what_makes_no_sense_is_told(project: pytest.Pytester) -> None:
    """In a sentence."""
    project.makepyfile("""
        import pytest

        class Incomparable:  # as an array of numpy
            def __eq__(self, other): raise RuntimeError("ambiguous")
            def __bool__(self): raise RuntimeError("ambiguous")
            def __repr__(self): return "array([0, 1])"

        @pytest.mark.plivo_guard(False)
        def test_word(): ...

        @pytest.mark.plivo_guard(None)
        def test_none(): ...

        @pytest.mark.plivo_guard(Incomparable())
        def test_what_cannot_be_compared(): ...

        @pytest.mark.plivo_sim(pointed=Incomparable(), clock=Incomparable())
        def test_the_other_marker(plivo_sim): ...
    """)
    result = run(project)
    result.assert_outcomes(errors=4)
    for word in ("False", "None", "array([[]0, 1[]])"):
        told = f"@pytest.mark.plivo_guard: {word} is not one of 'on', 'off'*"
        result.stdout.fnmatch_lines([told])
    result.stdout.fnmatch_lines(
        [
            "@pytest.mark.plivo_sim: pointed: array([[]0, 1[]]) is not True or False; "
            "clock: array([[]0, 1[]]) is not one of wall, paused*"
        ]
    )
    wrong = run(project, "-o", "plivo_guard=of")
    wrong.stderr.fnmatch_lines(["ERROR: *plivo_guard: 'of' is not one of on, off*"])


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("https://api.plivo.com", "is no host name; write api.plivo.com"),
        ("api.plivo.com:443", "is no host name; write api.plivo.com"),
        ("*.plivo.com", "is no host name; write each name in full*"),
    ],
)
def test_a_host_that_no_call_can_have(project: pytest.Pytester, host: str, told: str) -> None:
    """Is refused: the guard would stop nothing."""
    wrong = run(project, "-o", f"plivo_guard_hosts={host}")
    wrong.stderr.fnmatch_lines([f"ERROR: *plivo_guard_hosts: '{host.replace('*', '[*]')}' {told}"])


def test_the_hosts_can_be_chosen(project: pytest.Pytester) -> None:
    """They replace those of the list."""
    project.makeini("[pytest]\nplivo_guard_hosts =\n  api.example.com\n")
    project.makepyfile("""
        import socket, pytest

        def test_host():
            with pytest.raises(RuntimeError, match="calls api.example.com"):
                socket.create_connection(("api.example.com", 443))
    """)
    run(project).assert_outcomes(passed=1)
