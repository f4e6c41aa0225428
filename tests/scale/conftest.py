"""Four servers behind each of the proxies of docs/scale.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings, read_setting
from tests.scale.proxies import FILES, RULES, program, start_proxy
from tests.support import free_ports

REQUIRED = os.environ.get("TESTS_REQUIRE_PROXIES") == "1"


@dataclass
class Cluster:
    """``proxy``: its name; ``url``: where it answers. ``servers``: the four, in the order of the
    rules."""

    proxy: str
    url: str
    servers: list[LiveSimulator]

    def server_of(self, auth_id: str) -> LiveSimulator:
        """The one that an account belongs to."""
        return next(each for each in self.servers if each.sim.settings.serves.serves(auth_id))


@pytest.fixture(params=FILES)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    if program(request.param) is None:
        text = f"no {request.param} on this machine"
        pytest.fail(text) if REQUIRED else pytest.skip(text)
    ports = free_ports(5)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                LiveSimulator(
                    Settings(
                        port=port,
                        state=tmp_path / f"state-{port}",
                        paused=True,
                        require_account=True,
                        serves=read_setting("serves", rule),
                        trusted_proxies=read_setting("trusted_proxies", "127.0.0.1"),
                    )
                )
            )
            for port, rule in zip(ports[1:], RULES, strict=True)
        ]
        process = start_proxy(request.param, tmp_path, ports)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        yield Cluster(request.param, f"http://127.0.0.1:{ports[0]}", servers)
