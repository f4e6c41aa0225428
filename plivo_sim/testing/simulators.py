"""Where the simulator of a test is: in this process, behind a socket of it, or elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NoReturn

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.client import Client
from plivo_sim.client.wsgi import Wsgi
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.testing.handle import Handle
from plivo_sim.testing.starts import AUTH_ID, AUTH_TOKEN, test_settings


class Owned(Handle):
    """A simulator that a test has for itself; ``sim`` is it."""

    sim: Simulator

    def begin(self, **settings: Any) -> None:
        """For the next test: as if started with these settings."""
        self.sim.begin_anew(test_settings(**settings))
        self.use_account()

    def end(self) -> None:
        """Remove everything, so that nothing of this test arrives in the next."""
        self.sim.remove_all()


class InProcess(Owned):
    """A simulator without a server; ``app`` is its WSGI application, for a test client."""

    def __init__(self, settings: Settings | None = None, **account: str) -> None:
        """``account``: auth_id and auth_token, as ``Handle`` takes them."""
        self.sim = make_simulator(settings or test_settings())
        self.app = create_app(self.sim)
        super().__init__(Client("http://127.0.0.1", transport=Wsgi(self.app)), **account)

    def client(self) -> NoReturn:
        """Raises TypeError: the SDK needs a socket."""
        raise TypeError("a simulator in process has no URL: use plivo_server, or served()")

    def close(self) -> None:
        self.sim.close()


class Served(Owned):
    """A simulator behind a real socket on loopback; ``url`` is where."""

    def __init__(self, settings: Settings | None = None, **account: str) -> None:
        """As that of ``InProcess``."""
        self.live = LiveSimulator(settings or test_settings()).start()
        self.sim = self.live.sim
        super().__init__(Client(self.live.url), **account)

    def close(self) -> None:
        self.close_clients()
        self.live.stop()


@contextmanager
def in_process(
    *, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[InProcess]:
    """A fresh simulator in this process: ``with in_process() as sim: …``."""
    handle = InProcess(test_settings(**settings), auth_id=auth_id, auth_token=auth_token)
    with closing(handle):
        yield handle


@contextmanager
def served(
    *, auth_id: str = AUTH_ID, auth_token: str = AUTH_TOKEN, **settings: Any
) -> Iterator[Served]:
    """A fresh simulator behind a socket: ``with served() as sim: … sim.url …``."""
    handle = Served(test_settings(**settings), auth_id=auth_id, auth_token=auth_token)
    with closing(handle):
        yield handle
