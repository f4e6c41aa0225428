"""What all records have in common."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plivo_sim.domain.models import changed
from tests.store.records import application


def test_a_changed_record_is_a_replaced_one() -> None:
    """Equal in every field, and the first is as it was."""
    before = application(1)
    changes = {"alias": "other", "document_ids": ("a", "b")}
    assert changed(before, **changes) == replace(before, **changes)
    assert before == application(1)


def test_an_unknown_field_is_refused() -> None:
    """It would be lost."""
    with pytest.raises(TypeError, match="Application has no alyas"):
        changed(application(1), alyas="other")
