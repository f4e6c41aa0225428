"""What is secret by its name, and how it is masked wherever a request or a URL is shown or logged.

One list for headers, cookies, parameters of queries and forms, and keys of JSON.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from plivo_sim.domain.text import decode_json, encode_json

MASK = "***"
_SECRET = (
    "token", "secret", "passw", "passphrase", 'pwd"', "cookie", "credential", "bearer", "jwt",
    '"session', "apikey", "accesskey", "privatekey", "signingkey", "subscriptionkey", '"auth"',
    '"authkey', '"xauth', 'authorization"',
)  # fmt: skip
"""Parts of names, which are compared in quotes, in small letters and without ``-``, ``_``, ``.``
and blanks: ``"xapikey"`` for ``X-Api-Key``."""
_LAST = frozenset({"key", "sig", "signature", "pass", "otp", "pin"})
"""Last words of names: ``X-Master-Key``, ``encryptionKey``, ``sig``."""
_WORD = re.compile(r"[A-Z]*[a-z0-9]+|[A-Z]+")
_HARMLESS = ("secretary", "letterofauthorization")
_PUBLIC = frozenset({"xidempotencykey", "idempotencykey", "xplivosignature", "xplivosignaturema"})
"""Names with such a last word that are no secret: they are there to be compared."""
_UNREADABLE = b'"(not shown: no JSON, and there may be a secret in it)"'
_PAIR = re.compile(r"(?<=[?#&;])([^?#&;=]*)=([^#&;]+)")


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Whether what has this name is masked."""
    bare = re.sub(r"[-_. ]", "", name).lower()
    if bare not in _PUBLIC and _last_word(name) in _LAST:
        return True
    squeezed = f'"{bare}"'
    for each in _HARMLESS:
        squeezed = squeezed.replace(each, "")
    return any(part in squeezed for part in _SECRET)


def _last_word(name: str) -> str:
    words = _WORD.findall(name)
    return words[-1].lower() if words else ""


def masked_query(query: str) -> str:
    """A query, or a form, as it may be shown."""
    return masked_pairs(f"?{query}")[1:]


def masked_pairs(url: str) -> str:
    """A URL whose secret parameters are masked; all else is as it was."""
    return _PAIR.sub(_masked_pair, url)


def _masked_pair(pair: re.Match[str]) -> str:
    return f"{pair[1]}={MASK}" if is_secret(unquote_plus(pair[1])) else pair[0]


def masked_json(text: bytes, most: int | None = None) -> bytes:
    """JSON in which the values of secret keys are masked; the same text where there are none.

    ``most``: how many bytes of it are shown at all; what stands behind them is not looked at.
    """
    squeezed = text[:most].lower().translate(None, b"-_. ")
    if not any(hint in squeezed for hint in _HINTS):
        return text
    try:
        value = decode_json(text)
    except ValueError:
        return _UNREADABLE
    return encode_json(_masked(value))


_HINTS = {b"key" if part.endswith("key") else part.encode() for part in _SECRET} | {b"\\u"}
_HINTS |= {word.encode() for word in _LAST}
"""One of these is in every text with a secret key, which may be spelt with escapes."""


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if is_secret(key) else _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value
