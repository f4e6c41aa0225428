"""Hosts and URLs: what a URL begins with, written here only, so that every host is right; which
hosts count as local; and which callback URLs an application may carry.

The live service takes https only (field-reported for the current dialect; the beta page is silent).
A simulator must also take http to local hosts (decision "Plain-http callbacks").
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Collection
from urllib.parse import unquote, urlsplit, urlunsplit

from plivo_sim.domain import limits
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.secrets import as_told
from plivo_sim.domain.typed import kept

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not a binding
"""Where somebody who listens on every address is found on this machine."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(\[[^][:]*:[^][]*\]|[^][:]*)(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def base_url(scheme: str, host: str, port: int | None = None) -> str:
    """Such as ``http://[::1]:8700``: without a last slash, nor a port that the scheme implies."""
    return f"{scheme}://{authority(host, None if port == _DEFAULT_PORTS.get(scheme) else port)}"


def authority(host: str, port: int | None = None) -> str:
    """Host and port as a URL has them: an IPv6 address in brackets, its zone escaped."""
    if ":" in host:
        host = f"[{host.replace('%', '%25')}]"
    return host if port is None else f"{host}:{port}"


def with_scheme(text: str) -> str:
    """What somebody gave as a simulator's URL, and maybe without ``http://``; no last slash."""
    if "://" not in text:
        text = base_url("http", text) if _is_address(text) else f"http://{text}"
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.rstrip('/')}"


def reached_at(url: str) -> str:
    """A server's URL as its own callbacks reach it, which go to no address that means every one."""
    parts = urlsplit(url)
    here = ANY_ADDRESS.get(parts.hostname or "")
    return url if here is None else base_url(parts.scheme, here, parts.port) + parts.path


def simulator_url(given: object) -> str:
    """The same, checked. Raises ValueError that names the argument ``url``."""
    if not isinstance(given, str) or not given:
        raise ValueError(f"url: {given!r} is not a URL; write http://127.0.0.1:8700")
    url = with_scheme(given)
    told = url_trouble(url) or (
        "must have no query and no fragment" if set("?#") & set(url) else ""
    )
    if has_user(url):
        raise ValueError("url: must have no user name and no password, as they would not be sent")
    if told:
        raise ValueError(f"url: {given!r} {told}; write http://127.0.0.1:8700")
    return url


@kept(64)
def base_url_asked(scheme: str, host: str | None, server: tuple[str, int | None] | None) -> str:
    """Where a caller reached us: by its ``Host`` header, or, when that is none that can stand in a
    URL, by the address that the server listens on."""
    name, port = split_host(host or "")
    if not name and server is not None:
        name, port = server
    return base_url(scheme, ANY_ADDRESS.get(name, name) or "localhost", port)


def split_host(text: str) -> tuple[str, int | None]:
    """Name and port of a ``Host`` header or an authority; the name is empty when it is none.

    Names of services have underscores, which the rules of host names do not know. A text that is
    too long to be one is none.
    """
    is_short = len(text) <= limits.HOST.most + len("[]:65535")
    match = _AUTHORITY.fullmatch(text) if is_short and text.isascii() else None
    if match is None or (match[2] and not 0 < int(match[2]) <= 65535):
        return "", None
    name = host_name(match[1])
    return (name, int(match[2]) if match[2] else None) if _is_host(name) else ("", None)


@kept(1024)
def host_name(text: str) -> str:
    """A host as it is compared: lower case, no brackets, no last dot, addresses in one spelling,
    which for an IPv4 address in IPv6 (``::ffff:127.0.0.1``) is that of IPv4."""
    name = text.strip("[]").rstrip(".").lower()
    return str(_plain_v4(ipaddress.ip_address(name))) if _is_address(name) else name


def place_of(url: str) -> tuple[str, int | None]:
    """Host, as it is compared, and port of a valid URL."""
    parts = urlsplit(url)
    return host_name(parts.hostname or ""), parts.port or _DEFAULT_PORTS.get(parts.scheme)


def is_loopback(host: str) -> bool:
    """Whether a host, as ``host_name`` spells it, is this machine, by its name alone."""
    if host == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def read_host(text: str) -> str:
    """A host alone, as it is compared. Raises ValueError that says what is too much."""
    limits.HOST.check(len(text), "the host name")
    try:
        name = host_name(text.encode("idna").decode() if not text.isascii() else text)
    except UnicodeError:
        name = ""
    if _is_host(name):
        return name
    alone = split_host(re.sub(r"^[a-z]+://|/.*$", "", text.lower()))[0]
    hint = f"write {alone}" if alone else "write each name in full, such as hooks.example.com"
    raise ValueError(f"{as_told(text)} is no host name; {hint}")


def _is_host(name: str) -> bool:
    return _is_address(name) or _NAME.fullmatch(name) is not None


@kept(1024)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_METADATA = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.0.0.0/24", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::/32",
    )
)  # fmt: skip
"""Cloud metadata that is not link-local (Oracle, Alibaba, Azure, Amazon, Google)."""
_ENGINES = frozenset(map(ipaddress.ip_address, ("169.254.1.2", "0.250.250.254")))
"""What ``host.docker.internal`` and its like mean under Podman and OrbStack: the machine itself."""
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""``is_private`` counts more: networks of examples, that of benchmarks, out of which some proxies
give public names an address, and what is reserved."""
_DISGUISES = (ipaddress.ip_network("64:ff9b::/32"), ipaddress.ip_network("::/96"))
"""Addresses of IPv6 that stand for one of IPv4: translated, and compatible, among which is ``::1``,
and ``::``."""
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".test", ".lan", ".home.arpa")


def looks_local(host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a host is local by its name alone, without asking any name server.

    Loopback and private addresses, ``localhost``, bare names (compose services) and names under
    suffixes that never resolve in public; and what the user allowed.
    """
    host = host_name(host)
    return host in allowed or _is_local_name(host)


@kept(1024)
def _is_local_name(host: str) -> bool:
    """RequestedOutcome before every callback, mostly of the same few hosts."""
    try:
        return is_local_address(ipaddress.ip_address(host))
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_local_address(address: Address) -> bool:
    """Loopback or private, and not off limits."""
    address = _plain_v4(address)
    if is_off_limits(address):
        return False
    return (
        address.is_loopback
        or address in _ENGINES
        or any(address in network for network in _PRIVATE)
    )


def is_off_limits(address: Address) -> bool:
    """Link-local and other places of cloud metadata, multicast, this network, what is reserved,
    broadcast, and what stands for an IPv4 address in disguise; but not where a container finds its
    own machine."""
    address = _plain_v4(address)
    if address in _ENGINES:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        is_other = not address.is_loopback and any(address in each for each in _DISGUISES)
        if address.sixtofour or address.teredo or is_other:
            return True
    elif address in _THIS_NETWORK or address.is_reserved:  # broadcast is among these
        return True
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    return any(address in network for network in _METADATA)


def names_off_limits(host: str) -> bool:
    """Whether a host, as ``host_name`` spells it, is itself an address that is off limits."""
    return _is_address(host) and is_off_limits(ipaddress.ip_address(host))


Way = Callable[[str, str], str]
"""How one gives a setting, by its name and the value, where a simulator was started: its settings
know it (``Settings.way``)."""


def option_and_variable(name: str, value: str) -> str:
    """How one gives a setting to a server that a command starts."""
    flag = {"credentials": "credential"}.get(name, name.replace("_", "-"))
    return f"--{flag} {value} or PLIVO_SIM_{name.upper()}={value}"


def off_limits_text(host: str, way: Way) -> str:
    """When callbacks go to an address that is off limits."""
    return (
        f"callbacks go to {host} (link-local, metadata, multicast or reserved) only if the server"
        f" is started with {way('allow_callback_hosts', host)}; no setting of an account allows it"
    )


def _plain_v4(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def as_called(url: str) -> str:
    """As a receiver can put it together from the request: with the path ``/`` where it has none,
    without credentials and fragment, which are in no request line."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))


def credentials_in(url: str) -> tuple[str, str] | None:
    """User name and password of a URL, decoded, or None where it has neither."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def has_user(url: str) -> bool:
    """Whether there is a user name or a password before the host, be it a URL or nearly one."""
    rest = url.partition("//")[2]
    for sign in "/?#":
        rest = rest.partition(sign)[0]
    return "@" in rest


def basic(user: str, password: str) -> str:
    """The value of the Authorization header for them."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def is_http_url(url: str) -> bool:
    """Whether it names http or https and a host, though perhaps no request can have it: older
    versions took such ones. Raises ValueError for a half address, or a port that is none."""
    parts = urlsplit(url)
    return bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)


def is_uncallable(url: str) -> bool:
    """Whether it is one of those that no request can have, and that older versions took."""
    try:
        return is_http_url(url) and url_trouble(url) != ""
    except ValueError:
        return False


def url_trouble(url: str) -> str:
    """What is wrong with a URL that somebody gives to be called, by http or https; else empty."""
    if len(url) > limits.CALLBACK_URL.most:
        return f"must have {limits.CALLBACK_URL}"
    try:
        is_whole = is_http_url(url)
    except ValueError:
        return "is not a valid URL"
    is_sendable = url.isascii() and url.isprintable() and " " not in url
    return "" if is_whole and is_sendable else "must be an http or https URL"


def check_callback_url(
    url: str, path: Path, *, https_only: bool, allowed: Collection[str]
) -> Problem | None:
    """What is wrong with a callback URL. http to a local host is a *soft* problem where the live
    service takes https only."""
    if trouble := url_trouble(url):
        return Problem(ProblemKind.BAD_VALUE, path, trouble)
    parts = urlsplit(url)
    if parts.scheme == "http" and https_only:
        local = looks_local(parts.hostname or "", allowed)
        text = "must be an https URL"
        return Problem(ProblemKind.BAD_VALUE, path, text, soft=local)
    return None


def blocked_text(host: str, way: Way) -> str:
    """Why a callback did not go out, and what would let it."""
    if names_off_limits(host_name(host)):
        return f"blocked: {off_limits_text(host, way)}"
    allow = way("allow_callback_hosts", host)
    return f"blocked: {host} is not a local host; allow it with {allow}"
