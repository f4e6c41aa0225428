"""What an exchange counts as in the journal is about the memory that it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from plivo_sim.web.bodies import Body
from plivo_sim.web.calls import Came
from plivo_sim.web.kept_bodies import _kept
from plivo_sim.web.parts import Part
from plivo_sim.web.request_log import Exchange


def size_of(sent: Any, **over: Any) -> int:
    plain: dict[str, Any] = {
        "id": "i", "at": datetime(2026, 1, 1, tzinfo=UTC), "arrived_s": 0.0, "environ": {},
        "status": 200, "answer": b"", "answer_end": b"", "answer_size": 0, "answer_headers": (),
        "dialect": "", "operation": "", "fault": "", "why": "", "took_ms": 0.0,
    }  # fmt: skip
    return Exchange(sent=sent, **plain | over).size_bytes


@pytest.mark.parametrize(
    "part",
    [
        Part("n", b"", filename="\U0001f600" + "a" * 3000),
        Part("\U0001f600" + "a" * 3000, b""),
        Part("n", "\U0001f600".encode() + b"a" * 3000),
    ],
    ids=["file name", "name", "text"],
)
def test_every_text_of_a_part_counts_with_its_bytes(part: Part) -> None:
    """One character beyond the usual ones makes four bytes of each."""
    assert size_of(_kept(Body("multipart", parts=[part] * 300), Came(b"", 0, ()))) > 300 * 12_000


@pytest.mark.parametrize(
    "over", [{"why": "\U0001f600" * 3000}, {"environ": {"A": "\U0001f600" * 3000}}]
)
def test_texts_of_the_call_count_so_too(over: dict[str, Any]) -> None:
    """What it says of itself, and why it was refused."""
    assert size_of(None, **over) > 12_000
