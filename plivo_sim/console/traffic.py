"""Traffic: requests, callbacks and inbox messages in one list, with a waterfall of them; and the
addresses that its parts had before.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action
from plivo_sim.console.pages import guard, open_account, show
from plivo_sim.console.pictures import waterfall
from plivo_sim.console.traffic_list import lines_of, traffic_of
from plivo_sim.domain.records import RETRY, DeliveryState
from plivo_sim.web.calls import current_call


def traffic_page(auth_id: str) -> Response:
    """Newest first; every filter stands in the URL."""
    account = open_account(auth_id)
    traffic = traffic_of(account)
    lines = lines_of(account, traffic)
    return show(
        "traffic.html",
        rows=len(traffic.found.items),
        account=account,
        traffic=traffic,
        picture=waterfall.draw(lines) + waterfall.draw(lines, narrow=True),
        unmatched=len(current_call().sim.unmatched),
        replay_all=_replay_all(account, traffic.chosen["state"]),
    )


def _replay_all(account: Account, state: str) -> Action:
    """Sends all callbacks of this state again; only its command is shown: it makes many calls."""
    known = DeliveryState.PENDING if state == RETRY else state
    those = ("--state", known) if known else ()
    words = ("webhooks", "replay", "--all", *those, "--account", account.auth_id)
    return Action(message="", operation="replay_webhook", cli=words)


def requests_moved(auth_id: str) -> Response:
    return _moved(auth_id, "request")


def webhooks_moved(auth_id: str) -> Response:
    return _moved(auth_id, "callback")


def _moved(auth_id: str, kind: str) -> Response:
    """To the list of everything, with the filters."""
    open_account(auth_id)
    kept = [pair for pair in request.args.items(multi=True) if pair[0] != "kind"]
    query = urlencode([("kind", kind), *kept])
    response = Response(status=303, headers={"Location": f"/console/{auth_id}/traffic?{query}"})
    guard(response, "default-src 'none'")
    return response


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/traffic", traffic_page),
    ("/requests", requests_moved),
    ("/webhooks", webhooks_moved),
]
