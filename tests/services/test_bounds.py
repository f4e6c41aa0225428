"""The lists within records: each has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from plivo_sim.account.store.format import RECORD_TYPES
from plivo_sim.services.bounds import BOUNDS, COUNTERS
from tests.hostile.restoring import Restorer


def lists_of(type_: type[Any]) -> Iterator[tuple[type[Any], str]]:
    """Every tuple and mapping in a record, and in the structs in it."""
    kind = msgspec.inspect.type_info(type_)
    assert isinstance(kind, msgspec.inspect.StructType)
    for field in kind.fields:
        kinds = [field.type]
        while kinds:
            kind = kinds.pop()
            if isinstance(kind, msgspec.inspect.StructType):
                yield from lists_of(kind.cls)
            elif isinstance(kind, msgspec.inspect.UnionType):
                kinds += kind.types
            elif isinstance(kind, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
                yield type_, field.name
                kinds.append(kind.item_type)
            elif isinstance(kind, msgspec.inspect.DictType):
                yield type_, field.name


def test_every_list_of_every_record_has_a_bound() -> None:
    """A new field is in the table, or this fails."""
    found = {each for type_ in RECORD_TYPES.values() for each in lists_of(type_)}
    assert found == {(type_, name) for type_, bounds in BOUNDS.items() for name in bounds}


def test_an_account_counts_nothing_that_is_unknown() -> None:
    """What was done in every API is counted under names that a document may bring along."""
    for saved in Restorer()._seeds:
        counts = saved["tables"]["ledger"]["ledger"]["counts"]
        assert {name for name in counts if not name.startswith("fired:")} <= COUNTERS
