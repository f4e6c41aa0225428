"""Words of enumerations and paths as texts: what reading and presenting share."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from plivo_sim.errors import Path

MOST_ENTRIES = 1000
"""Of a list (invented): one with more would keep the processor busy only to be refused."""

W = TypeVar("W", bound=StrEnum)
_SEPARATORS = str.maketrans("", "", " -_")


def read_word(words: type[W], text: str) -> W | None:
    """The word that this text means: case, spaces, hyphens and underscores do not count."""
    found: W | None = _squeezed_words(words).get(_squeezed(text))
    return found


@cache
def _squeezed_words(words: type[StrEnum]) -> dict[str, Any]:
    return {_squeezed(word.value): word for word in reversed(words)}


def _squeezed(text: str) -> str:
    return text.lower().translate(_SEPARATORS)


def dotted(path: Path) -> str:
    """``("documents", 0, "file")`` as ``documents[0].file``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
