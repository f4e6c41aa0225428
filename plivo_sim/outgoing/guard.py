"""Stops calls to the live services where they are made, and remembers them.

It stands where a name is resolved or a connection is asked for, below the libraries that answer
for a service (responses, respx, …): what these answer does not leave, and goes on. ``socket``
catches every library of Python; the others are there because a proxy or another resolver would go
round it, or because the line that made the call is not seen from there (event loops resolve names
in other threads and tasks).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from plivo_sim.outgoing import HOSTS, plain_host, read_hosts
from plivo_sim.outgoing.patches import Function, Patch, Patches

ADVICE = (
    "Point it at the simulator (@pytest.mark.plivo_sim(pointed=True), or `with "
    "pointed(plivo_server.url):` of plivo_sim.testing.sdk), or let it pass: "
    '@pytest.mark.plivo_guard("off"), or the ini option plivo_guard = off'
)


class LiveCallError(RuntimeError):
    """A call to a live service that was stopped before it left. ``place``: the line that made it,
    and the host.

    Not an OSError: libraries and applications retry those, or make errors of their own of them.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"{place}, a live service. {ADVICE}")
        self.place = place


class Guard:
    """``switch(True)`` stops every call to one of ``hosts`` that this process makes, with a
    LiveCallError; ``switch(False)`` undoes that. ``root``: the folder that lines are told from.
    Raises ValueError for what is no host name."""

    def __init__(self, hosts: Iterable[str] = HOSTS, root: str = "") -> None:
        self._hosts = read_hosts(hosts)
        self._root = root
        self._on = False
        self._stopped: list[str] = []
        self._patches = Patches(
            Patch(module, name, self._watch(host_of)) for module, name, host_of in _PLACES
        )

    @property
    def is_on(self) -> bool:
        return self._on

    def switch(self, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        if on:
            self._patches.apply()
        else:
            self._patches.undo()

    def take(self) -> list[str]:
        """The places of what was stopped since this was last asked. (Not the errors, which would
        keep all that their frames hold.)"""
        return [self._stopped.pop(0) for _ in range(len(self._stopped))]

    def _watch(self, host_of: Callable[..., Any]) -> Callable[[Function], Function]:
        def wrap(original: Function) -> Function:
            def watched(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                found = host_of(*args, **kwargs)
                for host in map(plain_host, found if isinstance(found, list) else [found]):
                    if host in self._hosts and self._on:
                        self._stop(host)
                return original(*args, **kwargs)

            return watched

        return wrap

    def _stop(self, host: str) -> None:
        __tracebackhide__ = True
        place = f"{self._line()} calls {host}"
        self._stopped.append(place)
        raise LiveCallError(place)

    def _line(self) -> str:
        frame = _innermost_own(sys._getframe(1))
        if frame is None:
            return f"code without a line of yours (thread {threading.current_thread().name!r})"
        name = frame.f_code.co_filename
        if self._root and Path(name).is_relative_to(self._root):
            name = os.path.relpath(name, self._root)
        return f"{name}:{frame.f_lineno} in {frame.f_code.co_qualname}"


def _innermost_own(frame: FrameType | None) -> FrameType | None:
    """The frame nearest to the call that is of nobody's library."""
    while frame is not None and _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


_PLACES_OF_LIBRARIES = tuple(
    str(folder) + os.sep
    for folder in (
        Path(os.__file__).parent,
        Path(__file__).parent.parent,
        Path(sys.executable).parent,
    )
)


@lru_cache(maxsize=4096)
def _is_library(file_name: str) -> bool:
    """Of the standard library, an installed package, a console script, or plivo-sim's own."""
    if file_name.startswith(("<", *_PLACES_OF_LIBRARIES)):
        return True
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(file_name).parts)


# --- where calls are seen, and how their host is read there ---------------------------------------


def _first(host: object = "", *_: Any, **__: Any) -> object:
    return host


def _second(_: object, host: object = "", *__: Any, **___: Any) -> object:
    return host


def _of_streams(
    _: object, protocol_factory: object = None, host: object = "", *__: Any, **___: Any
) -> object:
    """Of an event loop's function; a server may have a list of hosts."""
    return host


def _of_datagrams(
    _: object,
    protocol_factory: object = None,
    local_addr: object = None,
    remote_addr: object = None,
    **__: Any,
) -> object:
    return [_of_address(_, local_addr), _of_address(_, remote_addr)]


def _of_address(_: object, address: object = "", *__: Any) -> object:
    return address[0] if isinstance(address, tuple) and address else ""


def _of_sendto(_: object, *args: object) -> object:
    """The flags before the address may be left out."""
    return _of_address(_, args[-1]) if args else ""


def _of_sendmsg(
    _: object, __: object, ___: object = (), ____: object = 0, address: object = ""
) -> object:
    return _of_address(_, address)


def _of_absolute_url(_: object, method: str, url: str = "", *__: Any, **___: Any) -> object:
    """A request to an HTTP proxy names the whole URL."""
    return urlsplit(url).hostname if url.lower().startswith(("http:", "https:")) else ""


def _of_httpcore(pool: Any, request: Any) -> object:
    return "" if getattr(pool, "_uds", None) else request.url.host


def _of_aiohttp(connector: Any, request: Any, *_: Any, **__: Any) -> object:
    """A resolver of one's own, or a socket file, may lead to a server that a test started."""
    resolver = type(getattr(connector, "_resolver", None))
    leaves = request.proxy or resolver.__module__ == "aiohttp.resolver"
    return request.url.host if leaves else ""


_PLACES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("socket", "getaddrinfo", _first),
    ("socket", "gethostbyname", _first),
    ("socket", "gethostbyname_ex", _first),
    ("socket", "gethostbyaddr", _first),
    ("socket", "socket.bind", _of_address),  # it resolves a name, too
    ("socket", "socket.connect", _of_address),
    ("socket", "socket.connect_ex", _of_address),
    ("socket", "socket.sendto", _of_sendto),
    ("socket", "socket.sendmsg", _of_sendmsg),
    ("asyncio.base_events", "BaseEventLoop.getaddrinfo", _second),
    ("asyncio.base_events", "BaseEventLoop.create_server", _of_streams),
    ("uvloop", "Loop.getaddrinfo", _second),
    ("uvloop", "Loop.create_connection", _of_streams),
    ("uvloop", "Loop.create_server", _of_streams),
    ("uvloop", "Loop.create_datagram_endpoint", _of_datagrams),
    ("http.client", "HTTPConnection.set_tunnel", _second),
    ("http.client", "HTTPConnection.putrequest", _of_absolute_url),
    ("httpcore._sync.connection_pool", "ConnectionPool.handle_request", _of_httpcore),
    ("httpcore._async.connection_pool", "AsyncConnectionPool.handle_async_request", _of_httpcore),
    ("aiohttp.connector", "BaseConnector.connect", _of_aiohttp),
)
