"""A fuzzer of the whole application, in process: right requests, spoiled, by the ten thousands.

Case n of a seed is always the same request. It begins with requests that were recorded while the
tests' own helpers told a scenario to the simulator, so that the spoiled ones get past the first
check; and with every operation of the OpenAPI documents.
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import logging
import os
import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlencode

from werkzeug.test import run_wsgi_app

from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import SURFACES, create_app, document
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.page import Page, create_body
from tests.hostile import nasty
from tests.machines.files import YEARLY
from tests.support import AUTH_ID, PDF, Http, basic

CASES_A_WORLD = 400
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{24}\b")
_FILE_NAME = re.compile(rb'filename="[^"]*"')
_DATA = re.compile(rb'(name="(?:data|endUser|documents)"\r\n\r\n)(.*?)(\r\n--)', re.DOTALL)
_SPOILERS = (
    "/_sim/faults", "/_sim/scenario", "/_sim/restore", "/_sim/webhooks/policy", "/_sim/accounts",
)  # fmt: skip
"""Calls after which a 500 may be what was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it goes over the wire."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def __str__(self) -> str:
        head = f"{self.method} {self.path}?{self.query} {dict(self.headers)!r}"
        return f"{head} {self.body[:600]!r}"


@dataclass
class Report:
    """What came of it. ``problems``: each with the case's number and the request. ``slowest``: the
    case that took most of the processor's time."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    surfaces: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest: int = 0
    memory_mb: list[float] = field(default_factory=list)

    def note(self, number: int, sent: Sent, what: str) -> None:
        if len(self.problems) < 50:
            self.problems.append(f"case {number}: {what}: {sent}")


class Nowhere:
    """Takes callbacks and keeps none."""

    def send(self, request: Outgoing) -> Answer:
        return Answer(status=200)


class _Failures(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else ""
        self.told.append(f"{record.getMessage()}: {error!r}")


class Fuzzer:
    """See the module. ``run`` may be called again: it goes on."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.report = Report()
        settings = Settings(port=0, paused=True, review_delay=None)
        self._sim = make_simulator(settings, transport=Nowhere())
        self._recorded: list[Sent] | None = []
        self._app = create_app(self._sim)
        self._inner = self._app.wsgi_app
        self._app.wsgi_app = self._recording  # type: ignore[method-assign]
        self._http = Http(self._app, self._sim)
        self._ids = [b"none"]
        self.last = Sent(method="GET", path="/")
        self._failures = _Failures()
        self._began_anew()
        self._seeds = [*(self._recorded or []), *_documented_operations()]
        self._recorded = None

    def _recording(self, environ: dict[str, Any], start_response: Any) -> Any:
        if self._recorded is not None:
            body = environ["wsgi.input"].read()
            environ["wsgi.input"] = io.BytesIO(body)
            headers = [
                (key[5:].replace("_", "-").title(), value)
                for key, value in environ.items()
                if key.startswith("HTTP_")
            ]
            if environ.get("CONTENT_TYPE"):
                headers.append(("Content-Type", environ["CONTENT_TYPE"]))
            sent = Sent(
                method=environ["REQUEST_METHOD"],
                path=quote(environ["PATH_INFO"]),
                query=environ["QUERY_STRING"],
                headers=tuple(headers),
                body=body,
            )
            self._recorded.append(sent)
        return self._inner(environ, start_response)

    def _began_anew(self) -> None:
        """Every account forgotten, then the scenario told: the same ids each time."""
        self._sim.begin_anew(self._sim.settings)
        _tell_scenario(self._http)
        self._marks = {account: account.mark() for account in self._sim.accounts()}

    def _back_to_the_scenario(self) -> None:
        """Without faults and settings that the last case may have left."""
        for account, mark in self._marks.items():
            account.restore(mark)

    def run(self, cases: int, seconds: float | None = None) -> Report:
        """Send that many more; stop early when the time is up."""
        logger = logging.getLogger("plivo_sim")
        before, propagate = logger.level, logger.propagate
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        logger.addHandler(self._failures)
        began = time.monotonic()
        try:
            for _ in range(cases):
                if seconds is not None and time.monotonic() - began > seconds:
                    break
                self._one()
        finally:
            logger.removeHandler(self._failures)
            logger.propagate = propagate
            logger.setLevel(before)
        return self.report

    def _one(self) -> None:
        number = self.report.cases
        if number % CASES_A_WORLD == 0:
            self._began_anew()
            self.report.memory_mb.append(_resident_mb())
        rng = Random(f"{self.seed}:{number}")
        self.last = sent = self.case(rng)
        self.report.cases += 1
        began = time.thread_time()
        try:
            self._check(number, sent, *self._answer(sent))
        except Exception as error:
            self.report.note(number, sent, f"{type(error).__name__}: {error}")
        took = time.thread_time() - began
        if took > self.report.slowest_s:
            self.report.slowest_s, self.report.slowest = took, number
        if sent.path.startswith(_SPOILERS):
            self._back_to_the_scenario()

    def case(self, rng: Random) -> Sent:
        """One right request, spoiled."""
        sent = rng.choice(self._seeds)
        for _ in range(rng.choice([1, 1, 1, 2])):
            sent = rng.choices(_WAYS, _WEIGHTS)[0](rng, sent)
        if rng.random() < 0.3:
            sent = _other_id(rng, sent, self._ids)
        return sent

    def _answer(self, sent: Sent) -> tuple[int, dict[str, str], bytes]:
        environ = _environ(sent)
        pieces, status, headers = run_wsgi_app(self._inner, environ, buffered=True)
        answer = b"".join(pieces)
        self._ids = [*_ID.findall(answer)[:10], *self._ids][:60]
        return int(status.split()[0]), {k.lower(): v for k, v in headers.items()}, answer

    def _check(
        self, number: int, sent: Sent, status: int, head: dict[str, str], body: bytes
    ) -> None:
        self.report.statuses[status] += 1
        self.report.surfaces[_surface(sent.path)] += 1
        if self._failures.told:
            self.report.note(number, sent, "; ".join(self._failures.told))
            self._failures.told.clear()
        if status >= 500:
            self.report.note(number, sent, f"answered {status} {body[:200]!r}")
        if b"Traceback" in body and b"Traceback" not in sent.body:
            self.report.note(number, sent, "a stack trace")
        kind = head.get("content-type", "")
        if not body and sent.method != "HEAD":
            self.report.note(number, sent, f"answered {status} without a body")
        elif kind.endswith("json") and sent.method != "HEAD":
            json.loads(body)
        for name, value in head.items():
            if "\n" in value or "\r" in value:
                self.report.note(number, sent, f"header {name} holds a line break")


def _surface(path: str) -> str:
    for surface, mark in (
        ("control", "/_sim"), ("atoms", "/atoms"), ("new API", "/PhoneNumber/Compliance"),
        ("numbers", "Number/"),
    ):  # fmt: skip
        if mark in path:
            return surface
    return "legacy" if path.startswith("/v1/") else "elsewhere"


def _resident_mb() -> float:
    """What is held; pages that the allocator only keeps for later are given back before."""
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc's alone
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _environ(sent: Sent) -> dict[str, Any]:
    """As the server makes it: bytes of the path in Latin-1."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(sent.path).decode("latin-1"),
        "QUERY_STRING": sent.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8700",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(sent.body)),
    }
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = value.encode("utf-8", "replace").decode("latin-1")
    return environ


# --- what is right ---------------------------------------------------------------------------


def _tell_scenario(http: Http) -> None:
    """Something of everything, through the helpers of the other tests."""
    id = http.sdk_created()
    http.sdk_created(alias="Second")
    http.call("POST", "/_sim/evaluate", json={"data": http.sdk_data()})
    page, legacy, atoms = Page(http), Legacy(http), Atoms(http)
    page.id()
    other = http.post("PhoneNumber/Compliance/", json=create_body(alias="json")).get_json()
    http.decide(other["compliance_id"], "rejected", "Blurred")
    http.patch(f"PhoneNumber/Compliance/{other['compliance_id']}", json={"alias": "b"})
    page.list(status="approved", expand="end_user,documents")
    http.decide(id, "accepted")
    draft = legacy.application()
    legacy.submit(draft)
    legacy.http.get("ComplianceDocument/")
    made = atoms.submitted()
    atoms.refresh(made["_id"])
    atoms.decide(made, "rejected", "Blurred scan")
    atoms.resubmit(made["_id"])
    _tell_numbers(http, id)
    _tell_control(http, id)


def _tell_numbers(http: Http, id: str) -> None:
    found = http.get(
        "PhoneNumber/", query_string={"country_iso": "IN", "type": "local", "limit": "2"}
    ).get_json()
    number = found["objects"][0]["number"]
    http.post(f"PhoneNumber/{number}/", json={"compliance_application_id": id})
    http.post(f"Number/{number}/", json={"alias": "main", "compliance_application_id": id})
    link = {"numbers": [{"number": number, "compliance_application_id": id}]}
    http.post("PhoneNumber/Compliance/Link/", json=link)
    http.get("Number/", query_string={"type": "local", "renewal_date__gt": "2026-01-01"})


def _tell_control(http: Http, id: str) -> None:
    account = {"account": http.auth_id}
    for path, body in (
        ("/clock/advance", {"by": "1h"}),
        ("/clock/advance", {"until": {"application": id, "status": "accepted"}}),
        ("/clock/rate", {"rate": 2}),
        ("/clock/set", {"to": "2026-01-06T09:00:00Z"}),
        ("/snapshot", {"name": "one"}),
        ("/restore", {"name": "one"}),
        ("/next-outcome", {"decide": "rejected", "reason": "no", "after": "1h"}),
        ("/webhooks/policy", {"retries": ["1s"], "delay": "1s"}),
        ("/scenario", {"name": "unreadable-scan"}),
        ("/scenario/check", {"yaml": "scenario: A text to look at.\nrules: [{when: {x: y}}]"}),
        ("/scenario/dry-run", {"application": id, "name": "unreadable-scan", "attempt": 2}),
        ("/scenario/dry-run", {"submit": {"alias": "a", "files": {"gst_certificate": "x.png"}}}),
        ("/machine", {"yaml": YEARLY}),
        ("/faults", {"effect": "error", "probability": 0.01}),
    ):
        http.control("POST", path, body | account)
    for path in ("/faults", "/scenario", "/webhooks/policy", "/machine"):
        http.control("DELETE", path, **account)
    seen = {
        "method": "POST",
        "url": "http://a/b",
        "headers": {"a": "b"},
        "body": "{}",
        "token": "t",
    }
    http.control("POST", "/webhooks/verify-signature", seen)
    http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"review_delay": "2d"}})
    http.control("POST", "/inbox/mine", {"status": "approved"})
    http.control_raw(
        "/scenario", b"scenario: s\ndefault:\n  decide: accepted\n  after: 2d\n", "text/yaml"
    )
    http.control("DELETE", "/scenario", **account)
    document_ = http.control("GET", "/snapshot/one", **account).get_json()
    http.control("POST", "/restore", {"snapshot": document_} | account)


def _documented_operations() -> list[Sent]:
    """Every operation of the OpenAPI documents, with the fields that it names."""
    found = []
    for name in SURFACES:
        token = "Bearer atoms-key-1" if name == "atoms" else basic()
        for path, operations in document(name)["paths"].items():
            for method, operation in operations.items():
                if method == "parameters":
                    continue
                query = {each["name"]: "IN" for each in operation.get("parameters", ())}
                found.append(
                    Sent(
                        method=method.upper(),
                        path=path.replace("{auth_id}", AUTH_ID),
                        query=urlencode(query),
                        headers=(("Authorization", token), ("Host", "127.0.0.1")),
                    )
                )
    return found


# --- and how it is spoiled -------------------------------------------------------------------


def _header(sent: Sent, name: str) -> str:
    return next((value for key, value in sent.headers if key == name), "")


def _with_header(sent: Sent, name: str, value: str) -> Sent:
    kept = tuple(pair for pair in sent.headers if pair[0] != name)
    return replace(sent, headers=(*kept, (name, value)))


def _spoil_body(rng: Random, sent: Sent) -> Sent:
    """What the body says; its form stays right."""
    kind = _header(sent, "Content-Type")
    if kind.startswith("multipart"):
        return replace(sent, body=_spoil_parts(rng, sent.body))
    try:
        plain = json.loads(sent.body)
    except ValueError:
        plain = {nasty.text(rng): nasty.value(rng)}
    body = nasty.json_text(rng, nasty.spoiled(rng, plain))
    return _with_header(replace(sent, body=body), "Content-Type", "application/json")


def _spoil_parts(rng: Random, raw: bytes) -> bytes:
    way = rng.random()
    if way < 0.5:

        def spoil(match: re.Match[bytes]) -> bytes:
            try:
                plain = json.loads(match[2])
            except ValueError:
                plain = match[2].decode("utf-8", "replace")
            return match[1] + nasty.json_text(rng, nasty.spoiled(rng, plain)) + match[3]

        return _DATA.sub(spoil, raw, count=1)
    if way < 0.75:
        name = nasty.text(rng).encode("utf-8", "replace")
        return _FILE_NAME.sub(lambda _: b'filename="' + name + b'"', raw, count=1)
    if way < 0.85:
        return raw.replace(PDF[:20], nasty.text(rng).encode("utf-8", "replace"))
    parts = raw.split(b"\r\n--")
    at = rng.randrange(len(parts))
    return b"\r\n--".join([*parts[:at], *[parts[at]] * rng.choice([0, 2, 310]), *parts[at + 1 :]])


def _damage_body(rng: Random, sent: Sent) -> Sent:
    return replace(sent, body=nasty.damaged(rng, sent.body))


def _spoil_query(rng: Random, sent: Sent) -> Sent:
    pairs = [part.partition("=")[::2] for part in sent.query.split("&") if part]
    if pairs and rng.random() < 0.7:
        at = rng.randrange(len(pairs))
        pairs[at] = (pairs[at][0], quote(nasty.text(rng).encode("utf-8", "replace")))
    else:
        name = rng.choice(["limit", "offset", "expand", "status", "alias", "account", "x"])
        pairs.append((name, quote(nasty.text(rng).encode("utf-8", "replace"))))
    return replace(sent, query="&".join(f"{key}={value}" for key, value in pairs)[:8000])


def _spoil_path(rng: Random, sent: Sent) -> Sent:
    steps = sent.path.split("/")
    at = rng.randrange(1, len(steps))
    text = quote(nasty.text(rng).encode("utf-8", "replace"), safe=rng.choice(["", "/.%"]))
    steps[at : at + 1] = rng.choice([[text], [text, steps[at]], [steps[at], text], [], [""]])
    return replace(sent, path="/".join(steps)[:4000] or "/")


def _spoil_headers(rng: Random, sent: Sent) -> Sent:
    name = rng.choice(nasty.HEADERS)
    value = nasty.text(rng).replace("\r", " ").replace("\n", " ")
    if name == "Content-Type" and rng.random() < 0.8:
        value = rng.choice(
            ["multipart/form-data", "multipart/form-data; boundary=", "application/json",
             "multipart/form-data; boundary=" + "b" * 300, "application/x-www-form-urlencoded",
             "multipart/form-data; boundary=\u00ff", "text/yaml", "application/json; charset=utf-7",
             "text/html", "application/vnd.x+json", "multipart/form-data; boundary*=utf-8''a%00b"]
        )  # fmt: skip
    return _with_header(sent, name, value)


def _swap_method(rng: Random, sent: Sent) -> Sent:
    return replace(
        sent,
        method=rng.choice(
            ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", "get"]
        ),
    )


def _other_id(rng: Random, sent: Sent, ids: list[bytes]) -> Sent:
    """One of the ids that were seen, where an id stood."""
    id = rng.choice(ids).decode()
    path = re.sub(r"\{[a-z_]+\}|%7B[a-z_]+%7D", id, sent.path)
    if path == sent.path:
        path = _ID.sub(id.encode(), path.encode(), count=1).decode()
    return replace(sent, path=path)


def _leave(rng: Random, sent: Sent) -> Sent:
    """As it is: so that there is something for the next ones to spoil."""
    return sent


_WAYS = [
    _spoil_body, _damage_body, _spoil_query, _spoil_path, _spoil_headers, _swap_method, _leave,
]  # fmt: skip
_WEIGHTS = [40, 20, 12, 10, 8, 5, 15]
