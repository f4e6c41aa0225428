"""Named reasons for a rejection, so that a story need not spell them out.

The first is the beta page's own example (documented); the others are the causes that teams
report (``wire-facts.md`` section 10, field-reported); their wording is invented.
"""

from __future__ import annotations

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


def reason_of(text: str) -> str:
    """The preset of this name, or the text itself."""
    return PRESETS.get(text.strip().lower().replace("-", "_"), text)
