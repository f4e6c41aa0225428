"""Where Plivo's callbacks reach Atoms: within the process, but by the account's webhook policy.

Atoms believes whatever comes last, late and overtaken callbacks included, and looks at no signature
(invented). Of an id that it does not know it answers 200 too (field-reported).
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl

from msgspec.structs import replace

from plivo_sim.domain.atoms import AtomsStatus
from plivo_sim.jsontext import decode_json
from plivo_sim.ports import Answer, Outgoing
from plivo_sim.webhooks.outbox import Receiver
from plivo_sim.world import World


def receive(world: World, request: Outgoing, at: datetime) -> Answer:
    """Take down what a callback says. Caller holds the lock."""
    fields = _fields(request)
    rows = world.store.atoms_applications
    with world.transaction():
        for known in rows.having("plivo_compliance_id", fields["compliance_id"]):
            rows.put(
                replace(
                    known,
                    status=AtomsStatus(fields["status"]),
                    rejection_reason=fields.get("rejection_reason"),
                    updated_at=at,
                )
            )
    return Answer(status=200)


def _fields(request: Outgoing) -> dict[str, str]:
    """JSON or a form, as the account's callbacks are."""
    if dict(request.headers).get("Content-Type") == "application/json":
        fields: dict[str, str] = decode_json(request.body)
        return fields
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


ATOMS = Receiver("atoms://compliance/callback", receive)
