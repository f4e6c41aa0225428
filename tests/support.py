"""What the tests share: an in-process HTTP client, sample applications, a callback receiver."""

from __future__ import annotations

import base64
import gc
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import msgspec
from flask import Flask
from werkzeug.test import Client, TestResponse, run_wsgi_app

from plivo_sim.catalogue import load_catalogue
from plivo_sim.client.applications import sample
from plivo_sim.domain.records import Version
from plivo_sim.simulator import Simulator

COUNTRIES = ", ".join(load_catalogue(1).countries(Version.CURRENT))
"""Those of the catalogue that ships, as refusals tell them."""
TYPES_COUNT = len(
    {
        t.id
        for r in load_catalogue(1).requirements
        if r.version == "current"
        for t in r.document_types
    }
)
"""How many document types the SDKs' version has in all."""
AUTH_ID = "MAXXXXXXXXXXXXXXXXXX"
TOKEN = "my_auth_token"
PDF = sample("registration_certificate.pdf").read_bytes()
PNG = sample("gst_certificate.png").read_bytes()
JPEG = b"\xff\xd8\xff\xe0" + b"jpeg" * 8
SDK_AGENT = "plivo-python/4.63.0 (Python: 3.11.7)"


def basic(user: str = AUTH_ID, token: str = TOKEN) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


class Cookieless(Client):
    """Makes no URL of the Host header for its cookies' sake: Werkzeug 3.0 fails on wrong ones."""

    def run_wsgi_app(self, environ: Any, buffered: bool = False) -> Any:
        return run_wsgi_app(self.application, environ, buffered=buffered)


def parts_of(app: Flask) -> list[Flask]:
    """The Flask applications that one is made of, all made now; ``app`` comes first."""
    return [app.extensions["part"](path) for path in ("/v1/", "/atoms/", "/_sim", "/console")]


@dataclass
class Http:
    """Calls the application in process, as one account; answers are read and closed."""

    app: Flask
    sim: Simulator
    auth_id: str = AUTH_ID
    token: str = TOKEN
    agent: str = ""
    mount: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Any:
        return self.sim.account(self.auth_id)

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        """Any call; ``path`` below the account unless it starts with a slash."""
        if not path.startswith("/"):
            path = f"{self.mount}/v1/Account/{self.auth_id}/{path}"
        headers = {"Host": "127.0.0.1", "Authorization": basic(self.auth_id, self.token)}
        if self.agent:
            headers["User-Agent"] = self.agent
        headers |= self.headers | kwargs.pop("headers", {})
        headers = {key: value for key, value in headers.items() if value is not None}
        client = Cookieless(self.app, use_cookies=False)  # a Cookie header is what it says
        return client.open(path, method=method, headers=headers, buffered=True, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("DELETE", path, **kwargs)

    # --- the current dialect -------------------------------------------------------------------

    def sdk_requirement(self, **key: str) -> dict[str, Any]:
        query = {"country_iso": "IN", "number_type": "local", "user_type": "business"} | key
        answer = self.get(
            "PhoneNumber/Compliance/Requirements/",
            query_string=query,
            headers={"User-Agent": SDK_AGENT},
        )
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def sdk_data(self, **changes: Any) -> dict[str, Any]:
        """A complete ``data``; a change to None leaves the key out."""
        types = [t["document_type_id"] for t in self.sdk_requirement()["document_types"]]
        data = {
            "country_iso": "IN",
            "number_type": "local",
            "alias": "Acme Mumbai",
            "end_user": {
                "type": "business",
                "name": "Acme Traders Pvt Ltd",
                "email": "a@b.example",
                "address_line1": "12 MG Road",
                "city": "Mumbai",
                "state": "Maharashtra",
                "postal_code": "400001",
                "country": "IN",
            },
            "documents": [
                {"document_type_id": types[0], "data_fields": {"business_name": "Acme"}},
                {"document_type_id": types[1]},
            ],
        }
        return {key: value for key, value in (data | changes).items() if value is not None}

    def sdk_create(self, data: Any = None, files: Any = None, **changes: Any) -> TestResponse:
        """Create as the Python SDK does; ``files``: index -> (content, name)."""
        data = self.sdk_data(**changes) if data is None else data
        return self.sdk_send("POST", "PhoneNumber/Compliance/", data, files)

    def sdk_send(self, method: str, path: str, data: Any, files: Any = None) -> TestResponse:
        files = {0: (PDF, "certificate.pdf"), 1: (PNG, "gst.png")} if files is None else files
        form = [("data", data if isinstance(data, str) else json.dumps(data))]
        body, content_type = multipart(
            form, [(f"documents[{i}].file", name, content) for i, (content, name) in files.items()]
        )
        return self.call(
            method,
            path,
            data=body,
            content_type=content_type,
            headers={"User-Agent": SDK_AGENT},
        )

    def sdk_created(self, **changes: Any) -> str:
        """The id of a new, complete application."""
        answer = self.sdk_create(**changes)
        assert answer.status_code == 201, answer.text
        return answer.get_json()["compliance_id"]

    # --- control ---------------------------------------------------------------------------

    def control(self, method: str, path: str, body: Any = None, **query: str) -> TestResponse:
        kwargs: dict[str, Any] = {} if body is None else {"json": body}
        return self.call(method, f"/_sim{path}", query_string=query, **kwargs)

    def control_raw(self, path: str, body: bytes, content_type: str) -> TestResponse:
        """A control call with a body that is not JSON, for this account."""
        query = {"account": self.auth_id}
        return self.call(
            "POST", f"/_sim{path}", data=body, content_type=content_type, query_string=query
        )

    def advance(self, by: str) -> dict[str, Any]:
        answer = self.control("POST", "/clock/advance", {"by": by, "account": self.auth_id})
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def decide(self, id: str, status: str, reason: str | None = None) -> TestResponse:
        body = {"status": status} | ({"reason": reason} if reason else {})
        return self.control("POST", f"/applications/{id}/decision", body)


def multipart(
    fields: list[tuple[str, str]], files: list[tuple[str, str | None, bytes]]
) -> tuple[bytes, str]:
    """A multipart body by hand, so that tests say exactly what goes over the wire."""
    boundary = "cb1ea573abe400c9f6d6a0fce7a2fead"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + value.encode()
        for name, value in fields
    ]
    for name, filename, content in files:
        named = "" if filename is None else f'; filename="{filename}"'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
        parts.append(head.encode() + content)
    body = b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"


@dataclass
class Received:
    """One callback that arrived."""

    method: str
    url: str
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """A real HTTP server on loopback that collects callbacks and answers with given statuses."""

    def __init__(self, *statuses: int) -> None:
        self.received: list[Received] = []
        self.statuses = list(statuses)
        self.answer = b""
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                url = f"http://{self.headers['Host']}{self.path}"
                with receiver._arrived:
                    receiver.received.append(
                        Received(self.command, url, dict(self.headers.items()), body)
                    )
                    status = receiver.statuses.pop(0) if receiver.statuses else 200
                    receiver._arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", str(len(receiver.answer)))
                self.end_headers()
                self.wfile.write(receiver.answer)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def wait_for(self, count: int, timeout_s: float = 60.0) -> list[Received]:
        """The callbacks, once there are this many."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.received) >= count, timeout_s)
        assert arrived, f"{len(self.received)} of {count} callbacks arrived in {timeout_s} s"
        return self.received

    @contextmanager
    def serving(self) -> Iterator[Receiver]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


FORMATS = jsonschema.FormatChecker(["uuid", "date"])


@FORMATS.checks("date-time", raises=ValueError)
def _is_instant(text: Any) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None


@FORMATS.checks("url")
def _is_url(text: Any) -> bool:
    return not isinstance(text, str) or bool(urlsplit(text).scheme and urlsplit(text).netloc)


def check_answer(body: Any, kind: Any) -> None:
    """An answer is of this type: nothing is missing, unknown, or of another type or format."""
    schema = _closed(msgspec.json.schema(kind))
    checker = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    assert [f"{error.json_path}: {error.message}" for error in checker.iter_errors(body)] == []


def _closed(schema: Any) -> Any:
    """The schema, of objects that have no keys beyond those it names."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return closed | {key: _closed(each) for key, each in schema.items()}


def free_ports(count: int) -> list[int]:
    """Below those that the system gives to whoever asks for any: nobody gets one of them by chance
    before it is listened on."""
    found: list[int] = []
    while len(found) < count:
        port = SystemRandom().randrange(15_000, 30_000)  # not the tests' own, which is seeded
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += {port} - set(found)
    return found


def calls_of(work: Callable[[], Any]) -> int:
    """How many functions are called, those of the interpreter included, but for the collector's:
    it calls what finalizes the objects of other tests, and whom a library has it call."""
    count = 0

    def count_one(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(count_one)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count
