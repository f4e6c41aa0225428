"""What a suite of the plugin leans on, often: run by ``benchmarks/plugin_runs.py``."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from freezegun import freeze_time

OFTEN = pytest.mark.parametrize("n", range(10))
SELDOM = pytest.mark.parametrize("n", range(2))


@OFTEN
def test_a_callback_arrives(plivo_server: Any, plivo_inbox: Any, create: Any, n: int) -> None:
    """That of the decision, and nothing else."""
    plivo_server.reject(create(plivo_inbox.url), "Name mismatch")
    (message,) = plivo_inbox.wait_for(1)
    assert (message.json()["status"], message.signed) == ("rejected", True)


@OFTEN
@pytest.mark.plivo_sim(scenario="instant-accept")
def test_a_callback_is_left_under_way(plivo_client: Any, application: Any, n: int) -> None:
    """The next test must not hear of it: the review is over at once, and nobody waits."""
    application.takes_s = 0.02
    data = {"country_iso": "US", "number_type": "local", "alias": "Late",
            "end_user": {"type": "business", "name": "Late"},
            "callback_url": application.url}  # fmt: skip
    assert plivo_client.phone_number_compliance.create(data=data).compliance_id


@OFTEN
def test_nothing_is_there_yet(
    plivo_server: Any, plivo_inbox: Any, application: Any, n: int
) -> None:
    """Neither in the account nor at the receivers, however the test before ended."""
    plivo_server.settle()
    assert (plivo_server.applications(), plivo_inbox.messages, application.told) == ([], [], [])


@SELDOM
def test_a_slow_receiver_is_waited_for(
    plivo_server: Any, application: Any, create: Any, n: int
) -> None:
    """The application's own records are right when the verb returns."""
    application.takes_s = 0.2
    id = create(application.url)
    plivo_server.reject(id, "Name mismatch")
    assert application.statuses == {id: "rejected"}


@OFTEN
def test_callbacks_keep_their_order(
    plivo_server: Any, application: Any, create: Any, n: int
) -> None:
    """Of each application, also those that are caused while others are under way."""
    ids = [create(application.url, f"Office {number}") for number in range(4)]
    plivo_server.advance(days=9)
    for id in ids:
        plivo_server.suspend(id)
        plivo_server.reinstate(id)
    wanted = ["accepted", "suspended", "accepted"]
    for id in ids:
        assert [status for each, status in application.told if each == id] == wanted


@OFTEN
def test_in_frozen_time(plivo_server: Any, plivo_inbox: Any, create: Any, n: int) -> None:
    """The whole scenario, with the test's own time standing still long ago."""
    with freeze_time("2012-01-14"):
        id = create(plivo_inbox.url)
        plivo_server.reject(id, "Name mismatch")
        assert plivo_server.application(id).status == "rejected"
    assert len(plivo_inbox.wait_for(1)) == 1


@OFTEN
def test_a_receiver_in_the_own_event_loop(plivo_server: Any, create: Any, n: int) -> None:
    """It answers, because the verbs leave the loop alone."""
    told = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        told.append(json.loads(await reader.readexactly(length))["status"])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def scenario() -> None:
        server = await asyncio.start_server(receive, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            create(f"http://127.0.0.1:{port}/webhook")
            await plivo_server.aio.advance(business_days=3)

    asyncio.run(scenario())
    assert told == ["accepted"]
