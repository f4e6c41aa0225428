"""Numbers: searched, rented, changed, linked to an application, released.

Which number may be linked to which application: the page's three rules (documented), and that the
application's user type may rent in the country (field-reported for renting), the same for renting,
updating and Link (inferred). Only the main account rents (field-reported).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Page
from plivo_sim.domain.countries import Country, nameless
from plivo_sim.domain.errors import (
    AlreadyRented,
    ApplicationRequired,
    Invalid,
    MainAccountOnly,
    Mismatch,
    NotFound,
    Problem,
    ProblemKind,
    SimError,
)
from plivo_sim.domain.machine import StatusRow
from plivo_sim.domain.records import (
    Application,
    NumberType,
    PhoneNumber,
    UserType,
    service_set,
)
from plivo_sim.domain.requirements import Requirement
from plivo_sim.services import inventory
from plivo_sim.services.inventory import Offer
from plivo_sim.services.reviews import wrong_state


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: with the main account's credentials or a subaccount's own (``is_main``), and for
    which subaccount (``SA…``; None: the main account, which sees all numbers)."""

    is_main: bool = True
    subaccount: str | None = None


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What a number must have to be found; empty values ask for nothing. ``pattern``: digits, and
    ``*`` for any."""

    country_iso: str
    types: Collection[NumberType] = tuple(NumberType)
    pattern: str = ""
    region: str = ""
    city: str = ""
    services: Collection[str] = ()
    rate_center: str = ""
    lata: str = ""
    npanxx: str = ""


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the numbers that were found, and how many there are in all."""

    offers: list[Offer]
    total_count: int


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which of an account's numbers; ``where`` by field, ``renews`` by the next renewal date."""

    where: dict[str, Collection[str]] = {}
    starts_with: str = ""
    services: Collection[str] = ()
    renews: Sequence[Callable[[date], bool]] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A request to change a number; None means "not given", an empty string "take it away".

    ``subaccount``: the main account's own id takes it away too.
    """

    alias: str | None = None
    app_id: str | None = None
    cnam_lookup: str | None = None
    subaccount: str | None = None
    application_id: str | None = None


class NumberView(msgspec.Struct, frozen=True, kw_only=True):
    """A rented number, what it says of itself, and its application; ``row``: what the account's
    machine says of its status."""

    number: PhoneNumber
    offer: Offer
    application: Application | None
    row: StatusRow | None
    renewal_date: date


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item of a Link request; ``error``: why it failed."""

    number: str
    error: SimError | None = None


# --- to rent -------------------------------------------------------------------------------


_UNRESTRICTED = nameless("")


def _market(account: Account, country_iso: str) -> Country:
    """What holds a type or a user back in a country: nothing, if the account's setting
    ``rent_restrictions`` is off."""
    restricted = account.settings.rent_restrictions
    return account.catalogue.country(country_iso) if restricted else _UNRESTRICTED


def types_for_rent(account: Account, country_iso: str) -> list[NumberType]:
    """The number types that the account can rent in a country: those of the catalogue that are not
    withheld."""
    withheld = _market(account, country_iso).withheld
    known = inventory.types_of(account.catalogue, country_iso)
    return [each for each in known if each not in withheld]


def renters_in(account: Account, country_iso: str) -> Collection[UserType]:
    """Who may rent in a country."""
    return _market(account, country_iso).renters


def requirements_of(
    account: Account, country_iso: str, number_type: NumberType
) -> dict[UserType, Requirement | None]:
    """What must be handed in for such a number, by user type: None for one that may not rent it;
    empty when it is unregulated."""
    renters = renters_in(account, country_iso)
    found = inventory.requirements_of(account.catalogue, country_iso, number_type)
    return {user: each if user in renters else None for user, each in found.items()}


def search(account: Account, wanted: Search, *, offset: int, limit: int) -> Offers:
    """Some of the numbers that the account could rent; those that it has are not among them."""
    seed, country = account.settings.seed, wanted.country_iso
    types = [each for each in types_for_rent(account, country) if each in wanted.types]
    found = [
        offer
        for number_type in types
        for offer in inventory.stock(account.catalogue, seed, country, number_type)
        if _wanted(offer, wanted) and account.store.numbers.fetch(offer.number) is None
    ]
    return Offers(offers=found[offset : offset + limit], total_count=len(found))


def _wanted(offer: Offer, wanted: Search) -> bool:
    """``pattern`` is the start of the number after the country code (documented), or all of it,
    with ``*`` for any digits (inferred: docs/wire-facts.md, "Search for numbers"); region and city
    match anywhere in the name and in any case (inferred)."""
    place = offer.place
    told = {
        "city": place.city if place else "",
        "region": f"{place.region}|{place.city}" if place else "",
        "rate_center": (place.rate_center if place else None) or "",
    }
    return (
        _fits(wanted.pattern, offer.national)
        and offer.national.startswith(wanted.npanxx)
        and offer.services.issuperset(wanted.services)
        and wanted.lata in ("", str(place.lata) if place else None)
        and all(getattr(wanted, name).casefold() in text.casefold() for name, text in told.items())
    )


def _fits(pattern: str, national: str) -> bool:
    if "*" in pattern:
        return fnmatchcase(national, pattern)
    return national.startswith(pattern)


def rent(account: Account, digits: str, wanted: Change, caller: Caller) -> tuple[PhoneNumber, str]:
    """Rent a number; returns it and a warning, which is empty for one that a search can find.

    A regulated Indian number that is rented without an application gets the one of its country and
    type that was accepted last (documented: docs/wire-facts.md, "Rent attaches the latest accepted
    application"). Numbers of other regulated countries do too (inferred). It belongs to the wanted
    ``subaccount`` (field-reported: docs/wire-facts.md, "Renting for a subaccount"), else to the
    caller's. A valid number that no search finds is let pass, for the sake of fixtures, unless the
    account is strict (invented).

    Raises NotFound (no such number, no such application, a subaccount's own credentials),
    AlreadyRented, ApplicationRequired (a regulated number, and nothing is accepted), Mismatch or
    WrongState (an application that does not fit), Invalid (no subaccount of this account); then
    nothing changed.
    """
    if not caller.is_main:
        raise NotFound("number", digits)
    with account.lock:
        offer = inventory.describe(account.catalogue, digits) if digits else None
        if offer is None or offer.number_type not in types_for_rent(account, offer.country_iso):
            raise NotFound("number", digits)
        if account.store.numbers.fetch(digits) is not None:
            raise AlreadyRented(digits)
        known = inventory.in_stock(account.catalogue, account.settings.seed, offer)
        if not known and account.settings.strict:
            raise NotFound("number", digits)
        with account.transaction():
            number = _make(account, offer, wanted, caller)
            account.store.numbers.put(number)
        return number, "" if known else f"{digits} is in no search; a strict account cannot rent it"


def _make(account: Account, offer: Offer, wanted: Change, caller: Caller) -> PhoneNumber:
    return PhoneNumber(
        id=offer.number,
        seq=account.next_seq(),
        country_iso=offer.country_iso,
        number_type=offer.number_type,
        application_id=_to_attach(account, offer, wanted.application_id),
        app_id=wanted.app_id or None,
        cnam_lookup=wanted.cnam_lookup or None,
        subaccount=_owner(account, wanted.subaccount, caller.subaccount),
        rented_at=account.now(),
    )


def _to_attach(account: Account, offer: Offer, wanted: str | None) -> str | None:
    """The application that a rented number gets: the wanted one, or the latest accepted one where
    one is needed. Acceptances count in their order, reinstatements among them, and an unregulated
    number gets none (inferred; decision "Which application a number gets")."""
    country_iso, number_type = offer.country_iso, offer.number_type
    if wanted:
        return _linkable(account, wanted, country_iso, number_type).id
    if not inventory.requirements_of(account.catalogue, country_iso, number_type):
        return None
    where: dict[str, Collection[str]] = {
        "country_iso": (country_iso,),
        "number_type": (number_type,),
        "user_type": renters_in(account, country_iso),
        "status": account.machine.linking,
    }
    accepted = account.store.applications.page(where, limit=len(account.store.applications)).records
    if not accepted:
        raise ApplicationRequired(offer.number, offer.country.rent_page)
    return max(accepted, key=lambda each: (each.acceptance, each.seq)).id


# --- rented --------------------------------------------------------------------------------


def get(account: Account, digits: str, caller: Caller) -> PhoneNumber:
    """The number. Raises NotFound, also for one that the caller does not see: a subaccount's
    calls see the numbers that are assigned to it (inferred)."""
    number = account.store.numbers.fetch(digits)
    if number is None or caller.subaccount not in (None, number.subaccount):
        raise NotFound("number", digits)
    return number


def view(account: Account, number: PhoneNumber) -> NumberView:
    """The number with its application as it stands now: a suspended or expired one shows."""
    id = number.application_id
    application = account.store.applications.fetch(id) if id else None
    return NumberView(
        number=number,
        offer=inventory.describe(account.catalogue, number.id) or _as_recorded(account, number),
        application=application,
        row=account.machine.statuses[application.status] if application else None,
        renewal_date=renewal_date(number.rented_at, account.now()),
    )


def _as_recorded(account: Account, number: PhoneNumber) -> Offer:
    """A number of an older state that the library's present numbering plan does not know."""
    return Offer(
        number=number.id,
        national=number.id,
        country_iso=number.country_iso,
        country=account.catalogue.country(number.country_iso),
        number_type=number.number_type,
        prefix="",
    )


def page(
    account: Account, wanted: Filter, caller: Caller, *, offset: int, limit: int
) -> Page[PhoneNumber]:
    """Some of the numbers that the caller sees, oldest first."""
    where = dict(wanted.where)
    if caller.subaccount is not None:
        asked = where.get("subaccount", (caller.subaccount,))
        where["subaccount"] = [each for each in asked if each == caller.subaccount]
    if wanted.starts_with:
        where["beginnings"] = (wanted.starts_with,)
    if wanted.services:
        where["service_sets"] = (service_set(wanted.services),)
    if wanted.renews:
        where["rented_on"] = _days_that_renew(wanted.renews, account.now())
    return account.store.numbers.page(where, offset=offset, limit=limit)


def _days_that_renew(renews: Sequence[Callable[[date], bool]], now: datetime) -> list[str]:
    """On which days of a month numbers were rented whose next renewal is as wanted."""
    return [
        str(day)
        for day in range(1, 32)
        if all(holds(_renewal_of(day, now.date())) for holds in renews)
    ]


def renewal_date(rented_at: datetime, now: datetime) -> date:
    """The next day on which the monthly rent is due; short months have it on their last day
    (invented)."""
    return _renewal_of(rented_at.day, now.date())


def _renewal_of(day: int, today: date) -> date:
    due = _day_of_month(today.year, today.month, day)
    if due > today:
        return due
    years, month = divmod(today.month, 12)
    return _day_of_month(today.year + years, month + 1, day)


def _day_of_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def update(account: Account, digits: str, wanted: Change, caller: Caller) -> PhoneNumber:
    """Change a number, all of it or nothing.

    Raises NotFound, Mismatch, WrongState, Invalid (no subaccount of this account), and
    MainAccountOnly when a subaccount would link or hand over a number (invented).
    """
    with account.lock:
        number = get(account, digits, caller)
        if not caller.is_main and (wanted.application_id, wanted.subaccount) != (None, None):
            raise MainAccountOnly("link a number or assign it to a subaccount")
        if wanted.application_id:
            _linkable(account, wanted.application_id, number.country_iso, number.number_type)
        given: dict[str, Any] = {
            name: value or None
            for name in ("alias", "app_id", "cnam_lookup", "application_id")
            if (value := getattr(wanted, name)) is not None
        }
        owner = _owner(account, wanted.subaccount, number.subaccount)
        changed = replace(number, subaccount=owner, **given)
        _keep(account, number, changed)
        return changed


def _owner(account: Account, asked: str | None, otherwise: str | None) -> str | None:
    """Whose a number is: a subaccount's, or None for the main account's; ``otherwise`` if nothing
    is asked. Raises Invalid for what is no subaccount of this account (the text is invented)."""
    if asked is None:
        return otherwise
    if asked in ("", account.auth_id):
        return None
    own = f"SA{account.auth_id[2:]}"
    if asked != own:
        text = f"'{asked[:50]}' is no subaccount of this account, whose only one is {own}"
        raise Invalid([Problem(ProblemKind.UNKNOWN_RECORD, ("subaccount",), text)])
    return asked


def _keep(account: Account, before: PhoneNumber, after: PhoneNumber) -> None:
    if after != before:
        with account.transaction():
            account.store.numbers.put(after)


def release(account: Account, digits: str, caller: Caller) -> None:
    """Give a number back; its link goes with it (decision "Unlinking numbers"). Raises NotFound,
    and MainAccountOnly for a subaccount, as it cannot rent either, unless the account's setting
    ``subaccount_release`` lets it (inferred: reports differ; docs/wire-facts.md, "Only the main
    account rents")."""
    with account.lock:
        number = get(account, digits, caller)
        if not (caller.is_main or account.settings.subaccount_release):
            raise MainAccountOnly("release a number")
        with account.transaction():
            account.store.numbers.drop(number.id)


# --- links ---------------------------------------------------------------------------------


def link_all(account: Account, items: Sequence[tuple[str, str]], caller: Caller) -> list[Linked]:
    """Link each number (as written) to an application, one after the other; what fails does not
    keep the others from being linked (observed); of a number that is there twice, the last that can
    be linked counts (inferred). A subaccount cannot link: raises MainAccountOnly (invented)."""
    if not caller.is_main:
        raise MainAccountOnly("link numbers")
    with account.transaction():
        return [_link(account, written, id, caller) for written, id in items]


def _link(account: Account, written: str, application_id: str, caller: Caller) -> Linked:
    digits = inventory.digits_of(written)
    try:
        number = get(account, digits, caller)
        _linkable(account, application_id, number.country_iso, number.number_type)
    except SimError as error:
        return Linked(number=f"+{digits}" if digits else written, error=error)
    _keep(account, number, replace(number, application_id=application_id))
    return Linked(number=f"+{digits}")


def _linkable(
    account: Account, application_id: str, country_iso: str, number_type: NumberType
) -> Application:
    """The application, if a number of this country and type can be linked to it.

    Raises NotFound, Mismatch (country first, who may rent there last), WrongState unless it is
    accepted (documented).
    """
    application = account.store.applications.fetch(application_id)
    if application is None:
        raise NotFound("application", application_id)
    if application.country_iso != country_iso:
        raise Mismatch("country", country_iso, application.country_iso)
    if application.number_type is not number_type:
        raise Mismatch("number_type", number_type, application.number_type)
    renters = renters_in(account, country_iso)
    if application.user_type not in renters:
        raise Mismatch("user_type", ", ".join(renters), application.user_type)
    if application.status not in account.machine.linking:
        raise wrong_state(account, application, "link")
    return application
