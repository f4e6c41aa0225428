"""Dry runs: who would decide a submission, and why, without submitting anything."""

from __future__ import annotations

from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.domain.errors import invalid
from plivo_sim.domain.records import (
    Application,
    Document,
    EndUser,
    Explanation,
    NumberType,
    Origin,
    StoredFile,
    UserType,
    Version,
)
from plivo_sim.domain.requirements import too_much
from plivo_sim.scenarios.language import Scenario, Submit
from plivo_sim.scenarios.rules import Plan, Submission
from plivo_sim.services import applications, policies, reviews
from plivo_sim.services.document_sets import LONGEST_NAME, documents_of
from plivo_sim.services.end_users import get as get_end_user

IMAGINED = "imagined"
"""The id of an application that does not exist."""

LONGEST_TEXT = 255
"""What the APIs take no more characters of, for these details."""


class _Undo(Exception):
    """Ends a transaction of which nothing is to stay."""


def rehearse(
    account: Account, submission: Submission, scenario: Scenario | None = None
) -> tuple[Plan, Explanation]:
    """What the reviewer would do with this submission now, and why; nothing of it is kept.

    ``scenario``: instead of the account's, its rules never fired. Raises what ``use_scenario``
    does.
    """
    application = submission.application
    with account.lock:
        try:
            with account.transaction():
                if scenario is not None:
                    policies.use_scenario(account, scenario)
                id = f"{application.id}/{application.attempt}"
                account.store.explanations.drop(id)  # why it was decided when it was really sent
                plan = reviews.plan_review(account, submission)
                told = account.store.explanations.fetch(id)
                raise _Undo
        except _Undo:
            assert told is not None
            return plan, told


def submission_again(account: Account, id: str, attempt: int | None = None) -> Submission:
    """An application of the account, as if it were sent to the reviewer once more as it is.
    ``attempt``: which attempt that is; default: its next. Raises NotFound."""
    with account.lock:
        application = applications.get(account, id)
        nth = attempt if attempt is not None else application.attempt + 1
        return Submission(
            application=replace(application, attempt=nth),
            end_user=get_end_user(account, application.end_user_id),
            documents=tuple(documents_of(account, application)),
            requirement=applications.requirement_of(account, application),
            via=application.origin,
        )


def _check_texts(step: Submit) -> None:
    for name in ("alias", "name", "registration_number"):
        if len(getattr(step, name)) > LONGEST_TEXT:
            raise invalid(f"submit.{name}", f"must have at most {LONGEST_TEXT} characters")
    for word, name in step.files.items():
        if len(name) > LONGEST_NAME:
            raise invalid(f"submit.files.{word}", f"must have at most {LONGEST_NAME} characters")
    long = too_much(step.data_fields)
    if long:
        raise invalid("submit.data_fields", long)


def imagined(account: Account, step: Submit, attempt: int | None = None) -> Submission:
    """A complete application as a scenario's step submits it. Raises Invalid where the catalogue
    asks for nothing, and for texts that are longer than a call may have."""
    _check_texts(step)
    key = (step.country, NumberType(step.number_type), UserType(step.user_type))
    requirement = account.catalogue.find(Version.CURRENT, key)
    if requirement is None:
        where = f"{step.country[:50]} has no {step.number_type} numbers for a {step.user_type}"
        raise invalid("submit", f"{where} in the catalogue")
    now = account.now()
    documents = []
    for index, slot in enumerate(requirement.slots):
        type_ = next((each for each in slot.types if each.word in step.files), slot.types[0])
        name = step.files.get(type_.word, f"{type_.word}.pdf")
        file = StoredFile(sha256=name, name=name, size_bytes=0, media_type="application/pdf")
        documents.append(
            Document(
                id=f"{IMAGINED}-{index}",
                seq=0,
                origin=Origin.CURRENT,
                end_user_id=IMAGINED,
                document_type_id=type_.id,
                data_fields=tuple(
                    (rule.name, step.data_fields[rule.name])
                    for rule in type_.fields
                    if rule.name in step.data_fields
                ),
                file=file,
                created_at=now,
                updated_at=now,
            )
        )
    end_user = EndUser(
        id=IMAGINED,
        seq=0,
        origin=Origin.CURRENT,
        type=key[2],
        name=step.name or "Asha",
        country=step.country,
        registration_number=step.registration_number or None,
        created_at=now,
        updated_at=now,
    )
    application = Application(
        id=IMAGINED,
        seq=0,
        origin=Origin.CURRENT,
        requirement_id=requirement.id,
        country_iso=step.country,
        number_type=key[1],
        user_type=key[2],
        alias=step.alias or step.app,
        end_user_id=IMAGINED,
        document_ids=tuple(each.id for each in documents),
        status=account.machine.draft,
        attempt=attempt or 1,
        created_at=now,
        updated_at=now,
    )
    return Submission(
        application=application,
        end_user=end_user,
        documents=tuple(documents),
        requirement=requirement,
        via=Origin.CURRENT,
    )
