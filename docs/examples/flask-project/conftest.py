"""The application with a database of its own in each test, and its client at the simulator."""

import os
import threading

import pytest
from werkzeug.serving import make_server

from plivo_sim.testing.sdk import point

os.environ["PLIVO_AUTH_ID"] = "MAFLASKFLASKFLASKFLA"
os.environ["PLIVO_AUTH_TOKEN"] = "flask-token"

import app as filings


@pytest.fixture(autouse=True)
def _settings(plivo_server, tmp_path, monkeypatch):
    point(filings.client, plivo_server.url)
    monkeypatch.setitem(filings.app.config, "DATABASE", tmp_path / "filings.db")


@pytest.fixture
def client():
    return filings.app.test_client()


@pytest.fixture
def served(monkeypatch):
    """The application is served at a free port, and gives Plivo that address."""
    server = make_server("127.0.0.1", 0, filings.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setitem(filings.app.config, "PUBLIC_URL", f"http://127.0.0.1:{server.port}")
    yield
    server.shutdown()
    thread.join()


@pytest.fixture
def inbox(plivo_inbox, monkeypatch):
    """Callbacks come here, and each test hands them on when it likes."""
    monkeypatch.setitem(filings.app.config, "PUBLIC_URL", plivo_inbox.origin)
    return plivo_inbox
