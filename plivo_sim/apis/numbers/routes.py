"""The routes of ``PhoneNumber``, ``Number`` and Link.

Both spellings of every URL, with and without the last slash, are answered; none redirects,
because a redirect turns a POST into a GET. HTTP codes: rent 201, update 202 (observed), release
200 with a body, the only answer to a delete that every SDK takes (observed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.routing import BaseConverter

from plivo_sim.apis.headers import DIALECT_HEADER, MOUNT_KEY, is_sdk_agent
from plivo_sim.apis.numbers.presenters import (
    error_body,
    present_links,
    present_number,
    present_offer,
    present_rented,
)
from plivo_sim.apis.numbers.reading import (
    read_change,
    read_links,
    read_list,
    read_rent,
    read_search,
)
from plivo_sim.apis.paging import meta, refuse_if_any
from plivo_sim.domain.errors import SimError
from plivo_sim.services import inventory, numbers
from plivo_sim.services.numbers import Caller, Change
from plivo_sim.web.calls import Call, current_call

PageError = Callable[[SimError, str], tuple[int, Any]]
"""An error in the page's words, given the ``api_id``."""


class NumberConverter(BaseConverter):
    """A number in a URL, with or without ``+``; what has letters in it is another URL."""

    regex = r"[+]?[0-9 ().-]+"


def make_blueprint(page_error: PageError) -> Blueprint:
    """The blueprint of ``PhoneNumber`` and ``Number``."""
    blueprint = Blueprint("numbers", __name__, url_prefix="/v1/Account/<auth_id>")
    blueprint.record_once(lambda state: state.app.url_map.converters.update(number=NumberConverter))
    blueprint.before_request(lambda: _speak(page_error, "numbers"))
    routes: list[tuple[str, str, str, Callable[..., Response]]] = [
        ("GET", "/PhoneNumber/", "search", search),
        ("POST", "/PhoneNumber/<number:number>/", "rent", rent),
        ("GET", "/Number/", "list", list_),
        ("GET", "/Number/<number:number>/", "get", get),
        ("POST", "/Number/<number:number>/", "update", update),
        ("DELETE", "/Number/<number:number>/", "release", release),
    ]
    for method, rule, name, view in routes:
        blueprint.add_url_rule(rule, name, view, methods=[method])
    return blueprint


def make_link_blueprint(page_error: PageError) -> Blueprint:
    """The blueprint of Link, to be nested in that of ``PhoneNumber/Compliance``, whose rate
    limits it shares."""
    blueprint = Blueprint("numbers", __name__, url_prefix="/Link")
    blueprint.before_request(lambda: _speak(page_error, "current"))
    blueprint.add_url_rule("/", "link", link, methods=["POST"])
    return blueprint


def _speak(page_error: PageError, dialect: str) -> None:
    call = current_call()
    call.dialect, call.error_body = dialect, error_body
    g.page_error = page_error


def _note_words(call: Call, page_words: bool) -> None:
    """Answer errors with the page's object from here on, if the caller speaks as the page does
    and nothing says that it is an SDK (decision "Words of number errors")."""
    asked = request.environ.get(MOUNT_KEY, "") or request.headers.get(DIALECT_HEADER, "").lower()
    is_sdk = asked == "current" or is_sdk_agent(request.headers.get("User-Agent", ""))
    if page_words and not is_sdk:
        call.error_body = lambda call, error: g.page_error(error, call.api_id)
        if call.dialect == "current":
            call.dialect = "beta"


def search(auth_id: str) -> Response:
    call = current_call()
    query = read_search(call, request.args)
    account = call.account
    country = query.search.country_iso
    if not inventory.types_of(account.catalogue, country):
        call.warnings.append(f"the catalogue has no country {country}")
    with account.lock:
        found = numbers.search(account, query.search, offset=query.offset, limit=query.limit)
    objects = [
        present_offer(
            offer,
            inventory.requirements_of(account.catalogue, country, offer.number_type),
            auth_id,
        )
        for offer in found.offers
    ]
    return _answer_list(call, objects, query.offset, query.limit, found.total_count)


def rent(auth_id: str, number: str) -> Response:
    call = current_call()
    read = read_rent()
    _note_words(call, read.page_words)
    refuse_if_any(read.problems)
    digits = inventory.digits_of(number)
    rented, warning = numbers.rent(call.account, digits, read.change, _caller(call, auth_id))
    if warning:
        call.warnings.append(warning)
    call.why = f"rented {digits}"
    return call.answer({"api_id": call.api_id, **present_rented(rented)}, 201)


def list_(auth_id: str) -> Response:
    call = current_call()
    query = read_list(call, request.args)
    account = call.account
    with account.lock:
        page = numbers.page(
            account, query.filter, _caller(call, auth_id), offset=query.offset, limit=query.limit
        )
        objects = [present_number(numbers.view(account, each), auth_id) for each in page.records]
    return _answer_list(call, objects, query.offset, query.limit, page.total_count)


def get(auth_id: str, number: str) -> Response:
    call = current_call()
    account, caller = call.account, _caller(call, auth_id)

    def present() -> dict[str, Any]:
        found = numbers.get(account, inventory.digits_of(number), caller)
        return present_number(numbers.view(account, found), auth_id)

    with account.lock:  # the day of the next rent moves with the date
        return call.answer_kept((number, auth_id, caller, account.now().date()), present)


def update(auth_id: str, number: str) -> Response:
    call = current_call()
    read = read_change()
    _note_words(call, read.page_words)
    refuse_if_any(read.problems)
    if read.change == Change():
        call.warnings.append("nothing to change was given")
    digits = inventory.digits_of(number)
    numbers.update(call.account, digits, read.change, _caller(call, auth_id))
    return _done(call, "changed", f"changed {digits}", 202)


def release(auth_id: str, number: str) -> Response:
    """The message of a release is invented."""
    call = current_call()
    digits = inventory.digits_of(number)
    numbers.release(call.account, digits, _caller(call, auth_id))
    return _done(call, "deleted", f"released {digits}", 200)


def link(auth_id: str) -> Response:
    """200 even when items fail (observed); a body of another shape links nothing (invented)."""
    call = current_call()
    read = read_links()
    _note_words(call, read.page_words)
    refuse_if_any(read.problems)
    done = numbers.link_all(call.account, read.items, _caller(call, auth_id))
    shown = present_links(done)
    call.why = f"linked {shown['updated_count']} of {shown['total_count']}"
    return call.answer({"api_id": call.api_id, **shown})


def _done(call: Call, message: str, why: str, status: int) -> Response:
    call.why = why
    return call.answer({"api_id": call.api_id, "message": message}, status)


def _answer_list(
    call: Call, objects: list[dict[str, Any]], offset: int, limit: int, total_count: int
) -> Response:
    """``{api_id, meta, objects}`` (observed)."""
    path = request.script_root + request.path  # a fixed mount stays in the links
    about = meta(path, request.args, offset, limit, total_count)
    return call.answer({"api_id": call.api_id, "meta": about, "objects": objects})


def _caller(call: Call, auth_id: str) -> Caller:
    return Caller(
        is_main=call.auth_id.startswith("MA"),
        subaccount=auth_id if auth_id.startswith("SA") else None,
    )
