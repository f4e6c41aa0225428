"""An account that moves to another server: handed over by the one, taken over by the other.

``plivo-sim account move`` makes these calls. What is handed over has the account's tokens, which
nothing else tells: whoever may make control calls may have them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from flask import Response, request
from msgspec import Meta
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.logs import Inboxes, Received
from plivo_sim.control import presenters
from plivo_sim.control.accounts import document_of, loaded
from plivo_sim.control.inputs import (
    ACCOUNT,
    IN_BODY,
    auth_id_named,
    document_in,
    flag_of,
    invalid,
    json_object,
    object_given,
    takes,
    text_of,
)
from plivo_sim.domain.errors import AccountRequired, Invalid, Problem, ProblemKind
from plivo_sim.domain.limits import INBOX_NAME, INBOXES
from plivo_sim.domain.records import Seq, Text
from plivo_sim.domain.text import HTTP_TOKEN
from plivo_sim.domain.typed import Found, all_misfits, convert
from plivo_sim.domain.urls import looks_local, url_trouble
from plivo_sim.services.document_sets import swept
from plivo_sim.settings import HOSTS, account_troubles, read_hosts
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, Query, endpoint
from plivo_sim.web.kept_bodies import KeptPart
from plivo_sim.web.request_log import Exchange, masked_again
from plivo_sim.webhooks.composing import DELIVERY_HEADER

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import HandoverOut, MessageOut, TakenOverOut

logger = logging.getLogger("plivo_sim")

MOVE = "string: an id of this move, which nobody else has"
LONGEST_MOVE = 100
Token = Annotated[str, Meta(min_length=1, max_length=1000)]
InboxName = Annotated[str, Meta(min_length=1, max_length=INBOX_NAME.most)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of an inbox."""

    method: Text
    url: Text
    headers: dict[str, str]
    query: dict[str, str]
    body: Text
    arrived: Annotated[str, Meta(max_length=40)]


class Belongings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account has beside what a snapshot holds: its tokens, how many answers it gave,
    where its callbacks may go, its last requests, and the messages that inboxes got from it.
    ``uncertain``: how many earlier messages each of these may have forgotten, of whichever
    account."""

    token: Token | None = None
    subaccount_token: Token | None = None
    api_calls: Seq = 0
    allow_callback_hosts: Text | None = None
    messages: Annotated[dict[InboxName, list[Message]], Meta(max_length=INBOXES.most)] = {}
    uncertain: Annotated[dict[InboxName, Seq], Meta(max_length=INBOXES.most)] = {}
    requests: list[Exchange] = []


@endpoint(
    "POST", "/handover", "Take an account out of use, for another server.",
    **takes("to", to="string: the URL of the server that it moves to", move=MOVE, account=IN_BODY),
    answers={200: "HandoverOut"}, errors=(404,),
)  # fmt: skip
def hand_over() -> Response:
    """``{"to": URL}``: from now on calls of the account are answered 421, those that are being
    served too unless they are written already, and nothing of it happens any more. Answers what
    ``POST /_sim/takeover`` takes as ``rest``, tokens included, and the names of its snapshots; the
    same again, with the ``move`` of the first time, when it is called once more.
    ``POST /_sim/handover/end`` ends it, one way or the other; a server that is started anew before
    that answers 421 as this one. 421 if it was moved already."""
    data = json_object("to", "move", "account")
    to = text_of(data, "to") or ""
    if trouble := url_trouble(to):
        raise invalid("to", trouble)
    auth_id = _account(data)
    leaving = current_call().sim.hand_over(auth_id, to, _move_of(data))
    account = leaving.account
    assert account is not None
    with account.lock:
        shown: HandoverOut = {
            "account": auth_id,
            "to": leaving.to,
            "move": leaving.move,
            "holds": presenters.account_of(account),
            "snapshots": [*account.marks],
            "rest": msgspec.to_builtins(_belongings(account, current_call().sim.inboxes)),
        }
    return current_call().answer(shown)


def _account(data: dict[str, Any]) -> str:
    """The account of a call: it has to be named. Raises AccountRequired, Invalid."""
    auth_id = auth_id_named(data)
    if not auth_id:
        raise AccountRequired([], always=True)
    return auth_id


def _move_of(data: dict[str, Any]) -> str:
    move = text_of(data, "move") or ""
    if len(move) > LONGEST_MOVE:
        raise invalid("move", f"has more than {LONGEST_MOVE} characters")
    return move


def _belongings(account: Account, boxes: Inboxes) -> Belongings:
    every = {name: boxes.received(name, is_use=False) for name in boxes.sizes()}
    own = {name: _messages_of(account, received.messages) for name, received in every.items()}
    return Belongings(
        token=account.token,
        subaccount_token=account.subaccount_token,
        api_calls=account.api_calls,
        allow_callback_hosts=account.overrides.get(HOSTS),
        messages={
            name: [convert(message, Message) for message in found]
            for name, found in own.items()
            if found
        },
        uncertain={
            name: before
            for name, received in every.items()
            if own[name] and (before := received.forgotten + received.uncertain)
        },
        requests=[*account.exchanges],
    )


def _messages_of(account: Account, messages: list[MessageOut]) -> list[MessageOut]:
    """Those that are callbacks of the account. Caller holds its lock."""
    known = account.store.deliveries
    return [
        message
        for message in messages
        if known.fetch(message["headers"].get(DELIVERY_HEADER, "")) is not None
    ]


@endpoint(
    "GET", "/handover", "An account that is being moved, as a document, or a snapshot of it.",
    query=(ACCOUNT, Query(name="name", description="of the snapshot; default: as it is")),
    answers={200: "SnapshotOut"}, errors=(404,),
)  # fmt: skip
def get_handover() -> Response:
    """The document of an account that was handed over, of up to 56 MiB."""
    call = current_call()
    leaving, name = call.sim.leaving(_account({})), request.args.get("name")
    account = leaving.account
    assert account is not None
    with account.lock:
        mark = account.store.mark() if name is None else None
    return call.answer_encoded(document_of(account, name or "", mark))


@endpoint(
    "POST", "/handover/end", "Forget an account that was moved, or use it again.",
    **takes("moved", moved="boolean: whether the other server has it", account=IN_BODY),
    answers={200: "HandoverEndOut"}, errors=(404,),
)  # fmt: skip
def end_handover() -> Response:
    """``{"moved": true}``: it is deleted here, and its calls are answered 421 until the server
    ends, every account is reset, or it is moved back. ``{"moved": false}``: it is used again, as
    it was."""
    data = json_object("moved", "account")
    if not isinstance(data.get("moved"), bool):
        raise invalid("moved", "must be true or false")
    auth_id = _account(data)
    current_call().sim.end_handover(auth_id, moved=data["moved"])
    return current_call().answer({"account": auth_id, "moved": data["moved"]})


@endpoint(
    "POST", "/takeover", "Take over an account that another server hands over.",
    query=(ACCOUNT,), bodies={JSON: "takeover_body"}, answers={201: "TakenOverOut"}, errors=(409,),
)  # fmt: skip
def take_over() -> Response:
    """``{"snapshot": document, "rest": …, "move": id}``, as the other server answered them: the
    account is here as it was there, its tokens too, and what is due goes on. Its callbacks may go
    only where this server lets them: of its ``allow_callback_hosts``, those that are neither local
    nor named by this server's own are left out, and told of; so are the messages of inboxes for
    which there is no room beside those that are here. 409 if it holds anything, or the move has
    ended."""
    call = current_call()
    data = object_given("snapshot", "rest", "move", "account")
    rest = _rest_of(document_in(data, "rest", {}))
    with call.sim.taking_over(_account(data), _move_of(data)) as account:
        rest, left_out = _allowed(rest, call.sim.settings.allow_callback_hosts)
        _take_over(account, document_in(data, "snapshot"), rest)
        inboxes_left_out = call.sim.inboxes.take_over(
            {
                name: Received(msgspec.to_builtins(messages), uncertain=rest.uncertain.get(name, 0))
                for name, messages in rest.messages.items()
            }
        )
        call.account = account
        if left_out:
            logger.warning(
                "account %s was taken over without %s in its allow_callback_hosts: this server's"
                " own --allow-callback-hosts does not have them",
                account.auth_id, ", ".join(left_out),
            )  # fmt: skip
        shown: TakenOverOut = {
            **presenters.account_of(account),
            "hosts_left_out": left_out,
            "inboxes_left_out": inboxes_left_out,
        }
        return call.answer(shown, 201)


@endpoint(
    "POST", "/takeover/end", "Whether an account was taken over in a move, which ends if not.",
    **takes(
        "move", move=MOVE, account=IN_BODY,
        undo="boolean: take it away again, unless anything was written to it since",
    ),
    answers={200: "TakeoverEndOut"}, errors=(409,),
)  # fmt: skip
def end_takeover() -> Response:
    """``{"move": id}``: for who has no answer of ``POST /_sim/takeover``. If the account was taken
    over in this move, and was not reset since, ``taken`` is true. If it is not here, ``taken`` is
    false, and a takeover of this move that is still under way is refused. 409 if it is here by
    another move, or by none. With ``"undo": true`` it is here no more, unless anything was written
    to it since it came, by whomever, a snapshot included that was posted without this ``move``, or
    the server was started anew."""
    data = json_object("move", "account", "undo")
    auth_id, move = _account(data), _move_of(data)
    if not move:
        raise invalid("move", "is required")
    taken = current_call().sim.end_takeover(auth_id, move, undo=flag_of(data, "undo"))
    return current_call().answer({"account": auth_id, "move": move, "taken": taken})


def _rest_of(value: Any) -> Belongings:
    try:
        rest = convert(value, Belongings)
    except msgspec.ValidationError as error:
        found = all_misfits(error, value, Belongings)
    else:
        hosts = {} if rest.allow_callback_hosts is None else {HOSTS: rest.allow_callback_hosts}
        found = chain(
            (((name,), text) for name, text in account_troubles(hosts)),
            _odd_requests(rest.requests),
            _odd_messages(rest.messages),
        )
    problems = [
        Problem(ProblemKind.BAD_VALUE, ("rest", *path), text)
        for path, text in found
    ]  # fmt: skip
    if problems:
        raise Invalid(problems)
    return rest


def _allowed(rest: Belongings, hosts: Collection[str]) -> tuple[Belongings, list[str]]:
    """With those of its callbacks' hosts that this server lets callbacks go to, and the others."""
    if rest.allow_callback_hosts is None:
        return rest, []
    named = read_hosts(rest.allow_callback_hosts)
    kept = [each for each in named if looks_local(each, hosts)]
    left_out = [each for each in named if each not in kept]
    return replace(rest, allow_callback_hosts=",".join(kept)), left_out


def _odd_requests(requests: list[Exchange]) -> Iterator[Found]:
    """Those that nobody could look at, or make again."""
    for index, each in enumerate(requests):
        try:
            each.shown()
            is_odd = not (
                _is_as_it_came(each.environ)
                and all(map(_WORD.fullmatch, (each.id, each.dialect, each.operation)))
            )
        except (LookupError, ValueError, TypeError, AttributeError, OverflowError):
            is_odd = True
        parts = each.sent.parts if each.sent is not None else []
        if is_odd or any(not _is_whole(part) for part in parts):
            yield ("requests", index), "is no request as a simulator keeps it"


def _is_as_it_came(environ: dict[str, str]) -> bool:
    """Whether a server could have read it from a socket. Raises LookupError."""
    texts = {"wsgi.url_scheme": "http", "SCRIPT_NAME": "", **environ}
    headers = {name: text for name, text in environ.items() if name.startswith(_HEADERS)}
    return all(form.fullmatch(texts[name]) for name, form in _LINE.items()) and _are_headers(
        headers
    )


def _are_headers(headers: dict[str, str]) -> bool:
    texts = headers.values()
    return all(map(_HEADER.fullmatch, headers)) and all(map(_HEADER_TEXT.fullmatch, texts))


_LINE = {
    "REQUEST_METHOD": re.compile(HTTP_TOKEN),
    "SCRIPT_NAME": re.compile(r"(/[\x00-\xff]*)?"),
    "PATH_INFO": re.compile(r"/[\x00-\xff]*"),
    "QUERY_STRING": re.compile(r"[\x21-\x7e]*"),
    "wsgi.url_scheme": re.compile(r"https?"),
}
"""What a server reads from the first line of a request: see ``plivo_sim.web.parsing``."""
_HEADERS = ("HTTP_", "CONTENT_")
_HEADER, _HEADER_TEXT = re.compile(HTTP_TOKEN), re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_WORD = re.compile(r"[A-Za-z0-9_.-]*")


def _is_whole(part: KeptPart) -> bool:
    """Whether it has a text, and of a file all that is kept of one."""
    file = {"filename", "media_type", "size_bytes", "sha256"}
    return file <= part.keys() if "filename" in part else "text" in part


def _odd_messages(messages: dict[str, list[Message]]) -> Iterator[Found]:
    for name, found in messages.items():
        for index, each in enumerate(found):
            try:
                datetime.fromisoformat(each.arrived).timestamp()
            except (ValueError, OverflowError):
                yield ("messages", name, index, "arrived"), "is no instant"
            if not (_LINE["REQUEST_METHOD"].fullmatch(each.method) and _are_headers(each.headers)):
                yield ("messages", name, index), "is no message as an inbox keeps it"


def _take_over(account: Account, document: Any, rest: Belongings) -> None:
    """Within ``taking_over``, which takes it back when it fails. Raises Invalid, StorageFailed."""
    account.token, account.subaccount_token = rest.token, rest.subaccount_token
    if rest.allow_callback_hosts is not None:
        account.overrides = {HOSTS: rest.allow_callback_hosts}
    with swept(account):
        current_call().sim.restore(account, loaded(account, document))
    account.api_calls = rest.api_calls
    for each in rest.requests:  # the states that it wrote were another account's
        exchange = replace(masked_again(each), wrote=None)
        account.exchanges.append(exchange, exchange.size_bytes)
