"""Does a rule match, and if not, why not: tables over the pure functions, and over HTTP."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml

from plivo_sim.domain import limits
from plivo_sim.scenarios.language import When
from plivo_sim.scenarios.loader import ScenarioError, load_scenario
from plivo_sim.scenarios.matching import Facts, check
from tests.scenarios.dialects import filed
from tests.support import AUTH_ID, Http, calls_of

FACTS: Facts = {
    "country": "IN",
    "number_type": "local",
    "user_type": "business",
    "api": "new",
    "dialect": "current",
    "alias": "Acme Mumbai",
    "name": "Acme Traders Pvt. Ltd.",
    "registration_number": None,
    "document_types": ["registration_certificate", "gst_certificate"],
    "file_names": ["certificate.pdf", "gst.png"],
    "repeated_files": [],
    "data_fields": {
        "business_name": ["Acme Traders Pvt. Ltd.", "Acme"],
        "year": ["2024"],
        "name": ["ACME TRADERS PVT. LTD. "],
        "date_of_expiration": ["2026-01-04"],
        "bill_date": ["2026-01-05"],
    },
    "account": AUTH_ID,
    "application": "3118f6e0-b309-43c2-bca7-b8b3c58a6189",
    "attempt": 2,
    "changed": ["end_user.name", "documents.gst_certificate"],
    "submission": 5,
    "today": "2026-01-05",
}


def when(text: str) -> When:
    return msgspec.convert(yaml.safe_load(text), When)


HOLD = [
    "{}",
    "{country: IN}",
    "{country: in}",
    "{country: [DE, IN]}",
    "{country: {one_of: [DE, IN]}}",
    "{number_type: local, user_type: business, api: new, dialect: current}",
    "{alias: Acme*}",
    "{alias: '*mumbai'}",
    "{alias: 'Acme Mumb?i'}",
    "{alias: {is: acme mumbai}}",
    "{alias: {glob: '*MUMBAI'}}",
    "{alias: {has: mumb}}",
    "{name: {regex: 'Pvt\\. Ltd\\.$'}}",
    "{name: {missing: false}}",
    "{registration_number: {missing: true}}",
    "{document_types: gst_certificate}",
    "{document_types: [passport, gst_certificate]}",
    "{document_types: {has: gst}}",
    "{file_names: '*.png'}",
    "{file_names: {regex: '^gst'}}",
    "{data_fields: {business_name: acme}}",
    "{data_fields: {year: 2024}}",
    "{data_fields: {year: {at_most: 2025}}}",
    "{data_fields: {shoe_size: {missing: true}}}",
    "{data_fields: {business_name: {differs_from: name}}}",
    "{data_fields: {date_of_expiration: {passed: true}}}",
    "{data_fields: {bill_date: {passed: false}}}",
    "{repeated_files: {missing: true}}",
    "{changed: end_user.name}",
    "{changed: [alias, 'documents.*']}",
    "{not: {changed: documents.registration_certificate}}",
    "{account: MAXX*}",
    "{application: 3118f6e0-b309-43c2-bca7-b8b3c58a6189}",
    "{attempt: 2}",
    "{attempt: [1, 2]}",
    "{attempt: {at_least: 2}}",
    "{attempt: {at_least: 1, at_most: 2}}",
    "{submission: {at_least: 5}}",
    "{any: [{country: DE}, {attempt: 2}]}",
    "{all: [{country: IN}, {attempt: 2}]}",
    "{not: {country: DE}}",
    "{not: {any: [{country: DE}, {country: FR}]}}",
    "{country: IN, any: [{alias: x}, {not: {alias: y}}]}",
    "{not: {name: {regex: '(?=Acme)'}}}",  # as an older version may have kept it
]

MISS = [
    ("{country: DE}", "country is 'IN', wanted 'DE'"),
    ("{country: [DE, FR]}", "country is 'IN', wanted 'DE' or 'FR'"),
    ("{country: IN, number_type: tollfree}", "number_type is 'local', wanted 'tollfree'"),
    ("{alias: Acme}", "alias is 'Acme Mumbai', wanted 'Acme'"),
    ("{alias: {is: Acme*}}", "alias is 'Acme Mumbai', wanted is Acme*"),
    ("{alias: {has: delhi}}", "alias is 'Acme Mumbai', wanted has delhi"),
    ("{name: {regex: '^Pvt'}}", "name is 'Acme Traders Pvt. Ltd.', wanted regex ^Pvt"),
    ("{name: {missing: true}}", "name is 'Acme Traders Pvt. Ltd.', wanted missing"),
    ("{registration_number: '*'}", "registration_number is missing, wanted '*'"),
    ("{registration_number: {at_least: 1}}", "registration_number is missing, wanted at least 1"),
    ("{document_types: passport}",
     "document_types is 'registration_certificate, gst_certificate', wanted 'passport'"),
    ("{file_names: '*.jpg'}", "file_names is 'certificate.pdf, gst.png', wanted '*.jpg'"),
    ("{data_fields: {business_name: Other}}",
     "data field business_name is 'Acme Traders Pvt. Ltd., Acme', wanted 'Other'"),
    ("{data_fields: {business_name: {at_least: 1}}}",
     "data field business_name is 'Acme Traders Pvt. Ltd., Acme', wanted at least 1"),
    ("{data_fields: {name: {differs_from: name}}}",
     "data field name is 'ACME TRADERS PVT. LTD. ', while name is 'Acme Traders Pvt. Ltd.',"
     " wanted differs from name"),
    ("{data_fields: {business_name: {differs_from: registration_number}}}",
     "data field business_name is 'Acme Traders Pvt. Ltd., Acme', while registration_number is"
     " missing, wanted differs from registration_number"),
    ("{data_fields: {shoe_size: {differs_from: name}}}",
     "data field shoe_size is missing, while name is 'Acme Traders Pvt. Ltd.', wanted differs"
     " from name"),
    ("{data_fields: {bill_date: {passed: true}}}",
     "data field bill_date is '2026-01-05', wanted passed"),
    ("{data_fields: {year: {passed: true}}}", "data field year is '2024', wanted passed"),
    ("{data_fields: {year: {passed: false}}}", "data field year is '2024', wanted not passed"),
    ("{repeated_files: '*'}", "repeated_files is missing, wanted '*'"),
    ("{changed: alias}",
     "changed is 'end_user.name, documents.gst_certificate', wanted 'alias'"),
    ("{data_fields: {shoe_size: 42}}", "data field shoe_size is missing, wanted 42"),
    ("{attempt: 1}", "attempt is 2, wanted 1"),
    ("{attempt: {at_least: 3}}", "attempt is 2, wanted at least 3"),
    ("{attempt: {at_least: 1, at_most: 1}}", "attempt is 2, wanted at least 1 and at most 1"),
    ("{any: [{country: DE}, {attempt: 1}]}",
     "none of any: country is 'IN', wanted 'DE'; attempt is 2, wanted 1"),
    ("{all: [{country: IN}, {attempt: 1}]}", "attempt is 2, wanted 1"),
    ("{not: {country: IN}}", "what must not hold does: country is 'IN'"),
]  # fmt: skip


@pytest.mark.parametrize("text", HOLD)
def test_a_condition_that_holds(text: str) -> None:
    """Text without case, globs, lists, comparisons, and their combinations."""
    assert check(when(text), FACTS)[0], check(when(text), FACTS)[1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "it has no conditions"),
        ("{country: IN, attempt: 2}", "country is 'IN' and attempt is 2"),
        ("{any: [{country: DE}, {attempt: 2}]}", "attempt is 2"),
        ("{not: {country: DE}}", "country is 'IN'"),
        ("{data_fields: {business_name: {differs_from: name}}}",
         "data field business_name is 'Acme Traders Pvt. Ltd., Acme', while name is"
         " 'Acme Traders Pvt. Ltd.'"),
    ],
)  # fmt: skip
def test_a_match_says_what_held(text: str, why: str) -> None:
    """The facts that it was about."""
    assert check(when(text), FACTS)[:2] == (True, why)


@pytest.mark.parametrize(("text", "why"), MISS)
def test_a_condition_that_does_not_hold_says_why(text: str, why: str) -> None:
    """The fact, its value, and what was wanted."""
    assert check(when(text), FACTS)[:2] == (False, why)


def test_near_misses_are_ranked_by_what_held_before() -> None:
    """Three of four conditions are nearer than one."""
    near = check(when("{country: IN, number_type: local, user_type: business, attempt: 1}"), FACTS)
    far = check(when("{country: IN, attempt: 1}"), FACTS)
    assert (near[2], far[2]) == (3, 1)


def nested(depth: int, key: str) -> dict[str, Any]:
    """A condition that far within others."""
    whole: dict[str, Any] = {"country": "DE"}
    for _ in range(depth):
        whole = {key: whole if key == "not" else [whole]}
    return whole


@pytest.mark.parametrize("key", ["any", "all", "not"])
def test_conditions_in_one_another_are_looked_at_once(key: str) -> None:
    """Twice as deep is twice the work."""
    shallow, deep = (
        calls_of(lambda n=n: check(msgspec.convert(nested(n, key), When), FACTS))  # type: ignore[misc]
        for n in (10, 20)
    )
    assert deep < 2.1 * shallow


@pytest.mark.parametrize("key", ["any", "all", "not"])
def test_conditions_may_be_so_deep_and_no_deeper(key: str) -> None:
    """The refusal names the limit, and its line."""
    rule = "scenario: deep conditions\nrules:\n  - when: "
    load_scenario(rule + json.dumps(nested(20, key)))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(rule + json.dumps(nested(21, key)))
    (mistake,) = caught.value.mistakes
    assert mistake.line == 3
    assert mistake.text == "is nested too deeply: at most 20 levels (limit condition_depth)"


def test_why_is_short() -> None:
    """It is kept with each submission."""
    long = when(yaml.dump({"any": [{"alias": "x" * 190}] * 50}))
    assert len(check(long, FACTS)[1]) == limits.WHY


# --- over HTTP -------------------------------------------------------------------------------

EVERY_FACT = """\
scenario: Everything that a rule can ask about is asked.
rules:
  - name: all
    when:
      country: IN
      number_type: local
      user_type: business
      api: {api}
      dialect: {dialect}
      alias: Acme*
      name: Acme*
      document_types: {document_types}
      file_names: "*.pdf"
      account: MAXXXXXXXXXXXXXXXXXX
      attempt: 1
      submission: 1
    decide: rejected
    after: 0s
"""


def use(http: Http, text: str) -> None:
    answer = http.control("POST", "/scenario", {"yaml": text, "account": AUTH_ID})
    assert answer.status_code == 200, answer.text


def why(http: Http, id: str) -> Any:
    return http.control("GET", f"/applications/{id}/why").get_json()


@pytest.mark.parametrize(
    ("dialect", "api", "document_types"),
    [
        ("current", "new", "gst_certificate"),
        ("beta", "new", "address_proof"),
        ("legacy", "legacy", "gst_certificate"),
    ],
)
def test_every_fact_is_known_in_every_dialect(
    http: Http, dialect: str, api: str, document_types: str
) -> None:
    """A rule sees the same facts, whichever API the submission came through."""
    use(http, EVERY_FACT.format(dialect=dialect, api=api, document_types=document_types))
    id = filed(http, dialect)
    told = why(http, id)
    assert told["attempts"][0]["decided_by"] == "rule 'all'", told
    assert told["status"] == "rejected"


def test_rules_are_tried_in_order(http: Http) -> None:
    """The first that matches decides; the ones after it are not asked."""
    use(
        http,
        "scenario: The second rule would match too.\n"
        "rules:\n"
        "  - {name: german, when: {country: DE}, decide: accepted, after: 0s}\n"
        "  - {name: one, decide: rejected, after: 0s}\n"
        "  - {name: two, decide: more_info_required, after: 0s}\n",
    )
    (attempt,) = why(http, http.sdk_created())["attempts"]
    assert attempt["decided_by"] == "rule 'one'"
    assert [(each["rule"], each["matched"]) for each in attempt["rules"]] == [
        ("german", False),
        ("one", True),
    ]
