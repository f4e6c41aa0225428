"""One application: a page with everything that is known about it, and its files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import just_refused
from plivo_sim.console.applicant import turns_of
from plivo_sim.console.case_facts import INLINE, as_shown, facts_of
from plivo_sim.console.pages import guard, open_account, show
from plivo_sim.domain.errors import NotFound
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.services import applications
from plivo_sim.services.document_sets import content_of


def application_page(auth_id: str, id: str) -> Response:
    """One application with everything about it; ``?view=`` chooses the API whose answer is
    shown."""
    account = open_account(auth_id)
    home = f"/console/{auth_id}"
    with account.lock:
        facts = facts_of(account, id, lambda path: f"{home}/{path}")
        facts |= _possible(account, facts)
        shown = list(as_shown(account, facts["view"]))
    origin, wanted = facts["application"].origin, request.args.get("view", "")
    by_key = {each["key"]: each for each in shown}
    facts["files"] = {
        document.id: f"{home}/applications/{id}/documents/{document.id}/file"
        for document, _ in facts["view"].documents
    }
    return show(
        "application.html",
        account=account,
        rows=len(facts["view"].documents) + len(facts["deliveries"]),
        shown=shown,
        chosen=by_key.get(wanted) or by_key.get(origin) or shown[0],
        presets=PRESETS,
        written=_written(id),
        **facts,
    )


def _possible(account: Account, facts: dict[str, Any]) -> dict[str, Any]:
    """What can be done now, and by whom."""
    application, machine = facts["application"], account.machine
    possible = machine.open_to(application.status)
    return {
        "decisions": possible,
        "takes_reason": any(machine.statuses[each].reason for each in possible),
        "correctable": machine.correctable(application.status),
        "is_draft": application.status == machine.draft,
        "turns": turns_of(account, application),
    }


def _written(id: str) -> str:
    """The reason of a decision that was just refused, to fill the form again."""
    refused = just_refused("decide", id=id)
    return str((refused[0].action.body or {}).get("reason", "")) if refused else ""


def file_page(auth_id: str, id: str, document_id: str) -> Response:
    """An uploaded file: an image to look at, anything else to save. Nothing in it can run."""
    account = open_account(auth_id)
    with account.lock:
        application = applications.get(account, id)
        document = account.store.documents.fetch(document_id)
        if document is None or document_id not in application.document_ids or not document.file:
            raise NotFound("document", document_id)
        content = content_of(account, document.file)
    inline = document.file.media_type in INLINE
    answer = Response(content, content_type=document.file.media_type)
    name_file(answer, document.file.name, "inline" if inline else "attachment")
    guard(answer, "default-src 'none'; sandbox; frame-ancestors 'none'")
    return answer


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/applications/<id>", application_page),
    ("/applications/<id>/documents/<document_id>/file", file_page),
]
