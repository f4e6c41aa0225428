"""Plays of scenarios: one an account, kept in memory, with the calls that it made.

They are no state of the simulator, and are gone when it stops; what they made stays.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import current_app

from plivo_sim.account.account import Account
from plivo_sim.console.actions import curl, login_words
from plivo_sim.console.api_calls import DEFAULT_TOKEN
from plivo_sim.domain import limits
from plivo_sim.domain.text import curl_file
from plivo_sim.scenarios.language import Scenario, StepEntry

if TYPE_CHECKING:  # a start needs none of it
    from plivo_sim.client import Answer, Form
    from plivo_sim.client.replay import Replay


def engine() -> Any:
    """What plays; loaded when somebody does."""
    from plivo_sim.client import replay

    return replay


class Noting:
    """Brings calls to this simulator, and notes those that change something as curl commands.
    ``made``: the ids of the calls that were answered; ``is_cut``: whether a fault left one without
    an answer."""

    def __init__(self, base: str) -> None:
        from plivo_sim.client.wsgi import Wsgi

        self._base = base
        self._inner = Wsgi(current_app.wsgi_app, base)
        self.lines: list[str] = []
        self.made: set[str] = set()
        self.is_cut = False

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        form: Form | None = None,
    ) -> Answer:
        """See ``plivo_sim.client.Transport``."""
        from plivo_sim.client import BrokenOff

        if target.startswith("/v1/"):
            words = [word for each in form or () for word in _form_words(*each)]
            given = {name: text for name, text in headers.items() if name != "Authorization"}
            who = login_words(target.split("/")[3], f"${{PLIVO_AUTH_TOKEN:-{DEFAULT_TOKEN}}}")
            self.lines.append(curl(method, self._base + target, given, words, who))
        elif method != "GET" and "verify-signature" not in target:
            words = [] if body is None else ["-d", _plain(body)]
            self.lines.append(curl(method, self._base + target, headers, words))
        try:
            answer = self._inner.send(method, target, headers, body=body, form=form)
        except BrokenOff:
            self.is_cut = True
            raise
        self.made.add(answer.headers.get("X-Request-Id", ""))
        return answer


def _form_words(name: str, value: str | tuple[str, bytes]) -> tuple[str, str]:
    if isinstance(value, str):
        return "--form-string", f"{name}={value}"
    return "-F", f"{name}=@{curl_file(value[0])}"


def _plain(body: bytes) -> str:
    return json.dumps(json.loads(body), ensure_ascii=False)


@dataclass(slots=True, kw_only=True)
class Play:
    """One play: ``shown`` has what the page shows of each step that was played. ``held`` and
    ``era``: whose records it made; ``known``: the ids of the calls up to its last step;
    ``touched``: the applications that others have written to since it began; ``stopped``: why it
    cannot go on."""

    name: str
    scenario: Scenario
    replay: Replay
    transport: Noting
    held: Account
    era: int
    shown: list[dict[str, Any]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    is_over: bool = False
    stopped: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def holds(self) -> bool:
        return self.replay.result.holds

    @property
    def left(self) -> list[StepEntry]:
        return self.scenario.steps[len(self.shown) :]


class Plays:
    """The last plays, by account. Not state of the simulator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Play] = OrderedDict()

    def keep(self, auth_id: str, play: Play) -> None:
        with self._lock:
            self._kept[auth_id] = play
            self._kept.move_to_end(auth_id)
            while len(self._kept) > limits.PLAYS.most:
                self._kept.popitem(last=False)

    def of(self, account: Account) -> Play | None:
        """That of the account, unless its records were replaced since it began."""
        with self._lock:
            play = self._kept.get(account.auth_id)
        is_its = play is not None and play.held is account and play.era == account.era
        return play if is_its else None


def plays() -> Plays:
    kept: Plays = current_app.extensions.setdefault("console_plays", Plays())
    return kept


def own_account(name: str) -> str:
    """The account in which a scenario is played that no other is chosen for."""
    return str(engine().account_of(name))


def is_empty(account: Account) -> bool:
    """Whether a play destroys nothing in this account."""
    with account.lock:
        store = account.store
        counts = (
            len(store.applications),
            len(store.end_users),
            len(store.documents),
            len(store.numbers),
            len(store.policies),
            len(store.atoms_applications),
        )
        return not (any(counts) or account.marks or account.overrides)
