"""Four servers behind nginx or HAProxy, with the configurations that docs/scale.md shows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client, Unreachable
from plivo_sim.settings import Settings, read_setting

EXAMPLES = Path(__file__).parents[2] / "docs/examples/scale"
RULES = tuple(
    re.findall(
        r'^"?(\*\S+?)"?$', (EXAMPLES / "rules.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
)
"""``--serves`` of each of the four."""
PROXIES = {
    "nginx": ("nginx.conf", ("nginx", "-p", "{folder}", "-c", "{file}", "-g", "daemon off;")),
    "haproxy": ("haproxy.cfg", ("haproxy", "-f", "{file}")),
}
REQUIRED = os.environ.get("TESTS_REQUIRE_PROXIES") == "1"


@dataclass
class Cluster:
    """``url``: the proxy's. ``servers``: the four, in the order of the rules."""

    url: str
    servers: list[LiveSimulator]

    def server_of(self, auth_id: str) -> LiveSimulator:
        """The one that an account belongs to."""
        return next(each for each in self.servers if each.sim.settings.serves.serves(auth_id))


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def program(name: str) -> str:
    """Raises nothing where it is missing: the test is skipped, or fails where it must be there."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        text = f"no {name} on this machine"
        pytest.fail(text) if REQUIRED else pytest.skip(text)
    return found


def start_proxy(name: str, folder: Path, ports: list[int]) -> subprocess.Popen[bytes]:
    """The example's configuration with other ports; it answers when this returns."""
    file, words = PROXIES[name]
    text = (EXAMPLES / file).read_text(encoding="utf-8")
    for port, own in zip((8700, 8701, 8702, 8703, 8704), ports, strict=True):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{own}")
    if name == "nginx":  # which as root would serve as another user, who may not see this folder
        text = f"user root;\n{text}" if os.getuid() == 0 else text
    path = folder / file
    path.write_text(text, encoding="utf-8")
    command = [each.format(folder=folder, file=path) for each in words]
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen([program(name), *command[1:]], stderr=log, stdout=log)
    url = f"http://127.0.0.1:{ports[0]}"
    while True:
        try:
            Client(url).control("GET", "/health/ready")
        except Unreachable:
            assert process.poll() is None, (folder / "proxy.log").read_text()
        except Exception:  # it answers, although its servers are not known to be there yet
            assert process.poll() is None, (folder / "proxy.log").read_text()
        else:
            return process


@pytest.fixture(params=PROXIES)
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    program(request.param)
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
        yield Cluster(f"http://127.0.0.1:{ports[0]}", servers)
