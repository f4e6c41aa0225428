"""The command line starts fast: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import AUTH_ID, SDK_AGENT, basic, multipart

HEAVY = ("flask", "werkzeug", "cheroot", "faker", "phonenumbers", "tinydb", "marshmallow")
_SCRIPT = f"""
import sys
from plivo_sim.cli import main
main(sys.argv[1:], standalone_mode=False)
print("imported:", *(name for name in {HEAVY!r} if name in sys.modules))
"""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",), ("scenario", "check", "instant-accept"), ("seed", "--help"),
        ("scenario", "new", "mine"), ("catalogue", "list"), ("catalogue", "show", "IN"),
        ("fault", "add", "--help"), ("serve", "--help"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_server_is_imported(words: tuple[str, ...], tmp_path: Path) -> None:
    """Not by help texts, and not by what needs no simulator."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *words],
        capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "imported:"


_SERVE = """
import json, sys
import click
from plivo_sim.cli import main
main.get_command(click.Context(main), "serve")
from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings
live = LiveSimulator(Settings(port=0)).start()
started = sorted(sys.modules)
from http.client import HTTPConnection
def ask(method, path, body=None, **headers):
    connection = HTTPConnection(live.url.removeprefix("http://"))
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()
told = [ask(*call, **headers) for *call, headers in CALLS]
live.stop()
print(json.dumps([started, sorted(sys.modules), told]))
"""
UNNEEDED = ("yaml", "apispec", "jsonschema", "limits", "faker", "phonenumbers", "urllib3",
            "trustme", "requests", "plivo_sim.client.people", "plivo_sim.openapi",
            "marshmallow", "plivo_sim.client", "plivo_sim.console", "plivo_sim.control",
            "plivo_sim.apis.atoms", "plivo_sim.apis.schema", "plivo_sim.machines.drawing",
            "plivo_sim.services.integrity", "plivo_sim.services.snapshots", "html.parser",
            "plivo_sim.catalogue.yaml_files", "plivo_sim.catalogue.output_files",
            "click.shell_completion",
            "plivo_sim.webhooks.diagnosis", "plivo_sim.recording", "plivo_sim.testing")  # fmt: skip
MOST_OF_OURS = 159
"""Modules of the package that a start may load; it was 250 when it loaded the console."""

_HEADERS = {"Authorization": basic(), "User-Agent": SDK_AGENT}
_BUSINESS = {"name": "Acme", "end_user_type": "business"}


def started(*calls: tuple[Any, ...]) -> tuple[set[str], set[str], list[tuple[int, str]]]:
    """The modules of a fresh server, those after it was called, and its answers."""
    given = [(*call, {}) if len(call) < 4 else call for call in calls]
    done = subprocess.run(
        [sys.executable, "-c", f"CALLS = {given!r}\n{_SERVE}"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    before, after, told = json.loads(done.stdout.splitlines()[-1])
    return set(before), set(after), told


def own(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "plivo_sim"}


def test_a_server_starts_without_what_few_need() -> None:
    """Readers of YAML and of bodies with mistakes, makers of documents, numbering plans and names,
    the console, the control API, Atoms and other commands come when asked for."""
    before, _, _ = started()
    assert before.intersection(UNNEEDED) == set()
    assert len(own(before)) <= MOST_OF_OURS


def test_a_first_create_loads_only_what_is_made() -> None:
    """A body with nothing wrong is read by its declaration, which is all that comes with it."""
    body, kind = multipart([("data", json.dumps(_created()))], [])
    form = (body, {**_HEADERS, "Content-Type": kind})
    typed = (json.dumps(_BUSINESS), {**_HEADERS, "Content-Type": "application/json"})
    url = f"/v1/Account/{AUTH_ID}"
    before, after, told = started(
        ("POST", f"{url}/EndUser/", *typed), ("POST", f"{url}/PhoneNumber/Compliance/", *form)
    )
    assert [status for status, _ in told] == [201, 201], told
    assert own(after - before) == {
        "plivo_sim.apis.legacy.schemas", "plivo_sim.apis.phone_number.current.schemas",
    }  # fmt: skip
    assert after.intersection(UNNEEDED) == set()


def _created() -> dict[str, Any]:
    end_user = {"type": "business", "name": "Acme"}
    key = {"country_iso": "US", "number_type": "local", "alias": "Acme"}
    return {**key, "end_user": end_user, "documents": []}


@pytest.mark.parametrize(
    ("path", "loaded", "others"),
    [
        (
            "/_sim/health",
            "plivo_sim.control",
            ("plivo_sim.console", "plivo_sim.apis.atoms", "plivo_sim.machines.drawing"),
        ),
        ("/console/", "plivo_sim.console", ("plivo_sim.apis.atoms.routes",)),
        ("/atoms/v1/compliance/status", "plivo_sim.apis.atoms", ("plivo_sim.control",)),
    ],
)
def test_each_part_comes_with_its_first_call(
    path: str, loaded: str, others: tuple[str, ...]
) -> None:
    """And without the rest."""
    _, after, told = started(("GET", path, None, {}))
    assert told[0][0] in (200, 401)
    assert loaded in after
    assert after.intersection(others) == set()


def test_the_check_can_fail(tmp_path: Path) -> None:
    """An import of one of them is seen."""
    done = subprocess.run(
        [sys.executable, "-c", f"import faker\n{_SCRIPT}", "--help"],
        capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "imported: faker"
