"""The machines that ship beside the default one, as clients of every API see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.machines import default_machine, shipped_machine, shipped_names
from plivo_sim.settings import Settings
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.atoms.support import Atoms
from tests.apis.legacy_support import Legacy
from tests.apis.page import Page
from tests.support import AUTH_ID, Http

CALLBACK = "http://127.0.0.1:9/cb"
REASON = "The certificate is out of date."


class Clients:
    """Four applications on one server, each filed through another API."""

    def __init__(self, machine: str, review: Duration | None) -> None:
        settings = Settings(paused=True, review_delay=review, machine=machine)
        self.sim = make_simulator(settings, transport=MemoryTransport())
        self.http = Http(create_app(self.sim), self.sim)
        self.page = Page(Http(self.http.app, self.sim, mount="/beta"))
        self.legacy, self.atoms = Legacy(self.http), Atoms(self.http)
        draft = self.legacy.application(callback_url=CALLBACK)
        assert self.legacy.submit(draft).status_code < 300
        self.ids = {
            "legacy": draft,
            "current": self.http.sdk_created(callback_url=CALLBACK),
            "beta": self.page.id(callback_url=CALLBACK),
        }
        self.made = self.atoms.submitted()

    def advance(self, by: str) -> None:
        """In both accounts: Atoms has one of its own."""
        self.http.advance(by)
        self.atoms.http.advance(by)

    def decide(self, status: str, reason: str | None = None) -> None:
        """For all four."""
        for id in self.ids.values():
            answer = self.http.decide(id, status, reason)
            assert answer.status_code == 200, answer.text
        self.atoms.decide(self.made, status, reason)

    def words(self) -> dict[str, str]:
        """What each API shows of its own application."""
        current = f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/{self.ids['current']}/"
        return {
            "legacy": self.legacy.application_shown(self.ids["legacy"])["status"],
            "current": self.http.get(current).get_json()["compliance"]["status"],
            "beta": self.page.get(self.ids["beta"])["status"],
            "atoms": self.atoms.known(self.made)["status"],
        }

    def last_callback(self, api: str) -> dict[str, Any]:
        """What was told last of an application."""
        sent = self.http.account.store.deliveries.having("application_id", self.ids[api])
        return dict(sent[-1].payload) if sent else {}


Open = Callable[..., Clients]


@pytest.fixture
def clients() -> Iterator[Open]:
    """Opens a server with a machine."""
    opened: list[Clients] = []

    def open_(machine: str, review: Duration | None = None) -> Clients:
        opened.append(Clients(machine, review))
        return opened[-1]

    yield open_
    for each in opened:
        each.sim.close()


def all_four(word: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(("legacy", "current", "beta", "atoms"), word) | others


def test_these_ship() -> None:
    """Each with a sentence, and named as its file."""
    assert shipped_names() == ["default", "in-review", "revocable", "strict-beta"]
    for name in shipped_names():
        assert shipped_machine(name).name == name
        assert shipped_machine(name).file.about.endswith(".")


# --- in-review -------------------------------------------------------------------------------


def test_in_review_shows_a_status_that_no_sdk_knows_after_an_hour(clients: Open) -> None:
    """In every API, by its own callback, at the very instant."""
    four = clients("in-review")
    four.advance("59m")
    assert four.words() == all_four("submitted", beta="pending_review")
    assert four.last_callback("current") == {}
    four.advance("1m")
    assert four.words() == all_four("in_review")
    assert four.last_callback("legacy")["status"] == "in_review"
    assert four.last_callback("current")["status"] == "in_review"
    told = four.last_callback("beta")
    assert (told["event"], told["status"]) == ("compliance.in_review", "in_review")


def test_in_review_decides_no_sooner_than_a_day_later(clients: Open) -> None:
    """Even where a review takes no time."""
    four = clients("in-review", Duration())
    four.advance("24h59m")
    assert four.words() == all_four("in_review")
    four.advance("1m")
    assert four.words() == all_four("accepted", beta="approved")
    assert four.last_callback("beta")["event"] == "compliance.approved"


def test_in_review_lets_nobody_decide_before(clients: Open) -> None:
    """A tester first takes it into review, and need not wait for the day."""
    four = clients("in-review")
    id = four.ids["current"]
    assert four.http.decide(id, "accepted").status_code == 409
    four.decide("in_review")
    four.decide("rejected", REASON)
    assert four.words() == all_four("rejected")
    assert four.last_callback("current")["status"] == "rejected"
    machine = shipped_machine("in-review")
    assert [way.command for way in machine.open_to("submitted").values()] == ["take-up"]


def test_in_review_is_as_closed_as_a_submission(clients: Open) -> None:
    """Nothing of it can change; it can be deleted."""
    four = clients("in-review")
    four.advance("1h")
    path = f"PhoneNumber/Compliance/{four.ids['current']}/"
    assert four.http.sdk_send("PATCH", path, {"alias": "again"}, {}).status_code == 400
    assert four.atoms.resubmit(four.made["_id"]).status_code == 400
    assert four.http.delete(path).status_code < 300


# --- revocable -------------------------------------------------------------------------------


def test_revocable_rejects_what_was_accepted(clients: Open) -> None:
    """The word is that of any rejection, the beta dialect's event is its own."""
    four = clients("revocable")
    four.advance("10d")
    assert four.words() == all_four("accepted", beta="approved")
    four.decide("rejected", REASON)
    assert four.words() == all_four("rejected")
    assert four.last_callback("legacy")["status"] == "rejected"
    assert four.last_callback("current")["status"] == "rejected"
    assert four.last_callback("beta") == {
        "event": "compliance.revoked",
        "compliance_id": four.ids["beta"],
        "status": "rejected",
        "rejection_reason": REASON,
    }


def test_revocable_keeps_the_event_of_other_rejections(clients: Open) -> None:
    """That of a submission is told as ever; both are called differently by hand."""
    four = clients("revocable")
    four.decide("rejected", REASON)
    assert four.last_callback("beta")["event"] == "compliance.rejected"
    machine = shipped_machine("revocable")
    assert machine.open_to("accepted")["rejected"].command == "revoke"
    assert machine.open_to("submitted")["rejected"].command == "reject"


def test_revocable_lets_the_client_correct_it(clients: Open) -> None:
    """It is reviewed again."""
    four = clients("revocable")
    four.advance("10d")
    four.decide("rejected", REASON)
    path = f"PhoneNumber/Compliance/{four.ids['current']}/"
    assert four.http.sdk_send("PATCH", path, {"alias": "again"}, {}).status_code == 200
    assert four.atoms.resubmit(four.made["_id"]).status_code == 200
    assert four.words()["current"] == four.words()["atoms"] == "submitted"
    four.advance("10d")
    assert four.words()["current"] == four.words()["atoms"] == "accepted"


def test_revocable_revokes_by_a_scenario(clients: Open) -> None:
    """A plan may go the same way."""
    four = clients("revocable")
    plan = {"decide": "accepted", "then": [{"after": "30d", "status": "rejected"}]}
    body = {"scenario": {"scenario": "Accepted, then revoked.", "default": plan}}
    answer = four.http.control("POST", "/scenario", body, account=AUTH_ID)
    assert answer.status_code == 200, answer.text
    id = four.page.id(alias="planned", callback_url=CALLBACK)
    four.advance("60d")
    assert four.page.get(id)["status"] == "rejected"
    (*_, last) = four.http.account.store.deliveries.having("application_id", id)
    assert dict(last.payload)["event"] == "compliance.revoked"


# --- strict-beta -----------------------------------------------------------------------------

PRINTED = {
    "pending_review": {"delete"},
    "approved": {"link"},
    "rejected": {"edit", "submit", "delete"},
    "more_info_required": {"edit", "submit", "delete"},
}
"""The page's table of statuses: what the client may do. "Update (auto-resubmits)" is both verbs."""
FLOW = {
    ("pending_review", "approved"),
    ("pending_review", "rejected"),
    ("rejected", "pending_review"),
    ("pending_review", "more_info_required"),
    ("more_info_required", "pending_review"),
}


def test_strict_beta_is_the_printed_table() -> None:
    """Statuses, actions, flow; a draft is what the legacy API has before there is a record."""
    machine = shipped_machine("strict-beta")
    words = machine.words("beta")
    filed = {name: row for name, row in machine.statuses.items() if name != machine.draft}
    assert {words[name]: set(row.client) for name, row in filed.items()} == PRINTED
    assert {
        (words[each.from_], words[each.to])
        for each in machine.arrows
        if each.from_ != machine.draft
    } == FLOW  # fmt: skip


def test_strict_beta_has_a_reason_for_rejections_only(clients: Open) -> None:
    """ "Null for other statuses." """
    four = clients("strict-beta")
    four.decide("more_info_required")
    shown = four.page.get(four.ids["beta"])
    assert (shown["status"], shown["rejection_reason"]) == ("more_info_required", None)
    assert four.last_callback("beta") == {
        "event": "compliance.more_info_required",
        "compliance_id": four.ids["beta"],
        "status": "more_info_required",
    }
    assert four.words() == all_four("rejected", beta="more_info_required")


def test_strict_beta_knows_no_suspension(clients: Open) -> None:
    """Nor does anything expire; the documents and filters do not name them."""
    four = clients("strict-beta")
    four.advance("10d")
    assert four.words() == all_four("accepted", beta="approved")
    for gone in ("suspended", "expired"):
        assert four.http.decide(four.ids["current"], gone).status_code == 400
        assert gone in default_machine().statuses
        for surface in ("beta", "current", "legacy"):
            document = four.http.control("GET", f"/openapi/{surface}.json").get_json()
            assert f"'{gone}'" not in str(document["components"]["schemas"]), surface
    refused = four.http.get(
        f"/current/v1/Account/{AUTH_ID}/PhoneNumber/Compliance/",
        query_string={"status": "suspended"},
    )
    assert refused.status_code == 400
