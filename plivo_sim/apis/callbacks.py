"""A callback in the language of the API that made the application (decisions
"Callbacks follow the reviewer", "Format of callbacks")."""

from __future__ import annotations

from plivo_sim.apis import words
from plivo_sim.apis.legacy import presenters as legacy
from plivo_sim.apis.phone_number.beta.presenters import STATUS_WORDS, reason_shown
from plivo_sim.domain.records import Application, Origin, Pairs


def encode_callback(application: Application) -> Pairs:
    """The flat fields of the callback."""
    if application.origin is Origin.BETA:
        return _beta(application)
    if application.origin is Origin.LEGACY:
        return _legacy(application)
    return _current(application)


def _beta(application: Application) -> Pairs:
    """``event``, ``compliance_id``, ``status``, ``rejection_reason`` if there is one (documented).

    A reinstated record is ``compliance.approved``, a suspended or expired one
    ``compliance.rejected`` (inferred).
    """
    word = STATUS_WORDS[application.status]
    fields = (
        ("event", f"compliance.{word}"),
        ("compliance_id", application.id),
        ("status", word),
    )
    reason = reason_shown(application)
    return fields if reason is None else (*fields, ("rejection_reason", reason))


def _current(application: Application) -> Pairs:
    """``compliance_id``, ``status``, ``rejection_reason`` (observed: field-reported)."""
    fields = (
        ("compliance_id", application.id),
        ("status", words.STATUS_WORDS[application.status]),
    )
    reason = application.rejection_reason
    return fields if reason is None else (*fields, ("rejection_reason", reason))


def _legacy(application: Application) -> Pairs:
    """Both names of the id, ``status``, ``rejection_reason`` (invented: no page shows a callback
    of this API; decision "Format of callbacks")."""
    fields = (
        ("compliance_application_id", application.id),
        ("compliance_id", application.id),
        ("status", legacy.STATUS_WORDS[application.status]),
    )
    reason = application.rejection_reason
    return fields if reason is None else (*fields, ("rejection_reason", reason))
