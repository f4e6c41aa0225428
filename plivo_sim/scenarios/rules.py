"""What the reviewer does with a submission, and when: a decision of the language made into a plan
of steps. Pure; dice are drawn, never rolled.

Magic values: a token in the alias, the name or a file name that decides by itself.

As in payment sandboxes; it works through every SDK and needs no scenario. Plivo has no magic
values (invented). With ``-ONCE`` after it, a token decides the first attempt only.

Named reasons for a rejection, so that a scenario need not spell them out.

The text of ``expired_address_proof`` is the beta page's own example (documented); the other reasons
are causes that teams report (docs/wire-facts.md, "What teams report", field-reported) or that
Plivo's tools list (documented: docs/wire-facts.md, "The same file in two slots"), and their wording
is invented.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

import msgspec

from plivo_sim.domain.durations import Duration, parse_duration
from plivo_sim.domain.errors import Problem
from plivo_sim.domain.machine import NOTHING
from plivo_sim.domain.records import Application, Document, EndUser, Origin, Step
from plivo_sim.domain.requirements import Requirement
from plivo_sim.domain.text import draw_fraction
from plivo_sim.domain.words import closest, did_you_mean, like_listed
from plivo_sim.scenarios.language import (
    Decision,
    Delay,
    DocumentVerdict,
    Then,
)
from plivo_sim.settings import read_instant


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps to come; none means that the application stays in review for ever. ``waits``: what
    the first waits for in the machine, after what the plan says. ``warnings``: of what was asked
    for and does not count."""

    steps: tuple[Step, ...]
    decided_by: str
    waits: str = ""
    warnings: tuple[Problem, ...] = ()


class RequestedOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome that a request asks for itself. ``status`` None: stay in review."""

    status: str | None
    reason: str | None = None
    after: Duration | None = None


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What is submitted; ``requested``: the outcome that the request itself asks for."""

    application: Application
    end_user: EndUser
    documents: tuple[Document, ...]
    requirement: Requirement
    via: Origin
    requested: RequestedOutcome | None = None


Fraction = Callable[[str], float]


def dice_for(seed: int, rule: str, submission: Submission) -> Fraction:
    """Dice for one submission, drawn from what was submitted (decision "Seeded ids and dice")."""
    application = submission.application
    return lambda purpose: draw_fraction(
        seed,
        rule,
        purpose,
        application.alias,
        submission.end_user.name,
        application.country_iso,
        application.number_type,
        application.user_type,
        application.attempt,
    )


def plan_of(
    decision: Decision, decided_by: str, default: Duration, now: datetime, dice: Fraction
) -> Plan:
    """The steps that a decision leads to. ``default``: the delay when it names none."""
    if decision.decide == NOTHING:
        return Plan(steps=(), decided_by=decided_by)
    first = Step(
        after=delay_of(decision, default, now, dice),
        status=decision.decide,
        reason=reason_text(decision),
        why=decided_by,
        documents=tuple(
            (word, reason_of(verdict.reason) if verdict.status == "rejected" else "")
            for word, verdict in decision.documents.items()
        ),
    )
    following = tuple(
        Step(
            after=parse_duration(then.after),
            status=then.status,
            reason=reason_of(then.reason) or None,
            why=decided_by,
        )
        for then in decision.then
    )
    return Plan(steps=(first, *following), decided_by=decided_by)


def reason_text(decision: Decision) -> str | None:
    """All the reasons as one text; those of rejected documents when none is given."""
    given = [text for text in (decision.reason, *decision.reasons) if text]
    if not given:
        given = [v.reason for v in decision.documents.values() if v.reason]
    return " ".join(reason_of(text) for text in given) or None


def delay_of(decision: Decision, default: Duration, now: datetime, dice: Fraction) -> Duration:
    """How long after the submission the decision falls."""
    after = decision.after
    if after is None:
        return default
    if isinstance(after, str):
        return parse_duration(after)
    if after.at is not None:
        ahead_s = (read_instant(after.at) - now).total_seconds()
        return Duration(seconds=max(ahead_s, 0.0))
    return Duration(seconds=spread_s(after, dice))


def spread_s(spread: Delay, dice: Fraction) -> float:
    """Seconds: even between two durations, or normal about one (never negative)."""
    if spread.between is not None:
        low, high = (parse_duration(text).seconds for text in spread.between)
        return low + (high - low) * dice("delay")
    mean = parse_duration(spread.about or "0").seconds
    deviation = parse_duration(spread.give_or_take or "0").seconds
    # Box-Muller, from two drawn fractions
    radius = math.sqrt(-2 * math.log(1 - dice("radius")))
    return max(mean + deviation * radius * math.cos(2 * math.pi * dice("angle")), 0.0)


TOKENS: dict[str, Decision] = {
    "SIM-ACCEPT": Decision(decide="accepted", after="0s"),
    "SIM-REJECT": Decision(decide="rejected", reason="Rejected by a magic value."),
    "SIM-REJECT-EXPIRED-ADDRESS-PROOF": Decision(decide="rejected", reason="expired_address_proof"),
    "SIM-REJECT-NAME-MISMATCH": Decision(decide="rejected", reason="name_mismatch"),
    "SIM-REJECT-WRONG-CERTIFICATE": Decision(decide="rejected", reason="wrong_certificate"),
    "SIM-REJECT-UNREADABLE-SCAN": Decision(decide="rejected", reason="unreadable_scan"),
    "SIM-REJECT-UNSIGNED-CERTIFICATE": Decision(decide="rejected", reason="unsigned_certificate"),
    "SIM-REJECT-DOCUMENT-EXPIRED": Decision(decide="rejected", reason="document_expired"),
    "SIM-MORE-INFO": Decision(decide="more_info_required", reason="missing_page"),
    "SIM-STUCK": Decision(decide="nothing"),
    "SIM-SUSPEND": Decision(
        decide="accepted", then=[Then(status="suspended", after="30d", reason="complaints")]
    ),
    "SIM-REINSTATE": Decision(
        decide="accepted",
        then=[
            Then(status="suspended", after="30d", reason="complaints"),
            Then(status="accepted", after="7d"),
        ],
    ),
    "SIM-EXPIRE": Decision(decide="accepted", then=[Then(status="expired", after="365d")]),
}
"""Every token and what it decides. The longest one that stands in a text counts."""
_LONGEST_FIRST = sorted(TOKENS, key=len, reverse=True)
_KNOWN = [*TOKENS, *(f"{each}-ONCE" for each in TOKENS)]
_JOINED = re.compile(r"[A-Z0-9-]+")
_NUMBERS = "-0123456789"
UNKNOWN_TOKENS = 3
"""So many of a submission are told."""


def magic_decision(submission: Submission) -> tuple[str, Decision] | None:
    """The token that decides this submission and its decision, if there is one.

    In the order alias, name, file names. In a file name a rejecting token rejects that document.
    """
    attempt = submission.application.attempt
    for text in (submission.application.alias, submission.end_user.name):
        found = _token_in(text, attempt)
        if found is not None:
            return found
    return next(_in_files(submission, attempt), None)


def unknown_tokens(submission: Submission) -> Iterator[tuple[str, str]]:
    """What begins a word as a magic value does, and is none: it, and what is told of it. Numbers at
    its end are nobody's mistake (``SIM-REJECT-2.pdf``)."""
    files = (each.file.name for each in submission.documents if each.file is not None)
    texts = (submission.application.alias, submission.end_user.name, *files)
    words = (word.rstrip("-") for text in texts for word in _JOINED.findall(_shouted(text)))
    found = dict.fromkeys(word for word in words if word.startswith("SIM-"))
    unknown = (each for each in found if each.rstrip(_NUMBERS) not in _KNOWN)
    for token in islice(unknown, UNKNOWN_TOKENS):
        inside = _token_in(token, submission.application.attempt)
        counts = f", but {inside[0]} in it counts" if inside is not None else ""
        yield token[:60], f"there is none of this name{counts}{like_listed(token, _KNOWN)}"


def _in_files(submission: Submission, attempt: int) -> Iterator[tuple[str, Decision]]:
    words = {type_.id: type_.word for type_ in submission.requirement.document_types}
    for document in submission.documents:
        found = _token_in(document.file.name, attempt) if document.file is not None else None
        if found is not None and document.file is not None:
            token, decision = found
            if decision.decide == "rejected":
                word = words.get(document.document_type_id, document.document_type_id)
                verdict = DocumentVerdict(status="rejected", reason=decision.reason)
                decision = Decision(
                    decide="rejected", reason=decision.reason, documents={word: verdict}
                )
            yield f"{token} in file {document.file.name}", decision


def _shouted(text: str) -> str:
    return text.upper().replace("_", "-")


def _token_in(text: str, attempt: int) -> tuple[str, Decision] | None:
    shouted = _shouted(text)
    for token in _LONGEST_FIRST:
        once = f"{token}-ONCE"
        if attempt == 1 and once in shouted:
            return once, TOKENS[token]
        shouted = shouted.replace(once, " ")  # spent; others in the text count
        if token in shouted:
            return token, TOKENS[token]
    return None


PRESETS: dict[str, str] = {
    "expired_address_proof": (
        "Address proof document is expired. "
        "Please upload a document dated within the last 3 months."
    ),
    "name_mismatch": (
        "Business name is not identical on the registration certificate, the GST certificate "
        "and the application."
    ),
    "wrong_certificate": (
        "The document is not a GST certificate. A PAN card is not accepted in its place."
    ),
    "unreadable_scan": "The scan is not readable. Please upload a clear copy of all pages.",
    "unsigned_certificate": "The certificate is not signed or sealed by the issuing authority.",
    "document_expired": "The document is out of date. Please upload a valid one.",
    "address_mismatch": "The address on the document is not the address of the application.",
    "missing_page": "A page of the document is missing. Please upload all pages.",
    "invalid_registration_number": (
        "The registration number does not exist in the register of the issuing authority."
    ),
    "same_file_twice": (
        "The same file was uploaded for two documents. Please upload each document's own."
    ),
    "unclear_use_case": "Please describe what the number will be used for.",
    "complaints": "Unresolved complaints about calls from numbers of this application.",
}


_NAME, _WORD = re.compile(r"[a-z]+(_[a-z]+)+"), re.compile(r"[a-z_]+")


_ALMOST = 0.8
"""How much of a word must be as in a preset's name for it to be that name, mistyped."""


def reason_of(text: str) -> str:
    """The preset of this name, or the text itself."""
    return PRESETS.get(_name(text), text)


def read_reason(text: str) -> str:
    """Like ``reason_of``, for what somebody wrote. Raises ValueError for one word that looks like
    the name of a preset, or nearly is one, and is none."""
    name = _name(text)
    nearly = _WORD.fullmatch(name) and closest(name, PRESETS, _ALMOST)
    if name not in PRESETS and (_NAME.fullmatch(text.strip()) or nearly):
        raise ValueError(f"there is no preset '{text}'{did_you_mean(name, sorted(PRESETS))}")
    return reason_of(text)


def _name(text: str) -> str:
    return text.strip().lower().replace("-", "_")
