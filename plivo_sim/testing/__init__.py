"""The simulator for test suites: in process or served, with verbs that read as sentences.

The pytest plugin hands these out as fixtures; ``in_process()`` and ``served()`` are the same for
unittest and other test runners.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from plivo_sim.account.account import Account
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.control import presenters
from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.records import Application, Delivery, DeliveryState
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.domain.words import did_you_mean
from plivo_sim.machines import default_machine, load_machine_data
from plivo_sim.machines.loader import find_machine, load_machine
from plivo_sim.scenarios.language import FaultRule, WebhookPolicy
from plivo_sim.scenarios.loader import find_scenario, load_scenario, load_scenario_data
from plivo_sim.services import applications, machines, policies
from plivo_sim.services import reviews as planning
from plivo_sim.settings import Settings
from plivo_sim.simulator import AUTH_ID as ANY_AUTH_ID
from plivo_sim.simulator import Simulator, main_account
from plivo_sim.simulator.runner import Advance, Happening
from plivo_sim.testing.clients import Clients
from plivo_sim.webhooks.transport import TIMED_OUT

AUTH_ID = "MATESTTESTTESTTESTTE"

AUTH_TOKEN = "test-token"  # noqa: S105  # not a secret: any token is taken


def test_settings(**changes: Any) -> Settings:
    """What tests start with: a clock that stands still, reviews as long as published, seed 1."""
    return Settings(**{"port": 0, "paused": True, "review_delay": None} | changes)


test_settings.__test__ = False  # type: ignore[attr-defined]  # its name begins with test


P = ParamSpec("P")
R = TypeVar("R")

SETTLE_S = 30.0


def _waits(verb: Callable[Concatenate[Handle, P], R]) -> Callable[Concatenate[Handle, P], R]:
    """A verb that waits for receivers. When it blocks an event loop and receivers do not answer
    meanwhile, the report says why: they may run in that loop."""

    @wraps(verb)
    def watched(self: Handle, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not _has_running_loop():
            return verb(self, *args, **kwargs)
        before = self._silent()
        try:
            return verb(self, *args, **kwargs)
        finally:
            silent = self._silent()
            if urls := sorted({silent[each] for each in silent.keys() - before.keys()}):
                self._hints.append(_LOOP_HINT.format(verb=verb.__name__, urls=", ".join(urls)))

    return watched


_LOOP_HINT = (
    "hint: {urls} did not answer while {verb}(…) blocked the event loop that it was called in. "
    "If that receiver runs in the same loop, it cannot answer meanwhile: "
    "await plivo_server.aio.{verb}(…) instead"
)


def _has_running_loop() -> bool:
    """Whether this thread runs an asyncio event loop right now."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


class Handle(Clients):
    """A simulator and one account of it, with the verbs of a test.

    Verbs that cause callbacks return when the first attempt of each is over; see ``settle``.
    """

    def __init__(
        self, sim: Simulator, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN
    ) -> None:
        super().__init__()
        self.sim = sim
        self.use_account(auth_id, auth_token)

    def use_account(self, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN) -> None:
        """Make this the handle of that account; of a subaccount (``SA…``): the one that it is in,
        with clients of the subaccount. Raises ValueError if it is not an auth id."""
        if not ANY_AUTH_ID.fullmatch(auth_id):
            raise ValueError(f"auth_id: {auth_id!r} is not MA or SA and 18 letters or digits")
        self.auth_id, self.auth_token = main_account(auth_id), auth_token
        self.credentials = auth_id, auth_token
        self._hints: list[str] = []

    @property
    def aio(self) -> Aio:
        """The verbs that wait, for ``await`` in an async test: the event loop goes on meanwhile."""
        return Aio(self)

    @property
    def account(self) -> Account:
        return self.sim.account(self.auth_id)

    # --- time --------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The account's simulated instant."""
        return self.account.now()

    @_waits
    def advance(
        self,
        /,
        by: str | timedelta | None = None,
        *,
        business_days: int = 0,
        to: datetime | None = None,
        **units: float,
    ) -> list[Happening]:
        """Move time: ``advance("3d")``, ``advance(days=3)``, ``advance(business_days=2)``,
        ``advance(to=instant)``. Returns what happened, callbacks included. Raises AssertionError
        when that takes too long."""
        duration = _duration(by, business_days, units)
        return self._whole(self.sim.advance(self.account, duration, to=to))

    @_waits
    def settle(self) -> None:
        """Wait until everything that is due now has happened and nothing is under way to a
        receiver. Raises AssertionError when that takes too long."""
        if not self.sim.runner.finish_due(self.account, SETTLE_S):
            raise AssertionError(
                f"callbacks were still under way after {SETTLE_S:.0f} s\n{self.report()}"
            )

    @_waits
    def advance_until(self, id: str, status: str) -> list[Happening]:
        """Move time from event to event until the application has the status.

        Raises ValueError for a status that the account's machine does not have; NotFound;
        NotReached, which says what it is and when, when nothing more is due; AssertionError when it
        takes too long."""
        self._known(status)
        return self._whole(self.sim.advance_until(self.account, id, status))

    def _known(self, status: str) -> None:
        known = list(self.account.machine.statuses)
        if status not in known:
            raise ValueError(f"there is no status {status!r}{did_you_mean(status, known)}")

    def _whole(self, result: Advance) -> list[Happening]:
        """What happened, of an advance that is over."""
        if result.pending:
            raise AssertionError(f"time was still moving after a while\n{self.report()}")
        return result.happenings

    # --- decisions ---------------------------------------------------------------------------

    def _decide(self, id: str, status: str, reason: str | None = None) -> Application:
        """In this account, if the application is its own."""
        own = self.account.store.applications.fetch(id) is not None
        return self.sim.decide(id, status, reason, account=self.account if own else None)

    @_waits
    def decide(self, id: str, status: str, reason: str | None = None) -> Application:
        """Decide for a status of the machine in use, by hand. Raises ValueError for another."""
        self._known(status)
        return self._decide(id, status, reason)

    @_waits
    def accept(self, id: str) -> Application:
        return self._decide(id, "accepted")

    @_waits
    def reject(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "rejected", reason)

    @_waits
    def ask_for_more(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "more_info_required", reason)

    @_waits
    def suspend(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "suspended", reason)

    @_waits
    def reinstate(self, id: str) -> Application:
        return self._decide(id, "accepted")

    @_waits
    def expire(self, id: str, reason: str | None = None) -> Application:
        return self._decide(id, "expired", reason)

    # --- scenarios and faults ----------------------------------------------------------------

    def use_scenario(self, scenario: str | Mapping[str, Any]) -> None:
        """A scenario that ships, a file, YAML text, or the same as a dictionary."""
        words, machine = self.sim.catalogue.document_words, self.account.own_machine
        if isinstance(scenario, Mapping):
            loaded = load_scenario_data(dict(scenario), document_words=words, machine=machine)
        elif "\n" in scenario:
            loaded = load_scenario(scenario, document_words=words, machine=machine)
        else:
            loaded = find_scenario(scenario, words, machine)
        policies.use_scenario(self.account, loaded)

    def use_machine(self, machine: str | Mapping[str, Any]) -> None:
        """A status machine that ships, a file, YAML text, or the same as a dictionary. Raises
        ValueError with every mistake, WrongState when an application is in a status that the
        machine does not have."""
        if isinstance(machine, Mapping):
            loaded = load_machine_data(dict(machine))
        elif not isinstance(machine, str):
            text = "is not a name, a path, a text or a dictionary"
            raise ValueError(f"machine: {machine!r} {text}")
        elif "\n" in machine:
            loaded = load_machine(machine)
        else:
            loaded = find_machine(machine)
        machines.use_machine(self.account, loaded)

    def drop_machine(self) -> None:
        """Go back to the server's status machine. Raises WrongState as ``use_machine`` does."""
        machines.drop_machine(self.account)

    def next_outcome(self, decide: str, **values: Any) -> None:
        """Decide the next submission: ``next_outcome("rejected", reason="name_mismatch")``."""
        scenario = {"scenario": "the next outcome", "default": {"decide": decide, **values}}
        words, machine = self.sim.catalogue.document_words, self.account.machine
        decision = load_scenario_data(scenario, document_words=words, machine=machine).default
        assert decision is not None
        policies.push_next_outcome(self.account, decision)

    def fault(self, effect: str, **values: Any) -> str:
        """Switch a fault on; returns its id."""
        scenario = {"scenario": "a single fault", "faults": [{"effect": effect, **values}]}
        fault: FaultRule = load_scenario_data(scenario).faults[0]
        return policies.add_fault(self.account, fault)

    def webhooks(self, **values: Any) -> None:
        """Set the webhook policy: ``webhooks(drop=1)``."""
        policy: WebhookPolicy = load_scenario_data(
            {"scenario": "a webhook policy", "webhooks": values}
        ).webhooks
        policies.set_webhook_policy(self.account, policy)

    # --- records and callbacks -----------------------------------------------------------------

    @_waits
    def application(self, id: str) -> Application:
        """The record. Raises NotFound."""
        self.sim.runner.catch_up(self.account, sends=True)
        with self.account.lock:
            return applications.get(self.account, id)

    @_waits
    def applications(self) -> list[Application]:
        """Every application of the account, oldest first."""
        self.sim.runner.catch_up(self.account, sends=True)
        with self.account.lock:
            return list(self.account.store.applications.every())

    @_waits
    def callbacks(self, /, **wanted: str) -> list[Delivery]:
        """The callbacks whose payload has these values, oldest first."""
        self.sim.runner.catch_up(self.account, sends=True)
        with self.account.lock:
            every = list(self.account.store.deliveries.every())
        return [each for each in every if wanted.items() <= dict(each.payload).items()]

    @_waits
    def expect_callback(self, /, **wanted: str) -> Delivery:
        """The callback with these values, delivered. Fails with an explanation when it did not
        come: what was sent, what became of it, what is still due."""
        found = self.callbacks(**wanted)
        delivered = [each for each in found if each.state is DeliveryState.DELIVERED]
        if delivered:
            return delivered[-1]
        text = ", ".join(f"{key}={value!r}" for key, value in wanted.items())
        hint = "".join(self._unknown_keys(wanted))
        raise AssertionError(f"no callback with {text} was delivered{hint}\n{self.report()}")

    def _unknown_keys(self, wanted: Mapping[str, str]) -> Iterator[str]:
        """Those that no callback has, as far as there were any."""
        with self.account.lock:
            payloads = [dict(each.payload) for each in self.account.store.deliveries.every()]
        known = sorted({key for payload in payloads for key in payload})
        for key in wanted:
            if known and key not in known:
                yield f"; no callback has a key '{key}'{did_you_mean(key, known)}"

    def report(self) -> str:
        """The clock, the timelines, the callbacks, the last exchanges, the near-miss rules; then
        which other accounts have records."""
        with self.account.lock:
            lines = [*_report(self.account)]
        return "\n".join([*lines, *self._others(), *self._hints])

    def _others(self) -> Iterator[str]:
        for account in self.sim.accounts():
            with account.lock:
                held = len(account.store.applications)
                if account.auth_id != self.auth_id and (held or len(account.store.end_users)):
                    yield (
                        f"account {account.auth_id} has records too, {held} applications among "
                        f"them; this is about {self.auth_id} (choose with auth_id=)"
                    )

    def _silent(self) -> dict[tuple[str, int], str]:
        """The attempts that were not answered in time, and their URLs."""
        with self.account.lock:
            return {
                (delivery.id, number): delivery.url
                for delivery in self.account.store.deliveries.every()
                for number, attempt in enumerate(delivery.attempts)
                if attempt.error == TIMED_OUT
            }

    def reset(self) -> None:
        """Forget everything, in every account. No callback of before arrives afterwards."""
        self._hints.clear()
        self.sim.begin_anew(self.sim.settings)


def _coroutine(
    verb: Callable[Concatenate[Handle, P], R],
) -> Callable[Concatenate[Aio, P], Coroutine[Any, Any, R]]:
    @wraps(verb)
    async def call(self: Aio, /, *args: P.args, **kwargs: P.kwargs) -> R:
        import asyncio

        return await asyncio.to_thread(verb, self._handle, *args, **kwargs)

    return call


class Aio:
    """The verbs of a handle that wait for receivers, each as a coroutine; see ``Handle.aio``."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    advance = _coroutine(Handle.advance)
    advance_until = _coroutine(Handle.advance_until)
    settle = _coroutine(Handle.settle)
    decide = _coroutine(Handle.decide)
    accept = _coroutine(Handle.accept)
    reject = _coroutine(Handle.reject)
    ask_for_more = _coroutine(Handle.ask_for_more)
    suspend = _coroutine(Handle.suspend)
    reinstate = _coroutine(Handle.reinstate)
    expire = _coroutine(Handle.expire)
    application = _coroutine(Handle.application)
    applications = _coroutine(Handle.applications)
    callbacks = _coroutine(Handle.callbacks)
    expect_callback = _coroutine(Handle.expect_callback)
    reset = _coroutine(Handle.reset)


class InProcess(Handle):
    """A simulator without a server; ``app`` is its WSGI application, for a test client."""

    def __init__(
        self,
        settings: Settings | None = None,
        auth_id: str = AUTH_ID,
        auth_token: str = AUTH_TOKEN,
    ) -> None:
        super().__init__(make_simulator(settings or test_settings()), auth_id, auth_token)
        self.app = create_app(self.sim)

    def close(self) -> None:
        self.sim.close()


class Served(Handle):
    """A simulator behind a real socket on loopback; ``url`` is where."""

    def __init__(
        self,
        settings: Settings | None = None,
        auth_id: str = AUTH_ID,
        auth_token: str = AUTH_TOKEN,
    ) -> None:
        self.live = LiveSimulator(settings or test_settings()).start()
        super().__init__(self.live.sim, auth_id, auth_token)

    @property
    def url(self) -> str:
        return self.live.url

    def close(self) -> None:
        self.close_clients()
        self.live.stop()


@contextmanager
def in_process(
    *, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[InProcess]:
    """A fresh simulator in this process: ``with in_process() as sim: …``."""
    with closing(InProcess(test_settings(**settings), auth_id, auth_token)) as handle:
        yield handle


@contextmanager
def served(
    *, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[Served]:
    """A fresh simulator behind a socket: ``with served() as sim: … sim.url …``."""
    with closing(Served(test_settings(**settings), auth_id, auth_token)) as handle:
        yield handle


# --- reports -----------------------------------------------------------------------------------


def _duration(
    by: str | timedelta | None, business_days: int, units: Mapping[str, float]
) -> Duration | None:
    if isinstance(by, str):
        return parse_duration(by)
    if business_days:
        return Duration(business_days=business_days)
    if by is None and not units:
        return None
    return Duration(seconds=(by or timedelta(**units)).total_seconds())


def _report(account: Account) -> Iterator[str]:
    clock = presenters.clock_of(account)
    yield f"clock: {clock['now']}, next due {clock['next_due'] or 'nothing'}"
    if account.machine != default_machine():
        yield f"machine: {account.machine.name}"
    for application in account.store.applications.every():
        yield f"application {application.id} ({application.alias}): {application.status}"
        for change in application.timeline:
            text = f"  {change.at:%Y-%m-%d %H:%M:%S} {change.status}: {change.why}"
            yield text + (f" ({change.reason})" if change.reason else "")
        for explanation in planning.explanations_of(account, application.id):
            for verdict in explanation.verdicts:
                if not verdict.matched:
                    yield f"  rule '{verdict.rule}' did not match: {verdict.why}"
    for delivery in account.store.deliveries.every():
        last = delivery.attempts[-1] if delivery.attempts else None
        came = f", last answer {last.status or last.error}" if last else ""
        url = without_secrets(delivery.url)
        yield f"callback {dict(delivery.payload)} to {url}: {delivery.state}{came}"
    for exchange in list(account.exchanges)[-5:]:
        yield f"request {exchange.method} {exchange.url}: {exchange.status} {exchange.why}"
