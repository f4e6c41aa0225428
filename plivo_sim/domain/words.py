"""Words that somebody mistyped, and what was probably meant: one wording for every surface."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

FEW = 11
_OF_NAME = 0.7
"""How much of the name of a country, or of a listed word, must be alike."""


def did_you_mean(
    word: str, known: Collection[str], *, listed: int = FEW, cutoff: float = 0.5, prefix: str = ""
) -> str:
    """``; did you mean 'x'?`` of the known word that has all parts of this one in any order, that
    is closest, or has this one in it; if none is, all of them where they are at most ``listed``,
    else nothing.

    ``cutoff``: how much of it must be alike, from 0 to 1. ``prefix``: what every known word begins
    with where it is shown.
    """
    same = _of_same_parts(word, known)
    close = closest(word, same, 0.0) if same else closest(word, known, cutoff)
    close = close or [each for each in known if len(word) > 2 and word in each]
    if close:
        return meant([prefix + close[0]])
    return f"; there are {', '.join(known)}" if 0 < len(known) <= listed else ""


def _of_same_parts(word: str, known: Collection[str]) -> list[str]:
    """``legacy.create_end_user`` for ``end_user.create``; none for a word of one part."""
    parts = _parts(word)
    return [each for each in known if parts <= _parts(each)] if len(parts) > 1 else []


def _parts(word: str) -> set[str]:
    return set(word.lower().replace("_", ".").replace("-", ".").split("."))


def like_listed(word: str, known: Collection[str]) -> str:
    """The same where the known words are listed already, such as statuses, of which many have
    letters in common without meaning the same: more must be alike."""
    return did_you_mean(word, known, listed=0, cutoff=_OF_NAME)


def like_country(text: str, names: Mapping[str, str]) -> str:
    """The same for the code of a country; who wrote its name means its code. ``names``: code to
    name."""
    if len(text) <= len("IN"):
        return did_you_mean(text.upper(), sorted(names), listed=0)
    codes = {name.lower(): iso for iso, name in names.items()}
    return meant(codes[name] for name in closest(text.lower(), codes, _OF_NAME))


def meant(words: Iterable[str]) -> str:
    """``; did you mean 'x' or 'y'?``, or nothing without words."""
    quoted = " or ".join(f"'{word}'" for word in words)
    return f"; did you mean {quoted}?" if quoted else ""


def closest(word: str, known: Collection[str], cutoff: float) -> list[str]:
    """The known word that is most alike, if one is."""
    import difflib  # only where somebody mistyped: it takes a while to load

    return difflib.get_close_matches(word, known, n=1, cutoff=cutoff)
