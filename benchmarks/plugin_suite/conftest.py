"""A receiver such as an application has: it takes its time, and writes down what it was told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Application:
    """``statuses``: of each application the last one that it was told. ``told``: everything, in
    the order in which it came. ``takes_s``: how long it dwells on each callback."""

    def __init__(self) -> None:
        self.takes_s = 0.0
        self.told: list[tuple[str, str]] = []
        self.statuses: dict[str, str] = {}
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                id, status = body["compliance_id"], body["status"]
                application.told.append((id, status))
                time.sleep(application.takes_s)
                application.statuses[id] = status
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="session")
def _application() -> Iterator[Application]:
    application = Application()
    yield application
    application.close()


@pytest.fixture
def application(_application: Application) -> Application:
    """One for the whole run, as projects have it; what an earlier test caused would be seen."""
    _application.takes_s = 0.0
    _application.told.clear()
    _application.statuses.clear()
    return _application


@pytest.fixture
def create(plivo_client: Any) -> Any:
    """Make an application; returns its id."""

    def make(url: str, alias: str = "Acme, Boston office") -> str:
        data = {
            "country_iso": "US", "number_type": "local", "alias": alias,
            "end_user": {"type": "business", "name": alias}, "callback_url": url,
        }  # fmt: skip
        id: str = plivo_client.phone_number_compliance.create(data=data).compliance_id
        return id

    return make
