"""``EndUser`` and ``ComplianceDocument``: create, list, get, update (by POST), delete (documented).
``ComplianceApplication``: the same of a draft, and Submit (documented).

Every URL is answered with and without the last slash; neither redirects, because a redirect turns
a POST into a GET.
"""

from __future__ import annotations

import sys
from typing import Any

from flask import Blueprint, Response, request

from plivo_sim.apis.legacy import requirements
from plivo_sim.apis.legacy.presenters import (
    ApplicationOut,
    ApplicationSentOut,
    DocumentCreatedOut,
    DocumentGetOut,
    EndUserCreatedOut,
    EndUserGetOut,
    error_body,
    present_application,
    present_created_document,
    present_document,
    present_end_user,
    present_listed_document,
)
from plivo_sim.apis.legacy.reading import (
    COUNTRY,
    NUMBER_TYPE,
    PAGE,
    SCHEMAS,
    TOLERATED,
    USER_TYPE,
    Filter,
    parameters,
    read_document,
    read_json,
    read_list_query,
    read_no_arguments,
    statuses,
)
from plivo_sim.apis.outcomes import OUTCOME, requested_outcome, warn_where_idle
from plivo_sim.apis.reading import (
    Shape,
    answer_list,
    changed,
    name_unknown_parameters,
    warn,
    warn_nothing_given,
)
from plivo_sim.domain.errors import Problem
from plivo_sim.domain.records import Application
from plivo_sim.services import applications, documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import EndUserChange, NewEndUser
from plivo_sim.web.access import subaccount_of
from plivo_sim.web.calls import Call, current_call
from plivo_sim.web.endpoints import (
    BASIC,
    FILE,
    FORM,
    JSON,
    MULTIPART,
    Form,
    Surface,
    add_routes,
    endpoint,
    endpoints_of,
)

_END_USER_FILTERS = {
    "name": Filter(("name",)),
    "last_name": Filter(("last_name",)),
    "type": USER_TYPE,
}

_end_user_in = Shape(SCHEMAS, "EndUserIn")
_end_user_change_in = Shape(SCHEMAS, "EndUserChangeIn")


@endpoint(
    "POST", "/EndUser/", "Create an end user.",
    bodies={JSON: "EndUserIn"}, answers={201: "EndUserCreatedOut"}, errors=(400, 404),
)  # fmt: skip
def create_end_user(auth_id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _end_user_in)
    wanted = NewEndUser(
        name=usable.get("name"),
        last_name=usable.get("last_name"),
        type=usable.get("end_user_type"),
    )
    end_user = end_users.create(call.account, wanted, problems)
    call.why = f"created end user {end_user.id}"
    answer: EndUserCreatedOut = {
        "api_id": call.api_id,
        **present_end_user(end_user),
        "message": "created",
    }
    return call.answer(answer, 201)


@endpoint(
    "GET", "/EndUser/", "List end users, oldest first.",
    query=(*PAGE, *parameters(_END_USER_FILTERS)),
    answers={200: "EndUserListOut"}, errors=(400,),
)  # fmt: skip
def list_end_users(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _END_USER_FILTERS)
    with call.account.lock:
        page = end_users.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [present_end_user(end_user) for end_user in page.records]
    return answer_list(call, query.offset, query.limit, shown, page.total_count)


@endpoint(
    "GET", "/EndUser/{id}/", "Read an end user.",
    answers={200: "EndUserGetOut"}, errors=(400, 404),
)  # fmt: skip
def get_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        shown = present_end_user(end_users.get(call.account, id))
    answer: EndUserGetOut = {"api_id": call.api_id, **shown}
    return call.answer(answer)


@endpoint(
    "POST", "/EndUser/{id}/", "Change an end user.",
    bodies={JSON: "EndUserChangeIn"}, body_required=False,
    answers={202: "MessageOut"}, errors=(400, 404),
)  # fmt: skip
def update_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _end_user_change_in)
    warn_nothing_given(call, usable, problems)
    change = EndUserChange(
        name=usable.get("name"),
        last_name=usable.get("last_name"),
        type=usable.get("end_user_type"),
    )
    warn(call, end_users.update(call.account, id, change, problems).warnings)
    return changed(call, f"changed end user {id}", 202)


@endpoint(
    "DELETE", "/EndUser/{id}/", "Delete an end user.",
    answers={200: "MessageOut"}, errors=(400, 404),
)  # fmt: skip
def delete_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    end_users.delete(call.account, id)
    return changed(call, f"deleted end user {id}")


_DOCUMENT_FILTERS = {name: Filter((name,)) for name in ("end_user_id", "document_type_id", "alias")}


@endpoint(
    "POST", "/ComplianceDocument/", "Create a document.",
    bodies={MULTIPART: Form("DocumentIn", more={"file": FILE}, open=True)},
    answers={201: "DocumentCreatedOut"}, errors=(400, 404),
)  # fmt: skip
def create_document(auth_id: str) -> Response:
    call = current_call()
    wanted, problems = read_document(call, change=False)
    document = documents.create(call.account, wanted, problems)
    call.why = f"created document {document.id}"
    answer: DocumentCreatedOut = {
        "api_id": call.api_id,
        **present_created_document(document),
        "message": "created",
    }
    return call.answer(answer, 201)


@endpoint(
    "GET", "/ComplianceDocument/", "List documents, oldest first.",
    query=(*PAGE, *parameters(_DOCUMENT_FILTERS)),
    answers={200: "DocumentListOut"}, errors=(400,),
)  # fmt: skip
def list_documents(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _DOCUMENT_FILTERS)
    with call.account.lock:
        page = documents.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [present_listed_document(document) for document in page.records]
    return answer_list(call, query.offset, query.limit, shown, page.total_count)


@endpoint(
    "GET", "/ComplianceDocument/{id}/", "Read a document.",
    answers={200: "DocumentGetOut"}, errors=(400, 404),
)  # fmt: skip
def get_document(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        shown = present_document(documents.get(call.account, id))
    answer: DocumentGetOut = {"api_id": call.api_id, **shown}
    return call.answer(answer)


@endpoint(
    "POST", "/ComplianceDocument/{id}/", "Change a document.",
    bodies={
        MULTIPART: Form("DocumentChangeIn", more={"file": FILE}, open=True),
        FORM: Form("DocumentChangeIn"),
    }, body_required=False,
    answers={202: "MessageOut"}, errors=(400, 404),
)  # fmt: skip
def update_document(auth_id: str, id: str) -> Response:
    call = current_call()
    change, problems = read_document(call, change=True)
    warn_nothing_given(call, () if change == DocumentRequest() else (change,), problems)
    documents.update(call.account, id, change, problems)
    return changed(call, f"changed document {id}", 202)


@endpoint(
    "DELETE", "/ComplianceDocument/{id}/", "Delete a document.",
    answers={200: "MessageOut"}, errors=(400, 404),
)  # fmt: skip
def delete_document(auth_id: str, id: str) -> Response:
    call = current_call()
    documents.delete(call.account, id)
    return changed(call, f"deleted document {id}")


_APPLICATION_FILTERS = {
    "status": Filter(("status",), statuses),
    "user_type": USER_TYPE,
    "number_type": NUMBER_TYPE,
    "country_iso": COUNTRY,
    "alias": Filter(("alias",)),
    "end_user_id": Filter(("end_user_id",)),
}

_application_in = Shape(SCHEMAS, "ApplicationIn")
_application_change_in = Shape(SCHEMAS, "ApplicationChangeIn")


@endpoint(
    "POST", "/ComplianceApplication/", "Create a draft of an application.",
    bodies={JSON: "ApplicationIn"}, answers={201: "ApplicationSentOut"}, errors=(400, 404),
)  # fmt: skip
def create_application(auth_id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _application_in, {"country_iso": "country_iso2"})
    wanted = NewDraft(
        requirement_id=usable.get("compliance_requirement_id"),
        country_iso=usable.get("country_iso2"),
        number_type=usable.get("number_type"),
        user_type=usable.get("end_user_type"),
        end_user_id=usable.get("end_user_id"),
        alias=usable.get("alias"),
        document_ids=_document_ids(usable, problems) or (),
        subaccount=subaccount_of(auth_id),
        callback_url=usable.get("callback_url"),
        operation_type=usable.get("operation_type"),
    )
    with call.account.lock:
        made = drafts.create(call.account, wanted, problems)
        shown = _shown(call, made.application)
    warn(call, made.warnings)
    call.warnings += applications.callback_warning(call.account, wanted.callback_url)
    call.why = f"created draft {made.application.id}"
    answer: ApplicationSentOut = {"api_id": call.api_id, **shown, "message": "created"}
    return call.answer(answer, 201)


@endpoint(
    "GET", "/ComplianceApplication/", "List applications, oldest first.",
    query=(*PAGE, *parameters(_APPLICATION_FILTERS)),
    answers={200: "ApplicationListOut"}, errors=(400,),
)  # fmt: skip
def list_applications(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _APPLICATION_FILTERS)
    with call.account.lock:
        page = applications.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [_shown(call, application) for application in page.records]
    return answer_list(call, query.offset, query.limit, shown, page.total_count)


@endpoint(
    "GET", "/ComplianceApplication/{id}/", "Read an application.",
    answers={200: "ApplicationGetOut"}, errors=(400, 404),
)  # fmt: skip
def get_application(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        return call.answer_kept(_shown(call, applications.get(call.account, id)))


@endpoint(
    "POST", "/ComplianceApplication/{id}/",
    "Replace the documents of a draft or a rejected application.",
    bodies={JSON: "ApplicationChangeIn"}, body_required=False,
    answers={202: "MessageOut"}, errors=(400, 404),
)  # fmt: skip
def update_application(auth_id: str, id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _application_change_in)
    warn_nothing_given(call, usable, problems)
    drafts.update(call.account, id, _document_ids(usable, problems), problems)
    return changed(call, f"changed the documents of {id}", 202)


@endpoint(
    "POST", "/ComplianceApplication/{id}/Submit/",
    "Submit a draft or a corrected application for review.",
    query=(OUTCOME,), answers={202: "ApplicationSentOut"}, errors=(400, 404),
)  # fmt: skip
def submit_application(auth_id: str, id: str) -> Response:
    """The full object, which the SDKs read (observed), plus the page's message (documented)."""
    call = current_call()
    read_no_arguments(call)
    requested = requested_outcome(request, call.account.machine)
    with call.account.lock:
        done = drafts.submit(call.account, id, requested)
        shown = _shown(call, done.application)
    warn(call, done.warnings)
    call.why = f"submitted {id} ({done.plan.decided_by}{done.plan.waits})"
    answer: ApplicationSentOut = {"api_id": call.api_id, **shown, "message": "changed"}
    return call.answer(answer, 202)


@endpoint(
    "DELETE", "/ComplianceApplication/{id}/", "Delete an application.",
    answers={200: "MessageOut"}, errors=(400, 404),
)  # fmt: skip
def delete_application(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        applications.delete(call.account, applications.get(call.account, id))
    return changed(call, f"deleted {id}")


def _document_ids(usable: dict[str, Any], problems: list[Problem]) -> list[str] | None:
    """The ids, or None when they are not given or not all usable (their places would shift)."""
    if any(problem.path[:1] == ("document_ids",) for problem in problems):
        return None
    return usable.get("document_ids")


def _shown(call: Call, application: Application) -> ApplicationOut:
    """Caller holds the lock."""
    view = applications.view(call.account, application)
    return present_application(view, applications.requirement_of(call.account, application))


LEGACY = Surface(
    name="legacy",
    title="Plivo legacy compliance API",
    description="EndUser, ComplianceDocumentType, ComplianceRequirement, ComplianceDocument, "
    "ComplianceApplication.",
    prefix="/v1/Account/{auth_id}",
    endpoints=endpoints_of(requirements, sys.modules[__name__]),
    answers="plivo_sim.apis.legacy.presenters",
    bodies=SCHEMAS,
    security=BASIC,
    always=(401,),
)


def make_blueprint() -> Blueprint:
    """The blueprint of the legacy API."""
    blueprint = Blueprint("legacy", __name__, url_prefix="/v1/Account/<auth_id>")

    @blueprint.before_request
    def speak() -> None:
        current_call().error_body = error_body

    name_unknown_parameters(blueprint, LEGACY.endpoints, TOLERATED)
    warn_where_idle(blueprint, LEGACY.endpoints)
    add_routes(blueprint, LEGACY.endpoints)
    return blueprint
