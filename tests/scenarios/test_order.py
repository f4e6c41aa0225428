"""The same seed gives the same outcomes, whatever the order of the submissions
(decision "Seeded ids and dice")."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, Http

SCENARIO = """\
scenario: Delays are random, and what is decided depends on who files.
rules:
  - name: foreigners
    when: {country: DE}
    decide: rejected
    reason: address_mismatch
    after: {about: 10d, give_or_take: 3d}
  - name: sellers
    when: {name: "*Sales*"}
    decide: more_info_required
    after: {between: [1h, 9d]}
  - name: toll free
    when: {number_type: tollfree}
    after: {between: [5m, 30d]}
    then: [{status: suspended, after: 20d}]
default: {after: {between: [2d, 6d]}}
"""
CREATE = st.fixed_dictionaries(
    {
        "alias": st.sampled_from(["Acme Mumbai", "Acme Delhi", "Acme", "x"]),
        "name": st.sampled_from(["Acme Traders", "Acme Sales", "Zenith"]),
        "country_iso": st.sampled_from(["IN", "DE"]),
        "number_type": st.sampled_from(["local", "tollfree"]),
    }
)
Wanted = dict[str, str]


def outcomes(seed: int, wanted: list[Wanted]) -> dict[str, Any]:
    """What becomes of each application, by what was filed: statuses, instants, reasons."""
    sim = make_simulator(
        Settings(port=0, paused=True, review_delay=None, seed=seed), transport=MemoryTransport()
    )
    try:
        http = Http(create_app(sim), sim)
        answer = http.control("POST", "/scenario", {"yaml": SCENARIO, "account": AUTH_ID})
        assert answer.status_code == 200
        ids = {json.dumps(each, sort_keys=True): file(http, each) for each in wanted}
        http.advance("90d")
        return {key: timeline(http, id) for key, id in ids.items()}
    finally:
        sim.close()


def file(http: Http, wanted: Wanted) -> str:
    country, number_type = wanted["country_iso"], wanted["number_type"]
    asked = http.sdk_requirement(country_iso=country, number_type=number_type)
    data = http.sdk_data(
        alias=wanted["alias"],
        country_iso=country,
        number_type=number_type,
        end_user=http.sdk_data()["end_user"] | {"name": wanted["name"], "country": country},
        documents=[
            {
                "document_type_id": each["document_type_id"],
                "data_fields": {field["field_name"]: "IN" for field in each["required_fields"]
                                if field["required"]},
            }
            for each in asked["document_types"]
        ],
    )  # fmt: skip
    answer = http.sdk_create(data)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["compliance_id"])


def timeline(http: Http, id: str) -> list[tuple[str, str, str | None]]:
    found = http.control("GET", f"/applications/{id}").get_json()
    return [(each["at"], each["status"], each["reason"]) for each in found["timeline"]]


@given(
    wanted=st.lists(CREATE, min_size=2, max_size=5, unique_by=lambda each: str(each)),
    seed=st.integers(0, 3),
    data=st.data(),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.reuse, Phase.generate],  # shrinking takes minutes, and examples are small anyway
)
def test_the_order_of_submissions_changes_nothing(
    wanted: list[Wanted], seed: int, data: st.DataObject
) -> None:
    """Each application meets the same fate, at the same instant."""
    shuffled = data.draw(st.permutations(wanted))
    assert outcomes(seed, wanted) == outcomes(seed, shuffled)


def test_another_seed_gives_other_delays() -> None:
    """So the dice are dice."""
    wanted = [{"alias": "x", "name": "x", "country_iso": "IN", "number_type": "local"}]
    assert outcomes(1, wanted) != outcomes(2, wanted)


@pytest.mark.parametrize("changed", ["alias", "name", "number_type"])
def test_what_is_filed_changes_the_delay(changed: str) -> None:
    """Two applications that differ do not share a die."""
    one = {"alias": "x", "name": "x", "country_iso": "IN", "number_type": "local"}
    other = one | {changed: "mobile"}
    first, second = outcomes(1, [one, other]).values()
    assert [each[0] for each in first] != [each[0] for each in second]


def test_each_attempt_throws_anew() -> None:
    """The second attempt of an application has a delay of its own."""
    sim = make_simulator(
        Settings(port=0, paused=True, review_delay=None), transport=MemoryTransport()
    )
    try:
        http = Http(create_app(sim), sim)
        scenario = "scenario: All wait.\ndefault: {decide: rejected, after: {between: [1d, 9d]}}"
        http.control("POST", "/scenario", {"yaml": scenario, "account": AUTH_ID})
        id = http.sdk_created()
        waits = []
        for _ in range(2):
            found = http.control("GET", f"/applications/{id}").get_json()
            waits.append(found["next"][0]["at"])
            http.advance("9d")
            http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "Acme Mumbai"}, {})
        assert waits[0][10:] != waits[1][10:]
    finally:
        sim.close()
