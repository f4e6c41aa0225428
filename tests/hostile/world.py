"""A simulator in which there is one of everything."""

from __future__ import annotations

from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.numbers_support import MUMBAI, Numbers
from tests.machines.files import YEARLY
from tests.support import AUTH_ID, PDF, PNG, Http

SECOND = "atoms-key-2"
"""The Atoms token of another organization."""


def fill(http: Http) -> dict[str, str]:
    """Make one of everything; returns the ids."""
    legacy, numbers, atoms = Legacy(http), Numbers(http), Atoms(http)
    rejected = http.sdk_created(
        callback_url="http://127.0.0.1:9/cb",
        files={0: (PDF + b"own", "own.pdf"), 1: (PNG, "gst.png")},
    )
    http.decide(rejected, "rejected")
    (delivery,) = http.account.store.deliveries.every()
    accepted = numbers.application()
    end_user = legacy.end_user(name="Alone")
    told = atoms.rejected()
    second = Atoms(http, SECOND)
    second.decide(known := second.submitted(), "accepted")
    ids = {
        "rejected": rejected,
        "waiting": http.sdk_created(alias="waiting"),
        "other": http.sdk_created(alias="other"),
        "delivery": delivery.id,
        "accepted": accepted,
        "number": numbers.rented(MUMBAI, accepted),
        "alone": legacy.end_user(name="Nobody's"),
        "end_user": end_user,
        "document": legacy.document(end_user, file=("own.pdf", PDF + b"its")),
        "draft": (draft := legacy.application()),
        "draft_document": http.account.store.applications.fetch(draft).document_ids[0],
        "atoms": told["_id"],
        "atoms_known": known["_id"],
    }
    for path, body in (
        ("/webhooks/policy", {"retries": ["1s"]}),
        ("/machine", {"yaml": YEARLY}),
        ("/faults", {"effect": "error", "name": "lame", "skip": 9999}),
        (
            "/scenario",
            {
                "scenario": {
                    "scenario": "everything is rejected",
                    "default": {"decide": "rejected"},
                }
            },
        ),
    ):
        answer = http.control("POST", path, body | {"account": AUTH_ID})
        assert answer.status_code < 300, answer.text
    return ids
