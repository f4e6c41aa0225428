"""Named reasons for a rejection, so that a story need not spell them out.

The first is the beta page's own example (documented); the others are the causes that teams
report (``wire-facts.md`` section 10, field-reported); their wording is invented.
"""

from __future__ import annotations

import difflib
import re

from plivo_sim.suggesting import did_you_mean

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
