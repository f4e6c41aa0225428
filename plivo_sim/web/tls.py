"""TLS for clients that cannot be pointed elsewhere: certificates for the live services' names.

A local certificate authority, made with ``trustme`` and kept in a folder, so that it has to be
trusted once. Needs the ``tls`` extra.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from plivo_sim.catalogue.user_files import bytes_in
from plivo_sim.domain.limits import PEM

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
        self._context.load_cert_chain(tls.certificate, tls.key)

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        tls_sock = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return tls_sock, {}


class TlsUnavailable(ValueError):
    """There is no library that makes certificates, no place for them, or a damaged authority."""


def default_folder() -> Path:
    """Where the authority is kept unless a folder is named. Raises TlsUnavailable."""
    try:
        return Path.home() / ".plivo-sim" / "tls"
    except RuntimeError:
        told = "--tls: this user has no home directory; say where the authority is kept: --tls-dir"
        raise TlsUnavailable(told) from None


def make_tls(folder: Path, *more_names: str) -> tuple[Tls, Path]:
    """A certificate for the live services' names and these, and the path of its authority.

    The authority in the folder is used again, or made. Raises TlsUnavailable, OSError.
    """
    try:
        import trustme
    except ImportError:
        raise TlsUnavailable(
            "--tls needs a library that is not installed: pip install trustme"
        ) from None
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, private = folder / "ca.pem", folder / "ca-key.pem"
    if authority.exists() and private.exists():
        try:
            kept = [bytes_in(each, PEM.most) for each in (authority, private)]
            made = trustme.CA.from_pem(*kept)
        except (TypeError, ValueError):
            raise TlsUnavailable(
                f"--tls-dir: {authority} and {private} are not a certificate and its key; "
                "remove both, and new ones are made"
            ) from None
    else:
        made = trustme.CA(organization_name="plivo-sim")
        _write_private(private, made.private_key_pem.bytes())
        made.cert_pem.write_to_path(str(authority))
    issued = made.issue_cert(*NAMES, *more_names)
    certificate, key = folder / "server.pem", folder / "server-key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    _write_private(key, issued.private_key_pem.bytes())
    return Tls(certificate, key), authority


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(content)
