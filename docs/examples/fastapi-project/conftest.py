"""The application with a database of its own in each test, and with the account of the test: so all
xdist workers can share one simulator (pytest -n 8 --plivo-sim-url URL)."""

import asyncio
import os
import socket

import httpx
import pytest
import uvicorn

os.environ["PLIVO_AUTH_ID"] = "MAFASTAPIFASTAPIFAST"
os.environ["PLIVO_AUTH_TOKEN"] = "fastapi-token"

import main


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(autouse=True)
def _settings(plivo_server, tmp_path, monkeypatch):
    monkeypatch.setattr(main, "client", plivo_server.client())
    monkeypatch.setattr(main, "AUTH_TOKEN", plivo_server.auth_token)
    monkeypatch.setattr(main, "DATABASE", str(tmp_path / "filings.db"))


@pytest.fixture
async def client(anyio_backend):
    transport = httpx.ASGITransport(main.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://filings") as client:
        yield client


@pytest.fixture
async def served(anyio_backend, monkeypatch):
    """The application is served at a free port, in the test's own event loop, and gives Plivo that
    address."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        monkeypatch.setattr(main, "PUBLIC_URL", f"http://127.0.0.1:{sock.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(main.app))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        yield
        server.should_exit = True
        await serving


@pytest.fixture
def inbox(plivo_inbox, monkeypatch):
    """Callbacks come here, and each test hands them on when it likes."""
    monkeypatch.setattr(main, "PUBLIC_URL", plivo_inbox.origin)
    return plivo_inbox
