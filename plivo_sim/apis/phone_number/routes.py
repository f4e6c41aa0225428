"""The routes of ``PhoneNumber/Compliance``, shared by both dialects.

Both spellings of every URL are answered, without the last slash (documented) and with it
(observed); none redirects, because a redirect turns a POST into a GET. Every answer names its
dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from plivo_sim.apis.headers import DIALECT_HEADER, MOUNT_KEY, asked_outcome, name_file
from plivo_sim.apis.paging import meta, refuse_if_any, refuse_unknown
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.choice import Clues, choose
from plivo_sim.apis.phone_number.dialect import NewApi, Shown
from plivo_sim.apis.phone_number.limits import RateLimits
from plivo_sim.apis.words import dotted
from plivo_sim.domain.errors import NotFound, Problem, SimError
from plivo_sim.domain.records import Application, Origin
from plivo_sim.services import applications, corrections
from plivo_sim.web.bodies import Body, read_body
from plivo_sim.web.calls import Call, current_call

DIALECTS: dict[str, NewApi] = {"current": current, "beta": beta}


Chosen = tuple[Call, NewApi]


class ComplianceId(BaseConverter):
    """A compliance id in a URL: anything but the words that are URLs of their own, so that a
    method which those do not have is a 405 there, and not an id that nobody knows."""

    part_isolating = True
    regex = r"(?!(?:Requirements|Link)$)[^/]+"


def new_api_error(call: Call, error: SimError) -> tuple[int, dict[str, object]]:
    """An error in the words of the dialect as far as it is known."""
    if not call.dialect:
        _choose(call)
    return DIALECTS[call.dialect].error_body(error, call.api_id)


def make_blueprint() -> Blueprint:
    """The blueprint, with rate limits of its own."""
    blueprint = Blueprint(
        "compliance", __name__, url_prefix="/v1/Account/<auth_id>/PhoneNumber/Compliance"
    )
    blueprint.record(lambda state: state.app.url_map.converters.update(compliance=ComplianceId))
    limits = RateLimits()

    @blueprint.before_request
    def count() -> None:
        call = current_call()
        kind = "requirements" if call.operation == "compliance.requirements" else "operations"
        headers, refusal = limits.hit(call.auth_id, kind)
        call.headers |= headers
        if refusal is not None and call.account.settings.rate_limits:
            call.headers["Retry-After"] = str(refusal.retry_after_s)
            raise refusal

    routes: list[tuple[str, str, Callable[..., Response]]] = [
        ("GET", "/Requirements/", requirements),
        ("POST", "/", create),
        ("GET", "/", list_),
        ("GET", "/<compliance:id>/", get),
        ("PATCH", "/<compliance:id>/", update),
        ("DELETE", "/<compliance:id>/", delete),
        ("GET", "/<compliance:id>/Document/<document_id>/download/", download),
    ]
    for method, rule, view in routes:
        blueprint.add_url_rule(rule, view.__name__.strip("_"), view, methods=[method])
    return blueprint


def requirements(auth_id: str) -> Response:
    call, api = _choose(current_call())
    return call.answer(
        {"api_id": call.api_id, **api.present_requirements(call.sim.catalogue, request.args)}
    )


def create(auth_id: str) -> Response:
    call, api, body = _read_write(current_call())
    read = api.read_create(body)
    _warn_of_ignored(call, read.ignored)
    with call.account.lock:
        made = applications.create(
            call.account, read.wanted, api.RULES, read.problems, asked_outcome(request)
        )
        _remember(call)
    _warn(call, made.warnings)
    id = made.application.id
    call.why = f"created {id}; {_next_of(made)}"
    return call.answer({"api_id": call.api_id, **api.present_created(id)}, 201)


def get(auth_id: str, id: str) -> Response:
    call = current_call()
    account = call.account
    with account.lock:
        application = _found(call, id)
        call, api = _choose(call, application)

        def present() -> dict[str, Any]:
            shown = Shown(base_url, account.auth_id, api.read_get_query(request.args))
            return api.present_one(applications.view(account, application), shown)

        query, base_url = call.request.environ.get("QUERY_STRING", ""), call.base_url
        return call.answer_kept((id, call.dialect, query, base_url), present)


def list_(auth_id: str) -> Response:
    call, api = _choose(current_call())
    query = api.read_list_query(request.args)
    with call.account.lock:
        page = applications.page(call.account, query.where, offset=query.offset, limit=query.limit)
        views = [applications.view(call.account, each) for each in page.records]
        path = request.script_root + request.path  # a fixed mount stays in the links
        about = meta(path, request.args, query.offset, query.limit, page.total_count)
        shown = api.present_list(views, about, _shown(call, query.expand))
    return call.answer({"api_id": call.api_id, **shown})


def update(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        application = _found(call, id)
    call, api, body = _read_write(call, application)
    read = api.read_correction(body)
    asked = asked_outcome(request)
    _warn_of_ignored(call, read.ignored)
    with call.account.lock:
        application = _found(call, id)
        done = corrections.correct(
            call.account, application, read.change, api.RULES, read.problems, asked
        )
        _remember(call)
        view = applications.view(call.account, done.application)
        shown = api.present_corrected(view, _shown(call, ()))
    _warn(call, done.warnings)
    call.why = f"corrected {id}; {_next_of(done)}"
    return call.answer({"api_id": call.api_id, **shown})


def delete(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        application = _found(call, id)
        call, api = _choose(call, application)
        _take_no_query()
        applications.delete(call.account, application)
    call.why = f"deleted {id}"
    return call.answer({"api_id": call.api_id, **api.present_deleted(id)})


def download(auth_id: str, id: str, document_id: str) -> Response:
    """The bytes that were uploaded, as an attachment that no browser runs."""
    call = current_call()
    with call.account.lock:
        application = _found(call, id)
        call, _ = _choose(call, application)
        _take_no_query()
        document = call.account.store.documents.fetch(document_id)
        if document is None or document_id not in application.document_ids:
            raise NotFound("document", document_id)
        file = document.file
        content = call.account.files.read(file.sha256) if file is not None else None
    if file is None or content is None:
        raise NotFound("document", document_id)
    answer = Response(content, content_type=file.media_type)
    name_file(answer, file.name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _found(call: Call, id: str) -> Application:
    """The application, or NotFound in the dialect that a call without a record gets."""
    application = call.account.store.applications.fetch(id)
    if application is None:
        _choose(call)
        raise NotFound("application", id)
    return application


def _read_write(call: Call, application: Application | None = None) -> tuple[Call, NewApi, Body]:
    """Read the body and choose by it; an error in reading is told in the dialect known so far."""
    origin = application.origin if application is not None else None
    _choose(call, application)
    body = read_body(request)
    _, api = _choose(call, None, body, origin)
    _take_no_query()
    return call, api, body


def _take_no_query() -> None:
    """Refuse query parameters where there are none to give
    (decision "Unknown query parameters")."""
    if request.args:
        refuse_if_any(refuse_unknown(request.args, ()))


def _choose(
    call: Call,
    application: Application | None = None,
    body: Body | None = None,
    origin: Origin | None = None,
) -> Chosen:
    account, request = call.account_or_none, call.request
    environ = request.environ
    clues = Clues(
        asked=environ.get(MOUNT_KEY, "") or request.headers.get(DIALECT_HEADER, "").lower(),
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        is_write=request.method in ("POST", "PATCH"),
        has_data_part=None if body is None else body.part("data") is not None,
        record_origin=application.origin if application is not None else origin,
        last_write=account.last_dialect if account is not None else None,
        setting=account.settings.new_api if account is not None else call.sim.settings.new_api,
    )
    call.dialect = choose(clues)
    return call, DIALECTS[call.dialect]


def _remember(call: Call) -> None:
    """The dialect of the account's last write, for calls that carry no clue."""
    if call.account.last_dialect != call.dialect:
        call.account.last_dialect = call.dialect
        call.account.keep_ledger()


def _shown(call: Call, expand: Collection[str]) -> Shown:
    return Shown(call.base_url, call.account.auth_id, expand)


def _warn(call: Call, warnings: tuple[Problem, ...]) -> None:
    call.warnings += [f"{dotted(problem.path)}: {problem.text}" for problem in warnings]


def _warn_of_ignored(call: Call, ignored: list[str]) -> None:
    """Said with a refusal too: a misspelt name often is its cause."""
    call.warnings += [f"ignored field '{name}'" for name in ignored]


def _next_of(done: applications.Accepted) -> str:
    if not done.plan.steps:
        return "stays in review"
    step = done.plan.steps[0]
    return f"{step.status} after {step.after} ({done.plan.decided_by})"
