"""Applications built piece by piece, as the legacy API does: draft, documents, Submit.

Reading and deleting are the same for every application; see ``applications``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import Path, Problem, ProblemKind
from plivo_sim.domain.records import (
    Application,
    Document,
    EndUser,
    NumberType,
    Origin,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import (
    DocumentFacts,
    Requirement,
    check_documents,
    check_end_user,
)
from plivo_sim.domain.urls import check_callback_url
from plivo_sim.scenarios.rules import RequestedOutcome, Submission
from plivo_sim.services import applications, document_sets, reviews
from plivo_sim.services.applications import Accepted
from plivo_sim.services.end_users import get as get_end_user
from plivo_sim.services.inputs import merge, refuse


class NewDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A request to create; a value that was missing or unusable is None.

    Either ``requirement_id``, or country, number type and user type (documented).
    """

    requirement_id: str | None = None
    country_iso: str | None = None
    number_type: NumberType | None = None
    user_type: UserType | None = None
    end_user_id: str | None = None
    alias: str | None = None
    document_ids: Sequence[str] = ()
    subaccount: str | None = None
    callback_url: str | None = None
    operation_type: str | None = None


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """What a create did: the draft, and the warnings."""

    application: Application
    warnings: tuple[Problem, ...] = ()


def create(account: Account, wanted: NewDraft, found: Iterable[Problem] = ()) -> Drafted:
    """Make a draft with its documents.

    ``found``: what the edge already saw wrong. Raises Invalid with that and everything wrong
    here; then nothing was made.
    """
    with account.lock:
        found = list(found)
        flagged = {each.path for each in found}
        requirement, problems = _requirement(account, wanted, flagged)
        end_user = account.store.end_users.fetch(wanted.end_user_id or "")
        problems += _check_end_user(wanted, end_user, requirement)
        problems += _check_document_ids(account, wanted.document_ids, wanted.end_user_id)
        if requirement is not None and not any(path[:1] == ("document_ids",) for path in flagged):
            problems += _check_not_empty(requirement, wanted.document_ids)
        if end_user is not None:
            problems += applications.check_alias(
                account, wanted.alias, end_user.name, end_user.last_name, end_user
            )
        problems += _check_callback(account, wanted.callback_url)
        warnings = refuse(merge(found, problems), strict=account.settings.strict)
        assert requirement is not None
        with account.transaction():
            application = _draft(account, wanted, requirement)
            account.store.applications.put(application)
        return Drafted(application=application, warnings=warnings)


def update(
    account: Account, id: str, document_ids: Sequence[str] | None, found: Iterable[Problem] = ()
) -> Application:
    """Replace the documents of a draft or of a rejected application, which stays rejected
    (documented: not while submitted).

    None means "not given". Documents that are no longer used stay, whichever API made them:
    here they are records of their own. Raises NotFound, WrongState, Invalid.
    """
    with account.lock:
        application = applications.get(account, id)
        if not account.machine.may(application.status, "edit"):
            raise reviews.wrong_state(account, application, "update")
        problems = _check_document_ids(account, document_ids or (), application.end_user_id)
        if document_ids is not None:
            requirement = applications.requirement_of(account, application)
            problems += _check_not_empty(requirement, document_ids)
        refuse(merge(found, problems), strict=account.settings.strict)
        if document_ids is None:
            return application
        with account.transaction():
            changed = replace(
                application, document_ids=tuple(document_ids), updated_at=account.now()
            )
            account.store.applications.put(changed)
        return changed


def submit(account: Account, id: str, requested: RequestedOutcome | None = None) -> Accepted:
    """Hand a draft, or a rejected application, to the reviewer.

    ``requested``: the outcome that the request itself asks for. Raises NotFound, WrongState unless
    it is one of these, Invalid when a document that the requirement asks for, a field or a file
    is missing (decision "Locked documents"). Surplus documents are no problem
    (decision "Surplus documents").
    """
    with account.lock:
        application = applications.get(account, id)
        machine = account.machine
        if not machine.allowed(application.status, machine.submitted, "client"):
            raise reviews.wrong_state(account, application, "submit")
        submission = Submission(
            application=application,
            end_user=get_end_user(account, application.end_user_id),
            documents=tuple(document_sets.documents_of(account, application)),
            requirement=applications.requirement_of(account, application),
            via=Origin.LEGACY,
            requested=requested,
        )
        problems = _check_complete(account, submission)
        warnings = refuse(problems, strict=account.settings.strict)
        with account.transaction():
            application, plan = applications.submit(account, submission, "submitted")
        warnings += plan.warnings
        return Accepted(application=application, plan=plan, warnings=warnings)


def _draft(account: Account, wanted: NewDraft, requirement: Requirement) -> Application:
    now = account.now()
    assert wanted.alias is not None
    assert wanted.end_user_id is not None
    id, seq = account.next_identity("application")
    return Application(
        id=id,
        seq=seq,
        origin=Origin.LEGACY,
        requirement_id=requirement.id,
        country_iso=requirement.country_iso,
        number_type=requirement.number_type,
        user_type=requirement.user_type,
        alias=wanted.alias,
        end_user_id=wanted.end_user_id,
        document_ids=tuple(wanted.document_ids),
        subaccount=wanted.subaccount,
        status=account.machine.draft,
        callback_url=wanted.callback_url or None,
        created_at=now,
        updated_at=now,
    )


# --- what can be wrong -----------------------------------------------------------------------


def _requirement(
    account: Account, wanted: NewDraft, flagged: Collection[Path]
) -> tuple[Requirement | None, list[Problem]]:
    """The requirement that is meant, or what stands in the way; ``flagged``: what is known to be
    wrong already."""
    if wanted.requirement_id is not None:
        return _requirement_by_id(account, wanted, wanted.requirement_id)
    missing = [
        Problem(ProblemKind.MISSING_FIELD, (name,), "is required")
        for name in ("country_iso", "number_type", "user_type")
        if getattr(wanted, name) is None and (name,) not in flagged
    ]
    if len(missing) == 3:
        text = "is required, or else country_iso2, number_type and end_user_type"
        missing = [Problem(ProblemKind.BAD_VALUE, ("requirement_id",), text)]
    if missing or not (wanted.country_iso and wanted.number_type and wanted.user_type):
        return None, missing
    key = (wanted.country_iso, wanted.number_type, wanted.user_type)
    requirement = account.catalogue.find(Version.CURRENT, key)
    if requirement is not None:
        return requirement, check_operation(wanted.operation_type)
    return None, [account.catalogue.no_requirement(Version.CURRENT, *key)]


OPERATION = "buy_number"


def check_operation(given: str | None) -> list[Problem]:
    """Where a requirement is found by country and types, or by a phone number, the live service
    wants ``operation_type=buy_number`` (field-reported: docs/wire-facts.md, "Look-ups want
    operation_type"); soft, because no page and no SDK knows it. Another word is taken for none
    (invented)."""
    if given == OPERATION:
        return []
    live = "Could not find any requirement"
    text = f"must be {OPERATION}, else Plivo answers '{live}'"
    live = f"{live}; operation_type must be {OPERATION}"
    path = ("operation_type",)
    return [Problem(ProblemKind.BAD_VALUE, path, text, soft=True, live_text=live)]


def _requirement_by_id(
    account: Account, wanted: NewDraft, id: str
) -> tuple[Requirement | None, list[Problem]]:
    """The requirement of this id, which must be of the legacy API's version (invented: the
    other one asks for details that its end users cannot have) and agree with what else is
    given."""
    requirement = account.catalogue.by_id.get(id)
    if requirement is None:
        text = f"no compliance requirement '{id[:50]}'"
        return None, [Problem(ProblemKind.UNKNOWN_RECORD, ("requirement_id",), text)]
    key = (requirement.country_iso, requirement.number_type, requirement.user_type)
    if requirement.version is not Version.CURRENT:
        ours = account.catalogue.find(Version.CURRENT, key)
        text = "is of the new API only" + (f"; use {ours.id}" if ours else "")
        return None, [Problem(ProblemKind.BAD_VALUE, ("requirement_id",), text)]
    given = {
        "country_iso": wanted.country_iso,
        "number_type": wanted.number_type,
        "user_type": wanted.user_type,
    }
    return requirement, [
        Problem(
            ProblemKind.BAD_VALUE, (name,), f"is {getattr(requirement, name)} in requirement {id}"
        )
        for name, value in given.items()
        if value not in (None, getattr(requirement, name))
    ]


def _check_end_user(
    wanted: NewDraft, end_user: EndUser | None, requirement: Requirement | None
) -> list[Problem]:
    path = ("end_user_id",)
    if end_user is None:
        if not wanted.end_user_id:
            return [Problem(ProblemKind.MISSING_FIELD, path, "is required")]
        text = f"no end user '{wanted.end_user_id[:50]}' in this account"
        return [Problem(ProblemKind.UNKNOWN_RECORD, path, text)]
    if requirement is not None and requirement.user_type is not end_user.type:
        text = f"is of type {end_user.type}; the requirement is for {requirement.user_type}"
        return [Problem(ProblemKind.BAD_VALUE, path, text)]
    return []


def _check_not_empty(requirement: Requirement, ids: Sequence[str]) -> list[Problem]:
    """Documents are required (documented), unless the requirement asks for none (invented)."""
    if ids or not requirement.slots:
        return []
    text = "must not be empty: the requirement asks for documents"
    return [Problem(ProblemKind.BAD_VALUE, ("document_ids",), text)]


def _check_callback(account: Account, url: str | None) -> list[Problem]:
    """``callback_url`` is taken on create (field-reported: docs/wire-facts.md,
    "ComplianceApplication"); https only, as in the new API (inferred)."""
    if not url:
        return []
    allowed = account.settings.allow_callback_hosts
    problem = check_callback_url(url, ("callback_url",), https_only=True, allowed=allowed)
    return [problem] if problem else []


def _check_document_ids(
    account: Account, ids: Sequence[str], end_user_id: str | None
) -> list[Problem]:
    """Each document once, there, and of the application's own end user
    (decision "Locked documents"); two of one type are fine (field-reported)."""
    problems: list[Problem] = []
    named: set[str] = set()
    for index, id in enumerate(ids):
        document = account.store.documents.fetch(id)
        is_again = id in named
        named.add(id)
        if document is None:
            fault, text = ProblemKind.UNKNOWN_RECORD, f"no document '{id[:50]}' in this account"
        elif is_again:
            fault, text = ProblemKind.BAD_VALUE, "is named twice"
        elif end_user_id and document.end_user_id != end_user_id:
            fault = ProblemKind.BAD_VALUE
            text = f"belongs to end user {document.end_user_id}, not to {end_user_id[:50]}"
        else:
            continue
        problems.append(Problem(fault, ("document_ids", index), text))
    return problems


def _check_complete(account: Account, submission: Submission) -> list[Problem]:
    documents, requirement = submission.documents, submission.requirement
    facts = [_facts(account, document, index) for index, document in enumerate(documents)]
    files: list[tuple[Path, bytes | str]] = [
        (("document_ids", i), each.file.sha256) for i, each in enumerate(documents) if each.file
    ]
    return [
        *check_end_user(requirement, submission.end_user),
        *check_documents(requirement, facts, allow_surplus=True),
        *document_sets.check_distinct(files),
    ]


def _facts(account: Account, document: Document, index: int) -> DocumentFacts:
    return DocumentFacts(
        type=account.catalogue.types_by_id.get(document.document_type_id),
        type_reference=document.document_type_id,
        data_fields=dict(document.data_fields),
        has_file=document.file is not None,
        index=index,
    )
