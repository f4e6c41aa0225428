"""The imitated APIs. A test holds that every route stands in one of them, and vice versa."""

from __future__ import annotations

from plivo_sim.apis.atoms.routes import ATOMS
from plivo_sim.apis.legacy.routes import LEGACY
from plivo_sim.apis.numbers.routes import NUMBERS
from plivo_sim.apis.phone_number.routes import BETA, CURRENT

SURFACES = {surface.name: surface for surface in (CURRENT, BETA, LEGACY, NUMBERS, ATOMS)}
