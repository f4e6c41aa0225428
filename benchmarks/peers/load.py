"""Load: `wrk` where it is installed, else threads of plain clients; and filling up with records."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.calls import (
    GROUP,
    GROUP_SIZE,
    NUMBER_DIGITS,
    UNIQUE,
    Client,
    Failed,
    Request,
    first_number,
)

FILL_CONNECTIONS = 4
TOLERATED_ERRORS = 0.01
"""The share of failed requests over which a rate says nothing."""

_LUA = """
local function read(name)
  local file = io.open(name, "rb")
  local text = file:read("*a")
  file:close()
  return text
end
local folder, n, group_size, limit = "@FOLDER", @FIRST, @GROUP_SIZE, @LIMIT
local path, body = read(folder .. "/path"), read(folder .. "/body")
local headers = {} -- not wrk's own table, to which it adds numbers
wrk.headers = {}
for name, value in read(folder .. "/headers"):gmatch("([^\\n:]+): ([^\\n]*)\\n") do
  headers[name], wrk.headers[name] = value, value
end
if body == "" then body = nil end
local function fill(text, unique, group)
  return text and (text:gsub("@UNIQUE", unique):gsub("@GROUP", group))
end
wrk.method, wrk.path, wrk.body = "@METHOD", path, body
if @VARIES then
  request = function()
    n = n + 1
    local unique = string.format("%0@DIGITSd", n)
    local group = string.format("%d", math.floor(n / group_size))
    local filled = {}
    for name, value in pairs(headers) do filled[name] = fill(value, unique, group) end
    return wrk.format(nil, fill(path, unique, group), filled, fill(body, unique, group))
  end
end
if limit > 0 then -- wrk itself would wait for its whole duration
  local done, bad = 0, 0
  response = function(status)
    done = done + 1
    if status < 200 or status > 299 then bad = bad + 1 end
    if done >= limit then
      io.write(string.format("FILLED %d %d\\n", done, bad))
      io.flush()
      os.exit(0)
    end
  end
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %f %f %d\\n", summary.requests, summary.duration / 1e6,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    per_s: float
    p99_ms: float


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def load(port: int, request: Request, connections: int, seconds: float) -> Load:
    """Keep so many connections busy for so long. Raises Failed on more than a few errors."""
    if has_wrk() and seconds >= 1:
        count, took_s, p99_ms, errors = _wrk(port, request, connections, round(seconds))
    else:
        count, took_s, p99_ms, errors = _threads(port, request, connections, seconds)
    if count == 0 or errors > TOLERATED_ERRORS * count:
        raise Failed(f"{errors} of {count} requests failed under load")
    return Load(count / took_s, p99_ms)


def fill(port: int, request: Request, count: int, budget_s: float) -> int:
    """Send a request so many times (or a few more); how many succeeded when the time was up."""
    if count <= 0:
        return 0
    if has_wrk() and count > 200:
        return _wrk_fill(port, request, count, max(2, round(budget_s)))
    return _count_up(port, request, count, budget_s)


# --- wrk -----------------------------------------------------------------------------------


def _wrk(
    port: int, request: Request, connections: int, seconds: int
) -> tuple[int, float, float, int]:
    out = _run_wrk(port, request, connections, seconds, limit=0)
    found = re.search(r"RESULT (\d+) (\S+) (\S+) (\d+)", out)
    assert found is not None, out
    return int(found[1]), float(found[2]), float(found[3]), int(found[4])


def _wrk_fill(port: int, request: Request, count: int, seconds: int) -> int:
    out = _run_wrk(port, request, FILL_CONNECTIONS, seconds, limit=count)
    if found := re.search(r"FILLED (\d+) (\d+)", out):
        return int(found[1]) - int(found[2])
    found = re.search(r"RESULT (\d+) (\S+) (\S+) (\d+)", out)
    assert found is not None, out
    return int(found[1]) - int(found[4])


def _run_wrk(port: int, request: Request, connections: int, seconds: int, *, limit: int) -> str:
    with tempfile.TemporaryDirectory(prefix="plivo-sim-wrk-") as folder:
        script = Path(folder, "load.lua")
        script.write_text(_script(request, folder, limit))
        Path(folder, "path").write_text(request.path)
        Path(folder, "body").write_bytes(request.body)
        lines = (f"{name}: {value}\n" for name, value in request.headers.items())
        Path(folder, "headers").write_text("".join(lines))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        try:
            done = subprocess.run(
                [*command, "-s", str(script), f"http://127.0.0.1:{port}"],
                capture_output=True, text=True, timeout=seconds + 30,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed("did not answer under load") from None
    if "RESULT" not in done.stdout and "FILLED" not in done.stdout:
        print(done.stderr, file=sys.stderr)
        raise Failed("wrk could not load it")
    return done.stdout


def _script(request: Request, folder: str, limit: int) -> str:
    values = {
        "@FOLDER": folder,
        "@FIRST": str(first_number(100_000_000)),
        "@DIGITS": str(NUMBER_DIGITS),
        "@GROUP_SIZE": str(GROUP_SIZE),
        "@LIMIT": str(limit),
        "@UNIQUE": UNIQUE,
        "@GROUP": GROUP,
        "@METHOD": request.method,
        "@VARIES": str(request.varies).lower(),
    }
    script = _LUA
    for name, value in values.items():
        script = script.replace(name, value)
    return script


# --- plain threads ---------------------------------------------------------------------------


def _threads(
    port: int, request: Request, connections: int, seconds: float
) -> tuple[int, float, float, int]:
    taken_ms: list[float] = []
    errors: list[int] = []
    began = time.perf_counter()
    end = began + seconds

    def work() -> None:
        client = Client(port)
        while time.perf_counter() < end:
            try:
                taken_ms.append(client.timed_ms(request))
            except Failed:
                errors.append(1)
        client.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(seconds + 30)
    took_s = time.perf_counter() - began
    ordered = sorted(taken_ms)
    p99_ms = ordered[int(len(ordered) * 0.99)] if ordered else 0.0
    return len(ordered) + len(errors), took_s, p99_ms, len(errors)


def _count_up(port: int, request: Request, count: int, budget_s: float) -> int:
    client = Client(port)
    done = 0
    end = time.perf_counter() + budget_s
    try:
        for _ in range(count):
            if time.perf_counter() > end:
                break
            done += 200 <= client.send(request).status < 300
    except (OSError, http.client.HTTPException):
        pass
    finally:
        client.close()
    return done
