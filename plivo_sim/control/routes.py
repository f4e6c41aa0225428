"""The control API. Invented; see the reference in the docs for every call.

Who may steer: control calls are refused under foreign host names and from foreign pages.

Without this, any web page that a developer opens could drive the simulator (cross-site
requests), also through a name that resolves to 127.0.0.1 (DNS rebinding).
Decision "Guarded control API".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from flask import Blueprint, Request, Response, request

from plivo_sim.control import applications as checks
from plivo_sim.control import applications as listing
from plivo_sim.control import scenarios as steering
from plivo_sim.control import server as probes
from plivo_sim.control import webhooks as inbox
from plivo_sim.control.accounts import (
    get_snapshot,
    list_accounts,
    make_account,
    reset,
    restore,
    snapshot,
)
from plivo_sim.control.applications import decide, get_application
from plivo_sim.control.clock import advance, clock, pause, rate, resume, set_clock
from plivo_sim.control.server import get_openapi, get_reference, health
from plivo_sim.control.webhooks import get_webhook, list_webhooks, replay_webhook
from plivo_sim.domain.urls import split_host
from plivo_sim.settings import Settings
from plivo_sim.web.calls import Untrusted, current_call

_INBOX = "/_sim/inbox/"


PROBES = "/_sim/health/"
"""Whoever starts and stops us asks there, by address, and every few seconds."""


def check_caller(request: Request, settings: Settings) -> None:
    """Raise Untrusted unless ``Host`` is ours and the caller no page of another origin.

    ``Origin``, if any, has to be our own, or of a host that the settings allow: proxies and tunnels
    rewrite one of the two headers and not the other. Images, frames and scripts of other pages
    have none: there the browser's ``Sec-Fetch-Site`` tells. A link that somebody follows to here
    may come from anywhere. Callbacks, of this or another simulator, only reach the inbox: one that
    replays itself would never end. Probes give nothing away, and anybody is answered.
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
        raise Untrusted(
            f"a callback steers nothing; the place to receive callbacks is {_INBOX}NAME"
        )


def _is_followed_link(request: Request) -> bool:
    """A page that is opened by itself, in no frame."""
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
    """What would let a host in, if it is one."""
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
    blueprint = Blueprint("control", __name__, url_prefix="/_sim")
    blueprint.record_once(lambda state: state.app.extensions.setdefault("inboxes", inbox.Inboxes()))

    @blueprint.before_request
    def guard() -> None:
        check_caller(request, current_call().sim.settings)

    routes: list[tuple[str, str, Callable[..., Response]]] = [
        ("GET", "/health", health),
        ("GET", "/clock", clock),
        ("POST", "/clock/advance", advance),
        ("POST", "/clock/pause", pause),
        ("POST", "/clock/resume", resume),
        ("POST", "/clock/rate", rate),
        ("POST", "/clock/set", set_clock),
        ("GET", "/applications/<id>", get_application),
        ("POST", "/applications/<id>/decision", decide),
        ("GET", "/webhooks", list_webhooks),
        ("GET", "/webhooks/<id>", get_webhook),
        ("POST", "/webhooks/<id>/replay", replay_webhook),
        ("GET", "/accounts", list_accounts),
        ("POST", "/accounts", make_account),
        ("POST", "/reset", reset),
        ("POST", "/snapshot", snapshot),
        ("GET", "/snapshot/<path:name>", get_snapshot),
        ("POST", "/restore", restore),
        ("GET", "/openapi/", get_reference),
        ("GET", "/openapi/<name>.json", get_openapi),
    ]
    for module in (probes, inbox, steering, checks):
        routes += module.ROUTES
    routes += listing.LISTING_ROUTES
    for method, rule, view in routes:
        blueprint.add_url_rule(rule, f"{method} {rule}".replace(".", "_"), view, methods=[method])
    return blueprint
