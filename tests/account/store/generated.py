"""Records as Hypothesis makes them, from what their types say of each field."""

from __future__ import annotations

import math
from datetime import UTC
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from plivo_sim.account.store.format import RECORD_TYPES


def records(table: str) -> st.SearchStrategy[Any]:
    """Records of a table, with whatever Python takes for each field: whole numbers for floats."""
    return _struct(inspect.type_info(RECORD_TYPES[table]))


def _struct(kind: Any) -> st.SearchStrategy[Any]:
    fields = {field.name: _value(field.type) for field in kind.fields}
    return st.fixed_dictionaries(fields).map(lambda values: _made(kind.cls, values)).filter(bool)


def _made(type_: type[Any], values: dict[str, Any]) -> Any:
    """None where the type itself refuses them."""
    try:
        return type_(**values)
    except ValueError:
        return None


def _value(kind: Any) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StructType():
            return _struct(kind)
        case inspect.Metadata():
            return _value(kind.type)
        case inspect.UnionType():
            return st.one_of(*map(_value, kind.types))
        case inspect.VarTupleType():
            return st.lists(_value(kind.item_type), max_size=3).map(tuple)
        case inspect.TupleType():
            return st.tuples(*map(_value, kind.item_types))
        case inspect.DictType():
            return st.dictionaries(_value(kind.key_type), _value(kind.value_type), max_size=3)
        case inspect.EnumType():
            return st.sampled_from(kind.cls)
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.FloatType():
            lowest, highest = kind.ge if kind.gt is None else kind.gt, kind.le
            floats = st.floats(lowest, highest, exclude_min=kind.gt is not None, allow_nan=False)
            first = math.ceil(lowest) if kind.gt is None else math.floor(lowest) + 1
            whole = st.integers(first, int(highest or 1e15))
            return (floats if highest else floats.filter(lambda each: each != float("inf"))) | whole
        case inspect.StrType():
            return _text(kind)
        case inspect.DateTimeType():
            return st.datetimes(timezones=st.just(UTC))
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
    raise TypeError(f"no values of {kind}")


def _text(kind: inspect.StrType) -> st.SearchStrategy[str]:
    """Without lone surrogates and null characters, which nothing that comes in has."""
    least, most = kind.min_length or 0, min(kind.max_length or 20, 20)
    return st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        min_size=least,
        max_size=most,
    )
