"""Applications: a page for each, with everything that is known about it, and decisions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from flask import Response
from werkzeug.datastructures import MultiDict

from plivo_sim.account.account import Account
from plivo_sim.apis.atoms.presenters import present_application as present_atoms
from plivo_sim.apis.legacy.presenters import present_application as present_legacy
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.dialect import EXPANDABLE, Shown
from plivo_sim.apis.reading import name_file
from plivo_sim.console.actions import (
    MOST_AT_ONCE,
    Action,
    Build,
    Form,
    just_refused,
    too_many,
)
from plivo_sim.console.pages import guard, open_account, row_of, show
from plivo_sim.console.selection import asked_in, find
from plivo_sim.control.presenters import explained, timers_of
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.machine import ByHand
from plivo_sim.domain.text import printable
from plivo_sim.machines import default_machine
from plivo_sim.scenarios.rules import PRESETS
from plivo_sim.services import applications, reviews
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.document_sets import content_of
from plivo_sim.simulator import is_account
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
    """One decision for every application that was ticked, or for all that a list has (``all``, and
    the list's query as ``match``)."""
    status, id, sim = form.get("status", ""), form.get("account", ""), current_call().sim
    account = sim.account(id) if is_account(id) else None
    machine = account.machine if account is not None else sim.machine
    ids, left = form.getlist("id"), ""
    if status not in machine.decidable:
        return [_not_decided("choose a decision")]
    if account is not None and form.get("all"):
        ids, left = _matching(account, form.get("match", ""), status)
    if not ids:
        return [_not_decided(left or "tick the applications that it is for")]
    if wrong := too_many(ids):
        return [_not_decided(wrong)]
    ways = machine.ways_to(status)
    how = next((each for each in ways if each.command == form.get("verb")), ways[0])
    written = form.get("reason", "").strip() or form.get("preset", "")
    reasonless = bool(written) and not machine.statuses[status].reason
    wrong = f"{status} goes without a reason" if reasonless else ""
    made = [replace(_decision(id, each, status, how, written), wrong=wrong) for each in ids]
    if account is not None:
        made = [replace(each, name=_name(account, each.ids["id"])) for each in made]
    return [*made, _not_decided(left)] if left else made


def _matching(account: Account, query: str, status: str) -> tuple[list[str], str]:
    """The ids of all that a list has and that may be decided so, newest first, and what to say of
    the others."""
    asked = asked_in(MultiDict(parse_qsl(query)))
    every = find(account, asked).applications[::-1]
    may = [each.id for each in every if status in account.machine.open_to(each.status)]
    if len(may) > MOST_AT_ONCE:
        more, most = len(may) - MOST_AT_ONCE, MOST_AT_ONCE
        return may[:most], f"at most {most:,} go at once, and {more:,} more match: decide again"
    not_so = len(every) - len(may)
    return may, f"{not_so:,} that match cannot become {status} as they are" if not_so else ""


def _name(account: Account, id: str) -> str:
    application = account.store.applications.fetch(id)
    return (application and application.alias) or id


def _decision(account: str, id: str, status: str, how: ByHand, reason: str) -> Action:
    named = ("--account", account) if account else ()
    said = ("--reason", reason) if reason else ()
    words = (how.command, id) if how.command in _commands(status) else ("decide", id, status)
    return Action(
        message=f"{how.done} {id}.",
        did=how.done,
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
    ("/applications/<id>", application_page),
    ("/applications/<id>/report.txt", report_page),
    ("/applications/<id>/documents/<document_id>/file", file_page),
]

ACTIONS: dict[str, Build] = {"decide": decide}
