"""All facts of a country except its requirements, which are in ``catalogue.yaml``: its names and
prices, who may rent which numbers, a few cities, and what made-up applicants look like there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from plivo_sim.domain.records import NumberType, UserType


class Applicants(msgspec.Struct, frozen=True):
    """What the names and addresses of made-up applicants look like. In patterns ``#`` is a digit
    and ``?`` a letter; ``cities``: name, state, pattern of the postal code."""

    locale: str
    cities: Sequence[tuple[str, str, str]] = ()
    companies: Sequence[str] = ()
    first_names: Sequence[str] = ()
    last_names: Sequence[str] = ()
    streets: Sequence[str] = ()
    registration: str = "#########"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the local numbers with this area code are; ``lata``: North America only."""

    area: str
    city: str
    region: str
    rate_center: str | None = None
    lata: int | None = None


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """Monthly rates are made up (invented). ``places`` are a few cities (invented) with their real
    area codes. The adjective is that of the page's "for German local numbers" (documented).
    Without ``applicants``, Faker's locale for the country is used.

    ``withheld``: the number types that are not for rent, though applications for them are taken;
    ``renters``: who may rent. There are no Indian mobile numbers, and only businesses rent Indian
    ones (field-reported: docs/wire-facts.md, "Indian numbers are for Indian businesses")."""

    name: str
    adjective: str
    monthly_rate: str = "1.50000"
    places: Sequence[Place] = ()
    applicants: Applicants | None = None
    withheld: Collection[NumberType] = ()
    renters: Collection[UserType] = tuple(UserType)


COUNTRIES = {
    "IN": Country(
        name="India",
        adjective="Indian",
        monthly_rate="2.50000",
        withheld=(NumberType.MOBILE,),
        renters=(UserType.BUSINESS,),
        places=(
            Place(area="22", city="Mumbai", region="Maharashtra"),
            Place(area="80", city="Bangalore", region="Karnataka"),
            Place(area="11", city="Delhi", region="Delhi"),
            Place(area="44", city="Chennai", region="Tamil Nadu"),
            Place(area="40", city="Hyderabad", region="Telangana"),
        ),
        applicants=Applicants(
            locale="en_IN",
            cities=(
                ("Mumbai", "Maharashtra", "4000##"), ("Pune", "Maharashtra", "4110##"),
                ("Bengaluru", "Karnataka", "5600##"), ("Chennai", "Tamil Nadu", "6000##"),
                ("Hyderabad", "Telangana", "5000##"), ("New Delhi", "Delhi", "1100##"),
                ("Kolkata", "West Bengal", "7000##"), ("Ahmedabad", "Gujarat", "3800##"),
                ("Jaipur", "Rajasthan", "3020##"), ("Kochi", "Kerala", "6820##"),
            ),
            companies=("{} Traders Pvt Ltd", "{} Logistics LLP", "{} Technologies Pvt Ltd",
                       "{} Foods Private Limited", "{} Textiles Pvt Ltd", "{} & Sons Exports"),
            registration="U#####MH20##PTC######",
        ),
    ),
    "DE": Country(
        name="Germany",
        adjective="German",
        places=(
            Place(area="30", city="Berlin", region="Berlin"),
            Place(area="89", city="Munich", region="Bavaria"),
            Place(area="40", city="Hamburg", region="Hamburg"),
            Place(area="69", city="Frankfurt", region="Hesse"),
        ),
        applicants=Applicants(
            locale="de_DE",
            cities=(("Berlin", "Berlin", "10###"), ("München", "Bayern", "80###"),
                    ("Hamburg", "Hamburg", "20###"), ("Leipzig", "Sachsen", "04###")),
            registration="HRB ######",
        ),
    ),
    "FR": Country(
        name="France",
        adjective="French",
        places=(
            Place(area="1", city="Paris", region="Ile-de-France"),
            Place(area="491", city="Marseille", region="Provence-Alpes-Cote d'Azur"),
            Place(area="478", city="Lyon", region="Auvergne-Rhone-Alpes"),
        ),
        applicants=Applicants(
            locale="fr_FR",
            cities=(("Paris", "Île-de-France", "750##"), ("Lille", "Hauts-de-France", "590##"),
                    ("Lyon", "Auvergne-Rhône-Alpes", "690##"),
                    ("Nantes", "Pays de la Loire", "440##")),
        ),
    ),
    "AE": Country(
        name="United Arab Emirates",
        adjective="Emirati",
        places=(
            Place(area="4", city="Dubai", region="Dubai"),
            Place(area="2", city="Abu Dhabi", region="Abu Dhabi"),
            Place(area="6", city="Sharjah", region="Sharjah"),
        ),
        applicants=Applicants(
            locale="en_GB",
            cities=(("Dubai", "Dubai", "00000"), ("Abu Dhabi", "Abu Dhabi", "00000"),
                    ("Sharjah", "Sharjah", "00000")),
            companies=("{} Trading LLC", "{} General Contracting LLC", "{} Media FZ-LLC"),
            first_names=("Aisha", "Omar", "Fatima", "Yusuf", "Priya", "Hassan", "Maryam",
                         "Arjun"),
            last_names=("Al Mansoori", "Al Hashimi", "Haddad", "Rahman", "Khan", "Nair",
                        "Fernandes"),
            streets=("Office ###, Sheikh Zayed Road", "Warehouse ##, Industrial Area #",
                     "Flat ###, Corniche Street"),
            registration="CN-#######",
        ),
    ),
    "US": Country(
        name="United States",
        adjective="American",
        monthly_rate="0.80000",
        places=(
            Place(area="415", city="San Francisco", region="California",
                  rate_center="SNFC CNTRL", lata=722),
            Place(area="212", city="New York", region="New York",
                  rate_center="NWYRCYZN01", lata=132),
            Place(area="312", city="Chicago", region="Illinois",
                  rate_center="CHICAGO", lata=358),
        ),
        applicants=Applicants(
            locale="en_US",
            cities=(("Austin", "Texas", "787##"), ("Chicago", "Illinois", "606##"),
                    ("Denver", "Colorado", "802##")),
        ),
    ),
    "AU": Country(name="Australia", adjective="Australian"),
    "BR": Country(name="Brazil", adjective="Brazilian"),
    "CA": Country(name="Canada", adjective="Canadian"),
    "ES": Country(name="Spain", adjective="Spanish"),
    "GB": Country(name="United Kingdom", adjective="British"),
    "IT": Country(name="Italy", adjective="Italian"),
    "NL": Country(name="Netherlands", adjective="Dutch"),
}  # fmt: skip
"""The countries of the catalogue, and others whose names answers may contain."""


def country_of(country_iso: str) -> Country:
    """The facts of a country; one that is not listed is called by its code."""
    return COUNTRIES.get(country_iso) or Country(name=country_iso, adjective=country_iso)
