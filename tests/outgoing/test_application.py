"""An application that was never written for the simulator: its client is made at import, with an
auth id of its own; it has a webhook that checks signatures, and a database."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

APPLICATION = """
import json, sqlite3, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import plivo

AUTH_ID, AUTH_TOKEN = "MAOWNOWNOWNOWNOWNOWN", "own-token"
CLIENT = plivo.RestClient(AUTH_ID, AUTH_TOKEN, timeout=30)
DATABASE = Path("application.sqlite")


def query(statement, *values):
    database = sqlite3.connect(DATABASE)
    try:
        with database:
            return database.execute(statement, values).fetchall()
    finally:
        database.close()


def create_tables(path):
    global DATABASE
    DATABASE = path
    query("create table office (name text, application text, status text, reason text)")


def register(name, webhook):
    made = CLIENT.phone_number_compliance.create(data={
        "country_iso": "US", "number_type": "local", "alias": name, "callback_url": webhook,
        "end_user": {"type": "business", "name": name},
    })
    query("insert into office values (?, ?, 'submitted', '')", name, made.compliance_id)
    return made.compliance_id


def correct(name):
    (id,), = query("select application from office where name = ?", name)
    CLIENT.phone_number_compliance.update(id, data={"end_user": {"name": f"{name} Inc."}})


def status_of(name):
    return query("select status, reason from office where name = ?", name)[0]


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        genuine = plivo.utils.validate_v3_signature(
            "POST", f"http://{self.headers['Host']}{self.path}",
            self.headers["X-Plivo-Signature-V3-Nonce"], AUTH_TOKEN,
            self.headers["X-Plivo-Signature-V3"], fields,
        )
        if genuine:
            query("update office set status = ?, reason = ? where application = ?",
                  fields["status"], fields.get("rejection_reason", ""), fields["compliance_id"])
        self.send_response(200 if genuine else 403)
        self.end_headers()

    def log_message(self, *about): ...
"""

SUITE = """
import threading
from http.server import ThreadingHTTPServer

import application, plivo, pytest

pytestmark = pytest.mark.plivo_sim(
    auth_id=application.AUTH_ID, auth_token=application.AUTH_TOKEN, pointed=True
)


@pytest.fixture(autouse=True)
def webhook(tmp_path):
    application.create_tables(tmp_path / "application.sqlite")
    with ThreadingHTTPServer(("127.0.0.1", 0), application.Webhook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/compliance"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("n", range(6))
def test_rejected_corrected_accepted(plivo_server, webhook, n):
    id = application.register("Acme", webhook)
    assert [each.id for each in plivo_server.applications()] == [id]
    plivo_server.reject(id, "Name mismatch")
    assert application.status_of("Acme") == ("rejected", "Name mismatch")
    application.correct("Acme")
    plivo_server.advance(business_days=3)
    assert application.status_of("Acme")[0] == "accepted"


def test_no_fixture_is_asked_for(webhook):
    application.register("Acme", webhook)
    assert application.status_of("Acme") == ("submitted", "")


class TestOtherToken:
    pytestmark = pytest.mark.plivo_sim(auth_token="another-token")

    def test_the_token_is_checked(self, webhook):
        with pytest.raises(plivo.exceptions.AuthenticationError):
            application.register("Acme", webhook)


@pytest.mark.plivo_sim(pointed=False)
def test_nothing_leaves_by_accident(webhook):
    with pytest.raises(RuntimeError, match="application.py:.* in register calls api.plivo.com"):
        application.register("Acme", webhook)
"""


@pytest.mark.live
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_it_needs_nothing_but_the_plugin_and_a_marker(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """In any order, and under xdist."""
    pytester.makepyfile(application=APPLICATION, test_application=SUITE)
    pytester.syspathinsert()
    result = pytester.runpytest_subprocess(
        "--strict-markers", "-p", "no:asyncio", "-W", "error", *workers
    )
    result.assert_outcomes(passed=9)
