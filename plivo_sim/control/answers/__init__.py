"""What the control API answers: mypy checks the views by it, and the OpenAPI document shows it.

A module for each noun; rows name a type by its name alone, so all of them are found here.
"""

from __future__ import annotations

from plivo_sim.control.answers.accounts import *  # noqa: F403
from plivo_sim.control.answers.applications import *  # noqa: F403
from plivo_sim.control.answers.clock import *  # noqa: F403
from plivo_sim.control.answers.faults import *  # noqa: F403
from plivo_sim.control.answers.history import *  # noqa: F403
from plivo_sim.control.answers.machines import *  # noqa: F403
from plivo_sim.control.answers.requests import *  # noqa: F403
from plivo_sim.control.answers.scenarios import *  # noqa: F403
from plivo_sim.control.answers.server import *  # noqa: F403
from plivo_sim.control.answers.undo import *  # noqa: F403
from plivo_sim.control.answers.webhooks import *  # noqa: F403
