"""``plivo-sim apps file|correct|submit``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plivo_sim.client.filing import DEFAULT_ACCOUNT
from tests.apis.legacy_support import Legacy
from tests.cli.conftest import Shell
from tests.support import AUTH_ID, PNG, Http

pytestmark = pytest.mark.live

IN = ("apps", "file", "--country", "in")


def shown(http: Http, id: str) -> dict[str, Any]:
    answer = http.get(f"PhoneNumber/Compliance/{id}/?expand=end_user,documents")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()["compliance"]
    return found


def test_one_that_is_made_up(shell: Shell) -> None:
    """Complete, in an account of its own where there is none; the same again is another record."""
    id = shell.json(*IN)["compliance_id"]
    found = shell.json("apps", "show", id)
    assert (found["account"], found["status"], found["origin"]) == (
        DEFAULT_ACCOUNT, "submitted", "current",
    )  # fmt: skip
    assert shell.told(*IN, "--seed", "2").endswith(f" is filed in {DEFAULT_ACCOUNT}\n")
    assert shell.json("apps", "list")["total_count"] == 2


def test_one_as_asked_for(shell: Shell, http: Http, application: str, tmp_path: Path) -> None:
    """Each option is a part of the request; the rest is made up."""
    scan = tmp_path / "my scan.png"
    scan.write_bytes(PNG + b"another")
    words = (
        "--alias", "My alias", "--end-user", "name=Mine & Sons", "--end-user", "city=Pune",
        "--field", "business_name=Mine & Sons", "--file", f"gst_certificate={scan}",
        "--callback-url", "http://127.0.0.1:9/mine", "--token", http.token,
    )  # fmt: skip
    id = shell.json(*IN, *words)["compliance_id"]
    found = shown(http, id)
    assert (found["alias"], found["callback_url"]) == ("My alias", "http://127.0.0.1:9/mine")
    assert (found["end_user"]["name"], found["end_user"]["city"]) == ("Mine & Sons", "Pune")
    kept = [each for each in http.account.store.documents.every() if each.file is not None]
    assert "my scan.png" in [each.file.name for each in kept if each.file]
    assert "Mine & Sons" in [dict(each.data_fields).get("business_name") for each in kept]


def test_a_row(shell: Shell, tmp_path: Path) -> None:
    """Of a file as seed takes it; options go before its cells."""
    path = tmp_path / "people.csv"
    path.write_text(
        "name,country,alias,outcome,reason,after\n"
        "First Ltd,IN,one,,,\n"
        "Second Ltd,IN,two,rejected,unreadable_scan,1h\n"
    )
    words = ("apps", "file", "--csv", path, "--row", "2", "--alias", "other")
    id = shell.json(*words)["compliance_id"]
    shell.run("clock", "advance", "1h")
    found = shell.json("apps", "show", id)
    assert (found["alias"], found["status"]) == ("other", "rejected")
    assert "has 2 rows, not 3" in shell.error("apps", "file", "--csv", path, "--row", "3", code=2)
    path.write_text("name,contry\n")
    told = shell.error("apps", "file", "--csv", path, code=2)
    assert f"{path}:1: unknown column 'contry'; did you mean 'country'?" in told


def test_a_correction(shell: Shell, http: Http, application: str) -> None:
    """Without options all documents are sent anew; with a new alias alone they stay."""
    before = shell.json("apps", "show", application)
    shell.run("apps", "reject", application, "unreadable_scan")
    told = shell.told("apps", "correct", application, "--token", http.token)
    assert told == f"{application} is corrected and sent again\n"
    again = shell.json("apps", "show", application)
    assert (again["status"], again["attempt"]) == ("submitted", 2)
    assert set(again["document_ids"]).isdisjoint(before["document_ids"])
    assert shown(http, application)["end_user"]["name"] == "Acme Traders Pvt Ltd"
    shell.run("apps", "reject", application, "name_mismatch")
    words = ("--alias", "Corrected", "--end-user", "name=Acme Traders", "--token", http.token)
    shell.run("apps", "correct", application, *words)
    last = shell.json("apps", "show", application)
    assert (last["attempt"], last["alias"]) == (3, "Corrected")
    assert last["document_ids"] == again["document_ids"]
    assert shown(http, application)["end_user"]["name"] == "Acme Traders"


def test_what_the_api_refuses(shell: Shell, application: str) -> None:
    """Exit code 1, in its words."""
    assert "must be in 'rejected' status" in shell.error("apps", "correct", application, code=1)
    assert "not found" in shell.error("apps", "correct", "nope", code=1)
    assert shell.error("apps", "submit", application, code=1).startswith("Error: ")


def test_a_draft(shell: Shell, http: Http, application: str) -> None:
    """Of the legacy API, which alone has them."""
    id = Legacy(http).application(alias="draft")
    assert shell.json("apps", "show", id)["status"] == "draft"
    assert shell.told("apps", "submit", id, "--token", http.token) == f"{id} is submitted\n"
    assert shell.json("apps", "show", id)["status"] == "submitted"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "give one of --country, --csv"),
        (("--country", "ZZ"), "--country ZZ: the catalogue has "),
        (
            ("--country", "IN", "--number-type", "national"),
            "no national business numbers; it has local business, ",
        ),
        (("--country", "IN", "--end-user", "nam=x"), "unknown: 'nam'; did you mean 'name'?"),
        (("--country", "IN", "--field", "x"), "'x' is not NAME=VALUE"),
        (("--country", "IN", "--field", "busines_name=x"), "did you mean 'business_name'?"),
        (("--country", "IN", "--file", "gst=x.pdf"), "--file gst: nothing asks for it"),
        (("--country", "IN", "--file", "gst_certificate=/no/such.pdf"), "/no/such.pdf: No such"),
    ],
)
def test_what_cannot_be_filed(shell: Shell, words: tuple[str, ...], told: str) -> None:
    """Exit code 2; nothing is sent, and no account appears."""
    assert told in shell.error("apps", "file", *words, code=2)
    assert shell.json("account", "list")["accounts"] == []


def test_several_accounts(shell: Shell, http: Http, other: Http) -> None:
    """One has to be chosen."""
    http.sdk_created()
    other.sdk_created()
    assert f"--account {AUTH_ID}" in shell.error(*IN, code=1)
    id = shell.json(*IN, "--account", AUTH_ID)["compliance_id"]
    assert shell.json("apps", "show", id)["account"] == AUTH_ID


def test_nothing_answers() -> None:
    """Exit code 3."""
    assert "nothing answers" in Shell("http://127.0.0.1:1").error(*IN, code=3)
