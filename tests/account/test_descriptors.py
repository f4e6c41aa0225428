"""How many files may be open, whose they are, and what is for want of them."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import subprocess
import sys
from math import inf

import pytest

from plivo_sim.account import descriptors
from plivo_sim.account.descriptors import Shares, is_wanting
from plivo_sim.account.threads import NoThread
from plivo_sim.domain.limits import LOOK_UPS, SENDS


def taken(shares: Shares[str], who: str) -> int:
    """How many it takes until there is none for it."""
    return next(count for count in range(10**4) if not shares.take(who))


@pytest.mark.parametrize("most", [8, 16, 32, 128, 1024])
def test_however_many_take_what_they_can_half_as_many_find_a_place(most: int) -> None:
    """Among those who come later than others that give nothing back."""
    shares = Shares[str](most, 8)
    had = [taken(shares, str(n)) for n in range(most)]
    assert had == sorted(had, reverse=True)
    assert sum(had) == most
    assert sum(map(bool, had)) > most / 2


def test_who_is_alone_has_all_it_may() -> None:
    assert taken(Shares[str](32, 8), "a") == 8


def test_what_is_given_back_is_there_for_others() -> None:
    """Also for one that has some itself."""
    shares = Shares[str](8, 8)
    for n in range(8):
        taken(shares, str(n))
    assert not shares.take("new")
    shares.give_back("0")
    assert shares.take("new")
    for each in ("new", "0", "0", "0"):
        shares.give_back(each)
    assert shares.take("0")


@pytest.mark.parametrize(
    ("files", "left", "parts"),
    [
        (64, 32, (16, 8, 8)),
        (256, 64, (32, 16, 8)),
        (1024, 256, (128, 64, 32)),
        (65536, 16384, (1024, 64, 1024)),
        (inf, inf, (SENDS.most, 64, LOOK_UPS.most)),
    ],
)
def test_what_clients_leave_is_shared(
    monkeypatch: pytest.MonkeyPatch, files: float, left: float, parts: tuple[int, ...]
) -> None:
    """Among callbacks, journals and look-ups."""
    monkeypatch.setattr(descriptors, "allowed", lambda: files)
    assert descriptors.left_by_clients() == left
    most = descriptors.most_sends, descriptors.most_journals, descriptors.most_look_ups
    assert tuple(each() for each in most) == parts


@pytest.mark.skipif(sys.platform == "win32", reason="nothing limits them")
def test_a_server_may_have_as_many_as_the_system_allows() -> None:
    """In a process of its own."""
    code = (
        "import resource\n"
        "from plivo_sim.account.descriptors import allow_many, allowed\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))\n"
        "allow_many()\n"
        "print(allowed())\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "200\n"


UNKNOWN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
UNTRUSTED = ssl.SSLCertVerificationError(1, "unable to get local issuer certificate")


@pytest.mark.parametrize("error", [UNKNOWN, UNTRUSTED], ids=["look-up", "certificates"])
@pytest.mark.parametrize("is_full", [True, False])
def test_what_hides_why_it_failed(
    monkeypatch: pytest.MonkeyPatch, error: Exception, is_full: bool
) -> None:
    """It is for want of descriptors when there is none."""

    def full(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    if is_full:
        monkeypatch.setattr(os, "open", full)
    assert is_wanting(error) == is_full


@pytest.mark.parametrize(
    ("error", "wants"),
    [
        (OSError(errno.EMFILE, ""), True),
        (OSError(errno.ENFILE, ""), True),
        (OSError(errno.ENOMEM, ""), True),
        (MemoryError(), True),
        (NoThread(), True),
        (RuntimeError(), False),
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), False),
        (TimeoutError(), False),
    ],
)
def test_what_this_process_wants(error: Exception, wants: bool) -> None:
    """What the other side does is nothing of it."""
    assert is_wanting(error) == wants
