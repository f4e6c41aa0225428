"""Certificates for the live services' names.

A local certificate authority, made with ``trustme`` and kept in a folder, so that it has to be
trusted once. Needs the ``tls`` extra.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO

from plivo_sim.account.store.disk import is_regular, lock_file, open_file
from plivo_sim.catalogue.output_files import PATIENCE_S, SHARED, replace_file
from plivo_sim.catalogue.user_files import bytes_in
from plivo_sim.domain.limits import PEM
from plivo_sim.web.tls import NAMES, Tls, TlsUnavailable


def default_folder() -> Path:
    """Where the authority is kept unless a folder is named. Raises TlsUnavailable."""
    try:
        return Path.home() / ".plivo-sim" / "tls"
    except RuntimeError:
        told = "--tls: this user has no home directory; say where the authority is kept: --tls-dir"
        raise TlsUnavailable(told) from None


def make_tls(folder: Path, *more_names: str) -> tuple[Tls, Path]:
    """A certificate for the live services' names and these, and the path of its authority.

    What is in the folder is used again, or made, by one process at a time. Nothing is written
    through a link. Raises TlsUnavailable, OSError.
    """
    try:
        import trustme
    except ImportError:
        raise TlsUnavailable(
            "--tls needs a library that is not installed: pip install trustme"
        ) from None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _not_writable(error.filename, error) from None
    authority, private = folder / "ca.pem", folder / "ca-key.pem"
    with _alone_in(folder):
        if not (authority.exists() and private.exists()):
            made = trustme.CA(organization_name="plivo-sim")
            replace_file(private, made.private_key_pem.bytes())
            replace_file(authority, made.cert_pem.bytes(), SHARED)
        kept = [bytes_in(each, PEM.most) for each in (authority, private)]
        names = (*NAMES, *more_names)
        number = sha256(b"\0".join([*kept, *(name.encode() for name in names)])).hexdigest()[:16]
        issued = folder / f"server-{number}.pem"
        if not is_regular(issued):  # one that others read meanwhile is never replaced
            try:
                server = trustme.CA.from_pem(*kept).issue_cert(*names)
            except (TypeError, ValueError):
                raise TlsUnavailable(
                    f"--tls-dir: {authority} and {private} are not a certificate and its key; "
                    "remove both, and new ones are made"
                ) from None
            replace_file(issued, server.private_key_and_cert_chain_pem.bytes())
    return Tls(issued, issued), authority


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """While others wait. Raises TlsUnavailable after ``PATIENCE_S``, OSError."""
    path = folder / "lock"
    with _opened(path) as file:
        ends_at_s = time.monotonic() + PATIENCE_S
        while not lock_file(file):
            if time.monotonic() >= ends_at_s:
                raise TlsUnavailable(
                    f"--tls-dir: another process has had {path} for {PATIENCE_S:g} s"
                )
            time.sleep(0.02)
        yield


def _opened(path: Path) -> IO[bytes]:
    try:
        return open_file(path, "ab")
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        raise _not_writable(path.parent, error) from None


def _not_writable(folder: str | Path, error: OSError) -> TlsUnavailable:
    return TlsUnavailable(
        f"--tls-dir: {folder}: {error.strerror}; the authority needs a folder that can be written"
        " to"
    )
