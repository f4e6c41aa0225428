"""The verbs of an applicant and a reviewer, over the services and over HTTP, for tests that make
up what happens: each does its work or raises ``Refused``."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from werkzeug.test import TestResponse

from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.apis.phone_number.current import reading
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.records import NumberType, UserType
from plivo_sim.services import applications, corrections, documents, drafts, end_users, numbers
from plivo_sim.services.documents import DocumentRequest
from plivo_sim.services.drafts import NewDraft
from plivo_sim.services.end_users import NewEndUser
from plivo_sim.services.inputs import Correction, DocumentDraft, NewApplication, Upload
from plivo_sim.services.numbers import Caller, Change
from plivo_sim.settings import Settings
from plivo_sim.simulator import Simulator
from tests.apis.legacy_support import Legacy
from tests.apis.numbers_support import DELHI, MUMBAI, Numbers
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http

ACCOUNTS = (AUTH_ID, "MAYYYYYYYYYYYYYYYYYY")
NUMBERS = (MUMBAI, DELHI)
SETTINGS = Settings(
    port=0, paused=True, review_delay=Duration(3600), callback_url="http://127.0.0.1:9/callback"
)


END_USER = {
    "name": "Acme", "email": "a@b.example", "address_line1": "12 MG Road", "city": "Mumbai",
    "state": "Maharashtra", "postal_code": "400001", "country": "IN",
}  # fmt: skip


class Refused(Exception):
    """The simulator said no."""


class Verbs(Protocol):
    """What can be done in one account; ids are the core's."""

    sim: Simulator
    auth_id: str

    def create(self, alias: str) -> str: ...
    def draft(self, alias: str) -> str: ...
    def submit(self, id: str) -> None: ...
    def correct(self, id: str) -> None: ...
    def change_documents(self, id: str) -> None: ...
    def delete(self, id: str) -> None: ...
    def decide(self, id: str, status: str) -> None: ...
    def advance(self, seconds: int) -> None: ...
    def rent(self, number: str, id: str) -> None: ...
    def link(self, number: str, id: str) -> None: ...
    def release(self, number: str) -> None: ...
    def reset(self) -> None: ...


class Fickle:
    """A transport whose receivers answer by the delivery and the attempt, whoever comes first."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    def send(self, request: Outgoing) -> Answer:
        self.sent.append(request)
        headers = dict(request.headers)
        words = f"{headers['X-Plivo-Sim-Delivery']} {headers['X-Plivo-Sim-Attempt']}"
        return Answer(status=500 if zlib.crc32(words.encode()) % 2 == 0 else 200)


@contextmanager
def refusing() -> Iterator[None]:
    """What the simulator refuses, said as Refused."""
    try:
        yield
    except SimError as error:
        raise Refused(str(error)) from error


@dataclass
class ByServices:
    """The verbs as calls of the services; what is due at once happens at each one's end."""

    sim: Simulator
    auth_id: str = AUTH_ID

    @property
    def account(self) -> Account:
        return self.sim.account(self.auth_id)

    @contextmanager
    def _verb(self) -> Iterator[Account]:
        account = self.account
        with refusing():
            yield account
        self.sim.runner.settle(account)

    def _types(self) -> list[str]:
        key = ("IN", NumberType.LOCAL, UserType.BUSINESS)
        requirement = self.sim.catalogue.find(reading.RULES.version, key)
        assert requirement is not None
        return [each.id for each in requirement.document_types]

    def _documents(self) -> list[DocumentDraft]:
        registration, gst = self._types()
        fields = {"business_name": "Acme"}
        files = Upload(name="a.pdf", content=PDF), Upload(name="b.png", content=PNG)
        return [
            DocumentDraft(type_reference=registration, data_fields=fields, upload=files[0]),
            DocumentDraft(type_reference=gst, upload=files[1]),
        ]

    def create(self, alias: str) -> str:
        wanted = NewApplication(
            country_iso="IN",
            number_type=NumberType.LOCAL,
            user_type=UserType.BUSINESS,
            alias=alias,
            end_user=END_USER,
            documents=self._documents(),
        )
        with self._verb() as account:
            return applications.create(account, wanted, reading.RULES).application.id

    def draft(self, alias: str) -> str:
        with self._verb() as account:
            n = account.ids.counts.get("end_user", 0)
            owner = end_users.create(account, NewEndUser(name=f"Acme {n}", type=UserType.BUSINESS))
            papers = [
                documents.create(
                    account,
                    DocumentRequest(
                        end_user_id=owner.id,
                        document_type_id=each.type_reference,
                        alias=f"paper {n} {each.type_reference}",
                        data_fields=each.data_fields,
                        upload=each.upload,
                    ),
                ).id
                for each in self._documents()
            ]
            wanted = NewDraft(
                country_iso="IN",
                number_type=NumberType.LOCAL,
                user_type=UserType.BUSINESS,
                end_user_id=owner.id,
                alias=alias,
                document_ids=papers,
            )
            return drafts.create(account, wanted).application.id

    def submit(self, id: str) -> None:
        with self._verb() as account:
            drafts.submit(account, id)

    def correct(self, id: str) -> None:
        with self._verb() as account, account.lock:
            change = Correction(documents=self._documents(), end_user=END_USER)
            corrections.correct(account, applications.get(account, id), change, reading.RULES)

    def change_documents(self, id: str) -> None:
        with self._verb() as account, account.lock:
            drafts.update(account, id, applications.get(account, id).document_ids[::-1])

    def delete(self, id: str) -> None:
        with self._verb() as account, account.lock:
            applications.delete(account, applications.get(account, id))

    def decide(self, id: str, status: str) -> None:
        with refusing():
            self.sim.decide(id, status)

    def advance(self, seconds: int) -> None:
        with refusing():
            self.sim.advance(self.account, Duration(seconds))

    def rent(self, number: str, id: str) -> None:
        with self._verb() as account:
            numbers.rent(account, number, Change(application_id=id), Caller())

    def link(self, number: str, id: str) -> None:
        with self._verb() as account:
            (linked,) = numbers.link_all(account, [(number, id)], Caller())
            if linked.error is not None:
                raise linked.error

    def release(self, number: str) -> None:
        with self._verb() as account:
            numbers.release(account, number, Caller())

    def reset(self) -> None:
        self.sim.remove(self.account)


@dataclass
class ByHttp:
    """The verbs over HTTP, in process; ``told`` keeps every answer."""

    sim: Simulator
    auth_id: str = AUTH_ID
    http: Http = field(init=False)
    told: list[tuple[int, bytes]] = field(default_factory=list)
    _drafts: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.http = Http(create_app(self.sim), self.sim, self.auth_id)

    def _done(self, answer: TestResponse) -> Any:
        self.told.append((answer.status_code, answer.data))
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            raise Refused(answer.text)
        return answer.get_json()

    def create(self, alias: str) -> str:
        return str(self._done(self.http.sdk_create(alias=alias))["compliance_id"])

    def draft(self, alias: str) -> str:
        return Legacy(self.http, f"{next(self._drafts)} ").application(alias=alias)

    def submit(self, id: str) -> None:
        self._done(Legacy(self.http).submit(id))

    def correct(self, id: str) -> None:
        given = self.http.sdk_data()
        change = {key: given[key] for key in ("end_user", "documents")}
        self._done(self.http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", change))

    def change_documents(self, id: str) -> None:
        shown = self._done(self.http.get(f"ComplianceApplication/{id}/"))
        ids = {"document_ids": shown["compliance_document_id"][::-1]}
        self._done(self.http.post(f"ComplianceApplication/{id}/", json=ids))

    def delete(self, id: str) -> None:
        path, agent = f"PhoneNumber/Compliance/{id}/", {"User-Agent": SDK_AGENT}
        self._done(self.http.delete(path, headers=agent))

    def decide(self, id: str, status: str) -> None:
        self._done(self.http.decide(id, status))

    def advance(self, seconds: int) -> None:
        body = {"by": f"{seconds}s", "account": self.auth_id}
        self._done(self.http.control("POST", "/clock/advance", body))

    def rent(self, number: str, id: str) -> None:
        self._done(Numbers(self.http).rent(number, id))

    def link(self, number: str, id: str) -> None:
        items = [{"number": number, "compliance_application_id": id}]
        told = self._done(Numbers(self.http).link({"numbers": items}))
        if not told["updated_count"]:
            raise Refused(json.dumps(told["report"]))

    def release(self, number: str) -> None:
        self._done(self.http.delete(f"Number/{number}/"))

    def reset(self) -> None:
        self._done(self.http.control("POST", "/reset", {"account": self.auth_id}))


def fresh(settings: Settings = SETTINGS) -> Simulator:
    """A simulator whose receivers are fickle."""
    return make_simulator(settings, transport=Fickle())
