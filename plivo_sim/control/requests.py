"""The last calls of the imitated APIs, and what this run has covered of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from flask import Response, current_app, request
from werkzeug.test import run_wsgi_app

from plivo_sim.account.account import Account
from plivo_sim.control.inputs import (
    ACCOUNT,
    IN_BODY,
    OF_MACHINE,
    account_named,
    invalid,
    json_object,
    machine_named,
    operation_glob,
    takes,
)
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.secrets import MASK
from plivo_sim.domain.urls import basic
from plivo_sim.scenarios.globs import glob
from plivo_sim.scenarios.operations import OPERATIONS
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import Endpoint, Query, Surface, endpoint, full_path
from plivo_sim.web.kept_bodies import KeptPart
from plivo_sim.web.long_work import work_on_texts
from plivo_sim.web.request_log import Exchange, requests_of

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers.requests import OperationOut
    from plivo_sim.control.answers.words import Api


@endpoint(
    "GET", "/coverage", "What this run has exercised.", query=(OF_MACHINE,),
    answers={200: "CoverageOut"},
)  # fmt: skip
def coverage() -> Response:
    """Everything that can happen, with what this run has exercised of it, in every account."""
    return current_call().answer(current_call().sim.coverage.report(machine_named()))


@endpoint(
    "DELETE", "/coverage", "Begin a new run.", query=(OF_MACHINE,), answers={200: "CoverageOut"}
)
def clear_coverage() -> Response:
    """Begin a new run."""
    current_call().sim.coverage.clear()
    return coverage()


@endpoint(
    "GET", "/requests", "The last requests and their answers.",
    query=(ACCOUNT, Query(name="id"),
           Query(name="operation", description="Such as compliance.create; a glob.")),
    answers={200: "RequestsOut"}, errors=(404,),
)  # fmt: skip
def list_requests() -> Response:
    """The account's last requests, oldest first; ``fault`` names the fault that struck one. Those
    that named it and were not let in, 401, are among them, once anything else was asked of the
    account. ``id`` and ``operation`` filter; ``forgotten``: how many older ones are not kept any
    more. 404 for an ``id`` that none of those has that are kept."""
    account = account_named()
    wanted, id = operation_glob() or "*", request.args.get("id")
    fits = glob(wanted)
    kept = [each for each in requests_of(account) if id in (None, "", each.id)]
    if id and not kept:
        raise NotFound("request", id)
    found = [each for each in kept if fits(each.operation)]
    with work_on_texts(each.size_bytes for each in found):
        return current_call().answer(
            {
                "account": account.auth_id,
                "requests": [each.shown() for each in found],
                "forgotten": account.exchanges.forgotten + account.refused.forgotten,
            }
        )


@endpoint(
    "POST", "/requests/{id}/resend", "Make the same call once more.", **takes(account=IN_BODY),
    answers={200: "ExchangeOut"}, errors=(404,),
)  # fmt: skip
def resend_request(id: str) -> Response:
    """The same call through the same API, with the account's own credentials; it is answered with
    the new request, whatever that was answered. Its files are those that the account has stored.
    400 if the request is not kept whole: a file that no document has, a long body, secrets, and
    Atoms tokens are not."""
    account = account_named(json_object("account"))
    exchange = next((each for each in account.exchanges if each.id == id), None)
    if exchange is None:
        raise NotFound("request", id)
    made = _resent(account, exchange)
    found = next((each for each in account.exchanges if each.id == made), None)
    if found is None:  # others have called so often since
        raise NotFound("request", made)
    return current_call().answer(found.shown())


ACCOUNTS = "/v1/Account/"
"""What the paths of the imitated APIs begin with, those of Atoms apart."""
_OF_SERVER = ("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL")
"""It may be another than the one that had the call first."""


def _resent(account: Account, exchange: Exchange) -> str:
    """The id of the new request. Raises Invalid."""
    surfaces: Mapping[str, Surface] = current_app.extensions["surfaces"]
    mount, path = exchange.environ.get("SCRIPT_NAME", ""), exchange.environ["PATH_INFO"]
    is_of_api = path.startswith(ACCOUNTS) and mount in {each.mount for each in surfaces.values()}
    if exchange.dialect != "atoms" and not is_of_api:
        raise invalid("id", "it is no call of an imitated API")
    # What is no header and no part of the URL (``wsgi.…``) is of a call that is over.
    environ = {name: text for name, text in exchange.environ.items() if name[:1].isupper()}
    environ |= {name: request.environ[name] for name in _OF_SERVER}
    environ["HTTP_AUTHORIZATION"] = _credentials(account, exchange)
    body, media_type = _body_of(account, exchange)
    environ |= {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": media_type}
    for name in ("HTTP_CONTENT_ENCODING", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"):
        environ.pop(name, None)
    # The mount is in SCRIPT_NAME; it is taken off the path again.
    environ |= {"SCRIPT_NAME": "", "PATH_INFO": mount + path}
    given = {"wsgi.input": io.BytesIO(body), "wsgi.url_scheme": request.scheme}
    try:
        with current_app.app_context():  # a call has its own ``g``
            _, _, headers = run_wsgi_app(current_app.wsgi_app, {**environ, **given}, buffered=True)
    except ConnectionResetError:  # a fault has cut it
        return str(account.exchanges.last(1)[0].id)
    return str(headers["X-Request-Id"])


_MISSING = {"cut": "only the start of its body is kept", "masked": "secrets of it are not kept"}


def _body_of(account: Account, exchange: Exchange) -> tuple[bytes, str]:
    """With its type. Raises Invalid where it is not kept as it came."""
    sent, media_type = exchange.sent, exchange.environ.get("CONTENT_TYPE", "")
    if MASK in exchange.environ["QUERY_STRING"]:
        raise invalid("id", "a secret in its query is not kept")
    if sent is None:
        return b"", media_type
    if sent.parts and not sent.content:
        return _form_of(account, sent.parts)
    for name, told in _MISSING.items():
        if name in sent.changed:
            raise invalid("id", told)
    return sent.content, media_type


def _form_of(account: Account, parts: Sequence[KeptPart]) -> tuple[bytes, str]:
    """A multipart form, with its files as the account has stored them."""
    import urllib3  # here: a start needs none of it

    fields: list[tuple[str, str | tuple[str, str | bytes, str]]] = []
    for part in parts:
        name, text = part["name"], part.get("text")
        if text is not None and MASK in text:
            raise invalid("id", _MISSING["masked"])
        if text is not None and (part.get("is_cut") or "stopped" in part):
            raise invalid("id", f"of the text of its part {name!r} only the start is kept")
        if "sha256" not in part:
            fields.append((name, text or ""))
            continue
        content = text if text is not None else account.files.read(part["sha256"])
        if content is None:
            told = f"the file {part['filename']!r} is not kept: no document of the account has it"
            raise invalid("id", told)
        fields.append((name, (part["filename"] or "", content, part.get("media_type", ""))))
    return urllib3.encode_multipart_formdata(fields)


def _credentials(account: Account, exchange: Exchange) -> str:
    if exchange.dialect == "atoms":
        raise invalid("id", "its Atoms token is not kept")
    fixed = current_call().sim.settings.credentials.get(account.auth_id)
    token = fixed or account.token or "token"
    return basic(account.auth_id, token)


@endpoint(
    "GET", "/operations", "What faults and the journal of requests call each call.",
    answers={200: "OperationsOut"},
)  # fmt: skip
def list_operations() -> Response:
    """Every operation of the imitated APIs, with the method and the path of its call."""
    shown = [_operation(name, *_row_of(name)) for name in OPERATIONS]
    return current_call().answer({"operations": shown})


def _row_of(operation: str) -> tuple[Surface, Endpoint]:
    """Where an operation is declared: its name ends with that of its API and its own."""
    api, name = operation.split(".")[-2:]
    surface: Surface = current_app.extensions["surfaces"]["current" if api == "compliance" else api]
    return surface, next(row for row in surface.endpoints if row.name == name)


def _operation(name: str, surface: Surface, row: Endpoint) -> OperationOut:
    api = name.partition(".")[0]
    return {
        "operation": name,
        "api": "new" if api == "compliance" else cast("Api", api),
        "method": row.method,
        "path": full_path(surface, row),
        "summary": row.summary,
    }
