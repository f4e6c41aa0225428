"""Connections, and the one thread that waits for all of them.

Whoever is waited for needs no thread of its own: a client that has not sent all of its request, or
does not read its answer, a TLS handshake, a call that is put off (``Held``), an answer that is
delayed (``Delay``). A request is given to
a thread of the pool once it is there, or its time is up.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable
from math import inf
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.threads import ENDS_WITHIN_S
from plivo_sim.domain import limits
from plivo_sim.web import connection, pool
from plivo_sim.web.arrival import Arrival
from plivo_sim.web.connection import Connection, Phase, Room
from plivo_sim.web.deadlines import Deadlines, Kept, longest_of
from plivo_sim.web.put_off import PutOff
from plivo_sim.web.streams import Held

REQUEST_TIMEOUT_S = 10.0  # a request's head and body must both have arrived within this
SENDING_TIMEOUT_S = 10.0  # and some of an answer be taken
IDLE_TIMEOUT_S = 75.0  # a keep-alive connection is closed after this long without a request
LINGER_S = 2.0  # how long to discard an unread body, so that the client gets to read its answer

TICK_S = 0.1  # how often those are looked for whose time is up
LOOKS_AT_MOST = 16  # or sooner: so often while as much comes as may be unfinished together
PAUSE_S = 0.1  # without accepting, when there is no room
GIVEN_UP_AT_ONCE = 16  # connections that make room, of those that have waited this long:
GIVEN_UP_AFTER_S = 0.1
ACCEPTED_AT_ONCE = 64
DUE_AT_ONCE = 16
MOST_UNFINISHED_BYTES = limits.UNFINISHED.most
MOST_UNSENT_BYTES = limits.UNSENT.most
READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Connections:
    """See the module. ``settle`` may be called from any thread, ``stop`` from any but its own."""

    def __init__(self, server: Any, listener: socket.socket) -> None:
        self._server, self._listener = server, listener
        self._selector = selectors.DefaultSelector()
        # ``select`` itself looks for what it was called with, whatever is registered meanwhile.
        self._sees_late = isinstance(self._selector, selectors.SelectSelector)
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._deadlines = Deadlines()
        self._put_off = PutOff()
        self._most_open = connection.most_open()
        self._room = Room(self._lock)
        self._accepts_from_s: float | None = None  # while accepting pauses
        self._ends_at_s: float | None = None  # once it is to stop
        self._drains_until_s = 0.0
        self._is_over = False
        self._looked_at_s = 0.0
        self._requests = Kept(connection.UNFINISHED, attrgetter("came_bytes"))
        self._answers = Kept(connection.ANSWERED, attrgetter("unsent_bytes"))
        self._waker, self._waked = socket.socketpair()
        for each in (listener, self._waker, self._waked):
            each.setblocking(False)
        self._selector.register(listener, READ)
        self._selector.register(self._waked, READ)
        self._thread = threading.Thread(target=self._run, name="plivo-sim-select", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, grace_s: float, drain_s: float = 0.0) -> None:
        """Accept no more, close what nothing was promised to, give the rest so long, cut it.

        Before that, for ``drain_s`` or until none is open, every connection may bring one more
        request: a proxy that has not noticed yet sends it into one that it takes to be open.
        """
        self._drains_until_s = monotonic_s() + drain_s
        self._ends_at_s = self._drains_until_s + grace_s
        self._wake()
        self._thread.join(drain_s + grace_s + ENDS_WITHIN_S)

    # --- from the threads of the pool ---------------------------------------------------------

    def settle(self, conn: Connection, keep: bool, held: Held | None = None) -> None:
        """Take back a connection whose request was served, or put off."""
        with self._lock:
            is_awaited = self._room.leave(conn) | self._put_off.end(conn)
        if is_awaited:
            self._wake()
        conn.end_request(keep, held)
        if held is not None:
            self._wait(conn, Phase.HELD)
        elif conn.delayed is not None:
            conn.put_off_answer(keep)
            self._wait(conn, Phase.DELAYED)
        elif conn.stream.unsent:
            conn.keep = keep
            self._wait(conn, Phase.SENDING, SENDING_TIMEOUT_S, WRITE)
        elif keep:
            self._await_request(conn)
        else:
            self._part(conn)
        if self._ends_at_s is not None:
            self._wake()

    def drop(self, conn: Connection, error: BaseException) -> None:
        """Something of ours went wrong with it, which is the end of this connection alone. Raises
        nothing: out of memory, it does what can be done."""
        with contextlib.suppress(Exception):
            log.warning("connection from %s dropped: %r", conn.remote_addr, error)
        with contextlib.suppress(Exception), self._lock:
            self._put_off.end(conn)
            self._room.leave(conn)
        for each in (self._unregister, self._close):
            with contextlib.suppress(Exception):
                each(conn)
        self._wake()

    def pause(self, conn: Connection) -> None:
        """Its request waits, for an account or for somebody outside, and others can be read
        meanwhile."""
        with self._lock:
            is_awaited = self._room.pause(conn)
        self._server.requests.pause(conn)
        if is_awaited:
            self._wake()

    def go_on(self, conn: Connection) -> None:
        """It has got the account that it waited for."""
        with self._lock:
            self._room.go_on(conn)
        self._server.requests.go_on(conn)

    def _await_request(self, conn: Connection) -> None:
        """The next request, which may have come with the one before."""
        conn.arrival = Arrival()
        came = conn.rfile.came
        if came and (conn.arrival.is_whole(came) or conn.stream.is_over):
            self._serve(conn)
        elif came:
            self._wait(conn, conn.begin_request(), REQUEST_TIMEOUT_S)
        elif conn.stream.is_over or (self._ends_at_s is not None and not self._drains()):
            self._close(conn)
        else:
            self._wait(conn, Phase.IDLE, IDLE_TIMEOUT_S)

    def _part(self, conn: Connection) -> None:
        """Close it; if the client still sends, once it has read its answer."""
        if conn.may_still_send:
            conn.shut(socket.SHUT_WR)
            self._wait(conn, Phase.LINGER, LINGER_S)
        else:
            self._close(conn)

    def _wait(self, conn: Connection, phase: Phase, for_s: float = 0.0, events: int = READ) -> None:
        """Have the selector wait; whoever calls this has let go of the connection. For a client
        whose answer is delayed nobody looks."""
        with self._lock:
            if not self._is_over:
                conn.awaited = events
                with contextlib.suppress(OSError, ValueError):  # no more can be waited for; gone
                    if phase is not Phase.DELAYED:
                        self._selector.register(conn.socket, events, conn)
                    is_foreign = threading.current_thread() is not self._thread
                    if self._go_to(conn, phase, for_s) or (self._sees_late and is_foreign):
                        self._wake()
                    return
        self._close(conn)

    def _go_to(self, conn: Connection, phase: Phase, for_s: float) -> bool:
        """With the lock held; whether the selector's thread has to look at once."""
        conn.phase, conn.since_s = phase, monotonic_s()
        if phase in connection.PUT_OFF and conn.held is not None:
            self._answers.add(conn.unsent_bytes)
            return self._put_off.add(conn, conn.held)
        self._deadlines.begin(conn, for_s)
        if phase is Phase.READY:
            self._room.line[conn] = None
            return True
        is_much = self._answers.add(conn.unsent_bytes) > MOST_UNSENT_BYTES
        if is_much and phase is Phase.SENDING:  # many may be made within a tick
            self._looked_at_s = 0.0
            return True
        return False

    def _serve(self, conn: Connection) -> None:
        """Give it to a thread, once there is room."""
        with self._lock:
            has_room = self._room.enter(conn)
        if has_room:
            self._put(conn)
        else:
            self._wait(conn, Phase.READY, IDLE_TIMEOUT_S)

    def _put(self, conn: Connection) -> None:
        conn.phase = Phase.SERVED
        has_to_wait = self._server.requests.put(conn)
        if has_to_wait and threading.current_thread() is not self._thread:
            self._wake()

    def _close(self, conn: Connection) -> None:
        with self._lock:
            self._open.discard(conn)
            self._deadlines.end(conn)
        try:
            conn.close()
        except OSError:
            conn.socket.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it is awake; closed: it has ended
            self._waker.send(b"\0")

    # --- the selector's own thread ------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                if self._may_end():
                    break
                self._turn()
            except Exception:  # deaf for good would be worse
                with contextlib.suppress(Exception):
                    log.exception("unforeseen error while waiting for connections")
                time.sleep(PAUSE_S)
        self._end()

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._nap_s()):
            self._attend(key)
        self._resume()
        is_much = self._requests.new_bytes * LOOKS_AT_MOST > MOST_UNFINISHED_BYTES
        if is_much or monotonic_s() - self._looked_at_s >= TICK_S:
            self._looked_at_s = monotonic_s()
            self._give_up_the_late()

    def _attend(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._listener:
            self._accept()
        elif key.fileobj is self._waked:
            self._waked.recv(4096)
        elif key.data.until_s < inf:  # nothing of this turn has closed it
            self._with(key.data, self._go_on)

    def _with(self, conn: Connection, work: Callable[[Connection], None]) -> None:
        try:
            work(conn)
        except Exception as error:
            self.drop(conn, error)

    def _nap_s(self) -> float | None:
        waits = []
        if self._open or self._accepts_from_s is not None or self._ends_at_s is not None:
            waits.append(TICK_S)
        if self._server.requests.relieve():
            waits.append(pool.STUCK_S)
        with self._lock:
            waits += self._put_off.naps_s()
        return min(waits, default=None)

    def _go_on(self, conn: Connection) -> None:
        if conn.phase is Phase.SENDING:
            conn.stream.flush()
            self._locked(self._deadlines.begin, conn, SENDING_TIMEOUT_S)
            if not conn.stream.unsent:
                self._unregister(conn)
                self.settle(conn, conn.keep and not conn.stream.is_cut)
        elif conn.phase is Phase.LINGER:
            if not conn.discard():
                self._unregister(conn)
                self._close(conn)
        elif conn.phase in (Phase.READY, Phase.HELD):
            self._watch(conn)
        else:
            self._gather(conn)

    def _watch(self, conn: Connection) -> None:
        """Drop a call that was put off for a time once its client has hung up; one that waits for
        its turn goes on without its client. After some of the next request no more is taken, nor
        looked for."""
        size = len(conn.rfile.came)
        self._requests.add(conn.rfile.gather())
        is_over = conn.stream.is_over
        if is_over and not conn.has_come:
            self._unregister(conn)
            self._close(conn)
        elif is_over or len(conn.rfile.came) > size or conn.stream.must_write:
            conn.is_left = is_over
            with self._lock:
                self._selector.unregister(conn.socket)

    def _gather(self, conn: Connection) -> None:
        stream, came = conn.stream, conn.rfile.came
        self._requests.add(conn.rfile.gather())
        if came and (conn.arrival.is_whole(came) or stream.is_over):
            self._unregister(conn)
            self._serve(conn)
            return
        has_begun = bool(came) or stream.shakes_hands
        if has_begun != (conn.phase is not Phase.IDLE):
            new = (Phase.HEAD, REQUEST_TIMEOUT_S) if has_begun else (Phase.IDLE, IDLE_TIMEOUT_S)
            self._locked(self._go_to, conn, *new)
        if stream.is_over:
            self._unregister(conn)
            conn.unread = stream.failure is not None
            self._part(conn)
            return
        if conn.phase is Phase.HEAD and conn.arrival.has_head:
            conn.phase = conn.begin_request()
        awaited = WRITE if stream.must_write else READ
        if awaited != conn.awaited:
            conn.awaited = awaited
            with self._lock:
                self._selector.modify(conn.socket, awaited, conn)

    def _unregister(self, conn: Connection) -> None:
        with self._lock, contextlib.suppress(KeyError, ValueError):  # it was not registered
            self._deadlines.end(conn)
            if conn.phase in connection.PUT_OFF:
                self._put_off.drop(conn)
            self._room.line.pop(conn, None)
            self._selector.unregister(conn.socket)

    def _resume(self) -> None:
        """Those that have waited for room, for an account, or for their time."""
        for conn in self._locked(self._put_off.called):
            self._unregister(conn)
            self._with(conn, self._serve)
        while (ready := self._locked(self._room.next)) is not None:
            self._unregister(ready)
            self._with(ready, self._put)
        self._locked(self._put_off.look)
        for _ in range(DUE_AT_ONCE):  # many are due together: others have their turn in between
            due = self._locked(self._put_off.due)
            if due is None:
                break
            self._with(due, self._release if due.phase is Phase.DELAYED else self._serve_again)

    def _locked(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        with self._lock:
            return work(*args, **named)

    def _serve_again(self, conn: Connection) -> None:
        self._unregister(conn)
        with self._lock:
            self._put_off.resumed.add(conn)
        self._serve(conn)

    def _release(self, conn: Connection) -> None:
        """Send an answer whose time has come."""
        self._unregister(conn)
        conn.release()
        self.settle(conn, conn.keep and not conn.stream.is_cut)

    def _waiting(self) -> list[Connection]:
        """Those that the selector has."""
        with self._lock:
            return [each for each in self._open if each.until_s < inf]

    def _give_up_the_late(self) -> None:
        for conn in self._locked(self._deadlines.late):
            self._with(conn, self._give_up)
        for conn in self._locked(self._requests.excess, self._open, MOST_UNFINISHED_BYTES):
            self._with(conn, self._give_up)
        for conn in self._locked(self._answers.excess, self._open, MOST_UNSENT_BYTES):
            log.warning("the answer to %s is cut off: %s are kept", conn.remote_addr, limits.UNSENT)
            self._with(conn, self._give_up)

    def _give_up(self, conn: Connection) -> None:
        if conn.phase is Phase.HELD and conn.is_timed:
            self._serve_again(conn)
            return
        self._unregister(conn)
        if conn.phase in connection.UNFINISHED and conn.rfile.came:
            conn.give_up()
            self._serve(conn)  # which tells the client
        else:
            self._close(conn)

    def _accept(self) -> None:
        for accepted in range(ACCEPTED_AT_ONCE):
            if len(self._open) >= self._most_open:
                if not accepted:  # else nobody may be waiting: the next turn tells
                    self._make_room("as many are open as the limit of descriptors allows")
                return
            try:
                sock, address = self._listener.accept()
            except (BlockingIOError, ConnectionError):
                return
            except OSError as error:  # out of descriptors, or of memory
                self._make_room(str(error.strerror))
                return
            self._begin(sock, address)

    def _begin(self, sock: socket.socket, address: Any) -> None:
        conn = connection.opened(self._server, sock, address)
        if conn is None:
            return
        with self._lock:
            self._open.add(conn)
        self._with(conn, lambda it: self._wait(it, Phase.IDLE, IDLE_TIMEOUT_S))

    def _make_room(self, why: str) -> None:
        """Close those that have waited longest; when there are none, accept none for a moment."""
        log.warning("no room for another connection: %s; those that wait longest are closed", why)
        before_s = monotonic_s() - GIVEN_UP_AFTER_S
        found = longest_of(self._waiting(), GIVEN_UP_AT_ONCE)
        given_up = [each for each in found if each.since_s < before_s]
        for conn in given_up:
            if conn.has_come:
                self._with(conn, self._give_up)
                continue
            self._unregister(conn)
            self._close(conn)
        if not given_up:
            self._selector.unregister(self._listener)
            self._accepts_from_s = monotonic_s() + PAUSE_S

    # --- stopping -----------------------------------------------------------------------------

    def _may_end(self) -> bool:
        """Whether nothing promised is left, or the grace is over. Also ends a pause."""
        if self._ends_at_s is None:
            if self._accepts_from_s is not None and monotonic_s() >= self._accepts_from_s:
                self._accepts_from_s = None
                self._selector.register(self._listener, READ)
            return False
        if self._listener.fileno() >= 0:
            if self._accepts_from_s is None:
                self._accept()  # those that wait already would be reset
                with contextlib.suppress(KeyError):  # there was no room
                    self._selector.unregister(self._listener)
            self._listener.close()
            self._locked(self._put_off.look, at_all=True)
        for conn in () if self._drains() else self._waiting():
            if conn.phase in connection.UNPROMISED or conn.outlasts(self._ends_at_s):
                self._unregister(conn)
                self._close(conn)
        with self._lock:
            is_idle = not self._open
        return is_idle or monotonic_s() >= self._ends_at_s

    def _drains(self) -> bool:
        return monotonic_s() < self._drains_until_s

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            served = [each for each in self._open if each.phase is Phase.SERVED]
            others = self._open.difference(served)
            self._selector.close()
        for conn in others:
            self._close(conn)
        for conn in served:  # a thread has it, and closes it
            conn.shut(socket.SHUT_RDWR)
        self._waked.close()
        self._waker.close()
