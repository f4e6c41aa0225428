"""Who may use the console: nobody from a foreign page, and nothing of a client's can run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.console.support import HOME, press, token_of
from tests.support import AUTH_ID, Http

PAGES = ["/console/", *(f"{HOME}/{name}" for name in ("applications", "time", "history"))]
FORGED = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8700"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
]


@pytest.mark.parametrize("headers", FORGED)
@pytest.mark.parametrize("path", ["/", f"{HOME}/applications", f"{HOME}/pulse"])
def test_forged_reads_are_refused(http: Http, path: str, headers: dict[str, str]) -> None:
    """A name that resolves to us, or a foreign page, reads nothing."""
    assert http.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize("headers", FORGED)
def test_forged_buttons_are_refused(http: Http, headers: dict[str, str]) -> None:
    """A foreign page presses no button, even with the right token."""
    form = {"_token": token_of(http), "account": AUTH_ID, "by": "1d"}
    assert http.post("/console/do/advance", data=form, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8700", "Origin": "https://sim.example"},
        {"Host": "sim.example", "Origin": "https://sim.example:8443"},
    ],
    ids=str,
)
def test_buttons_work_behind_a_proxy(http: Http, headers: dict[str, str]) -> None:
    """That rewrites ``Host``, or adds a port, once its name is allowed."""
    http.sim.settings = replace(http.sim.settings, allowed_hosts=("sim.example",))
    form = {"_token": token_of(http), "account": AUTH_ID, "by": "1d"}
    assert http.post("/console/do/advance", data=form, headers=headers).status_code == 303


@pytest.mark.parametrize("token", [None, "", "x", "é", "a" * 10_000])
def test_a_button_needs_the_token(http: Http, token: str | None) -> None:
    """A form without the page's token changes nothing."""
    http.sdk_created()
    before = http.control("GET", "/clock", account=AUTH_ID).get_json()
    form = {"account": AUTH_ID, "by": "1d"} | ({} if token is None else {"_token": token})
    assert http.post("/console/do/advance", data=form).status_code == 403
    assert http.control("GET", "/clock", account=AUTH_ID).get_json() == before


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_a_strict_policy(http: Http, path: str) -> None:
    """No page runs, frames or fetches anything from elsewhere, and none is kept by a cache."""
    headers = http.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console/\\..\\evil",
        "javascript:alert(1)",
        "/v1/Account",
        "/console/\r\nSet-Cookie: a=b",
        "console/x",
        "",
        "http://[",
    ],
)
def test_a_button_leads_back_into_the_console(http: Http, back: str) -> None:
    """Whatever the form names as the way back, it stays within the console."""
    form = {"_token": token_of(http), "_back": back, "account": AUTH_ID, "by": "1d"}
    answer = http.post("/console/do/advance", data=form)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/console/?done=")
    assert "Set-Cookie" not in answer.headers


def test_an_unknown_button_is_a_404(http: Http) -> None:
    """There is no button of that name."""
    answer = http.post("/console/do/nothing", data={"_token": token_of(http)})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_a_wrong_method_is_told(http: Http) -> None:
    """Pages are for GET, buttons for POST."""
    assert http.post(f"{HOME}/applications").status_code == 405
    assert http.get("/console/do/advance").status_code == 405


def test_nothing_is_made_of_templates(http: Http) -> None:
    """Template syntax in a client's text stays text."""
    id = http.sdk_created(alias="{{ 7*7 }}{% raw %}")
    page = press(http, "decide", back=f"{HOME}/applications/{id}", id=id, status="accepted").text
    assert "{{ 7*7 }}{% raw %}" in page


def test_the_console_leaves_the_ids_alone(http: Http) -> None:
    """Looking and pressing draw no id of the account."""
    http.sdk_created()
    seq = http.account.ids.counts["seq"]
    press(http, "advance", account=AUTH_ID, by="1h")
    assert http.account.ids.counts["seq"] == seq
