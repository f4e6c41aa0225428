"""Calls of an application, every kind, with texts that must not be found on a tape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.client import Http
from plivo_sim.client import basic as basic_of
from plivo_sim.recording.masks import Masks
from plivo_sim.recording.passing import Recorder
from plivo_sim.recording.tapes import Tape
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from plivo_sim.web.server import make_server
from tests.support import JPEG, PDF, PNG

AUTH_ID = "MAQ7WJ3K9ZR2X5V8B1LM"
TOKEN = "Zk3vTq9sWb7pLx2mNc5dRf8gYh1jUa4e"
NAME = "Kolkata Teahouse Exports"
EMAIL = "priya.raghunathan@kolkatateahouse.test"
STREET = "48 Shyambazar Crossing"
CITY = "Chandernagore"
POSTAL = "712136"
REGISTRATION = "U15499WB2011PTC168733"
ALIAS = "Teahouse Howrah line"
CALLBACK = "https://hooks.kolkatateahouse.test/plivo/in?sig=9f8e7d6c5b"
BIRTHDAY = "1983-11-23"
FILE = "Raghunathan incorporation.pdf"
COOKIE = "sid=Tf6yGu8hIj0kOlPz"
PASSPORT = "Z5512877"
ORIGINALS = (
    AUTH_ID, TOKEN, NAME, "Teahouse", "Kolkata", EMAIL, "priya", "kolkatateahouse", "raghunathan",
    STREET, "Shyambazar", CITY, POSTAL, REGISTRATION, ALIAS, "Howrah", CALLBACK, "9f8e7d6c5b",
    BIRTHDAY, FILE, "Raghunathan", COOKIE, "Tf6yGu8hIj0kOlPz", PASSPORT, "Mukherjee", "Anindita",
)  # fmt: skip
"""Nobody finds these on a tape, encoded or not."""
NOWHERE = "7d9f2c31-58aa-4d10-9be4-0c1e6a7f3b52"


class Application:
    """An application with an account at a URL; ``answers`` are kept as they came."""

    def __init__(self, url: str, token: str = TOKEN, authority: str | None = None) -> None:
        self._http = Http(url, authority=authority)
        self._headers = {"Authorization": basic_of(AUTH_ID, token), "Cookie": COOKIE}
        self.answers: list[tuple[int, Any]] = []

    def call(self, method: str, path: str, *, headers: Any = None, **sent: Any) -> Any:
        target = path if path.startswith("/") else f"/v1/Account/{AUTH_ID}/{path}"
        more = {**self._headers, "User-Agent": "plivo-python/4.63.0", **(headers or {})}
        answer = self._http.send(method, target, more, **sent)
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = answer.data
        self.answers.append((answer.status, told))
        return told

    def json(self, method: str, path: str, value: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        return self.call(method, path, headers=headers, body=json.dumps(value).encode())


REQUIREMENTS = (
    "PhoneNumber/Compliance/Requirements/?country_iso=IN&number_type=local&user_type=business"
)


def reads(caller: Application) -> None:
    """What an application reads of an account that it knows nothing of."""
    caller.call("GET", REQUIREMENTS)
    caller.call("GET", "PhoneNumber/Compliance/?limit=20&offset=0&status=accepted")
    caller.call("GET", f"PhoneNumber/Compliance/{NOWHERE}/?expand=end_user,documents")
    caller.call("GET", "PhoneNumber/Compliance/?surprise=1")
    caller.call(
        "GET", "ComplianceRequirement/?country_iso2=IN&number_type=local&end_user_type=business"
    )
    caller.call("GET", "ComplianceDocumentType/?limit=20")
    caller.call("GET", "EndUser/?limit=5")
    caller.call("GET", "Number/?limit=5")
    caller.call("HEAD", REQUIREMENTS)


def creation(types: list[dict[str, Any]], **changes: Any) -> list[Any]:
    """The form of a create."""
    ids = [each["document_type_id"] for each in types]
    data = {
        "country_iso": "IN", "number_type": "local", "alias": ALIAS,
        "end_user": {
            "type": "business", "name": NAME, "last_name": "", "email": EMAIL,
            "address_line1": STREET, "address_line2": "", "city": CITY, "state": "West Bengal",
            "postal_code": POSTAL, "country": "IN", "registration_number": REGISTRATION,
        },
        "documents": [
            {"document_type_id": ids[0], "data_fields": {"business_name": NAME}},
            {"document_type_id": ids[1]},
        ],
        "callback_url": CALLBACK, "callback_method": "POST",
    }  # fmt: skip
    return [
        ("data", json.dumps(data | changes)),
        ("documents[0].file", (FILE, PDF)),
        ("documents[1].file", ("scan of Mukherjee.png", PNG)),
    ]


def writes(caller: Application, decide: Callable[[str, str], None]) -> None:
    """The life of an application in today's API, and numbers."""
    types = caller.call("GET", REQUIREMENTS)["document_types"]
    new = "PhoneNumber/Compliance/"
    caller.call("POST", new, form=creation(types, end_user={"type": "business"}))
    caller.call("POST", new, form=creation([{"document_type_id": NOWHERE}, types[1]]))
    made = caller.call("POST", new, form=creation(types))["compliance_id"]
    caller.call("POST", new, form=creation(types))
    caller.call("GET", f"{new}{made}/?expand=end_user,documents,linked_numbers")
    caller.call("PATCH", f"{new}{made}/", form=[("data", json.dumps({"alias": "Anindita"}))])
    decide(made, "rejected")
    caller.call("GET", f"{new}{made}/")
    changed = {"alias": "Anindita", "end_user": {"city": "Serampore"}}
    caller.call("PATCH", f"{new}{made}/", form=[("data", json.dumps(changed))])
    decide(made, "accepted")
    shown = caller.call("GET", f"{new}{made}/?expand=end_user,documents")
    download = shown["compliance"]["documents"][0]["download_url"]
    caller.call("GET", "/" + download.split("/", 3)[3])
    found = caller.call("GET", "PhoneNumber/?country_iso=IN&type=local&limit=2")["objects"]
    number = found[0]["number"]
    caller.json("POST", f"PhoneNumber/{number}/", {"compliance_application_id": made})
    caller.call("GET", f"Number/{number}/")
    caller.json("POST", f"Number/{number}/", {"alias": ALIAS})
    caller.json(
        "POST", f"{new}Link/", {"numbers": [{"number": number, "compliance_application_id": made}]}
    )
    caller.call("DELETE", f"{new}{made}/")
    caller.call("DELETE", f"Number/{number}/")
    caller.call("GET", new)
    caller.call("DELETE", f"{new}{made}/")
    caller.call("POST", new, body=b"data=%7B%22alias%22", headers={
        "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip


def legacy(caller: Application, decide: Callable[[str, str], None]) -> None:
    """The life of an application in the legacy API."""
    asked = caller.call(
        "GET", "ComplianceRequirement/?country_iso2=IN&number_type=local&end_user_type=business"
    )
    types = [slot["acceptable_documents"][0] for slot in asked["acceptable_document_types"]]
    user = caller.json(
        "POST",
        "EndUser/",
        {"name": "Anindita", "last_name": "Mukherjee", "end_user_type": "business"},
    )
    caller.json(
        "POST",
        "EndUser/",
        {"name": "Anindita", "last_name": "Mukherjee", "end_user_type": "business"},
    )
    documents = []
    for each, file in zip(types, ((FILE, PDF), ("card.jpg", JPEG)), strict=True):
        form = [
            ("end_user_id", user["end_user_id"]), ("document_type_id", each["document_type_id"]),
            ("alias", f"{ALIAS} {each['document_type_name']}"), ("business_name", NAME),
            ("file", file),
        ]  # fmt: skip
        documents.append(caller.call("POST", "ComplianceDocument/", form=form)["document_id"])
    application = {
        "compliance_requirement_id": asked["compliance_requirement_id"], "alias": ALIAS,
        "end_user_id": user["end_user_id"], "document_ids": documents,
    }  # fmt: skip
    made = caller.json("POST", "ComplianceApplication/", application)
    id = made["compliance_application_id"]
    caller.json("POST", f"ComplianceApplication/{id}/Submit/", {})
    caller.call("GET", f"ComplianceApplication/{id}/")
    decide(id, "accepted")
    caller.call("GET", f"ComplianceApplication/{id}/")
    caller.call("GET", "ComplianceApplication/?limit=10")
    caller.call("DELETE", f"ComplianceApplication/{id}/")
    caller.call("GET", f"EndUser/{user['end_user_id']}/")


@contextmanager
def recording(
    upstream: str,
    tape: Path,
    *,
    receiver: str | None = None,
    authority: str | None = None,
    allows_writes: bool = True,
    settings: Settings | None = None,
) -> Iterator[str]:
    """A recorder before an upstream; its URL."""  # fmt: skip
    made, masks = Tape(tape, "upstream"), Masks()
    recorder = Recorder(
        Http(upstream, authority=authority), made, masks,
        receiver=Http(receiver) if receiver else None, allows_writes=allows_writes,
        settings=settings,
    )  # fmt: skip
    server = make_server(recorder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
        recorder.close()
        made.close()


@contextmanager
def altered(sim: Simulator, alter: Callable[[Any], Any]) -> Iterator[str]:
    """A simulator behind a WSGI application that changes what it answers; its URL. ``alter`` gets
    the path, the status, the headers and the JSON of an answer, and returns the last three."""
    app = create_app(sim)

    def changing(environ: Any, start_response: Any) -> Any:
        begun: list[Any] = []
        body = b"".join(
            app(environ, lambda status, headers, _=None: begun.append((status, headers)))
        )
        (status, headers) = begun[-1]
        if ("Content-Type", "application/json") in headers and body:
            status, headers, told = alter(environ["PATH_INFO"], status, headers, json.loads(body))
            body = json.dumps(told).encode()
            headers = [(name, value) for name, value in headers if name != "Content-Length"]
            headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return [body]

    server = make_server(changing)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def decider(live: LiveSimulator | Simulator) -> Callable[[str, str], None]:
    """What a reviewer does at the real service."""
    sim = live.sim if isinstance(live, LiveSimulator) else live

    def decide(id: str, status: str) -> None:
        sim.decide(id, status, None, account=sim.account(AUTH_ID))

    return decide
