"""Members of enumerations, other subclasses of texts and numbers: the values that they are."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum
from http import HTTPStatus
from unittest.mock import ANY

import pytest

from plivo_sim.testing import in_process


class Id(str):
    __slots__ = ()


class Own(str):
    """Decides itself what is equal to it."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


KINDS: list[Callable[[str], str]] = [
    lambda text: StrEnum("Word", {"X": text})["X"],
    lambda text: Enum("Word", {"X": text}, type=str)["X"],
    Id,
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_misspelt_word_of_another_class_is_refused(kind: Callable[[str], str]) -> None:
    with in_process() as sim:
        with pytest.raises(AssertionError, match="this says nothing"):
            sim.expect_no_callback(status=kind("rejectde"))
        with pytest.raises(ValueError, match="there is no operation"):
            sim.expect_request(operation=kind("complience.create"), times=0)


def test_a_status_of_http_is_a_number() -> None:
    with in_process() as sim:
        assert sim.expect_request(status=HTTPStatus.CREATED, times=0) is None


@pytest.mark.parametrize("matcher", [ANY, Own("x")])
def test_what_decides_itself_is_not_refused(matcher: object) -> None:
    with in_process() as sim:
        sim.expect_no_callback(status=matcher)
