"""``ComplianceDocument``: create, list, get, update (a POST here), delete (documented)."""

from __future__ import annotations

from flask import Response, request

from plivo_sim.dialects.calls import current_call
from plivo_sim.dialects.legacy.answers import answer_list, changed, warn_nothing_given
from plivo_sim.dialects.legacy.presenters import (
    present_created_document,
    present_document,
    present_listed_document,
)
from plivo_sim.dialects.legacy.queries import Filter, read_list_query
from plivo_sim.dialects.legacy.requests import read_document
from plivo_sim.services import documents
from plivo_sim.services.documents import DocumentRequest

_FILTERS = {name: Filter((name,)) for name in ("end_user_id", "document_type_id", "alias")}


def create_document(auth_id: str) -> Response:
    call = current_call()
    wanted, problems = read_document(call, change=False)
    document = documents.create(call.account, wanted, problems)
    call.why = f"created document {document.id}"
    shown = present_created_document(document)
    return call.answer({"api_id": call.api_id, **shown, "message": "created"}, 201)


def list_documents(auth_id: str) -> Response:
    call = current_call()
    query = read_list_query(call, request.args, _FILTERS)
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
