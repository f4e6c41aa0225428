"""The header that names a file which is downloaded."""

from __future__ import annotations

import unicodedata
from typing import Literal
from urllib.parse import quote

from flask import Response

_PLAIN_ENOUGH = "!#$&+-.^_`|~"


def name_file(
    response: Response, name: str, how: Literal["inline", "attachment"] = "attachment"
) -> None:
    """Tell clients to save the body under this name, or to show it (RFC 6266).

    A name that is not ASCII goes as ``filename*``, beside an ASCII one for old clients.
    """
    names = {"filename": name}
    if not name.isascii():
        encoded = quote(name, safe=_PLAIN_ENOUGH)
        names = {"filename": _in_ascii(name), "filename*": f"UTF-8''{encoded}"}
    response.headers.set("Content-Disposition", how, **names)


def _in_ascii(name: str) -> str:
    """The name without accents and without letters that have no ASCII form."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, dot, end = plain.rpartition(".") if "." in plain else (plain, "", "")
    return f"{stem.strip() or 'file'}{dot}{end}"
