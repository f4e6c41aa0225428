"""Made-up applicants."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from plivo_sim.catalogue import load_catalogue
from plivo_sim.client.applications import Outcome
from plivo_sim.client.people import People

COUNTRY_OF = load_catalogue(1).country
KEYS = [
    (country, "local", user_type)
    for country in ("IN", "DE", "AE")
    for user_type in ("business", "individual")
]


def rule(name: str, **changes: Any) -> dict[str, Any]:
    """A field as the control API shows it."""
    plain = {"name": name, "type": "string", "enums": [], "min_length": 1, "max_length": 50}
    return plain | changes


def test_the_same_seed_makes_the_same_people() -> None:
    """Whoever was drawn before them, and whenever their documents are filled in."""
    one, two = People(7, COUNTRY_OF), People(7, COUNTRY_OF)
    all_ = [one.draw(index, KEYS) for index in range(20)]
    last = two.draw(19, KEYS)
    assert last.end_user == all_[19].end_user
    for name in ("first_name", "unique_identification_number", "anything_else"):
        assert last.fill(rule(name)) == all_[19].fill(rule(name))


def test_another_seed_makes_others() -> None:
    """Nearly all of them."""
    names = [{People(seed, COUNTRY_OF).draw(i, KEYS).alias for i in range(50)} for seed in (1, 2)]
    assert len(names[0] & names[1]) < 5


def test_the_mix() -> None:
    """Mostly Indian, more businesses than people, nobody left out."""
    drawn = Counter(People(1, COUNTRY_OF).draw(index, KEYS).key for index in range(400))
    assert set(drawn) == set(KEYS)
    assert sum(drawn[key] for key in KEYS if key[0] == "IN") > 240
    assert sum(drawn[key] for key in KEYS if key[2] == "business") > 200


@pytest.mark.parametrize("country", ["IN", "DE", "FR", "AE", "US", "BR", "XX"])
@pytest.mark.parametrize("user_type", ["business", "individual"])
def test_every_country_has_whole_people(country: str, user_type: str) -> None:
    """Everything that the API expects of an end user, within its lengths."""
    made = People(1, COUNTRY_OF).draw(0, [(country, "local", user_type)])
    wanted = {"name", "email", "address_line1", "city", "postal_code", "country"}
    wanted |= {"registration_number"} if user_type == "business" else {"last_name"}
    assert wanted <= set(made.end_user)
    assert made.end_user["country"] == country
    assert made.end_user["email"].endswith("@mail.example")
    assert all(text == text.strip() and "\n" not in text for text in made.end_user.values())
    assert len(made.alias) <= 255


def test_what_is_given_is_kept() -> None:
    """The rest is made up around it."""
    made = People(1, COUNTRY_OF).complete(0, KEYS[0], {"name": "Zwölf & Co", "city": "Agra"})
    assert (made.end_user["name"], made.end_user["city"]) == ("Zwölf & Co", "Agra")
    assert made.end_user["email"] == "zwolf-co@mail.example"
    assert made.alias == "Zwölf & Co, Agra"
    assert made.fill(rule("business_name")) == "Zwölf & Co"


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (rule("type_of_utility", enums=["Water", "Gas"]), lambda t: t in ("Water", "Gas")),
        (rule("date_of_birth", type="date"), lambda t: "1950" <= t[:4] <= "2000"),
        (rule("date_of_issue", type="date"), lambda t: "2020" <= t[:4] <= "2024"),
        (rule("nobody_knows_it"), lambda t: len(t) > 5),
        (rule("short", max_length=3), lambda t: 1 <= len(t) <= 3),
        (rule("long", min_length=80, max_length=90), lambda t: 80 <= len(t) <= 90),
    ],
)
def test_values_of_documents_fit_their_rule(wanted: dict[str, Any], fits: Any) -> None:
    """By name where it is known, by shape where it is not."""
    made = People(1, COUNTRY_OF).draw(0, [KEYS[1]])
    assert fits(made.fill(wanted))


def test_outcomes_are_exact_shares_in_mixed_order() -> None:
    """What is left over is left to the simulator; refusals have reasons."""
    drawn = People(1, COUNTRY_OF).outcomes(20, {"accepted": 0.5, "rejected": 0.25, "nothing": 0.1})
    words = [each.word if each else None for each in drawn]
    assert Counter(words) == {"accepted": 10, "rejected": 5, "nothing": 2, None: 3}
    assert words != sorted(words, key=str)
    assert all(each.reason for each in drawn if each and each.word == "rejected")
    assert drawn == People(1, COUNTRY_OF).outcomes(
        20, {"accepted": 0.5, "rejected": 0.25, "nothing": 0.1}
    )


def test_an_outcome_s_header_takes_any_reason() -> None:
    """Quotes, semicolons and letters that no header takes as they are."""
    header = Outcome(word="rejected", reason='No "seal"; राज', after="2 business days").header()
    assert header.isascii()
    assert header.startswith("rejected; reason*=UTF-8''No%20%22seal%22%3B%20%E0")
