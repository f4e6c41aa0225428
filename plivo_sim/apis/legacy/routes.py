"""``ComplianceApplication``: create a draft, list, get, update (a POST here), Submit, delete.

``ComplianceDocument``: create, list, get, update (a POST here), delete (documented).

``EndUser``: create, list, get, update (a POST here), delete (documented).

The routes of the legacy API.

Both spellings of every URL, with and without the last slash, are answered; none redirects,
because a redirect turns a POST into a GET. ``ComplianceRequirements`` is the page's spelling
(documented), ``ComplianceRequirement`` the SDKs' (observed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from plivo_sim.apis.headers import asked_outcome
from plivo_sim.apis.legacy import requirements
from plivo_sim.apis.legacy.presenters import (
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
    SCHEMAS,
    USER_TYPE,
    Filter,
    read_document,
    read_json,
    read_list_query,
    read_no_arguments,
    statuses,
)
from plivo_sim.apis.paging import answer_list, changed, warn_nothing_given
from plivo_sim.apis.shapes import Shape
from plivo_sim.apis.words import dotted
from plivo_sim.domain.errors import Problem, ProblemKind
from plivo_sim.domain.records import Application
from plivo_sim.services import applications, documents, drafts, end_users
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import EndUserChange, NewEndUser
from plivo_sim.web.calls import Call, current_call

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
    )
    with call.account.lock:
        made = drafts.create(call.account, wanted, problems)
        shown = _shown(call, made.application)
    call.warnings += [f"{dotted(each.path)}: {each.text}" for each in made.warnings]
    call.why = f"created draft {made.application.id}"
    return call.answer({"api_id": call.api_id, **shown, "message": "created"}, 201)


def list_applications(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _APPLICATION_FILTERS)
    with call.account.lock:
        page = applications.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [_shown(call, application) for application in page.records]
    return answer_list(call, query, shown, page.total_count)


def get_application(auth_id: str, id: str) -> Response:
    call = current_call()
    return call.answer_kept(id, lambda: _shown(call, applications.get(call.account, id)))


def update_application(auth_id: str, id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _application_change_in)
    warn_nothing_given(call, usable, problems)
    drafts.update(call.account, id, _document_ids(usable, problems), problems)
    return changed(call, f"changed the documents of {id}", 202)


def submit_application(auth_id: str, id: str) -> Response:
    """The full object, which the SDKs read (observed), plus the page's message (documented)."""
    call = current_call()
    read_no_arguments()
    asked = asked_outcome(request)
    with call.account.lock:
        done = drafts.submit(call.account, id, asked)
        shown = _shown(call, done.application)
    call.why = f"submitted {id} ({done.plan.decided_by})"
    return call.answer({"api_id": call.api_id, **shown, "message": "changed"}, 202)


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


def _shown(call: Call, application: Application) -> dict[str, Any]:
    """Caller holds the lock."""
    view = applications.view(call.account, application)
    return present_application(view, applications.requirement_of(call.account, application))


_DOCUMENT_FILTERS = {name: Filter((name,)) for name in ("end_user_id", "document_type_id", "alias")}


def create_document(auth_id: str) -> Response:
    call = current_call()
    wanted, problems = read_document(call, change=False)
    document = documents.create(call.account, wanted, problems)
    call.why = f"created document {document.id}"
    shown = present_created_document(document)
    return call.answer({"api_id": call.api_id, **shown, "message": "created"}, 201)


def list_documents(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _DOCUMENT_FILTERS)
    with call.account.lock:
        page = documents.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [present_listed_document(document) for document in page.records]
    return answer_list(call, query, shown, page.total_count)


def get_document(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        shown = present_document(documents.get(call.account, id))
    return call.answer({"api_id": call.api_id, **shown})


def update_document(auth_id: str, id: str) -> Response:
    call = current_call()
    change, problems = read_document(call, change=True)
    warn_nothing_given(call, () if change == DocumentRequest() else (change,), problems)
    documents.update(call.account, id, change, problems)
    return changed(call, f"changed document {id}", 202)


def delete_document(auth_id: str, id: str) -> Response:
    call = current_call()
    documents.delete(call.account, id)
    return changed(call, f"deleted document {id}")


_END_USER_FILTERS = {
    "name": Filter(("name",)),
    "last_name": Filter(("last_name",)),
    "type": USER_TYPE,
}


_end_user_in = Shape(SCHEMAS, "EndUserIn")


_end_user_change_in = Shape(SCHEMAS, "EndUserChangeIn")


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
    shown = present_end_user(end_user)
    return call.answer({"api_id": call.api_id, **shown, "message": "created"}, 201)


def list_end_users(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _END_USER_FILTERS)
    with call.account.lock:
        page = end_users.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [present_end_user(end_user) for end_user in page.records]
    return answer_list(call, query, shown, page.total_count)


def get_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    with call.account.lock:
        shown = present_end_user(end_users.get(call.account, id))
    return call.answer({"api_id": call.api_id, **shown})


def update_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _end_user_change_in)
    warn_nothing_given(call, usable, problems)
    name = usable.get("name")
    if name is not None and not name.strip():
        problems.append(Problem(ProblemKind.BAD_LENGTH, ("name",), "must not be empty"))
    change = EndUserChange(
        name=name, last_name=usable.get("last_name"), type=usable.get("end_user_type")
    )
    end_users.update(call.account, id, change, problems)
    return changed(call, f"changed end user {id}", 202)


def delete_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    end_users.delete(call.account, id)
    return changed(call, f"deleted end user {id}")


_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("POST", "/EndUser/", create_end_user),
    ("GET", "/EndUser/", list_end_users),
    ("GET", "/EndUser/<id>/", get_end_user),
    ("POST", "/EndUser/<id>/", update_end_user),
    ("DELETE", "/EndUser/<id>/", delete_end_user),
    ("GET", "/ComplianceDocumentType/", requirements.list_document_types),
    ("GET", "/ComplianceDocumentType/<id>/", requirements.get_document_type),
    ("GET", "/ComplianceRequirement/", requirements.look_up_requirement),
    ("GET", "/ComplianceRequirement/<id>/", requirements.get_requirement),
    ("GET", "/ComplianceRequirements/", requirements.look_up_requirement),
    ("GET", "/ComplianceRequirements/<id>/", requirements.get_requirement),
    ("POST", "/ComplianceDocument/", create_document),
    ("GET", "/ComplianceDocument/", list_documents),
    ("GET", "/ComplianceDocument/<id>/", get_document),
    ("POST", "/ComplianceDocument/<id>/", update_document),
    ("DELETE", "/ComplianceDocument/<id>/", delete_document),
    ("POST", "/ComplianceApplication/", create_application),
    ("GET", "/ComplianceApplication/", list_applications),
    ("GET", "/ComplianceApplication/<id>/", get_application),
    ("POST", "/ComplianceApplication/<id>/", update_application),
    ("DELETE", "/ComplianceApplication/<id>/", delete_application),
    ("POST", "/ComplianceApplication/<id>/Submit/", submit_application),
]


def make_blueprint() -> Blueprint:
    """The blueprint of the legacy API."""
    blueprint = Blueprint("legacy", __name__, url_prefix="/v1/Account/<auth_id>")

    @blueprint.before_request
    def speak() -> None:
        current_call().error_body = error_body

    for method, rule, view in _ROUTES:
        blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
    return blueprint
