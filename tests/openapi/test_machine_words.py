"""The documents of a simulator whose status machine is not the default one."""

from __future__ import annotations

from dataclasses import replace

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from tests.conftest import PAUSED


def test_a_document_with_other_words_is_made_once() -> None:
    """As that of the default machine is: whoever asks again gets the same."""
    sim = make_simulator(replace(PAUSED, machine="in-review"))
    try:
        document = create_app(sim).extensions["document"]
        assert "in_review" in str(document("legacy"))
        assert document("legacy") is document("legacy")
    finally:
        sim.close()
