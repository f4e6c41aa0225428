"""``plivo-sim machine``."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.machines import default_machine, shipped_names, shipped_text
from plivo_sim.machines.loader import load_machine
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.machines.files import IN_REVIEW, NO_ACCEPTANCE, WITH_IN_REVIEW, WITH_YEARS, YEARLY
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live

NOWHERE = Shell("http://127.0.0.1:1")


@pytest.fixture
def yearly(tmp_path: Path) -> Path:
    path = tmp_path / "yearly.yaml"
    path.write_text(YEARLY)
    return path


@pytest.fixture
def in_review(tmp_path: Path) -> Path:
    path = tmp_path / "in-review.yaml"
    path.write_text(IN_REVIEW)
    return path


# --- with a simulator ------------------------------------------------------------------------


def test_list_says_who_uses_which(shell: Shell, application: str, yearly: Path) -> None:
    """Also one that does not ship."""
    assert re.search(r"^default .* the server, MA\w+$", shell.told("machine", "list"), re.MULTILINE)
    shell.run("machine", "use", yearly)
    told = shell.told("machine", "list").splitlines()
    assert told[1].endswith("the server")
    assert told[-1].split() == ["yearly", "does", "not", "ship", AUTH_ID]


def test_use_one_that_ships(shell: Shell, http: Http, application: str, yearly: Path) -> None:
    """Whatever the account had."""
    shell.run("machine", "use", yearly)
    told = shell.told("machine", "use", "default")
    assert "machine    default\nchosen by  the account\n" in told
    assert http.account.machine == default_machine()


def test_use_a_file_show_it_and_go_back(
    shell: Shell, http: Http, application: str, in_review: Path
) -> None:
    """The account has it until then."""
    assert "in_review" in shell.told("machine", "use", in_review)
    told = shell.told("machine", "show")
    assert told.startswith(f"# The machine of {AUTH_ID}, chosen by the account.\n")
    assert load_machine(told) == http.account.machine == WITH_IN_REVIEW
    assert shell.json("machine", "show")["name"] == "with-in-review"
    assert "chosen by  the server" in shell.told("machine", "use", "--none")
    assert http.account.machine == default_machine()


def test_a_change_tells_what_became_of_what_is_due(
    shell: Shell, application: str, tmp_path: Path
) -> None:
    """Of the machine, of a scenario's own, and of a snapshot that comes to another server."""
    path, scenario = tmp_path / "no-acceptance.yaml", tmp_path / "own.yaml"
    path.write_text(NO_ACCEPTANCE)
    scenario.write_text("scenario: It has its own.\nmachine: default\n")
    due = " 0 kept, 1 planned, 0 dropped\n"
    assert shell.told("machine", "use", path).endswith(f"\ndue       {due}")
    assert shell.told("scenario", "use", scenario).endswith(f"\ndue      {due}")
    told = shell.told("scenario", "use", "--none")
    assert told == f"{AUTH_ID} has no scenario\ndue  0 kept, 1 planned, 0 dropped\n"
    assert "due" not in shell.told("machine", "use", path)
    shell.run("machine", "use", "--none")
    shell.run("snapshot", "save", "--file", tmp_path / "before.json")
    with LiveSimulator(replace(PAUSED, machine=str(path))) as other:
        told = Shell(other.url).told("snapshot", "load", "--file", tmp_path / "before.json")
    unsigned = "no token of it is known: its callbacks are not signed until a call with one"
    due = "due, with another machine: 0 kept, 1 planned, 0 dropped"
    assert told.endswith(f"; {unsigned}; {due}\n")


def test_use_makes_the_account(shell: Shell, yearly: Path) -> None:
    """As the other commands that write."""
    told = shell.json("machine", "use", yearly, "--account", AUTH_ID)
    assert (told["account"], told["chosen_by"]) == (AUTH_ID, "account")


def test_use_of_a_wrong_file(shell: Shell, application: str, tmp_path: Path) -> None:
    """Exit code 2, every mistake with file, line and path."""
    path = tmp_path / "wrong.yaml"
    path.write_text(IN_REVIEW.replace("locks", "lokcs").replace("reviewer", "revewer"))
    told = shell.error("machine", "use", path, code=2)
    assert f"{path}:4: statuses.in_review.lokcs: unknown key; did you mean 'locks'?" in told
    assert f"{path}:7: arrows[1].by" in told
    assert shell.json("machine", "show")["chosen_by"] == "server"


def test_use_of_a_name_that_does_not_ship(shell: Shell, application: str) -> None:
    """Exit code 1, with the nearest."""
    told = shell.error("machine", "use", "defualt", code=1)
    assert "no machine of this name ships; did you mean 'default'?" in told


def test_use_without_the_status_of_an_application(
    shell: Shell, http: Http, application: str, in_review: Path
) -> None:
    """Exit code 1, with its id."""
    shell.run("machine", "use", in_review)
    http.advance("1h")
    told = shell.error("machine", "use", "--none", code=1)
    assert application in told
    assert "in status in_review" in told


def test_one_that_waits_for_the_end_of_a_scenario_is_kept(
    shell: Shell, http: Http, application: str, yearly: Path, tmp_path: Path
) -> None:
    """Which the answer says; it counts when the scenario is dropped."""
    scenario = tmp_path / "own.yaml"
    scenario.write_text("scenario: It has its own.\nmachine: default\n")
    shell.run("scenario", "use", scenario)
    told = shell.told("machine", "use", yearly)
    assert f"{yearly} is kept, and used when the scenario with its own machine is dropped." in told
    shell.run("scenario", "use", "--none")
    assert http.account.machine == WITH_YEARS
    assert "is kept" not in shell.told("machine", "use", "default")


def test_the_commands_take_the_words_of_the_machine_in_use(
    shell: Shell, http: Http, application: str, tmp_path: Path
) -> None:
    """They were made from another one."""
    path = tmp_path / "in-review.yaml"
    path.write_text(IN_REVIEW.replace("by: time", "by: [time, hand]"))
    shell.run("machine", "use", path)
    assert shell.told("apps", "decide", application, "in_review").endswith("is in_review\n")
    (found,) = shell.json("apps", "list", "--status", "in_review")["applications"]
    assert found["id"] == application
    assert "in_review" in shell.told("apps", "show", application)
    assert "in_review" in shell.json("coverage")["statuses"]
    wrong = shell.error("apps", "decide", application, "acepted", code=1)
    assert wrong.endswith("did you mean 'accepted'?\n")


@pytest.mark.parametrize("words", [(), ("x", "--none"), ("",)])
def test_use_takes_one_of_two(words: tuple[str, ...]) -> None:
    """Else it is wrong usage."""
    assert "Usage:" in NOWHERE.error("machine", "use", *words, code=2)


# --- without one -----------------------------------------------------------------------------


def test_list_works_without_a_simulator() -> None:
    """Nobody is known to use any, and the error output says why."""
    told = NOWHERE.run("machine", "list")
    assert "default" in told.stdout
    assert "so who uses them is not known" in told.stderr
    listed = NOWHERE.json("machine", "list")["machines"]
    assert [each["name"] for each in listed] == shipped_names()
    assert [each["used_by"] for each in listed] == [[] for _ in listed]


def test_show_one_that_ships() -> None:
    """With its comments; as JSON whole."""
    assert NOWHERE.told("machine", "show", "default") == shipped_text("default")
    assert NOWHERE.json("machine", "show", "default")["machine"] == "default"


def test_show_a_file(yearly: Path) -> None:
    """The whole that it makes."""
    assert load_machine(NOWHERE.told("machine", "show", yearly)) == WITH_YEARS


def test_show_the_one_in_use_needs_a_simulator() -> None:
    """Exit code 3."""
    NOWHERE.error("machine", "show", code=3)


def test_check_looks_at_every_file(yearly: Path, tmp_path: Path) -> None:
    """Good ones are said to be good; exit code 2 when any is not."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(YEARLY.replace("365d", "365x").replace("arrows", "arows"))
    lines = NOWHERE.told("machine", "check", yearly, wrong, "no/such.yaml", code=2).splitlines()
    assert lines[0] == f"{yearly}: ok: yearly, 7 statuses, 9 arrows"
    assert "no/such.yaml: No such file or directory" in lines
    assert f"{wrong}:3: arows: unknown key; did you mean 'arrows'?" in lines
    (told,) = NOWHERE.json("machine", "check", wrong, code=2)["mistakes"]
    assert (told["line"], told["path"]) == (3, "arows")


BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty; begin with 'machine: NAME'"),
        (b"\xff\xfe\x00", "not UTF-8 text"),
        (b"x" * (2 << 20), "is too large"),
        ("é".encode() * (1 << 20), "is too large"),
        (BOMB.encode(), "is too large"),
        (b"[" * 5000, ""),
        (b"machine: \x00", ""),
    ],
)
def test_files_that_are_none(
    tmp_path: Path, shell: Shell, application: str, content: bytes, told: str
) -> None:
    """A sentence and exit code 2, without a simulator and with one."""
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    assert told in NOWHERE.told("machine", "check", path, code=2)
    assert told in NOWHERE.error("machine", "show", path, code=2)
    assert told in shell.error("machine", "use", path, code=2)


def test_a_directory_and_a_file_without_end(tmp_path: Path) -> None:
    """Nor does it take the name of a machine that ships."""
    for name in (str(tmp_path), "/dev/zero"):
        assert NOWHERE.told("machine", "check", name, code=2).startswith(f"{name}: ")


def test_a_directory_does_not_hide_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which has the same name."""
    (tmp_path / "default").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "ok" in NOWHERE.told("machine", "check", "default")


def test_a_pipe_is_a_file(tmp_path: Path) -> None:
    """``plivo-sim machine check <(make-one)``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(YEARLY,))
    writer.start()
    assert "ok: yearly" in NOWHERE.told("machine", "check", pipe)
    writer.join()
