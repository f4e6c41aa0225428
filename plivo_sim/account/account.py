"""An account: its own records, files, clock, timers, ids, settings and a lock.

What one account does cannot be seen, felt or reset from another
(decision "One account, one clock").
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar

from plivo_sim.account.agenda import Agenda, KeyedQueues
from plivo_sim.account.clock import RealSource, VirtualClock, real_now, wall_s
from plivo_sim.account.interfaces import (
    Answer,
    FaultCounts,
    FileStore,
    Mark,
    Moment,
    Outgoing,
    State,
    Store,
    UndoPoint,
)
from plivo_sim.account.lock import IN_A_TURN, AccountLock
from plivo_sim.account.logs import BoundedLog, Budget
from plivo_sim.domain import limits
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.machine import Machine, machine_of
from plivo_sim.domain.records import Application, ClockChanged, Delivery, Event, Ledger
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.domain.text import atoms_id, draw_uuid
from plivo_sim.domain.urls import is_uncallable
from plivo_sim.settings import Settings

logger = logging.getLogger("plivo_sim")
T = TypeVar("T")
Made = TypeVar("Made")


class IdFactory:
    """Draws the ids of one account; ``counts`` (n per kind) is state that its account keeps.

    ``is_taken``: whether a record of a kind has an id; one that a snapshot brought along is passed
    over.
    """

    def __init__(
        self,
        seed: int,
        auth_id: str,
        counts: Mapping[str, int] | None = None,
        is_taken: Callable[[str, str], bool] = lambda kind, id: False,
    ) -> None:
        self.seed = seed
        self.auth_id = auth_id
        self._is_taken = is_taken
        self.counts: dict[str, int] = dict(counts or {})

    def next(self, kind: str) -> str:
        """The next id of a kind of record."""
        while True:
            id = draw_uuid(self.seed, self.auth_id, kind, self.next_n(kind))
            if not self._is_taken(kind, id):
                return id

    def next_n(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        n = self.counts.get(kind, 0) + 1
        self.counts[kind] = n
        return n


KEPT_EXCHANGES = 200
KEPT_EXCHANGE_BYTES = 2 * 1024 * 1024
KEPT_MOMENTS = 500
KEPT_STEERING = 500
FORGOTTEN_DELIVERY = "forgotten_delivery"
"""In the counts: how many callbacks the account's list has let go."""
PAUSED_START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""A Monday morning: where clocks that stand still begin (decision "Business days")."""

OWN_MACHINE, SCENARIO_MACHINE = "machine", "scenario_machine"
"""The policies in which a machine is kept: the account's own, and that of its scenario."""

Listener = Callable[["Account", Event], None]
OnWrite = Callable[["Account", bool], None]
"""Told of the account, and whether another moment was made its present."""


class Account:
    """See the module. Every use of ``store`` happens under ``lock``.

    ``derived`` caches what services make of the records; it is emptied when they are replaced.
    ``loose_files``: hashes of files that perhaps no document refers to any more, or ever did;
    ``any_file_loose``: it could be any of them. ``era`` counts replacements of the records: what
    was under way in an earlier one must not touch this. ``retired``: another account has taken its
    place, so nothing goes out from it any more. ``refusal``: what whoever wants to write is told.
    ``documents``: whoever makes the document of a snapshot of it, or a long list of its records,
    holds this, one at a time; it is waited for before the lock.
    ``default_machine``: the server's, which is used where the account has none.
    ``memory`` is what its logs share with those of others.
    ``queues``: due attempts by application, and ``senders``, how many threads serve them;
    ``sending`` counts those attempts; ``under_way`` are those that are being sent, of any era.
    ``unwritten``: by timer, requests that were sent and what came back, where that could not be
    written down; not sent again, unless the process ends first.
    ``stepping``: an advance makes happen what is due at an instant, some of it at a time.
    ``changes`` counts what was written, ``api_calls`` what was answered: for those who watch.
    ``moments``: the last changes of status and tried callbacks, in the order in which they came.
    ``undo_points``: the last moments to go back to, oldest first, beside the ``marks``, which have
    names; ``undone``: from behind which ``state`` up to which what was done is undone.
    ``unanswered``: calls that wrote and are not in the logs yet; ``on_write`` is told of writes.
    ``refused``: the last calls that named it and were not let in.
    ``taken_back``: the last callbacks that went out and are not among the records any more, as an
    earlier moment was made the present; see ``sent_and_gone``.
    ``steering``: the last control calls that changed something. ``arrows``: how often each change
    of status, from one to another, was made since it was made or last reset.
    ``began_s``: when it was made or last reset, in real seconds since 1970. ``move``: the id of the
    move in which it came from another server since then, empty if it did not, or in none with an
    id. ``leaving``: the URL of the server that it is being moved to, and the id of that move.
    """

    def __init__(
        self,
        auth_id: str,
        *,
        defaults: Settings,
        store: Store,
        files: FileStore,
        catalogue: Catalogue,
        machine: Machine,
        real: RealSource = real_now,
        memory: Budget | None = None,
    ) -> None:
        self.auth_id = auth_id
        self.lock, self.documents = AccountLock(), AccountLock()
        self.store = store
        self.files = files
        self.catalogue = catalogue
        self.default_machine = machine
        self.listeners: list[Listener] = []
        self.on_first_write: Callable[[Account], None] | None = None
        self.on_write: OnWrite = lambda account, is_other: None
        self.marks: dict[str, Mark] = {}
        self.exchanges: BoundedLog[Any] = BoundedLog(KEPT_EXCHANGES, KEPT_EXCHANGE_BYTES, memory)
        self.refused: BoundedLog[Any] = BoundedLog(KEPT_EXCHANGES, KEPT_EXCHANGE_BYTES, memory)
        self.moments: BoundedLog[Any] = BoundedLog(KEPT_MOMENTS, KEPT_EXCHANGE_BYTES, memory)
        self.taken_back: BoundedLog[Delivery] = BoundedLog(
            KEPT_EXCHANGES, KEPT_EXCHANGE_BYTES, memory
        )
        self.undo_points: deque[UndoPoint] = deque(maxlen=limits.UNDO_POINTS.most)
        self.undo_count = 0
        self.undone: deque[tuple[State, State]] = deque(maxlen=KEPT_STEERING)
        self.unanswered: set[Any] = set()
        self.steering: BoundedLog[Any] = BoundedLog(KEPT_STEERING, KEPT_EXCHANGE_BYTES, memory)
        self.arrows: Counter[tuple[str, str]] = Counter()
        self.began_s = wall_s()
        self.era = 0
        self.retired = False
        self.refusal: SimError | None = None
        self.under_way: set[Any] = set()
        self.changes = 0
        self.idle = threading.Condition(self.lock.raw)
        self._real = real
        self._defaults = defaults
        self._is_writing = False
        self._afterwards: list[Callable[[], None]] = []
        self.api_calls = 0
        with self.lock:
            self._begin()

    def _begin(self) -> None:
        """Take up from the store's ledger, or start new when it has none."""
        self.era += 1
        self.advancing = self.stepping = False
        self.sending = self.senders = 0
        self.queues: KeyedQueues[Any] = KeyedQueues()
        self.unwritten: dict[str, tuple[Outgoing, Answer]] = {}
        self.idle.notify_all()
        kept = self.store.ledger.fetch("ledger")
        self.overrides: dict[str, str] = dict(kept.overrides) if kept else {}
        self.settings = self.settings_with(self.overrides)
        if is_uncallable(url := self.overrides.get("callback_url", "")):
            logger.warning(
                "%s: no request can have its callback_url %r: callbacks go nowhere, unless their"
                " application has one; plivo-sim account set callback_url=URL --account %s",
                self.auth_id, without_secrets(url), self.auth_id,
            )  # fmt: skip
        counts = kept.counts if kept else None
        self.ids = IdFactory(self.settings.seed, self.auth_id, counts, self._is_taken)
        self.token = kept.token if kept else None
        self.subaccount_token = kept.subaccount_token if kept else None
        self.move = kept.move if kept else ""
        self.leaving: tuple[str, str] | None = None
        if kept and kept.leaving_to is not None:
            self.leaving = kept.leaving_to, kept.leaving_by
        self.clock = self._new_clock()
        if kept:
            self.clock.restore(kept.clock)
        self.agenda = Agenda(self.store)
        self.derived: dict[str, Any] = {}
        self.faults = FaultCounts()
        self.loose_files: set[str] = set()
        self.any_file_loose = True

    def _is_taken(self, kind: str, id: str) -> bool:
        rows = getattr(self.store, "deliveries" if kind == "delivery" else f"{kind}s")
        return rows.fetch(atoms_id(id) if kind == "atoms_application" else id) is not None

    def in_turns(
        self, things: Sequence[T], make: Callable[[T], Made], at_once: int = IN_A_TURN
    ) -> list[Made]:
        """See ``AccountLock.in_turns``: of those that take several turns, one does at a time, so
        that none is begun again in the middle. Caller does not hold the lock."""
        with self.documents if len(things) > at_once else nullcontext():
            return [*self.lock.in_turns(things, make, at_once)]

    def of_each(
        self, ids: Sequence[str], make: Callable[[Application], Made], at_once: int = IN_A_TURN
    ) -> list[Made]:
        """What is made of each of these applications, in turns, as it is then; those that are gone
        by then are left out."""

        def of(id: str) -> list[Made]:
            found = self.store.applications.fetch(id)
            return [] if found is None else [make(found)]

        return [*chain.from_iterable(self.in_turns(ids, of, at_once))]

    def _new_clock(self) -> VirtualClock:
        chosen = self.settings
        start = chosen.start or (PAUSED_START if chosen.paused else None)
        return VirtualClock(start=start, paused=chosen.paused, rate=chosen.warp, real=self._real)

    @property
    def machine(self) -> Machine:
        """The status machine in use: that of the scenario in use, else the account's own, else the
        server's. ``services/machines.py`` changes it."""
        return self._machine(SCENARIO_MACHINE, OWN_MACHINE)

    @property
    def own_machine(self) -> Machine:
        """The one that it has without a scenario."""
        return self._machine(OWN_MACHINE)

    def _machine(self, *places: str) -> Machine:
        key = f"machine of {places[0]}"
        found: Machine | None = self.derived.get(key)
        if found is not None:
            return found
        is_held = self.lock.acquire(0)
        try:
            found = self.default_machine
            for id in reversed(places):
                kept = self.store.policies.fetch(id)
                if kept is not None and kept.kind == "machine":
                    found = machine_of(kept.body)
            if is_held:  # else somebody is at it, and may be changing it
                self.derived[key] = found
            return found
        finally:
            if is_held:
                self.lock.release()

    @property
    def state(self) -> State:
        """A greater one whenever something was written."""
        return self.era, self.changes

    def now(self) -> datetime:
        """The simulated instant in this account."""
        with self.lock:
            return self.clock.now()

    def next_due(self) -> datetime | None:
        """When the first of what is due is due; None if nothing is, or if all of it is behind the
        end of the clock. Caller holds the lock."""
        at = self.agenda.next_instant()
        return at if at is not None and self.clock.reaches(at) else None

    def next_seq(self) -> int:
        """The next place in this account's history."""
        return self.ids.next_n("seq")

    def next_identity(self, kind: str) -> tuple[str, int]:
        """The id of a new record of a kind, and its place in this account's history."""
        ids = self.ids
        return ids.next(kind), ids.next_n("seq")

    def next_api_id(self) -> str:
        """The id of one answer. Not state: after a restart the count begins anew."""
        with self.lock:
            self.api_calls += 1
            return draw_uuid(self.settings.seed, self.auth_id, "api", self.api_calls, version=1)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Under the lock, all the writes within or none; what else was changed goes back too: the
        ids drawn, the clock, the settings, and what was derived from records that are no more.

        A nested one joins the outer: what it wrote stays, if the outer one goes on.
        """
        with self.lock:
            if self._is_writing:
                yield
                return
            self.check_in_use()
            self._is_writing = True
            take_back = self._as_it_is()
            try:
                with self.store.transaction():
                    yield
                    wrote = self.store.dirty
                    if wrote:
                        self.store.ledger.put(self._ledger())
            except BaseException:
                take_back()
                self._afterwards.clear()
                raise
            finally:
                self._is_writing = False
            if wrote:
                self.changes += 1
                self._tell_first_write()
                self.on_write(self, False)
            self._do_afterwards()

    def check_in_use(self) -> None:
        """For what changes it without a transaction. Raises ``refusal``; caller holds the lock."""
        if self.refusal is not None:
            raise self.refusal

    @contextmanager
    def in_use_once_more(self) -> Iterator[None]:
        """For what ends before ``refusal`` is to hold. Caller holds the lock, all the while."""
        refusal, self.refusal = self.refusal, None
        try:
            yield
        finally:
            self.refusal = refusal

    @contextmanager
    def as_before_if_it_fails(self) -> Iterator[None]:
        """For what changes settings, tokens or moves before it is written down: an error takes that
        back. Caller holds the lock."""
        take_back = self._as_it_is()
        try:
            yield
        except BaseException:
            take_back()
            raise

    def _as_it_is(self) -> Callable[[], None]:
        """What makes the account, its records aside, as it is now: all that the ledger has."""
        counts, clock = dict(self.ids.counts), copy(self.clock)
        overrides, settings = self.overrides, self.settings
        tokens, moves = (self.token, self.subaccount_token), (self.move, self.leaving)

        def take_back() -> None:
            self.ids.counts, self.clock = counts, clock
            self.overrides, self.settings = overrides, settings
            (self.token, self.subaccount_token), (self.move, self.leaving) = tokens, moves
            self.derived.clear()

        return take_back

    def when_written(self, work: Callable[[], None]) -> None:
        """Do this once the running transaction is written, or now if there is none; never if the
        transaction is taken back."""
        with self.lock:
            self._afterwards.append(work)
            if not self._is_writing:
                self._do_afterwards()

    def _do_afterwards(self) -> None:
        works, self._afterwards = self._afterwards, []
        for work in works:
            work()

    def _tell_first_write(self) -> None:
        if self.on_first_write is not None:
            adopt, self.on_first_write = self.on_first_write, None
            adopt(self)

    def keep_ledger(self) -> None:
        """Write clock, settings and tokens down though no record changed."""
        with self.transaction():
            self.store.ledger.put(self._ledger())

    def _ledger(self) -> Ledger:
        return Ledger(
            clock=self.clock.reading(),
            counts=dict(self.ids.counts),
            token=self.token,
            subaccount_token=self.subaccount_token,
            overrides=dict(self.overrides),
            move=self.move,
            leaving_to=self.leaving[0] if self.leaving else None,
            leaving_by=self.leaving[1] if self.leaving else "",
        )

    def keep_leaving(self, leaving: tuple[str, str] | None) -> None:
        """Write down that it is being moved, or is not: see ``leaving``. Raises StorageFailed; then
        nothing changed."""
        with self.transaction():
            self.leaving = leaving
            self.keep_ledger()

    def configure(self, overrides: dict[str, str]) -> None:
        """Change this account's own settings; a new account's clock starts by them.

        Raises ValueError, ClockRefused (a start in the past of an account that has one) or
        StorageFailed; then nothing changed.
        """
        with self.transaction():
            before, is_new = self.clock.reading(), not len(self.store.ledger)
            self.overrides = {**self.overrides, **overrides}
            self.settings = self.settings_with(self.overrides)
            self._set_clock(overrides)
            self.keep_ledger()
            if not is_new and overrides.keys() & {"warp", "paused", "start"}:
                self.publish(ClockChanged(before=before, after=self.clock.reading()))

    def settings_with(self, overrides: Mapping[str, str]) -> Settings:
        """What its settings are with these of its own. Raises ValueError."""
        return self._defaults.for_account(overrides)

    def _set_clock(self, overrides: dict[str, str]) -> None:
        """As the settings ask for, where they changed."""
        chosen, clock = self.settings, self.clock
        if not len(self.store.ledger):
            self.clock = self._new_clock()
            return
        if "warp" in overrides:
            clock.set_rate(chosen.warp)
        if "paused" in overrides:
            (clock.pause if chosen.paused else clock.resume)()
        if "start" in overrides and chosen.start is not None:
            clock.move_to(chosen.start)

    def change_clock(self, change: Callable[[VirtualClock], None]) -> None:
        """Steer the clock, and write down where it stands. Raises StorageFailed, and what the
        change does; then it is as it was."""
        with self.transaction():
            before = self.clock.reading()
            change(self.clock)
            self.keep_ledger()
            self.publish(ClockChanged(before=before, after=self.clock.reading()))

    def publish(self, event: Event) -> None:
        """Tell every listener, within the transaction that made it happen."""
        for listener in self.listeners:
            listener(self, event)

    def mark(self) -> Mark:
        """This moment: records, clock, timers, ids, counts of faults. Files stay while marks
        exist."""
        with self.lock:
            self.keep_ledger()
            return Moment(self.store.mark(), self.faults)

    def moment(self) -> Mark:
        """The same, without writing; nothing, of an account that nothing was written to."""
        with self.lock:
            mark = self.store.mark()
            if mark["ledger"]:
                mark["ledger"] = {"ledger": self._ledger()}
            return Moment(mark, self.faults)

    def marked_files(self) -> set[str]:
        """Hashes of the files that its marks and undo points need. Caller holds the lock."""
        marks = chain(self.marks.values(), (point.mark for point in self.undo_points))
        documents = chain.from_iterable(mark.get("documents", {}).values() for mark in marks)
        return {each.file.sha256 for each in documents if each.file is not None}

    def restore(self, mark: Mark, adapt: Callable[[Account], Made] | None = None) -> Made | None:
        """Make a mark the present; the only way for the clock to go back
        (decision "The clock never goes back"). Faults count anew after one from a document.
        ``adapt``: what else has to be written with it; returns what that does. Raises
        StorageFailed, and what ``adapt`` does; then nothing changed."""
        with self.lock:
            self.check_in_use()
            before = vars(self).copy()
            sent, forgotten = self._sent(), self.ids.counts.get(FORGOTTEN_DELIVERY, 0)
            self._is_writing = True
            try:
                with self.store.restoring(mark):
                    self._begin()
                    if isinstance(mark, Moment):
                        self.faults = mark.faults.copy()
                    adapted = adapt(self) if adapt is not None else None
                    kept = self.store.ledger.fetch("ledger")
                    if self.ids.counts != (kept.counts if kept is not None else {}):
                        self.store.ledger.put(self._ledger())
            except BaseException:
                self._afterwards.clear()
                vars(self).update(before, retired=self.retired)  # which another lock guards
                raise
            finally:
                self._is_writing = False
            self._keep_taken_back(sent, forgotten)
            if len(self.store.ledger):
                self._tell_first_write()
            self.on_write(self, True)
            self._do_afterwards()
            return adapted

    def _sent(self) -> list[Delivery]:
        """The callbacks that went out, or are on their way."""
        on_way = {each.timer.subject_id for each in self.under_way if each.era == self.era}
        every = self.store.deliveries.every()
        return [each for each in every if each.attempts or each.id in on_way]

    def _keep_taken_back(self, sent: Sequence[Delivery], forgotten: int) -> None:
        """Those of them that the records do not tell of any more; ``forgotten``: how many the list
        had let go before, which it does not know any more either."""
        known = [*self.taken_back]
        for each in sent:
            if not self._tells(each) and each not in known:
                self.taken_back.append(each, each.size_bytes)
        lost = forgotten - self.ids.counts.get(FORGOTTEN_DELIVERY, 0)
        self.taken_back.forgotten += max(lost, 0)

    def _tells(self, sent: Delivery) -> bool:
        """Whether the records tell of a callback, and of each of its attempts."""
        held = self.store.deliveries.fetch(sent.id)
        return (
            held is not None
            and (held.payload, held.created_at) == (sent.payload, sent.created_at)
            and held.attempts[: len(sent.attempts)] == sent.attempts
        )

    def sent_and_gone(self) -> tuple[list[Delivery], int]:
        """The callbacks that were taken back, and of how many that is not known any more. Those
        that are records again, as a later moment was gone back to, are not among them. Caller
        holds the lock."""
        kept, forgotten = self.taken_back.kept()
        return [each for each in kept if not self._tells(each)], forgotten

    def reset(self, *, undoable: bool = False) -> None:
        """Forget everything, as if the account had never been used; its settings go too.
        ``undoable``: but for what can be undone."""
        with self.lock:
            self.restore({})
            self.marks = {}
            self.exchanges.clear()
            self.refused.clear()
            self.moments.clear()
            self.taken_back.clear()
            self.arrows.clear()
            if not undoable:
                self.undo_points.clear()
                self.undo_count = 0
                self.undone.clear()
                self.steering.clear()
            self.began_s = wall_s()
            self.files.forget_all_but(self.marked_files())
            self.api_calls = 0
