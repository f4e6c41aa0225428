"""The applicant's turn: correct an application and send it again, submit it, delete it; through the
API that made it, as its own client does. Atoms is a client of today's API, so that is used for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any

from flask import Response

from plivo_sim.apis.phone_number.beta.errors import ADDRESS
from plivo_sim.console.actions import Action, Build, Done, Form, just_refused
from plivo_sim.console.api_calls import ApiCall, Upload, as_text
from plivo_sim.console.applicant import (
    Entry,
    Filled,
    details_of,
    entries_of,
    filled_in,
    turns_of,
    way_of,
)
from plivo_sim.console.pages import open_account, show
from plivo_sim.services import applications

Steps = Generator[Action, Done, None]


def correct_page(auth_id: str, id: str) -> Response:
    """The form, filled with what is there, or with what was just refused and why."""
    account = open_account(auth_id)
    with account.lock:
        application = applications.get(account, id)
        view = applications.view(account, application)
        turns, details = turns_of(account, application), details_of(account, view)
        entries = entries_of(account, view)
    refused = just_refused("correct", id=id)
    wrong = _placed([each for done in refused for each in done.wrong], details, entries)
    kept: Mapping[str, str] = {}
    if refused and isinstance(refused[0].action, ApiCall):
        kept = refused[0].action.form
    return show(
        "correct.html",
        account=account,
        rows=len(entries),
        application=application,
        way=way_of(application),
        turns=turns,
        is_draft=application.status == account.machine.draft,
        details=details,
        entries=entries,
        wrong=wrong,
        kept=kept,
    )


def _placed(
    wrong: Iterable[tuple[str, str]], details: Iterable[str], entries: Iterable[Entry]
) -> dict[str, list[str]]:
    """What is wrong with each field of the form, by its name. What none of them has stands at the
    part of the form that it is in: ``documents[0]``, ``documents``, ``end_user``, the form itself
    (""); then its whole path is told."""
    known = {"", "end_user", "documents", "alias", "callback_url", "callback_method"}
    known |= {f"end_user.{name}" for name in details}
    for each in entries:
        known |= {f"documents[{each.number}]", each.name("file"), each.name("document_type_id")}
        known |= {each.name(f"data_fields.{rule.name}") for rule in each.type.fields}
    found: dict[str, list[str]] = {}
    for path, text in wrong:
        at = path
        while at not in known:
            at = at.rpartition("[" if at.endswith("]") else ".")[0]
        found.setdefault(at, []).append(text if at == path else f"{path}: {text}")
    return found


# --- the calls ---------------------------------------------------------------------------------


def correct(form: Form) -> Iterable[Action]:
    """The form was sent: all that changed, and the submission."""
    filled = filled_in(form)
    if way_of(filled.application) == "legacy":
        return _legacy(filled, submits=form.get("submit") != "no")
    return [_patch(filled, "Corrected and submitted again.")]


def submit(form: Form) -> Iterable[Action]:
    """As it is."""
    filled = filled_in(form)
    if way_of(filled.application) == "legacy":
        return [_submission(filled)]
    return [_patch(filled, "Submitted again as it was.")]


def delete(form: Form) -> list[Action]:
    """For good, once the box is ticked."""
    filled = filled_in(form)
    id = filled.application.id
    is_legacy = way_of(filled.application) == "legacy"
    path = f"ComplianceApplication/{id}/" if is_legacy else f"PhoneNumber/Compliance/{id}/"
    sure = form.get("sure") == "yes"
    wrong = "" if sure else "tick 'yes, delete it' to say that you mean it"
    name = filled.application.alias or id
    return [
        filled.call(
            "DELETE", path, f"{name} is deleted.", wrong=wrong,
            cli=("apps", "delete", id, "--account", filled.account.auth_id),
        )
    ]  # fmt: skip


def _submission(filled: Filled) -> ApiCall:
    id = filled.application.id
    return filled.call(
        "POST",
        f"ComplianceApplication/{id}/Submit/",
        "Submitted.",
        body={},
        cli=("apps", "submit", id, "--account", filled.account.auth_id),
    )


def _patch(filled: Filled, message: str) -> ApiCall:
    """One call of the new API. Today's replaces all documents, so all are sent again; the beta's
    replaces them by type, so those that changed are."""
    application = filled.application
    is_beta = way_of(application) == "beta"
    data: dict[str, Any] = {}
    for name, before in (
        ("alias", application.alias),
        ("callback_url", application.callback_url or ""),
        ("callback_method", application.callback_method),
    ):
        if (text := filled.text(name, before)) != before:
            data[name] = text
    details = filled.changed_details()
    entries = [each for each in filled.wanted() if not is_beta or filled.is_changed(each)]
    files = tuple(
        (f"documents[{index}].file", file)
        for index, each in enumerate(entries)
        if (file := filled.file(each)) is not None
    )
    if is_beta:
        data |= {"end_user": _beta_user(details)} if details else {}
        documents = [{"type": e.type.word, "data_fields": filled.fields(e)} for e in entries]
        data |= {"documents": documents} if documents else {}
        texts = tuple((n, v if isinstance(v, str) else as_text(v)) for n, v in data.items())
        texts = texts or (("alias", application.alias),)
    else:
        data |= {"end_user": details} if details else {}
        data["documents"] = [
            {"document_type_id": e.type.id, "data_fields": filled.fields(e)} for e in entries
        ]
        texts = (("data", as_text(data)),)
    return filled.call(
        "PATCH",
        f"PhoneNumber/Compliance/{application.id}/",
        message,
        parts=(*texts, *files),
        documents=tuple(each.number for each in entries),
        cli=() if is_beta else _command(filled, data, entries),
    )


def _beta_user(details: Mapping[str, str]) -> dict[str, Any]:
    wire = {attribute: name for name, attribute in ADDRESS.items()}
    flat = {name: text for name, text in details.items() if name not in wire}
    address = {wire[name]: text for name, text in details.items() if name in wire}
    return flat | ({"address": address} if address else {})


def _command(filled: Filled, data: Mapping[str, Any], entries: list[Entry]) -> tuple[str, ...]:
    """The command that does the same; none where it could not: it has one value for the fields of
    one name, makes up what is not given, and takes no callback."""
    words: list[str] = ["apps", "correct", filled.application.id]
    fields: dict[str, str] = {}
    for each in entries:
        for name, text in filled.fields(each).items():
            if fields.setdefault(name, text) != text:
                return ()
        if (file := filled.file(each)) is None:
            return ()
        words += ["--file", f"{each.type.word}={file.name}"]
    if data.keys() & {"callback_url", "callback_method"} or "country" in data.get("end_user", {}):
        return ()
    words += ["--alias", data["alias"]] if "alias" in data else []
    for name, text in data.get("end_user", {}).items():
        words += ["--end-user", f"{name}={text}"]
    for name, text in fields.items():
        words += ["--field", f"{name}={text}"]
    return (*words, "--account", filled.account.auth_id)


def _legacy(filled: Filled, *, submits: bool) -> Steps:
    """End user, documents, the list of documents, Submit: what changed; nothing more once one is
    refused."""
    application = filled.application
    if details := filled.changed_details():
        path = f"EndUser/{application.end_user_id}/"
        done = yield filled.call(
            "POST", path, "Changed the end user.", body=details, part="end_user"
        )
        if not done.ok:
            return
    ids: list[str] = []
    for entry in filled.wanted():
        if entry.document is not None and not filled.is_changed(entry):
            ids.append(entry.document.id)
            continue
        done = yield _document(filled, entry)
        if not done.ok:
            return
        ids.append(entry.document.id if entry.document else done.answer["document_id"])
    if ids != list(application.document_ids):
        done = yield filled.call(
            "POST",
            f"ComplianceApplication/{application.id}/",
            "Changed the list of documents.",
            body={"document_ids": ids},
        )
        if not done.ok:
            return
    if submits:
        yield _submission(filled)


def _document(filled: Filled, entry: Entry) -> ApiCall:
    upload = filled.upload(entry)
    file: Iterator[tuple[str, Upload]] = iter([("file", upload)] if upload else [])
    fields = tuple(filled.fields(entry).items())
    known: tuple[tuple[str, str], ...] = ()
    if entry.document is None:
        known = (
            ("end_user_id", filled.application.end_user_id),
            ("document_type_id", entry.type.id),
            ("alias", f"{entry.type.name} of {filled.application.id}"),
        )
    path = f"ComplianceDocument/{entry.document.id}/" if entry.document else "ComplianceDocument/"
    return filled.call(
        "POST",
        path,
        f"{'Changed' if entry.document else 'Added'} {entry.type.name}.",
        parts=(*known, *fields, *file),
        part=f"documents[{entry.number}]",
    )


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/applications/<id>/correct", correct_page),
]

ACTIONS: dict[str, Build] = {"correct": correct, "submit": submit, "delete": delete}
