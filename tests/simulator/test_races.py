"""Two at once: one wins, nothing is lost, nothing is left by half.

The interpreter switches threads far more often here than by itself.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.account.store.files import DiskFiles, sha256_of
from plivo_sim.apis.phone_number.limits import OPERATIONS_A_MINUTE, RateLimits
from plivo_sim.domain.records import DeliveryState
from plivo_sim.machines import default_machine
from plivo_sim.services import documents
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.simulator import Simulator
from tests.apis.legacy_support import Legacy
from tests.apis.numbers_support import MUMBAI, Numbers
from tests.fakes import START, all_at_once
from tests.simulator.verbs import ACCOUNTS, NUMBERS, SETTINGS, ByHttp, Refused, fresh
from tests.support import SDK_AGENT
from tests.torture.audit import check_whole

MACHINE = default_machine()

ROUNDS = 8
THREADS = 6


@pytest.fixture(autouse=True)
def hasty() -> Iterator[None]:
    """Threads take turns every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def racing() -> Iterator[Simulator]:
    """A simulator whose reviews take an hour and whose receivers are fickle."""
    sim = fresh()
    yield sim
    sim.close()


@pytest.fixture
def verbs(racing: Simulator) -> ByHttp:
    return ByHttp(racing)


def outcomes(*works: Callable[[], Any]) -> list[bool]:
    """All at once; whether each was done or refused."""

    def told(work: Callable[[], Any]) -> bool:
        try:
            work()
        except Refused:
            return False
        return True

    return all_at_once(*(lambda work=work: told(work) for work in works))


def timeline(verbs: ByHttp, id: str) -> list[str]:
    application = verbs.http.account.store.applications.fetch(id)
    return [change.status for change in application.timeline]


def test_one_of_many_rents_a_number(verbs: ByHttp) -> None:
    """The others are told that it is rented; one record."""
    id = verbs.create("SIM-ACCEPT")
    for _ in range(ROUNDS):
        done = outcomes(*[lambda: verbs.rent(MUMBAI, id)] * THREADS)
        assert Counter(done) == {True: 1, False: THREADS - 1}
        assert [each.id for each in verbs.http.account.store.numbers.every()] == [MUMBAI]
        verbs.release(MUMBAI)


def test_one_of_many_releases_a_number(verbs: ByHttp) -> None:
    """The others are told that there is none."""
    id = verbs.create("SIM-ACCEPT")
    for _ in range(ROUNDS):
        verbs.rent(MUMBAI, id)
        done = outcomes(*[lambda: verbs.release(MUMBAI)] * THREADS)
        assert Counter(done) == {True: 1, False: THREADS - 1}


def test_one_of_many_submits(verbs: ByHttp) -> None:
    """One attempt, one timer."""
    for number in range(ROUNDS):
        id = verbs.draft(f"draft {number}")
        done = outcomes(*[lambda id=id: verbs.submit(id)] * THREADS)
        assert Counter(done) == {True: 1, False: THREADS - 1}
        assert timeline(verbs, id) == ["submitted"]
        assert len(verbs.http.account.store.timers.having("subject_id", id)) == 1


def test_one_of_many_corrects(verbs: ByHttp) -> None:
    """What is stored is the winner's, all of it; the others are told that it is in review."""

    def correct(id: str, alias: str) -> str:
        data = {"alias": alias, "end_user": {"name": alias}}
        verbs._done(verbs.http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", data, files={}))
        return alias

    for number in range(ROUNDS):
        id = verbs.create(f"application {number}")
        verbs.decide(id, "rejected")
        outcomes(*[lambda id=id, n=n: correct(id, f"by {n}") for n in range(THREADS)])
        account = verbs.http.account
        application = account.store.applications.fetch(id)
        assert application.alias == account.store.end_users.fetch(application.end_user_id).name
        assert application.alias.startswith("by ")
        assert timeline(verbs, id) == ["submitted", "rejected", "submitted"]


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_one_of_many_decides(verbs: ByHttp, status: str) -> None:
    """One decision, one callback."""
    for number in range(ROUNDS):
        id = verbs.create(f"application {number}")
        done = outcomes(*[lambda id=id: verbs.decide(id, status)] * THREADS)
        assert Counter(done) == {True: 1, False: THREADS - 1}
        assert timeline(verbs, id) == ["submitted", status]
        assert len(verbs.http.account.store.deliveries.having("application_id", id)) == 1


def test_a_correction_and_a_decision(verbs: ByHttp) -> None:
    """In one order or the other: the decision is of the corrected application or refused."""
    for number in range(ROUNDS):
        id = verbs.create(f"application {number}")
        verbs.decide(id, "rejected")
        corrected, decided = outcomes(
            lambda id=id: verbs.correct(id), lambda id=id: verbs.decide(id, "accepted")
        )
        assert corrected
        told = ["submitted", "rejected", "submitted"] + (["accepted"] if decided else [])
        assert timeline(verbs, id) == told


def test_as_many_calls_as_the_limit_are_let_through(verbs: ByHttp) -> None:
    """Not one more, and not one less."""
    account = verbs.http.account
    for _ in range(ROUNDS):
        limits = RateLimits()

        def let_through(limits: RateLimits = limits) -> int:
            hits = [limits.hit(account, "/") for _ in range(20)]
            return sum(window.calls <= window.limit for window in hits)

        assert sum(all_at_once(*[let_through] * THREADS)) == OPERATIONS_A_MINUTE


def test_deletes_while_time_passes(verbs: ByHttp) -> None:
    """Each application is deleted and silent, or accepted and told of; nothing in between."""
    for number in range(ROUNDS):
        ids = [verbs.create(f"{number} {n}") for n in range(6)]
        before = {each.id for each in verbs.http.account.store.deliveries.every()}

        def delete_all(ids: list[str] = ids) -> list[str]:
            return [id for id in ids if outcomes(lambda id=id: verbs.delete(id))[0]]

        deleted, _ = all_at_once(delete_all, lambda: verbs.advance(7200))
        store = verbs.http.account.store
        for id in ids:
            application = store.applications.fetch(id)
            told = [d for d in store.deliveries.having("application_id", id) if d.id not in before]
            if id in deleted:
                assert (application, told) == (None, [])
            else:
                assert (application.status, len(told)) == ("accepted", 1)
        check_whole(verbs.http.account)


def test_no_update_is_lost(verbs: ByHttp) -> None:
    """Each thread sets fields of its own in the same document; all of them are there."""
    legacy, account = Legacy(verbs.http), verbs.http.account
    id = legacy.document(legacy.end_user())

    def fill(thread: int) -> None:
        for n in range(60):
            documents.update(account, id, DocumentRequest(data_fields={f"{thread} {n}": "x"}))

    all_at_once(*(lambda thread=thread: fill(thread) for thread in range(4)))
    shown = legacy.shown(f"ComplianceDocument/{id}/")["meta_information"]
    assert {f"{thread} {n}" for thread in range(4) for n in range(60)} <= set(shown)


def test_advances_at_once(verbs: ByHttp) -> None:
    """The clock is where the advances that were done have moved it, the others were refused."""
    verbs.create("application")
    done = outcomes(*[lambda: verbs.advance(60)] * THREADS)
    assert verbs.http.account.now() == START + timedelta(seconds=60 * sum(done))
    assert any(done)


def test_no_number_is_left_to_a_deleted_application(verbs: ByHttp) -> None:
    """Linking needs an accepted application, deleting one that is not and has no numbers."""
    verbs.rent(MUMBAI, verbs.create("SIM-ACCEPT"))
    for number in range(ROUNDS):
        id = verbs.create(f"SIM-ACCEPT {number}")

        def end(id: str = id) -> None:
            verbs.decide(id, "expired")
            verbs.delete(id)

        outcomes(end, *[lambda id=id: verbs.link(MUMBAI, id)] * 3)
        check_whole(verbs.http.account)


def test_a_reset_amid_writes_leaves_nothing_by_half(verbs: ByHttp) -> None:
    """What is there afterwards was made after it, whole."""

    def write(thread: int) -> None:
        for n in range(ROUNDS):
            outcomes(lambda n=n: verbs.delete(verbs.create(f"{thread} {n}")))
            outcomes(lambda n=n: verbs.create(f"{thread} {n} stays"))

    all_at_once(*(lambda t=t: write(t) for t in range(3)), *[verbs.reset] * 3)
    check_whole(verbs.http.account)
    verbs.advance(7200)
    for application in verbs.http.account.store.applications.every():
        assert application.status == "accepted"


def test_no_file_is_lost_that_others_upload_while_it_goes(tmp_path: Path) -> None:
    """The same content in one account: the only record that had it is deleted, two bring it anew,
    and one is refused. Without records nothing of it stays."""
    sim = fresh(replace(SETTINGS, state=tmp_path))
    verbs = ByHttp(sim)
    folder = verbs.http.account.store.journal.path.with_name("files")
    for number in range(4 * ROUNDS):
        old = verbs.create(f"{number}")
        made = outcomes(
            lambda old=old: verbs.delete(old),
            lambda: verbs.create("a"),
            lambda: verbs._done(verbs.http.sdk_create(country_iso="XX")),
            lambda: verbs.create("b"),
        )
        assert made == [True, True, False, True]
        assert check_whole(verbs.http.account)["files"] == 4
        assert len(os.listdir(folder)) == 2
        for application in [*verbs.http.account.store.applications.every()]:
            verbs.delete(application.id)
        assert not folder.exists()
    sim.close()


def test_a_folder_does_not_go_between_its_making_and_a_file_in_it(tmp_path: Path) -> None:
    """While what was prepared for nothing takes the folder along."""
    files, ended = DiskFiles(tmp_path / "MA" / "files"), threading.Event()

    def use() -> None:
        try:
            for _ in range(300):
                files.forget(files.keep(b"kept"))
        finally:
            ended.set()

    def refuse(content: bytes) -> None:
        while not ended.is_set():
            files.prepare(content, sha256_of(content))()

    (tmp_path / "MA").mkdir(mode=0o700)
    (tmp_path / "MA" / "journal.jsonl").touch()
    all_at_once(use, *(lambda n=n: refuse(b"%d" % n) for n in range(3)))
    assert os.listdir(tmp_path / "MA") == ["journal.jsonl"]


def test_many_threads_do_whatever_they_like(racing: Simulator) -> None:
    """All verbs, the same few records, two accounts; then the invariants, and no account has
    anything of the other's."""
    verbs = [ByHttp(racing, each) for each in ACCOUNTS]

    def work(thread: int) -> None:
        dice = random.Random(thread)
        for n in range(25):
            mine = dice.choice(verbs)
            _anything(mine, dice, f"{mine.auth_id} {thread} {n}")

    all_at_once(*(lambda thread=thread: work(thread) for thread in range(4)))
    for each in verbs:
        each.advance(86400 * 60)
        each.advance(86400)
        store = each.http.account.store
        check_whole(each.http.account)
        assert not len(store.timers)
        assert all(a.alias.startswith(each.auth_id) for a in store.applications.every())
        made = sum(c.by != "client" for a in store.applications.every() for c in a.timeline)
        assert len(store.deliveries) >= made
        assert not store.deliveries.having("state", DeliveryState.PENDING)


def _anything(verbs: ByHttp, dice: random.Random, alias: str) -> None:
    answer = verbs.http.get("PhoneNumber/Compliance/", headers={"User-Agent": SDK_AGENT})
    ids = [each["compliance_id"] for each in answer.get_json()["compliances"]]
    choices: list[Callable[[], Any]] = [lambda: verbs.create(alias), lambda: verbs.draft(alias)]
    if ids:
        id, number = dice.choice(ids), dice.choice(NUMBERS)
        choices += [
            lambda: verbs.submit(id),
            lambda: verbs.correct(id),
            lambda: verbs.change_documents(id),
            lambda: verbs.delete(id),
            lambda: verbs.decide(id, dice.choice(list(MACHINE.statuses))),
            lambda: verbs.rent(number, id),
            lambda: verbs.link(number, id),
            lambda: verbs.release(number),
            lambda: verbs.advance(1200),
            lambda: Numbers(verbs.http).found(),
        ]
    outcomes(dice.choice(choices))
