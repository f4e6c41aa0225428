"""The documents type what is sent and answered: nothing is an object of which nothing is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

from plivo_sim.account.store.format import RECORD_TYPES
from plivo_sim.app import SURFACES, document
from plivo_sim.control.answers import Code, ExportOut
from plivo_sim.control.presenters import _KINDS
from tests.support import AUTH_ID, Http

OPEN = {
    ("control", "OpenApi.info"),
    ("control", "OpenApi.paths.*"),
    ("control", "OpenApi.components"),
    ("control", "OpenApi.servers[]"),
    ("control", "OpenApi.security[]"),
    ("control", "JsonSchema.$defs.*"),
    ("control", "Evaluation.answer"),
    ("control", "Exchange.body"),
    ("control", "Unmatched.body"),
    ("control", "Scenario.machine|1"),
    ("control", "receive_post"),
    ("numbers", "Offer.prerequisites[]"),
}
"""What may be anything: documents of another kind, what an imitated API answers or was sent, a
callback of anybody; and a list that nobody has seen filled."""

WORDS = {"description", "title", "default", "example"}


def schemas(name: str) -> Iterator[tuple[str, Any]]:
    """Every component, body and answer in JSON or as a form, with what to call it."""
    told = document(name)
    yield from told["components"]["schemas"].items()
    for operations in told["paths"].values():
        for method, each in operations.items():
            if method == "parameters":
                continue
            bodies = [each.get("requestBody", {}), *each["responses"].values()]
            for body in bodies:
                for media in body.get("content", {}).values():
                    yield each["operationId"], media["schema"]


def untyped(where: str, schema: Any) -> Iterator[str]:
    """The paths of what is said to be an object, or nothing at all, and no more."""
    kinds = schema.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds or []
    more = schema.get("additionalProperties")
    bare = "object" in kinds and not schema.get("properties") and not isinstance(more, dict)
    if bare or not set(schema) - WORDS or more == {}:
        yield where
    for key, each in schema.get("properties", {}).items():
        yield from untyped(f"{where}.{key}", each)
    if isinstance(more, dict):
        yield from untyped(f"{where}.*", more)
    if "items" in schema and isinstance(schema["items"], dict):
        yield from untyped(f"{where}[]", schema["items"])
    for word in ("anyOf", "oneOf", "allOf"):
        for index, each in enumerate(schema.get(word, ())):
            yield from untyped(f"{where}|{index}", each)


def test_the_walk_finds_them() -> None:
    """Wherever they stand; a map of texts is none, nor is an object with members."""
    found = untyped("it", {"type": "object", "properties": {
        "a": {"type": ["object", "null"]}, "b": {"anyOf": [{"type": "null"}, {"type": "object"}]},
        "c": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        "d": {"type": "object", "additionalProperties": {}}, "e": {"description": "?"},
        "f": {"type": "object", "additionalProperties": {"type": "string"}}, "g": {"$ref": "#"},
    }})  # fmt: skip
    assert list(dict.fromkeys(found)) == ["it.a", "it.b|1", "it.c[]", "it.d", "it.d.*", "it.e"]


@pytest.mark.parametrize("name", SURFACES)
def test_every_object_has_members(name: str) -> None:
    """Or says of what kind its members are; but for what can be anything."""
    found = {(name, where) for each, schema in schemas(name) for where in untyped(each, schema)}
    assert found == {each for each in OPEN if each[0] == name}


def component(*path: str) -> Any:
    """Of the control API, by its name and the path of a property."""
    found = document("control")["components"]["schemas"][path[0]]
    for each in path[1:]:
        found = found["properties"][each]
    while "$ref" in found:
        found = document("control")["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize(
    ("path", "word"),
    [
        (("Application", "status"), "accepted"),
        (("Application", "origin"), "legacy"),
        (("Application", "number_type"), "tollfree"),
        (("Change", "by"), "hand"),
        (("Happening", "type"), "transition"),
        (("Happening", "state"), "delivered"),
        (("Webhook", "state"), "blocked"),
        (("Exchange", "operation"), "compliance.create"),
        (("Machine", "chosen_by"), "server"),
        (("Ready", "status"), "unready"),
        (("FidelityRow", "confidence"), "inferred"),
        (("ProblemDetails", "code"), "wrong_state"),
    ],
)
def test_words_are_listed(path: tuple[str, ...], word: str) -> None:
    """Of statuses, kinds and states: all that there can be."""
    assert word in component(*path)["enum"]


def test_what_may_be_left_out_has_no_default() -> None:
    """With one, it would be always there for those who make TypeScript of the documents."""
    for name, schema in schemas("control"):
        needed = schema.get("required", ())
        for key, each in schema.get("properties", {}).items():
            assert key in needed or "default" not in each, (name, key)


def test_the_codes_of_refusals_are_all_of_them() -> None:
    """A client that switches over them misses none."""
    assert set(get_args(Code)) == {code for _, _, code, _ in _KINDS} | {"internal", "refused"}


def test_a_table_of_the_store_is_one_of_the_export() -> None:
    """With its type."""
    shown = {name: get_args(kind)[1] for name, kind in get_type_hints(ExportOut).items()}
    assert shown == RECORD_TYPES


def test_the_words_are_those_of_the_accounts_machine(http: Http) -> None:
    """Of the account that is named, or of the only one; else the server's."""

    def knows_review(**query: str) -> bool:
        shown = http.control("GET", "/openapi/control.json", **query).get_json()["components"]
        return "in_review" in shown["schemas"]["Application"]["properties"]["status"]["enum"]

    other = "MAOTHEROTHEROTHEROTH"
    http.control("POST", "/machine", {"name": "in-review", "account": AUTH_ID})
    assert knows_review()
    http.control("POST", "/accounts", {"auth_id": other})
    assert [knows_review(), knows_review(account=AUTH_ID)] == [False, True]


def test_the_index_leads_to_each_document(http: Http) -> None:
    """By its URL."""
    listed = http.control("GET", "/openapi.json").get_json()["documents"]
    assert [each["name"] for each in listed] == list(SURFACES)
    for each in listed:
        assert http.get(each["url"]).get_json()["info"]["title"] == each["title"]
