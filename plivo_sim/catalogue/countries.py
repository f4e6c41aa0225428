"""Answers as the SDKs' fixtures show them, key by key (observed). Prices are invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_COUNTRIES = {
    "AE": "United Arab Emirates", "AU": "Australia", "BR": "Brazil", "CA": "Canada",
    "DE": "Germany", "ES": "Spain", "FR": "France", "GB": "United Kingdom", "IN": "India",
    "IT": "Italy", "NL": "Netherlands", "US": "United States",
}  # fmt: skip


_MONTHLY = {"US": "0.80000", "IN": "2.50000"}


_OTHER_MONTHLY = "1.50000"


_ADJECTIVES = {
    "AE": "Emirati", "AU": "Australian", "BR": "Brazilian", "CA": "Canadian", "DE": "German",
    "ES": "Spanish", "FR": "French", "GB": "British", "IN": "Indian", "IT": "Italian",
    "NL": "Dutch", "US": "American",
}  # fmt: skip
"""As in the page's "for German local numbers" (documented); other countries by their code."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What names and addresses look like in a country. In patterns ``#`` is a digit and ``?`` a
    letter; ``cities``: name, state, pattern of the postal code."""

    locale: str
    cities: Sequence[tuple[str, str, str]] = ()
    companies: Sequence[str] = ()
    first_names: Sequence[str] = ()
    last_names: Sequence[str] = ()
    streets: Sequence[str] = ()
    registration: str = "#########"


SETTINGS = {
    "IN": Setting(
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
    "DE": Setting(
        locale="de_DE",
        cities=(("Berlin", "Berlin", "10###"), ("München", "Bayern", "80###"),
                ("Hamburg", "Hamburg", "20###"), ("Leipzig", "Sachsen", "04###")),
        registration="HRB ######",
    ),
    "FR": Setting(
        locale="fr_FR",
        cities=(("Paris", "Île-de-France", "750##"), ("Lille", "Hauts-de-France", "590##"),
                ("Lyon", "Auvergne-Rhône-Alpes", "690##"), ("Nantes", "Pays de la Loire", "440##")),
    ),
    "AE": Setting(
        locale="en_GB",
        cities=(("Dubai", "Dubai", "00000"), ("Abu Dhabi", "Abu Dhabi", "00000"),
                ("Sharjah", "Sharjah", "00000")),
        companies=("{} Trading LLC", "{} General Contracting LLC", "{} Media FZ-LLC"),
        first_names=("Aisha", "Omar", "Fatima", "Yusuf", "Priya", "Hassan", "Maryam", "Arjun"),
        last_names=("Al Mansoori", "Al Hashimi", "Haddad", "Rahman", "Khan", "Nair", "Fernandes"),
        streets=("Office ###, Sheikh Zayed Road", "Warehouse ##, Industrial Area #",
                 "Flat ###, Corniche Street"),
        registration="CN-#######",
    ),
    "US": Setting(
        locale="en_US",
        cities=(("Austin", "Texas", "787##"), ("Chicago", "Illinois", "606##"),
                ("Denver", "Colorado", "802##")),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the local numbers with this area code are; ``lata``: North America only."""

    area: str
    city: str
    region: str
    rate_center: str | None = None
    lata: int | None = None


PLACES: dict[str, tuple[Place, ...]] = {
    "IN": (
        Place(area="22", city="Mumbai", region="Maharashtra"),
        Place(area="80", city="Bangalore", region="Karnataka"),
        Place(area="11", city="Delhi", region="Delhi"),
        Place(area="44", city="Chennai", region="Tamil Nadu"),
        Place(area="40", city="Hyderabad", region="Telangana"),
    ),
    "DE": (
        Place(area="30", city="Berlin", region="Berlin"),
        Place(area="89", city="Munich", region="Bavaria"),
        Place(area="40", city="Hamburg", region="Hamburg"),
        Place(area="69", city="Frankfurt", region="Hesse"),
    ),
    "FR": (
        Place(area="1", city="Paris", region="Ile-de-France"),
        Place(area="491", city="Marseille", region="Provence-Alpes-Cote d'Azur"),
        Place(area="478", city="Lyon", region="Auvergne-Rhone-Alpes"),
    ),
    "AE": (
        Place(area="4", city="Dubai", region="Dubai"),
        Place(area="2", city="Abu Dhabi", region="Abu Dhabi"),
        Place(area="6", city="Sharjah", region="Sharjah"),
    ),
    "US": (
        Place(area="415", city="San Francisco", region="California",
              rate_center="SNFC CNTRL", lata=722),
        Place(area="212", city="New York", region="New York",
              rate_center="NWYRCYZN01", lata=132),
        Place(area="312", city="Chicago", region="Illinois",
              rate_center="CHICAGO", lata=358),
    ),
}  # fmt: skip
"""A few cities of the shipped countries (invented; area codes are real)."""
