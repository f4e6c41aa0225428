"""From a decision in the language to what the reviewer does, and when; and who decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import yaml

from plivo_sim.domain.durations import Duration
from plivo_sim.scenarios.language import Decision
from plivo_sim.scenarios.rules import PRESETS, plan_of, reason_of, reason_text
from tests.scenarios.dialects import DIALECTS, filed
from tests.support import AUTH_ID, Http

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
DEFAULT = Duration(business_days=3)


def decision(text: str) -> Decision:
    return msgspec.convert(yaml.safe_load(text), Decision)


def planned(text: str, dice: Callable[[str], float] = lambda purpose: 0.5) -> Any:
    return plan_of(decision(text), "rule 'x'", DEFAULT, NOW, dice)


# --- when ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("{}", DEFAULT),
        ("{after: 0s}", Duration()),
        ("{after: 2 business days}", Duration(business_days=2)),
        ("{after: 1d12h}", Duration(seconds=129600)),
        ("{after: {at: '2026-01-06T09:00:00Z'}}", Duration(seconds=86400)),
        ("{after: {at: '2026-01-06T11:00:00+02:00'}}", Duration(seconds=86400)),
        ("{after: {at: '2025-12-24T09:00:00Z'}}", Duration()),
        ("{after: {between: [1d, 3d]}}", Duration(seconds=2 * 86400)),
        ("{after: {between: [1d, 1d]}}", Duration(seconds=86400)),
    ],
)
def test_delays(after: str, expected: Duration) -> None:
    """The account's own when none is given; an instant that has passed is now."""
    assert planned(after).steps[0].after == expected


@pytest.mark.parametrize(("die", "days"), [(0.0, 2.0), (0.25, 3.0), (0.999999, 6.0)])
def test_a_spread_is_even_between_its_ends(die: float, days: float) -> None:
    """Nothing falls outside."""
    after = planned("{after: {between: [2d, 6d]}}", lambda purpose: die).steps[0].after
    assert after.seconds == pytest.approx(days * 86400, rel=1e-4)


@pytest.mark.parametrize("angle", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("radius", [0.0, 0.5, 0.9999999])
def test_a_normal_spread_is_never_negative(radius: float, angle: float) -> None:
    """However wide it is."""
    dice = {"radius": radius, "angle": angle}
    after = planned("{after: {about: 1d, give_or_take: 30d}}", lambda purpose: dice[purpose])
    assert after.steps[0].after.seconds >= 0


def test_a_normal_spread_lies_about_its_middle() -> None:
    """Without deviation it is the middle."""
    assert planned("{after: {about: 2d}}").steps[0].after == Duration(seconds=2 * 86400)


# --- what ------------------------------------------------------------------------------------


def test_what_follows_counts_from_the_step_before() -> None:
    """Each step with its own status, delay and reason."""
    steps = planned(
        "{after: 1d, then: [{status: suspended, after: 30d, reason: complaints},"
        " {status: accepted, after: 7d}]}"
    ).steps
    assert [(step.status, str(step.after), step.reason) for step in steps] == [
        ("accepted", "1d", None),
        ("suspended", "30d", PRESETS["complaints"]),
        ("accepted", "7d", None),
    ]


def test_nothing_decided_is_no_step() -> None:
    """It stays in review for ever."""
    assert planned("{decide: nothing}").steps == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{decide: rejected}", None),
        ("{decide: rejected, reason: Blurred.}", "Blurred."),
        ("{decide: rejected, reason: name_mismatch}", PRESETS["name_mismatch"]),
        ("{decide: rejected, reason: Name-Mismatch}", PRESETS["name_mismatch"]),
        ("{decide: rejected, reasons: [One., Two.]}", "One. Two."),
        ("{decide: rejected, reason: Zero., reasons: [missing_page]}",
         f"Zero. {PRESETS['missing_page']}"),
        ("{decide: rejected, documents: {passport: {status: rejected, reason: missing_page}}}",
         PRESETS["missing_page"]),
        ("{decide: rejected, reason: Own., documents: {passport: {status: rejected,"
         " reason: missing_page}}}", "Own."),
    ],
)  # fmt: skip
def test_reasons(text: str, told: str | None) -> None:
    """One, several, presets by name, and those of documents where none is given."""
    assert reason_text(decision(text)) == told


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_sentences_under_names(preset: str) -> None:
    """A name stands for its text, with underscores or hyphens."""
    assert reason_of(preset) == reason_of(preset.replace("_", "-")) == PRESETS[preset]
    assert PRESETS[preset].endswith(".")


def test_the_page_s_own_reason_is_the_page_s() -> None:
    """Of the beta page's example of a rejection, word for word (documented)."""
    assert PRESETS["expired_address_proof"] == (
        "Address proof document is expired. "
        "Please upload a document dated within the last 3 months."
    )


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_preset_is_told_through_every_api(http: Http, dialect: str, preset: str) -> None:
    """As the reason of the rejection, word for word."""
    use(http, f"scenario: Everybody hears {preset}.\ndefault: {{decide: rejected, after: 0s,"
              f" reason: {preset}}}")  # fmt: skip
    id = filed(http, dialect)
    path = "ComplianceApplication" if dialect == "legacy" else "PhoneNumber/Compliance"
    answer = http.get(f"{path}/{id}/").get_json()
    told = answer.get("compliance", answer)["rejection_reason"]
    assert told == PRESETS[preset]


def test_a_verdict_on_a_document_is_shown(http: Http) -> None:
    """The one that is named; the beta dialect shows it."""
    use(
        http,
        "scenario: The identity proof is fine, the address proof is not.\n"
        "default:\n  decide: rejected\n  after: 0s\n  documents:\n"
        "    identity_proof: {status: verified}\n"
        "    address_proof: {status: rejected, reason: expired_address_proof}\n",
    )
    id = filed(http, "beta")
    shown = http.get(f"PhoneNumber/Compliance/{id}").get_json()
    statuses = {each["type"]: each["status"] for each in shown["documents"]}
    assert statuses == {
        "identity_proof": "verified",
        "address_proof": "rejected",
        "business_registration": "pending",
    }
    assert shown["rejection_reason"] == PRESETS["expired_address_proof"]


# --- who -------------------------------------------------------------------------------------


def use(http: Http, text: str) -> None:
    answer = http.control("POST", "/scenario", {"yaml": text, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text


SCENARIO = """\
scenario: Whoever decides says so in the reason.
rules:
  - {name: other, when: {alias: "*other*"}, decide: rejected, reason: a rule, after: 1h}
default: {decide: rejected, reason: the default, after: 1h}
"""
MAGIC = "SIM-REJECT-NAME-MISMATCH"


def reason(http: Http, **how: Any) -> str:
    """The reason of the rejection of an application that is filed so."""
    id = http.sdk_created(**how)
    http.advance("1h")
    return str(http.control("GET", f"/applications/{id}").get_json()["rejection_reason"])


def with_header(http: Http) -> None:
    http.headers["X-Plivo-Sim-Outcome"] = 'rejected; after=1h; reason="the request"'


def with_next(http: Http) -> None:
    body = {"decide": "rejected", "reason": "the next outcome", "after": "1h", "account": AUTH_ID}
    assert http.control("POST", "/next-outcome", body).status_code == 201


def test_the_request_comes_first(http: Http) -> None:
    """Before next outcome, magic value and rule; the next outcome stays in line."""
    use(http, SCENARIO)
    with_header(http)
    with_next(http)
    assert reason(http, alias=f"{MAGIC} other") == "the request"
    http.headers.clear()
    assert reason(http, alias=f"{MAGIC} other") == "the next outcome"


def test_then_the_next_outcome(http: Http) -> None:
    """Once each, in the order in which they were pushed."""
    use(http, SCENARIO)
    with_next(http)
    assert reason(http, alias=f"{MAGIC} other") == "the next outcome"
    assert reason(http, alias="an other") == "a rule"


def test_then_a_rule_aimed_at_one_application(http: Http) -> None:
    """Before a magic value."""
    id = http.sdk_created(alias=f"{MAGIC} other")
    http.decide(id, "rejected", "by hand")
    aimed = f"  - {{name: aimed, when: {{application: {id}}}, decide: rejected, reason: aimed}}\n"
    use(http, SCENARIO.replace("default:", aimed + "default:"))
    http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"end_user": {"city": "Pune"}}, {})
    http.advance("3 business days")
    assert http.control("GET", f"/applications/{id}").get_json()["rejection_reason"] == "aimed"


def test_then_a_magic_value(http: Http) -> None:
    """Before the scenario's rules."""
    use(http, SCENARIO.replace("1h", "0s"))
    id = http.sdk_created(alias=f"{MAGIC} other")
    http.advance("3 business days")
    told = http.control("GET", f"/applications/{id}").get_json()["rejection_reason"]
    assert told == PRESETS["name_mismatch"]


def test_then_the_rules_then_the_scenario_s_default(http: Http) -> None:
    """The default counts when no rule matches."""
    use(http, SCENARIO)
    assert (reason(http, alias="an other"), reason(http, alias="x")) == ("a rule", "the default")


def test_then_the_account_s_review_delay(http: Http) -> None:
    """Accepted, after as long as the requirement publishes."""
    id = http.sdk_created()
    http.advance("3 business days")
    found = http.control("GET", f"/applications/{id}").get_json()
    assert found["timeline"][-1]["why"] == "default: accepted after 3 business days"


def test_a_decision_by_hand_overrules_them_all(http: Http) -> None:
    """What was planned does not happen any more."""
    use(http, SCENARIO)
    id = http.sdk_created(alias=MAGIC)
    http.decide(id, "accepted")
    http.advance("30d")
    found = http.control("GET", f"/applications/{id}").get_json()
    assert [each["status"] for each in found["timeline"]] == ["submitted", "accepted"]
