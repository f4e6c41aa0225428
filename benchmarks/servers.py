"""Measure the in-process HTTP servers that were candidates, under the same bare Flask app.

Run `python benchmarks/servers.py` (about 40 s a round; 127.0.0.1 only; `--rounds 3` for medians of
several, `--only NAME` for some). Each candidate serves in a process of its own, in turns; the load
(half GET, half POST, keep-alive) comes from another: `wrk` when it is installed, a threaded
`http.client` generator otherwise. Ratios are against the first candidate of the same run, since
absolute numbers say more about the machine than about the server; on a busy machine the processor
time of a request (the least of the rounds; Linux only) says more than its rate.

Not a candidate: granian, whose worker is a process of its own, so the test cannot share state
with it.
"""

from __future__ import annotations

import argparse
import http.client
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

CONNECTIONS = (1, 8, 32)
SECONDS = 2  # of each load
BODY = b'{"name": "benchmark", "numbers": [1, 2, 3]}'
LUA = """
local n = 0
local post = wrk.format(
  "POST", "/echo", {["Host"] = "sim", ["Content-Type"] = "application/json"}, 'BODY')
local get = wrk.format("GET", "/", {["Host"] = "sim"})
request = function() n = n + 1; if n % 2 == 0 then return get else return post end end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %f %f %f %d\\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
""".replace("BODY", BODY.decode())
Result = tuple[float, float, float, int]  # requests/s, p50 ms, p99 ms, errors


def flask_app() -> Any:
    """Return the bare application: GET / and POST /echo, both JSON."""
    import flask

    app = flask.Flask(__name__)
    app.get("/", endpoint="get")(lambda: {"ok": True})
    app.post("/echo", endpoint="post")(lambda: flask.jsonify(flask.request.get_json()))
    return app


def serve_werkzeug(port: int) -> None:
    """Werkzeug's threaded server, HTTP/1.1 and silent so that the two favours are granted."""
    import werkzeug.serving

    class Handler(werkzeug.serving.WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    werkzeug.serving.make_server(
        "127.0.0.1", port, flask_app(), threaded=True, request_handler=Handler
    ).serve_forever()


def cheroot_with(**settings: Any) -> Callable[[int], None]:
    """Return a function serving with plain cheroot, 8 threads, and these attributes set."""

    def serve(port: int) -> None:
        import cheroot.wsgi

        server: Any = cheroot.wsgi.Server(("127.0.0.1", port), flask_app(), numthreads=8)
        for name, value in settings.items():
            setattr(server, name, value)
        server.start()

    return serve


def serve_waitress(port: int) -> None:
    """Waitress with as many threads as cheroot has here, and its other defaults."""
    import waitress  # type: ignore[import-untyped]  # its stubs are not worth a dependency

    waitress.serve(flask_app(), host="127.0.0.1", port=port, threads=8, _quiet=True)


def serve_plivo_sim(port: int) -> None:
    """What plivo_sim ships: `plivo_sim.web.server`."""
    from plivo_sim.web.server import make_server

    make_server(flask_app(), port=port).start()
    threading.Event().wait()


CANDIDATES: dict[str, Callable[[int], None]] = {
    "werkzeug": serve_werkzeug,
    "cheroot (defaults)": cheroot_with(),
    "cheroot (2 settings)": cheroot_with(keep_alive_conn_limit=None, request_queue_size=128),
    "waitress": serve_waitress,
    "plivo_sim.web.server": serve_plivo_sim,
}
NEEDS = {"waitress": "waitress"}


def load_wrk(port: int, connections: int) -> Result:
    """Load the port with wrk for SECONDS."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", script.name]
        out = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", out)
    assert found, out
    return float(found[1]), float(found[2]), float(found[3]), int(found[4])


def load_python(port: int, connections: int) -> Result:
    """Load the port with one `http.client` thread per connection, from a separate process."""
    out = subprocess.run(
        [sys.executable, __file__, "--load", str(port), str(connections)],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    return float(out[0]), float(out[1]), float(out[2]), int(out[3])


def generate(port: int, connections: int) -> None:
    """Be the load generator: print requests/s, p50 and p99 in ms, and errors."""
    taken_ms: list[float] = []
    errors: list[int] = []
    end = time.monotonic() + SECONDS

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        turn = 0
        while time.monotonic() < end:
            turn += 1
            began = time.perf_counter()
            try:
                if turn % 2:
                    headers = {"Content-Type": "application/json"}
                    connection.request("POST", "/echo", BODY, headers)
                else:
                    connection.request("GET", "/")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                errors.append(1)
                connection.close()
            taken_ms.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=client) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken_ms.sort()
    p50, p99 = (taken_ms[int(len(taken_ms) * share)] for share in (0.5, 0.99))
    print(len(taken_ms) / SECONDS, p50, p99, len(errors))


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processor_s(process: int) -> float:
    """What a process has used so far; 0 where the system does not tell."""
    try:
        told = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def measure(name: str) -> list[tuple[Result, float]]:
    """Serve one candidate in a process of its own and load it at each number of connections; with
    the processor time of a request, in us."""
    port = free_port()
    root = str(pathlib.Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", name, str(port)],
        env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.02)
        load = load_wrk if shutil.which("wrk") else load_python
        found = []
        for connections in CONNECTIONS:
            before_s = processor_s(server.pid)
            result = load(port, connections)
            used_s = processor_s(server.pid) - before_s
            found.append((result, used_s / (result[0] * SECONDS) * 1e6))
        return found
    finally:
        server.kill()
        server.wait()


def main() -> None:
    """Measure every candidate and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=CANDIDATES, action="append")
    given = parser.parse_args()
    names = []
    for name in given.only or CANDIDATES:
        if find_spec(NEEDS.get(name, "flask")) is None:
            print(f"{name:22}is not installed: left out (pip install {NEEDS[name]})")
        else:
            names.append(name)
    found: dict[str, list[Any]] = {name: [] for name in names}
    for _ in range(given.rounds):
        for name in names:
            found[name].append(measure(name))
    print(f"load: {'wrk' if shutil.which('wrk') else 'http.client'}, cpus: {os.cpu_count()}")
    print(f"{'server':22}{'conns':>6}{'req/s':>9}{'ratio':>7}{'p50 ms':>9}{'p99 ms':>9}"
          f"{'errors':>8}{'us of cpu':>11}")  # fmt: skip
    for n, connections in enumerate(CONNECTIONS):
        base = 0.0
        for name in names:
            results, used_us = zip(*(each[n] for each in found[name]), strict=True)
            rate, p50, p99, errors = map(statistics.median, zip(*results, strict=True))
            base = base or rate
            print(f"{name:22}{connections:6}{rate:9.0f}{rate / base:7.2f}{p50:9.2f}{p99:9.2f}"
                  f"{errors:8.0f}{min(used_us):11.0f}")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        CANDIDATES[sys.argv[2]](int(sys.argv[3]))
    elif sys.argv[1:2] == ["--load"]:
        generate(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
