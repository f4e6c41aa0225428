"""Which YAML texts may be composed at all, how they are read, and small ones as plain values."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

from plivo_sim.domain import limits


def yaml_trouble(error: Any, text: str) -> tuple[int, str]:
    """The line (from 1; 0 when unknown) and the complaint, of a ``yaml.YAMLError``."""
    import yaml  # here because a start needs none

    mark = getattr(error, "problem_mark", None)
    line = text[: getattr(error, "position", 0)].count("\n") if mark is None else mark.line
    if isinstance(error, yaml.reader.ReaderError):
        why = "it has a character that YAML does not take"
    elif isinstance(error, yaml.composer.ComposerError):
        why = "one document is read, and an alias (*name) stands after its anchor (&name)"
    elif isinstance(error, yaml.constructor.ConstructorError):
        why = "tags (!name) are not followed, and keys are plain texts"
    else:
        why = "look at its indentation (no tabs), brackets and quotes (as of texts with ': ')"
    last = text.rstrip().count("\n")  # where the text ends early, some parsers say: after it
    return (min(line, last) + 1 if mark or line else 0), f"not valid YAML: {why}"


MOST_LEVELS = limits.YAML_DEPTH.most
MOST_DIGITS = limits.YAML_DIGITS.most
_AS_JSON = re.compile(r"true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


_TEXT, _DATE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"


_NUMBER = re.compile(r"[-+]?[0-9.][0-9a-fA-FxobE_:.+-]*")


@functools.cache
def text_loader() -> type[Any]:
    """A safe loader that reads what JSON can hold: keys are texts, and so are dates."""
    import yaml  # here because a start needs none

    base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class TextLoader(base):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012 (as in the base)
            first: [each for each in resolvers if each[0] != _DATE]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }

        def construct_object(self, node: Any, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except (ValueError, LookupError, AttributeError, TypeError):
                problem = "it looks like a number, and is none"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            self.flatten_mapping(node)
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    key.tag = _TEXT
            made: dict[Any, Any] = super().construct_mapping(node, deep)
            return made

    return TextLoader


def misread(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, str]]:
    """Path and word of every value without quotes that YAML reads as something else than it
    shows: NO (false), 010 (8), 1:30 (90), ~ (null)."""
    kind = getattr(node, "id", "")
    if kind == "mapping":
        for key, value in node.value:
            yield from misread(value, (*path, str(key.value)))
    elif kind == "sequence":
        for index, each in enumerate(node.value):
            yield from misread(each, (*path, index))
    elif kind == "scalar" and not (
        node.style or node.tag == _TEXT or _AS_JSON.fullmatch(node.value)
    ):
        yield path, node.value


def read_as(word: str, value: Any) -> str:
    """What YAML made of a word, in a sentence: ``value``."""
    made = json.dumps(value) if isinstance(value, bool) or value is None else str(value)
    return f"YAML reads {word} as {made}" if word else "YAML reads an empty value as null"


def composed(text: str, most_values: float = inf) -> tuple[Any, Callable[[], Any]]:
    """A text as a tree of nodes, and what makes plain values of the tree: call it once, last, for
    it changes the tree. Raises what ``check_yaml`` raises."""
    loader = text_loader()
    check_yaml(text, loader, most_values)
    reader = loader(text)
    node = reader.get_single_node()
    return node, lambda: None if node is None else reader.construct_document(node)


def check_yaml(text: str, loader: type[Any], most_values: float = inf) -> bool:
    """Refuse what a parser for trusted files does not survive; returns whether there are aliases.

    Raises RecursionError when lists and maps lie deeper in one another than anybody writes:
    libyaml's composer recurses without a limit, and 50,000 brackets would end the process (its
    parser does not). Raises ValueError for a number that takes seconds to compute, and cannot be
    printed. Raises OverflowError where there are more values than ``most_values``, keys and aliases
    included, and reads no further. Raises yaml.YAMLError for what is no YAML, and for tags, whose
    values PyYAML's constructors fail over in ways of their own.
    """
    import yaml  # here because a start needs none

    levels, read, values, has_aliases = 0, 0, 0, False
    try:
        for event in yaml.parse(text, loader):
            read = event.end_mark.index if event.end_mark else read
            if isinstance(event, yaml.CollectionStartEvent):
                levels += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                levels -= 1
            elif isinstance(event, yaml.ScalarEvent) and len(event.value) > MOST_DIGITS:
                _check_number(event.value)
            if getattr(event, "tag", None) is not None:
                mark: Any = event.start_mark
                raise yaml.constructor.ConstructorError(problem_mark=mark)
            has_aliases = has_aliases or isinstance(event, yaml.AliasEvent)
            values += isinstance(event, yaml.NodeEvent)
            if values > most_values:
                raise OverflowError
            if levels > MOST_LEVELS:
                raise RecursionError
    except yaml.YAMLError as error:
        if levels + _opened(text, read, error) > MOST_LEVELS:
            raise RecursionError from None
        raise
    return has_aliases


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

    limits.SCENARIO_TEXT.check(len(text), "the text")
    loader = text_loader()
    try:
        if check_yaml(text, loader, limits.SCENARIO_VALUES.most):
            raise ValueError("write everything out: aliases (*name) are not followed here")
        told = yaml.load(text, loader)  # noqa: S506 (a safe loader)
        return json.loads(json.dumps(told, default=str, allow_nan=False))
    except yaml.YAMLError as error:
        line, trouble = yaml_trouble(error, text)
        raise ValueError(f"line {line}: {trouble}" if line else trouble) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except OverflowError:
        raise ValueError(f"it is too large: {limits.SCENARIO_VALUES}") from None
    except TypeError as error:
        raise ValueError(f"not valid YAML: {error}") from None
