"""The same calls to two simulators with one clock on the wall, of which one keeps answers: what
is told of each call, and what it left behind."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.apis.phone_number import limits
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import SimError
from plivo_sim.settings import Settings
from plivo_sim.web import fault_injection
from plivo_sim.web.kept_answers import KeptAnswers
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.numbers_support import MUMBAI, SUBACCOUNT, UNKNOWN_ID, Numbers
from tests.fakes import Wall
from tests.support import AUTH_ID, SDK_AGENT, Http, basic

PLAIN = Settings(port=0, paused=True, review_delay=Duration(3600))
SETTINGS = (
    PLAIN,
    replace(PLAIN, credentials={AUTH_ID: "my_auth_token"}),
    replace(PLAIN, cors_origins=("https://app.example",), public_url="https://sim.example"),
    replace(PLAIN, rate_limits=True, new_api="beta"),
)
PATHS = (
    "ComplianceApplication/{id}/",
    "PhoneNumber/Compliance/{id}/",
    "PhoneNumber/Compliance/{id}/?expand=end_user,documents",
    f"Number/{MUMBAI}/",
    f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/{{id}}",
    f"/beta/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/{{id}}",
    f"ComplianceApplication/{UNKNOWN_ID}/",
    f"/v1/Account/{SUBACCOUNT}/ComplianceApplication/{{id}}/",
    "ComplianceApplication/{id}/?token=secret",
)
HEADERS: tuple[dict[str, Any], ...] = (
    {},
    {"User-Agent": SDK_AGENT},
    {"X-Plivo-Sim-Dialect": "beta"},
    {"X-Plivo-Sim-Dialect": "neither"},
    {"Host": "localhost:8700"},
    {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"},
    {"Authorization": basic(token="another")},
    {"Authorization": basic("MAYYYYYYYYYYYYYYYYYY")},
    {"Authorization": basic(SUBACCOUNT)},
    {"Authorization": None},
    {"Content-Type": "application/json", "X-Note": '{"token": "secret"}'},
)
_TOOK = re.compile(r" [\d.]+ms ")


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {**getattr(record, "fields", {}), "took_ms": None}
        self.told.append((record.levelname, _TOOK.sub(" ", record.getMessage()), fields))


@dataclass
class Side:
    """One of the two; ``again`` counts the answers that were given again. ``body``: that of a
    create, which depends on nothing that happens."""

    http: Http
    body: Any = None
    id: str = ""
    again: int = 0
    lines: _Lines = field(default_factory=_Lines)

    def read(self, path: str, **kwargs: Any) -> Any:
        """The answer, and all that the call left behind."""
        method = kwargs.pop("method", "GET")
        logger = logging.getLogger("plivo_sim")
        logger.addHandler(self.lines)
        before, self.lines.told = logger.level, []
        logger.setLevel(logging.INFO)
        try:
            answer = self.http.call(method, path.format(id=self.id), **kwargs)
        finally:
            logger.removeHandler(self.lines)
            logger.setLevel(before)
        return told(answer), self.lines.told, self.left()

    def left(self) -> Any:
        sim = self.http.sim
        try:
            account = self.http.account
        except SimError as error:
            return str(error)
        return (
            [shown(each) for each in account.exchanges.last(1)],
            [shown(each) | {"at": None} for each in sim.unmatched.last(1)],
            [(e.number, e.kind, e.account) for e in sim.events.after(sim.events.newest - 1)],
            (account.exchanges.size_bytes, len(account.exchanges), account.api_calls),
            (account.token, account.subaccount_token, account.state, account.faults.copy()),
            (sim.coverage.report(sim.machine), [each.auth_id for each in sim.accounts()]),
        )


def shown(exchange: Any) -> dict[str, Any]:
    """An entry of the request log, but for real time."""
    return exchange.shown() | {"arrived": None, "took_ms": None, "environ": exchange.environ}


def told(answer: TestResponse) -> Any:
    return answer.status, list(answer.headers), answer.get_data()


@contextmanager
def wall_clock() -> Iterator[Wall]:
    """Of accounts, rate limits and faults."""
    wall = Wall()
    time = SimpleNamespace(time=lambda: wall.now.timestamp())
    with pytest.MonkeyPatch.context() as patch:
        for module in (limits, fault_injection):
            patch.setattr(module, "time", time)
        yield wall


@contextmanager
def side(settings: Settings, wall: Wall, *, keeps: bool, served: bool) -> Iterator[Side]:
    """``served``: as on the server, whose scheduler sends callbacks (nobody does here)."""
    sim = make_simulator(settings, transport=MemoryTransport(), real=wall)
    if served:
        sim.runner.wake = lambda _: None
    app = create_app(sim)
    found = Side(Http(app, sim))
    kept = app.wsgi_app
    assert isinstance(kept, KeptAnswers)
    if keeps:
        _count(found, kept)
    else:
        app.wsgi_app = kept.app  # type: ignore[method-assign]
    try:
        begin(found)
        yield found
    finally:
        sim.close()


def begin(side: Side) -> None:
    """An application that is in review, and a number."""
    side.body = side.http.sdk_data()
    side.id = side.http.sdk_create(side.body).get_json()["compliance_id"]
    Numbers(side.http).rented()


def _count(side: Side, kept: KeptAnswers) -> None:
    real: Callable[..., Any] = kept._again

    def again(*args: Any) -> Any:
        answer = real(*args)
        side.again += answer is not None
        return answer

    kept._again = again  # type: ignore[method-assign]
