"""Who may do what: whether a request is answered, asked here by every surface and nowhere else
(decision "Who may do what"; invented but for the form of the credentials).

Two things are looked at: whose page made the request, if a browser did, and whose credentials it
carries. Otherwise any web page that a developer opens could drive the simulator (cross-site
requests), also through a name that resolves to 127.0.0.1 (DNS rebinding). The control API and the
console have no credentials and look closer at the page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Request

from plivo_sim.account.account import Account
from plivo_sim.domain.secrets import MASK
from plivo_sim.domain.typed import kept
from plivo_sim.domain.urls import is_loopback, looks_local, split_host
from plivo_sim.settings import Settings
from plivo_sim.simulator import AUTH_ID, main_account
from plivo_sim.web.calls import Unauthenticated, Untrusted
from plivo_sim.web.tls import NAMES

OWN = ("control", "console")
"""What we added to the APIs that are imitated."""

PROBES = "/_sim/health/"
"""Programs that start and stop the server ask here, by address, every few seconds."""

COOKIE = "session"
_INBOX = "/_sim/inbox/"
_NAMED = re.compile(r"(?P<account>MA[A-Za-z0-9]{18})(?![A-Za-z0-9])")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_MEANT = re.compile(r"[MS]A[A-Za-z0-9]{0,22}", re.IGNORECASE)
"""What somebody may have meant as an auth id."""
_OWN_PAGES = ("none", "same-origin")
_NEAR_PAGES = (*_OWN_PAGES, "same-site")
"""``Sec-Fetch-Site`` of an address that somebody typed, of our own pages, and of another port."""


class Caller(NamedTuple):
    """Whose credentials hold: an auth id, ``MA…`` or ``SA…``, and the token that came with it."""

    auth_id: str
    token: str

    @property
    def account_id(self) -> str:
        """The account that it lives in."""
        return main_account(self.auth_id)


def admit(
    request: Request, settings: Settings, surface: str, path_auth_id: str = ""
) -> Caller | None:
    """Who makes this request; None on the surfaces without credentials.

    ``surface``: ``control``, ``console``, ``atoms``, or any other for an API whose URLs name an
    account, which is ``path_auth_id``. Raises Untrusted and Unauthenticated.
    """
    if surface in OWN:
        _check_steering_page(request, settings)
        return None
    check_page(request, settings)
    if surface == "atoms":
        return _bearer_of_atoms(request, settings)
    caller = _basic(request.environ.get("HTTP_AUTHORIZATION", ""))
    _check_token(caller, settings)
    is_parent = path_auth_id.startswith("SA") and caller.auth_id == main_account(path_auth_id)
    if caller.auth_id != path_auth_id and not is_parent:
        raise Unauthenticated("the credentials are not those of the account in the URL")
    return caller


def auth_id_in(path: str) -> str:
    """The auth id in the URL of an API whose URLs name an account; empty where there is none."""
    steps = path.split("/")
    return steps[3] if len(steps) > 3 and steps[2] == "Account" else ""


def accounts_named(request: Request, surface: str) -> list[str]:
    """The accounts that a request means, whether it may or not: by its URL, the user name of its
    credentials, or its Atoms token."""
    found = [auth_id_in(request.path)]
    with suppress(Unauthenticated):
        if surface == "atoms":
            found.append(account_of(_bearer(request)))
        else:
            found.append(_login(request.environ.get("HTTP_AUTHORIZATION", ""))[0])
    return list(dict.fromkeys(main_account(each) for each in found if AUTH_ID.fullmatch(each)))


def keep_token(account: Account, caller: Caller, *, is_read: bool) -> None:
    """Callbacks are signed with the token that was used last (decision "Lenient credentials"); that
    of a read on an account that nothing was written to is not kept (decision "Reads store
    nothing")."""
    if account.on_first_write is not None and is_read:
        return
    if caller.auth_id == account.auth_id:
        account.token = caller.token
    else:
        account.subaccount_token = caller.token


def subaccount_of(path_auth_id: str) -> str | None:
    """The subaccount whose URL was called; None for the main account's."""
    return path_auth_id if path_auth_id.startswith("SA") else None


# --- credentials -----------------------------------------------------------------------------


def _check_token(caller: Caller, settings: Settings) -> None:
    """Lenient: any token, but for an id with a fixed one, and for a subaccount whose account has
    one: it needs its own."""
    fixed = settings.credentials.get(caller.auth_id)
    if fixed is None and caller.account_id in settings.credentials:
        raise Unauthenticated(
            "the account has a fixed token and its subaccount has none; it needs "
            + settings.way("credentials", f"{caller.auth_id}:TOKEN")
        )
    if fixed is not None and not hmac.compare_digest(fixed.encode(), caller.token.encode()):
        raise Unauthenticated("the auth token is wrong")


@kept(256)
def _basic(header: str) -> Caller:
    user, token = _login(header)
    if not AUTH_ID.fullmatch(user):
        raise Unauthenticated("the auth id must be MA or SA and 18 letters or digits")
    if not token:
        raise Unauthenticated("the auth token is empty")
    return Caller(user, token)


def _login(header: str) -> tuple[str, str]:
    """User name and token of Basic credentials, whatever they are. Raises Unauthenticated."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or not encoded.strip():
        raise Unauthenticated("HTTP Basic credentials are required: auth id and auth token")
    try:
        user, colon, token = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except ValueError:  # no base64, no ASCII, no UTF-8
        raise Unauthenticated("the Authorization header is malformed") from None
    if not colon:
        raise Unauthenticated("the Authorization header is malformed")
    return user, token


@kept(256)
def masked_login(header: str) -> str:
    """An Authorization header as it may be shown: the user name as text if it can be meant as an
    auth id (any other may be the token in its place), and never a token. One that is masked already
    stays."""
    user, _, masked = header.removeprefix("Basic ").partition(":")
    if masked == MASK and header.startswith("Basic ") and _MEANT.fullmatch(user):
        return header
    try:
        user, _ = _login(header)
    except Unauthenticated:
        return MASK
    return f"Basic {user}:{MASK}" if _MEANT.fullmatch(user) else MASK


def _bearer_of_atoms(request: Request, settings: Settings) -> Caller:
    """The account of an Atoms token: the one that the settings name, or the one that is derived
    from it. A derived token is not the fixed one of its account."""
    token = _bearer(request)
    named = settings.atoms_tokens.get(token)
    caller = Caller(named or account_of(token), token)
    if named is None and caller.auth_id in settings.credentials:
        way = settings.way("atoms_tokens", f"TOKEN:{caller.auth_id}")
        raise Unauthenticated(f"the account has a fixed token; {way} can name this one")
    return caller


def _bearer(request: Request) -> str:
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


def account_of(token: str) -> str:
    """The account of an Atoms token (decision "Atoms organisations"; invented): the one whose auth
    id the token begins with, alone or before a dot, dash or underscore; else ``MA`` and the first
    18 hexadecimal digits of its SHA-256, in capitals. A proxy can work out both."""
    if named := _NAMED.match(token):
        return named["account"]
    return f"MA{hashlib.sha256(token.encode()).hexdigest()[:18].upper()}"


# --- pages -----------------------------------------------------------------------------------


def check_page(request: Request, settings: Settings) -> None:
    """Raise Untrusted if a page of another site made this request to an imitated API.

    The browser's ``Sec-Fetch-Site`` decides, whether a script asks or a link is followed: a read
    counts, and keeps the token. Where it sends none (plain http to a host that is not this
    machine) the name in ``Host`` must be one that nobody can own on the Internet, or ours: else a
    page of that name can lead it here (DNS rebinding), and reads what it likes; and ``Origin``, if
    there is one, must be of that host. A client that is no browser may use any name.
    """
    origin, site = (request.environ.get(f"HTTP_{name}") for name in ("ORIGIN", "SEC_FETCH_SITE"))
    if not is_of_browser(request.environ) or _is_allowed(origin, settings):
        return
    name = _host_of(origin or "")
    if site is not None:
        foreign = site.lower() not in _NEAR_PAGES
    else:
        for given in _hosts_asked(request):
            host, _ = split_host(given)
            if not (is_ours(host, settings) or (host and looks_local(host)) or host in NAMES):
                told = f"requests of browsers to Host {host or given[:100]!r} are not answered"
                raise Untrusted(f"{told}{_advice(host, settings)}")
        foreign = origin is not None and name != host
    if not foreign:
        return
    whose = f"pages of {origin!r}" if origin else "pages of other sites"
    advice = ""
    if name:
        advice = f"; allow it with {settings.way('cors_origins', origin or '')}"
    raise Untrusted(f"requests from {whose} are not answered{advice}")


def _check_steering_page(request: Request, settings: Settings) -> None:
    """Raise Untrusted if ``Host`` is not ours, or if a page of another origin made this request.

    ``Origin``, if there is one, has to be our own, or of a host that the settings allow: proxies
    and tunnels rewrite one of the two headers and not the other. Images, frames and scripts of
    other pages send no ``Origin``: for them ``Sec-Fetch-Site`` decides. A link that a person
    follows to here may come from anywhere, but puts no message into an inbox. Callbacks, of this
    or another simulator, only reach an inbox: one that replays itself would never end. The probes
    of health are answered for everybody; they reveal nothing.
    """
    if request.path.startswith(PROBES):
        return
    for given in _hosts_asked(request):
        host, _ = split_host(given)
        if not is_ours(host, settings):
            raise Untrusted(
                f"Host {host or given!r} is not this simulator's{_advice(host, settings)}"
            )
    origin = request.headers.get("Origin")
    if origin is not None:
        _check_origin(origin, given, settings)
    foreign = request.headers.get("Sec-Fetch-Site", "none").lower() not in _OWN_PAGES
    if foreign and not _is_followed_link(request):
        raise Untrusted("calls from pages of other origins are not answered")
    is_own = request.headers.get("Sec-Fetch-Site", "").lower() in _OWN_PAGES
    if _receives(request) and is_of_browser(request.environ) and not is_own:
        raise Untrusted("messages from pages of other origins are not answered")
    if "X-Plivo-Sim-Delivery" in request.headers and not request.path.startswith(_INBOX):
        raise Untrusted(f"callbacks are received at {_INBOX}NAME, and make no other call here")


def _hosts_asked(request: Request) -> list[str]:
    """The hosts that have to be allowed; the last is the one that the client called. Of a browser
    also its own ``Host``, where a trusted proxy names another in ``X-Forwarded-Host``: a page may
    send that header itself, past the proxy or through one that hands it on, but cannot change
    ``Host``."""
    hosts: list[str] = [request.headers.get("Host", "")]
    came: dict[str, str | None] = request.environ.get("werkzeug.proxy_fix.orig", {})
    if is_of_browser(request.environ) and "HTTP_HOST" in came:
        hosts.insert(0, came["HTTP_HOST"] or "")
    return hosts


def is_of_browser(environ: dict[str, Any]) -> bool:
    """Whether a browser made this request. Each names its languages, and no page can hold that
    back. Node's ``fetch`` does so too, with a ``Sec-Fetch-Mode`` but no ``Sec-Fetch-Site``: no page
    can make a browser send that."""
    if "HTTP_ORIGIN" in environ or "HTTP_SEC_FETCH_SITE" in environ:
        return True
    agent: str = environ.get("HTTP_USER_AGENT", "")
    named = "HTTP_ACCEPT_LANGUAGE" in environ or agent.startswith("Mozilla/")
    return named and "HTTP_SEC_FETCH_MODE" not in environ


def _receives(request: Request) -> bool:
    """Whether a GET puts a message into an inbox."""
    name = request.path.removeprefix(_INBOX)
    return request.method in ("GET", "HEAD") and name != request.path and "/" not in name.strip("/")


def _is_followed_link(request: Request) -> bool:
    """Whether a browser opens a page by itself, not in a frame."""
    headers = request.headers
    mode, opened = (headers.get(f"Sec-Fetch-{name}", "").lower() for name in ("Mode", "Dest"))
    return mode == "navigate" and opened == "document" and request.method == "GET"


def _check_origin(origin: str, host: str, settings: Settings) -> None:
    name = _host_of(origin)
    same = name and origin.partition("://")[2].lower() == host.lower()
    if not same and name not in settings.allowed_hosts:
        advice = "" if is_loopback(name) else _advice(name, settings)
        raise Untrusted(f"calls from pages of {origin!r} are not answered{advice}")


def _host_of(origin: str) -> str:
    """The host of an ``Origin`` header; empty for what is none of the web."""
    scheme, _, authority = origin.partition("://")
    return split_host(authority)[0] if scheme in ("http", "https") else ""


def _is_allowed(origin: str | None, settings: Settings) -> bool:
    if not origin:
        return False
    return origin in settings.cors_origins or _host_of(origin) in settings.allowed_hosts


def _advice(name: str, settings: Settings) -> str:
    """The setting that would allow this host, if it is one."""
    if not name:
        return ""
    return f"; allow it with {settings.way('allowed_hosts', name)}"


def is_ours(host: str, settings: Settings) -> bool:
    """Loopback, the address that is listened on, and what the settings name."""
    return bool(host) and (
        is_loopback(host)
        or host in settings.allowed_hosts
        or host in (settings.host.lower(), split_host(urlsplit(settings.public_url).netloc)[0])
    )


# --- browser code of other origins (CORS) ----------------------------------------------------

_EXPOSED = (
    "X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After,"
    " Content-Disposition, X-Plivo-Sim-Dialect, X-Plivo-Sim-Warning, X-Plivo-Sim-Account"
)


def cors_headers(request: Request, settings: Settings) -> dict[str, str]:
    """What lets the browser show an answer to a page whose origin is allowed (invented: whether
    the live service sends any of these is unknown). Nothing while the setting is empty."""
    if not settings.cors_origins:
        return {}
    origin = request.environ.get("HTTP_ORIGIN", "")
    if origin not in settings.cors_origins:
        return {"Vary": "Origin"}
    headers = {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
    }
    asked = request.headers.get
    if not is_preflight(request, settings):
        return headers | {"Access-Control-Expose-Headers": _EXPOSED}
    headers |= {
        "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": asked("Access-Control-Request-Headers", ""),
        "Access-Control-Max-Age": "600",
    }
    if asked("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return headers


def is_preflight(request: Request, settings: Settings) -> bool:
    """Whether a browser asks, without credentials, if an allowed page may make its request."""
    return (
        request.method == "OPTIONS"
        and request.environ.get("HTTP_ORIGIN") in settings.cors_origins
        and "Access-Control-Request-Method" in request.headers
    )
