"""A tape against the simulator: exactly what differs is told, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Client, Refused
from plivo_sim.domain.durations import Duration
from plivo_sim.recording import playback
from plivo_sim.recording.playback import credentials_on
from plivo_sim.recording.tapes import read_tape
from plivo_sim.settings import Settings
from plivo_sim.webhooks.composing import compose
from tests.cli.conftest import Shell
from tests.conftest import PAUSED
from tests.recording.traffic import (
    AUTH_ID,
    CALLBACK,
    NOWHERE,
    REQUIREMENTS,
    Application,
    altered,
    creation,
    decider,
    legacy,
    reads,
    recording,
    writes,
)
from tests.support import Receiver

pytestmark = pytest.mark.live

COMPLIANCE = "PhoneNumber/Compliance/"
Headers = list[tuple[str, str]]
Alteration = Callable[[str, str, Headers, Any], tuple[str, Headers, Any]]


def drift(shell: Shell, tape: Path, *more: str | Path) -> list[tuple[str, str, str]]:
    """What ``verify`` tells: where, recorded, here."""
    found = shell.run("verify", "--tape", tape, "--json", *more, code=None).stdout
    return [(each["where"], each["recorded"], each["here"]) for each in json.loads(found)["drift"]]


def test_a_whole_life_agrees(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """Every call is made again, by ids that the answers gave, with the reviewer's decisions."""
    with recording(live.url, tape) as url:
        caller = Application(url)
        reads(caller)
        writes(caller, decider(live))
        legacy(caller, decider(live))
    told = shell.json("verify", "--tape", tape)
    assert told == {"compared": len(caller.answers), "drift": [], "by_schema_only": []}
    assert "no drift" in shell.told("verify", "--tape", tape)


def test_records_older_than_the_tape_agree(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """They cannot be had again, so their answers are held against the schemas."""
    before = Application(live.url)
    writes(before, decider(live))
    made = before.call("GET", COMPLIANCE)["compliances"][0]["compliance_id"]
    with recording(live.url, tape, allows_writes=False) as url:
        caller = Application(url)
        caller.call("GET", COMPLIANCE)
        caller.call("GET", f"{COMPLIANCE}{made}/?expand=end_user,documents,linked_numbers")
    told = shell.json("verify", "--tape", tape)
    assert told["drift"] == []
    assert [each["line"] for each in told["by_schema_only"]] == [2, 3]


TAKEN = "The alias is used by another application."
"""Nobody knows the live service's sentence; this one names no record."""


@pytest.mark.parametrize("sentence", ["", TAKEN])
@pytest.mark.parametrize("older", [True, False])
def test_an_alias_that_is_used_already(
    tape: Path, shell: Shell, older: bool, sentence: str
) -> None:
    """By an application older than the tape, it says nothing of the simulator; by one of the tape,
    it does. The refusal names the application, or it does not."""

    def alter(path: str, status: str, headers: Headers, told: Any) -> tuple[str, Headers, Any]:
        return status, headers, told | {"error": sentence} if "error" in told and sentence else told

    with (
        LiveSimulator(replace(PAUSED, strict=True)) as service,
        altered(service.sim, alter) as behind,
        recording(behind, tape) as url,
    ):
        recorded = Application(url)
        types = recorded.call("GET", REQUIREMENTS)["document_types"]
        first = Application(behind) if older else recorded
        first.call("POST", COMPLIANCE, form=creation(types))
        recorded.call("POST", COMPLIANCE, form=creation(types))
        assert recorded.answers[-1][0] == 400
    told = shell.json("verify", "--tape", tape, code=0 if older else 1)
    assert [each["why"] for each in told["by_schema_only"]] == [
        "it was refused for a record that is older than the tape"
    ] * older
    assert (told["drift"] == []) is older


def record_reads(live: LiveSimulator, tape: Path, alter: Alteration) -> None:
    """The reads of an application, with answers that were altered."""
    with altered(live.sim, alter) as service, recording(service, tape) as url:
        reads(Application(url))


def unknown_id(change: Callable[[str, Headers, Any], tuple[str, Headers, Any]]) -> Alteration:
    """Alters the answer to one call."""

    def alter(path: str, status: str, headers: Headers, told: Any) -> tuple[str, Headers, Any]:
        here = (status, headers, told)
        return change(*here) if path.endswith(f"{NOWHERE}/") else here

    return alter


def without_header(name: str) -> Callable[[str, Headers, Any], tuple[str, Headers, Any]]:
    return lambda status, headers, told: (
        status, [each for each in headers if each[0] != name], told
    )  # fmt: skip


ALTERATIONS: dict[str, tuple[Any, list[tuple[str, str, str]]]] = {
    "nothing": (lambda status, headers, told: (status, headers, told), []),
    "a text": (
        lambda status, headers, told: (status, headers, told | {"error": "No such application."}),
        [("error", "'No such application.'", "'Compliance application not found.'")],
    ),
    "a status": (
        lambda status, headers, told: ("410 Gone", headers, told),
        [("status", "410", "one of 200, 400, 401, 404, 429")],
    ),
    "a header": (without_header("X-RateLimit-Limit"), [("header x-ratelimit-limit", "-", "there")]),
    "a type of body": (
        lambda status, headers, told: (
            status,
            [(n, "text/html" if n == "Content-Type" else v) for n, v in headers],
            told,
        ),
        [("header content-type", "text/html", "application/json")],
    ),
    "a new key": (
        lambda status, headers, told: (status, headers, told | {"error_code": 7}),
        [("error_code", "7", "-")],
    ),
    "a key that is gone": (
        lambda status, headers, told: (status, headers, {"error": told["error"]}),
        [("api_id", "-", "id")],
    ),
    "another type": (
        lambda status, headers, told: (status, headers, told | {"error": {"error": "x"}}),
        [("error", "object", "'Compliance application not found.'")],
    ),
    "null": (
        lambda status, headers, told: (status, headers, told | {"api_id": None}),
        [("api_id", "null", "id")],
    ),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_exactly_what_was_altered_is_told(
    live: LiveSimulator, tape: Path, shell: Shell, name: str
) -> None:
    """And nothing else."""
    change, expected = ALTERATIONS[name]
    record_reads(live, tape, unknown_id(change))
    assert drift(shell, tape) == expected
    shell.run("verify", "--tape", tape, code=1 if expected else 0)


@pytest.mark.parametrize(
    "kind",
    ["text/Zanzibar", "Zanzibar/x", "application/zanzibar+json", "Zanzibar", "text/plain", ""],
)
def test_a_body_is_read_in_the_same_way_again(
    live: LiveSimulator, tape: Path, shell: Shell, kind: str
) -> None:
    """Of a type that nobody knows, too: its stand-in is none that is read in another way."""
    with recording(live.url, tape) as url:
        headers = {"Content-Type": kind}
        told = Application(url).call("POST", COMPLIANCE, headers=headers, body=b"Zanzibar")
        assert "error" in told
    assert drift(shell, tape) == []
    assert "zanzibar" not in tape.read_text().lower()


@pytest.mark.parametrize("country", ["ZZ", "zz", "ZZZ"])
def test_what_a_refusal_says_of_countries_and_types_agrees(
    live: LiveSimulator, tape: Path, shell: Shell, country: str
) -> None:
    """It has codes of countries, of one that there is not too, and words that no tape keeps."""
    with recording(live.url, tape) as url:
        caller = Application(url)
        of_country = REQUIREMENTS.replace("country_iso=IN", f"country_iso={country}")
        told = caller.call("GET", of_country)["error"]
        assert country not in ("ZZ", "zz") or "country ZZ; there is one for AE, AR" in told
        caller.call("GET", f"PhoneNumber/?country_iso={country}&type=Foo")
    assert drift(shell, tape) == []
    assert country == "ZZZ" or told in tape.read_text()


def test_a_requirement_is_compared_word_for_word(
    live: LiveSimulator, tape: Path, shell: Shell
) -> None:
    """Names, lengths, documents that are asked for."""

    def alter(path: str, status: str, headers: Headers, told: Any) -> tuple[str, Headers, Any]:
        if "Requirements" in path:
            told["document_types"][0]["name"] = "Deed of Incorporation"
            told["document_types"][0]["required_fields"][0]["max_length"] = 60
            told["document_types"].append(told["document_types"][1])
        return status, headers, told

    record_reads(live, tape, alter)
    first, second, third = drift(shell, tape)
    assert first == (
        "document_types[0].name", "'Deed of Incorporation'", "'Registration Certificate'",
    )  # fmt: skip
    assert second == ("document_types[0].required_fields[0].max_length", "60", "50")
    assert third == ("document_types[2]", "object", "-")


def test_a_status_that_plivo_adds_is_told_once_a_record_has_it(
    live: LiveSimulator, tape: Path, shell: Shell
) -> None:
    """Its name too, if it is made of plain words."""

    def alter(path: str, status: str, headers: Headers, told: Any) -> tuple[str, Headers, Any]:
        if isinstance(told.get("compliance"), dict):
            told["compliance"]["status"] = "in_review"
        return status, headers, told

    with altered(live.sim, alter) as service, recording(service, tape) as url:
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        made = caller.call("POST", COMPLIANCE, form=creation(types))["compliance_id"]
        caller.call("GET", f"{COMPLIANCE}{made}/")
    assert drift(shell, tape) == [("compliance.status", "'in_review'", "'submitted'")]


MACHINE = """machine: looked-at
extends: default
statuses:
  in_review: {legacy: in_review, current: in_review, beta: reviewing, atoms: in_review, locks: true}
arrows:
  - {from: submitted, to: in_review, by: time, after: 1h}
  - {from: in_review, to: accepted, by: [reviewer, hand]}
  - {from: in_review, to: rejected, by: [reviewer, hand]}
  - {from: submitted, to: accepted, by: null}
  - {from: submitted, to: rejected, by: null}
"""


@pytest.fixture
def reviewing(tmp_path: Path, tape: Path) -> Path:
    """A tape of a service with another machine, over TLS and with other ids; the machine's file.

    One application is seen in review, and accepted; another only when it is rejected.
    """
    file = tmp_path / "looked-at.yaml"
    file.write_text(MACHINE)
    settings = Settings(
        port=0,
        paused=True,
        review_delay=None,
        seed=77,
        machine=str(file),
        tls=True,
        tls_dir=tmp_path / "tls",
    )
    with (
        LiveSimulator(settings) as service,
        recording(service.url, tape, authority=str(service.authority)) as url,
    ):
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        for outcome in ("accepted", "rejected"):
            form = creation(types, alias=outcome)
            made = caller.call("POST", COMPLIANCE, form=form)["compliance_id"]
            service.sim.advance(service.sim.account(AUTH_ID), Duration(3600))
            if outcome == "accepted":
                caller.call("GET", f"{COMPLIANCE}{made}/")
            decider(service)(made, outcome)
            caller.call("GET", f"{COMPLIANCE}{made}/")
    return file


def test_a_service_with_another_machine(reviewing: Path, tape: Path, shell: Shell) -> None:
    """The status that ours does not have is told, and nothing else."""
    assert drift(shell, tape) == [("compliance.status", "'in_review'", "'submitted'")]


def test_a_machine_of_ones_own_is_proved_right(reviewing: Path, tape: Path, shell: Shell) -> None:
    """What it does by itself is waited for, and decisions are made where they can be; an option or
    the variable names it, and a simulator that runs has its own."""
    assert drift(shell, tape, "--machine", reviewing) == []
    named = Shell("http://127.0.0.1:9", {"PLIVO_SIM_MACHINE": str(reviewing)})
    assert drift(named, tape) == []
    settings = Settings(port=0, paused=True, review_delay=None, magic=False, machine=str(reviewing))
    with LiveSimulator(settings) as other:
        assert drift(shell, tape, "--base-url", other.url) == []


def test_a_status_that_only_the_reviewer_leads_to(tape: Path, shell: Shell, tmp_path: Path) -> None:
    """The service's own reviewer decided; here it is done along the reviewer's arrow. Without such
    an arrow the status is told."""
    file, lacking = tmp_path / "reviewer.yaml", tmp_path / "lacking.yaml"
    file.write_text(ONLY_REVIEWED)
    lacking.write_text(LACKING)
    settings = replace(PAUSED, machine=str(file), review_delay=Duration(3600))
    with LiveSimulator(settings) as service, recording(service.url, tape) as url:
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        made = caller.call("POST", COMPLIANCE, form=creation(types))["compliance_id"]
        for _ in range(2):
            service.sim.advance(service.sim.account(AUTH_ID), Duration(3600))
            told = caller.call("GET", f"{COMPLIANCE}{made}/")["compliance"]["status"]
        assert told == "in_review"
    assert drift(shell, tape, "--machine", file) == []
    assert (
        drift(shell, tape, "--machine", lacking)
        == [("compliance.status", "'in_review'", "'submitted'")] * 2
    )


ONLY_REVIEWED = """machine: only-reviewed
extends: default
review: {outcome: in_review}
statuses: {in_review: {legacy: in_review, current: in_review, beta: in_review, atoms: in_review}}
arrows:
  - {from: submitted, to: in_review, by: reviewer}
  - {from: in_review, to: accepted, by: reviewer}
"""
LACKING = ONLY_REVIEWED.replace("{outcome: in_review}", "{outcome: accepted}").replace(
    "{from: submitted, to: in_review, by: reviewer}",
    "{from: accepted, to: in_review, by: reviewer}",
)


OWN_WORD = """
document_types:
  bilw_dwnawt: {name: Bilw Dwnawt, description: Bilw, fields: [{name: gwlad_enw, label: Gwlad}]}
requirements:
  - {country: IN, number_types: [local], user_types: [business], documents: [bilw_dwnawt]}
  - {version: beta, country: IN, number_types: [local], user_types: [business],
     documents: [bilw_dwnawt]}
"""
"""Words that nobody else has."""


@pytest.mark.parametrize("asks_first", [True, False])
def test_words_of_the_accounts_own_document_types_agree(
    tape: Path, shell: Shell, tmp_path: Path, asks_first: bool
) -> None:
    """Those that a requirement told stay; of others, only the stand-in is known."""
    file = tmp_path / "own.yaml"
    file.write_text(OWN_WORD)
    with (
        LiveSimulator(replace(PAUSED, catalogue=file)) as service,
        recording(service.url, tape) as url,
    ):
        caller = Application(url)
        if asks_first:
            caller.call("GET", f"/beta/v1/Account/{AUTH_ID}/{REQUIREMENTS}")
        [type_] = caller.call("GET", REQUIREMENTS)["document_types"]
        documents = [
            {"document_type_id": type_["document_type_id"], "data_fields": {"gwlad_enw": "x"}}
        ]
        form = creation([type_, type_], documents=documents)[:2]
        made = caller.call("POST", COMPLIANCE, form=form)["compliance_id"]
        shown = caller.call("GET", f"/beta/v1/Account/{AUTH_ID}/{COMPLIANCE}{made}/")
        assert "bilw_dwnawt" in json.dumps(shown)
    assert ("bilw_dwnawt" in tape.read_text()) is asks_first
    assert drift(shell, tape, "--catalogue", file) == []


def test_a_status_of_unknown_words_is_told(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """Ours would be on the tape as it is."""

    def alter(path: str, status: str, headers: Headers, told: Any) -> tuple[str, Headers, Any]:
        if isinstance(told.get("compliance"), dict):
            told["compliance"]["status"] = "gwrthodwyd"
        return status, headers, told

    with altered(live.sim, alter) as service, recording(service, tape) as url:
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        made = caller.call("POST", COMPLIANCE, form=creation(types))["compliance_id"]
        caller.call("GET", f"{COMPLIANCE}{made}/")
    [(where, _, here)] = drift(shell, tape)
    assert (where, here) == ("compliance.status", "'submitted'")


def test_a_machine_that_cannot_be_used_ends_with_2(
    live: LiveSimulator, tape: Path, shell: Shell, tmp_path: Path
) -> None:
    """As a catalogue does."""
    with recording(live.url, tape) as url:
        Application(url).call("GET", REQUIREMENTS)
    (tmp_path / "wrong.yaml").write_text("machine: x\nextends: defualt\n")
    for name in ("wrong.yaml", "lost.yaml"):
        error = shell.error("verify", "--tape", tape, "--machine", tmp_path / name, code=2)
        assert name in error


def callback(receiver: Receiver, tape: Path, change: Callable[[Any], Any]) -> None:
    """Record an application whose rejection is called back, with the callback altered."""
    with LiveSimulator(PAUSED) as live, recording(live.url, tape, receiver=receiver.url) as url:
        caller = Application(url)
        types = caller.call("GET", REQUIREMENTS)["document_types"]
        form = creation(types, callback_url=CALLBACK)
        made = caller.call("POST", COMPLIANCE, form=form)["compliance_id"]
        decider(live)(made, "rejected")
        [delivery] = live.sim.account(AUTH_ID).store.deliveries.every()
        sent = compose(live.sim.account(AUTH_ID), delivery)
        body = json.dumps(change(dict(delivery.payload))).encode()
        caller.call("POST", "/_callbacks", headers=dict(sent.headers), body=body)


def test_a_callback_agrees(tape: Path, shell: Shell, receiver: Receiver) -> None:
    """The decision that it tells of is made here too."""
    callback(receiver, tape, lambda payload: payload)
    assert [each.kind for each in read_tape(tape)[1]][-1] == "callback"
    told = shell.json("verify", "--tape", tape)
    assert (told["drift"], told["by_schema_only"]) == ([], [])


def test_an_altered_callback_is_told(tape: Path, shell: Shell, receiver: Receiver) -> None:
    """A key that is gone, one that is new."""
    callback(receiver, tape, lambda payload: {
        "event": "rejected", **{k: v for k, v in payload.items() if k != "rejection_reason"}
    })  # fmt: skip
    wheres = {where: (recorded, here) for where, recorded, here in drift(shell, tape)}
    assert wheres.keys() == {"event", "rejection_reason"}
    assert wheres["event"] == ("'rejected'", "-")


def test_the_last_callbacks_of_an_application_are_looked_at(live: LiveSimulator) -> None:
    """However many there are before them: more than a page, here."""
    caller = Application(live.url)
    form = creation(caller.call("GET", REQUIREMENTS)["document_types"], callback_url=CALLBACK)
    made = caller.call("POST", COMPLIANCE, form=form)["compliance_id"]
    decider(live)(made, "rejected")
    account = live.sim.account(AUTH_ID)
    [first] = account.store.deliveries.every()
    for _ in range(playback.MOST_SENT):
        live.sim.replay(account, first)
    every = [each.id for each in account.store.deliveries.every()]
    sent = playback.Player(live.url, begins_empty=False)._sent(made, AUTH_ID)
    assert [each["id"] for each in sent] == every[-playback.MOST_SENT :]
    assert len(every) == playback.MOST_SENT + 1


def test_a_running_simulator_is_compared(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """With --base-url; what is new there is told."""
    with recording(live.url, tape) as url:
        writes(Application(url), decider(live))
    with LiveSimulator(Settings(port=0, paused=True, review_delay=None, magic=False)) as other:
        assert drift(shell, tape, "--base-url", other.url) == []
        assert len(other.sim.accounts()) == 1


def test_a_simulator_with_other_accounts_is_compared(
    tape: Path, shell: Shell, receiver: Receiver
) -> None:
    """Each control call names the account that the tape is of."""
    callback(receiver, tape, lambda payload: payload)
    with LiveSimulator(replace(PAUSED, magic=False)) as other:
        before = Application(other.url)
        types = before.call("GET", REQUIREMENTS)["document_types"]
        before.call("POST", COMPLIANCE, form=creation(types))
        assert drift(shell, tape, "--base-url", other.url) == []
        assert len(other.sim.accounts()) == 2


def test_credentials_that_a_running_simulator_refuses_are_no_drift(
    live: LiveSimulator, tape: Path, shell: Shell
) -> None:
    """Nothing is played to one that wants others than those of the tape."""
    with recording(live.url, tape) as url:
        reads(Application(url))
    [account] = credentials_on(read_tape(tape)[1])
    with LiveSimulator(replace(PAUSED, credentials={account: "other"})) as closed:
        told = shell.error("verify", "--tape", tape, "--base-url", closed.url, code=2)
    assert "The auth token is wrong." in told


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--tape", "T", "--base-url", "http://127.0.0.1:9", "--machine", "default"), "--machine"),
        (("--tape", "T", "--base-url", "http://127.0.0.1:9", "--catalogue", "x"), "--catalogue"),
        (("--tape", "T", "--life-cycle"), "--life-cycle"),
        (("--base-url", "http://127.0.0.1:9", "--machine", "default"), "--machine"),
    ],
)
def test_an_option_without_effect_is_refused(
    shell: Shell, words: tuple[str, ...], named: str
) -> None:
    """It says which one."""
    assert f"{named} would have no effect" in shell.error("verify", *words, code=2)


def test_a_refused_control_call_is_no_drift(
    tape: Path, shell: Shell, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exit code is that of a tape that cannot be used."""
    callback(receiver, tape, lambda payload: payload)
    with LiveSimulator(PAUSED) as other:
        answer = Client.control

        def refusing(self: Client, method: str, path: str, *body: Any, **query: Any) -> Any:
            if path == "/webhooks":
                raise Refused(503, "the simulator ends")
            return answer(self, method, path, *body, **query)

        monkeypatch.setattr(Client, "control", refusing)
        told = shell.error("verify", "--tape", tape, "--base-url", other.url, code=2)
    assert "the simulator ends" in told


def test_a_tape_goes_to_loopback_only(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """Unless that is asked for; then nothing answers."""
    with recording(live.url, tape) as url:
        Application(url).call("GET", REQUIREMENTS)
    words = ("verify", "--tape", tape, "--base-url", "https://api.plivo.com")
    assert "--allow-remote" in shell.error(*words, code=2)
    shell.error("verify", "--tape", tape, "--base-url", "http://127.0.0.1:9", code=3)


@pytest.mark.parametrize("content", ["", "hello\n", None])
def test_what_is_no_tape_ends_with_2(tape: Path, shell: Shell, content: str | None) -> None:
    """So that a build tells it from drift."""
    if content is not None:
        tape.write_text(content)
    for words in (("verify", "--tape", tape), ("tape", "show", tape)):
        assert str(tape) in shell.error(*words, code=2)


@pytest.mark.parametrize(
    ("kind", "sent", "answered"),
    [
        ("callback", {"json": [1]}, {}),
        ("callback", {"json": {"a": {"b": 1}}}, {}),
        ("callback", {"form": [["a", {"json": {}}]]}, {}),
        ("exchange", {}, {"json": {"compliance_id": ["x"], "id": {}, "status": {}}}),
    ],
)
def test_values_of_unexpected_types_are_compared(
    tape: Path, shell: Shell, kind: str, sent: Any, answered: Any
) -> None:
    """The service may send anything."""
    head = {"tape": 1, "made_by": "\x1b[31mx", "on": "2026-01-05\n", "upstream": "x"}
    target = "/_callbacks" if kind == "callback" else "/v1/Account/MAXXXXXXXXXXXXXXXXXX/"
    line = {
        "kind": kind, "after_s": 0, "request": {"method": "GET", "target": target, "body": sent},
        "answer": {"status": 200, "body": answered},
    }  # fmt: skip
    tape.write_text(f"{json.dumps(head)}\n{json.dumps(line)}\n")
    assert shell.json("verify", "--tape", tape, code=1)["compared"] == 1
    told = shell.told("tape", "show", tape)
    assert "\x1b" not in told
    assert len(told.splitlines()) == 3


def test_an_empty_tape_is_no_agreement(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """A recorder that nobody called proves nothing."""
    with recording(live.url, tape):
        pass
    assert "nothing was compared" in shell.error("verify", "--tape", tape, code=2)
    assert "nothing was recorded" in shell.told("tape", "show", tape)


def test_a_tape_is_shown(live: LiveSimulator, tape: Path, shell: Shell) -> None:
    """A line for each exchange, or JSON."""
    with recording(live.url, tape) as url:
        reads(Application(url))
    told = shell.told("tape", "show", tape)
    assert "status=accepted" in told
    assert len(told.splitlines()) == 2 + 9
    shown = shell.json("tape", "show", tape)
    assert [each["answer"]["status"] for each in shown["exchanges"]][2:4] == [404, 400]
    assert shown["tape"]["tape"] == 1


def test_verify_asks_for_a_tape_or_a_server(shell: Shell) -> None:
    """It says which option is missing."""
    assert "--base-url" in shell.error("verify", code=2)
