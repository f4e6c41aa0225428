"""The simulator for test suites: in process or served, with verbs that read as sentences.

The pytest plugin hands these out as fixtures; ``in_process()`` and ``served()`` are the same for
unittest and everybody else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from plivo_sim.bootstrap import make_simulator
from plivo_sim.control import presenters
from plivo_sim.domain.models import Application, Delivery, DeliveryState
from plivo_sim.domain.statuses import Status
from plivo_sim.durations import Duration, parse_duration
from plivo_sim.faults.model import FaultRule, WebhookPolicy
from plivo_sim.live import LiveSimulator
from plivo_sim.runner import Happening
from plivo_sim.scenarios.library import find_scenario
from plivo_sim.scenarios.loader import load_scenario, load_scenario_data
from plivo_sim.services import applications, planning, policies
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.urls import with_scheme
from plivo_sim.webhooks.signature import sign_v2, sign_v3
from plivo_sim.world import World

AUTH_ID = "MATESTTESTTESTTESTTE"
AUTH_TOKEN = "test-token"  # noqa: S105  # not a secret: any token is taken


def test_settings(**changes: Any) -> Settings:
    """What tests start with: a clock that stands still, reviews as long as published, seed 1."""
    return Settings(**{"port": 0, "paused": True, "review_delay": None} | changes)


test_settings.__test__ = False  # type: ignore[attr-defined]  # no test, whatever pytest thinks


class Handle:
    """A simulator and one account of it, with the verbs of a test."""

    auth_id = AUTH_ID
    auth_token = AUTH_TOKEN

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim

    @property
    def world(self) -> World:
        """The account."""
        return self.sim.world(self.auth_id)

    # --- time --------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The account's simulated instant."""
        return self.world.now()

    def advance(
        self,
        by: str | timedelta | None = None,
        *,
        business_days: int = 0,
        to: datetime | None = None,
        **units: float,
    ) -> list[Happening]:
        """Move time: ``advance("3d")``, ``advance(days=3)``, ``advance(business_days=2)``,
        ``advance(to=instant)``. Returns what happened, callbacks included."""
        return self.sim.advance(self.world, _duration(by, business_days, units), to=to).happenings

    def advance_until(self, id: str, status: str) -> list[Happening]:
        """Move time from event to event until the application has the status.

        Raises NotReached when nothing more is due."""
        wanted = Status(status)
        return self.sim.advance_until(
            self.world, lambda: self.application(id).status is wanted
        ).happenings

    # --- decisions ---------------------------------------------------------------------------

    def accept(self, id: str) -> Application:
        return self.sim.decide(id, Status.ACCEPTED)

    def reject(self, id: str, reason: str | None = None) -> Application:
        return self.sim.decide(id, Status.REJECTED, reason)

    def ask_for_more(self, id: str, reason: str | None = None) -> Application:
        return self.sim.decide(id, Status.MORE_INFO_REQUIRED, reason)

    def suspend(self, id: str, reason: str | None = None) -> Application:
        return self.sim.decide(id, Status.SUSPENDED, reason)

    def reinstate(self, id: str) -> Application:
        return self.sim.decide(id, Status.ACCEPTED)

    def expire(self, id: str, reason: str | None = None) -> Application:
        return self.sim.decide(id, Status.EXPIRED, reason)

    # --- what steers it ----------------------------------------------------------------------

    def use_scenario(self, scenario: str | Mapping[str, Any]) -> None:
        """A story that ships, a file, YAML text, or the same as a dictionary."""
        words = self.sim.catalogue.document_words
        if isinstance(scenario, Mapping):
            told = load_scenario_data(dict(scenario), document_words=words)
        elif "\n" in scenario:
            told = load_scenario(scenario, document_words=words)
        else:
            told = find_scenario(scenario, words)
        policies.use_scenario(self.world, told)

    def next_outcome(self, decide: str, **values: Any) -> None:
        """Decide the next submission: ``next_outcome("rejected", reason="name_mismatch")``."""
        story = {"story": "the next outcome", "default": {"decide": decide, **values}}
        words = self.sim.catalogue.document_words
        decision = load_scenario_data(story, document_words=words).default
        assert decision is not None
        policies.push_next_outcome(self.world, decision)

    def fault(self, effect: str, **values: Any) -> str:
        """Switch a fault on; returns its id."""
        story = {"story": "a single fault", "faults": [{"effect": effect, **values}]}
        fault: FaultRule = load_scenario_data(story).faults[0]
        return policies.add_fault(self.world, fault)

    def webhooks(self, **values: Any) -> None:
        """Set the webhook policy: ``webhooks(drop=1)``."""
        policy: WebhookPolicy = load_scenario_data(
            {"story": "a webhook policy", "webhooks": values}
        ).webhooks
        policies.set_webhook_policy(self.world, policy)

    # --- looking -----------------------------------------------------------------------------

    def application(self, id: str) -> Application:
        """The record. Raises NotFound."""
        self.sim.runner.catch_up(self.world, sends=True)
        with self.world.lock:
            return applications.get(self.world, id)

    def applications(self) -> list[Application]:
        """Every application of the account, oldest first."""
        with self.world.lock:
            return list(self.world.store.applications.every())

    def callbacks(self, **wanted: str) -> list[Delivery]:
        """The callbacks whose payload has these values, oldest first."""
        self.sim.runner.catch_up(self.world, sends=True)
        with self.world.lock:
            every = list(self.world.store.deliveries.every())
        return [each for each in every if wanted.items() <= dict(each.payload).items()]

    def expect_callback(self, **wanted: str) -> Delivery:
        """The callback with these values, delivered. Fails with an explanation when it did not
        come: what was sent, what happened to it, what is still due."""
        found = self.callbacks(**wanted)
        delivered = [each for each in found if each.state is DeliveryState.DELIVERED]
        if delivered:
            return delivered[-1]
        told = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
        raise AssertionError(f"no callback with {told} was delivered\n{self.report()}")

    def report(self) -> str:
        """The clock, the timelines, the callbacks, the last exchanges, the near-miss rules."""
        with self.world.lock:
            return "\n".join(_report(self.world))

    def reset(self) -> None:
        """Forget everything, in every account."""
        self.sim.begin_anew(self.sim.settings)


class InProcess(Handle):
    """A simulator without a server; ``app`` is its WSGI application, for a test client."""

    def __init__(self, settings: Settings | None = None) -> None:
        from plivo_sim.app import create_app

        super().__init__(make_simulator(settings or test_settings()))
        self.app = create_app(self.sim)

    def close(self) -> None:
        self.sim.close()


class Served(Handle):
    """A simulator behind a real socket on loopback; ``url`` is where."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.live = LiveSimulator(settings or test_settings()).start()
        super().__init__(self.live.sim)

    @property
    def url(self) -> str:
        return self.live.url

    def close(self) -> None:
        self.live.stop()


@contextmanager
def in_process(**settings: Any) -> Iterator[InProcess]:
    """A fresh simulator in this process: ``with in_process() as sim: …``."""
    handle = InProcess(test_settings(**settings))
    try:
        yield handle
    finally:
        handle.close()


@contextmanager
def served(**settings: Any) -> Iterator[Served]:
    """A fresh simulator behind a socket: ``with served() as sim: … sim.url …``."""
    handle = Served(test_settings(**settings))
    try:
        yield handle
    finally:
        handle.close()


# --- receiving callbacks ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """A callback that arrived; ``signed`` says whether both signatures are right."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    signed: bool

    def json(self) -> Any:
        from plivo_sim.jsontext import decode_json

        return decode_json(self.body)


class Inbox:
    """A real receiver on loopback that keeps callbacks and checks their signatures.

    ``answer_with(500, 500)`` answers the next two with 500; otherwise 200.
    """

    def __init__(self, token: str = AUTH_TOKEN) -> None:
        self.token = token
        self.messages: list[Message] = []
        self._statuses: list[int] = []
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where callbacks are to be sent."""
        return f"http://127.0.0.1:{self._server.server_port}/callback"

    def answer_with(self, *statuses: int) -> None:
        self._statuses = list(statuses)

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[Message]:
        """The messages once there are this many; raises AssertionError when they do not come."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.messages) >= count, timeout_s):
                raise AssertionError(
                    f"{len(self.messages)} of {count} callbacks arrived within {timeout_s} s"
                )
            return list(self.messages)

    def clear(self) -> None:
        self.messages.clear()
        self._statuses.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, method: str, url: str, headers: Mapping[str, str], body: str) -> int:
        """Keep one message; returns the status to answer with."""
        with self._arrived:
            signed = _is_signed(self.token, method, url, headers, body)
            self.messages.append(Message(method, url, headers, body, signed))
            self._arrived.notify_all()
            return self._statuses.pop(0) if self._statuses else 200


def _handler(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            url = with_scheme(self.headers["Host"]) + self.path
            self.send_response(inbox.take(self.command, url, dict(self.headers.items()), body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler


def _is_signed(token: str, method: str, url: str, headers: Mapping[str, str], body: str) -> bool:
    from plivo_sim.webhooks.diagnosis import Seen, params_of

    seen = Seen(method=method, url=url, headers=headers, body=body, token=token)
    nonce = headers.get("X-Plivo-Signature-V3-Nonce", "")
    v2 = headers.get("X-Plivo-Signature-V2") == sign_v2(token, url, nonce)
    v3 = headers.get("X-Plivo-Signature-V3") == sign_v3(token, method, url, nonce, params_of(seen))
    return v2 and v3


# --- telling -----------------------------------------------------------------------------------


def _duration(
    by: str | timedelta | None, business_days: int, units: Mapping[str, float]
) -> Duration | None:
    if isinstance(by, str):
        return parse_duration(by)
    if business_days:
        return Duration(business_days=business_days)
    if by is None and not units:
        return None
    return Duration(seconds=(by or timedelta(**units)).total_seconds())


def _report(world: World) -> Iterator[str]:
    clock = presenters.clock_of(world)
    yield f"clock: {clock['now']}, next due {clock['next_due'] or 'nothing'}"
    for application in world.store.applications.every():
        yield f"application {application.id} ({application.alias}): {application.status}"
        for change in application.timeline:
            told = f"  {change.at:%Y-%m-%d %H:%M:%S} {change.status}: {change.why}"
            yield told + (f" ({change.reason})" if change.reason else "")
        for explanation in planning.explanations_of(world, application.id):
            for verdict in explanation.verdicts:
                if not verdict.matched:
                    yield f"  rule '{verdict.rule}' did not match: {verdict.why}"
    for delivery in world.store.deliveries.every():
        last = delivery.attempts[-1] if delivery.attempts else None
        came = f", last answer {last.status or last.error}" if last else ""
        yield f"callback {dict(delivery.payload)} to {delivery.url}: {delivery.state}{came}"
    for exchange in list(world.exchanges)[-5:]:
        yield f"request {exchange.method} {exchange.url}: {exchange.status} {exchange.why}"
