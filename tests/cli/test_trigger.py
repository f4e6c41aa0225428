"""``plivo-sim trigger``: what arrives is what a simulator sends."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import plivo
import pytest

from plivo_sim.scenarios.rules import PRESETS
from tests.cli.conftest import Shell
from tests.machines.files import IN_REVIEW
from tests.support import Received, Receiver

pytestmark = pytest.mark.live

SHELL = Shell("http://127.0.0.1:1")
"""No simulator is needed."""


def genuine(message: Received, token: str, fields: dict[str, str]) -> bool:
    """Whether the official SDK's own check takes it."""
    return bool(
        plivo.utils.validate_v3_signature(
            message.method, message.url, message.headers["X-Plivo-Signature-V3-Nonce"], token,
            message.headers["X-Plivo-Signature-V3"], fields,
        )
    )  # fmt: skip


def test_a_rejection(receiver: Receiver) -> None:
    """Fields, reason, id and token as asked for; the SDK's check takes it."""
    words = ("rejected", "--to", receiver.url, "--token", "s3cret", "--reason", "name_mismatch")
    told = SHELL.json("trigger", *words, "--id", "one")
    (message,) = receiver.received
    reason = PRESETS["name_mismatch"]
    assert message.json() == {
        "compliance_id": "one", "status": "rejected", "rejection_reason": reason,
    }  # fmt: skip
    assert genuine(message, "s3cret", message.json())
    assert not genuine(message, "token", message.json())
    assert told["answer"]["status"] == 200
    assert told["request"]["headers"]["X-Plivo-Signature-V3"]


def test_a_reinstatement_in_the_words_of_the_beta_page(receiver: Receiver) -> None:
    """By GET, everything in the query."""
    words = ("accepted", "--from", "suspended", "--api", "beta", "--method", "get")
    SHELL.run("trigger", *words, "--to", receiver.url)
    (message,) = receiver.received
    fields = dict(parse_qsl(urlsplit(message.url).query))
    assert (message.method, fields["event"], fields["status"]) == (
        "GET", "compliance.approved", "approved",
    )  # fmt: skip
    assert genuine(message, "token", {})


def test_a_form(receiver: Receiver) -> None:
    """For receivers that give the fields of a form to the validator."""
    SHELL.run("trigger", "expired", "--api", "legacy", "--encoding", "form", "--to", receiver.url)
    (message,) = receiver.received
    fields = dict(parse_qsl(message.body))
    assert (fields["status"], fields["rejection_reason"]) == ("expired", "No reason given.")
    assert genuine(message, "token", fields)


@pytest.mark.parametrize("how", ["wrong", "missing"])
def test_a_forged_one(receiver: Receiver, how: str) -> None:
    """A receiver must refuse it: exit code 0. That it took it is 1, and silence 3."""
    receiver.statuses[:] = [403]
    words = ("trigger", "accepted", "--signature", how, "--to")
    done = SHELL.run(*words, receiver.url)
    assert done.stderr == ""
    (message,) = receiver.received
    given = message.headers.get("X-Plivo-Signature-V3")
    assert (given is None) == (how == "missing")
    assert given is None or not genuine(message, "token", message.json())
    done = SHELL.run(*words, receiver.url, code=1)
    told = "it took a callback that it must refuse, because its signature is"
    assert done.stderr == f"Error: the receiver answered 200: {told} {how}\n"
    SHELL.run(*words, "http://127.0.0.1:1/hook", code=3)


def test_one_that_is_refused(receiver: Receiver) -> None:
    """Exit code 1, unless it had to be."""
    receiver.statuses[:] = [403]
    done = SHELL.run("trigger", "accepted", "--to", receiver.url, code=1)
    assert done.stderr == "Error: the receiver answered 403\n"


def test_each_is_another(receiver: Receiver) -> None:
    """A receiver that takes no nonce twice takes both."""
    for _ in range(2):
        SHELL.run("trigger", "accepted", "--to", receiver.url)
    first, second = (each.headers["X-Plivo-Signature-V3-Nonce"] for each in receiver.received)
    assert first != second


def test_a_status_of_another_machine(receiver: Receiver, tmp_path: Path) -> None:
    """It has a callback like every other."""
    machine = tmp_path / "in-review.yaml"
    machine.write_text(IN_REVIEW)
    SHELL.run("trigger", "in_review", "--to", receiver.url, "--machine", machine)
    assert receiver.received[0].json()["status"] == "in_review"


def test_nothing_answers() -> None:
    """Exit code 3."""
    done = SHELL.run("trigger", "accepted", "--to", "http://127.0.0.1:1/hook", code=3)
    assert done.stderr == "Error: http://127.0.0.1:1/hook: connection refused\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("acepted",), "no callback tells of 'acepted'; did you mean 'accepted'?"),
        (("submitted",), "no callback tells of 'submitted'; there are accepted, "),
        (("accepted", "--from", "draft"), "--from draft: accepted follows submitted, suspended"),
        (("accepted", "--reason", "why"), "--reason: accepted has none"),
        (("rejected", "--reason", "name_mismach"), "did you mean 'name_mismatch'?"),
        (("accepted", "--to", "ftp://here"), "--to ftp://here: must be an http or https URL"),
        (("accepted", "--to", "https://example.com/"), "example.com is not a local host"),
        (("accepted", "--machine", "defalt"), "did you mean 'default'?"),
    ],
)
def test_what_cannot_be_sent(words: tuple[str, ...], told: str) -> None:
    """Is said; nothing is sent."""
    words = ("--to", "http://127.0.0.1:1/", *words)
    assert told in SHELL.error("trigger", *words, code=2)


@pytest.mark.parametrize("timeout", ["1e308", "inf", "nan", "121"])
def test_a_timeout_that_no_policy_has_is_refused(receiver: Receiver, timeout: str) -> None:
    """Nothing is sent."""
    SHELL.error("trigger", "accepted", "--to", receiver.url, "--timeout", timeout, code=2)
    assert receiver.received == []
