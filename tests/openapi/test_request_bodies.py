"""What the documents say of bodies: whether one must be there."""

from __future__ import annotations

import pytest

from plivo_sim.app import SURFACES
from plivo_sim.web.endpoints import Endpoint
from tests.apis.atoms.support import TOKEN as ATOMS_TOKEN
from tests.apis.numbers_support import MUMBAI, SAN_FRANCISCO
from tests.hostile.world import fill
from tests.support import AUTH_ID, Http

PLACES = {
    "/EndUser/{id}/": "end_user",
    "/ComplianceDocument/{id}/": "document",
    "/ComplianceApplication/{id}/": "draft",
    "/applications/{id}": "atoms",
    "/applications/{id}/decision": "waiting",
    "/requests/{id}/resend": "read",
    "/webhooks/{id}/replay": "delivery",
    "/{compliance:compliance_id}/": "rejected",
}
"""Path -> what its id is of."""


ROWS = [
    (name, row) for name, surface in SURFACES.items() for row in surface.endpoints if row.bodies
]
"""Every operation that takes a body."""


def url_of(surface: str, row: Endpoint, ids: dict[str, str]) -> str:
    """With the ids of what is there."""
    path = row.path.replace("{id}", ids[PLACES[row.path]]) if "{id}" in row.path else row.path
    path = path.replace("{compliance:compliance_id}", ids["rejected"]).replace("{name}", "mine")
    number = MUMBAI if row.name == "update" else SAN_FRANCISCO
    path = path.replace("{number:number}", number)
    return SURFACES[surface].prefix.replace("{auth_id}", AUTH_ID) + path


@pytest.mark.parametrize(("surface", "row"), ROWS, ids=[f"{name} {row.name}" for name, row in ROWS])
def test_without_a_body(http: Http, surface: str, row: Endpoint) -> None:
    """Refused where the document says that one is required, and taken where it does not."""
    ids = fill(http)
    ids["read"] = next(each.id for each in http.account.exchanges if each.method == "GET")
    http.control("POST", "/undo/points", {"what": "nothing", "account": AUTH_ID})
    http.account.keep_ledger()  # so that there is something to undo, and nobody's call is lost
    headers = {"X-Plivo-Sim-Dialect": surface} if surface in ("current", "beta") else {}
    if surface == "atoms":
        headers["Authorization"] = f"Bearer {ATOMS_TOKEN}"
    query = {"account": AUTH_ID} if surface == "control" else {}
    url = url_of(surface, row, ids)
    answer = http.call(row.method, url, headers=headers, query_string=query)
    assert (400 <= answer.status_code < 500) == row.body_required, answer.text
