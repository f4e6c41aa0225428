"""Lists of a tape, of an account that has older records too, or not: who is who is told by ids."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.recording.traffic import (
    REQUIREMENTS,
    Application,
    altered,
    creation,
    decider,
    recording,
)

pytestmark = pytest.mark.live

COMPLIANCE = "PhoneNumber/Compliance/"
USER = {"name": "Anindita", "last_name": "Mukherjee", "end_user_type": "individual"}
Drift = list[tuple[str, str, str]]


def drift(shell: Shell, tape: Path, *more: str) -> Drift:
    """What ``verify`` tells: where, recorded, here."""
    found = json.loads(shell.run("verify", "--tape", tape, "--json", *more, code=None).stdout)
    return [(each["where"], each["recorded"], each["here"]) for each in found["drift"]]


def made(caller: Application, *aliases: str) -> list[str]:
    """The ids of new applications."""
    types = caller.call("GET", REQUIREMENTS)["document_types"]
    forms = [creation(types, alias=each) for each in aliases]
    return [caller.call("POST", COMPLIANCE, form=form)["compliance_id"] for form in forms]


@contextmanager
def lists_altered(
    live: LiveSimulator, tape: Path, alter: Callable[[dict[str, Any]], object]
) -> Iterator[Application]:
    """Calls to a service whose lists of applications were altered."""

    def each(path: str, status: str, headers: Any, told: Any) -> tuple[str, Any, Any]:
        if "compliances" in told:
            alter(told)
        return status, headers, told

    with altered(live.sim, each) as service, recording(service, tape) as url:
        yield Application(url)


def test_strangers_are_not_taken_for_what_the_tape_made(
    live: LiveSimulator, tape: Path, shell: Shell
) -> None:
    """Neither they nor what was decided about them, wherever they stand in a list."""
    before = Application(live.url)
    for id, outcome in zip(made(before, "a", "b"), ("accepted", "rejected"), strict=True):
        decider(live)(id, outcome)
    before.json("POST", "EndUser/", {**USER, "name": "Farida"})
    with recording(live.url, tape) as url:
        caller = Application(url)
        [mine] = made(caller, "mine")
        user = caller.json("POST", "EndUser/", USER)["end_user_id"]
        for path in (COMPLIANCE, f"{COMPLIANCE}?limit=1", f"{COMPLIANCE}?limit=1&offset=2",
                     "ComplianceApplication/", "EndUser/", "EndUser/?limit=1"):  # fmt: skip
            caller.call("GET", path)
        caller.call("GET", f"{COMPLIANCE}{mine}/")
        decider(live)(mine, "rejected")
        caller.call("GET", f"{COMPLIANCE}{mine}/")
        changed = [("data", json.dumps({"alias": "again"}))]
        caller.call("PATCH", f"{COMPLIANCE}{mine}/", form=changed)
        caller.json("POST", f"EndUser/{user}/", {"name": "Anita"})
        caller.call("GET", f"EndUser/{user}/")
    assert drift(shell, tape) == []


def none_of_them(told: dict[str, Any]) -> None:
    told["compliances"] = []
    told["meta"]["total_count"] = 0


ALTERED: dict[str, tuple[str, Callable[[dict[str, Any]], object], Drift]] = {
    "nothing": ("", lambda told: None, []),
    "all are missing there": (
        "",
        none_of_them,
        [
            ("compliances[0]", "-", "object"),
            ("compliances[0]", "-", "object"),
            ("meta.total_count", "0", "2"),
        ],
    ),
    "one is missing there": (
        "",
        lambda told: (told["compliances"].pop(0), told["meta"].update(total_count=1)),
        [("compliances[1]", "-", "object"), ("meta.total_count", "1", "2")],
    ),
    "another order": (
        "",
        lambda told: told["compliances"].reverse(),
        [("compliances", "order 0, 1", "order 1, 0")],
    ),
    "another order, page by page": (
        "?limit=1",
        lambda told: told["compliances"][0].update(compliance_id=LAST[-1]),
        [("compliances[0]", "object", "-"), ("compliances[1]", "-", "object")],
    ),
    "fewer in all": (
        "?limit=1",
        lambda told: told["meta"].update(total_count=1),
        [("meta.total_count", "1", "2")],
    ),
}
LAST: list[str] = []


@pytest.mark.parametrize("name", ALTERED)
def test_what_the_tape_made_is_in_both_lists(
    live: LiveSimulator, tape: Path, shell: Shell, name: str
) -> None:
    """Else it is told, with its place."""
    query, alter, expected = ALTERED[name]
    with lists_altered(live, tape, alter) as caller:
        LAST[:] = made(caller, "first", "second")
        caller.call("GET", f"{COMPLIANCE}{query}")
    assert drift(shell, tape) == expected


def test_a_filter_that_lets_another_one_through(
    live: LiveSimulator, tape: Path, shell: Shell
) -> None:
    """It is no record that is older than the tape."""
    with recording(live.url, tape) as url:
        made(Application(url), "mine")
        Application(url).call("GET", COMPLIANCE)
    tape.write_text(tape.read_text().replace('Compliance/"', 'Compliance/?status=accepted"'))
    lines = tape.read_text().splitlines()
    lines[2] = lines[2].replace("?status=accepted", "")  # of the create
    tape.write_text("\n".join([*lines, ""]))
    assert drift(shell, tape) == [
        ("compliances[0]", "object", "-"),
        ("meta.total_count", "1", "0"),
    ]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_list_by_status_after_a_decision(
    live: LiveSimulator, tape: Path, shell: Shell, is_shown: bool
) -> None:
    """Which the tape shows later; where it does not, nothing tells that there was one."""
    with recording(live.url, tape) as url:
        caller = Application(url)
        [mine] = made(caller, "mine")
        decider(live)(mine, "accepted")
        caller.call("GET", f"{COMPLIANCE}?status=submitted")
        if is_shown:
            caller.call("GET", f"{COMPLIANCE}{mine}/")
    told = drift(shell, tape)
    assert [each[0] for each in told] == (
        [] if is_shown else ["compliances[0]", "meta.total_count"]
    )


def test_a_simulator_that_was_used_before(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """Its own older records are no drift: a tape can be played twice."""
    with recording(live.url, tape) as url:
        caller = Application(url)
        made(caller, "first", "second")
        for query in ("", "?limit=1", "?limit=1&offset=1"):
            caller.call("GET", f"{COMPLIANCE}{query}")
    with LiveSimulator(PAUSED) as other:
        for _ in range(2):
            assert drift(shell, tape, "--base-url", other.url) == []


def test_what_is_here_alone_because_the_service_refused_it(tape: Path, shell: Shell) -> None:
    """For an alias of an application older than the tape: no list has it there."""
    with LiveSimulator(replace(PAUSED, strict=True)) as service:
        [older] = made(Application(service.url), "mine")
        decider(service)(older, "accepted")
        with recording(service.url, tape) as url:
            caller = Application(url)
            types = caller.call("GET", REQUIREMENTS)["document_types"]
            caller.call("POST", COMPLIANCE, form=creation(types, alias="mine"))
            assert caller.answers[-1][0] == 400
            caller.call("GET", f"{COMPLIANCE}?status=submitted")
    assert drift(shell, tape) == []


def test_document_types_are_known_by_their_names(
    live: LiveSimulator, tape: Path, shell: Shell
) -> None:
    """Where the service tells them in another order, that is all that is told; what names them
    names the same ones."""

    def alter(path: str, status: str, headers: Any, told: Any) -> tuple[str, Any, Any]:
        if "document_types" in told:
            told["document_types"].reverse()
        return status, headers, told

    with altered(live.sim, alter) as service, recording(service, tape) as url:
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        caller.call("POST", COMPLIANCE, form=creation(types[::-1]))
        assert caller.answers[-1][0] == 201
    assert drift(shell, tape) == [("document_types", "order 0, 1", "order 1, 0")]
