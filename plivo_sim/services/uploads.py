"""Files that come in: what is wrong with one, and keeping it.

Rules: 5 MB each (documented; 5 MiB here, the lenient reading), names up to 99 characters, no
empty file, no file in two slots of one application (field-reported). Types are told by the first
bytes, never by name or header.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from plivo_sim.domain.models import Document, StoredFile
from plivo_sim.errors import Fault, Path, Problem
from plivo_sim.world import World

LARGEST_BYTES = 5 * 1024 * 1024
LONGEST_NAME = 99

_MAGIC = (
    (b"%PDF-", "PDF", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
    (b"\xff\xd8\xff", "JPEG", "image/jpeg"),
)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as a client sent it; ``name`` is a bare name, without folders."""

    name: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        """What the file store will know it by."""
        return hashlib.sha256(self.content).hexdigest()


def kind_of(content: bytes) -> tuple[str, str] | None:
    """``("PDF", "application/pdf")`` and the like, by the first bytes; None if it is neither."""
    for magic, word, media_type in _MAGIC:
        if content.startswith(magic):
            return word, media_type
    return None


def check(upload: Upload, path: Path, formats: Sequence[str]) -> Problem | None:
    """The first thing that is wrong with a file."""

    def bad(text: str) -> Problem:
        return Problem(Fault.BAD_FILE, path, text, {"name": upload.name})

    if not upload.content:
        return bad(f"file '{upload.name}' is empty")
    if len(upload.content) > LARGEST_BYTES:
        return bad(f"file '{upload.name}' exceeds the 5 MB size limit")
    if len(upload.name) > LONGEST_NAME:
        return bad(f"file name has {len(upload.name)} characters, at most {LONGEST_NAME} allowed")
    kind = kind_of(upload.content)
    if kind is None or kind[0] not in formats:
        found = f"it is {kind[0]}" if kind else "its content is none of them"
        return bad(f"file '{upload.name}' must be {' or '.join(formats)}; {found}")
    return None


def check_distinct(files: Iterable[tuple[int, bytes | str]]) -> list[Problem]:
    """The same file in two slots of one application; ``files``: document index and content
    (or the hash of a kept one)."""
    first: dict[bytes | str, int] = {}
    problems = []
    for index, content in files:
        if content in first:
            text = f"the same file as documents[{first[content]}].file"
            problems.append(Problem(Fault.BAD_FILE, ("documents", index, "file"), text))
        first.setdefault(content, index)
    return problems


def keep(world: World, upload: Upload) -> StoredFile:
    """Store a checked file. It is loose until the record that refers to it is written."""
    kind = kind_of(upload.content)
    sha256 = world.files.keep(upload.content)
    world.loose_files.add(sha256)
    world.when_written(lambda: world.loose_files.discard(sha256))
    return StoredFile(
        sha256=sha256,
        name=upload.name,
        size_bytes=len(upload.content),
        media_type=kind[1] if kind else "application/octet-stream",
    )


def release(world: World, document: Document) -> None:
    """A document goes, or gets another file: the next sweep looks whether anybody needs its own."""
    if document.file is not None:
        world.loose_files.add(document.file.sha256)


def sweep(world: World) -> None:
    """Forget the files that no document refers to; not while a mark might need them.

    Within a transaction it waits until that is written: one that is not leaves the records that
    need them, and so would a kill in between.
    """
    world.when_written(lambda: _sweep(world))


def _sweep(world: World) -> None:
    with world.lock:
        if world.marks:
            return
        if world.any_file_loose:
            kept = {d.file.sha256 for d in world.store.documents.every() if d.file is not None}
            world.files.forget_all_but(kept)
            world.any_file_loose = False
        for sha256 in world.loose_files:
            if not world.store.documents.how_many("file_sha256", sha256):
                world.files.forget(sha256)
        world.loose_files.clear()
