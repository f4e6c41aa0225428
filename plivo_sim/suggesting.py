"""What a mistyped word was probably meant to be. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The known word that is close, else all of them if they are few."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    close = close or [each for each in known if len(word) > 2 and word in each]
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; there are {', '.join(known)}" if known and len(known) < 12 else ""
