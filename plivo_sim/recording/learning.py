"""``plivo-sim learn``: what a real account requires, read and written as a catalogue.

Reads only, one request after the other, waiting as long as the service asks for, up to the limits
``learn_calls``, ``learn_bytes`` and ``learn_seconds``. What today's API
and the legacy API say of a requirement is put together: the one knows which fields must be filled
in, the other which documents stand for one another.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from typing import Any, get_args, get_type_hints
from urllib.parse import quote, urlencode

from plivo_sim import __version__
from plivo_sim.account.clock import monotonic_s
from plivo_sim.catalogue import load_catalogue
from plivo_sim.client import Garbled, Http, Refused
from plivo_sim.domain.limits import LEARN_BYTES, LEARN_CALLS, LEARN_SECONDS
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.domain.requirements import FieldRule
from plivo_sim.domain.urls import basic

NONE_FOUND = "Could not find any requirement"
"""What both APIs say of a combination that has none (field-reported)."""
LONGEST_WAIT_S = 60.0
TRIES = 5
MOST_TYPES = 500
_BUSY = (429, 503)
_FIELD_TYPES = get_args(get_type_hints(FieldRule)["type"])


@dataclass(slots=True)
class Learned:
    """``catalogue``: what the file will hold. ``notes``: what could not be read, in sentences."""

    catalogue: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Combination:
    country: str
    number_type: NumberType
    user_type: UserType

    def __str__(self) -> str:
        return f"{self.country} {self.number_type}, {self.user_type}"


class Learner:
    """Reads one account. ``wait``: how to wait, in seconds.

    Raises Unreachable, Refused when the credentials are, ValueError for an answer of another shape
    and for more than the limits allow.
    """

    def __init__(
        self, http: Http, auth_id: str, token: str, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._http = http
        self._account = f"/v1/Account/{quote(auth_id, safe='')}/"
        self._headers = {
            "Authorization": basic(auth_id, token),
            "User-Agent": f"plivo-sim/{__version__} (learn)",
            "Accept": "application/json",
        }
        self._wait = wait
        self._types: dict[str, dict[str, Any]] = {}
        self._words: dict[str, str] = {}
        self._shipped = {each.name: each.word for each in load_catalogue(0).types_by_id.values()}
        self._learned = Learned({})
        self._bytes = 0
        self._began = monotonic_s()

    def learn(self, countries: Iterable[str], today: date) -> Learned:
        """Everything that the account requires in these countries."""
        entries = []
        for each in product(countries, NumberType, UserType):
            asked = Combination(*each)
            try:
                entry = self._entry(asked)
            except (LookupError, TypeError, AttributeError) as error:
                raise ValueError(f"{asked}: the answer has another shape: {error}") from None
            if entry is not None:
                entries.append({**entry, "source": "observed", "observed": f"{today:%Y-%m-%d}"})
        types = {self._words[id]: shown for id, shown in self._types.items()}
        self._learned.catalogue = {"document_types": types, "requirements": entries}
        return self._learned

    def _entry(self, asked: Combination) -> dict[str, Any] | None:
        current, legacy = self._current(asked), self._legacy(asked)
        key = {
            "country": asked.country,
            "number_types": [asked.number_type.value],
            "user_types": [asked.user_type.value],
        }
        if current == legacy == {}:
            return {**key, "exists": False, "documents": []}
        if not current and not legacy:
            if current is not legacy:
                self._note(f"{asked}: one API has no requirement, the other told nothing; left out")
            return None
        if not current or not legacy:
            other = "the legacy API" if current else "today's API"
            without = "told nothing" if None in (current, legacy) else "has no requirement"
            self._note(f"{asked}: {other} {without}; written as the other one told it")
        slots = _slots(legacy) if legacy else []
        listed = current["document_types"] if current else []
        in_legacy = [each for slot in slots for each in slot["acceptable_documents"]]
        for each in (*listed, *in_legacy):
            self._add_type(each)
        if any(
            each["document_type_id"] not in self._words
            for each in (listed if current else in_legacy)
        ):
            self._note(f"{asked}: nothing was told of the fields of a document; left out")
            return None
        id = (current or {}).get("requirement_id") or (legacy or {})["compliance_requirement_id"]
        if legacy and id != legacy["compliance_requirement_id"]:
            self._note(f"{asked}: the legacy API has another id for this requirement; left out")
        return {**key, "id": id, "documents": self._documents(current, slots)}

    def _documents(
        self, current: Mapping[str, Any] | None, slots: list[dict[str, Any]]
    ) -> list[Any]:
        """The demands: as the legacy API groups them, where it names the same document types."""
        of_slots = [each["document_type_id"] for s in slots for each in s["acceptable_documents"]]
        listed = [each["document_type_id"] for each in (current or {}).get("document_types", ())]
        if current and of_slots != listed:
            return [self._words[id] for id in listed]
        return [
            {
                "name": slot["name"],
                "scope": slot["scope"],
                "any_of": [
                    self._words[each["document_type_id"]] for each in slot["acceptable_documents"]
                ],
            }
            for slot in slots
        ]

    # --- reading -----------------------------------------------------------------------------

    def _current(self, asked: Combination) -> dict[str, Any] | None:
        query = {
            "country_iso": asked.country,
            "number_type": asked.number_type,
            "user_type": asked.user_type,
        }
        return self._look_up("PhoneNumber/Compliance/Requirements/", query, asked)

    def _legacy(self, asked: Combination) -> dict[str, Any] | None:
        query = {
            "country_iso2": asked.country,
            "number_type": asked.number_type,
            "end_user_type": asked.user_type,
            "operation_type": "buy_number",
        }
        return self._look_up("ComplianceRequirement/", query, asked)

    def _look_up(
        self, path: str, query: Mapping[str, str], asked: Combination
    ) -> dict[str, Any] | None:
        """The requirement; empty where the account has none; None where nothing was told. Raises
        LookupError for one that is empty itself."""
        status, told = self._get(f"{path}?{urlencode(query)}")
        if status == 200:
            if not told:
                raise LookupError("it is empty")
            return told
        if NONE_FOUND in str(told.get("error", "")):
            return {}
        if status != 400 and status != 404:
            self._note(f"{asked}: {path} answered {status}")
        return None

    def _add_type(self, shown: Mapping[str, Any]) -> None:
        """Note a document type, once; what today's API tells of it comes first. One of whose fields
        nothing is told is not noted."""
        id = shown["document_type_id"]
        if id in self._types:
            return
        if len(self._types) == MOST_TYPES:
            raise ValueError(f"there are more than {MOST_TYPES} document types")
        path = f"ComplianceDocumentType/{quote(id, safe='')}/"
        status, legacy = self._get(path)
        told = legacy if status == 200 else {}
        if status != 200:
            self._note(f"{path} answered {status}")
            if "required_fields" not in shown:
                return
        name = shown.get("name") or shown.get("document_type_name") or told["document_name"]
        self._types[id] = _type(id, name, shown, told)
        self._words[id] = self._word(name, id)

    def _word(self, name: str, id: str) -> str:
        """Its word in the catalogue that ships, which scenarios name, or one made of its name that
        means nothing else, neither here nor there."""
        plain = re.sub(r"\W+", "_", name.lower()).strip("_") or "document"
        word = self._shipped.get(name)
        taken = {*self._words.values(), *self._shipped.values()}
        if word is None or word in self._words.values():
            word = plain if plain not in taken else f"{plain}_{id[:8]}"
        return word if word not in self._words.values() else f"{plain}_{id}"

    def _get(self, path: str) -> tuple[int, dict[str, Any]]:
        for _ in range(TRIES):
            answer = self._http.send("GET", self._account + path, self._headers)
            self._learned.calls += 1
            self._bytes += len(answer.data)
            LEARN_CALLS.check(self._learned.calls, "calls")
            LEARN_BYTES.check(self._bytes, "bytes of answers")
            LEARN_SECONDS.check(int(monotonic_s() - self._began), "seconds")
            if answer.status not in _BUSY:
                break
            self._wait(_asked_to_wait_s(answer.headers.get("Retry-After", "")))
        try:
            told = json.loads(answer.data)
        except (ValueError, RecursionError):
            raise Garbled(
                f"{self._http.url} did not answer with JSON, but {answer.status}"
            ) from None
        if not isinstance(told, dict):
            raise Garbled(f"{self._http.url} did not answer with an object of JSON")
        if answer.status in (401, 403, *_BUSY) or 300 <= answer.status < 400:
            raise Refused(answer.status, str(told.get("error") or answer.reason), told)
        return answer.status, told

    def _note(self, text: str) -> None:
        if text not in self._learned.notes:
            self._learned.notes.append(text)


def _asked_to_wait_s(text: str) -> float:
    """A ``Retry-After`` in seconds; a second where it says nothing that is understood."""
    is_number = text.isascii() and text.isdigit()
    return min(float(text), LONGEST_WAIT_S) if is_number else 1.0


def _slots(legacy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """In the spelling that the SDKs read, or the page's. Raises LookupError for neither."""
    name = "acceptable_document_types"
    slots: list[dict[str, Any]] = legacy[name if name in legacy else name[:-1]]
    return slots


def _type(
    id: str, name: str, shown: Mapping[str, Any], legacy: Mapping[str, Any]
) -> dict[str, Any]:
    """A document type as a catalogue has it, from what the two APIs tell of it. Raises LookupError
    where neither tells of its fields."""
    proof = legacy.get("proof_required")
    needs_file = shown.get("proof_required", bool(proof) or not legacy)
    fields = {each["field_name"]: each for each in legacy.get("information", ())}
    listed = shown["required_fields"] if "required_fields" in shown else legacy["information"]
    return {
        "id": id,
        "name": name,
        "description": shown.get("description") or legacy.get("description") or name,
        "proof_required": bool(needs_file),
        **({"proof": proof} if isinstance(proof, str) else {}),
        "fields": [_field(each, fields.get(each["field_name"], {})) for each in listed],
    }


def _field(shown: Mapping[str, Any], legacy: Mapping[str, Any]) -> dict[str, Any]:
    help_text = shown.get("help_text") or legacy.get("help_text")
    is_optional = help_text == "Optional" and "required" not in shown
    kind = shown.get("field_type", "string")
    enums = list(_enums(legacy.get("enums") or shown.get("enums") or ()))
    is_known = kind in _FIELD_TYPES and (kind != "enum" or enums)
    made = {
        "name": shown["field_name"],
        "label": shown.get("friendly_name") or shown["field_name"],
        "required": bool(shown.get("required", not is_optional)),
        "type": kind if is_known else "string",
        "min_length": shown.get("min_length"),
        "max_length": shown.get("max_length"),
        "help_text": None if help_text == "Optional" else help_text,
        "format": shown.get("format") or legacy.get("format"),
        "enums": enums,
    }
    return {key: value for key, value in made.items() if value not in (None, [])}


def as_yaml(learned: Learned, source: str, today: date) -> str:
    """The file, for ``serve --catalogue``. ``source``: whose account it was, for its readers."""
    import yaml

    notes = "".join(f"# {each}\n" for each in learned.notes)
    told = yaml.safe_dump(learned.catalogue, sort_keys=False, allow_unicode=True, width=100)
    return f"# Learned from {source} on {today:%Y-%m-%d} by plivo-sim {__version__}.\n{notes}{told}"


def _enums(told: str | Iterable[str]) -> Iterator[str]:
    yield from (each.strip() for each in told.split(",")) if isinstance(told, str) else told
