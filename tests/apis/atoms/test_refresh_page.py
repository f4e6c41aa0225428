"""Every sentence of the page "Refresh compliance application status". Source: documented."""

from __future__ import annotations

import pytest

from plivo_sim.apis.atoms.presenters import ApplicationOut
from tests.apis.atoms.support import TOKEN, Atoms, errors
from tests.support import check_answer

PRINTED = [
    "_id", "organizationId", "plivoComplianceId", "alias", "status", "countryIso", "numberType",
    "userType", "endUserName", "endUserLastName", "endUserEmail", "endUserCountry",
    "documentFileNames", "rejectionReason", "createdBy", "createdAt", "updatedAt",
]  # fmt: skip


def lost(atoms: Atoms, status: str = "accepted") -> dict[str, object]:
    """An application whose review Atoms was not told of."""
    atoms.policy(drop=-1)
    made = atoms.submitted()
    atoms.decide(made, status)
    return made


def test_manually_poll_plivo_for_the_latest_status_of_a_compliance_application(
    atoms: Atoms,
) -> None:
    """The answer has Plivo's status, and Atoms knows it from then on."""
    made = lost(atoms)
    assert atoms.known(made)["status"] == "submitted"
    assert atoms.refresh(made["_id"]).get_json()["data"]["status"] == "accepted"
    assert atoms.known(made)["status"] == "accepted"


def test_use_this_as_a_fallback_when_webhooks_are_delayed(atoms: Atoms) -> None:
    """It knows before the webhook comes."""
    atoms.policy(delay="1d")
    made = atoms.submitted()
    atoms.decide(made, "accepted")
    assert atoms.known(made)["status"] == "submitted"
    assert atoms.refresh(made["_id"]).get_json()["data"]["status"] == "accepted"


def test_the_frontend_enforces_a_60_second_cooldown_between_refreshes(atoms: Atoms) -> None:
    """The frontend does, the API does not."""
    made = atoms.submitted()
    assert [atoms.refresh(made["_id"]).status_code for _ in range(3)] == [200, 200, 200]


def test_the_cooldown_is_a_setting_of_the_account(atoms: Atoms) -> None:
    """429 within it, by the account's own clock; nothing is asked or changed."""
    atoms.configure(atoms_cooldown="60s")
    made = atoms.submitted()
    assert atoms.refresh(made["_id"]).status_code == 200
    atoms.http.advance("59s")
    before = atoms.state()
    told = errors(atoms.refresh(made["_id"]), 429)
    assert (told, atoms.state()) == (["Please wait 1m between refreshes."], before)
    atoms.http.advance("1s")
    assert atoms.refresh(made["_id"]).status_code == 200


def test_a_cooldown_is_an_application_s_own(atoms: Atoms) -> None:
    """Refreshing one does not hold up another."""
    atoms.configure(atoms_cooldown="60s")
    one = atoms.submitted()
    other = atoms.submitted(numberType="mobile")
    assert atoms.refresh(one["_id"]).status_code == 200
    assert atoms.refresh(other["_id"]).status_code == 200


def test_api_key_sent_as_bearer_token(atoms: Atoms) -> None:
    """In any case of the scheme's name."""
    made = atoms.submitted()
    answer = atoms.refresh(made["_id"], headers={"Authorization": f"bearer {TOKEN}"})
    assert answer.status_code == 200


def test_also_accepts_session_cookies_for_browser_based_auth(atoms: Atoms) -> None:
    """The same token as a cookie is the same organisation."""
    made = atoms.submitted()
    headers = {"Authorization": None, "Cookie": f"theme=dark; session={TOKEN}"}
    assert atoms.refresh(made["_id"], headers=headers).status_code == 200


def test_200_application_status_refreshed(atoms: Atoms) -> None:
    """``status`` true and the application under ``data``, keys as printed."""
    body = atoms.refresh(atoms.submitted()["_id"]).get_json()
    assert list(body) == ["status", "data"]
    assert body["status"] is True
    assert list(body["data"]) == PRINTED
    check_answer(body["data"], ApplicationOut)


def test_401_unauthorized_access(atoms: Atoms) -> None:
    """Without a token."""
    answer = atoms.refresh("x", headers={"Authorization": None})
    assert "bearer token is required" in errors(answer, 401)[0]


def test_404_application_not_found(atoms: Atoms) -> None:
    """An id that nobody has."""
    told = errors(atoms.refresh("663f1a2b4c5d6e7f8a9b0c1d"), 404)
    assert told == ["Compliance application not found."]


def test_404_or_does_not_belong_to_this_organization(atoms: Atoms) -> None:
    """Another organisation's id."""
    other = Atoms(atoms.http, token="atoms-key-2")
    errors(other.refresh(atoms.submitted()["_id"]), 404)


def test_500_internal_server_error(atoms: Atoms) -> None:
    """In the same shape."""
    made = atoms.submitted()
    atoms.fault("error", api="atoms", message="Internal server error")
    assert errors(atoms.refresh(made["_id"]), 500) == ["Internal server error"]


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ("error", "Plivo's compliance API returned an error"),
        ("unavailable", "Plivo's compliance API is unavailable"),
    ],
)
def test_502_plivo_s_compliance_api_returned_an_error_or_is_unavailable(
    atoms: Atoms, effect: str, told: str
) -> None:
    """And what Atoms knows stays as it is."""
    made = lost(atoms)
    atoms.fault(effect, api="plivo-for-atoms")
    before = atoms.state()
    assert errors(atoms.refresh(made["_id"]), 502) == [told]
    assert atoms.state() == before


@pytest.mark.parametrize(
    ("decisions", "status"),
    [
        ([], "submitted"),
        (["accepted"], "accepted"),
        (["rejected"], "rejected"),
        (["more_info_required"], "rejected"),
        (["accepted", "suspended"], "suspended"),
        (["accepted", "expired"], "expired"),
    ],
)
def test_current_status_of_the_compliance_application(
    atoms: Atoms, decisions: list[str], status: str
) -> None:
    """In the page's words; a request for more information is a rejection here."""
    atoms.policy(drop=-1)
    made = atoms.submitted()
    for decision in decisions:
        atoms.decide(made, decision)
    assert atoms.refresh(made["_id"]).get_json()["data"]["status"] == status


def test_reason_for_rejection_if_applicable(atoms: Atoms) -> None:
    """Null unless there is one."""
    made = atoms.submitted()
    assert atoms.refresh(made["_id"]).get_json()["data"]["rejectionReason"] is None
    atoms.decide(made, "rejected", "Blurred scan")
    assert atoms.refresh(made["_id"]).get_json()["data"]["rejectionReason"] == "Blurred scan"


def test_a_refresh_moves_updated_at_only(atoms: Atoms) -> None:
    """As printed: the status is the same, the instant is later. Milliseconds."""
    made = atoms.submitted()
    atoms.http.advance("30m")
    told = atoms.refresh(made["_id"]).get_json()["data"]
    changed = {"updatedAt": "2026-01-05T09:30:00.000Z", "rejectionReason": None}
    assert told == made | changed


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": b"", "content_type": None},
        {"data": b"{}", "content_type": "application/json"},
        {"data": b"{", "content_type": "application/json"},
    ],
)
def test_the_body_of_a_refresh_does_not_matter(atoms: Atoms, body: dict[str, object]) -> None:
    """The page's sample sends ``{}``, the SDK nothing."""
    assert atoms.refresh(atoms.submitted()["_id"], **body).status_code == 200
