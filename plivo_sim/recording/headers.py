"""Headers as they may stand on a tape: words of HTTP and of the APIs, else stand-ins."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from plivo_sim.domain.secrets import is_secret
from plivo_sim.recording.masks import ACCOUNT, UUID, Masks

Headers = list[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
        "transfer-encoding", "upgrade", "content-length", "host", "accept-encoding",
        "content-encoding", "expect", "proxy-connection",
    }
)  # fmt: skip
"""What belongs to one connection, or is made anew for the next one."""
_LEFT_OUT = HOP_BY_HOP | {"date", "server", "via", "accept-language", "referer", "origin"}
_MEDIA = re.compile(
    r"application/(json|pdf|problem\+json|octet-stream|x-www-form-urlencoded|xml)|image/(png|jpeg|\*)"
    r"|text/(plain|html|xml)|multipart/form-data|\*/\*"
)
_MEDIA_PIECE = re.compile(r"[^/+.,; -]+")
_MEDIA_WORDS = frozenset({"application", "image", "text", "multipart", "json", "xml"})
_CHARSET = re.compile(r"charset=\"?(utf-8|us-ascii|iso-8859-1)\"?", re.IGNORECASE)
_NUMBERED = re.compile(r"x-ratelimit-[a-z]+|retry-after")
_AGENT = re.compile(
    r"(plivo-(python|node|go|ruby|php|java|dotnet)|python-(requests|httpx|urllib3)|axios|node"
    r"|Go-http-client|okhttp|curl|Faraday|GuzzleHttp|PostmanRuntime)/v?[0-9.]{1,20}"
)
_WORDED = frozenset({"x-plivo-sim-dialect", "x-plivo-sim-outcome", "x-content-type-options"})


def masked_headers(headers: Iterable[tuple[str, str]], masks: Masks) -> Headers:
    """The headers in their order; those of the connection are left out."""
    kept = ((name, value) for name, value in headers if name.lower() not in _LEFT_OUT)
    return [(_name(name, masks), _value(name.lower(), value, masks)) for name, value in kept]


def header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The value of the first header of this name, which is in small letters; empty without one."""
    return next((value for each, value in headers if each.lower() == name), "")


def media_type(headers: Iterable[tuple[str, str]]) -> str:
    """Such as ``application/json``; empty where there is none."""
    return header(headers, "content-type").partition(";")[0].strip().lower()


def _name(name: str, masks: Masks) -> str:
    parts = name.split("-")
    is_known = all(masks.words.is_word(part) or part in _PARTS for part in parts)
    return name if is_known else masks.draw.text(name)


_PARTS = frozenset(
    {
        "X", "Cookie", "Agent", "Accept", "Cache", "Sim", "Plivo", "Signature", "Ma", "Nonce",
        "RateLimit", "Ratelimit", "Limit", "Remaining", "Reset", "Retry", "V2", "V3", "Etag",
        "Vary", "After", "Control", "Options", "Pragma", "Www", "Authenticate", "Delivery", "Set",
        "Idempotency", "Strict", "Transport",
    }
)  # fmt: skip


def _value(name: str, value: str, masks: Masks) -> str:
    if name == "authorization":
        return _credentials(value, masks)
    if name == "content-type":
        return _content_type(value, masks)
    if name == "accept":
        return _media(value)
    if name == "user-agent":
        agent = _AGENT.match(value)
        return agent[0] if agent else masks.draw.text(value)
    if _NUMBERED.fullmatch(name) and re.fullmatch(r"\d{1,10}", value):
        return value
    if name in _WORDED and masks.words.is_word(value):
        return value
    if UUID.fullmatch(value) or ACCOUNT.fullmatch(value):
        return masks.stand_in(value)
    return masks.draw.secret(value) if is_secret(name) else masks.stand_in(value)


def _content_type(value: str, masks: Masks) -> str:
    """One that nobody knows has stand-ins for its words, so that its body is read in the same way:
    without a type, it would be JSON."""
    kind, _, options = value.partition(";")
    if _media(kind) or not kind.strip():
        return _media(value)
    made = _MEDIA_PIECE.sub(
        lambda piece: piece[0] if piece[0] in _MEDIA_WORDS else masks.stand_in(piece[0]),
        kind.strip().lower(),
    )
    return made + _media(f";{options}")


def _media(value: str) -> str:
    given = [each.partition(";")[0].strip().lower() for each in value.split(",")]
    kinds = [each for each in given if _MEDIA.fullmatch(each)]
    charset = _CHARSET.search(value)
    return ", ".join(kinds) + (f"; charset={charset[1].lower()}" if charset else "")


def _credentials(value: str, masks: Masks) -> str:
    """``Basic`` with stand-ins, readable as such; another scheme with one word for all of it."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() != "basic":
        shown = scheme if scheme.lower() in ("bearer", "digest", "token") else "Bearer"
        return f"{shown} {masks.draw.secret(rest or scheme)}"
    try:
        user, colon, token = base64.b64decode(rest.strip()).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return f"Basic {masks.draw.secret(rest)}"
    drawn = masks.text(user) + colon + (masks.draw.secret(token) if token else "")
    return f"Basic {base64.b64encode(drawn.encode()).decode()}"
