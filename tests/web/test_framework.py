"""Our way through Flask and Flask's own give the same answers; which is taken depends on Flask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.simulator import Simulator
from plivo_sim.web import framework
from plivo_sim.web.framework import App, PlainApp
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.support import AUTH_ID, PNG, SDK_AGENT, Http, parts_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
JSON = {"Content-Type": "application/json"}
REAL_TIME = ("Content-Length", "X-RateLimit-Reset")
TOOK = re.compile(rb'"took_ms":[0-9.]+|"(?:arrived|at)":"[^"]+"|<time [^>]*>[^<]*|[0-9.]+ ms')
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\r\n--b\r\n'
    b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    + PNG
    + b"\r\n--b--\r\n"
)
BODIES: list[dict[str, Any]] = [
    {},
    {"data": b"{", "headers": JSON},
    {"data": b'{"alias": 5}', "headers": JSON},
    {"data": FORM, "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
    {"data": b"x", "headers": {"Content-Type": "text/plain"}},
]
ODD_PATHS = ("/", "/nowhere", "//", "/v1/Account//Number/", f"/v1/Account/{AUTH_ID}//Number/",
             f"/v1/Account/{AUTH_ID}/Number",
             f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance",
             f"/beta/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/x", "/_sim", "/_sim/",
             "/_sim//clock", "/console", "/console/nowhere", "/atoms/", "/atoms/v1/x", "/%00",
             "/a b", "/é", "/v1/" + "x" * 400, "/static/x")  # fmt: skip
ODD_HEADERS = (
    {"Host": "a b"},
    {"Host": "evil.example"},
    {"Host": "exa_mple:99"},
    {"Host": ""},
    {"Connection": "Upgrade", "Upgrade": "websocket"},
    {"Authorization": "Bearer x"},
    {"Cookie": "session=x"},
    {"Content-Length": str(1 << 40)},
)

Call = tuple[str, str, dict[str, Any]]
"""Method, path, and the other arguments of ``Http.call``."""


def routed(app: Flask) -> Iterator[Call]:
    """Every method on every route, with several bodies, as a caller of each kind."""
    for rule in sorted({rule.rule for part in parts_of(app) for rule in part.url_map.iter_rules()}):
        path = re.sub(r"<[^>]*auth_id>", AUTH_ID, rule)
        path = re.sub(r"<[^>]+>", "918012345678", path)
        for method in METHODS:
            for body in BODIES if method in ("POST", "PATCH", "PUT") else BODIES[:1]:
                yield method, path, body


def odd(app: Flask) -> Iterator[Call]:
    """URLs that no route has, and headers that Flask or Werkzeug look at."""
    for path in ODD_PATHS:
        for method in ("GET", "POST", "OPTIONS"):
            yield method, path, {}
    for headers in ODD_HEADERS:
        for path in ("/", "Number/", "PhoneNumber/Compliance/", "/_sim/clock", "/console/", "/x"):
            yield "GET", path, {"headers": headers}
            yield "POST", path, {"headers": {**headers, "User-Agent": SDK_AGENT}}


def faulty(app: Flask) -> Iterator[Call]:
    """Answers that the injector makes or spoils, and that of a view that fails."""
    for effect in ("error", "rate_limited", "truncated", "wrong_content_type", "unavailable"):
        yield "POST", "/_sim/faults", {"json": {"effect": effect, "times": 1}}
        yield "GET", "Number/", {}
        yield "GET", "/console/", {}
    app.extensions["part"]("/_sim").view_functions["control.get_clock"] = broken
    yield "GET", "/_sim/clock", {}


def broken(*_: Any) -> Any:
    raise RuntimeError("broken")


def answers(kind: type[Flask], calls: Callable[[Flask], Iterator[Call]]) -> list[Any]:
    """Each call of a fresh simulator with its status, headers and body, but for durations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framework, "App", kind)
        for name in ("token_hex", "token_urlsafe"):  # what the console draws anew at each start
            patch.setattr(f"secrets.{name}", lambda size: "0" * size)
        sim = make_simulator(PAUSED, transport=MemoryTransport())
        try:
            http = Http(create_app(sim), sim)
            assert type(http.app) is kind
            return [told(http, *call) for call in calls(http.app)]
        finally:
            sim.close()


def told(http: Http, method: str, path: str, given: dict[str, Any]) -> Any:
    answer = http.call(method, path, **given)
    headers = sorted(item for item in answer.headers if item[0] not in REAL_TIME)
    return method, path, given, answer.status, headers, TOOK.sub(b"", answer.data)


@pytest.mark.parametrize("calls", [routed, odd, faulty])
def test_flask_as_it_is_gives_the_same_answers(calls: Callable[[Flask], Iterator[Call]]) -> None:
    """Status, headers and body, on every surface, errors included."""
    ours, plain = answers(App, calls), answers(PlainApp, calls)
    for one, other in zip(ours, plain, strict=True):
        assert one == other


class Later(Flask):
    """A Flask whose dispatching takes something that today's does not."""

    def full_dispatch_request(self, ctx: Any = None) -> Any:
        return super().full_dispatch_request()


def test_another_flask_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by what its methods take, not by its version; one that lacks a method, too."""
    assert isinstance(framework.make_app("x"), App)
    monkeypatch.setattr(Flask, "full_dispatch_request", Later.full_dispatch_request)
    assert type(framework.make_app("x")) is PlainApp
    monkeypatch.undo()
    monkeypatch.delattr(Flask, "full_dispatch_request")
    assert type(framework.make_app("x")) is PlainApp


def test_another_flask_answers(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a dispatching that is given its context, and returns what today's does."""
    dispatch, begin = Flask.full_dispatch_request, Flask.wsgi_app

    def later(self: Flask, ctx: Any) -> Any:
        return dispatch(self)

    def wsgi_app(self: Flask, environ: Any, start_response: Any) -> Any:
        object.__setattr__(self, "full_dispatch_request", lambda: later(self, "context"))
        return begin(self, environ, start_response)

    monkeypatch.setattr(Flask, "full_dispatch_request", later)
    monkeypatch.setattr(Flask, "wsgi_app", wsgi_app)
    http = Http(create_app(sim), sim)
    assert type(http.app) is PlainApp
    assert http.get("Number/").status_code == 200
    assert http.get("/nowhere").status_code == 404
    assert http.call("OPTIONS", "Number/").status_code == 405
