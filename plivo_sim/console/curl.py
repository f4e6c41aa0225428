"""A request as a curl command: safe to paste, whatever a client has put into it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

LEFT_OUT = frozenset(
    {
        "authorization", "cookie", "proxy-authorization", "host", "content-length", "connection",
        "transfer-encoding", "accept-encoding", "content-encoding", "expect",
    }
)  # fmt: skip
"""Headers that are secret, that curl makes itself, or that told how the body was packed."""


def curl(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Iterable[str] = (),
    credentials: str = "",
) -> str:
    """The command. ``body``: further words; ``credentials``: words of the shell, as they are."""
    command = ["curl"] if method == "GET" else ["curl", "-X", method]
    if set(url) & set("[]{}"):
        command.append("-g")
    words = [shell_word(url)]
    for name, value in headers.items():
        if name.lower() not in LEFT_OUT and not name.startswith("@"):  # that would be a file
            words += ["-H", shell_word(f"{name}: {value}" if value else f"{name};")]
    words += map(shell_word, body)
    return " ".join([*map(shell_word, command), *filter(None, [credentials]), *words])


def shell_line(words: Iterable[str]) -> str:
    """The words as a shell reads them back."""
    return " ".join(map(shell_word, words))


def shell_word(text: str, *, may_break: bool = False) -> str:
    """The text as one word of a shell. What a terminal might obey is escaped, as bash reads it;
    with ``may_break``, lines stay lines."""
    if (text.replace("\n", "") if may_break else text).isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_escaped, text)) + "'"


def _escaped(character: str) -> str:
    if character.isprintable():
        return f"\\x{ord(character):02x}" if character in "\\'!" else character
    code = ord(character)
    if code < 0x80:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\x{code:02x}")
    return f"\\U{code:08x}"
