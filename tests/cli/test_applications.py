"""``plivo-sim apps`` and ``evaluate``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from plivo_sim.scenarios.rules import PRESETS
from tests.cli.conftest import Shell
from tests.support import AUTH_ID, PDF, PNG, Http

pytestmark = pytest.mark.live


def test_list_in_words(shell: Shell, application: str) -> None:
    """One line an application."""
    heads, line = shell.told("apps", "list").splitlines()
    assert heads.split() == ["ID", "STATUS", "COUNTRY", "NUMBER", "USER", "SUBMITTED", "ALIAS"]
    assert line.split() == [
        application, "submitted", "IN", "local", "business", "2026-01-05", "09:00:00", "Acme",
        "Mumbai",
    ]  # fmt: skip


def test_list_filters(shell: Shell, http: Http, application: str) -> None:
    """Each option is a filter of the control API."""
    http.decide(http.sdk_created(alias="two"), "rejected")
    words = ("--status", "rejected", "--status", "expired", "--country", "in")
    found = shell.json("apps", "list", *words, "--number-type", "local", "--user-type", "business")
    assert [each["alias"] for each in found["applications"]] == ["two"]


def test_list_says_when_there_are_more(shell: Shell, http: Http, application: str) -> None:
    """And how to see them."""
    http.sdk_created(alias="two")
    assert shell.told("apps", "list", "--limit", "1").splitlines()[-1] == (
        "1 of 2; see --limit and --offset"
    )
    (found,) = shell.json("apps", "list", "--limit", "1", "--offset", "1")["applications"]
    assert found["alias"] == "two"


def test_list_as_csv(shell: Shell, http: Http, application: str) -> None:
    """Names, then a line for each; that there are more is said on the error output."""
    http.sdk_created(alias='two, "quoted"')
    done = shell.run("apps", "list", "--csv")
    first, second = csv.DictReader(io.StringIO(done.stdout))
    assert (first["id"], first["status"]) == (application, "submitted")
    assert (first["submitted_at"][:10], first["rejection_reason"]) == ("2026-01-05", "")
    assert (second["alias"], done.stderr) == ('two, "quoted"', "")
    done = shell.run("apps", "list", "--csv", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "1 of 2; see --limit and --offset\n"


@pytest.mark.parametrize("first", ["=", "+", "-", "@"])
def test_no_cell_is_a_formula(shell: Shell, http: Http, first: str) -> None:
    """A quote before it makes a spreadsheet take it for a text."""
    http.sdk_created(alias=f"{first}1+1")
    (row,) = csv.DictReader(io.StringIO(shell.run("apps", "list", "--csv").stdout))
    assert row["alias"] == f"'{first}1+1"


def test_an_empty_list_as_csv(shell: Shell, application: str) -> None:
    """The names alone."""
    (names,) = shell.told("apps", "list", "--csv", "--status", "expired").splitlines()
    assert names.startswith("id,status,country_iso,")
    assert "give one of" in shell.error("apps", "list", "--csv", "--json", code=2)


def test_list_knows_the_words(shell: Shell, application: str) -> None:
    """Those of the account's machine; wrong ones are refused with the nearest."""
    told = shell.error("apps", "list", "--status", "acepted", code=1)
    assert told.endswith("did you mean 'accepted'?\n")
    assert "'x' is not one of" in shell.error("apps", "list", "--user-type", "x", code=2)


def test_show(shell: Shell, application: str) -> None:
    """What it is, its timeline, and what comes next."""
    told = shell.told("apps", "show", application)
    assert "kind          IN local business" in told
    assert "2026-01-05 09:00:00  submitted  client  created and submitted  -" in told
    assert "2026-01-08 09:00:00  accepted" in told


def test_show_an_unknown_one(shell: Shell) -> None:
    """Exit code 1, with its id."""
    assert shell.error("apps", "show", "nope", code=1) == "Error: application 'nope' not found\n"


def test_why(shell: Shell, http: Http) -> None:
    """Which rule decided, and why the others did not."""
    scenario = {
        "scenario": "Two rules, one of which matches.",
        "rules": [
            {"name": "germans", "when": {"country": "DE"}},
            {"name": "acme", "when": {"alias": "Acme*"}, "decide": "rejected"},
        ],
    }
    http.control("POST", "/scenario", {"scenario": scenario, "account": http.auth_id})
    told = shell.told("apps", "why", http.sdk_created())
    assert "attempt 1: to be decided by rule 'acme'" in told
    assert [line.split()[:2] for line in told.splitlines()[-2:]] == [
        ["germans", "no"],
        ["acme", "yes"],
    ]


@pytest.mark.parametrize(
    ("verbs", "status"),
    [
        (["accept"], "accepted"),
        (["reject"], "rejected"),
        (["more-info"], "more_info_required"),
        (["accept", "suspend"], "suspended"),
        (["accept", "suspend", "reinstate"], "accepted"),
        (["accept", "expire"], "expired"),
    ],
)
def test_decisions(shell: Shell, application: str, verbs: list[str], status: str) -> None:
    """Each follows its arrow."""
    for verb in verbs:
        told = shell.told("apps", verb, application)
    assert told == f"{application} is {status}\n"


@pytest.mark.parametrize(
    ("reason", "told"), [("No seal.", "No seal."), ("name_mismatch", PRESETS["name_mismatch"])]
)
def test_a_reason(shell: Shell, application: str, reason: str, told: str) -> None:
    """Free text, or a preset by its name."""
    answer = shell.json("apps", "reject", application, "--reason", reason)
    assert answer["rejection_reason"] == told


@pytest.mark.parametrize("verb", ["suspend", "expire", "reinstate"])
def test_a_decision_that_the_status_does_not_allow(
    shell: Shell, application: str, verb: str
) -> None:
    """Exit code 1, with the true status."""
    assert "in status submitted" in shell.error("apps", verb, application, code=1)


@pytest.mark.parametrize("verb", ["reject", "more-info"])
def test_the_reason_can_stand_after_the_id(shell: Shell, application: str, verb: str) -> None:
    """As the documentation writes it."""
    shell.run("apps", verb, application, "The seal is missing.")
    told = shell.json("apps", "show", application)
    assert told["rejection_reason"] == "The seal is missing."


def test_one_reason_is_enough(shell: Shell, application: str) -> None:
    """Two would leave open which one counts."""
    told = shell.error("apps", "reject", application, "a text", "--reason", "other", code=2)
    assert "give one of REASON, --reason" in told


def test_a_mistyped_preset_is_refused(shell: Shell, application: str) -> None:
    """With the one that was meant."""
    told = shell.error("apps", "reject", application, "name_mismach", code=1)
    assert "did you mean 'name_mismatch'?" in told


@pytest.fixture
def data(http: Http, tmp_path: Path) -> Path:
    """A complete application in a file, its proofs beside it."""
    path = tmp_path / "data.json"
    path.write_text(json.dumps(http.sdk_data()))
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "b.png").write_bytes(PNG)
    return path


def test_evaluate_tells_the_decision(shell: Shell, application: str, data: Path) -> None:
    """And by what."""
    files = ["--file", str(data.parent / "a.pdf"), "--file", str(data.parent / "b.png")]
    told = shell.told("evaluate", str(data), *files, "--account", AUTH_ID)
    assert told.splitlines()[0].split() == ["would", "be", "accepted"]
    assert "default" in told


def test_evaluate_tells_every_problem(shell: Shell, application: str, data: Path) -> None:
    """A table of paths."""
    told = shell.told("evaluate", str(data), "--account", AUTH_ID)
    assert "refused" in told
    assert "documents[0].file" in told
    assert "documents[1].file" in told
