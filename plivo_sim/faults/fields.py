"""The fields of a fault as a person is asked for them: on the command line, and in the console."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.inspect import Field, NoneType, StructType, Type, UnionType, type_info

from plivo_sim.faults.model import FaultRule

HELP = {
    "effect": "What happens to a call that it strikes.",
    "name": "What to call it, instead of fault-N.",
    "status": "HTTP status of the effect error.",
    "message": "Text of the error.",
    "latency_s": "Real seconds to wait first.",
    "retry_after_s": "Send Retry-After.",
    "applied": "Do the work first and lose only its answer.",
    "api": "new, numbers, legacy, atoms, or plivo-for-atoms; a glob.",
    "operation": "Such as compliance.create; a glob.",
    "method": "HTTP method; a glob.",
    "path": "Path of the URL; a glob.",
    "application": "Id of an application; a glob.",
    "times": "How often it strikes in all.",
    "skip": "Let so many calls through first.",
    "every": "Strike every so-manieth call.",
    "probability": "Strike so often, by the account's dice.",
    "quota.calls": "Strike over so many calls within the window of the quota.",
    "quota.per_s": "Real seconds of the quota's window.",
}


def fault_fields(type_: type = FaultRule, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with its path; those of a part stand on their own (``quota.calls``)."""
    info = type_info(type_)
    assert isinstance(info, StructType)
    for field in info.fields:
        inner = plain_type(field.type)
        if isinstance(inner, StructType):
            yield from fault_fields(inner.cls, f"{prefix}{field.encode_name}.")
        else:
            yield prefix + field.encode_name, field


def plain_type(type_: Type) -> Type:
    """The type without ``| None``."""
    if isinstance(type_, UnionType):
        (type_,) = (each for each in type_.types if not isinstance(each, NoneType))
    return type_
