"""The lock of an account."""

from __future__ import annotations

from contextlib import ExitStack

from plivo_sim.account.lock import AccountLock
from tests.fakes import meanwhile, until
from tests.support import Http


def test_others_have_their_turn_in_a_long_list() -> None:
    """Between two pieces of it; who waits meanwhile gets the lock before the next one."""
    lock, order = AccountLock(), []
    with ExitStack() as others:

        def wait() -> None:
            with lock:
                order.append("other")

        def make(n: int) -> int:
            if not n:
                others.enter_context(meanwhile(wait))
                until(lambda: lock.waiting == 1)
            assert lock.raw._is_owned()
            order.append(str(n))
            return n

        assert list(lock.in_turns(range(5), make, at_once=2)) == [0, 1, 2, 3, 4]
    assert order == ["0", "1", "other", "2", "3", "4"]


def test_one_long_list_is_made_at_a_time(http: Http) -> None:
    """Of an account; the next waits, and one that takes a single turn does not."""
    account = http.account
    with ExitStack() as others:
        with account.documents:
            short = others.enter_context(meanwhile(lambda: account.in_turns("ab", str, 2)))
            assert short.result(60) == ["a", "b"]
            long = others.enter_context(meanwhile(lambda: account.in_turns("abc", str, 2)))
            until(lambda: account.documents.waiting)
        assert long.result(60) == ["a", "b", "c"]
