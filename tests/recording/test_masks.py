"""What of a sentence may stand on a tape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from urllib3 import encode_multipart_formdata

from plivo_sim.recording.bodies import masked_body
from plivo_sim.recording.masks import _ADDRESS, Masks
from plivo_sim.recording.stand_ins import StandIns
from plivo_sim.recording.tapes import MOST_LINE_BYTES


@pytest.mark.parametrize(
    "told",
    ["203.0.113.77", "123 456 789", "123-45-6789", "987.654.321", "(415) 555 267", "12/34/56"],
)
def test_groups_of_digits_do_not_stay_in_a_sentence(told: str) -> None:
    """As single groups they are as short as a count, which stays."""
    made = Masks(StandIns(b"key")).sentence(f"not found: {told} at 12 of 100")
    assert told not in made
    assert made.startswith("not found: ")
    assert made.endswith(" at 12 of 100")


SIGNS = [
    sign
    for sign in map(chr, range(0x10000))
    if unicodedata.category(sign)[0] in "PZ" or sign in "+|`^~$€"
]
"""Punctuation and blanks, and some symbols."""


@pytest.mark.parametrize("times", [1, 4, 9])
def test_no_sign_between_groups_of_digits_lets_them_stay(times: int) -> None:
    """Whichever it is, and however often. Two groups may come again by chance, not three."""
    masks = Masks(StandIns(b"key"))
    for sign in SIGNS:
        told = masks.sentence(f"not found: {(sign * times).join(GROUPS)} of 100")
        assert len(set(GROUPS) & set(GROUP.findall(told))) < 3, ascii(told)
        assert told.startswith("not found: ")
        assert told.endswith(" of 100")


GROUP, GROUPS = re.compile(r"\d+"), ("415", "555", "012", "678")


@pytest.mark.parametrize(
    "name",
    [
        "203.0.113.77", "415.555.012", "[415][555][012]", "documents[415][555][012]",
        "documents[415]file[555]data[012]", "415\u2013555\u2013012", "documents.415.555",
        "failed_41_55_50_12",
    ],
)  # fmt: skip
def test_a_key_is_no_place_for_a_number(name: str) -> None:
    """Neither of JSON nor of a query or a form; nor is a word."""
    masks = Masks(StandIns(b"key"))
    (of_json,), ((of_query, _),) = masks.value({name: 1}), masks.pairs([(name, "1")])
    assert of_json == of_query
    assert not {"203", "113", "415", "555", "012", "41"} & set(GROUP.findall(of_json))
    assert "41_55" not in masks.text(name, "status")


@pytest.mark.parametrize(
    "name", ["documents[0].file", "documents[12].data", "documents[100][file]"]
)
def test_the_index_of_a_list_stays(name: str) -> None:
    """It is part of a name of the API."""
    assert Masks(StandIns(b"key")).key(name) == name


def test_nothing_stays_of_a_sentence_that_is_too_long() -> None:
    """Its words are not looked at one by one."""
    masks = Masks(StandIns(b"key"))
    assert masks.sentence("failed " * 1428) == "failed " * 1428
    assert "failed" not in masks.sentence("failed " * 1429)


@pytest.mark.parametrize("sign", ["-", "a.", "1_"])
def test_a_run_of_a_sentence_is_passed_over_once(sign: str) -> None:
    """Where no address is in it, either: one begins only where such a run does."""
    text = sign * 500 + "@x"
    address = re.compile(_ADDRESS)
    assert [n for n in range(len(text)) if address.match(text, n)] == [0]


@pytest.mark.parametrize(
    ("sentence", "stays"),
    [
        ("(priya@kolkatateahouse.test)", "priya"),
        ("<a.b-c_d@kolkatateahouse.test>,", "kolkata"),
        ("see (https://kolkatateahouse.test/x?y=priya),", "kolkata"),
        ("mailto:priya@kolkatateahouse.test", "priya"),
    ],
)
def test_an_address_within_a_sentence_does_not_stay(sentence: str, stays: str) -> None:
    """Wherever it begins."""
    made = Masks(StandIns(b"key")).sentence(sentence)
    assert stays not in made
    assert made != sentence


@pytest.mark.parametrize("told", ["919812345678", "+919812345678", "14155550123", "0123456789"])
def test_of_a_phone_number_only_the_calling_code_stays(told: str) -> None:
    """Its stand-in is as long, and the same everywhere."""
    masks = Masks(StandIns(b"key"))
    made = masks.text(told, "number")
    assert len(made) == len(told)
    assert made[:6] != told[:6]
    assert masks.text(told, "number") == made
    if "9198" in told:
        assert made.removeprefix("+").startswith("91")


@pytest.mark.parametrize(
    ("key", "value", "stays"),
    [
        ("limit", 20, True), ("offset", 9_999, True), ("offset", 919812345678, False),
        ("anything", 999, True), ("anything", 1_000, False), ("anything", 22.5726, False),
        ("lat", 22, False), ("longitude", 88.0, False),
        ("coordinates", [22], False), ("auth_token", 123, False), ("max_length", 65_535, False),
    ],
)  # fmt: skip
def test_which_numbers_stay(key: str, value: Any, stays: bool) -> None:
    """Small whole ones, and counts that paging needs; no phone number, no place, no secret."""
    (made,) = Masks(StandIns(b"key")).value({key: value}).values()
    assert (made == value) is stays
    assert Masks(StandIns(b"key")).value({"max_length": 65_535}, public=True) == {
        "max_length": 65_535
    }


class Counted(dict[str, str]):
    """Counts how often it is looked into, and each key that is passed over."""

    steps = 0

    def __iter__(self) -> Iterator[str]:
        for each in super().__iter__():
            self.steps += 1
            yield each

    def get(self, key: str, default: Any = None) -> Any:
        self.steps += 1
        return super().get(key, default)


def test_a_sentence_costs_as_much_however_much_was_told() -> None:
    """A few look-ups for each of its words."""
    masks = Masks(StandIns(b"key"))
    masks.value([f"a{n:03} b{n:03}" for n in range(1_000)], "alias")
    told = masks._told = Counted(masks._told)
    made = masks.value({"error": [f"not found: a{n:03} b{n:03}" for n in range(100)]})["error"]
    assert 100 <= told.steps <= 100 * 4 * 16
    assert made[7] == f"not found: {masks.text('a007 b007', 'alias')}"


@pytest.mark.parametrize(
    ("alias", "sentence"),
    [
        ("(failed review)", "is 'failed review' here"),
        ("failed review.", "no failed review. at all"),
        ("review 4", "the review 4, 12 is failed"),
        ("under_review failed", "under_review failed"),
    ],
)
def test_a_text_that_was_told_does_not_stay_in_a_sentence(alias: str, sentence: str) -> None:
    """Even if all its words are those of the service."""
    masks = Masks(StandIns(b"key"))
    masks.text(alias, "alias")
    assert alias.strip("(.)") not in masks.sentence(sentence)


def test_signs_of_vowels_do_not_stay_in_a_sentence() -> None:
    """They are no letters to regular expressions."""
    assert "ो" not in Masks(StandIns(b"key")).sentence("not found: कोलकाता")


LONG = "x" * MOST_LINE_BYTES


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"error":"' + LONG.encode() + b'"}', "application/json"),
        (b"alias=" + LONG.encode(), "application/x-www-form-urlencoded"),
        (LONG.encode() + b"x", "text/plain"),
        encode_multipart_formdata([("alias", LONG)], "B"),
        encode_multipart_formdata([("data", ("x", f'{{"alias":"{LONG}"}}'.encode()))], "B"),
    ],
)
def test_texts_that_are_longer_than_a_line_are_not_masked(content: bytes, kind: str) -> None:
    """They would not be kept."""
    masks = Masks(StandIns(b"key"))
    masks.text = masks.value = None  # type: ignore[method-assign, assignment]
    assert masked_body(content, kind, masks) == {"bytes": len(content)}
