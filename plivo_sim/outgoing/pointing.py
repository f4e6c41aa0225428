"""Redirects what this process sends to the live services, whoever made the client, and when.

At the transport of each HTTP library, not at the SDKs: what an SDK's client was built with does
not matter then. The plivo SDK copies its module's base URI into each client, an upload uses the
copy and an ordinary call the module's; smallestai's addresses are an object that anybody may have
made. And code that calls the APIs with requests, httpx or aiohttp alone is redirected, too. No
client is searched for, changed or remembered, so there is nothing to put back.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

from plivo_sim.outgoing import HOSTS, plain_host, read_hosts
from plivo_sim.outgoing.patches import Function, Patch, Patches


class _Target(NamedTuple):
    to: SplitResult
    hosts: frozenset[str]


class Made(NamedTuple):
    """A call that was redirected. ``number``: its place among all of this process, from 1;
    ``netloc``: of the simulator; ``path``: at the live service; ``login``: its Authorization."""

    number: int
    netloc: str
    method: str
    path: str
    login: str


MOST_MADE = 2000


class _Pointing:
    """Where to: the targets that are in force, the innermost last; and what went there last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._targets: tuple[_Target, ...] = ()
        self.made: deque[Made] = deque(maxlen=MOST_MADE)
        self._patches = Patches(
            Patch(module, name, wrap(self.instead_of)) for module, name, wrap in _TRANSPORTS
        )

    def begin(self, target: _Target) -> None:
        with self._lock:
            if not self._targets:
                self._patches.apply()
            self._targets = (*self._targets, target)

    def end(self, target: _Target) -> None:
        """It need not be the innermost: threads enter and leave as they like."""
        with self._lock:
            self._targets = tuple(each for each in self._targets if each is not target)
            if not self._targets:
                self._patches.undo()

    def instead_of(self, method: str, url: str, headers: Mapping[str, str]) -> str | None:
        """The URL to call instead; None if it is not of a live service."""
        parts = urlsplit(url)
        for target in reversed(self._targets):
            if plain_host(parts.hostname) in target.hosts:
                login = str(headers.get("Authorization", ""))
                with self._lock:
                    number = last_made() + 1
                    self.made.append(
                        Made(number, target.to.netloc, method.upper(), parts.path, login)
                    )
                return redirected(url, target.to)
        return None


def last_made() -> int:
    """The number of the call that was redirected last; 0 if none was."""
    return _POINTING.made[-1].number if _POINTING.made else 0


def made_since(number: int) -> list[Made]:
    """The calls that were redirected after that one, the last 2000 at most."""
    return [each for each in _POINTING.made.copy() if each.number > number]


def redirected(url: str, to: SplitResult) -> str:
    """The same path and query at another base."""
    path, query, fragment = urlsplit(url)[2:]
    return urlunsplit((to.scheme, to.netloc, to.path.rstrip("/") + path, query, fragment))


@contextmanager
def pointed(url: str, hosts: Iterable[str] = HOSTS) -> Iterator[None]:
    """Within, every call to a live service that this process makes with requests, httpx or aiohttp
    goes to the simulator at ``url``, the calls of both SDKs among them, in all threads, by clients
    that were made before, too. Afterwards all is as before.

    The innermost one counts, where several are in force. A client that ``point`` redirected keeps
    its own simulator, and what is sent elsewhere is left alone. ``hosts``: those of the live
    services. A URL without a scheme is one of http. Raises ValueError for what is no URL, and for
    what is no host name.
    """
    from plivo_sim.domain.urls import simulator_url

    target = _Target(urlsplit(simulator_url(url)), read_hosts(hosts))
    _POINTING.begin(target)
    try:
        yield
    finally:
        _POINTING.end(target)


# --- the transports ------------------------------------------------------------------------------

_InsteadOf = Callable[[str, str, Mapping[str, str]], str | None]


def _of_requests(instead_of: _InsteadOf) -> Callable[[Function], Function]:
    def wrap(send: Function) -> Function:
        def sending(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            if (url := instead_of(request.method, request.url, request.headers)) is not None:
                request = request.copy()
                request.url = url
                kwargs["proxies"] = None  # they were chosen for the live service
                if url.startswith("https:") and kwargs.get("verify", True) is True:
                    kwargs["verify"] = _trusted_by_system() or True
            return send(adapter, request, *args, **kwargs)

        return sending

    return wrap


def _trusted_by_system() -> str | None:
    """The file, or folder, of the authorities that OpenSSL trusts, which ``SSL_CERT_FILE`` may
    name, as the verbs of tests do: requests has a list of its own."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath


def _of_httpx(instead_of: _InsteadOf) -> Callable[[Function], Function]:
    def wrap(handle: Function) -> Function:
        def handling(transport: Any, request: Any) -> Any:
            if (url := instead_of(request.method, str(request.url), request.headers)) is not None:
                headers = request.headers.copy()
                headers["Host"] = urlsplit(url).netloc
                request = type(request)(
                    request.method,
                    url,
                    headers=headers,
                    stream=request.stream,
                    extensions=request.extensions,
                )
            return handle(transport, request)

        return handling

    return wrap


def _of_aiohttp(instead_of: _InsteadOf) -> Callable[[Function], Function]:
    def wrap(init: Function) -> Function:
        def making(request: Any, method: str, url: Any, *args: Any, **kwargs: Any) -> Any:
            if (instead := instead_of(method, str(url), kwargs.get("headers") or {})) is not None:
                url = type(url)(instead, encoded=True)
                kwargs["proxy"] = None  # it was chosen for the live service
            return init(request, method, url, *args, **kwargs)

        return making

    return wrap


_TRANSPORTS = (
    ("requests.adapters", "HTTPAdapter.send", _of_requests),
    ("httpx._transports.default", "HTTPTransport.handle_request", _of_httpx),
    ("httpx._transports.default", "AsyncHTTPTransport.handle_async_request", _of_httpx),
    ("aiohttp.client_reqrep", "ClientRequest.__init__", _of_aiohttp),  # for redirects, too
)
_POINTING = _Pointing()
