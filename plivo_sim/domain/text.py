"""Text for others to read: JSON (by msgspec, which is strict and fast), and words of a shell."""

from __future__ import annotations

import shlex
from codecs import BOM_UTF8
from collections.abc import Iterable
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


# --- words of a shell -------------------------------------------------------------------------


def shell_line(words: Iterable[str]) -> str:
    """The words as a shell reads them back."""
    return " ".join(map(shell_word, words))


def shell_word(text: str, *, may_break: bool = False) -> str:
    """The text as one word of a shell. What a terminal might obey is escaped, as bash reads it;
    with ``may_break``, lines stay lines."""
    if (text.replace("\n", "") if may_break else text).isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_shell_escape, text)) + "'"


def _shell_escape(character: str) -> str:
    if character.isprintable():
        return f"\\x{ord(character):02x}" if character in "\\'!" else character
    code = ord(character)
    if code < 0x80:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\x{code:02x}")
    return f"\\U{code:08x}"
