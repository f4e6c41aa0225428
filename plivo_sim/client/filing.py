"""What a client that files applications has to know first: what the catalogue asks for, and as
which account it files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from plivo_sim.client import Client, Refused
from plivo_sim.client.applications import Key, Requirement
from plivo_sim.domain.countries import Country
from plivo_sim.domain.typed import fitted

Requirements = dict[Key, Requirement]
Countries = dict[str, Country]

DEFAULT_ACCOUNT = "MASEEDSEEDSEEDSEEDSE"
"""The account that is filled when none exists yet."""


def account_at(client: Client) -> str:
    """The only account, or ``DEFAULT_ACCOUNT`` where there is none. Raises Refused where there are
    several."""
    try:
        return str(client.control("GET", "/clock")["account"])
    except Refused as error:
        if error.body.get("accounts") != []:
            raise
    return DEFAULT_ACCOUNT


def catalogue_at(client: Client, countries: Collection[str] = ()) -> tuple[Requirements, Countries]:
    """What the simulator's catalogue asks for, in these countries or in all, and what it says of
    countries. Raises ValueError for a country that it has nothing about."""
    return catalogue_in(client.control("GET", "/requirements"), countries)


def catalogue_in(
    answer: Mapping[str, Any], countries: Collection[str] = ()
) -> tuple[Requirements, Countries]:
    """The same of an answer of ``GET /_sim/requirements``."""
    wanted = {each.upper() for each in countries}
    found = {
        (each["country_iso"], each["number_type"], each["user_type"]): each
        for each in answer["requirements"]
    }
    known = {key[0] for key in found}
    unknown = sorted(wanted - known)
    if unknown:
        raise ValueError(f"{unknown[0]}: the catalogue has {', '.join(sorted(known))}")
    facts = {iso: fitted(told, Country) for iso, told in answer["countries"].items()}
    return {k: each for k, each in found.items() if not wanted or k[0] in wanted}, facts
