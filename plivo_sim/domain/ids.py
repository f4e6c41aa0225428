"""Ids and dice, drawn from a seed: the same seed and the same calls give the same ids.

An id is drawn from ``(seed, auth_id, kind, n)`` and looks like a UUID: ``api_id`` like version 1,
as the recorded answers have it, every other one like version 4. Dice are drawn from what was
submitted, never from ids or arrival order (decision "Seeded ids and dice").
"""

from __future__ import annotations

import hashlib

_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def draw_uuid(seed: int, auth_id: str, kind: str, n: int, version: int = 4) -> str:
    """A stable UUID-shaped id."""
    raw = hashlib.blake2b(f"{seed}|{auth_id}|{kind}|{n}".encode(), digest_size=16).hexdigest()
    variant = _VARIANTS[raw[16]]
    return f"{raw[:8]}-{raw[8:12]}-{version}{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"


def draw_fraction(seed: int, *words: object) -> float:
    """A stable number in [0, 1) for these words."""
    text = "\x1f".join(map(str, (seed, *words)))
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(raw) >> 11) / 2**53
