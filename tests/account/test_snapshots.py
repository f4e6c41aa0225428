"""A moment of an account as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plivo_sim.account.snapshots import load_snapshot, save_snapshot
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, PDF, Http

CALLBACK = "http://127.0.0.1:9/cb"


@pytest.fixture
def taken(http: Http) -> dict[str, Any]:
    """A snapshot, gone through JSON, of an account with an application in review."""
    http.account.configure({"review_delay": "3d"})
    http.sdk_created(callback_url=CALLBACK)
    return snapshot_of(http)


def snapshot_of(http: Http) -> dict[str, Any]:
    with http.account.lock:
        text = json.dumps(save_snapshot(http.account, http.account.mark()))
    return dict(json.loads(text))


@pytest.fixture
def another() -> Iterator[Http]:
    """Another simulator, empty."""
    sim: Simulator = make_simulator(Settings(paused=True), transport=MemoryTransport())
    yield Http(create_app(sim), sim)
    sim.close()


def test_another_simulator_goes_on_from_it(
    http: Http, taken: dict[str, Any], another: Http
) -> None:
    """The same timeline, callbacks and ids as in the first."""
    another.account.restore(load_snapshot(another.account, taken))
    histories = [
        (
            each.advance("5d")["happenings"],
            each.sdk_created(alias="next"),
            list(each.account.store.applications.every()),
            each.account.now(),
            dict(each.account.overrides),
        )
        for each in (http, another)
    ]
    assert histories[0] == histories[1]
    assert len(histories[0][0]) == 2


def test_the_files_are_in_it(taken: dict[str, Any], another: Http) -> None:
    """And really come back from the download URL."""
    another.account.restore(load_snapshot(another.account, taken))
    application = next(another.account.store.applications.every())
    path = f"PhoneNumber/Compliance/{application.id}/Document/{application.document_ids[0]}"
    assert another.get(f"{path}/download").data == PDF


def test_what_is_restored_is_what_was_saved(taken: dict[str, Any], another: Http) -> None:
    """Saved again, it is the same document."""
    another.account.restore(load_snapshot(another.account, taken))
    assert snapshot_of(another) == taken


def test_it_goes_over_the_control_api(http: Http, another: Http) -> None:
    """Named, read, posted to another simulator."""
    id = http.sdk_created()
    http.control("POST", "/snapshot", {"name": "before", "account": AUTH_ID})
    document = http.control("GET", "/snapshot/before", account=AUTH_ID).get_json()
    body = {"snapshot": document, "account": AUTH_ID}
    assert another.control("POST", "/restore", body).status_code == 200
    got = another.get(f"PhoneNumber/Compliance/{id}/")
    assert got.get_json()["compliance"]["status"] == "submitted"


Spoil = Callable[[dict[str, Any]], Any]


def first(document: dict[str, Any], table: str) -> dict[str, Any]:
    """The first record of a table."""
    record: dict[str, Any] = next(iter(document["tables"][table].values()))
    return record


def own_id(document: dict[str, Any]) -> None:
    first(document, "applications")["id"] = "another"


def seq_twice(document: dict[str, Any]) -> None:
    for record in document["tables"]["documents"].values():
        record["seq"] = 1


SPOILT: list[tuple[str, Spoil, str]] = [
    ("format", lambda d: d.update(plivo_sim_snapshot=99), "snapshot document of format"),
    ("no tables", lambda d: d.pop("tables"), "must be objects"),
    ("a list of tables", lambda d: d.update(tables=[]), "must be objects"),
    ("a list of files", lambda d: d.update(files=[]), "must be objects"),
    ("unknown table", lambda d: d["tables"].update(lost={}), "no table 'lost'"),
    ("a list of rows", lambda d: d["tables"].update(timers=[]), "table timers must be an object"),
    ("no record", lambda d: d["tables"]["timers"].update(a=1), "1 is not of type object"),
    ("unknown status", lambda d: first(d, "applications").update(status="lost"), "status"),
    ("another id", own_id, "holds the id 'another'"),
    ("a seq twice", seq_twice, "has a seq twice"),
    ("no ledger", lambda d: d["tables"]["ledger"].clear(), "no ledger"),
    ("counters behind", lambda d: first(d, "ledger")["counts"].update(seq=1), "counts to less"),
    ("unknown setting", lambda d: first(d, "ledger")["overrides"].update(x="1"), "x: no setting"),
    ("another seed", lambda d: first(d, "applications").update(requirement_id="x"), "--seed"),
    ("another type", lambda d: first(d, "documents").update(document_type_id="x"), "--seed"),
    ("no base64", lambda d: d["files"].update(a="%"), "is not base64"),
    ("no text", lambda d: d["files"].update(a=1), "is not base64"),
    ("another content", lambda d: d["files"].update(a="YQ=="), "another content"),
]


@pytest.mark.parametrize(
    ("spoil", "sentence"), [case[1:] for case in SPOILT], ids=[case[0] for case in SPOILT]
)
def test_a_spoilt_document_is_refused(
    taken: dict[str, Any], another: Http, spoil: Spoil, sentence: str
) -> None:
    """With a 400 that says what does not fit; the account stays as it was."""
    kept = another.sdk_created()
    before = snapshot_of(another)
    spoil(taken)
    body = {"snapshot": taken, "account": AUTH_ID}
    answer = another.control("POST", "/restore", body)
    assert answer.status_code == 400, answer.text
    assert sentence in answer.get_json()["detail"]
    assert snapshot_of(another) == before
    assert [a.id for a in another.account.store.applications.every()] == [kept]


@pytest.mark.parametrize("document", [None, [], "text", 7, {}])
def test_what_is_no_document_is_refused(another: Http, document: Any) -> None:
    """Whatever JSON it is."""
    body = {"snapshot": document, "account": AUTH_ID}
    assert another.control("POST", "/restore", body).status_code == 400


def test_an_empty_account_has_a_snapshot_too(another: Http) -> None:
    """With its clock."""
    document = snapshot_of(another)
    assert document["tables"]["applications"] == {}
    another.account.restore(load_snapshot(another.account, document))
    assert len(another.account.store.applications) == 0
