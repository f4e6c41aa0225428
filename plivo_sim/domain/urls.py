"""Hosts, and what URLs begin with: the only place that writes it, so that every host is right."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not a binding
"""Where somebody who listens on every address is found on this machine."""


_DEFAULT_PORTS = {"http": 80, "https": 443}


_AUTHORITY = re.compile(r"(\[[^][]*:[^][]*\]|[^][:]*)(?::([0-9]{1,5}))?")


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
    return text.rstrip("/")


@lru_cache(maxsize=64)
def base_url_asked(scheme: str, host: str | None, server: tuple[str, int | None] | None) -> str:
    """Where a caller reached us: by its ``Host`` header, or, when that is none that can stand in a
    URL, by the address that the server listens on."""
    name, port = split_host(host or "")
    if not name and server is not None:
        name, port = server
    return base_url(scheme, ANY_ADDRESS.get(name, name) or "localhost", port)


def split_host(text: str) -> tuple[str, int | None]:
    """Name and port of a ``Host`` header or an authority; the name is empty when it is none.

    Names of services have underscores, which the rules of host names do not know.
    """
    match = _AUTHORITY.fullmatch(text) if text.isascii() else None
    if match is None or (match[2] and not 0 < int(match[2]) <= 65535):
        return "", None
    name = host_name(match[1])
    return (name, int(match[2]) if match[2] else None) if _is_host(name) else ("", None)


def host_name(text: str) -> str:
    """A host as it is compared: lower case, no brackets, no last dot, addresses in one spelling."""
    name = text.strip("[]").rstrip(".").lower()
    return str(ipaddress.ip_address(name)) if _is_address(name) else name


def read_host(text: str) -> str:
    """A host alone, as it is compared. Raises ValueError that says what is too much."""
    try:
        name = host_name(text.encode("idna").decode() if not text.isascii() else text)
    except UnicodeError:
        name = ""
    if _is_host(name):
        return name
    alone = split_host(re.sub(r"^[a-z]+://|/.*$", "", text.lower()))[0]
    hint = f"write {alone}" if alone else "write each name in full, such as hooks.example.com"
    raise ValueError(f"{text!r} is no host name; {hint}")


def _is_host(name: str) -> bool:
    return _is_address(name) or _NAME.fullmatch(name) is not None


@lru_cache(maxsize=1024)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
