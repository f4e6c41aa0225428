"""Secrets planted wherever one could be, and looked for wherever one could come out."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.simulator.logs import JsonLines, TextLines
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.support import AUTH_ID, PDF, Http, Receiver, basic

SECRETS = {
    "token": "tok-5f1c9a", "fixed": "fix-77ab31", "wrong": "wro-90cc12", "bearer": "bea-31dd44",
    "cookie": "coo-8812ef", "api key": "key-01aa77", "proxy": "pro-66bb19", "url": "url-42ce08",
}  # fmt: skip
FIXED = "MAFIXEDFIXEDFIXEDFIX"
HEADERS = {
    "Cookie": f"other={SECRETS['cookie']}",
    "X-Api-Key": SECRETS["api key"],
    "X-Auth-Token": SECRETS["api key"],
    "Proxy-Authorization": basic("proxy", SECRETS["proxy"]),
}
CALLBACK = f"http://user:{SECRETS['url']}@127.0.0.1:9/cb"


@pytest.fixture
def told(tmp_path: Path) -> Iterator[str]:
    """Everything that came out of a simulator that was given the secrets, but for its state."""
    log = io.StringIO()
    handlers = [logging.StreamHandler(log), logging.StreamHandler(log)]
    handlers[0].setFormatter(TextLines())
    handlers[1].setFormatter(JsonLines())
    logger = logging.getLogger("plivo_sim")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    for handler in handlers:
        logger.addHandler(handler)
    settings = replace(PAUSED, state=tmp_path, credentials={FIXED: SECRETS["fixed"]})
    transport = MemoryTransport()
    sim = make_simulator(settings, transport=transport)
    http = Http(create_app(sim), sim, token=SECRETS["token"], headers=HEADERS)
    try:
        answers = [str(each) for each in spoken(http)]
        sent = [f"{each.headers} {each.body!r}" for each in transport.sent]
        yield "\n".join([log.getvalue(), *answers, *sent])
    finally:
        sim.close()
        for handler in handlers:
            logger.removeHandler(handler)
        logger.setLevel(level)


def spoken(http: Http) -> Iterator[str]:
    """What is answered to calls that carry secrets, and to those who ask afterwards."""
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "rejected", "Blurred")
    fixed = Http(http.app, http.sim, auth_id=FIXED, token=SECRETS["fixed"], headers=HEADERS)
    strange = replace(fixed, token=SECRETS["wrong"])
    for client in (http, fixed, strange):
        for path in ("EndUser/", "PhoneNumber/Compliance/", "Number/", "nowhere/"):
            for method in ("GET", "POST", "PUT"):
                answer = client.call(method, path, data=b"{", content_type="application/json")
                yield f"{answer.headers} {answer.text}"
    atoms = {"Authorization": f"Bearer {SECRETS['bearer']}"}
    for method in ("GET", "POST"):
        yield http.call(method, "/atoms/v1/compliance/status", headers=atoms).text
    yield http.call("GET", "/atoms/v1/x", headers={"Cookie": f"session={SECRETS['bearer']}"}).text
    yield http.post("/_sim/inbox/mine", json={}).text
    http.control("POST", "/snapshot", {"name": "one", "account": AUTH_ID})
    for path in (
        "/requests", "/export", "/snapshot/one", "/applications", "/clock", "/scenario", "/faults",
        "/machine",
    ):  # fmt: skip
        for account in (AUTH_ID, FIXED):
            yield http.control("GET", path, account=account).text
    for path in (
        "/health", "/health/ready", "/accounts", "/inbox/mine/messages", f"/applications/{id}/why",
    ):  # fmt: skip
        yield http.control("GET", path).text
    yield http.control("POST", "/accounts", {"auth_id": FIXED, "settings": {}}).text


@pytest.mark.parametrize("name", [name for name in SECRETS if name != "url"])
def test_no_secret_comes_out(told: str, name: str) -> None:
    """Neither in an answer, nor in a callback, an export, a snapshot or the log, in no spelling."""
    secret = SECRETS[name]
    assert "request_id" in told
    assert "callback POST" in told
    assert secret not in told
    for user in (AUTH_ID, FIXED, "proxy"):
        assert base64.b64encode(f"{user}:{secret}".encode()).decode() not in told


PLANTED = "s3cret-7f"
TEXTS = {
    "JSON": json.dumps({"name": "Acme", "auth_token": PLANTED}),
    "JSON in JSON": json.dumps({"data": json.dumps({"auth_token": PLANTED})}),
    "password": json.dumps([{"password": PLANTED}]),
    "URL": f"http://user:{PLANTED}@127.0.0.1:9/cb",
    "URL in JSON": json.dumps({"callback_url": f"http://127.0.0.1:9/cb?api_key={PLANTED}"}),
    "JSON that is cut": f'{{"auth_token": "{PLANTED}',
}
"""Texts that hold a secret, under a name that does not tell so."""
NAMES = ("auth_token", "password", "api_key", "data[token]", "session")
HEADER_NAMES = (
    "Cookie", "X-Api-Key", "X-Auth-Token", "Proxy-Authorization", "X-Session-Id",
)  # fmt: skip


def _places(name: str, text: str) -> dict[str, dict[str, Any]]:
    """A named text wherever a request can have one."""
    pairs = urlencode({name: text, "alias": "Acme"})
    return {
        "query": {"query_string": pairs},
        "form": {"data": pairs, "content_type": "application/x-www-form-urlencoded"},
        "multipart": {"data": {name: text, "alias": "Acme"}, "content_type": "multipart/form-data"},
        "JSON": {"json": {name: text, "alias": "Acme"}},
        "list": {"json": [{"data": {name: text}}]},
    }


PLACES = (
    [("header Authorization", {"headers": {"Authorization": basic(token=PLANTED)}})]
    + [(f"header {name}", {"headers": {name: f"a={PLANTED}"}}) for name in HEADER_NAMES]
    + [(f"header with {kind}", {"headers": {"X-Context": TEXTS[kind]}}) for kind in TEXTS]
    + [(f"{name} in {p}", k) for name in NAMES for p, k in _places(name, PLANTED).items()]
    + [(f"{kind} in {p}", k) for kind in TEXTS for p, k in _places("data", TEXTS[kind]).items()]
)


@pytest.mark.parametrize("sent", [pytest.param(sent, id=id) for id, sent in PLACES])
@pytest.mark.parametrize("path", ["PhoneNumber/Compliance/", "EndUser/"])
def test_a_secret_in_a_request_is_masked_wherever_it_is(
    http: Http, path: str, sent: dict[str, Any]
) -> None:
    """In the journal of requests, its list and its page, which has the command to repeat it; also
    when the answer repeats what was sent."""
    http.post(path, **sent)
    told = http.control("GET", "/requests", account=AUTH_ID)
    (exchange,) = told.get_json()["requests"]
    page = http.get(f"/console/{AUTH_ID}/requests/{exchange['id']}")
    assert page.status_code == 200
    assert exchange["method"] == "POST"
    for text in (told.text, page.text, http.get(f"/console/{AUTH_ID}/requests").text):
        assert PLANTED not in text
        assert basic(token=PLANTED).removeprefix("Basic ") not in text


def test_a_snapshot_is_restored_with_the_token_that_the_account_has(http: Http) -> None:
    """It is no part of the document, and callbacks are still signed."""
    http.sdk_created()
    http.control("POST", "/snapshot", {"name": "one"})
    document = http.control("GET", "/snapshot/one").get_json()
    assert "token" not in document["tables"]["ledger"]["ledger"]
    http.token = "another-token"
    http.sdk_created(alias="later")
    assert http.control("POST", "/restore", {"snapshot": document}).status_code == 200
    assert http.account.token == "another-token"


def test_credentials_in_a_callback_url_are_not_logged(
    http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """They are the caller's own, so the answers show them; a log goes further."""
    caplog.set_level("INFO", logger="plivo_sim")
    http.decide(http.sdk_created(callback_url=CALLBACK), "accepted")
    lines = [record.getMessage() for record in caplog.records]
    assert any("callback POST http://127.0.0.1:9/cb" in line for line in lines)
    assert SECRETS["url"] not in "".join(lines)


def test_credentials_in_a_callback_url_go_to_its_receiver_alone(
    live: LiveSimulator, receiver: Receiver
) -> None:
    """As Basic credentials, to no place that it names; the log of attempts masks them."""
    receiver.statuses = [307]
    http = Http(create_app(live.sim), live.sim)
    url = receiver.url.replace("//", f"//user:{SECRETS['url']}@")
    http.decide(http.sdk_created(callback_url=f"{url}?auth_token=mine"), "accepted")
    (received,) = receiver.wait_for(1)
    assert received.url == f"{receiver.url}?auth_token=mine"
    assert received.headers["Authorization"] == basic("user", SECRETS["url"])
    (shown,) = http.control("GET", "/webhooks").get_json()["webhooks"]
    (attempt,) = shown["attempts"]
    assert attempt["headers"]["Authorization"] == "***"
    assert SECRETS["url"] not in json.dumps(attempt)


def test_the_state_directory_is_its_owners(tmp_path: Path) -> None:
    """The account's token has to be in there: callbacks are signed with it after a restart."""
    sim = make_simulator(replace(PAUSED, state=tmp_path / "state"), transport=MemoryTransport())
    Http(create_app(sim), sim).sdk_created()
    sim.close()
    assert (tmp_path / "state" / "accounts").stat().st_mode & 0o077 == 0


def test_an_uploaded_file_runs_in_no_browser(http: Http) -> None:
    """HTML behind the first bytes of a PDF: an attachment, of the type that was checked."""
    evil = PDF + b"<script>alert(document.domain)</script>"
    made = http.sdk_create(files={0: (evil, "x.html.pdf"), 1: (PDF, "b.pdf")}).get_json()
    path = f"PhoneNumber/Compliance/{made['compliance_id']}/"
    shown = http.get(path, query_string={"expand": "documents"}).get_json()
    url = shown["compliance"]["documents"][0]["download_url"]
    answer = http.get(url.partition("127.0.0.1")[2])
    assert answer.data == evil
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
