"""``plivo-sim replay`` of several scenarios: order, exit codes, the report for CI."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as XML

import plivo
import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli.junit import Case, report
from plivo_sim.cli.replay import _files_in
from plivo_sim.cli.shared import WrongFile
from plivo_sim.client.observations import REFUSED, TAKEN
from plivo_sim.domain import limits
from plivo_sim.settings import Settings
from tests.cli.conftest import Shell
from tests.support import Receiver

pytestmark = pytest.mark.live

HOLDS = """\
scenario: It is accepted.
default: {decide: accepted, after: 1h}
steps: [{submit: {}}, {advance: 2h}]
expect: {status: {app: accepted}}
"""
FAILS = HOLDS.replace("{app: accepted}", "{app: rejected}")
RULES_ONLY = "scenario: Rules only.\ndefault: {decide: rejected}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that holds, one that does not, one that cannot be played, one without steps."""
    folder = tmp_path / "scenarios"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.yaml").write_text(HOLDS)
    (folder / "deep" / "b.yml").write_text(FAILS)
    (folder / "c.yaml").write_text("scenario: It is wrong.\nstpes: []\n")
    (folder / "d.yaml").write_text(RULES_ONLY)
    (folder / "notes.txt").write_text("no scenario")
    return folder


def test_all_of_a_folder(shell: Shell, folder: Path) -> None:
    """Each is told of under its path, whatever became of the others; the largest code is that of
    the command."""
    done = shell.run("replay", folder, code=2)
    heads = [line[4:] for line in done.stdout.splitlines() if line.startswith("=== ")]
    names = ["a.yaml", "c.yaml", "d.yaml", "deep/b.yml"]
    assert heads == [str(folder / name) for name in names]
    results = [line.split()[0] for line in done.stdout.splitlines()[-4:]]
    assert results == ["holds", "ERROR", "passed", "FAILED"]
    assert done.stderr == f"{folder / 'c.yaml'}:2: stpes: unknown key; did you mean 'steps'?\n"


def test_a_server_that_is_called_by_the_address_of_all_is_its_own_receiver(
    shell: Shell, folder: Path
) -> None:
    """Callbacks go to loopback, not to 0.0.0.0, which no account can allow."""
    everywhere = "0.0.0.0"  # the settings of the server, which is called by loopback
    with LiveSimulator(Settings(host=everywhere, port=0, paused=True)) as live:
        url = f"http://{everywhere}:{urlsplit(live.url).port}"
        done = shell.json("replay", folder / "a.yaml", "--url", url)
        (delivery,) = live.sim.account(done["account"]).store.deliveries.every()
    assert str(delivery.state) == "delivered"


def test_several_at_once(shell: Shell, folder: Path) -> None:
    """As many jobs as are asked for; told in the order in which they were named, each once."""
    paths = [folder / "a.yaml", folder / "deep" / "b.yml", folder / "a.yaml"]
    done = shell.json("replay", *paths, "name-mismatch", "--jobs", "3", code=1)
    assert [(each["source"], each["holds"]) for each in done["scenarios"]] == [
        (str(paths[0]), True), (str(paths[1]), False), ("name-mismatch", True),
    ]  # fmt: skip
    assert len({each["account"] for each in done["scenarios"]}) == 3


def test_the_report(shell: Shell, folder: Path, tmp_path: Path) -> None:
    """Of each what became of it, and why; counted on both levels."""
    path = tmp_path / "report.xml"
    shell.run("replay", folder, "--junit", path, code=2)
    root = XML.parse(path).getroot()
    (suite,) = root
    for each in (root, suite):
        counts = [each.get(name) for name in ("tests", "failures", "errors", "skipped")]
        assert counts == ["4", "1", "1", "1"]
    found = {case.get("name"): [part.tag for part in case] for case in suite}
    assert list(found.values()) == [["system-out"], ["error"], ["skipped"], [
        "failure", "system-out",
    ]]  # fmt: skip
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "the scenario does not hold: 1 of 1 expectations failed"
    assert "expected  rejected" in (failure.text or "")


def test_a_report_can_say_whatever_was_printed() -> None:
    """What XML has no way to say is a question mark."""
    odd = "\x00\x1b[31m <é> ]]> & \ud800 \ufffe\r"
    root = XML.fromstring(report("s", [Case(name=odd, took_s=1.25, failure=odd)]))
    case = root.find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == "??[31m <é> ]]> & ? ??"
    assert case.get("time") == "1.250"


def test_a_report_that_cannot_be_written(shell: Shell, tmp_path: Path) -> None:
    """Is found out before anything is played."""
    path = tmp_path / "no" / "report.xml"
    done = shell.run("replay", "name-mismatch", "--junit", path, code=2)
    assert (done.stdout, done.stderr) == ("", f"Error: {path}: No such file or directory\n")


def test_nothing_to_play(shell: Shell, tmp_path: Path) -> None:
    """A folder without scenarios, and one whose scenarios have no steps, are mistakes."""
    told = shell.error("replay", tmp_path, code=2)
    assert told == f"Error: {tmp_path}: no .yaml, .yml, .json file is in this folder\n"
    (tmp_path / "d.yaml").write_text(RULES_ONLY)
    done = shell.run("replay", tmp_path, code=2)
    assert "none of them has steps" in done.stderr


def test_nothing_answers(folder: Path) -> None:
    """Exit code 3, once."""
    told = Shell("http://127.0.0.1:1").error("replay", folder, code=3)
    assert told.count("nothing answers") == 1


def test_a_folder_is_looked_through_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a folder is not followed, and what has more in it than the limit is refused."""
    whole, own = tmp_path / "whole", tmp_path / "own"
    for each in (whole, own):
        each.mkdir()
    (whole / "a.yaml").write_text(HOLDS)
    (own / "b.yaml").write_text(HOLDS)
    (own / "link").symlink_to(whole, target_is_directory=True)
    assert [*_files_in(str(own))] == [own / "b.yaml"]
    monkeypatch.setattr(limits, "FOLDER_ENTRIES", limits.Limit("folder_entries", 1, "files", ""))
    with pytest.raises(WrongFile, match="folder_entries"):
        [*_files_in(str(own))]


def test_the_token_that_callbacks_are_signed_with(
    shell: Shell, folder: Path, receiver: Receiver
) -> None:
    """Of the option, else of the variable that its siblings read; which one it was is told, and a
    token that was given is not shown."""
    words = ("replay", folder / "a.yaml", "--against", receiver.url)
    told = shell.run(*words).stdout
    line = f"callbacks to {receiver.url}, signed with the token 'token' (another: --token, "
    assert line in told
    by_option = shell.json(*words, "--token", "s3cret")
    assert by_option["signed_with"] == "the token of --token"
    by_variable = Shell(shell.url, {"PLIVO_SIM_TOKEN": "of-the-variable"}).told(*words)
    assert "signed with the token of PLIVO_SIM_TOKEN" in by_variable
    assert "of-the-variable" not in by_variable
    for message, token in zip(
        receiver.received, ("token", "s3cret", "of-the-variable"), strict=True
    ):
        assert plivo.utils.validate_v3_signature(
            "POST", message.url, message.headers["X-Plivo-Signature-V3-Nonce"], token,
            message.headers["X-Plivo-Signature-V3"], message.json(),
        )  # fmt: skip


def test_a_webhook_that_takes_what_is_forged(
    shell: Shell, folder: Path, receiver: Receiver
) -> None:
    """Exit code 1, with what was expected and found; so it is for one that is not there."""
    done = shell.json("replay", "webhook-forged", "--against", receiver.url, code=1)
    (failed,) = [each for each in done["checks"] if not each["ok"]]
    assert (failed["name"], failed["expected"]) == ("against.refused", REFUSED)
    dead = ("--against", "http://127.0.0.1:9/")
    told = shell.told("replay", folder / "a.yaml", *dead, code=1)
    assert f"FAILED  against.taken\n          expected  {TAKEN}\n" in told
