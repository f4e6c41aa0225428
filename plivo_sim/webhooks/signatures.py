"""Signatures V2 and V3, computed as the official SDKs' validators do.

Source: observed in all seven SDKs (``validate_signature``, ``validate_v3_signature``); that
compliance callbacks are signed with V3 is field-reported. Values are flat strings.

Why does a receiver's signature check fail? Tries what receivers get wrong, one at a time.

Plivo tells no receiver why its check fails (invented); the ways to be wrong are those observed in
the SDKs' validators (docs/wire-facts.md, "Quirks of the validators") and behind proxies: another
URL than the one that was called, a lost port, parameters left out or taken apart, the nonce of the
other version, another token, another encoding.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from plivo_sim.domain.records import Pairs
from plivo_sim.domain.text import decode_json
from plivo_sim.domain.urls import authority


def sign_v2(token: str, url: str, nonce: str) -> str:
    """Base64 HMAC-SHA256 of ``scheme://host[:port]/path`` plus nonce; query and body count not."""
    parts = urlsplit(url)
    return _hmac(token, f"{parts.scheme}://{parts.netloc}{parts.path}{nonce}")


def sign_v3(
    token: str, method: str, url: str, nonce: str, params: Iterable[tuple[str, str]]
) -> str:
    """Base64 HMAC-SHA256 of url, sorted query and sorted params, a dot and the nonce.

    ``params``: the flat fields of a POST body; for GET everything is in the query of ``url``.
    """
    return _hmac(token, f"{_v3_base(method, url, params)}.{nonce}")


def _v3_base(method: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    fields = sorted(params)
    if method.upper() == "GET":
        query, fields = sorted([*query, *fields]), []
    if query or fields:
        base += "?" + "&".join(f"{key}={value}" for key, value in query)
    if query and fields:
        base += "."
    return base + "".join(key + value for key, value in fields)


def _hmac(token: str, message: str) -> str:
    digest = hmac.digest(token.encode(), message.encode(), "sha256")
    return base64.b64encode(digest).decode()


def signature_headers(
    token: str, method: str, url: str, nonce: str, params: Pairs
) -> tuple[tuple[str, str], ...]:
    """The four headers under their documented names."""
    return (
        ("X-Plivo-Signature-V2", sign_v2(token, url, nonce)),
        ("X-Plivo-Signature-V2-Nonce", nonce),
        ("X-Plivo-Signature-V3", sign_v3(token, method, url, nonce, params)),
        ("X-Plivo-Signature-V3-Nonce", nonce),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """What a receiver saw, and the token that it checks with."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    token: str


def diagnose(seen: ReceivedRequest) -> dict[str, Any]:
    """For V2 and V3: whether it is valid as seen, and which single change makes it so."""
    headers = {name.lower(): value for name, value in seen.headers.items()}
    return {version.lower(): _version(seen, headers, version) for version in ("V2", "V3")}


def _version(seen: ReceivedRequest, headers: Mapping[str, str], version: str) -> dict[str, Any]:
    name = f"x-plivo-signature-{version.lower()}"
    signature, nonce = headers.get(name, ""), headers.get(f"{name}-nonce", "")
    missing = [each for each in (name, f"{name}-nonce") if not headers.get(each)]
    if missing:
        return {"valid": False, "wrong": [f"header {each} is missing" for each in missing]}
    given = signature.split(",")
    if _sign(seen, version, seen.url, nonce, params_of(seen), seen.token) in given:
        return {"valid": True, "wrong": []}
    wrong = [
        told for told, candidate in _candidates(seen, headers, version, nonce) if candidate in given
    ]
    wrong += _encoding(given, _sign(seen, version, seen.url, nonce, params_of(seen), seen.token))
    unknown = "none of the usual mistakes: compare token, URL and body with the sender's log"
    return {"valid": False, "wrong": wrong or [unknown]}


def params_of(seen: ReceivedRequest) -> Pairs:
    """The flat fields of the body: of a form, or of a JSON object of scalars."""
    if seen.method.upper() == "GET" or not seen.body.strip():
        return ()
    try:
        value = decode_json(seen.body)
    except ValueError:
        return tuple(parse_qsl(seen.body, keep_blank_values=True))
    if not isinstance(value, dict):
        return ()
    return tuple((key, str(each)) for key, each in value.items())


def _candidates(
    seen: ReceivedRequest, headers: Mapping[str, str], version: str, nonce: str
) -> Iterator[tuple[str, str]]:
    params = params_of(seen)
    for told, url in _urls(seen.url):
        yield f"URL: {told} ({url})", _sign(seen, version, url, nonce, params, seen.token)
    other = headers.get(f"x-plivo-signature-{'v3' if version == 'V2' else 'v2'}-nonce", "")
    yield (
        "nonce: it is the other version's",
        _sign(seen, version, seen.url, other, params, seen.token),
    )
    trimmed = seen.token.strip()
    yield (
        "token: it has white space around it",
        _sign(seen, version, seen.url, nonce, params, trimmed),
    )
    if version == "V3":
        bare = _sign(seen, version, seen.url, nonce, (), seen.token)
        yield "parameters: the sender signed none, leave the body out", bare
        query = tuple(parse_qsl(urlsplit(seen.url).query, keep_blank_values=True))
        less = tuple(pair for pair in params if pair not in query)
        yield (
            "parameters: those of the query are not parameters of the body",
            _sign(seen, version, seen.url, nonce, less, seen.token),
        )


def _urls(url: str) -> Iterator[tuple[str, str]]:
    parts = urlsplit(url)
    swapped = "https" if parts.scheme == "http" else "http"
    host = parts.hostname or ""
    yield f"scheme: the sender called {swapped}", urlunsplit(parts._replace(scheme=swapped))
    if parts.port is not None:
        yield "port: the sender's URL has none", urlunsplit(parts._replace(netloc=authority(host)))
    for port in (80, 443, 3000, 4000, 5000, 8000, 8080, 8443):
        if parts.port != port:
            netloc = authority(host, port)
            yield f"port: the sender's URL has {port}", urlunsplit(parts._replace(netloc=netloc))
    for name in ("localhost", "127.0.0.1", "host.docker.internal"):
        if name != host:
            netloc = authority(name, parts.port)
            yield f"host: the sender called {name}", urlunsplit(parts._replace(netloc=netloc))
    path = parts.path
    slashed = path.rstrip("/") if path.endswith("/") else f"{path}/"
    yield "path: the last slash differs", urlunsplit(parts._replace(path=slashed))
    if parts.query:
        yield "query: the sender's URL has none", urlunsplit(parts._replace(query=""))


def _encoding(given: list[str], right: str) -> list[str]:
    try:
        raw = base64.b64decode(right)
    except binascii.Error:
        return []
    told = {
        "encoding: the signature is in hexadecimal, it should be base64": raw.hex(),
        "encoding: the signature is in URL-safe base64": base64.urlsafe_b64encode(raw).decode(),
        "encoding: the padding of the base64 is lost": right.rstrip("="),
        "encoding: '+' became a space on its way": right.replace("+", " "),
    }
    return [text for text, candidate in told.items() if candidate in given and candidate != right]


def _sign(
    seen: ReceivedRequest, version: str, url: str, nonce: str, params: Pairs, token: str
) -> str:
    if version == "V2":
        return sign_v2(token, url, nonce)
    return sign_v3(token, seen.method, url, nonce, params)
