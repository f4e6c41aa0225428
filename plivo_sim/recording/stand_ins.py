"""Draws what stands on a tape for what somebody told: of the same form and length, and the same for
the same original.

It is drawn from a random key that is never written, so there is no way back from a stand-in, and
another tape has others. A date stays a date, an e-mail address an address, so that a simulator
takes or refuses the stand-in as it would the original.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Callable
from threading import RLock

import phonenumbers

LONGEST = 10_000
"""A longer text, such as a file within JSON, has a stand-in of this length."""

LONGEST_KEPT, MOST_KEPT = 64, 50_000
"""Of texts up to this length so many stand-ins are remembered, so that no two have the same one.
Those of longer ones, and of what comes later, are computed from key and text each time."""

TRIES = 20
_HEX = "0123456789abcdef"
_OTHER_LETTERS = "àáâäåæçèéêëíñóöøúüý"
"""Which headers can hold, too."""

Letters = Callable[[int, str], str]
"""So many letters of an alphabet, each drawn."""


class StandIns:
    """The stand-ins of one tape; several threads may ask. ``key``: random unless it is given."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._lock = RLock()
        self._drawn: dict[bytes, str] = {}
        """By what the key makes of kind and text: no original is held."""
        self._taken: set[tuple[str, str]] = set()

    def text(self, text: str) -> str:
        """Letter for letter, digit for digit; blanks and signs stay."""
        cut = text[:LONGEST]
        return self._draw("text", text, lambda letters: "".join(_like(c, letters) for c in cut))

    def uuid(self, text: str) -> str:
        """Another UUID of the same version; large and small letters are the same."""
        low = text.lower()

        def form(letters: Letters) -> str:
            raw = letters(32, _HEX)
            version, variant = low[14], letters(1, "89ab")
            return f"{raw[:8]}-{raw[8:12]}-{version}{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"

        drawn = self._draw("uuid", low, form)
        return drawn if text == low else drawn.upper()

    def account(self, text: str) -> str:
        """An auth id; those of an account and its own subaccount stay alike."""
        alphabet = string.ascii_uppercase + string.digits
        return text[:2] + self._draw("account", text[2:], lambda letters: letters(18, alphabet))

    def phone(self, text: str) -> str:
        """A phone number, with or without ``+``. The code of its country stays, if it can be a
        number of one; the rest begins with no zero, unless the original does."""
        digits = text.removeprefix("+")
        kept = _calling_code(digits)

        def form(letters: Letters) -> str:
            rest = letters(len(digits) - len(kept), string.digits)
            first = "0" if digits[len(kept)] == "0" else letters(1, string.digits[1:])
            return kept + first + rest[1:]

        return text[: len(text) - len(digits)] + self._draw("phone", digits, form)

    def date(self, text: str) -> str:
        """``yyyy-mm-dd``: one before 2000 for a birthday, one after 2040 for an expiry."""
        century = "19" if text < "2015" else "20"

        def form(letters: Letters) -> str:
            year = century + letters(1, "5678") + letters(1, string.digits)
            return f"{year}-0{letters(1, string.digits[1:])}-1{letters(1, string.digits)}"

        return self._draw("date", text, form)

    def instant(self, text: str) -> str:
        """An instant of 2001, written in the same way: as many digits, the same zone."""

        def form(letters: Letters) -> str:
            month, day = f"0{letters(1, string.digits[1:])}", f"1{letters(1, string.digits)}"
            time = (
                f"{month}-{day}{text[10]}0{letters(1, string.digits)}:1{letters(1, string.digits)}"
            )
            zone = text[19:].lstrip("." + string.digits)
            fraction = text[19 : len(text) - len(zone)]
            drawn = fraction[:1] + letters(max(len(fraction) - 1, 0), string.digits)
            return f"2001-{time}:2{letters(1, string.digits)}{drawn}{zone}"

        return self._draw("instant", text, form)

    def email(self, text: str) -> str:
        """An address at a host that no mail ever reaches."""
        name = text.partition("@")[0]

        def form(letters: Letters) -> str:
            return f"{letters(max(len(name), 4), string.ascii_lowercase)}@{self._host(letters)}"

        return self._draw("email", text, form)

    def host(self, text: str) -> str:
        """A host name that means nothing."""
        return self._draw("host", text, self._host)

    def secret(self, text: str) -> str:
        """A word for a secret, which does not tell its form or length."""
        return self._draw("secret", text, lambda letters: f"secret-{letters(16, _HEX)}")

    def content(self, content: bytes) -> str:
        """A word for what is in a file."""
        return self._stream("content", content, 0, 8).hex()

    def _host(self, letters: Letters) -> str:
        return f"{letters(8, string.ascii_lowercase)}.example"

    def _draw(self, kind: str, text: str, form: Callable[[Letters], str]) -> str:
        """Never the original, nor what stands for another one that is remembered, while the form
        has more."""
        name = self._stream(kind, text.encode("utf-8", "surrogatepass"), 0, 16)
        with self._lock:
            known = self._drawn.get(name)
            if known is not None:
                return known
            is_kept = len(text) <= LONGEST_KEPT and len(self._drawn) < MOST_KEPT
            for turn in range(TRIES):
                drawn = form(self._letters(name, len(text), turn))
                if drawn != text and not (is_kept and (kind, drawn) in self._taken):
                    break
            if is_kept:
                self._drawn[name] = drawn
                self._taken.add((kind, drawn))
            return drawn

    def _letters(self, name: bytes, length: int, turn: int) -> Letters:
        stream = iter(self._stream("letters", name, turn, 2 * min(length, LONGEST) + 128))
        return lambda count, alphabet: "".join(
            alphabet[next(stream) % len(alphabet)] for _ in range(count)
        )

    def _stream(self, kind: str, content: bytes, turn: int, size: int) -> bytes:
        """SHAKE over key and content: nobody without the key can try originals on it."""
        return hashlib.shake_256(self._key + f"{kind} {turn}\0".encode() + content).digest(size)


class Forms(StandIns):
    """For every original of a form the same stand-in: what can be compared with another tape's.
    Ids and phone numbers, which are found again, are their own."""

    def uuid(self, text: str) -> str:
        return text

    def phone(self, text: str) -> str:
        return text

    def _draw(self, kind: str, text: str, form: Callable[[Letters], str]) -> str:
        return form(lambda count, alphabet: alphabet[0] * count)


def _calling_code(digits: str) -> str:
    """That of the country of which these can be a number; empty for none."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return ""
    return str(number.country_code) if phonenumbers.is_possible_number(number) else ""


def _like(character: str, letters: Letters) -> str:
    for alphabet in (string.ascii_lowercase, string.ascii_uppercase, string.digits):
        if character in alphabet:
            return letters(1, alphabet)
    if character.isalnum():
        return letters(1, _OTHER_LETTERS)
    return character if character.isascii() or character.isspace() else "·"
