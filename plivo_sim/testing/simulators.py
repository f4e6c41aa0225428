"""Where the simulator of a test is: in this process, behind a socket of it, or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from typing import Any, NoReturn

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.client import Client
from plivo_sim.client.wsgi import Wsgi
from plivo_sim.domain.errors import SimError
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator, main_account
from plivo_sim.testing.checked import checked, checked_verbs
from plivo_sim.testing.handle import Handle
from plivo_sim.testing.records import Request
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN, test_settings


@checked_verbs
class Owned(Handle):
    """A simulator that a test has for itself; ``sim`` is it."""

    sim: Simulator
    _is_closed = False

    def __init__(self, settings: Settings | None = None, **account: str) -> None:
        """``account``: auth_id and auth_token, as ``Handle`` takes them."""
        super().__init__(self._start(settings or test_settings()), **account)

    def use_account(self, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN) -> None:
        """See ``Handle.use_account``. The account is held, so that it is told of calls that are not
        let in before anything is written to it."""
        super().use_account(auth_id, auth_token)
        with suppress(SimError):  # it is another server's, say: then the verbs are told so
            self._account = self.sim.account(self.auth_id)

    def _elsewhere(self) -> dict[str, list[Request]]:
        fixed = self.sim.settings.credentials, self.sim.settings.atoms_tokens.values()
        named = map(main_account, chain(*fixed, (id for id, _ in self.known)))
        called = {each.auth_id for each in self.sim.called()}.difference(named)
        return {each: self._came_to(each) for each in sorted(called)}

    def _start(self, settings: Settings) -> Client:
        """Start a simulator, and make what calls it."""
        raise NotImplementedError

    def begin(self, **settings: Any) -> None:
        """For the next test: as if started with these settings. Another one, if a test has closed
        the one before."""
        chosen = test_settings(**settings)
        if self._is_closed:
            self._client, self._is_closed = self._start(test_settings()), False
        self.sim.begin_anew(chosen)
        self.use_account()

    def end(self) -> None:
        """Remove everything, so that nothing of this test arrives in the next."""
        self.sim.remove_all()

    def close(self) -> None:
        """For good: its calls are not answered any more."""
        self._is_closed = True


@checked_verbs
class InProcess(Owned):
    """A simulator without a server; ``app`` is its WSGI application, for a test client."""

    def _start(self, settings: Settings) -> Client:
        self.sim = make_simulator(settings)
        self.app = create_app(self.sim)
        return Client("http://127.0.0.1", transport=Wsgi(self.app))

    def client(self) -> NoReturn:
        """Raises TypeError: the SDK needs a socket."""
        raise TypeError("a simulator in process has no URL: use plivo_server, or served()")

    def close(self) -> None:
        super().close()
        self.sim.close()


@checked_verbs
class Served(Owned):
    """A simulator behind a real socket on loopback; ``url`` is where."""

    def _start(self, settings: Settings) -> Client:
        self.live = LiveSimulator(settings).start()
        self.sim = self.live.sim
        own = self.live.authority  # of its certificate, which nobody else knows
        return Client(self.live.url, authority=None if own is None else str(own))

    def close(self) -> None:
        super().close()
        self.close_clients()
        self.live.stop()


@checked
@contextmanager
def in_process(
    *, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[InProcess]:
    """A fresh simulator in this process: ``with in_process() as sim: …``."""
    handle = InProcess(test_settings(**settings), auth_id=auth_id, auth_token=auth_token)
    with closing(handle):
        yield handle


@checked
@contextmanager
def served(
    *, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[Served]:
    """A fresh simulator behind a socket: ``with served() as sim: … sim.url …``."""
    handle = Served(test_settings(**settings), auth_id=auth_id, auth_token=auth_token)
    with closing(handle):
        yield handle
