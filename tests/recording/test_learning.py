"""A real account's requirements as a catalogue: a simulator that serves it answers alike."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.catalogue import load_catalogue
from plivo_sim.client import Garbled, Http, Refused, basic
from plivo_sim.domain.limits import Limit
from plivo_sim.recording import learning
from plivo_sim.recording.learning import Learner
from plivo_sim.settings import Settings
from plivo_sim.web.server import make_server
from tests.cli.conftest import Shell
from tests.recording.traffic import AUTH_ID, TOKEN, altered
from tests.support import Http as InProcess

pytestmark = pytest.mark.live

TODAY = date(2026, 11, 29)
OTHER = """
document_types:
  incorporation_deed:
    name: Deed of Incorporation
    description: "As registered: with stamp, # and 'quotes'"
    proof: Scanned copy of every page
    fields:
      - {name: business_name, label: Name of the Firm, max_length: 40, min_length: 3}
      - {name: founded_on, label: Founded on, type: date, format: yyyy-mm-dd, min_length: 10,
         max_length: 10, required: false, help_text: As printed}
      - {name: sector, label: Sector, type: enum, enums: [Retail, "Food, drink", Other]}
  owner_statement:
    name: Statement of the Owner
    description: Who owns it
    proof_required: false
    fields: [{name: owner, label: Owner}]
requirements:
  - country: IN
    number_types: [local, mobile]
    user_types: [business]
    source: invented
    documents: [incorporation_deed, {name: Who owns it, any_of: [owner_statement, passport]}]
  - {country: IN, number_types: [tollfree], user_types: [business], documents: []}
  - {country: IN, number_types: [local], user_types: [individual], exists: false, documents: []}
"""
"""Another service: other documents, texts and ids, and one combination that it does not have."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LiveSimulator]:
    """It speaks TLS."""
    (tmp_path / "other.yaml").write_text(OTHER)
    settings = Settings(
        port=0, paused=True, seed=77, catalogue=tmp_path / "other.yaml", tls=True,
        tls_dir=tmp_path / "tls", credentials={AUTH_ID: TOKEN},
    )  # fmt: skip
    with LiveSimulator(settings) as live:
        yield live


@pytest.fixture
def shell() -> Shell:
    """A command line to which no simulator is near."""
    return Shell("http://127.0.0.1:9", {"PLIVO_AUTH_ID": AUTH_ID, "PLIVO_AUTH_TOKEN": TOKEN})


@pytest.fixture
def learned(service: LiveSimulator, shell: Shell, tmp_path: Path) -> Path:
    """What was learned from it, of two countries."""
    out = tmp_path / "learned.yaml"
    countries = ("--country", "IN", "--country", "de")
    shell.told(
        "learn", "--base-url", service.url, "--ca", service.authority, "--out", out, *countries
    )
    return out


def answers(live: LiveSimulator) -> dict[str, tuple[int, Any]]:
    """All that a client may read of what is required, without what differs from call to call."""
    http = Http(live.url, authority=str(live.authority) if live.authority else None)
    headers = {"Authorization": basic(AUTH_ID, TOKEN)}

    def read(path: str) -> tuple[int, Any]:
        answer = http.send("GET", f"/v1/Account/{AUTH_ID}/{path}", headers)
        told = answer.json()
        told.pop("api_id")
        return answer.status, told

    found = {}
    kinds = (("IN", "DE"), ("local", "mobile", "tollfree", "national"), ("business", "individual"))
    for country, number, user in product(*kinds):
        current = f"country_iso={country}&number_type={number}&user_type={user}"
        legacy = f"country_iso2={country}&number_type={number}&end_user_type={user}"
        for path in (
            f"PhoneNumber/Compliance/Requirements/?{current}", f"ComplianceRequirement/?{legacy}",
        ):  # fmt: skip
            found[path] = read(path)
    ids = {
        type_["document_type_id"]
        for _, told in found.values()
        for type_ in told.get("document_types", ())
    }
    assert ids
    return found | {id: read(f"ComplianceDocumentType/{id}/") for id in ids}


def test_the_two_answer_alike(service: LiveSimulator, learned: Path) -> None:
    """Ids, names, texts, fields, words, alternatives, what is not there: in both APIs."""
    with LiveSimulator(Settings(port=0, paused=True, catalogue=learned)) as simulator:
        ours, theirs = answers(simulator), answers(service)
    assert ours == theirs
    assert "Deed of Incorporation" in json.dumps(ours)
    assert 400 in {status for status, _ in ours.values()}


def test_an_id_that_a_suite_hard_codes_is_taken(service: LiveSimulator, learned: Path) -> None:
    """An application with the real service's ids is accepted by the simulator."""
    type_ids = [
        each["document_type_id"]
        for each in answers(service)[
            "PhoneNumber/Compliance/Requirements/?country_iso=IN&number_type=local&user_type=business"
        ][1]["document_types"]
    ]
    with LiveSimulator(Settings(port=0, paused=True, catalogue=learned)) as simulator:
        http = InProcess(create_app(simulator.sim), simulator.sim)
        fields = {"business_name": "Acme", "sector": "Other", "founded_on": "1999-01-01"}
        made = http.sdk_create(documents=[
            {"document_type_id": type_ids[0], "data_fields": fields},
            {"document_type_id": type_ids[1], "data_fields": {"owner": "Asha"}},
        ])  # fmt: skip
    assert made.status_code == 201, made.text


def test_what_was_learned_is_observed(learned: Path) -> None:
    """With the day; it beats what was invented in the table of the running simulator."""
    with LiveSimulator(Settings(port=0, paused=True, catalogue=learned)) as simulator:
        told = Http(simulator.url).send("GET", "/_sim/fidelity", {}).json()
    rows = {row["text"]: row for row in told["rows"] if row["place"] == "catalogue"}
    start = "IN local, business (current"
    row = next(each for text, each in rows.items() if text.startswith(start))
    absent = rows["IN local, individual (current version): not offered"]
    assert (absent["confidence"], absent["observed"]) == ("observed", row["observed"])
    assert "Deed of Incorporation" in row["text"]
    assert row["confidence"] == "observed"
    assert row["observed"] == f"{date.today():%Y-%m-%d}"  # noqa: DTZ011
    assert next(each for text, each in rows.items() if text.startswith("AE"))["observed"] is None
    assert told["counts"]["observed"] >= 8


def test_credentials_are_written_nowhere(learned: Path) -> None:
    """Neither the token nor the account, encoded or not."""
    text = learned.read_text()
    assert "document_types" in text
    encoded = base64.b64encode(f"{AUTH_ID}:{TOKEN}".encode()).decode()
    assert not [each for each in (AUTH_ID, TOKEN, encoded, encoded[:12]) if each in text]


def test_a_file_is_not_replaced(service: LiveSimulator, learned: Path, shell: Shell) -> None:
    """Unless that is asked for; nothing is even asked of the service."""
    learned.write_text("mine")
    words = ("learn", "--base-url", service.url, "--ca", service.authority, "--out", learned)
    assert "--force" in shell.error(*words, code=2)
    assert learned.read_text() == "mine"
    shell.told(*words, "--force")
    assert learned.read_text() != "mine"


def test_the_version_in_the_url_is_the_paths(
    service: LiveSimulator, shell: Shell, tmp_path: Path
) -> None:
    """So a URL that ends with it means the same server."""
    out = tmp_path / "learned.yaml"
    words = ("--base-url", f"{service.url}/v1/", "--ca", service.authority, "--out", out)
    assert "8 combinations" in shell.told("learn", *words)


def test_a_catalogue_is_not_replaced_by_nothing(
    service: LiveSimulator, learned: Path, shell: Shell
) -> None:
    """Where every call is answered that there is no such page, nothing was learned."""
    before = learned.read_text()
    words = ("--base-url", f"{service.url}/other", "--ca", service.authority, "--out", learned)
    assert "told nothing" in shell.error("learn", *words, "--force", code=1)
    assert learned.read_text() == before


def test_a_code_of_no_country_is_refused(
    service: LiveSimulator, shell: Shell, tmp_path: Path
) -> None:
    """In place of a file that says what is not required there."""
    words = ("--base-url", service.url, "--ca", service.authority, "--out", tmp_path / "x.yaml")
    told = shell.error("learn", *words, "--country", "ZZ", code=2)
    assert "there is no country 'ZZ'" in told


def test_wrong_credentials_are_told(service: LiveSimulator, shell: Shell, tmp_path: Path) -> None:
    """And no file is made."""
    out = tmp_path / "learned.yaml"
    words = ("--base-url", service.url, "--ca", service.authority, "--out", out)
    assert "token" in shell.error("learn", *words, "--auth-token", "wrong", code=1)
    assert not out.exists()


def test_an_authority_that_nobody_knows_is_told(
    service: LiveSimulator, shell: Shell, tmp_path: Path
) -> None:
    """Nothing was sent to it."""
    out = tmp_path / "learned.yaml"
    told = shell.error("learn", "--base-url", service.url, "--out", out, code=3)
    assert "not trusted" in told
    assert service.sim.accounts() == []


class Upstream:
    """A service whose answers are given; it notes the methods it was called with."""

    def __init__(self, *answers: tuple[str, dict[str, str], Any]) -> None:
        self.methods: list[str] = []
        self._answers = list(answers)

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.methods.append(environ["REQUEST_METHOD"])
        given = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        status, headers, body = given
        start_response(status, [("Content-Type", "application/json"), *headers.items()])
        return [body if isinstance(body, bytes) else json.dumps(body).encode()]


def learner(upstream: Upstream, waits: list[float]) -> Iterator[Learner]:
    server = make_server(upstream)
    server.start()
    try:
        yield Learner(Http(server.url), AUTH_ID, TOKEN, wait=waits.append)
    finally:
        server.stop()


NOTHING = ("400 Bad Request", {}, {"error": "Could not find any requirement for this"})


def test_it_waits_as_long_as_it_is_asked_to() -> None:
    """And asks again; a wait is never longer than a minute."""
    times = ("3", "900", "", "²")
    busy: Any = [("429 Too Many", {"Retry-After": each}, {"error": "x"}) for each in times]
    waits: list[float] = []
    upstream = Upstream(*busy, NOTHING)
    for each in learner(upstream, waits):
        found = each.learn(["IN"], TODAY)
    assert waits == [3, 60, 1, 1]
    assert found.calls == len(upstream.methods) == 4 + 2 * 8
    assert set(upstream.methods) == {"GET"}
    assert all(entry["exists"] is False for entry in found.catalogue["requirements"])


def test_it_gives_up_on_a_service_that_stays_busy() -> None:
    """After five tries."""
    waits: list[float] = []
    for each in learner(Upstream(("503 Busy", {}, {"error": "later"})), waits):
        with pytest.raises(Refused, match="later"):
            each.learn(["IN"], TODAY)
    assert len(waits) == 5


@pytest.mark.parametrize(
    ("name", "most"), [("learn_calls", 3), ("learn_bytes", 200), ("learn_seconds", 5)]
)
def test_it_asks_no_more_than_the_limits(
    name: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls, bytes of all answers, and seconds, of which here each call takes one."""
    moments = itertools.count()
    monkeypatch.setattr(learning, "monotonic_s", lambda: float(next(moments)))
    monkeypatch.setattr(learning, name.upper(), Limit(name, most, "of them", ""))
    upstream = Upstream(NOTHING)
    for each in learner(upstream, []):
        with pytest.raises(ValueError, match=rf"at most {most} of them \(limit {name}\)"):
            each.learn(["IN"], TODAY)
    assert 3 < len(upstream.methods) < 8


def test_document_types_of_one_name_are_kept_apart() -> None:
    """Though their ids begin alike, and a name reads like a word that means something else."""
    shipped = {each.name: each.word for each in load_catalogue(0).types_by_id.values()}
    named = {f"aaaaaaaa-0000-4000-8000-{number:012}": "A Deed" for number in range(4)}
    other, word = next((name, word) for name, word in shipped.items() if " " in name)
    named["bbbbbbbb-0000-4000-8000-000000000000"] = f"{word.replace('_', ' ')}."
    named["cccccccc-0000-4000-8000-000000000000"] = other
    types = [
        {"document_type_id": id, "name": name, "required_fields": []} for id, name in named.items()
    ]
    told = {"requirement_id": "dddddddd-0000-4000-8000-000000000000", "document_types": types}
    for each in learner(Upstream(("200 OK", {}, told), ("404 No", {}, {})), []):
        found = each.learn(["IN"], TODAY).catalogue
    assert {told["id"] for told in found["document_types"].values()} == set(named)
    assert found["document_types"][word]["name"] == other


FAILED = ("500 Internal", {}, {"error": "internal"})
ABSENT = ("404 Not Found", {}, {"error": "not found"})


@pytest.mark.parametrize("silent", [FAILED, ABSENT])
@pytest.mark.parametrize("order", [1, -1])
def test_what_one_api_did_not_tell_is_not_taken_for_nothing_required(
    silent: Any, order: int
) -> None:
    """Though the other one has no requirement: each combination is left out, and that is told."""
    pair = (silent, NOTHING)[::order]
    for each in learner(Upstream(*pair * 8), []):
        found = each.learn(["IN"], TODAY)
    assert found.catalogue["requirements"] == []
    assert len([note for note in found.notes if note.endswith("told nothing; left out")]) == 8


DEED = {"document_type_id": "aaaaaaaa-0000-4000-8000-000000000000", "name": "A Deed"}
REQUIRED = {
    "requirement_id": "dddddddd-0000-4000-8000-000000000000",
    "document_types": [{**DEED, "required_fields": []}],
}
SLOT = {"name": "Deed", "scope": "local", "acceptable_documents": [DEED]}
IN_LEGACY = {
    "compliance_requirement_id": REQUIRED["requirement_id"], "acceptable_document_types": [SLOT],
}  # fmt: skip


@pytest.mark.parametrize(
    ("current", "legacy", "told"),
    [
        (("200 OK", {}, REQUIRED), FAILED, "the legacy API told nothing"),
        (("200 OK", {}, REQUIRED), ABSENT, "the legacy API told nothing"),
        (("200 OK", {}, REQUIRED), NOTHING, "the legacy API has no requirement"),
        (FAILED, ("200 OK", {}, IN_LEGACY), "today's API told nothing"),
        (NOTHING, ("200 OK", {}, IN_LEGACY), "today's API has no requirement"),
    ],
)
def test_what_one_api_alone_told_is_written_and_said(current: Any, legacy: Any, told: str) -> None:
    """Of the first combination; of the others nothing is told."""
    deed = ("200 OK", {}, {"information": []})
    for each in learner(Upstream(current, legacy, deed, ABSENT), []):
        found = each.learn(["IN"], TODAY)
    (entry,) = found.catalogue["requirements"]
    assert entry["documents"]
    assert f"IN local, individual: {told}; written as the other one told it" in found.notes


def test_a_document_of_whose_fields_nothing_is_told_is_not_one_without_fields() -> None:
    """The legacy API alone names it, and fails to tell of it: the combination is left out."""
    for each in learner(Upstream(ABSENT, ("200 OK", {}, IN_LEGACY), FAILED, ABSENT), []):
        found = each.learn(["IN"], TODAY)
    assert found.catalogue == {"document_types": {}, "requirements": []}
    assert f"ComplianceDocumentType/{DEED['document_type_id']}/ answered 500" in found.notes
    left_out = "IN local, individual: nothing was told of the fields of a document; left out"
    assert left_out in found.notes


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (("200 OK", {}, b"<html>"), Garbled),
        (("200 OK", {}, b"[" * 200_000), Garbled),
        (("200 OK", {}, [1]), Garbled),
        (("302 Found", {"Location": "http://127.0.0.1:9/"}, {}), Refused),
        (("403 Forbidden", {}, {"error": "no"}), Refused),
        (("200 OK", {}, {"document_types": [{"name": "x"}]}), ValueError),
        (("200 OK", {}, {"document_types": "none"}), ValueError),
        (("200 OK", {}, {}), ValueError),
        (("200 OK", {}, {"requirement_id": "x", "compliance_requirement_id": "x"}), ValueError),
    ],
)
def test_what_is_no_such_service_is_told(answer: Any, error: type[Exception]) -> None:
    """In place of half a catalogue."""
    for each in learner(Upstream(answer), []):
        with pytest.raises(error):
            each.learn(["IN"], TODAY)


def test_texts_of_a_service_are_only_texts(learned: Path, tmp_path: Path, shell: Shell) -> None:
    """Names that YAML would read otherwise come back as they were."""
    names = ["NO", "1:30", "a: b", "# x", "é\u2028x", "- y", "!!python/object:os.system"]
    with LiveSimulator(Settings(port=0, paused=True)) as live:

        def alter(path: str, status: str, headers: Any, told: Any) -> Any:
            for type_, name in zip(told.get("document_types", ()), names[:2], strict=False):
                type_["name"], type_["description"] = name, "\n".join(names)
            return status, headers, told

        out = tmp_path / "texts.yaml"
        with altered(live.sim, alter) as url:
            shell.told("learn", "--base-url", url, "--out", out)
    types = yaml.safe_load(out.read_text("utf-8"))["document_types"]
    assert {"NO", "1:30"} <= {each["name"] for each in types.values()}
    assert "\n".join(names) in [each["description"] for each in types.values()]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"min_length": 60}, "min_length"),
        ({"field_type": "colour"}, ""),
        ({"field_type": "enum"}, ""),
        ({"help_text": "Optional"}, ""),
    ],
)
def test_what_serve_would_refuse_is_told_at_once(
    tmp_path: Path, shell: Shell, change: dict[str, Any], told: str
) -> None:
    """The file is there, to be edited, unless it would replace another; an unknown kind of field
    is a text."""
    out = tmp_path / "learned.yaml"
    with LiveSimulator(Settings(port=0, paused=True)) as live:

        def alter(path: str, status: str, headers: Any, answer: Any) -> Any:
            for type_ in answer.get("document_types", ()):
                for each in type_["required_fields"]:
                    each |= change
            return status, headers, answer

        with altered(live.sim, alter) as url:
            done = shell.run("learn", "--base-url", url, "--out", out, code=1 if told else 0)
            assert told in done.stderr
            before = out.read_text()
            assert before
            if told:
                out.write_text("mine")
                words = ("learn", "--base-url", url, "--out", out, "--force")
                assert "is left as it was" in shell.error(*words, code=1)
                assert out.read_text() == "mine"
