"""Text for others to read: JSON (by msgspec, which is strict and fast), words of a shell, and ids.

Ids and dice are drawn from a seed: the same seed and the same calls give the same ids. An id is
drawn from ``(seed, auth_id, kind, n)`` and looks like a UUID: ``api_id`` like version 1, as the
recorded answers have it, every other one like version 4. Dice are drawn from what was submitted,
never from ids or arrival order (decision "Seeded ids and dice").
"""

from __future__ import annotations

import hashlib
import re
import shlex
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from plivo_sim.domain import limits
from plivo_sim.domain.typed import json_trouble

DEEPEST = limits.JSON_DEPTH.most


def joined(texts: Iterable[str]) -> str:
    """Texts as one line, each word for word: a space after a full stop, else a semicolon."""
    line = ""
    for text in texts:
        line += f"{' ' if line.endswith('.') else '; '}{text}" if line else text
    return line


class JsonLimits(NamedTuple):
    """How many bytes (of a str: characters) and values a JSON text may have. Unless it
    ``is_whole``, the values of an object longer than ``PIECE_BYTES`` are left as texts (Raw)."""

    bytes: limits.Limit
    values: limits.Limit
    is_whole: bool = True


PLAIN = JsonLimits(limits.JSON, limits.JSON_VALUES)
SNAPSHOT = JsonLimits(limits.BODY, limits.SNAPSHOT_VALUES)
MEMBERS_OF_SNAPSHOT = SNAPSHOT._replace(is_whole=False)

PIECE_BYTES = 1024 * 1024
"""What is longer is decoded in pieces: nobody else gets the interpreter meanwhile."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()  # noqa: TID251  # of no type
_entries = msgspec.json.Decoder(list[msgspec.Raw])  # noqa: TID251  # the same


class _AnyText(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, str)


class _Name(metaclass=_AnyText):
    """A name of an object: a str, which the decoder hands to Python one by one. So others get the
    interpreter between two names, however many there are."""


_members = msgspec.json.Decoder(  # noqa: TID251  # the same
    dict[_Name, msgspec.Raw], dec_hook=lambda _, name: name
)


def encode_json(value: object) -> bytes:
    """JSON of plain values and of records within them."""
    return _encoder.encode(value)


def values_in(text: bytes | str) -> int:
    """How many values a JSON text has at most, seen without decoding it."""
    if isinstance(text, str):
        return 1 + text.count(",") + text.count("[") + text.count("{")
    return 1 + text.count(b",") + text.count(b"[") + text.count(b"{")


def decode_json(text: bytes | str, most: JsonLimits = PLAIN) -> Any:
    """Plain values from JSON text. Raises ValueError with a sentence, whatever the text is.

    A byte-order mark before it is passed over (RFC 8259 allows that; Windows writes one).
    Refuses NaN and Infinity, wrong UTF-8, lone surrogates, null characters in strings and
    nesting deeper than 64; and, before it is decoded, a text with more than ``most``.
    """
    text = text.removeprefix("\ufeff") if isinstance(text, str) else text.removeprefix(BOM_UTF8)
    most.bytes.check(len(text), "bytes of JSON")
    if len(text) > most.values.most:
        most.values.check(values_in(text), "JSON values")
    try:
        value = (
            _decoder.decode(text)
            if len(text) <= PIECE_BYTES
            else _in_pieces(text, 0, most.is_whole)
        )
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("JSON is not valid UTF-8") from None
    except msgspec.DecodeError as error:
        raise ValueError(_trouble(text, error)) from None
    except UnicodeEncodeError:
        raise ValueError("JSON has a lone surrogate") from None
    if _may_break_rules(text):
        _check(value, 0)
    return value


def _in_pieces(text: bytes | str | msgspec.Raw, depth: int, is_whole: bool = True) -> Any:
    """As the decoder reads it; a large object or list by its members, whose text was found well
    formed before."""
    piece = memoryview(text.encode() if isinstance(text, str) else text)
    if len(piece) > PIECE_BYTES and depth < DEEPEST:
        begin = bytes(piece[:100]).lstrip(_BLANKS)[:1]
        if begin == b"{":
            members = _members.decode(piece)
            if not is_whole:
                return members
            return {key: _in_pieces(each, depth + 1) for key, each in members.items()}
        if begin == b"[":
            return [_in_pieces(each, depth + 1) for each in _entries.decode(piece)]
    return _decoder.decode(piece)


_NUMBER = re.compile(r"[ \t\r\n]*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?[ \t\r\n]*")
_WHOLE = re.compile(r"[ \t\r\n]*[-+]?[0-9]+[ \t\r\n]*")


def number_in(text: str) -> float:
    """The number that a text is, in the digits and signs of JSON. Python takes more: ``1_0``,
    ``nan``, digits of other scripts. Blanks around it do not count. Raises ValueError."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("is not a number")
    return float(text)


def whole_in(text: str) -> int:
    """The same of a whole number."""
    if _WHOLE.fullmatch(text) is None:
        raise ValueError("is not a whole number")
    return int(text)


_BLANKS = b" \t\r\n"
_PLACE = re.compile(r"\(byte (\d+)\)")


def _trouble(text: bytes | str, error: msgspec.DecodeError) -> str:
    if len(text) > PIECE_BYTES and (place := _PLACE.search(str(error))):
        return f"JSON is malformed near byte {place[1]}"
    try:
        return json_trouble(text)
    except UnicodeDecodeError:  # where msgspec saw something else first
        return "JSON is not valid UTF-8"


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


def filled(text: str | None) -> str | None:
    """The text as it is; None where nothing is filled in: a blank one counts as not given."""
    return text if text and not text.isspace() else None


HTTP_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105
"""A method of HTTP, or the name of a header (RFC 9110, 5.6.2), as a regex."""


def printable(text: str) -> str:
    """On one line, without what a terminal might obey."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def printable_lines(text: str) -> str:
    """The same of each line: only the line breaks stay."""
    return "\n".join(map(printable, text.split("\n")))


# --- names of files ---------------------------------------------------------------------------

_JOINERS = "\u200c\u200d"
_NEVER_KEPT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def bare_name(name: str) -> str:
    """A file name without folders, control characters or ``%22`` for a quote.

    Spaces of every width and the joiners that Indic scripts need stay.
    """
    bare = re.split(r"[/\\]", name)[-1].replace("%22", '"')
    return "".join(c for c in bare if _is_kept(c)) or "file"


def _is_kept(c: str) -> bool:
    return c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs"


def is_bare_name(name: str) -> bool:
    """Whether ``bare_name`` could have made it, in any version of Python: what one does not know
    yet, another has kept."""
    if not name or "/" in name or "\\" in name:
        return False
    return name.isprintable() or not any(
        unicodedata.category(c) in _NEVER_KEPT and c not in _JOINERS for c in name
    )


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
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"


def curl_file(path: str) -> str:
    """As curl reads it behind ``-F name=@``."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def draw_uuid(seed: int, auth_id: str, kind: str, n: int, version: int = 4) -> str:
    """A stable UUID-shaped id."""
    raw = hashlib.blake2b(f"{seed}|{auth_id}|{kind}|{n}".encode(), digest_size=16).hexdigest()
    variant = _VARIANTS[raw[16]]
    return f"{raw[:8]}-{raw[8:12]}-{version}{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"


def atoms_id(id: str) -> str:
    """An id in the form of Atoms: 24 hex digits."""
    return id.replace("-", "")[:24]


def draw_fraction(seed: int, *words: object) -> float:
    """A stable number in [0, 1) for these words."""
    text = "\x1f".join(map(str, (seed, *words)))
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(raw) >> 11) / 2**53
