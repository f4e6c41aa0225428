"""Who calls: from a bearer token (or session cookie) to an organisation and a person.

``Authorization: Bearer <key>``, or a session cookie (documented). The cookie is named ``session``
(invented). Any well-formed token is taken; each is an organisation with an account of its own
(DECISIONS 39; invented).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Request

from plivo_sim.errors import Unauthenticated

COOKIE = "session"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True)
class Identity:
    """``auth_id``: the account in which the organisation's applications are made at Plivo."""

    auth_id: str
    organization_id: str
    user_id: str


def identify(request: Request, accounts: Mapping[str, str]) -> Identity:
    """Who sent this; ``accounts``: those of tokens that are not derived. Raises Unauthenticated.

    The organisation follows from the account and the person from the token, so that two keys may
    belong to one organisation (invented).
    """
    token = _token_of(request)
    auth_id = accounts.get(token) or account_of(token)
    return Identity(
        auth_id=auth_id,
        organization_id=_digest("organization", auth_id, 24),
        user_id=f"user_{_digest('user', token, 10)}",
    )


def account_of(token: str) -> str:
    """``MA`` and 18 characters derived from the token (DECISIONS 39; invented)."""
    return f"MA{_digest('account', token, 18).upper()}"


def _token_of(request: Request) -> str:
    header = request.headers.get("Authorization")
    if header is None:
        token = request.cookies.get(COOKIE, "")
        if not token:
            raise Unauthenticated("a bearer token is required: Authorization: Bearer <API key>")
    else:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("the Authorization header is not a bearer token")
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated("the token is malformed")
    return token


def _digest(kind: str, text: str, length: int) -> str:
    return hashlib.blake2b(f"{kind}|{text}".encode()).hexdigest()[:length]
