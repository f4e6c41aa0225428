"""Values that break parsers, and ways to spoil what was right. All drawn from one ``Random``."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

TEXTS = [
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e\u0000", "\ufeff", "\ufffe",
    "é" * 300, "e\u0301" * 100, "\U0001f4a9" * 50, "ﷺ" * 20, "İ", "ß", "\r\nX-Injected: 1",
    "%00", "%2e%2e%2f", "../../../../etc/passwd", "..\\..\\boot.ini", "/dev/null", "C:\\x.pdf",
    "CON", "file:///etc/passwd", "http://169.254.169.254/latest", "http://[::1", "javascript:1",
    "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x}", "' OR 1=1 --", "=cmd|' /C x'!A0",
    "NaN", "Infinity", "-1", "0", "1e400", "0x10", "9" * 400, "٣", "1_000", "+1", "true", "null",
    "[]", "{}", "[" * 100, '{"a":' * 100, "a" * 5000, "a," * 2000, "%s%n%x", "{0.__class__}",
    "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "0001-01-01", "1e9d", "999999999999999999d",
    "MA" + "A" * 18, "SA" + "A" * 18, "linked_numbers,end_user", "a=b&c=d", "a[b][c]", "__proto__",
    "constructor", "self", "__class__", "data:application/pdf;base64,AAAA", "data:,x", "{reject}",
    "accepted", "rejected", "draft", "suspended", "IN", "in", "local", "business", "individual",
]  # fmt: skip
SCALARS: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**300, 10**4000, 1.5, -0.0,
    1e308, 5e-324, float("nan"), float("inf"), float("-inf"), [], {}, [[]], [None], {"": None},
    {"\x00": 1}, {"a": {"a": {"a": {}}}},
]  # fmt: skip
HEADERS = [
    "Content-Type", "Content-Length", "Accept", "Authorization", "Cookie", "Host", "Origin",
    "Referer", "User-Agent", "Range", "If-None-Match", "X-Plivo-Sim-Dialect",
    "X-Plivo-Sim-Outcome", "X-Forwarded-For", "X-Forwarded-Host", "X-HTTP-Method-Override",
    "Accept-Encoding", "Content-Encoding", "Transfer-Encoding", "Expect", "Sec-Fetch-Site",
    "Idempotency-Key",
]  # fmt: skip


def text(rng: Random) -> str:
    """A text that somebody did not expect."""
    if rng.random() < 0.8:
        return rng.choice(TEXTS)
    return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(40)))


def value(rng: Random) -> Any:
    """Anything that JSON can hold, and some that it cannot."""
    drawn = rng.random()
    if drawn < 0.45:
        return text(rng)
    if drawn < 0.85:
        return copy.deepcopy(rng.choice(SCALARS))
    if drawn < 0.92:
        return nested(rng.choice([10, 63, 64, 65, 200]), rng.choice(["list", "dict"]))
    return [text(rng) for _ in range(rng.choice([1, 3, 400]))]


def nested(depth: int, kind: str) -> Any:
    """Deep, but not so deep that this process cannot write it down."""
    inner: Any = 1
    for _ in range(depth):
        inner = [inner] if kind == "list" else {"a": inner}
    return inner


def spoiled(rng: Random, plain: Any) -> Any:
    """A copy with one to three places changed."""
    changed = copy.deepcopy(plain)
    for _ in range(rng.choice([1, 1, 2, 3])):
        changed = _spoil_one(rng, changed)
    return changed


def _spoil_one(rng: Random, plain: Any) -> Any:
    if isinstance(plain, dict) and plain and rng.random() < 0.85:
        key = rng.choice(list(plain))
        way = rng.random()
        if way < 0.15:
            del plain[key]
        elif way < 0.25:
            plain[text(rng)] = plain.pop(key)
        elif way < 0.35:
            plain[text(rng)] = value(rng)
        else:
            plain[key] = _spoil_one(rng, plain[key])
        return plain
    if isinstance(plain, list) and plain and rng.random() < 0.7:
        index = rng.randrange(len(plain))
        if rng.random() < 0.2:
            return plain * rng.choice([0, 2, 30])
        plain[index] = _spoil_one(rng, plain[index])
        return plain
    return value(rng)


def json_text(rng: Random, plain: Any) -> bytes:
    """As JSON: NaN, surrogates and duplicate keys included."""
    written = json.dumps(plain, ensure_ascii=rng.random() < 0.7, allow_nan=True)
    if rng.random() < 0.1 and written.startswith("{") and len(written) > 2:
        written = written[:-1] + ", " + written[1:]  # every key twice
    return written.encode("utf-8", rng.choice(["surrogatepass", "replace"]))


def damaged(rng: Random, raw: bytes) -> bytes:
    """Bytes flipped, cut, doubled or put in."""
    content = bytearray(raw)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(content) + 1)
        way = rng.randrange(5)
        if way == 0 and at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            del content[at:]
        elif way == 2:
            del content[at : at + rng.randrange(1, 20)]
        elif way == 3:
            content[at:at] = content[at : at + rng.randrange(1, 60)]
        else:
            content[at:at] = rng.choice(
                [b"\x00", b"\r\n", b"\r\n\r\n", b"--", b'"', b";", b"\xff\xfe", b"%", b"=", b"\\"]
            )
    return bytes(content)
