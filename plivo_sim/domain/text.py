"""JSON text in and out, for everybody: msgspec, because it is strict and fast."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Any

import msgspec

from plivo_sim.domain.typed import json_trouble

DEEPEST = 64


_encoder = msgspec.json.Encoder()


_decoder = msgspec.json.Decoder()  # noqa: TID251  # of no type


def encode_json(value: object) -> bytes:
    """JSON of plain values and of records within them."""
    return _encoder.encode(value)


def decode_json(text: bytes | str) -> Any:
    """Plain values from JSON text. Raises ValueError with a sentence, whatever the text is.

    A byte-order mark before it is passed over (RFC 8259 allows that; Windows writes one).
    Refuses NaN and Infinity, wrong UTF-8, lone surrogates, null characters in strings and
    nesting deeper than 64.
    """
    text = text.removeprefix("\ufeff") if isinstance(text, str) else text.removeprefix(BOM_UTF8)
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("JSON is not valid UTF-8") from None
    except msgspec.DecodeError:
        raise ValueError(json_trouble(text)) from None
    except UnicodeEncodeError:
        raise ValueError("JSON has a lone surrogate") from None
    if _may_break_rules(text):
        _check(value, 0)
    return value


def _may_break_rules(text: bytes | str) -> bool:
    """Whether there is an escaped null, or more brackets than depth: most texts have neither."""
    if isinstance(text, str):
        return "\\u0000" in text or text.count("[") + text.count("{") > DEEPEST
    return b"\\u0000" in text or text.count(b"[") + text.count(b"{") > DEEPEST


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("JSON has a null character in a string")
    elif isinstance(value, dict | list):
        if depth == DEEPEST:
            raise ValueError("JSON is nested too deeply")
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            _check(key, depth)
            _check(each, depth + 1)
