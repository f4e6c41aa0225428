"""The short way to read a body gives what marshmallow gives, or leaves it to marshmallow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import post_load, validate

from plivo_sim.apis.legacy import schemas as legacy
from plivo_sim.apis.numbers import schemas as numbers
from plivo_sim.apis.phone_number.beta import schemas as beta
from plivo_sim.apis.phone_number.current import schemas as current
from plivo_sim.apis.schema import Text, WireSchema, load

SCHEMAS = sorted(
    {
        each
        for module in (legacy, numbers, beta, current)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, WireSchema) and each is not WireSchema
    },
    key=str,
)
NAMES = sorted({name for schema in SCHEMAS for name in schema().fields})

words = st.sampled_from(["", " ", "IN", "in", "local", "toll free", "business", "x", "x" * 256])
plain = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=6,
)


@given(data=st.data())
def test_it_is_what_marshmallow_makes_of_it(data: st.DataObject) -> None:
    """The same values in the same order, with the same complaints, for any body."""
    schema = data.draw(st.sampled_from(SCHEMAS))()
    likely = st.dictionaries(st.sampled_from([*schema.fields, "other"]), values)
    body = data.draw(likely | values)
    found = schema.plain_load(body)
    if found is not None:
        assert repr(found) == repr(schema.load(body))
        assert list(found) == list(schema.load(body))


def test_a_common_body_takes_the_short_way() -> None:
    """A draft as the SDKs send it."""
    body = {"country_iso2": "IN", "number_type": "local", "end_user_type": "business",
            "end_user_id": "x", "alias": "Acme", "document_ids": ["a", "b"]}  # fmt: skip
    assert legacy.ApplicationIn().plain_load(body) is not None


@pytest.mark.parametrize("body", [{}, {"alias": ""}, {"alias": 5}, {"alias": None}, [], None, "x"])
def test_what_has_something_wrong_is_left_to_marshmallow(body: Any) -> None:
    """Which complains about it."""
    schema = legacy.DocumentIn()
    assert schema.plain_load(body) is None
    assert load(schema, body)[1]


class _Defaults(WireSchema):
    name = Text(load_default="nobody")


class _Renamed(WireSchema):
    name = Text(data_key="Name")


class _Checked(WireSchema):
    name = Text(validate=validate.Length(max=5, error="bad_length|is too long"))


class _Hooked(WireSchema):
    name = Text()

    @post_load
    def _more(self, data: Any, **kwargs: Any) -> Any:
        return {**data, "more": True}


def _around(when: str) -> Text:
    """A field with a function before or after, as marshmallow 4 has it."""
    field = Text()
    setattr(field, when, [str.upper])
    return field


class _PreLoaded(WireSchema):
    name = _around("pre_load")


class _PostLoaded(WireSchema):
    name = _around("post_load")


@pytest.mark.parametrize(
    "schema", [_Defaults, _Renamed, _Checked, _Hooked, _PreLoaded, _PostLoaded]
)
def test_a_schema_that_does_more_is_left_to_marshmallow(schema: type[WireSchema]) -> None:
    """Defaults, other names, validators and hooks are not in the fields' own reading."""
    assert schema().plain_load({"name": "x"}) is None
