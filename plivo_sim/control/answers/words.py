"""The kinds of words that answers are made of: each an enum of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from plivo_sim.catalogue.shape import Source
from plivo_sim.control.settings import setting_schemas
from plivo_sim.domain.machine import WORDS_KEY
from plivo_sim.scenarios.operations import OPERATIONS

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]

Status = Annotated[str, Meta(extra_json_schema={WORDS_KEY: "statuses"})]
"""A status of the machine whose words the document has."""


def _one_of(*words: str) -> Meta:
    return Meta(extra_json_schema={"enum": list(words)})


Operation = Annotated[str, _one_of("", *OPERATIONS)]
"""Of an imitated API; empty where the URL is none of it."""

Confidence = Annotated[str, _one_of(*get_args(Source))]
Dialect = Annotated[str, _one_of("current", "beta")]
Api = Literal["new", "numbers", "legacy", "atoms"]

Headers = Annotated[dict[str, str], Meta(description="Name to value.")]

Json = Annotated[Any, Meta(description="Any JSON value.")]

Settings = Annotated[
    dict[str, str],
    Meta(
        description="The account's own settings, as texts (docs/settings.md).",
        extra_json_schema={
            "properties": setting_schemas(shown=True),
            "additionalProperties": False,
        },
    ),
]
