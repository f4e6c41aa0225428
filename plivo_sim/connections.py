"""How the application cuts the connection that a request came on; the server provides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CONNECTION_KEY = "plivo_sim.connection"
"""The environ key under which the server puts the connection."""


def cut_connection(environ: WSGIEnvironment, how: Literal["reset", "close"] = "reset") -> None:
    """Cut the TCP connection the request came on; whatever the app answers further is discarded.

    "reset" sends RST; "close" sends FIN after what has been written. What the app's iterable has
    yielded so far has been written: cutting before the first item makes an empty answer, cutting
    between two a truncated one. Raise KeyError if `environ` is not from this server.
    """
    environ[CONNECTION_KEY].cut(how)
