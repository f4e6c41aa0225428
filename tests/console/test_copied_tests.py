"""Whatever is done by hand, the test that is made of it passes."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
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
        {"effect": st.just("slow"), "name": TEXTS, "delay_s": st.just(0.001)}
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


def do(http: Http, kind: str, given: Any) -> None:
    """A call; whether it is refused does not matter."""
    if kind == "control":
        path, body = given
        http.control("POST", path, body | {"account": AUTH_ID})
    elif kind == "application":
        http.sdk_create(alias=given)
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
    for each in calls:
        do(http, *each)
    text = http.get(f"/_sim/history/copy?account={AUTH_ID}").text
    sim.close()
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
