"""A callback in the language of the API that made the application (DECISIONS 23 and 37)."""

from __future__ import annotations

from plivo_sim.dialects.phone_number import sdk
from plivo_sim.domain.models import Application, Pairs


def encode_callback(application: Application) -> Pairs:
    """The flat fields of the callback.

    SDK dialect: ``compliance_id``, ``status``, ``rejection_reason`` (field-reported).
    """
    fields = [
        ("compliance_id", application.id),
        ("status", sdk.STATUS_WORDS[application.status]),
    ]
    if application.rejection_reason is not None:
        fields.append(("rejection_reason", application.rejection_reason))
    return tuple(fields)
