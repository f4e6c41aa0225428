"""Fixtures: an organisation."""

from __future__ import annotations

import pytest

from tests.apis.atoms.support import Atoms
from tests.support import Http


@pytest.fixture
def atoms(http: Http) -> Atoms:
    """An organisation that nobody has heard of yet."""
    return Atoms(http)
