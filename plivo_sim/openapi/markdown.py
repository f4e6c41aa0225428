"""An OpenAPI document as a page of Markdown: a section for each call, then the shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Plain = Mapping[str, Any]


def written(document: Plain, command: str) -> str:
    """The page; ``command`` is what makes it."""
    lines = [f"# {document['info']['title']}", "", document["info"]["description"], ""]
    lines += [f"Version {document['info']['version']}; [what stays](stability.md)."]
    lines += [f"This page is made by `{command}`."]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method != "parameters":
                lines += ["", f"## `{method.upper()} {path}`", "", *_call(operation)]
    lines += ["", "# Shapes", "", "A name with a question mark may be absent."]
    for name, schema in document["components"]["schemas"].items():
        lines += ["", f"## {name}", "", *_table(schema)]
    return "\n".join(lines) + "\n"


def _call(operation: Plain) -> Iterator[str]:
    yield operation["summary"]
    parameters = [each for each in operation["parameters"] if "$ref" not in each]
    if parameters:
        yield from ("", "| query or header | meaning |", "|---|---|")
        for each in parameters:
            meaning = each.get("description") or _type(each["schema"])
            yield _row(each["name"] + ("" if each["required"] else "?"), meaning)
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        if schema.get("properties"):
            yield from ("", f"Body, `{kind}`:", "", *_table(schema))
        elif schema.get("description"):
            yield from ("", f"Body, `{kind}`: {schema['description']}")
    yield from ("", _answers(operation["responses"]))


def _answers(responses: Plain) -> str:
    done = [
        f"{status} {_type(next(iter(each['content'].values()))['schema'])}"
        for status, each in responses.items()
        if status < "400"
    ]
    refused = ", ".join(status for status in responses if status >= "400")
    return f"Answers {' or '.join(done)}; refuses with {refused}."


def _table(schema: Plain) -> Iterator[str]:
    if schema.get("description"):
        yield from (schema["description"].replace("``", "`"), "")
    parts, needed = schema.get("properties", {}), schema.get("required", ())
    meanings = any("description" in each for each in parts.values())
    yield from ("| name | type |" + " meaning |" * meanings, "|---|---|" + "---|" * meanings)
    for name, each in parts.items():
        meaning = f" {_cell(each.get('description', ''))} |" * meanings
        yield f"| `{name}{'' if name in needed else '?'}` | {_type(each)} |{meaning}"


def _row(name: str, meaning: str) -> str:
    return f"| `{name}` | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _type(schema: Plain) -> str:
    """``list of Change``, ``text or null``, …"""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(map(_type, options))
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    kinds = schema.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(_kind(kind, schema) for kind in kinds)


def _kind(kind: str, schema: Plain) -> str:
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "string":
        return {"date-time": "instant", "binary": "file"}.get(schema.get("format", ""), "text")
    if kind == "object" and schema.get("properties"):
        inside = ", ".join(f"`{name}`" for name in schema["properties"])
        return f"object with {inside}"
    return kind
