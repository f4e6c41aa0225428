"""``plivo-sim verify --tape``: makes each recorded call to a simulator, and tells what differs.

The simulator begins empty, so ids are learned from its answers as they come. Where the tape shows
that the reviewer decided, or that time led on, the same is done here. What refers to records that
are older than the tape cannot be called here: the recorded answer is then held against the schema
of ours.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import product
from typing import Any

from plivo_sim.client import Client, Http, Refused
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.text import encode_json
from plivo_sim.recording.bodies import made_body
from plivo_sim.recording.callbacks import (
    Matched,
    Sent,
    differing_requests,
    fields_recorded,
    fields_sent,
    kind_recorded,
    wrong_body,
)
from plivo_sim.recording.comparison import (
    Comparison,
    Difference,
    differing_headers,
    differing_status,
)
from plivo_sim.recording.forms import ids_within, is_id, translated
from plivo_sim.recording.headers import header, media_type
from plivo_sim.recording.schemas import AnswerSchemas
from plivo_sim.recording.tapes import Answer, Exchange
from plivo_sim.recording.twins import are_records, twins
from plivo_sim.recording.words import SENTENCE_KEYS
from plivo_sim.simulator import is_account
from plivo_sim.web.endpoints import MULTIPART

_SENT = ("authorization", "user-agent", "content-type", "accept")
_APPLICATION = ("compliance_id", "compliance_application_id", "id")
_ACCOUNT = re.compile(r"/v1/Account/([^/?]+)/")
_TAKEN = re.compile(r"\b(already|exists|taken|used|in use|duplicate|unique)\b", re.IGNORECASE)
_STATELESS = (429, 500, 502, 503, 504)
"""Answers that depend on how busy the service was; they are not called for here."""
MOST_SENT = 100
"""Of the callbacks of an application the last ones are looked at."""


@dataclass(slots=True)
class Compared:
    """One exchange. ``played``: empty, or why the answer was held against the schema only."""

    line: int
    call: str
    played: str = ""
    differences: list[Difference] = field(default_factory=list)


class Player:
    """Plays a tape to the simulator at a URL. ``begins_empty``: nobody else used it, nor will.
    Raises Unreachable."""

    def __init__(self, url: str, *, begins_empty: bool) -> None:
        self._is_alone = begins_empty
        self._http = Http(url, hint="; start it: plivo-sim serve")
        self._client = Client(url)
        self._schemas = AnswerSchemas()
        self._ids: dict[str, str] = {}
        """Those of the tape -> those that stand for them here."""
        self._holders: dict[str, str] = {}
        """Id here -> the account that was called when it was told; empty where none was named."""
        self._machines: dict[str, Machine] = {}
        self._aliases: set[str] = set()
        """Those that the service took, on the tape."""
        self._exchanges: Sequence[Exchange] = ()
        self._told: dict[str, list[tuple[int, Any]]] = {}
        """Id of an application on the tape -> lines that tell its status, and how; made once it is
        wanted."""
        self._matched: dict[str, Matched] = {}
        """By the id of the application here."""
        self._last: dict[str, int] = {}
        """Id on the tape -> line of the last callback that names it; made once it is wanted."""

    def play(self, exchanges: Sequence[Exchange]) -> Iterator[Compared]:
        self._exchanges = exchanges
        for each in exchanges:
            yield self._callback(each) if each.kind == "callback" else self._exchange(each)

    # --- exchanges ---------------------------------------------------------------------------

    def _exchange(self, exchange: Exchange) -> Compared:
        request, recorded = exchange.request, exchange.answer
        compared = Compared(exchange.line, f"{request.method} {request.target}")
        if recorded.status in _STATELESS:
            return self._by_schema(compared, exchange, "it depends on how busy the service was")
        here = self._call(exchange)
        if here.status < 400 <= recorded.status and request.method not in ("GET", "HEAD"):
            self._is_alone = False
        if here.status != recorded.status and (why := self._why_unplayable(exchange, here)):
            return self._by_schema(compared, exchange, why)
        if recorded.status < 400:
            self._aliases |= set(_aliases_in(request.body))
        self._learn(recorded.body.get("json"), here.body.get("json"), exchange)
        is_decided = self._decide_as(recorded.body.get("json"))
        if request.method == "GET" and (is_decided or self._decide_left_out(exchange, here)):
            here = self._call(exchange)
        compared.differences += differing_status(recorded.status, here.status)
        compared.differences += differing_headers(recorded.headers, here.headers)
        if request.method != "HEAD":
            compared.differences += self._bodies(compared, exchange, here)
        return compared

    def _bodies(self, compared: Compared, exchange: Exchange, here: Answer) -> list[Difference]:
        recorded = exchange.answer
        if "json" not in recorded.body or "json" not in here.body:
            kinds = [next(iter(each.body), "nothing") for each in (recorded, here)]
            return [] if kinds[0] == kinds[1] else [Difference("body", *kinds)]
        comparison = self._comparison(exchange)
        found = list(comparison.differences(recorded.body["json"], here.body["json"]))
        if comparison.older:
            self._by_schema(
                compared, exchange, f"{comparison.older} records are older than the tape"
            )
            found = [each for each in found if each not in compared.differences]
        return found

    def _by_schema(self, compared: Compared, exchange: Exchange, why: str) -> Compared:
        compared.played = why
        request, recorded = exchange.request, exchange.answer
        compared.differences += self._schemas.differences(
            request.method, request.target, recorded.status, recorded.body.get("json")
        )
        return compared

    def _why_unplayable(self, exchange: Exchange, here: Answer) -> str:
        asked = [exchange.request.target, exchange.request.body]
        if here.status >= 400 and ids_within(asked) - self._ids.keys():
            return "it names a record that is older than the tape"
        if exchange.answer.status == 401:
            return "it was refused for its credentials"
        if here.status < 400 <= exchange.answer.status and self._is_taken(exchange):
            return "it was refused for a record that is older than the tape"
        return ""

    def _is_taken(self, exchange: Exchange) -> bool:
        """Whether a refusal says that something is there already which the tape did not make: the
        record that it names, else the one that has the alias."""
        told = exchange.answer.body.get("json")
        told = told if isinstance(told, dict) else {}
        sentences = [each for key, each in told.items() if key in SENTENCE_KEYS]
        if not _TAKEN.search(str(sentences)):
            return False
        if named := ids_within(sentences) - ids_within(exchange.request.body):
            return not named <= self._ids.keys()
        aliases = set(_aliases_in(exchange.request.body))
        return bool(aliases) and self._aliases.isdisjoint(aliases)

    def _call(self, exchange: Exchange) -> Answer:
        request = exchange.request
        kind = media_type(request.headers)
        body, form = made_body(translated(request.body, self._ids), kind)
        headers = {name: value for name, value in request.headers if _is_sent(name)}
        if kind == MULTIPART:
            headers = {name: v for name, v in headers.items() if name.lower() != "content-type"}
        target = translated(request.target, self._ids)
        answer = self._http.send(request.method, target, headers, body=body, form=form)
        told = list(answer.headers.items())
        try:
            content = {"json": json.loads(answer.data)} if answer.data else {}
        except ValueError:
            content = {"bytes": len(answer.data)}
        return Answer(status=answer.status, headers=told, body=content)

    def _comparison(self, exchange: Exchange) -> Comparison:
        target = exchange.request.target
        return Comparison(self._ids, target, is_alone=self._is_alone)

    def _learn(self, recorded: Any, here: Any, exchange: Exchange, key: str = "") -> None:
        """Which id here stands for which one of the tape, value by value."""
        target = exchange.request.target
        if isinstance(recorded, dict) and isinstance(here, dict):
            for name in recorded.keys() & here.keys():
                self._learn(recorded[name], here[name], exchange, name)
        elif isinstance(recorded, list) and isinstance(here, list):
            pairs = twins(recorded, here, self._ids, in_order=not are_records(target, key))
            for one, other in pairs.items():
                self._learn(recorded[one], here[other], exchange, key)
        elif is_id(recorded) and is_id(here):
            self._ids.setdefault(recorded, here)
            self._holders.setdefault(here, account_of(target))

    # --- what the reviewer did ---------------------------------------------------------------

    def _decide_as(self, told: Any) -> bool:
        """Decide the applications of an answer as it shows them; whether anything changed."""
        if isinstance(told, list):
            return sum(map(self._decide_as, told)) > 0
        if not isinstance(told, dict):
            return False
        below = sum(map(self._decide_as, told.values())) > 0
        id = self._here(told.get(key) for key in _APPLICATION)
        return below or (bool(id) and self._decide(id, told))

    def _decide_left_out(self, exchange: Exchange, here: Answer) -> bool:
        """Decide the applications that a list by status has here alone as the tape shows them next:
        the reviewer did so before that list. Whether anything changed."""
        if "status=" not in exchange.request.target:
            return False
        on_tape = {mine: id for id, mine in self._ids.items()}
        ours = {on_tape.get(id, "") for id in ids_within(here.body.get("json"))}
        left_out = ours - ids_within(exchange.answer.body.get("json"))
        told = (self._told_next(id, exchange.line) for id in left_out)
        return sum(map(self._decide_as, told)) > 0

    def _told_next(self, id: str, line: int) -> Any:
        """How the tape next shows an application, behind this line; None if it does not."""
        if not self._told:
            for each in self._exchanges:
                sent = each.answer.body if each.kind == "exchange" else each.request.body
                for told in _objects_in(sent.get("json") or dict(sent.get("form", ()))):
                    if "status" in told:
                        for named in {str(told.get(key)) for key in _APPLICATION}:
                            self._told.setdefault(named, []).append((each.line, told))
        return next((told for at, told in self._told.get(id, ()) if at > line), None)

    def _here(self, told: Iterable[Any]) -> str:
        """The id that stands here for the first one of the tape among these; empty without one."""
        known = (self._ids.get(each, "") for each in told if isinstance(each, str))
        return next(filter(None, known), "")

    def _decide(self, id: str, told: dict[str, Any]) -> bool:
        """Let an application come to the status that it is told with, along the arrows of its
        machine: by itself, or by a decision, once it is where that can be made."""
        try:
            now = self._application(id)
            account, status = now["account"], now["status"]
            machine = self._machine(account)
            words = machine.words("current")
            wanted = [each for each in words if words[each] == told.get("status")]
            ways = [
                (at, to)
                for at, to in product(machine.by_itself(status), wanted)
                if at == to or machine.allowed(at, to, "hand", "reviewer")
            ]
            if status in wanted or not ways:
                return False
            at, to = ways[0]
            if at != status:
                until = {"application": id, "status": at}
                self._client.control("POST", "/clock/advance", {"until": until, "account": account})
            if to != at:
                by = None if machine.allowed(at, to, "hand") else "reviewer"
                reason = told.get("rejection_reason")
                body = {"status": to, "reason": reason, "by": by, "account": account}
                body = {key: value for key, value in body.items() if value}
                self._client.control("POST", f"/applications/{id}/decision", body)
        except Refused:
            return False
        return True

    def _application(self, id: str) -> Any:
        """As the control API shows it. Raises Refused."""
        return self._client.control("GET", f"/applications/{id}", account=self._holders[id])

    def _machine(self, account: str) -> Machine:
        """The status machine that the simulator has for an account."""
        if account not in self._machines:
            self._machines[account] = self._client.machine(account)
        return self._machines[account]

    # --- callbacks ---------------------------------------------------------------------------

    def _callback(self, exchange: Exchange) -> Compared:
        """A callback that came is held against the one that is sent here after that decision."""
        compared = Compared(exchange.line, "callback")
        if kind_recorded(exchange) == "nothing" and exchange.request.method == "GET":
            compared.played = "the tape is of a recorder that kept no query of a callback"
            return compared
        recorded = fields_recorded(exchange)
        if wrong := wrong_body(exchange):
            compared.differences.append(wrong)
            return compared
        id = self._here(recorded.values())
        if not id:
            compared.played = "it is about a record that is older than the tape"
            return compared
        matched = self._matched.setdefault(id, Matched())
        account = self._holders[id] or self._application(id)["account"]
        sent, status = self._sent(id, account), recorded.get("status")
        again = matched.attempt_of(exchange)
        ours: Sent | None = next((each for each in sent if each["id"] == again), None)
        if not again:
            if (ours := matched.free(sent, status)) is None and self._decide_as(recorded):
                sent = self._sent(id, account)
                ours = matched.free(sent, status)
            if ours is not None:
                compared.differences += matched.out_of_order(sent, ours["id"])
                matched.match(exchange, ours["id"])
        if ours is None and sent:
            alike = [each for each in sent if each["payload"].get("status") == status]
            if alike:
                told = Difference("callback", "sent again", f"sent {len(alike)} times")
                compared.differences.append(told)
            ours = (alike or sent)[-1]
        if ours is None:
            compared.differences.append(Difference("callback", "sent", "none is sent"))
            return compared
        compared.differences += differing_requests(exchange, ours)
        comparison = self._comparison(exchange)
        compared.differences += comparison.differences(recorded, fields_sent(ours))
        if exchange.line == self._last_callback(id):
            compared.differences += matched.left_out(sent)
        if not exchange.request.headers:
            compared.played = "the tape has no headers of it, and none were compared"
        elif not ours["attempts"]:
            compared.played = "it was not sent here yet: encoding and headers were not compared"
        return compared

    def _last_callback(self, id: str) -> int:
        """The line of the last one that names a record, by its id here."""
        if not self._last:
            for each in self._exchanges:
                if each.kind == "callback":
                    self._last |= dict.fromkeys(ids_within(each.request.body), each.line)
        return max(self._last.get(named, 0) for named, mine in self._ids.items() if mine == id)

    def _sent(self, id: str, account: str) -> list[dict[str, Any]]:
        """The last callbacks of an application, oldest first. Raises Refused."""
        asked = {"application": id, "account": account, "limit": MOST_SENT}
        try:
            page = self._client.control("GET", "/webhooks", **asked)
        except Refused as refusal:  # 404: it is deleted, and had none
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return []
        before = page["total_count"] - MOST_SENT
        if before > 0:
            page = self._client.control("GET", "/webhooks", **asked, offset=before)
        sent: list[dict[str, Any]] = page["webhooks"]
        return sent


def account_of(target: str) -> str:
    """The account that the path of a call names; empty for a subaccount, or where it names none."""
    named = _ACCOUNT.search(target)
    return named[1] if named and is_account(named[1]) else ""


def _objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """At any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _objects_in(each)


def _aliases_in(body: Any) -> Iterator[str]:
    """At any depth; of a form, the field of this name too."""
    if isinstance(body, dict):
        if isinstance(body.get("alias"), str):
            yield body["alias"]
        body = list(body.values())
    if isinstance(body, list):
        if len(body) == 2 and body[0] == "alias" and isinstance(body[1], str):
            yield body[1]
        for each in body:
            yield from _aliases_in(each)


def _is_sent(name: str) -> bool:
    return name.lower() in _SENT or name.lower().startswith("x-plivo-sim-")


def credentials_on(exchanges: Iterable[Exchange]) -> dict[str, str]:
    """Auth id -> the stand-in of the token that the service took, so that others are refused."""
    taken: dict[str, str] = {}
    for each in exchanges:
        scheme, _, rest = header(each.request.headers, "authorization").partition(" ")
        if scheme == "Basic" and each.answer.status != 401:
            with suppress(ValueError):
                id, _, token = b64decode(rest).decode().partition(":")
                taken.setdefault(id, token)
    return {id: token for id, token in taken.items() if is_account(id) and token}


def hosts_on(exchanges: Iterable[Exchange]) -> tuple[str, ...]:
    """The hosts of URLs in requests: stand-ins, which callbacks may go to where nothing is sent."""
    texts = (encode_json(each.request.body).decode() for each in exchanges)
    return tuple({host for text in texts for host in re.findall(r"https?://([a-z0-9.-]+)", text)})
