"""What is secret by its name, and how it is masked wherever a request or a URL is shown or logged.

One list for headers, cookies, parameters of queries and forms, and keys of JSON; and what stands in
a URL before its host. A text within a text (JSON in a string of JSON, in a field or a parameter, a
URL in any of them) is masked too, down to ``NESTED`` of them.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any
from urllib.parse import quote, unquote_plus

from plivo_sim.domain.text import decode_json, encode_json
from plivo_sim.domain.typed import kept

MASK = "***"
_QUOTE = '"'
_SECRET = (
    "token", "secret", "passw", "passphrase", 'pwd"', "cookie", "credential", "bearer", "jwt",
    '"session', "xsession", "sessionid", "sessid", "apikey", "accesskey", "privatekey",
    "signingkey", "subscriptionkey", '"auth"', '"authkey', '"xauth', 'authorization"',
)  # fmt: skip
"""Parts of names, which are compared in quotes, in small letters and without ``-``, ``_``, ``.``
and blanks: ``"xapikey"`` for ``X-Api-Key``."""
_LAST = frozenset(
    {"key", "sig", "signature", "pass", "otp", "pin", "auth", "authentication", "creds", "pw"}
)
"""Last words of names: ``X-Master-Key``, ``encryptionKey``, ``sig``."""
_CALLED = ("name", "key", "header", "field")
"""Under which of these keys the name of a ``value`` stands."""
_WORD = re.compile(r"[A-Z]++[a-z0-9]*+|[a-z0-9]++")
_HARMLESS = ("secretary", "letterofauthorization")
_PUBLIC = frozenset({"xidempotencykey", "idempotencykey", "xplivosignature", "xplivosignaturema"})
"""Names with such a last word that are no secret: they are there to be compared."""
NESTED = 4
"""So many texts within texts are read; where the next one may hold a secret, it is not shown."""
_UNREADABLE = b'"(not shown: no JSON, and there may be a secret in it)"'
_CREDENTIALS = re.compile(r"//[^/?#]*@")
_MAYBE_CREDENTIALS = re.compile(rb'/[^/?#"]*@')
_BEGINS_JSON = re.compile(r"""\ufeff?\s*+(?:"\s*+)?(?:\{\s*+\\*"|\[\s*+(?:\\*"|[\[{]))""")
"""As JSON with a string in it begins, or JSON text in a string of JSON. It is read once, however
many blanks there are; nothing is cut off before, since a secret may stand behind any of them."""
_HEADER = re.compile(r"(?m)^([ \t]*)([A-Za-z0-9_.-]{1,100})([ \t]*:[ \t]*)(\S.*)$")
_PAIR = re.compile(r"(?<=[?#&;])([^?#&;=]*)=([^#&;]+)")


@kept(1024)
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
    last = deque(_WORD.finditer(name), 1)
    return last[0][0].lower() if last else ""


def masked_query(query: str) -> str:
    """A query, or a form, as it may be shown."""
    return _masked_pairs(f"?{query}", NESTED)[1:]


def without_secrets(url: str, nested: int = NESTED) -> str:
    """A URL as it may be logged: user name and password, and parameters with secret names, masked;
    all else is as it was."""
    return _masked_pairs(_CREDENTIALS.sub(f"//{MASK}@", url), nested)


def _masked_pairs(url: str, nested: int) -> str:
    def masked(pair: re.Match[str]) -> str:
        if is_secret(unquote_plus(pair[1])):
            return f"{pair[1]}={MASK}"
        text = unquote_plus(pair[2])
        shown = masked_text(text, nested)
        return pair[0] if shown == text else f"{pair[1]}={quote(shown, safe='/:@*')}"

    return _PAIR.sub(masked, url)


def masked_text(text: str, nested: int = NESTED) -> str:
    """A field, a parameter or a string as it may be shown, where it is JSON, a URL, pairs such as
    those of a form, or lines such as those of headers; all else is as it was. ``nested``: how many
    texts within texts are read."""
    is_json = _BEGINS_JSON.match(text) is not None
    if not is_json and not any(sign in text for sign in ("//", "=", ":")):
        return text
    raw = text.encode("utf-8", "replace")
    if not _may_hold_secret(raw):
        return text
    if not nested:
        return MASK
    if is_json:
        return masked_json(raw, nested=nested - 1).decode()
    text = _HEADER.sub(_masked_line, text)
    return without_secrets(f";{text}", nested - 1)[1:]


def _masked_line(line: re.Match[str]) -> str:
    return f"{line[1]}{line[2]}{line[3]}{MASK}" if is_secret(line[2]) else line[0]


def masked_json(text: bytes, most: int | None = None, nested: int = NESTED) -> bytes:
    """JSON in which the values of secret keys are masked, and what is secret within its strings;
    the same text where there is nothing of that.

    ``most``: how many bytes of it are shown at all; what stands behind them is not looked at.
    """
    if not _may_hold_secret(text[:most]):
        return text
    try:
        value = decode_json(text)
    except ValueError:
        return _UNREADABLE
    return encode_json(_masked(value, nested))


def _may_hold_secret(text: bytes) -> bool:
    squeezed = text.lower().translate(None, b"-_. \\")
    if any(hint in squeezed for hint in _HINTS) or b"\\u" in text or b"%" in text:
        return True
    return b"@" in text and _MAYBE_CREDENTIALS.search(text) is not None


def _hints() -> set[str]:
    """As they stand in quotes, which are perhaps escaped, or in a query."""
    hints = {"key" if part.endswith("key") else part for part in _SECRET} | _LAST
    hints |= {part.strip(_QUOTE) + end for part in _SECRET if part[-1] == _QUOTE for end in "=:"}
    return hints | {sep + part[1:] for part in _SECRET if part[0] == _QUOTE for sep in "?&;#"}


_HINTS = frozenset(hint.encode() for hint in _hints())
"""One of these is in every text with a secret name, unless that is spelt with escapes."""


def _is_secret_name(value: Any) -> bool:
    return isinstance(value, str) and is_secret(value)


def _masked(value: Any, nested: int) -> Any:
    if isinstance(value, dict):
        is_named = "value" in value and any(_is_secret_name(value.get(key)) for key in _CALLED)
        return {
            key: MASK if is_secret(key) or (is_named and key == "value") else _masked(each, nested)
            for key, each in value.items()
        }
    if isinstance(value, list):
        if len(value) == 2 and _is_secret_name(value[0]) and isinstance(value[1], str):
            return [value[0], MASK]
        return [_masked(each, nested) for each in value]
    return masked_text(value, nested) if isinstance(value, str) else value
