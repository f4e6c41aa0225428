"""New applications of made-up people and businesses, filed as a client of the API files them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Form
from plivo_sim.console.api_calls import ApiCall, Upload, token_of
from plivo_sim.control.server import published
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call

if TYPE_CHECKING:
    from plivo_sim.client.applications import CreateRequest

MOST_FILED = 200
"""At once: the page waits for them."""


def seed(form: Form) -> list[Action]:
    """So many applications, in one country or in any; each press makes other people."""
    id, country = form.get("account", ""), form.get("country", "")
    text, callback_url = form.get("count", "1").strip(), form.get("callback_url", "").strip()
    if not is_account(id):
        return [_wrong("there is no such account")]
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 0 < int(text) <= MOST_FILED):
        return [_wrong(f"how many: a number from 1 to {MOST_FILED}")]
    account, count = current_call().sim.account(id), int(text)
    with account.lock:
        first = len(account.store.applications) + 1
    try:
        requests = list(_requests(count, first, country, callback_url))
    except ValueError as error:
        return [_wrong(str(error))]
    where: tuple[str, ...] = ("--country", country) if country else ()
    where += ("--callback-url", callback_url) if callback_url else ()
    words = ("seed", str(count), "--seed", str(first), *where, "--account", id)
    calls = [_call(account, each) for each in requests]
    return [replace(calls[0], cli=words), *calls[1:]]


def _requests(count: int, seed: int, country: str, callback_url: str) -> Iterator[CreateRequest]:
    """Those that ``plivo-sim seed`` makes. Raises ValueError for a country without requirements."""
    from plivo_sim.client.applications import create_request  # here: a start needs none of it
    from plivo_sim.client.filing import catalogue_in
    from plivo_sim.client.people import People

    requirements, countries = catalogue_in(dict(published()), [country] if country else [])
    people = People(seed, countries.__getitem__)
    keys = [key for key, each in requirements.items() if each["documents"]] or list(requirements)
    for index in range(count):
        applicant = people.draw(index, keys, callback_url=callback_url)
        yield create_request(applicant, requirements[applicant.key])


def _call(account: Account, made: CreateRequest) -> ApiCall:
    parts = [(name, each if isinstance(each, str) else Upload(*each)) for name, each in made.form]
    return ApiCall(
        message="",
        did="Filed",
        name=str(made.data["alias"]),
        operation="compliance.create",
        auth_id=account.auth_id,
        token=token_of(account),
        verb="POST",
        path="PhoneNumber/Compliance/",
        parts=tuple(parts),
    )


def _wrong(text: str) -> Action:
    return Action(message="", operation="reset", wrong=text)


ACTIONS: dict[str, Build] = {"seed": seed}
