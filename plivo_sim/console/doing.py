"""Makes the calls of a button, within the application: whatever they answer is the outcome."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import Any

from flask import Flask, current_app, g, request

from plivo_sim.console.actions import Action, Done
from plivo_sim.web.framework import base_url_of
from plivo_sim.web.steering import ACTION_KEY

KEPT_ITEMS = 50


def perform_all(actions: Iterable[Action | Done]) -> list[Done]:
    """Make the calls, one after the other. A generator gets each outcome, and may end there."""
    if not isinstance(actions, Generator):
        return [perform(each) for each in actions]
    done: list[Done] = []
    try:
        action = next(actions)
        while True:
            done.append(perform(action))
            action = actions.send(done[-1])
    except StopIteration:
        return done


def perform(action: Action | Done) -> Done:
    """Make the call, within the process; whatever it answers is the outcome."""
    if isinstance(action, Done):
        return action
    if action.wrong:
        return Done(action=action.light(), status=400, answer={"detail": action.wrong})
    app: Flask = current_app.extensions["part"](action.url)
    with (
        app.app_context(),  # a call has its own ``g``
        app.test_request_context(
            action.url,
            method=action.method,
            base_url=base_url_of(request),
            **action.request(),
            environ_overrides={ACTION_KEY: action.light()},
        ),
    ):
        response = app.full_dispatch_request()
        answer = _answer(response.get_data())
        wrong = action.problems_of(g.call.refusal)
        response.close()  # what is to follow an answer follows it
    status = response.status_code
    harmless = action.harmless
    if harmless and status >= 400 and answer.get("code") == harmless.code:
        action = replace(action, message=harmless.message)
        return Done(action=action, status=status, answer=answer, harmless=True)
    return Done(
        action=action.light(),
        status=status,
        answer=answer if status >= 400 else _start(answer),
        wrong=wrong,
    )


def _answer(text: bytes) -> Any:
    """Ours, whatever it repeats; a fault of an imitated API may have spoiled it."""
    try:
        return json.loads(text)
    except ValueError:
        return {"detail": "the answer is no JSON: a fault spoiled it"}


def _start(answer: Any) -> Any:
    """The beginning of its lists: an advance answers with thousands of happenings."""
    if not isinstance(answer, dict):
        return answer
    return {
        name: each[:KEPT_ITEMS] if isinstance(each, list) else each for name, each in answer.items()
    }
