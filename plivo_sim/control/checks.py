"""Questions that change nothing: what would happen, why is a signature wrong, what was covered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from plivo_sim.control.accounts import world_of
from plivo_sim.control.inputs import invalid, json_object, text_of
from plivo_sim.dialects.bodies import read_body
from plivo_sim.dialects.calls import current_call
from plivo_sim.dialects.outcome import asked_outcome
from plivo_sim.dialects.phone_number.choice import HEADER, Clues, choose
from plivo_sim.dialects.phone_number.routes import DIALECTS
from plivo_sim.dialects.words import dotted
from plivo_sim.domain.models import Verdict
from plivo_sim.errors import Invalid
from plivo_sim.services import applications
from plivo_sim.webhooks.diagnosis import Seen, diagnose


def evaluate() -> Response:
    """The body of a create of the new API, in either dialect; nothing of it is kept.

    ``would``: ``refused`` (with the answer that the API would give), ``stuck``, or the status
    that the reviewer would decide on; by which check or rule, and why.
    """
    call, world = current_call(), world_of()
    body = read_body(request)
    clues = Clues(
        asked=request.headers.get(HEADER, "").lower(),
        user_agent=request.headers.get("User-Agent", ""),
        is_write=True,
        has_data_part=body.part("data") is not None,
        setting=world.settings.new_api,
    )
    api = DIALECTS[choose(clues)]
    try:
        read = api.read_create(body)
        done, explanation = applications.evaluate(
            world, read.wanted, api.RULES, read.problems, asked_outcome(request)
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
            "rules": [_verdict(each) for each in explanation.verdicts],
        }
    )


def _problems(error: Invalid) -> list[dict[str, str]]:
    return [{"path": dotted(each.path), "message": each.text} for each in error.problems]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"rule": verdict.rule, "matched": verdict.matched, "why": verdict.why}


def verify_signature() -> Response:
    """``{"method", "url", "headers", "body", "token"}`` as a receiver saw them; without a token
    the account's own counts. Says which part of the receiver's check is wrong."""
    data = json_object("method", "url", "headers", "body", "token", "account")
    headers = data.get("headers")
    if not isinstance(headers, Mapping) or not all(isinstance(v, str) for v in headers.values()):
        raise invalid("headers", "must be an object of strings")
    url, token = text_of(data, "url"), text_of(data, "token")
    if not url:
        raise invalid("url", "is required")
    if token is None:
        token = world_of(data).token or ""
    seen = Seen(
        method=(text_of(data, "method") or "POST").upper(),
        url=url,
        headers=headers,
        body=text_of(data, "body") or "",
        token=token,
    )
    try:
        return current_call().answer(diagnose(seen))
    except ValueError as error:
        raise invalid("url", str(error)) from None


def coverage() -> Response:
    """What this run has exercised, of all that there is."""
    return current_call().answer(current_call().sim.coverage.report())


def clear_coverage() -> Response:
    """Begin a new run."""
    current_call().sim.coverage.clear()
    return coverage()


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("POST", "/evaluate", evaluate),
    ("POST", "/webhooks/verify-signature", verify_signature),
    ("GET", "/coverage", coverage),
    ("DELETE", "/coverage", clear_coverage),
]
