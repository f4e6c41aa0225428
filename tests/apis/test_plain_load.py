"""A valid body is read without marshmallow, to the same values; of any other, marshmallow says what
is wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_sim.apis import schema
from plivo_sim.apis.atoms import schemas as atoms
from plivo_sim.apis.fields import Field, Fields, Unfit
from plivo_sim.apis.legacy import schemas as legacy
from plivo_sim.apis.numbers import schemas as numbers
from plivo_sim.apis.phone_number.beta import schemas as beta
from plivo_sim.apis.phone_number.current import schemas as current
from plivo_sim.apis.reading import Shape, load

KINDS = sorted(
    {
        each
        for module in (legacy, numbers, beta, current, atoms)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Fields) and each is not Fields
        if not each.closed  # which are documented only
    },
    key=str,
)
NAMES = sorted({field.data_key or name for kind in KINDS for name, field in kind.fields.items()})

words = st.sampled_from(["", " ", "IN", "in", "local", "toll free", "business", "x", "x" * 256])
plain = st.none() | st.booleans() | st.integers() | st.floats() | words
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=6,
)


def read(kind: type[Fields], body: Any) -> dict[str, Any] | None:
    """What it says without marshmallow; None where something is wrong."""
    try:
        return kind.read(body)
    except ValueError:
        return None


@given(data=st.data())
def test_it_is_what_marshmallow_makes_of_it(data: st.DataObject) -> None:
    """The same values in the same order, and nothing wrong, for any body that is read."""
    kind = data.draw(st.sampled_from(KINDS))
    own = [field.data_key or name for name, field in kind.fields.items()]
    likely = st.dictionaries(st.sampled_from([*own, "other"]), values)
    body = data.draw(likely | values)
    usable, problems = schema.load(schema.schema_of(kind)(), body)
    found = read(kind, body)
    if found is not None:
        assert repr(found) == repr(usable)
        assert problems == []
    else:
        assert problems


BODIES: dict[type[Fields], Any] = {
    legacy.ApplicationIn: {
        "country_iso2": "IN", "number_type": "local", "end_user_type": "business",
        "end_user_id": "x", "alias": "Acme", "document_ids": ["a", "b"],
    },
    current.CreateIn: {
        "country_iso": "in", "number_type": "toll free", "alias": "Acme",
        "end_user": {"type": "Business", "name": "Acme", "email": None},
        "documents": [{"document_type_id": "x", "data_fields": {"a": "b", "c": None}}],
    },
    beta.CreateIn: {
        "country_iso": "IN", "number_type": "local",
        "end_user": {"type": "business", "name": "Acme", "address": []},
        "documents": [{"type": "x", "file": {"name": "a.pdf"}}],
    },
    atoms.SubmitIn: {
        "countryIso": "IN", "numberType": "local", "userType": "business",
        "endUser": {"name": "Acme", "lastName": "B"}, "documents": [{"documentTypeId": "x"}],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_a_common_body_needs_no_marshmallow(kind: type[Fields]) -> None:
    """And says the same with it."""
    assert kind.read(BODIES[kind]) == schema.schema_of(kind)().load(BODIES[kind])


@pytest.mark.parametrize("body", [{}, {"alias": ""}, {"alias": 5}, {"alias": None}, [], None, "x"])
def test_what_has_something_wrong_is_left_to_marshmallow(body: Any) -> None:
    """Which complains about it."""
    with pytest.raises(Unfit):
        legacy.DocumentIn.read(body)
    assert load(Shape(legacy.__name__, "DocumentIn"), body)[1]


def test_every_kind_of_field_has_one_of_marshmallow() -> None:
    """So that a new one is not taken for another."""

    def below(kind: type[Field]) -> set[str]:
        return {kind.__name__}.union(*(below(each) for each in kind.__subclasses__()))

    assert below(Field) - {"Field"} <= set(vars(schema))


def test_the_declarations_load_nothing_of_it() -> None:
    """Nor does reading with them."""
    script = f"""
import sys
from plivo_sim.apis.legacy.schemas import ApplicationIn
ApplicationIn.read({BODIES[legacy.ApplicationIn]!r})
print("marshmallow" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
