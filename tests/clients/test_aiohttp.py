"""A client on aiohttp, whose part ``data`` says that it is JSON.

source: field-reported (docs/wire-facts.md, "Create is a form with a data part").
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from plivo_sim.assembly import LiveSimulator
from tests.clients.conftest import Reviewer
from tests.support import AUTH_ID, PDF, PNG, basic

pytestmark = pytest.mark.live

PLACE = {"country_iso": "IN", "number_type": "local"}
HOME = "PhoneNumber/Compliance/"


class Client:
    """The calls; types are found by their names, as their ids differ by account."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def types(self) -> dict[str, str]:
        query = PLACE | {"user_type": "business"}
        async with self._session.get(f"{HOME}Requirements/", params=query) as answer:
            answer.raise_for_status()
            asked = await answer.json()
        return {each["name"]: each["document_type_id"] for each in asked["document_types"]}

    async def send(self, method: str, path: str, **change: Any) -> tuple[int, Any]:
        """Status and body of what it sends, with both certificates."""
        types = await self.types()
        documents = [
            {
                "document_type_id": types["Registration Certificate"],
                "data_fields": {"business_name": "Acme"},
            },
            {"document_type_id": types["GST certificate"]},
        ]
        form = aiohttp.FormData()
        data = json.dumps({**change, "documents": documents})
        form.add_field("data", data, content_type="application/json")
        pdf = {"filename": "coi.pdf", "content_type": "application/pdf"}
        form.add_field("documents[0].file", PDF, **pdf)
        png = {"filename": "gst.png", "content_type": "image/png"}
        form.add_field("documents[1].file", PNG, **png)
        async with self._session.request(method, path, data=form) as answer:
            return answer.status, await answer.json()

    async def status(self, id: str) -> tuple[str, str | None]:
        async with self._session.get(f"{HOME}{id}/") as answer:
            answer.raise_for_status()
            shown = (await answer.json())["compliance"]
        return shown["status"], shown.get("rejection_reason")


def run(live: LiveSimulator, use: Callable[[Client], Awaitable[None]]) -> None:
    """One session, as an application opens it."""

    async def session() -> None:
        async with aiohttp.ClientSession(
            f"{live.url}/v1/Account/{AUTH_ID}/", headers={"Authorization": basic()}
        ) as opened:
            await use(Client(opened))

    asyncio.run(session())


NEW = {**PLACE, "alias": "ws_7 Acme", "end_user": {"type": "business", "name": "Acme"}}


def test_filed_rejected_corrected_accepted(live: LiveSimulator, reviewer: Reviewer) -> None:
    """Its first call is the look-up, on an account of which nothing is known."""

    async def use(client: Client) -> None:
        status, made = await client.send("POST", HOME, **NEW)
        assert (status, made["message"]) == (
            201,
            "Compliance application created and submitted for review.",
        )
        id = made["compliance_id"]
        assert await client.status(id) == ("submitted", None)
        reviewer.works()
        word, reason = await client.status(id)
        assert word == "rejected"
        assert reason
        status, changed = await client.send("PATCH", f"{HOME}{id}/", alias="ws_7 Acme, again")
        assert (status, changed["compliance"]["alias"]) == (200, "ws_7 Acme, again")
        reviewer.works()
        assert await client.status(id) == ("accepted", None)

    reviewer.plays("rejected-then-accepted")
    run(live, use)


def test_a_refusal_has_a_text(live: LiveSimulator) -> None:
    """Which it logs, as a string."""

    async def use(client: Client) -> None:
        status, told = await client.send("POST", HOME, **NEW | {"country_iso": "XX"})
        assert status == 400
        assert isinstance(told["error"], str)

    run(live, use)
