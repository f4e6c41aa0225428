"""Pressing the console's buttons, in process."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.test import TestResponse

from tests.support import AUTH_ID, Http

HOME = f"/console/{AUTH_ID}"


def token_of(http: Http) -> str:
    """The token that the console's forms carry."""
    page = http.get(f"{HOME}/time").text
    found = re.search(r'name="_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def press(http: Http, do: str, back: str = f"{HOME}/time", **fields: Any) -> TestResponse:
    """Press a button; answers with the page that it leads to."""
    form = {"_token": token_of(http), "_back": back, **fields}
    answer = http.post(f"/console/do/{do}", data=form)
    assert answer.status_code == 303, answer.text
    return http.get(answer.headers["Location"])
