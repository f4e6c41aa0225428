"""An applicant, and the request that files its application."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from plivo_sim.seeding.proofs import make_pdf, make_png

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
class Filing:
    """A multipart create of the new API, as the SDKs send it."""

    form: Sequence[tuple[str, str | tuple[str, bytes]]]
    headers: Mapping[str, str]


def filing(applicant: Applicant, requirement: Requirement) -> Filing:
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
    return Filing([("data", json.dumps(data)), *files], headers)


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
