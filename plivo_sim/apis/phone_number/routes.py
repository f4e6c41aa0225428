"""The routes of ``PhoneNumber/Compliance``, shared by both dialects.

Both spellings of every URL are answered, without the last slash (documented) and with it
(observed); none redirects, because a redirect turns a POST into a GET. Every answer names its
dialect.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from flask import Blueprint, Response, request
from msgspec.structs import replace
from werkzeug.routing import BaseConverter

from plivo_sim.apis.dialects import BodyClue, body_clue, dialect_of
from plivo_sim.apis.outcomes import OUTCOME, requested_outcome, warn_where_idle
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.beta.errors import ErrorOut
from plivo_sim.apis.phone_number.dialect import NewApi, Presented, Shown
from plivo_sim.apis.reading import (
    meta,
    name_file,
    refuse_if_any,
    refuse_unknown,
)
from plivo_sim.domain.errors import Invalid, NotFound, Problem, SimError
from plivo_sim.domain.records import Application
from plivo_sim.domain.typed import dotted
from plivo_sim.services import applications, corrections
from plivo_sim.services.document_sets import content_of, prepared
from plivo_sim.services.inputs import Correction
from plivo_sim.web.access import subaccount_of
from plivo_sim.web.bodies import Body, read_body
from plivo_sim.web.calls import Call, current_call
from plivo_sim.web.endpoints import (
    BASIC,
    FILE,
    FORM,
    JSON,
    MULTIPART,
    Endpoint,
    Form,
    Query,
    Surface,
    add_routes,
    endpoint,
    endpoints_of,
)

DIALECTS: dict[str, NewApi] = {"current": current, "beta": beta}
_PREFIX = "/v1/Account/{auth_id}/PhoneNumber/Compliance"
_ABOVE = "/PhoneNumber/Compliance/"


class ComplianceId(BaseConverter):
    """A compliance id in a URL: anything but the words that are URLs of their own, so that a
    method which those do not have is a 405 there, and not an unknown id."""

    part_isolating = True
    regex = r"(?!(?:Requirements|Link)$)[^/]+"


def new_api_error(call: Call, error: SimError) -> tuple[int, Presented]:
    """An error in the words of the dialect, as far as that is known."""
    if not call.dialect:
        _detect(call)
    return DIALECTS[call.dialect].error_body(error, call.api_id)


_KEY = tuple(Query(name=name) for name in ("country_iso", "number_type", "user_type"))
_EXPAND = Query(name="expand", description="Comma list of end_user, documents, linked_numbers.")

_LIST = (
    Query(name="limit", type="integer", description="1 to 100, default 20."),
    Query(name="offset", type="integer"),
    *(Query(name=name) for name in ("status", "country_iso", "number_type", "user_type", "alias")),
    _EXPAND,
)

_ONE = "/{compliance:compliance_id}/"


@endpoint(
    "GET", "/Requirements/", "What a country asks for.",
    query=_KEY, answers={200: "RequirementsOut"},
)  # fmt: skip
def requirements(auth_id: str) -> Response:
    call, api = _detect(current_call())
    return call.answer(
        {"api_id": call.api_id, **api.present_requirements(call.sim.catalogue, request.args)}
    )


@endpoint(
    "POST", "/", "Create an application and submit it for review.",
    query=(OUTCOME,), bodies={JSON: "CreateIn"}, answers={201: "CreatedOut"},
)  # fmt: skip
def create(auth_id: str) -> Response:
    call, api, body = _read_write(current_call())
    read = api.read_create(body)
    wanted = replace(read.wanted, subaccount=subaccount_of(auth_id))
    outcome = requested_outcome(request, call.account.machine)
    _warn_of_ignored(call, read.ignored)
    made = applications.create(call.account, wanted, api.RULES, read.problems, outcome)
    _warn(call, made.warnings)
    call.warnings += applications.callback_warning(call.account, wanted.callback_url)
    id = made.application.id
    call.why = f"created {id}; {_next_of(made)}"
    return call.answer({"api_id": call.api_id, **api.present_created(id)}, 201)


@endpoint(
    "GET", _ONE, "Read one application.",
    query=(_EXPAND, Query(name="id")), answers={200: "OneOut"}, errors=(404,),
)  # fmt: skip
def get(auth_id: str, compliance_id: str) -> Response:
    call = current_call()
    with call.account.lock:
        application = _found(call, compliance_id)
        call, api = _detect(call, application)
        shown = _shown(call, api.read_get_query(request.args))
        return call.answer_kept(
            api.present_one(applications.view(call.account, application), shown)
        )


@endpoint("GET", "/", "List applications, oldest first.", query=_LIST, answers={200: "ListOut"})
def list_(auth_id: str) -> Response:
    call, api = _detect(current_call())
    query = api.read_list_query(request.args, call.account.machine)
    with call.account.lock:
        page = applications.page(call.account, query.where, offset=query.offset, limit=query.limit)
        views = [applications.view(call.account, each) for each in page.records]
        path = request.script_root + request.path  # a fixed mount stays in the links
        about = meta(path, request.args, query.offset, query.limit, page.total_count)
        shown = api.present_list(views, about, _shown(call, query.expand))
    return call.answer({"api_id": call.api_id, **shown})


@endpoint(
    "PATCH", _ONE, "Correct a rejected application; it is submitted again.",
    query=(OUTCOME,), bodies={JSON: "UpdateIn"},
    answers={200: "UpdatedOut"}, errors=(404,),
)  # fmt: skip
def update(auth_id: str, compliance_id: str) -> Response:
    call = current_call()
    with call.account.lock:
        application = _found(call, compliance_id)
    call, api, body = _read_write(call, application)
    read = api.read_correction(body)
    outcome = requested_outcome(request, call.account.machine)
    _warn_of_ignored(call, read.ignored)
    uploads = [each.upload for each in read.change.documents or ()]
    with prepared(call.account, uploads), call.account.lock:
        application = _found(call, compliance_id)
        done = corrections.correct(
            call.account, application, read.change, api.RULES, read.problems, outcome
        )
        view = applications.view(call.account, done.application)
        shown = api.present_corrected(view, _shown(call, ()))
    _warn(call, done.warnings)
    call.warnings += applications.callback_warning(call.account, read.change.callback_url)
    if read.change == Correction():
        call.warnings.append("nothing to change was given; it was submitted as it was")
    call.why = f"{done.application.timeline[-1].why}: {compliance_id}; {_next_of(done)}"
    return call.answer({"api_id": call.api_id, **shown})


@endpoint("DELETE", _ONE, "Delete an application.", answers={200: "DeletedOut"}, errors=(404,))
def delete(auth_id: str, compliance_id: str) -> Response:
    call = current_call()
    with call.account.lock:
        application = _found(call, compliance_id)
        call, api = _detect(call, application)
        _take_no_query()
        applications.delete(call.account, application)
    call.why = f"deleted {compliance_id}"
    return call.answer({"api_id": call.api_id, **api.present_deleted(compliance_id)})


@endpoint(
    "GET", f"{_ONE}Document/{{document_id}}/download/", "The file of a document.",
    answers={200: None}, errors=(404,),
)  # fmt: skip
def download(auth_id: str, compliance_id: str, document_id: str) -> Response:
    """The bytes that were uploaded, as an attachment that no browser runs."""
    call = current_call()
    with call.account.lock:
        application = _found(call, compliance_id)
        call, _ = _detect(call, application)
        _take_no_query()
        document = call.account.store.documents.fetch(document_id)
        if document is None or document_id not in application.document_ids:
            raise NotFound("document", document_id)
        file = document.file
        if file is None:
            raise NotFound("document", document_id)
        content = content_of(call.account, file)
    answer = Response(content, content_type=file.media_type)
    name_file(answer, file.name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _found(call: Call, id: str) -> Application:
    """The application, or NotFound in the dialect that a call without a record gets."""
    application = call.account.store.applications.fetch(id)
    if application is None:
        _detect(call)
        raise NotFound("application", id)
    return application


def _read_write(call: Call, application: Application | None = None) -> tuple[Call, NewApi, Body]:
    """Read the body and detect the dialect by it; an error in reading is worded in the dialect as
    far as it is known."""
    _detect(call, application)
    try:
        body = read_body(request)
    except Invalid:
        if request.is_json:  # whatever it says, it is no form with ``data``
            _detect(call, application, BodyClue.BETA)
        raise
    _, api = _detect(call, application, body_clue(body))
    _take_no_query()
    return call, api, body


def _take_no_query() -> None:
    """Refuse query parameters where there are none to give
    (decision "Unknown query parameters")."""
    if request.args:
        refuse_if_any(refuse_unknown(request.args, ()))


def _detect(
    call: Call, application: Application | None = None, body: BodyClue = BodyClue.NOTHING
) -> tuple[Call, NewApi]:
    request = call.request
    record = application if application is not None else _record_of(call)
    has_beta_status = is_open_lookup = False
    if record is None and call.is_read:
        status = request.args.get("status", "")
        has_beta_status = _is_only_beta(call, status.strip().lower())
        if request.path.rstrip("/").endswith(f"{_ABOVE}Requirements"):
            is_open_lookup = not (request.args.get("number_type") and request.args.get("user_type"))
    call.dialect = dialect_of(
        call,
        body,
        record.origin if record is not None else None,
        has_beta_status=has_beta_status,
        is_open_lookup=is_open_lookup,
    )
    return call, DIALECTS[call.dialect]


def _is_only_beta(call: Call, word: str) -> bool:
    """Whether only the beta dialect has this word for a status."""
    account = call.account_or_none
    machine = account.machine if account is not None else call.sim.machine
    beta_words, others = machine.words("beta"), machine.words("current")
    return word in beta_words.values() and word not in others.values()


def _record_of(call: Call) -> Application | None:
    """The application that the URL names, for who has its account's credentials."""
    account, (_, _, below) = call.account_or_none, call.request.path.partition(_ABOVE)
    id = below.partition("/")[0]
    if account is None or not id:
        return None
    with account.lock:
        return account.store.applications.fetch(id)


def _shown(call: Call, expand: Collection[str]) -> Shown:
    return Shown(call.base_url, call.account.auth_id, expand)


def _warn(call: Call, warnings: tuple[Problem, ...]) -> None:
    call.warnings += [f"{dotted(problem.path)}: {problem.text}" for problem in warnings]


def _warn_of_ignored(call: Call, ignored: list[str]) -> None:
    """On a refusal too: a misspelt name is often its cause."""
    call.warnings += [f"ignored field '{name}'" for name in ignored]


def _next_of(done: applications.Accepted) -> str:
    if not done.plan.steps:
        return "stays in review"
    step = done.plan.steps[0]
    return f"{step.status} after {step.after} ({done.plan.decided_by}{done.plan.waits})"


_ENDPOINTS = endpoints_of(sys.modules[__name__])


def _data_form(name: str) -> dict[str, Any]:
    """A form whose ``data`` is a JSON text of this schema, with files beside it."""
    text = {
        "type": "string",
        "contentMediaType": JSON,
        "contentSchema": {"$ref": f"#/components/schemas/{name.removesuffix('In')}Request"},
    }
    files = {f"documents[{index}].file": FILE for index in range(2)}
    return {"type": "object", "properties": {"data": text, **files}, "required": ["data"]}


def _in_data_part(row: Endpoint) -> Endpoint:
    """As the current API takes a body: as the part ``data`` of a form."""
    forms = [_data_form(schema) for schema in row.bodies.values()]
    return replace(row, bodies={kind: form for form in forms for kind in (MULTIPART, FORM)})


def _as_json_or_form(row: Endpoint) -> Endpoint:
    """As the beta page's clients send a body; what needs no file may come without one."""
    if not row.bodies:
        return row
    schema = row.bodies[JSON]
    bodies = {JSON: schema, MULTIPART: Form(schema, documents=True)}
    return replace(row, bodies=bodies | {FORM: Form(schema)} if row.method == "PATCH" else bodies)


CURRENT = Surface(
    name="current",
    title="Plivo PhoneNumber/Compliance, current",
    description="The new API of today, which the official SDKs speak.",
    prefix=_PREFIX,
    endpoints=tuple(_in_data_part(row) for row in _ENDPOINTS),
    answers="plivo_sim.apis.phone_number.current.presenters",
    bodies="plivo_sim.apis.phone_number.current.schemas",
    security=BASIC,
    always=(400, 401, 429),
    mount="/current",
    components={"CreateRequest": "CreateIn", "UpdateRequest": "UpdateIn"},
)

BETA = Surface(
    name="beta",
    title="Plivo PhoneNumber/Compliance, beta",
    description="The new API of the private-beta page.",
    prefix=_PREFIX,
    endpoints=tuple(_as_json_or_form(row) for row in _ENDPOINTS),
    answers="plivo_sim.apis.phone_number.beta.presenters",
    bodies="plivo_sim.apis.phone_number.beta.schemas",
    error=ErrorOut,
    security=BASIC,
    always=(400, 401, 409, 413, 422, 429),
    mount="/beta",
)


def make_blueprint() -> Blueprint:
    """The blueprint."""
    prefix = _PREFIX.replace("{", "<").replace("}", ">")
    blueprint = Blueprint("compliance", __name__, url_prefix=prefix)
    blueprint.record(lambda state: state.app.url_map.converters.update(compliance=ComplianceId))
    warn_where_idle(blueprint, _ENDPOINTS)
    add_routes(blueprint, _ENDPOINTS)
    return blueprint
