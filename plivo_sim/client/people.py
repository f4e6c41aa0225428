"""Made-up applicants, with Faker: the same for the same seed (and the same Faker)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from faker import Faker
from faker.config import AVAILABLE_LOCALES

from plivo_sim.client.applications import Applicant, Key, Outcome
from plivo_sim.domain.countries import Applicants, Country

T = TypeVar("T")

_NUMBER_WEIGHTS = {"local": 6, "mobile": 3}
_USER_WEIGHTS = {"business": 3, "individual": 2}
"""How often each is drawn; what is not named counts once. A country tells its own weight."""

_REJECTIONS = ("name_mismatch", "expired_address_proof", "unreadable_scan", "document_expired",
               "address_mismatch", "unsigned_certificate")  # fmt: skip
_QUESTIONS = ("missing_page", "unclear_use_case")
_USE_CASES = (
    "Delivery partners call customers about their orders.",
    "Appointment reminders for patients of our clinics.",
    "Inbound customer support, recorded with consent.",
    "One-time passwords read out to users who log in.",
)


class People:
    """Draws applicants. What the n-th one is depends on the seed, the facts of
    the country and n alone."""

    def __init__(self, seed: int, country_of: Callable[[str], Country]) -> None:
        self._seed = seed
        self._country_of = country_of
        self._fakers: dict[str, Faker] = {}

    def draw(
        self,
        index: int,
        keys: Sequence[Key],
        *,
        outcome: Outcome | None = None,
        callback_url: str = "",
    ) -> Applicant:
        """The applicant of this number, for one of these requirements."""
        faker = self._faker("en_US", f"{index}/key")
        named = sorted({key[0] for key in keys})
        country = _weighted(faker, named, lambda iso: self._country_of(iso).weight)
        fitting = sorted(key for key in keys if key[0] == country)
        key = _weighted(
            faker,
            fitting,
            lambda key: _NUMBER_WEIGHTS.get(key[1], 1) * _USER_WEIGHTS.get(key[2], 1),
        )
        return self.complete(index, key, {}, outcome=outcome, callback_url=callback_url)

    def complete(
        self,
        index: int,
        key: Key,
        given: Mapping[str, str],
        *,
        alias: str = "",
        outcome: Outcome | None = None,
        callback_url: str = "",
    ) -> Applicant:
        """An applicant of whom some end-user details are given; the others are made up."""
        country, _, user_type = key
        setting = self._country_of(country).applicants or Applicants(locale=_locale(country))
        faker = self._faker(setting.locale, str(index))
        made = _business(faker, setting) if user_type == "business" else _person(faker, setting)
        end_user = {**made, **_address(faker, setting), "country": country}
        if given.get("name") and "email" not in given:
            end_user["email"] = _email(faker, given["name"])
        end_user.update(given)
        words = faker.random_elements(("passport", "national_id"), length=1)

        def fill(rule: Mapping[str, Any]) -> str | None:
            faker = self._faker(setting.locale, f"{index}/{rule['name']}")
            return field_value(faker, setting, end_user, rule) or None

        return Applicant(
            key=key,
            alias=alias or f"{_whole_name(end_user)}, {end_user['city']}"[:255],
            end_user={name: text for name, text in end_user.items() if text},
            fill=fill,
            outcome=outcome,
            callback_url=callback_url,
            words=words,
        )

    def outcomes(self, count: int, shares: Mapping[str, float]) -> list[Outcome | None]:
        """Outcomes for so many applicants, in exact shares and in mixed order; None for the
        rest, which the simulator decides."""
        faker = self._faker("en_US", "outcomes")
        words = [word for word, share in shares.items() for _ in range(round(share * count))]
        drawn: list[str | None] = [*words[:count], *[None] * (count - len(words))]
        faker.random.shuffle(drawn)
        return [None if word is None else _outcome(faker, word) for word in drawn]

    def _faker(self, locale: str, purpose: str) -> Faker:
        if locale not in self._fakers:
            self._fakers[locale] = Faker(locale)
        faker = self._fakers[locale]
        faker.seed_instance(f"{self._seed}/{purpose}")
        return faker


def _outcome(faker: Faker, word: str) -> Outcome:
    reasons = {"rejected": _REJECTIONS, "more_info_required": _QUESTIONS}.get(word, ("",))
    return Outcome(word=word, reason=faker.random.choice(reasons))


# --- end users -------------------------------------------------------------------------------


def _business(faker: Faker, setting: Applicants) -> dict[str, str]:
    last = _last_name(faker, setting)
    made = setting.companies and faker.random.choice(setting.companies).format(last)
    name = made or faker.company()
    return {
        "name": name,
        "email": _email(faker, name),
        "registration_number": _pattern(faker, setting.registration),
    }


def _person(faker: Faker, setting: Applicants) -> dict[str, str]:
    first, last = _first_name(faker, setting), _last_name(faker, setting)
    return {"name": first, "last_name": last, "email": _email(faker, f"{first} {last}")}


def _first_name(faker: Faker, setting: Applicants) -> str:
    if setting.first_names:
        return str(faker.random.choice(setting.first_names))
    return str(faker.first_name())


def _last_name(faker: Faker, setting: Applicants) -> str:
    if setting.last_names:
        return str(faker.random.choice(setting.last_names))
    return str(faker.last_name())


def _address(faker: Faker, setting: Applicants) -> dict[str, str]:
    street = (
        _pattern(faker, faker.random.choice(setting.streets))
        if setting.streets
        else faker.street_address().replace("\n", ", ")
    )
    if setting.cities:
        town = faker.random.choice(setting.cities)
        city, state, postal_code = town.city, town.state or town.city, town.postal_code
    else:
        city, state, postal_code = faker.city(), "", faker.postcode()
    return {
        "address_line1": street,
        "city": city,
        "state": state,
        "postal_code": _pattern(faker, postal_code),
    }


def _email(faker: Faker, name: str) -> str:
    """In a domain that nobody can own (RFC 2606)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    word = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-") or faker.user_name()
    return f"{word}@mail.example"


def _whole_name(end_user: Mapping[str, str]) -> str:
    return " ".join(text for text in map(end_user.get, ("name", "last_name")) if text)


def _pattern(faker: Faker, pattern: str) -> str:
    return str(faker.bothify(pattern, letters="ABCDEFGHJKLMNPRSTUVWXYZ"))


def _locale(country: str) -> str:
    """A locale of Faker for a country, an English one if there is; else American."""
    fitting = sorted(
        (each for each in AVAILABLE_LOCALES if each.endswith(f"_{country}")),
        key=lambda each: (not each.startswith("en"), each),
    )
    return fitting[0] if fitting else "en_US"


def _weighted(faker: Faker, words: Sequence[T], weight: Callable[[T], float | None]) -> T:
    weights = [weight(word) or 1 for word in words]
    drawn: T = faker.random.choices(words, weights)[0]
    return drawn


# --- documents -------------------------------------------------------------------------------


def field_value(
    faker: Faker, setting: Applicants, end_user: Mapping[str, str], rule: Mapping[str, Any]
) -> str:
    """A value that satisfies a rule: by its name where it says enough, else by its shape."""
    if rule["enums"]:
        return str(faker.random.choice(rule["enums"]))
    named = _NAMED.get(rule["name"])
    text = named(faker, setting, end_user) if named else _pattern(faker, rule.get("made_up", ""))
    if not text:
        dated = rule["type"] == "date"
        text = _day(faker, 2020, 2024) if dated else faker.sentence(nb_words=4)
    return text[: rule["max_length"]].strip().ljust(rule["min_length"], "0")


def _day(faker: Faker, first_year: int, last_year: int) -> str:
    return str(faker.date_between_dates(date(first_year, 1, 1), date(last_year, 12, 31)))


def _last_name_of(faker: Faker, setting: Applicants, end_user: Mapping[str, str]) -> str:
    return end_user.get("last_name") or _last_name(faker, setting)


def _first_name_of(faker: Faker, setting: Applicants, end_user: Mapping[str, str]) -> str:
    """Of the person who applies; of a business, somebody in it."""
    return end_user["name"] if end_user.get("last_name") else _first_name(faker, setting)


_NAMED: dict[str, Callable[[Faker, Applicants, Mapping[str, str]], str]] = {
    "business_name": lambda f, s, e: e["name"],
    "first_name": _first_name_of,
    "last_name": _last_name_of,
    "date_of_birth": lambda f, s, e: _day(f, 1950, 2000),
    "date_of_expiration": lambda f, s, e: _day(f, 2030, 2035),
    "unique_identification_number": lambda f, s, e: _pattern(f, "?#######"),
    "address_line_1": lambda f, s, e: e.get("address_line1", ""),
    "city": lambda f, s, e: e.get("city", ""),
    "postal_code": lambda f, s, e: e.get("postal_code", ""),
    "country": lambda f, s, e: e.get("country", ""),
    "authorized_representative_name": lambda f, s, e: f"{_first_name(f, s)} {_last_name(f, s)}",
    "use_case_description": lambda f, s, e: f.random.choice(_USE_CASES),
}
"""What fields of these names are filled with; the catalogue may have a pattern for others."""
