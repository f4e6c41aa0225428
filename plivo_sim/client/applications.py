"""Complete applications, as the SDKs send them: who applies, and the request that creates it.

``create_request`` is the one builder. It takes a requirement, as ``GET /_sim/requirements`` tells
it (``requirement_of`` makes one of the API's own Requirements), and an applicant, who says what
differs. Then the files that are sent along: samples that ship, and generated ones.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from plivo_sim.catalogue.output_files import SHARED, write_whole

Key = tuple[str, str, str]
"""Country, number type, user type."""

Requirement = Mapping[str, Any]
"""One of ``GET /_sim/requirements``."""

Fill = Callable[[Mapping[str, Any]], str | None]
"""The value of a document's field, given the rule for it; None leaves the field out."""

File = tuple[str, bytes]
"""The name of a file and its content."""

Proof = Callable[["Applicant", Mapping[str, Any], Mapping[str, str], int], File | None]
"""The file of a document, given its applicant, type, field values and index; None sends none."""

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


def generated_proof(
    applicant: Applicant, type_: Mapping[str, Any], values: Mapping[str, str], index: int
) -> File:
    """A proof that shows the applicant's name and the values: PDF, PNG, PDF …"""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who applies, and for what. ``fill`` says what stands in the documents' fields, ``proof``
    which files are sent."""

    key: Key
    alias: str
    end_user: Mapping[str, str]
    fill: Fill
    proof: Proof = generated_proof
    outcome: Outcome | None = None
    callback_url: str = ""
    words: Sequence[str] = field(default=())
    """The document types to send where there is a choice; where none is named, the first."""


@dataclass(frozen=True, slots=True)
class CreateRequest:
    """A multipart create of the current API."""

    data: Mapping[str, Any]
    files: Sequence[tuple[str, File]]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> list[tuple[str, str | File]]:
        return [("data", json.dumps(self.data)), *self.files]


def create_request(applicant: Applicant, requirement: Requirement) -> CreateRequest:
    """The request that creates the application, with a document for each demand."""
    country, number_type, user_type = applicant.key
    documents, files = [], []
    for index, demand in enumerate(requirement["documents"]):
        type_ = chosen_type(demand["any_of"], applicant.words)
        filled = {rule["name"]: applicant.fill(rule) for rule in type_["fields"]}
        values = {name: text for name, text in filled.items() if text is not None}
        documents.append({"document_type_id": type_["document_type_id"], "data_fields": values})
        if (proof := applicant.proof(applicant, type_, values, index)) is not None:
            files.append((f"documents[{index}].file", proof))
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
    return CreateRequest(data, files, headers)


def chosen_type(types: Sequence[dict[str, Any]], words: Sequence[str]) -> dict[str, Any]:
    """The document type that is named, where several satisfy a demand; else the first."""
    return next((each for each in types if each["word"] in words), types[0])


def requirement_of(answer: Any) -> Requirement:
    """What the API's own Requirements ask for, as the control API would tell it."""
    types = answer.get("document_types", []) if isinstance(answer, dict) else []
    return {
        "documents": [
            {"any_of": [{**each, "word": "", "fields": _fields(each["required_fields"])}]}
            for each in types
        ]
    }


def _fields(required: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"name": each["field_name"]} for each in required]


# --- one business that is always the same ----------------------------------------------------

ACME = "Acme Traders Pvt Ltd"

ACME_DETAILS = {
    "email": "compliance@acme.example",
    "address_line1": "12 MG Road",
    "city": "Mumbai",
    "state": "Maharashtra",
    "postal_code": "400001",
    "country": "IN",
}

SAMPLE_PROOFS = ("registration_certificate.pdf", "gst_certificate.png")


def sample_business(name: str, *, alias: str, callback_url: str = "", **changes: str) -> Applicant:
    """An Indian business that applies with the sample files. ``changes``: of its details."""
    return Applicant(
        key=("IN", "local", "business"),
        alias=alias,
        end_user={"name": name, **ACME_DETAILS, **changes},
        fill=lambda rule: name,
        proof=_sample_proof,
        callback_url=callback_url,
    )


def _sample_proof(
    applicant: Applicant, type_: Mapping[str, Any], values: Mapping[str, str], index: int
) -> File | None:
    if index >= len(SAMPLE_PROOFS):
        return None
    return SAMPLE_PROOFS[index], sample(SAMPLE_PROOFS[index]).read_bytes()


# --- sample files ----------------------------------------------------------------------------

LARGEST_BYTES = 5 * 1024 * 1024


def sample(name: str) -> Traversable:
    """One of ``registration_certificate.pdf``, ``gst_certificate.png`` (valid), ``notes.txt``
    (wrong type) and ``empty.pdf``."""
    return resources.files("plivo_sim.client").joinpath("samples", name)


def write_samples(folder: str | Path) -> list[Path]:
    """Copy every sample into a folder, and make ``too_big.pdf`` (over 5 MB) there."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = ("registration_certificate.pdf", "gst_certificate.png", "notes.txt", "empty.pdf")
    paths = []
    for name in names:
        path = folder / name
        write_whole(path, sample(name).read_bytes(), mode=SHARED)
        paths.append(path)
    too_big = folder / "too_big.pdf"
    write_whole(too_big, b"%PDF-1.4\n" + b"%" * LARGEST_BYTES, mode=SHARED)
    return [*paths, too_big]


# --- generated files -------------------------------------------------------------------------
#
# Of applicants who do not exist; valid, and each unique to what stands on it, because no two
# documents of an application may share a file.

_CELLS, _CELL_PIXELS = 8, 8
_SIDE = _CELLS * _CELL_PIXELS


def make_pdf(title: str, lines: Sequence[str]) -> bytes:
    """A page with a title and lines; what Windows-1252 lacks is shown as a question mark, but
    kept in the document's own title."""
    text = [f"BT /F1 20 Tf 56 770 Td ({_escaped(title)}) Tj ET"]
    for index, line in enumerate(lines):
        text.append(f"BT /F1 11 Tf 56 {735 - 18 * index} Td ({_escaped(line)}) Tj ET")
    stream = "\n".join(text).encode("cp1252", "replace")
    info = b"\xfe\xff" + title.encode("utf-16-be", "replace")
    return _pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
            b" /Resources << /Font << /F1 4 0 R >> >> >>",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
            b"<< /Title <%b> >>" % info.hex().encode(),
        ]
    )


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    """Numbered objects with their cross-reference table; the first is the root, the last the
    document information."""
    file, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    start, count = len(file), len(objects) + 1
    file += b"xref\n0 %d\n0000000000 65535 f \n" % count
    file += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    file += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (count, len(objects))
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % start)


def _escaped(text: str) -> str:
    flat = "".join(c if c.isprintable() else " " for c in text)
    return flat.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def make_png(title: str) -> bytes:
    """A symmetrical pattern drawn from the title, which is also in the file as text."""
    digest = hashlib.sha256(title.encode("utf-8", "replace")).digest()
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    text = b"Title\0\0\0\0\0" + title.encode("utf-8", "replace")
    rows = [b"\0" + _row(digest, y) for y in range(_CELLS) for _ in range(_CELL_PIXELS)]
    chunks = [
        (b"IHDR", header),
        (b"iTXt", text),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _row(digest: bytes, y: int) -> bytes:
    colour, paper = digest[:3], b"\xf4\xf4\xf0"
    half = [digest[4 + y] >> bit & 1 for bit in range(_CELLS // 2)]
    return b"".join((colour if cell else paper) * _CELL_PIXELS for cell in half + half[::-1])


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
