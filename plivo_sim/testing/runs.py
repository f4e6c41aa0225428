"""Accounts of single tests: on one server, each test of each run has one of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from plivo_sim.account.account import PAUSED_START
from plivo_sim.client import Client, Refused, Unreachable
from plivo_sim.settings import ACCOUNT_SETTINGS, DOCUMENTED
from plivo_sim.testing.checked import checked, checked_verbs
from plivo_sim.testing.handle import Handle
from plivo_sim.testing.starts import AUTH_TOKEN
from plivo_sim.testing.values import setting_of, setting_text

RUN_ID = "PLIVO_SIM_RUN_ID"
"""The variable that says which run this is."""


def new_run_id() -> str:
    """That of the environment, else one that nobody else has."""
    return os.environ.get(RUN_ID) or os.urandom(8).hex()


def account_of(run_id: str, name: str, seed: int = 1) -> str:
    """The auth id of a test: the same for the same run, name and seed."""
    told = "|".join((run_id, str(seed), name))
    return f"MA{hashlib.blake2b(told.encode()).hexdigest()[:18].upper()}"


def account_settings(**changes: Any) -> dict[str, str]:
    """What a test's account starts with, whatever its server has: a clock that stands still at the
    usual instant, reviews as long as published; with these changes, as texts or values.

    Raises ValueError for a setting that is one of a whole server, or none, and for a value that is
    none of it.
    """
    texts = {"paused": "on", "warp": "1", "review_delay": DOCUMENTED}
    for name, given in changes.items():
        setting_of(name, given)
        if name not in ACCOUNT_SETTINGS:
            told = "a setting of the whole server, which does not start for this test"
            raise ValueError(f"{name}: {told}")
        texts[name] = setting_text(name, given)
    if texts["paused"] == "on":
        texts.setdefault("start", PAUSED_START.isoformat())
    return {name: text for name, text in texts.items() if text or name != "start"}


@checked_verbs
class Remote(Handle):
    """A simulator that runs elsewhere, and an account of it for one test after the other.

    ``run_id`` and the test's name make the account's id, so ids repeat for the same run id.
    """

    others = "unset"

    def __init__(self, url: str, run_id: str = "", auth_token: str = AUTH_TOKEN) -> None:
        self.run_id = run_id or new_run_id()
        self._settings: dict[str, str] = {}
        super().__init__(Client(url), account_of(self.run_id, ""), auth_token)

    def begin(self, name: str = "", *, seed: int = 1, **settings: Any) -> None:
        """Make the account of this test, empty. Raises ValueError, Unreachable."""
        self._settings = account_settings(**settings)
        self.use_account(account_of(self.run_id, name, seed), self.auth_token)
        self.reset()

    def reset(self) -> None:
        """Forget everything in this account. No callback of before arrives afterwards."""
        self._hints.clear()
        body = {"auth_id": self.auth_id, "settings": self._settings, "anew": True}
        self.calls.post("/accounts", body, account=None)

    def end(self) -> None:
        """Remove the account, so that nothing of this test arrives in the next."""
        self._hints.clear()
        self.calls.post("/reset")

    def close(self) -> None:
        """Of its own; those of the control API end with the process."""
        self.close_clients()


@checked
@contextmanager
def remote(
    url: str, *, run_id: str = "", name: str = "", auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[Remote]:
    """An account of one's own at a simulator that runs elsewhere: ``with remote(url) as sim: …``.

    Its id is made of ``run_id`` (default: the variable ``PLIVO_SIM_RUN_ID``, else random) and
    ``name``, such as ``self.id()`` of a unittest. ``settings``: of the account. At the end it is
    removed. Raises ValueError for a setting that is none, Unreachable.
    """
    handle = Remote(url, run_id, auth_token)
    account_settings(**settings)  # a wrong one is told before there is anything to remove
    try:
        handle.begin(name, **settings)
    except BaseException:  # it may be there all the same: its answer is lost, or was not waited for
        with suppress(Unreachable, Refused):
            handle.end()
        handle.close()
        raise
    try:
        yield handle
    finally:
        handle.close()
        handle.end()
