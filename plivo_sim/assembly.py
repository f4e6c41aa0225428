"""Puts a simulator together from its settings: the only place that knows every part.

A live simulator: the HTTP server, the scheduler, and the simulator between them.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from plivo_sim.account.account import Account
from plivo_sim.account.clock import RealSource, monotonic_s, real_now
from plivo_sim.account.descriptors import most_journals
from plivo_sim.account.interfaces import Answer, Damage, FileStore, Outgoing, Transport
from plivo_sim.account.logs import Budget
from plivo_sim.account.store.database import Database
from plivo_sim.account.store.directory import Claim, account_of, folder_name, unguarded
from plivo_sim.account.store.disk import close_folder_to_others
from plivo_sim.account.store.files import DiskFiles, MemoryFiles
from plivo_sim.account.store.journal import OpenJournals
from plivo_sim.apis.legacy.presenters import encode_callback as legacy_callback
from plivo_sim.apis.phone_number.beta.presenters import encode_callback as beta_callback
from plivo_sim.apis.phone_number.current.presenters import encode_callback as current_callback
from plivo_sim.app import create_app
from plivo_sim.catalogue import load_catalogue
from plivo_sim.domain.errors import NotServed, StateUnreadable, StorageFailed
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.records import ATOMS_ADDRESS, Origin, Pairs, StatusChanged
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.typed import dotted
from plivo_sim.machines.loader import find_machine
from plivo_sim.services.due import replan
from plivo_sim.settings import Settings
from plivo_sim.simulator import AUTH_ID, Simulator, is_account, main_account
from plivo_sim.simulator.coverage import Coverage
from plivo_sim.simulator.events import EventLog
from plivo_sim.simulator.history import note_event, note_happening
from plivo_sim.simulator.instants import Happening
from plivo_sim.simulator.logs import log_happening
from plivo_sim.simulator.runner import Runner
from plivo_sim.simulator.scheduler import Scheduler
from plivo_sim.web.server import Server, make_server
from plivo_sim.web.tls import Tls
from plivo_sim.webhooks.outbox import Outbox, Receiver
from plivo_sim.webhooks.transport import HttpTransport

logger = logging.getLogger("plivo_sim")

_CALLBACKS = {Origin.BETA: beta_callback, Origin.LEGACY: legacy_callback}


class NoGlobalLock(ValueError):
    """This Python runs threads at once."""


def make_simulator(
    settings: Settings | None = None,
    *,
    transport: Transport | None = None,
    real: RealSource = real_now,
) -> Simulator:
    """A simulator, with every account that its state directory holds.

    Raises StateUnreadable when the directory is in use by another simulator or cannot be read,
    ValueError for a wrong catalogue or machine, and in a free-threaded Python that runs without its
    lock.
    """
    _refuse_without_gil()
    settings = settings or Settings()
    _tell_of_open_accounts(settings)
    outbox = Outbox(_encode_callback, {Origin.ATOMS: Receiver(ATOMS_ADDRESS, _tell_atoms)})
    runner = Runner(outbox, transport or HttpTransport())
    coverage, memory = Coverage(), Budget()
    events = EventLog(memory)

    def on_happening(account: Account, happening: Happening) -> None:
        coverage.on_happening(happening)
        events.on_happening(account, happening)
        note_happening(account, happening)
        log_happening(account, happening)

    runner.on_happening = on_happening
    claim = Claim(settings.state, settings.fsync) if settings.state is not None else None
    check, unlock = (claim.check, claim.release) if claim is not None else (unguarded, unguarded)
    opened = OpenJournals(most_journals())
    guards: WeakValueDictionary[str, Lock] = WeakValueDictionary()
    damages: list[Damage] = []

    def make_account(
        auth_id: str, defaults: Settings, catalogue: Catalogue, machine: Machine
    ) -> Account:
        files: FileStore = MemoryFiles()
        journal = None
        if claim is not None:
            journal = claim.folder_of(auth_id) / "journal.jsonl"
            files = DiskFiles(
                journal.with_name("files"),
                settings.fsync,
                check,
                guards.setdefault(auth_id, Lock()),
            )
        database = Database(journal, settings.fsync, check, opened)
        damages.extend(database.journal.damages)
        account = Account(
            auth_id,
            defaults=defaults,
            store=database,
            files=files,
            catalogue=catalogue,
            machine=machine,
            real=real,
            memory=memory,
        )
        account.listeners += (
            outbox.on_event, coverage.on_event, events.on_event, note_event,
        )  # fmt: skip
        return account

    try:
        simulator = Simulator(
            settings, _catalogue, _machine, runner, outbox, make_account, coverage, events, memory,
            unlock,
        )  # fmt: skip
        simulator.damages = damages
        for auth_id in _served(_kept_accounts(claim), settings):
            known = len(damages)
            try:
                account = simulator.account(auth_id)
            except NotServed:  # it was being moved when the last server ended
                leaving = simulator.leaving(auth_id).account
                assert leaving is not None
                _check(leaving)
                continue
            _check(account)
            replan(account)
            if not len(account.store.ledger) and len(damages) == known:
                with suppress(StorageFailed):  # it was reset, or never written to
                    account.reset()
    except BaseException:
        unlock()
        raise
    return simulator


def _tell_of_open_accounts(settings: Settings) -> None:
    for auth_id in settings.credentials:
        if (main := main_account(auth_id)) not in settings.credentials:
            logger.warning(
                "--credential %s:TOKEN alone protects nothing: its account %s takes any token, and"
                " may call for it; fix that one too, with --credential %s:TOKEN",
                auth_id, main, main,
            )  # fmt: skip


def _encode_callback(event: StatusChanged, machine: Machine) -> Pairs:
    """The fields of a callback, in the language of the API that made the application (decisions
    "Callbacks follow the reviewer", "Format of callbacks")."""
    return _CALLBACKS.get(event.application.origin, current_callback)(event, machine)


def _tell_atoms(account: Account, request: Outgoing, at: datetime) -> Answer:
    from plivo_sim.apis.atoms.service import receive  # here: a start without Atoms needs none of it

    return receive(account, request, at)


def _refuse_without_gil() -> None:
    """The libraries below were never tried with threads that truly run at once."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise NoGlobalLock(
            "plivo-sim does not run without Python's global lock yet: set PYTHON_GIL=1,"
            " or use a build of Python that is not free-threaded"
        )


def _check(account: Account) -> None:
    """Raises StateUnreadable for an account whose records this simulator cannot serve."""
    from plivo_sim.services.integrity import problems_of  # here: a new one needs none of it

    for path, text in problems_of(account, account.store.mark(), at_start=True):
        if path[0] == "applications" and path[2:] == ("status",):
            text += (
                f": not in machine {account.machine.name}; start with the one that this was"
                " written with: --machine NAME|FILE"
            )
        raise StateUnreadable(
            f"account {account.auth_id}: {dotted(path)}: {text}; or use another --state"
        )


def _catalogue(settings: Settings) -> Catalogue:
    return load_catalogue(settings.seed, settings.catalogue)


def _machine(settings: Settings) -> Machine:
    return find_machine(settings.machine)


def _kept_accounts(claim: Claim | None) -> list[str]:
    if claim is None:
        return []
    _rename_old_folders(claim)
    found = {
        id: entry
        for entry in os.scandir(claim.accounts)
        if AUTH_ID.fullmatch(id := account_of(entry.name))
    }
    for id, entry in found.items():
        if not is_account(id):
            raise StateUnreadable(
                f"{entry.path} has the name of a subaccount, which holds nothing; use another"
                " --state, or move it away"
            )
        if not entry.is_dir(follow_symlinks=False):
            raise StateUnreadable(f"{entry.path} is no folder; use another --state")
        try:
            close_folder_to_others(Path(entry.path))
        except OSError as error:
            raise StateUnreadable(f"cannot use {entry.path}: {error.strerror}") from error
    return sorted(found, key=lambda id: found[id].stat().st_mtime_ns)


def _served(kept: Sequence[str], settings: Settings) -> list[str]:
    """Those that this server has; the others stay as they are, and are told of."""
    served = [auth_id for auth_id in kept if settings.serves.serves(auth_id)]
    if len(served) < len(kept):
        logger.warning(
            "%d of the %d accounts in %s are not served here (--serves %s); they stay there as they"
            " are. Before the rule is changed, plivo-sim account move brings them elsewhere",
            len(kept) - len(served), len(kept), settings.state, settings.serves,
        )  # fmt: skip
    return served


def _rename_old_folders(claim: Claim) -> None:
    """Those of ids with small letters were called as the ids are."""
    for entry in os.scandir(claim.accounts):
        if AUTH_ID.fullmatch(entry.name) and folder_name(entry.name) != entry.name:
            try:
                os.rename(entry.path, claim.folder_of(entry.name))
            except OSError as error:
                raise StateUnreadable(f"cannot use {entry.path}: {error.strerror}") from error


GRACE_S = 5.0
"""How long stopping may take. Docker kills after 10 s, Kubernetes after 30."""


class LiveSimulator:
    """Serves a simulator over HTTP until ``stop``; also a context manager.

    ``start`` binds before it returns. Raises OSError when the port cannot be had, and what
    ``make_simulator`` and ``make_tls`` raise. ``authority``: what clients must trust, with TLS; its
    own callbacks do.
    """

    def __init__(self, settings: Settings, *, transport: Transport | None = None) -> None:
        self.authority: Path | None = None
        tls: Tls | None = None
        if settings.tls:
            from plivo_sim.web.certificates import default_folder, make_tls

            tls, self.authority = make_tls(
                settings.tls_dir or default_folder(), *settings.allowed_hosts
            )
            transport = transport or HttpTransport(self.authority)
        self.sim: Simulator = make_simulator(settings, transport=transport)
        app = create_app(self.sim)
        self._server: Server = make_server(
            app,
            host=settings.host,
            port=settings.port,
            tls=tls,
            grace_s=GRACE_S,
            drain_s=settings.drain_s,
            words_refusals=True,
        )
        self._scheduler = Scheduler(self.sim.runner)

    @property
    def url(self) -> str:
        """Where it answers, without a last slash."""
        return self._server.url

    def start(self) -> LiveSimulator:
        self.sim.runner.wake = self._scheduler.notify
        self._scheduler.start()
        try:
            self._server.start()
        except BaseException:
            self._scheduler.stop()
            self.sim.close()
            raise
        for account in self.sim.accounts():
            self._scheduler.notify(account)
        return self

    def stop(self) -> None:
        """Finish what is in flight, for at most ``GRACE_S``, then write down where every clock
        stands. A callback that a receiver holds longer counts as never sent."""
        deadline_s = monotonic_s() + GRACE_S
        self.sim.stopping = True
        self._server.stop()
        self._scheduler.stop(max(0.0, deadline_s - monotonic_s()))
        self.sim.close(max(0.0, deadline_s - monotonic_s()))

    def __enter__(self) -> LiveSimulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
