"""What control calls take: described for the OpenAPI document, and checked, with problems that
name their path.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec
from flask import request

from plivo_sim.account.account import Account
from plivo_sim.account.lock import repeatable
from plivo_sim.catalogue.checked import FileMistakes
from plivo_sim.control.presenters import began_of
from plivo_sim.domain import limits
from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.errors import (
    AccountReplaced,
    AccountRequired,
    Invalid,
    NotFound,
    Problem,
    ProblemKind,
)
from plivo_sim.domain.errors import invalid as invalid
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.text import MEMBERS_OF_SNAPSHOT, SNAPSHOT, decode_json, encode_json
from plivo_sim.domain.words import did_you_mean, like_listed
from plivo_sim.scenarios.language import Scenario
from plivo_sim.scenarios.loader import load_scenario_data
from plivo_sim.scenarios.validation import unknown_in_calls
from plivo_sim.settings import read_instant
from plivo_sim.simulator import is_account
from plivo_sim.web.bodies import not_taken, read_body, unreadable
from plivo_sim.web.calls import Call, current_call
from plivo_sim.web.endpoints import JSON, Query
from plivo_sim.web.long_work import long_work, work_on_body

T = TypeVar("T")

ACCOUNT = Query(name="account", description="MA…; needed unless there is exactly one account.")
HOLDER = Query(
    name="account", description="MA…; needed only where several accounts hold a record of this id."
)
OF_MACHINE = Query(
    name="account",
    description="MA…, whose status machine it is about; else the only account's, or the server's.",
)
BEGAN = Query(name="began", description="as POST /_sim/accounts answered it; else refused.")
LISTED = 100
PAGE = (
    Query(name="offset", type="integer"),
    Query(name="limit", type="integer", description=f"integer, default {LISTED}"),
)
IN_BODY = "string: the account, instead of in the query"


def takes(*required: str, **properties: Any) -> dict[str, Any]:
    """What an endpoint's row says of its JSON body: an object with these properties, each a schema,
    or its type and what it means (``string: an instant``)."""
    body = object_of(*required, **properties)
    return {"query": (ACCOUNT,), "bodies": {JSON: body}, "body_required": bool(required)}


def object_of(*required: str, **properties: Any) -> dict[str, Any]:
    """An object as an OpenAPI schema; see ``takes``."""
    described = {name: _described(value) if isinstance(value, str) else value
            for name, value in properties.items()}  # fmt: skip
    return {"type": "object", "properties": described, "required": list(required)}


def _described(text: str) -> dict[str, Any]:
    kind, _, meaning = text.partition(": ")
    return {"type": kind} | ({"description": meaning} if meaning else {})


LARGEST_JSON_BYTES = limits.CONTROL_BODY.most


def json_object(*known: str, large: bool = False) -> dict[str, Any]:
    """The request's JSON object (empty body: empty object), with known keys only.

    ``large``: one that may hold files, see ``object_given``. Raises Invalid, TooLarge.
    """
    body = (
        read_body(request, json=MEMBERS_OF_SNAPSHOT)
        if large
        else read_body(request, LARGEST_JSON_BYTES)
    )
    if body.kind == "empty":
        return {}
    text = "the body must be a JSON object (Content-Type: application/json)"
    if body.kind != "json":
        raise not_taken(text, body.media_type)
    if not isinstance(body.json, dict):
        raise invalid("", text)
    if len(body.raw) <= LARGEST_JSON_BYTES:
        _refuse_repeated(body.raw, body.json)
    if known:
        refuse_unknown(body.json, known)
    return body.json


def _refuse_repeated(raw: bytes, value: object) -> None:
    """Raises Invalid for a key that an object has twice, of which all but the last would be passed
    over. An object that is read has a colon for each of its keys, and those of its texts."""
    if raw.count(b":") != encode_json(value).count(b":"):
        json.loads(raw, object_pairs_hook=_each_once)


def _each_once(members: list[tuple[str, Any]]) -> None:
    for key, n in Counter(key for key, _ in members).items():
        if n > 1:
            raise invalid(key, "is given more than once")


def object_given(*known: str) -> dict[str, Any]:
    """The request's JSON object, of which a document may be part, as ``json_object``. In a large
    one, a document is a text still, so that none is made objects of before its call has its
    account: ``document_in`` does that."""
    length, most = request.content_length, limits.CONTROL_BODY.most
    is_packed = bool(request.environ.get("HTTP_CONTENT_ENCODING"))
    may_be_large = length is None or length > most or is_packed
    making = current_call().sim.long_work if may_be_large else nullcontext()
    with repeatable(), making:
        data = json_object(*known, large=True)
        for name in data.keys() - {"snapshot", "rest"}:
            data[name] = _decoded(data[name])
        return data


def document_in(data: dict[str, Any], name: str, default: Any = None) -> Any:
    """A document, taken out of the object that is ``object_given``: large ones are made objects of
    one at a time. Raises Invalid (unreadable)."""
    value = data.pop(name, default)
    with current_call().sim.long_work if isinstance(value, msgspec.Raw) else nullcontext():
        return _decoded(value)


def _decoded(value: Any) -> Any:
    if not isinstance(value, msgspec.Raw):
        return value
    try:
        return decode_json(bytes(value), SNAPSHOT)
    except ValueError as error:
        raise unreadable(f"the body is not valid JSON: {error}") from None


def refuse_unknown(given: Iterable[str], known: Collection[str], *path: str) -> None:
    """Raises Invalid that names every key, or parameter, that is none of these."""
    unknown = [key for key in given if key not in known]
    refuse(((*path, key), f"unknown{did_you_mean(key[:80], known)}") for key in unknown)


def refuse_mistaken_query(parameters: Iterable[Query]) -> None:
    """The same of the query of a call, which takes these, each once unless it says otherwise."""
    known = {each.name: each for each in parameters}
    refuse_unknown(request.args, known)
    refuse(
        ((name,), "is given more than once")
        for name, values in request.args.lists()
        if len(values) > 1 and not known[name].many
    )


def refuse(found: Iterable[tuple[tuple[str, ...], str]]) -> None:
    """Raises Invalid that tells what is wrong at each of these paths, if anything is."""
    told = islice(found, limits.MISTAKES.most)
    if problems := [Problem(ProblemKind.BAD_VALUE, path, text) for path, text in told]:
        raise Invalid(problems)


def all_of(*reads: Callable[[], object]) -> None:
    """Read each. Raises Invalid with the problems of all of them."""
    problems: list[Problem] = []
    for read in reads:
        try:
            read()
        except Invalid as error:
            problems += error.problems
    if problems:
        raise Invalid(problems)


def text_of(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise invalid(key, "must be a string")
    return value


def duration_of(data: dict[str, Any], key: str) -> Duration | None:
    """A duration: text, or a number of seconds."""
    value = data.get(key)
    if value is None:
        return None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:f}s"
        if not isinstance(value, str):
            raise ValueError("must be a duration, such as '1d12h', or a number of seconds")
        return parse_duration(value)
    except (ValueError, OverflowError) as error:  # a whole number may be beyond every other
        raise invalid(key, str(error)) from None


def instant_of(data: dict[str, Any], key: str) -> datetime | None:
    text = text_of(data, key)
    try:
        return None if text is None else read_instant(text)
    except ValueError as error:
        raise invalid(key, str(error)) from None


def flag_of(data: Mapping[str, Any], key: str) -> bool:
    """False if it is not given. Raises Invalid."""
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise invalid(key, "must be true or false")
    return value


def word_of(
    data: Mapping[str, Any], key: str, words: Iterable[str], offered: Collection[str] = ()
) -> str:
    """One of these words. Raises Invalid that lists them, or those that are offered."""
    text, known = text_of(data, key) or "", list(map(str, words))
    if text in known:
        return text
    listed = list(map(str, offered or known))
    hint = like_listed(text.lower(), listed)
    raise invalid(key, f"must be one of {', '.join(listed)}{hint}")


def each_given(name: str) -> list[str]:
    """The values of a parameter of the query that may be repeated: each once."""
    return list(dict.fromkeys(request.args.getlist(name)))


def operation_glob() -> str:
    """The operations that the query wants; empty for all. Raises Invalid if there is none such."""
    wanted = request.args.get("operation", "")
    if len(wanted) > limits.GLOB.most:
        raise invalid("operation", f"is too long: {limits.GLOB}")
    found = unknown_in_calls("operation", wanted, ()) if wanted else ()
    refuse((("operation",), told) for _, told in found)
    return wanted


def number_of(name: str, default: int) -> int:
    """A whole number of the query. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid(name, "must be a whole number, 0 or more")
    return int(text)


def page_asked() -> tuple[int, int]:
    """``offset`` and ``limit`` of the query, see ``PAGE``. Raises Invalid."""
    return number_of("offset", 0), number_of("limit", LISTED)


def account_text(data: dict[str, Any] | None = None, key: str = "account") -> str:
    """The account of the body, which has it at ``key``, or the query; empty when the call names
    none. Raises Invalid for two, NotServed for one that the server does not serve."""
    named = (text_of(data or {}, key) or "").strip()
    asked = request.args.get(ACCOUNT.name, "").strip()
    if named and asked and named != asked:
        raise invalid(key, f"is {named[:50]} in the body and {asked[:50]} in the query")
    text = named or asked
    if is_account(text):
        current_call().sim.check_rule(text)
    return text


def auth_id_named(data: dict[str, Any] | None = None) -> str:
    """The same, checked. Raises Invalid for what is no account's."""
    auth_id = account_text(data)
    if auth_id and not is_account(auth_id):
        raise invalid("account", "must be MA and 18 letters or digits")
    return auth_id


def account_named(
    data: dict[str, Any] | None = None, *, sends: bool = False, due: bool = True
) -> Account:
    """The account of a call, after everything that is due in it; with ``sends``, callbacks too.

    A receiver of callbacks that makes a control call before it answers would wait for itself:
    so ``sends`` is only for calls whose answer shows callbacks. Without ``due`` nothing is made
    happen first. Raises AccountRequired when the call names no account and there is not exactly
    one.
    """
    call = current_call()
    auth_id = auth_id_named(data)
    if not auth_id:
        account = call.sim.only_account()
    else:
        _warn_of_likeness(call, auth_id)
        account = call.sim.account(auth_id)
    call.account = account
    if due:
        call.catch_up(account, sends=sends)
    return account


_LIKE = 0.9
"""How much of an auth id must be as in another for it to be that one, mistyped."""
_COMPARED = 1000
"""An id is compared with so many accounts."""


def _warn_of_likeness(call: Call, auth_id: str) -> None:
    """A read of an account that nobody has used, and that is called nearly as another is."""
    known = [account.auth_id for account in call.sim.accounts()[:_COMPARED]] if call.is_read else []
    if auth_id in known:
        return
    with long_work(len(known)):
        hint = did_you_mean(auth_id, known, listed=0, cutoff=_LIKE)
    if hint:
        call.warnings.append(f"account {auth_id} is new, and empty{hint}")


def machine_named() -> Machine:
    """That of the account of the query, or of the only one; else the server's."""
    if account_text():
        return account_named().machine
    sim = current_call().sim
    sim.require_named()
    accounts = sim.accounts()
    return accounts[0].machine if len(accounts) == 1 else sim.machine


def account_holding(
    table: str, kind: str, id: str, data: dict[str, Any] | None = None, *, sends: bool = False
) -> Account:
    """The account of a call about one record, after everything that is due in it: the one that is
    named, else the one that holds it. ``sends``: see ``account_named``.

    Raises NotFound when it does not hold it, AccountRequired when the call names none and several
    do: those into which the snapshot of another was restored.
    """
    call = current_call()
    if account_text(data):
        found = [account_named(data, sends=sends)]
    else:
        call.sim.require_named()
        found = call.sim.holders(table, id)
        if not found and sends:  # it may be that of a callback that is due
            with call.due():
                call.sim.runner.start_due_in(stirring := call.sim.stirring())
            found = call.sim.holders(table, id) if stirring else []
        if len(found) > 1:
            raise AccountRequired([account.auth_id for account in found])
    for account in found:
        call.catch_up(account, sends=sends)
        with account.lock:
            if getattr(account.store, table).fetch(id) is not None:
                return account
    raise NotFound(kind, id)


def refuse_replaced() -> None:
    """Raises AccountReplaced if the account of the query did not begin when the query says, and
    NotServed for one that is another server's."""
    began, auth_id = request.args.get(BEGAN.name, ""), request.args.get(ACCOUNT.name, "")
    if not (began and is_account(auth_id)):
        return
    sim = current_call().sim
    sim.check_here(auth_id)
    account = sim.known(auth_id)
    began_now = "" if account is None else began_of(account)
    if began_now != began:
        raise AccountReplaced(auth_id, began, began_now)


def document_words() -> Collection[str]:
    return current_call().sim.catalogue.document_words


def read_part(key: str, value: Any, machine: Machine | None = None) -> Scenario:
    """A part of the scenario language on its own, checked as if it stood in a scenario; where
    statuses can stand in it, ``machine`` says which."""
    whole = {"scenario": "a part of a scenario", key: value}
    return read_strictly(lambda: load_scenario_data(whole, key, document_words(), machine), key)


def read_strictly(load: Callable[[], T], key: str = "") -> T:
    """What ``load`` returns, which reads the body of the call: long ones are read one at a time.
    Raises Invalid with every mistake that it found."""
    try:
        with work_on_body():
            return load()
    except FileMistakes as error:
        raise Invalid(
            [
                Problem(ProblemKind.BAD_VALUE, _own_path(mistake.path, key), _own_text(mistake))
                for mistake in error.mistakes
            ]
        ) from None


def _own_path(path: str, key: str) -> tuple[str, ...]:
    own = path.removeprefix(f"{key}[0]").removeprefix(key).removeprefix(".") if key else path
    return (own,) if own else ()


def _own_text(mistake: Any) -> str:
    return f"line {mistake.line}: {mistake.text}" if mistake.line else str(mistake.text)
