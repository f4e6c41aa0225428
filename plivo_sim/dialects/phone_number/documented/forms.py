"""Form parts as the one object that a JSON body would be.

The page states no encoding for create and update, so all of the usual ones are taken (inferred),
mixed as a client likes: names with brackets (``end_user[address][city]``,
``documents[0][file]``), with dots (``end_user.address.city``, ``documents.0.file``), and JSON text
in ``end_user``, ``documents`` and the objects below them. Files named ``files`` (``files[]`` and
the like, too) go, in their order, to the documents that have no file of their own.
"""

from __future__ import annotations

import re
from typing import Any

from plivo_sim.dialects.bodies import FILE_LISTS, Part, unreadable
from plivo_sim.jsontext import decode_json
from plivo_sim.services.uploads import kind_of

MOST_DOCUMENTS = 50

_NAME = re.compile(r"\w+(?:\.\w+|\[\w+\])*", re.ASCII)
_STEP = re.compile(r"\w+")
_DEEPEST = 6

Steps = tuple[str, ...]
Tree = dict[str, Any]


def object_of(parts: list[Part]) -> tuple[Tree, list[str]]:
    """The object, and the names of the parts that are no part of it.

    Lists come out as lists, places that nobody named as empty objects, so that indexes stay
    those of the request. Raises Invalid (unreadable): a value given twice, text that is not JSON
    where an object belongs.
    """
    tree: Tree = {}
    loose = [part for part in parts if _is_loose(part)]
    ignored = []
    named = [(steps_of(part.name), part) for part in parts if not _is_loose(part)]
    for steps, part in sorted(named, key=lambda pair: len(pair[0])):
        if steps:
            _plant(tree, steps, _value(steps, part), part.name)
        else:
            ignored.append(part.name)
    if "documents" in tree:
        tree["documents"] = _listed(tree["documents"])
        loose = _hand_out(loose, tree["documents"])
    return tree, ignored + [part.name for part in loose]


def _is_loose(part: Part) -> bool:
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
    """What a part says: a file, the object that its JSON text is, or its text."""
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
    """Put a value in its place; objects merge, anything else may be given once."""
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
    """A list, if every key is an index; what is none is left for the schema to complain of."""
    if not isinstance(found, dict) or not all(key.isascii() and key.isdigit() for key in found):
        return found
    by_index = {int(key): each for key, each in found.items() if len(key) < 9}
    length = max(by_index, default=-1) + 1
    if length > MOST_DOCUMENTS or len(by_index) < len(found):
        raise unreadable(f"there are more than {MOST_DOCUMENTS} documents")
    return [by_index.get(index, {}) for index in range(length)]


def _hand_out(files: list[Part], documents: Any) -> list[Part]:
    """Give each document without a file the next of the loose ones; returns those left over."""
    waiting = list(files)
    for entry in documents if isinstance(documents, list) else ():
        if waiting and isinstance(entry, dict) and not entry.get("file"):
            entry["file"] = waiting.pop(0).upload()
    return waiting
