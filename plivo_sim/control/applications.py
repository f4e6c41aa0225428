"""Applications: the list, one with its timeline, a decision by hand, and why it was decided so;
also what would happen to an application that is not sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from flask import Response, request

from plivo_sim.account.lock import repeatable
from plivo_sim.apis.dialects import Clues, body_clue, detect_dialect
from plivo_sim.apis.outcomes import requested_outcome
from plivo_sim.apis.phone_number.routes import DIALECTS
from plivo_sim.apis.reading import requested_dialect
from plivo_sim.control import presenters
from plivo_sim.control.inputs import (
    ACCOUNT,
    HOLDER,
    IN_BODY,
    PAGE,
    account_holding,
    account_named,
    all_of,
    each_given,
    invalid,
    json_object,
    page_asked,
    refuse_unknown,
    takes,
    text_of,
    word_of,
)
from plivo_sim.domain.errors import Invalid, NotFound
from plivo_sim.domain.machine import WORDS_KEY
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.typed import dotted
from plivo_sim.domain.words import like_country, like_listed
from plivo_sim.services import applications, reviews
from plivo_sim.services.applications import Accepted
from plivo_sim.services.reviews import Decider
from plivo_sim.services.verdicts import verdict_of
from plivo_sim.web.bodies import read_body
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, MULTIPART, Query, endpoint
from plivo_sim.web.long_work import work_on_body

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import (
        EvaluationOut,
        PathProblemOut,
        PlannedStepOut,
        WhyOut,
    )

FILTERS = (
    Query(name="status", words="statuses", many=True),
    Query(name="country_iso", many=True),
    Query(name="number_type", enum=tuple(NumberType), many=True),
    Query(name="user_type", enum=tuple(UserType), many=True),
)


@endpoint(
    "GET", "/applications", "Applications, oldest first.",
    query=(ACCOUNT, *PAGE, *FILTERS),
    answers={200: "ApplicationsOut"},
)  # fmt: skip
def list_applications() -> Response:
    """The applications of the account, oldest first. ``status``, ``country_iso``,
    ``number_type`` and ``user_type`` filter; one that is given twice takes either."""
    account = account_named()
    known: dict[str, Collection[str]] = {
        **{each.name: each.enum for each in FILTERS},
        "status": account.machine.statuses,
    }
    where = {name: _wanted(name, words) for name, words in known.items() if name in request.args}
    offset, limit = page_asked()
    with account.lock:
        page = applications.page(account, where, offset=offset, limit=limit)
        ids = [each.id for each in page.records]
    shown = account.of_each(ids, lambda each: presenters.application_of(account, each))
    return current_call().answer({"total_count": page.total_count, "applications": shown})


def _wanted(name: str, words: Collection[str]) -> list[str]:
    given = each_given(name)
    if not words:
        return list(dict.fromkeys(map(_country, given)))
    for each in given:
        if each not in list(words):
            text = f"must be one of {', '.join(words)}, not '{each[:50]}'"
            raise invalid(name, text + like_listed(each[:50], list(words)))
    return given


def _country(text: str) -> str:
    """The code of a country of the catalogue, in any case."""
    names = current_call().sim.catalogue.names
    if text.upper() not in names:
        text = f"the catalogue has no country '{text[:50]}'{like_country(text[:50], names)}"
        raise invalid("country_iso", text)
    return text.upper()


@endpoint(
    "GET", "/applications/{id}", "One application: its timeline, and what comes next.",
    query=(HOLDER,), answers={200: "ApplicationOut"}, errors=(404,),
)  # fmt: skip
def get_application(id: str) -> Response:
    account = account_holding("applications", "application", id)
    with account.lock:
        shown = presenters.application_of(account, applications.get(account, id))
        return current_call().answer(shown)


BY: dict[str, Decider] = {"hand": "hand", "reviewer": "reviewer"}


@endpoint(
    "POST", "/applications/{id}/decision",
    "Decide by hand; answers after the first attempt of the callbacks.",
    **takes("status", account=IN_BODY, reason="string: a text, or the name of a preset",
            by={"enum": [*BY], "description": "whose arrow it follows: a tester's (default), or"
                " one that only the reviewer takes, whatever its not_before"},
            status={"type": "string", WORDS_KEY: "decidable",
                    "description": "or another of the account's machine"}),
    answers={200: "ApplicationOut"}, errors=(404, 409),
)  # fmt: skip
def decide(id: str) -> Response:
    """``{"status": …, "reason": …}``: what a reviewer would do, now; answers when the first attempt
    of its callbacks is over, or after a moment while a receiver is being called."""
    call = current_call()
    data = json_object()
    known = ("status", "reason", "by", "account")
    try:
        account = call.account = account_holding("applications", "application", id, data)
    except NotFound:
        refuse_unknown(data, known)
        raise
    machine = account.machine
    given = {"by": "hand"} | data
    all_of(
        lambda: refuse_unknown(data, known),
        lambda: word_of(data, "status", machine.statuses, machine.decidable),
        lambda: reviews.reason_given(text_of(data, "reason")),
        lambda: word_of(given, "by", BY),
    )
    by = BY[given["by"]]
    decided = call.sim.decide(id, data["status"], data.get("reason"), account=account, by=by)
    with account.lock:  # as it is now: others had their turn while its receiver was called
        application = account.store.applications.fetch(id) or decided
        if application.status not in account.machine.statuses:  # deleted: no machine waits for it
            raise NotFound("application", id)
        call.why = f"{id} is {application.status}, by hand"
        return call.answer(presenters.application_of(account, application))


@endpoint(
    "GET", "/applications/{id}/why", "Which rule decided, and why the others did not.",
    query=(HOLDER,), answers={200: "WhyOut"}, errors=(404,),
)  # fmt: skip
def why(id: str) -> Response:
    """Which rule decided each attempt, why the others did not match, and the near misses."""
    account = account_holding("applications", "application", id)
    with account.lock:
        application = applications.get(account, id)
        answer: WhyOut = {
            "id": id,
            "status": application.status,
            "verdict": verdict_of(account, application),
            "attempts": presenters.attempts_of(account, application),
        }
    return current_call().answer(answer)


# --- what would happen -----------------------------------------------------------------------


@endpoint(
    "POST", "/evaluate", "What would happen to a create of the new API; nothing is kept.",
    query=(ACCOUNT,), bodies={MULTIPART: "evaluated_form", JSON: "CreateIn"}, body_required=False,
    answers={200: "EvaluationOut"},
)  # fmt: skip
def evaluate() -> Response:
    """The body of a create of the new API, in either dialect; nothing of it is kept.

    ``would``: ``refused`` (with the answer that the API would give), ``stuck``, or the status
    that the reviewer would decide on; by which check or rule, and why.
    """
    with repeatable():
        account = account_named()
    body = read_body(request)
    with work_on_body():
        told = body_clue(body)
    clues = Clues(
        requested=requested_dialect(current_call()),
        body=told,
        user_agent=request.headers.get("User-Agent", ""),
        setting=account.settings.new_api,
    )
    api = DIALECTS[detect_dialect(clues)]
    try:
        with work_on_body():
            read = api.read_create(body)
        done, explanation = applications.evaluate(
            account,
            read.wanted,
            api.RULES,
            read.problems,
            requested_outcome(request, account.machine),
        )
    except Invalid as error:
        with work_on_body():
            status, answer = api.error_body(error, "")
            return current_call().answer(_refused(api.NAME, status, answer, error))
    rules = [presenters.rule_of(each) for each in explanation.verdicts]
    return current_call().answer(_planned(api.NAME, done) | {"rules": rules})


def _refused(
    dialect: str, status: int, answer: Mapping[str, object], error: Invalid
) -> EvaluationOut:
    problems: list[PathProblemOut] = [
        {"path": dotted(each.path), "message": each.text} for each in error.problems
    ]
    return {
        "would": "refused",
        "dialect": dialect,
        "status": status,
        "answer": dict(answer),
        "problems": problems,
    }


def _planned(dialect: str, done: Accepted) -> EvaluationOut:
    steps: list[PlannedStepOut] = [
        {"status": step.status, "after": str(step.after), "reason": step.reason}
        for step in done.plan.steps
    ]
    return {
        "would": steps[0]["status"] if steps else "stuck",
        "dialect": dialect,
        "by": done.plan.decided_by,
        "steps": steps,
        "warnings": [f"{dotted(each.path)}: {each.text}" for each in done.warnings],
    }
