"""Clients of the official SDK, for as many accounts as a test wants."""

from __future__ import annotations

from contextlib import ExitStack
from copy import copy
from importlib import import_module
from typing import Any, Self

from plivo_sim.testing.sdk import point


class Clients:
    """What a handle has beside its verbs: clients, and handles of other accounts."""

    credentials: tuple[str, str]
    """What its clients are made with: auth id (``MA…`` or ``SA…``) and auth token."""

    def __init__(self) -> None:
        self._clients = ExitStack()

    @property
    def url(self) -> str:
        """Where the simulator answers."""
        raise NotImplementedError

    def use_account(self, auth_id: str, auth_token: str) -> None:
        raise NotImplementedError

    def for_account(self, auth_id: str, auth_token: str) -> Self:
        """The verbs and clients of another account, or of a subaccount (``SA…``), of the same
        simulator. Raises ValueError if that is no auth id."""
        other = copy(self)
        other.use_account(auth_id, auth_token)
        return other

    def client(self) -> Any:
        """A ``plivo.RestClient`` of this account that speaks to this simulator; closed when the
        test ends. Raises ImportError without the SDK, TypeError for a simulator in process."""
        client = import_module("plivo").RestClient(*self.credentials, timeout=30)
        return point(self._clients.enter_context(client), self.url)

    def close_clients(self) -> None:
        self._clients.close()
