"""Undo: moments that are kept by themselves, going back to them, and what that would lose."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from plivo_sim.account.account import KEPT_EXCHANGES, Account
from plivo_sim.control.answers import UndoneOut, UndoOut, UndoPointOut
from plivo_sim.domain import limits
from plivo_sim.services import document_sets
from plivo_sim.web import patience
from plivo_sim.web.calls import current_call
from tests.control.support import other_account
from tests.support import AUTH_ID, PDF, Http, check_answer


def keep(http: Http, what: str = "a decision") -> int:
    answer = http.control("POST", "/undo/points", {"what": what, "account": http.auth_id})
    assert answer.status_code == 201, answer.text
    check_answer(answer.get_json(), UndoPointOut)
    return int(answer.get_json()["point"])


def points(http: Http) -> list[dict[str, Any]]:
    answer = http.control("GET", "/undo", account=http.auth_id).get_json()
    check_answer(answer, UndoOut)
    return list(answer["points"])


def undo(http: Http, **body: Any) -> Any:
    return http.control("POST", "/undo", {"account": http.auth_id} | body)


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def wrong(answer: Any) -> list[str]:
    """The paths of what is wrong."""
    assert refused(answer) == (400, "invalid")
    return [each["path"] for each in answer.get_json()["problems"]]


def status(http: Http, id: str) -> str:
    return str(http.control("GET", f"/applications/{id}").get_json()["status"])


def test_back_to_before(http: Http) -> None:
    """Records, clock and what is due are as they were."""
    id = http.sdk_created()
    before = http.control("GET", "/export", account=AUTH_ID).get_json()
    keep(http, "Advanced by 5d.")
    http.advance("5d")
    answer = undo(http, sure=True)
    check_answer(answer.get_json(), UndoneOut)
    assert answer.get_json()["undone"] == "Advanced by 5d."
    assert http.control("GET", "/export", account=AUTH_ID).get_json() == before
    assert status(http, id) == "submitted"


def test_one_step_after_the_other(http: Http) -> None:
    """The last one first; what is undone is no point any more."""
    id = http.sdk_created()
    for word in ("accepted", "suspended", "accepted"):
        keep(http, word)
        http.decide(id, word)
    assert [each["what"] for each in points(http)] == ["accepted", "suspended", "accepted"]
    for word in ("suspended", "accepted", "submitted"):
        assert undo(http, sure=True).status_code == 200
        assert status(http, id) == word
    assert refused(undo(http)) == (404, "not_found")


def test_several_at_once(http: Http) -> None:
    """By the number of a point; those behind it go with it."""
    id = http.sdk_created()
    first = keep(http)
    http.decide(id, "accepted")
    keep(http)
    http.decide(id, "suspended")
    assert undo(http, point=first, sure=True).status_code == 200
    assert (status(http, id), points(http)) == ("submitted", [])


def test_what_others_did_is_not_lost_silently(http: Http) -> None:
    """It says what, undoes nothing, and does when one is sure."""
    id = http.sdk_created()
    number = keep(http)
    http.decide(id, "accepted")
    http.sdk_created(alias="another")
    (point,) = points(http)
    assert [(each["by"], each["path"]) for each in point["lost"]] == [
        ("control", f"/_sim/applications/{id}/decision"),
        ("api", f"/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/"),
    ]
    answer = undo(http, point=number)
    assert refused(answer) == (409, "would_lose")
    assert "followed by 2 other calls, which would be undone too" in answer.get_json()["detail"]
    assert status(http, id) == "accepted"
    assert undo(http, sure=True).get_json()["lost"] == 2
    assert status(http, id) == "submitted"


def while_it_waits(http: Http, monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> list[Any]:
    """What comes of ``do``, in a decision that has been written and waits for its receiver."""
    came: list[Any] = []

    def deliver(*_: Any, **__: Any) -> None:
        thread = threading.Thread(target=lambda: came.append(do()))
        thread.start()
        thread.join(30)

    monkeypatch.setattr(http.sim.runner, "deliver", deliver)
    return came


def test_what_is_not_answered_yet_is_not_lost_silently(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before, only what was answered counted: it was undone, ``lost`` was 0, and it was told as
    done."""
    id = http.sdk_created()
    keep(http)
    came = while_it_waits(http, monkeypatch, lambda: (points(http), undo(http)))
    assert http.decide(id, "accepted").status_code == 200
    ((((point,), answer)),) = came
    assert [each["path"] for each in point["lost"]] == [f"/_sim/applications/{id}/decision"]
    assert refused(answer) == (409, "would_lose")
    assert status(http, id) == "accepted"
    assert http.account.unanswered == set()


@pytest.mark.parametrize("end", ["undo", "restore", "reset"])
def test_a_call_that_was_undone_before_its_answer_is_told(
    http: Http, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """As an advance is."""
    id = http.sdk_created()
    http.control("POST", "/snapshot", {"name": "s", "account": AUTH_ID})
    keep(http)
    ends = {
        "undo": lambda: undo(http, sure=True),
        "restore": lambda: http.control("POST", "/restore", {"name": "s", "account": AUTH_ID}),
        "reset": lambda: http.control("POST", "/reset", {"account": AUTH_ID}),
    }
    came = while_it_waits(http, monkeypatch, ends[end])
    answer = http.decide(id, "accepted")
    assert [each.status_code for each in came] == [200]
    assert refused(answer) == (409, "busy")
    assert "what it did is undone" in answer.get_json()["detail"]


@pytest.mark.parametrize(("end", "told"), [("undo", 201), ("restore", 201), ("reset", 409)])
def test_a_snapshot_that_stands_is_told_so(
    http: Http, monkeypatch: pytest.MonkeyPatch, end: str, told: int
) -> None:
    """An undo and a restore, before its answer, leave it; a reset takes it away."""
    http.control("POST", "/snapshot", {"name": "s", "account": AUTH_ID})
    keep(http)
    http.sdk_created()
    ends: dict[str, tuple[str, dict[str, Any]]] = {
        "undo": ("/undo", {"sure": True}),
        "restore": ("/restore", {"name": "s"}),
        "reset": ("/reset", {}),
    }  # fmt: skip
    path, body = ends[end]
    end_of, came = patience.end, []

    def meanwhile() -> None:
        monkeypatch.setattr(patience, "end", end_of)
        asked = partial(http.control, "POST", path, body | {"account": AUTH_ID})
        thread = threading.Thread(target=lambda: came.append(asked().status_code))
        thread.start()
        thread.join(60)
        end_of()

    http.control("POST", "/clock/resume", {"account": AUTH_ID})
    monkeypatch.setattr(patience, "end", meanwhile)
    answer = http.control("POST", "/snapshot", {"name": "new", "account": AUTH_ID})
    assert (came, answer.status_code) == ([200], told)
    assert ("new" in http.account.marks) == (told == 201)


@pytest.mark.parametrize("path", ["/webhooks/none/replay", "/clock/settle"])
def test_what_was_due_is_no_doing_of_a_call(
    http: Http, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Which only made it happen, in whichever account: an end of that is none of the call's."""
    id = http.sdk_created()
    with http.account.lock:
        http.account.clock.move_to(http.account.now() + timedelta(days=30))
    end_of, wrote = patience.end, []

    def noting() -> None:
        wrote.append(current_call().wrote)
        end_of()

    monkeypatch.setattr(patience, "end", noting)
    http.control("POST", path)
    application = http.account.store.applications.fetch(id)
    assert application is not None
    assert application.status == "accepted"
    assert wrote == [{}]


def test_what_was_written_before_the_point_is_not_lost(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is answered behind it; and an undo to there does not count it as undone."""
    id = http.sdk_created()
    first = keep(http)
    while_it_waits(http, monkeypatch, lambda: keep(http))
    http.decide(id, "accepted")
    http.account.configure({"strict": "true"})
    assert [each["lost_count"] for each in points(http)] == [1, 0]
    assert undo(http).get_json()["lost"] == 0
    assert status(http, id) == "accepted"
    assert refused(undo(http, point=first)) == (409, "would_lose")


def test_reads_and_refusals_are_nothing_to_lose(http: Http) -> None:
    """Only what changed something counts."""
    id = http.sdk_created()
    keep(http)
    http.account.configure({"strict": "true"})
    http.get(f"PhoneNumber/Compliance/{id}/")
    http.post("PhoneNumber/Compliance/", json={})
    http.decide(id, "expired")  # 409: it is not accepted
    http.control("POST", "/clock/settle", {"account": AUTH_ID})
    assert [each["lost_count"] for each in points(http)] == [0]


def test_calls_that_are_not_kept_any_more_are_lost_all_the_same(http: Http) -> None:
    """Reads may push them out of the log of requests: what a look does never makes an undo sure."""
    http.sdk_created()
    first = keep(http)
    for n in range(2):
        http.sdk_created(alias=f"of somebody else {n}")
    last = keep(http)
    http.account.configure({"strict": "true"})
    for _ in range(KEPT_EXCHANGES):
        http.get("PhoneNumber/Compliance/")
    assert [each["may_lose_more"] for each in points(http)] == [True, False]
    assert refused(undo(http, point=first)) == (409, "would_lose")
    assert len(http.account.store.applications) == 3
    assert undo(http, point=last).status_code == 200
    assert undo(http, point=first, sure=True).status_code == 200
    assert len(http.account.store.applications) == 1


def test_what_was_undone_is_not_lost_again(http: Http) -> None:
    """A call that an undo took back is not told of by the points before it."""
    id = http.sdk_created()
    keep(http)
    http.account.configure({"strict": "true"})
    keep(http)
    http.decide(id, "accepted")
    undo(http, sure=True)
    assert [each["lost_count"] for each in points(http)] == [0]


def test_a_point_with_nothing_behind_it(http: Http) -> None:
    """It is not one to go back to, and the next takes its place."""
    http.sdk_created()
    keep(http, "refused")
    assert points(http) == []
    keep(http, "done")
    http.advance("1d")
    assert [each["what"] for each in points(http)] == ["done"]


def test_only_so_many_are_kept(http: Http) -> None:
    """The oldest go; how many did is told."""
    http.sdk_created()
    for n in range(limits.UNDO_POINTS.most + 2):
        keep(http, f"step {n}")
        http.advance("1h")
    assert points(http)[0]["what"] == "step 2"
    assert len(points(http)) == limits.UNDO_POINTS.most
    assert http.control("GET", "/undo", account=AUTH_ID).get_json()["forgotten"] == 2


def test_they_are_no_snapshots(http: Http) -> None:
    """They have no names, and take no room from those."""
    http.sdk_created()
    keep(http)
    http.advance("1d")
    shown = http.control("GET", "/snapshots", account=AUTH_ID).get_json()
    assert shown["snapshots"] == []


def test_a_point_of_nothing(http: Http) -> None:
    """Keeping one creates no account, and going back to before the first write removes it."""
    keep(http)
    assert http.sim.accounts() == []
    http.sdk_created()
    assert undo(http, sure=True).status_code == 200
    assert http.sim.accounts() == []


def test_what_is_written_while_it_is_emptied_stays(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was acknowledged. The account had not been used at the point."""
    keep(http)
    http.sdk_created()
    made, lock, remove = [], http.account.lock, http.sim.remove

    def write() -> None:
        if lock.acquire(timeout=0):
            made.append(http.sdk_created())
            lock.release()

    def removed(account: Account, *, undoable: bool) -> None:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(30)
        remove(account, undoable=undoable)

    monkeypatch.setattr(http.sim, "remove", removed)
    assert undo(http, sure=True).status_code == 200
    assert [id for id in made if http.get(f"PhoneNumber/Compliance/{id}/").status_code != 200] == []
    assert len(http.account.store.applications) == len(made)


def test_accounts_are_apart(http: Http) -> None:
    """Each has its own points."""
    other = other_account(http)
    keep(other)
    other.sdk_created()
    http.sdk_created()
    assert points(http) == []
    assert refused(undo(http)) == (404, "not_found")


# --- resets and files ------------------------------------------------------------------------


def files_of(http: Http) -> list[bytes | None]:
    account = http.account
    return [
        account.files.read(each.file.sha256)
        for each in account.store.documents.every()
        if each.file is not None
    ]


def test_a_reset_forgets_them(http: Http) -> None:
    """As it forgets everything."""
    http.sdk_created()
    keep(http)
    http.advance("1d")
    http.control("POST", "/reset", {"account": AUTH_ID})
    http.sdk_created()
    assert (points(http), len(http.account.steering)) == ([], 0)


@pytest.mark.parametrize("which", [AUTH_ID, "all"])
def test_a_reset_that_can_be_undone(http: Http, which: str) -> None:
    """The records are back, and their files."""
    id = http.sdk_created()
    keep(http)
    http.control("POST", "/reset", {"account": which, "undoable": True})
    assert http.sim.accounts() == []
    assert undo(http, sure=True).status_code == 200
    assert status(http, id) == "submitted"
    assert PDF in files_of(http)
    assert None not in files_of(http)
    assert http.account in http.sim.accounts()


def test_a_deleted_applications_files_are_back(http: Http) -> None:
    """They stay while they can be needed again, and no longer."""
    id = http.sdk_created()
    hashes = {each.file.sha256 for each in http.account.store.documents.every()}
    keep(http)
    http.decide(id, "rejected")
    http.delete(f"PhoneNumber/Compliance/{id}/")
    undo(http, sure=True)
    assert None not in files_of(http)
    http.decide(id, "rejected")
    http.delete(f"PhoneNumber/Compliance/{id}/")
    document_sets.sweep(http.account)
    assert [http.account.files.read(each) for each in hashes] == [None, None]


def test_points_give_way_to_uploads(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the files that they keep are too many, they go: nobody asked to keep them."""
    id = http.sdk_created()
    http.decide(id, "rejected")
    keep(http)
    http.delete(f"PhoneNumber/Compliance/{id}/")
    small = limits.Limit("account_files", len(PDF) + 4000, "bytes", "")
    monkeypatch.setattr(limits, "ACCOUNT_FILES", small)
    answer = http.sdk_create(files={0: (PDF + b"%1", "a.pdf"), 1: (PDF + b"%2", "b.pdf")})
    assert answer.status_code in (201, 400)
    assert points(http) == []


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "path"),
    [({"point": "1"}, "point"), ({"point": True}, "point"), ({"sure": 1}, "sure"), ({"x": 1}, "x")],
)
def test_a_wrong_undo(http: Http, body: dict[str, Any], path: str) -> None:
    """Each problem by its name."""
    http.sdk_created()
    assert wrong(undo(http, **body)) == [path]


@pytest.mark.parametrize("what", [None, "", 3, "x" * (limits.UNDO_TEXT.most + 1)])
def test_a_wrong_point(http: Http, what: Any) -> None:
    """It says what follows, shortly."""
    http.sdk_created()
    answer = http.control("POST", "/undo/points", {"what": what, "account": AUTH_ID})
    assert wrong(answer) == ["what"]


def test_an_unknown_point(http: Http) -> None:
    """404."""
    http.sdk_created()
    assert refused(undo(http, point=99)) == (404, "not_found")


def test_a_point_that_is_kept_while_it_goes_back_stays(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets others in while it waits for what is under way to receivers."""
    number = keep(http, "first")
    http.sdk_created()
    end_sends = http.sim.runner.end_sends

    def meanwhile(accounts: Any) -> None:
        http.sdk_created()
        keep(http, "of another")
        http.sdk_created()
        end_sends(accounts)

    monkeypatch.setattr(http.sim.runner, "end_sends", meanwhile)
    assert undo(http, point=number, sure=True).status_code == 200
    assert [each["what"] for each in points(http)] == ["of another"]


@pytest.mark.parametrize("verb", ["reset", "restore", "undo"])
def test_another_moment_behind_it_does_not_undo_it(
    http: Http, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """What it told was so, until the reset."""
    keep(http)
    http.sdk_created()
    http.control("POST", "/snapshot", {"name": "here"}, account=AUTH_ID)
    http.sdk_created()
    end_sends = http.sim.runner.end_sends

    def meanwhile(accounts: Any) -> None:
        monkeypatch.setattr(http.sim.runner, "end_sends", end_sends)
        with http.app.app_context():  # a call has its own ``g``
            http.control("POST", "/reset", {}, account=AUTH_ID)
            http.sdk_created()
        end_sends(accounts)

    monkeypatch.setattr(http.sim.runner, "end_sends", meanwhile)
    body = {"reset": {}, "restore": {"name": "here"}, "undo": {"sure": True}}[verb]
    assert http.control("POST", f"/{verb}", body, account=AUTH_ID).status_code == 200
