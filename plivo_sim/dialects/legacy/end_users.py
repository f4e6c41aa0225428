"""``EndUser``: create, list, get, update (a POST here), delete (documented)."""

from __future__ import annotations

from flask import Response, request

from plivo_sim.dialects.calls import current_call
from plivo_sim.dialects.legacy.answers import answer_list, changed, warn_nothing_given
from plivo_sim.dialects.legacy.presenters import present_end_user
from plivo_sim.dialects.legacy.queries import USER_TYPE, Filter, read_list_query
from plivo_sim.dialects.legacy.requests import SCHEMAS, read_json
from plivo_sim.dialects.shapes import Shape
from plivo_sim.errors import Fault, Problem
from plivo_sim.services import end_users
from plivo_sim.services.end_users import EndUserChange, NewEndUser

_FILTERS = {"name": Filter(("name",)), "last_name": Filter(("last_name",)), "type": USER_TYPE}
_end_user_in = Shape(SCHEMAS, "EndUserIn")
_change_in = Shape(SCHEMAS, "EndUserChangeIn")


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
    query = read_list_query(call, request.args, _FILTERS)
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
    usable, problems = read_json(call, _change_in)
    warn_nothing_given(call, usable, problems)
    name = usable.get("name")
    if name is not None and not name.strip():
        problems.append(Problem(Fault.BAD_LENGTH, ("name",), "must not be empty"))
    change = EndUserChange(
        name=name, last_name=usable.get("last_name"), type=usable.get("end_user_type")
    )
    end_users.update(call.account, id, change, problems)
    return changed(call, f"changed end user {id}", 202)


def delete_end_user(auth_id: str, id: str) -> Response:
    call = current_call()
    end_users.delete(call.account, id)
    return changed(call, f"deleted end user {id}")
