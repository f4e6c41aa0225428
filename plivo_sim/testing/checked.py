"""Verbs that refuse what they cannot mean: arguments of other types than they name, empty texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from inspect import Parameter, Signature, isfunction, signature
from typing import Any, ParamSpec, TypeVar, get_type_hints

from plivo_sim.domain.typed import once, short
from plivo_sim.testing.matching import plain
from plivo_sim.testing.values import fits, words_of

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

_MANY = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def checked_verbs(cls: C) -> C:
    """The class, whose public verbs are all ``checked``; also how it is made."""
    for name, verb in [*vars(cls).items()]:
        if isfunction(verb) and (name == "__init__" or not name.startswith("_")):
            setattr(cls, name, checked(verb))
    return cls


def checked(verb: Callable[P, R]) -> Callable[P, R]:
    """The verb, which raises ValueError that names the argument: for a value that is not of the
    type that the argument names, and for an empty text, unless that is its default.
    It is given texts and numbers as ``plain``."""

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        values: Any = plain(args)
        named: Any = plain(kwargs)
        for told in _mistakes(verb, values, named):
            raise ValueError(told)
        return verb(*values, **named)

    return call


def _mistakes(verb: Callable[..., Any], args: Any, kwargs: Any) -> Iterator[str]:
    found, kinds = _types_of(verb)
    try:
        given = found.bind(*args, **kwargs).arguments
    except TypeError:  # Python says of the verb what is missing, or too much
        return
    for name, value in given.items():
        parameter = found.parameters[name]
        if kinds.get(name, Any) is Any:
            continue
        if parameter.kind not in _MANY:
            named = [(name, value)]
        elif isinstance(value, dict):
            named = [*value.items()]
        else:
            named = [(name, each) for each in value]
        for argument, each in named:
            if not fits(each, kinds[name]):
                told = "what is given" if argument.endswith("token") else short(each)
                yield f"{argument}: {told} is not {words_of(kinds[name])}"
            elif parameter.kind not in _MANY and each == "" != parameter.default:
                yield f"{argument}: is empty"


@once
def _types_of(verb: Callable[..., Any]) -> tuple[Signature, dict[str, Any]]:
    """Its arguments, and their types; ``self`` has none."""
    return signature(verb), get_type_hints(verb)
