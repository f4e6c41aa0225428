"""Points the plivo SDK for Python at a simulator, without changing it.

``point`` redirects one client, so two simulators can live in one process. ``pointed`` redirects
whatever this process sends to the live services, and undoes itself.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from plivo_sim.client import trusting
from plivo_sim.domain.urls import simulator_url
from plivo_sim.outgoing.pointing import pointed, redirected

__all__ = ["point", "pointed"]

C = TypeVar("C")
_PREFIXES = ("https://", "http://")


def point(client: C, url: str, authority: str | None = None) -> C:
    """Redirect one ``plivo.RestClient`` to a simulator; returns the client.

    Every request of it goes there, whatever host the SDK wanted, uploads included: an adapter is
    mounted on both of its sessions. A URL without a scheme is one of http. ``authority``: a file of
    certificates that are trusted in place of the system's, which are those of ``SSL_CERT_FILE`` if
    it is set. Raises ValueError for what is no URL, TypeError for another client, OSError for a
    file that cannot be read, or has none.
    """
    target = urlsplit(simulator_url(url))
    if not hasattr(client, "multipart_session"):
        raise TypeError(f"only a plivo.RestClient can be pointed, not a {type(client).__name__}")
    for session in (client.session, client.multipart_session):  # type: ignore[attr-defined]
        session.trust_env = False
        adapter = _adapter(target, authority)
        for prefix in _PREFIXES:
            session.mount(prefix, adapter)
    return client


def _adapter(target: SplitResult, authority: str | None) -> Any:
    from requests.adapters import HTTPAdapter

    context = trusting(authority) if target.scheme == "https" else None

    class Redirecting(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> Any:
            return super().init_poolmanager(*args, **kwargs, ssl_context=context)

        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.url = redirected(request.url, target)
            return super().send(request, *args, **kwargs)

    return Redirecting()
