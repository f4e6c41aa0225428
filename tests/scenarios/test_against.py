"""Every scenario that ships, played against webhooks: one that does as it should, one that takes
whatever comes, one that refuses everything, and one that is not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import plivo
import pytest

from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.cli.replayed import Receiver, lines_of
from plivo_sim.client import Client
from plivo_sim.client.observations import REFUSED, TAKEN, Check
from plivo_sim.client.replay import Replay, ScenarioResult, account_of
from plivo_sim.client.wsgi import Wsgi
from plivo_sim.scenarios.language import Scenario
from plivo_sim.scenarios.loader import find_scenario, load_scenario, shipped_names
from tests.conftest import PAUSED
from tests.scenarios.printed import text_of

WEBHOOK = "http://127.0.0.1:8001/webhook"
BASE = "http://127.0.0.1:8700"
TOKEN = "of-my-own"
SILENT = {"stuck-in-review"}
"""Those that send no callback."""
FORGED = {"webhook-forged", "webhook-unsigned"}


class Webhook:
    """A webhook under test, without a socket. ``answers``: what it answers to a callback."""

    immediate = True

    def __init__(self) -> None:
        self.answers: Callable[[Outgoing], Answer] = checking

    def send(self, request: Outgoing) -> Answer:
        return self.answers(request)


def checking(request: Outgoing) -> Answer:
    """With the official SDK's check, as a receiver in production has it."""
    headers = dict(request.headers)
    genuine = "X-Plivo-Signature-V3" in headers and plivo.utils.validate_v3_signature(
        request.method, request.url, headers["X-Plivo-Signature-V3-Nonce"], TOKEN,
        headers["X-Plivo-Signature-V3"], json.loads(request.body),
    )  # fmt: skip
    return Answer(status=200 if genuine else 403)


def taking(_: Outgoing) -> Answer:
    return Answer(status=200)


def refusing(_: Outgoing) -> Answer:
    return Answer(status=403)


def dead(_: Outgoing) -> Answer:
    return Answer(status=None, error="connection refused")


class Stage:
    """A simulator in process, whose callbacks reach a webhook that is a function."""

    def __init__(self) -> None:
        self.webhook = Webhook()
        self.sim = make_simulator(PAUSED, transport=self.webhook)
        self._app = create_app(self.sim)

    def play(
        self, scenario: Scenario, answers: Callable[[Outgoing], Answer], token: str = TOKEN
    ) -> ScenarioResult:
        self.webhook.answers = answers
        client = Client(BASE, account_of("against"), token, Wsgi(self._app, BASE))
        replay = Replay(client, scenario, WEBHOOK)
        replay.begin()
        while replay.step() is not None:
            pass
        return replay.result


@pytest.fixture(scope="module")
def own_stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.sim.close()


def failed(result: ScenarioResult) -> list[str]:
    return [each.name for each in result.checks if not each.ok]


def told(result: ScenarioResult) -> str:
    """As the command prints it with ``--against``."""
    return "\n".join(lines_of(result, Receiver(WEBHOOK, TOKEN, "a token")))


def implied(result: ScenarioResult) -> dict[str, Check]:
    return {each.name: each for each in result.checks if each.name.startswith("against.")}


# --- those that ship --------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped_names())
def test_a_webhook_that_checks_signatures(own_stage: Stage, name: str) -> None:
    """Each holds, whatever happens to callbacks on their way."""
    result = own_stage.play(find_scenario(name), checking)
    assert result.holds, text_of(result)


@pytest.mark.parametrize("name", shipped_names())
def test_a_webhook_that_takes_everything(own_stage: Stage, name: str) -> None:
    """It takes what is forged, and that is told; the others hold."""
    result = own_stage.play(find_scenario(name), taking)
    assert failed(result) == (["against.refused"] if name in FORGED else [])


@pytest.mark.parametrize("answers", [refusing, dead])
@pytest.mark.parametrize("name", shipped_names())
def test_a_webhook_that_takes_nothing(
    own_stage: Stage, name: str, answers: Callable[[Outgoing], Answer]
) -> None:
    """Nothing holds that sends a callback; to refuse what is forged is right, to be silent not."""
    result = own_stage.play(find_scenario(name), answers)
    holds = name in SILENT or (name in FORGED and answers is refusing)
    assert result.holds is holds, text_of(result)


# --- one's own --------------------------------------------------------------------------------

PLAIN = """\
scenario: It is accepted after a day.
default: {decide: accepted, after: 1d}
steps: [{submit: {}}, {advance: 2d}]
"""
FORGING = PLAIN.replace("steps", "webhooks: {signature: wrong}\nsteps")


def test_a_scenario_without_expectations(own_stage: Stage) -> None:
    """What is implied is expected all the same; expected and found are told."""
    good = implied(own_stage.play(load_scenario(PLAIN), checking))["against.taken"]
    assert (good.expected, good.found, good.ok) == (TAKEN, TAKEN, True)
    bad = implied(own_stage.play(load_scenario(PLAIN), dead))["against.taken"]
    found = ["accepted of app, attempt 4 -> connection refused, failed"]
    assert (bad.expected, bad.found, bad.ok) == (TAKEN, found, False)
    forged = implied(own_stage.play(load_scenario(FORGING), taking))["against.refused"]
    found = ["accepted of app, signature wrong, attempt 1 -> 200, delivered"]
    assert (forged.expected, forged.found, forged.ok) == (REFUSED, found, False)


def test_one_that_is_still_tried_is_not_taken(own_stage: Stage) -> None:
    """No time is left for the next try when the scenario ends."""
    result = own_stage.play(load_scenario(PLAIN.replace("2d", "1d")), refusing)
    (found,) = implied(result)["against.taken"].found
    assert found == "accepted of app, attempt 1 -> 403, pending"


LATE = PLAIN.replace("steps", "webhooks: {delay: 5d}\nsteps")
LATE_FORGED = PLAIN.replace("steps", "webhooks: {delay: 5d, signature: wrong}\nsteps")
LOST = PLAIN.replace("steps", "webhooks: {drop: 1}\nsteps")


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        (LATE, "taken", "accepted of app was not sent, pending: what comes next is due at "),
        (LATE_FORGED, "refused", "accepted of app was not sent, pending: what comes next is due"),
        (LOST, "called", "it was not called"),
    ],
)
def test_a_webhook_that_was_not_called(own_stage: Stage, text: str, name: str, found: str) -> None:
    """Nothing of it was tested, so the scenario does not hold, and says why."""
    result = own_stage.play(load_scenario(text), checking)
    assert failed(result) == [f"against.{name}"]
    assert implied(result)[f"against.{name}"].found[0].startswith(found)
    assert "your webhook was not called: " in told(result)


def test_one_that_causes_no_callback(own_stage: Stage) -> None:
    """It holds, and that the webhook was not called is told; of one that was called it is not."""
    silent = told(own_stage.play(find_scenario("stuck-in-review"), checking))
    assert "your webhook was not called: " in silent
    assert silent.endswith("the scenario holds")
    assert "was not called" not in told(own_stage.play(load_scenario(PLAIN), checking))


@pytest.mark.parametrize(
    ("text", "end", "holds"),
    [
        (LATE.replace("2d", "7d"), "", True),
        (LATE_FORGED.replace("2d", "7d"), "", True),
        (LATE, "expect: {callbacks: []}", True),
        (LATE, "expect: {deliveries: {pending: 1}}", True),
        (LATE, "expect: {deliveries: {failed: 0}}", False),
        (LATE.replace("5d", "5d, success: [299]"), "", False),
        (LATE_FORGED, "expect: {callbacks: []}", False),
        (LATE_FORGED, "expect: {deliveries: {pending: 1}}", True),
        (LOST, "expect: {deliveries: {dropped: 1}}", True),
        (PLAIN.replace("2d", "1h"), "expect: {status: {app: submitted}}", True),
    ],
)
def test_what_is_not_sent_when_a_scenario_ends(
    own_stage: Stage, text: str, end: str, holds: bool
) -> None:
    """Unless it says so, it does not hold; one that causes no callback may."""
    result = own_stage.play(load_scenario(text + end), checking)
    assert result.holds is holds, text_of(result)


def test_the_wrong_token(own_stage: Stage) -> None:
    """A webhook that checks with another one refuses what is rightly signed."""
    assert failed(own_stage.play(load_scenario(PLAIN), checking, "another")) == ["against.taken"]


@pytest.mark.parametrize(
    ("text", "end", "answers", "holds"),
    [
        (PLAIN, "expect: {callbacks: []}", refusing, True),
        (PLAIN, "expect: {deliveries: {failed: 1}}", refusing, True),
        (PLAIN, "expect: {deliveries: {dropped: 0}}", refusing, False),
        (PLAIN.replace("2d", "1d"), "expect: {deliveries: {failed: 0}}", refusing, False),
        (PLAIN[:-2] + ", {expect: {callbacks: []}}]\n", "", refusing, True),
        (FORGING, "expect: {callbacks: [accepted]}", taking, True),
        (FORGING, "expect: {deliveries: {delivered: 1}}", taking, True),
        (FORGING, "expect: {callbacks: []}", dead, False),
        (FORGING, "expect: {deliveries: {failed: 1}}", dead, False),
    ],
)
def test_a_scenario_may_say_otherwise(
    own_stage: Stage, text: str, end: str, answers: Callable[[Outgoing], Answer], holds: bool
) -> None:
    """At its end, of what its webhook takes; of other states it says nothing, nor does it say
    that a silent one refuses."""
    result = own_stage.play(load_scenario(text + end), answers)
    assert result.holds is holds, text_of(result)
