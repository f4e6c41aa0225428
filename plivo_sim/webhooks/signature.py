"""Signatures V2 and V3, computed as the official SDKs' validators do.

Source: observed in all seven SDKs (``validate_signature``, ``validate_v3_signature``); that
compliance callbacks are signed with V3 is field-reported. Values are flat strings.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

from plivo_sim.domain.models import Pairs


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
