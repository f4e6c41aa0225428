"""What a story's steps file: a complete application, and its corrections, as the SDKs send them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from plivo_sim.client import Form
from plivo_sim.samples import sample
from plivo_sim.scenarios.model import Correct, Submit

_NAMES = {"business": "Acme Traders Pvt Ltd", "individual": "Asha"}
_DATES = {"date_of_birth": "1990-05-17"}
_LATER = "2030-01-31"
_SAMPLES = {".png": "gst_certificate.png", ".pdf": "registration_certificate.pdf"}


class Filing:
    """One application of a story: what was sent last, and what the next step sends.

    ``demands``: the ``documents`` of its requirement, as ``GET /_sim/requirements`` tells them.
    Raises ValueError when a step names a document that the requirement does not know.
    """

    def __init__(self, step: Submit, demands: list[Mapping[str, Any]], callback_url: str) -> None:
        self._step = step
        self._types = [_chosen(demand["any_of"], step.files) for demand in demands]
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


def _chosen(types: list[dict[str, Any]], files: Mapping[str, str]) -> dict[str, Any]:
    """The type that a story uploads, where several would do; else the first."""
    return next((type_ for type_ in types if type_["word"] in files), types[0])
