"""The Flask application: opens a call for each request, routes it, words every error.

Nothing that leaves here is HTML, a stack trace or an empty body: whatever goes wrong is answered
in the words of the API that was called.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_address
from typing import Any, NamedTuple

from flask import Flask, Request, Response, current_app, g, request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)
from werkzeug.middleware.proxy_fix import ProxyFix

from plivo_sim.account.clock import monotonic_s
from plivo_sim.apis.atoms import routes as atoms
from plivo_sim.apis.atoms.presenters import error_body as atoms_error
from plivo_sim.apis.atoms.routes import ATOMS
from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.legacy.routes import LEGACY
from plivo_sim.apis.legacy.routes import make_blueprint as legacy_blueprint
from plivo_sim.apis.numbers.routes import NUMBERS, error_body_with, make_link_blueprint
from plivo_sim.apis.numbers.routes import make_blueprint as numbers_blueprint
from plivo_sim.apis.phone_number.beta import errors
from plivo_sim.apis.phone_number.limits import RateLimits
from plivo_sim.apis.phone_number.routes import BETA, CURRENT, DIALECTS, new_api_error
from plivo_sim.apis.phone_number.routes import make_blueprint as new_api_blueprint
from plivo_sim.apis.reading import MOUNT_KEY
from plivo_sim.console import is_console
from plivo_sim.console import make_blueprint as console_blueprint
from plivo_sim.console.pages import ConsoleCall
from plivo_sim.control import CONTROL
from plivo_sim.control import make_blueprint as control_blueprint
from plivo_sim.control.events import WATCHED
from plivo_sim.control.presenters import problem_details
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.text import joined
from plivo_sim.domain.typed import once
from plivo_sim.domain.words import did_you_mean
from plivo_sim.machines import default_machine
from plivo_sim.settings import Network
from plivo_sim.simulator import Simulator
from plivo_sim.web import patience
from plivo_sim.web.access import OWN, PROBES, Caller, admit, cors_headers, is_preflight
from plivo_sim.web.bodies import LARGEST_BODY_BYTES, unreadable
from plivo_sim.web.calls import (
    Call,
    Cut,
    ErrorBody,
    NoSuchPage,
    RateLimited,
    Refused,
    TooLarge,
    TooSlow,
    Window,
    WrongMethod,
    current_call,
)
from plivo_sim.web.fault_injection import Injector
from plivo_sim.web.framework import make_app, real_request
from plivo_sim.web.request_log import note_exchange, note_unmatched
from plivo_sim.web.steering import note_steering
from plivo_sim.web.streams import CUT_KEY, HELD_KEY, REFUSED_KEY, CuttingApp, Refusal

logger = logging.getLogger("plivo_sim")

SURFACES = {each.name: each for each in (CURRENT, BETA, LEGACY, NUMBERS, ATOMS, CONTROL)}
"""Everything that answers, but the console. A test holds that every route stands in one of them."""

MOUNTS = {surface.mount: surface.name for surface in (CURRENT, BETA)}
"""Path -> the dialect that answers below it."""

_COMPLIANCE = CURRENT.prefix.removeprefix("/v1/Account/{auth_id}")


class InternalFailure(SimError):
    """An unforeseen error; its traceback is in the log."""


@once
def document(name: str) -> dict[str, Any]:
    """The OpenAPI document of a surface, with the default machine's words. Raises KeyError. Nobody
    changes it once it is made."""
    return _worded(name, default_machine())


@once
def _unworded(name: str) -> dict[str, Any]:
    from plivo_sim.openapi import unworded  # here: a start needs none of it

    return unworded(SURFACES[name])


def _worded(name: str, machine: Machine) -> dict[str, Any]:
    from plivo_sim.openapi import worded  # here: a start needs none of it

    return worded(_unworded(name), machine)


class _Documents:
    """The documents of a simulator, with the words of its machine, or of an account's own."""

    def __init__(self, sim: Simulator) -> None:
        self._machine = sim.machine
        self._made = once(partial(_worded, machine=sim.machine))

    def __call__(self, name: str, machine: Machine | None = None) -> dict[str, Any]:
        machine = machine or self._machine
        if machine == default_machine():
            return document(name)
        return self._made(name) if machine == self._machine else _worded(name, machine)


def create_app(sim: Simulator) -> Flask:
    """The WSGI application for a simulator."""
    app = make_app("plivo_sim", static_folder=None, template_folder=None)
    injector, limits = Injector(), RateLimits()
    app.extensions |= {
        "plivo_sim": sim, "surfaces": SURFACES, "document": _Documents(sim),
    }  # fmt: skip
    app.before_request(lambda: _open_call(sim, injector, limits, real_request()))
    compliance = new_api_blueprint()
    compliance.register_blueprint(make_link_blueprint())
    app.register_blueprint(compliance)
    app.register_blueprint(numbers_blueprint())
    app.register_blueprint(legacy_blueprint())
    app.register_blueprint(atoms.make_blueprint(injector.within))
    app.register_blueprint(control_blueprint())
    app.register_blueprint(console_blueprint())
    app.after_request(lambda response: _close_call(injector, g.call, response))
    app.register_error_handler(SimError, _refuse)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _fail)
    wrapped = CuttingApp(_Forwarded(sim, _Mounts(app.wsgi_app)))
    app.wsgi_app = wrapped  # type: ignore[method-assign]  # Flask's documented way
    return app


class _Forwarded:
    """What a trusted proxy says of its client (``X-Forwarded-Host``, ``-Proto``, ``-For``) is
    believed; of anybody else it is not."""

    def __init__(self, sim: Simulator, app: Any) -> None:
        self._sim, self._app = sim, app
        self._fixed = ProxyFix(app, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        trusted = self._sim.settings.trusted_proxies
        if not trusted or not _is_in(environ.get("REMOTE_ADDR", ""), trusted):
            return self._app(environ, start_response)
        if environ.get("HTTP_X_FORWARDED_PROTO", "http") not in ("http", "https"):
            del environ["HTTP_X_FORWARDED_PROTO"]
        return self._fixed(environ, start_response)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in each for each in networks)


class _Mounts:
    """``/current/v1/…`` and ``/beta/v1/…``: the same API with the dialect fixed."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        for mount, dialect in MOUNTS.items():
            if path.startswith(f"{mount}/v1/"):
                environ[MOUNT_KEY] = dialect
                environ["PATH_INFO"] = path[len(mount) :]
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + mount
        return self._app(environ, start_response)


def _open_call(
    sim: Simulator, injector: Injector, limits: RateLimits, request: Request
) -> Response | None:
    """Open the call and let it in. The answer to a browser that only asks if it may."""
    g.call = call = _make_call(sim, limits, request)
    earlier = request.environ.get(HELD_KEY)
    if earlier is not None:
        call.go_on(earlier)
    waits = patience.begin(call)
    refusal = request.environ.get(REFUSED_KEY)
    if refusal is not None:
        raise _refused(refusal)
    if call.dialect in OWN:
        admit(request, sim.settings, call.dialect)
    elif call.api and is_preflight(request, sim.settings):
        return _allow(call)
    elif call.api == "atoms":
        atoms.open_call(call, _let_in(call, call.api))
        _begin(call, injector)
    elif call.api:
        _open_account(call, injector, limits)
    if waits is not None:
        waits.opened()
    return None


def _make_call(sim: Simulator, limits: RateLimits, request: Request) -> Call:
    """A call of the API whose URL it is, in its words; of none, whatever follows further down."""
    path = request.path
    if path.startswith("/v1/"):
        api = _api_of(path)
        call = Call(sim, api.error_body, request, dialect=api.dialect, api=api.name)
        if api.name == "new":
            call.window = limits.look(_auth_id_of(path), path)
        return call
    if path.startswith("/_sim"):
        return Call(sim, problem_details, request, dialect="control")
    if is_console(path):
        return ConsoleCall(sim, problem_details, request, dialect="console")
    if path.startswith("/atoms/"):
        return Call(sim, atoms_error, request, dialect="atoms", api="atoms")
    return Call(sim, _plain, request)


def _open_account(call: Call, injector: Injector, limits: RateLimits) -> None:
    """Let a call in to the account in its URL, as one more of its window."""
    path = call.request.path
    auth_id = _auth_id_of(path)
    if not auth_id:
        raise NoSuchPage(f"no such URL: {path}")
    _keep_token(call, _let_in(call, call.api, auth_id))
    _begin(call, injector)
    if call.window is not None:
        if not call.is_counted:
            call.window, call.is_counted = limits.hit(auth_id, path), True
        _hold_to_limit(call, call.window)
    if "//" in path:  # an empty id does not stand for the list
        raise NoSuchPage(f"no such URL: {path}")


def _refused(refusal: Refusal) -> SimError:
    """What the server refused, as the fact that every API has words for."""
    status, told = refusal
    if status == 400:
        return unreadable(told)
    if status == 408:
        return TooSlow(told)
    if status == 413:
        return TooLarge(LARGEST_BODY_BYTES)
    return InternalFailure(told) if status == 500 else Refused(status, told)


def _let_in(call: Call, surface: str, path_auth_id: str = "") -> Caller:
    """Find the account of whoever calls. Raises Untrusted, Unauthenticated."""
    caller = admit(call.request, call.sim.settings, surface, path_auth_id)
    assert caller is not None  # it has credentials
    call.auth_id = caller.auth_id
    call.account = call.sim.account(caller.account_id)
    return caller


def _keep_token(call: Call, caller: Caller) -> None:
    """Callbacks are signed with the token that was used last (decision "Lenient credentials"); that
    of a read on an account that nothing was written to is not kept (decision "Reads store
    nothing")."""
    account = call.account
    if account.on_first_write is not None and call.request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if caller.auth_id == account.auth_id:
        account.token = caller.token
    else:
        account.subaccount_token = caller.token


def _allow(call: Call) -> Response:
    """The answer to a preflight; ``cors_headers`` has what it is about."""
    return call.answer({"api_id": call.id_of_answer()})


def _api_of(path: str) -> _Api:
    """Which API a URL is of, whether it exists or not: an unknown one has no route that tells."""
    if _COMPLIANCE in path:
        return _LINK if f"{_COMPLIANCE}/Link" in path else _NEW
    return _NUMBERS if path.split("/")[4:5] in (["PhoneNumber"], ["Number"]) else _LEGACY


def _begin(call: Call, injector: Injector) -> None:
    """What precedes every call of an account: whatever is due happens, and faults are injected."""
    account = call.account
    if not call.api_id:
        call.api_id = account.next_api_id()
    call.catch_up(account)
    call.operation = call.request.endpoint or ""
    injector.before(call)


def _hold_to_limit(call: Call, window: Window) -> None:
    """Refuse the call that is one too many, or warn of it where limits are not enforced."""
    if window.calls <= window.limit:
        return
    refusal = RateLimited(window.limit)
    if call.account.settings.rate_limits:
        call.headers["Retry-After"] = str(window.retry_after_s)
        raise refusal
    call.warnings.append(f"{refusal}: call {window.calls} of this window would be answered 429")


def _auth_id_of(path: str) -> str:
    steps = path.split("/")
    return steps[3] if len(steps) > 3 and steps[2] == "Account" else ""


def _plain(call: Call, error: SimError) -> tuple[int, dict[str, Any]]:
    status, text = plain_error(error)
    return status, {"api_id": call.id_of_answer(), "error": text}


class _Api(NamedTuple):
    """An API of an account: its name, how it words errors, and its dialect if the URL tells it."""

    name: str
    error_body: ErrorBody
    dialect: str


_NEW = _Api("new", new_api_error, "")

_numbers_error = error_body_with(errors.error_body)

_LINK = _Api("new", _numbers_error, "")
"""Of the new API, with the words of numbers (decision "Words of number errors")."""

_NUMBERS = _Api("numbers", _numbers_error, "numbers")
_LEGACY = _Api("legacy", _plain, "legacy")


def _close_call(injector: Injector, call: Call, response: Response) -> Response:
    patience.end()
    if call.spoil is not None:
        response = injector.after(call, call.spoil, response)
    add = response.headers.add
    if call.dialect != "console":
        add("X-Request-Id", call.api_id or call.id_of_answer())
    if call.dialect == "control":
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
    if call.dialect in DIALECTS:
        add("X-Plivo-Sim-Dialect", call.dialect)
    if call.warnings:
        add("X-Plivo-Sim-Warning", _header_text(joined(call.warnings)))
    for name, value in call.headers.items():
        add(name, value)
    if call.window is not None:
        response.headers.extend(call.window.headers)
    if call.dialect not in OWN:
        response.headers.extend(cors_headers(call.request, call.sim.settings))
    _make_sendable(response)
    _account_for(call, response)
    call.body = call.came = None  # a page that was rendered stays until garbage is collected
    return response


def _account_for(call: Call, response: Response) -> None:
    """Log, journal, coverage. What the call made due happens after the answer was sent."""
    request, account, status = call.request, call.account_or_none, response.status_code
    took_ms = (monotonic_s() - call.began) * 1000
    if account is not None:
        steered = call.dialect in OWN
        if steered or not call.is_read:
            response.call_on_close(lambda: call.sim.runner.settle(account, steered=steered))
        if call.dialect == "control":
            note_steering(call, status)
        if call.auth_id:
            note_exchange(call, request.environ, response, took_ms)
    elif status >= 400 and _is_unmatched(call, status):
        note_unmatched(call, request.environ, response, took_ms)
    if call.dialect not in OWN:
        call.sim.coverage.on_answer(status, call.fault)
    line = (request.method, request.path, call.dialect or "-", status, took_ms, call.why)
    frequent = call.dialect == "console" or request.path.startswith((PROBES, WATCHED))
    level = logging.DEBUG if frequent and call.is_read else logging.INFO
    by_name = {"fields": _by_name(call, status, took_ms)}
    logger.log(level, "%s %s %s %d %.1fms %s", *line, extra=by_name)


def _is_unmatched(call: Call, status: int) -> bool:
    """Whether a refused call has reached nobody who would show it: one of an imitated API whose
    account is unknown; of our own, one whose URL there is not, or that was not trusted."""
    return call.dialect not in OWN or call.request.url_rule is None or status == 403


def _by_name(call: Call, status: int, took_ms: float) -> dict[str, Any]:
    """The fields of a request's log line, for logs that machines read."""
    return {
        "event": "request",
        "request_id": call.api_id,
        "method": call.request.method,
        "path": call.request.path,
        "dialect": call.dialect or None,
        "account": call.auth_id or None,
        "status": status,
        "took_ms": round(took_ms, 1),
        "why": call.why,
    }


def _make_sendable(response: Response) -> None:
    """Headers are ASCII. One that is not would fail below the application, after it was logged."""
    for name, value in response.headers.items():
        if not value.isascii():
            response.headers[name] = _header_text(value)


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
        return current_call().refuse(NoSuchPage(f"no such URL: {request.path}{_like_path()}"))
    if isinstance(error, RequestEntityTooLarge):
        return current_call().refuse(TooLarge(LARGEST_BODY_BYTES))
    if isinstance(error, BadRequest):  # the only one of Werkzeug: a Host header that is none
        return current_call().refuse(unreadable("the Host header is malformed"))
    if error.code is not None and error.code < 500:  # such as a range of a file that does not exist
        return current_call().refuse(unreadable(str(error.description)))
    return _fail(error)


def _like_path() -> str:
    """Which control call was probably meant; of the imitated APIs' URLs, Plivo says no more."""
    if current_call().dialect != "control":
        return ""
    rules = [rule.rule for rule in current_app.url_map.iter_rules() if "<" not in rule.rule]
    base = f"{CONTROL.prefix}/"
    known = [path.removeprefix(base) for path in rules if path.startswith(base)]
    path = request.path.removeprefix(base)[:80]
    return did_you_mean(path, known, listed=0, cutoff=0.88, prefix=base)


def _fail(error: Exception) -> Response:
    logger.exception("unforeseen error in %s %s", request.method, request.path)
    return current_call().refuse(InternalFailure("internal error of the simulator; see its log"))
