"""Points the plivo SDK for Python at a simulator, without changing it.

``point`` redirects one client, so two simulators can live in one process. ``pointed`` redirects
the whole module for code that builds its own clients, and undoes itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

C = TypeVar("C")
_PREFIXES = ("https://", "http://")
_CONSTANTS = (
    "PLIVO_API_BASE_URI",
    "API_VOICE_BASE_URI",
    "API_VOICE_BASE_URI_FALLBACK_1",
    "API_VOICE_BASE_URI_FALLBACK_2",
)


def point(client: C, url: str) -> C:
    """Redirect one ``plivo.RestClient`` to a simulator; returns the client.

    Every request of it goes there, whatever host the SDK wanted, uploads included: an adapter is
    mounted on both of its sessions.
    """
    for session in (client.session, client.multipart_session):  # type: ignore[attr-defined]
        session.trust_env = False
        adapter = _adapter(url)
        for prefix in _PREFIXES:
            session.mount(prefix, adapter)
    return client


def _adapter(url: str) -> Any:
    from requests.adapters import HTTPAdapter

    target = urlsplit(url)

    class Redirecting(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            wanted = urlsplit(request.url)
            request.url = urlunsplit(
                (target.scheme, target.netloc, wanted.path, wanted.query, wanted.fragment)
            )
            return super().send(request, *args, **kwargs)

    return Redirecting()


@contextmanager
def pointed(url: str) -> Iterator[None]:
    """Within, every client that is built speaks to the simulator; afterwards all is as before.

    Patches the module's base URIs, voice included: a voice call leaves the client's base URI
    changed behind, and the next upload would leave the machine.
    """
    module = import_module("plivo.rest.client")
    before = {name: getattr(module, name) for name in _CONSTANTS}
    for name in _CONSTANTS:
        setattr(module, name, f"{url.rstrip('/')}/v1/Account")
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)
