"""The five operations below ``/atoms/v1/compliance`` (documented).

The pages have no slash at the end; one is tolerated, and nothing redirects.

Who calls: from a bearer token (or session cookie) to an organisation and a person.

``Authorization: Bearer <key>``, or a session cookie (documented). The cookie is named ``session``
(invented). Any well-formed token is taken; each is an organisation with an account of its own
(decision "Atoms organisations"; invented).
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Response, g, request

from plivo_sim.apis.atoms.presenters import (
    ApplicationAnswerOut,
    ApplicationOut,
    RequirementAnswerOut,
    StatusAnswerOut,
    present_application,
    present_requirement,
    present_status,
)
from plivo_sim.apis.atoms.reading import ReadForm, check_form, read_key, read_resubmit, read_submit
from plivo_sim.apis.atoms.service import (
    Applications,
    FindFault,
    Identity,
    Plivo,
    RequirementCache,
)
from plivo_sim.apis.outcomes import OUTCOME, requested_outcome
from plivo_sim.apis.reading import name_unknown_parameters
from plivo_sim.domain.typed import dotted
from plivo_sim.services.applications import Accepted
from plivo_sim.web.access import Caller
from plivo_sim.web.bodies import read_body
from plivo_sim.web.calls import Call, current_call
from plivo_sim.web.endpoints import (
    BEARER,
    FILE,
    MULTIPART,
    Query,
    Surface,
    add_routes,
    endpoint,
    endpoints_of,
)


def identity_of(caller: Caller) -> Identity:
    """The organisation follows from the account and the person from the token, so that two keys
    may belong to one organisation (invented)."""
    return Identity(
        auth_id=caller.auth_id,
        organization_id=_digest("organization", caller.auth_id, 24),
        user_id=f"user_{_digest('user', caller.token, 10)}",
    )


def _digest(kind: str, text: str, length: int) -> str:
    return hashlib.blake2b(f"{kind}|{text}".encode()).hexdigest()[:length]


ACCOUNT_HEADER = "X-Plivo-Sim-Account"


def open_call(call: Call, caller: Caller) -> None:
    """Say who calls. Every answer names the account (invented), because control calls need it."""
    g.identity = identity_of(caller)
    call.headers[ACCOUNT_HEADER] = caller.auth_id


_KEY = tuple(Query(name=name, required=True) for name in ("countryIso", "numberType", "userType"))

_FILES = {
    "documents": {"type": "string", "contentMediaType": "application/json"},
    "files": {"type": "array", "items": FILE, "maxItems": 10},
}

_SUBMIT = {
    "type": "object",
    "properties": {
        "endUser": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/EndUserRequest"},
        },
        **_FILES,
        **{query.name: {"type": "string"} for query in _KEY},
    },
    "required": ["countryIso", "numberType", "userType", "endUser", "documents", "files"],
}

_RESUBMIT = {"type": "object", "properties": _FILES, "required": ["documents", "files"]}


@endpoint(
    "GET", "/status", "Where an organisation's application stands.",
    query=_KEY, answers={200: "StatusAnswerOut"}, errors=(400, 502),
)  # fmt: skip
def status() -> Response:
    """Atoms' own record; only the requirements come from Plivo."""
    key = read_key(request.args)
    found = _applications()
    required = found.requirement(key)
    answer: StatusAnswerOut = {
        "status": True,
        "data": present_status(found.find(key), required, found.account.machine),
    }
    return current_call().answer(answer)


@endpoint(
    "GET", "/requirements", "What a country asks for.",
    query=_KEY, answers={200: "RequirementAnswerOut"}, errors=(400, 502),
)  # fmt: skip
def requirements() -> Response:
    required = _applications().requirement(read_key(request.args))
    answer: RequirementAnswerOut = {"status": True, "data": present_requirement(required)}
    return current_call().answer(answer)


@endpoint(
    "POST", "/applications", "Submit an application.",
    query=(OUTCOME,), bodies={MULTIPART: _SUBMIT},
    answers={201: "ApplicationAnswerOut"}, errors=(400, 409, 502),
)  # fmt: skip
def submit() -> Response:
    form = _read(read_submit)
    made, done = _applications().submit(
        form, requested_outcome(request, current_call().account.machine)
    )
    _note(f"submitted {made.id}", done)
    return _answer(present_application(made), 201)


@endpoint(
    "PATCH", "/applications/{id}", "Submit a rejected application again, with all its documents.",
    query=(OUTCOME,), bodies={MULTIPART: _RESUBMIT},
    answers={200: "ApplicationAnswerOut"}, errors=(400, 404, 502),
)  # fmt: skip
def resubmit(id: str) -> Response:
    form = _read(read_resubmit)
    sent, done = _applications().resubmit(
        id, form, requested_outcome(request, current_call().account.machine)
    )
    _note(f"resubmitted {id}", done)
    return _answer(present_application(sent))


@endpoint(
    "POST", "/applications/{id}/refresh", "Poll Plivo for the status.",
    answers={200: "ApplicationAnswerOut"}, errors=(400, 404, 429, 502),
)  # fmt: skip
def refresh(id: str) -> Response:
    """A body is not looked at: the page's sample sends ``{}``, the SDK none (documented)."""
    refreshed = _applications().refresh(id)
    current_call().why = f"{id} is {refreshed.status}"
    return _answer(present_application(refreshed))


def _applications() -> Applications:
    return cast(Applications, g.applications)


def _read(read: Callable[[Any], ReadForm]) -> ReadForm:
    check_form(request.mimetype, request.content_length)
    form = read(read_body(request))
    current_call().warnings += [f"ignored field '{name}'" for name in form.ignored]
    return form


def _note(what: str, done: Accepted) -> None:
    """The clause for the log, and the warnings."""
    call = current_call()
    call.why = f"{what}: {done.application.id} at Plivo"
    call.warnings += [f"{dotted(problem.path)}: {problem.text}" for problem in done.warnings]


def _answer(application: ApplicationOut, status: int = 200) -> Response:
    answer: ApplicationAnswerOut = {"status": True, "data": application}
    return current_call().answer(answer, status)


ATOMS = Surface(
    name="atoms",
    title="Atoms compliance",
    description="The compliance facade of Smallest AI's Atoms.",
    prefix="/atoms/v1/compliance",
    endpoints=endpoints_of(sys.modules[__name__]),
    answers="plivo_sim.apis.atoms.presenters",
    bodies="plivo_sim.apis.atoms.schemas",
    security=BEARER,
    always=(401,),
    components={"EndUserRequest": "EndUserIn"},
)


def make_blueprint(find_fault: FindFault) -> Blueprint:
    """The blueprint; ``find_fault`` finds the fault that hits a call of Atoms to Plivo."""
    blueprint = Blueprint(ATOMS.name, __name__, url_prefix=ATOMS.prefix)
    cache = RequirementCache()
    name_unknown_parameters(blueprint, ATOMS.endpoints)

    @blueprint.before_request
    def serve() -> None:
        call = current_call()
        who = cast(Identity, g.identity)
        g.applications = Applications(call.account, who, Plivo(call, find_fault), cache)

    add_routes(blueprint, ATOMS.endpoints)
    return blueprint
