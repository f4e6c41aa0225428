"""Magic values: a token in the alias, the name or a file name that decides by itself.

As in payment sandboxes; it works through every SDK and needs no scenario. Invented. With
``-ONCE`` after it, a token decides the first attempt only.

Named reasons for a rejection, so that a scenario need not spell them out.

The first is the beta page's own example (documented); the others are the causes that teams
report (docs/wire-facts.md, "What teams report", field-reported); their wording is invented.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from plivo_sim.domain.review import Submission
from plivo_sim.domain.wording import did_you_mean
from plivo_sim.scenarios.language import Decision, DocumentVerdict, Then

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


def _token_in(text: str, attempt: int) -> tuple[str, Decision] | None:
    shouted = text.upper().replace("_", "-")
    here = [token for token in TOKENS if token in shouted]
    if not here:
        return None
    token = max(here, key=len)
    if f"{token}-ONCE" in shouted:
        return (f"{token}-ONCE", TOKENS[token]) if attempt == 1 else None
    return token, TOKENS[token]


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
    nearly = _WORD.fullmatch(name) and difflib.get_close_matches(name, PRESETS, 1, _ALMOST)
    if name not in PRESETS and (_NAME.fullmatch(text.strip()) or nearly):
        raise ValueError(f"there is no preset '{text}'{did_you_mean(name, sorted(PRESETS))}")
    return reason_of(text)


def _name(text: str) -> str:
    return text.strip().lower().replace("-", "_")
