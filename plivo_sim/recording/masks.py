"""Decides what of an exchange may stand on a tape, value by value, and replaces the rest.

The rule is a list of what stays: words of the APIs (``words.py``), counts and lengths that the
APIs define, what a requirement asks for. Every other text is replaced by its stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import inf, isfinite
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from plivo_sim.domain.countries import is_country
from plivo_sim.domain.secrets import is_secret
from plivo_sim.domain.urls import authority, is_loopback
from plivo_sim.recording.stand_ins import LONGEST, StandIns
from plivo_sim.recording.words import (
    CATALOGUE_KEYS,
    COUNTRY_KEYS,
    NUMBERED_KEYS,
    SENTENCE_KEYS,
    WORD_KEYS,
    Words,
    has_few_digits,
    words_of_the_apis,
)

KNOWN_HOSTS = ("api.plivo.com", "www.plivo.com", "plivo.com")
SHORTEST_TOLD = 3
MOST_SMALL, MOST_COUNTED = 999, 9_999
"""Numbers up to these stay: whatever they are, and counts, which paging needs."""
COORDINATE_KEYS = frozenset(
    {
        "lat", "lng", "lon", "long", "latitude", "longitude", "coordinates", "coords", "geo",
        "latlng", "location", "point", "position",
    }
)  # fmt: skip
MOST_TOLD, LONGEST_TOLD, MOST_TOLD_WORDS = 20_000, 200, 16
"""So many texts are looked for in sentences, each of at most so many characters and words: what
that takes in memory and in steps is bounded, whatever comes."""

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ACCOUNT = re.compile(r"(?:MA|SA)[A-Z0-9]{18}")
PHONE = re.compile(r"\+?\d{7,15}")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?( ?(Z|[+-]\d{2}:?\d{2}))?")
EMAIL = re.compile(r"[^@\s:/]+@[^@\s:/]+")
_FILE = re.compile(r"[^/\\]*\.(pdf|png|jpe?g|txt)", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s'\"<>]+")
_ADDRESS = r"(?<![^@\s:/'\"])[^@\s:/'\"]++@[^@\s:/'\"]++"
"""Looked for at the beginning of a run of its letters only, so that each is passed over once."""
_DIGITS = r"\d++(?:[\W_]++\d++)+"
"""Groups of digits with no letter between them, such as a phone number or the address of a host."""
_WORD = re.compile(
    rf"{_URL.pattern}|{UUID.pattern}|\b(?:MA|SA)[A-Z0-9]{{18}}\b|{_ADDRESS}|{_DIGITS}|[^\W_]++"
    r"|[^\x00-\x7f\s]"  # such as a vowel sign, which is no letter to ``re``
)
_RUN = re.compile(r"[^\W_]+")
"""Letters and digits; a text that sentences repeat begins and ends with such a run."""
_PIECE = re.compile(r"(?<=[A-Za-z_])\[\d{1,3}\]|[^][.]++")
"""A part of a key: the index of a list, right after its name; or what stands between signs."""


class Masks:
    """The rules of one tape, and its stand-ins. Several threads may use it."""

    def __init__(self, stand_ins: StandIns | None = None, words: Words | None = None) -> None:
        self.words = words or words_of_the_apis()
        self.draw = stand_ins or StandIns()
        self._lock = Lock()
        self._told: dict[str, str] = {}
        """What sentences may repeat, from its first run to its last, and what stands for it."""
        self._most_runs: dict[str, int] = {}
        """How many runs the longest of these has that begins with a run."""
        self._enums = set(self.words.enums)
        """Words that the catalogue has, or that the service told in a requirement."""
        self._codes: set[str] = set()
        """Those of no country that stood where one has to."""
        for name in self.words.document_names:
            self._remember(name, name)

    # --- values ------------------------------------------------------------------------------

    def value(self, value: Any, key: str = "", *, public: bool = False) -> Any:
        """JSON with stand-ins. ``key``: under which it stands. ``public``: it is the answer about a
        requirement or a document type, whose texts nobody but the service wrote."""
        if isinstance(value, dict):
            return {
                self.key(name): self.value(each, name, public=public)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self.value(each, key, public=public) for each in value]
        if isinstance(value, str):
            return self._public(value, key) if public else self.text(value, key)
        if value is None or isinstance(value, bool):
            return value
        return self._number(value, key, public=public)

    def text(self, text: str, key: str = "") -> str:
        """A text that stands under a key."""
        if self._may_stay(text, key):
            return text
        if key in SENTENCE_KEYS:
            return self.sentence(text)
        return self.stand_in(text, key)

    def _may_stay(self, text: str, key: str) -> bool:
        if not text or text.isspace() or text in ("true", "false"):
            return True
        if key in WORD_KEYS:
            return all(self.words.is_word(each) or each in self._enums for each in text.split(","))
        if key in NUMBERED_KEYS:
            return re.fullmatch(r"\d{1,4}", text) is not None
        if key in COUNTRY_KEYS:
            return self._is_code(text)
        if key in ("document_name", "document_type_name"):
            return text in self.words.document_names
        return key in self.words.field_names and text in self._enums

    def _is_code(self, text: str) -> bool:
        """Two letters; in large ones they stay in sentences, too, from now on."""
        is_code = re.fullmatch(r"[A-Za-z]{2}", text) is not None
        if is_code:
            self._codes.add(text.upper())
        return is_code

    def stand_in(self, text: str, key: str = "") -> str:
        """What stands for a text, by its form; it is remembered, for sentences that repeat it."""
        if is_secret(key):
            made = self.draw.secret(text)
        elif UUID.fullmatch(text):
            return self.draw.uuid(text)
        elif ACCOUNT.fullmatch(text):
            return self.draw.account(text)
        elif INSTANT.fullmatch(text):
            return self.draw.instant(text)
        elif DATE.fullmatch(text):
            made = self.draw.date(text)
        elif _URL.fullmatch(text):
            made = self.url(text)
        elif EMAIL.fullmatch(text):
            made = self.draw.email(text)
        elif PHONE.fullmatch(text):
            made = self.draw.phone(text)
        elif text.startswith("/") and " " not in text:
            made = self.target(text)
        elif named := _FILE.fullmatch(text):
            stem = text[: -len(named[1]) - 1]
            made = f"{self.draw.text(stem)}.{named[1]}"
        else:
            made = self.draw.text(text)
        self._remember(text, made)
        return made

    def _remember(self, text: str, made: str) -> None:
        if len(text) > LONGEST_TOLD or not (runs := _runs(text)) or len(runs) > MOST_TOLD_WORDS:
            return
        start, end = runs[0][0], runs[-1][1]
        told, before, after = text[start:end], text[:start], text[end:]
        if len(told) < SHORTEST_TOLD or told in self.words.plain:
            return
        made = made.removeprefix(before).removesuffix(after)
        with self._lock:
            if told in self._told or len(self._told) < MOST_TOLD:
                self._told[told] = made
                first = text[slice(*runs[0])]
                self._most_runs[first] = max(self._most_runs.get(first, 0), len(runs))

    def _public(self, text: str, key: str) -> str:
        if key in ("enums", "type", "field_name"):
            named = {each.strip() for each in text[:LONGEST].split(",")}
            named = {each for each in named if len(each) <= LONGEST_TOLD}
            self._enums |= named if len(self._enums) + len(named) <= MOST_TOLD else set()
        if key in CATALOGUE_KEYS:
            self._remember(text, text)
            return text
        return self.text(text, key)

    def _number(self, value: float, key: str, *, public: bool) -> float:
        """Other digits, unless it is whole and small; a length or count of the APIs may be larger,
        and of any size where the service tells a requirement. A coordinate never
        stays, nor a secret."""
        most = inf if public else MOST_COUNTED
        most = most if key in NUMBERED_KEYS else MOST_SMALL
        is_whole = isinstance(value, int) or value.is_integer()
        is_told = key.lower() in COORDINATE_KEYS or is_secret(key)
        if is_whole and abs(value) <= most and not is_told:
            return value
        if isinstance(value, int):
            return int(self.draw.text(str(value)))
        if not isfinite(value):
            return 0.0  # of 1e999, say
        return float(self.draw.text(f"{value:.6f}"))

    def key(self, name: str) -> str:
        """A key of JSON or of a form (``documents[0].file``): parts that are no words go."""
        has_few = has_few_digits(name)
        return _PIECE.sub(lambda piece: self._piece(piece[0], has_few=has_few), name)

    def _piece(self, text: str, *, has_few: bool) -> str:
        if text.startswith("["):
            return text if has_few else self.draw.text(text)
        if self.words.is_key(text) or text in self._enums:
            return text
        return self.stand_in(text)

    # --- sentences ---------------------------------------------------------------------------

    def sentence(self, text: str) -> str:
        """What the service says: its words stay; what was told before becomes what stands for it,
        and so does every other word. Of one that is longer than ``LONGEST``, nothing stays."""
        if len(text) > LONGEST:
            return self.draw.text(text)
        runs, parts, at, begin = _runs(text), list[str](), 0, 0
        while begin < len(runs):
            count, stand_in = self._told_at(text, runs, begin)
            if count:
                parts += (_WORD.sub(self._word, text[at : runs[begin][0]]), stand_in)
                at = runs[begin + count - 1][1]
            begin += count or 1
        return "".join((*parts, _WORD.sub(self._word, text[at:])))

    def _told_at(self, text: str, runs: list[tuple[int, int]], begin: int) -> tuple[int, str]:
        """How many runs from this one on were told before, the longest such text, and what stands
        for it; 0 for none. Costs at most ``MOST_TOLD_WORDS`` look-ups, however much was told."""
        start, end = runs[begin]
        with self._lock:
            most = min(self._most_runs.get(text[start:end], 0), len(runs) - begin)
            for count in range(most, 0, -1):
                made = self._told.get(text[start : runs[begin + count - 1][1]])
                if made is not None:
                    return count, made
        return 0, ""

    def _word(self, match: re.Match[str]) -> str:
        text = match[0]
        if text in self.words.plain or text in self.words.values:
            return text
        if has_few_digits(text) and re.fullmatch(rf"\d+|{_DIGITS}", text):
            return text
        if text in self.words.keys or text in self._codes or is_country(text):
            return text
        if _URL.fullmatch(text):
            return self.url(text)
        return self.stand_in(text)

    # --- URLs --------------------------------------------------------------------------------

    def url(self, text: str) -> str:
        """Scheme, loopback hosts and words of the APIs stay; a user and a fragment go."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return self.draw.text(text)
        return f"{parts.scheme}://{authority(self.host(host), port)}" + self.target(
            parts.path + (f"?{parts.query}" if parts.query else "")
        )

    def host(self, host: str) -> str:
        return host if host in KNOWN_HOSTS or is_loopback(host) else self.draw.host(host)

    def target(self, target: str) -> str:
        """A path, maybe with a query."""
        path, _, query = target.partition("?")
        made = "/".join(quote(self._segment(unquote(each)), safe="+") for each in path.split("/"))
        pairs = self.pairs(parse_qsl(query, keep_blank_values=True))
        return f"{made}?{urlencode(pairs)}" if pairs else made

    def _segment(self, text: str) -> str:
        is_known = not text or text in self.words.segments or self.words.is_word(text)
        return text if is_known else self.stand_in(text)

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """A query, or the fields of a form."""
        return [(self.key(name), self.text(value, name)) for name, value in pairs]


def _runs(text: str) -> list[tuple[int, int]]:
    """Where each run of letters and digits begins and ends."""
    return [run.span() for run in _RUN.finditer(text)]
