"""``plivo-sim fault``."""

from __future__ import annotations

import msgspec
import pytest

from plivo_sim.scenarios.language import HELP, FaultRule, fault_fields
from tests.cli.conftest import Shell
from tests.support import Http

pytestmark = pytest.mark.live


def test_every_field_of_a_fault_is_an_option_with_a_help_text() -> None:
    """A new field of the type is an option at once; this test asks for its sentence."""
    assert set(HELP) == {path for path, _ in fault_fields()}
    told = Shell("").told("fault", "add", "--help")
    for name in FaultRule.__struct_fields__:
        assert f"--{name.replace('_', '-')}" in told


def test_every_option_reaches_the_simulator(shell: Shell, application: str) -> None:
    """With its own type."""
    given = {
        "effect": "error", "name": "all", "status": 503, "message": "Down.", "latency_s": 0.5,
        "retry_after_s": 7, "applied": True, "api": "new", "operation": "compliance.*",
        "method": "POST", "path": "/v1/*", "application": "x*", "times": 2, "skip": 1, "every": 3,
        "probability": 0.5, "quota": {"calls": 4, "per_s": 30.0},
    }  # fmt: skip
    assert set(given) == set(FaultRule.__struct_fields__)
    words = ["--applied"]
    for name, value in (given | {"quota.calls": 4, "quota.per_s": 30.0}).items():
        if name not in ("applied", "quota"):
            words += [f"--{name.replace('.', '-').replace('_', '-')}", str(value)]
    (kept,) = shell.json("fault", "add", *words)["faults"]
    assert {name: kept[name] for name in given} == given


def test_only_what_is_given_is_sent(shell: Shell, application: str) -> None:
    """The rest is as the type has it."""
    (kept,) = shell.json("fault", "add", "--effect", "reset")["faults"]
    told = {"id": "fault-1", "struck": 0, "spent": False}
    assert kept == {**told, **msgspec.to_builtins(FaultRule(effect="reset"))}


def test_it_strikes(shell: Shell, http: Http, application: str) -> None:
    """As often as it was told to, and the list counts it."""
    words = ("--effect", "error", "--status", "503", "--times", "2", "--operation")
    assert shell.told("fault", "add", *words, "compliance.create") == "fault-1 is on\n"
    statuses = [http.sdk_create().status_code for _ in range(3)]
    assert statuses == [503, 503, 201]
    _, line = shell.told("fault", "list").splitlines()
    assert line.split() == [
        "fault-1", "error", "2,", "spent", "status=503", "operation=compliance.create", "times=2",
    ]  # fmt: skip


def test_clear(shell: Shell, application: str) -> None:
    """One, or all."""
    for name in ("a", "b", "c"):
        shell.run("fault", "add", "--effect", "reset", "--name", name)
    left = shell.json("fault", "clear", "b")["faults"]
    assert [each["id"] for each in left] == ["a", "c"]
    assert shell.told("fault", "clear") == "no fault is on in this account\n"


def test_clear_an_unknown_one(shell: Shell, application: str) -> None:
    """Exit code 1; an empty one is no "all"."""
    assert "'nope' not found" in shell.error("fault", "clear", "nope", code=1)
    assert "must not be empty" in shell.error("fault", "clear", "", code=2)


@pytest.mark.parametrize(
    "words",
    [(), ("--effect", "eror"), ("--effect", "error", "--status", "200"), ("--probability", "2")],
)
def test_what_the_type_forbids_is_wrong_usage(words: tuple[str, ...]) -> None:
    """Without asking anybody."""
    assert "Usage:" in Shell("http://127.0.0.1:1").error("fault", "add", *words, code=2)
