"""Reads a query, or a form with JSON texts and ``files`` in the order of ``documents``.

``multipart/form-data``; ``endUser`` and ``documents`` are JSON strings; as many files as documents;
PDF, JPEG or PNG, 5 MB each, at most 10 (documented). A form without files may be urlencoded, and
words are taken in upper or lower case (invented).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plivo_sim.apis.reading import Query, Shape, ignored_keys, load, refuse_if_any
from plivo_sim.domain.errors import Problem, ProblemKind
from plivo_sim.domain.records import NumberType
from plivo_sim.domain.requirements import Key
from plivo_sim.domain.text import decode_json
from plivo_sim.services import document_sets as uploads
from plivo_sim.services.inputs import DocumentDraft, Upload
from plivo_sim.web.bodies import FILE_LISTS, FORM, Body, not_taken

FORMATS = ("PDF", "JPEG", "PNG")
MOST_FILES = 10
_FORMS = ("multipart/form-data", FORM)
_JSON = ("endUser", "documents")
_SCHEMAS = "plivo_sim.apis.atoms.schemas"


_key_in = Shape(_SCHEMAS, "KeyIn")
_submit_in, _resubmit_in = Shape(_SCHEMAS, "SubmitIn"), Shape(_SCHEMAS, "ResubmitIn")


@dataclass(slots=True)
class ReadForm:
    """A form as far as it could be read; ``ignored`` names the fields that nothing uses."""

    usable: dict[str, Any]
    documents: list[DocumentDraft] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def file_names(self) -> tuple[str, ...]:
        return tuple(each.upload.name for each in self.documents if each.upload is not None)

    @property
    def key(self) -> Key:
        """What the application is for. Only of a form without problems."""
        return _key_of(self.usable)


def read_key(query: Query) -> Key:
    """``countryIso``, ``numberType``, ``userType``, all required. Raises Invalid."""
    usable, problems = load(_key_in, query.to_dict())
    refuse_if_any(problems)
    return _key_of(usable)


def _key_of(usable: dict[str, Any]) -> Key:
    return usable["country_iso"], NumberType(usable["number_type"]), usable["user_type"]


def read_submit(body: Body) -> ReadForm:
    """A new application."""
    return _read(body, _submit_in)


def read_resubmit(body: Body) -> ReadForm:
    """A new set of all documents."""
    return _read(body, _resubmit_in)


def check_form(media_type: str, length: int | None) -> None:
    """Raise Invalid for a body that has another media type, or none."""
    if length and media_type not in _FORMS:
        raise not_taken("The body must be multipart/form-data", media_type)


def _read(body: Body, shape: Shape) -> ReadForm:
    if body.kind in ("json", "other"):  # sent in chunks, so its length was unknown
        raise not_taken("The body must be multipart/form-data", body.media_type)
    data: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in (each.data_key or name for name, each in shape.fields.items()):
        part = body.part(name)
        if part is not None:
            data[name] = _json(name, part.text(), problems) if name in _JSON else part.text()
    unread = {problem.path for problem in problems}
    usable, found = load(shape, data)
    problems += [problem for problem in found if problem.path not in unread]
    files = [part.upload() for part in body.parts if part.name in FILE_LISTS and part.is_file]
    documents = data.get("documents")
    if isinstance(documents, list):
        problems += _check_count(documents, files)
    problems += _check_files(files)
    drafts = _drafts(usable.get("documents") or (), files) if not problems else []
    return ReadForm(usable, drafts, problems, _ignored(body, shape, data))


def _json(name: str, text: str, problems: list[Problem]) -> Any:
    if not text.strip():
        return None
    try:
        return decode_json(text)
    except ValueError as error:
        problems.append(Problem(ProblemKind.UNREADABLE, (name,), f"is not valid JSON: {error}"))
        return None


def _check_count(documents: Sequence[Any], files: Sequence[Upload]) -> list[Problem]:
    """The text is printed (documented)."""
    if len(documents) == len(files):
        return []
    text = f"Expected {len(documents)} files, got {len(files)}"
    return [Problem(ProblemKind.BAD_VALUE, (), text)]


def _check_files(files: Sequence[Upload]) -> list[Problem]:
    """What is wrong with each file. The pages print no texts of errors about files (too many,
    too large, empty, of another type): these are worded here (invented)."""
    problems = []
    if len(files) > MOST_FILES:
        text = f"Too many files: at most {MOST_FILES}, got {len(files)}"
        problems.append(Problem(ProblemKind.BAD_FILE, (), text))
    for index, file in enumerate(files):
        problem = uploads.check(file, ("files", index), FORMATS)
        if problem is not None and file.content and uploads.kind_of(file.content) is None:
            text = f"Unsupported file type: '{file.name}' is not PDF, JPEG or PNG"
            problem = Problem(ProblemKind.BAD_FILE, (), text)
        if problem is not None:
            problems.append(problem)
    return problems


def _drafts(documents: Sequence[dict[str, Any]], files: Sequence[Upload]) -> list[DocumentDraft]:
    return [
        DocumentDraft(
            type_reference=each["document_type_id"],
            data_fields=each.get("data_fields") or {},
            upload=file,
        )
        for each, file in zip(documents, files, strict=True)
    ]


def _ignored(body: Body, shape: Shape, data: dict[str, Any]) -> list[str]:
    """Unknown fields, ``files`` that are texts, unknown keys at any depth."""
    parts = [
        p.name for p in body.parts if not (p.name in data or (p.name in FILE_LISTS and p.is_file))
    ]
    return [*dict.fromkeys(parts), *ignored_keys(shape.kind, data)]
