"""TLS for clients that cannot be pointed elsewhere: certificates for the live services' names.

A local certificate authority, made with ``trustme`` and kept in a folder, so that it has to be
trusted once. Needs the ``tls`` extra.
"""

from __future__ import annotations

from pathlib import Path

from plivo_sim.server import Tls

NAMES = ("api.plivo.com", "api.smallest.ai", "localhost", "127.0.0.1")


class TlsUnavailable(ValueError):
    """The library that makes certificates is not installed, or there is no place for them."""


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
        made = trustme.CA.from_pem(authority.read_bytes(), private.read_bytes())
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
