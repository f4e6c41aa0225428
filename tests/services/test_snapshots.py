"""A moment of an account as one JSON document."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain import limits
from plivo_sim.domain.errors import Invalid
from plivo_sim.domain.records import ATOMS_ADDRESS
from plivo_sim.domain.text import encode_json
from plivo_sim.services.snapshots import load_snapshot, save_snapshot
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import AUTH_ID, PDF, Http, calls_of

CALLBACK = "http://127.0.0.1:9/cb"


@pytest.fixture
def taken(http: Http) -> dict[str, Any]:
    """A snapshot, gone through JSON, of an account with an application in review."""
    http.account.configure({"review_delay": "3d"})
    http.sdk_created(callback_url=CALLBACK)
    return snapshot_of(http)


def snapshot_of(http: Http) -> dict[str, Any]:
    with http.account.lock:
        text = encode_json(save_snapshot(http.account, http.account.mark()))
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
    another.account.restore(load_snapshot(another.account, deepcopy(taken)))
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


def put(table: str, **values: Any) -> Spoil:
    """Sets fields of the table's first record."""
    return lambda document: first(document, table).update(values)


def file_of(document: dict[str, Any]) -> dict[str, Any]:
    """The file of the first document."""
    file: dict[str, Any] = first(document, "documents")["file"]
    return file


def drop(table: str) -> Spoil:
    """Takes all records of a table out, which others refer to."""
    return lambda document: document["tables"][table].clear()


def rename(table: str, id: str) -> Spoil:
    """Gives the first record another id."""

    def change(document: dict[str, Any]) -> None:
        rows = document["tables"][table]
        record = rows.pop(next(iter(rows)))
        rows[id] = record | {"id": id}

    return change


def policy(kind: str, body: str, id: str = "x") -> Spoil:
    """Puts a policy in."""
    record = {"id": id, "seq": 1, "kind": kind, "body": body}
    return lambda document: document["tables"]["policies"].update({id: record})


def late_clock(document: dict[str, Any]) -> None:
    """A moment before the calendar ends."""
    first(document, "ledger")["clock"]["now"] = "9999-12-31T23:59:59Z"


def twice_waited(document: dict[str, Any]) -> None:
    """A second timer for the same application."""
    id = "00000000-0000-4000-8000-000000000001"
    timer = first(document, "timers")
    document["tables"]["timers"][id] = timer | {"id": id, "seq": 1}


def long(table: str, field: str) -> Spoil:
    """Repeats the first value of a list."""

    def change(document: dict[str, Any]) -> None:
        record = first(document, table)
        record[field] = record[field][:1] * 600

    return change


def add_delivery(document: dict[str, Any], **values: Any) -> str:
    """Puts a callback in; returns its id."""
    id = "00000000-0000-4000-8000-000000000002"
    document["tables"]["deliveries"][id] = {
        "id": id,
        "seq": 1,
        "application_id": first(document, "applications")["id"],
        "url": CALLBACK,
        "method": "POST",
        "payload": [],
        "created_at": "2026-01-05T09:00:00Z",
    } | values
    return id


def sent_by(kind: str, **delivery: Any) -> Spoil:
    """Puts a callback and a timer for it in."""

    def change(document: dict[str, Any]) -> None:
        id = "00000000-0000-4000-8000-000000000003"
        document["tables"]["timers"][id] = {
            "id": id,
            "seq": 1,
            "due_at": "2026-01-05T09:00:00Z",
            "kind": kind,
            "subject_id": add_delivery(document, **delivery),
        }

    return change


def tried_at(url: str) -> Spoil:
    """A callback that was sent there."""
    at = "2026-01-05T09:00:00Z"
    tried = {"at": at, "url": url, "headers": [], "body": ""}
    return lambda document: add_delivery(document, attempts=[tried], state="delivered")


def many_attempts(document: dict[str, Any]) -> None:
    """More than any callback can have retries."""
    attempt = {
        "at": "2026-01-05T09:00:00Z", "url": CALLBACK, "headers": [], "body": "", "status": 500,
    }  # fmt: skip
    add_delivery(document, attempts=[attempt] * 22)


def crowd(kind: str, body: str, count: int) -> Spoil:
    """Puts many policies in."""

    def change(document: dict[str, Any]) -> None:
        first(document, "ledger")["counts"]["seq"] = 1000
        for n in range(count):
            policy(kind, body, f"x-{n}")(document)
            document["tables"]["policies"][f"x-{n}"]["seq"] = n + 1

    return change


def twice(table: str, field: str) -> Spoil:
    """What a list holds, again."""

    def change(document: dict[str, Any]) -> None:
        record = first(document, table)
        record[field] = record[field] * 2

    return change


def many_counters(document: dict[str, Any]) -> None:
    """Each would be written with every record."""
    counts = first(document, "ledger")["counts"]
    counts.update({f"fired:{n}": 1 for n in range(1000 - len(counts))})


def many_explanations(document: dict[str, Any]) -> None:
    """Of one application."""
    application = first(document, "applications")
    application["attempt"] = 50
    first(document, "ledger")["counts"]["seq"] = 1000
    kept = first(document, "explanations")
    document["tables"]["explanations"] = {
        id: kept | {"id": id, "seq": 100 + n, "attempt": n}
        for n in range(1, 22)
        for id in [f"{application['id']}/{n}"]
    }


SPOILT: list[tuple[str, Spoil, str]] = [
    ("format", lambda d: d.update(plivo_sim_snapshot=99), "snapshot document of format"),
    ("no tables", lambda d: d.pop("tables"), "snapshot.tables: must be an object"),
    ("a list of tables", lambda d: d.update(tables=[]), "snapshot.tables: must be an object"),
    ("a list of files", lambda d: d.update(files=[]), "snapshot.files: must be an object"),
    ("unknown table", lambda d: d["tables"].update(lost={}), "tables.lost: no such table"),
    ("a list of rows", lambda d: d["tables"].update(timers=[]), "timers: must be an object"),
    ("no record", lambda d: d["tables"]["timers"].update(a=1), "timers.a: 1 is not of type object"),
    ("no seq", lambda d: first(d, "documents").pop("seq"), "seq: is required"),
    (
        "unknown status",
        put("applications", status="lost"),
        "status: machine default has no status 'lost'",
    ),
    ("another id", own_id, "id: is 'another'"),
    ("a seq twice", seq_twice, "has a seq twice"),
    ("no ledger", lambda d: d["tables"]["ledger"].clear(), "no ledger"),
    ("counters behind", lambda d: first(d, "ledger")["counts"].update(seq=1), "counts to less"),
    ("a ledger out of place", put("ledger", seq=3), "ledger.ledger.seq: must be 0"),
    ("a count near the end", lambda d: first(d, "ledger")["counts"].update(seq=2**53), "0 to 1099"),
    ("another counter", lambda d: first(d, "ledger")["counts"].update(end_user=2**53), "0 to 1099"),
    ("a huge attempt", put("applications", attempt=2**53), "attempt: must be 0 to 1099"),
    ("an acceptance ahead", put("applications", acceptance=1), "acceptance: the ledger counts to"),
    ("an attempt ahead", put("applications", attempt=0), "attempt: the application has had fewer"),
    ("a late clock", late_clock, "clock.now: the clock stops at the year 9000"),
    ("a late time", put("documents", created_at="9999-12-31T23:59:59Z"), "is after the year 9000"),
    (
        "a draft in review",
        put("applications", status="draft", attempt=0),
        "the application is draft",
    ),
    ("two timers", twice_waited, "has a timer already"),
    ("a finished callback", sent_by("callback", state="delivered"), "is delivered: nothing more"),
    ("a notice for a callback", sent_by("notice"), "of kind notice cannot bring a callback to 'h"),
    (
        "a callback for a notice",
        sent_by("callback", url=ATOMS_ADDRESS),
        f"of kind callback cannot bring a callback to {ATOMS_ADDRESS!r}",
    ),
    (
        "long settings",
        lambda d: first(d, "ledger")["overrides"].update(holidays=",".join(["2026-01-26"] * 750)),
        "overrides: the account's own settings: 82",
    ),
    ("a long timeline", long("applications", "timeline"), "timeline: 600 are too many, at most"),
    ("many steps", long("timers", "steps"), "steps: 600 are too many, the first and at most"),
    ("many attempts", many_attempts, "attempts: 22 are too many, the first and at most 20"),
    ("many faults", crowd("fault", '{"effect":"reset"}', 51), "51 of kind fault are too many"),
    ("many outcomes", crowd("next_outcome", '{"decide":"accepted"}', 101), "101 of kind next_out"),
    ("many explanations", many_explanations, "21 of"),
    ("many counters", many_counters, "is no counter of this account"),
    ("an unknown counter", lambda d: first(d, "ledger")["counts"].update(lost=1), "no counter of"),
    ("a document twice", twice("applications", "document_ids"), "document_ids: has an entry twice"),
    ("said twice", put("applications", reviewed=[["a", ""]] * 2), "reviewed: has an entry twice"),
    (
        "much said",
        put("applications", reviewed=[[f"{n}", ""] for n in range(1001)]),
        "1001 are too",
    ),
    ("a field twice", put("documents", data_fields=[["a", "b"]] * 2), "data_fields: has an entry"),
    ("a huge count", lambda d: first(d, "ledger")["counts"].update(x=2**60), "must be 0 to"),
    ("unknown setting", lambda d: first(d, "ledger")["overrides"].update(x="1"), "no setting of"),
    ("another seed", put("applications", requirement_id="x"), "--seed"),
    ("another type", put("documents", document_type_id="x"), "--seed"),
    ("another country", put("applications", country_iso="FR"), "are not those of the application"),
    ("no base64", lambda d: d["files"].update({"a" * 64: "%"}), "is not base64"),
    ("no text", lambda d: d["files"].update({"a" * 64: 1}), "is not base64"),
    ("another content", lambda d: d["files"].update({"a" * 64: "YQ=="}), "another content"),
    ("a path for a file", lambda d: d["files"].update({"../../x": "YQ=="}), "is no SHA-256"),
    ("a path", lambda d: file_of(d).update(sha256="/etc/passwd"), "'/etc/passwd' is no SHA-256"),
    (
        "a lost file",
        lambda d: file_of(d).update(sha256="a" * 64),
        "file.sha256: there is no such file",
    ),
    ("a media type", lambda d: file_of(d).update(media_type="text/html"), "is not one of"),
    ("another media type", lambda d: file_of(d).update(media_type="image/jpeg"), "not that of"),
    ("another size", lambda d: file_of(d).update(size_bytes=1), "size_bytes: is not that of"),
    (
        "a naive time",
        put("applications", created_at="2026-01-05T09:00:00"),
        "no time with its zone",
    ),
    ("a far time", put("applications", created_at="2026-01-05T09:00:00+05:30"), "is not in UTC"),
    (
        "a clock that all but stands",
        lambda d: first(d, "ledger")["clock"].update(rate=1e-320),
        "clock",
    ),
    ("a naive clock", lambda d: first(d, "ledger")["clock"].update(now="2026-01-05"), "clock.now"),
    ("no steps", put("timers", steps=[]), "a review has steps, and nothing else has"),
    ("a long wait", lambda d: first(d, "timers")["steps"][0]["after"].update(seconds=1e12), "more"),
    ("a negative seq", put("timers", seq=-1), "seq: -1 is less than the minimum of 0"),
    ("a huge seq", put("timers", seq=2**70), "is more than the maximum"),
    ("a long name", put("end_users", name="x" * 256), "is too long: at most 255 characters"),
    ("an odd id", rename("applications", "../x"), "id: has not the form of such an id"),
    ("no end users", drop("end_users"), "end_user_id: there is no end user"),
    ("no documents", drop("documents"), "document_ids: there is no document"),
    ("no applications", drop("applications"), "subject_id: there is no application"),
    ("another attempt", put("explanations", attempt=7), "id: has not the form"),
    ("a notice to nobody", put("timers", kind="notice", steps=[]), "there is no delivery"),
    ("a bad URL", put("applications", callback_url="ftp://x/"), "must be an http or https URL"),
    (
        "a path for a name",
        lambda d: file_of(d).update(name="../../x"),
        "file.name: must be the name",
    ),
    (
        "lines for a name",
        lambda d: file_of(d).update(name="a\nb.pdf"),
        "file.name: must be the name",
    ),
    (
        "no name",
        lambda d: file_of(d).update(name=""),
        "file.name: must be the name of a file alone",
    ),
    ("no subaccount", put("applications", subaccount="../x"), "subaccount: has not the form of"),
    ("an odd callback", lambda d: add_delivery(d, application_id="x"), "application_id: has not"),
    ("an odd copy", lambda d: add_delivery(d, repeats="a\nb"), "repeats: has not the form of such"),
    ("a URL in lines", lambda d: add_delivery(d, url=f"{CALLBACK}\nx"), "url: must be an http or"),
    ("a try in lines", tried_at(f"{CALLBACK}\nx"), "attempts[0].url: must be an http or https URL"),
    ("a long fault", policy("fault", '{"effect":"reset"}', "x" * 101), "id: has not the form"),
    ("no JSON", policy("fault", "{"), "policies.x.body: JSON ends too early"),
    (
        "no scenario",
        policy("scenario", '{"rules":[1]}', "scenario"),
        "policies.scenario.body: rules",
    ),
    ("no fault", policy("fault", "{}"), "policies.x.body: effect: is required"),
    ("a wrong fault", policy("fault", '{"effect":"slow"}'), "needs latency_s"),
    ("a wrong delay", policy("webhooks", '{"delay":"x"}', "webhooks"), "cannot read duration"),
    ("another policy's id", policy("fault", '{"effect":"reset"}', "scenario"), "is not the id of"),
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
    assert all(each["path"].startswith("snapshot") for each in answer.get_json()["problems"])
    assert snapshot_of(another) == before
    assert [a.id for a in another.account.store.applications.every()] == [kept]


def test_counters_behind_the_records_give_no_id_twice(another: Http, taken: dict[str, Any]) -> None:
    """Creates, reviews and callbacks go on."""
    ledger = first(taken, "ledger")
    ledger["counts"] = {"seq": ledger["counts"]["seq"]}
    another.account.restore(load_snapshot(another.account, taken))
    there = first(taken, "applications")["id"]
    made = another.sdk_created(alias="next", callback_url=CALLBACK)
    assert made != there
    assert len(another.advance("5d")["happenings"]) == 4
    assert len(another.account.store.applications) == 2
    assert len(another.account.store.deliveries) == 2


def test_counters_at_their_bound_go_on_after_a_restart(
    taken: dict[str, Any], tmp_path: Path
) -> None:
    """What is acknowledged after a restore is read again at the next start."""
    counts = first(taken, "ledger")["counts"]
    counts.update(dict.fromkeys([*counts, "acceptance"], limits.MOST_COUNTED))
    first(taken, "applications")["attempt"] = limits.MOST_COUNTED
    taken["tables"]["explanations"].clear()
    on_disk = Settings(paused=True, state=tmp_path)
    sim = make_simulator(on_disk, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    body = {"snapshot": taken, "account": AUTH_ID}
    assert http.control("POST", "/restore", body).status_code == 200
    http.sdk_created(alias="next")
    http.advance("5d")
    before = list(http.account.store.applications.every())
    sim.close()
    again = make_simulator(on_disk, transport=MemoryTransport())
    assert again.damages == []
    assert list(again.account(AUTH_ID).store.applications.every()) == before
    again.close()


def test_where_callbacks_may_go_is_no_part_of_a_document(
    another: Http, http: Http, taken: dict[str, Any]
) -> None:
    """Neither when it is saved nor when it is restored: the account keeps its own."""
    http.account.configure({"allow_callback_hosts": "hooks.example.com"})
    assert "allow_callback_hosts" not in first(snapshot_of(http), "ledger")["overrides"]
    first(taken, "ledger")["overrides"]["allow_callback_hosts"] = "evil.example.com"
    for each, hosts in ((another, ()), (http, ("hooks.example.com",))):
        each.account.restore(load_snapshot(each.account, taken))
        assert each.account.settings.allow_callback_hosts == hosts


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


def test_every_problem_is_told_with_its_path(another: Http, taken: dict[str, Any]) -> None:
    """Of all records at once; of very many, a hundred."""
    application, user = first(taken, "applications"), first(taken, "end_users")
    application["created_at"], user["name"] = "2026-01-05T09:00:00", 5
    answer = another.control("POST", "/restore", {"snapshot": taken, "account": AUTH_ID})
    assert answer.get_json()["problems"] == [
        {
            "path": f"snapshot.tables.end_users.{user['id']}.name",
            "message": "5 is not of type string",
        },
        {
            "path": f"snapshot.tables.applications.{application['id']}.created_at",
            "message": "'2026-01-05T09:00:00' is no time with its zone",
        },
    ]
    taken["tables"]["timers"] = {str(n): n for n in range(500)}
    answer = another.control("POST", "/restore", {"snapshot": taken, "account": AUTH_ID})
    assert len(answer.get_json()["problems"]) == 100


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("documents", "data_fields", [1]),
        ("documents", "alias", [[]]),
        ("applications", "timeline", {"at": [], "by": "x"}),
        ("applications", "reviewed", ["a"]),
    ],
)
def test_no_more_mistakes_are_looked_for_than_are_told(
    another: Http, taken: dict[str, Any], table: str, field: str, value: Any
) -> None:
    """Ten times as many take as many steps."""
    counted = []
    for count in (500, 5000):
        first(taken, table)[field] = [value] * count
        with pytest.raises(Invalid) as caught:
            load_snapshot(another.account, taken)
        assert len(caught.value.problems) <= 100
        counted.append(calls_of(lambda: _refused(another, taken)))
    assert counted[1] < 1.1 * counted[0]


def _refused(http: Http, document: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        load_snapshot(http.account, document)


def test_files_of_a_refused_document_are_not_kept(another: Http, taken: dict[str, Any]) -> None:
    """Nothing of it is."""
    first(taken, "timers")["steps"] = []
    sha256 = file_of(taken)["sha256"]
    another.control("POST", "/restore", {"snapshot": taken, "account": AUTH_ID})
    assert another.account.files.read(sha256) is None


@pytest.mark.parametrize("payload", [[], [["compliance_id", "x"], ["status", "lost"]]])
def test_atoms_refuses_a_callback_that_says_nothing(
    another: Http, taken: dict[str, Any], payload: list[Any]
) -> None:
    """As a receiver does; it comes again, and the account goes on."""
    delivery = {
        "id": "00000000-0000-4000-8000-000000000000",
        "seq": 1,
        "application_id": "00000000-0000-4000-8000-000000000002",
        "url": "atoms://compliance/callback",
        "method": "POST",
        "payload": payload,
        "created_at": "2026-01-05T09:00:00Z",
    }
    timer = {
        "id": "00000000-0000-4000-8000-000000000001",
        "seq": 2,
        "due_at": "2026-01-05T09:00:00Z",
        "kind": "notice",
        "subject_id": delivery["id"],
    }
    taken["tables"]["deliveries"] = {delivery["id"]: delivery}
    taken["tables"]["timers"][timer["id"]] = timer
    body = {"snapshot": taken, "account": AUTH_ID}
    assert another.control("POST", "/restore", body).status_code == 200
    (shown,) = another.control("GET", "/webhooks").get_json()["webhooks"]
    assert [each["status"] for each in shown["attempts"]] == [400]


def test_a_long_name_is_not_told_with_each_mistake(another: Http) -> None:
    """It stands in the document once, and would stand in the answer a hundred times."""
    document = {"plivo_sim_snapshot": 1, "tables": {"end_users": {"x" * 100_000: {}}}, "files": {}}
    body = {"account": AUTH_ID, "snapshot": document}
    answer = another.control("POST", "/restore", body)
    assert (answer.status_code, len(answer.get_json()["problems"]) > 3) == (400, True)
    assert "x" * 77 + "..." in answer.text
    assert len(answer.text) < 20_000
