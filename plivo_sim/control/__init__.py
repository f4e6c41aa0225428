"""``/_sim/``: time, decisions, callbacks, snapshots, accounts. Invented: Plivo has none of it.

Who may call it is decided in ``web/access.py`` (decision "Guarded control API").
"""

from __future__ import annotations

from flask import Blueprint, request

from plivo_sim.control import (
    accounts,
    applications,
    clock,
    events,
    faults,
    fidelity,
    history,
    ids,
    machines,
    moves,
    reports,
    requests,
    scenarios,
    server,
    undo,
    unmatched,
    webhooks,
)
from plivo_sim.control.inputs import ACCOUNT, BEGAN, refuse_mistaken_query, refuse_replaced
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
        moves,
        undo,
        history,
        scenarios,
        machines,
        faults,
        requests,
        unmatched,
        events,
        ids,
        reports,
        fidelity,
    ),
    answers="plivo_sim.control.answers",
    bodies="plivo_sim.control.bodies",
    error="ProblemDetailsOut",
    error_type=MEDIA_TYPE,
    always=(400, 403),
)


_RECEIVING = frozenset({"receive_get", "receive_post"})
"""What takes any query: a callback's."""


def make_blueprint() -> Blueprint:
    """``/_sim``."""
    blueprint = Blueprint("control", __name__, url_prefix=CONTROL.prefix)

    queries = {  # each takes an account, also where it is about the server: proxies route by it
        row.name: (ACCOUNT, BEGAN, *row.query) for row in CONTROL.endpoints
    }

    @blueprint.before_request
    def refuse_mistyped() -> None:
        name = (request.endpoint or "").rpartition(".")[2]
        if name in queries and name not in _RECEIVING:
            refuse_mistaken_query(queries[name])
            refuse_replaced()

    add_routes(blueprint, CONTROL.endpoints)
    blueprint.add_url_rule("/openapi/", "get_reference", server.get_reference, methods=["GET"])
    return blueprint
