"""Who may steer: control calls are refused under foreign host names and from foreign pages.

Without this, any web page that a developer opens could drive the simulator (cross-site
requests), also through a name that resolves to 127.0.0.1 (DNS rebinding). DECISIONS 42.
"""

from __future__ import annotations

import ipaddress
import re

from flask import Request

from plivo_sim.errors import Untrusted
from plivo_sim.settings import Settings

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_INBOX = "/_sim/inbox/"


def check_caller(request: Request, settings: Settings) -> None:
    """Raise Untrusted unless ``Host`` is ours and the caller no page of another origin.

    ``Origin``, if any, has to be our own. Images, frames and scripts of other pages have none:
    there the browser's ``Sec-Fetch-Site`` tells. A link that somebody follows to here may come
    from anywhere. Callbacks, of this or another simulator, only reach the inbox: one that replays
    itself would never end.
    """
    host = _name(request.headers.get("Host", ""))
    if not _is_ours(host, settings):
        raise Untrusted(
            f"Host {host!r} is not this simulator's; allow it with --allowed-hosts {host} "
            f"or PLIVO_SIM_ALLOWED_HOSTS={host}"
        )
    origin = request.headers.get("Origin")
    if origin is not None and _authority(origin) != request.headers["Host"].lower():
        raise Untrusted(f"calls from pages of {origin!r} are not answered")
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


def _authority(origin: str) -> str:
    scheme, _, authority = origin.partition("://")
    return authority.lower() if scheme in ("http", "https") else ""


def _name(host: str) -> str:
    """The host name of a ``Host`` header, without its port; empty when it is none."""
    match = _HOST.fullmatch(host)
    return match[1].strip("[]").rstrip(".").lower() if match else ""


def _is_ours(host: str, settings: Settings) -> bool:
    if host == "localhost" or host in settings.allowed_hosts or host == settings.host.lower():
        return bool(host)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
