"""Reads what clients of the beta page send. The page names the arguments (documented), but no
encoding (inferred).

Files within a JSON body: ``{"name", "content"}`` with base64, or a data URL (inferred).

The page's sample passes paths, which a server cannot read: a path is refused with a hint.

The parts of a form become the object that a JSON body would be.

The page states no encoding for create and update, so all of the usual ones are taken (inferred),
in any mixture: names with brackets (``end_user[address][city]``,
``documents[0][file]``), with dots (``end_user.address.city``, ``documents.0.file``), and JSON text
in ``end_user``, ``documents`` and the objects below them. Files named ``files`` (or ``files[]``
and the like) go, in their order, to the documents that have no file of their own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from plivo_sim.apis.phone_number import dialect
from plivo_sim.apis.phone_number.beta.errors import ADDRESS, to_domain
from plivo_sim.apis.phone_number.beta.presenters import PageNumberType
from plivo_sim.apis.phone_number.dialect import (
    ListQuery,
    ReadCorrection,
    ReadCreate,
    read_callback_method,
)
from plivo_sim.apis.reading import Query, Shape, ignored_keys, load
from plivo_sim.domain import limits
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import NumberType, Origin, Version
from plivo_sim.domain.text import bare_name, decode_json, filled
from plivo_sim.services.document_sets import kind_of
from plivo_sim.services.inputs import Correction, Dialect, DocumentDraft, NewApplication, Upload
from plivo_sim.web.bodies import FILE_LISTS, Body, not_taken, unreadable
from plivo_sim.web.parts import Part

_HINT = (
    "upload it as a multipart part 'documents[i].file', or embed it as "
    '{"name": ..., "content": <base64>} or as a data URL'
)


def read_file(value: Any, path: Path, stem: str) -> tuple[Upload | None, Problem | None]:
    """The file that a value embeds, or what is wrong with it; neither when none was given.

    ``stem``: the name, without ending, of a file that has none of its own.
    """
    if isinstance(value, Upload):
        return value, None
    if value is None or value == "":
        return None, None
    if isinstance(value, Mapping):
        return _embedded_object(value, path, stem)
    if not isinstance(value, str):
        text = "must be an uploaded file, an object with name and content, or a data URL"
        return None, Problem(ProblemKind.WRONG_TYPE, path, text)
    if value[:5].lower() != "data:":
        text = f"'{value[:80]}' is a text and not a file: {_HINT}"
        return None, Problem(ProblemKind.BAD_FILE, path, text)
    return _data_url(value, path, stem)


def _embedded_object(
    value: Mapping[str, Any], path: Path, stem: str
) -> tuple[Upload | None, Problem | None]:
    name, content = value.get("name"), value.get("content")
    if not isinstance(content, str) or not isinstance(name, str | None):
        text = "must have 'name' and 'content' (base64), both strings"
        return None, Problem(ProblemKind.WRONG_TYPE, path, text)
    return _made(_decoded(content.encode("utf-8", "replace")), name, path, stem)


def _data_url(value: str, path: Path, stem: str) -> tuple[Upload | None, Problem | None]:
    head, comma, data = value[5:].partition(",")
    try:
        limits.DATA_URL_HEAD.check(len(head), "the characters before its comma")
    except ValueError as error:
        return None, Problem(ProblemKind.BAD_FILE, path, str(error))
    _, *options = head.split(";")
    names = [unquote(o[5:]) for o in options if o.lower().startswith("name=")]
    is_base64 = bool(options) and options[-1].strip().lower() == "base64"
    raw = _unescaped(data.encode("utf-8", "replace"))
    content = _decoded(raw) if is_base64 else raw
    return _made(content if comma else None, names[0] if names else None, path, stem)


_BLANKS = b" \t\n\r\v\f"


def _decoded(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text.translate(None, _BLANKS), validate=True)
    except binascii.Error:
        return None


_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})++")


def _unescaped(raw: bytes) -> bytes:
    """With its escapes resolved, without the 240 bytes for each that urllib takes."""
    made, at = bytearray(), 0
    for found in _ESCAPES.finditer(raw):
        made += raw[at : found.start()]
        made += bytes.fromhex(found[0].replace(b"%", b"").decode())
        at = found.end()
    return bytes(made + raw[at:])


def _made(
    content: bytes | None, name: str | None, path: Path, stem: str
) -> tuple[Upload | None, Problem | None]:
    if content is None:
        return None, Problem(ProblemKind.BAD_FILE, path, "the content is not valid base64")
    kind = kind_of(content)
    ending = f".{kind[0].lower()}" if kind else ""
    return Upload(name=bare_name(name or f"{stem}{ending}"), content=content), None


_NAME = re.compile(r"\w+(?:\.\w+|\[\w+\])*", re.ASCII)
_STEP = re.compile(r"\w+")
_DEEPEST = 6

Steps = tuple[str, ...]
Tree = dict[str, Any]


def object_of(parts: list[Part]) -> tuple[Tree, list[str]]:
    """The object, and the names of the parts that do not belong to it.

    Lists become lists; an index that was left out becomes an empty object, so that indexes stay
    those of the request. Raises Invalid (unreadable): a value given twice, text that is not JSON
    where an object belongs.
    """
    tree: Tree = {}
    unassigned = [part for part in parts if _is_unassigned(part)]
    ignored = []
    named = [(steps_of(part.name), part) for part in parts if not _is_unassigned(part)]
    for steps, part in sorted(named, key=lambda pair: len(pair[0])):
        if steps:
            _plant(tree, steps, _value(steps, part), part.name)
        else:
            ignored.append(part.name)
    if "documents" in tree:
        tree["documents"] = _listed(tree["documents"])
        unassigned = _assign_files(unassigned, tree["documents"])
    return tree, ignored + [part.name for part in unassigned]


def _is_unassigned(part: Part) -> bool:
    return part.name in FILE_LISTS and (part.is_file or kind_of(part.content) is not None)


def steps_of(name: str) -> Steps:
    """``documents[0].file`` as its steps; none for a name that is not of this form."""
    steps = tuple(_STEP.findall(name)) if _NAME.fullmatch(name) else ()
    return steps if len(steps) <= _DEEPEST else ()


def _holds_object(steps: Steps) -> bool:
    match steps:
        case ("end_user",) | ("documents",) | ("end_user", "address"):
            return True
        case ("documents", _) | ("documents", _, "data_fields"):
            return True
    return False


def _value(steps: Steps, part: Part) -> Any:
    """The value of a part: a file, the object in its JSON text, or its text."""
    if len(steps) == 3 and (steps[0], steps[2]) == ("documents", "file"):
        return part.upload() if part.is_file or kind_of(part.content) else part.text()
    if not _holds_object(steps):
        return part.text()
    if not part.content.strip():
        return {}
    try:
        value = decode_json(part.content)
    except ValueError as error:
        raise unreadable(f"form field '{part.name}' is not valid JSON: {error}") from None
    if isinstance(value, list):
        return {str(index): each for index, each in enumerate(value)}
    return {} if value is None else value


def _plant(tree: Tree, steps: Steps, value: Any, name: str) -> None:
    """Put a value in its place. Objects merge; anything else may be given only once."""
    node = tree
    for step in steps[:-1]:
        node = node.setdefault(step, {})
        if not isinstance(node, dict):
            raise unreadable(f"form field '{name}' contradicts another field")
    last = steps[-1]
    if last not in node:
        node[last] = value
    elif isinstance(node[last], dict) and isinstance(value, dict):
        for key, each in value.items():
            _plant(node[last], (key,), each, name)
    else:
        raise unreadable(f"form field '{name}' is given twice")


def _listed(found: Any) -> Any:
    """A list, if every key is an index; anything else is left for the schema to refuse."""
    if not isinstance(found, dict) or not all(key.isascii() and key.isdigit() for key in found):
        return found
    by_index = {int(key): each for key, each in found.items() if len(key) < 9}
    length = max(by_index, default=-1) + 1
    if len(by_index) < len(found):
        raise unreadable("documents: an index is given twice, or has more than 8 digits")
    dialect.check_number_of_documents(length)
    return [by_index.get(index, {}) for index in range(length)]


def _assign_files(files: list[Part], documents: Any) -> list[Part]:
    """Give each document without a file the next of these; returns those left over."""
    waiting = list(files)
    for entry in documents if isinstance(documents, list) else ():
        if waiting and isinstance(entry, dict) and not entry.get("file"):
            entry["file"] = waiting.pop(0).upload()
    return waiting


RULES = Dialect(
    origin=Origin.BETA,
    version=Version.BETA,
    formats=("PDF", "PNG"),
    https_only=False,
    replaces_documents=False,
)

_SCHEMAS = "plivo_sim.apis.phone_number.beta.schemas"


_create_in, _update_in = Shape(_SCHEMAS, "CreateIn"), Shape(_SCHEMAS, "UpdateIn")


def read_create(body: Body) -> ReadCreate:
    """A create. A missing body counts as an empty object, so that the refusal names every required
    field."""
    read = _read(body, _create_in)
    usable, problems = read.usable, read.problems
    number_type = usable.get("number_type")
    end_user = _flat(usable.get("end_user") or {})
    wanted = NewApplication(
        country_iso=usable.get("country_iso"),
        number_type=NumberType(number_type) if number_type else None,
        user_type=end_user.get("type"),
        alias=filled(usable.get("alias")) or "",
        end_user=end_user,
        documents=read.drafts or (),
        callback_url=usable.get("callback_url"),
        callback_method=read_callback_method(usable, problems) or "POST",
    )
    has_key = wanted.country_iso and wanted.number_type and wanted.user_type
    if read.drafts is None and not has_key and not _flagged(problems, ("documents",)):
        problems.append(Problem(ProblemKind.MISSING_FIELD, ("documents",), "is required"))
    return ReadCreate(wanted, problems, read.ignored)


def read_correction(body: Body) -> ReadCorrection:
    """An update: every field is optional, but there must be a body."""
    if body.kind == "empty":
        names = ", ".join(_update_in.fields)
        raise unreadable(f"the body is empty; send one or more of {names}")
    read = _read(body, _update_in)
    usable, problems = read.usable, read.problems
    end_user = _flat(usable.get("end_user") or {})
    if "name" in end_user:
        end_user["last_name"] = ""  # this dialect's name is the full one
    change = Correction(
        alias=usable.get("alias"),
        end_user=end_user,
        documents=read.drafts,
        callback_url=usable.get("callback_url"),
        callback_method=read_callback_method(usable, problems),
    )
    return ReadCorrection(change, problems, read.ignored)


def read_get_query(query: Query) -> Collection[str]:
    """What to expand."""
    return dialect.read_get_query(query)


def read_list_query(query: Query, machine: Machine) -> ListQuery:
    """Filters and paging. Raises Invalid."""
    return dialect.read_list_query(query, machine.words("beta"), PageNumberType)


@dataclass(slots=True)
class _Read:
    """What was read: the usable values, the problems, the documents if any were named."""

    usable: dict[str, Any]
    problems: list[Problem]
    drafts: list[DocumentDraft] | None
    ignored: list[str]


def _read(body: Body, shape: Shape) -> _Read:
    data, ignored = _object(body)
    documents = data.get("documents") if isinstance(data, Mapping) else None
    if isinstance(documents, list):
        dialect.check_number_of_documents(len(documents))
    usable, problems = load(shape, data, to_domain)
    drafts = None
    if isinstance(documents, list):
        drafts = [_draft(each, index, problems) for index, each in enumerate(documents)]
    return _Read(usable, problems, drafts, ignored + list(ignored_keys(shape.kind, data)))


def _object(body: Body) -> tuple[Any, list[str]]:
    """The content of the body in any encoding. Raises Invalid (unreadable)."""
    if body.kind in ("multipart", "form"):
        return object_of(body.parts)
    if body.kind == "other":
        text = "the Content-Type must be multipart/form-data or application/json"
        raise not_taken(text, body.media_type)
    return (body.json if body.kind == "json" else {}), []


def _draft(entry: Any, index: int, problems: list[Problem]) -> DocumentDraft:
    """One document, taken from what was sent, so that indexes stay those of the request."""
    given = entry if isinstance(entry, Mapping) else {}
    reference, values = given.get("type"), given.get("data_fields")
    word = reference if isinstance(reference, str) else ""
    path: Path = ("documents", index, "file")
    upload, problem = read_file(given.get("file"), path, word or "document")
    if problem is not None:
        problems.append(problem)
    fields = values.items() if isinstance(values, Mapping) else ()
    return DocumentDraft(
        type_reference=word,
        data_fields={key: value for key, value in fields if isinstance(value, str)},
        upload=upload,
    )


def _flat(end_user: Mapping[str, Any]) -> dict[str, Any]:
    """The page's end user with the domain's names."""
    flat = {key: value for key, value in end_user.items() if key != "address"}
    address = end_user.get("address") or {}
    return flat | {ADDRESS[key]: value for key, value in address.items()}


def _flagged(problems: list[Problem], path: Path) -> bool:
    return any(problem.path in ((), path) for problem in problems)
