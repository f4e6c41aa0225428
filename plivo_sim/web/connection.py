"""One client's connection, what it waits for, and how many of them, how large, there may be."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import struct
import sys
import threading
from enum import Enum, auto
from math import inf
from typing import Any, Literal

from cheroot import server as cheroot

from plivo_sim.account.descriptors import allowed, left_by_clients
from plivo_sim.domain import limits
from plivo_sim.web.arrival import NO_ROOM, Arrival
from plivo_sim.web.parsing import Request
from plivo_sim.web.streams import Delay, Held, Reader, Stream, Writer, whole_answer

MOST_SERVED_BYTES = limits.SERVED.most
SMALL_BYTES = 32 * 1024
MOST_LARGE = 2
"""Requests of no more do not wait for room: so many threads as there are take little."""
RETURNS_WITHIN_S = 2.0  # whoever has waited for an account has its place again
MOST_PACKED = 1032
"""Bytes that may come out of one that was packed (zlib's documentation)."""
FEWEST_FILES = 64  # half of them for connections
MOST_SELECTED = 512  # by Windows, which has nothing better
AT_ONCE = struct.pack("ii", 1, 0)  # to linger: for no time; Windows, which has shorts, takes it too


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    """A request."""
    HEAD = auto()
    """The rest of a head. Nothing has been promised: a stop closes it, as an idle one."""
    BODY = auto()
    READY = auto()
    """Memory: it has come whole, and others are served whose bodies take what there is."""
    HELD = auto()
    """The time of a call that was put off, or its turn; and whether its client hangs up."""
    DELAYED = auto()
    """The time of an answer that was delayed. Its call is done, whether its client is there or
    not, which nobody looks for."""
    SERVED = auto()
    """A thread of the pool, which has it, or its turn to get one."""
    SENDING = auto()
    """The client, which reads its answer slowly."""
    LINGER = auto()
    """The client's end of the connection, which was answered although it still sends."""


UNPROMISED = (Phase.IDLE, Phase.HEAD, Phase.LINGER)
UNFINISHED = (Phase.HEAD, Phase.BODY, Phase.READY, Phase.HELD)
PUT_OFF = (Phase.HELD, Phase.DELAYED)
ANSWERED = (Phase.SENDING, Phase.DELAYED)


class Connection(cheroot.HTTPConnection):
    """One client's. Whoever waits for it, the selector's thread or one of the pool, owns it."""

    RequestHandlerClass = Request

    def __init__(self, server: Any, sock: socket.socket) -> None:
        self.stream = stream = Stream(sock)
        super().__init__(
            server, sock, lambda _, mode, __: Reader(stream) if "r" in mode else Writer(stream)
        )
        for name in ("resolve_peer_creds", "get_peer_creds"):  # caches, each a reference cycle
            vars(self).pop(name, None)
        self.phase = Phase.IDLE
        self.since_s = 0.0  # of the phase
        self.until_s = inf  # while the selector has it
        self.queue: dict[Connection, None] = {}  # of those that wait as long
        self.awaited = selectors.EVENT_READ  # what the selector waits for
        self.arrival = Arrival()
        self.account = b""  # that its request names in path or query
        self.held: Held | None = None
        self.delayed: Delay | None = None
        self.cut_as: Literal["reset", "close", ""] = ""  # once its delayed answer was sent
        self.is_left = False  # by its client, while its call waits for its turn
        self.unread = False  # closing at once would send RST, and take the answer with it
        self.keep = False  # once its answer has been sent
        self.taken_bytes, self.has_turn = 0, False  # of the room, while it is served

    @property
    def kept_bytes(self) -> int:
        """Of its request or, once there is one, its answer."""
        return self.unsent_bytes if self.phase in ANSWERED else self.came_bytes

    @property
    def came_bytes(self) -> int:
        """Of its request, and of those behind it."""
        return len(self.rfile.came)

    @property
    def unsent_bytes(self) -> int:
        """Of its answer, while that waits or is sent without a thread."""
        return self.stream.kept_bytes if self.phase in ANSWERED else 0

    @property
    def is_timed(self) -> bool:
        """Whether its call was put off for a time, not until there is room for it."""
        return self.held is not None and self.held.line is None

    @property
    def has_come(self) -> bool:
        """Whether its request is there, waits for its turn, and is to be done, or told that it is
        not, whether its client is there or not."""
        return self.phase is Phase.READY or (self.phase is Phase.HELD and not self.is_timed)

    @property
    def body_bytes(self) -> int:
        """How much its request may take: with as much as may come out of a packed body, or as has
        come out of it, as text and as what is made of that."""
        came, arrival = len(self.rfile.came), self.arrival
        if not arrival.is_packed:
            return came
        most = min((came - arrival.body_at) * MOST_PACKED, limits.BODY.most)
        return came + (
            most if arrival.unpacked_bytes is None else min(2 * arrival.unpacked_bytes, most)
        )

    def begin_request(self) -> Phase:
        """That of one which has not come whole. Once its head has, a client that waits for it is
        told to go on."""
        if not self.arrival.has_head:
            return Phase.HEAD
        if self.arrival.expects_continue:
            self.stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return Phase.BODY

    def give_up(self) -> None:
        """Forget its body: what is left is only to be told why it is not served."""
        self.arrival.unserved, self.held = NO_ROOM if self.arrival.is_complete else "", None
        if self.phase is not Phase.HEAD:
            del self.rfile.came[self.arrival.body_at :]
            self.arrival.is_complete = self.arrival.is_packed = False

    def communicate(self) -> bool:
        """Serve the request that has come; whether another may follow. Raises Held."""
        self.unread = True
        keep = super().communicate()  # type: ignore[no-untyped-call]  # cheroot's stubs
        return bool(keep) and not self.stream.is_cut

    def forget_request(self) -> None:
        """Free what has come: nothing of it will be read any more."""
        self.rfile.came = bytearray()
        self.arrival, self.held, self.is_left = Arrival(), None, False

    def end_request(self, keep: bool, held: Held | None) -> None:
        """It was answered, and what has come behind it is kept; or it is to be begun again."""
        self.held = held
        if held is not None:
            self.rfile.rewind()
        elif keep:
            self.rfile.forget()
        else:
            self.forget_request()

    @property
    def may_still_send(self) -> bool:
        """Whether the client may not have sent all, although it was answered."""
        has_ended = self.stream.is_over and self.stream.failure is None
        return self.unread and not has_ended and self.socket.fileno() >= 0

    @property
    def has_hung_up(self) -> bool:
        """Whether the client has, half closing included; for whom nothing needs to be done."""
        try:
            return not socket.socket.recv(self.socket, 1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def outlasts(self, at_s: float) -> bool:
        """Whether its call was put off, or its answer delayed, for longer."""
        return self.phase in PUT_OFF and self.is_timed and self.until_s > at_s

    def close(self) -> None:
        """End it, and free all that it keeps, whoever may still refer to it."""
        self.forget_request()
        self.delayed = None
        self.stream.forget()
        super().close()

    def shut(self, how: int) -> None:
        with contextlib.suppress(OSError):  # not SSLSocket's own, which is not safe mid-read
            socket.socket.shutdown(self.socket, how)

    def delay(self, delay: Delay) -> None:
        """Have what is sent from now on, and a cut, wait until ``release``."""
        self.delayed = delay
        self.stream.is_kept = True

    def put_off_answer(self, keep: bool) -> None:
        """It is complete, and waits; ``keep``: whether another request may follow."""
        assert self.delayed is not None
        self.keep, self.held = keep, Held(self.delayed.wait_s, None)

    def release(self) -> None:
        """The time of its delayed answer is up."""
        delay, cut_as = self.delayed, self.cut_as
        self.delayed, self.cut_as = None, ""
        self.stream.is_kept = self.stream.is_full = False
        other = delay.instead() if delay is not None and not cut_as else None
        if other is not None:
            self.keep = False
            self.stream.unsent.clear()
            self.stream.send(whole_answer("409 Conflict", other))
        self.stream.flush()
        if cut_as:
            self.cut(cut_as)

    def cut(self, how: Literal["reset", "close"]) -> None:
        if self.delayed is not None:
            self.cut_as, self.stream.is_full = how, True
            return
        self.stream.cut()
        if how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.socket.close()
        else:
            self.shut(socket.SHUT_WR)

    def discard(self) -> bool:
        """Take what has come and forget it; whether more may come."""
        try:
            return bool(socket.socket.recv(self.socket, 65536))
        except BlockingIOError:
            return True
        except OSError:
            return False


class Room:
    """The memory for requests that are served, as large as they may be unpacked: larger ones than
    ``SMALL_BYTES`` wait in the order of coming until there is enough, and ``MOST_LARGE`` of them
    have a turn at once, since to read them takes the interpreter from everybody else.

    Who has to wait for an account or a receiver gives its turn back meanwhile, and the memory that
    was not needed when its body was unpacked; the rest it goes on taking until the call is answered
    or put off. Callers hold ``lock``, that of ``Connections``.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self.taken_bytes = self._large = self._returning = 0
        self.line: dict[Connection, None] = {}
        self._left = threading.Condition(lock)

    def enter(self, conn: Connection) -> bool:
        """Take the memory for a newcomer; whether there is enough, and nobody was there before.
        Those whose time has come are few at once, and do not wait again."""
        size = conn.body_bytes
        if size > SMALL_BYTES and not conn.is_timed and (self.line or not self._has(size)):
            return False
        self._take(conn, size)
        return True

    def next(self) -> Connection | None:
        """The first in the line, which leaves it and has its memory; None while there is none."""
        conn = next(iter(self.line), None)
        if conn is None or not self._has(size := conn.body_bytes):
            return None
        del self.line[conn]
        self._take(conn, size)
        return conn

    def leave(self, conn: Connection) -> bool:
        """Give its memory back, and its turn; whether others wait for it."""
        self._give_back(conn, conn.taken_bytes)
        return self._end_turn(conn)

    def pause(self, conn: Connection) -> bool:
        """Give its turn back for as long as it waits, and memory; whether others wait for one."""
        self._give_back(conn, max(conn.taken_bytes - conn.body_bytes, 0))
        return self._end_turn(conn)

    def _give_back(self, conn: Connection, size: int) -> None:
        conn.taken_bytes -= size
        self.taken_bytes -= size

    def _end_turn(self, conn: Connection) -> bool:
        self._large -= conn.has_turn
        conn.has_turn = False
        self._left.notify_all()
        return bool(self.line)

    def go_on(self, conn: Connection) -> None:
        """Wait for another turn, for a moment, before those who have not begun. Who has an account
        may wait here: those whose turn it is, and who want that account, have given it back."""
        if conn.taken_bytes <= SMALL_BYTES or conn.has_turn:
            return
        self._returning += 1
        self._left.wait_for(lambda: self._large < MOST_LARGE, RETURNS_WITHIN_S)
        self._returning -= 1
        self._begin_turn(conn)

    def _has(self, size: int) -> bool:
        has_memory = not self.taken_bytes or self.taken_bytes + size <= MOST_SERVED_BYTES
        return has_memory and self._large < MOST_LARGE and not self._returning

    def _take(self, conn: Connection, size: int) -> None:
        conn.taken_bytes = size
        self.taken_bytes += size
        if size > SMALL_BYTES:
            self._begin_turn(conn)

    def _begin_turn(self, conn: Connection) -> None:
        self._large += 1
        conn.has_turn = True


def opened(server: Any, sock: socket.socket, address: Any) -> Connection | None:
    """The connection of a client that was accepted, over TLS if the server speaks it; None if the
    client is gone."""
    adapter, environ = server.ssl_adapter, {}
    try:
        if adapter is not None:
            sock, environ = adapter.wrap(sock)
    except OSError:
        sock.close()
        return None
    conn = Connection(server, sock)
    conn.remote_addr, conn.remote_port = address[:2]
    conn.ssl_env = environ
    return conn


def most_open() -> float:
    """How many connections leave the rest of the process, its journals and callbacks, a quarter
    of the descriptors. One is the listener's, another wakes the thread. Raises OSError where the
    system allows too few."""
    if sys.platform == "win32":
        return MOST_SELECTED - 2
    files = allowed()
    if files < FEWEST_FILES:
        text = f"no more than {files} files may be open (ulimit -n), and {FEWEST_FILES} are needed"
        raise OSError(errno.EMFILE, text)
    return files - left_by_clients() if files < inf else inf
