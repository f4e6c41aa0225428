"""A status that no SDK knows, on every surface: a change file of ten lines adds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.page import Page
from tests.support import AUTH_ID, Http

CHANGES = """\
machine: with-in-review
extends: default
statuses:
  in_review: {legacy: held, current: in_review, beta: reviewing, atoms: looked_at, numbers: seen, locks: true}
arrows:
  - {from: submitted, to: in_review, by: [time, hand], after: 1h, event: review_started}
  - {from: in_review, to: accepted, by: [reviewer, hand]}
  - {from: in_review, to: rejected, by: [reviewer, hand]}
  - {from: submitted, to: accepted, by: null}
  - {from: submitted, to: rejected, by: null}
"""  # noqa: E501
CALLBACK = "http://127.0.0.1:9/cb"
NEW = "PhoneNumber/Compliance/"


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Http]:
    """A server with that machine: ``serve --machine FILE``."""
    path = tmp_path / "in-review.yaml"
    path.write_text(CHANGES)
    settings = Settings(paused=True, review_delay=None, machine=str(path))
    sim = make_simulator(settings, transport=MemoryTransport())
    yield Http(create_app(sim), sim)
    sim.close()


@pytest.fixture
def id(http: Http) -> str:
    """An application that is in review."""
    made = http.sdk_created(callback_url=CALLBACK)
    http.advance("1h")
    return made


def test_each_api_shows_its_own_word(http: Http, id: str) -> None:
    """The same record, in the new API's two dialects and the legacy one."""
    current = http.get(f"/current/v1/Account/{AUTH_ID}/{NEW}{id}/").get_json()
    beta = http.get(f"/beta/v1/Account/{AUTH_ID}/{NEW}{id}/").get_json()
    legacy = http.get(f"ComplianceApplication/{id}/").get_json()
    assert current["compliance"]["status"] == "in_review"
    assert beta["status"] == "reviewing"
    assert legacy["status"] == "held"


def test_each_api_finds_it_by_its_own_word(http: Http, id: str) -> None:
    """And lists its words to who asks for another."""
    for path, word in (
        (f"/current/v1/Account/{AUTH_ID}/{NEW}", "in_review"),
        (f"/beta/v1/Account/{AUTH_ID}/{NEW}", "reviewing"),
        (f"/v1/Account/{AUTH_ID}/ComplianceApplication/", "held"),
    ):
        found = http.get(path, query_string={"status": word}).get_json()
        assert found["meta"]["total_count"] == 1, path
        refused = http.get(path, query_string={"status": "no_such"})
        assert word in refused.text, path


def test_a_word_of_the_beta_alone_chooses_the_beta(http: Http, id: str) -> None:
    """As the page's own four do."""
    found = http.get(NEW, query_string={"status": "reviewing"}).get_json()
    assert found["compliances"][0]["status"] == "reviewing"


def test_atoms_is_told_in_its_own_word(http: Http) -> None:
    """By the callback and by a refresh; the step is the word."""
    atoms = Atoms(http)
    made = atoms.submitted()
    atoms.http.advance("1h")
    assert atoms.known(made)["status"] == "looked_at"
    assert atoms.status().get_json()["data"]["step"] == "looked_at"
    assert atoms.refresh(made["_id"]).get_json()["data"]["status"] == "looked_at"
    assert atoms.resubmit(made["_id"]).status_code == 400
    atoms.http.advance("10d")
    assert atoms.known(made)["status"] == "accepted"


def test_the_callback_says_the_word_and_the_event_of_the_arrow(http: Http, id: str) -> None:
    """The event is the beta dialect's; the reviewer's decision is told as ever."""
    Page(http).id(alias="beta", callback_url=CALLBACK)
    legacy = Legacy(http)
    draft = legacy.application(alias="legacy", callback_url="https://127.0.0.1:9/cb")
    legacy.submit(draft)
    http.advance("1h")
    told = [dict(each.payload) for each in http.account.store.deliveries.every()]
    assert [each["status"] for each in told] == ["in_review", "reviewing", "held"]
    assert told[1]["event"] == "compliance.review_started"
    http.advance("10d")
    last = [dict(each.payload) for each in http.account.store.deliveries.every()][3:]
    assert {each["status"] for each in last} == {"accepted", "approved"}
    assert "compliance.approved" in [each.get("event") for each in last]


def test_it_locks_and_cannot_be_corrected(http: Http, id: str) -> None:
    """The client may do nothing in it; the errors name it in each API's word."""
    for path, word in (
        (f"/current/v1/Account/{AUTH_ID}/{NEW}{id}/", "in_review"),
        (f"/beta/v1/Account/{AUTH_ID}/{NEW}{id}/", "reviewing"),
        (f"/v1/Account/{AUTH_ID}/ComplianceApplication/{id}/", "held"),
    ):
        refused = http.delete(path)
        assert refused.status_code in (400, 409)
        assert word in refused.text, refused.text
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "in_review"


def test_a_tester_may_decide_along_its_arrows(http: Http) -> None:
    """In the order of the machine; the first decision is no longer one of a submission."""
    id = http.sdk_created()
    assert http.decide(id, "accepted").status_code == 409
    assert http.decide(id, "in_review").status_code == 200
    assert http.decide(id, "accepted").status_code == 200
    timeline = http.control("GET", f"/applications/{id}").get_json()["timeline"]
    assert [each["by"] for each in timeline] == ["client", "hand", "hand"]
    wrong = http.decide(id, "in_revue").get_json()["problems"][0]["message"]
    assert wrong.endswith("did you mean 'in_review'?")


def test_what_comes_next_is_told_soonest_first(http: Http) -> None:
    """The reviewer waits, and so does time."""
    id = http.sdk_created()
    told = http.control("GET", f"/applications/{id}").get_json()["next"]
    assert [each["status"] for each in told] == ["in_review", "accepted"]
    assert told[0]["why"] == "by itself, 1h after it was submitted"


def test_the_control_calls_know_it(http: Http, id: str) -> None:
    """Filters, coverage, advance until, the outcome of a request."""
    listed = http.control("GET", "/applications", account=AUTH_ID, status="in_review").get_json()
    assert listed["total_count"] == 1
    covered = http.control("GET", "/coverage").get_json()
    assert covered["statuses"]["in_review"]
    arrows = {(each["from"], each["to"]): each["count"] for each in covered["transitions"]}
    assert arrows["submitted", "in_review"] == 1
    assert ("submitted", "accepted") not in arrows
    until = {"until": {"application": id, "status": "accepted"}, "account": AUTH_ID}
    assert http.control("POST", "/clock/advance", until).status_code == 200


def test_the_documents_say_its_words(http: Http) -> None:
    """OpenAPI of each surface, and the schema of scenarios."""
    assert "held" in str(http.control("GET", "/openapi/legacy.json").get_json())
    assert "reviewing" in str(http.control("GET", "/openapi/beta.json").get_json())
    assert "looked_at" in str(http.control("GET", "/openapi/atoms.json").get_json())
    assert "in_review" in str(http.control("GET", "/schema/scenario.json").get_json())


def test_the_console_offers_it(http: Http, id: str) -> None:
    """Its label, its buttons, its filter."""
    page = http.get(f"/console/{AUTH_ID}/applications/{id}").text
    assert 'class="chip wait">in review' in page
    assert ">Accept</button>" in page
    assert ">Ask for more information</button>" not in page
    assert '<option value="in_review"' in http.get(f"/console/{AUTH_ID}/applications").text


def test_a_number_shows_its_word(http: Http, id: str) -> None:
    """That of numbers, where it has one of its own."""
    http.advance("10d")
    offers = http.get("PhoneNumber/", query_string={"country_iso": "IN"}).get_json()["objects"]
    digits = next(each["number"] for each in offers if each["type"] == "fixed")
    assert http.post(f"PhoneNumber/{digits}/").status_code == 201
    assert http.get(f"Number/{digits}/").get_json()["compliance_status"] == "accepted"
    row = replace(http.account.store.applications.fetch(id), status="in_review")
    with http.account.transaction():
        http.account.store.applications.put(row)
    assert http.get(f"Number/{digits}/").get_json()["compliance_status"] == "seen"
