"""What must hold of a state directory after a kill: all that was acknowledged, nothing by half."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.account.store.disk import sha256_of
from plivo_sim.assembly import make_simulator
from plivo_sim.control.presenters import application_of
from plivo_sim.domain.records import Application, DeliveryState, Document, Origin, TimerKind
from plivo_sim.machines import default_machine
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.outbox import KEPT_DELIVERIES
from plivo_sim.webhooks.transport import MemoryTransport
from tests.torture.client import Client, Collector, Refused
from tests.torture.writers import (
    APPLICATION,
    COMPLIANCE,
    DOCUMENT,
    END_USER,
    MAGIC,
    NUMBER,
    Facts,
    Kept,
    Writer,
)

MACHINE = default_machine()


@contextmanager
def reopened(state: Path) -> Iterator[Simulator]:
    """The state as the next server will find it; a copy, so that the server finds the damage."""
    copy = state.with_name(f"{state.name}-copy")
    shutil.copytree(state, copy, copy_function=_link_or_copy)
    sim = make_simulator(Settings(state=copy, paused=True), transport=MemoryTransport())
    try:
        yield sim
    finally:
        sim.close()
        shutil.rmtree(copy)


def _link_or_copy(source: str, target: str) -> None:
    if Path(source).parent.name == "files":
        os.link(source, target)
    else:
        shutil.copy2(source, target)


# --- what writers know -------------------------------------------------------------------------


def settle_with(writer: Writer, account: Account) -> None:
    """Each record is as it was acknowledged, or as the call in flight would have made it."""
    if writer.in_flight is not None:
        _settle_create(writer, writer.in_flight, account)
        writer.in_flight = None
    for kept in writer.kept:
        found = facts_of(account, kept.kind, kept.id)
        assert found in (kept.facts, *kept.maybe), (
            f"LOST: {kept.kind} {kept.id}\n is    {found}\n knows {kept.facts}\n or {kept.maybe}"
        )
        kept.facts, kept.maybe = found, []
        if kept.kind in (COMPLIANCE, APPLICATION) and found is not None:
            _check_timeline(account, kept)
    writer.kept = [kept for kept in writer.kept if kept.facts is not None or kept.kind != NUMBER]


def check_known(account: Account, writers: Iterable[Writer]) -> None:
    """Nothing is there that nobody asked for, once every writer has settled."""
    mine = [each for each in writers if each.auth_id == account.auth_id]
    known = {kept.id for each in mine for kept in each.kept if kept.facts is not None}
    store = account.store
    for table in (store.applications, store.numbers):
        found = {each.id for each in table.every()}
        assert found <= known, f"UNASKED: {found - known}"
    for table in (store.end_users, store.documents):
        found = {each.id for each in table.every() if each.origin is Origin.LEGACY}
        assert found <= known, f"UNASKED: {found - known}"


def _settle_create(writer: Writer, made: Kept, account: Account) -> None:
    """A create that was not answered happened whole, or not at all."""
    made.id = made.id or _id_of(account, made.kind, made.tag)
    found = facts_of(account, made.kind, made.id) if made.id else None
    assert found in (None, made.facts), f"HALF: {made.kind} {found} of {made.facts}"
    if found is not None:
        writer.kept.append(made)


def _id_of(account: Account, kind: str, tag: str) -> str:
    if kind == NUMBER:
        return tag
    if kind == END_USER:
        own = [e for e in account.store.end_users.having("name", tag) if e.origin is Origin.LEGACY]
        return own[0].id if own else ""
    table = account.store.documents if kind == DOCUMENT else account.store.applications
    found = table.having("alias", tag)
    return found[0].id if found else ""


def facts_of(account: Account, kind: str, id: str) -> Facts:
    """What the store holds of a record, in the writers' words."""
    store = account.store
    if kind == NUMBER:
        number = store.numbers.fetch(id)
        return number and {"application_id": number.application_id, "alias": number.alias}
    if kind == END_USER:
        end_user = store.end_users.fetch(id)
        return end_user and {k: getattr(end_user, k) for k in ("name", "last_name", "type")}
    if kind == DOCUMENT:
        document = store.documents.fetch(id)
        owned = document and {"alias": document.alias, "end_user_id": document.end_user_id}
        return owned and {**owned, **_papers_of(document)}
    application = store.applications.fetch(id)
    if application is None:
        return None
    if kind == APPLICATION:
        return {
            "alias": application.alias, "end_user_id": application.end_user_id,
            "document_ids": list(application.document_ids),
        }  # fmt: skip
    end_user = store.end_users.fetch(application.end_user_id)
    documents = [store.documents.fetch(each) for each in application.document_ids]
    keys = ("name", "email", "address_line1", "city", "state", "postal_code", "country")
    return {
        "alias": application.alias, "callback_url": application.callback_url,
        "end_user": {key: getattr(end_user, key) for key in keys},
        "documents": [_papers_of(each) for each in documents],
    }  # fmt: skip


def _papers_of(document: Document | None) -> dict[str, Any]:
    assert document is not None
    assert document.file is not None
    return {
        "type": document.document_type_id, "fields": dict(document.data_fields),
        "name": document.file.name, "sha256": document.file.sha256,
    }  # fmt: skip


def _check_timeline(account: Account, kept: Kept) -> None:
    """What was seen of it is its beginning; every acknowledged submission is in it."""
    application = account.store.applications.fetch(kept.id)
    assert application is not None
    timeline = application_of(account, application)["timeline"]
    assert timeline[: len(kept.timeline)] == kept.timeline, f"TAKEN BACK: {timeline} {kept}"
    submits = sum(each["status"] == "submitted" for each in timeline)
    assert submits in (kept.submits, kept.submits + 1), f"LOST SUBMISSION: {timeline} {kept}"
    kept.submits, kept.timeline = submits, timeline


def check_over_http(client: Client, writer: Writer) -> int:
    """The restarted server shows every record; what was seen before is the same to the byte."""
    for kept in writer.kept:
        if kept.facts is None:
            _check_gone(client, kept)
            continue
        shown = client.get(kept.path)
        if kept.shown is not None and _status_of(shown) == _status_of(kept.shown):
            assert shown == kept.shown, f"CHANGED: {kept.shown}\n{shown}"
        kept.shown = None
    return len(writer.kept)


def _status_of(shown: Any) -> Any:
    told = shown.get("compliance", shown)
    return told.get("status"), told.get("compliance_status"), told.get("updated_at")


def _check_gone(client: Client, kept: Kept) -> None:
    try:
        shown = client.get(kept.path)
    except Refused as refusal:
        if " 404 " not in str(refusal):
            raise
    else:
        raise AssertionError(f"BACK AGAIN: {kept.path} {shown}")


# --- what holds of any state -------------------------------------------------------------------


def check_whole(account: Account) -> dict[str, int]:
    """No half record, no timer too many or too few, every file its hash; how much was seen."""
    store = account.store
    for application in store.applications.every():
        _check_application(account, application)
    for document in store.documents.every():
        assert store.end_users.fetch(document.end_user_id) is not None, f"ORPHAN: {document}"
        assert document.file is not None
        content = account.files.read(document.file.sha256)
        assert content is not None, f"FILE LOST: {document}"
        assert sha256_of(content) == document.file.sha256, f"FILE DAMAGED: {document}"
        if document.origin is not Origin.LEGACY:
            assert store.applications.having("document_ids", document.id), f"LEFT OVER: {document}"
    for number in store.numbers.every():
        if number.application_id is not None:
            assert store.applications.fetch(number.application_id), f"DANGLING: {number}"
    _check_timers(account)
    return {"applications": len(store.applications), "files": len(store.documents)}


def _check_application(account: Account, application: Application) -> None:
    store = account.store
    assert store.end_users.fetch(application.end_user_id) is not None, f"HALF: {application}"
    for id in application.document_ids:
        assert store.documents.fetch(id) is not None, f"HALF: {application}"
    statuses = ["draft", *(change.status for change in application.timeline)]
    for before, after in pairwise(statuses):
        assert MACHINE.allowed(before, after), f"NO SUCH ARROW: {statuses}"
    assert application.status == statuses[-1], f"{application.status} {statuses}"
    assert application.attempt == statuses.count("submitted")
    instants = [change.at for change in application.timeline]
    assert instants == sorted(instants)
    waiting = len(store.timers.having("subject_id", application.id))
    assert waiting <= 1, f"TIMER TWICE: {application}"
    if application.status == "submitted":
        assert waiting == 1, f"TIMER LOST: {application}"
    _check_deliveries(account, application)


def _check_deliveries(account: Account, application: Application) -> None:
    """One for each change that the reviewer made, in order."""
    if not application.callback_url or len(account.store.deliveries) >= KEPT_DELIVERIES:
        return
    told = [
        dict(each.payload)["status"]
        for each in account.store.deliveries.having("application_id", application.id)
    ]
    made = [change.status for change in application.timeline if change.by != "client"]
    worded = ["rejected" if each == "more_info_required" else str(each) for each in made]
    assert told == worded, f"CALLBACKS {told} FOR {worded}"


def _check_timers(account: Account) -> None:
    subjects = Counter((timer.kind, timer.subject_id) for timer in account.store.timers.every())
    for kind, id in subjects:
        table = account.store.applications if kind is TimerKind.REVIEW else account.store.deliveries
        assert table.fetch(id) is not None, f"TIMER OF NOTHING: {kind} {id}"
    for delivery in account.store.deliveries.every():
        wanted = 1 if delivery.state is DeliveryState.PENDING else 0
        found = subjects[TimerKind.CALLBACK, delivery.id]
        assert found == wanted, f"{found} timers of {delivery}"
        if wanted:
            assert account.store.applications.fetch(delivery.application_id), f"LEFT: {delivery}"


def check_end(account: Account, receiver: Collector) -> dict[str, int]:
    """Nothing is due any more: each submission was decided once, each callback arrived."""
    decided = arrived = 0
    assert not len(account.store.timers)
    for application in account.store.applications.every():
        assert application.status != "submitted", f"NEVER DECIDED: {application}"
        decided += sum(change.by == "reviewer" for change in application.timeline)
        _check_reinstated(application)
    for delivery in account.store.deliveries.every():
        assert delivery.state is not DeliveryState.PENDING
        if delivery.state is DeliveryState.CANCELLED:
            continue
        arrived += 1
        assert receiver.bodies[delivery.id], f"FORGOTTEN: {delivery}"
        bodies = receiver.bodies[delivery.id]
        assert len(bodies) == 1, f"TWO BODIES: {bodies} {delivery}"
        tried = [str(n + 1) for n in range(len(delivery.attempts))]
        assert all(receiver.times[delivery.id, n] for n in tried), f"NOT SENT: {delivery}"
    return {"decided": decided, "arrived": arrived}


def _check_reinstated(application: Application) -> None:
    """The magic scenario: accepted, 30 days later suspended, 7 days later accepted; each once."""
    timeline = application.timeline
    if MAGIC not in application.alias or any(change.by == "hand" for change in timeline):
        return
    last = [change for change in timeline if change.by == "reviewer"][-3:]
    statuses = [change.status for change in last]
    assert statuses == ["accepted", "suspended", "accepted"], statuses
    waits = [after.at - before.at for before, after in pairwise(last)]
    assert waits == [timedelta(days=30), timedelta(days=7)], waits
