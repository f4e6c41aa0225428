"""Pressing the console's buttons, in process."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.test import TestResponse

from plivo_sim.console.actions import Done, Memory
from tests.support import AUTH_ID, Http

HOME = f"/console/{AUTH_ID}"


def token_of(http: Http) -> str:
    """The token that the console's forms carry."""
    page = http.get(f"{HOME}/time").text
    found = re.search(r'name="_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def did(http: Http, do: str, back: str = f"{HOME}/time", **fields: Any) -> tuple[Done, ...]:
    """Press a button; what the console remembers of it, which no page has told yet."""
    _pressed(http, do, back, fields)
    kept: Memory = http.app.extensions["console"]
    return kept.untold.popitem()[1].done


def press(http: Http, do: str, back: str = f"{HOME}/time", **fields: Any) -> TestResponse:
    """Press a button; answers with the page that it leads to."""
    return http.get(_pressed(http, do, back, fields))


def _pressed(http: Http, do: str, back: str, fields: dict[str, Any]) -> str:
    form = {"_token": token_of(http), "_back": back, **fields}
    answer = http.post(f"/console/do/{do}", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]
