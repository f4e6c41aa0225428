"""What happened in an account, for people: what a failing test shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Response, current_app, request

from plivo_sim.account.account import Account
from plivo_sim.control import presenters
from plivo_sim.control.inputs import ACCOUNT, account_holding, account_named, word_of
from plivo_sim.domain.limits import CLOCK_ENDS
from plivo_sim.domain.records import Application, Delivery, StatusChanged, standing
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.machines import default_machine
from plivo_sim.services import applications, reviews
from plivo_sim.services.verdicts import verdict_of
from plivo_sim.simulator.history import Moment
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Query, endpoint
from plivo_sim.web.long_work import long_work, passing
from plivo_sim.web.request_log import Exchange, requests_of
from plivo_sim.webhooks import outbox

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import ReportOut

MOST_LINES = 60
"""Of what came and went, the last."""


OTHERS = Query(
    name="others", enum=("all", "unset"),
    description="which other accounts are told of: all that were called or hold records; unset"
    " (default): those without settings of their own that were called since this one was made or"
    " reset.",
)  # fmt: skip


APPLICATION = Query(name="application", description="only about this one")
FORMAT = Query(
    name="format", enum=("json", "html"),
    description="html: a file that needs nothing else, to show to somebody; of one application, or"
    " of the newest of the account.",
)  # fmt: skip


@endpoint(
    "GET", "/report", "What happened in an account, as a failing test shows it.",
    query=(ACCOUNT, OTHERS, APPLICATION, FORMAT), answers={200: "ReportOut"}, errors=(404,),
)  # fmt: skip
def report() -> Response:
    """The clock, the timelines, the callbacks, the rules that did not match, the arrows that were
    taken, and what came and went, with real and simulated times; or what of it is about one
    ``application``. Of an account, nothing is made to happen for it; no receiver is waited for.

    With ``format=html`` it answers ``text/html``: pictures and styles inside, no script, secrets
    masked."""
    others = word_of(request.args, "others", OTHERS.enum) if request.args.get("others") else "unset"
    shape = word_of(request.args, "format", FORMAT.enum) if request.args.get("format") else "json"
    id = request.args.get("application", "")
    account = _account_of(id)
    if shape == "html":
        answer: Response = current_app.extensions["html_report"](account, id)
        return answer
    if id:
        with account.lock:
            lines = list(_all_about(account, id))
        return _answer(account, lines)
    lines = list(_state_of(account))
    with account.lock:
        arrows, came = list(_arrows(account)), _came(account)
    lines += [*arrows, *_course(came)]
    accounts = current_call().sim.called()
    with passing(accounts) as patience:
        for other in accounts:
            if other is not account:
                with patience.held(other.lock):
                    lines += _about_other(other, account, others)
    return _answer(account, lines)


def _account_of(id: str) -> Account:
    """That of an application, or the one that is named."""
    if id:
        return account_holding("applications", "application", id)
    return account_named(due=False)


def _answer(account: Account, lines: list[str]) -> Response:
    shown: ReportOut = {"account": account.auth_id, "lines": lines}
    return current_call().answer(shown)


def _all_about(account: Account, id: str) -> Iterator[str]:
    """What the report of the account says of one application."""
    yield _clock(account)
    yield from _about_application(account, applications.get(account, id))
    retries = outbox.retries_of(account)
    for delivery in account.store.deliveries.having("application_id", id):
        yield _about_delivery(delivery, retries)
    yield from _course([each for each in _came(account) if _is_about(each, id)])


def _is_about(each: Moment | Exchange, id: str) -> bool:
    if isinstance(each, Exchange):
        return id in each.url or id.encode() in each.answer
    what = each.what
    if isinstance(what, StatusChanged):
        return what.application.id == id
    return what.delivery.application_id == id


def _clock(account: Account) -> str:
    clock = presenters.clock_of(account)
    nothing = f"never: {CLOCK_ENDS}" if clock["due_never"] else "nothing"
    return f"clock: {clock['now']}, next due {clock['next_due'] or nothing}"


def _state_of(account: Account) -> Iterator[str]:
    with account.lock:
        yield _clock(account)
        if account.machine != default_machine():
            yield f"machine: {account.machine.name}"
        ids = [each.id for each in account.store.applications.every()]
    for lines in account.of_each(ids, lambda each: [*_about_application(account, each)]):
        yield from lines
    with account.lock:
        deliveries, retries = list(account.store.deliveries.every()), outbox.retries_of(account)
    with long_work(len(deliveries)):
        told = [_about_delivery(each, retries) for each in deliveries]
    yield from told


def _about_application(account: Account, application: Application) -> Iterator[str]:
    yield f"application {application.id} ({application.alias}): {application.status}"
    yield f"  {verdict_of(account, application)}"
    for change in application.timeline:
        text = f"  {change.at:%Y-%m-%d %H:%M:%S} {change.status}: {change.why}"
        yield text + (f" ({change.reason})" if change.reason else "")
    for explanation in reviews.explanations_of(account, application.id):
        yield f"  attempt {explanation.attempt}: {explanation.told}"
        for verdict in explanation.verdicts:
            if not verdict.matched:
                yield f"  rule '{verdict.rule}' did not match: {verdict.why}"


def _about_delivery(delivery: Delivery, retries: int) -> str:
    last = delivery.attempts[-1] if delivery.attempts else None
    came = f", last answer {last.status or last.error}" if last else ""
    why = f": {delivery.why}" if delivery.why and last is None else ""
    url = without_secrets(delivery.url)
    state = standing(delivery.state, len(delivery.attempts), retries)
    return f"callback {dict(delivery.payload)} to {url}: {state}{why}{came}"


# --- what came and went ----------------------------------------------------------------------


def _arrows(account: Account) -> Iterator[str]:
    """Those of the machine that were taken, as far as it is remembered."""
    taken = Counter(
        (moment.what.previous, moment.what.application.status, _who(moment.what))
        for moment in account.moments
        if isinstance(moment.what, StatusChanged)
    )
    for (origin, target, who), count in taken.items():
        times = f" {count} times" if count > 1 else ""
        yield f"arrow {origin} -> {target} taken by {who}{times}"


def _who(event: StatusChanged) -> str:
    timeline = event.application.timeline
    return timeline[-1].by if timeline else "client"


def _came(account: Account) -> list[Moment | Exchange]:
    """Requests, changes of status and tried callbacks in the order in which they came."""
    came = [*requests_of(account), *account.moments]
    came.sort(key=lambda each: each.arrived_s)
    return came


def _course(came: list[Moment | Exchange]) -> Iterator[str]:
    if came:
        yield "in order of arrival (real time, simulated time):"
    if len(came) > MOST_LINES:
        yield f"  {len(came) - MOST_LINES} earlier ones are left out"
    for each in came[-MOST_LINES:]:
        real = datetime.fromtimestamp(each.arrived_s, UTC)
        told = _moment(each) if isinstance(each, Moment) else _exchange(each)
        yield f"  {real:%H:%M:%S.%f}"[:-3] + f"  {each.at:%Y-%m-%d %H:%M:%S}  {told}"


def _moment(moment: Moment) -> str:
    what = moment.what
    if isinstance(what, StatusChanged):
        id, status = what.application.id, what.application.status
        return f"application {id}: {what.previous} -> {status} by {_who(what)}"
    delivery, attempt = what.delivery, what.delivery.attempts[-1]
    url, status = without_secrets(delivery.url), dict(delivery.payload).get("status", "")
    return f"callback {status} to {url}: {attempt.status or attempt.error}, {what.standing}"


def _exchange(exchange: Exchange) -> str:
    fault = f", fault {exchange.fault}" if exchange.fault else ""
    return f"request {exchange.method} {exchange.url}: {exchange.status} {exchange.why}{fault}"


# --- other accounts --------------------------------------------------------------------------


def _about_other(other: Account, account: Account, others: str) -> Iterator[str]:
    """That another account was called or has records: perhaps it was that one that was meant.
    Caller holds the other's lock, or takes it as it is."""
    since_s = account.began_s if others == "unset" else 0.0
    calls = [each for each in requests_of(other) if each.arrived_s >= since_s]
    held = len(other.store.applications)
    if (others == "unset" and other.overrides) or not (calls or (others == "all" and held)):
        return
    last = f", the last was {_exchange(calls[-1])}" if calls else ""
    yield (
        f"account {other.auth_id} was called, too: {len(calls)} requests, {held} applications"
        f"{last}; this is about {account.auth_id} (choose with auth_id=)"
    )
