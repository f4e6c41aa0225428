"""What all commands share: exit codes, refusals, accounts, JSON, tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plivo_sim.cli.shared import cell, instant, table, values
from tests.cli.conftest import OTHER_ID, Shell
from tests.support import AUTH_ID, Http, Receiver

pytestmark = pytest.mark.live

CALLS = [
    ("status",), ("clock", "show"), ("apps", "list"), ("apps", "show", "x"), ("scenario", "list"),
    ("scenario", "use", "instant-accept"), ("fault", "list"), ("webhooks", "list"), ("seed", "1"),
    ("snapshot", "save"), ("reset",), ("export", "-"), ("try",), ("account", "list"),
    ("account", "set", "strict=true"), ("scenario", "next", "nothing"), ("webhooks", "policy"),
    ("webhooks", "inbox", "mine"), ("coverage", "--clear"),
]  # fmt: skip
OF_ONE_ACCOUNT = [
    ("clock", "show"), ("clock", "advance", "1d"), ("clock", "set", "2030-01-01"),
    ("clock", "pause"), ("clock", "resume"), ("clock", "rate", "2"), ("apps", "list"),
    ("scenario", "show"), ("scenario", "use", "instant-accept"), ("scenario", "use", "--none"),
    ("fault", "list"), ("fault", "clear"), ("fault", "add", "--effect", "reset"),
    ("webhooks", "list"), ("webhooks", "replay", "--all"), ("seed", "1"), ("snapshot", "save"),
    ("snapshot", "load", "x"), ("reset",), ("export", "-"), ("account", "set", "strict=true"),
    ("scenario", "next", "rejected"), ("webhooks", "policy"), ("webhooks", "policy", "--drop"),
]  # fmt: skip


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_nobody_answers(words: tuple[str, ...]) -> None:
    """Exit code 3, and how to start a simulator."""
    told = Shell("http://127.0.0.1:1").error(*words, code=3)
    assert told == "Error: nothing answers at http://127.0.0.1:1; start it: plivo-sim serve\n"


@pytest.mark.parametrize("words", OF_ONE_ACCOUNT, ids=" ".join)
def test_several_accounts(shell: Shell, http: Http, other: Http, words: tuple[str, ...]) -> None:
    """A command that does not say which one is refused; the message lists them."""
    http.sdk_created()
    other.sdk_created()
    told = shell.error(*words, code=1)
    assert told.splitlines() == [
        "Error: several accounts exist; choose one:",
        f"  --account {AUTH_ID}",
        f"  --account {OTHER_ID}",
        *(["  --all"] if words == ("reset",) else []),
    ]


def test_the_account_that_is_named(shell: Shell, http: Http, other: Http) -> None:
    """By the option, it alone."""
    http.sdk_created()
    other.sdk_created()
    assert shell.json("clock", "show", "--account", OTHER_ID)["account"] == OTHER_ID


def test_the_account_of_the_environment(shell: Shell, http: Http, other: Http) -> None:
    """Holds where no option says otherwise; to reset all is to say otherwise."""
    http.sdk_created()
    other.sdk_created()
    shell.env["PLIVO_SIM_ACCOUNT"] = OTHER_ID
    assert shell.json("clock", "show")["account"] == OTHER_ID
    assert shell.json("clock", "show", "--account", AUTH_ID)["account"] == AUTH_ID
    assert shell.json("reset", "--all") == {"reset": [AUTH_ID, OTHER_ID]}


def test_no_account_at_all(shell: Shell) -> None:
    """Is said so."""
    assert "no account exists yet" in shell.error("clock", "show", code=1)


def test_a_refusal_names_each_problem_with_its_path(shell: Shell, application: str) -> None:
    """The sentence, then the paths."""
    told = shell.error("fault", "add", "--effect", "error", "--quota-per-s", "3", code=1)
    assert told == "Error: The request has problems\n  quota.calls: is required\n"


def test_a_refusal_as_json(shell: Shell) -> None:
    """The simulator's problem details, whole, and nothing else."""
    told = shell.json("apps", "show", "nope", code=1)
    assert (told["status"], told["code"], told["kind"]) == (404, "not_found", "application")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense://x", "is not a URL"),
        ("http://", "'http://' is not a URL"),
        ("http://[", "is not a URL"),
        ("http://127.0.0.1:99999", "is not a URL"),
        ("127.0.0.1:1", "nothing answers at http://127.0.0.1:1"),
    ],
)
def test_an_url_that_leads_nowhere(url: str, told: str) -> None:
    """Exit code 3, whatever is wrong with it."""
    assert told in Shell(url).error("status", code=3)


@pytest.mark.parametrize("url", ["http://ada:hunter2@127.0.0.1:1", "ada:hunter2@127.0.0.1:1"])
def test_a_password_in_a_url_is_not_told(url: str) -> None:
    """It would not be sent either."""
    told = Shell(url).error("status", code=3)
    assert "a user name or a password" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("option", ["--upstream", "--callbacks-to"])
def test_a_service_has_no_password_in_its_url(tmp_path: Path, option: str) -> None:
    """Whoever calls the recorder would be told of it."""
    url = "http://ada:hunter2@127.0.0.1:1"
    words = ["record", "--out", tmp_path / "tape", "--upstream", "http://127.0.0.1:1", option, url]
    words += ["--listen", "192.0.2.1:1"]  # which is refused, too, but later
    told = Shell("").error(*words, code=2)
    assert f"'{option}': it must have no user name or password" in told
    assert "hunter2" not in told
    assert not (tmp_path / "tape").exists()


@pytest.mark.parametrize("port", ["٨٠", "8_0", "65536", "9" * 5000])
def test_a_port_is_a_number(tmp_path: Path, port: str) -> None:
    """In the digits of a URL."""
    words = ["record", "--out", tmp_path / "tape", "--upstream", "http://127.0.0.1:1"]
    told = Shell("").error(*words, "--listen", f"127.0.0.1:{port}", code=2)
    assert "write HOST:PORT" in told


def test_something_else_answers(receiver: Receiver) -> None:
    """What is no simulator is told apart from one that refuses."""
    assert "is not plivo-sim" in Shell(receiver.url).error("status", code=3)


@pytest.mark.parametrize("words", [("apps", "show"), ("apps", "accept"), ("webhooks", "show")])
def test_an_empty_id_is_wrong_usage(shell: Shell, words: tuple[str, ...]) -> None:
    """A script's unset variable must not stand for the list."""
    assert "must not be empty" in shell.error(*words, "", code=2)


def test_wrong_usage() -> None:
    """Exit code 2, without any simulator."""
    assert "No such command" in Shell("http://127.0.0.1:1").error("aps", code=2)


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    """And no line ends in spaces."""
    assert table(("id", "status"), [("a", "accepted"), ("long-id", None)]).splitlines() == [
        "ID       STATUS",
        "a        accepted",
        "long-id  -",
    ]


def test_no_row() -> None:
    """Is said so."""
    assert table(("id",), [], "no account exists") == "no account exists"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), ("", "-"), (0, "0"), (True, "yes"), (False, "no"), ("a\x1b[31m\nb", "a [31m b")],
)
def test_a_cell_stays_on_its_line(value: object, shown: str) -> None:
    """What would drive a terminal is a space."""
    assert cell(value) == shown


def test_values_stand_in_one_column() -> None:
    """After the longest name."""
    assert values([("id", 1), ("status", "ok")]) == "id      1\nstatus  ok"


def test_instants_to_the_second() -> None:
    """Without T and Z."""
    assert instant("2026-01-05T09:00:00.000000Z") == "2026-01-05 09:00:00"
    assert instant(None) == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("apps", "why", "\udcff"), "is not UTF-8 text"),
        (("account", "set", "review_delay=\udcff"), "is not UTF-8 text"),
        (("status", "--url", "http://\udcff"), "is not UTF-8 text"),
        (("clock", "rate", "1e999"), "inf is not a finite number"),
        (("fault", "add", "--effect", "slow", "--latency-s", "nan"), "'nan' is not a valid float"),
        (("replay", "instant-accept", "--against", "http://["), "--against 'http://['"),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_sent_is_wrong_usage(
    shell: Shell, words: tuple[str, ...], told: str
) -> None:
    """The argument is named, and nothing is sent."""
    assert told in shell.error(*words, code=2)


def test_an_argument_that_is_no_text_is_wrong_usage_everywhere() -> None:
    """Also of a command that is for no simulator."""
    words = ("--base-url", "http://127.0.0.1:1", "--auth-id", "\udce9", "--auth-token", "x")
    told = Shell("").error("verify", *words, code=2)
    assert told == "Error: '\\udce9' is not UTF-8 text\n"


def test_ctrl_c_ends_a_command_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the exit code that a shell gives it."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("plivo_sim.client.Client.control", interrupt)
    done = Shell("").run("status", code=130)
    assert (done.stdout, done.stderr) == ("", "")


def test_ctrl_c_while_it_loads() -> None:
    """No traceback of an import."""
    script = """
import builtins
load = builtins.__import__
def interrupt(name, *rest):
    if name == "click":
        raise KeyboardInterrupt
    return load(name, *rest)
builtins.__import__ = interrupt
import plivo_sim.cli
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")


def test_a_long_value_does_not_widen_each_row() -> None:
    """A server that is no simulator could fill a terminal, or a disk, with blanks."""
    rows = [("a" * 1_000_000, "b")] + [("c", "d")] * 1000
    assert len(table(("one", "two"), rows)) < 300_000
