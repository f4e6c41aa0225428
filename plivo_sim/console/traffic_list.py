"""What went between a client, Plivo and webhooks, as one list: requests, callbacks, and what the
inboxes received of them. The Traffic page and the pages of each of these show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from flask import request

from plivo_sim.account.account import Account
from plivo_sim.console.pages import Paged, newest_of
from plivo_sim.console.pictures.waterfall import Kind, Line, Mark
from plivo_sim.domain.records import RETRY, Delivery, DeliveryState
from plivo_sim.services import policies
from plivo_sim.simulator.history import Moment
from plivo_sim.web.calls import current_call
from plivo_sim.web.request_log import Exchange
from plivo_sim.webhooks import outbox
from plivo_sim.webhooks.composing import DELIVERY_HEADER
from plivo_sim.webhooks.outbox import Attempted

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import MessageOut

FILTERS = ("kind", "operation", "status", "state", "dialect", "fault", "application", "q")
KINDS = {"request": "requests", "callback": "callbacks", "message": "inbox messages"}
CLASSES = {
    "2": "2xx, done", "3": "3xx, redirected", "4": "4xx, refused", "5": "5xx, failed",
    "none": "no answer",
}  # fmt: skip
ANY_FAULT = "any"
ATTEMPT_HEADER = "X-Plivo-Sim-Attempt"
TONES = {
    DeliveryState.DELIVERED: "good", DeliveryState.FAILED: "bad", DeliveryState.BLOCKED: "bad",
    DeliveryState.PENDING: "wait",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A request, a callback or a message. ``word``: what became of it; ``note``: why, or when it
    goes on."""

    kind: Kind
    id: str
    at: datetime
    path: str
    title: str
    word: str
    tone: str
    what: str = ""
    note: str = ""
    fault: str = ""
    next_at: datetime | None = None
    took_ms: float | None = None
    marks: tuple[Mark, ...] = ()
    about: Any = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """``found``: the rows of the requested page. ``any_at_all``: whether there is any, whatever the
    filters. ``forgotten``: how much of each kind is not kept any more."""

    chosen: dict[str, str]
    choices: dict[str, list[tuple[str, str]]]
    found: Paged[Row]
    any_at_all: bool
    forgotten: dict[str, int] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The filters, for the end of a URL; empty without any."""
        return urlencode({name: value for name, value in self.chosen.items() if value})

    def beside(self, id: str) -> tuple[Row | None, Row | None]:
        """The rows next to this one on its page, the newer one first; None where there is none."""
        rows = [None, *self.found.items, None]
        at = next((n for n, each in enumerate(rows) if each and each.id == id), 0)
        return (rows[at - 1], rows[at + 1]) if at else (None, None)


_Made = tuple[tuple[datetime, float, int], str, Callable[[], Row]]
"""A place in the order, the id, and what makes the row, which is only done for those that are
shown."""


def traffic_of(account: Account, around: str = "") -> Traffic:
    """What the filters of this page's URL leave, newest first. ``around``: the id of a row; the
    page is the one that it is on."""
    chosen = {name: request.args.get(name, "").strip() for name in FILTERS}
    exchanges = list(account.exchanges)
    with account.lock:
        deliveries = list(account.store.deliveries.every())
        kept = current_call().sim.inboxes
        messages = list(_messages(account))
        made: list[_Made] = []
        if chosen["kind"] in ("", "request"):
            made += _requests(account, exchanges, chosen)
        if chosen["kind"] in ("", "callback"):
            made += _callbacks(account, deliveries, chosen)
        if chosen["kind"] in ("", "message"):
            made += _received(messages, chosen)
        made.sort(key=lambda each: each[0])
        at = next((n for n, (_, id, _) in enumerate(made) if id == around), None)
        page = newest_of(made, at)
        rows = [make() for _, _, make in page.items]
        forgotten = {
            "requests": account.exchanges.forgotten,
            "callbacks": outbox.forgotten(account),
            "inbox messages": kept.forgotten,
        }
    return Traffic(
        chosen=chosen,
        choices=_choices(exchanges, chosen),
        found=Paged(rows, page.number, page.total),
        any_at_all=bool(exchanges or deliveries or messages),
        forgotten={what: count for what, count in forgotten.items() if count},
    )


def lines_of(account: Account, traffic: Traffic) -> list[Line]:
    """The same for the picture."""
    signs = {"request": "→ Plivo", "callback": "→ webhook", "message": "→ inbox"}
    tail = f"?{traffic.query}" if traffic.query else ""
    return [
        Line(
            each.kind, f"{signs[each.kind]}  {each.title}",
            f"/console/{account.auth_id}/{each.path}{tail}", each.marks, each.fault,
        )
        for each in traffic.found.items
    ]  # fmt: skip


def _choices(exchanges: list[Exchange], chosen: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """What each filter offers: what there is, and what is chosen, even if there is none of it."""
    offered = {}
    for name in ("operation", "dialect", "fault"):
        words = {getattr(each, name) for each in exchanges} | {chosen[name]}
        offered[name] = [(each, each) for each in sorted(words - {"", ANY_FAULT})]
    offered["fault"].insert(0, (ANY_FAULT, "any fault"))
    return offered | {
        "kind": list(KINDS.items()),
        "status": list(CLASSES.items()),
        "state": [(each, each) for each in (RETRY, *map(str, DeliveryState))],
    }


# --- requests --------------------------------------------------------------------------------


def _requests(
    account: Account, exchanges: list[Exchange], chosen: dict[str, str]
) -> Iterator[_Made]:
    if chosen["state"]:
        return
    for each in exchanges:
        if (
            chosen["dialect"] in ("", each.dialect)
            and chosen["operation"] in ("", each.operation)
            and _is_of_class(each.status, chosen["status"])
            and _is_struck(each.fault, chosen["fault"])
            and _holds(_texts_of(each), chosen["application"], chosen["q"])
        ):
            yield (each.at, each.arrived_s, 0), each.id, partial(request_row, account, each)


def request_row(account: Account, each: Exchange) -> Row:
    target = target_of(each)
    tone = tone_of(each.status)
    return Row(
        kind="request", id=each.id, at=each.at, path=f"requests/{each.id}",
        title=f"{each.method} {target.replace(f'/v1/Account/{account.auth_id}', '…', 1)}",
        word=str(each.status), tone=tone, what=each.operation, note=each.why, fault=each.fault,
        took_ms=round(each.took_ms, 2), about=each,
        marks=(Mark(each.at, tone, f"{each.status} {each.why}".strip()),),
    )  # fmt: skip


def target_of(each: Exchange) -> str:
    """Path and query, as they came."""
    query = each.environ.get("QUERY_STRING", "")
    path = quote(
        each.environ.get("SCRIPT_NAME", "") + each.environ.get("PATH_INFO", ""), safe="/:@%{}"
    )
    return f"{path}?{query}" if query else path


def _texts_of(each: Exchange) -> Callable[[], str]:
    def texts() -> str:
        sent = each.sent
        body = b"" if sent is None else sent.content
        parts = "" if sent is None else str(sent.parts)
        answer = (each.answer + each.answer_end).decode("utf-8", "replace")
        return f"{each.url} {body.decode('utf-8', 'replace')} {parts} {answer} {each.why} {each.id}"

    return texts


# --- callbacks -------------------------------------------------------------------------------


def _callbacks(
    account: Account, deliveries: list[Delivery], chosen: dict[str, str]
) -> Iterator[_Made]:
    if chosen["operation"] or chosen["dialect"] or chosen["fault"]:
        return
    arrived = {
        moment.what.delivery.id: moment.arrived_s
        for moment in account.moments
        if isinstance(moment, Moment) and isinstance(moment.what, Attempted)
    }
    for each in deliveries:
        last = each.attempts[-1].status if each.attempts else None
        if (
            chosen["state"] in ("", _state_of(each))
            and _is_of_class(last, chosen["status"])
            and chosen["application"] in ("", each.application_id)
            and _holds(_words_of(each), "", chosen["q"])
        ):
            place = (each.created_at, arrived.get(each.id, 0.0), each.seq)
            yield place, each.id, partial(callback_row, account, each)


def _state_of(each: Delivery) -> str:
    is_tried_again = each.state is DeliveryState.PENDING and each.attempts
    return RETRY if is_tried_again else each.state


def callback_row(account: Account, each: Delivery) -> Row:
    """Caller holds the lock."""
    timers = account.store.timers.having("subject_id", each.id)
    next_at = timers[0].due_at if timers else None
    application = account.store.applications.fetch(each.application_id)
    last = each.attempts[-1] if each.attempts else None
    marks = [
        Mark(it.at, attempt_tone(account, it.status), f"try {n}: {it.outcome}")
        for n, it in enumerate(each.attempts, 1)
    ]
    if next_at is not None:
        marks.append(Mark(next_at, "wait", "next try" if marks else "first try", planned=True))
    if not marks:
        marks.append(Mark(each.created_at, TONES.get(each.state, "idle"), each.why))
    note = last.outcome if last else each.why.partition("; ")[2].partition("; ")[0]
    return Row(
        kind="callback", id=each.id, at=each.created_at, path=f"webhooks/{each.id}",
        title=says(each) or each.id, word=outbox.standing_of(account, each),
        tone=TONES.get(each.state, "idle"), what=_name_of(application, each), note=note,
        next_at=next_at, took_ms=round(last.latency_s * 1000, 1) if last else None,
        marks=tuple(marks), about=each,
    )  # fmt: skip


def _name_of(application: Any, each: Delivery) -> str:
    return (
        (application.alias or application.id) if application else f"{each.application_id}, deleted"
    )


def says(delivery: Delivery) -> str:
    """What a callback is about, from its payload."""
    return ", ".join(value for name, value in delivery.payload if name in ("event", "status"))


def attempt_tone(account: Account, status: int | None) -> str:
    """Of an answer of a receiver: what counts as delivered is good."""
    success = policies.webhook_policy(account).success or range(200, 300)
    if status is not None and status in success:
        return "good"
    return "bad" if status is None or status >= 500 else "wait"


def _words_of(each: Delivery) -> Callable[[], str]:
    def words() -> str:
        tried = " ".join(f"{it.body} {it.answer} {it.error or ''}" for it in each.attempts)
        return f"{each.id} {each.application_id} {each.url} {each.why} {dict(each.payload)} {tried}"

    return words


# --- messages --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What an inbox received of a callback of the account; ``number``: its place in the inbox."""

    name: str
    number: int
    what: MessageOut
    delivery: Delivery
    at: datetime


def _messages(account: Account) -> Iterator[Message]:
    kept = current_call().sim.inboxes
    for name in kept.sizes():
        for number, message in kept.received(name, is_use=False).numbered:
            headers = message["headers"]
            delivery = account.store.deliveries.fetch(headers.get(DELIVERY_HEADER, ""))
            if delivery is not None:
                nth = headers.get(ATTEMPT_HEADER, "")
                tried = delivery.attempts
                is_there = nth.isascii() and nth.isdigit() and 0 < int(nth[:9]) <= len(tried)
                at = tried[int(nth[:9]) - 1].at if is_there else delivery.created_at
                yield Message(name, number, message, delivery, at)


def _received(messages: list[Message], chosen: dict[str, str]) -> Iterator[_Made]:
    if any(chosen[name] for name in ("operation", "dialect", "fault", "state")):
        return
    for each in messages:
        if (
            _is_of_class(200, chosen["status"])
            and chosen["application"] in ("", each.delivery.application_id)
            and _holds(partial("{} {}".format, each.name, each.what), "", chosen["q"])
        ):
            arrived_s = datetime.fromisoformat(each.what["arrived"]).timestamp()
            yield (each.at, arrived_s, 1), _path_of(each), partial(_message_row, each)


def _path_of(each: Message) -> str:
    """Below the inboxes."""
    return f"{quote(each.name, safe='')}/{each.number}"


def _message_row(each: Message) -> Row:
    where = _path_of(each)
    return Row(
        kind="message", id=where, at=each.at, path=f"inbox/{where}",
        title=f"{says(each.delivery) or each.delivery.id} in inbox {each.name}", word="received",
        tone="good", what=f"message {each.number}", about=each,
        marks=(Mark(each.at, "good", "received"),),
    )  # fmt: skip


# --- filters ---------------------------------------------------------------------------------


def tone_of(status: int) -> str:
    """Of an answer of ours: a redirect is not what was wanted either."""
    return "bad" if status >= 500 else "wait" if status >= 300 else "good"


def _is_of_class(status: int | None, wanted: str) -> bool:
    if wanted == "none":
        return status is None
    return not wanted or (status is not None and str(status).startswith(wanted))


def _is_struck(fault: str, wanted: str) -> bool:
    return bool(fault) if wanted == ANY_FAULT else wanted in ("", fault)


def _holds(texts: Callable[[], str], application: str, q: str) -> bool:
    """Whether the texts have these words in them, in any case."""
    if not application and not q:
        return True
    text = texts().casefold()
    return application.casefold() in text and q.casefold() in text
