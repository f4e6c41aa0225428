"""``/_sim/``: time, decisions, callbacks, snapshots, accounts. Invented: Plivo has none of it.

Who may call it is decided in ``web/access.py`` (decision "Guarded control API").
"""

from __future__ import annotations

from flask import Blueprint

from plivo_sim.control import (
    accounts,
    applications,
    clock,
    faults,
    fidelity,
    machines,
    reports,
    requests,
    scenarios,
    server,
    webhooks,
)
from plivo_sim.control.presenters import MEDIA_TYPE
from plivo_sim.web.endpoints import Surface, add_routes, endpoints_of

CONTROL = Surface(
    name="control",
    title="plivo-sim control API",
    description="Time, decisions, scenarios, faults, callbacks, snapshots.",
    prefix="/_sim",
    endpoints=endpoints_of(
        server,
        clock,
        applications,
        webhooks,
        accounts,
        scenarios,
        machines,
        faults,
        requests,
        reports,
        fidelity,
    ),
    answers="plivo_sim.control.answers",
    bodies="plivo_sim.control.inputs",
    error="ProblemDetailsOut",
    error_type=MEDIA_TYPE,
    always=(400, 403),
)


def make_blueprint() -> Blueprint:
    """``/_sim``."""
    blueprint = Blueprint("control", __name__, url_prefix=CONTROL.prefix)
    blueprint.record_once(
        lambda state: state.app.extensions.setdefault(
            "inboxes", webhooks.Inboxes(state.app.extensions["plivo_sim"].memory)
        )
    )

    add_routes(blueprint, CONTROL.endpoints)
    blueprint.add_url_rule("/openapi/", "get_reference", server.get_reference, methods=["GET"])
    return blueprint
