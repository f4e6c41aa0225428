"""Accounts with many applications, made through the real services, for the benchmarks here."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Transport
from plivo_sim.apis.phone_number.current.reading import RULES
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.records import Application, NumberType, UserType, Version
from plivo_sim.domain.requirements import Requirement
from plivo_sim.services import applications
from plivo_sim.services.inputs import DocumentDraft, NewApplication, Upload
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.webhooks.transport import MemoryTransport

AUTH_ID = "MAXXXXXXXXXXXXXXXXXX"
PDF = b"%PDF-1.4 proof"
PNG = b"\x89PNG\r\n\x1a\n proof"
CALLBACK = "http://127.0.0.1:9/callback"


def simulator(state: Path | None = None, transport: Transport | None = None) -> Simulator:
    """One on a paused clock."""
    settings = Settings(paused=True, review_delay=None, state=state)
    return make_simulator(settings, transport=transport or MemoryTransport())


def requirement_of(account: Account) -> Requirement:
    key = ("IN", NumberType.LOCAL, UserType.BUSINESS)
    found = account.catalogue.find(Version.CURRENT, key)
    assert found is not None
    return found


def wanted(
    requirement: Requirement, n: int, callback: str | None = None, name: str = ""
) -> NewApplication:
    """A complete submission with two documents; everyone's files are the same two."""
    first, second = (slot.types[0].id for slot in requirement.slots)
    return NewApplication(
        country_iso="IN",
        number_type=NumberType.LOCAL,
        user_type=UserType.BUSINESS,
        alias=f"alias {n}",
        end_user={
            "name": name or f"Business {n}",
            "email": f"owner{n}@business.example",
            "address_line1": f"{n} MG Road",
            "city": "Mumbai",
            "state": "Maharashtra",
            "postal_code": "400001",
            "country": "IN",
            "registration_number": f"U{n:08d}",
        },
        documents=(
            DocumentDraft(
                type_reference=first,
                data_fields={"business_name": f"Business {n}"},
                upload=Upload(name="certificate.pdf", content=PDF),
            ),
            DocumentDraft(type_reference=second, upload=Upload(name="gst.png", content=PNG)),
        ),
        callback_url=callback,
    )


def fill(account: Account, count: int, callback: str | None = None) -> None:
    """So many applications more."""
    requirement = requirement_of(account)
    there = len(account.store.applications)
    for n in range(there, there + count):
        applications.create(account, wanted(requirement, n, callback), RULES)


def fill_with_copies(account: Account, count: int) -> None:
    """As ``fill``, at a tenth of its cost: one application and what belongs to it, again and
    again under other ids and names. For what is kept in memory only and measured by its number."""
    there = len(account.store.applications)
    fill(account, 1)
    (model,) = account.store.applications.page({}, offset=there).records
    with account.transaction():
        for n in range(there + 1, there + count):
            _copy(account, model, n)


def _copy(account: Account, model: Application, n: int) -> None:
    store, ids = account.store, account.ids

    def keep(rows: Any, record: Any, kind: str, **changes: Any) -> str:
        id: str = ids.next(kind)
        rows.put(replace(record, id=id, seq=account.next_seq(), **changes))
        return id

    end_user = store.end_users.fetch(model.end_user_id)
    owner = keep(store.end_users, end_user, "end_user", name=f"Business {n}")
    documents = [store.documents.fetch(each) for each in model.document_ids]
    proofs = [keep(store.documents, each, "document", end_user_id=owner) for each in documents]
    linked = {"end_user_id": owner, "document_ids": tuple(proofs)}
    made = keep(store.applications, model, "application", alias=f"alias {n}", **linked)
    (explanation,) = store.explanations.having("application_id", model.id)
    keep(store.explanations, explanation, "explanation", application_id=made)
    (timer,) = store.timers.having("subject_id", model.id)
    timer_id = ids.next("timer")
    account.agenda.add(replace(timer, id=timer_id, seq=account.next_seq(), subject_id=made))


def resident_bytes() -> int:
    """What this process has in memory now."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def threads() -> int:
    return threading.active_count()
