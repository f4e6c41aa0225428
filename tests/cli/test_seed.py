"""``plivo-sim seed``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client.filing import DEFAULT_ACCOUNT
from tests.cli.conftest import OTHER_ID, Shell
from tests.support import AUTH_ID, COUNTRIES, Http

pytestmark = pytest.mark.live


def applications(shell: Shell) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell.json("apps", "list")["applications"]
    return found


def test_the_same_people_twice(shell: Shell, http: Http) -> None:
    """A strict server refuses them; the message says how to make others."""
    shell.run("account", "set", "--account", AUTH_ID, "strict=true")
    shell.run("seed", "1")
    assert "--seed 2" in shell.error("seed", "1", code=1)
    shell.run("seed", "1", "--seed", "2")


def csv_file(tmp_path: Path, *lines: str) -> Path:
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "applicants.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_n_applications(shell: Shell) -> None:
    """In an account that is created for them, of several countries and both kinds."""
    told = shell.told("seed", "30")
    assert told.splitlines()[0].split() == ["COUNTRY", "AS", "USUAL"]
    assert told.endswith(f"30 created; see: plivo-sim apps list --account {DEFAULT_ACCOUNT}\n")
    made = applications(shell)
    assert len({each["alias"] for each in made}) == 30
    assert {each["user_type"] for each in made} == {"business", "individual"}
    countries = Counter(each["country_iso"] for each in made)
    assert len(countries) > 5
    assert countries.most_common(1)[0][0] == "IN"
    assert {each["status"] for each in made} == {"submitted"}


def test_more_than_one_call_makes_is_refused(shell: Shell) -> None:
    """Before anybody is made up."""
    assert "10000" in shell.error("seed", "99999999999", code=2)


def test_each_has_a_pdf_and_a_png(shell: Shell, emptied: LiveSimulator) -> None:
    """With its applicant's name, and no file used twice."""
    shell.run("seed", "12", "--country", "IN")
    account = emptied.sim.account(DEFAULT_ACCOUNT)
    documents = list(account.store.documents.every())
    assert len({each.file.sha256 for each in documents}) == len(documents) == 24
    for application in account.store.applications.every():
        name = account.store.end_users.fetch(application.end_user_id).name
        pdf, png = (account.store.documents.fetch(id).file for id in application.document_ids)
        assert (pdf.media_type, png.media_type) == ("application/pdf", "image/png")
        shown = name.replace("\\", "").encode("cp1252", "replace")
        assert shown in account.files.read(pdf.sha256).replace(b"\\", b"")


def test_the_answers_as_json(shell: Shell) -> None:
    """The account, and what the API said to each."""
    told = shell.json("seed", "2")
    assert told["account"] == DEFAULT_ACCOUNT
    made = [each["compliance_id"] for each in told["applications"]]
    assert made == [each["id"] for each in applications(shell)]


def test_the_same_seed_files_the_same(shell: Shell) -> None:
    """And another one does not."""
    aliases = []
    for seed in ("5", "5", "6"):
        shell.run("seed", "5", "--seed", seed)
        aliases.append([each["alias"] for each in applications(shell)])
        shell.run("reset", "--all")
    assert aliases[0] == aliases[1] != aliases[2]


def test_outcomes(shell: Shell) -> None:
    """In exact shares; the rest is decided as always."""
    shares = ("--accepted", "0.4", "--rejected", "0.3", "--more-info", "0.1", "--pending", "0.1")
    told = shell.told("seed", "10", *shares)
    assert "MORE_INFO_REQUIRED" in told
    shell.run("clock", "advance", "10d")
    made = applications(shell)
    assert Counter(each["status"] for each in made) == {
        "accepted": 5, "rejected": 3, "more_info_required": 1, "submitted": 1,
    }  # fmt: skip
    assert all(each["rejection_reason"] for each in made if each["status"] == "rejected")


def test_outcomes_are_those_of_the_account_s_machine(
    shell: Shell, application: str, tmp_path: Path
) -> None:
    """Whatever machine the command was made from, for shares and in a file."""
    machine = tmp_path / "held.yaml"
    machine.write_text(HELD)
    shell.run("machine", "use", machine)
    told = shell.error("seed", "2", "--rejected", "1", code=2)
    assert "in machine held, a review ends in accepted, held, nothing, not in rejected" in told
    wrong, right = (
        csv_file(tmp_path / word, "name,country,outcome", f"Acme,IN,{word}")
        for word in ("rejected", "held")
    )
    assert "'rejected' is not one of accepted, held, nothing" in shell.error(
        "seed", "--csv", wrong, code=2
    )
    shell.run("seed", "--csv", right)
    assert "HELD" in shell.told("seed", "1", "--share", "held=1")
    shell.run("clock", "advance", "30d")
    assert [each["status"] for each in applications(shell)[1:]] == ["held", "held"]


HELD = """\
machine: held
extends: default
statuses: {held: {legacy: held, current: held, beta: held, atoms: held}, more_info_required: null}
arrows:
  - {from: submitted, to: held, by: [reviewer, hand]}
  - {from: held, to: rejected, by: hand}
  - {from: submitted, to: rejected, by: hand}
"""


def test_countries(shell: Shell) -> None:
    """Only those, in any case; the unregulated one too when it is asked for."""
    shell.run("seed", "6", "--country", "de", "--country", "US")
    assert {each["country_iso"] for each in applications(shell)} == {"DE"}
    shell.run("seed", "1", "--country", "us")
    assert applications(shell)[-1]["country_iso"] == "US"


def test_a_country_that_the_catalogue_lacks(shell: Shell) -> None:
    """Exit code 2, with those that it has."""
    error = shell.error("seed", "1", "--country", "XX", code=2)
    assert f"the catalogue has {COUNTRIES}" in error


def test_the_only_account_is_filled(shell: Shell, application: str) -> None:
    """Or the one that is named."""
    assert shell.json("seed", "1")["account"] == AUTH_ID
    assert shell.json("seed", "1", "--account", OTHER_ID)["account"] == OTHER_ID


def test_callbacks(shell: Shell, http: Http) -> None:
    """Each goes where it was said, signed with the token."""
    inbox = f"{shell.url}/_sim/inbox/seeded"
    shell.run("seed", "2", "--callback-url", inbox, "--account", AUTH_ID, "--token", "secret")
    assert http.account.token == "secret"
    assert {each["callback_url"] for each in applications(shell)} == {inbox}


def test_a_refusal_half_way(shell: Shell, http: Http) -> None:
    """Exit code 1: which one, and how many were filed before it."""
    fault = {"effect": "error", "status": 503, "message": "Down.", "skip": 2}
    http.control("POST", "/faults", fault | {"account": http.auth_id})
    told = shell.error("seed", "5", "--account", AUTH_ID, code=1)
    assert told.startswith("Error: Down.\n  application '")
    assert told.endswith("created before it: 2 of 5\n")
    assert len(applications(shell)) == 2


def test_a_connection_that_breaks(shell: Shell, http: Http) -> None:
    """Exit code 3."""
    http.control("POST", "/faults", {"effect": "reset", "account": http.auth_id})
    told = shell.error("seed", "2", "--account", AUTH_ID, code=3)
    assert told == f"Error: {shell.url} broke the connection off\n"


@pytest.mark.parametrize(
    "words",
    [
        (), ("0",), ("x",), ("1", "--csv", "a.csv"), ("1", "--accepted", "1.5"),
        ("1", "--accepted", "0.7", "--rejected", "0.4"), ("--csv", "a.csv", "--country", "IN"),
        ("1", "--share", "accepted"), ("1", "--share", "accepted=2"),
        ("1", "--accepted", "0.1", "--share", "accepted=0.1"), ("--csv", "a.csv", "--share", "x=1"),
        ("--csv", "a.csv", "--accepted", "1"), ("--csv", "a.csv", "--callback-url", "http://x"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage(words: tuple[str, ...]) -> None:
    """Exit code 2, before anybody is asked."""
    assert "Usage:" in Shell("http://127.0.0.1:1").error("seed", *words, code=2)


def test_a_progress_bar_on_a_terminal(shell: Shell) -> None:
    """On its error output; nowhere else."""
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "plivo_sim.cli", "seed", "3", "--json", "--url", shell.url]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    shown = os.read(terminal, 10_000)
    os.close(terminal)
    assert b"creating" in shown
    assert b"100%" in shown
    assert len(json.loads(done.stdout)["applications"]) == 3


# --- from a CSV file -------------------------------------------------------------------------


def test_applicants_from_a_file(shell: Shell, http: Http, tmp_path: Path) -> None:
    """As the rows say; what they leave out is made up."""
    path = csv_file(
        tmp_path,
        "name,country,user_type,number_type,alias,city,outcome,reason,after",
        "Zwölf Händler GmbH,DE,,national,zwölf,Köln,rejected,name_mismatch,1h",
        "Asha,IN,individual,,,Agra,,,",
    )
    shell.run("seed", "--csv", path, "--account", AUTH_ID)
    first, second = applications(shell)
    assert (first["alias"], first["number_type"]) == ("zwölf", "national")
    assert second["user_type"] == "individual"
    assert second["alias"].startswith("Asha ")
    shell.run("clock", "advance", "1h")
    first = applications(shell)[0]
    assert (first["status"], first["rejection_reason"][:20]) == ("rejected", "Business name is not")
    end_user = http.account.store.end_users.fetch(first["end_user_id"])
    assert (end_user.name, end_user.city, end_user.country) == ("Zwölf Händler GmbH", "Köln", "DE")
    assert end_user.email == "zwolf-handler-gmbh@mail.example"


def test_wrong_rows_are_all_named_and_nothing_is_filed(shell: Shell, tmp_path: Path) -> None:
    """Exit code 2; what only the simulator sees wrong included."""
    path = csv_file(
        tmp_path,
        "name,country,alias,outcome,callback_url",
        "Good Pvt Ltd,IN,,,",
        ",XX,,maybe,",
        f"Acme,IN,{'x' * 300},,",
        "Acme,IN,,,ftp://a.example/",
    )
    lines = shell.error("seed", "--csv", path, code=2).splitlines()
    assert lines[0] == "Error: nothing was created"
    places = [line.removeprefix(f"{path}:").split(": ")[:2] for line in lines[1:]]
    assert places == [
        ["3", "country"], ["3", "name"], ["3", "outcome"], ["4", "alias"], ["5", "callback_url"],
    ]  # fmt: skip
    assert shell.json("status")["accounts"] == []


def test_a_file_that_is_not_there(shell: Shell) -> None:
    """Exit code 2."""
    told = shell.error("seed", "--csv", "no/such.csv", code=2)
    assert told == "Error: no/such.csv: No such file or directory\n"


def test_a_catalogue_of_one_s_own_is_filled_too(tmp_path: Path) -> None:
    """Whatever its documents ask for."""
    from plivo_sim.settings import Settings

    catalogue = tmp_path / "mine.yaml"
    catalogue.write_text(
        "fields: {boats: {label: Boats, min_length: 5, max_length: 6}}\n"
        "document_types:\n"
        "  fishing_licence: {name: Fishing Licence, description: To fish, fields: [boats]}\n"
        "requirements:\n"
        "  - {version: current, country: IS, number_types: [local], user_types: [business],\n"
        "     documents: [fishing_licence]}\n"
    )
    with LiveSimulator(Settings(port=0, paused=True, catalogue=catalogue)) as live:
        Shell(live.url).run("seed", "3", "--country", "IS")
        assert len(live.sim.account(DEFAULT_ACCOUNT).store.applications) == 3
