"""Which callback URLs an application may carry, and which hosts count as local.

The live service takes https only (field-reported for the current dialect; the beta page is silent).
A simulator must also take http to local hosts (decision "Plain-http callbacks").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.urls import host_name

LONGEST_URL = 2048


_METADATA = tuple(
    ipaddress.ip_network(each) for each in ("192.0.0.0/24", "fd00:ec2::/32", "fd20:ce::/32")
)
"""Cloud metadata that answers under a private address (Oracle, Amazon, Google)."""


_ENGINES = frozenset(map(ipaddress.ip_address, ("169.254.1.2", "0.250.250.254")))
"""What ``host.docker.internal`` and its like mean under Podman and OrbStack: the machine itself."""


_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


_TRANSLATED = ipaddress.ip_network("64:ff9b::/32")


_LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".test", ".lan", ".home.arpa")


def looks_local(host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a host is local by its name alone, without asking any name server.

    Loopback and private addresses, ``localhost``, bare names (compose services) and names under
    suffixes that never resolve in public; and what the user allowed.
    """
    host = host_name(host)
    return host in allowed or _is_local_name(host)


@lru_cache(maxsize=1024)
def _is_local_name(host: str) -> bool:
    """Asked before every callback, mostly of the same few hosts."""
    try:
        return is_local_address(ipaddress.ip_address(host))
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_local_address(address: Address) -> bool:
    """Loopback or private, and not off limits."""
    address = _plain_v4(address)
    return not is_off_limits(address) and (address.is_loopback or address.is_private)


def is_off_limits(address: Address) -> bool:
    """Link-local and other places of cloud metadata, multicast, this network, and what stands for
    an IPv4 address in disguise; but not where a container finds its own machine."""
    address = _plain_v4(address)
    if address in _ENGINES:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour or address.teredo or address in _TRANSLATED:
            return True
    elif address in _THIS_NETWORK:
        return True
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    return any(address in network for network in _METADATA)


def _plain_v4(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


def without_credentials(url: str) -> str:
    """As it may be logged: user name and password, which are never sent either, masked."""
    return re.sub(r"//[^/?#]*@", "//***@", url)


def check(url: str, path: Path, *, https_only: bool, allowed: Collection[str]) -> Problem | None:
    """What is wrong with a callback URL. http to a local host is a *soft* problem where the live
    service takes https only."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return Problem(ProblemKind.BAD_VALUE, path, "is not a valid URL")
    if parts.scheme not in ("http", "https") or not host or not _plain(url):
        return Problem(ProblemKind.BAD_VALUE, path, "must be an http or https URL")
    if len(url) > LONGEST_URL:
        return Problem(ProblemKind.BAD_VALUE, path, f"must have at most {LONGEST_URL} characters")
    if parts.scheme == "http" and https_only:
        local = looks_local(host, allowed)
        text = "must be an https URL"
        return Problem(ProblemKind.BAD_VALUE, path, text, soft=local)
    return None


def _plain(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url
