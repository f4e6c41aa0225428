"""Replays a scenario against a simulator over HTTP, and reports what happened in simulated time.

The same code runs against a simulator of its own and a running one: it applies through the real
API, in an account of the scenario's own whose clock is paused, and observes it through the control
API.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from plivo_sim.client import BrokenOff, Client, Form, Garbled, Refused
from plivo_sim.client.applications import (
    ACME,
    ACME_DETAILS,
    Applicant,
    CreateRequest,
    File,
    Requirement,
    chosen_type,
    create_request,
    sample,
)
from plivo_sim.client.observations import Check, Event, Observer, check_all, webhook_checks
from plivo_sim.domain.urls import reached_at
from plivo_sim.scenarios.language import Correct, Expect, Scenario, StepEntry, Submit
from plivo_sim.variables import RUN_ID

TOKEN = "token"  # noqa: S105  # not a secret: any token is taken
"""That of the other commands, too."""

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
"""The account's own settings, which make a scenario run alike on every server."""

_NAMES = {"business": ACME, "individual": "Asha"}

_DATES = {"date_of_birth": "1990-05-17"}

_LATER = "2030-01-31"

_SAMPLES = {".png": "gst_certificate.png", ".pdf": "registration_certificate.pdf"}


class ScenarioApplication:
    """One application of a scenario: what was sent last, and what the next step sends.

    Raises ValueError when a step names a document, or a field of one, that the requirement does not
    ask for.
    """

    def __init__(self, step: Submit, requirement: Requirement, callback_url: str) -> None:
        self._step = step
        self._requirement = requirement
        self._words = list(step.files)
        self._callback_url = callback_url
        self._check(step)

    def first(self) -> Form:
        """The form of the submission."""
        return create_request(self._applicant(), self._requirement).form

    def again(self, change: Correct) -> Form:
        """The form of a correction; what it gives holds from now on."""
        self._check(change)
        given = {key: value for key, value in msgspec.structs.asdict(change).items() if value}
        self._step = msgspec.structs.replace(
            self._step,
            **given
            | {"files": self._step.files | change.files}
            | {"data_fields": self._step.data_fields | change.data_fields},
        )
        data: dict[str, Any] = {}
        if change.alias:
            data["alias"] = change.alias
        person = {"name": change.name, "registration_number": change.registration_number}
        if any(person.values()):
            data["end_user"] = {key: value for key, value in person.items() if value}
        if data and not change.files and not change.data_fields:
            return CreateRequest(data, ()).form
        whole = create_request(self._applicant(), self._requirement)
        return CreateRequest(data | {"documents": whole.data["documents"]}, whole.files).form

    def _check(self, step: Correct) -> None:
        demands = self._requirement["documents"]
        types = [chosen_type(each["any_of"], self._words) for each in demands]
        names = [rule["name"] for type_ in types for rule in type_["fields"]]
        for what, given, known in (
            ("document", step.files, [type_["word"] for type_ in types]),
            ("data field", step.data_fields, list(dict.fromkeys(names))),
        ):
            unknown = [each for each in given if each not in known]
            if unknown:
                told = f"'{step.app}' needs no {what} {', '.join(unknown)}, but"
                raise ValueError(f"{told} {', '.join(known) or 'none'}")

    def _applicant(self) -> Applicant:
        step = self._step
        return Applicant(
            key=(step.country, step.number_type, step.user_type),
            alias=step.alias or f"Acme Mumbai, {step.app}",
            end_user=self._end_user(),
            fill=self._value,
            proof=self._proof,
            callback_url=self._callback_url,
            words=self._words,
        )

    def _end_user(self) -> dict[str, str]:
        step = self._step
        person = {
            "name": step.name or _NAMES[step.user_type],
            **ACME_DETAILS,
            "country": step.country,
            "registration_number": step.registration_number,
        }
        return {key: value for key, value in person.items() if value}

    def _value(self, rule: Mapping[str, Any]) -> str:
        name = rule["name"]
        if name in self._step.data_fields:
            return self._step.data_fields[name]
        if rule.get("enums"):
            return str(rule["enums"][0])
        if rule["type"] == "date":
            return _DATES.get(name, _LATER)
        known = {"business_name": self._step.name or _NAMES["business"], "last_name": "Rao"}
        return known.get(name) or {**self._end_user(), "address_line_1": "12 MG Road"}.get(
            name, str(rule.get("label", name))[: rule.get("max_length", 50)]
        )

    def _proof(
        self, applicant: Applicant, type_: Mapping[str, Any], values: object, index: int
    ) -> File | None:
        """A sample of the kind that the name says, another for each name, because the same file
        twice is a cause of rejection."""
        if not type_["proof_required"]:
            return None
        word = type_["word"]
        name = self._step.files.get(word, f"{word}.pdf")
        content = sample(_SAMPLES[name[-4:].lower()]).read_bytes()
        return name, content + f"\n% {name}\n".encode()


@dataclass(slots=True, kw_only=True)
class ScenarioResult:
    """The result of a replay: everything that happened, in order, and the expectations."""

    scenario: str
    account: str
    events: list[Event] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(check.ok for check in self.checks)


class WrongScenario(Exception):
    """A step that cannot be played: it sends a document, or a field of one, that the requirement
    does not ask for."""


class OwnClient(Client):
    """Control calls of an account that it made: each is refused (Refused, code ``replaced``) once
    somebody else made the account anew. ``began``: when it began, empty before."""

    began = ""

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        if self.began:
            query.setdefault("began", self.began)
        try:
            return super().control(method, path, body, **query)
        except Refused as error:
            if error.body.get("code") != "replaced":
                raise
            told = (
                f"account {self.auth_id} was emptied by somebody else meanwhile, perhaps by another"
                f" replay of the same scenario: play with a {RUN_ID} of your own"
            )
            raise Refused(error.status, told, error.body) from None


def account_of(name: str, run_id: str = "") -> str:
    """The auth id of a scenario's own account; with a run id, that of this run."""
    digest = hashlib.sha256("|".join(filter(None, (run_id, name))).encode()).digest()
    return f"MA{base64.b32encode(digest).decode()[:18]}"


def server_machine(url: str) -> Mapping[str, Any]:
    """The status machine of the simulator at ``url``: that of an account which nobody uses."""
    found: Mapping[str, Any] = Client(url, account_of("nobody's"), TOKEN).control(
        "GET", "/machine", account=account_of("nobody's")
    )["machine"]
    return found


def replay(
    url: str, name: str, scenario: Scenario, against: str = "", token: str = TOKEN
) -> ScenarioResult:
    """Play a scenario, from the beginning, on the simulator at ``url``.

    Callbacks go to ``against``, a webhook under test, or to the built-in inbox; they are signed
    with ``token``, as which the scenario's own calls are made. Raises WrongScenario, Refused (the
    simulator does not take the scenario) and Unreachable.
    """
    account = account_of(name, os.environ.get(RUN_ID, ""))
    play = Replay(OwnClient(url, account, token), scenario, against)
    play.begin()
    while play.step() is not None:
        pass
    return play.result


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What one step did. ``name``: ``steps[0]``, or ``expect`` for what is expected at the end."""

    name: str
    events: list[Event]
    checks: list[Check]


class Replay:
    """One replay, in the account of the client, which is emptied: ``begin``, then a ``step`` at a
    time. ``against``: a webhook under test; what is implied of it is checked at the end.
    ``result``: all of it so far; ``ids``: what the simulator calls the scenario's applications.
    Raises what ``replay`` does."""

    def __init__(self, client: Client, scenario: Scenario, against: str = "") -> None:
        self._client = client
        self._scenario = scenario
        self._inbox = f"/inbox/{client.auth_id}"
        self._against = against
        self._callback_url = against or f"{reached_at(client.url)}/_sim{self._inbox}"
        self.result = ScenarioResult(scenario=scenario.scenario, account=client.auth_id)
        self._applications: dict[str, ScenarioApplication] = {}
        self.ids: dict[str, str] = {}
        self._next = 0
        self._refusals: list[int | str] = []
        self._listed: list[int | str] = []
        """Those up to the last step that expects some of its own."""
        self._observer = Observer(client)
        self._now = ""

    def step(self) -> Played | None:
        """Play the next step, or check what is expected at the end; None when nothing is left."""
        index, steps = self._next, self._scenario.steps
        events, checks = len(self.result.events), len(self.result.checks)
        name = f"steps[{index}]" if index < len(steps) else "expect"
        if index < len(steps):
            self._play(steps[index], name)
        elif index == len(steps) and self._has_end:
            self._check_end()
        else:
            return None
        self._next += 1
        return Played(
            name=name, events=self.result.events[events:], checks=self.result.checks[checks:]
        )

    @property
    def is_over(self) -> bool:
        """Whether a ``step`` has nothing left."""
        return self._next >= len(self._scenario.steps) + self._has_end

    @property
    def _has_end(self) -> bool:
        return bool(self._against) or self._expected_at_end() is not None

    def _expected_at_end(self) -> Expect | None:
        """Where the scenario says nothing of it: no refusal that no step lists."""
        unlisted = self._refusals != self._listed
        return self._scenario.expect or (Expect() if unlisted else None)

    def skip(self) -> Played:
        """Leave the next step out; what others did meanwhile is observed."""
        events = len(self.result.events)
        self._observe()
        self._next += 1
        return Played(
            name=f"steps[{self._next - 1}]", events=self.result.events[events:], checks=[]
        )

    def begin(self) -> None:
        """Empty the account, give it the scenario, and stop its clock."""
        account = {"account": self._client.auth_id}
        host = urlsplit(self._callback_url).hostname or ""
        settings = SETTINGS | {"allow_callback_hosts": host}
        made: dict[str, Any] = {"auth_id": self._client.auth_id, "settings": settings}
        if isinstance(self._client, OwnClient):
            self._client.began = self._control("POST", "/accounts", made | {"anew": True})["began"]
        else:
            self._control("POST", "/reset", account)
            self._control("POST", "/accounts", made)
        self._control("DELETE", f"{self._inbox}/messages")
        scenario = msgspec.to_builtins(self._scenario)
        self._control("POST", "/scenario", {"scenario": scenario} | account)
        self._requirements = {
            (each["country_iso"], each["number_type"], each["user_type"]): each
            for each in self._control("GET", "/requirements")["requirements"]
        }
        self._observe()

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._client.control(method, path, body)

    # --- steps -------------------------------------------------------------------------------

    def _play(self, step: StepEntry, name: str) -> None:
        if step.submit is not None:
            self._submit(step.submit)
        elif step.correct is not None:
            self._correct(step.correct, name)
        elif step.get is not None:
            if self._exists(step.get, name):
                self._call("GET", step.get)
        elif step.advance is not None:
            by = {"by": step.advance, "account": self._client.auth_id}
            self._control("POST", "/clock/advance", by)
        elif step.expect is not None:
            self._check(step.expect, f"{name}.", at_end=False)
        self._observe()

    def _submit(self, step: Submit) -> None:
        key = (step.country, step.number_type, step.user_type)
        requirement = self._requirements.get(key, {"documents": []})
        try:
            application = ScenarioApplication(step, requirement, self._callback_url)
        except ValueError as error:
            raise WrongScenario(str(error)) from None
        self._applications[step.app] = application
        before = set(self._observer.applications)
        answer = self._call("POST", step.app, application.first())
        self._find_id(step.app, answer.get("compliance_id"), before)

    def _find_id(self, app: str, id: str | None, before: set[str]) -> None:
        """Learn the id of a new application, also when its answer was lost on the way."""
        self._observer.refresh()
        new = [each for each in self._observer.applications if each not in before]
        if id is not None or new:
            self.ids[app] = id or new[0]

    def _correct(self, step: Correct, name: str) -> None:
        if self._exists(step.app, name):
            try:
                form = self._applications[step.app].again(step)
            except ValueError as error:
                raise WrongScenario(str(error)) from None
            self._call("PATCH", step.app, form)

    def _exists(self, app: str, name: str) -> bool:
        """Whether there is such an application; without it the scenario does not hold."""
        if app not in self.ids:
            check = Check(name=name, expected=f"{app} was submitted", found="absent", ok=False)
            self.result.checks.append(check)
        return app in self.ids

    def _call(self, method: str, app: str, form: Form = ()) -> dict[str, Any]:
        """A call as the scenario's application would make it; what went wrong is part of it."""
        path = f"{self.ids[app]}/" if method != "POST" else ""
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
            facts |= {"status": "garbled", "error": "the answer is not JSON"}
        if "error" in facts:
            self._refusals.append(facts["status"])
        elif method == "GET":
            facts["shown"] = answer["compliance"]["status"]
        self.result.events.append(Event(at=self._now, type="request", app=app, facts=facts))
        return answer

    # --- results -----------------------------------------------------------------------------

    def _observe(self) -> None:
        names = {id: app for app, id in self.ids.items()}
        self._observer.refresh()
        self.result.events += self._observer.news(names)
        self._now = self._observer.now

    def _check_end(self) -> None:
        if (last := self._expected_at_end()) is not None:
            self._check(last, "", at_end=True)
        if self._against:
            observed = self._observer.observed(self.ids)
            self.result.checks += webhook_checks(self._scenario, observed)

    def _check(self, expect: Expect, prefix: str, *, at_end: bool) -> None:
        observed = self._observer.observed(self.ids)
        observed.refusals = self._refusals
        listed = self._listed if at_end else None
        if expect.refusals is not None:
            self._listed = list(self._refusals)
        for check in check_all(expect, observed, listed):
            named = dataclasses.replace(check, name=prefix + check.name)
            self.result.checks.append(named)
