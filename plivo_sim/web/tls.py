"""TLS for clients that cannot be pointed elsewhere: what the server does with a certificate that
``certificates`` has made for the live services' names. Needs the ``tls`` extra.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from os import PathLike

NAMES = ("api.plivo.com", "api.smallest.ai", "localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Tls:
    """Paths of a PEM certificate (chain) and its private key."""

    certificate: str | PathLike[str]
    key: str | PathLike[str]


class TlsAdapter:
    """The parts of a cheroot TLS adapter that are used; the handshake is part of reading."""

    makefile = None  # a Connection makes its own files

    def __init__(self, tls: Tls) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            self._context.load_cert_chain(tls.certificate, tls.key)
        except ssl.SSLError as error:
            raise TlsUnavailable(
                f"--tls-dir: {tls.certificate} cannot be used ({error}); "
                "remove it, and a new one is made"
            ) from None

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        tls_sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return tls_sock, {}


class TlsUnavailable(ValueError):
    """There is no library that makes certificates, no place for them, or a damaged authority."""
