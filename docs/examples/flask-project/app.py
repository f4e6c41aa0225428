"""A small Flask application: it files compliance with Plivo and keeps what became of it.

plivo for Python 4.63.0. Run its tests: pip install -r requirements.txt, then pytest.

A callback is a notice only. What is stored is what Plivo says when it is asked, so that a callback
that comes twice, late or out of order changes nothing.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import plivo
from flask import Flask, abort, request

AUTH_ID, AUTH_TOKEN = os.environ["PLIVO_AUTH_ID"], os.environ["PLIVO_AUTH_TOKEN"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS filing (id TEXT PRIMARY KEY, status TEXT, reason TEXT);
CREATE TABLE IF NOT EXISTS change (filing TEXT, status TEXT, reason TEXT);
"""

client = plivo.RestClient(AUTH_ID, AUTH_TOKEN)
app = Flask(__name__)
app.config["DATABASE"] = os.environ.get("DATABASE", "filings.db")
app.config["PUBLIC_URL"] = os.environ.get("PUBLIC_URL", "https://filings.example.com")


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A transaction."""
    db = sqlite3.connect(app.config["DATABASE"])
    try:
        with db:
            db.executescript(SCHEMA)
            yield db
    finally:
        db.close()


@app.post("/filings")
def file_one():
    """File for an American local number: {"company": "Acme"}."""
    company = request.json["company"]
    made = client.phone_number_compliance.create(
        data={
            "country_iso": "US",
            "number_type": "local",
            "alias": company,
            "end_user": {"type": "business", "name": company},
            "callback_url": f"{app.config['PUBLIC_URL']}/plivo/status",
        }
    )
    refresh(made.compliance_id)
    return {"id": made.compliance_id}, 201


@app.patch("/filings/<id>")
def correct_one(id: str):
    """Correct the company's name, and submit again."""
    client.phone_number_compliance.update(id, data={"end_user": {"name": request.json["company"]}})
    refresh(id)
    return show_one(id)


@app.get("/filings/<id>")
def show_one(id: str):
    """What is stored: {"status": …, "reason": …, "statuses": every one so far}."""
    with database() as db:
        found = db.execute("SELECT status, reason FROM filing WHERE id = ?", (id,)).fetchone()
        changes = db.execute("SELECT status FROM change WHERE filing = ? ORDER BY rowid", (id,))
        statuses = [status for (status,) in changes]
    if found is None:
        abort(404)
    return {"status": found[0], "reason": found[1], "statuses": statuses}


@app.post("/plivo/status")
def plivo_status():
    """Plivo's webhook."""
    if not is_from_plivo():
        abort(403)
    refresh(request.json["compliance_id"])
    return "", 204


def is_from_plivo() -> bool:
    """By the SDK's own check: of the URL that was called and the fields of the body."""
    return plivo.utils.validate_v3_signature(
        "POST",
        request.url,
        request.headers.get("X-Plivo-Signature-V3-Nonce", ""),
        AUTH_TOKEN,
        request.headers.get("X-Plivo-Signature-V3", ""),
        request.json,
    )


def refresh(id: str) -> None:
    """Store what Plivo says of it now; one writer at a time, so that the last one is right."""
    with database() as db:
        db.execute("BEGIN IMMEDIATE")
        told = client.phone_number_compliance.get(id).compliance
        now = (id, told.status, getattr(told, "rejection_reason", ""))
        if db.execute("SELECT * FROM filing WHERE id = ?", (id,)).fetchone() != now:
            db.execute("INSERT OR REPLACE INTO filing VALUES (?, ?, ?)", now)
            db.execute("INSERT INTO change VALUES (?, ?, ?)", now)
