"""Whatever is done by hand, the test that is made of it passes; so it does whatever a fault made of
the calls, and the scenario that is made of it holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.client.replay import replay
from plivo_sim.scenarios.language import EFFECTS
from plivo_sim.scenarios.loader import load_scenario
from plivo_sim.testing.simulators import Served
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live
TEXTS = st.sampled_from(
    [
        "x",
        'say "x"',
        "it's",
        "{x}",
        "a\nb",
        "\\",
        "\u202e\x1b[2J",
        "é☃",
        "=1+1",
        "x" * 120,
        "~",
        "*",
    ]
)
SCENARIOS = [
    "{scenario: All are accepted at once., default: {decide: accepted}}",
    "scenario: All are rejected.\ndefault: {decide: rejected, reason: name_mismatch}\n",
    "\ufeff{scenario: Nothing is decided., rules: []}",
]
MACHINE = "{machine: x, extends: in-review}"
CONTROL = st.one_of(
    st.tuples(st.just("/clock/advance"), st.fixed_dictionaries({"by": st.one_of(
        st.sampled_from(["1d", "2 business days", "1ms", "0", "1h 5s"]),
        st.sampled_from([0, 1, 1e-5, 1e-9, 0.1, 86400, 1e7, 1.5]),
    )})),
    st.tuples(st.just("/scenario"), st.one_of(
        st.fixed_dictionaries({"yaml": st.sampled_from(SCENARIOS)}),
        st.just({"name": "rejected-then-accepted"}),
        st.just({"scenario": {"scenario": "As a map."}}),
    )),
    st.tuples(st.just("/machine"), st.one_of(
        st.just({"name": "in-review"}), st.just({"yaml": MACHINE}),
    )),
    st.tuples(st.just("/next-outcome"), st.fixed_dictionaries(
        {"decide": st.just("rejected"), "reason": TEXTS}
    )),
    st.tuples(st.just("/faults"), st.fixed_dictionaries(
        {"effect": st.sampled_from(EFFECTS), "latency_s": st.just(0.001)}, optional={
            "name": TEXTS, "applied": st.booleans(), "times": st.just(2), "skip": st.just(1),
            "every": st.just(2), "probability": st.just(0.5), "quota": st.just({"calls": 1}),
            "message": TEXTS,
        },
    )),
    st.tuples(st.just("/webhooks/policy"), st.just({"retries": ["1ms", "1d"], "drop": 1})),
)  # fmt: skip
CALLS = st.one_of(
    st.tuples(st.just("control"), CONTROL),
    st.tuples(st.just("application"), TEXTS),
    st.tuples(st.just("decide"), TEXTS),
    st.tuples(st.just("end user"), st.tuples(st.dictionaries(TEXTS, TEXTS, max_size=2), TEXTS)),
    st.tuples(st.just("form"), TEXTS),
)


def do(http: Http, kind: str, given: Any, data: dict[str, Any]) -> None:
    """A call; whether it is refused does not matter. ``data``: of an application."""
    if kind == "control":
        path, body = given
        http.control("POST", path, body | {"account": AUTH_ID})
    elif kind == "application":
        http.sdk_create(data | {"alias": given})
    elif kind == "decide":
        for each in list(http.account.store.applications.every())[-1:]:
            body = {"status": "rejected", "reason": given, "account": AUTH_ID}
            http.control("POST", f"/applications/{each.id}/decision", body)
    elif kind == "form":
        http.post("EndUser/", data={"name": given, "end_user_type": "business"})
    else:
        query, name = given
        http.post("EndUser/", query_string=query, json={"name": name, "end_user_type": "business"})


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    handle = Served()
    yield handle
    handle.close()


@settings(max_examples=25, deadline=None)
@given(calls=st.lists(CALLS, min_size=1, max_size=6))
def test_the_copied_test_passes(served: Served, calls: list[tuple[str, Any]]) -> None:
    sim = make_simulator(PAUSED, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    data = http.sdk_data()
    for each in calls:
        with suppress(ConnectionResetError):  # by a fault
            do(http, *each, data)
    text = http.get(f"/_sim/history/copy?account={AUTH_ID}").text
    sim.close()
    run(served, text)


def run(served: Served, text: str) -> None:
    """Run a copied test."""
    module: dict[str, Any] = {}
    exec(compile(text, "copied.py", "exec"), module)
    test = module["test_as_it_was_done_by_hand"]
    served.begin(**test.pytestmark[0].kwargs)
    inbox = SimpleNamespace(url=f"{served.url}/_sim/inbox/x")
    try:
        test(served, inbox) if "plivo_inbox" in test.__code__.co_varnames else test(served)
    except Exception as error:
        raise AssertionError(text) from error
    finally:
        served.end()


ALWAYS = {"api": "new"}
ONCE = {"operation": "compliance.create", "times": 1}


def file_some(http: Http, data: dict[str, Any]) -> None:
    """Filings, with a read before each, a deletion and a decision, some of which a fault may
    strike."""
    for alias in "abcd":
        with suppress(ConnectionResetError):
            http.get("PhoneNumber/Compliance/")
        with suppress(ConnectionResetError):
            http.sdk_create(data | {"alias": alias})
    applications = [*http.account.store.applications.every()]
    for each in applications[:1]:
        http.decide(each.id, "rejected")
    for each in applications[1:2]:
        with suppress(ConnectionResetError):
            http.delete(f"PhoneNumber/Compliance/{each.id}/")


@pytest.mark.parametrize(
    "strikes",
    [
        ONCE, ALWAYS, {"method": "POST", "skip": 1}, {"every": 2, "times": 2}, {"probability": 0.5},
        {"quota": {"calls": 3, "per_s": 60}}, ONCE | {"applied": True}, ONCE | {"applied": False},
    ],
    ids=["once", "always", "skip", "every", "probability", "quota", "applied", "not-applied"],
)  # fmt: skip
@pytest.mark.parametrize("effect", EFFECTS)
def test_what_a_fault_struck(
    http: Http, served: Served, live: LiveSimulator, effect: str, strikes: dict[str, Any]
) -> None:
    """Fails in the test as it failed, by a fault of its own; the scenario has no faults."""
    data = http.sdk_data()
    fault = {"effect": effect, "latency_s": 0.001, **strikes, "account": AUTH_ID}
    assert http.control("POST", "/faults", fault).status_code == 201
    file_some(http, data)
    struck = [each for each in http.account.exchanges if each.fault]
    text = http.get(f"/_sim/history/copy?account={AUTH_ID}").text
    assert struck
    assert text.count("plivo_server.fault(") == len(struck) * (effect != "slow")
    run(served, text)
    scenario = http.get(f"/_sim/history/copy?account={AUTH_ID}&as=scenario").text
    assert "# - faults: no call of it fails" in scenario
    played = replay(live.url, "by-hand", load_scenario(scenario))
    assert [each for each in played.checks if not each.ok] == []


@pytest.mark.parametrize("given", ["name", "yaml", "scenario", "before"])
def test_the_faults_of_a_scenario(http: Http, served: Served, given: str) -> None:
    """They strike the calls that they struck, not others."""
    filed = http.sdk_data()
    text = "scenario: It is down.\nfaults: [{effect: unavailable, times: 2}]\n"
    body: dict[str, Any] = {given: text if given == "yaml" else "service-down"}
    if given in ("scenario", "before"):
        body = {"scenario": yaml.safe_load(text)}
    assert http.control("POST", "/scenario", body | {"account": AUTH_ID}).status_code == 200
    if given == "before":
        http.account.steering.clear()
    file_some(http, filed)
    text = http.get(f"/_sim/history/copy?account={AUTH_ID}").text
    assert "# the scenario without its faults" in text
    assert text.count("plivo_server.fault(") == 2
    run(served, text)
