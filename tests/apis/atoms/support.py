"""An organisation that calls Atoms in process."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.test import TestResponse

from plivo_sim.simulator import Simulator
from plivo_sim.web.access import account_of
from tests.support import PDF, PNG, Http, multipart

KEY = {"countryIso": "IN", "numberType": "local", "userType": "business"}
END_USER = {"name": "Acme Traders Pvt Ltd", "email": "contact@acme.example", "city": "Mumbai"}
BASE = "/atoms/v1/compliance"
TOKEN = "atoms-key-1"

Files = list[tuple[str, bytes]]


class Atoms:
    """One organisation: its calls to Atoms, and control calls to its account."""

    def __init__(self, http: Http, token: str = TOKEN) -> None:
        self.token = token
        self.auth_id = account_of(token)
        self.http = Http(http.app, http.sim, auth_id=self.auth_id)

    @property
    def sim(self) -> Simulator:
        return self.http.sim

    @property
    def account(self) -> Any:
        return self.http.account

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | kwargs.pop("headers", {})
        return self.http.call(method, BASE + path, headers=headers, **kwargs)

    # --- the five operations ---------------------------------------------------------------

    def status(self, **key: str) -> TestResponse:
        return self.call("GET", "/status", query_string=KEY | key)

    def requirements(self, **key: str) -> TestResponse:
        return self.call("GET", "/requirements", query_string=KEY | key)

    def submit(self, files: Files | None = None, **changes: Any) -> TestResponse:
        """A complete submission; a change to None leaves the field out, text goes as it is."""
        headers = changes.pop("headers", {})
        return self.send("POST", "/applications", self.fields(**changes), files, headers=headers)

    def resubmit(self, id: str, files: Files | None = None, **changes: Any) -> TestResponse:
        headers = changes.pop("headers", {})
        fields = {"documents": self.documents()} | changes
        files = certificates(b" again") if files is None else files
        return self.send("PATCH", f"/applications/{id}", fields, files, headers=headers)

    def refresh(self, id: str, **kwargs: Any) -> TestResponse:
        return self.call("POST", f"/applications/{id}/refresh", **kwargs)

    # --- what they are made of -------------------------------------------------------------

    def documents(self) -> list[dict[str, Any]]:
        """The two documents of an Indian business."""
        types = document_types(self.requirements())
        return [
            {"documentTypeId": types[0], "dataFields": {"business_name": "Acme"}},
            {"documentTypeId": types[1]},
        ]

    def fields(self, **changes: Any) -> dict[str, Any]:
        return KEY | {"endUser": END_USER, "documents": self.documents()} | changes

    def send(
        self, method: str, path: str, fields: dict[str, Any], files: Files | None, **kwargs: Any
    ) -> TestResponse:
        """A form; what is no text goes as JSON text."""
        texts = [
            (name, value if isinstance(value, str) else json.dumps(value))
            for name, value in fields.items()
            if value is not None
        ]
        files = certificates() if files is None else files
        body, content_type = multipart(texts, [("files", name, each) for name, each in files])
        return self.call(method, path, data=body, content_type=content_type, **kwargs)

    def submitted(self, **changes: Any) -> dict[str, Any]:
        """A new application, as Atoms shows it."""
        answer = self.submit(**changes)
        assert answer.status_code == 201, answer.text
        return answer.get_json()["data"]

    def rejected(self, reason: str = "Blurred scan", **changes: Any) -> dict[str, Any]:
        """One that the reviewer rejected, and Atoms knows it."""
        made = self.submitted(**changes)
        self.decide(made, "rejected", reason)
        return self.known(made)

    # --- the simulator's side --------------------------------------------------------------

    def decide(self, made: dict[str, Any], status: str, reason: str | None = None) -> None:
        answer = self.http.decide(made["plivoComplianceId"], status, reason)
        assert answer.status_code == 200, answer.text

    def known(self, made: dict[str, Any]) -> dict[str, Any]:
        """What Atoms knows of an application now."""
        key = {name: made[name] for name in KEY}
        shown = self.status(**key).get_json()["data"]["application"]
        assert shown["_id"] == made["_id"]
        return shown

    def at_plivo(self, made: dict[str, Any]) -> str:
        """The core's own status."""
        shown = self.http.control("GET", f"/applications/{made['plivoComplianceId']}")
        return shown.get_json()["status"]

    def policy(self, **values: Any) -> None:
        answer = self.http.control("POST", "/webhooks/policy", values | {"account": self.auth_id})
        assert answer.status_code == 200, answer.text

    def fault(self, effect: str, **values: Any) -> None:
        body = {"effect": effect, "account": self.auth_id} | values
        answer = self.http.control("POST", "/faults", body)
        assert answer.status_code == 201, answer.text

    def configure(self, **settings: str) -> None:
        body = {"auth_id": self.auth_id, "settings": settings}
        assert self.http.control("POST", "/accounts", body).status_code == 201

    def state(self) -> Any:
        """Every record, to see that nothing changed."""
        with self.account.lock:
            return self.account.store.mark()


def certificates(more: bytes = b"") -> Files:
    return [("certificate_of_incorporation.pdf", PDF + more), ("gst.png", PNG + more)]


def document_types(answer: TestResponse) -> list[str]:
    return [each["documentTypeId"] for each in answer.get_json()["data"]["documentTypes"]]


def errors(answer: TestResponse, status: int) -> list[str]:
    """The texts of a refusal, which has the printed shape."""
    assert answer.status_code == status, answer.text
    body = answer.get_json()
    assert set(body) == {"status", "errors"}
    assert body["status"] is False
    assert not [name for name, _ in answer.headers if name.startswith("X-RateLimit")]
    return body["errors"]
