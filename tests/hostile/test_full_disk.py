"""Every operation that writes, of every surface, on a disk that takes nothing more.

It is refused in the words of its surface, and nothing of it stays: in memory, after a restart, or
among the files. Then, with room again, the same call works. A reset only removes, so it needs no
room; what may fail instead is to remove.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from plivo_sim.account.account import Account
from plivo_sim.app import SURFACES
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import StorageFailed
from plivo_sim.domain.records import Step
from plivo_sim.services import policies
from plivo_sim.services.plans import set_timer
from plivo_sim.simulator import Simulator
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.numbers_support import DELHI, MUMBAI, Numbers
from tests.apis.page import page_form
from tests.conftest import serving
from tests.console.support import press
from tests.fakes import FULL, Disk
from tests.hostile.world import SECOND, fill
from tests.support import AUTH_ID, PDF, Http

REJECTS = {"scenario": "everything is decided alike", "default": {"decide": "rejected"}}
BETA = {"X-Plivo-Sim-Dialect": "beta"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A state directory, and the ids of what is in it."""
    state = tmp_path_factory.mktemp("world") / "state"
    with serving(state) as http:
        return state, fill(http)


class Caller:
    """One who calls a simulator that holds the world."""

    def __init__(self, http: Http, ids: dict[str, str]) -> None:
        self.http, self.ids = http, ids
        self.legacy, self.numbers, self.atoms = Legacy(http), Numbers(http), Atoms(http)

    def steer(self, path: str, **body: Any) -> TestResponse:
        return self.http.control("POST", path, body | {"account": AUTH_ID})

    def drop(self, path: str) -> TestResponse:
        return self.http.control("DELETE", path, account=AUTH_ID)

    def compliance(self, id: str) -> str:
        return f"PhoneNumber/Compliance/{self.ids[id]}/"

    def beta(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        return self.http.call(method, path, headers=BETA, **kwargs)

    def beta_create(self) -> TestResponse:
        body, content_type = page_form()
        path = "PhoneNumber/Compliance/"
        return self.beta("POST", path, data=body, content_type=content_type)

    def snapshot_taken(self) -> None:
        """What ``restore`` goes back to; another state follows."""
        assert self.steer("/snapshot", name="before").status_code == 201
        assert self.http.decide(self.ids["waiting"], "accepted").status_code == 200

    def document_form(self) -> dict[str, str]:
        type_id = self.legacy.types()[0]
        form = {"end_user_id": self.ids["end_user"], "document_type_id": type_id, "alias": "New"}
        return form | self.legacy.data_fields(type_id)


Write = Callable[[Caller], TestResponse]

WRITES: dict[tuple[str, str], Write] = {
    ("current", "create"): lambda c: c.http.sdk_create(alias="new"),
    ("current", "update"): lambda c: c.http.sdk_send(
        "PATCH", c.compliance("rejected"), {"alias": "again"}, {}
    ),
    ("current", "delete"): lambda c: c.http.delete(c.compliance("rejected")),
    ("beta", "create"): lambda c: c.beta_create(),
    ("beta", "update"): lambda c: c.beta("PATCH", c.compliance("rejected"), json={"alias": "x"}),
    ("beta", "delete"): lambda c: c.beta("DELETE", c.compliance("rejected")),
    ("legacy", "create_end_user"): lambda c: c.http.post(
        "EndUser/", json={"name": "New", "end_user_type": "business"}
    ),
    ("legacy", "update_end_user"): lambda c: c.http.post(
        f"EndUser/{c.ids['end_user']}/", json={"name": "Renamed"}
    ),
    ("legacy", "delete_end_user"): lambda c: c.http.delete(f"EndUser/{c.ids['alone']}/"),
    ("legacy", "create_document"): lambda c: c.legacy.send_document(
        c.document_form(), ("file", "new.pdf", PDF + b"new")
    ),
    ("legacy", "update_document"): lambda c: c.legacy.send_document(
        {"alias": "Changed"}, path=f"ComplianceDocument/{c.ids['document']}/"
    ),
    ("legacy", "delete_document"): lambda c: c.http.delete(
        f"ComplianceDocument/{c.ids['document']}/"
    ),
    ("legacy", "create_application"): lambda c: c.http.post(
        "ComplianceApplication/",
        json=c.legacy.application_body(
            end_user_id=c.ids["end_user"], document_ids=[c.ids["document"]]
        ),
    ),
    ("legacy", "update_application"): lambda c: c.http.post(
        f"ComplianceApplication/{c.ids['draft']}/",
        json={"document_ids": [c.ids["draft_document"]]},
    ),
    ("legacy", "submit_application"): lambda c: c.legacy.submit(c.ids["draft"]),
    ("legacy", "delete_application"): lambda c: c.http.delete(
        f"ComplianceApplication/{c.ids['draft']}/"
    ),
    ("numbers", "rent"): lambda c: c.numbers.rent(DELHI, c.ids["accepted"]),
    ("numbers", "update"): lambda c: c.numbers.update(MUMBAI, alias="reception"),
    ("numbers", "release"): lambda c: c.http.delete(f"Number/{MUMBAI}/"),
    ("numbers", "link"): lambda c: c.numbers.link(
        {"numbers": [{"number": MUMBAI, "compliance_application_id": c.ids["waiting"]}]}
    ),
    ("atoms", "submit"): lambda c: Atoms(c.http, "atoms-key-3").submit(),
    ("atoms", "resubmit"): lambda c: c.atoms.resubmit(c.ids["atoms"]),
    ("atoms", "refresh"): lambda c: Atoms(c.http, SECOND).refresh(c.ids["atoms_known"]),
    ("control", "advance"): lambda c: c.steer("/clock/advance", by="1m"),
    ("control", "pause"): lambda c: c.steer("/clock/pause"),
    ("control", "resume"): lambda c: c.steer("/clock/resume"),
    ("control", "set_rate"): lambda c: c.steer("/clock/rate", rate=60),
    ("control", "set_clock"): lambda c: c.steer("/clock/set", to="2026-03-01T00:00:00Z"),
    ("control", "decide"): lambda c: c.http.decide(c.ids["accepted"], "suspended"),
    ("control", "replay_webhook"): lambda c: c.steer(f"/webhooks/{c.ids['delivery']}/replay"),
    ("control", "set_webhook_policy"): lambda c: c.steer("/webhooks/policy", retries=["2s"]),
    ("control", "drop_webhook_policy"): lambda c: c.drop("/webhooks/policy"),
    ("control", "make_account"): lambda c: c.http.control(
        "POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"warp": "60", "strict": "true"}}
    ),
    ("control", "reset"): lambda c: c.steer("/reset"),
    ("control", "snapshot"): lambda c: c.steer("/snapshot", name="new"),
    ("control", "restore"): lambda c: c.steer("/restore", name="before"),
    ("control", "use_scenario"): lambda c: c.steer(
        "/scenario",
        scenario={"scenario": "everything is accepted", "default": {"decide": "accepted"}},
    ),
    ("control", "drop_scenario"): lambda c: c.drop("/scenario"),
    ("control", "use_machine"): lambda c: c.steer("/machine", name="default"),
    ("control", "drop_machine"): lambda c: c.drop("/machine"),
    ("control", "next_outcome"): lambda c: c.steer("/next-outcome", decide="rejected"),
    ("control", "add_fault"): lambda c: c.steer("/faults", effect="error", name="new", skip=9999),
    ("control", "remove_fault"): lambda c: c.drop("/faults/lame"),
    ("control", "clear_faults"): lambda c: c.drop("/faults"),
}

NOTHING_KEPT = {
    ("control", "evaluate"),
    ("control", "check_scenario"),
    ("control", "dry_run"),
    ("control", "verify_signature"),
    ("control", "receive_post"),
    ("control", "empty_inbox"),
    ("control", "clear_coverage"),
    ("control", "clear_unmatched"),
    ("control", "resend_request"),
    ("control", "settle"),
    ("control", "drop_snapshot"),
    ("control", "end_takeover"),
    ("control", "keep_undo_point"),
}
"""These change nothing that a restart would keep: they answer, steer what is in memory only,
or make a call that stands above."""

OF_ITS_OWN = {
    ("control", "clear_next_outcomes"), ("control", "undo"),
    ("control", "hand_over"), ("control", "take_over"), ("control", "end_handover"),
}  # fmt: skip
"""What needs something to be there first, and has a test below."""

OTHERS: dict[str, Write] = {
    "a new account": lambda c: c.http.control("POST", "/accounts", {"auth_id": "MA" + "N" * 18}),
    "all accounts": lambda c: c.http.control("POST", "/reset", {"account": "all"}),
    "an advance over reviews": lambda c: c.steer("/clock/advance", by="90d"),
    "an advance until": lambda c: c.steer(
        "/clock/advance", until={"application": c.ids["other"], "status": "accepted"}
    ),
    "a document": lambda c: c.steer(
        "/restore", snapshot=c.http.control("GET", "/snapshot/before", account=AUTH_ID).get_json()
    ),
    "a renamed file": lambda c: c.legacy.send_document(
        {}, ("file", "other.pdf", PDF + b"other"), path=f"ComplianceDocument/{c.ids['document']}/"
    ),
}
"""Further ways of some of them."""

CASES: dict[str, Write] = {
    **{f"{surface} {name}": write for (surface, name), write in WRITES.items()},
    **OTHERS,
}

RESETS = ["control reset", "all accounts"]
"""These write nothing."""


def test_every_operation_that_may_write_is_there() -> None:
    """From the rows of the surfaces."""
    rows = {
        (name, row.name)
        for name, surface in SURFACES.items()
        for row in surface.endpoints
        if row.method not in ("GET", "HEAD")
    }
    assert rows == {*WRITES, *NOTHING_KEPT, *OF_ITS_OWN}


def picture(sim: Simulator, state: Path) -> Any:
    """All that there is: each account's records, clock, settings, tokens, machine,
    policies, marks, and all that is due; the files of the state."""
    accounts = {}
    for account in sim.accounts():
        with account.lock:
            accounts[account.auth_id] = (
                account.store.mark(),
                account.clock.reading(),
                account.settings,
                dict(account.ids.counts),
                policies.scenario_of(account),
                policies.faults_of(account),
                policies.webhook_policy(account),
                [*account.marks],
                account.agenda.soonest(10_000),
                (account.token, account.subaccount_token, account.move, account.leaving),
                account.machine,
            )
    return accounts


def files(state: Path) -> dict[str, bytes]:
    """What is on the disk, but for empty files, and those that no document refers to yet."""
    found = {
        str(path.relative_to(state)): path.read_bytes()
        for path in state.rglob("*")
        if path.is_file() and path.parent.name != "files"
    }
    return {name: content for name, content in found.items() if content}


def told(answer: TestResponse) -> str:
    """The sentence of an error, where its surface puts it."""
    body = answer.get_json()
    if "/atoms/" in answer.request.path:
        return json.dumps(body["errors"])
    if "/_sim/" in answer.request.path:
        return str(body["detail"])
    is_beta = answer.headers.get("X-Plivo-Sim-Dialect") == "beta"
    return str(body["error"]["message"] if is_beta else body["error"])


@pytest.mark.parametrize("room", [0, 30])
@pytest.mark.parametrize("case", [case for case in CASES if case not in RESETS])
def test_what_cannot_be_written_leaves_no_trace(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk, case: str, room: int
) -> None:
    """500 in the surface's words; everything is as before, also after a restart; then it works."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        caller.snapshot_taken()
        before, lying = picture(http.sim, state), files(state)
        disk.room = room
        answer = CASES[case](caller)
        assert answer.status_code == 500, answer.text
        assert FULL in told(answer)
        assert picture(http.sim, state) == before
        assert files(state) == lying
        disk.room = 0  # for what a stop would write
    disk.room = 1 << 30
    kept = {auth_id: records for auth_id, (records, *_) in before.items()}
    with serving(state) as again:
        assert {a.auth_id: a.store.mark() for a in again.sim.accounts()} == kept
        caller = Caller(again, world[1])
        assert caller.steer("/snapshot", name="before").status_code == 201
        changed = CASES[case](caller)
        assert changed.status_code < 300, changed.text


@pytest.mark.parametrize("case", RESETS)
def test_a_reset_needs_no_room(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk, case: str
) -> None:
    """Nothing of the account is left: in memory, on the disk, after a restart."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        caller.snapshot_taken()
        known = {account.auth_id for account in http.sim.accounts()}
        disk.room = 0
        answer = CASES[case](caller)
        assert answer.status_code == 200, answer.text
        left = known - {*answer.get_json()["reset"]}
        assert left == (set() if case == "all accounts" else known - {AUTH_ID})
        assert {account.auth_id for account in http.sim.accounts()} == left
        assert {folder.name for folder in (state / "accounts").iterdir()} == left
        assert http.account.marks == {}
    with serving(state) as again:
        assert {account.auth_id for account in again.sim.accounts()} == left


def test_an_undo_on_a_full_disk(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """It is refused, nothing is as before, and it can be undone still once there is room."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        assert caller.steer("/undo/points", what="a decision").status_code == 201
        before = picture(http.sim, state)
        assert http.decide(world[1]["waiting"], "accepted").status_code == 200
        changed = picture(http.sim, state)
        disk.room = 0
        answer = caller.steer("/undo", sure=True)
        assert (answer.status_code, FULL in told(answer)) == (500, True)
        assert picture(http.sim, state) == changed
        disk.room = 1 << 30
        assert caller.steer("/undo", sure=True).status_code == 200
        assert picture(http.sim, state) == before


def test_a_move_on_a_full_disk(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """It does not begin where the account cannot be written down; where it cannot be taken over,
    nothing of it stays, and it is used again where it was."""
    state, there = tmp_path / "state", tmp_path / "there"
    shutil.copytree(world[0], state)
    with serving(state) as http, serving(there) as elsewhere:
        caller, new = Caller(http, world[1]), Caller(elsewhere, world[1])
        before = picture(http.sim, state)
        disk.room = 0
        answer = caller.steer("/handover", to="http://127.0.0.1:8702")
        assert (answer.status_code, FULL in told(answer)) == (500, True)
        assert picture(http.sim, state) == before
        disk.room = 1 << 30
        given = caller.steer("/handover", to="http://127.0.0.1:8702").get_json()
        document = http.control("GET", "/handover", account=AUTH_ID).get_json()
        disk.room = 0
        answer = new.steer("/takeover", snapshot=document, rest=given["rest"])
        assert answer.status_code == 500
        assert elsewhere.sim.accounts() == []
        assert elsewhere.account.token is None
        for room in range(500, 5000, 500):  # for the files, or some of them, and not for the rest
            disk.room = room
            answer = new.steer("/takeover", snapshot=document, rest=given["rest"])
            assert (answer.status_code, uploads(there)) == (500, [])
        disk.room = 1 << 30
        assert caller.steer("/handover/end", moved=False).status_code == 200
        assert picture(http.sim, state) == before
        assert new.steer("/takeover", snapshot=document, rest=given["rest"]).status_code == 201


def test_a_takeover_that_cannot_be_written_leaves_no_trace(
    world: tuple[Path, dict[str, str]],
    tmp_path: Path,
    disk: Disk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither tokens nor hosts nor settings of the account there: who writes to it here next has a
    new one."""
    state, there = tmp_path / "state", tmp_path / "there"
    shutil.copytree(world[0], state)
    with serving(state) as http, serving(there) as elsewhere:
        caller, new = Caller(http, world[1]), Caller(elsewhere, world[1])
        disk.room = 1 << 30
        http.account.configure({"allow_callback_hosts": "localhost"})
        given = caller.steer("/handover", to="http://127.0.0.1:8702", move="one").get_json()
        document = http.control("GET", "/handover", account=AUTH_ID).get_json()
        assert given["rest"]["token"]
        account = elsewhere.account
        before = belongings(account)
        for room in (0, sum(path.stat().st_size for path in uploads(state)) + 30):
            disk.room = room  # for nothing; for the files alone
            answer = new.steer("/takeover", snapshot=document, rest=given["rest"], move="one")
            assert (answer.status_code, belongings(account)) == (500, before)
        disk.room = 1 << 30
        monkeypatch.setattr(elsewhere.sim.inboxes, "take_over", fail)
        answer = new.steer("/takeover", snapshot=document, rest=given["rest"], move="one")
        assert (answer.status_code, belongings(account)) == (500, before)
        assert (elsewhere.sim.accounts(), uploads(there)) == ([], [])
        assert new.steer("/clock/pause").status_code == 200
        ledger = account.store.ledger.fetch("ledger")
        assert (ledger.token, ledger.overrides, ledger.move) == (None, {}, "")


def test_an_account_whose_plans_cannot_be_made_stays_out_of_use(
    world: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written together with the end of its move, which can be told once more."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        before = picture(http.sim, state)
        assert caller.steer("/handover", to="http://127.0.0.1:8702").status_code == 200
        with monkeypatch.context() as patched:
            patched.setattr("plivo_sim.simulator.accounts.replan", fail)
            assert caller.steer("/handover/end", moved=False).status_code == 500
        assert caller.steer("/clock/pause").status_code == 421
        assert caller.steer("/handover/end", moved=False).status_code == 200
        assert picture(http.sim, state) == before


def fail(*_: Any) -> None:
    raise StorageFailed("no room for this")


def belongings(account: Account) -> Any:
    """What an account has beside its records."""
    return (
        (account.token, account.subaccount_token, account.move, account.leaving),
        (account.overrides, account.settings, account.clock.reading(), account.ids.counts),
        (account.api_calls, len(account.exchanges)),
    )


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_restore_whose_plans_cannot_be_made_changes_nothing(
    world: tuple[Path, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_whole: bool,
) -> None:
    """They are written with the records: of a moment that differs in little, or in all."""

    def plan(account: Account) -> None:
        with account.transaction():
            step = Step(after=Duration(), status="rejected")
            set_timer(account, world[1]["waiting"], (step,), account.now())
        fail()

    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        caller.snapshot_taken()
        mark = {} if is_whole else http.account.marks["before"]
        before, lying = picture(http.sim, state), files(state)
        monkeypatch.setattr("plivo_sim.simulator.replan", plan)
        with pytest.raises(StorageFailed):
            http.sim.restore(http.account, mark)
        assert picture(http.sim, state) == before
        assert files(state) == lying
        assert http.decide(world[1]["other"], "accepted").status_code == 200
        after = http.account.store.mark()
    with serving(state) as again:
        assert again.account.store.mark() == after


def test_a_button_of_the_console_says_so(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """Each is a control call; the page tells what came of it."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        before = picture(http.sim, state)
        disk.room = 0
        assert FULL in press(http, "resume", account=AUTH_ID).text
        assert picture(http.sim, state) == before


# --- what cannot be removed -----------------------------------------------------------------------

STAYS = "Input/output error"
UPLOADS, JOURNAL = "files/*", "journal.jsonl"


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Patterns of the files and folders that cannot be removed."""
    patterns: set[str] = set()

    def refusing(remove: Callable[..., None]) -> Callable[..., None]:
        def attempt(path: Path, *args: bool, **kwargs: bool) -> None:
            if any(map(path.match, patterns)):
                raise OSError(5, STAYS, str(path))
            remove(path, *args, **kwargs)

        return attempt

    monkeypatch.setattr(Path, "unlink", refusing(Path.unlink))
    monkeypatch.setattr(Path, "rmdir", refusing(Path.rmdir))
    return patterns


@pytest.mark.parametrize("case", ["current delete", "legacy delete_document", "control reset"])
def test_what_is_done_is_not_refused_for_a_file_that_stays(
    world: tuple[Path, dict[str, str]],
    tmp_path: Path,
    stuck: set[str],
    caplog: pytest.LogCaptureFixture,
    case: str,
) -> None:
    """The records are gone; the log tells of the file, and the next delete takes it along."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        http.delete(f"PhoneNumber/Compliance/{http.sdk_created()}/")
        before = picture(http.sim, state)
        stuck.add(UPLOADS)
        answer = CASES[case](Caller(http, world[1]))
        assert answer.status_code < 300, answer.text
        assert "cannot remove" in caplog.text
        after = picture(http.sim, state)
        assert after != before
        stuck.clear()
        http.delete(f"PhoneNumber/Compliance/{http.sdk_created()}/")
        needed = {d.file.sha256 for d in http.account.store.documents.every() if d.file is not None}
        assert {path.name for path in uploads(state)} == needed


def uploads(state: Path) -> list[Path]:
    return [*(state / "accounts" / AUTH_ID).glob("files/*")]


@pytest.mark.parametrize("what", [UPLOADS, f"{AUTH_ID}/files", f"accounts/{AUTH_ID}"])
def test_what_a_reset_left_behind_goes_at_a_start(
    world: tuple[Path, dict[str, str]],
    tmp_path: Path,
    stuck: set[str],
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    """Files, their folder or the account's. The reset is done and the log tells of what stays; a
    start at which it still cannot be removed goes on."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    stuck.add(what)
    with serving(state) as http:
        assert http.control("POST", "/reset", {"account": AUTH_ID}).status_code == 200
        assert AUTH_ID not in [account.auth_id for account in http.sim.accounts()]
    (stays, *_) = (path for path in state.rglob("*") if path.match(what))
    assert f"cannot remove {stays}: {STAYS}" in caplog.text
    caplog.clear()
    with serving(state) as again:
        assert AUTH_ID not in [account.auth_id for account in again.sim.accounts()]
    assert f"cannot remove {stays}: {STAYS}" in caplog.text
    stuck.clear()
    with serving(state):
        assert not (state / "accounts" / AUTH_ID).exists()


@pytest.mark.parametrize("case", RESETS)
def test_a_reset_that_cannot_remove_the_journal_changes_nothing(
    world: tuple[Path, dict[str, str]], tmp_path: Path, stuck: set[str], case: str
) -> None:
    """The records would be there again after a restart, so it is refused."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        caller.snapshot_taken()
        before, lying = picture(http.sim, state), files(state)
        stuck.add(JOURNAL)
        answer = CASES[case](caller)
        assert answer.status_code == 500, answer.text
        assert STAYS in told(answer)
        assert picture(http.sim, state) == before
        assert files(state) == lying
    kept = {auth_id: records for auth_id, (records, *_) in before.items()}
    with serving(state) as again:
        assert {a.auth_id: a.store.mark() for a in again.sim.accounts()} == kept
        stuck.clear()
        assert CASES[case](Caller(again, world[1])).status_code == 200


def test_those_before_the_one_that_failed_stay_reset(
    world: tuple[Path, dict[str, str]], tmp_path: Path, stuck: set[str]
) -> None:
    """``all`` is one account after the other; the answer is 500."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        _, *others = [account.auth_id for account in http.sim.accounts()]
        stuck.add(f"{others[0]}/{JOURNAL}")
        assert http.control("POST", "/reset", {"account": "all"}).status_code == 500
        assert [account.auth_id for account in http.sim.accounts()] == others
    with serving(state) as again:
        assert {account.auth_id for account in again.sim.accounts()} == {*others}


# --- within one transaction -----------------------------------------------------------------------


def test_what_was_derived_within_goes_with_it(http: Http) -> None:
    """A scenario that is read before it is written does not stay when it cannot be."""
    account = http.account
    scenario = policies.Scenario(scenario="everything is rejected")
    with suppress(ZeroDivisionError), account.transaction():
        policies.use_scenario(account, scenario)
        assert policies.scenario_of(account) == scenario
        raise ZeroDivisionError
    assert policies.scenario_of(account) is None


def test_only_what_was_written_is_covered(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """A decision that could not be written counts for nothing in the report of coverage."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        before = http.sim.coverage.report(http.sim.machine)["transitions"]
        disk.room = 0
        assert http.decide(world[1]["waiting"], "accepted").status_code == 500
        assert http.sim.coverage.report(http.sim.machine)["transitions"] == before
        disk.room = 1 << 30
        assert http.decide(world[1]["waiting"], "accepted").status_code == 200
        assert http.sim.coverage.report(http.sim.machine)["transitions"] != before


def test_a_fault_that_cannot_be_set_anew_counts_on(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """How often it has struck stays."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        http.account.faults.hits["lame"] = 3
        disk.room = 0
        caller = Caller(http, world[1])
        assert caller.steer("/faults", effect="error", name="lame").status_code == 500
        assert http.account.faults.hits == {"lame": 3}


def test_outcomes_that_wait_stay_where_their_end_cannot_be_written(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """Then, with room again, they go."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        caller = Caller(http, world[1])
        assert caller.steer("/next-outcome", decide="rejected").get_json()["waiting"] == 1
        room, disk.room = disk.room, 0
        assert caller.drop("/next-outcome").status_code == 500
        disk.room = room
        assert caller.steer("/next-outcome", decide="rejected").get_json()["waiting"] == 2
        assert caller.drop("/next-outcome").get_json()["waiting"] == 0


def test_an_advance_stays_where_it_could_be_written_to(
    world: tuple[Path, dict[str, str]], tmp_path: Path, disk: Disk
) -> None:
    """Reviews that happened and were written stay, and so does their instant."""
    state = tmp_path / "state"
    shutil.copytree(world[0], state)
    with serving(state) as http:
        disk.room = 1 << 30
        caller = Caller(http, world[1])
        account = http.account
        due = account.agenda.next_instant()
        tell = http.sim.runner.on_happening

        def fill_up(*happened: Any) -> None:
            disk.room = 0
            tell(*happened)

        http.sim.runner.on_happening = fill_up
        assert caller.steer("/clock/advance", by="90d").status_code == 500
        assert account.now() == due
        kept = account.store.mark()
    disk.room = 1 << 30
    with serving(state) as again:
        assert (again.account.now(), again.account.store.mark()) == (due, kept)
