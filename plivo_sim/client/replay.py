"""Replays a scenario against a simulator over HTTP, and tells what happened in simulated time.

The same code runs against a simulator of its own and a running one: it files through the real
API, in an account of the scenario's own whose clock stands still, and looks through the control
API.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from plivo_sim.client import BrokenOff, Client, Form, Garbled, Refused
from plivo_sim.client.filing import ScenarioFiling
from plivo_sim.client.watch import Check, Event, Watch, check_all
from plivo_sim.scenarios.language import Correct, Expect, Scenario, StepEntry, Submit

TOKEN = "replay"  # noqa: S105  # not a secret: any token is taken


SETTINGS = {
    "paused": "true",
    "start": "2026-01-05T09:00:00Z",
    "review_delay": "documented",
    "holidays": "",
    "magic": "true",
    "strict": "false",
    "rate_limits": "false",
    "callback_url": "",
    "callback_retries": "60s,120s,240s",
}
"""The account's own settings, so that a scenario runs alike on every server."""


@dataclass(slots=True, kw_only=True)
class Told:
    """What a replay tells: everything that happened, in order, and what was expected."""

    scenario: str
    account: str
    events: list[Event] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(check.ok for check in self.checks)


class WrongScenario(Exception):
    """A step that cannot be played: it files what the requirement does not know."""


def account_of(name: str) -> str:
    """The auth id of a scenario's own account."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"MA{base64.b32encode(digest).decode()[:18]}"


def replay(url: str, name: str, scenario: Scenario, against: str = "") -> Told:
    """Play a scenario, from the beginning, on the simulator at ``url``.

    Callbacks go to ``against``, or to the built-in inbox. Raises WrongScenario, Refused (the
    simulator does not take the scenario) and Unreachable.
    """
    return _Replay(Client(url, account_of(name), TOKEN), scenario, against).run()


class _Replay:
    """One replay. ``_ids``: what the simulator calls the scenario's applications."""

    def __init__(self, client: Client, scenario: Scenario, against: str) -> None:
        self._client = client
        self._scenario = scenario
        self._inbox = f"/inbox/{client.auth_id}"
        self._callback_url = against or f"{client.url}/_sim{self._inbox}"
        self._told = Told(scenario=scenario.scenario, account=client.auth_id)
        self._filings: dict[str, ScenarioFiling] = {}
        self._ids: dict[str, str] = {}
        self._refusals: list[int | str] = []
        self._watch = Watch(client)
        self._now = ""

    def run(self) -> Told:
        self._begin()
        for index, step in enumerate(self._scenario.steps):
            self._play(step, f"steps[{index}]")
        if self._scenario.expect is not None:
            self._check(self._scenario.expect, "", at_end=True)
        return self._told

    def _begin(self) -> None:
        account = {"account": self._client.auth_id}
        host = urlsplit(self._callback_url).hostname or ""
        settings = SETTINGS | {"allow_callback_hosts": host}
        self._control("POST", "/reset", account)
        self._control("POST", "/accounts", {"auth_id": self._client.auth_id, "settings": settings})
        self._control("DELETE", f"{self._inbox}/messages")
        told = msgspec.to_builtins(self._scenario)
        self._control("POST", "/scenario", {"scenario": told} | account)
        self._demands = {
            (each["country_iso"], each["number_type"], each["user_type"]): each["documents"]
            for each in self._control("GET", "/requirements")["requirements"]
        }
        self._look()

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._client.control(method, path, body)

    # --- steps -------------------------------------------------------------------------------

    def _play(self, step: StepEntry, name: str) -> None:
        if step.submit is not None:
            self._submit(step.submit)
        elif step.correct is not None:
            self._correct(step.correct, name)
        elif step.get is not None:
            if self._is_filed(step.get, name):
                self._call("GET", step.get)
        elif step.advance is not None:
            by = {"by": step.advance, "account": self._client.auth_id}
            self._control("POST", "/clock/advance", by)
        elif step.expect is not None:
            self._check(step.expect, f"{name}.", at_end=False)
        self._look()

    def _submit(self, step: Submit) -> None:
        demands = self._demands.get((step.country, step.number_type, step.user_type), [])
        try:
            filing = self._filings[step.app] = ScenarioFiling(step, demands, self._callback_url)
        except ValueError as error:
            raise WrongScenario(str(error)) from None
        before = set(self._watch.applications)
        answer = self._call("POST", step.app, filing.first())
        self._look_for(step.app, answer.get("compliance_id"), before)

    def _look_for(self, app: str, id: str | None, before: set[str]) -> None:
        """Learn the id of a new application, also when its answer was lost on the way."""
        self._watch.look()
        new = [each for each in self._watch.applications if each not in before]
        if id is not None or new:
            self._ids[app] = id or new[0]

    def _correct(self, step: Correct, name: str) -> None:
        if self._is_filed(step.app, name):
            try:
                form = self._filings[step.app].again(step)
            except ValueError as error:
                raise WrongScenario(str(error)) from None
            self._call("PATCH", step.app, form)

    def _is_filed(self, app: str, name: str) -> bool:
        """Whether there is such an application; a scenario that goes on without fails."""
        if app not in self._ids:
            check = Check(name=name, expected=f"{app} is filed", found="absent", ok=False)
            self._told.checks.append(check)
        return app in self._ids

    def _call(self, method: str, app: str, form: Form = ()) -> dict[str, Any]:
        """A call as the scenario's application would make it; what went wrong is part of it."""
        path = f"{self._ids[app]}/" if method != "POST" else ""
        answer: dict[str, Any] = {}
        facts: dict[str, Any] = {"method": method, "path": f"PhoneNumber/Compliance/{path}"}
        try:
            answer = self._client.compliance(method, path, form=form)
            facts["status"] = 201 if method == "POST" else 200
        except Refused as error:
            facts |= {"status": error.status, "error": error.text}
        except BrokenOff:
            facts |= {"status": "cut", "error": "the connection was cut"}
        except Garbled:
            facts |= {"status": "garbled", "error": "the answer is no JSON"}
        if "error" in facts:
            self._refusals.append(facts["status"])
        elif method == "GET":
            facts["shown"] = answer["compliance"]["status"]
        self._told.events.append(Event(at=self._now, type="request", app=app, facts=facts))
        return answer

    # --- what came of it ---------------------------------------------------------------------

    def _look(self) -> None:
        names = {id: app for app, id in self._ids.items()}
        self._watch.look()
        self._told.events += self._watch.news(names)
        self._now = self._watch.now

    def _check(self, expect: Expect, prefix: str, *, at_end: bool) -> None:
        seen = self._watch.seen(self._ids)
        seen.refusals = self._refusals
        for check in check_all(expect, seen, at_end=at_end):
            named = dataclasses.replace(check, name=prefix + check.name)
            self._told.checks.append(named)
