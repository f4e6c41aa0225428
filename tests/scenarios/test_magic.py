"""Magic values: every token, wherever it stands, through every dialect, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.scenarios.rules import PRESETS, TOKENS
from tests.scenarios.dialects import DIALECTS, filed, filed_again, status_read
from tests.support import AUTH_ID, Http

PLACES = ("alias", "name", "file")
REJECTING = [token for token, decision in TOKENS.items() if decision.decide == "rejected"]

OUTCOMES: dict[str, tuple[list[str], str | None]] = {
    "SIM-ACCEPT": (["accepted"], None),
    "SIM-REJECT": (["rejected"], "Rejected by a magic value."),
    "SIM-REJECT-EXPIRED-ADDRESS-PROOF": (["rejected"], PRESETS["expired_address_proof"]),
    "SIM-REJECT-NAME-MISMATCH": (["rejected"], PRESETS["name_mismatch"]),
    "SIM-REJECT-WRONG-CERTIFICATE": (["rejected"], PRESETS["wrong_certificate"]),
    "SIM-REJECT-UNREADABLE-SCAN": (["rejected"], PRESETS["unreadable_scan"]),
    "SIM-REJECT-UNSIGNED-CERTIFICATE": (["rejected"], PRESETS["unsigned_certificate"]),
    "SIM-REJECT-DOCUMENT-EXPIRED": (["rejected"], PRESETS["document_expired"]),
    "SIM-MORE-INFO": (["more_info_required"], PRESETS["missing_page"]),
    "SIM-STUCK": ([], None),
    "SIM-SUSPEND": (["accepted", "suspended"], PRESETS["complaints"]),
    "SIM-REINSTATE": (["accepted", "suspended", "accepted"], None),
    "SIM-EXPIRE": (["accepted", "expired"], "No reason given."),
}
"""What the reviewer does within two years, and the reason that stands at the end."""

WORDS = {
    "beta": {
        "submitted": "pending_review",
        "accepted": "approved",
        "suspended": "rejected",
        "expired": "rejected",
    },
    "current": {"more_info_required": "rejected"},
    "legacy": {"more_info_required": "rejected"},
}


def shown(http: Http, id: str) -> Any:
    return http.control("GET", f"/applications/{id}").get_json()


def marked(place: str, token: str) -> dict[str, str]:
    """The token in the middle of an alias, a name or a file name."""
    ending = ".pdf" if place == "file" else ""
    return {place: f"Acme {token} Mumbai{ending}"}


def test_every_token_is_tried() -> None:
    """The table is whole."""
    assert OUTCOMES.keys() == TOKENS.keys()


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_token_decides(http: Http, dialect: str, place: str, token: str) -> None:
    """By itself, with its reason, and the API says it in its own word."""
    id = filed(http, dialect, **marked(place, token))
    http.advance("730d")
    statuses, reason = OUTCOMES[token]
    found = shown(http, id)
    assert [each["status"] for each in found["timeline"]] == ["submitted", *statuses]
    assert found["rejection_reason"] == reason
    final = ["submitted", *statuses][-1]
    assert status_read(http, dialect, id) == WORDS[dialect].get(final, final)
    why = http.control("GET", f"/applications/{id}/why").get_json()["attempts"][0]
    assert why["decided_by"].startswith(f"magic value {token}")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("place", PLACES)
def test_they_can_be_switched_off(http: Http, dialect: str, place: str) -> None:
    """Then an application of that name is like any other."""
    body = {"auth_id": AUTH_ID, "settings": {"magic": "false"}}
    assert http.control("POST", "/accounts", body).status_code == 201
    id = filed(http, dialect, **marked(place, "SIM-REJECT"))
    http.advance("3 business days")
    assert shown(http, id)["status"] == "accepted"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("token", [*REJECTING, "SIM-MORE-INFO"])
def test_once(http: Http, dialect: str, place: str, token: str) -> None:
    """With -ONCE the first attempt is decided so, and the second like any other."""
    id = filed(http, dialect, **marked(place, f"{token}-ONCE"))
    http.advance("3 business days")
    assert shown(http, id)["status"] == OUTCOMES[token][0][0]
    filed_again(http, dialect, id)
    http.advance("3 business days")
    assert shown(http, id)["status"] == "accepted"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_without_once_it_decides_every_attempt(http: Http, dialect: str) -> None:
    """A name that is not changed is rejected again."""
    id = filed(http, dialect, name="Acme SIM-REJECT-NAME-MISMATCH")
    http.advance("3 business days")
    filed_again(http, dialect, id)
    http.advance("3 business days")
    assert [each["status"] for each in shown(http, id)["timeline"]][-1] == "rejected"


@pytest.mark.parametrize(
    "alias",
    [
        "sim-reject-name-mismatch",
        "Sim_Reject_Name_Mismatch",
        "x SIM-REJECT-NAME-MISMATCH.",
        "SIM-REJECT-NAME-MISMATCH SIM-REJECT",
        "SIM-ACCEPT SIM-REJECT-NAME-MISMATCH",
    ],
)
def test_how_a_token_may_be_written(http: Http, alias: str) -> None:
    """In any case, with underscores; of several the longest counts."""
    id = filed(http, "current", alias=alias)
    http.advance("3 business days")
    assert shown(http, id)["rejection_reason"] == PRESETS["name_mismatch"]


@pytest.mark.parametrize(
    ("places", "status"),
    [
        ({"alias": "SIM-ACCEPT", "name": "SIM-REJECT", "file": "SIM-REJECT.pdf"}, "accepted"),
        ({"alias": "plain", "name": "SIM-ACCEPT", "file": "SIM-REJECT.pdf"}, "accepted"),
        ({"alias": "SIM REJECT", "name": "SIMREJECT", "file": "reject.pdf"}, "accepted"),
    ],
)
def test_alias_comes_before_name_before_file(
    http: Http, places: dict[str, str], status: str
) -> None:
    """And what only looks like a token is none."""
    id = filed(http, "current", **places)
    http.advance("3 business days")
    assert shown(http, id)["status"] == status


@pytest.mark.parametrize("token", REJECTING)
def test_in_a_file_name_it_rejects_that_document(http: Http, token: str) -> None:
    """The beta dialect shows which one; the others stay unjudged."""
    id = filed(http, "beta", file=f"{token}.pdf")
    http.advance("3 business days")
    answer = http.get(f"PhoneNumber/Compliance/{id}").get_json()
    assert [each["status"] for each in answer["documents"]] == ["rejected", "pending", "pending"]


def test_accept_is_at_once(http: Http) -> None:
    """Without any time going by."""
    assert shown(http, filed(http, "current", alias="SIM-ACCEPT"))["status"] == "accepted"


def test_a_token_that_the_machine_has_no_status_for_says_so(http: Http) -> None:
    """In the answer, and where it is told who decided."""
    http.control("POST", "/machine", {"name": "strict-beta", "account": AUTH_ID})
    why = "decides nothing: machine strict-beta has no status suspended"
    answer = http.sdk_create(alias="SIM-SUSPEND Acme")
    assert answer.headers["X-Plivo-Sim-Warning"] == f"magic value SIM-SUSPEND: {why}"
    id = answer.get_json()["compliance_id"]
    (attempt,) = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    (told,) = attempt["rules"]
    assert attempt["decided_by"] == "default"
    assert (told["rule"], told["matched"], told["why"]) == ("magic value SIM-SUSPEND", False, why)


NONE = "there is none of this name"
MISSPELT: list[tuple[dict[str, str], str, str, str]] = [
    # what is filed, what is told of which token, who decides
    ({"alias": "SIM-SUPSEND"}, "SIM-SUPSEND", f"{NONE}; did you mean 'SIM-SUSPEND'?", "default"),
    ({"name": "Acme sim_suspand"}, "SIM-SUSPAND", f"{NONE}; did you mean 'SIM-SUSPEND'?",
     "default"),
    ({"alias": "SIM-REJECT-NAME-MISMACH"}, "SIM-REJECT-NAME-MISMACH",
     f"{NONE}, but SIM-REJECT in it counts; did you mean 'SIM-REJECT-NAME-MISMATCH'?",
     "magic value SIM-REJECT"),
    ({"alias": "SIM-REJECT-ONC"}, "SIM-REJECT-ONC",
     f"{NONE}, but SIM-REJECT in it counts; did you mean 'SIM-REJECT-ONCE'?",
     "magic value SIM-REJECT"),
    ({"file": "sim-more-inof.pdf"}, "SIM-MORE-INOF", f"{NONE}; did you mean 'SIM-MORE-INFO'?",
     "default"),
    ({"alias": "SIM-HARDWARE"}, "SIM-HARDWARE", NONE, "default"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "token", "told", "by"), MISSPELT)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_misspelt_token_is_told_of(
    http: Http, dialect: str, given: dict[str, str], token: str, told: str, by: str
) -> None:
    """In the answer, and where it is told who decided; what is known goes on counting."""
    id = filed(http, dialect, **given)
    (attempt,) = http.control("GET", f"/applications/{id}/why").get_json()["attempts"]
    assert attempt["decided_by"] == by
    assert attempt["rules"] == [
        {"rule": f"magic value {token}", "matched": False, "why": told, "conditions_met": 0}
    ]
    headers = [dict(each.answer_headers) for each in http.account.exchanges]
    warned = [each.get("X-Plivo-Sim-Warning", "") for each in headers]
    assert sum(f"magic value {token}: {told}" in each for each in warned) == 1


@pytest.mark.parametrize(
    "alias",
    ["SIM-REJECT-2", "sim_stuck_2026_01", "plivo-sim-demo", "PRISM-LENSES", "Dual SIM",
     "SIM-ACCEPT.", "SIM-REJECT-ONCE"],
)  # fmt: skip
def test_what_is_no_misspelt_token(http: Http, alias: str) -> None:
    """Numbers behind one, other words, the name of this program."""
    answer = http.sdk_create(alias=alias)
    assert "magic" not in answer.headers.get("X-Plivo-Sim-Warning", "")


def test_only_the_first_misspelt_tokens_are_told(http: Http) -> None:
    """However many there are; none, where magic values are switched off or another decides."""
    many = " ".join(f"SIM-{each}" for each in "ABCDE")
    answer = http.sdk_create(alias=many)
    assert answer.headers["X-Plivo-Sim-Warning"].count("magic value") == 3
    http.control("POST", "/next-outcome", {"decide": "accepted"})
    answer = http.sdk_create(alias=f"{many} F")
    assert "magic" not in answer.headers.get("X-Plivo-Sim-Warning", "")
    body = {"auth_id": AUTH_ID, "settings": {"magic": "false"}}
    http.control("POST", "/accounts", body)
    answer = http.sdk_create(alias=f"{many} G")
    assert "magic" not in answer.headers.get("X-Plivo-Sim-Warning", "")


@pytest.mark.parametrize(
    ("alias", "first", "second"),
    [
        ("SIM-MORE-INFO-ONCE SIM-STUCK", "more_info_required", "submitted"),
        ("SIM-REJECT-ONCE SIM-MORE-INFO-ONCE", "more_info_required", "accepted"),
        ("SIM-REJECT SIM-REJECT-NAME-MISMATCH-ONCE", "rejected", "rejected"),
        ("SIM-MORE-INFO-ONCE SIM-MORE-INFO", "more_info_required", "more_info_required"),
    ],
)
def test_once_leaves_the_others_in_the_text(
    http: Http, alias: str, first: str, second: str
) -> None:
    """After the first attempt they count as if it were not there."""
    id = filed(http, "current", alias=alias)
    http.advance("3 business days")
    assert shown(http, id)["status"] == first
    filed_again(http, "current", id)
    http.advance("3 business days")
    assert shown(http, id)["status"] == second
