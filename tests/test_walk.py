"""The main job, once, thinly."""

from __future__ import annotations

from plivo_sim.webhooks.transport import MemoryTransport
from tests.support import Http


def test_an_application_is_accepted_and_the_callback_arrives(
    http: Http, transport: MemoryTransport
) -> None:
    """Create, three business days, accepted, one signed callback."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/cb")
    happened = http.advance("3 business days")["happenings"]
    assert [(h["type"], h.get("to") or h["state"]) for h in happened] == [
        ("transition", "accepted"),
        ("callback", "delivered"),
    ]
    assert id.encode() in transport.sent[0].body
