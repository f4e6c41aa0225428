"""Sample files: valid ones, and ones that must be refused."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

LARGEST_BYTES = 5 * 1024 * 1024


def sample(name: str) -> Traversable:
    """One of ``registration_certificate.pdf``, ``gst_certificate.png`` (valid), ``notes.txt``
    (wrong type) and ``empty.pdf``."""
    return resources.files(__name__).joinpath(name)


def write_samples(folder: Path) -> list[Path]:
    """Copy every sample into a folder, and make ``too_big.pdf`` (over 5 MB) there."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("registration_certificate.pdf", "gst_certificate.png", "notes.txt", "empty.pdf")
    paths = []
    for name in names:
        path = folder / name
        path.write_bytes(sample(name).read_bytes())
        paths.append(path)
    too_big = folder / "too_big.pdf"
    too_big.write_bytes(b"%PDF-1.4\n" + b"%" * LARGEST_BYTES)
    return [*paths, too_big]
