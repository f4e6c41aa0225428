"""``X-Plivo-Sim-Outcome``: the cheapest scenario there is, for one submission. Invented.

``rejected; after=2d; reason="Name mismatch"``; the reason may be a preset's name; ``nothing``
leaves the application in review for ever.

The header that names a file which is downloaded.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal
from urllib.parse import quote

from flask import Request, Response
from werkzeug.http import parse_options_header

from plivo_sim.domain.durations import parse_duration
from plivo_sim.domain.errors import Invalid, Problem, ProblemKind
from plivo_sim.domain.statuses import Status
from plivo_sim.scenarios.rules import RequestedOutcome, read_reason

_PLAIN_ENOUGH = "!#$&+-.^_`|~"


def name_file(
    response: Response, name: str, how: Literal["inline", "attachment"] = "attachment"
) -> None:
    """Tell clients to save the body under this name, or to show it (RFC 6266).

    A name that is not ASCII goes as ``filename*``, beside an ASCII one for old clients.
    """
    names = {"filename": name}
    if not name.isascii():
        encoded = quote(name, safe=_PLAIN_ENOUGH)
        names = {"filename": _in_ascii(name), "filename*": f"UTF-8''{encoded}"}
    response.headers.set("Content-Disposition", how, **names)


def _in_ascii(name: str) -> str:
    """The name without accents and without letters that have no ASCII form."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, end = plain.rpartition(".") if "." in plain else (plain, "", "")
    return f"{stem.strip() or 'file'}{dot}{end}"


OUTCOME_HEADER = "X-Plivo-Sim-Outcome"


_WORDS = {
    "accepted": Status.ACCEPTED,
    "rejected": Status.REJECTED,
    "more_info_required": Status.MORE_INFO_REQUIRED,
    "nothing": None,
}


def asked_outcome(request: Request) -> RequestedOutcome | None:
    """What the request asks for. Raises Invalid when the header cannot be read."""
    text = request.headers.get(OUTCOME_HEADER)
    if not text:
        return None
    word, options = parse_options_header(text)
    word = word.lower()
    if word not in _WORDS:
        raise _wrong(f"must be one of {', '.join(_WORDS)}, not '{word[:50]}'")
    unknown = set(options) - {"after", "reason"}
    if unknown:
        raise _wrong(f"knows after and reason, not '{min(unknown)[:50]}'")
    reason = options.get("reason")
    try:
        after = parse_duration(options["after"]) if "after" in options else None
        told = read_reason(reason) if reason else None
    except ValueError as error:
        raise _wrong(str(error)) from None
    return RequestedOutcome(status=_WORDS[word], reason=told, after=after)


def _wrong(text: str) -> Invalid:
    return Invalid([Problem(ProblemKind.BAD_VALUE, (OUTCOME_HEADER,), text)])


DIALECT_HEADER = "X-Plivo-Sim-Dialect"


MOUNT_KEY = "plivo_sim.dialect"
"""Where the WSGI environment says which mount (``/current/v1/…``) was called."""


_SDK_AGENT = re.compile(r"plivo-(python|node|go|ruby|php|java|dotnet)/", re.IGNORECASE)


def is_sdk_agent(user_agent: str) -> bool:
    """Whether an official SDK sent this (observed: Go uploads do not say so)."""
    return _SDK_AGENT.match(user_agent) is not None
