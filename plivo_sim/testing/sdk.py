"""Points the plivo SDK for Python at a simulator, without changing it.

``point`` redirects one client, so two simulators can live in one process. ``pointed`` redirects
whatever this process sends to the live services, and undoes itself.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from plivo_sim.domain.urls import simulator_url
from plivo_sim.outgoing.pointing import pointed, redirected

__all__ = ["point", "pointed"]

C = TypeVar("C")
_PREFIXES = ("https://", "http://")


def point(client: C, url: str) -> C:
    """Redirect one ``plivo.RestClient`` to a simulator; returns the client.

    Every request of it goes there, whatever host the SDK wanted, uploads included: an adapter is
    mounted on both of its sessions. A URL without a scheme is one of http. Raises ValueError for
    what is no URL, TypeError for another client.
    """
    target = urlsplit(simulator_url(url))
    if not hasattr(client, "multipart_session"):
        raise TypeError(f"only a plivo.RestClient can be pointed, not a {type(client).__name__}")
    for session in (client.session, client.multipart_session):  # type: ignore[attr-defined]
        session.trust_env = False
        adapter = _adapter(target)
        for prefix in _PREFIXES:
            session.mount(prefix, adapter)
    return client


def _adapter(target: SplitResult) -> Any:
    from requests.adapters import HTTPAdapter

    class Redirecting(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = redirected(request.url, target)
            return super().send(request, *args, **kwargs)

    return Redirecting()
