"""``PhoneNumber``, ``Number`` and Link: search, rent, list, get, update, release, link.

Every URL is answered with and without the last slash; neither redirects, because a redirect turns
a POST into a GET. HTTP codes: rent 201, update 202 (observed), release
200 with a body, the only answer to a delete that every SDK takes (observed).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import Any

from flask import Blueprint, Response, request
from msgspec.structs import replace
from werkzeug.routing import BaseConverter

from plivo_sim.apis.dialects import dialect_of, number_clue
from plivo_sim.apis.numbers.presenters import (
    LinkOut,
    RentedOut,
    error_body,
    present_links,
    present_number,
    present_offer,
    present_rented,
)
from plivo_sim.apis.numbers.queries import (
    LIST_PARAMETERS,
    SEARCH_PARAMETERS,
    read_list,
    read_search,
)
from plivo_sim.apis.numbers.reading import SCHEMAS, read_change, read_links, read_rent
from plivo_sim.apis.outcomes import warn_where_idle
from plivo_sim.apis.reading import (
    DIALECT_HEADER,
    answer_list,
    changed,
    let_pass,
    name_unknown_parameters,
    read_json_body,
    refuse_unknown,
)
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.records import NumberType
from plivo_sim.services import inventory, numbers
from plivo_sim.services.numbers import Caller, Change
from plivo_sim.web.access import subaccount_of
from plivo_sim.web.bodies import Body
from plivo_sim.web.calls import Call, ErrorBody, current_call
from plivo_sim.web.endpoints import BASIC, JSON, Surface, add_routes, endpoint, endpoints_of

PageError = Callable[[SimError, str], tuple[int, Any]]
"""An error in the page's words, given the ``api_id``."""

_COMPLIANCE = "/PhoneNumber/Compliance"
_WRITES = (400, 403, 404, 409, 422)


class NumberConverter(BaseConverter):
    """A number in a URL, with or without ``+``; what has letters in it is another URL."""

    regex = r"[+]?[0-9 ().-]+"


def error_body_with(page_error: PageError) -> ErrorBody:
    """How these APIs word errors: ``page_error`` words those of the beta
    (decision "Words of number errors")."""

    def worded(call: Call, error: SimError) -> tuple[int, Any]:
        if _note_dialect(call) == "beta":
            return page_error(error, call.api_id)
        return error_body(call, error)

    return worded


def _note_dialect(call: Call) -> str:
    """The dialect, which every answer names (decision "Words of number errors")."""
    if call.dialect == "numbers":
        dialect = dialect_of(call, number_clue(call.body))
        call.headers[DIALECT_HEADER] = dialect
    else:  # Link, of which the beta page says nothing
        call.dialect = dialect = dialect_of(call)
    return dialect


def _called() -> Call:
    """The call of an endpoint that takes no body."""
    call = current_call()
    _note_dialect(call)
    return call


def _called_with_body() -> tuple[Call, Body, str]:
    """The call, its body and the dialect that this says."""
    call = current_call()
    body = read_json_body(call)
    return call, body, _note_dialect(call)


@endpoint(
    "GET", "/PhoneNumber/", "Search for numbers to rent.", query=SEARCH_PARAMETERS,
    answers={200: "SearchOut"}, errors=(400,),
)  # fmt: skip
def search(auth_id: str) -> Response:
    call = _called()
    query = read_search(request.args)
    account = call.account
    country = query.search.country_iso
    if not inventory.types_of(account.catalogue, country):
        call.warnings.append(f"the catalogue has no country {country}")
    _warn_of_withheld(call, country, query.search.types)
    with account.lock:
        found = numbers.search(account, query.search, offset=query.offset, limit=query.limit)
    objects = [
        present_offer(
            offer,
            numbers.requirements_of(account, country, offer.number_type),
            auth_id,
            account.auth_id,
        )
        for offer in found.offers
    ]
    return answer_list(call, query.offset, query.limit, objects, found.total_count)


def _warn_of_withheld(call: Call, country_iso: str, types: Collection[NumberType]) -> None:
    """Say why there is none, where all such numbers are known but not for rent."""
    known = [t for t in inventory.types_of(call.account.catalogue, country_iso) if t in types]
    if known and not set(numbers.types_for_rent(call.account, country_iso)).intersection(known):
        adjective = call.account.catalogue.country(country_iso).adjective
        told = f"{adjective} {', '.join(known)} numbers are not for rent"
        call.warnings.append(f"{told} while the setting rent_restrictions is on")


@endpoint(
    "POST", "/PhoneNumber/{number:number}/", "Rent a number.",
    bodies={JSON: "RentIn"}, body_required=False, answers={201: "RentedOut"}, errors=_WRITES,
)  # fmt: skip
def rent(auth_id: str, number: str) -> Response:
    call, body, dialect = _called_with_body()
    digits = _digits(number)
    read = read_rent(body, digits, dialect)
    call.warnings += [f"ignored field '{name}'" for name in read.ignored]
    let_pass(call, read.problems)
    offer = inventory.describe(call.account.catalogue, digits)
    if offer is not None:
        _warn_of_withheld(call, offer.country_iso, (offer.number_type,))
    rented, warning = numbers.rent(call.account, digits, read.change, _caller(call, auth_id))
    if warning:
        call.warnings.append(warning)
    call.why = f"rented {digits}, application {rented.application_id or 'none'}"
    answer: RentedOut = {"api_id": call.api_id, **present_rented(rented)}
    return call.answer(answer, 201)


@endpoint(
    "GET", "/Number/", "List rented numbers, oldest first.", query=LIST_PARAMETERS,
    answers={200: "NumberListOut"}, errors=(400,),
)  # fmt: skip
def list_(auth_id: str) -> Response:
    call = _called()
    query = read_list(request.args)
    account = call.account
    with account.lock:
        page = numbers.page(
            account, query.filter, _caller(call, auth_id), offset=query.offset, limit=query.limit
        )
        objects = [present_number(numbers.view(account, each), auth_id) for each in page.records]
    return answer_list(call, query.offset, query.limit, objects, page.total_count)


@endpoint(
    "GET", "/Number/{number:number}/", "Read one rented number.",
    answers={200: "NumberGetOut"}, errors=(400, 404),
)  # fmt: skip
def get(auth_id: str, number: str) -> Response:
    call = _called()
    account = call.account
    with account.lock:
        found = numbers.get(account, _digits(number), _caller(call, auth_id))
        return call.answer_kept(present_number(numbers.view(account, found), auth_id))


@endpoint(
    "POST", "/Number/{number:number}/",
    "Change a number, link it, or unlink it with an empty string.",
    bodies={JSON: "ChangeIn"}, body_required=False, answers={202: "MessageOut"}, errors=_WRITES,
)  # fmt: skip
def update(auth_id: str, number: str) -> Response:
    call, body, dialect = _called_with_body()
    digits = _digits(number)
    read = read_change(body, digits, dialect)
    call.warnings += [f"ignored field '{name}'" for name in read.ignored]
    let_pass(call, read.problems)
    if read.change == Change():
        call.warnings.append("nothing to change was given")
    numbers.update(call.account, digits, read.change, _caller(call, auth_id))
    return changed(call, f"changed {digits}", 202)


@endpoint(
    "DELETE", "/Number/{number:number}/", "Give a number back.",
    answers={200: "MessageOut"}, errors=(400, 403, 404),
)  # fmt: skip
def release(auth_id: str, number: str) -> Response:
    """The message of a release is invented."""
    call = _called()
    digits = _digits(number)
    numbers.release(call.account, digits, _caller(call, auth_id))
    return changed(call, f"released {digits}", message="deleted")


@endpoint(
    "POST", f"{_COMPLIANCE}/Link/", "Link numbers to accepted applications.",
    bodies={JSON: "LinkIn"}, answers={200: "LinkOut"}, errors=(400, 403, 413, 422, 429),
)  # fmt: skip
def link(auth_id: str) -> Response:
    """200 even when items fail (observed); a body of a shape that no SDK sends links nothing
    (invented). As everywhere in the new API, query parameters are refused (inferred)."""
    call, body, dialect = _called_with_body()
    read = read_links(body, dialect)
    call.warnings += [f"ignored field '{name}'" for name in read.ignored]
    call.warnings += read.contradictions()
    let_pass(call, [*refuse_unknown(request.args, ()), *read.problems])
    done = numbers.link_all(call.account, read.items, _caller(call, auth_id))
    shown = present_links(done)
    call.why = f"linked {shown['updated_count']} of {shown['total_count']}"
    answer: LinkOut = {"api_id": call.api_id, **shown}
    return call.answer(answer)


def _digits(number: str) -> str:
    """The digits of a number in a URL; what cannot be one stays as it is, and is not found."""
    return inventory.digits_of(number) or number


def _caller(call: Call, auth_id: str) -> Caller:
    return Caller(
        is_main=call.auth_id.startswith("MA"),
        subaccount=subaccount_of(auth_id),
    )


NUMBERS = Surface(
    name="numbers",
    title="Plivo numbers",
    description="Numbers to rent, rented numbers, and their links to compliance applications.",
    prefix="/v1/Account/{auth_id}",
    endpoints=endpoints_of(sys.modules[__name__]),
    answers="plivo_sim.apis.numbers.presenters",
    bodies=SCHEMAS,
    security=BASIC,
    always=(401,),
)


def make_blueprint() -> Blueprint:
    """The blueprint of ``PhoneNumber`` and ``Number``."""
    blueprint = Blueprint("numbers", __name__, url_prefix="/v1/Account/<auth_id>")
    blueprint.record_once(lambda state: state.app.url_map.converters.update(number=NumberConverter))
    rows = tuple(row for row in NUMBERS.endpoints if row.view is not link)
    name_unknown_parameters(blueprint, rows)
    warn_where_idle(blueprint, rows)
    add_routes(blueprint, rows)
    return blueprint


def make_link_blueprint() -> Blueprint:
    """The blueprint of Link, to be nested in that of ``PhoneNumber/Compliance``, whose prefix it
    shares."""
    blueprint = Blueprint("numbers", __name__)
    [row] = (row for row in NUMBERS.endpoints if row.view is link)
    add_routes(blueprint, (replace(row, path=row.path.removeprefix(_COMPLIANCE)),))
    return blueprint
