"""India answers what it answered before the catalogue had a file for each country."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.support import SDK_AGENT, Http

KEPT = Path(__file__).with_name("india.json")
TYPES = ("local", "mobile", "tollfree", "national")
USERS = ("business", "individual")


def questions() -> Iterator[tuple[str, str, dict[str, str]]]:
    """A name, a path and headers for each read whose answer comes from the catalogue."""
    for number_type in TYPES:
        for user_type in USERS:
            key = f"number_type={number_type}&user_type={user_type}"
            path = f"PhoneNumber/Compliance/Requirements/?country_iso=IN&{key}"
            yield f"current {number_type} {user_type}", path, {"User-Agent": SDK_AGENT}
            yield f"beta {number_type} {user_type}", path, {"X-Plivo-Sim-Dialect": "beta"}
            legacy = f"country_iso2=IN&number_type={number_type}&end_user_type={user_type}"
            path = f"ComplianceRequirement/?{legacy}&operation_type=buy_number"
            yield f"legacy {number_type} {user_type}", path, {}
        yield f"search {number_type}", f"PhoneNumber/?country_iso=IN&type={number_type}&limit=3", {}
    yield "types", "ComplianceDocumentType/?limit=5", {}
    yield "all", "/_sim/requirements", {}


def answers() -> dict[str, Any]:
    simulator = make_simulator(Settings(port=0, paused=True))
    http = Http(create_app(simulator), simulator)
    told = {}
    for name, path, headers in questions():
        answer = http.get(path, headers=headers)
        body = answer.get_json()
        body.pop("api_id", None)
        told[name] = {"status": answer.status_code, "body": body}
    simulator.close()
    told["types"]["body"].pop("meta")
    every = told["all"]["body"]["requirements"]
    told["all"]["body"] = [each for each in every if each["country_iso"] == "IN"]
    return told


ANSWERS = answers()


def within(kept: Any, now: Any) -> bool:
    """Whether all that was kept is still said; objects may have new keys."""
    if isinstance(kept, dict) and isinstance(now, dict):
        return all(key in now and within(each, now[key]) for key, each in kept.items())
    if isinstance(kept, list) and isinstance(now, list):
        return len(kept) == len(now) and all(map(within, kept, now))
    return bool(kept == now)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_about_india_is_the_same_as_ever(name: str) -> None:
    """Ids, texts, fields, order and numbers; the control API may say more beside them."""
    kept = json.loads(KEPT.read_text("utf-8"))[name]
    if name == "all":
        assert within(kept, ANSWERS[name])
    else:
        assert ANSWERS[name] == kept
