"""What a scenario's steps file: a complete application, and its corrections, as the SDKs send them.

Sample files: valid ones, and ones that must be refused.

An applicant, and the request that files its application.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from plivo_sim.client import Client, Form
from plivo_sim.client.proofs import make_pdf, make_png
from plivo_sim.domain.text import shell_word
from plivo_sim.scenarios.language import Correct, Submit

LARGEST_BYTES = 5 * 1024 * 1024


def sample(name: str) -> Traversable:
    """One of ``registration_certificate.pdf``, ``gst_certificate.png`` (valid), ``notes.txt``
    (wrong type) and ``empty.pdf``."""
    return resources.files("plivo_sim.client").joinpath("samples", name)


def write_samples(folder: Path) -> list[Path]:
    """Copy every sample into a folder, and make ``too_big.pdf`` (over 5 MB) there."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("registration_certificate.pdf", "gst_certificate.png", "notes.txt", "empty.pdf")
    paths = []
    for name in names:
        path = folder / name
        path.write_bytes(sample(name).read_bytes())
        paths.append(path)
    too_big = folder / "too_big.pdf"
    too_big.write_bytes(b"%PDF-1.4\n" + b"%" * LARGEST_BYTES)
    return [*paths, too_big]


_NAMES = {"business": "Acme Traders Pvt Ltd", "individual": "Asha"}


_DATES = {"date_of_birth": "1990-05-17"}


_LATER = "2030-01-31"


_SAMPLES = {".png": "gst_certificate.png", ".pdf": "registration_certificate.pdf"}


class ScenarioFiling:
    """One application of a scenario: what was sent last, and what the next step sends.

    ``demands``: the ``documents`` of its requirement, as ``GET /_sim/requirements`` tells them.
    Raises ValueError when a step names a document that the requirement does not know.
    """

    def __init__(self, step: Submit, demands: list[Mapping[str, Any]], callback_url: str) -> None:
        self._step = step
        self._types = [_uploaded_type(demand["any_of"], step.files) for demand in demands]
        self._callback_url = callback_url
        self._check(step)

    @property
    def alias(self) -> str:
        return self._step.alias or f"Acme Mumbai, {self._step.app}"

    def first(self) -> Form:
        """The form of the submission."""
        step = self._step
        data = {
            "country_iso": step.country,
            "number_type": step.number_type,
            "alias": self.alias,
            "end_user": self._end_user(),
            "documents": self._documents(),
            "callback_url": self._callback_url,
        }
        return [("data", json.dumps(data)), *self._files()]

    def again(self, change: Correct) -> Form:
        """The form of a correction; what it gives holds from now on."""
        self._check(change)
        given = {key: value for key, value in msgspec.structs.asdict(change).items() if value}
        self._step = msgspec.structs.replace(
            self._step,
            **given
            | {"files": self._step.files | change.files}
            | {"data_fields": self._step.data_fields | change.data_fields},
        )
        data: dict[str, Any] = {}
        if change.alias:
            data["alias"] = change.alias
        person = {"name": change.name, "registration_number": change.registration_number}
        if any(person.values()):
            data["end_user"] = {key: value for key, value in person.items() if value}
        if data and not change.files and not change.data_fields:
            return [("data", json.dumps(data))]
        data["documents"] = self._documents()
        return [("data", json.dumps(data)), *self._files()]

    def _check(self, step: Correct) -> None:
        words = [type_["word"] for type_ in self._types]
        unknown = [word for word in step.files if word not in words]
        if unknown:
            raise ValueError(
                f"'{step.app}' needs no document {', '.join(unknown)}, but {', '.join(words)}"
            )

    def _end_user(self) -> dict[str, str]:
        step = self._step
        person = {
            "type": step.user_type,
            "name": step.name or _NAMES[step.user_type],
            "email": "compliance@acme.example",
            "address_line1": "12 MG Road",
            "city": "Mumbai",
            "state": "Maharashtra",
            "postal_code": "400001",
            "country": step.country,
            "registration_number": step.registration_number,
        }
        return {key: value for key, value in person.items() if value}

    def _documents(self) -> list[dict[str, Any]]:
        return [
            {
                "document_type_id": type_["document_type_id"],
                "data_fields": {each["name"]: self._value(each) for each in type_["fields"]},
            }
            for type_ in self._types
        ]

    def _value(self, field: Mapping[str, Any]) -> str:
        name = field["name"]
        if name in self._step.data_fields:
            return self._step.data_fields[name]
        if field.get("enums"):
            return str(field["enums"][0])
        if field.get("format"):
            return _DATES.get(name, _LATER)
        known = {"business_name": self._step.name or _NAMES["business"], "last_name": "Rao"}
        return known.get(name) or {**self._end_user(), "address_line_1": "12 MG Road"}.get(
            name, str(field.get("label", name))[: field.get("max_length", 50)]
        )

    def _files(self) -> list[tuple[str, tuple[str, bytes]]]:
        """The files, by the index of their document. The content is a sample of the kind that the
        name says, its own for each document and name, as the API refuses the same file twice."""
        files = []
        for index, type_ in enumerate(self._types):
            if type_["proof_required"]:
                word = type_["word"]
                name = self._step.files.get(word, f"{word}.pdf")
                content = sample(_SAMPLES[name[-4:].lower()]).read_bytes()
                marked = content + f"\n% {word} {name}\n".encode()
                files.append((f"documents[{index}].file", (name, marked)))
        return files


def _uploaded_type(types: list[dict[str, Any]], files: Mapping[str, str]) -> dict[str, Any]:
    """The type that a scenario uploads, where several would do; else the first."""
    return next((type_ for type_ in types if type_["word"] in files), types[0])


Key = tuple[str, str, str]
"""Country, number type, user type."""


Requirement = dict[str, Any]
"""One of ``GET /_sim/requirements``."""


Fill = Callable[[Mapping[str, Any]], str]
"""The value of a document's field, given the rule for it."""


NOTE = "Made by plivo-sim for a test. Not a document of a real person or company."


_LONGEST_NAME = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the reviewer is to decide: ``accepted``, ``rejected``, ``more_info_required`` or
    ``nothing``; why (a text or a preset's name), and how long after."""

    word: str
    reason: str = ""
    after: str = ""

    def header(self) -> str:
        """The ``X-Plivo-Sim-Outcome`` that asks for it."""
        options = {"reason": self.reason, "after": self.after}
        given = [f"; {name}*=UTF-8''{quote(text)}" for name, text in options.items() if text]
        return self.word + "".join(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who applies, and for what. ``fill`` makes up what the documents ask for."""

    key: Key
    alias: str
    end_user: Mapping[str, str]
    fill: Fill
    outcome: Outcome | None = None
    callback_url: str = ""
    words: Sequence[str] = field(default=())
    """The document types to hand in where there is a choice; the first of a demand otherwise."""


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A multipart create of the new API, as the SDKs send it."""

    form: Sequence[tuple[str, str | tuple[str, bytes]]]
    headers: Mapping[str, str]


def filing(applicant: Applicant, requirement: Requirement) -> CreateRequest:
    """The request that files an application, with a proof for every document: PDF, PNG, PDF …"""
    country, number_type, user_type = applicant.key
    documents, files = [], []
    for index, demand in enumerate(requirement["documents"]):
        type_ = _chosen(demand["any_of"], applicant.words)
        values = {rule["name"]: applicant.fill(rule) for rule in type_["fields"]}
        values = {name: text for name, text in values.items() if text}
        documents.append({"document_type_id": type_["document_type_id"], "data_fields": values})
        files.append((f"documents[{index}].file", _proof(applicant, type_, values, index)))
    data = {
        "country_iso": country,
        "number_type": number_type,
        "alias": applicant.alias,
        "end_user": {"type": user_type, **applicant.end_user},
        "documents": documents,
    }
    if applicant.callback_url:
        data["callback_url"] = applicant.callback_url
    headers = {"X-Plivo-Sim-Outcome": applicant.outcome.header()} if applicant.outcome else {}
    return CreateRequest([("data", json.dumps(data)), *files], headers)


def _chosen(types: Sequence[dict[str, Any]], words: Sequence[str]) -> dict[str, Any]:
    return next((each for each in types if each["word"] in words), types[0])


def _proof(
    applicant: Applicant, type_: Mapping[str, Any], values: Mapping[str, str], index: int
) -> tuple[str, bytes]:
    """Name and content of a document's file."""
    who = " ".join(part for part in map(applicant.end_user.get, ("name", "last_name")) if part)
    title = f"{type_['name']}: {who}"
    ending = ".png" if index % 2 else ".pdf"
    name = _slug(f"{who} {type_['word']}")[: _LONGEST_NAME - len(ending)] + ending
    if ending == ".png":
        return name, make_png(f"{title} ({applicant.alias}). {NOTE}")
    lines = [applicant.alias, "", *(f"{key}: {text}" for key, text in values.items()), "", NOTE]
    return name, make_pdf(title, lines)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "document"


_FILES = ("registration_certificate.pdf", "gst_certificate.png")


def application_data(requirements: dict[str, Any], callback_url: str) -> dict[str, Any]:
    """The ``data`` of a complete Indian business application."""
    return {
        "country_iso": "IN",
        "number_type": "local",
        "alias": "Acme, Mumbai office",
        "end_user": {
            "type": "business",
            "name": "Acme Traders Pvt Ltd",
            "email": "compliance@acme.example",
            "address_line1": "12 MG Road",
            "city": "Mumbai",
            "state": "Maharashtra",
            "postal_code": "400001",
            "country": "IN",
        },
        "documents": [
            {
                "document_type_id": type_["document_type_id"],
                "data_fields": {
                    field["field_name"]: "Acme Traders Pvt Ltd"
                    for field in type_["required_fields"]
                },
            }
            for type_ in requirements["document_types"]
        ],
        "callback_url": callback_url,
    }


def _curl(client: Client, token: str, data: dict[str, Any]) -> str:
    files = [f"documents[{i}].file=@{name}" for i, name in enumerate(_FILES)]
    lines = [
        f"curl -u {shell_word(f'{client.auth_id}:{token}')}",
        shell_word(f"{client.url}/v1/Account/{client.auth_id}/PhoneNumber/Compliance/"),
        *(f"-F {shell_word(each)}" for each in (f"data={json.dumps(data)}", *files)),
    ]
    return "# curl (plivo-sim try --samples . writes the files)\n" + " \\\n  ".join(lines)


def _sdk_code(client: Client, token: str, data: dict[str, Any]) -> str:
    return f"""
# plivo for Python
import plivo, plivo.rest.client
plivo.rest.client.PLIVO_API_BASE_URI = '{client.url}/v1/Account'
client = plivo.RestClient('{client.auth_id}', '{token}')
client.phone_number_compliance.create(
    data={data!r},
    documents={list(_FILES)!r},
)"""


def _data_for(requirements: Any) -> dict[str, Any]:
    types = requirements.get("document_types", []) if isinstance(requirements, dict) else []
    return {
        "country_iso": "IN",
        "number_type": "local",
        "alias": "plivo-sim verify",
        "end_user": {
            "type": "business", "name": "plivo-sim verify", "email": "verify@example.com",
            "address_line1": "1 Street", "city": "Mumbai", "state": "Maharashtra",
            "postal_code": "400001", "country": "IN",
        },
        "documents": [
            {
                "document_type_id": each["document_type_id"],
                "data_fields": {
                    field["field_name"]: "plivo-sim verify" for field in each["required_fields"]
                },
            }
            for each in types
        ],
    }  # fmt: skip
