"""Uploaded files of one account, stored under the hash of their content.

A document refers to a file by its hash, so the same proof in two applications is kept once. The
name that the client gave is data in the record; it is never a path here. Only a hash is: another
name is refused, whoever gives it. What is read is hashed again, so that nobody gets other bytes
than were uploaded.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from plivo_sim.account.store.directory import unguarded
from plivo_sim.account.store.disk import open_file, refuse_link
from plivo_sim.account.store.syncing import NEVER, Syncing
from plivo_sim.domain.errors import FileDamaged, StorageFailed
from plivo_sim.domain.limits import BODY
from plivo_sim.domain.records import checked_hash, is_hash

logger = logging.getLogger("plivo_sim")


def sha256_of(content: bytes) -> str:
    """The name under which a content is stored: 64 hex characters."""
    return hashlib.sha256(content).hexdigest()


class Sizes:
    """How many bytes each kept file has, and all together."""

    def __init__(self) -> None:
        self._each: dict[str, int] = {}
        self._total = 0

    def add(self, name: str, size_bytes: int) -> None:
        self.drop(name)
        self._each[name] = size_bytes
        self._total += size_bytes

    def drop(self, name: str) -> None:
        self._total -= self._each.pop(name, 0)

    def total_with(self, more: Mapping[str, int]) -> int:
        return self._total + sum(more[name] for name in more.keys() - self._each.keys())


class MemoryFiles:
    """Files in a dictionary."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}
        self._sizes = Sizes()

    def keep(self, content: bytes, sha256: str = "") -> str:
        sha256 = checked_hash(sha256 or sha256_of(content))
        self._contents.setdefault(sha256, content)
        self._sizes.add(sha256, len(content))
        return sha256

    def prepare(self, content: bytes, sha256: str) -> Callable[[], None]:
        return lambda: None

    def size_with(self, more: Mapping[str, int]) -> int:
        return self._sizes.total_with(more)

    def read(self, sha256: str) -> bytes | None:
        return self._contents.get(checked_hash(sha256))

    def forget(self, sha256: str) -> bool:
        self._contents.pop(checked_hash(sha256), None)
        self._sizes.drop(sha256)
        return True

    def forget_all_but(self, kept: Collection[str]) -> bool:
        for sha256 in self._contents.keys() - kept:
            self.forget(sha256)
        return True


class DiskFiles:
    """Files in a folder; written aside and renamed, so a reader never sees half a file. ``check``
    raises OSError when the folder may not be written to any more. ``guard`` is that of the folder:
    an account that was moved away may still clean up when it has come back as another one."""

    def __init__(
        self,
        folder: Path,
        fsync: str = NEVER,
        check: Callable[[], None] = unguarded,
        guard: threading.Lock | None = None,
    ) -> None:
        self._folder = folder
        self._check = check
        self._syncing = Syncing(fsync)
        self._sizes: Sizes | None = None  # until somebody asks
        self._prepared: set[Path] = set()
        # No folder goes between a look at it and a file in it.
        self._guard = guard or threading.Lock()

    def prepare(self, content: bytes, sha256: str) -> Callable[[], None]:
        aside = self._aside(content, sha256)
        if not os.path.lexists(self._path(sha256)):
            try:  # the first of an account makes its folders, which a refused one must not
                self._check()
                self._write(aside, content, self._refuse_links)
                self._prepared.add(aside)
            except OSError:
                self._drop(aside)
        return partial(self._end, aside)

    def _end(self, aside: Path) -> None:
        if aside in self._prepared:
            self._prepared.discard(aside)
            self._drop(aside)

    def _drop(self, aside: Path, *above: Path) -> None:
        """With the folder, and those ``above``, if nothing is in them: meanwhile the last file may
        have been forgotten."""
        with suppress(OSError):
            self._check()
            with self._guard:
                self._refuse_links()
                aside.unlink(missing_ok=True)
                for folder in (self._folder, *above):
                    folder.rmdir()

    def _aside(self, content: bytes, sha256: str) -> Path:
        """Where only who has this very content writes it."""
        return self._path(sha256).with_suffix(f".{os.getpid()}-{id(content)}")

    def keep(self, content: bytes, sha256: str = "") -> str:
        sha256 = sha256 or sha256_of(content)
        path = self._path(sha256)
        if not self._has(path, content):
            aside = self._aside(content, sha256)
            try:
                self._check()
                if not self._is_moved(aside, path):
                    self._write(aside, content, self._own_folders)
                    aside.replace(path)
                self._syncing.renamed(path)
            except OSError as error:
                self._drop(aside, self._folder.parent)
                raise StorageFailed(f"cannot write {path}: {error.strerror}") from error
        if self._sizes is not None:
            self._sizes.add(sha256, len(content))
        return sha256

    def size_with(self, more: Mapping[str, int]) -> int:
        if self._sizes is None:
            self._sizes = self._sizes_there()
        return self._sizes.total_with(more)

    def _sizes_there(self) -> Sizes:
        """Of what an earlier process left. What has grown beyond a body is none of ours."""
        sizes = Sizes()
        try:
            with suppress(FileNotFoundError), os.scandir(self._folder) as found:
                for each in found:
                    if is_hash(each.name):  # what lies aside becomes one of these, or goes
                        size_bytes = each.stat(follow_symlinks=False).st_size
                        sizes.add(each.name, min(size_bytes, BODY.most))
        except OSError as error:
            raise StorageFailed(f"cannot look into {self._folder}: {error.strerror}") from error
        return sizes

    def _path(self, sha256: str) -> Path:
        return self._folder / checked_hash(sha256)

    def _write(self, aside: Path, content: bytes, enter: Callable[[], None]) -> None:
        with self._guard:
            enter()
            file = open_file(aside, "wb")
        with file:
            file.write(content)
            self._syncing.whole(file)

    def _own_folders(self) -> None:
        self._syncing.own_folder(self._folder.parent)
        self._syncing.own_folder(self._folder)

    def _is_moved(self, aside: Path, path: Path) -> bool:
        """Whether it was prepared, and is in its place now."""
        if aside not in self._prepared:
            return False
        self._prepared.discard(aside)
        try:
            self._refuse_links()
            aside.replace(path)
        except FileNotFoundError:  # somebody swept it away
            return False
        return True

    def _has(self, path: Path, content: bytes) -> bool:
        """Whether it is there already; anything else in its place is replaced."""
        try:
            self._refuse_links()
            return _content_of(path, len(content)) == content
        except OSError:
            return False

    def read(self, sha256: str) -> bytes | None:
        path = self._path(sha256)
        try:
            self._refuse_links()
            content = _content_of(path, BODY.most)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileDamaged(f"cannot read {path}: {error.strerror or error}") from error
        if content is None or sha256_of(content) != sha256:
            raise FileDamaged(f"{path} is damaged: its content is not what was uploaded")
        return content

    def _refuse_links(self) -> None:
        """Raises OSError when the folder, or the account's, is a link, which may lead anywhere."""
        for folder in (self._folder.parent, self._folder):
            refuse_link(folder)

    def forget(self, sha256: str) -> bool:
        with self._guard:
            is_gone = self._unlink(self._path(sha256))
            self._leave_if_empty()
        return is_gone

    def _leave_if_empty(self) -> None:
        """Without its last file the folder goes, and with it the account's, if nothing is there."""
        for folder in (self._folder, self._folder.parent):
            try:
                folder.rmdir()
            except OSError as error:
                if _is_empty(folder):
                    _tell_that_it_stays(folder, error)

    def forget_all_but(self, kept: Collection[str]) -> bool:
        with self._guard:
            are_gone = self._unlink_all_but(kept)
            self._leave_if_empty()
        return are_gone

    def _unlink_all_but(self, kept: Collection[str]) -> bool:
        try:
            self._refuse_links()
            found = list(self._folder.iterdir())
        except FileNotFoundError:
            return True
        except OSError as error:
            logger.error("cannot look for files in %s: %s", self._folder, error.strerror)
            return False
        unwanted = [path for path in found if _is_ours(path.name) and path.name not in kept]
        stayed = [path for path in unwanted if not self._unlink(path)]
        return not stayed

    def _unlink(self, path: Path) -> bool:
        try:
            self._refuse_links()
            path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except OSError as error:
            _tell_that_it_stays(path, error)
            return False
        if self._sizes is not None:
            self._sizes.drop(path.name)
        return True


def _content_of(path: Path, most_bytes: int) -> bytes | None:
    """What a file holds; None when that is more. Raises OSError."""
    with open_file(path, "rb") as file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            return None
        return file.read(most_bytes)


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as found:
            return next(found, None) is None
    except OSError:
        return False


def _tell_that_it_stays(path: Path, error: OSError) -> None:
    logger.error("cannot remove %s: %s; it is tried again", path, error.strerror)


def _is_ours(name: str) -> bool:
    """A hash, or what lies aside of one: it is being written, or a crash left it."""
    return re.fullmatch(r"[0-9a-f]{64}(\.[0-9]+-[0-9]+)?", name) is not None
