"""A client that tells "nothing is asked for here" by the words ``Could not find any requirement``.

source: field-reported (docs/wire-facts.md, "Could not find any requirement").
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3

from plivo_sim.assembly import LiveSimulator
from tests.support import AUTH_ID, basic

pytestmark = pytest.mark.live

WORDS = "Could not find any requirement"


class Lookups:
    """Whether a kind of number needs an application, in either API."""

    def __init__(self, base: str, authorization: str) -> None:
        self._home = f"{base}/v1/Account/{AUTH_ID}/"
        self._headers = {"Authorization": authorization}

    def legacy(self, country: str, number_type: str, user_type: str) -> bool:
        query = {
            "country_iso2": country,
            "number_type": number_type,
            "end_user_type": user_type,
            "operation_type": "buy_number",
        }
        return self._is_needed("ComplianceRequirement/", query)

    def today(self, country: str, number_type: str, user_type: str) -> bool:
        query = {"country_iso": country, "number_type": number_type, "user_type": user_type}
        return self._is_needed("PhoneNumber/Compliance/Requirements/", query)

    def _is_needed(self, path: str, query: dict[str, str]) -> bool:
        answer = urllib3.request(
            "GET", self._home + path, fields=query, headers=self._headers, timeout=60
        )
        told: dict[str, Any] = json.loads(answer.data)
        if answer.status == 200:
            return True
        if WORDS in told["error"]:
            return False
        raise RuntimeError(told["error"])


@pytest.mark.parametrize("api", ["legacy", "today"])
def test_a_place_that_asks_for_nothing(live: LiveSimulator, api: str) -> None:
    """A country, and a kind of number or user, of which there is no requirement."""
    is_needed = getattr(Lookups(live.url, basic()), api)
    assert is_needed("IN", "local", "business")
    assert not is_needed("AU", "local", "business")
    assert not is_needed("IN", "national", "business")


@pytest.mark.parametrize("api", ["legacy", "today"])
def test_no_other_refusal_reads_so(live: LiveSimulator, api: str) -> None:
    """Or a customer with a wrong token would be told that nothing is asked for."""
    with pytest.raises(RuntimeError):
        getattr(Lookups(live.url, basic(token="")), api)("IN", "local", "business")
    with pytest.raises(RuntimeError):
        getattr(Lookups(live.url, basic()), api)("IN", "local", "nobody")
