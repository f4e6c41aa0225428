"""Measure what our own layers cost: the same calls to the simulator and to a bare Flask app.

`python benchmarks/hot_path.py` calls both applications in process (WSGI, no socket) in alternating
rounds; `--server` puts both on `plivo_sim.web.server`, each in a process of its own, and loads them
with `wrk` in alternating rounds; `--start` measures from process start to the first answer;
`--memory 100000` measures how much memory that many requests that store nothing leave behind. The
simulator keeps its state on disk and logs as `plivo-sim serve` does. Ratios are of medians within
one run: absolute numbers say more about the machine. 127.0.0.1 only, about 30 s each. A create with
two files of 200 kB is compared to a bare app that reads and hashes the same body; it writes up to a
gigabyte, which is removed at the end.
"""

from __future__ import annotations

import argparse
import base64
import gc
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
AUTH_ID = "MABENCHMARKBENCHMARK"
AUTHORIZATION = "Basic " + base64.b64encode(f"{AUTH_ID}:token".encode()).decode()
ACCOUNT = f"/v1/Account/{AUTH_ID}"
COMPLIANCE = f"{ACCOUNT}/PhoneNumber/Compliance/"
SDK_AGENT = "plivo-python/4.63.0 (Python: 3.11.7)"
BARE_BODY = {
    "api_id": "c0ffee00-0000-1000-8000-000000000000", "alias": "Acme Mumbai", "status": "draft",
    "compliance_application_id": "c0ffee00-0000-4000-8000-000000000000", "documents": [],
    "compliance_requirement_id": "c0ffee00-0000-4000-8000-000000000000", "country_iso2": "IN",
    "end_user_id": "c0ffee00-0000-4000-8000-000000000000", "end_user_type": "business",
    "country_iso": "IN", "number_type": "local", "compliance_document_id": [],
    "created_at": "2026-01-05T09:00:00.000000Z", "last_updated_at": "2026-01-05T09:00:00.000000Z",
}  # fmt: skip
"""As long as our answer to a GET of an application."""

FILE_BYTES = 200_000

_NUMBERS = (str(10**8 + n).encode() for n in itertools.count())

Call = tuple[str, str, bytes, dict[str, str]]
"""Method, path, body, headers; ``@@`` in a body is another number in every call."""

Answer = tuple[int, bytes]


def bare_app() -> Any:
    """The floor: one JSON route to read, one to write, one to hash, and nothing around them."""
    import flask

    app = flask.Flask("bare")

    def write(account: str) -> Any:
        sent = flask.request.get_json()
        return {**BARE_BODY, "alias": sent["alias"]}, 201

    def write_files(account: str) -> Any:
        return {**BARE_BODY, "alias": hashlib.sha256(flask.request.get_data()).hexdigest()}, 201

    app.post("/v1/Account/<account>/Files/", endpoint="files")(write_files)
    app.get("/v1/Account/<account>/Application/<id>/", endpoint="read")(
        lambda account, id: BARE_BODY
    )
    app.post("/v1/Account/<account>/Application/", endpoint="write")(write)
    return app


def call(app: Any, wanted: Call) -> Answer:
    """One call in process, its answer read and closed."""
    answer: list[int] = []
    body = app(environ_of(wanted), lambda status, headers, _=None: answer.append(int(status[:3])))
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return answer[0], content


def environ_of(wanted: Call) -> dict[str, Any]:
    """What our server passes for such a call."""
    method, path, body, headers = wanted
    path, _, query = path.partition("?")
    environ = {
        "ACTUAL_SERVER_PROTOCOL": "HTTP/1.1", "PATH_INFO": path, "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "40000", "REQUEST_METHOD": method,
        "REQUEST_URI": wanted[1], "SCRIPT_NAME": "", "SERVER_NAME": "plivo-sim",
        "SERVER_PORT": "8700", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "plivo-sim",
        "wsgi.errors": sys.stderr, "wsgi.input": io.BytesIO(body), "wsgi.multiprocess": False,
        "wsgi.input_terminated": False, "wsgi.multithread": True, "wsgi.run_once": False,
        "wsgi.url_scheme": "http", "wsgi.version": (1, 0), "HTTP_HOST": "127.0.0.1:8700",
    }  # fmt: skip
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def read(path: str, **headers: str) -> Call:
    """A GET with credentials; header names with underscores."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return "GET", path, b"", {"Authorization": AUTHORIZATION, "Accept": "*/*", **given}


def write(path: str, body: Any) -> Call:
    """A POST of JSON with credentials."""
    headers = {"Authorization": AUTHORIZATION, "Content-Type": "application/json", "Accept": "*/*"}
    return "POST", path, json.dumps(body).encode(), headers


def write_form(path: str, data: Any, files: int) -> Call:
    """A POST of a form: ``data`` as JSON text, and so many files, other ones in every call."""
    boundary = b"cb1ea573abe400c9f6d6a0fce7a2fead"
    head = b"--%b\r\nContent-Disposition: form-data; name=" % boundary
    parts = [b'%b"data"\r\n\r\n%b\r\n' % (head, json.dumps(data).encode())]
    for n in range(files):
        about = b'"documents[%d].file"; filename="proof.pdf"\r\nContent-Type: application/pdf' % n
        content = (b"%%PDF-1.4\n%% @@ %d\n" % n).ljust(FILE_BYTES, b"x")
        parts.append(b"%b%b\r\n\r\n%b\r\n" % (head, about, content))
    kind = f"multipart/form-data; boundary={boundary.decode()}"
    headers = {"Authorization": AUTHORIZATION, "Content-Type": kind, "User-Agent": SDK_AGENT}
    return "POST", path, b"".join([*parts, b"--%b--\r\n" % boundary]), headers


Send = Callable[[Call], Answer]


def file_records(send: Send) -> dict[str, Call]:
    """Make an end user, an application of each API and a number; the calls to measure."""

    def made(call_: Call) -> dict[str, Any]:
        status, body = send(call_)
        assert status < 300, body
        found: dict[str, Any] = json.loads(body)
        return found

    end_user = {"name": "Acme", "end_user_type": "business"}
    user_id = made(write(f"{ACCOUNT}/EndUser/", end_user))["end_user_id"]
    draft = {
        "country_iso2": "US", "number_type": "tollfree", "end_user_type": "business",
        "operation_type": "buy_number", "alias": "Acme @@", "end_user_id": user_id,
        "document_ids": [],
    }  # fmt: skip
    create = write(f"{ACCOUNT}/ComplianceApplication/", draft)
    legacy_id = made(create)["compliance_application_id"]
    listed = json.loads(send(read(f"{ACCOUNT}/PhoneNumber/?country_iso=US"))[1])
    number = listed["objects"][0]["number"]
    made(write(f"{ACCOUNT}/PhoneNumber/{number}/", {}))
    asked = "country_iso=IN&number_type=local&user_type=business"
    asking = read(f"{COMPLIANCE}Requirements/?{asked}", User_Agent=SDK_AGENT)
    types = [each["document_type_id"] for each in made(asking)["document_types"]]
    return {
        "GET, legacy": read(f"{ACCOUNT}/ComplianceApplication/{legacy_id}/"),
        "GET, new API": read(f"{COMPLIANCE}{legacy_id}/", User_Agent=SDK_AGENT),
        "GET, number": read(f"{ACCOUNT}/Number/{number}/"),
        "create, legacy": create,
        "create, files": write_form(COMPLIANCE, submission(types), len(types)),
    }


def submission(types: list[str]) -> Any:
    """An application for India with documents of these types."""
    details = {
        "type": "business", "name": "Acme Traders", "email": "a@b.example", "city": "Mumbai",
        "address_line1": "12 MG Road", "state": "Maharashtra", "postal_code": "400001",
        "country": "IN",
    }  # fmt: skip
    documents: list[dict[str, Any]] = [{"document_type_id": each} for each in types]
    documents[0]["data_fields"] = {"business_name": "Acme"}
    return {
        "country_iso": "IN", "number_type": "local", "alias": "Acme @@", "end_user": details,
        "documents": documents,
    }  # fmt: skip


BARE = {
    "GET": read(f"{ACCOUNT}/Application/c0ffee00-0000-4000-8000-000000000000/"),
    "create": write(
        f"{ACCOUNT}/Application/",
        {
            "country_iso2": "IN",
            "number_type": "local",
            "end_user_type": "business",
            "alias": "Acme @@",
            "end_user_id": BARE_BODY["end_user_id"],
        },
    ),
    "files": write_form(f"{ACCOUNT}/Files/", submission(["", ""]), 2),
}


def floor_of(name: str) -> str:
    """The call to the bare app that one of ours is compared to."""
    if name.endswith("files"):
        return "files"
    return "GET" if name.startswith("GET") else "create"


def chosen(calls: dict[str, Call], only: str) -> dict[str, Call]:
    """Those in whose names the word is."""
    return {name: each for name, each in calls.items() if only in name}


# --- in process ----------------------------------------------------------------------------


def simulator_app(state: Path) -> tuple[Any, Callable[[], None]]:
    """Ours, as `plivo-sim serve --state` has it but for the socket; and how to close it."""
    from plivo_sim.app import create_app
    from plivo_sim.assembly import make_simulator
    from plivo_sim.settings import Settings
    from plivo_sim.simulator.scheduler import Scheduler

    sim = make_simulator(Settings(state=state))
    scheduler = Scheduler(sim.runner)
    sim.runner.wake = scheduler.notify
    scheduler.start()

    def close() -> None:
        scheduler.stop()
        sim.close()

    return create_app(sim), close


def in_process(rounds: int, calls: int, only: str) -> None:
    """Alternate between the calls; print the median of each and its ratio to the bare one."""
    from plivo_sim.simulator.logs import configure_logging

    sys.stderr = open(os.devnull, "w", buffering=1)  # noqa: SIM115  # as long as the process
    configure_logging("text")
    with tempfile.TemporaryDirectory() as folder:
        ours, close = simulator_app(Path(folder))
        bare = bare_app()
        wanted = chosen(file_records(lambda call_: call(ours, call_)), only)
        table = {f"bare {name}": (bare, BARE[name]) for name in map(floor_of, wanted)}
        table |= {name: (ours, each) for name, each in wanted.items()}
        taken: dict[str, list[float]] = {name: [] for name in table}
        for _ in range(rounds):
            for name, (app, each) in table.items():
                taken[name].append(timed_us(app, each, calls))
        close()
    print(f"in process, {rounds} rounds of {calls} calls\n{'':16}{'µs':>8}{'ratio':>8}")
    for name, times in taken.items():
        median = statistics.median(times)
        floor = statistics.median(taken[f"bare {floor_of(name.removeprefix('bare '))}"])
        print(f"{name:16}{median:8.1f}{median / floor:8.2f}")


def timed_us(app: Any, wanted: Call, calls: int) -> float:
    """Microseconds a call, the making of its environ left out; of large ones fewer are made."""
    told: list[Any] = []
    method, path, text, headers = wanted
    calls = calls if len(text) < FILE_BYTES else max(calls // 20, 1)
    environs = [
        environ_of((method, path, text.replace(b"@@", next(_NUMBERS)), headers))
        for _ in range(calls)
    ]

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        told.append(status)

    began = time.perf_counter()
    for environ in environs:
        body = app(environ, start_response)
        b"".join(body)
        if hasattr(body, "close"):
            body.close()
    took_s = time.perf_counter() - began
    assert {status[0] for status in told} == {"2"}, set(told)
    return took_s / calls * 1e6


# --- memory ----------------------------------------------------------------------------------


def memory(requests: int) -> None:
    """What requests that store nothing leave behind: reads, refusals, unknown URLs and callers."""
    sys.stderr = open(os.devnull, "w", buffering=1)  # noqa: SIM115  # as long as the process
    with tempfile.TemporaryDirectory() as folder:
        ours, close = simulator_app(Path(folder))
        made = file_records(lambda call_: call(ours, call_))
        table = [each for name, each in made.items() if name.startswith("GET")]
        table += [
            read(f"{ACCOUNT}/ComplianceApplication/?limit=20"),
            read(f"{ACCOUNT}/nothing/"),
            ("GET", f"{ACCOUNT}/EndUser/", b"", {}),
            write(f"{ACCOUNT}/ComplianceApplication/", {"alias": "x" * 3000}),
        ]
        ask_all(ours, table, 4000)  # the rings are full now
        before = resident_bytes()
        ask_all(ours, table, requests)
        grown = resident_bytes() - before
        close()
    print(
        f"memory after {requests} requests that store nothing: {before / 1e6:.1f} MB before, "
        f"{grown / 1e6:+.2f} MB, {grown / requests:+.1f} bytes each"
    )


def ask_all(app: Any, table: list[Call], requests: int) -> None:
    """That many calls, in turn; none may be served with a 5xx."""
    for n in range(requests):
        assert call(app, table[n % len(table)])[0] < 500
    gc.collect()


def resident_bytes() -> int:
    """What this process holds in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- on the server -------------------------------------------------------------------------


def serve_bare(port: int) -> None:
    """Serve the bare app on our own server."""
    import threading

    from plivo_sim.web.server import make_server

    make_server(bare_app(), port=port).start()
    threading.Event().wait()


def commands(port: int, folder: Path) -> dict[str, list[str]]:
    """How to start each of the two."""
    python = sys.executable
    return {
        "bare": [python, str(Path(__file__).resolve()), "--serve-bare", str(port)],
        "ours": [python, "-m", "plivo_sim.cli", "serve", "--port", str(port + 1), "--state",
                 str(folder)],
    }  # fmt: skip


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own, killed at the end; its log goes nowhere."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": path}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def ask(port: int, wanted: Call) -> Answer:
    """One call over a connection of its own."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(wanted[0], wanted[1], wanted[2] or None, wanted[3])
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def until_answered(port: int, wanted: Call) -> float:
    """Ask until there is an answer; when that was."""
    deadline = time.perf_counter() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                pass
            assert ask(port, wanted)[0] < 500
            return time.perf_counter()
        except OSError:
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.002)


def lua_of(wanted: Call, body: str) -> str:
    """What wrk runs; ``body``: the file with the body."""
    method, path, _, headers = wanted
    quoted = "".join(f'["{name}"]="{value}",' for name, value in headers.items())
    return f"""
wrk.method, wrk.path, wrk.headers = "{method}", "{path}", {{{quoted}}}
local n, pieces = {next(_NUMBERS).decode()} * 1000000, {{}}
for piece in (io.open("{body}", "rb"):read("*a") .. "@@"):gmatch("(.-)@@") do
  table.insert(pieces, piece)
end
if pieces[1] ~= "" then wrk.body = pieces[1] end
request = #pieces > 1 and function()
  n = n + 1
  return wrk.format(nil, nil, nil, table.concat(pieces, string.format("%d", n)))
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %f %f %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def load(port: int, wanted: Call, connections: int, seconds: float) -> tuple[float, float]:
    """Load with wrk; requests/s and p99 in ms. Any error ends the benchmark."""
    with tempfile.NamedTemporaryFile() as kept, tempfile.NamedTemporaryFile("w") as script:
        kept.write(wanted[2])
        kept.flush()
        script.write(lua_of(wanted, kept.name))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name]
        out = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    found = re.search(r"RESULT (\S+) (\S+) (\d+)", out)
    assert found is not None, out
    assert found[3] == "0", out
    return float(found[1]), float(found[2])


def on_server(rounds: int, port: int, seconds: float, only: str) -> None:
    """Both on the same server, alternating; requests/s and p99 at 8 and 32 connections."""
    with tempfile.TemporaryDirectory() as folder:
        start = commands(port, Path(folder))
        with running(start["bare"]), running(start["ours"]):
            until_answered(port, BARE["GET"])
            until_answered(port + 1, read("/_sim/health"))
            names = [*chosen(refilled(port + 1), only)]
            bare = [f"bare {name}" for name in dict.fromkeys(map(floor_of, names))]
            for connections in (8, 32):
                found: dict[str, list[tuple[float, float]]] = {name: [] for name in bare + names}
                for _ in range(rounds):
                    calls = refilled(port + 1)
                    for name, results in found.items():
                        is_bare = name in bare
                        each = BARE[name.removeprefix("bare ")] if is_bare else calls[name]
                        where = port if is_bare else port + 1
                        results.append(load(where, each, connections, seconds))
                print_load(connections, found)


def refilled(port: int) -> dict[str, Call]:
    """The calls to measure, in an account that has nothing else: some minutes of uploads would fill
    it up to its limit."""
    ask(port, write(f"/_sim/reset?account={AUTH_ID}", {}))
    return file_records(lambda call_: ask(port, call_))


def print_load(connections: int, found: dict[str, list[tuple[float, float]]]) -> None:
    """Medians, and ratios to the bare app's."""
    print(f"{connections} connections   {'req/s':>8}{'ratio':>8}{'p99 ms':>8}{'ratio':>8}")
    for name, results in found.items():
        rates, p99s = zip(*results, strict=True)
        floor = found[f"bare {floor_of(name.removeprefix('bare '))}"]
        rate, p99 = statistics.median(rates), statistics.median(p99s)
        base_rate, base_p99 = (statistics.median(each) for each in zip(*floor, strict=True))
        print(f"{name:16}{rate:8.0f}{rate / base_rate:8.2f}{p99:8.2f}{p99 / base_p99:8.2f}")


# --- start ---------------------------------------------------------------------------------


def at_start(rounds: int, port: int) -> None:
    """From process start to the first answered request, alternating; and what of it is processor
    time, whose least is the same on a busy machine."""
    taken: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    for turn in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            at = port + 2 * turn
            for name, command in commands(at, Path(folder)).items():
                first = BARE["GET"] if name == "bare" else read(f"{ACCOUNT}/ComplianceApplication/")
                began = time.perf_counter()
                with running(command) as process:
                    ended = until_answered(at + (name == "ours"), first)
                    worked_ms = processor_ms(process.pid)
                if turn:  # the first may have to compile our modules
                    taken[name].append(((ended - began) * 1000, worked_ms))
    bare_ms, bare_worked_ms = start_of(taken["bare"])
    for name, times in taken.items():
        ms, worked_ms = start_of(times)
        print(
            f"start to first answer, {name}: {ms:.0f} ms, ratio {ms / bare_ms:.2f}; processor time"
            f" {worked_ms:.0f} ms, ratio {worked_ms / bare_worked_ms:.2f}"
        )


def start_of(times: list[tuple[float, float]]) -> tuple[float, float]:
    """The median on the clock, and the least of processor time, in ms."""
    walls, worked = zip(*times, strict=True)
    return statistics.median(walls), min(worked)


def processor_ms(pid: int) -> float:
    """What all threads of a process have had so far."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e6


def main() -> None:
    """Read the command line and run what it asks for."""
    parser = argparse.ArgumentParser(description="what our layers cost over a bare Flask app")
    parser.add_argument("--server", action="store_true", help="on real sockets, with wrk")
    parser.add_argument("--start", action="store_true", help="time to the first answer")
    parser.add_argument("--memory", type=int, metavar="REQUESTS", help="what they leave behind")
    parser.add_argument("--only", default="", metavar="WORD", help="calls with it in their name")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=500, help="a round, in process")
    parser.add_argument("--seconds", type=int, default=1, help="of each load")
    parser.add_argument("--port", type=int, default=9150, help="the first of the ports to use")
    parser.add_argument("--serve-bare", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.server and not shutil.which("wrk"):
        parser.error("--server needs wrk, which is not installed")
    if given.serve_bare:
        serve_bare(given.serve_bare)
    elif given.memory:
        memory(given.memory)
    elif given.server:
        on_server(given.rounds, given.port, given.seconds, given.only)
    elif given.start:
        at_start(given.rounds, given.port)
    else:
        in_process(given.rounds, given.calls, given.only)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
