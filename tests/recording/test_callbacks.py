"""How a recorded callback came: exactly what differs from the one that is sent here is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.recording.callbacks import SIGNATURES
from plivo_sim.webhooks.composing import compose
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.recording.traffic import (
    AUTH_ID,
    CALLBACK,
    REQUIREMENTS,
    Application,
    creation,
    decider,
    recording,
)
from tests.support import Receiver

pytestmark = pytest.mark.live

Line = dict[str, Any]


def record(receiver: Receiver, tape: Path, method: str = "POST") -> None:
    """A tape of an application that is rejected, corrected and accepted, and both callbacks as the
    simulator sends them."""
    with LiveSimulator(PAUSED) as live, recording(live.url, tape, receiver=receiver.url) as url:
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        form = creation(types, callback_url=CALLBACK, callback_method=method)
        made = caller.call("POST", "PhoneNumber/Compliance/", form=form)["compliance_id"]
        for status in ("rejected", "accepted"):
            decider(live)(made, status)
            caller.call("GET", f"PhoneNumber/Compliance/{made}/")
            delivery = list(live.sim.account(AUTH_ID).store.deliveries.every())[-1]
            sent = compose(live.sim.account(AUTH_ID), delivery)
            headers, query = dict(sent.headers), urlsplit(sent.url).query
            target = f"/_callbacks?{query}" if method == "GET" else "/_callbacks"
            caller.call(method, target, headers=headers, body=sent.body or None)
            if status == "rejected":
                change = [("data", json.dumps({"alias": "Other"}))]
                caller.call("PATCH", f"PhoneNumber/Compliance/{made}/", form=change)


def drift(shell: Shell, tape: Path, change: Callable[[list[Line]], None]) -> list[tuple[str, ...]]:
    """Where, recorded and here, once the lines of the callbacks were changed."""
    lines = [json.loads(line) for line in tape.read_text().splitlines()]
    places = [at for at, line in enumerate(lines) if line.get("kind") == "callback"]
    callbacks = [lines[at] for at in places]
    change(callbacks)
    if len(callbacks) < len(places):
        lines = [line for at, line in enumerate(lines) if at not in places] + callbacks
    else:
        for at, line in zip(places, callbacks, strict=False):
            lines[at] = line
        lines += callbacks[len(places) :]
    tape.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    told = shell.run("verify", "--tape", tape, "--json", code=None).stdout
    return [(each["where"], each["recorded"], each["here"]) for each in json.loads(told)["drift"]]


def as_form(callbacks: list[Line]) -> None:
    request = callbacks[0]["request"]
    request["body"] = {"form": list(request["body"]["json"].items())}
    request["headers"] = [
        [name, "application/x-www-form-urlencoded" if name == "Content-Type" else value]
        for name, value in request["headers"]
    ]


def unsigned(callbacks: list[Line]) -> None:
    request = callbacks[0]["request"]
    request["headers"] = [each for each in request["headers"] if "Signature" not in each[0]]


def by_get(callbacks: list[Line]) -> None:
    callbacks[0]["request"]["method"] = "GET"


def as_text(callbacks: list[Line]) -> None:
    callbacks[0]["request"]["headers"][-1][1] = "text/plain"


def twice(callbacks: list[Line]) -> None:
    """Another callback, not another attempt."""
    again = deepcopy(callbacks[-1])
    again["request"]["headers"] = [
        each for each in again["request"]["headers"] if "Delivery" not in each[0]
    ]
    callbacks.append(again)


def attempted_again(callbacks: list[Line]) -> None:
    """After a refusal; nothing but the fields says that it is the same one."""
    for line in callbacks:
        line["request"]["headers"] = [
            each for each in line["request"]["headers"] if "Delivery" not in each[0]
        ]
    callbacks.append(deepcopy(callbacks[-1]))
    callbacks[1]["answer"]["status"] = 500


def first_lost(callbacks: list[Line]) -> None:
    del callbacks[0]


def last_lost(callbacks: list[Line]) -> None:
    """The recording may have ended before it came."""
    del callbacks[1]


def empty(callbacks: list[Line]) -> None:
    callbacks[0]["request"]["body"] = {}


def unreadable(callbacks: list[Line]) -> None:
    callbacks[0]["request"]["body"] = {"text": "x"}


def nameless(callbacks: list[Line]) -> None:
    callbacks[0]["request"]["body"] = {"json": {"status": "rejected"}}


SIGNED = [(f"header {name}", "-", "there") for name in SIGNATURES]
LOST = ("callback", "-", "one of 'rejected'")
CHANGES: list[tuple[Callable[[list[Line]], None], list[tuple[str, ...]]]] = [
    (lambda callbacks: None, []),
    (as_form, [
        ("callback encoding", "form", "json; PLIVO_SIM_CALLBACK_ENCODING says which"),
    ]),
    (unsigned, SIGNED),
    (by_get, [("callback method", "GET", "POST")]),
    (as_text, [("header content-type", "text/plain", "application/json")]),
    (twice, [("callback", "sent again", "sent 1 times")]),
    (attempted_again, []),
    (first_lost, [LOST]),
    (last_lost, []),
    (empty, [("body", "nothing", "an object"), LOST]),
    (unreadable, [("body", "text", "an object"), LOST]),
    (nameless, [("body", "no id", "the id of a record"), LOST]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_exactly_what_was_changed_is_told(
    tape: Path, shell: Shell, receiver: Receiver, change: Any, expected: Any
) -> None:
    """And nothing else."""
    record(receiver, tape)
    assert drift(shell, tape, change) == expected


def test_another_order_is_told(tape: Path, shell: Shell, receiver: Receiver) -> None:
    """Both came after both decisions, the later one first."""
    record(receiver, tape)
    lines = [json.loads(line) for line in tape.read_text().splitlines()]
    first, second = (line for line in lines if line.get("kind") == "callback")
    lines = [line for line in lines if line.get("kind") != "callback"]
    told = []
    for order in ([first, second], [second, first]):
        tape.write_text("".join(f"{json.dumps(line)}\n" for line in lines + order))
        told.append([each[0] for each in drift(shell, tape, lambda callbacks: None)])
    assert told == [[], ["callback order"]]


@pytest.mark.parametrize("keeps_query", [True, False])
def test_fields_in_a_query(tape: Path, shell: Shell, receiver: Receiver, keeps_query: bool) -> None:
    """They are on the tape; on an older one they are not, and that is said."""
    record(receiver, tape, "GET")

    def change(callbacks: list[Line]) -> None:
        for line in callbacks:
            assert line["request"]["body"]["form"]
            if not keeps_query:
                line["request"]["body"] = {}

    assert drift(shell, tape, change) == []
    told = shell.json("verify", "--tape", tape)["by_schema_only"]
    why = "the tape is of a recorder that kept no query of a callback"
    assert [each["why"] for each in told] == [] if keeps_query else [why] * 2


def test_a_tape_without_headers(tape: Path, shell: Shell, receiver: Receiver) -> None:
    """They are not compared, and that is said."""
    record(receiver, tape)

    def change(callbacks: list[Line]) -> None:
        for line in callbacks:
            line["request"]["headers"] = []

    assert drift(shell, tape, change) == []
    told = shell.json("verify", "--tape", tape)["by_schema_only"]
    assert {each["why"] for each in told} == {
        "the tape has no headers of it, and none were compared"
    }


def test_a_service_that_sends_forms(tape: Path, shell: Shell, receiver: Receiver) -> None:
    """A simulator with that setting agrees."""
    record(receiver, tape)

    def change(callbacks: list[Line]) -> None:
        for line in callbacks:
            as_form([line])

    assert len(drift(shell, tape, change)) == 2
    settings = replace(PAUSED, magic=False, callback_encoding="form")
    with LiveSimulator(settings) as other:
        told = shell.json("verify", "--tape", tape, "--base-url", other.url)
    assert told["drift"] == []
