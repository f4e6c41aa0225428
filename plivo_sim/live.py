"""A live simulator: the HTTP server, the scheduler, and the simulator between them."""

from __future__ import annotations

from pathlib import Path

from plivo_sim.app import create_app
from plivo_sim.bootstrap import make_simulator
from plivo_sim.ports import Transport
from plivo_sim.scheduler import Scheduler
from plivo_sim.server import Server, Tls, make_server
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.steady import steady_s

GRACE_S = 5.0
"""How long stopping may take. Docker kills after 10 s, Kubernetes after 30."""


class LiveSimulator:
    """Serves a simulator over HTTP until ``stop``; also a context manager.

    ``start`` binds before it returns. Raises OSError when the port cannot be had, and what
    ``make_simulator`` and ``make_tls`` raise. ``authority``: what clients must trust, with TLS.
    """

    def __init__(self, settings: Settings, *, transport: Transport | None = None) -> None:
        self.sim: Simulator = make_simulator(settings, transport=transport)
        self.authority: Path | None = None
        tls: Tls | None = None
        if settings.tls:
            from plivo_sim.tls import default_folder, make_tls

            tls, self.authority = make_tls(
                settings.tls_dir or default_folder(), *settings.allowed_hosts
            )
        self._server: Server = make_server(
            create_app(self.sim),
            host=settings.host,
            port=settings.port,
            tls=tls,
            grace_s=GRACE_S,
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
        for world in self.sim.accounts():
            self._scheduler.notify(world)
        return self

    def stop(self) -> None:
        """Finish what is in flight, for at most ``GRACE_S``, then write down where every clock
        stands. A callback that a receiver holds longer counts as never sent."""
        deadline_s = steady_s() + GRACE_S
        self.sim.stopping = True
        self._server.stop()
        self._scheduler.stop()
        self.sim.close(max(0.0, deadline_s - steady_s()))

    def __enter__(self) -> LiveSimulator:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
