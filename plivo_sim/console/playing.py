"""A scenario's story, played in the page a step at a time: what ``plivo-sim replay`` does, by the
same engine, with calls that are made within this process.

A play is kept in memory, one an account, and is gone when the simulator stops; what it made stays.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, current_app

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Done, curl, login_words
from plivo_sim.console.actions import Form as Fields
from plivo_sim.console.api_calls import DEFAULT_TOKEN, token_of
from plivo_sim.console.pages import base_url, open_account, readable, row_of, show
from plivo_sim.control.history import items_of, path_of
from plivo_sim.control.inputs import document_words
from plivo_sim.control.presenters import explained
from plivo_sim.domain import limits
from plivo_sim.domain.records import standing
from plivo_sim.domain.text import curl_file, shell_line
from plivo_sim.scenarios import loader as library
from plivo_sim.scenarios.language import Expect, Scenario, StepEntry
from plivo_sim.scenarios.loader import ScenarioError, load_scenario
from plivo_sim.services import reviews
from plivo_sim.web.calls import current_call
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering, everything, is_write

if TYPE_CHECKING:  # a start needs none of it
    from plivo_sim.client import Answer, Form
    from plivo_sim.client.observations import Check, Event
    from plivo_sim.client.replay import Played, Replay

MOST_RULES = 10
BUDGET_S = 20.0
"""Real seconds after which "play all" stops between two steps."""


def _engine() -> Any:
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
    return str(_engine().account_of(name))


def place_for(account: Account, name: str) -> str:
    """The account in which this scenario is played: this one while nothing was written to it, else
    the scenario's own, which a play empties."""
    return account.auth_id if is_empty(account) else own_account(name)


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


# --- the page --------------------------------------------------------------------------------


def play_page(auth_id: str) -> Response:
    """The story so far, the step that comes next, and the buttons that play it."""
    account = open_account(auth_id)
    play = plays().of(account)
    left = [step_in_words(each) for each in play.left] if play else []
    has_end = play is not None and play.scenario.expect is not None
    if play is not None and has_end and len(play.shown) <= len(play.scenario.steps):
        left.append("Check what is expected at the end")
    return show(
        "play.html",
        account=account,
        play=play,
        left=left,
        total=len(play.scenario.steps) + has_end if play else 0,
        settings=_engine().SETTINGS,
        ids=play.replay.ids if play else {},
        command=_command(play) if play else "",
    )


def _command(play: Play) -> str:
    name = play.name or "scenario.yaml"
    return shell_line(("plivo-sim", "replay", name, "--url", base_url()))


def step_in_words(step: StepEntry) -> str:
    """What a step does, in a sentence."""
    if step.advance is not None:
        return f"Let {step.advance} pass"
    if step.get is not None:
        return f"Read {step.get}, as its owner would"
    if step.expect is not None:
        return f"Check: {'; '.join(expected_in_words(step.expect))}"
    sent = step.submit or step.correct
    assert sent is not None
    given = msgspec.to_builtins(sent)
    details = [_detail(key, value) for key, value in given.items() if key != "app"]
    if step.correct is not None and not details:
        return f"Submit {sent.app} again as it was"
    verb = "Submit" if step.submit is not None else "Correct"
    return f"{verb} {sent.app}" + (f": {'; '.join(details)}" if details else "")


def _detail(key: str, value: Any) -> str:
    told = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
    return f"{key.replace('_', ' ')} {told}"


def expected_in_words(expect: Expect) -> list[str]:
    """What is expected, a clause each."""
    return [_expected(key, value) for key, value in msgspec.to_builtins(expect).items()]


def _expected(key: str, value: Any) -> str:
    if isinstance(value, dict):
        told = ", ".join(f"{name} {_listed(each)}" for name, each in value.items())
    else:
        told = _listed(value)
    return f"{key} {told}"


def _listed(value: Any) -> str:
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)


# --- playing ---------------------------------------------------------------------------------


def begin(form: Fields) -> list[Done]:
    """Empty the account, give it the scenario, and stand before its first step."""
    name, auth_id = form.get("name", ""), form.get("account", "")
    account = open_account(auth_id)
    if auth_id != own_account(name) and plays().of(account) is None and not is_empty(account):
        told = f"{auth_id} has records by now, which a play would remove: play it from its card"
        return [_not_done(told)]
    try:
        text = library.shipped_text(name)
        scenario = load_scenario(text, f"{name}.yaml", document_words(), account.machine)
    except ScenarioError as error:
        return [_not_done(str(error))]
    from plivo_sim.client import Client, Refused, Unreachable

    transport = Noting(base_url())
    client = Client(base_url(), auth_id, token_of(account), transport)
    replay = _engine().Replay(client, scenario)
    try:
        replay.begin()
    except (Refused, Unreachable) as error:
        return [_not_done(str(error))]
    held = current_call().sim.account(auth_id)
    play = Play(
        name=name, scenario=scenario, replay=replay, transport=transport, held=held, era=held.era
    )
    play.known = _calls_of(held)
    plays().keep(auth_id, play)
    return [_did(play, f"{name} begins in account {auth_id}, whose clock stands still.")]


def next_step(form: Fields) -> list[Done]:
    """Play one step."""
    return _play(form.get("account", ""), 1)


def play_all(form: Fields) -> list[Done]:
    """Play the steps that are left, for some seconds."""
    return _play(form.get("account", ""), None)


def _play(auth_id: str, most: int | None) -> list[Done]:
    account = open_account(auth_id)
    play = plays().of(account)
    if play is None:
        return [_not_done("nothing is being played here: begin from a card of the Scenario page")]
    if not play.lock.acquire(blocking=False):
        return [_not_done("a step is being played at this moment")]
    try:
        return [_step_on(account, play, most)]
    finally:
        play.lock.release()


def _step_on(account: Account, play: Play, most: int | None) -> Done:
    from plivo_sim.client import Refused, Unreachable

    until, played = monotonic() + BUDGET_S, 0
    while not play.is_over and (most is None or played < most) and monotonic() < until:
        meanwhile = _meanwhile(account, play)
        left_out = _left_out(account, play)
        try:
            done = play.replay.skip() if left_out else play.replay.step()
        except (_engine().WrongScenario, Refused, Unreachable) as error:
            play.is_over, play.stopped = True, str(error)
            return _not_done(f"step {len(play.shown) + 1} cannot be played: {error}")
        if done is not None:
            made = _shown(account, play, done)
            during = _meanwhile(account, play)
            play.shown.append(
                made | {"meanwhile": meanwhile, "during": during, "left_out": left_out}
            )
            played += 1
        play.known = _calls_of(account)
        play.is_over = play.replay.is_over
    told = f"{played} step{'' if played == 1 else 's'} of {play.name} played"
    return _did(play, f"{told}: {_verdict(play)}" if play.is_over else f"{told}.")


def _calls_of(account: Account) -> set[str]:
    return {each.id for each in (*account.steering, *account.exchanges)}


def _meanwhile(account: Account, play: Play) -> list[str]:
    """What others have changed in the account since the last step, or while one was played, in
    words; notes to which applications they wrote."""
    if not any(is_write(each) for each in everything(account) if not _is_known(play, each)):
        return []
    with account.lock:
        items = [each for each in items_of(account) if not _is_known(play, each.made)]
    play.known |= {each.made.id for each in items}
    found = [each for each in items if is_write(each.made)]
    paths = "\n".join(path_of(each.made) for each in found)
    play.touched |= {id for id in play.replay.ids.values() if id in paths}
    return [f"{each.what} {each.about}".strip() for each in found]


def _is_known(play: Play, made: Steering | Exchange) -> bool:
    """Whether it was there before, or is the play's own."""
    noted = play.transport
    was_struck = isinstance(made, Exchange) and bool(made.fault)
    return made.id in play.known or made.id in noted.made or (noted.is_cut and was_struck)


def _left_out(account: Account, play: Play) -> str:
    """Why the next step has nothing to do any more, as others have written to its application;
    empty where it can be played."""
    if not play.left:
        return ""
    step = play.left[0]
    app = (step.correct.app if step.correct is not None else step.get) or ""
    id = play.replay.ids.get(app, "")
    if id not in play.touched:
        return ""
    with account.lock:
        application = account.store.applications.fetch(id)
        if application is None:
            return f"somebody has deleted {app}"
        if step.correct is None or account.machine.correctable(application.status):
            return ""
        status = application.status.replace("_", " ")
        return f"somebody stepped in: {app} is {status} by now, and cannot be corrected"


def _verdict(play: Play) -> str:
    return "the scenario holds." if play.holds else "the scenario does not hold."


def _did(play: Play, message: str) -> Done:
    lines, play.transport.lines = tuple(play.transport.lines), []
    return Done(action=Action(message=message, operation="", lines=lines), status=200, answer={})


def _not_done(told: str) -> Done:
    return Done(
        action=Action(message="", operation="", wrong=told), status=400, answer={"detail": told}
    )


# --- what is shown of a step -----------------------------------------------------------------


def _shown(account: Account, play: Play, done: Played) -> dict[str, Any]:
    """What the page shows of a step that was played, as plain values."""
    index = len(play.shown)
    steps = play.scenario.steps
    made = [each for each in account.exchanges if each.id not in play.known]
    return {
        "title": step_in_words(steps[index]) if index < len(steps) else "At the end",
        "now": account.now(),
        "calls": [_call(row_of(each)) for each in made if each.url and "/v1/" in each.url],
        "changes": [_fact(each) for each in done.events if each.type == "transition"],
        "callbacks": [_fact(each) for each in done.events if each.type == "callback"],
        "failures": [
            each.facts["error"]
            for each in done.events
            if each.type == "request" and "error" in each.facts
        ],
        "checks": list(map(_check, done.checks)),
        "ok": all(each.ok for each in done.checks),
        "decided": list(_decided(account, play)),
    }


def _call(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: row[key] for key in ("id", "method", "target", "status", "fault")}
    return kept | {"answer": readable(row["answer"])}


def _fact(event: Event) -> dict[str, Any]:
    facts = dict(event.facts)
    if event.type == "callback" and facts["attempt"]:
        facts |= {"state": standing(facts["state"], facts["attempt"], facts["retries"])}
    return {"at": event.at, "app": event.app, **facts}


def _check(check: Check) -> dict[str, Any]:
    expected, found = _listed(check.expected), _listed(check.found)
    name = check.name.partition("].")[2] or check.name  # without the step's own
    return {"name": name, "expected": expected, "found": found, "ok": check.ok}


def _decided(account: Account, play: Play) -> Iterator[dict[str, Any]]:
    """Who decides the submissions of this step, and the rules that nearly did."""
    with account.lock:
        for app, id in play.replay.ids.items():
            for each in reviews.explanations_of(account, id):
                if each.id not in play.seen:
                    play.seen.add(each.id)
                    told = explained(each)
                    nearly = told["near_misses"]
                    others = [r for r in told["rules"] if not r["matched"] and r not in nearly]
                    yield {"app": app, **told, "rules": [*nearly, *others][:MOST_RULES]}


PAGES: list[tuple[str, Callable[..., Response]]] = [("/scenario/play", play_page)]

ACTIONS: dict[str, Build] = {
    "begin-play": begin,
    "next-step": next_step,
    "play-all": play_all,
}
