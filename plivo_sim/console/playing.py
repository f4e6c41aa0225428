"""A scenario's story, played in the page a step at a time: what ``plivo-sim replay`` does, by the
same engine, with calls that are made within this process.

A play is kept in memory, one an account, and is gone when the simulator stops; what it made stays.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from flask import Response

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, Build, Done, Form
from plivo_sim.console.api_calls import token_of
from plivo_sim.console.pages import base_url, open_account, show
from plivo_sim.console.played_steps import shown, step_in_words
from plivo_sim.console.plays import Noting, Play, engine, is_empty, own_account, plays
from plivo_sim.control.history import items_of, path_of
from plivo_sim.control.inputs import document_words
from plivo_sim.domain.text import shell_line
from plivo_sim.scenarios import loader as library
from plivo_sim.scenarios.loader import ScenarioError, load_scenario
from plivo_sim.web.calls import current_call
from plivo_sim.web.request_log import Exchange
from plivo_sim.web.steering import Steering, everything, is_write

BUDGET_S = 20.0
"""Real seconds after which "play all" stops between two steps."""


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
        settings=engine().SETTINGS,
        ids=play.replay.ids if play else {},
        command=_command(play) if play else "",
    )


def _command(play: Play) -> str:
    name = play.name or "scenario.yaml"
    return shell_line(("plivo-sim", "replay", name, "--url", base_url()))


# --- playing ---------------------------------------------------------------------------------


def begin(form: Form) -> list[Done]:
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
    replay = engine().Replay(client, scenario)
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


def next_step(form: Form) -> list[Done]:
    """Play one step."""
    return _play(form.get("account", ""), 1)


def play_all(form: Form) -> list[Done]:
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
        except (engine().WrongScenario, Refused, Unreachable) as error:
            play.is_over, play.stopped = True, str(error)
            return _not_done(f"step {len(play.shown) + 1} cannot be played: {error}")
        if done is not None:
            made = shown(account, play, done)
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


PAGES: list[tuple[str, Callable[..., Response]]] = [("/scenario/play", play_page)]

ACTIONS: dict[str, Build] = {
    "begin-play": begin,
    "next-step": next_step,
    "play-all": play_all,
}
