"""The OpenAPI documents, and a page to read them that needs nothing from outside.

The control API as a surface. The scenario language's own schemas come from its types.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from inspect import getdoc
from typing import Any

import msgspec
from flask import Response

from plivo_sim.control import schemas
from plivo_sim.control.presenters import MEDIA_TYPE
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.typed import once
from plivo_sim.openapi.build import build, full_path
from plivo_sim.openapi.surfaces import SURFACES, Operation
from plivo_sim.scenarios.language import Decision, FaultRule, WebhookPolicy
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import JSON, MULTIPART, Endpoint, Query, Surface

SIM = "/_sim"


_OBJECT = {"type": "object"}


_ACCOUNT = Query(name="account", description="MA…; needed when there is not exactly one account.")


_PAGE = (Query(name="offset", type="integer"), Query(name="limit", type="integer"))


def _object(*required: str, **properties: Any) -> dict[str, Any]:
    """An object; a property is a schema, or its type and what it means: ``string: an instant``."""
    told = {name: _described(value) if isinstance(value, str) else value
            for name, value in properties.items()}  # fmt: skip
    return {"type": "object", "properties": told, "required": list(required)}


def _described(text: str) -> dict[str, Any]:
    kind, _, meaning = text.partition(": ")
    return {"type": kind} | ({"description": meaning} if meaning else {})


def _part(part: Any, *required: str, **more: Any) -> dict[str, Any]:
    """A part of the scenario language; of what it refers to, only that it is there."""
    found = msgspec.json.schema(part)["$defs"][part.__name__]["properties"]
    told = {name: {} if "$ref" in str(each) else each for name, each in found.items()}
    text = f"{getdoc(part)}\n\nThe whole language: docs/scenarios.md."
    return _object(*required, **told, **more) | {"description": text}


def _get(id: str, path: str, summary: str, answer: Any, *query: Query, **more: Any) -> Endpoint:
    return Operation(
        id=id, method="GET", path=f"{SIM}{path}", summary=summary, query=query,
        answers={200: answer}, **more,
    )  # fmt: skip


def _post(
    id: str, path: str, summary: str, answer: Any, body: Any = None, status: int = 200,
    **more: Any,
) -> Endpoint:  # fmt: skip
    return Operation(
        id=id, method="POST", path=f"{SIM}{path}", summary=summary, query=(_ACCOUNT,),
        bodies={JSON: body or _OBJECT}, body_required=body is not None and bool(body["required"]),
        answers={status: answer}, **more,
    )  # fmt: skip


def _delete(id: str, path: str, summary: str, answer: Any, **more: Any) -> Endpoint:
    return Operation(
        id=id, method="DELETE", path=f"{SIM}{path}", summary=summary, query=(_ACCOUNT,),
        answers={200: answer}, **more,
    )  # fmt: skip


_FOR = "string: the account, instead of in the query"


_ONLY_ACCOUNT = _object(account=_FOR)


_UNTIL = _object("application", "status", application="string", status="string")


OPERATIONS = (
    _get("health", "/health", "Alive, and which version.", schemas.HealthOut),
    _get("live", "/health/live", "Whether it lives.", schemas.LiveOut),
    Operation(
        id="ready", method="GET", path=f"{SIM}/health/ready", summary="Whether it is ready.",
        answers={200: schemas.ReadyOut, 503: schemas.ReadyOut},
    ),
    _get("get_clock", "/clock", "Where time stands.", schemas.ClockOut, _ACCOUNT),
    Operation(
        id="advance", method="POST", path=f"{SIM}/clock/advance", query=(_ACCOUNT,),
        summary="Move time; answers with what happened on the way.",
        bodies={JSON: _object(
            by={"type": ["string", "number"], "description": "a duration, or seconds"},
            to="string: an instant", account=_FOR,
            until=_UNTIL | {"description": "until this application has this status"},
        )},
        answers={200: schemas.AdvanceOut, 202: schemas.AdvanceOut}, errors=(404, 409),
    ),
    _post("pause", "/clock/pause", "Let time stand still.", schemas.ClockOut, _ONLY_ACCOUNT),
    _post("resume", "/clock/resume", "Let time run.", schemas.ClockOut, _ONLY_ACCOUNT),
    _post("set_rate", "/clock/rate", "Simulated seconds a real second.", schemas.ClockOut,
          _object("rate", rate="number: 86400 is a day a second", account=_FOR), errors=(409,)),
    _post("set_clock", "/clock/set", "Move time to an instant.", schemas.AdvanceOut,
          _object("to", to="string: an instant, not before now", account=_FOR), errors=(409,)),
    _get("list_applications", "/applications", "Applications, oldest first.",
         schemas.ApplicationsOut, _ACCOUNT, *_PAGE,
         *(Query(name=n) for n in ("status", "country_iso", "number_type", "user_type"))),
    _get("get_application", "/applications/{id}", "Timeline, and what comes next.",
         schemas.ApplicationOut, errors=(404,)),
    _post("decide", "/applications/{id}/decision",
          "Decide by hand; answers when the first attempt of its callbacks is over.",
          schemas.ApplicationOut,
          _object("status", reason="string: a text, or the name of a preset",
                  status="string: accepted, rejected, more_info_required, suspended or expired"),
          errors=(404, 409)),
    _get("why", "/applications/{id}/why", "Which rule decided, and why not the others.",
         schemas.WhyOut, errors=(404,)),
    _get("list_requirements", "/requirements", "What the catalogue asks for.", _OBJECT),
    _get("export", "/export", "The records as plain TinyDB JSON.", _OBJECT, _ACCOUNT),
    _get("list_webhooks", "/webhooks", "Callbacks with every attempt.", schemas.WebhooksOut,
         _ACCOUNT, *_PAGE, Query(name="application"), Query(name="state")),
    _get("get_webhook", "/webhooks/{id}", "One callback.", schemas.WebhookOut, errors=(404,)),
    _post("replay_webhook", "/webhooks/{id}/replay", "Send a callback again.", schemas.WebhookOut,
          status=202, errors=(404,)),
    _get("get_webhook_policy", "/webhooks/policy", "What happens to callbacks.", _OBJECT,
         _ACCOUNT),
    _post("set_webhook_policy", "/webhooks/policy", "Spoil callbacks.", _OBJECT,
          _part(WebhookPolicy, account=_FOR)),
    _delete("drop_webhook_policy", "/webhooks/policy", "Let callbacks be.", _OBJECT),
    _post("verify_signature", "/webhooks/verify-signature",
          "Which part of a receiver's check is wrong.", schemas.SignaturesOut,
          _object("url", "headers", method="string", url="string", body="string", token="string",  # noqa: S106 (a type)
                  headers={"type": "object", "additionalProperties": {"type": "string"}})),
    _get("list_accounts", "/accounts", "Accounts.", schemas.AccountsOut),
    _post("make_account", "/accounts", "Make an account, or change its settings.",
          schemas.AccountOut,
          _object("auth_id", auth_id="string: MA and 18 letters or digits",
                  settings=_OBJECT | {"description": "name: text; see docs/settings.md"}), 201),
    _post("reset", "/reset", "Forget everything in an account.",
          _object("reset", reset={"type": "array", "items": {"type": "string"}}),
          _object(account=f"{_FOR}, or all")),
    _post("snapshot", "/snapshot", "Remember this moment.", schemas.MarkedOut,
          _object(name="string: default: snapshot-1, snapshot-2 …", account=_FOR), 201),
    _get("get_snapshot", "/snapshot/{name}", "A moment as a document.", _OBJECT, _ACCOUNT,
         errors=(404,)),
    _post("restore", "/restore", "Make a moment the present again.", schemas.AccountOut,
          _object(name="string: of a moment that was remembered",
                  snapshot="object: a moment as a document, instead", account=_FOR),
          errors=(404,)),
    _get("receive_get", "/inbox/{name}", "The built-in receiver.", _OBJECT),
    _post("receive_post", "/inbox/{name}", "The built-in receiver.", _OBJECT),
    _get("read_inbox", "/inbox/{name}/messages", "What arrived.", schemas.InboxOut),
    _delete("empty_inbox", "/inbox/{name}/messages", "Forget it.", schemas.InboxOut),
    _get("list_scenarios", "/scenarios", "The scenarios that ship.", _OBJECT),
    _get("get_shipped", "/scenarios/{name}", "The text of one.", _OBJECT, errors=(404,)),
    _get("get_scenario", "/scenario", "The account's scenario.", _OBJECT, _ACCOUNT),
    _post("use_scenario", "/scenario", "Choose a scenario.", _OBJECT,
          _object(name="string: of one that ships", yaml="string: the text of one",
                  scenario="object: one as an object", account=_FOR)),
    _delete("drop_scenario", "/scenario", "No scenario.", _OBJECT),
    _get("scenario_schema", "/schema/scenario.json", "The JSON Schema of a scenario.", _OBJECT),
    _get("words", "/words", "Magic values and presets.", _OBJECT),
    _get("list_faults", "/faults", "Faults that are on.", _OBJECT, _ACCOUNT),
    _post("add_fault", "/faults", "Switch a fault on.", _OBJECT,
          _part(FaultRule, "effect", account=_FOR), 201),
    _delete("clear_faults", "/faults", "Switch all off.", _OBJECT),
    _delete("remove_fault", "/faults/{id}", "Switch one off.", _OBJECT, errors=(404,)),
    _post("next_outcome", "/next-outcome", "Decide the next submission.", _OBJECT,
          _part(Decision, account=_FOR), 201),
    _get("list_requests", "/requests", "The last exchanges.", _OBJECT, _ACCOUNT,
         Query(name="id")),
    Operation(
        id="evaluate", method="POST", path=f"{SIM}/evaluate", query=(_ACCOUNT,),
        summary="What would happen to a create of the new API; nothing is kept.",
        bodies={MULTIPART: _OBJECT, JSON: _OBJECT}, answers={200: _OBJECT},
    ),
    _get("get_document", "/openapi/{name}.json", "An OpenAPI document.", _OBJECT, errors=(404,)),
    _get("coverage", "/coverage", "What this run has exercised.", _OBJECT),
    _delete("clear_coverage", "/coverage", "Begin a new run.", _OBJECT),
)  # fmt: skip


CONTROL = Surface(
    name="control",
    title="plivo-sim control API",
    description="Time, decisions, scenarios, faults, callbacks, snapshots.",
    prefix="",
    answers="",
    endpoints=OPERATIONS,
    error=schemas.ProblemDetailsOut,
    error_type=MEDIA_TYPE,
    always=(400, 403),
)


ALL = {**SURFACES, CONTROL.name: CONTROL}


_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:break-word}h1,h2{line-height:1.2}h2{margin-top:2.5rem}"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}"
    "td,th{padding:.4rem .8rem .4rem 0;text-align:left;border-bottom:1px solid #8885;"
    "vertical-align:top}th:first-child{width:55%}th:last-child{width:17%}"
    "@media(max-width:48rem){tr:first-child{display:none}td{display:block;border:0;padding:0}"
    "tr{display:block;padding:.6rem 0;border-bottom:1px solid #8885}}"
)


@once
def document(name: str) -> dict[str, Any]:
    """The OpenAPI document of a surface. Raises KeyError. Nobody changes it once it is made."""
    return build(ALL[name])


def get_document(name: str) -> Response:
    """One document: ``legacy``, ``beta``, ``current``, ``numbers``, ``atoms`` or ``control``."""
    if name not in ALL:
        raise NotFound("openapi document", name)
    return current_call().answer(document(name))


def get_page() -> Response:
    """Every operation of every surface, as a page."""
    body = "".join(_page())
    return Response(body, content_type="text/html; charset=utf-8", headers={
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    })  # fmt: skip


def _page() -> Iterator[str]:
    yield "<!doctype html><html lang=en><meta charset=utf-8><title>plivo-sim</title>"
    yield "<meta name=viewport content='width=device-width,initial-scale=1'>"
    yield f"<style>{_STYLE}</style><h1>plivo-sim: reference</h1>"
    for name, surface in ALL.items():
        link = f"/_sim/openapi/{html.escape(name)}.json"
        alone = (
            f" Nothing else answers below <code>{surface.mount}</code>." if surface.mount else ""
        )
        yield f"<h2>{_breakable(surface.title)}</h2><p>{html.escape(surface.description)}{alone} "
        yield f"<a href='{link}'>OpenAPI</a></p><table><tr><th>Call<th>What<th>Answers</tr>"
        for operation in surface.endpoints:
            statuses = sorted({*operation.answers, *operation.errors, *surface.always})
            told = ", ".join(map(str, statuses))
            path = _breakable(full_path(surface, operation))
            yield f"<tr><td><code><b>{operation.method}</b> {path}</code>"
            yield f"<td>{html.escape(operation.summary)}<td>{told}</tr>"
        yield "</table>"


def _breakable(text: str) -> str:
    """Lines may end after a slash, and nowhere else within a path."""
    return html.escape(text).replace("/", "/<wbr>")
