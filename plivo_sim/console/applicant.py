"""What the applicant fills in about an application: which API takes it, the form's parts, and what
came of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Form
from plivo_sim.console.api_calls import ApiCall, Upload, caller_of
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.records import END_USER_DETAILS, Application, Document, Origin
from plivo_sim.domain.requirements import DocumentType, FieldRule
from plivo_sim.services import applications
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.document_sets import content_of
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import current_call

NEW_API = ("current", "beta")


def way_of(application: Application) -> str:
    """Which API corrects it: ``legacy``, ``beta`` or ``current``."""
    return {Origin.LEGACY: "legacy", Origin.BETA: "beta"}.get(application.origin, "current")


def turns_of(account: Account, application: Application) -> dict[str, bool]:
    """What the applicant may do now: ``correct``, ``submit`` it as it is, ``delete``."""
    machine, status = account.machine, application.status
    submits = machine.allowed(status, machine.submitted, "client")
    edits = machine.may(status, "edit")
    is_legacy = way_of(application) == "legacy"
    return {
        "correct": edits and (submits or is_legacy) if is_legacy else machine.correctable(status),
        "submit": submits if is_legacy else machine.correctable(status),
        "delete": machine.may(status, "delete"),
    }


# --- the form ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document of the form: one that is there, or a type that could be added. ``number``: its
    place in the form. ``values``: the fields as they are stored."""

    number: int
    type: DocumentType
    document: Document | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    def name(self, part: str) -> str:
        """What its part of the form is called: as the API's own paths."""
        return f"documents[{self.number}].{part}"


def entries_of(account: Account, view: ApplicationView) -> list[Entry]:
    """Those that are there, then the other types that the requirement takes."""
    there = [
        Entry(number=number, type=type_, document=document, values=dict(document.data_fields))
        for number, (document, type_) in enumerate(view.documents)
    ]
    known = {each.type.id for each in there}
    requirement = applications.requirement_of(account, view.application)
    others = {each.id: each for each in requirement.document_types if each.id not in known}
    added = enumerate(others.values(), len(there))
    return [*there, *(Entry(number=number, type=type_) for number, type_ in added)]


def details_of(account: Account, view: ApplicationView) -> dict[str, tuple[str, str]]:
    """The end user's details that this way can change: name -> what it is called, its value."""
    way, who = way_of(view.application), view.end_user
    asked = {
        rule.attribute or rule.name: rule
        for rule in applications.requirement_of(account, view.application).end_user_fields
    }
    names = ("name", "last_name") if way == "legacy" else END_USER_DETAILS
    found = {name: (_label(name, asked), getattr(who, name) or "") for name in names}
    if way == "beta":  # whose name is the full one
        del found["last_name"]
        whole = " ".join(filter(None, (who.name, who.last_name)))
        found["name"] = (found["name"][0], whole)
    return found


def _label(name: str, asked: Mapping[str, FieldRule]) -> str:
    if name in asked:
        return asked[name].label
    return name.replace("_", " ").capitalize()


# --- what was filled in ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filled:
    """The form of an application, as it came."""

    account: Account
    view: ApplicationView
    form: Form

    @property
    def application(self) -> Application:
        return self.view.application

    def text(self, name: str, default: str) -> str:
        """What was written there; what is stored where the form has no such field."""
        return self.form.get(name, default).replace("\r\n", "\n")

    def changed_details(self) -> dict[str, str]:
        known = details_of(self.account, self.view)
        given = {name: self.text(f"end_user.{name}", value) for name, (_, value) in known.items()}
        return {name: text for name, text in given.items() if text != known[name][1]}

    def fields(self, entry: Entry) -> dict[str, str]:
        """What the document's fields say; those that its type does not ask for stay."""
        asked = {
            rule.name: self.text(entry.name(f"data_fields.{rule.name}"), "")
            if entry.name(f"data_fields.{rule.name}") in self.form
            else entry.values.get(rule.name, "")
            for rule in entry.type.fields
        }
        whole = {**entry.values, **asked}
        return {name: text for name, text in whole.items() if text}

    def upload(self, entry: Entry) -> Upload | None:
        """The file that was chosen."""
        body = current_call().body
        part = body.part(entry.name("file")) if body is not None else None
        if part is None or not (part.content or part.filename):
            return None
        return Upload(part.filename or "document", part.content)

    def file(self, entry: Entry) -> Upload | None:
        """The file to send: the one that was chosen, else the one that is there."""
        stored = entry.document.file if entry.document else None
        if (chosen := self.upload(entry)) is not None or stored is None:
            return chosen
        return Upload(stored.name, content_of(self.account, stored))

    def is_out(self, entry: Entry) -> bool:
        return entry.name("out") in self.form

    def is_changed(self, entry: Entry) -> bool:
        """Whether anything was written or chosen there."""
        return self.upload(entry) is not None or self.fields(entry) != dict(entry.values)

    def wanted(self) -> list[Entry]:
        """The documents that it is to have."""
        return [
            each
            for each in entries_of(self.account, self.view)
            if not self.is_out(each) and (each.document is not None or self.is_changed(each))
        ]

    def call(self, verb: str, path: str, message: str, **more: Any) -> ApiCall:
        """A call of the API that made the application."""
        texts = {name: text for name, text in self.form.items() if not name.startswith("_")}
        way = way_of(self.application)
        auth_id, token = caller_of(self.account, self.application)
        more.setdefault("dialect", way if way in NEW_API else "")
        return ApiCall(
            message=message,
            operation="correct",
            ids={"id": self.application.id},
            verb=verb,
            path=path,
            form=texts,
            auth_id=auth_id,
            token=token,
            **more,
        )


def filled_in(form: Form) -> Filled:
    """Raises NotFound."""
    auth_id, id = form.get("account", ""), form.get("id", "")
    if not is_account(auth_id):
        raise NotFound("account", auth_id)
    account = current_call().sim.account(auth_id)
    with account.lock:
        view = applications.view(account, applications.get(account, id))
    return Filled(account, view, form)
