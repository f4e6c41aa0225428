"""JSON text in and out, strictly."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.domain.text import DEEPEST, decode_json, encode_json


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None), ("[]", []), (b'{"a": [1, 2.5, true]}', {"a": [1, 2.5, True]}),
        (' {"a":\n1} ', {"a": 1}), ('"\\ud83d\\ude00"', "😀"), ('"\u2028"', "\u2028"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}), ('\ufeff{"a": 1}', {"a": 1}),
        ('{"a": 1, "a": 2}', {"a": 2}), ("[" * DEEPEST + "]" * DEEPEST, ...),
    ],
)  # fmt: skip
def test_json_is_read(text: str | bytes, value: Any) -> None:
    """Text or bytes; of a repeated key, the last counts."""
    read = decode_json(text)
    assert value is ... or read == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "nul", "NaN", "-Infinity", "[1,]", "{a: 1}", "{'a': 1}", "[1] [2]", "01", "1e999",
        '"\\ud800"', '"\\udc00\\ud800"', '"\ud800"', '"\\x41"', '"a\tb"', '"a\\u0000"',
        '{"\\u0000": 1}', b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf", "[" * 100_000,
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), '{"a":' * 100 + "1" + "}" * 100, "9" * 10_000,
    ],
    ids=lambda text: repr(text)[:20],
)  # fmt: skip
def test_what_is_no_json_for_us_is_a_value_error(text: str | bytes) -> None:
    """With a sentence, whatever it is: never another exception."""
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        decode_json(text)


@pytest.mark.parametrize("value", [{"a": "ü😀\u2028\n"}, [2**70, -1.5, None], "", {"b": {"c": []}}])
def test_what_is_written_reads_the_same(value: Any) -> None:
    """As UTF-8, without a space."""
    assert decode_json(encode_json(value)) == value
    assert b" " not in encode_json(value)


@pytest.mark.parametrize("text", [b"\xff", b'"\xff"', b"{\xff}"])
def test_bytes_that_are_no_utf_8_are_told_in_our_words(text: bytes) -> None:
    """Wherever they stand."""
    with pytest.raises(ValueError, match=r"^JSON is not valid UTF-8$"):
        decode_json(text)
