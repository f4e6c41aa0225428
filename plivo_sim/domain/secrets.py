"""What is secret by its name, and how it is masked wherever a request or a URL is shown or logged.

One list for headers, cookies, parameters of queries and forms, and keys of JSON; and what stands in
a URL before its host. A text within a text (JSON in a string of JSON, in a field or a parameter, a
URL in any of them) is masked too, down to ``NESTED`` of them.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections import deque
from collections.abc import Iterable, Iterator
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
_HIDDEN = b"(not shown: there may be a secret in it that cannot be told from the rest)"
_CREDENTIALS = re.compile(r"//[^/?#]*@")
_MAYBE_CREDENTIALS = re.compile(rb'/[^/?#"]*@')
_BEGINS_JSON = re.compile(r"""\ufeff?\s*+(?:"\s*+)?(?:\{\s*+\\*"|\[\s*+(?:\\*"|[\[{]))""")
"""As JSON with a string in it begins, or JSON text in a string of JSON. It is read once, however
many blanks there are; nothing is cut off before, since a secret may stand behind any of them."""
_HEADER = re.compile(r"(?m)^([ \t]*)([A-Za-z0-9_.-]{1,100})([ \t]*:[ \t]*)(\S.*)$")
_SHOWN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
"""Characters of what was percent-encoded that are shown as they are."""
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
    """A URL as it may be logged: user name and password, parameters with secret names, and what is
    secret in JSON anywhere in it, masked; all else is as it was, but unquoted if there was any in
    quoted JSON."""
    return _without_json(_masked_pairs(_CREDENTIALS.sub(f"//{MASK}@", url), nested))


def _without_json(url: str) -> str:
    """In parameters it is masked already; here it is looked for in paths, fragments and the like,
    percent-encoded or not, whole or not."""
    plain = _unescaped(url)
    if not ('"' in plain or "'" in plain):
        return url
    shown = _replaced(plain, _of_quoted_names(plain))
    if shown == plain:
        return url
    if "%" not in url:
        return shown
    return quote(shown, safe=_SHOWN, encoding="latin-1", errors="replace")


def _masked_pairs(url: str, nested: int) -> str:
    def masked(pair: re.Match[str]) -> str:
        if is_secret(unquote_plus(pair[1])):
            return f"{pair[1]}={MASK}"
        text = unquote_plus(pair[2])
        shown = masked_text(text, nested)
        return pair[0] if shown == text else f"{pair[1]}={quote(shown, safe='/:@*')}"

    if url.isascii() and "+" not in url and not _may_hold_secret(url.encode()):
        return url  # a plus is a blank, which a name may have
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


def as_told(text: str) -> str:
    """A text in quotes, as it may be told to whom it is refused, and in the log."""
    return repr(masked_text(text))


def _masked_line(line: re.Match[str]) -> str:
    return f"{line[1]}{line[2]}{line[3]}{MASK}" if is_secret(line[2]) else line[0]


def masked_json(text: bytes, most: int | None = None, nested: int = NESTED) -> bytes:
    """JSON in which the values of secret keys are masked, and what is secret within its strings;
    the same text where there is nothing of that. What is no JSON is masked by ``masked_bytes``.

    ``most``: how many bytes of it are shown at all; what stands behind them is not looked at, and
    what is longer is masked as no JSON is.
    """
    if not _may_hold_secret(text[:most]):
        return text
    if most is not None and len(text) > most:
        return masked_bytes(text[:most])
    try:
        value = decode_json(text)
    except ValueError:
        return masked_bytes(text[:most])
    return encode_json(_masked(value, nested))


def _may_hold_secret(text: bytes) -> bool:
    squeezed = text.lower().translate(None, b"-_. \\")
    if _HINT.search(squeezed) or b"\\u" in text or b"%" in text:
        return True
    return b"@" in text and _MAYBE_CREDENTIALS.search(text) is not None


def _hints() -> set[str]:
    """As they stand in quotes, which are perhaps escaped, or in a query."""
    hints = {"key" if part.endswith("key") else part for part in _SECRET} | _LAST
    hints |= {part.strip(_QUOTE) + end for part in _SECRET if part[-1] == _QUOTE for end in "=:"}
    hints |= {sep + part[1:] for part in _SECRET if part[0] == _QUOTE for sep in "?&;#"}
    return {hint for hint in hints if not any(each in hint for each in hints - {hint})}


_HINT = re.compile("|".join(map(re.escape, sorted(_hints()))).encode())
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


# --- what cannot be read as what it should be ------------------------------------------------

_QUOTED_NAME = re.compile(r"""["']([^"'\\\r\n]{1,100}+)\\{0,40}+["']\s*+([:=,])\s*+""")
_BARE_NAME = re.compile(r"(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]{1,100}+)[ \t]*+([:=])[ \t]*+")
_PART_NAME = re.compile(r"""\bname=["']?([^"'\r\n;]{1,100}+)""")
_QUOTE_MARK = re.compile(r"""\\++["']?|["']""")
"""A quote with all the backslashes before it; or these alone."""
_BARE_VALUE = re.compile(r"[^,}\]\s]*+")
_LINE_END = re.compile(r"[\r\n]")
_PAIR_END = re.compile(r"[\r\n&]")
_PART_END = re.compile(r"\n--")
_BLANK_LINE = re.compile(r"\n\r?\n")
_ESCAPED = re.compile(r"\\u00([0-9A-Fa-f]{2})")
_LONGEST_NAME = 200

Span = tuple[int, int, str]
"""From where to where something secret stands, and what is shown in its stead."""


def masked_bytes(raw: bytes) -> bytes:
    """A body or an answer that is broken, cut, or of a kind that nobody reads, as it may be shown:
    what stands behind a secret name is masked, up to the end where nobody can tell where it ends.
    The same bytes where there is nothing of that; nothing of it where names are spelt with escapes
    or in another charset.
    """
    if b"\0" not in raw and not _may_hold_secret(raw):
        return raw
    text = raw.decode("latin-1")
    spans = _secret_spans(text)
    plain = _unescaped(text)
    if plain != text and len(_secret_spans(plain)) != len(spans):
        return _HIDDEN
    return _replaced(text, sorted(spans)).encode("latin-1") if spans else raw


def _replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with masks in the place of these, which are in order."""
    shown, at = [], 0
    for begin, end, mask in spans:
        if end > at:
            shown += [text[at:begin], mask]
            at = end
    return "".join([*shown, text[at:]])


def _unescaped(text: str) -> str:
    """What its escapes mean; without the zeros of UTF-16."""
    for _ in range(NESTED + 1):
        plain = text.replace("\0", "").replace("\\\\", "\\")
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), plain)
        plain = unquote_plus(plain, "latin-1") if "%" in plain else plain
        if plain == text:
            break
        text = plain
    return text


def _secret_spans(text: str) -> list[Span]:
    """What is secret, as far as the names before it tell."""
    spans = [(each.start() + 2, each.end() - 1, MASK) for each in _CREDENTIALS.finditer(text)]
    for kind in (_of_quoted_names, _of_bare_names, _of_parts):
        at = 0
        for span in kind(text):
            if span[0] >= at:  # what is masked already is not looked at again
                spans.append(span)
                at = span[1]
    return spans


def _of_quoted_names(text: str) -> Iterator[Span]:
    names = list(_QUOTED_NAME.finditer(text))
    is_named = any(
        each[1] in _CALLED and each[2] != "," and is_secret(_beginning(text, each.end()))
        for each in names
    )
    masked = 0
    for each in names:
        before = text[max(each.start() - 20, 0) : each.start()].rstrip("\\ \t\r\n")[-1:]
        if each.start() < masked or (each[2] == "," and before != "["):
            continue
        if is_secret(each[1]) or (is_named and each[1] == "value"):
            span = _value_at(text, each.end())
            masked = span[1]
            yield span


def _of_bare_names(text: str) -> Iterator[Span]:
    masked = 0
    for each in _BARE_NAME.finditer(text):
        if each.start() >= masked and is_secret(each[1]):
            masked = _next(_PAIR_END if each[2] == "=" else _LINE_END, text, each.end())
            yield each.end(), masked, MASK


def _of_parts(text: str) -> Iterator[Span]:
    """The contents of the parts of a form."""
    blank = [each.end() for each in _BLANK_LINE.finditer(text)]
    masked = 0
    for each in _PART_NAME.finditer(text):
        following = bisect(blank, each.end())
        if each.start() >= masked and is_secret(each[1]) and following < len(blank):
            begin = blank[following]
            if begin >= masked:
                masked = _next(_PART_END, text, begin)
                yield begin, masked, MASK


def _next(end: re.Pattern[str], text: str, at: int) -> int:
    """Where the first of these begins; the end of all without one."""
    found = end.search(text, at)
    return found.start() if found else len(text)


def _beginning(text: str, at: int) -> str:
    """Of the value of JSON there: so much as a name that is looked for has."""
    text = text[at : at + _LONGEST_NAME]
    begin, end, _ = _value_at(text, 0)
    return text[begin:end]


def _value_at(text: str, at: int) -> Span:
    """The value of JSON that begins there: a string without its quotes; up to the end of all, if
    values are within it."""
    begins = _QUOTE_MARK.match(text, at)
    if begins is None or begins[0].endswith("\\"):
        if text[at : at + 1] in ("[", "{"):
            return at, len(text), f'"{MASK}'
        bare = _BARE_VALUE.match(text, at)
        return at, bare.end() if bare else len(text), f'"{MASK}"'
    for mark in _QUOTE_MARK.finditer(text, begins.end()):
        if mark[0] == begins[0]:
            return begins.end(), mark.start(), MASK
    return begins.end(), len(text), MASK
