"""``plivo-sim scenario``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plivo_sim.cli.scenarios import starter
from plivo_sim.scenarios.loader import load_scenario
from tests.cli.conftest import OTHER_ID, Shell
from tests.machines.files import IN_REVIEW
from tests.support import Http

pytestmark = pytest.mark.live

NOWHERE = Shell("http://127.0.0.1:1")
WRONG = """\
scenario: A scenario with four mistakes.
rules:
  - when: {contry: IN}
    decide: rejcted
default: {after: 3x}
stpes: []
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    return path


RULES = """\
scenario: Whoever is called Acme waits, and blurred scans are rejected.
rules:
  - {name: acme, when: {country: IN, name: "Acme*"}, decide: nothing}
  - {name: blurred, when: {file_names: "*blurred*"}, decide: rejected, after: 4h}
"""


# --- with a simulator ------------------------------------------------------------------------


def test_list(shell: Shell) -> None:
    """Name, theme and scenario of those that ship."""
    told = shell.told("scenario", "list")
    row = r"^instant-accept +Time in review +An application is accepted at once\.$"
    assert re.search(row, told, re.MULTILINE)


def test_show_one_that_ships(shell: Shell) -> None:
    """Its text."""
    told = shell.told("scenario", "show", "instant-accept")
    assert load_scenario(told).scenario == "An application is accepted at once."


def test_use_one_that_ships(shell: Shell, http: Http, application: str) -> None:
    """From now on it decides."""
    told = shell.told("scenario", "use", "instant-accept")
    assert "scenario  An application is accepted at once." in told
    id = http.sdk_created(alias="after")
    http.advance("0s")
    assert shell.json("apps", "show", id)["status"] == "accepted"


def test_next(shell: Shell, http: Http, application: str) -> None:
    """What is said is decided of the next submission, and they queue."""
    words = ("scenario", "next", "rejected", "--reason", "No seal.", "--after", "2h")
    assert shell.told(*words) == "1 waiting\n"
    assert shell.json("scenario", "next", "nothing") == {"waiting": 2}
    id = http.sdk_created(alias="after")
    http.advance("2h")
    told = shell.json("apps", "show", id)
    assert (told["status"], told["rejection_reason"]) == ("rejected", "No seal.")


def test_next_takes_those_in_line_back(shell: Shell, application: str) -> None:
    """With nothing beside it."""
    shell.run("scenario", "next", "rejected")
    assert shell.told("scenario", "next", "--clear") == "0 waiting\n"
    assert shell.told("scenario", "next", "rejected") == "1 waiting\n"
    assert "give one of STATUS, --clear" in shell.error("scenario", "next", code=2)
    assert "give one of" in shell.error("scenario", "next", "rejected", "--clear", code=2)


def test_next_knows_every_decision(shell: Shell, application: str) -> None:
    """The words are those of the account's machine; others are refused with the nearest."""
    told = shell.error("scenario", "next", "acceptd", code=1)
    assert "did you mean 'accepted'?" in told


def test_use_one_that_does_not_ship(shell: Shell, application: str) -> None:
    """Exit code 1, with the nearest name."""
    told = shell.error("scenario", "use", "instant-acept", code=1)
    assert "did you mean 'instant-accept'?" in told


def test_use_a_file_and_show_it(shell: Shell, http: Http, application: str, tmp_path: Path) -> None:
    """The rules, and how often each has fired."""
    path = tmp_path / "mine.yaml"
    path.write_text(starter("mine"))
    shell.run("scenario", "use", path)
    http.sdk_created(alias="A blurred one")
    assert shell.told("scenario", "show").splitlines()[-1].split() == [
        "blurred", "scan", "rejected", "1",
    ]  # fmt: skip


def test_use_a_wrong_file(shell: Shell, application: str, wrong: Path) -> None:
    """Exit code 2, every mistake with file, line and path; the account keeps what it has."""
    told = shell.error("scenario", "use", wrong, code=2)
    assert f"{wrong}:3: rules[0].when.contry: unknown key; did you mean 'country'?" in told
    assert f"{wrong}:5: default.after: cannot read duration '3x'" in told
    assert shell.json("scenario", "show")["scenario"] is None


def test_use_a_wrong_file_as_json(shell: Shell, application: str, wrong: Path) -> None:
    """The simulator's problem details; the exit code is the same."""
    told = shell.json("scenario", "use", wrong, code=2)
    assert "rules[0].when.contry" in [each["path"] for each in told["problems"]]


def test_use_a_file_that_is_not_there(shell: Shell, application: str) -> None:
    """Exit code 2."""
    told = shell.error("scenario", "use", "no/such.yaml", code=2)
    assert told == "Error: no/such.yaml: No such file or directory\n"


def test_try_a_made_up_application(shell: Shell, application: str, tmp_path: Path) -> None:
    """Who would decide it, and why the others would not; nothing is submitted."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    words = ("--applicant", "Other", "--file", "gst_certificate=blurred.png")
    told = shell.told("scenario", "try", str(path), *words)
    assert re.search(r"^would be +rejected$", told, re.MULTILINE)
    assert re.search(r"^by +rule 'blurred'$", told, re.MULTILINE)
    assert "name is 'Other', wanted 'Acme*'" in told
    assert shell.json("scenario", "show")["scenario"] is None
    assert shell.json("apps", "list")["total_count"] == 1


def test_try_an_application_of_the_account(shell: Shell, application: str) -> None:
    """Once more, by the scenario that is named."""
    told = shell.json("scenario", "try", "stuck-in-review", "--application", application)
    assert (told["would"], told["attempt"]) == ("stuck", 2)


def test_try_takes_one_of_two(shell: Shell, application: str) -> None:
    """An application, or what makes one up."""
    words = ("--application", application, "--alias", "x")
    done = shell.run("scenario", "try", *words, code=2)
    assert "--application is sent as it is" in done.output


def test_try_a_wrong_file(shell: Shell, application: str, wrong: Path) -> None:
    """Its mistakes, with their lines."""
    done = shell.run("scenario", "try", str(wrong), code=2)
    assert f"{wrong}:" in done.output


def test_use_none(shell: Shell, application: str) -> None:
    """The account has no scenario any more."""
    shell.run("scenario", "use", "instant-accept")
    assert "has no scenario" in shell.told("scenario", "use", "--none")


@pytest.mark.parametrize("words", [(), ("x", "--none"), ("",)])
def test_use_takes_one_of_two(words: tuple[str, ...]) -> None:
    """Else it is wrong usage."""
    assert "Usage:" in NOWHERE.error("scenario", "use", *words, code=2)


# --- without one -----------------------------------------------------------------------------


def test_check_prints_every_mistake_in_one_pass(wrong: Path) -> None:
    """File, line, path, and "did you mean"; exit code 2."""
    lines = NOWHERE.told("scenario", "check", wrong, code=2).splitlines()
    assert [line.split(": ")[:2] for line in sorted(lines)] == [
        [f"{wrong}:3", "rules[0].when.contry"],
        [f"{wrong}:4", "rules[0].decide"],
        [f"{wrong}:5", "default.after"],
        [f"{wrong}:6", "stpes"],
    ]
    assert sum("did you mean" in line for line in lines) == 3


def test_check_looks_at_every_file(wrong: Path, tmp_path: Path) -> None:
    """Good ones are said to be good, whatever the others are."""
    lines = NOWHERE.told(
        "scenario", "check", "instant-accept", wrong, tmp_path / "none.yaml", code=2
    ).splitlines()
    assert lines[0] == "instant-accept: ok: An application is accepted at once."
    assert f"{tmp_path / 'none.yaml'}: No such file or directory" in lines


def test_check_as_json(wrong: Path) -> None:
    """Every mistake as an object."""
    told = NOWHERE.json("scenario", "check", wrong, code=2)["mistakes"]
    assert {"file": str(wrong), "line": 6, "path": "stpes"}.items() <= told[-1].items()
    assert NOWHERE.json("scenario", "check", "instant-accept") == {
        "mistakes": [], "warnings": [],
    }  # fmt: skip


def test_check_warns_of_fields_that_no_document_has(tmp_path: Path) -> None:
    """The scenario can be used all the same: exit code 0."""
    path = tmp_path / "own.yaml"
    path.write_text("scenario: By its name.\nrules: [{when: {data_fields: {busines_name: x}}}]\n")
    warning, ok = NOWHERE.told("scenario", "check", path).splitlines()
    place = "rules[0].when.data_fields.busines_name"
    assert warning.startswith(f"{path}:2: {place}: warning: no document of the catalogue")
    assert warning.endswith("did you mean 'business_name'?")
    assert ok == f"{path}: ok: By its name."
    (told,) = NOWHERE.json("scenario", "check", path)["warnings"]
    assert (told["line"], told["path"]) == (2, place)


def test_use_warns_of_them(shell: Shell, tmp_path: Path) -> None:
    """And uses it."""
    path = tmp_path / "own.yaml"
    path.write_text("scenario: By its name.\nrules: [{when: {data_fields: {busines_name: x}}}]\n")
    told = shell.told("scenario", "use", path, "--account", OTHER_ID)
    assert "did you mean 'business_name'?" in told


def test_check_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Is a mistake like any other."""
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    told = NOWHERE.told("scenario", "check", path, code=2)
    assert told == f"{path}: not UTF-8 text\n"


def test_check_with_a_catalogue(tmp_path: Path) -> None:
    """Its document types may be named."""
    catalogue, scenario = tmp_path / "mine.yaml", tmp_path / "scenario.yaml"
    catalogue.write_text(
        "document_types: {fishing_licence: {name: Fishing Licence, description: To fish}}\n"
        "requirements:\n"
        "  - {version: current, country: IS, number_types: [local], user_types: [business],\n"
        "     documents: [fishing_licence]}\n"
    )
    scenario.write_text(
        "scenario: Anglers are accepted.\nrules: [{when: {document_types: fishing_licence}}]\n"
    )
    assert "fishing_licence" in NOWHERE.told("scenario", "check", scenario, code=2)
    NOWHERE.run("scenario", "check", scenario, "--catalogue", catalogue)


def test_check_with_a_wrong_catalogue(tmp_path: Path) -> None:
    """Exit code 2, and the catalogue is named."""
    path = tmp_path / "mine.yaml"
    path.write_text("requirement: []\n")
    told = NOWHERE.error("scenario", "check", "instant-accept", "--catalogue", path, code=2)
    assert str(path) in told


def test_new_writes_a_scenario_that_is_accepted(tmp_path: Path) -> None:
    """Named by its argument; check has nothing to say against it."""
    path = tmp_path / "late-review"
    told = NOWHERE.told("scenario", "new", path)
    assert told == f"wrote {path}.yaml; next: plivo-sim scenario check {path}.yaml\n"
    assert "ok: late-review: " in NOWHERE.told("scenario", "check", f"{path}.yaml")


def test_new_holds_when_it_is_replayed(tmp_path: Path) -> None:
    """What it expects happens."""
    NOWHERE.run("scenario", "new", tmp_path / "mine.yml")
    assert "the scenario holds" in Shell("").told("replay", tmp_path / "mine.yml")


def test_what_new_shows_in_comments_is_right_too() -> None:
    """With every commented line of the language put in."""
    text = starter('odd: "name"')
    whole = re.sub(r"^( *)# (?= *(?:- |[a-z_]+:))", r"\1", text, flags=re.MULTILINE)
    told = load_scenario(whole)
    assert whole != text
    assert [rule.name for rule in told.rules] == ["blurred scan", "complaints"]
    assert told.rules[0].when.not_ is not None
    assert told.webhooks.duplicate == 1
    assert len(told.faults) == 2


def test_new_never_writes_over_a_file(tmp_path: Path) -> None:
    """Unless it is told to."""
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    assert "exists already" in NOWHERE.error("scenario", "new", path, code=2)
    assert path.read_text() == "mine"
    NOWHERE.run("scenario", "new", path, "--force")


def test_new_where_it_cannot_write(tmp_path: Path) -> None:
    """Exit code 2."""
    assert "No such file" in NOWHERE.error("scenario", "new", tmp_path / "no" / "a", code=2)


def test_check_with_a_machine(tmp_path: Path) -> None:
    """The scenario's own, or the server's; its mistakes are told where it stands."""
    machine, path = tmp_path / "in-review.yaml", tmp_path / "mine.yaml"
    machine.write_text(IN_REVIEW)
    path.write_text("scenario: It stays in review.\ndefault: {decide: in_review}\n")
    told = NOWHERE.told("scenario", "check", path, code=2)
    assert told.startswith(f"{path}:2: default.decide: ")
    NOWHERE.run("scenario", "check", path, "--machine", machine)
    assert "did you mean" in NOWHERE.error("scenario", "check", path, "--machine", "defalt", code=2)
    own = "".join(f"  {line}\n" for line in IN_REVIEW.replace("locks", "lokcs").splitlines())
    path.write_text(f"scenario: It stays in review.\nmachine:\n{own}default: {{decide: nothing}}\n")
    told = NOWHERE.told("scenario", "check", path, code=2)
    assert f"{path}:6: machine.statuses.in_review.lokcs: unknown key; did you mean 'locks'?" in told
