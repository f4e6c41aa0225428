"""What stand-ins need in memory."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from plivo_sim.recording import masks as masking
from plivo_sim.recording import stand_ins
from plivo_sim.recording.masks import Masks
from plivo_sim.recording.stand_ins import StandIns


def texts_within(value: Any) -> list[str]:
    """Every text that an object holds, however deep."""
    found, seen, waiting = list[str](), set[int](), [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            found.append(each)
        elif id(each) not in seen and not isinstance(each, type):
            seen.add(id(each))
            waiting += gc.get_referents(each)
    return found


def test_no_original_is_held() -> None:
    """Nor anything of what stands for a long text."""
    draw = StandIns(b"key")
    draw.text("Mukherjee")
    held = len(texts_within(draw))
    long = draw.text("long " * 1_000)
    assert len(texts_within(draw)) == held
    assert "Mukherjee" not in texts_within(draw)
    assert draw.text("long " * 1_000) == long != "long " * 1_000


def test_memory_ends_and_stand_ins_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stay the same for the same original, before and after."""
    monkeypatch.setattr(stand_ins, "MOST_KEPT", 10, raising=False)
    draw = StandIns(b"key")
    texts = [f"text{n:04}" for n in range(100)]
    first = [draw.text(each) for each in texts]
    assert len(draw._drawn) == len(draw._taken) == 10
    assert [draw.text(each) for each in texts] == first
    assert not set(first) & set(texts)


def test_what_sentences_may_repeat_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """In count and in length."""
    masks = Masks(StandIns(b"key"))
    masks.text("kolkata " * 100, "alias")
    assert max(map(len, texts_within(masks._told))) <= 200
    monkeypatch.setattr(masking, "MOST_TOLD", len(masks._told) + 3)
    masks.value([f"alias{n:03}" for n in range(50)], "alias")
    assert len(masks._told) == masking.MOST_TOLD


def test_the_words_of_a_requirement_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a service calls one."""
    masks = Masks(StandIns(b"key"))
    monkeypatch.setattr(masking, "MOST_TOLD", len(masks._enums) + 3)
    masks.value({"enums": "x" * 5_000}, public=True)
    masks.value({"enums": ["first", *(f"a{n}, b{n}" for n in range(50))]}, public=True)
    assert max(map(len, masks._enums)) <= 200
    assert "first" in masks._enums
    assert len(masks._enums) <= masking.MOST_TOLD
