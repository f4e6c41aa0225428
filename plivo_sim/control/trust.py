"""Who may steer: control calls are refused under foreign host names and from foreign pages.

Without this, any web page that a developer opens could drive the simulator (cross-site
requests), also through a name that resolves to 127.0.0.1 (DNS rebinding). DECISIONS 42.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import Request

from plivo_sim.errors import Untrusted
from plivo_sim.settings import Settings


def check_caller(request: Request, settings: Settings) -> None:
    """Raise Untrusted unless ``Host`` is ours and ``Origin``, if any, is the same."""
    host = _name(f"//{request.headers.get('Host', '')}")
    if not _is_ours(host, settings):
        raise Untrusted(
            f"Host {host!r} is not this simulator's; allow it with --allowed-hosts {host} "
            f"or PLIVO_SIM_ALLOWED_HOSTS={host}"
        )
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        raise Untrusted(f"calls from pages of {origin!r} are not answered")


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_ours(host: str, settings: Settings) -> bool:
    if host == "localhost" or host in settings.allowed_hosts or host == settings.host.lower():
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
