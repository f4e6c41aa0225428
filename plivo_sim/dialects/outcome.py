"""``X-Plivo-Sim-Outcome``: the cheapest scenario there is, for one submission. Invented.

``rejected; after=2d; reason="Name mismatch"``; the reason may be a preset's name; ``nothing``
leaves the application in review for ever.
"""

from __future__ import annotations

from flask import Request
from werkzeug.http import parse_options_header

from plivo_sim.domain.review import Asked
from plivo_sim.domain.statuses import Status
from plivo_sim.durations import parse_duration
from plivo_sim.errors import Fault, Invalid, Problem
from plivo_sim.scenarios.presets import read_reason

HEADER = "X-Plivo-Sim-Outcome"
_WORDS = {
    "accepted": Status.ACCEPTED,
    "rejected": Status.REJECTED,
    "more_info_required": Status.MORE_INFO_REQUIRED,
    "nothing": None,
}


def asked_outcome(request: Request) -> Asked | None:
    """What the request asks for. Raises Invalid when the header cannot be read."""
    text = request.headers.get(HEADER)
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
    return Asked(status=_WORDS[word], reason=told, after=after)


def _wrong(text: str) -> Invalid:
    return Invalid([Problem(Fault.BAD_VALUE, (HEADER,), text)])
