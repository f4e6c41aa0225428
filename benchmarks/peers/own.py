"""What a candidate is; the floor and ours."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from benchmarks.peers.bare import ID
from benchmarks.peers.calls import (
    UNIQUE,
    Answer,
    Client,
    Failed,
    Lacks,
    Request,
    get,
    post_files,
    post_json,
)
from benchmarks.peers.install import Package
from benchmarks.peers.processes import own_python, python_path

FLOOR, OURS = "bare Flask", "plivo-sim"
PAGE_SIZE = 20
START, REQUIREMENTS, CREATE, ADVANCE, CALLBACK, GET = STEPS = (
    "start", "requirements", "create with two files", "advance three days", "callback", "get",
)  # fmt: skip
"""Of the story that is told to each candidate (``story.py``)."""

Story = Generator[tuple[str, Request | None], Answer, None]
"""What is sent in each step, and what it was answered; no request: wait for a callback."""


@dataclass(frozen=True)
class Place:
    """Where a server runs: its port, a folder of its own, what was installed for it."""

    port: int
    folder: Path
    installed: Path


class Candidate:
    """One server. Operations it does not have raise Lacks."""

    name: ClassVar[str]
    kind: ClassVar[Literal["floor", "ours", "Python", "Node", "JVM"]]
    does: ClassVar[str]  # the operations chosen, for the results file
    package: ClassVar[Package | None] = None
    stores: ClassVar[bool] = True  # whether a create is found again

    def check(self) -> None:
        """Raises Lacks when this machine cannot run it."""

    def command(self, place: Place) -> list[str]:
        """How to start it; writes the files that it needs into its folder."""
        raise NotImplementedError

    def env(self) -> dict[str, str]:
        return {}

    def first(self) -> Request:
        """The request whose answer shows that it has started: a page, of nothing yet."""
        return self.page()

    def prepare(self, client: Client) -> None:
        """Make what its records need; called after start and after each reset."""

    def create(self) -> Request:
        raise NotImplementedError

    def read(self, created: Answer) -> Request:
        """Get the record of that answer."""
        raise NotImplementedError

    def page(self) -> Request:
        """A page of PAGE_SIZE records."""
        raise NotImplementedError

    def pages(self, records: int) -> dict[str, Request]:
        """Other pages worth measuring at so many records."""
        return {}

    def files(self, client: Client) -> Request:
        """Create with two files."""
        raise Lacks("has no upload")

    def story(self, client: Client, receiver: str) -> Story:
        """As much of it as there is, but for the start; ``receiver``: where callbacks go."""
        with contextlib.suppress(Lacks):
            yield CREATE, self.files(client)
        made = yield CREATE, self.create()
        yield GET, self.read(made)

    def reset(self) -> Request:
        raise Lacks("has no reset over HTTP")


class Bare(Candidate):
    name, kind, stores = FLOOR, "floor", False
    does = "Flask routes that answer fixed JSON, on the server and settings of plivo-sim"

    def command(self, place: Place) -> list[str]:
        script = Path(__file__).with_name("bare.py")
        return [own_python(), str(script), str(place.port)]

    def env(self) -> dict[str, str]:
        return python_path()

    def create(self) -> Request:
        sent = {"alias": f"Acme {UNIQUE}", "end_user_id": ID, "country_iso2": "IN"}
        return post_json("/records", sent | {"number_type": "local", "end_user_type": "business"})

    def read(self, created: Answer) -> Request:
        return get(f"/records/{ID}")

    def page(self) -> Request:
        return get(f"/records?limit={PAGE_SIZE}&offset=0")

    def files(self, client: Client) -> Request:
        return post_files("/files", {"alias": "Acme"}, ("documents[0].file", "documents[1].file"))

    def story(self, client: Client, receiver: str) -> Story:
        yield REQUIREMENTS, self.page()
        made = yield CREATE, self.files(client)
        yield GET, self.read(made)

    def reset(self) -> Request:
        raise Lacks("stores nothing")


class Ours(Candidate):
    name, kind = OURS, "ours"
    does = (
        "legacy API: create, get and list ComplianceApplication (drafts); new API: create with"
        " two files; persistence on (--state), logs on"
    )
    auth_id = "MABENCHMARKBENCHMARK"
    account = f"/v1/Account/{auth_id}"
    agent = "plivo-python/4.63.0 (Python: 3.11.7)"

    def __init__(self) -> None:
        self._end_user_id = ""

    def command(self, place: Place) -> list[str]:
        state = str(place.folder / "state")
        serve = [own_python(), "-m", "plivo_sim.cli", "serve"]
        return [*serve, "--port", str(place.port), "--state", state]

    def env(self) -> dict[str, str]:
        return python_path()

    def signed(self, **headers: str) -> dict[str, str]:
        token = base64.b64encode(f"{self.auth_id}:token".encode()).decode()
        return {"Authorization": f"Basic {token}", **headers}

    def prepare(self, client: Client) -> None:
        sent = {"name": f"Acme {UNIQUE}", "end_user_type": "business"}
        made = client.ask(post_json(f"{self.account}/EndUser/", sent, **self.signed()))
        self._end_user_id = made.json()["end_user_id"]

    def create(self) -> Request:
        sent = {
            "alias": f"Acme {UNIQUE}", "end_user_id": self._end_user_id, "country_iso2": "US",
            "number_type": "local", "end_user_type": "business", "operation_type": "buy_number",
            "document_ids": [],
        }  # fmt: skip
        return post_json(f"{self.account}/ComplianceApplication/", sent, **self.signed())

    def read(self, created: Answer) -> Request:
        id = created.json()["compliance_application_id"]
        return get(f"{self.account}/ComplianceApplication/{id}/", **self.signed())

    def page(self) -> Request:
        return self._page("offset=0")

    def pages(self, records: int) -> dict[str, Request]:
        return {
            "filtered page": self._page("offset=0&status=draft&country_iso=US"),
            "last page": self._page(f"offset={max(records - PAGE_SIZE, 0)}"),
        }

    def _page(self, query: str) -> Request:
        path = f"{self.account}/ComplianceApplication/?limit={PAGE_SIZE}&{query}"
        return get(path, **self.signed())

    def files(self, client: Client) -> Request:
        return self._with_files(client.ask(self._requirements()))

    def _requirements(self) -> Request:
        asked = "country_iso=IN&number_type=local&user_type=business"
        url = f"{self.account}/PhoneNumber/Compliance/Requirements/?{asked}"
        return get(url, **self.signed(User_Agent=self.agent))

    def _with_files(self, wanted: Answer, **more: str) -> Request:
        one, two = (each["document_type_id"] for each in wanted.json()["document_types"])
        data = {
            "country_iso": "IN", "number_type": "local", "alias": f"Acme {UNIQUE}",
            "end_user": self.applicant("IN"),
            "documents": [
                {"document_type_id": one, "data_fields": {"business_name": "Acme"}},
                {"document_type_id": two},
            ],
            **more,
        }  # fmt: skip
        names = ("documents[0].file", "documents[1].file")
        url = f"{self.account}/PhoneNumber/Compliance/"
        return post_files(url, data, names, **self.signed(User_Agent=self.agent))

    def story(self, client: Client, receiver: str) -> Story:
        wanted = yield REQUIREMENTS, self._requirements()
        made = yield CREATE, self._with_files(wanted, callback_url=receiver)
        yield ADVANCE, self.control("clock/advance", by="3d")
        yield CALLBACK, None
        url = f"{self.account}/PhoneNumber/Compliance/{made.json()['compliance_id']}/"
        read = yield GET, get(url, **self.signed(User_Agent=self.agent))
        status = read.json()["compliance"]["status"]
        if status != "accepted":
            raise Failed(f"its application was {status} in the end")

    def submission(self) -> Request:
        """One that is reviewed: of a country that wants no documents."""
        data = {
            "country_iso": "US", "number_type": "local", "alias": f"Acme {UNIQUE}",
            "end_user": self.applicant("US"), "documents": [],
        }  # fmt: skip
        url = f"{self.account}/PhoneNumber/Compliance/"
        return post_files(url, data, (), **self.signed(User_Agent=self.agent))

    @staticmethod
    def applicant(country: str) -> dict[str, str]:
        return {
            "type": "business", "name": "Acme Traders", "email": "a@b.example",
            "address_line1": "12 MG Road", "city": "Mumbai", "state": "Maharashtra",
            "postal_code": "400001", "country": country,
        }  # fmt: skip

    def reset(self) -> Request:
        return self.control("reset")

    def control(self, call: str, **values: Any) -> Request:
        return post_json(f"/_sim/{call}", {"account": self.auth_id, **values})
