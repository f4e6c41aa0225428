"""``/_sim/``: time, decisions, callbacks, snapshots, accounts. Invented: Plivo has none of it.

Control calls are refused under foreign host names and from foreign pages: otherwise any web page
that a developer opens could drive the simulator (cross-site requests), also through a name that
resolves to 127.0.0.1 (DNS rebinding). Decision "Guarded control API".
"""

from __future__ import annotations

import ipaddress

from flask import Blueprint, Request, request

from plivo_sim.control import (
    accounts,
    applications,
    clock,
    faults,
    requests,
    scenarios,
    server,
    webhooks,
)
from plivo_sim.control.presenters import MEDIA_TYPE
from plivo_sim.domain.urls import split_host
from plivo_sim.settings import Settings
from plivo_sim.web.calls import Untrusted, current_call
from plivo_sim.web.endpoints import Surface, add_routes, endpoints_of

CONTROL = Surface(
    name="control",
    title="plivo-sim control API",
    description="Time, decisions, scenarios, faults, callbacks, snapshots.",
    prefix="/_sim",
    endpoints=endpoints_of(
        server, clock, applications, webhooks, accounts, scenarios, faults, requests
    ),
    answers="plivo_sim.control.answers",
    bodies="plivo_sim.control.inputs",
    error="ProblemDetailsOut",
    error_type=MEDIA_TYPE,
    always=(400, 403),
)

_INBOX = "/_sim/inbox/"
PROBES = "/_sim/health/"
"""Programs that start and stop the server ask here, by address, every few seconds."""


def check_caller(request: Request, settings: Settings) -> None:
    """Raise Untrusted if ``Host`` is not ours, or if the caller is a page of another origin.

    ``Origin``, if there is one, has to be our own, or of a host that the settings allow: proxies
    and tunnels rewrite one of the two headers and not the other. Images, frames and scripts of
    other pages send no ``Origin``: for them the browser's ``Sec-Fetch-Site`` decides. A link that
    a person follows to here may come from anywhere. Callbacks, of this or another simulator, only
    reach an inbox: one that replays itself would never end. The probes of health are answered for
    everybody; they reveal nothing.
    """
    if request.path.startswith(PROBES):
        return
    given = request.headers.get("Host", "")
    host, _ = split_host(given)
    if not _is_ours(host, settings):
        raise Untrusted(f"Host {host or given!r} is not this simulator's{_advice(host)}")
    origin = request.headers.get("Origin")
    if origin is not None:
        _check_origin(origin, given, settings)
    foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if foreign and not _is_followed_link(request):
        raise Untrusted("calls from pages of other origins are not answered")
    if "X-Plivo-Sim-Delivery" in request.headers and not request.path.startswith(_INBOX):
        raise Untrusted(f"callbacks are received at {_INBOX}NAME, and make no other call here")


def _is_followed_link(request: Request) -> bool:
    """Whether a browser opens a page by itself, not in a frame."""
    headers = request.headers
    opened = headers.get("Sec-Fetch-Mode") == "navigate"
    return opened and headers.get("Sec-Fetch-Dest") == "document" and request.method == "GET"


def _check_origin(origin: str, host: str, settings: Settings) -> None:
    scheme, _, authority = origin.partition("://")
    name = split_host(authority)[0] if scheme in ("http", "https") else ""
    same = name and authority.lower() == host.lower()
    if not same and name not in settings.allowed_hosts:
        advice = "" if _is_loopback(name) else _advice(name)
        raise Untrusted(f"calls from pages of {origin!r} are not answered{advice}")


def _advice(name: str) -> str:
    """The setting that would allow this host, if it is one."""
    if not name:
        return ""
    return f"; allow it with --allowed-hosts {name} or PLIVO_SIM_ALLOWED_HOSTS={name}"


def _is_ours(host: str, settings: Settings) -> bool:
    return bool(host) and (
        host in settings.allowed_hosts or host == settings.host.lower() or _is_loopback(host)
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def make_blueprint() -> Blueprint:
    """``/_sim``."""
    blueprint = Blueprint("control", __name__, url_prefix=CONTROL.prefix)
    blueprint.record_once(
        lambda state: state.app.extensions.setdefault(
            "inboxes", webhooks.Inboxes(state.app.extensions["plivo_sim"].memory)
        )
    )

    @blueprint.before_request
    def guard() -> None:
        check_caller(request, current_call().sim.settings)

    add_routes(blueprint, CONTROL.endpoints)
    blueprint.add_url_rule("/openapi/", "get_reference", server.get_reference, methods=["GET"])
    return blueprint
