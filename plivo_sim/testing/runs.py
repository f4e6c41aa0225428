"""Accounts of single tests: on one server, each test of each run has one of its own."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from plivo_sim.account.account import PAUSED_START
from plivo_sim.client import Client, Unreachable
from plivo_sim.domain.errors import AccountReplaced, SimError
from plivo_sim.outgoing.pointing import Made, last_made, made_since
from plivo_sim.settings import ACCOUNT_SETTINGS, DOCUMENTED
from plivo_sim.simulator import AUTH_ID as ANY_AUTH_ID
from plivo_sim.simulator import main_account
from plivo_sim.testing.checked import checked, checked_verbs
from plivo_sim.testing.handle import Handle
from plivo_sim.testing.records import Request
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN
from plivo_sim.testing.values import setting_of, setting_text
from plivo_sim.variables import RUN_ID
from plivo_sim.web.access import account_of as account_of_token
from plivo_sim.web.access import auth_id_in


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


def _account_of(call: Made) -> str:
    """The account that a call means, by its URL or its Atoms token; empty if it means none."""
    scheme, _, token = call.login.partition(" ")
    named = auth_id_in(call.path) or (account_of_token(token.strip()) * (scheme == "Bearer"))
    return main_account(named) if ANY_AUTH_ID.fullmatch(named) else ""


class Missed(SimError):
    """A call of a test went to an account that is not the test's."""


@checked_verbs
class Remote(Handle):
    """A simulator that runs elsewhere, and accounts of it for one test after the other: one, and
    one for each other that a test names.

    ``run_id`` and the test's name make their ids, so ids repeat for the same run id. Verbs raise
    AccountReplaced once one was reset by somebody else, or the server was restarted.
    """

    others = "unset"
    instead = "that gives it a server of its own"

    def __init__(self, url: str, run_id: str = "", auth_token: str = AUTH_TOKEN) -> None:
        self.run_id = run_id or new_run_id()
        self._token = auth_token
        self._test: tuple[str, int] = "", 1
        self._settings: dict[str, str] = {}
        self._standing_for: dict[str, str] = {}
        self._pointed_before = last_made()
        super().__init__(Client(url), account_of(self.run_id, ""), auth_token)

    def begin(
        self, name: str = "", *, seed: int = 1, auth_token: str = "", **settings: Any
    ) -> None:
        """Make the account of this test, empty. ``auth_token``: default: the handle's. Raises
        ValueError, Unreachable."""
        self._settings = account_settings(**settings)
        self._test = name, seed
        self._pointed_before = last_made()
        self._forget()
        super().use_account(account_of(self.run_id, name, seed), auth_token or self._token)
        self._make(self.auth_id)

    def use_account(self, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN) -> None:
        """See ``Handle.use_account``; while there is a test, of the account that stands for that
        one in it. Raises Unreachable."""
        super().use_account(auth_id, auth_token)
        named, own = self.auth_id, self._began
        if own and named not in own:
            name, seed = self._test
            mine = account_of(self.run_id, f"{name}|{named}", seed)
            if mine not in own:
                self._make(mine)
            self._standing_for[named] = mine
            super().use_account(f"{auth_id[:2]}{mine[2:]}", auth_token)

    def _make(self, auth_id: str) -> None:
        body = {"auth_id": auth_id, "settings": self._settings, "anew": True}
        self._began[auth_id] = self.calls.post("/accounts", body, account=None)["began"]

    def reset(self) -> None:
        """Forget everything in the accounts of this test. No callback of before arrives
        afterwards."""
        self._hints.clear()
        self._pointed_before = last_made()
        for auth_id in [*self._began]:
            self._make(auth_id)

    def report(self) -> str:
        """What happened, in the accounts that stand for others too."""
        told = [super().report()]
        for named, mine in self._standing_for.items():
            if mine != self.auth_id:
                lines = self.calls.get("/report", account=mine, others=self.others)["lines"]
                told += [f"account {mine}, which stands for {named}:", *lines]
        return "\n".join(told)

    def end(self) -> None:
        """Remove the accounts, so that nothing of this test arrives in the next. Raises
        AccountReplaced if one was not the test's any more, and Missed if a call went to one that
        another stood for."""
        self._hints.clear()
        with ExitStack() as each:
            each.callback(self._forget)
            for auth_id in dict.fromkeys((self.auth_id, *self._began)):
                each.callback(self._remove, auth_id)
            for named, mine in self._standing_for.items():
                each.callback(self._check_missed, named, mine)

    def _forget(self) -> None:
        self._began.clear()
        self._standing_for.clear()

    def _remove(self, auth_id: str) -> None:
        try:
            self.calls.post("/reset", account=auth_id)
        except AccountReplaced:
            self.calls.post("/reset", account=auth_id, began=None)
            raise

    def _came_to(self, auth_id: str) -> list[Request]:
        """Those of this test, and of whoever else called it meanwhile."""
        began = datetime.fromisoformat(min(self._began.values()))
        return [each for each in super()._came_to(auth_id) if each.arrived >= began]

    def _elsewhere(self) -> dict[str, list[Request]]:
        """What this process sent there in place of a live service: others call the server, too."""
        host, calls = urlsplit(self.url).netloc, defaultdict[str, set[tuple[str, str]]](set)
        for each in made_since(self._pointed_before):
            account = _account_of(each) if each.netloc == host else ""
            if account and account not in (*self._began, *self._standing_for):
                calls[account].add((each.method, each.path))
        return {
            account: [
                each
                for each in self._came_to(account)
                if any(each.method == method and each.path.endswith(path) for method, path in made)
            ]
            for account, made in calls.items()
        }

    def _check_missed(self, named: str, mine: str) -> None:
        """That nobody called the account by the name that it has in the test: whatever the test
        expects of it, is expected of the other."""
        if since := self._came_to(named):
            raise Missed(
                f"account {named} itself was called during this test: {len(since)} requests, the"
                f" last {since[-1].method} {since[-1].url}. On a shared simulator {mine}"
                " stands for it in this test: take .auth_id of for_account(…), or, where it cannot"
                " be chosen, a server of the test's own: @pytest.mark.plivo_sim(auth_id=…)"
            )

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
        with suppress(Unreachable, SimError):
            handle.end()
        handle.close()
        raise
    try:
        yield handle
    finally:
        try:
            handle.close()
        finally:
            handle.end()
