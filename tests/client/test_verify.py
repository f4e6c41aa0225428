"""The contract kit: against the simulator itself, and against one with altered shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from plivo_sim.apis.phone_number import routes
from plivo_sim.apis.phone_number.current.presenters import present_list
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from plivo_sim.client import Unreachable
from plivo_sim.client.verify import Schemas, Verifier
from plivo_sim.settings import Settings
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live


@pytest.fixture
def server() -> Iterator[LiveSimulator]:
    with LiveSimulator(Settings(port=0, paused=True)) as live:
        yield live


def verifier(server: LiveSimulator) -> Verifier:
    return Verifier(server.url, AUTH_ID, "token")


def test_the_simulator_agrees_with_itself(server: LiveSimulator) -> None:
    """Read-only and the whole life cycle; the second read-only run sees records too."""
    probes = [*verifier(server).read_only(), *verifier(server).life_cycle()]
    assert {probe.name: probe.differences for probe in probes if probe.differences} == {}
    assert len(probes) > 15


def test_read_only_probes_change_nothing(server: LiveSimulator) -> None:
    """Not even an account appears."""
    list(verifier(server).read_only())
    assert server.sim.accounts() == []


def test_the_life_cycle_leaves_nothing_behind(server: LiveSimulator) -> None:
    """It deletes what it made."""
    list(verifier(server).life_cycle())
    assert len(server.sim.account(AUTH_ID).store.applications) == 0


class Altered:
    """The current dialect with another list envelope."""

    def __getattr__(self, name: str) -> Any:
        return getattr(routes.current, name)

    def present_list(self, views: Any, meta: Any, shown: Any) -> dict[str, Any]:
        told = present_list(views, meta, shown)
        return {"meta": told["meta"] | {"limit": "20"}, "objects": told["compliances"]}


def test_altered_shapes_are_reported_with_their_paths(
    server: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renamed key, a changed type."""
    monkeypatch.setitem(routes.DIALECTS, "current", Altered())
    found = {probe.name: probe.differences for probe in verifier(server).read_only()}
    told = "\n".join(found["current: list"])
    assert "objects: unknown key" in told
    assert "compliances: is required" in told
    assert "meta.limit: '20' is not of type integer" in told


def test_a_strict_service_agrees() -> None:
    """One that wants operation_type, as the live one is said to."""
    with LiveSimulator(Settings(port=0, paused=True, strict=True)) as strict:
        probes = list(verifier(strict).read_only())
    assert {probe.name: probe.differences for probe in probes if probe.differences} == {}


def test_a_refusal_is_told_in_one_line() -> None:
    """What was asked, and the service's own sentence; no list of the keys that it lacks."""
    with LiveSimulator(Settings(port=0, paused=True, credentials={AUTH_ID: "other"})) as closed:
        found = {probe.name: probe.differences for probe in verifier(closed).read_only()}
    assert found["legacy: EndUser list"] == [
        "GET EndUser/?limit=1 answers 401, ours is 200: The auth token is wrong."
    ]
    assert found["current: wrong credentials"] == []


def test_wrong_credentials_are_no_drift() -> None:
    """One sentence, and another exit code."""
    with LiveSimulator(Settings(port=0, paused=True, credentials={AUTH_ID: "other"})) as closed:
        args = ["verify", "--base-url", closed.url, "--auth-id", AUTH_ID, "--auth-token", "t"]
        done = CliRunner().invoke(main, args)
    assert done.exit_code == 2
    assert done.output == "Error: nothing was compared: The auth token is wrong.\n"


def test_a_silent_server_is_told() -> None:
    """Not a stack trace."""
    with LiveSimulator(Settings(port=0)) as gone:
        pass
    with pytest.raises(Unreachable, match="nothing answers"):
        list(verifier(gone).read_only())


NOT_MADE = {
    f"{each} get"
    for each in (
        "current: PhoneNumber/Compliance/",
        "legacy: EndUser/",
        "legacy: ComplianceDocument/",
        "legacy: ComplianceApplication/",
    )
}
"""Of an account without records; document types are everybody's."""


def told(server: LiveSimulator, *words: str) -> tuple[int, Any]:
    args = ["verify", "--base-url", server.url, "--auth-id", AUTH_ID, "--auth-token", "t", *words]
    done = CliRunner().invoke(main, args)
    return done.exit_code, json.loads(done.output) if "--json" in words else done.output


def test_what_an_account_without_records_leaves_open_is_named(server: LiveSimulator) -> None:
    """Reads of a record, and entries of lists: as text and as JSON; what was compared agrees."""
    code, text = told(server)
    assert code == 0
    for name in NOT_MADE:
        assert f"not made {name}: the account has no such record\n" in text
    assert "\n         compliances is empty: no entry of it was compared\n" in text
    assert text.endswith(" compared, 4 not made\n")
    code, probes = told(server, "--json")
    assert code == 0
    assert {each["probe"] for each in probes if each["not_made"]} == NOT_MADE
    assert {each["probe"]: each["not_compared"] for each in probes if each["not_compared"]} == {
        "current: list": ["compliances"],
        "legacy: EndUser list": ["objects"],
        "legacy: ComplianceDocument list": ["objects"],
        "legacy: ComplianceApplication list": ["objects"],
    }


def test_with_records_only_what_they_lack_is_left_open(server: LiveSimulator) -> None:
    """Its numbers; its end user and its documents are read with it."""
    Http(create_app(server.sim), server.sim).sdk_created()
    code, probes = told(server, "--json")
    assert code == 0
    assert [each["probe"] for each in probes if each["not_made"]] == []
    assert [(each["probe"], each["not_compared"]) for each in probes if each["not_compared"]] == [
        ("current: PhoneNumber/Compliance/ get", ["compliance.linked_numbers"])
    ]


def test_a_create_without_an_id_leaves_the_rest_of_the_life_cycle_open(
    server: LiveSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its probes are named, and the create differs."""
    monkeypatch.setattr(Schemas, "differences", lambda *_: [])
    call = Verifier._call

    def without_id(self: Verifier, method: str, path: str, **more: Any) -> tuple[int, Any]:
        status, body = call(self, method, path, **more)
        return status, {} if status == 201 else body

    monkeypatch.setattr(Verifier, "_call", without_id)
    probes = list(verifier(server).life_cycle())
    assert [each.name for each in probes if each.not_made == "the create told no id"] == [
        "current: get expanded",
        "current: update in review",
        "current: delete",
        "current: get deleted",
    ]


@pytest.mark.parametrize("life_cycle", [True, False])
def test_the_command(server: LiveSimulator, life_cycle: bool) -> None:
    """Exit code 0 where the shapes agree; the life cycle only when asked for."""
    args = ["verify", "--base-url", server.url, "--auth-id", AUTH_ID, "--auth-token", "t"]
    done = CliRunner().invoke(main, args + ["--life-cycle"] * life_cycle)
    assert done.exit_code == 0, done.output
    assert ("current: create" in done.output) is life_cycle
