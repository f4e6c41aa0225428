"""The state directory: who has it, and which folder in it is an account's.

What is made in it, and what is found in it, is its owner's alone: what others might read is closed
to them when it is opened, what belongs to another user is refused. One process may use it, which
the lock says; once the lock is no longer where it was, somebody has removed or replaced the
directory, and nothing more is written there.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import IO

from plivo_sim.account.store.disk import (
    NOT_ITS_OWN,
    identity_at,
    identity_of,
    is_regular,
    lock_file,
    open_file,
    tell_of_writers,
)
from plivo_sim.account.store.syncing import NEVER, Syncing
from plivo_sim.domain.errors import StateUnreadable
from plivo_sim.domain.text import printable

MOST_HOLDER_BYTES = 200
PROBE = ".ready-"
"""How the names of files begin that are made to see whether something can be written."""


class Claim:
    """A state directory, locked for this process until ``release``. What it makes there, and what
    it finds, is its owner's alone.

    Raises StateUnreadable when another process has it, or another user.
    """

    def __init__(self, state: Path, fsync: str = NEVER) -> None:
        self._path = state / "lock"
        self.accounts = state / "accounts"
        syncing = Syncing(fsync)
        try:
            if not state.exists():
                syncing.own_folder(state)
            syncing.own_folder(self.accounts)
            self._lock = _locked(self._path)
        except OSError as error:
            raise StateUnreadable(
                f"cannot use {error.filename or state}: {error.strerror}"
            ) from error
        self._file = identity_of(os.fstat(self._lock.fileno()))
        with suppress(OSError), open_file(state / "holder", "wb") as file:
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        tell_of_writers(state)
        for each in state.glob(f"{PROBE}*"):  # a process that was killed has left it
            with suppress(OSError):
                each.unlink()

    def folder_of(self, auth_id: str) -> Path:
        """That of an account."""
        return self.accounts / folder_name(auth_id)

    def check(self) -> None:
        """Raise OSError if the directory is not the one that was locked, or was let go of."""
        if self._lock.closed or identity_at(self._path) != self._file:
            raise OSError(
                errno.ESTALE,
                f"{self._path} {NOT_ITS_OWN}, so the state is not this simulator's any more; "
                "start it again",
            )

    def release(self) -> None:
        """Let another process have it."""
        self._lock.close()


def _locked(path: Path) -> IO[bytes]:
    """The file, locked until it is closed or this process dies. Raises StateUnreadable when another
    process has it, and OSError."""
    file = open_file(path, "ab")
    try:
        if not lock_file(file):
            holder = _holder_of(path.parent)
            raise StateUnreadable(
                f"{path.parent} is in use by another plivo-sim{holder and f' ({holder})'};"
                " stop it or choose another --state"
            )
    except BaseException:
        file.close()
        raise
    return file


def in_use(state: Path) -> str | None:
    """Who has a state directory: ``process 1234 on name``, empty when that is not known; None when
    nobody has it."""
    path = state / "lock"
    try:
        if not is_regular(path):
            return None
        with path.open("rb") as file:
            return None if lock_file(file) else _holder_of(state)
    except OSError:
        return None


def _holder_of(state: Path) -> str:
    """What the process that has the lock wrote down. Not in the locked file: Windows lets nobody
    read that."""
    path = state / "holder"
    with suppress(OSError):
        if is_regular(path):
            with path.open("rb") as file:
                return printable(file.read(MOST_HOLDER_BYTES).decode("utf-8", "replace").strip())
    return ""


def unguarded() -> None:
    """Nobody else could have an interest in the place."""


def folder_name(auth_id: str) -> str:
    """What the folder of an account is called: two that differ in capital letters only have folders
    of their own on file systems, too, that take these for the same (NTFS, APFS). One without small
    letters, as Plivo's are, is its own name; else the places of the small ones follow, in hex."""
    small = sum(1 << place for place, letter in enumerate(auth_id) if letter.islower())
    return f"{auth_id.upper()}-{small:x}" if small else auth_id


def account_of(folder: str) -> str:
    """The account whose folder has this name; one that no account's has is returned as it is."""
    name, _, small = folder.partition("-")
    try:
        places = int(small, 16)
    except ValueError:
        return folder
    return "".join(c.lower() if places >> at & 1 else c for at, c in enumerate(name))
