"""A call to any surface, from its first to its last moment: it is opened in the words of its API
and let in, what goes wrong is worded, and it is closed: headers, log, request log.

Nothing that leaves here is HTML, a stack trace or an empty body: whatever goes wrong is answered
in the words of the API that was called.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Request, Response, current_app, g, request
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from plivo_sim.account.clock import monotonic_s
from plivo_sim.apis.errors import plain_error
from plivo_sim.apis.numbers.routes import error_body_with
from plivo_sim.apis.phone_number.beta import errors
from plivo_sim.apis.phone_number.limits import RateLimits
from plivo_sim.apis.phone_number.routes import CURRENT, new_api_error
from plivo_sim.domain.errors import Busy, SimError
from plivo_sim.domain.text import encode_json
from plivo_sim.domain.words import did_you_mean
from plivo_sim.simulator import Simulator, main_account
from plivo_sim.simulator.logs import log_request
from plivo_sim.web import patience
from plivo_sim.web.access import (
    OWN,
    PROBES,
    Caller,
    admit,
    auth_id_in,
    cors_headers,
    is_preflight,
    keep_token,
)
from plivo_sim.web.bodies import LARGEST_BODY_BYTES, unreadable
from plivo_sim.web.calls import (
    SAFE,
    TAKEN_BACK,
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
    added_headers,
    current_call,
    header_text,
)
from plivo_sim.web.endpoints import rows_of
from plivo_sim.web.fault_injection import Injector, delay, latency_s_of
from plivo_sim.web.framework import real_request
from plivo_sim.web.kept_answers import KEY, KeptAnswers, basis_of
from plivo_sim.web.request_log import Exchange, exchange_of, keep_exchange, note_unmatched
from plivo_sim.web.steering import note_steering, wrote_until
from plivo_sim.web.streams import CUT_KEY, HELD_KEY, REFUSED_KEY, Delay, Refusal

logger = logging.getLogger("plivo_sim")

ICON = "/favicon.ico"
WATCHED = "/_sim/events"
"""Programs ask here again and again what has happened."""

_COMPLIANCE = CURRENT.prefix.removeprefix("/v1/Account/{auth_id}")


class InternalFailure(SimError):
    """An unforeseen error; its traceback is in the log."""


def open_call(part: str, sim: Simulator, injector: Injector, limits: RateLimits) -> Response | None:
    """Open the call of this request, which a part of the application is to answer (``app``), and
    let it in. Returns the answer to a browser that only asks if it may. Raises what keeps the call
    out, as the error that its API has words for."""
    request = real_request()
    g.call = call = _make_call(part, sim, limits, request)
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
        from plivo_sim.apis.atoms import routes as atoms

        atoms.open_call(call, _let_in(call, call.api))
        _begin(call, injector)
    elif call.api:
        _open_account(call, injector, limits)
    if waits is not None:
        waits.opened()
    return None


def _make_call(part: str, sim: Simulator, limits: RateLimits, request: Request) -> Call:
    """A call of the API whose URL it is, in its words; of none, whatever follows further down."""
    path = request.path
    if path.startswith("/v1/"):
        api = _api_of(path)
        call = Call(sim, api.error_body, request, dialect=api.dialect, api=api.name)
        if api.name == "new":
            call.window = limits.look(sim.known(main_account(auth_id_in(path))), path)
        return call
    if part == "control":
        from plivo_sim.control.presenters import problem_details

        return Call(sim, problem_details, request, dialect="control")
    if part == "console":
        from plivo_sim.console.pages import ConsoleCall
        from plivo_sim.control.presenters import problem_details

        return ConsoleCall(sim, problem_details, request, dialect="console")
    if part == "atoms":
        from plivo_sim.apis.atoms.presenters import error_body

        return Call(sim, error_body, request, dialect="atoms", api="atoms")
    return Call(sim, _plain, request)


def _open_account(call: Call, injector: Injector, limits: RateLimits) -> None:
    """Let a call in to the account in its URL, as one more of its window."""
    path = call.request.path
    auth_id = auth_id_in(path)
    if not auth_id:
        raise NoSuchPage(f"no such URL: {path}")
    caller = _let_in(call, call.api, auth_id)
    keep_token(call.account, caller, is_read=request.method in SAFE)
    _begin(call, injector)
    if call.window is not None:
        if not call.is_counted:
            call.window, call.is_counted = limits.hit(call.account, path), True
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
    call.auth_id, call.token = caller
    call.found(call.sim.account(caller.account_id))
    return caller


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
    if KEY in call.request.environ:
        call.basis = basis_of(call.sim, account)
    call.operation = call.request.endpoint or ""
    injector.before(call)


def _hold_to_limit(call: Call, window: Window) -> None:
    """Refuse the call that is one too many, or warn of it where limits are not enforced."""
    if not window.warning:
        return
    if call.account.settings.rate_limits:
        call.headers["Retry-After"] = str(window.retry_after_s)
        raise RateLimited(window.limit)
    call.warnings.append(window.warning)


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


def close_call(injector: Injector, kept: KeptAnswers, response: Response) -> Response:
    """What is sent as the answer, once all that the call leaves behind is there."""
    call: Call = g.call
    patience.end()
    account = call.account_or_none
    if account is not None and account.refusal is not None and (call.is_read or call.refusal):
        response.close()  # it was made of what an account holds that moved away meanwhile
        response = call.refuse(account.refusal)
    elif call.is_undone and not _is_moment(call.request):
        response = call.refuse(Busy(TAKEN_BACK))
    elif call.spoil is not None:
        response = injector.after(call, call.spoil, response)
    if call.dialect == "control":
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
    added = added_headers(
        "" if call.dialect == "console" else call.api_id or call.id_of_answer(),
        call.dialect,
        call.warnings,
        call.headers,
        call.window,
        {} if call.dialect in OWN else cors_headers(call.request, call.sim.settings),
    )
    for name, value in added:
        response.headers.add(name, value)
    _make_sendable(response)
    latency_s = latency_s_of(call)
    exchange = _account_for(call, response, latency_s)
    call.close()
    if latency_s:
        delay(call, Delay(latency_s, _instead(call)))
    if exchange is not None:
        kept.keep(call, response, added, exchange)
    call.body = call.came = None  # a page that was rendered stays until garbage is collected
    return response


def _is_moment(request: Request) -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return any(row.is_moment for row in rows_of(view))


def _instead(call: Call) -> Callable[[], bytes | None]:
    """What is answered if what the call did is undone before its answer is sent."""
    if not call.wrote:
        return lambda: None
    _, body = call.error_body(call, Busy(TAKEN_BACK))
    told = encode_json(body)
    return lambda: told if call.is_undone else None


def _account_for(call: Call, response: Response, latency_s: float) -> Exchange | None:
    """Log, journal, coverage. What the call made due happens after the answer was made. The entry
    of the request log, if the call is in that of an account."""
    request, account, status = call.request, call.account_or_none, response.status_code
    took_ms, exchange = (monotonic_s() - call.began) * 1000, None
    delayed_ms = latency_s * 1000
    if account is not None:
        steered = call.dialect in OWN
        if steered or not call.is_read:
            response.call_on_close(lambda: call.sim.runner.settle(account, steered=steered))
        if call.dialect == "control":
            note_steering(call, status)
        if call.auth_id:
            now = account.now()
            exchange = exchange_of(call, request.environ, response, took_ms, now, delayed_ms)
            keep_exchange(call.sim, account, exchange, exchange.size_bytes, wrote_until(exchange))
    elif status >= 400 and _is_unmatched(call, status):
        note_unmatched(call, request.environ, response, took_ms)
    if call.dialect not in OWN:
        call.sim.coverage.on_answer(status, call.fault)
    frequent = call.dialect == "console" or request.path.startswith((PROBES, WATCHED))
    level = logging.DEBUG if frequent and call.is_read else logging.INFO
    line = request.method, request.path, call.dialect, status, took_ms + delayed_ms, call.why
    log_request(level, call.api_id, call.auth_id, line)
    return exchange


def _is_unmatched(call: Call, status: int) -> bool:
    """Whether a refused call has reached nobody who would show it: one of an imitated API whose
    account is unknown; of our own, one that was not trusted, or of the control API, whose URL there
    is not. What a browser asks for is no client's call: an icon, a mistyped page."""
    if call.request.path == ICON:
        return False
    is_nowhere = call.dialect == "control" and call.request.url_rule is None
    return call.dialect not in OWN or is_nowhere or status == 403


def _make_sendable(response: Response) -> None:
    """Headers are ASCII. One that is not would fail below the application, after it was logged."""
    for name, value in response.headers.items():
        if not value.isascii():
            response.headers[name] = header_text(value)


def refuse(error: SimError) -> Response:
    """The answer to a call that something was wrong with, in the words of its API."""
    if isinstance(error, Cut):
        request.environ[CUT_KEY] = error.how
    return current_call().refuse(error)


def refuse_http(error: HTTPException) -> Response:
    """The same of what Flask and Werkzeug raise: no such URL, a wrong method."""
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
    return fail(error)


def _like_path() -> str:
    """Which control call was probably meant; of the imitated APIs' URLs, Plivo says no more."""
    if current_call().dialect != "control":
        return ""
    rules = [rule.rule for rule in current_app.url_map.iter_rules() if "<" not in rule.rule]
    base = "/_sim/"
    known = [path.removeprefix(base) for path in rules if path.startswith(base)]
    path = request.path.removeprefix(base)[:80]
    return did_you_mean(path, known, listed=0, cutoff=0.88, prefix=base)


def fail(error: Exception) -> Response:
    """The answer where the simulator is at fault; the log tells how."""
    logger.exception("unforeseen error in %s %s", request.method, request.path)
    return current_call().refuse(InternalFailure("internal error of the simulator; see its log"))
