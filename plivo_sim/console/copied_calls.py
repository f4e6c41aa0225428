"""A request of an API, as a call of a test that is made of what was done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from plivo_sim.console.copied_faults import as_verb, expecting, strike_on
from plivo_sim.console.copied_file import File, unknown_in
from plivo_sim.console.sources import ID, INBOX, Names, Source, as_json_source, quoted, source
from plivo_sim.domain.text import decode_json
from plivo_sim.web.request_log import Exchange

_TRUNCATED = 4000
"""A text of that many characters was perhaps longer: no more is kept."""
_FILED = re.compile(rf'"compliance(?:_application)?_id": ?"({ID.pattern})"')


def call(file: File, made: Exchange) -> None:
    """A request of an API, as it was sent."""
    shown = made.shown()
    if made.dialect == "atoms":
        return file.leave_out(made, "it is of Atoms, whose key is not kept")
    if unknown := unknown_in(file, made):
        return file.leave_out(made, f"{unknown} was not made by a call that is carried over")
    parts = urlsplit(made.url)
    shown_path = _with_account(file.names, parts.path, file.account.auth_id)
    sent = _sent(file, shown)
    if sent is None:
        return file.leave_out(made, "its body is not kept whole")
    if parts.query:
        sent["params"] = [*parse_qsl(parts.query, keep_blank_values=True)]
    if made.dialect in ("current", "beta"):
        sent["headers"] = {"X-Plivo-Sim-Dialect": made.dialect}
    words = "".join(
        f"        {key}={source(value, file.names, 8, len(key) + 2)},\n"
        for key, value in sent.items()
    )
    strike = strike_on(made)
    is_lost = strike is not None and strike.raises != ""
    learned = [] if is_lost else _learned(file, shown["answer"])
    called = f"{quoted(made.method)}, {shown_path}, {made.status}"
    whole = f"call(\n        {called},\n{words}    )" if words else f"call({called})"
    if strike is not None:
        file.add(as_verb(strike, made))
    file.add(f"answer = {whole}" if learned else expecting(strike, whole), *learned)
    if is_lost and made.is_spoilt and made.method == "POST":
        file.add(*_found(file, f"{shown['answer']}{shown['answer_end']}"))
    return None


def _learned(file: File, text: str) -> list[str]:
    """Lines that take ids that are needed out of an answer."""
    try:
        answer = decode_json(text)
    except ValueError:
        return []
    return file.names.learn(answer, _wanted(file, answer))


def _found(file: File, text: str) -> list[str]:
    """A line that finds the application whose filing was done, and the answer lost."""
    known = file.names.known
    new = set(_FILED.findall(text)) - known.keys()
    if len(new) != 1:
        return []
    name = known[new.pop()] = f"compliance_id_{len(known) + 1}"
    return [f"{name} = plivo_server.applications()[-1].id"]


def _with_account(names: Names, path: str, auth_id: str) -> str:
    """The path with the variables ``account`` and those of ids in it."""
    parts = path.split(f"/{auth_id}/")
    if len(parts) == 1:
        return names.text(path)
    return f"f{quoted('/{account}/'.join(map(names.within, parts)))}"


def _wanted(file: File, answer: Any) -> set[str]:
    """The ids in an answer that are in a later call, too, or are of the application that it is
    about."""
    applications = file.account.applications
    return {
        id
        for id in ID.findall(repr(answer))
        if file.last.get(id, 0) > file.at or (isinstance(answer, dict) and id in applications)
    }


def _sent(file: File, shown: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to send, as arguments of the test's own ``call``; None: it is not known."""
    body, headers = shown["body"], {k.lower(): v for k, v in shown["headers"].items()}
    if body is None:
        return {}
    if isinstance(body, str) and body.startswith("("):
        return None
    if not (isinstance(body, list) and "json" not in headers.get("content-type", "")):
        return {"json": body}
    if any(len(part.get("text", "")) >= _TRUNCATED for part in body):
        return None
    fields = [(part["name"], _part(file, part)) for part in body]
    if "multipart" in headers.get("content-type", ""):
        files = [Source(f"({quoted(name)}, {text})") for name, text in fields]
        return {"files": files}
    return {"data": [Source(f"({quoted(name)}, {text})") for name, text in fields]}


def _part(file: File, part: Mapping[str, Any]) -> str:
    """A part of a form: a text, or a file."""
    if "filename" in part:
        return f"upload({quoted(part['filename'])})"
    text = part["text"]
    shown = Source(INBOX) if part["name"] == "callback_url" and text else None
    return str(shown or as_json_source(text, file.names, 12) or file.names.text(text))
