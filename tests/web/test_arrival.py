"""What is waited for, and how it is counted, is told from a head before the server reads it: both
have to read it alike, however it is spelt."""

from __future__ import annotations

import io
from itertools import product

import pytest

from plivo_sim.web.arrival import Arrival
from plivo_sim.web.codings import is_packed
from plivo_sim.web.parsing import Request

FIRST = b"POST / HTTP/1.1\r\n"
NAMES = ("{}: ", "{}:", "{}:\t ", "{} : ", " {}: ", "X-{}: ")
CASES = (str, str.lower, str.upper, lambda name: name.replace("-", "_"))
CODINGS = (
    "gzip",
    "GZip",
    "x-gzip",
    "deflate",
    "identity",
    "Identity",
    "br",
    "gzip\xa0",
    "\xa0",
    "é",
)
VALUES = {
    "Content-Encoding": (*CODINGS, "gzip,identity", "identity, gzip", ",gzip", "gzip;q=1"),
    "Transfer-Encoding": ("chunked", "Chunked ", "chunked,", ",chunked", "chunked, chunked", "gzip",
                          "chunked\xa0", "chunked;a=b"),
    "Content-Length": ("0", "7", "007", "+7", "-7", "7,7", "7_0", "0x7", "\u00b2", "9" * 19),
}  # fmt: skip
ODD = ("", " ", "{0}\r\n {0}", "\r\n\t{0}", "{0}\x0b", "\x0c{0}", "{0}\n", "{0}\r", "{0}\x00")


def heads(name: str) -> list[bytes]:
    """With this header in each spelling, alone, and once more before or behind another one."""
    values = [*VALUES[name], *(odd.format(VALUES[name][0]) for odd in ODD)]
    lines = [f"{form.format(case(name))}{VALUES[name][0]}" for form, case in product(NAMES, CASES)]
    lines += [f"{name}: {value}" for value in values]
    lines += [
        f"{name}: {one}\r\nX: y\r\n{name.lower()}: {two}"
        for one, two in product(("", VALUES[name][0], VALUES[name][4]), repeat=2)
    ]
    return [f"Host: sim\r\n{line}\r\n\r\n".encode("latin-1") for line in lines]


def served(head: bytes) -> tuple[bool, bool, int] | None:
    """Whether the server unpacks a body with this head, whether it comes in chunks, and its length;
    None where it is refused."""
    try:
        headers = Request.header_reader(io.BytesIO(head))
    except ValueError:
        return None
    coding = headers.get(b"Transfer-Encoding")
    if coding is not None and coding.strip().lower() != b"chunked":
        return None  # 501
    packed = is_packed(headers.get(b"Content-Encoding", b"").decode("latin-1"))
    return packed, coding is not None, int(headers.get(b"Content-Length", 0))


def awaited(head: bytes) -> tuple[bool, bool, int]:
    arrival = Arrival()
    arrival.is_whole(bytearray(FIRST + head))
    assert arrival.has_head
    chunked = arrival._end is None
    return arrival.is_packed, chunked, (arrival._end or arrival.body_at) - arrival.body_at


@pytest.mark.parametrize("name", VALUES)
def test_a_head_is_read_alike_before_it_is_read(name: str) -> None:
    """Unless it is refused."""
    taken = {head: found for head in heads(name) if (found := served(head)) is not None}
    assert len(set(taken.values())) > 1
    assert {head: awaited(head) for head in taken} == taken
