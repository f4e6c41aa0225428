"""``plivo-sim report``, and ``apps delete``."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.apis.legacy_support import Legacy
from tests.cli.conftest import Shell
from tests.support import Http


def test_in_words(shell: Shell, http: Http, application: str) -> None:
    """Of the account, or of one application, by the beginning of its id."""
    other = http.sdk_created(alias="another")
    told = shell.told("report")
    assert f"application {application}" in told
    assert f"application {other}" in told
    told = shell.told("report", application[:8])
    assert f"application {application}" in told
    assert other not in told
    assert shell.json("report", application)["lines"]


def test_as_an_html_file(shell: Shell, application: str, tmp_path: Path) -> None:
    """Printed, or written for its owner alone."""
    assert "<!doctype html>" in shell.told("report", application, "--html")
    path = tmp_path / "case.html"
    told = shell.told("report", application, "--html", "--out", path)
    assert told == f"{path}: the report of application {application}\n"
    assert f'id="case-{application}"' in path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    whole = tmp_path / "account.html"
    shell.told("report", "--html", "--out", whole)
    assert "Where they stand" in whole.read_text("utf-8")
    lines = tmp_path / "case.txt"
    shell.told("report", application, "--out", lines)
    assert lines.read_text("utf-8") == shell.told("report", application)


def test_what_cannot_be_told(shell: Shell, application: str) -> None:
    """In one sentence each."""
    assert "give one of --html, --json" in shell.error("report", "--html", "--json", code=2)
    gone = "0" * 8 + "-0000-4000-8000-" + "0" * 12
    assert "not found" in shell.error("report", gone, "--html", code=1)
    assert "does not exist" in shell.error("report", "--account", "MAZZZZZZZZZZZZZZZZZZ", code=1)


def test_an_application_is_deleted(shell: Shell, http: Http, application: str) -> None:
    """Through the API that made it; not while a review must not lose it."""
    draft = Legacy(http).application()
    for id in (application, draft):
        assert shell.told("apps", "delete", id, "--token", http.token) == f"{id} is deleted\n"
        assert "not found" in shell.error("apps", "show", id, code=1)
    accepted = http.sdk_created()
    http.decide(accepted, "accepted")
    assert "Error: " in shell.error("apps", "delete", accepted, code=1)
