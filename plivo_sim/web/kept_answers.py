"""Answers to reads that are given again before Flask is entered, while nothing has changed.

An answer is kept with the whole head of its request. The same request again is answered with it,
under its own ``api_id`` and in its own window of the rate limit, while what it was made of is as it
was: the records and settings of the account, its day, the server's settings; and while nothing is
due. Every difference, and whatever a fault or a limit stops, goes to Flask, which makes the answer
that is kept next. Request log, log, token and limit are seen to by the functions that other calls
use too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from weakref import ref

from flask import Response
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s, wall_s
from plivo_sim.domain.errors import NotServed
from plivo_sim.services.policies import faults_of
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.simulator.logs import log_request
from plivo_sim.web.access import Caller, cors_headers, keep_token
from plivo_sim.web.bodies import has_body
from plivo_sim.web.calls import Call, JsonResponse, Noted, Window, added_headers, with_id
from plivo_sim.web.kept_bodies import KEPT_TEXT
from plivo_sim.web.request_log import Exchange, keep_exchange, masked_headers
from plivo_sim.web.streams import HELD_KEY, REFUSED_KEY

MOST_KEPT = 512
LONGEST_KEPT = 16 * 1024
"""Bytes of an answer, its request and the key that are kept."""
KEY = "plivo_sim.kept_answer"
"""The environ key under which a request that may be answered again finds its place among them."""
_PORT = "REMOTE_PORT"

Environ = dict[str, Any]
Key = tuple[tuple[str, ...], tuple[str, ...]]
Hit = Callable[[Account, str], Window]
Header = tuple[str, str]


class Basis(NamedTuple):
    """What an answer is made of beside its request. ``state``: see ``Account.state``."""

    state: tuple[int, int]
    day: date
    settings: Settings


class KeptAnswer(NamedTuple):
    """``text``: the answer behind its id. ``own``: the headers of its view, and ``more`` what the
    call added; ``caller``: whose credentials were taken; ``exchange``: its entry in the request
    log, which takes ``size_bytes``. ``is_limited``: a rate limit counts it."""

    account: ref[Account]
    basis: Basis
    caller: Caller
    path: str
    text: bytes
    own: list[Header]
    warnings: list[str]
    more: Mapping[str, str]
    cors: Mapping[str, str]
    is_limited: bool
    exchange: Exchange
    size_bytes: int


class KeptAnswers:
    """WSGI wrapper; see the module. ``hit`` counts a call in its window. Bounded in number and in
    bytes; safe from any thread."""

    def __init__(self, sim: Simulator, hit: Hit) -> None:
        self._sim, self._hit = sim, hit
        self._lock = threading.Lock()
        self._kept: dict[Key, KeptAnswer] = {}
        self.app: Callable[..., Iterable[bytes]]

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if (
            environ["REQUEST_METHOD"] != "GET"
            or HELD_KEY in environ
            or REFUSED_KEY in environ
            or has_body(environ)
        ):
            return self.app(environ, start_response)
        began, key = monotonic_s(), _key_of(environ)
        kept = self._kept.get(key)
        if kept is not None and (again := self._again(kept, environ, began)) is not None:
            headers, content = again
            start_response("200 OK", headers)
            return (content,)
        environ[KEY] = key
        return self.app(environ, start_response)

    def _again(
        self, kept: KeptAnswer, environ: Environ, began: float
    ) -> tuple[list[Header], bytes] | None:
        """Headers and content of the answer, once everything that a call leaves behind is there;
        None if it cannot be given now."""
        account, warnings, window = kept.account(), kept.warnings, None
        if account is None or not self._is_in_use(account) or not account.lock.acquire(timeout=0):
            return None
        try:
            now = account.clock.now()
            if kept.basis != _basis_at(self._sim, account, now):
                return None
            if not self._sim.runner.is_up_to_date(account, now):
                return None
            if kept.is_limited:
                window = self._hit(account, kept.path)
                if warning := window.warning:
                    if account.settings.rate_limits:
                        environ[HELD_KEY] = Noted("", began, [], window)
                        return None
                    warnings = [warning, *warnings]
            keep_token(account, kept.caller, is_read=True)
            api_id = account.next_api_id()
        finally:
            account.lock.release()
        content = with_id(api_id, kept.text)
        dialect = kept.exchange.dialect
        added = added_headers(api_id, dialect, warnings, kept.more, window, kept.cors)
        headers = [*kept.own, *added]
        took_ms = (monotonic_s() - began) * 1000
        exchange = replace(
            kept.exchange,
            id=api_id,
            at=now,
            arrived_s=wall_s() - took_ms / 1000,
            answer=content[:KEPT_TEXT],
            answer_headers=masked_headers(headers),
            took_ms=took_ms,
        )
        keep_exchange(self._sim, account, exchange, kept.size_bytes)
        line = "GET", kept.path, dialect, exchange.status, took_ms, exchange.why
        log_request(logging.INFO, api_id, kept.caller.auth_id, line)
        return headers, content

    def _is_in_use(self, account: Account) -> bool:
        try:
            return self._sim.account(account.auth_id) is account
        except NotServed:
            return False

    def keep(self, call: Call, response: Response, added: list[Header], exchange: Exchange) -> None:
        """Keep the answer to a call that has just been made, if it may be given again."""
        key: Key | None = call.request.environ.get(KEY)
        if key is None or call.shown is None or not isinstance(response, JsonResponse):
            return
        account, headers = call.account, [*response.headers]
        size_bytes = exchange.size_bytes
        key_size = sum(len(each) for texts in key for each in texts)
        if (
            response.status_code != 200
            or size_bytes + key_size + len(call.shown) > LONGEST_KEPT
            or exchange.answer != response.content[:KEPT_TEXT]  # a secret is masked in it
            or headers[-len(added) :] != added
            or call.basis != basis_of(call.sim, account)
            or self._is_struck(account)
        ):
            return
        window = call.window
        kept = KeptAnswer(
            account=ref(account),
            basis=call.basis,
            caller=Caller(call.auth_id, call.token),
            path=call.request.path,
            text=call.shown,
            own=headers[: -len(added)],
            warnings=[each for each in call.warnings if window is None or each != window.warning],
            more=dict(call.headers),
            cors=cors_headers(call.request, call.sim.settings),
            is_limited=window is not None,
            exchange=exchange,
            size_bytes=size_bytes,
        )
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = kept

    def _is_struck(self, account: Account) -> bool:
        with account.lock:
            return bool(faults_of(account))


def basis_of(sim: Simulator, account: Account) -> Basis:
    """That of an answer which is made now."""
    with account.lock:
        return _basis_at(sim, account, account.clock.now())


def _basis_at(sim: Simulator, account: Account, now: datetime) -> Basis:
    return Basis(account.state, now.date(), sim.settings)


def _key_of(environ: Environ) -> Key:
    """All that a client sent without a body, and what the server says of it, but for its port."""
    texts = [each for name, each in environ.items() if type(each) is str and name != _PORT]
    return tuple(environ), tuple(texts)
