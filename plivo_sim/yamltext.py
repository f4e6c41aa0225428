"""Which YAML texts may be composed at all, and small ones as plain values."""

from __future__ import annotations

import json
import re
from typing import Any

from plivo_sim.wording import yaml_trouble

MOST_LEVELS = 100
MOST_DIGITS = 300
_NUMBER = re.compile(r"[-+]?[0-9.][0-9a-fA-FxobE_:.+-]*")


def check_yaml(text: str, loader: type[Any]) -> None:
    """Refuse what a parser for files of friends does not survive.

    Raises RecursionError when lists and maps lie deeper in one another than anybody writes:
    libyaml's composer recurses without a limit, and 50,000 brackets would end the process (its
    parser does not). Raises ValueError for a number that takes seconds to compute, and cannot be
    printed. Raises yaml.YAMLError for what is no YAML.
    """
    import yaml  # here because a start needs none

    levels, read = 0, 0
    try:
        for event in yaml.parse(text, loader):
            read = event.end_mark.index if event.end_mark else read
            if isinstance(event, yaml.CollectionStartEvent):
                levels += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                levels -= 1
            elif isinstance(event, yaml.ScalarEvent) and len(event.value) > MOST_DIGITS:
                _check_number(event.value)
            if levels > MOST_LEVELS:
                raise RecursionError
    except yaml.YAMLError as error:
        if levels + _opened(text, read, error) > MOST_LEVELS:
            raise RecursionError from None
        raise


def _opened(text: str, read: int, error: Any) -> int:
    """How many brackets were open where a parser gave up, of those of which it had told nothing.

    It looks a line ahead, and newer ones have a limit of their own for what is open.
    """
    mark = getattr(error, "problem_mark", None)
    seen = text[read : mark.index if mark is not None else read]
    return sum(map(seen.count, "[{")) - sum(map(seen.count, "]}"))


def _check_number(value: str) -> None:
    if _NUMBER.fullmatch(value):
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")


def plain_yaml(text: str) -> Any:
    """What a short YAML or JSON text says, as plain JSON values. Raises ValueError with a
    sentence."""
    import yaml  # here because a start needs none

    loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        check_yaml(text, loader)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
            raise ValueError("write everything out: aliases (*name) are not followed here")
        told = yaml.load(text, loader)  # noqa: S506 (a safe loader)
        return json.loads(json.dumps(told, default=str, allow_nan=False))
    except yaml.YAMLError as error:
        line, trouble = yaml_trouble(error, text)
        raise ValueError(f"line {line}: {trouble}" if line else trouble) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except TypeError as error:
        raise ValueError(f"not valid YAML: {error}") from None
