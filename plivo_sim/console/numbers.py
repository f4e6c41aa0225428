"""Numbers: those that the account rents, and how to rent one. Read only: numbers are rented,
linked and released through the imitated API, which the page shows how to call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.actions import login_words
from plivo_sim.console.pages import Paged, base_url, newest, newest_of, open_account, show
from plivo_sim.domain.records import Application, NumberType, PhoneNumber
from plivo_sim.domain.text import shell_word
from plivo_sim.services import inventory, numbers
from plivo_sim.services.numbers import Search

SEARCHED = {"limit": 3}
LOOKED_AT = 20


def numbers_page(auth_id: str) -> Response:
    """Newest first; a search looks for digits anywhere in a number."""
    account = open_account(auth_id)
    wanted = request.args.get("q", "").strip()
    digits = "".join(each for each in wanted if each.isdigit() and each.isascii())
    if digits:
        found = _search(account, digits)
    else:
        with account.lock:
            found = newest(account.store.numbers, {})
    with account.lock:
        shown = Paged([_row(account, each) for each in found.items], found.number, found.total)
        commands = how_to_rent(account, base_url())
        any_at_all = len(account.store.numbers) > 0
    return show(
        "numbers.html",
        account=account,
        found=shown,
        q=wanted,
        commands=commands,
        any_at_all=any_at_all,
    )


def _search(account: Account, digits: str) -> Paged[PhoneNumber]:
    """A scan: only people search. The account is held only while the numbers are listed."""
    with account.lock:
        every = list(account.store.numbers.every())
    return newest_of([each for each in every if digits in each.id])


def _row(account: Account, number: PhoneNumber) -> dict[str, Any]:
    id = number.application_id
    return {"number": number, "application": account.store.applications.fetch(id) if id else None}


# --- how to rent one -------------------------------------------------------------------------


def how_to_rent(account: Account, base: str) -> dict[str, str]:
    """Calls of the imitated API that work now, by what they do. Caller holds the lock."""
    commands = {}
    free = next(iter(_unregulated(account)), None)
    if free is not None:
        query = {"country_iso": free[0], "type": free[1].value, **SEARCHED}
        told = "&".join(f"{name}={value}" for name, value in query.items())
        commands["See which there are"] = _curl(account, base, "GET", f"PhoneNumber/?{told}")
        digits = _to_rent(account, *free)
        if digits:
            text = f"Rent one in {free[0]}, where no documents are needed"
            commands[text] = _curl(account, base, "POST", f"PhoneNumber/{digits}/")
    for application in _accepted(account):
        digits = _to_rent(account, application.country_iso, application.number_type)
        if digits:
            commands["Rent one for an accepted application"] = _curl(
                account, base, "POST", f"PhoneNumber/{digits}/",
                {"compliance_application_id": application.id},
            )  # fmt: skip
            break
    return commands


def _unregulated(account: Account) -> list[tuple[str, NumberType]]:
    """Countries and types that ask for no documents, in the catalogue's order."""
    countries = dict.fromkeys(each.country_iso for each in account.catalogue.requirements)
    return [
        (country, type_)
        for country in countries
        for type_ in numbers.types_for_rent(account, country)
        if not inventory.requirements_of(account.catalogue, country, type_)
    ]


def _accepted(account: Account) -> Iterator[Application]:
    """The accepted applications of those who may rent, newest first; only a few of the newest are
    looked at."""
    where = {"status": account.machine.linking}
    total = account.store.applications.page(where, limit=1).total_count
    offset = max(0, total - LOOKED_AT)
    newest = account.store.applications.page(where, offset=offset, limit=LOOKED_AT).records
    for each in reversed(newest):
        if each.user_type in numbers.renters_in(account, each.country_iso):
            yield each


def _to_rent(account: Account, country_iso: str, number_type: NumberType) -> str:
    wanted = Search(country_iso=country_iso, types=(number_type,))
    offers = numbers.search(account, wanted, offset=0, limit=1).offers
    return offers[0].number if offers else ""


def _curl(account: Account, base: str, method: str, path: str, body: Any = None) -> str:
    """The token is the shell's own: the last one that was used signs callbacks."""
    url = shell_word(f"{base}/v1/Account/{account.auth_id}/{path}")
    login = login_words(account.auth_id, "${PLIVO_AUTH_TOKEN:-any-token}")
    words = f"curl -X {method} {login} {url}"
    if body is None:
        return words
    return f"{words} -H 'Content-Type: application/json' -d {shell_word(json.dumps(body))}"


PAGES: list[tuple[str, Callable[..., Response]]] = [("/numbers", numbers_page)]
