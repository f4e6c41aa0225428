"""``ComplianceApplication``: create a draft, list, get, update (a POST here), Submit, delete."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from plivo_sim.dialects.calls import Call, current_call
from plivo_sim.dialects.legacy.answers import answer_list, changed, warn_nothing_given
from plivo_sim.dialects.legacy.presenters import present_application
from plivo_sim.dialects.legacy.queries import (
    COUNTRY,
    NUMBER_TYPE,
    USER_TYPE,
    Filter,
    read_list_query,
    statuses,
)
from plivo_sim.dialects.legacy.requests import SCHEMAS, read_json, read_no_arguments
from plivo_sim.dialects.outcome import asked_outcome
from plivo_sim.dialects.shapes import Shape
from plivo_sim.dialects.words import dotted
from plivo_sim.domain.models import Application
from plivo_sim.errors import Problem
from plivo_sim.services import applications, drafts
from plivo_sim.services.drafts import NewDraft

_FILTERS = {
    "status": Filter(("status",), statuses),
    "user_type": USER_TYPE,
    "number_type": NUMBER_TYPE,
    "country_iso": COUNTRY,
    "alias": Filter(("alias",)),
    "end_user_id": Filter(("end_user_id",)),
}
_application_in = Shape(SCHEMAS, "ApplicationIn")
_change_in = Shape(SCHEMAS, "ApplicationChangeIn")


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
    query = read_list_query(call, request.args, _FILTERS)
    with call.account.lock:
        page = applications.page(call.account, query.where, offset=query.offset, limit=query.limit)
        shown = [_shown(call, application) for application in page.records]
    return answer_list(call, query, shown, page.total_count)


def get_application(auth_id: str, id: str) -> Response:
    call = current_call()
    return call.answer_kept(id, lambda: _shown(call, applications.get(call.account, id)))


def update_application(auth_id: str, id: str) -> Response:
    call = current_call()
    usable, problems = read_json(call, _change_in)
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
