"""``/_sim/events``: one stream of what happens in all accounts."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from plivo_sim.account.account import Account
from plivo_sim.assembly import LiveSimulator
from plivo_sim.control import applications
from plivo_sim.control import events as view
from plivo_sim.domain.errors import Busy
from plivo_sim.simulator import events
from plivo_sim.web.streams import CONNECTION_KEY, HELD_KEY, Held
from plivo_sim.webhooks.transport import MemoryTransport
from tests.control.support import OTHER_ID
from tests.support import AUTH_ID, Http


def told(http: Http, **query: Any) -> dict[str, Any]:
    answer = http.control("GET", "/events", **query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def kinds(found: dict[str, Any]) -> list[str]:
    return [each["kind"] for each in found["events"]]


def test_everything_in_its_order(http: Http) -> None:
    """The call that submits, and what the advance made happen; then where the clock stands."""
    id = http.sdk_created(callback_url="http://127.0.0.1:9/hook")
    http.advance("10d")
    found = [each for each in told(http)["events"] if each.get("operation") != "requirements"]
    transition, request, decided, callback, clock = found[-5:]
    assert (request["kind"], request["status"], request["account"]) == ("request", 201, AUTH_ID)
    assert (transition["from"], transition["to"]) == ("draft", "submitted")
    assert (decided["application"], decided["to"]) == (id, "accepted")
    assert (callback["told"], callback["attempt"], callback["status"]) == ("accepted", 1, 200)
    assert (callback["state"], callback["url"]) == ("delivered", "http://127.0.0.1:9/hook")
    assert (clock["from"][:19], clock["to"][:19]) == ("2026-01-05T09:00:00", "2026-01-15T09:00:00")
    assert [each["number"] for each in found] == sorted(each["number"] for each in found)


def test_the_cursor(http: Http) -> None:
    """``next`` is where to go on; what was seen is not told again."""
    http.sdk_created()
    first = told(http)
    assert first["missed"] == 0
    nothing = {"events": [], "next": first["next"], "missed": 0, "forgotten": 0}
    assert told(http, after=first["next"]) == nothing
    http.advance("10d")
    second = told(http, after=first["next"])
    assert kinds(second) == ["transition", "clock"]
    assert second["events"][0]["number"] == first["next"] + 1


def test_a_cursor_from_before_a_restart(http: Http) -> None:
    """Begins anew."""
    http.sdk_created()
    assert told(http, after=10**8) == told(http)


def test_what_was_too_much_to_be_kept(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is counted, for whoever was looking."""
    first = told(http)
    monkeypatch.setattr(http.sim.events._kept, "most", 3)
    for _ in range(5):
        http.get("PhoneNumber/Compliance/")
    at = told(http)["next"]
    assert len(told(http)["events"]) == 3
    assert told(http, after=1)["missed"] == at - 1 - 3
    assert told(http, after=first["next"])["missed"] == (0 if not first["next"] else 2)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"kind": "clock"}, ["clock"]),
        ({"kind": ["clock", "callback"]}, ["callback", "clock"]),
        ({"operation": "compliance.create"}, ["request"]),
        ({"operation": "COMPLIANCE.cr*"}, ["request"]),
        ({"operation": "numbers.*"}, []),
        ({"status": "201"}, ["request"]),
        ({"status": "2xx", "operation": "*.create"}, ["request"]),
        ({"status": "accepted"}, ["transition", "callback"]),
        ({"status": "404"}, []),
        ({"account": OTHER_ID}, []),
        ({"account": AUTH_ID, "kind": "clock"}, ["clock"]),
    ],
)
def test_filters(http: Http, query: dict[str, Any], wanted: list[str]) -> None:
    """Each narrows; a kind that is given twice takes either."""
    http.sdk_created(callback_url="http://127.0.0.1:9/hook")
    http.advance("10d")
    assert kinds(told(http, **query)) == wanted


def test_words_that_no_event_can_have(http: Http) -> None:
    """Are refused, with what was probably meant: they would filter everything out."""
    for status in ("404", "4XX", "approved", "accepted"):
        told(http, status=status)
    for name, word, meant in (
        ("status", "rejectd", "rejected"), ("operation", "compliance.creat", "compliance.create")
    ):  # fmt: skip
        answer = http.control("GET", "/events", **{name: word})
        assert answer.status_code == 400
        assert f"did you mean '{meant}'" in answer.get_json()["problems"][0]["message"]


def test_words_of_a_machine_that_is_used_or_was(http: Http) -> None:
    """Are taken, as are those of callbacks."""
    http.sdk_created()
    assert http.control("POST", "/machine", {"name": "in-review"}).status_code == 200
    assert told(http, status="in_review")["events"] == []
    http.sdk_created()
    http.advance("10d")
    assert http.control("DELETE", "/machine").status_code == 200
    assert kinds(told(http, status="in_review"))[:1] == ["transition"]


def test_wrong_filters(http: Http) -> None:
    """Are named."""
    for name, text in (
        ("kind", "clok"), ("account", "MA1"), ("wait", "31"), ("after", "-1"),
        ("operation", "x" * 201),
    ):  # fmt: skip
        answer = http.control("GET", "/events", **{name: text})
        assert (answer.status_code, answer.get_json()["problems"][0]["path"]) == (400, name)


def test_a_callback_that_is_never_sent(http: Http) -> None:
    """Blocked, or dropped by the policy: it is told of all the same, with the reason."""
    http.sdk_created(alias="one", callback_url="https://hooks.example.com/")
    http.control("POST", "/webhooks/policy", {"drop": 1})
    http.advance("10d")
    (dropped,) = told(http, kind="callback")["events"]
    assert (dropped["attempt"], dropped["state"]) == (0, "dropped")
    http.control("DELETE", "/webhooks/policy")
    http.sdk_created(alias="two", callback_url="https://hooks.example.com/")
    http.advance("10d")
    blocked = told(http, kind="callback")["events"][-1]
    assert (blocked["attempt"], blocked["state"]) == (0, "blocked")
    assert "hooks.example.com is not a local host" in blocked["why"]


def test_moves_of_clocks(http: Http) -> None:
    """By an advance, by hand and by a setting; not by one that leaves it where it is."""
    http.sdk_created()
    http.advance("0s")
    body = {"account": AUTH_ID}
    http.control("POST", "/clock/rate", {"rate": 60, **body})
    http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"warp": "5"}})
    http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": {"review_delay": "5d"}})
    found = told(http, kind="clock")["events"]
    assert [(each["rate"], each["paused"]) for each in found] == [(60, True), (5, True)]


def test_several_accounts(http: Http) -> None:
    """One stream has them all."""
    http.sdk_created()
    Http(http.app, http.sim, auth_id=OTHER_ID).sdk_created()
    accounts = [each["account"] for each in told(http, kind="transition")["events"]]
    assert accounts == [AUTH_ID, OTHER_ID]


def test_looking_changes_nothing(http: Http, transport: MemoryTransport) -> None:
    """Not even what is due happens, and no account appears."""
    http.sdk_created(callback_url="http://127.0.0.1:9/hook")
    before, accounts = http.account.changes, len(http.sim.accounts())
    told(http)
    told(http, account=OTHER_ID)
    assert (http.account.changes, len(http.sim.accounts())) == (before, accounts)
    assert kinds(told(http)) == kinds(told(http))


def test_what_is_taken_back_is_not_told(http: Http) -> None:
    """Only what was written happened."""
    http.sdk_created()
    before = told(http)["next"]

    with pytest.raises(Busy):
        _change_and_fail(http.account)
    assert told(http)["next"] == before


def _change_and_fail(account: Account) -> None:
    with account.transaction():
        account.change_clock(lambda clock: clock.set_rate(7))
        raise Busy("never mind")


def test_calls_that_reached_no_account(http: Http) -> None:
    """With the reason and the URL that was meant; of no account, so not where one is asked for."""
    http.call("GET", f"/v1/Accounts/{AUTH_ID}/EndUser/", headers={"Authorization": None})
    (event,) = told(http, kind="unmatched")["events"]
    assert (event["account"], event["status"]) == ("", 404)
    assert event["nearest"] == f"/v1/Account/{AUTH_ID}/EndUser/"
    assert told(http, kind="unmatched", account=AUTH_ID)["events"] == []
    assert told(http, kind="unmatched", status="4xx")["events"] == [event]


def test_its_bounds() -> None:
    """What is promised on the page."""
    assert (events.MOST, len(events.KINDS)) == (2000, 5)


class Looks:
    """How many entries were looked at, and how many were shown."""

    def __init__(self, http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self.looked, self.shown = http.sim.events, 0, 0
        self._after, self._shown = self.log.after, view._shown
        monkeypatch.setattr(self.log, "after", self.after)
        monkeypatch.setattr(view, "_shown", self.show)

    def after(self, number: int) -> list[events.Entry]:
        entries = self._after(number)
        self.looked += len(entries)
        return entries

    def show(self, entry: events.Entry) -> Any:
        self.shown += 1
        return self._shown(entry)


def fill(http: Http) -> None:
    """The log is full of moves of a clock, which have forgotten what was first."""
    http.sdk_created()
    http.advance("1d")
    log = http.sim.events
    for _ in range(events.MOST + 10):
        log.add("clock", http.account, log.after(log.newest - 1)[0].about, size_bytes=1)
    assert len(log.after(0)) == events.MOST


def connection() -> Any:
    """That of a server in which others are served meanwhile."""
    others = SimpleNamespace(pause=lambda conn: None, go_on=lambda conn: None)
    return SimpleNamespace(held=None, server=SimpleNamespace(connections=others))


def put_off(http: Http, query: str, note: Any = None) -> Any:
    """What a poll notes that finds nothing; it is begun, or with a note begun again."""
    environ = {CONNECTION_KEY: connection()} | ({HELD_KEY: note} if note else {})
    with pytest.raises(Held) as held:
        http.app.test_client().get(f"/_sim/events?wait=30&{query}", environ_overrides=environ)
    return held.value.note


@pytest.mark.parametrize("query", ["kind=request", "status=418", f"account={OTHER_ID}",
                                   "operation=compliance.create"])  # fmt: skip
def test_polls_that_find_nothing(http: Http, monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    """Look at each entry once, however often they are begun again, and show none."""
    fill(http)
    looks = Looks(http, monkeypatch)
    notes = [put_off(http, query) for _ in range(50)]
    for _ in range(3):
        notes = [put_off(http, query, note) for note in notes]
    assert (looks.looked, looks.shown) == (50 * events.MOST, 0)


def test_a_poll_that_goes_on(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at what has come since, tells where to go on, and what it never saw."""
    fill(http)
    log = http.sim.events
    at, before = log.newest, log.after(0)[0].number
    note = put_off(http, f"kind=request&after={before - 6}")
    looks = Looks(http, monkeypatch)
    http.get("PhoneNumber/Compliance/")
    answer = http.app.test_client().get(
        "/_sim/events?wait=30", environ_overrides={
            CONNECTION_KEY: connection(), HELD_KEY: note,
        },
    ).get_json()  # fmt: skip
    assert [each["number"] for each in answer["events"]] == [at + 1]
    assert (answer["next"], answer["missed"]) == (at + 1, 5)
    assert (looks.looked, looks.shown) == (1, 1)


def test_a_kind_that_is_given_often(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts once."""
    checked: list[str] = []
    word_of = view.word_of
    monkeypatch.setattr(
        view, "word_of", lambda data, *known: checked.append(data["kind"]) or word_of(data, *known)
    )
    told(http, kind=["clock", "callback"] * 100)
    assert checked == ["clock", "callback"]


def test_a_filter_of_applications_that_is_given_often(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts once, too."""
    checked: list[str] = []
    country = applications._country
    monkeypatch.setattr(
        applications, "_country", lambda text: checked.append(text) or country(text)
    )
    answer = http.control("GET", "/applications", account=AUTH_ID, country_iso=["FR", "DE"] * 100)
    assert (answer.status_code, checked) == (200, ["FR", "DE"])


@pytest.mark.live
def test_many_may_wait(live: LiveSimulator) -> None:
    """More than the server has threads; none is needed for them, and all are told of what comes."""
    server = urlsplit(live.url).netloc
    with ExitStack() as opened:
        waiting = [opened.enter_context(closing(HTTPConnection(server, timeout=60)))
                   for _ in range(150)]  # fmt: skip
        for each in waiting:
            each.request("GET", "/_sim/events?wait=30&kind=clock")
        call = opened.enter_context(closing(HTTPConnection(server, timeout=60)))
        call.request("POST", f"/_sim/clock/rate?account={AUTH_ID}", '{"rate": 9}',
                     {"Content-Type": "application/json"})  # fmt: skip
        assert call.getresponse().read()
        answers = [json.load(each.getresponse()) for each in waiting]
    assert [answer["events"][0]["rate"] for answer in answers] == [9] * 150


@pytest.mark.live
def test_a_stop_answers_whoever_waits(live: LiveSimulator) -> None:
    """At once, though the wait is longer than a stop may take."""
    put_off = live._server.connections._put_off  # type: ignore[attr-defined]
    with closing(HTTPConnection(urlsplit(live.url).netloc, timeout=60)) as call:
        call.request("GET", "/_sim/events?wait=30&kind=clock")
        while not put_off.watched:
            pass
        live.stop()
        assert json.load(call.getresponse())["events"] == []


def test_the_newest_of_an_account(http: Http) -> None:
    """It is known of those whose events are kept, and of few others."""
    log = http.sim.events
    for n in range(3 * events.MOST):
        log.add("clock", http.sim.account(f"MA{n % 3:018}"), None, size_bytes=1)
        log.add("clock", cast("Any", SimpleNamespace(auth_id=str(n))), None, size_bytes=1)
    newest = log.newest
    assert log.newest_of("") == log.newest_of(str(n)) == newest
    assert log.newest_of(f"MA{n % 3:018}") == newest - 1
    assert log.newest_of("0") == 0
    assert len(log._newest_of) <= 2 * events.MOST


@pytest.mark.live
def test_nobody_waits_for_ever(live: LiveSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is up, or the server stops, it is answered with nothing."""
    monkeypatch.setattr(live.sim, "stopping", True)
    with closing(HTTPConnection(urlsplit(live.url).netloc, timeout=60)) as call:
        call.request("GET", "/_sim/events?wait=30&kind=clock")
        assert json.load(call.getresponse())["events"] == []
        live.sim.stopping = False
        call.request("GET", "/_sim/events?wait=1&kind=clock")
        assert json.load(call.getresponse())["events"] == []
