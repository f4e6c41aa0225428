"""What is expected of a call, by what those like it took."""

from __future__ import annotations

import pytest

from plivo_sim.web.costs import LONG_S, MOST_KINDS, Cost, Costs, alike

ACCOUNT, OTHER = "MA" + "A" * 18, "MA" + "B" * 18
APPLICATION = "0f8fad5b-d9cb-469f-a165-70867728950e"


def request(target: str, size: int = 0, method: str = "GET") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + bytes(size)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        (f"/v1/Account/{ACCOUNT}/EndUser/{APPLICATION}/", f"/v1/Account/{ACCOUNT}/EndUser/7/"),
        (f"/_sim/report?account={ACCOUNT}&limit=10", f"/_sim/report?account={ACCOUNT}&limit=99"),
    ],
)
def test_calls_are_alike(one: str, another: str) -> None:
    assert alike(request(one)) == alike(bytearray(request(another)))


@pytest.mark.parametrize(
    "another",
    [
        request(f"/v1/Account/{OTHER}/EndUser/?limit=20"),
        request(f"/v1/Account/{ACCOUNT}/EndUser/?limit=2000"),
        request(f"/v1/Account/{ACCOUNT}/EndUser/?limit=20", method="POST"),
        request(f"/v1/Account/{ACCOUNT}/EndUser/7/Submit/?limit=20"),
        request(f"/v1/Account/{ACCOUNT}/EndUser/?limit=20", size=5000),
    ],
)
def test_calls_are_not_alike(another: bytes) -> None:
    assert alike(request(f"/v1/Account/{ACCOUNT}/EndUser/?limit=20")) != alike(another)


@pytest.mark.parametrize(
    "came", [b"", b"\r\n", b"GET", b"\xff\x00 \xfe HTTP", b"GET " + b"x" * 9999]
)
def test_what_is_no_request_is_alike_to_something(came: bytes) -> None:
    """It is refused later; here it costs nothing and fails nowhere."""
    assert Costs().expected(alike(came)) is Cost.UNKNOWN


def test_what_is_expected() -> None:
    """Of an account's own calls the last two count; else those of others."""
    costs = Costs()
    own, others = (alike(request(f"/v1/Account/{each}/EndUser/")) for each in (ACCOUNT, OTHER))
    found = [costs.expected(own)]
    for took_s in (LONG_S, LONG_S, 0.0, LONG_S, LONG_S):
        costs.note(own, took_s)
        found.append(costs.expected(own))
    long, small = Cost.LONG, Cost.SMALL
    assert found == [Cost.UNKNOWN, Cost.UNKNOWN, long, small, small, long]
    assert costs.expected(others) is Cost.UNKNOWN
    costs.note(own, 0.0)
    assert costs.expected(others) is Cost.LIKELY_SMALL


def test_the_oldest_are_forgotten() -> None:
    costs = Costs()
    for n in range(MOST_KINDS + 1):
        costs.note(alike(request("/", method=f"M{n}")), 0.0)
    assert len(costs._kept) == MOST_KINDS
