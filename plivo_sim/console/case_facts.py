"""Everything that is known of one application: for its page and its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.apis.atoms.presenters import present_application as present_atoms
from plivo_sim.apis.legacy.presenters import present_application as present_legacy
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.dialect import EXPANDABLE, Shown
from plivo_sim.console.pages import row_of
from plivo_sim.console.pictures.sequence import draw
from plivo_sim.console.story import Told, exchanges_about, story_of
from plivo_sim.control.presenters import attempts_of, timers_of
from plivo_sim.services import applications
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.verdicts import forgotten_of, receiver_of, verdict_of
from plivo_sim.web.calls import current_call
from plivo_sim.webhooks.outbox import standing_of

INLINE = frozenset({"image/png", "image/jpeg"})
"""What is shown as a picture."""


def facts_of(account: Account, id: str, link: Callable[[str], str]) -> dict[str, Any]:
    """For the templates. ``link``: the URL of a page below the account's, "" for none. Raises
    NotFound. Caller holds the lock."""
    application = applications.get(account, id)
    machine = account.machine
    deliveries = account.store.deliveries.having("application_id", id)
    exchanges = exchanges_about(account, id)
    next_ = timers_of(account, id)
    steps = story_of(account, Told(application, deliveries, next_, exchanges), link)
    name = application.alias or id
    receivers = {receiver_of(each.url) for each in deliveries}
    receiver = receivers.pop() if len(receivers) == 1 else ""
    told = f"What happened around {name}, as a sequence"
    now = account.now()
    return {
        "view": applications.view(account, application),
        "application": application,
        "verdict": verdict_of(account, application),
        "sequence": draw(steps, now, told, receiver),
        "narrow_sequence": draw(steps, now, told, receiver, narrow=True),
        "next": next_,
        "in_review": application.status in machine.by_itself(machine.submitted),
        "attempts": attempts_of(account, application),
        "deliveries": deliveries,
        "standings": {each.id: standing_of(account, each) for each in deliveries},
        "forgotten": forgotten_of(application, is_all=not deliveries),
        "exchanges": [row_of(each) for each in exchanges],
        "forgotten_exchanges": account.exchanges.forgotten,
        "inline": INLINE,
    }


def as_shown(account: Account, view: ApplicationView) -> Iterator[dict[str, Any]]:
    """The record as each API shows it: key, name, the call, its body without ``api_id``."""
    application, auth_id = view.application, account.auth_id
    shown = Shown(current_call().base_url, auth_id, EXPANDABLE)
    root, query = f"/v1/Account/{auth_id}", f"?expand={','.join(EXPANDABLE)}"
    yield {
        "key": "legacy",
        "name": "Legacy",
        "call": f"GET {root}/ComplianceApplication/{application.id}/",
        "body": present_legacy(view, applications.requirement_of(account, application)),
    }
    for dialect, api in (("beta", beta), ("current", current)):
        yield {
            "key": dialect,
            "name": f"New API, {dialect}",
            "call": f"GET /{dialect}{root}/PhoneNumber/Compliance/{application.id}/{query}",
            "body": api.present_one(view, shown),
        }
    for record in account.store.atoms_applications.having("plivo_compliance_id", application.id):
        yield {
            "key": "atoms",
            "name": "Atoms",
            "call": "application of GET /atoms/v1/compliance/status"
            f"?countryIso={record.country_iso}&numberType={record.number_type}"
            f"&userType={record.user_type}",
            "body": present_atoms(record),
        }
