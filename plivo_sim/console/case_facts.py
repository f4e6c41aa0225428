"""Everything that is known of one application: for its page and its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from plivo_sim.account.account import Account
from plivo_sim.apis.atoms.presenters import present_application as present_atoms
from plivo_sim.apis.legacy.presenters import present_application as present_legacy
from plivo_sim.apis.phone_number import beta, current
from plivo_sim.apis.phone_number.dialect import EXPANDABLE, Shown
from plivo_sim.console.pages import row_of
from plivo_sim.console.pictures.sequence import draw
from plivo_sim.console.story import Told, exchanges_about, story_of
from plivo_sim.control.presenters import attempts_of, timers_of
from plivo_sim.domain.limits import SHOWN_TEXT
from plivo_sim.services import applications
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.verdicts import forgotten_of, receiver_of, verdict_of
from plivo_sim.web.calls import current_call
from plivo_sim.webhooks.outbox import standing_of

T = TypeVar("T")

INLINE = frozenset({"image/png", "image/jpeg"})
"""What is shown as a picture."""


def facts_of(account: Account, id: str, link: Callable[[str], str]) -> dict[str, Any]:
    """For the templates. ``link``: the URL of a page below the account's, "" for none. Raises
    NotFound. Caller holds the lock."""
    whole = applications.get(account, id)
    application = shortened(whole)
    machine = account.machine
    deliveries = shortened(account.store.deliveries.having("application_id", id))
    exchanges = exchanges_about(account, id)
    next_ = shortened(timers_of(account, id))
    steps = story_of(account, Told(application, deliveries, next_, exchanges), link)
    name = application.alias or id
    receivers = {receiver_of(each.url) for each in deliveries}
    receiver = receivers.pop() if len(receivers) == 1 else ""
    told = f"What happened around {name}, as a sequence"
    now = account.now()
    return {
        "view": shortened(applications.view(account, whole)),
        "application": application,
        "verdict": shortened(verdict_of(account, whole)),
        "sequence": draw(steps, now, told, receiver),
        "narrow_sequence": draw(steps, now, told, receiver, narrow=True),
        "next": next_,
        "in_review": application.status in machine.by_itself(machine.submitted),
        "attempts": shortened(attempts_of(account, whole)),
        "deliveries": deliveries,
        "standings": {each.id: standing_of(account, each) for each in deliveries},
        "forgotten": forgotten_of(application, is_all=not deliveries),
        "exchanges": shortened([row_of(each) for each in exchanges]),
        "forgotten_exchanges": account.exchanges.forgotten,
        "inline": INLINE,
    }


def as_shown(account: Account, view: ApplicationView) -> Iterator[dict[str, Any]]:
    """The record as each API shows it: key, name, the call, its body without ``api_id``; long texts
    in it are cut where ``view`` has them so."""
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
            "body": present_atoms(shortened(record)),
        }


def shortened(value: T) -> T:
    """A record, or what JSON is made of, with each text in it cut at the limit ``shown_text``."""
    found: Any = value
    if isinstance(value, str):
        more = len(value) - SHOWN_TEXT.most
        if more > 0:
            found = f"{value[: SHOWN_TEXT.most]}… ({more} more characters)"
    elif isinstance(value, dict):
        found = {shortened(key): shortened(each) for key, each in value.items()}
    elif isinstance(value, list | tuple):
        found = type(value)(map(shortened, value))
    elif isinstance(value, Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        cut = {name: shortened(each) for name, each in fields.items()}
        changed = {name: each for name, each in cut.items() if each != fields[name]}
        found = replace(value, **changed) if changed else value
    result: T = found
    return result
