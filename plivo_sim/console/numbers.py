"""Numbers: those that the account rents, and how to rent one. Read only: numbers are rented,
linked and released through the imitated API, which the page shows how to call."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from flask import Response, request

from plivo_sim.console.pages import (
    Paged,
    base_url,
    newest,
    newest_of,
    open_world,
    show,
)
from plivo_sim.domain.models import Application, NumberType, PhoneNumber
from plivo_sim.domain.statuses import Status
from plivo_sim.services import inventory, numbers
from plivo_sim.services.numbers import Search
from plivo_sim.world import World

SEARCHED = {"limit": 3}


def numbers_page(account: str) -> Response:
    """Newest first; a search looks for digits anywhere in a number."""
    world = open_world(account)
    asked = request.args.get("q", "").strip()
    digits = "".join(each for each in asked if each.isdigit() and each.isascii())
    if digits:
        found = _search(world, digits)
    else:
        with world.lock:
            found = newest(world.store.numbers, {})
    with world.lock:
        shown = Paged([_row(world, each) for each in found.items], found.number, found.total)
        commands = how_to_rent(world, base_url())
        any_at_all = len(world.store.numbers) > 0
    return show(
        "numbers.html", world=world, found=shown, q=asked, commands=commands, any_at_all=any_at_all
    )


def _search(world: World, digits: str) -> Paged[PhoneNumber]:
    """A scan: only people search. The account is held only while the numbers are listed."""
    with world.lock:
        every = list(world.store.numbers.every())
    return newest_of([each for each in every if digits in each.id])


def _row(world: World, number: PhoneNumber) -> dict[str, Any]:
    id = number.application_id
    return {"number": number, "application": world.store.applications.fetch(id) if id else None}


# --- how to rent one -------------------------------------------------------------------------


def how_to_rent(world: World, base: str) -> dict[str, str]:
    """Calls of the imitated API that work now, by what they do. Caller holds the lock."""
    commands = {}
    free = next(iter(_unregulated(world)), None)
    if free is not None:
        query = {"country_iso": free[0], "type": free[1].value, **SEARCHED}
        told = "&".join(f"{name}={value}" for name, value in query.items())
        commands["See which there are"] = _curl(world, base, "GET", f"PhoneNumber/?{told}")
        digits = _to_rent(world, *free)
        if digits:
            text = f"Rent one in {free[0]}, where nothing is asked"
            commands[text] = _curl(world, base, "POST", f"PhoneNumber/{digits}/")
    application = _accepted(world)
    if application is not None:
        digits = _to_rent(world, application.country_iso, application.number_type)
        if digits:
            commands["Rent one for an accepted application"] = _curl(
                world, base, "POST", f"PhoneNumber/{digits}/",
                {"compliance_application_id": application.id},
            )  # fmt: skip
    return commands


def _unregulated(world: World) -> list[tuple[str, NumberType]]:
    """Countries and types that ask for no documents."""
    countries = sorted({each.country_iso for each in world.catalogue.requirements})
    return [
        (country, type_)
        for country in countries
        for type_ in inventory.types_of(world.catalogue, country)
        if not inventory.requirements_of(world.catalogue, country, type_)
    ]


def _accepted(world: World) -> Application | None:
    """The newest accepted application."""
    where = {"status": (Status.ACCEPTED,)}
    total = world.store.applications.page(where, limit=1).total_count
    found = world.store.applications.page(where, offset=max(0, total - 1), limit=1).records
    return found[0] if found else None


def _to_rent(world: World, country_iso: str, number_type: NumberType) -> str:
    wanted = Search(country_iso=country_iso, types=(number_type,))
    offers = numbers.search(world, wanted, offset=0, limit=1).offers
    return offers[0].number if offers else ""


def _curl(world: World, base: str, method: str, path: str, body: Any = None) -> str:
    """The token is the shell's own: the last one that was used signs callbacks."""
    url = shlex.quote(f"{base}/v1/Account/{world.auth_id}/{path}")
    words = f'curl -X {method} -u "{world.auth_id}:${{PLIVO_AUTH_TOKEN:-any-token}}" {url}'
    if body is None:
        return words
    return f"{words} -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"


PAGES: list[tuple[str, Callable[..., Response]]] = [("/numbers", numbers_page)]
