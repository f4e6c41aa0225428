"""The five operations below ``/atoms/v1/compliance`` (documented).

No last slash there; one is tolerated, and nothing redirects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Request, Response, g, request

from plivo_sim.atoms.identity import Identity, identify
from plivo_sim.atoms.plivo import Plivo, Strike
from plivo_sim.atoms.presenters import present_application, present_requirement, present_status
from plivo_sim.atoms.requests import (
    ReadForm,
    check_form,
    read_key,
    read_resubmit,
    read_submit,
)
from plivo_sim.atoms.service import Desk, RequirementCache
from plivo_sim.dialects.bodies import read_body
from plivo_sim.dialects.calls import Call, current_call
from plivo_sim.dialects.outcome import asked_outcome
from plivo_sim.dialects.words import dotted
from plivo_sim.services.applications import Accepted

ACCOUNT_HEADER = "X-Plivo-Sim-Account"


def open_call(call: Call, request: Request) -> None:
    """Find the account of the caller's token. Raises Unauthenticated.

    Every answer names the account (invented), because control calls need it.
    """
    g.identity = who = identify(request, call.sim.settings.atoms_tokens)
    call.auth_id = who.auth_id
    call.world = call.sim.world(who.auth_id)
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
