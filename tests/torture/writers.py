"""Clients that write without pause, each to records of its own, and know what must be there.

A record's ``facts`` are what the server acknowledged. While a call is in flight, ``maybe`` holds
what it would make of them: a kill leaves one or the other, nothing in between.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from plivo_sim.machines import default_machine
from tests.support import PDF, PNG
from tests.torture.client import Client, Dead, Refused

MACHINE = default_machine()

Facts = dict[str, Any] | None
"""What a record holds; None: it is deleted."""

COMPLIANCE, APPLICATION, DOCUMENT, END_USER, NUMBER = (
    "compliance", "application", "document", "end_user", "number",
)  # fmt: skip
PATHS = {
    COMPLIANCE: "PhoneNumber/Compliance/",
    APPLICATION: "ComplianceApplication/",
    DOCUMENT: "ComplianceDocument/",
    END_USER: "EndUser/",
    NUMBER: "Number/",
}
KEYS = {
    COMPLIANCE: "compliance_id",
    APPLICATION: "compliance_application_id",
    DOCUMENT: "document_id",
    END_USER: "end_user_id",
}
ODD = 'Ärger 漢字 😀 \\" "q" \\u0000 ,\t;'
"""What must come back as it was sent."""
MAGIC = "SIM-REINSTATE"
MOST_KEPT = 24


@dataclass
class Kept:
    """One record, as its writer knows it. ``tag``: found by, when a create was not answered."""

    kind: str
    id: str
    tag: str
    facts: Facts
    maybe: list[Facts] = field(default_factory=list)
    submits: int = 0
    timeline: list[Any] = field(default_factory=list)
    shown: Any = None

    @property
    def path(self) -> str:
        return f"{PATHS[self.kind]}{self.id}/"


@dataclass
class Terms:
    """What a writer must know before it writes: types, where callbacks go, numbers to rent."""

    types: list[str]
    callback_url: str
    us_numbers: list[str]
    in_numbers: list[str]


def terms_of(client: Client, callback_url: str) -> Terms:
    """Ask the server."""
    query = "country_iso=IN&number_type=local&user_type=business"
    told = client.get(f"PhoneNumber/Compliance/Requirements/?{query}")
    us, india = (
        [
            each["number"]
            for offset in range(0, 200, 20)
            for each in client.get(
                f"PhoneNumber/?country_iso={country}&type=local&limit=20&offset={offset}"
            )["objects"]
        ]
        for country in ("US", "IN")
    )
    types = [each["document_type_id"] for each in told["document_types"]]
    return Terms(types, callback_url, us, india)


class Writer:
    """See the module. ``index`` of ``count`` writers; it lives through every kill."""

    def __init__(self, index: int, count: int, seed: int, auth_id: str) -> None:
        self.auth_id = auth_id
        self.kept: list[Kept] = []
        self.in_flight: Kept | None = None
        self.acknowledged: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._index, self._count = index, count
        self._dice = random.Random(f"{seed} {index}")
        self._n = 0

    def write_until_dead(self, url: str, terms: Terms) -> None:
        """One call after the other, until the server does not answer."""
        steps = self._steps()
        with Client(url, self.auth_id) as client, suppress(Dead):
            while True:
                step = self._dice.choices(list(steps), list(steps.values()))[0]
                try:
                    step(client, terms)
                except Refused as refusal:
                    self.refused[str(refusal).partition(" ")[0]] += 1

    def _steps(self) -> dict[Callable[[Client, Terms], None], int]:
        return {
            self.create: 18, self.correct: 12, self.decide: 12, self.look: 10,
            self.make_end_user: 5, self.change_end_user: 4, self.make_document: 8,
            self.change_document: 8, self.draft: 6, self.change_draft: 5, self.submit: 6,
            self.rent: 4, self.change_number: 4, self.link: 4, self.delete: 10,
        }  # fmt: skip

    # --- what is in flight -------------------------------------------------------------------

    def _make(self, kind: str, facts: Facts, tag: str, work: Callable[[], Any]) -> Kept:
        made = self.in_flight = Kept(kind, "", tag, facts)
        made.submits = 1 if kind == COMPLIANCE else 0
        try:
            told = work()
        except Refused:
            self.in_flight = None
            raise
        made.id = tag if kind == NUMBER else told[KEYS[kind]]
        self.kept.append(made)
        self.in_flight = None
        self.acknowledged[f"{kind} made"] += 1
        return made

    def _change(self, kept: Kept, after: Facts, what: str, work: Callable[[], Any]) -> Any:
        kept.maybe, kept.shown = [after], None
        try:
            told = work()
        except Refused:
            kept.maybe = []
            raise
        kept.facts, kept.maybe = after, []
        self.acknowledged[f"{kept.kind} {what}"] += 1
        return told

    def _pick(self, *kinds: str) -> Kept:
        mine = [each for each in self.kept if each.kind in kinds and each.facts is not None]
        if not mine:
            raise Refused(f"no {kinds} yet")
        return self._dice.choice(mine)

    def _tag(self) -> str:
        self._n += 1
        return f"w{self._index} n{self._n} {ODD}"

    def _file(self, start: bytes) -> bytes:
        return start + self._dice.randbytes(self._dice.randint(8, 6000))

    # --- the new API -------------------------------------------------------------------------

    def _compliance(self, terms: Terms, tag: str) -> tuple[Any, list[Any], dict[str, Any]]:
        """The data, the files, and what will be known of both."""
        files = [("a.pdf", self._file(PDF)), ("b.png", self._file(PNG))]
        fields: list[dict[str, str]] = [{"business_name": tag[:40]}, {}]
        end_user = {
            "name": tag, "email": "a@b.example", "address_line1": ODD.replace("\t", " "),
            "city": "Mumbai", "state": "Maharashtra", "postal_code": "400001", "country": "IN",
        }  # fmt: skip
        data = {
            "country_iso": "IN", "number_type": "local", "alias": tag,
            "end_user": {"type": "business", **end_user},
            "documents": [
                {"document_type_id": id, "data_fields": each}
                for id, each in zip(terms.types, fields, strict=True)
            ],
            "callback_url": terms.callback_url,
        }  # fmt: skip
        facts = {
            "alias": tag, "end_user": end_user, "callback_url": terms.callback_url,
            "documents": [
                {"type": id, "fields": each, "name": name, "sha256": _sha256(content)}
                for id, each, (name, content) in zip(terms.types, fields, files, strict=True)
            ],
        }  # fmt: skip
        parts = [(f"documents[{i}].file", *file) for i, file in enumerate(files)]
        return data, parts, facts

    def create(self, client: Client, terms: Terms) -> None:
        outcome = self._dice.choice(
            ["", "", "accepted; after=0s", "rejected; after=20m", "more_info_required; after=5m"]
        )
        tag = self._tag() + ("" if outcome or self._dice.random() < 0.7 else f" {MAGIC}")
        data, files, facts = self._compliance(terms, tag)
        path = PATHS[COMPLIANCE]
        self._make(COMPLIANCE, facts, tag, lambda: client.sdk("POST", path, data, files, outcome))

    def correct(self, client: Client, terms: Terms) -> None:
        """Other files, another alias; what is not rejected yet is rejected by hand first."""
        kept = self._pick(COMPLIANCE)
        status = self._look_at(client, kept)
        if status == "submitted":
            self._decide(client, kept, "rejected")
        elif not MACHINE.correctable(status):
            raise Refused("not to be corrected")
        tag = f"{kept.tag} corrected {self._dice.random()}"
        data, files, facts = self._compliance(terms, kept.tag)
        del data["country_iso"], data["number_type"]
        data["alias"] = facts["alias"] = tag
        self._change(kept, facts, "corrected", lambda: client.sdk("PATCH", kept.path, data, files))
        kept.submits += 1

    def decide(self, client: Client, terms: Terms) -> None:
        """By hand, along any arrow that the reviewer has."""
        kept = self._pick(COMPLIANCE, APPLICATION)
        status = self._look_at(client, kept)
        arrows = sorted({a.to for a in MACHINE.arrows if a.from_ == status} - {"submitted"})
        if not arrows:
            raise Refused("nothing to decide")
        self._decide(client, kept, self._dice.choice(arrows))

    def _decide(self, client: Client, kept: Kept, status: str) -> None:
        body = {"status": status, "reason": ODD.strip()}
        kept.shown = None
        told = client.send("POST", f"/_sim/applications/{kept.id}/decision", body)
        kept.timeline = told["timeline"]
        self.acknowledged["decided by hand"] += 1

    def _look_at(self, client: Client, kept: Kept) -> str:
        """An application's status; the timeline that was seen is never to be taken back."""
        told = client.get(f"/_sim/applications/{kept.id}")
        kept.timeline = told["timeline"]
        return str(told["status"])

    def look(self, client: Client, terms: Terms) -> None:
        """What a client has seen must be seen again, byte by byte."""
        kept = self._pick(COMPLIANCE, APPLICATION, DOCUMENT, END_USER, NUMBER)
        kept.shown = client.get(kept.path)

    # --- the legacy API ----------------------------------------------------------------------

    def make_end_user(self, client: Client, terms: Terms) -> None:
        facts = {"name": self._tag(), "last_name": ODD.strip(), "type": "business"}
        body = {"end_user_type" if k == "type" else k: v for k, v in facts.items()}
        work = lambda: client.send("POST", PATHS[END_USER], body)  # noqa: E731  # one line each
        self._make(END_USER, facts, facts["name"], work)

    def change_end_user(self, client: Client, terms: Terms) -> None:
        kept = self._pick(END_USER)
        changes = {"last_name": f"{self._dice.random()}"}
        work = lambda: client.send("POST", kept.path, changes)  # noqa: E731
        self._change(kept, {**(kept.facts or {}), **changes}, "changed", work)

    def make_document(self, client: Client, terms: Terms) -> None:
        tag, content, owner = self._tag(), self._file(PDF), self._pick(END_USER)
        type_ = self._dice.choice(terms.types)
        fields = {"business_name": "Acme"} if type_ == terms.types[0] else {}
        form = {"end_user_id": owner.id, "document_type_id": type_, "alias": tag, **fields}
        facts = {
            "alias": tag, "end_user_id": owner.id, "type": type_, "fields": fields,
            "name": "d.pdf", "sha256": _sha256(content),
        }  # fmt: skip
        files = [("file", "d.pdf", content)]
        work = lambda: client.form("POST", PATHS[DOCUMENT], form, files)  # noqa: E731
        self._make(DOCUMENT, facts, tag, work)

    def change_document(self, client: Client, terms: Terms) -> None:
        """A new file for the old."""
        kept, content = self._pick(DOCUMENT), self._file(PNG)
        facts = {**(kept.facts or {}), "name": "e.png", "sha256": _sha256(content)}
        files = [("file", "e.png", content)]
        self._change(kept, facts, "changed", lambda: client.form("POST", kept.path, {}, files))

    def _papers(self, terms: Terms) -> tuple[str, list[str]]:
        """An end user with documents, and up to one of each type."""
        owner = self._pick(DOCUMENT).facts or {}
        mine = [each for each in self.kept if each.kind == DOCUMENT and each.facts]
        own = [each for each in mine if (each.facts or {})["end_user_id"] == owner["end_user_id"]]
        self._dice.shuffle(own)
        of_type = {(each.facts or {})["type"]: each.id for each in own}
        return owner["end_user_id"], sorted(of_type.values())

    def draft(self, client: Client, terms: Terms) -> None:
        tag = self._tag()
        owner, papers = self._papers(terms)
        facts = {"alias": tag, "end_user_id": owner, "document_ids": papers}
        kind = {"country_iso2": "IN", "number_type": "local", "end_user_type": "business"}
        work = lambda: client.send("POST", PATHS[APPLICATION], facts | kind)  # noqa: E731
        self._make(APPLICATION, facts, tag, work)

    def change_draft(self, client: Client, terms: Terms) -> None:
        kept = self._pick(APPLICATION)
        owner, papers = self._papers(terms)
        if owner != (kept.facts or {})["end_user_id"]:
            raise Refused("other papers")
        facts = {**(kept.facts or {}), "document_ids": papers}
        body = {"document_ids": papers}
        self._change(kept, facts, "changed", lambda: client.send("POST", kept.path, body))

    def submit(self, client: Client, terms: Terms) -> None:
        kept = self._pick(APPLICATION)
        work = lambda: client.call("POST", f"{kept.path}Submit/")  # noqa: E731
        self._change(kept, kept.facts, "submitted", work)
        kept.submits += 1

    # --- numbers -----------------------------------------------------------------------------

    def rent(self, client: Client, terms: Terms) -> None:
        """One that needs no application, or one for an application that was accepted."""
        mine = {each.id for each in self.kept if each.kind == NUMBER and each.facts}
        accepted = [k for k in self.kept if k.kind == COMPLIANCE and k.facts and _is_accepted(k)]
        wanted = self._dice.choice(accepted).id if accepted and self._dice.random() < 0.7 else None
        stock = (terms.in_numbers if wanted else terms.us_numbers)[self._index :: self._count]
        number = self._dice.choice([each for each in stock if each not in mine])
        body = {"compliance_application_id": wanted} if wanted else {}
        facts = {"application_id": wanted, "alias": None}
        path = f"PhoneNumber/{number}/"
        self.kept = [each for each in self.kept if each.id != number]
        self._make(NUMBER, facts, number, lambda: client.send("POST", path, body))

    def change_number(self, client: Client, terms: Terms) -> None:
        kept, alias = self._pick(NUMBER), f"alias {self._dice.random()} 漢字"
        facts = {**(kept.facts or {}), "alias": alias}
        work = lambda: client.send("POST", kept.path, {"alias": alias})  # noqa: E731
        self._change(kept, facts, "changed", work)

    def link(self, client: Client, terms: Terms) -> None:
        """A number to another application, by Link."""
        kept, application = self._pick(NUMBER), self._pick(COMPLIANCE)
        before = kept.facts
        facts = {**(kept.facts or {}), "application_id": application.id}
        items = [{"number": f"+{kept.id}", "compliance_application_id": application.id}]
        path = "PhoneNumber/Compliance/Link/"
        told = self._change(
            kept, facts, "linked", lambda: client.send("POST", path, {"numbers": items})
        )
        if not told["updated_count"]:
            kept.facts = before
            self.acknowledged["number linked"] -= 1
            raise Refused(told["report"][0]["remarks"])

    def delete(self, client: Client, terms: Terms) -> None:
        """Anything; what cannot be deleted is refused."""
        kept = self._pick(COMPLIANCE, APPLICATION, DOCUMENT, END_USER, NUMBER)
        if kept.kind == COMPLIANCE and self._look_at(client, kept) == "accepted":
            self._decide(client, kept, "expired")
        few = sum(each.kind == kept.kind and bool(each.facts) for each in self.kept) < MOST_KEPT
        if kept.kind in (END_USER, COMPLIANCE) and few and self._dice.random() < 0.5:
            raise Refused("it may stay")
        self._change(kept, None, "deleted", lambda: client.delete(kept.path))


def _is_accepted(kept: Kept) -> bool:
    return bool(kept.timeline) and kept.timeline[-1]["status"] == "accepted"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
