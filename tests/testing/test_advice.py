"""What is advised where a test has started the simulator: no option, and no variable, is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import plivo_sim
from plivo_sim.domain.urls import basic
from plivo_sim.settings import Settings
from plivo_sim.testing import AUTH_ID, in_process
from plivo_sim.testing import test_settings as settings_of_test
from plivo_sim.testing.markers import mistakes
from plivo_sim.web.access import account_of
from tests.testing.conftest import client_of, file_in

WHERE = "as an argument of the marker plivo_sim, in_process or served"
SUB = f"SA{AUTH_ID[2:]}"
CALLS = {
    "cors_origins": (
        "/v1/Account/x/",
        {"Origin": "http://shop.example.com", "Sec-Fetch-Site": "cross-site"},
    ),
    "allowed_hosts": ("/_sim/clock", {"Host": "sim.example.com"}),
    "credentials": (
        f"/v1/Account/{SUB}/PhoneNumber/Compliance/",
        {"Authorization": basic(SUB, "any")},
    ),
    "atoms_tokens": ("/atoms/v1/compliance/applications", {"Authorization": "Bearer key"}),
}


@pytest.mark.parametrize("host", ["hooks.invalid", "169.254.169.254"])
def test_a_callback_that_is_blocked(host: str) -> None:
    """With what is advised, it is not blocked."""
    url = f"https://{host}/cb"
    with in_process() as sim:
        sim.accept(file_in(sim, callback_url=url))
        (blocked,) = sim.callbacks()
    texts = [blocked.why, *(each.error or "" for each in blocked.attempts)]
    told = re.search(r'with (\w+)="(.*?)" ([\w ,]+)', " ".join(texts))
    assert told is not None
    assert told.groups() == ("allow_callback_hosts", host, WHERE)
    advised = {told[1]: told[2]}
    assert [*mistakes(advised)] == []
    with in_process(**advised) as sim:
        assert sim.sim.settings.allow_callback_hosts == (host,)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_refused(name: str) -> None:
    """Of a browser, of another host, of another token."""
    target, headers = CALLS[name]
    with in_process(credentials={AUTH_ID: "fixed", account_of("key"): "fixed"}) as sim:
        answer = client_of(sim)._http.send("GET", target, headers)
    assert answer.status in (401, 403)
    assert re.search(rf'{name}=\\?".+?\\?" {WHERE}', answer.data.decode())


def test_the_settings_of_an_account_advise_the_same() -> None:
    """As those of its server."""
    own = settings_of_test().for_account({"strict": "on"})
    assert own.way("strict", "on").endswith(WHERE)
    assert Settings().way("strict", "on") == "--strict on or PLIVO_SIM_STRICT=on"


def test_advice_comes_from_the_settings() -> None:
    """No other text says "allow it with" an option, or a variable."""
    for file in Path(plivo_sim.__file__).parent.rglob("*.py"):
        found = re.findall(r"(?:allow it|is started|it needs) with --.*", file.read_text())
        assert not found, (file, found)
