"""Observes an account through the control API, and checks what a scenario expects of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from plivo_sim.account.clock import monotonic_s
from plivo_sim.client import Client, Unreachable
from plivo_sim.scenarios.language import Expect, Scenario
from plivo_sim.scenarios.rules import reason_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A callback that was tried at least once. ``about``: what it says, of which application;
    ``answers``: of each attempt, the HTTP status, or why there is none; ``signature``: ``valid``,
    or that of the first attempt whose own is not."""

    about: str
    state: str
    answers: Sequence[int | str]
    signature: str

    @property
    def is_taken(self) -> bool:
        """Whether its receiver took it in the end: it counts as delivered, or was answered 2xx
        where a scenario's own ``success`` has it otherwise."""
        return self.state == "delivered" or _is_success(self.answers[-1])

    @property
    def is_refused(self) -> bool:
        """Whether the receiver said no, and never anything else: silence is no refusal."""
        return isinstance(self.answers[-1], int) and not any(map(_is_success, self.answers))

    def __str__(self) -> str:
        last, times = self.answers[-1], len(self.answers)
        signed = "" if self.signature == "valid" else f", signature {self.signature}"
        return f"{self.about}{signed}, attempt {times} -> {last}, {self.state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A callback that was never tried: ``pending``, ``dropped``, ``blocked`` or ``cancelled``.
    ``about``: what it says, of which application; ``why``: for people, why it was not."""

    about: str
    state: str
    why: str

    def __str__(self) -> str:
        return f"{self.about} was not sent, {self.state}: {self.why}"


def _is_success(answer: int | str) -> bool:
    return isinstance(answer, int) and 200 <= answer < 300


@dataclass(slots=True, kw_only=True)
class Observation:
    """The state of an account so far, keyed by the scenario's names of its applications.

    ``callbacks``: the statuses in the callbacks that the receiver accepted, in order;
    ``signatures``: of every attempt; ``deliveries``: how many ended in each state;
    ``refusals``: statuses, ``cut`` and ``garbled``; ``sent``: what was tried, oldest first;
    ``unsent``: what never was;
    ``forgotten``: of how many callbacks nobody can tell any of this any more.
    """

    status: Mapping[str, str] = field(default_factory=dict)
    timeline: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reasons: Mapping[str, Sequence[str]] = field(default_factory=dict)
    callbacks: Sequence[str] = ()
    signatures: frozenset[str] = frozenset()
    deliveries: Mapping[str, int] = field(default_factory=dict)
    forgotten: int = 0
    refusals: Sequence[int | str] = ()
    sent: Sequence[Sent] = ()
    unsent: Sequence[Unsent] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was expected. ``name``: ``status.app``."""

    name: str
    expected: Any
    found: Any
    ok: bool


def check_all(
    expect: Expect, observed: Observation, listed: Sequence[int | str] | None
) -> list[Check]:
    """Every expectation, checked. ``listed``: at the end, the refusals that steps have listed, so
    that others fail; None at a step."""
    checks = [*_applications(expect, observed), *_callbacks(expect, observed)]
    wanted = listed if expect.refusals is None else expect.refusals
    if wanted is not None and (expect.refusals is not None or list(observed.refusals) != wanted):
        checks.append(_same("refusals", list(wanted), list(observed.refusals)))
    return checks


CALLED = "your webhook is called"
TAKEN = "every callback is taken (2xx)"
REFUSED = "every forged callback is refused (an answer, not 2xx)"


def webhook_checks(scenario: Scenario, observed: Observation) -> Iterator[Check]:
    """What is expected of a webhook under test without being written: that it takes what is rightly
    signed in the end, and refuses the rest. What is still to be tried for the first time when the
    scenario ends counts as neither; where no callback reached it at all, it is not tested.

    A scenario can say at its end that it is otherwise: with ``callbacks``, the list of what is
    taken, or with the number of ``deliveries`` in a state, which is then not looked at here. With a
    ``success`` of its own these say nothing of what the webhook answers.
    """
    ends = [scenario.expect, *(step.expect for step in scenario.steps[-1:])]
    told = [each for each in ends if each is not None]
    is_forging = scenario.webhooks.signature != "valid"
    is_listed = not is_forging and any(each.callbacks is not None for each in told)
    counted = _counts(told)
    unsaid = [each for each in observed.unsent if not (is_listed or counted.get(each.state))]
    waiting = [str(each) for each in unsaid if each.state == "pending"]
    if scenario.webhooks.success is not None:
        told = []
    counts = _counts(told)
    lists = [each.callbacks for each in told if each.callbacks is not None]
    valid = [each for each in observed.sent if each.signature == "valid"]
    genuine = [each for each in valid if each.state not in counts]
    forged = [each for each in observed.sent if each.signature != "valid"]
    if not observed.sent and unsaid and not waiting:
        yield _same("against.called", CALLED, ["it was not called", *map(str, unsaid)])
    untaken = [] if lists else [str(each) for each in genuine if not each.is_taken]
    untaken += [] if is_forging else waiting
    if untaken or (genuine and not lists):
        yield _same("against.taken", TAKEN, untaken or TAKEN)
    if not any(lists) and not counts.get("delivered"):
        unrefused = [str(each) for each in forged if not each.is_refused]
        unrefused += waiting if is_forging else []
        if forged or unrefused:
            yield _same("against.refused", REFUSED, unrefused or REFUSED)
    if observed.forgotten:
        yield _same("against.forgotten", 0, observed.forgotten)


def _counts(told: Sequence[Expect]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in told:
        counts |= msgspec.to_builtins(each.deliveries or {})
    return counts


def _applications(expect: Expect, observed: Observation) -> Iterator[Check]:
    for app, status in expect.status.items():
        yield _same(f"status.{app}", status, observed.status.get(app, "absent"))
    for app, timeline in expect.timeline.items():
        yield _same(f"timeline.{app}", timeline, list(observed.timeline.get(app, ())))
    for app, reasons in expect.reasons.items():
        found = list(observed.reasons.get(app, ()))
        same = len(found) == len(reasons) and all(
            reason_of(wanted).casefold() in text.casefold()
            for wanted, text in zip(reasons, found, strict=True)
        )
        yield Check(name=f"reasons.{app}", expected=reasons, found=found, ok=same)


def _callbacks(expect: Expect, observed: Observation) -> Iterator[Check]:
    if expect.callbacks is not None:
        yield _same("callbacks", expect.callbacks, list(observed.callbacks))
    for state, count in msgspec.to_builtins(expect.deliveries or {}).items():
        yield _same(f"deliveries.{state}", count, observed.deliveries.get(state, 0))
    if expect.signatures is not None:
        found = ", ".join(sorted(observed.signatures)) or "no callback was sent"
        yield _same("signatures", expect.signatures, found)
    if (
        observed.forgotten
        and (expect.callbacks, expect.deliveries, expect.signatures) != (None,) * 3
    ):
        yield _same("callbacks.forgotten", 0, observed.forgotten)


def _same(name: str, expected: Any, found: Any) -> Check:
    return Check(name=name, expected=expected, found=found, ok=expected == found)


MOST = 1000
"""Of one page."""
MOST_PAGES = 100
MOST_ATTEMPTS = 100
"""Of one callback."""
WAIT_S = 120.0
"""How long what is under way may take."""

_UNSENT = ("dropped", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened: a ``request``, a ``transition`` or a ``callback`` (one attempt, or
    what became of one that never went out). ``at`` is simulated."""

    at: str
    type: str
    app: str
    facts: Mapping[str, Any]


def _few(found: list[dict[str, Any]], most: int = MOST) -> list[dict[str, Any]]:
    """Raises ValueError for more than a simulator answers: each would be asked about."""
    if len(found) > most:
        raise ValueError(f"{len(found)} are more than {most}")
    return found


class Observer:
    """Observes one account. ``applications``: by id, as the control API shows them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.now = ""
        self._next_due: str | None = None
        self.applications: dict[str, dict[str, Any]] = {}
        self._deliveries: list[dict[str, Any]] = []
        self._forgotten = 0
        self._reported: set[tuple[str, int]] = set()
        self._signatures: dict[tuple[str, int], str] = {}

    def refresh(self) -> None:
        """Read the account's state, once no advance or callback is in progress any more."""
        clock = self._when_settled()
        self.now, self._next_due = clock["now"], clock["next_due"]
        self.applications = {each["id"]: each for each in self._every("applications")}
        self._deliveries = [*self._every("webhooks")]
        self._forgotten = self._get("/webhooks", limit=0)["forgotten"]
        for delivery in self._deliveries:
            for number, attempt in enumerate(_few(delivery["attempts"], MOST_ATTEMPTS)):
                if (delivery["id"], number) not in self._signatures:
                    self._signatures[delivery["id"], number] = self._signature(delivery, attempt)

    def _when_settled(self) -> dict[str, Any]:
        deadline = monotonic_s() + WAIT_S
        while True:
            clock: dict[str, Any] = self._get("/clock")
            busy = clock["advancing"] or clock["sending"]
            if not busy:
                return clock
            if monotonic_s() > deadline:
                text = f"{self._client.url} still moves time or sends callbacks"
                raise Unreachable(f"{text} after {WAIT_S:g} s")
            time.sleep(0.05)

    def _every(self, name: str) -> Iterator[dict[str, Any]]:
        """All records of a list. Raises ValueError for more pages than a simulator can have."""
        offset = 0
        for _ in range(MOST_PAGES):
            page = self._get(f"/{name}", offset=offset, limit=MOST)
            yield from _few(page[name])
            offset += len(page[name])
            if offset >= page["total_count"] or not page[name]:
                return
        raise ValueError(f"{offset} {name} are more than can be looked at")

    def _get(self, path: str, **query: Any) -> Any:
        return self._client.control("GET", path, account=self._client.auth_id, **query)

    def _signature(self, delivery: Mapping[str, Any], attempt: Mapping[str, Any]) -> str:
        """Whether a receiver would find the signatures ``valid``, ``wrong`` or ``missing``."""
        request = {
            "method": delivery["method"],
            "url": attempt["url"],
            "headers": attempt["headers"],
            "body": attempt["body"],
            "account": self._client.auth_id,
        }
        found = self._client.control("POST", "/webhooks/verify-signature", request).values()
        if all(each["valid"] for each in found):
            return "valid"
        lost = all("is missing" in wrong for each in found for wrong in each["wrong"])
        return "missing" if lost else "wrong"

    # --- events ------------------------------------------------------------------------------

    def news(self, names: Mapping[str, str]) -> list[Event]:
        """What happened since the last call, in simulated time; changes of status come before the
        callbacks that they caused. ``names``: what to call the applications."""
        every = [*self._transitions(names), *self._callbacks(names)]
        fresh = [event for key, event in every if key not in self._reported]
        self._reported.update(key for key, _ in every)
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
            common["retries"] = delivery["retries"]
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

    # --- state ------------------------------------------------------------------------------

    def observed(self, ids: Mapping[str, str]) -> Observation:
        """The state now. ``ids``: application ids by the names to call them; of others, no callback
        counts."""
        names = {id: app for app, id in ids.items()}
        own = [each for each in self._deliveries if each["application"] in names]
        sent_by = {each["id"] for each in own}
        held = {app: self.applications[id] for app, id in ids.items() if id in self.applications}
        return Observation(
            status={app: each["status"] for app, each in held.items()},
            timeline={
                app: [change["status"] for change in each["timeline"]] for app, each in held.items()
            },
            reasons={
                app: [change["reason"] for change in each["timeline"] if change["reason"]]
                for app, each in held.items()
            },
            callbacks=[status for _, status in sorted(_accepted(own), key=lambda each: each[0])],
            signatures=frozenset(
                found for (id, _), found in self._signatures.items() if id in sent_by
            ),
            deliveries=Counter(each["state"] for each in own),
            sent=list(self._sent(own, names)),
            unsent=list(self._unsent(own, names)),
            forgotten=self._forgotten,
        )

    def _sent(self, deliveries: list[dict[str, Any]], names: Mapping[str, str]) -> Iterator[Sent]:
        for each in deliveries:
            attempts = each["attempts"]
            found = [self._signatures[each["id"], number] for number in range(len(attempts))]
            if attempts:
                yield Sent(
                    about=_about(each, names),
                    state=each["state"],
                    answers=[one["status"] or one["error"] or "no answer" for one in attempts],
                    signature=next((one for one in found if one != "valid"), "valid"),
                )

    def _unsent(
        self, deliveries: list[dict[str, Any]], names: Mapping[str, str]
    ) -> Iterator[Unsent]:
        for each in deliveries:
            if not each["attempts"]:
                why = each["why"]
                if each["state"] == "pending":
                    due = f"what comes next is due at {self._next_due}"
                    why = f"{due if self._next_due else 'nothing is due'}; advance further"
                yield Unsent(about=_about(each, names), state=each["state"], why=why)


def _about(delivery: Mapping[str, Any], names: Mapping[str, str]) -> str:
    app = names.get(delivery["application"], delivery["application"])
    return f"{delivery['payload'].get('status')} of {app}"


def _accepted(deliveries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """When the receiver accepted each callback, and the status in it."""
    for delivery in deliveries:
        if delivery["state"] == "delivered":
            yield delivery["attempts"][-1]["at"], delivery["payload"]["status"]
