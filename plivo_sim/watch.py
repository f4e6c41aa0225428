"""Looks at an account through the control API: what is new since the last look, what holds now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plivo_sim.client import Client
from plivo_sim.expectations import Seen

MOST = 1000
WAIT_S = 120.0
_UNSENT = ("dropped", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened: a ``request``, a ``transition`` or a ``callback`` (one attempt, or
    what became of one that never went out). ``at`` is simulated."""

    at: str
    type: str
    app: str
    facts: Mapping[str, Any]


class Watch:
    """One account, watched. ``applications``: by id, as the control API shows them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.now = ""
        self.applications: dict[str, dict[str, Any]] = {}
        self._deliveries: list[dict[str, Any]] = []
        self._told: set[tuple[str, int]] = set()
        self._signatures: dict[tuple[str, int], str] = {}

    def look(self) -> None:
        """Once nothing is under way any more."""
        self.now = self._when_settled()["now"]
        held = self._get("/applications", limit=MOST)["applications"]
        self.applications = {each["id"]: each for each in held}
        self._deliveries = self._get("/webhooks", limit=MOST)["webhooks"]
        for delivery in self._deliveries:
            for number, attempt in enumerate(delivery["attempts"]):
                if (delivery["id"], number) not in self._signatures:
                    self._signatures[delivery["id"], number] = self._signature(delivery, attempt)

    def _when_settled(self) -> dict[str, Any]:
        deadline = time.monotonic() + WAIT_S
        while True:
            clock: dict[str, Any] = self._get("/clock")
            busy = clock["advancing"] or clock["sending"]
            if not busy or time.monotonic() > deadline:
                return clock
            time.sleep(0.05)

    def _get(self, path: str, **query: Any) -> Any:
        return self._client.control("GET", path, account=self._client.auth_id, **query)

    def _signature(self, delivery: Mapping[str, Any], attempt: Mapping[str, Any]) -> str:
        """Whether a receiver would find the signatures ``valid``, ``wrong`` or ``missing``."""
        asked = {
            "method": delivery["method"],
            "url": attempt["url"],
            "headers": attempt["headers"],
            "body": attempt["body"],
            "account": self._client.auth_id,
        }
        found = self._client.control("POST", "/webhooks/verify-signature", asked).values()
        if all(each["valid"] for each in found):
            return "valid"
        lost = all("is missing" in wrong for each in found for wrong in each["wrong"])
        return "missing" if lost else "wrong"

    # --- what happened -----------------------------------------------------------------------

    def news(self, names: Mapping[str, str]) -> list[Event]:
        """What happened since this was last asked, in simulated time; changes of status before the
        callbacks that they caused. ``names``: what to call the applications."""
        every = [*self._transitions(names), *self._callbacks(names)]
        fresh = [event for key, event in every if key not in self._told]
        self._told.update(key for key, _ in every)
        return sorted(fresh, key=lambda event: (event.at, event.type == "callback"))

    def _transitions(self, names: Mapping[str, str]) -> Iterator[tuple[tuple[str, int], Event]]:
        for id, application in self.applications.items():
            before = None
            for number, change in enumerate(application["timeline"]):
                facts = {"from": before, "to": change["status"]}
                facts |= {key: change[key] for key in ("by", "why", "reason")}
                app = names.get(id, id)
                yield (id, number), Event(at=change["at"], type="transition", app=app, facts=facts)
                before = change["status"]

    def _callbacks(self, names: Mapping[str, str]) -> Iterator[tuple[tuple[str, int], Event]]:
        for delivery in self._deliveries:
            app = names.get(delivery["application"], delivery["application"])
            common = {"status": delivery["payload"].get("status")}
            attempts = delivery["attempts"]
            for number, attempt in enumerate(attempts):
                last = number == len(attempts) - 1
                facts = common | {
                    "attempt": number + 1,
                    "state": delivery["state"] if last else "pending",
                    "signature": self._signatures[delivery["id"], number],
                    "answer": attempt["status"],
                    "answer_body": attempt["answer"],
                    "error": attempt["error"],
                }
                event = Event(at=attempt["at"], type="callback", app=app, facts=facts)
                yield (delivery["id"], number), event
            if not attempts and delivery["state"] in _UNSENT:
                facts = common | {"attempt": 0, "state": delivery["state"], "why": delivery["why"]}
                at = delivery["created_at"]
                event = Event(at=at, type="callback", app=app, facts=facts)
                yield (delivery["id"], -1), event

    # --- what holds --------------------------------------------------------------------------

    def seen(self, ids: Mapping[str, str]) -> Seen:
        """What holds now. ``ids``: application ids by the names to call them."""
        held = {app: self.applications[id] for app, id in ids.items() if id in self.applications}
        return Seen(
            status={app: each["status"] for app, each in held.items()},
            timeline={
                app: [change["status"] for change in each["timeline"]] for app, each in held.items()
            },
            reasons={
                app: [change["reason"] for change in each["timeline"] if change["reason"]]
                for app, each in held.items()
            },
            callbacks=[status for _, status in sorted(self._taken(), key=lambda each: each[0])],
            signatures=frozenset(self._signatures.values()),
            deliveries=Counter(each["state"] for each in self._deliveries),
        )

    def _taken(self) -> Iterator[tuple[str, str]]:
        """When the receiver took each callback, and the status it told."""
        for delivery in self._deliveries:
            if delivery["state"] == "delivered":
                yield delivery["attempts"][-1]["at"], delivery["payload"]["status"]
