"""The Flask application: opens a call for each request, routes it, words every error.

Nothing that leaves here is HTML, a stack trace or an empty body: whatever goes wrong is answered
in the words of the API that was asked.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)
from werkzeug.routing import Rule

from plivo_sim.atoms import routes as atoms
from plivo_sim.atoms.errors import error_body as atoms_error
from plivo_sim.console.pages import ConsoleCall
from plivo_sim.console.routes import is_console
from plivo_sim.console.routes import make_blueprint as console_blueprint
from plivo_sim.control.problems import problem_details
from plivo_sim.control.routes import make_blueprint as control_blueprint
from plivo_sim.dialects.bodies import LARGEST_BODY_BYTES, unreadable
from plivo_sim.dialects.calls import Call, ErrorBody, authenticate, current_call
from plivo_sim.dialects.legacy.routes import make_blueprint as legacy_blueprint
from plivo_sim.dialects.numbers.errors import error_body as numbers_error
from plivo_sim.dialects.numbers.routes import make_blueprint as numbers_blueprint
from plivo_sim.dialects.numbers.routes import make_link_blueprint
from plivo_sim.dialects.phone_number import documented
from plivo_sim.dialects.phone_number.choice import MOUNT_KEY
from plivo_sim.dialects.phone_number.routes import make_blueprint as new_api_blueprint
from plivo_sim.dialects.phone_number.routes import new_api_error
from plivo_sim.dialects.plain_errors import plain_error
from plivo_sim.errors import Cut, NoSuchPage, SimError, TooLarge, WrongMethod
from plivo_sim.exchanges import note_exchange
from plivo_sim.injector import CUT_KEY, CuttingApp, Injector
from plivo_sim.simulator import Simulator

logger = logging.getLogger("plivo_sim")
MOUNTS = ("sdk", "documented")


class InternalFailure(SimError):
    """Something that nobody foresaw; the log has the rest."""


def create_app(sim: Simulator) -> Flask:
    """The WSGI application for a simulator."""
    app = Flask("plivo_sim", static_folder=None, template_folder=None)
    app.url_rule_class = _BothSpellings
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # its answer is empty, and HTML
    app.config["MAX_CONTENT_LENGTH"] = None  # bodies.py refuses, in the dialect's words
    app.extensions["plivo_sim"] = sim

    injector = Injector()
    app.before_request(lambda: _open_call(sim, injector))
    compliance = new_api_blueprint()
    compliance.register_blueprint(make_link_blueprint(documented.error_body))
    app.register_blueprint(compliance)
    app.register_blueprint(numbers_blueprint(documented.error_body))
    app.register_blueprint(legacy_blueprint())
    app.register_blueprint(atoms.make_blueprint(injector.within))
    app.register_blueprint(control_blueprint())
    app.register_blueprint(console_blueprint())
    app.after_request(_close_call)
    app.after_request(lambda response: injector.after(current_call(), response))
    app.register_error_handler(SimError, _refuse)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _fail)
    wrapped = CuttingApp(_Mounts(app.wsgi_app))
    app.wsgi_app = wrapped  # type: ignore[method-assign]  # Flask's documented way
    return app


class _BothSpellings(Rule):
    """A rule for the URL with and without its last slash.

    Werkzeug matches both when the rule has none and slashes are not strict; when the rule has
    one, a wrong method of the other spelling is told as an unknown URL.
    """

    def __init__(self, string: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(string.rstrip("/") or "/", *args, **kwargs)

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        """Nothing: no URL is ever built from a rule, and this was most of the time to start."""
        return lambda *_: None


class _Mounts:
    """``/sdk/v1/…`` and ``/documented/v1/…``: the same API with the dialect fixed."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        for mount in MOUNTS:
            if path.startswith(f"/{mount}/v1/"):
                environ[MOUNT_KEY] = mount
                environ["PATH_INFO"] = path[len(mount) + 1 :]
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + f"/{mount}"
        return self._app(environ, start_response)


def _open_call(sim: Simulator, injector: Injector) -> None:
    g.began = time.perf_counter()
    path = request.path
    if path.startswith("/_sim"):
        g.call = Call(sim, problem_details, dialect="control", api_id=sim.next_api_id())
        return
    if is_console(path):
        g.call = ConsoleCall(sim, problem_details, dialect="console")
        return
    if path.startswith("/atoms/"):
        g.call = call = Call(sim, atoms_error, dialect="atoms", api_id=sim.next_api_id())
        atoms.open_call(call, request)
        _begin(call, injector, "atoms")
        return
    api, words, dialect = _api_of(path)
    g.call = call = Call(sim, words, api_id=sim.next_api_id())
    if path.startswith("/v1/"):
        call.dialect = dialect
        auth_id = _auth_id_of(path)
        if not auth_id or "//" in path:  # an empty id does not stand for the list
            raise NoSuchPage(f"no such URL: {path}")
        authenticate(call, request, auth_id)
        _begin(call, injector, api)


def _api_of(path: str) -> tuple[str, ErrorBody, str]:
    """Which API a URL is of, how it words errors, and its dialect if that is known already.

    Link is of the new API and has the words of numbers (DECISIONS 31).
    """
    if "/PhoneNumber/Compliance/Link" in path:
        return "new", numbers_error, "sdk"
    if "/PhoneNumber/Compliance" in path:
        return "new", new_api_error, ""
    if path.split("/")[4:5] in (["PhoneNumber"], ["Number"]):
        return "numbers", numbers_error, "numbers"
    return "legacy", _plain, "legacy"


def _begin(call: Call, injector: Injector, api: str) -> None:
    """What precedes every call of an account: what is due happens, and faults strike."""
    call.api_id = call.account.next_api_id()
    call.sim.runner.catch_up(call.account)
    call.api = api
    call.operation = request.endpoint or ""
    injector.before(call)


def _auth_id_of(path: str) -> str:
    steps = path.split("/")
    return steps[3] if len(steps) > 3 and steps[2] == "Account" else ""


def _plain(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    status, text = plain_error(error)
    return status, {"api_id": call.api_id, "error": text}


def _close_call(response: Response) -> Response:
    call = current_call()
    headers = response.headers
    if call.api_id:
        headers["X-Request-Id"] = call.api_id
    if call.dialect in MOUNTS:
        headers["X-Plivo-Sim-Dialect"] = call.dialect
    if call.warnings:
        headers["X-Plivo-Sim-Warning"] = _header_text("; ".join(call.warnings))
    for name, value in call.headers.items():
        headers[name] = value
    if call.world is not None:
        world = call.world
        response.call_on_close(lambda: call.sim.runner.settle(world))
    took_ms = (time.perf_counter() - g.began) * 1000
    if call.dialect not in ("control", "console"):
        call.sim.coverage.on_answer(response.status_code, call.fault)
    if call.world is not None and call.auth_id:
        note_exchange(call, request.environ, response, took_ms)
    logger.log(
        logging.DEBUG if call.dialect == "console" and request.method == "GET" else logging.INFO,
        "%s %s %s %d %.1fms %s",
        request.method,
        request.path,
        call.dialect or "-",
        response.status_code,
        took_ms,
        call.why,
        extra={"fields": _by_name(call, response.status_code, took_ms)},
    )
    return response


def _by_name(call: Call, status: int, took_ms: float) -> dict[str, Any]:
    """What the line of a request tells, for logs that machines read."""
    return {
        "event": "request",
        "request_id": call.api_id,
        "method": request.method,
        "path": request.path,
        "dialect": call.dialect or None,
        "account": call.auth_id or None,
        "status": status,
        "took_ms": round(took_ms, 1),
        "why": call.why,
    }


def _header_text(text: str) -> str:
    """One line of printable ASCII: clients choose some of these words."""
    plain = text.encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else " " for c in plain)[:2000]


def _refuse(error: SimError) -> Response:
    if isinstance(error, Cut):
        request.environ[CUT_KEY] = error.how
    return current_call().refuse(error)


def _refuse_http(error: HTTPException) -> Response:
    if isinstance(error, MethodNotAllowed):
        allowed = sorted(set(error.valid_methods or ()) - {"OPTIONS", "HEAD"})
        response = current_call().refuse(WrongMethod(allowed))
        response.headers["Allow"] = ", ".join(allowed)
        return response
    if isinstance(error, NotFound):
        return current_call().refuse(NoSuchPage(f"no such URL: {request.path}"))
    if isinstance(error, RequestEntityTooLarge):
        return current_call().refuse(TooLarge(LARGEST_BODY_BYTES))
    if isinstance(error, BadRequest):  # Werkzeug's only one: no host name can be made of it
        return current_call().refuse(unreadable("the Host header is malformed"))
    return _fail(error)


def _fail(error: Exception) -> Response:
    logger.exception("unforeseen error in %s %s", request.method, request.path)
    return current_call().refuse(InternalFailure("internal error of the simulator; see its log"))
