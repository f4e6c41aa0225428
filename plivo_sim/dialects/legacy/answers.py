"""Answers that several nouns share: the list envelope, and ``changed``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Response, request

from plivo_sim.dialects.calls import Call
from plivo_sim.dialects.legacy.queries import ListQuery
from plivo_sim.dialects.paging import meta


def answer_list(
    call: Call, query: ListQuery, objects: list[dict[str, Any]], total_count: int
) -> Response:
    """``{api_id, meta, objects}`` (observed)."""
    path = request.script_root + request.path  # a fixed mount stays in the links
    about = meta(path, request.args, query.offset, query.limit, total_count)
    return call.answer({"api_id": call.api_id, "meta": about, "objects": objects})


def changed(call: Call, why: str, status: int = 200) -> Response:
    """The answer to updates and, with 200, to deletes (documented; 200 with a body is the only
    answer to a delete that every SDK takes: observed)."""
    call.why = why
    return call.answer({"api_id": call.api_id, "message": "changed"}, status)


def warn_nothing_given(call: Call, given: Collection[Any], problems: Collection[Any]) -> None:
    """An update that gives nothing changes nothing and says so: Go's update of a document
    loses its fields on the way (observed)."""
    if not given and not problems:
        call.warnings.append("nothing to change was given")
