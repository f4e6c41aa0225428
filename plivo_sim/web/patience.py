"""How a request waits for an account that is busy: with a thread while few do, else without one.

It is put off (``Held``) as long as nothing was done of it: while its call is opened, which keeps
what was counted and drawn (``Call.go_on``), until its view has got an account for the first time,
and as long as it only reads. What else can be done again says so (``repeatable``).
"""

from __future__ import annotations

from plivo_sim.account.lock import AccountLock, set_asker, waits_outside
from plivo_sim.web.calls import Call
from plivo_sim.web.streams import CONNECTION_KEY, REFUSED_KEY, Held, Watch

PATIENCE_S = 0.05
"""Behind those who may wait: of an account that many use at once, each has its turn sooner."""


class Patience:
    """A request that the server can begin again, as an ``Asker``."""

    def __init__(self, call: Call, earlier: Held | None) -> None:
        self._call = call
        self._is_opening = self.may_leave = True
        self.may_wait = earlier is None or earlier.line is not None
        self.patience_s = PATIENCE_S if earlier is None else 0.0

    def entered(self) -> None:
        """A call that only reads can be begun again whatever it has seen so far. Raises Busy for
        another whose account was reset, or went back, while it waited."""
        self._call.check_present()
        self.may_leave = self._is_opening or self._call.is_read

    def leave(self, lock: AccountLock) -> None:
        set_asker(None)
        raise Held(0.0, self._call.noted(), lock)

    def waits(self) -> None:
        connection = self._call.request.environ[CONNECTION_KEY]
        connection.server.connections.pause(connection)

    def goes_on(self) -> None:
        connection = self._call.request.environ[CONNECTION_KEY]
        connection.server.connections.go_on(connection)

    def opened(self) -> None:
        """Its view begins."""
        self._is_opening = False


def begin(call: Call) -> Patience | None:
    """This thread serves the call from now on. In process, where nobody begins it again, and for
    what is refused already, locks are waited for."""
    environ = call.request.environ
    if CONNECTION_KEY not in environ or REFUSED_KEY in environ:
        return None
    patience = Patience(call, environ[CONNECTION_KEY].held)
    set_asker(patience)
    return patience


def pause(call: Call, for_s: float, watch: Watch, seen: int) -> None:
    """Begin the call again after a while, or once that has come behind what it has seen, without a
    thread meanwhile: for views that have only read so far. Raises Held, except in process."""
    if CONNECTION_KEY in call.request.environ:
        end()
        raise Held(for_s, call.noted(), watch=watch, seen=seen)


def end() -> None:
    """It was answered: whatever follows in this thread waits, and needs no place any more."""
    waits_outside()
    set_asker(None)
