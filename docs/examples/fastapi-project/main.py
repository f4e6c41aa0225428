"""A small FastAPI application: it files compliance with Plivo and keeps what became of it.

plivo for Python 4.63.0. Run its tests: pip install -r requirements.txt, then pytest.

Plivo's SDK and sqlite3 block, so whatever uses them runs in a thread; the event loop goes on. A
callback is a notice only: what is stored is what Plivo says when it is asked, so that a callback
that comes twice, late or out of order changes nothing.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import plivo
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

AUTH_ID, AUTH_TOKEN = os.environ["PLIVO_AUTH_ID"], os.environ["PLIVO_AUTH_TOKEN"]
DATABASE = os.environ.get("DATABASE", "filings.db")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "https://filings.example.com")
SCHEMA = """
CREATE TABLE IF NOT EXISTS filing (id TEXT PRIMARY KEY, status TEXT, reason TEXT);
CREATE TABLE IF NOT EXISTS change (filing TEXT, status TEXT, reason TEXT);
"""

client = plivo.RestClient(AUTH_ID, AUTH_TOKEN)
app = FastAPI()


class Company(BaseModel):
    company: str


class Stored(BaseModel):
    id: str
    status: str
    reason: str
    statuses: list[str]


@app.post("/filings", status_code=201)
async def file_one(body: Company) -> Stored:
    """File for an American local number."""
    return await run_in_threadpool(submit, body.company)


@app.patch("/filings/{id}")
async def correct_one(id: str, body: Company) -> Stored:
    """Correct the company's name, and submit again."""
    return await run_in_threadpool(correct, id, body.company)


@app.get("/filings/{id}")
async def show_one(id: str) -> Stored:
    return await run_in_threadpool(stored, id)


@app.post("/plivo/status", status_code=204)
async def plivo_status(request: Request) -> None:
    """Plivo's webhook."""
    fields = await request.json()
    if not is_from_plivo(request, fields):
        raise HTTPException(403)
    await run_in_threadpool(refresh, fields["compliance_id"])


def is_from_plivo(request: Request, fields: dict[str, str]) -> bool:
    """By the SDK's own check: of the URL that was called and the fields of the body."""
    return plivo.utils.validate_v3_signature(
        "POST",
        str(request.url),
        request.headers.get("X-Plivo-Signature-V3-Nonce", ""),
        AUTH_TOKEN,
        request.headers.get("X-Plivo-Signature-V3", ""),
        fields,
    )


# --- in a thread -----------------------------------------------------------------------------


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A transaction."""
    db = sqlite3.connect(DATABASE)
    try:
        with db:
            db.executescript(SCHEMA)
            yield db
    finally:
        db.close()


def submit(company: str) -> Stored:
    made = client.phone_number_compliance.create(
        data={
            "country_iso": "US",
            "number_type": "local",
            "alias": company,
            "end_user": {"type": "business", "name": company},
            "callback_url": f"{PUBLIC_URL}/plivo/status",
        }
    )
    refresh(made.compliance_id)
    return stored(made.compliance_id)


def correct(id: str, company: str) -> Stored:
    client.phone_number_compliance.update(id, data={"end_user": {"name": company}})
    refresh(id)
    return stored(id)


def refresh(id: str) -> None:
    """Store what Plivo says of it now; one writer at a time, so that the last one is right."""
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        told = client.phone_number_compliance.get(id).compliance
        now = (id, told.status, getattr(told, "rejection_reason", ""))
        if db.execute("SELECT * FROM filing WHERE id = ?", (id,)).fetchone() != now:
            db.execute("INSERT OR REPLACE INTO filing VALUES (?, ?, ?)", now)
            db.execute("INSERT INTO change VALUES (?, ?, ?)", now)


def stored(id: str) -> Stored:
    with database() as db:
        found = db.execute("SELECT * FROM filing WHERE id = ?", (id,)).fetchone()
        changes = db.execute("SELECT status FROM change WHERE filing = ? ORDER BY rowid", (id,))
        statuses = [status for (status,) in changes]
    if found is None:
        raise HTTPException(404)
    return Stored(id=id, status=found[1], reason=found[2], statuses=statuses)
