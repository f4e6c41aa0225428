"""Calls that reached no account: refused credentials, URLs that there are not, foreign hosts, and
what is no HTTP that can be read. They are the whole server's: nobody knows whose they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from flask import Response, current_app

from plivo_sim.domain.typed import kept
from plivo_sim.domain.words import closest
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import endpoint, full_path
from plivo_sim.web.long_work import work_on_texts
from plivo_sim.web.request_log import Exchange

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers.requests import UnmatchedOut

LONGEST_PATH = 300
ALIKE = 0.6
"""How much of a path must be alike, from 0 to 1, for it to be meant."""
_ID = re.compile(r"/(?:[MS]A[A-Za-z0-9]{18}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/|$)")
_PARAMETER = re.compile(r"\{\w+\}")
_PLACE = "/{}"


@endpoint(
    "GET", "/unmatched", "Calls that reached no account, with the reason.",
    answers={200: "UnmatchedListOut"},
)  # fmt: skip
def list_unmatched() -> Response:
    """Those of the whole server, oldest first: refused with 401, of a URL that there is not or of a
    host that is not ours, or unreadable. ``nearest``: the URL that was probably meant. In memory,
    the last 200."""
    kept_calls = current_call().sim.unmatched
    found = list(kept_calls)
    with work_on_texts(each.size_bytes for each in found):
        shown = [unmatched_of(each) for each in found]
        return current_call().answer({"unmatched": shown, "forgotten": kept_calls.forgotten})


@endpoint(
    "DELETE", "/unmatched", "Forget the calls that reached no account.",
    answers={200: "UnmatchedListOut"},
)  # fmt: skip
def clear_unmatched() -> Response:
    current_call().sim.unmatched.clear()
    return list_unmatched()


def unmatched_of(exchange: Exchange) -> UnmatchedOut:
    """A call as it is shown, with the URL that was probably meant."""
    path = exchange.environ.get("PATH_INFO", "")
    shown: dict[str, Any] = {**exchange.shown(), "nearest": nearest_path(path)}
    return cast("UnmatchedOut", shown)


def nearest_path(path: str) -> str | None:
    """The path of an endpoint that is most like this one, with its ids; None if this is the path of
    one, or none is like it."""
    path = path[:LONGEST_PATH]
    ids = _ID.findall(path)
    found = _nearest(_ID.sub(_PLACE, path).rstrip("/"), path.startswith("/_sim"))
    if found is None:
        return None
    pattern, template = found
    if pattern.count(_PLACE) != len(ids):
        return template
    for id in ids:
        pattern = pattern.replace(_PLACE, id, 1)
    return f"{pattern}/" if template.endswith("/") else pattern


@kept(256)
def _nearest(pattern: str, of_control: bool) -> tuple[str, str] | None:
    """The pattern that is nearest, and the path that it stands for."""
    known = {
        _PARAMETER.sub("{}", path).rstrip("/"): path
        for name, surface in current_app.extensions["surfaces"].items()
        if (name == "control") is of_control
        for path in (full_path(surface, row) for row in surface.endpoints)
    }
    found = [] if pattern in known else closest(pattern, known, ALIKE)
    return (found[0], known[found[0]]) if found else None
