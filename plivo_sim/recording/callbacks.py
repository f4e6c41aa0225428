"""How a recorded callback came, held against the one that is sent here: method, encoding,
signature headers, number and order. The values of signatures are no part of a tape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from plivo_sim.recording.comparison import Difference
from plivo_sim.recording.forms import ids_within
from plivo_sim.recording.headers import header, media_type
from plivo_sim.recording.tapes import Exchange
from plivo_sim.web.endpoints import FORM

SIGNATURES = (
    "x-plivo-signature-v2",
    "x-plivo-signature-v2-nonce",
    "x-plivo-signature-v3",
    "x-plivo-signature-ma-v3",
    "x-plivo-signature-v3-nonce",
)
_DELIVERY = "x-plivo-sim-delivery"
_SETTING = "; PLIVO_SIM_CALLBACK_ENCODING says which"
_ABSENT = "-"
Sent = Mapping[str, Any]
"""A callback as the control API shows it."""


def kind_recorded(callback: Exchange) -> str:
    """``json``, ``form`` or ``query``, which have fields; ``text``, ``bytes`` or ``nothing``."""
    request = callback.request
    kind = next((each for each in ("json", "form", "text", "bytes") if each in request.body), "")
    if request.method == "GET" and kind == "form" and media_type(request.headers) != FORM:
        return "query"
    return kind or "nothing"


def fields_recorded(callback: Exchange) -> Any:
    """An object where it has fields; else what JSON it is, None for no JSON."""
    body = callback.request.body
    return body["json"] if "json" in body else dict(body["form"]) if "form" in body else None


def wrong_body(callback: Exchange) -> Difference | None:
    """Of a callback that has no fields, or names no record in them."""
    fields, kind = fields_recorded(callback), kind_recorded(callback)
    if not isinstance(fields, dict):
        return Difference("body", "no object" if kind == "json" else kind, "an object")
    return None if ids_within(fields) else Difference("body", "no id", "the id of a record")


def kind_sent(sent: Sent) -> str:
    """As ``kind_recorded``, of the last attempt; empty where none was made."""
    if sent["method"] == "GET":
        return "query"
    if not sent["attempts"]:
        return ""
    headers = sent["attempts"][-1]["headers"].items()
    return "form" if media_type(headers) == FORM else "json"


def fields_sent(sent: Sent) -> dict[str, str]:
    """Those of the query of its URL too, where that is what has the fields."""
    own = urlsplit(sent["url"]).query if sent["method"] == "GET" else ""
    return {**dict(parse_qsl(own, keep_blank_values=True)), **sent["payload"]}


def differing_requests(callback: Exchange, sent: Sent) -> Iterator[Difference]:
    """Method, kind of the body, its type, which signature headers there are; headers only where the
    tape has any, and the last two where an attempt was made here."""
    request = callback.request
    if request.method != sent["method"]:
        yield Difference("callback method", request.method, sent["method"])
    kinds = kind_recorded(callback), kind_sent(sent)
    if kinds[1] and kinds[0] != kinds[1]:
        setting = _SETTING if set(kinds) == {"json", "form"} else ""
        yield Difference("callback encoding", kinds[0], kinds[1] + setting)
    if not request.headers or not sent["attempts"]:
        return
    headers = sent["attempts"][-1]["headers"].items()
    types = media_type(request.headers), media_type(headers)
    if kinds[0] == kinds[1] and types[0] != types[1]:
        yield Difference("header content-type", *(each or _ABSENT for each in types))
    for name in SIGNATURES:
        found = [bool(header(each, name)) for each in (request.headers, headers)]
        if found[0] != found[1]:
            yield Difference(f"header {name}", *("there" if each else _ABSENT for each in found))


def is_repeated(callback: Exchange, before: Exchange) -> bool:
    """Whether it is another attempt of one that came before: the simulator says so; else it has the
    same fields, and the one before was refused."""
    named = [header(each.request.headers, _DELIVERY) for each in (callback, before)]
    if all(named):
        return named[0] == named[1]
    is_refused = not 200 <= before.answer.status < 300
    return is_refused and callback.request.body == before.request.body


class Matched:
    """The callbacks of one record: which of those sent here stands for which recorded one."""

    def __init__(self) -> None:
        self._recorded: list[tuple[Exchange, str]] = []

    def attempt_of(self, callback: Exchange) -> str:
        """The id of the one sent here, if this is another attempt; else empty."""
        found = (id for each, id in self._recorded if is_repeated(callback, each))
        return next(found, "")

    def free(self, sent: Sequence[Sent], status: Any) -> Sent | None:
        """The first with this status that stands for none yet."""
        taken = {id for _, id in self._recorded}
        alike = (each for each in sent if each["payload"].get("status") == status)
        return next((each for each in alike if each["id"] not in taken), None)

    def match(self, callback: Exchange, id: str) -> None:
        self._recorded.append((callback, id))

    def out_of_order(self, sent: Sequence[Sent], id: str) -> Iterator[Difference]:
        """Whether one came before it on the tape that is sent after it here."""
        ids, taken = [each["id"] for each in sent], {each for _, each in self._recorded}
        if id in ids and not taken.isdisjoint(ids[ids.index(id) + 1 :]):
            yield Difference("callback order", "after a later one", "in the order of the decisions")

    def left_out(self, sent: Sequence[Sent]) -> Iterator[Difference]:
        """Those that are sent here before one that came, and never came themselves."""
        taken = {id for _, id in self._recorded}
        last = max((at for at, each in enumerate(sent) if each["id"] in taken), default=0)
        for each in sent[:last]:
            if each["id"] not in taken:
                yield Difference("callback", _ABSENT, f"one of {each['payload'].get('status')!r}")
