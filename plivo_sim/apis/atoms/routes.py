"""The five operations below ``/atoms/v1/compliance`` (documented).

No last slash there; one is tolerated, and nothing redirects.

Who calls: from a bearer token (or session cookie) to an organisation and a person.

``Authorization: Bearer <key>``, or a session cookie (documented). The cookie is named ``session``
(invented). Any well-formed token is taken; each is an organisation with an account of its own
(decision "Atoms organisations"; invented).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Blueprint, Request, Response, g, request

from plivo_sim.apis.atoms.presenters import present_application, present_requirement, present_status
from plivo_sim.apis.atoms.reading import ReadForm, check_form, read_key, read_resubmit, read_submit
from plivo_sim.apis.atoms.service import Desk, Identity, Plivo, RequirementCache, Strike
from plivo_sim.apis.headers import asked_outcome
from plivo_sim.apis.words import dotted
from plivo_sim.services.applications import Accepted
from plivo_sim.web.bodies import read_body
from plivo_sim.web.calls import Call, Unauthenticated, current_call

COOKIE = "session"


_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def identify(request: Request, accounts: Mapping[str, str]) -> Identity:
    """Who sent this; ``accounts``: those of tokens that are not derived. Raises Unauthenticated.

    The organisation follows from the account and the person from the token, so that two keys may
    belong to one organisation (invented).
    """
    token = _token_of(request)
    auth_id = accounts.get(token) or account_of(token)
    return Identity(
        auth_id=auth_id,
        organization_id=_digest("organization", auth_id, 24),
        user_id=f"user_{_digest('user', token, 10)}",
    )


def account_of(token: str) -> str:
    """``MA`` and 18 characters derived from the token (decision "Atoms organisations";
    invented)."""
    return f"MA{_digest('account', token, 18).upper()}"


def _token_of(request: Request) -> str:
    header = request.headers.get("Authorization")
    if header is None:
        token = request.cookies.get(COOKIE, "")
        if not token:
            raise Unauthenticated("a bearer token is required: Authorization: Bearer <API key>")
    else:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("the Authorization header is not a bearer token")
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated("the token is malformed")
    return token


def _digest(kind: str, text: str, length: int) -> str:
    return hashlib.blake2b(f"{kind}|{text}".encode()).hexdigest()[:length]


ACCOUNT_HEADER = "X-Plivo-Sim-Account"


def open_call(call: Call, request: Request) -> None:
    """Find the account of the caller's token. Raises Unauthenticated.

    Every answer names the account (invented), because control calls need it.
    """
    g.identity = who = identify(request, call.sim.settings.atoms_tokens)
    call.auth_id = who.auth_id
    call.account = call.sim.account(who.auth_id)
    call.headers[ACCOUNT_HEADER] = who.auth_id


def make_blueprint(strike: Strike) -> Blueprint:
    """The blueprint; ``strike`` finds the fault that hits a call of Atoms to Plivo."""
    blueprint = Blueprint("atoms", __name__, url_prefix="/atoms/v1/compliance")
    cache = RequirementCache()

    @blueprint.before_request
    def sit_down() -> None:
        call = current_call()
        who = cast(Identity, g.identity)
        g.desk = Desk(call.account, who, Plivo(call, strike), cache)

    routes: list[tuple[str, str, Callable[..., Response]]] = [
        ("GET", "/status/", status),
        ("GET", "/requirements/", requirements),
        ("POST", "/applications/", submit),
        ("PATCH", "/applications/<id>/", resubmit),
        ("POST", "/applications/<id>/refresh/", refresh),
    ]
    for method, rule, view in routes:
        blueprint.add_url_rule(
            rule, view.__name__, view, methods=[method], provide_automatic_options=False
        )
    return blueprint


def status() -> Response:
    """What Atoms knows, from its own record; Plivo is asked for the requirements only."""
    key = read_key(request.args)
    required = _desk().requirement(key)
    return _answer(present_status(_desk().find(key), required))


def requirements() -> Response:
    return _answer(present_requirement(_desk().requirement(read_key(request.args))))


def submit() -> Response:
    form = _read(read_submit)
    made, done = _desk().submit(form, asked_outcome(request))
    _tell(f"submitted {made.id}", done)
    return _answer(present_application(made), 201)


def resubmit(id: str) -> Response:
    form = _read(read_resubmit)
    sent, done = _desk().resubmit(id, form, asked_outcome(request))
    _tell(f"resubmitted {id}", done)
    return _answer(present_application(sent))


def refresh(id: str) -> Response:
    """A body is not looked at: the page's sample sends ``{}``, the SDK none (documented)."""
    told = _desk().refresh(id)
    current_call().why = f"{id} is {told.status}"
    return _answer(present_application(told))


def _desk() -> Desk:
    return cast(Desk, g.desk)


def _read(read: Callable[[Any], ReadForm]) -> ReadForm:
    check_form(request.mimetype, request.content_length)
    form = read(read_body(request))
    current_call().warnings += [f"ignored field '{name}'" for name in form.ignored]
    return form


def _tell(what: str, done: Accepted) -> None:
    """The clause for the log, and the warnings."""
    call = current_call()
    call.why = f"{what}: {done.application.id} at Plivo"
    call.warnings += [f"{dotted(problem.path)}: {problem.text}" for problem in done.warnings]


def _answer(data: dict[str, Any], status: int = 200) -> Response:
    return current_call().answer({"status": True, "data": data}, status)
