"""The proxies that docs/scale.md names, started with the configurations that it shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from plivo_sim.client import Client, Unreachable

EXAMPLES = Path(__file__).parents[2] / "docs/examples/scale"
RULES = tuple((EXAMPLES / "rules.txt").read_text(encoding="utf-8").split())
"""``--serves`` of each of the four."""
FILES = {
    "nginx": "nginx.conf",
    "haproxy": "haproxy.cfg",
    "envoy": "envoy.yaml",
    "caddy": "Caddyfile",
}
_OPTIONS = {
    "nginx": ("-p", "{folder}", "-g", "daemon off;", "-c"),
    "haproxy": ("-f",),
    "envoy": ("--disable-hot-restart", "--log-level", "error", "--concurrency", "2", "-c"),
    "caddy": ("run", "--config"),
}


def program(name: str) -> str | None:
    """Where it is, if it is: Debian has some where no user's PATH leads, and Envoy is a wheel."""
    places = (os.environ.get("PATH", ""), "/usr/sbin", str(Path(sys.executable).parent))
    return shutil.which(name, path=os.pathsep.join(places))


def start_proxy(
    name: str, folder: Path, ports: Sequence[int], *more: str
) -> subprocess.Popen[bytes]:
    """The example's configuration with the ports of the proxy and of the four servers in place of
    its own; it answers when this returns. ``more``: more words of its command."""
    text = (EXAMPLES / FILES[name]).read_text(encoding="utf-8")
    for port, own in zip(range(8700, 8705), ports, strict=True):
        for form in ("127.0.0.1:{}", "address: 127.0.0.1, port_value: {}", "http://:{} "):
            text = text.replace(form.format(port), form.format(own))
    if name == "nginx":  # which as root would serve as another user, who may not see this folder
        text = f"user root;\n{text}" if os.getuid() == 0 else text
    path = folder / FILES[name]
    path.write_text(text, encoding="utf-8")
    words = [each.format(folder=folder) for each in _OPTIONS[name]]
    command = [str(program(name)), *words, str(path), *more]
    with (folder / "proxy.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"HOME": str(folder)}
        )
    url = f"http://127.0.0.1:{ports[0]}"
    while True:
        try:
            Client(url).ready()
        except Unreachable:  # or it answers, and does not know yet that its servers are there
            assert process.poll() is None, (folder / "proxy.log").read_text()
        else:
            return process
