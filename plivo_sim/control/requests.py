"""Questions that change nothing: what would happen, why is a signature wrong, what was covered."""

from __future__ import annotations

from flask import Response, request

from plivo_sim.control.inputs import account_named
from plivo_sim.web.calls import current_call


def coverage() -> Response:
    """What this run has exercised, of all that there is."""
    return current_call().answer(current_call().sim.coverage.report())


def clear_coverage() -> Response:
    """Begin a new run."""
    current_call().sim.coverage.clear()
    return coverage()


def list_requests() -> Response:
    """The account's last exchanges, oldest first; ``fault`` names what hit them."""
    account = account_named()
    exchanges = [each.shown() for each in list(account.exchanges)]
    if wanted := request.args.get("id"):
        exchanges = [each for each in exchanges if each["id"] == wanted]
    return current_call().answer({"account": account.auth_id, "requests": exchanges})
