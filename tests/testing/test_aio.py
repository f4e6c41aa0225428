"""The verbs can be awaited, in the async tests of each plugin: the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from plivo_sim.testing import Aio, Handle
from tests.testing.conftest import file_in

pytest_plugins = ["pytester"]

SUITE = r"""
import json
import anyio, anyio.abc, pytest

@pytest.fixture
def create(plivo_client):
    def create(url):
        data = {"country_iso": "US", "number_type": "local", "alias": "Acme",
                "end_user": {"type": "business", "name": "Acme"}, "callback_url": url}
        return plivo_client.phone_number_compliance.create(data=data).compliance_id
    return create

async def scenario(server, create):
    told = []

    async def receive(stream):
        async with stream:
            text = b""
            while b"}" not in text:
                text += await stream.receive()
            told.append(json.loads(text.partition(b"\r\n\r\n")[2])["status"])
            await stream.send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, receive)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        id = create(f"http://127.0.0.1:{port}/webhook")
        await server.aio.advance(business_days=3)
        await server.aio.suspend(id, "Unresolved complaints")
        await server.aio.settle()
        await server.aio.expect_callback(status="suspended")
        await server.aio.expect_no_callback(status="rejected")
        await server.aio.expect_request(operation="compliance.create")
        tasks.cancel_scope.cancel()
    await listener.aclose()
    assert told == ["accepted", "suspended"]

@pytest.mark.asyncio
async def test_pytest_asyncio(plivo_server, create):
    await scenario(plivo_server, create)

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_anyio(plivo_server, create, anyio_backend):
    await scenario(plivo_server, create)
"""


@pytest.mark.live
def test_in_tests_of_pytest_asyncio_and_anyio(pytester: pytest.Pytester) -> None:
    """The receiver runs in the loop of the test, which the verbs leave alone: asyncio, trio."""
    pytester.makepyfile(SUITE)
    pytester.runpytest_subprocess().assert_outcomes(passed=3)


def test_every_verb_can_be_awaited() -> None:
    """With the same name: whatever calls the simulator."""
    clients = {"use_account", "for_account", "client", "close_clients"}  # which call nobody
    others = {*clients, "hint", "silent"}  # and what is for the report
    verbs = {
        name
        for name, each in vars(Handle).items()
        if inspect.isfunction(each) and not name.startswith("_")
    }
    assert {name for name in vars(Aio) if not name.startswith("_")} == verbs - others


def test_the_loop_goes_on_meanwhile(handle: Handle) -> None:
    """Wherever the simulator is, a receiver in the loop answers before the verb returns."""

    async def scenario() -> list[str]:
        done = []

        async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"}")
            done.append("received")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            id = await asyncio.to_thread(
                file_in, handle, callback_url=f"http://127.0.0.1:{port}/webhook"
            )
            assert (await handle.aio.reject(id)).status == "rejected"
            done.append("rejected")
            assert (await handle.aio.applications())[0].id == id
        return done

    assert asyncio.run(scenario()) == ["received", "rejected"]
