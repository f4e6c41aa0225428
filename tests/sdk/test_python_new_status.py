"""The page "What if Plivo adds a status" does what it says, with the official SDK for Python."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from plivo_sim.cli.starting import settings_of
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.numbers_support import MUMBAI, Numbers
from tests.apis.page import Page
from tests.support import AUTH_ID, Http

PAGE = (Path(__file__).parents[2] / "docs" / "new-status.md").read_text("utf-8")
URL = "http://127.0.0.1:8700"

pytestmark = pytest.mark.live


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    return str(found)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveSimulator]:
    """The page's own ``serve --machine``, but on a free port, where the page's file is."""
    (tmp_path / "in-review.yaml").write_text(block("yaml"), "utf-8")
    monkeypatch.chdir(tmp_path)
    (options,) = re.findall(r"^plivo-sim serve (.*)$", block("sh"), re.M)
    above = click.Context(main, **main.context_settings)
    serve = main.get_command(above, "serve")
    assert serve is not None
    given = serve.make_context("serve", shlex.split(options), parent=above).params
    given.pop("ready_file")
    with LiveSimulator(settings_of({**given, "port": "0"})) as served:
        yield served


def run(live: LiveSimulator, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program.replace(URL, live.url)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_file_has_ten_lines() -> None:
    """As promised."""
    assert len(block("yaml").splitlines()) == 10


def test_the_program_of_the_page_survives_the_status(live: LiveSimulator) -> None:
    """It sees each status, and each callback, through the SDK."""
    done = run(live, block("python"))
    assert done.returncode == 0, done.stderr
    assert "('in_review', 'wait')" in done.stdout


def test_one_that_trusts_the_list_of_today_does_not(live: LiveSimulator) -> None:
    """The page says how it ends."""
    careless = block("python").replace('STEPS.get(status, "wait")', "STEPS[status]")
    assert "KeyError: 'in_review'" in run(live, careless).stderr


def test_each_api_shows_what_the_table_says(live: LiveSimulator) -> None:
    """Row by row."""
    http = Http(create_app(live.sim), live.sim)
    page, legacy, atoms = Page(Http(http.app, live.sim, mount="/beta")), Legacy(http), Atoms(http)
    current, beta = http.sdk_created(), page.id(callback_url="http://127.0.0.1:9/cb")
    drafted = legacy.application()
    assert legacy.submit(drafted).status_code < 300
    made = atoms.submitted()
    http.advance("1h")
    atoms.http.advance("1h")
    path = f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"
    assert http.get(f"{path}{current}/").get_json()["compliance"]["status"] == "in_review"
    found = http.get(path, query_string={"status": "in_review"}).get_json()
    assert found["meta"]["total_count"] == 3
    assert page.get(beta)["status"] == "reviewing"
    (told,) = http.account.store.deliveries.having("application_id", beta)
    assert dict(told.payload)["event"] == "compliance.reviewing"
    assert legacy.application_shown(drafted)["status"] == "in_review"
    assert atoms.known(made)["status"] == atoms.status().get_json()["data"]["step"] == "in_review"
    refused = http.sdk_send("PATCH", f"PhoneNumber/Compliance/{current}/", {"alias": "again"}, {})
    assert refused.status_code == 400
    rented = Numbers(http).rent(MUMBAI, current)
    assert rented.status_code == 400
    atoms.http.advance("10d")
    http.advance("10d")
    assert Numbers(http).rent(MUMBAI, current).status_code == 201
