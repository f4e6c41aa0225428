"""An account that moves from one server to another: all of it, and no write of it is lost."""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plivo_sim import calls
from plivo_sim.account import logs
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.control import moves
from plivo_sim.domain.errors import Busy, NotServed, StorageFailed
from plivo_sim.domain.limits import Limit
from plivo_sim.services import applications, policies, reviews
from plivo_sim.simulator import Simulator, runner
from plivo_sim.webhooks import sender
from plivo_sim.webhooks.composing import DELIVERY_HEADER
from plivo_sim.webhooks.transport import MemoryTransport
from tests.conftest import PAUSED
from tests.control.support import check_problem
from tests.fakes import Gate, meanwhile, until
from tests.hostile.world import fill
from tests.support import AUTH_ID, Http, basic

ELSEWHERE = "http://127.0.0.1:8702"
MESSAGE = {
    "method": "POST", "url": "http://x/", "headers": {}, "query": {}, "body": "",
    "arrived": "2026-01-05T09:00:00Z",
}  # fmt: skip


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Http]:
    """Another simulator, with a state directory; the seed is the same."""
    hosts = ("receiver.example",)
    settings = replace(PAUSED, state=tmp_path / "elsewhere", allow_callback_hosts=hosts)
    sim = make_simulator(settings, transport=MemoryTransport())
    yield Http(create_app(sim), sim)
    sim.close()


def control(http: Http, method: str, path: str, body: Any = None, **query: str) -> Any:
    answer = http.control(method, path, body, account=AUTH_ID, **query)
    assert answer.status_code < 300, answer.text
    return answer.get_json()


def raise_(error: Exception) -> Any:
    raise error


def move(old: Http, new: Http) -> Any:
    """As ``plivo-sim account move`` does; returns what the new server says."""
    given = control(old, "POST", "/handover", {"to": ELSEWHERE})
    document = control(old, "GET", "/handover")
    told = control(new, "POST", "/takeover", {"snapshot": document, "rest": given["rest"]})
    for name in given["snapshots"]:
        document = control(old, "GET", "/handover", name=name)
        control(new, "POST", "/snapshot", {"name": name, "snapshot": document})
    control(old, "POST", "/handover/end", {"moved": True})
    return told


def everything(http: Http) -> Any:
    """All that the account is."""
    account = http.account
    with account.lock:
        return (
            account.store.mark(),
            account.clock.reading(),
            dict(account.overrides),
            account.token,
            account.subaccount_token,
            account.api_calls,
            policies.scenario_of(account),
            policies.faults_of(account),
            policies.webhook_policy(account),
            account.machine.name,
            account.agenda.next_instant(),
            dict(account.marks),
            [each.shown() for each in account.exchanges],
        )


def test_all_of_it_moves(http: Http, elsewhere: Http) -> None:
    """Records, files, clock, timers, settings, scenario, faults, policy, tokens, snapshots."""
    fill(http)
    control(http, "POST", "/accounts", {
        "auth_id": AUTH_ID, "settings": {"allow_callback_hosts": "receiver.example", "warp": "60"},
    })  # fmt: skip
    control(http, "POST", "/machine", {"name": "revocable"})
    control(http, "POST", "/next-outcome", {"decide": "rejected"})
    sub = f"SA{AUTH_ID[2:]}"
    headers = {"Authorization": basic(sub, "the subaccount's")}
    assert http.call("GET", f"/v1/Account/{sub}/EndUser/", headers=headers).status_code == 200
    control(http, "POST", "/snapshot", {"name": "a/b ü"})
    control(http, "POST", "/clock/advance", {"by": "1h"})
    before = everything(http)
    move(http, elsewhere)
    assert everything(elsewhere) == before
    assert before[4] == "the subaccount's"
    assert [each.auth_id for each in elsewhere.sim.accounts()] == [AUTH_ID]
    assert AUTH_ID not in [each.auth_id for each in http.sim.accounts()]


def test_its_callbacks_may_go_where_the_new_server_lets_them(
    http: Http, elsewhere: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the old one, which anybody may have written, says of it."""
    http.sdk_created()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    named = "169.254.169.254 other.example receiver.example 10.0.0.7"
    rest = given["rest"] | {"allow_callback_hosts": named}
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": rest}
    answer = control(elsewhere, "POST", "/takeover", taken)
    assert answer["hosts_left_out"] == ["169.254.169.254", "other.example"]
    assert answer["settings"]["allow_callback_hosts"] == "receiver.example,10.0.0.7"
    assert "without 169.254.169.254, other.example in its allow_callback_hosts" in caplog.text


def test_it_is_kept_where_it_went(http: Http, elsewhere: Http, tmp_path: Path) -> None:
    """After a restart too, with its files."""
    id = http.sdk_created()
    move(http, elsewhere)
    elsewhere.sim.close()
    sim = make_simulator(elsewhere.sim.settings, transport=MemoryTransport())
    again = Http(create_app(sim), sim)
    assert again.get(f"PhoneNumber/Compliance/{id}/").status_code == 200
    assert again.account.token == http.token
    sim.close()


def test_its_calls_are_refused_meanwhile_and_afterwards(http: Http, elsewhere: Http) -> None:
    id = http.sdk_created()
    path = f"PhoneNumber/Compliance/{id}/"
    control(http, "POST", "/handover", {"to": ELSEWHERE})
    for method in ("GET", "DELETE"):
        answer = http.call(method, path)
        assert (answer.status_code, ELSEWHERE in answer.get_json()["error"]) == (421, False)
    told = str(NotServed(AUTH_ID, "it is being moved"))
    for which, query in (("/clock", {}), ("/events", {}), ("/ids", {"kind": "request"})):
        answer = http.control("GET", which, account=AUTH_ID, **query)
        check_problem(answer, "misdirected", told)
    move(http, elsewhere)  # calling it once more goes on with the same
    answer = http.get(path)
    assert (answer.status_code, ELSEWHERE in answer.get_json()["error"]) == (421, True)
    assert elsewhere.get(path).status_code == 200
    move(elsewhere, http)
    assert http.get(path).status_code == 200


def test_the_url_that_it_moved_to_is_told_without_its_password(
    http: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """Every client of the account is told, and the log."""
    caplog.set_level("DEBUG", logger="plivo_sim")
    http.sdk_created()
    control(http, "POST", "/handover", {"to": "http://user:s3cret@sim.test:8702/?token=s3cret"})
    control(http, "POST", "/handover/end", {"moved": True})
    for answer in (http.get("EndUser/"), http.control("GET", "/clock", account=AUTH_ID)):
        assert (answer.status_code, "@sim.test:8702/" in answer.text) == (421, True)
        assert "s3cret" not in answer.text
    assert "@sim.test:8702/" in caplog.text
    assert "s3cret" not in caplog.text


def test_one_that_came_back_shares_its_folder_with_what_it_was(http: Http, elsewhere: Http) -> None:
    """Which may still clean up behind an upload that was refused: one guard for both."""
    elsewhere.sdk_created()
    before: Any = elsewhere.account.files
    move(elsewhere, http)
    move(http, elsewhere)
    after: Any = elsewhere.account.files
    assert after is not before
    assert after._guard is before._guard


def test_it_can_be_given_back(http: Http) -> None:
    """As it was, timers and all."""
    id = http.sdk_created()
    before = everything(http)
    control(http, "POST", "/handover", {"to": ELSEWHERE})
    control(http, "POST", "/handover/end", {"moved": False})
    assert everything(http) == before
    control(http, "POST", "/clock/advance", {"by": "10d"})
    assert control(http, "GET", f"/applications/{id}")["status"] == "accepted"


def test_a_call_that_was_under_way_writes_nothing_any_more(http: Http) -> None:
    """It had the account before it was handed over: what it would write is in no document."""
    http.sdk_created()
    account = http.account
    refused = []

    def late() -> None:
        try:
            account.configure({"warp": "7"})
        except NotServed as error:
            refused.append(error)

    with account.lock:
        thread = threading.Thread(target=late)
        thread.start()
        control(http, "POST", "/handover", {"to": ELSEWHERE})
    thread.join(60)
    assert len(refused) == 1
    assert "warp" not in account.overrides


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "PhoneNumber/Compliance/{id}/"),
        ("GET", "PhoneNumber/Compliance/"),
        ("DELETE", "PhoneNumber/Compliance/{id}/"),
    ],
)
def test_a_call_that_was_under_way_sees_no_emptied_account(
    http: Http, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """Neither an unknown id nor an empty list: it is told that the account is elsewhere."""
    id = http.sdk_created()
    begin = calls._begin

    def then_leave(call: Any, injector: Any) -> None:
        begin(call, injector)
        http.sim.hand_over(AUTH_ID, ELSEWHERE)
        http.sim.end_handover(AUTH_ID, moved=True)

    monkeypatch.setattr(calls, "_begin", then_leave)
    answer = http.call(method, path.format(id=id))
    assert (answer.status_code, ELSEWHERE in answer.text) == (421, True)


@pytest.mark.parametrize("fails", [False, True])
def test_it_writes_nothing_after_the_end_either(
    http: Http, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """It would be acknowledged and lost, and the account would be at two servers after a restart;
    nor when the account could not be deleted."""
    http.sdk_created()
    account = http.account
    control(http, "POST", "/handover", {"to": ELSEWHERE})

    def full(known: Any) -> None:
        raise StorageFailed("the disk is full")

    if fails:
        monkeypatch.setattr(account.files, "forget_all_but", full)
    answer = http.control("POST", "/handover/end", {"moved": True}, account=AUTH_ID)
    assert answer.status_code == (500 if fails else 200)
    told = "it is being moved" if fails else f"it was moved to {ELSEWHERE}"
    for write in (
        account.keep_ledger,
        account.reset,
        partial(account.restore, {}),
        partial(http.sim.remove, account),
    ):
        with pytest.raises(NotServed, match=told):
            write()
    http.sim.remove_all()  # which leaves alone what is not in use
    assert (account.retired, http.sim.accounts()) == (True, [])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_snapshot_that_is_changed_meanwhile_is_refused(
    http: Http, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The names of those that go along are told already."""
    http.sdk_created()
    control(http, "POST", "/snapshot", {"name": "a"})
    document = control(http, "GET", "/snapshot/a")
    account, find = http.account, http.sim.account
    control(http, "POST", "/handover", {"to": ELSEWHERE})
    monkeypatch.setattr(http.sim, "account", lambda auth_id: account)  # it was found before
    path, body = "/snapshot", {"name": "b", "snapshot": document}
    if method == "DELETE":
        path, body = "/snapshot/a", None
    answer = http.control(method, path, body, account=AUTH_ID)
    monkeypatch.setattr(http.sim, "account", find)
    check_problem(answer, "misdirected", str(account.refusal))
    assert [*account.marks] == ["a"]


class Meanwhile:
    """The lock of a simulator; what is done when somebody first wants it comes before him."""

    def __init__(self, sim: Simulator, work: Callable[[], object]) -> None:
        self.sim, self.work = sim, work
        self.lock, sim._lock = sim._lock, self  # type: ignore[assignment]

    def __enter__(self) -> None:
        self.sim._lock = self.lock
        self.work()
        self.lock.acquire()

    def __exit__(self, *raised: object) -> None:
        self.lock.release()


def test_whoever_looks_for_it_while_it_leaves_makes_no_second_one(elsewhere: Http) -> None:
    """Over the same files, which the first one has in use."""
    sim = elsewhere.sim
    elsewhere.sdk_created()
    Meanwhile(sim, partial(sim.hand_over, AUTH_ID, ELSEWHERE))
    with pytest.raises(NotServed):
        sim.account(AUTH_ID)
    sim.end_handover(AUTH_ID, moved=False)
    Meanwhile(sim, partial(sim.hand_over, AUTH_ID, ELSEWHERE))
    with pytest.raises(Busy, match="is being moved"), sim.taking_over(AUTH_ID):
        pass
    assert sim.accounts() == []


def again(sim: Simulator) -> Http:
    """Its server once more, after a kill: what it has on the disk is all that there is."""
    kept = sim.settings.state
    assert kept is not None
    copied = kept.with_name(f"{kept.name}-again")
    shutil.copytree(kept, copied)
    sim.close()
    anew = make_simulator(replace(sim.settings, state=copied), transport=MemoryTransport())
    return Http(create_app(anew), anew)


def test_a_server_that_stops_meanwhile_keeps_it_out_of_use(elsewhere: Http) -> None:
    """The other one may have it. Asked once more, it goes on with the same move."""
    id = elsewhere.sdk_created()
    path = f"PhoneNumber/Compliance/{id}/"
    given = control(elsewhere, "POST", "/handover", {"to": ELSEWHERE, "move": "one"})
    document = control(elsewhere, "GET", "/handover")
    old = again(elsewhere.sim)
    assert (old.get(path).status_code, old.sim.accounts()) == (421, [])
    with pytest.raises(NotServed, match="it is being moved"):
        old.sim.account(AUTH_ID)
    shown = control(old, "POST", "/handover", {"to": ELSEWHERE, "move": "another"})
    assert (shown["move"], shown["rest"]["token"]) == ("one", given["rest"]["token"])
    assert control(old, "GET", "/handover") == document
    control(old, "POST", "/handover/end", {"moved": False})
    assert old.get(path).status_code == 200
    old = again(old.sim)
    assert old.get(path).status_code == 200
    control(old, "POST", "/handover", {"to": ELSEWHERE})
    control(old, "POST", "/handover/end", {"moved": True})
    old = again(old.sim)
    assert old.get(path).status_code == 404
    old.sim.close()


def test_a_server_that_was_started_anew_knows_by_which_move_it_has_it(
    http: Http, elsewhere: Http
) -> None:
    """And does not undo it: what was written meanwhile is not known."""
    http.sdk_created()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE, "move": "one"})
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"], "move": "one"}
    control(elsewhere, "POST", "/takeover", taken)
    new = again(elsewhere.sim)
    body = {"move": "one", "undo": True}
    assert control(new, "POST", "/takeover/end", body)["taken"] is True
    other = new.control("POST", "/takeover/end", {"move": "two"}, account=AUTH_ID)
    assert other.status_code == 409
    control(new, "POST", "/restore", {"snapshot": taken["snapshot"]})
    assert control(new, "POST", "/takeover/end", body)["taken"] is True
    new.sim.close()


def test_no_document_says_that_an_account_is_being_moved(elsewhere: Http) -> None:
    elsewhere.sdk_created()
    control(elsewhere, "POST", "/snapshot", {"name": "kept"})
    document = control(elsewhere, "GET", "/snapshot/kept")
    ledger = document["tables"]["ledger"]["ledger"]
    assert ledger.keys().isdisjoint({"move", "leaving_to", "leaving_by"})
    ledger.update(move="one", leaving_to=ELSEWHERE, leaving_by="two")
    control(elsewhere, "POST", "/restore", {"snapshot": document})
    new = again(elsewhere.sim)
    assert (new.get("EndUser/").status_code, new.account.move) == (200, "")
    new.sim.close()


@pytest.mark.parametrize("path", ["/handover", "/handover/end"])
def test_a_step_of_a_move_that_cannot_be_written_down_changes_nothing(
    http: Http, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    http.sdk_created()
    account, is_end = http.account, path == "/handover/end"
    if is_end:
        control(http, "POST", "/handover", {"to": ELSEWHERE})
    body = {"moved": False} if is_end else {"to": ELSEWHERE}
    with monkeypatch.context() as patched:
        patched.setattr(account, "_ledger", lambda: raise_(StorageFailed("the disk is full")))
        answer = http.control("POST", path, body, account=AUTH_ID)
    assert answer.status_code == 500
    assert http.get("EndUser/").status_code == (421 if is_end else 200)
    if is_end:
        control(http, "POST", path, body)
    assert account.leaving is None
    http.sdk_created()


def test_nothing_is_taken_over_in_place_of_what_is_there(http: Http, elsewhere: Http) -> None:
    elsewhere.sdk_created()
    before = everything(elsewhere)
    http.sdk_created()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"]}
    answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "busy")
    assert everything(elsewhere) == before


def test_whether_it_was_taken_over_can_be_asked(http: Http, elsewhere: Http) -> None:
    """Who asks in vain can be sure that it will not be: a takeover still under way is refused."""

    def ends(move: str) -> Any:
        return elsewhere.control("POST", "/takeover/end", {"move": move}, account=AUTH_ID)

    http.sdk_created()
    for move in ("first", "second"):
        given = control(http, "POST", "/handover", {"to": ELSEWHERE, "move": move})
        again = control(http, "POST", "/handover", {"to": ELSEWHERE, "move": "another"})
        assert (given["move"], again) == (move, given)
        taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"], "move": move}
        if move == "first":
            assert ends(move).get_json() == {"account": AUTH_ID, "move": move, "taken": False}
        answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
        assert answer.status_code == (409 if move == "first" else 201)
        control(http, "POST", "/handover/end", {"moved": move == "second"})
    assert ends("second").get_json()["taken"] is True
    answer = http.control("POST", "/handover", {"to": ELSEWHERE}, account=AUTH_ID)
    check_problem(answer, "misdirected", str(NotServed(AUTH_ID, f"it was moved to {ELSEWHERE}")))
    assert ends("first").status_code == 409  # it is here, by another move, or by which one?
    for wrong in ("", 1, "x" * 101):
        answer = elsewhere.control("POST", "/takeover/end", {"move": wrong}, account=AUTH_ID)
        assert answer.get_json()["problems"][0]["path"] == "move"
    control(elsewhere, "POST", "/reset", {})
    assert ends("second").get_json()["taken"] is False


def moved_with_a_snapshot(http: Http, elsewhere: Http) -> Any:
    """In the move ``one``, not ended, with its snapshot ``kept``; returns what was taken over."""
    http.sdk_created()
    control(http, "POST", "/snapshot", {"name": "kept"})
    given = control(http, "POST", "/handover", {"to": ELSEWHERE, "move": "one"})
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"], "move": "one"}
    control(elsewhere, "POST", "/takeover", taken)
    document = control(http, "GET", "/handover", name="kept")
    kept = {"name": "kept", "snapshot": document, "move": "one"}
    control(elsewhere, "POST", "/snapshot", kept)
    return taken


@pytest.fixture
def calling() -> Iterator[tuple[Http, Gate]]:
    """A simulator while its receiver is being called; two callbacks of an application are due."""
    gate = Gate()
    settings = replace(PAUSED, allow_callback_hosts=("receiver.example",))
    sim = make_simulator(settings, transport=gate)
    http = Http(create_app(sim), sim)
    id = http.sdk_created(callback_url="https://receiver.example/")
    account = http.account
    for status in ("accepted", "suspended"):
        with account.transaction():
            reviews.decide(account, applications.get(account, id), status)
    sim.runner.start_due(account)
    gate.wait_for(1)
    yield http, gate
    gate.open()
    sim.close()


def deliveries(http: Http) -> list[tuple[str, str, int]]:
    found = control(http, "GET", "/webhooks")["webhooks"]
    return sorted((each["id"], each["state"], len(each["attempts"])) for each in found)


def test_a_callback_that_is_under_way_is_waited_for(
    calling: tuple[Http, Gate], elsewhere: Http, caplog: pytest.LogCaptureFixture
) -> None:
    """What its receiver answered is written down; the one behind it comes from the new server."""
    http, gate = calling
    account = http.account
    ids = [id for id, _, _ in deliveries(http)]
    with meanwhile(lambda: move(http, elsewhere)):
        until(lambda: account.retired)
        gate.open()
    assert deliveries(elsewhere) == [(id, "delivered", 1) for id in ids]
    assert len(gate.sent) == 1
    assert not account.under_way
    assert not caplog.records


def test_a_callback_that_hangs_comes_again(
    calling: tuple[Http, Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same id; from the old server, if the account stays there."""
    http, gate = calling
    monkeypatch.setattr(runner, "SENDS_WAIT_S", 0)
    monkeypatch.setattr(sender, "CUT_WAIT_S", 0)
    before = deliveries(http)
    control(http, "POST", "/handover", {"to": ELSEWHERE})
    control(http, "POST", "/handover/end", {"moved": False})
    assert deliveries(http) == before
    gate.open()
    until(lambda: not http.account.under_way)
    http.sim.runner.finish_due(http.account, 60)
    _, *again = [dict(each.headers)[DELIVERY_HEADER] for each in gate.sent]
    assert sorted(again) == [id for id, _, _ in before]


@pytest.mark.parametrize("snapshot", ["mine", "kept"])
def test_a_snapshot_that_was_made_since_is_a_use(
    http: Http, elsewhere: Http, snapshot: str
) -> None:
    """Of its own, or in the place of one that the move brought along."""
    taken = moved_with_a_snapshot(http, elsewhere)
    control(elsewhere, "POST", "/snapshot", {"name": snapshot, "snapshot": taken["snapshot"]})
    body = {"move": "one", "undo": True}
    assert control(elsewhere, "POST", "/takeover/end", body)["taken"] is True
    names = [each["name"] for each in control(elsewhere, "GET", "/snapshots")["snapshots"]]
    assert names == [*dict.fromkeys(("kept", snapshot))]


@pytest.mark.parametrize("is_used", [False, True])
def test_a_takeover_is_undone_unless_the_account_was_used_since(
    http: Http, elsewhere: Http, is_used: bool
) -> None:
    """What was acknowledged stays; and what the move itself brought along is no use."""
    taken = moved_with_a_snapshot(http, elsewhere)
    assert elsewhere.get("EndUser/").status_code == 200  # a read is no use either
    made = [elsewhere.sdk_created()] if is_used else []
    for _ in range(2):
        body = {"move": "one", "undo": True}
        assert control(elsewhere, "POST", "/takeover/end", body)["taken"] is is_used
        assert len(elsewhere.sim.accounts()) == len(made)
    for id in made:
        assert elsewhere.get(f"PhoneNumber/Compliance/{id}/").status_code == 200
    answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
    assert answer.status_code == 409


def test_a_takeover_that_fails_brings_back_nothing(http: Http, elsewhere: Http) -> None:
    """An account that was moved away stays away: else it would be on two servers."""
    http.sdk_created()
    move(http, elsewhere)
    answer = http.control("POST", "/takeover", {"snapshot": {}, "rest": {}}, account=AUTH_ID)
    assert answer.status_code == 400
    assert http.get("EndUser/").status_code == 421


def test_what_is_written_while_a_takeover_is_read_stays(
    http: Http, elsewhere: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was acknowledged: the takeover is refused."""
    http.sdk_created()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"]}
    read, made = moves._rest_of, []

    def meanwhile(value: Any) -> Any:
        thread = threading.Thread(target=lambda: made.append(elsewhere.sdk_created()))
        thread.start()
        thread.join(30)
        return read(value)

    monkeypatch.setattr(moves, "_rest_of", meanwhile)
    answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "busy")
    assert elsewhere.get(f"PhoneNumber/Compliance/{made[0]}/").status_code == 200


def test_a_handover_ends_once(http: Http) -> None:
    http.sdk_created()
    control(http, "POST", "/handover", {"to": ELSEWHERE})
    control(http, "POST", "/handover/end", {"moved": False})
    answer = http.control("POST", "/handover/end", {"moved": True}, account=AUTH_ID)
    assert answer.status_code == 404
    assert len(http.account.store.applications) == 1


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        ({"token": 1}, "rest.token"),
        ({"tokens": "x"}, "rest.tokens"),
        ({"messages": {"a": [{"method": "GET"}]}}, "rest.messages"),
        ({"messages": {"a": [{**MESSAGE, "method": "G T"}]}}, "rest.messages.a[0]"),
        ({"messages": {"a": [{**MESSAGE, "headers": {"X Y": "a"}}]}}, "rest.messages.a[0]"),
        ({"messages": {"a": [{**MESSAGE, "headers": {"X": "a\nb"}}]}}, "rest.messages.a[0]"),
        ({"allow_callback_hosts": "not a host/"}, "rest.allow_callback_hosts"),
        ({"requests": [{"id": "x"}]}, "rest.requests"),
        ({"api_calls": -5}, "rest.api_calls"),
        ({"token": ""}, "rest.token"),
        ({"messages": {"x" * 300: []}}, "rest.messages"),
        ([], "rest"),
    ],
)
def test_what_is_taken_over_is_checked(http: Http, elsewhere: Http, rest: Any, path: str) -> None:
    """And nothing of it is there afterwards."""
    http.sdk_created()
    control(http, "POST", "/handover", {"to": ELSEWHERE})
    document = control(http, "GET", "/handover")
    for taken in ({"snapshot": document, "rest": rest}, {"snapshot": {}, "rest": {"token": "t"}}):
        answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
        assert answer.status_code == 400, answer.text
        paths = [each["path"] for each in answer.get_json()["problems"]]
        assert paths[0].startswith(path if taken["rest"] == rest else "snapshot")
        assert elsewhere.sim.accounts() == []
        assert elsewhere.account.token is None
        assert elsewhere.account.overrides == {}


GONE = object()


@pytest.mark.parametrize(
    ("places", "value"),
    [
        (("environ",), {}),
        (("environ", "REQUEST_METHOD"), GONE),
        (("environ", "REQUEST_METHOD"), "G\r\nT"),
        (("environ", "REQUEST_METHOD"), 'POST" if not open("x") else "POST'),
        (("environ", "PATH_INFO"), "v1"),
        (("environ", "QUERY_STRING"), "a b"),
        (("environ", "HTTP_X Y"), "a"),
        (("environ", "HTTP_USER_AGENT"), "\x1b[2J"),
        (("environ", "HTTP_USER_AGENT"), "€"),
        (("operation",), "a b"),
        (("id",), "<x>"),
        (("environ", "PATH_INFO"), GONE),
        (("environ", "PATH_INFO"), "/€"),
        (("environ", "SCRIPT_NAME"), "/€"),
        (("environ", "QUERY_STRING"), GONE),
        (("environ", "QUERY_STRING"), "é=1"),
        (("environ", "QUERY_STRING"), "a\nb"),
        (("environ", "HTTP_USER_AGENT"), "a\r\nb"),
        (("environ", "CONTENT_TYPE"), "a\nb"),
        (("environ", "wsgi.url_scheme"), "javascript"),
        (("arrived_s",), 1e300),
        (("arrived_s",), -1e300),
        (("took_ms",), 1e300),
        (("took_ms",), -1),
        (("at",), "2026-01-05T09:00:00"),
        (("status",), 2**60),
        (("answer_size",), 2**60),
        (("sent", "size_bytes"), 2**60),
        (("sent", "parts", 1, "sha256"), GONE),
        (("sent", "parts", 1, "sha256"), "../../../etc/passwd"),
        (("sent", "parts", 1, "sha256"), f"{'a' * 64}\n"),
        (("sent", "parts", 1, "size_bytes"), -1),
    ],
)
def test_a_request_that_nobody_could_look_at_is_refused(
    http: Http, elsewhere: Http, places: tuple[str | int, ...], value: Any
) -> None:
    """Its types are right, and its URL is none; or its dates are in no year that there is."""
    http.sdk_created()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    document = control(http, "GET", "/handover")
    last = len(given["rest"]["requests"]) - 1
    inner: Any = given["rest"]["requests"][last]
    for place in places[:-1]:
        inner = inner[place]
    if value is GONE:
        del inner[places[-1]]
    else:
        inner[places[-1]] = value
    taken = {"snapshot": document, "rest": given["rest"]}
    answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
    assert answer.status_code == 400
    assert answer.get_json()["problems"][0]["path"].startswith(f"rest.requests[{last}]")


def test_a_request_that_moved_is_made_again_by_its_new_server(http: Http, elsewhere: Http) -> None:
    """Whatever else its environment said of the old one."""
    http.get("EndUser/")
    http.account.keep_ledger()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    document = control(http, "GET", "/handover")
    given["rest"]["requests"][0]["environ"] |= {
        "SERVER_PORT": "1", "plivo_sim.connection": "x", "wsgi.input": "x",
        "plivo_sim.refused": "x", "plivo_sim.held": "x", "plivo_sim.action": "x",
    }  # fmt: skip
    taken = {"snapshot": document, "rest": given["rest"]}
    control(elsewhere, "POST", "/takeover", taken)
    [kept] = control(elsewhere, "GET", "/requests")["requests"]
    made = control(elsewhere, "POST", f"/requests/{kept['id']}/resend", {})
    assert (made["status"], made["url"]) == (200, kept["url"])


def test_what_a_request_that_moved_shows_is_masked_once_more(http: Http, elsewhere: Http) -> None:
    """Where the user name is none, nothing of the login is shown, and no shell obeys it."""
    http.get("EndUser/")
    http.account.keep_ledger()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    environ = given["rest"]["requests"][0]["environ"]
    environ |= {"HTTP_AUTHORIZATION": "Basic $(x):***", "QUERY_STRING": "token=secret"}
    body = base64.b64encode(b'{"auth_token": "secret"}').decode()
    parts = [
        {"name": "auth_token", "text": "secret"},
        {"name": "data", "text": '{"auth_token": "secret"}'},
        {"name": "url", "text": "http://host/?auth_token=secret"},
        {"name": "x", "text": "as it is"},
    ]
    given["rest"]["requests"][0] |= {
        "sent": {"content": body, "parts": parts, "size_bytes": 24},
        "answer": body, "answer_end": body, "answer_headers": [["X-Auth-Token", "secret"]],
    }  # fmt: skip
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"]}
    control(elsewhere, "POST", "/takeover", taken)
    [kept] = control(elsewhere, "GET", "/requests")["requests"]
    assert kept["headers"]["Authorization"] == "***"
    assert "secret" not in str(kept)
    [exchange] = elsewhere.account.exchanges
    assert b"secret" not in msgspec.json.encode(exchange)
    assert exchange.sent.content == b'{"auth_token":"***"}'
    assert exchange.sent.parts[-1] == parts[-1]


@pytest.mark.parametrize(
    ("mount", "path"),
    [("", "/_sim/reset"), ("", f"/console/{AUTH_ID}/"), ("/_sim/inbox", f"/v1/Account/{AUTH_ID}/")],
)
def test_only_a_call_of_an_imitated_api_is_made_again(
    http: Http, elsewhere: Http, mount: str, path: str
) -> None:
    """Whatever another server says that was called."""
    http.get("EndUser/")
    http.account.keep_ledger()
    given = control(http, "POST", "/handover", {"to": ELSEWHERE})
    request = given["rest"]["requests"][0]
    request["environ"] |= {"SCRIPT_NAME": mount, "PATH_INFO": path, "REQUEST_METHOD": "POST"}
    taken = {"snapshot": control(http, "GET", "/handover"), "rest": given["rest"]}
    control(elsewhere, "POST", "/takeover", taken)
    answer = elsewhere.control("POST", f"/requests/{request['id']}/resend", {"account": AUTH_ID})
    told = "it is no call of an imitated API"
    assert (answer.status_code, answer.get_json()["problems"][0]["message"]) == (400, told)


@pytest.mark.parametrize("arrived", ["", "x", "0001-01-01T00:00:00"])
def test_a_message_that_came_at_no_instant_is_refused(elsewhere: Http, arrived: str) -> None:
    message = {"method": "POST", "url": "", "headers": {}, "query": {}, "body": ""}
    rest = {"messages": {"box": [message | {"arrived": arrived}]}}
    taken = {"snapshot": {}, "rest": rest}
    answer = elsewhere.control("POST", "/takeover", taken, account=AUTH_ID)
    assert answer.get_json()["problems"][0]["path"] == "rest.messages.box[0].arrived"


def test_only_what_is_there_can_be_handed_over(http: Http) -> None:
    for method, path, body in (
        ("POST", "/handover", {"to": ELSEWHERE}),
        ("GET", "/handover", None),
        ("POST", "/handover/end", {"moved": True}),
    ):
        assert http.control(method, path, body, account=AUTH_ID).status_code == 404
    http.sdk_created()
    for body in ({}, {"to": "ftp://x"}, {"to": 1}, {"to": "http://a/b c"}, {"to": "http://a/é"}):
        answer = http.control("POST", "/handover", body, account=AUTH_ID)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid")
    answer = http.control("POST", "/handover", {"to": ELSEWHERE})
    assert answer.get_json()["code"] == "account_required"


def test_messages_of_inboxes_go_along(http: Http, elsewhere: Http) -> None:
    """Those that are the account's callbacks."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/x")
    control(http, "POST", f"/applications/{id}/decision", {"status": "rejected"})
    delivery = control(http, "GET", "/webhooks")["webhooks"][0]["id"]
    own = {"X-Plivo-Sim-Delivery": delivery}
    for headers in (own, {"X-Plivo-Sim-Delivery": "another"}, {}):
        http.call("POST", "/_sim/inbox/box", json={"a": 1}, headers=headers)
    move(http, elsewhere)
    found = elsewhere.control("GET", "/inbox/box/messages").get_json()["messages"]
    assert [each["headers"]["X-Plivo-Sim-Delivery"] for each in found] == [delivery]


def test_inboxes_that_come_push_out_none(
    http: Http, elsewhere: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What there is no room for stays behind, and is told of; so is what they had forgotten."""
    monkeypatch.setattr(logs, "INBOX_MESSAGES", Limit("inbox_messages", 2, "messages", ""))
    id = http.sdk_created(callback_url="http://127.0.0.1:9/x")
    control(http, "POST", f"/applications/{id}/decision", {"status": "rejected"})
    own = {"X-Plivo-Sim-Delivery": control(http, "GET", "/webhooks")["webhooks"][0]["id"]}
    elsewhere.call("POST", "/_sim/inbox/theirs", data=b"1")
    for name in ("one", "one", "one", "two"):
        http.call("POST", f"/_sim/inbox/{name}", data=b"1", headers=own)
    monkeypatch.setattr(logs, "INBOXES", Limit("inboxes", 2, "inboxes", ""))
    told = move(http, elsewhere)
    assert told["inboxes_left_out"] == ["two"]
    counts = {}
    for name in ("theirs", "one", "two"):
        answer = elsewhere.control("GET", f"/inbox/{name}/messages").get_json()
        counts[name] = len(answer["messages"]), answer["uncertain"]
    assert counts == {"theirs": (1, 0), "one": (2, 2), "two": (0, 1)}
