"""Wrong scenario files: every mistake, with file, line, path and "did you mean", in one pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from plivo_sim.catalogue import load_catalogue
from plivo_sim.domain import limits
from plivo_sim.scenarios.language import Scenario
from plivo_sim.scenarios.loader import (
    ScenarioError,
    doubts_about,
    find_scenario,
    load_scenario,
    load_scenario_data,
    shipped_names,
)
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, Http

SCENARIO = "scenario: An application is accepted.\n"


def mistakes_in(text: str) -> list[tuple[int, str, str]]:
    """Line, path and text of every mistake."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text, "own.yaml")
    assert {each.file for each in caught.value.mistakes} == {"own.yaml"}
    return [(each.line, each.path, each.text) for each in caught.value.mistakes]


WRONG: list[tuple[str, str, str, str]] = [
    # what is wrong, the part of a scenario, path, text
    ("unknown key", "rulez: []", "rulez", "unknown key; did you mean 'rules'?"),
    ("unknown key of a rule", "rules: [{decidd: accepted}]", "rules[0].decidd", "mean 'decide'?"),
    ("unknown decision", "default: {decide: reject}", "default.decide", "did you mean 'rejected'?"),
    ("wrong type", "rules: 5", "rules", "5 is not of type array"),
    ("wrong type of a union", "default: {after: 5}", "default.after", "not of type string or obj"),
    ("unknown key of a union", "default: {after: {abuot: 1d}}", "default.after.abuot", "'about'?"),
    ("a rule that is none", "rules: [accepted]", "rules[0]", "is not of type object"),
    ("NO", "rules: [{when: {country: NO}}]", "rules[0].when.country",
     'YAML reads NO as false; write "NO" in quotes'),
    ("NO in a list", "rules: [{when: {country: [SE, no]}}]", "rules[0].when.country[1]",
     'YAML reads no as false; write "no" in quotes'),
    ("on", "rules: [{when: {data_fields: {state: on}}}]", "rules[0].when.data_fields.state",
     'YAML reads on as true; write "on" in quotes'),
    ("an octal number", "rules: [{when: {registration_number: 010}}]",
     "rules[0].when.registration_number", 'YAML reads 010 as 8; write "010" in quotes'),
    ("a number with underscores", "rules: [{when: {name: {one_of: [1_000]}}}]",
     "rules[0].when.name.one_of[0]", 'YAML reads 1_000 as 1000; write "1_000" in quotes'),
    ("a number to the base of 60", "default: {after: 1:30}", "default.after",
     'YAML reads 1:30 as 90; write "1:30" in quotes'),
    ("null", "default: {decide: rejected, reason: ~}", "default.reason",
     'YAML reads ~ as null; write "~" in quotes'),
    ("yes where no text can be", "rules: [{times: yes}]", "rules[0].times",
     "True is not of type integer (YAML reads yes as true)"),
    ("nothing where something must be", "rules: [{when: }]", "rules[0].when",
     "None is not of type object (YAML reads an empty value as null)"),
    ("required key", "faults: [{times: 1}]", "faults[0].effect", "is required"),
    ("a key twice", "default: {}\ndefault: {}", "default", "is given twice, again in line 3"),
    ("duration", "default: {after: soon}", "default.after", "cannot read duration 'soon'"),
    ("negative duration", "default: {after: -1d}", "default.after", "cannot read duration '-1d'"),
    ("absurd duration", "default: {after: 4000d}", "default.after", "is over ten years"),
    ("instant", "default: {after: {at: noon}}", "default.after.at", "cannot read instant 'noon'"),
    ("two delays", "default: {after: {at: 2026-01-06T09:00Z, about: 1d}}", "default.after",
     "give one of at, between, about"),
    ("half a spread", "default: {after: {at: 2026-01-06T09:00Z, give_or_take: 1d}}",
     "default.after.give_or_take", "belongs to 'about'"),
    ("a spread the wrong way", "default: {after: {between: [3d, 1d]}}", "default.after.between",
     "3d is longer than 1d"),
    ("a spread of business days", "default: {after: {between: [1d, 3 business days]}}",
     "default.after.between[1]", "a spread needs plain durations"),
    ("half a range", "default: {after: {between: [3d]}}", "default.after.between", "too short"),
    ("arrow", "default: {decide: rejected, then: [{status: suspended, after: 1d}]}",
     "default.then[0].status", "suspended cannot follow rejected"),
    ("second arrow", "default: {then: [{status: expired, after: 1d}, "
     "{status: accepted, after: 1d}]}", "default.then[1].status", "accepted cannot follow expired"),
    ("after nothing", "default: {decide: nothing, then: [{status: expired, after: 1d}]}",
     "default.then[0].status", "expired cannot follow nothing"),
    ("a reason nobody is told", "default: {reason: name_mismatch}", "default.reason", "nobody is"),
    ("a reason of a reinstatement", "default: {then: [{status: suspended, after: 1d}, "
     "{status: accepted, after: 1d, reason: They paid}]}", "default.then[1].reason", "nobody is"),
    ("a delay of nothing", "default: {decide: nothing, after: 1d}", "default.after", "no effect"),
    ("preset", "default: {decide: rejected, reason: name_mismach}", "default.reason",
     "there is no preset 'name_mismach'; did you mean 'name_mismatch'?"),
    ("preset among several", "default: {decide: rejected, reasons: [x, unreadable_scam]}",
     "default.reasons[1]", "did you mean 'unreadable_scan'?"),
    ("preset of what follows", "default: {then: [{status: suspended, after: 1d, "
     "reason: many_complaints}]}", "default.then[0].reason", "no preset 'many_complaints'"),
    ("document", "default: {decide: rejected, documents: {gst: {status: rejected}}}",
     "default.documents.gst", "did you mean 'gst_certificate'?"),
    ("verdict", "default: {decide: rejected, documents: {gst_certificate: {status: bad}}}",
     "default.documents.gst_certificate.status", "'bad' is not one of rejected, verified"),
    ("accepted with a bad document", "default: {documents: {passport: {status: rejected}}}",
     "default.documents", "acceptance verifies every document"),
    ("times", "rules: [{times: 0}]", "rules[0].times", "less than the minimum of 1"),
    ("negative times", "rules: [{times: -3}]", "rules[0].times", "less than the minimum of 1"),
    ("one name twice", "rules: [{name: a}, {name: a}]", "rules[1].name", "'a' is taken"),
    ("regex", "rules: [{when: {name: {regex: '('}}}]", "rules[0].when.name.regex", "missing )"),
    ("regex of a data field", "rules: [{when: {data_fields: {city: {regex: '['}}}}]",
     "rules[0].when.data_fields.city.regex", "unterminated"),
    ("empty comparison", "rules: [{when: {name: {}}}]", "rules[0].when.name", "compares with noth"),
    ("empty list", "rules: [{when: {name: []}}]", "rules[0].when.name", "matches nothing"),
    ("empty any", "rules: [{when: {any: []}}]", "rules[0].when.any", "is empty"),
    ("empty range", "rules: [{when: {attempt: {at_least: 3, at_most: 2}}}]",
     "rules[0].when.attempt", "nothing is at least 3 and at most 2"),
    ("attempt", "rules: [{when: {attempt: 0}}]", "rules[0].when.attempt", "they count from 1"),
    ("country", "rules: [{when: {country: India}}]", "rules[0].when.country", "no country code"),
    ("number type", "rules: [{when: {number_type: toll-free}}]", "rules[0].when.number_type",
     "did you mean 'tollfree'?"),
    ("user type within not", "rules: [{when: {not: {user_type: busines}}}]",
     "rules[0].when.not.user_type", "did you mean 'business'?"),
    ("api of a condition", "rules: [{when: {api: sdk}}]", "rules[0].when.api",
     "there are atoms, legacy"),
    ("dialect within any", "rules: [{when: {any: [{dialect: currant}]}}]",
     "rules[0].when.any[0].dialect", "did you mean 'current'?"),
    ("document of a condition", "rules: [{when: {document_types: {one_of: [pan_card]}}}]",
     "rules[0].when.document_types", "no document type 'pan_card'"),
    ("drop", "webhooks: {drop: -2}", "webhooks.drop", "less than the minimum of -1"),
    ("delay of callbacks", "webhooks: {delay: 1 fortnight}", "webhooks.delay", "cannot read dur"),
    ("retries", "webhooks: {retries: [60s, soon]}", "webhooks.retries[1]", "cannot read duration"),
    ("no success", "webhooks: {success: []}", "webhooks.success", "no answer would do"),
    ("status that is none", "webhooks: {success: [20]}", "webhooks.success[0]", "minimum of 100"),
    ("signature", "webhooks: {signature: valdi}", "webhooks.signature", "did you mean 'valid'?"),
    ("fault", "faults: [{effect: restet}]", "faults[0].effect", "did you mean 'reset'?"),
    ("fault's status", "faults: [{effect: error, status: 200}]", "faults[0].status", "minimum"),
    ("a status that is not sent", "faults: [{effect: rate_limited, status: 420}]",
     "faults[0].status", "has no effect with 'rate_limited'"),
    ("a status that is the usual one", "faults: [{effect: reset, status: 500}]",
     "faults[0].status", "has no effect with 'reset'"),
    ("a message that is not sent", "faults: [{effect: slow, latency_s: 1, message: x}]",
     "faults[0].message", "has no effect with 'slow', only with 'error', 'rate_limited', "
     "'expired_credentials', 'unavailable'"),
    ("slow by nothing", "faults: [{effect: slow}]", "faults[0]", "needs latency_s"),
    ("latency", "faults: [{effect: slow, latency_s: -1}]", "faults[0].latency_s", "minimum of 0"),
    ("probability", "faults: [{effect: reset, probability: 1.5}]", "faults[0].probability", "max"),
    ("api", "faults: [{effect: reset, api: sdk}]", "faults[0].api", "there are atoms, legacy"),
    ("method", "faults: [{effect: reset, method: PSOT}]", "faults[0].method", "mean 'POST'?"),
    ("operation", "faults: [{effect: reset, operation: complaince.create}]",
     "faults[0].operation", "did you mean 'compliance.create'?"),
    ("operations", "faults: [{effect: reset, operation: 'complaince.*'}]",
     "faults[0].operation", "'complaince.*' matches no operation"),
    ("apis", "faults: [{effect: reset, api: 'old*'}]", "faults[0].api", "'old*' matches no api"),
    ("path", "faults: [{effect: reset, path: v1/Account/*}]", "faults[0].path",
     "can match nothing: paths begin with /"),
    ("two faults of one name", "faults: [{effect: reset, name: a}, {effect: empty, name: a}]",
     "faults[1].name", "'a' is taken"),
    ("a step of two things", "steps: [{submit: {}, advance: 1d}]", "steps[0]", "give one of"),
    ("a step of nothing", "steps: [{}]", "steps[0]", "give one of submit, correct, advance"),
    ("advance", "steps: [{advance: 3y}]", "steps[0].advance", "cannot read duration '3y'"),
    ("name of a correction", "steps: [{submit: {app: acme}}, {correct: {app: acne}}]",
     "steps[1].correct.app", "no step before submits 'acne'; did you mean 'acme'?"),
    ("read too early", "steps: [{get: app}, {submit: {}}]", "steps[0].get", "no step before"),
    ("file of no document", "steps: [{submit: {files: {gst: a.png}}}]", "steps[0].submit.files.gst",
     "did you mean 'gst_certificate'?"),
    ("file of another kind", "steps: [{submit: {files: {gst_certificate: a.doc}}}]",
     "steps[0].submit.files.gst_certificate", "must end in .pdf or .png"),
    ("country of a step", "steps: [{submit: {country: in}}]", "steps[0].submit.country", "capital"),
    ("expectation of nobody", "steps: [{submit: {}}]\nexpect: {status: {ap: accepted}}",
     "expect.status.ap", "did you mean 'app'?"),
    ("expectation of a step", "steps: [{submit: {}}, {expect: {timeline: {x: [accepted]}}}]",
     "steps[1].expect.timeline.x", "no step before submits 'x'"),
    ("expected status", "steps: [{submit: {}}]\nexpect: {status: {app: acepted}}",
     "expect.status.app", "did you mean 'accepted'?"),
    ("expected callback", "steps: [{submit: {}}]\nexpect: {callbacks: [more_info_required]}",
     "expect.callbacks[0]", "is not one of accepted"),
    ("expected refusal", "steps: [{submit: {}}]\nexpect: {refusals: [cutt]}",
     "expect.refusals[0]", "did you mean 'cut'?"),
    ("expected preset", "steps: [{submit: {}}]\nexpect: {reasons: {app: [name_mismach]}}",
     "expect.reasons.app[0]", "did you mean 'name_mismatch'?"),
    ("a reason that every one is", "steps: [{submit: {}}]\nexpect: {reasons: {app: [x, ' ']}}",
     "expect.reasons.app[1]", "is empty: every reason would do"),
    ("no delivery", "steps: [{submit: {}}]\nexpect: {deliveries: {}}", "expect.deliveries",
     "expects nothing"),
    ("what every text has", "rules: [{when: {name: {has: ''}}}]", "rules[0].when.name.has",
     "is empty: every text has it"),
    ("what is found in every text", "rules: [{when: {data_fields: {city: {regex: ''}}}}]",
     "rules[0].when.data_fields.city.regex", "is empty: every text has it"),
    ("what nothing is", "rules: [{when: {alias: {is: ''}}}]", "rules[0].when.alias.is",
     "write {missing: true}"),
    ("what no glob fits", "rules: [{when: {alias: {glob: ''}}}]", "rules[0].when.alias.glob",
     "write {missing: true}"),
    ("not of nothing", "rules: [{when: {not: {}}}]", "rules[0].when.not", "has no condition"),
    ("any of nothing", "rules: [{when: {any: [{attempt: 1}, {}]}}]", "rules[0].when.any[1]",
     "has no condition"),
    ("a changed detail", "rules: [{when: {changed: end_user.nmae}}]", "rules[0].when.changed",
     "there is no detail of an end user 'nmae'; did you mean 'name'?"),
    ("all changed details", "rules: [{when: {not: {changed: end_user}}}]",
     "rules[0].when.not.changed", "there are address_line1, "),
    ("a part of what has none", "rules: [{when: {changed: alias.name}}]", "rules[0].when.changed",
     "'alias' has no parts"),
    ("a glob of changed details", "rules: [{when: {changed: 'end_user.nmae*'}}]",
     "rules[0].when.changed", "matches no detail of an end user; did you mean 'end_user.name'?"),
    ("a glob of number types", "rules: [{when: {number_type: {glob: 'toll-*'}}}]",
     "rules[0].when.number_type", "'toll-*' matches no number type; did you mean 'tollfree'?"),
    ("a glob of documents", "rules: [{when: {document_types: ['gts_cert*']}}]",
     "rules[0].when.document_types", "did you mean 'gst_certificate'?"),
    ("a glob that is a word", "rules: [{when: {country: {glob: India}}}]", "rules[0].when.country",
     "did you mean 'IN'?"),
    ("expectation of nothing", "steps: [{submit: {}}]\nexpect: {}", "expect", "expects nothing"),
    ("expectation without steps", "expect: {callbacks: []}", "expect", "there are no steps"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("part", "path", "told"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG]
)
def test_a_mistake_is_told_once_with_line_and_path(part: str, path: str, told: str) -> None:
    """Exactly one mistake, where it stands, in words that help."""
    lines = (SCENARIO + part).split("\n")
    ((line, found_path, text),) = mistakes_in(SCENARIO + part)
    assert (found_path, told in text) == (path, True), text
    last_key = path.rstrip("]0123456789[").split(".")[-1]
    assert last_key in lines[line - 1] or text == "is required"


EVERY_KIND = """\
stroy: The first key is misspelt.
rules:
  - name: first
    decide: rejected
    reason: name_mismach
    when: {country: India, name: {regex: "("}}
  - name: first
    after: {between: [3d, 1d], abuot: 1d}
    then: [{status: suspended}, {status: accepted, after: 1x}]
  - accepted
default: {decid: accepted}
webhooks:
  drop: -2
  retries: [soon]
faults:
  - {efect: reset}
  - {effect: slow}
steps:
  - submit: {app: acme}
  - correct: {app: acne}
expect:
  status: {acme: acepted}
"""


def test_all_mistakes_come_in_one_pass_in_the_order_of_the_file() -> None:
    """A scenario that is wrong everywhere is mended in one go."""
    assert [(line, path) for line, path, _ in mistakes_in(EVERY_KIND)] == [
        (1, "scenario"),
        (1, "stroy"),
        (5, "rules[0].reason"),
        (6, "rules[0].when.country"),
        (6, "rules[0].when.name.regex"),
        (7, "rules[1].name"),
        (8, "rules[1].after.abuot"),
        (8, "rules[1].after.between"),
        (9, "rules[1].then[0].after"),
        (9, "rules[1].then[1].after"),
        (10, "rules[2]"),
        (11, "default.decid"),
        (13, "webhooks.drop"),
        (14, "webhooks.retries[0]"),
        (16, "faults[0].effect"),
        (16, "faults[0].efect"),
        (17, "faults[1]"),
        (20, "steps[1].correct.app"),
        (22, "expect.status.acme"),
    ]


def test_a_mistake_reads_as_a_compiler_s() -> None:
    """File, line, path, text, on one line each."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(SCENARIO + "default: {decide: reject}", "own.yaml")
    assert str(caught.value) == (
        "own.yaml:2: default.decide: 'reject' is not one of accepted, more_info_required, "
        "nothing, rejected; did you mean 'rejected'?"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("# a comment", "is empty"),
        ("scenario", "'scenario' is not of type object"),
        ("scenario: [", "not valid YAML"),
        ("scenario: a: b", "not valid YAML"),
        ("scenario: x\n\tx: 1", "not valid YAML"),
        ("--- \nscenario: one scenario\n---\nscenario: another", "not valid YAML"),
        ("scenario: !!python/object:os.system x", "not valid YAML"),
        ("? [a]\n: b", "not valid YAML"),
        ("scenario: 5", "5 is not of type string"),
        ("scenario: short", "is too short"),
        ("[" * 3000 + "]" * 3000, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),  # deep enough to end a process
        ("- " * 100_000, "nested too deeply"),
        ("scenario: 1" + ":1" * 100_000, "a number of more than"),  # to the base of 60
        ("scenario: 1" + ":1" * 1000 + ".5", "a number of more than"),
        ("scenario: 0x" + "f" * 10_000, "a number of more than"),
        ("scenario: An endless one.\nrules: &r [*r]", "nested too deeply"),
    ],
)
def test_text_that_is_no_scenario(text: str, told: str) -> None:
    """Broken YAML, another document, an endless one: a mistake, not a crash."""
    assert told in mistakes_in(text)[0][2]


@pytest.mark.parametrize(
    "value",
    [None, 5, "scenario", [], {"scenario": None}, {"scenario": "A scenario of data.", "rules": {}}],
)
def test_plain_values_are_checked_the_same(value: Any) -> None:
    """What comes as JSON has no lines, only paths."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario_data(value)
    assert [each.line for each in caught.value.mistakes] == [0]


def test_own_document_words_can_be_named() -> None:
    """A catalogue of one's own brings its own words."""
    text = SCENARIO + "rules: [{when: {document_types: tax_card}}]"
    assert load_scenario(text, document_words={"tax_card"}).rules[0].when.document_types
    with pytest.raises(ScenarioError, match="no document type 'tax_card'"):
        load_scenario(text)


def test_free_text_is_a_reason_too() -> None:
    """Only what looks like a preset's name must be one."""
    text = SCENARIO + "default: {decide: rejected, reason: 'Blurred, sadly.'}"
    assert load_scenario(text).default is not None


DOUBTFUL = """\
scenario: Some rules ask for fields that there are not.
rules:
  - when: {data_fields: {business_name: x, own_marker: x}}
  - when:
      any:
        - {not: {data_fields: {Business_Name: x}}}
        - {changed: [documents.gst_certificate.busines_name, documents.gst_certificate]}
        - {changed: {is: "documents.gst_certificate[2].city"}}
"""


def test_fields_that_the_catalogue_does_not_have() -> None:
    """A client may send them, so they are doubted, with line and path, and not refused."""
    known = load_catalogue(1).field_names
    found = doubts_about(load_scenario(DOUBTFUL), known, DOUBTFUL, "own.yaml")
    told = "no document of the catalogue has a field"
    like = "did you mean 'business_name'?"
    assert list(map(str, found)) == [
        f"own.yaml:3: rules[0].when.data_fields.own_marker: {told} 'own_marker'",
        f"own.yaml:6: rules[1].when.any[0].not.data_fields.Business_Name: {told} 'Business_Name'; "
        f"{like}",
        f"own.yaml:7: rules[1].when.any[1].changed: {told} 'busines_name'; {like}",
    ]


@pytest.mark.parametrize("name", shipped_names())
def test_what_ships_is_not_doubted(name: str) -> None:
    """Its rules ask for what the catalogue has."""
    assert not doubts_about(find_scenario(name), load_catalogue(1).field_names)


def test_doubts_are_told_over_http(http: Http) -> None:
    """When a scenario is checked, with lines, and when it is used."""
    checked = http.control("POST", "/scenario/check", {"yaml": DOUBTFUL}).get_json()
    assert (checked["valid"], checked["mistakes"]) == (True, [])
    assert [each["line"] for each in checked["warnings"]] == [3, 6, 7]
    body = {"yaml": DOUBTFUL, "account": AUTH_ID}
    used = http.control("POST", "/scenario", body).get_json()["warnings"]
    assert len(used) == 3
    assert used[2].startswith("rules[1].when.any[1].changed: no document of the catalogue has")


@pytest.mark.parametrize("near", ["instant-acept", "instnt-accept.yml"])
def test_a_scenario_that_does_not_ship(near: str) -> None:
    """The nearest name is told; a file that is not there is an OSError."""
    if near.endswith("yml"):
        with pytest.raises(FileNotFoundError):
            find_scenario(near)
    else:
        with pytest.raises(ScenarioError, match="did you mean 'instant-accept'"):
            find_scenario(near)


@pytest.mark.parametrize("name", shipped_names())
def test_what_ships_survives_its_own_json(name: str) -> None:
    """A scenario that goes over HTTP as JSON is the same scenario."""
    import msgspec

    scenario = find_scenario(name)
    assert load_scenario_data(json.loads(msgspec.json.encode(scenario))) == scenario


# --- over HTTP -------------------------------------------------------------------------------

REJECTING = "scenario: Everybody is rejected.\ndefault: {decide: rejected, after: 0s}"


def use(http: Http, **how: Any) -> Any:
    return http.control("POST", "/scenario", how | {"account": AUTH_ID})


def active(http: Http) -> Any:
    return http.control("GET", "/scenario", account=AUTH_ID).get_json()["scenario"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"yaml": EVERY_KIND},
        {"yaml": "scenario: ["},
        {"scenario": {"scenario": "A wrong one.", "rulez": []}},
        {"name": "no-such-scenario"},
        {"yaml": REJECTING, "name": "instant-accept"},
        {},
    ],
)
def test_a_wrong_scenario_never_replaces_the_active_one(http: Http, wrong: dict[str, Any]) -> None:
    """400, and the one before goes on deciding, counts included."""
    assert use(http, yaml=REJECTING).status_code == 200
    before = active(http)
    assert use(http, **wrong).status_code == 400
    assert active(http) == before
    id = http.sdk_created()
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "rejected"


def test_a_wrong_scenario_starts_no_half_of_itself(http: Http, transport: MemoryTransport) -> None:
    """Its right faults, policy and rules are as absent as its wrong ones."""
    wrong = REJECTING + "\nfaults: [{effect: unavailable}]\nwebhooks: {drop: -1}\nrulez: []"
    assert use(http, yaml=wrong).status_code == 400
    assert active(http) is None
    assert http.control("GET", "/faults", account=AUTH_ID).get_json()["faults"] == []
    assert http.control("GET", "/webhooks/policy", account=AUTH_ID).get_json() == {}
    id = http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    http.advance("3 business days")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"
    assert len(transport.sent) == 1


def test_over_http_the_mistakes_come_with_line_and_path(http: Http) -> None:
    """All of them, as problem details."""
    problems = use(http, yaml=EVERY_KIND).get_json()["problems"]
    assert len(problems) == len(mistakes_in(EVERY_KIND))
    assert {"path": "rules[0].reason"}.items() <= problems[2].items()
    assert problems[2]["message"].startswith("line 5: there is no preset 'name_mismach'")


def test_what_was_loaded_is_what_was_written(http: Http) -> None:
    """The active scenario, read back over HTTP, is the one that was sent."""
    use(http, yaml=REJECTING)
    shown = active(http)
    assert isinstance(load_scenario_data(shown), Scenario)
    assert load_scenario_data(shown) == load_scenario(REJECTING)


@pytest.mark.parametrize(
    "text",
    [
        "default: {after: {at: 2026-03-01T09:00:00Z}}",
        "rules: [{when: {alias: 2026-01-05}}]",
        "rules: [{when: {data_fields: {on: x, 010: y, NO: z}}}]",
        "rules: [{when: {alias: {missing: yes}}, times: 1_0}]",
    ],
)
def test_what_yaml_reads_otherwise_and_means_the_same(text: str) -> None:
    """Dates and keys are texts; yes is true where only that can be meant."""
    load_scenario(SCENARIO + text)


def test_keys_are_as_they_are_written() -> None:
    """Even those that YAML has a meaning for."""
    scenario = load_scenario(f"{SCENARIO}rules: [{{when: {{data_fields: {{on: x, 010: y}}}}}}]")
    assert scenario.rules[0].when.data_fields == {"on": "x", "010": "y"}


@pytest.mark.parametrize("repeated", ["{a: [1,2]},", "1,", "*x,"])
def test_a_text_of_too_many_values_is_read_as_far_as_they_may_be(
    monkeypatch: pytest.MonkeyPatch, repeated: str
) -> None:
    """What is behind them costs nothing."""
    events = 0
    parse = yaml.parse

    def counting(*args: Any) -> Iterator[Any]:
        nonlocal events
        for event in parse(*args):
            events += 1
            yield event

    monkeypatch.setattr(yaml, "parse", counting)
    text = "scenario: &x a\nrules: [" + repeated * (250_000 // len(repeated)) + "]"
    with pytest.raises(ScenarioError, match=f"at most {limits.SCENARIO_VALUES.most} values"):
        load_scenario(text)
    assert events < 2 * limits.SCENARIO_VALUES.most


AT_LIMITS: dict[str, tuple[int, Callable[[int], str], str]] = {
    "characters": (262_144, lambda n: "#" * (n - len(SCENARIO)), "is too large"),
    "values": (20_000, lambda n: f"rules: [{'a,' * (n - 5)}]", "is too large"),
    "levels of YAML": (100, lambda n: f"rules: {'[' * (n - 1)}{']' * (n - 1)}", "too deeply"),
    "digits": (300, lambda n: f"seed: {'1' * n}", "a number of more than 300 digits"),
    "levels of a condition": (
        20, lambda n: f"rules: [{{when: {'{not: ' * n}{{country: IN}}{'}' * n}}}]", "too deeply"),
    "characters of a glob": (
        200, lambda n: f"rules: [{{when: {{name: {'a' * n}}}}}]", "characters: at most 200 "),
}  # fmt: skip


@pytest.mark.parametrize("what", AT_LIMITS)
def test_as_much_as_a_limit_says_is_read(what: str) -> None:
    """And one more is refused."""
    most, text_of, refusal = AT_LIMITS[what]
    told = []
    for count in (most, most + 1):
        try:
            load_scenario(SCENARIO + text_of(count))
            told.append("")
        except ScenarioError as error:
            told.append(str(error))
    assert [refusal in each for each in told] == [False, True]
