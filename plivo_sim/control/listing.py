"""What an account holds, to look through: applications by filter, requirements, an export."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec
from flask import Response, request

from plivo_sim.control import presenters
from plivo_sim.control.accounts import world_of
from plivo_sim.control.inputs import invalid, number_of
from plivo_sim.dialects.calls import current_call
from plivo_sim.domain.models import NumberType, UserType, Version
from plivo_sim.domain.requirements import DocumentType, Requirement
from plivo_sim.domain.statuses import Status
from plivo_sim.services import applications
from plivo_sim.snapshots import without_secrets
from plivo_sim.store.codec import to_plain
from plivo_sim.world import World

FILTERS: dict[str, type[StrEnum] | None] = {
    "status": Status,
    "country_iso": None,
    "number_type": NumberType,
    "user_type": UserType,
}


def list_applications() -> Response:
    """The applications of the account, oldest first. ``status``, ``country_iso``,
    ``number_type`` and ``user_type`` filter; one that is given twice takes either."""
    where = {name: _wanted(name, words) for name, words in FILTERS.items() if name in request.args}
    world = world_of()
    offset, limit = number_of("offset", 0), number_of("limit", 100)
    with world.lock:
        page = applications.page(world, where, offset=offset, limit=limit)
        shown = [presenters.application_of(world, each) for each in page.records]
    return current_call().answer({"total_count": page.total_count, "applications": shown})


def _wanted(name: str, words: type[StrEnum] | None) -> list[str]:
    given = request.args.getlist(name)
    if words is None:
        return [each.upper() for each in given]
    for each in given:
        if each not in list(words):
            raise invalid(name, f"must be one of {', '.join(words)}, not '{each[:50]}'")
    return given


def list_requirements() -> Response:
    """What the catalogue asks for, as the SDKs and the legacy API publish it; for each demand
    the types of document that satisfy it. The same for every account."""
    shown = [
        _requirement(each)
        for each in current_call().sim.catalogue.requirements
        if each.version is Version.SDK
    ]
    return current_call().answer({"requirements": shown})


def _requirement(requirement: Requirement) -> dict[str, Any]:
    return {
        "requirement_id": requirement.id,
        "country_iso": requirement.country_iso,
        "number_type": requirement.number_type,
        "user_type": requirement.user_type,
        "source": requirement.source,
        "estimated_review_days": requirement.estimated_review_days,
        "documents": [
            {"name": slot.name, "any_of": [_type(type_) for type_ in slot.types]}
            for slot in requirement.slots
        ],
    }


def _type(type_: DocumentType) -> dict[str, Any]:
    return {
        "document_type_id": type_.id,
        "word": type_.word,
        "name": type_.name,
        "proof_required": type_.proof_required,
        "fields": msgspec.to_builtins(type_.fields),
    }


def export() -> Response:
    """The account's records as stock TinyDB reads them: table -> document number -> document.

    The number is the record's ``seq``, because stock TinyDB takes whole numbers only; its id is in
    the document. The account's token is left out.
    """
    world = world_of(sends=True)
    with world.lock:
        return current_call().answer(exported(world))


def exported(world: World) -> dict[str, dict[str, dict[str, Any]]]:
    """See ``export``. Caller holds the lock."""
    return {
        table: {
            str(record.seq): without_secrets(table, to_plain(record)) for record in rows.values()
        }
        for table, rows in world.store.mark().items()
        if rows
    }


ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("GET", "/applications", list_applications),
    ("GET", "/requirements", list_requirements),
    ("GET", "/export", export),
]
