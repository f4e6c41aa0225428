"""What the tests of the current dialect share: its seven operations, and how a refusal looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from plivo_sim.apis.phone_number.current.presenters import ErrorOut
from tests.support import PDF, PNG, Http, check_answer, multipart

BASE = "PhoneNumber/Compliance/"
COMPLETE_KEY = "country_iso=IN&number_type=local&user_type=business"


@dataclass(frozen=True)
class Operation:
    """One operation; ``path`` lies below the account and may name ``{id}`` and ``{document}``."""

    name: str
    method: str
    path: str
    takes_body: bool = False

    def call(self, http: Http, id: str = "none", document: str = "none", **kw: Any) -> TestResponse:
        """Do it; a body that could do something goes with it."""
        path = BASE + self.path.format(id=id, document=document)
        if self.takes_body and "data" not in kw:
            kw["data"], kw["content_type"] = multipart([("data", json.dumps({"alias": "x"}))], [])
        return http.call(self.method, path, **kw)


OPERATIONS = [
    Operation("requirements", "GET", f"Requirements/?{COMPLETE_KEY}"),
    Operation("create", "POST", "", takes_body=True),
    Operation("list", "GET", ""),
    Operation("get", "GET", "{id}/"),
    Operation("update", "PATCH", "{id}/", takes_body=True),
    Operation("delete", "DELETE", "{id}/"),
    Operation("download", "GET", "{id}/Document/{document}/download/"),
]
ON_ONE = [operation for operation in OPERATIONS if "{id}" in operation.path]
WRITES = [operation for operation in OPERATIONS if operation.takes_body]


def form_of(data: Any, *files: tuple[str, str | None, bytes]) -> dict[str, Any]:
    """The arguments of a call that sends ``data`` and files as one form."""
    body, content_type = multipart([("data", json.dumps(data))], list(files))
    return {"data": body, "content_type": content_type}


FORM = "application/x-www-form-urlencoded"
NO_DOCUMENTS = (
    "documents: a document of type 'Registration Certificate' is required; "
    "documents: a document of type 'GST certificate' is required"
)
LACKING = [
    "documents[0].file: a file is required for document type 'Registration Certificate'",
    "documents[1].file: a file is required for document type 'GST certificate'",
]
FILES = (("documents[0].file", "certificate.pdf", PDF), ("documents[1].file", "gst.png", PNG))


def send(http: Http, data: Any, *files: tuple[str, str | None, bytes]) -> TestResponse:
    """A create with exactly this."""
    return http.post(BASE, **form_of(data, *files))


def created(http: Http, **body: Any) -> str:
    """The id of what this body creates."""
    answer = http.post(BASE, **body)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["compliance_id"])


def rejected(http: Http) -> str:
    """The id of an application that may be corrected."""
    id = http.sdk_created()
    assert http.decide(id, "rejected", "Blurred scan").status_code == 200
    return id


def documents_of(http: Http, id: str) -> list[dict[str, Any]]:
    """The documents of an application as the API shows them."""
    return http.get(f"{BASE}{id}/?expand=documents").get_json()["compliance"]["documents"]


def names_of(http: Http, id: str) -> list[str | None]:
    """The names of the files of an application."""
    return [each["file_name"] for each in documents_of(http, id)]


def state_of(http: Http) -> dict[str, Any]:
    """Everything that a refused call must leave alone: records, ids, files, for each account."""
    return {
        account.auth_id: (account.store.mark(), dict(account.ids.counts), dict(vars(account.files)))
        for account in http.sim.accounts()
    }


def refused(http: Http, call: Callable[[], TestResponse], status: int, text: str) -> TestResponse:
    """Make a call that must be refused with this sentence, and leave everything as it was."""
    before = state_of(http)
    answer = call()
    assert (answer.status_code, answer.get_json()) == (
        status,
        {"api_id": answer.headers["X-Request-Id"], "error": text},
    )
    check_refusal(answer)
    assert state_of(http) == before
    return answer


def check_refusal(answer: TestResponse) -> None:
    """The whole shape of an error in this dialect."""
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.get_json()
    check_answer(body, ErrorOut)
    assert body["api_id"] == answer.headers["X-Request-Id"]
    assert UUID(body["api_id"]).version == 1
    assert body["error"]
    assert answer.headers["X-Plivo-Sim-Dialect"] == "current"
