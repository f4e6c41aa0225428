"""Signatures V2, V3 and Ma-V3, computed as the official SDKs' validators do.

Source: observed in all seven SDKs (``validate_signature``, ``validate_v3_signature``). Callbacks
are signed with V3, and requests from Plivo carry Ma-V3 beside it, which is computed in the same way
and keyed with the main account's token (documented; docs/wire-facts.md, "Signature headers"). The
two differ for an application of a subaccount (inferred). Values are flat strings.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlparse, urlsplit, urlunsplit

from plivo_sim.account.account import Account
from plivo_sim.domain.records import Application, Pairs
from plivo_sim.domain.typed import kept
from plivo_sim.domain.urls import as_called


def sign_v2(token: str, url: str, nonce: str) -> str:
    """Base64 HMAC-SHA256 of ``scheme://host[:port]/path`` plus nonce; query and body count not."""
    parts = urlsplit(url)
    return keyed(token, f"{parts.scheme}://{parts.netloc}{parts.path}{nonce}")


def sign_v3(
    token: str, method: str, url: str, nonce: str, params: Iterable[tuple[str, str]]
) -> str:
    """Base64 HMAC-SHA256 of url, sorted query and sorted params, a dot and the nonce.

    ``params``: the flat fields of a POST body; for GET everything is in the query of ``url``.
    """
    return keyed(token, f"{_v3_base(method, url, params)}.{nonce}")


def _v3_base(method: str, url: str, params: Iterable[tuple[str, str]]) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + v3_rest(method, parts.query, params)


def v3_rest(method: str, query_text: str, params: Iterable[tuple[str, str]]) -> str:
    """What follows the path: all that does not depend on the host or the scheme."""
    query = sorted(parse_qsl(query_text, keep_blank_values=True))
    fields = sorted(params)
    if method.upper() == "GET":
        query, fields = sorted([*query, *fields]), []
    rest = ""
    if query or fields:
        rest += "?" + "&".join(f"{key}={value}" for key, value in query)
    if query and fields:
        rest += "."
    return rest + "".join(key + value for key, value in fields)


def keyed(token: str, message: str) -> str:
    """Base64 HMAC-SHA256 of a message."""
    digest = hmac.digest(token.encode(), message.encode(), "sha256")
    return base64.b64encode(digest).decode()


class Tokens(NamedTuple):
    """What keys the signatures of a callback: ``own`` V2 and V3, ``main`` Ma-V3."""

    own: str
    main: str


def tokens_of(account: Account, application: Application | None) -> Tokens | None:
    """The tokens of the account whose application it is, and of the main account: the fixed one,
    or the one that was used last. For one that is unknown, the other's (decision "Lenient
    credentials"; invented). None while neither is known, as after a restore into an account that
    nobody has called yet: its callbacks are not signed. Caller holds the lock."""
    fixed, subaccount = account.settings.credentials, application and application.subaccount
    main = fixed.get(account.auth_id) or account.token
    own = (fixed.get(subaccount) or account.subaccount_token) if subaccount else None
    main = main or account.subaccount_token
    return Tokens(own or main, main) if main else None


def tokens_known(account: Account) -> tuple[tuple[str, str], ...]:
    """Whose tokens may have keyed a signature, and the tokens; none while none is known. Caller
    holds the lock."""
    tokens = tokens_of(account, None)
    if tokens is None:
        return ()
    main = tokens.main
    sub = account.settings.credentials.get(f"SA{account.auth_id[2:]}") or account.subaccount_token
    both = (("main account", main), ("subaccount", sub or main))
    return both[:1] if both[1][1] == main else both


def signature_headers(
    tokens: Tokens, method: str, url: str, nonce: str, params: Pairs
) -> tuple[tuple[str, str], ...]:
    """The five headers under their documented names.

    Validators differ in what they make of a URL with credentials, with parameters in its path,
    without a path, with ``@`` behind its host, or with a scheme in capitals (docs/wire-facts.md,
    "URLs that validators read differently"). For such a URL each V3 header holds a signature for
    each reading, of which a validator needs one (observed). That of V2 can hold one only; it is for
    the URL as the receiver is called (decision "Signatures of odd URLs"; inferred).
    """
    urls = _readings(url)
    scheme = url.partition(":")[0]  # Node keeps its case; the others write it small
    bases = [_v3_base(method, each, params) for each in urls]
    bases = list(dict.fromkeys([*bases, *(scheme + base[len(scheme) :] for base in bases)]))

    def v3(token: str) -> str:
        return ",".join([keyed(token, f"{base}.{nonce}") for base in bases])

    own = v3(tokens.own)
    return (
        ("X-Plivo-Signature-V2", sign_v2(tokens.own, urls[0], nonce)),
        ("X-Plivo-Signature-V2-Nonce", nonce),
        ("X-Plivo-Signature-V3", own),
        ("X-Plivo-Signature-Ma-V3", own if tokens.main == tokens.own else v3(tokens.main)),
        ("X-Plivo-Signature-V3-Nonce", nonce),
    )


@kept(256)
def _readings(url: str) -> tuple[str, ...]:
    """The URL as the receiver is called, and then as it was given: with its credentials (Python) or
    without (the others), without a path, and without parameters in the path (Python)."""
    called, given = urlsplit(as_called(url)), urlsplit(url)
    urls = [
        urlunsplit(called._replace(netloc=netloc, path=path))
        for netloc in (called.netloc, given.netloc)
        for path in (called.path, given.path, urlparse(url).path)
    ]
    urls += [read for each in urls if (read := _as_node_reads(each)) is not None]
    return tuple(dict.fromkeys(urls))


_NODES_CREDENTIALS = re.compile(r"(https?://)[^:@]*(?::[^:@]*)?@", re.IGNORECASE)


def _as_node_reads(url: str) -> str | None:
    """The URL as Node's parser reads one with ``@`` in its path or query: all before it are
    credentials, which are left out, unless there are two colons (observed: docs/wire-facts.md,
    "URLs that validators read differently"). None where it reads it as others do."""
    bare = url.partition("#")[0]
    match = _NODES_CREDENTIALS.match(bare)
    return match and match[1] + bare[match.end() :]
