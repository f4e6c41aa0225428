"""The pass-through server of ``plivo-sim record``: hands calls on, and keeps what may be kept.

Calls go to the upstream that was named and nowhere else; callbacks, which come to a path of their
own, to the receiver that was named, and below its URL. Redirects are handed back, not followed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Request as FlaskRequest

from plivo_sim.account.clock import monotonic_s
from plivo_sim.client import Http, Unreachable
from plivo_sim.recording.bodies import masked_body, masked_query
from plivo_sim.recording.headers import HOP_BY_HOP, Headers, header, masked_headers
from plivo_sim.recording.masks import Masks
from plivo_sim.recording.tapes import (
    CALLBACKS,
    Answer,
    Exchange,
    Kind,
    Request,
    Tape,
    check_target,
    has_dots,
)
from plivo_sim.recording.writer import NotKept, Writer
from plivo_sim.settings import Settings
from plivo_sim.web.access import check_page
from plivo_sim.web.calls import Untrusted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

READS = ("GET", "HEAD")
CALLED = "X-Plivo-Sim-Callback-Url"
"""The header that tells a receiver the URL that was called."""
LONGEST_REASON = 200
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile("[0-9]{1,15}")
_OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
"""With which a read says that it is a write."""
CALLING = ("GET", "POST")
"""What callbacks are sent with (documented)."""
WRITES = ("POST", "PATCH", "PUT", "DELETE")
_PUBLIC = re.compile(
    r"(?:/[a-z]+)?/v1/Account/[^/]+/(PhoneNumber/Compliance/Requirements"
    r"|(ComplianceRequirements?|ComplianceDocumentType)(/[^/]+)?)/?"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it came."""

    status: int
    reason: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class _Came:
    """What is to be kept."""

    kind: Kind
    after_s: float
    call: Call
    given: Given


class Recorder:
    """A WSGI application. ``receiver``: where callbacks are handed on to. Whoever calls gets the
    answer as soon as it is there; it is masked and written afterwards, until ``close`` returns.
    ``lost`` counts what was not kept. ``settings``: ``host`` and ``allowed_hosts`` say to which
    browsers it answers, by the rule of the simulator."""

    def __init__(
        self,
        upstream: Http,
        tape: Tape,
        masks: Masks,
        *,
        receiver: Http | None = None,
        allows_writes: bool = False,
        settings: Settings | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._upstream = upstream
        self._tape = tape
        self._masks = masks
        self._receiver = receiver
        self._allows_writes = allows_writes
        self._began = monotonic_s()
        self._writer = Writer(self._keep)

    @property
    def lost(self) -> int:
        return self._writer.lost

    def close(self) -> None:
        """Write what waits; called before the tape is closed."""
        self._writer.close()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            check_page(FlaskRequest(environ), self._settings)
            given = self._answered(_call_of(environ))
        except Untrusted as error:
            told = f"{error}".partition(";")[0]
            given = _refusal(403, f"{told}; --allowed-hosts HOST allows those of a host")
        except ValueError as error:  # of a body in chunks
            given = _refusal(400, str(error))
        headers = [(name, value) for name, value in given.headers if name.lower() not in HOP_BY_HOP]
        told = header(given.headers, "content-length")
        is_head = environ["REQUEST_METHOD"] == "HEAD" and _LENGTH.fullmatch(told)
        headers.append(("Content-Length", told if is_head else str(len(given.body))))
        start_response(f"{given.status} {given.reason}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [given.body]

    def _answered(self, call: Call) -> Given:
        path = call.target.partition("?")[0]
        if not path.startswith("/"):  # such as OPTIONS *
            return _refusal(400, "the target is no path")
        if has_dots(path):
            return _refusal(400, "the path has a segment of dots, which may lead elsewhere")
        if path == CALLBACKS or path.startswith(f"{CALLBACKS}/"):
            return self._callback(call)
        if call.method not in (*READS, *WRITES):
            return _refusal(405, f"plivo-sim record hands on {', '.join((*READS, *WRITES))}")
        if call.method in WRITES and not self._allows_writes:
            return _refusal(
                403,
                f"{call.method} changes something, and plivo-sim record hands on reads only;"
                " start it with --allow-writes to change the real account",
            )
        return self._handed_on("exchange", self._upstream, call, call.target)

    def _callback(self, call: Call) -> Given:
        if self._receiver is None:
            return _refusal(404, "nobody takes callbacks here; start with --callbacks-to URL")
        if call.method not in CALLING:
            return _refusal(405, f"a callback is one of {', '.join(CALLING)}")
        rest = call.target.removeprefix(CALLBACKS)
        return self._handed_on("callback", self._receiver, call, rest, _url_called(call))

    def _handed_on(
        self,
        kind: Kind,
        to: Http,
        call: Call,
        target: str,
        more: Mapping[str, str] | None = None,
    ) -> Given:
        """``more``: headers that are sent beside those of the call, or in place of them."""
        headers = {name: value for name, value in call.headers if name.lower() not in HOP_BY_HOP}
        headers |= more or {}
        if not self._allows_writes:
            headers = {name: v for name, v in headers.items() if name.lower() not in _OVERRIDES}
        headers["Accept-Encoding"] = "identity"
        try:
            answer = to.send(call.method, target, headers, body=call.body or None)
        except Unreachable as error:
            return _refusal(502, str(error))
        reason = _plain(answer.reason)[:LONGEST_REASON] or _reason(answer.status)
        told_of = [(name, _plain(value)) for name, value in answer.headers.items() if name]
        given = Given(answer.status, reason, told_of, answer.data)
        came = _Came(kind, round(monotonic_s() - self._began, 3), call, given)
        told = sum(len(name) + len(value) for name, value in (*call.headers, *given.headers))
        self._writer.put(came, told + len(call.body) + len(given.body))
        return given

    def _keep(self, came: _Came) -> None:
        """Raises NotKept, OSError."""
        masks, kind, call, given = self._masks, came.kind, came.call, came.given
        target = CALLBACKS if kind == "callback" else masks.target(call.target)
        try:
            check_target(kind, target)
        except ValueError:
            raise NotKept("its path is none of an imitated API") from None
        request = Request(
            method=call.method,
            target=target,
            headers=masked_headers(call.headers, masks),
            body=masked_body(call.body, header(call.headers, "content-type"), masks),
        )
        if kind == "callback" and call.method == "GET" and not call.body:  # its fields
            request.body = masked_query(call.target.partition("?")[2], masks)
        public = kind == "exchange" and given.status == 200 and is_public(call.target)
        answer = Answer(
            status=given.status,
            headers=masked_headers(given.headers, masks),
            body=masked_body(
                given.body, header(given.headers, "content-type"), masks, public=public
            ),
        )
        self._tape.add(Exchange(kind=kind, after_s=came.after_s, request=request, answer=answer))


def is_public(target: str) -> bool:
    """Whether the answer tells what is required: nothing of it was written by a user."""
    return _PUBLIC.fullmatch(target.partition("?")[0]) is not None


def _url_called(call: Call) -> dict[str, str]:
    """Headers that say by which URL a callback came here: its signature is made of that one. Where
    a tunnel or a proxy tells it, that is its caller's."""
    host, scheme = (
        header(call.headers, f"x-forwarded-{each}").partition(",")[0].strip()
        for each in ("host", "proto")
    )
    host = host or header(call.headers, "host")
    scheme = scheme.lower() if scheme.lower() in ("http", "https") else "http"
    return {
        "X-Forwarded-Host": host,
        "X-Forwarded-Proto": scheme,
        CALLED: f"{scheme}://{host}{call.target}",
    }


def _plain(text: str) -> str:
    """Without what no line of a head may have, nor a tape or a terminal should get."""
    return _CONTROLS.sub("", text)


def _call_of(environ: Mapping[str, Any]) -> Call:
    headers = [
        (name[5:].replace("_", "-").title(), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    if environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", environ["CONTENT_TYPE"]))
    target = environ["REQUEST_URI"]
    return Call(environ["REQUEST_METHOD"], target, headers, environ["wsgi.input"].read())


def _refusal(status: int, text: str) -> Given:
    body = json.dumps({"error": text}).encode()
    return Given(status, _reason(status), [("Content-Type", "application/json")], body)


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
