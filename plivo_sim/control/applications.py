"""Questions that change nothing: what would happen, why is a signature wrong, what was covered.

What an account holds, to look through: applications by filter, requirements, an export.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from flask import Response, request

from plivo_sim.apis.headers import DIALECT_HEADER, asked_outcome
from plivo_sim.apis.phone_number.choice import Clues, choose
from plivo_sim.apis.phone_number.routes import DIALECTS
from plivo_sim.apis.words import dotted
from plivo_sim.control import presenters
from plivo_sim.control.accounts import export
from plivo_sim.control.inputs import (
    account_named,
    invalid,
    json_object,
    number_of,
    text_of,
    word_of,
)
from plivo_sim.control.requests import clear_coverage, coverage
from plivo_sim.control.server import list_requirements
from plivo_sim.control.webhooks import verify_signature
from plivo_sim.domain.errors import Invalid
from plivo_sim.domain.records import Explanation, NumberType, UserType, Verdict
from plivo_sim.domain.statuses import Status
from plivo_sim.services import applications
from plivo_sim.services import reviews as planning
from plivo_sim.web.bodies import read_body
from plivo_sim.web.calls import current_call


def evaluate() -> Response:
    """The body of a create of the new API, in either dialect; nothing of it is kept.

    ``would``: ``refused`` (with the answer that the API would give), ``stuck``, or the status
    that the reviewer would decide on; by which check or rule, and why.
    """
    call, account = current_call(), account_named()
    body = read_body(request)
    clues = Clues(
        asked=request.headers.get(DIALECT_HEADER, "").lower(),
        user_agent=request.headers.get("User-Agent", ""),
        is_write=True,
        has_data_part=body.part("data") is not None,
        setting=account.settings.new_api,
    )
    api = DIALECTS[choose(clues)]
    try:
        read = api.read_create(body)
        done, explanation = applications.evaluate(
            account, read.wanted, api.RULES, read.problems, asked_outcome(request)
        )
    except Invalid as error:
        status, answer = api.error_body(error, "")
        shown = {"would": "refused", "dialect": api.NAME, "status": status, "answer": answer}
        return call.answer(shown | {"problems": _problems(error)})
    steps = [
        {"status": step.status, "after": str(step.after), "reason": step.reason}
        for step in done.plan.steps
    ]
    return call.answer(
        {
            "would": steps[0]["status"] if steps else "stuck",
            "dialect": api.NAME,
            "by": done.plan.decided_by,
            "steps": steps,
            "warnings": [f"{dotted(each.path)}: {each.text}" for each in done.warnings],
            "rules": [_verdict_shown(each) for each in explanation.verdicts],
        }
    )


def _problems(error: Invalid) -> list[dict[str, str]]:
    return [{"path": dotted(each.path), "message": each.text} for each in error.problems]


def _verdict_shown(verdict: Verdict) -> dict[str, Any]:
    return {"rule": verdict.rule, "matched": verdict.matched, "why": verdict.why}


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("POST", "/evaluate", evaluate),
    ("POST", "/webhooks/verify-signature", verify_signature),
    ("GET", "/coverage", coverage),
    ("DELETE", "/coverage", clear_coverage),
]


FILTERS: dict[str, type[StrEnum] | None] = {
    "status": Status,
    "country_iso": None,
    "number_type": NumberType,
    "user_type": UserType,
}


def list_applications() -> Response:
    """The applications of the account, oldest first. ``status``, ``country_iso``,
    ``number_type`` and ``user_type`` filter; one that is given twice takes either."""
    where = {name: _wanted(name, words) for name, words in FILTERS.items() if name in request.args}
    account = account_named()
    offset, limit = number_of("offset", 0), number_of("limit", 100)
    with account.lock:
        page = applications.page(account, where, offset=offset, limit=limit)
        shown = [presenters.application_of(account, each) for each in page.records]
    return current_call().answer({"total_count": page.total_count, "applications": shown})


def _wanted(name: str, words: type[StrEnum] | None) -> list[str]:
    given = request.args.getlist(name)
    if words is None:
        return [each.upper() for each in given]
    for each in given:
        if each not in list(words):
            raise invalid(name, f"must be one of {', '.join(words)}, not '{each[:50]}'")
    return given


LISTING_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/applications", list_applications),
    ("GET", "/requirements", list_requirements),
    ("GET", "/export", export),
]


# --- applications ----------------------------------------------------------------------------


def get_application(id: str) -> Response:
    call = current_call()
    account = call.sim.account_of_application(id)
    call.sim.runner.catch_up(account)
    with account.lock:
        return call.answer(presenters.application_of(account, applications.get(account, id)))


def decide(id: str) -> Response:
    """``{"status": …, "reason": …}``: what a reviewer would do, now; answers when the first attempt
    of its callbacks is over, or after a moment while a receiver is being called."""
    call = current_call()
    data = json_object("status", "reason")
    status, reason = word_of(data, "status", Status), text_of(data, "reason")
    account = call.sim.account_of_application(id)
    call.sim.runner.catch_up(account)
    application = call.sim.decide(id, status, reason)
    call.why = f"{id} is {application.status}, by hand"
    call.account = account
    with account.lock:
        return call.answer(presenters.application_of(account, application))


NEAR_MISSES = 3


# --- why -------------------------------------------------------------------------------------


def why(id: str) -> Response:
    """Which rule decided each attempt, why the others did not match, and the near misses."""
    call = current_call()
    account = call.sim.account_of_application(id)
    call.sim.runner.catch_up(account)
    with account.lock:
        application = applications.get(account, id)
        shown = [explained(each) for each in planning.explanations_of(account, id)]
    return call.answer({"id": id, "status": application.status, "attempts": shown})


def explained(explanation: Explanation) -> dict[str, Any]:
    """One attempt, with its nearest misses."""
    missed = [each for each in explanation.verdicts if not each.matched and each.met > 0]
    nearest = sorted(missed, key=lambda verdict: -verdict.met)[:NEAR_MISSES]
    return {
        "attempt": explanation.attempt,
        "decided_by": explanation.decided_by,
        "rules": [_verdict(each) for each in explanation.verdicts],
        "near_misses": [_verdict(each) for each in nearest],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "rule": verdict.rule,
        "matched": verdict.matched,
        "why": verdict.why,
        "conditions_met": verdict.met,
    }
