"""One application: a page with everything that is known about it, its report, its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.apis.atoms.presenters import present_application as present_atoms
from plivo_sim.apis.legacy.presenters import present_application as present_legacy
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.dialect import EXPANDABLE, Shown
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import just_refused
from plivo_sim.console.pages import guard, open_account, row_of, show
from plivo_sim.control.presenters import attempts_of, timers_of
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.text import printable
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.services import applications
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.document_sets import content_of
from plivo_sim.services.verdicts import forgotten_of, verdict_of
from plivo_sim.web.calls import current_call

INLINE = frozenset({"image/png", "image/jpeg"})


def application_page(auth_id: str, id: str) -> Response:
    """One application with everything about it."""
    account = open_account(auth_id)
    return show("application.html", account=account, **_case(account, id))


def report_page(auth_id: str, id: str) -> Response:
    """The application as text, to paste into a ticket, or to look at in a terminal."""
    account = open_account(auth_id)
    answer = show("report.txt", account=account, **_case(account, id))
    lines = answer.get_data(as_text=True).split("\n")
    answer.set_data("\n".join(map(printable, lines)))
    answer.content_type = "text/plain; charset=utf-8"
    return answer


def _case(account: Account, id: str) -> dict[str, Any]:
    with account.lock:
        application = applications.get(account, id)
        view = applications.view(account, application)
        machine, status = account.machine, application.status
        possible = machine.open_to(status)
        deliveries = account.store.deliveries.having("application_id", id)
        return {
            "view": view,
            "application": application,
            "next": timers_of(account, id),
            "decisions": possible,
            "takes_reason": any(machine.statuses[each].reason for each in possible),
            "correctable": machine.correctable(status),
            "is_draft": status == machine.draft,
            "in_review": status in machine.by_itself(machine.submitted),
            "presets": PRESETS,
            "written": _written(id),
            "deliveries": deliveries,
            "forgotten": forgotten_of(application, is_all=not deliveries),
            "attempts": attempts_of(account, application),
            "verdict": verdict_of(account, application),
            "shown": list(_as_shown(account, view)),
            "exchanges": [
                each
                for each in map(row_of, account.exchanges)
                if id in each["url"] or id in each["answer"]
            ],
            "inline": INLINE,
        }


def _written(id: str) -> str:
    """The reason of a decision that was just refused, to fill the form again."""
    refused = just_refused("decide", id=id)
    return str((refused[0].action.body or {}).get("reason", "")) if refused else ""


def _as_shown(account: Account, view: ApplicationView) -> Iterator[dict[str, Any]]:
    """The record as each API shows it: name, the call, its body without ``api_id``."""
    application, auth_id = view.application, account.auth_id
    shown = Shown(current_call().base_url, auth_id, EXPANDABLE)
    root, query = f"/v1/Account/{auth_id}", f"?expand={','.join(EXPANDABLE)}"
    yield {
        "name": "Legacy",
        "call": f"GET {root}/ComplianceApplication/{application.id}/",
        "body": present_legacy(view, applications.requirement_of(account, application)),
    }
    for dialect, api in (("beta", beta), ("current", current)):
        yield {
            "name": f"New API, {dialect}",
            "call": f"GET /{dialect}{root}/PhoneNumber/Compliance/{application.id}/{query}",
            "body": api.present_one(view, shown),
        }
    for record in account.store.atoms_applications.having("plivo_compliance_id", application.id):
        yield {
            "name": "Atoms",
            "call": "application of GET /atoms/v1/compliance/status"
            f"?countryIso={record.country_iso}&numberType={record.number_type}"
            f"&userType={record.user_type}",
            "body": present_atoms(record),
        }


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
    ("/applications/<id>/report.txt", report_page),
    ("/applications/<id>/documents/<document_id>/file", file_page),
]
