"""Applications: the list, and a page for each with everything that is known about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.apis.atoms.presenters import present_application as present_atoms
from plivo_sim.apis.legacy.presenters import present_application as present_legacy
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.dialect import EXPANDABLE, Shown
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import Action, Build, Form, just_refused, too_many
from plivo_sim.console.pages import Paged, guard, newest, newest_of, open_account, row_of, show
from plivo_sim.control.presenters import explained, timers_of
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.machine import ByHand
from plivo_sim.domain.records import Application, Origin
from plivo_sim.domain.text import printable
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.services import applications, reviews
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.document_sets import content_of
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call

Where = dict[str, list[str]]
INLINE = frozenset({"image/png", "image/jpeg"})


def list_page(auth_id: str) -> Response:
    """Newest first; filters and a search that looks into ids, aliases and applicants' names."""
    account = open_account(auth_id)
    machine = account.machine
    where = {
        name: values
        for name in ("status", "origin", "country_iso")
        if (values := [each for each in request.args.getlist(name) if each])
    }
    text = request.args.get("q", "").strip()
    if text:
        found = _search(account, where, text)
    else:
        with account.lock:
            found = newest(account.store.applications, where)
    with account.lock:
        rows = [_row(account, each) for each in found.items]
        countries = sorted({r.country_iso for r in account.catalogue.requirements})
        any_at_all = len(account.store.applications) > 0
    return show(
        "applications.html",
        account=account,
        found=Paged(rows, found.number, found.total),
        where=where,
        q=text,
        statuses=list(machine.statuses),
        origins=list(Origin),
        countries=countries,
        decisions={status: machine.ways_to(status)[0] for status in machine.decidable},
        presets=PRESETS,
        any_at_all=any_at_all,
    )


def _search(account: Account, where: Where, text: str) -> Paged[Application]:
    """A scan: only people search, and for words that no index has. Records never change, so the
    account is held only while they are listed."""
    with account.lock:
        every = list(account.store.applications.every())
    wanted = text.casefold()
    return newest_of(
        [
            each
            for each in every
            if all(getattr(each, name) in values for name, values in where.items())
            and _says(account, each, wanted)
        ]
    )


def _says(account: Account, application: Application, wanted: str) -> bool:
    if wanted in application.id.casefold() or wanted in (application.alias or "").casefold():
        return True
    end_user = account.store.end_users.fetch(application.end_user_id)
    return end_user is not None and wanted in f"{end_user.name} {end_user.last_name}".casefold()


def _row(account: Account, application: Application) -> dict[str, Any]:
    timers = timers_of(account, application.id)
    return {
        "application": application,
        "end_user": account.store.end_users.fetch(application.end_user_id),
        "next": timers[0] if timers else None,
    }


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
            "deliveries": account.store.deliveries.having("application_id", id),
            "attempts": [explained(each) for each in reviews.explanations_of(account, id)],
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


def decide(form: Form) -> list[Action]:
    """One decision for every application that was ticked."""
    status, ids, account = form.get("status", ""), form.getlist("id"), form.get("account", "")
    sim = current_call().sim
    machine = sim.account(account).machine if is_account(account) else sim.machine
    if status not in machine.decidable:
        return [_not_decided("choose a decision")]
    if not ids:
        return [_not_decided("tick the applications that it is for")]
    if wrong := too_many(ids):
        return [_not_decided(wrong)]
    ways = machine.ways_to(status)
    how = next((each for each in ways if each.command == form.get("verb")), ways[0])
    written = form.get("reason", "").strip() or form.get("preset", "")
    reasonless = bool(written) and not machine.statuses[status].reason
    wrong = f"{status} goes without a reason" if reasonless else ""
    return [replace(_decision(account, id, status, how, written), wrong=wrong) for id in ids]


def _decision(account: str, id: str, status: str, how: ByHand, reason: str) -> Action:
    named = ("--account", account) if account else ()
    said = ("--reason", reason) if reason else ()
    words = (how.command, id) if how.command in _commands(status) else ("decide", id, status)
    return Action(
        message=f"{how.done} {id}.",
        operation="decide",
        ids={"id": id},
        query={"account": account} if account else {},
        body={"status": status, **({"reason": reason} if reason else {})},
        cli=("apps", *words, *said, *named),
    )


def _commands(status: str) -> Collection[str]:
    """Those that ``plivo-sim apps`` has wherever it is called."""
    known = default_machine()
    return {each.command for each in known.ways_to(status)} if status in known.statuses else ()


def _not_decided(wrong: str) -> Action:
    return Action(message="", operation="decide", wrong=wrong)


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/applications", list_page),
    ("/applications/<id>", application_page),
    ("/applications/<id>/report.txt", report_page),
    ("/applications/<id>/documents/<document_id>/file", file_page),
]

ACTIONS: dict[str, Build] = {"decide": decide}
