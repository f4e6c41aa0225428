"""JSON text in and out, strictly."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.domain import text as module
from plivo_sim.domain.text import DEEPEST, decode_json, encode_json, number_in, whole_in


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


TEXT = st.text('ab é\\"', max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | TEXT,
    lambda each: st.lists(each) | st.dictionaries(st.text("ab", max_size=5), each),
)


class Noting:
    """A decoder that notes how long the texts are that it reads."""

    def __init__(self) -> None:
        self.decoder: Any = msgspec.json.Decoder()
        self.read: list[memoryview] = []

    def decode(self, text: memoryview) -> Any:
        self.read.append(text)
        return self.decoder.decode(text)


@settings(max_examples=30)
@given(JSON, st.sampled_from(["", " ", "\n\t "]))
def test_a_large_text_is_decoded_in_pieces(value: Any, blank: str) -> None:
    """To the same value; only a text or a number is longer than a piece."""
    with pytest.MonkeyPatch.context() as patch:
        noting = Noting()
        patch.setattr(module, "PIECE_BYTES", 16)
        patch.setattr(module, "_decoder", noting)
        text = blank + encode_json(value).decode().replace(",", f"{blank},") + blank
        for each in (text, text.encode()):
            assert decode_json(each) == decode_json(encode_json(value))
        long = [bytes(each).strip() for each in noting.read if len(each) > 16]
        assert not [each for each in long if each[:1] in (b"[", b"{")]


def test_others_get_the_interpreter_between_the_names_of_a_large_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They can whenever Python is called, so it is, for each name, within the call of the decoder
    that reads all of them."""
    monkeypatch.setattr(module, "PIECE_BYTES", 16)
    within, most = 0, 0

    def see(_: FrameType, event: str, called: Any) -> None:
        nonlocal within, most
        if event == "c_call" and getattr(called, "__name__", "") == "decode":
            within = 0
        elif event == "call":
            within += 1
        elif event == "c_return" and getattr(called, "__name__", "") == "decode":
            most = max(most, within)

    text = encode_json({f"name {n}": n for n in range(100)})
    before = sys.getprofile()
    sys.setprofile(see)
    try:
        decode_json(text)
    finally:
        sys.setprofile(before)
    assert most >= 100


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (b'{"a": ["long enough", 1,]}', "JSON is malformed near byte 24"),
        (b'["long enough", "long enough"', "JSON ends too early"),
        (b'["long enough", "long enough \xff"]', "JSON is not valid UTF-8"),
        (
            b'["long enough", "long enough", 1e999]',
            "JSON has a number out of range, or what the standard",
        ),
        (b'["long enough", "long enough \\u0000"]', "JSON has a null character in a string"),
        (b"[" * 70 + b"]" * 70, "JSON is nested too deeply"),
    ],
)
def test_a_large_text_is_refused_as_a_small_one(
    monkeypatch: pytest.MonkeyPatch, bad: bytes, told: str
) -> None:
    """But for the place, which is not looked for line by line."""
    monkeypatch.setattr(module, "PIECE_BYTES", 16)
    with pytest.raises(ValueError, match=told):
        decode_json(bad)


# --- numbers that are given as text ----------------------------------------------------------


@pytest.mark.parametrize("text", ["10", "+10", "10.", "1e1", "1.0E+1", "100e-1", " 10\n"])
def test_numbers_are_read(text: str) -> None:
    """Blanks around them do not count; only some are whole."""
    assert number_in(text) == 10.0
    if text.strip(" \n+") == "10":
        assert whole_in(text) == 10
    else:
        with pytest.raises(ValueError, match="is not a whole number"):
            whole_in(text)


@pytest.mark.parametrize("text", ["", " ", "1_0", "١", "²", "0x10", "nan", "inf", "1 0", "e1", "."])
def test_what_only_python_takes_is_no_number(text: str) -> None:
    """Nor what nobody does."""
    for read in (number_in, whole_in):
        with pytest.raises(ValueError, match="is not a"):
            read(text)
