"""Uploaded files of one account, stored under the hash of their content.

A document refers to a file by its hash, so the same proof in two applications is kept once. The
name that the client gave is data in the record; it is never a path here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from plivo_sim.errors import StorageFailed
from plivo_sim.store.syncing import NEVER, Syncing


def sha256_of(content: bytes) -> str:
    """The name under which a content is stored: 64 hex characters."""
    return hashlib.sha256(content).hexdigest()


class MemoryFiles:
    """Files in a dictionary."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def keep(self, content: bytes) -> str:
        sha256 = sha256_of(content)
        self._contents.setdefault(sha256, content)
        return sha256

    def read(self, sha256: str) -> bytes | None:
        return self._contents.get(sha256)

    def forget(self, sha256: str) -> None:
        self._contents.pop(sha256, None)

    def forget_all_but(self, kept: Collection[str]) -> None:
        self._contents = {k: v for k, v in self._contents.items() if k in kept}


class DiskFiles:
    """Files in a folder; written aside and renamed, so a reader never sees half a file."""

    def __init__(self, folder: Path, fsync: str = NEVER) -> None:
        self._folder = folder
        self._syncing = Syncing(fsync)

    def keep(self, content: bytes) -> str:
        sha256 = sha256_of(content)
        path = self._folder / sha256
        if not path.exists():
            aside = path.with_suffix(f".{os.getpid()}-{id(content)}")
            try:
                self._write(aside, content)
                aside.replace(path)
                self._syncing.renamed(path)
            except OSError as error:
                with suppress(OSError):
                    aside.unlink(missing_ok=True)
                raise StorageFailed(f"cannot write {path}: {error.strerror}") from error
        return sha256

    def _write(self, aside: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(content)
            self._syncing.whole(file)

    def read(self, sha256: str) -> bytes | None:
        try:
            return (self._folder / sha256).read_bytes()
        except FileNotFoundError:
            return None

    def forget(self, sha256: str) -> None:
        (self._folder / sha256).unlink(missing_ok=True)

    def forget_all_but(self, kept: Collection[str]) -> None:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
