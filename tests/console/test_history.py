"""History: what was done, in order, and what was done by hand as a test and as a scenario."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from plivo_sim.account.account import KEPT_EXCHANGES
from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator, make_simulator
from plivo_sim.client.replay import replay
from plivo_sim.console.copied_scenario import scenario_file
from plivo_sim.console.copied_test import pytest_file
from plivo_sim.console.sources import Names, as_json_source, source
from plivo_sim.domain import limits
from plivo_sim.scenarios.loader import load_scenario, load_scenario_data
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.legacy_support import Legacy
from tests.apis.numbers_support import MUMBAI, Numbers
from tests.conftest import PAUSED
from tests.console.support import HOME, press
from tests.support import AUTH_ID, Http

HISTORY = f"{HOME}/history"
CALLBACK = "http://127.0.0.1:9/hook"


def page(http: Http, **query: str) -> str:
    answer = http.get(HISTORY, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(http: Http, **query: str) -> list[str]:
    """What is listed, newest first, without tags."""
    body = page(http, **query).partition('newest first">')[2].partition("</ol>")[0]
    return [" ".join(re.sub("<[^>]+>", " ", each).split()) for each in body.split("</li>")[:-1]]


def ticked(http: Http) -> list[str]:
    return re.findall(r'name="pick" form="copy" value="(\w+)"[^>]* checked', page(http))


def copied(http: Http, kind: str, *picks: str) -> str:
    query = [("as", kind), *(("pick", each) for each in picks)]
    answer = http.get(f"{HISTORY}/copy.txt", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.text


# --- the list --------------------------------------------------------------------------------


def test_everything_in_order(http: Http) -> None:
    """Calls of the APIs, of the control API, and buttons, newest first, with both times."""
    id = http.sdk_created()
    press(http, "advance", account=AUTH_ID, by="1d")
    http.decide(id, "accepted")
    listed = rows(http)
    by = [re.search("(API|control|console), 2026", each) for each in listed]
    assert [found and found[1] for found in by] == ["control", "console", "API"]
    assert listed[0].startswith("Into the test: Set to accepted by hand: Acme")
    assert f"POST /_sim/applications/{id}/decision" in listed[0]
    assert "2026-01-06 09:00:00.000 UTC" in listed[1]
    assert "Advanced by 1d." in listed[1]


def test_reads_are_shown_on_demand(http: Http) -> None:
    """They change nothing."""
    id = http.sdk_created()
    http.get(f"PhoneNumber/Compliance/{id}/")
    before = len(rows(http))
    assert len(rows(http, show="all")) > before
    assert rows(http, show="nonsense") == rows(http)


def test_failures_are_shown(http: Http) -> None:
    """With the reason; they are not in the script, and not ticked."""
    id = http.sdk_created()
    press(http, "advance", account=AUTH_ID, by="soon")
    press(http, "decide", account=AUTH_ID, id=id, status="expired")
    http.post("PhoneNumber/Compliance/", json={})
    failed = rows(http, show="failed")
    assert len(failed) == 3
    assert "cannot read duration" in failed[2]
    assert "409" in failed[1]
    assert len(ticked(http)) == 1


def test_each_button_has_its_undo(http: Http) -> None:
    """As long as it is kept; what was undone is marked, and is neither ticked nor undone again."""
    id = http.sdk_created()
    press(http, "advance", account=AUTH_ID, by="1h")
    press(http, "decide", account=AUTH_ID, id=id, status="accepted")
    listed = page(http)
    assert listed.count('action="/console/do/undo?') == 2
    press(http, "undo", account=AUTH_ID, point="2")
    listed = page(http)
    assert listed.count('action="/console/do/undo?') == 1
    assert [("undone" in each) for each in rows(http)] == [False, True, False, False]
    assert len(ticked(http)) == 2


def test_buttons_that_call_an_api_have_their_undo(http: Http) -> None:
    """What it says is what the button did, with the name of what it was about; it does not ask."""
    id = http.sdk_created(alias="Acme Mumbai")
    press(http, "decide", account=AUTH_ID, id=id, status="rejected")
    press(http, "submit", account=AUTH_ID, id=id)
    last = rows(http)[0]
    assert last.startswith(
        "Into the test: Submitted again as it was.: Acme Mumbai Submitted again as it was."
    )
    assert "console, 2026" in last
    assert last.endswith("Undo")
    press(http, "delete", account=AUTH_ID, id=id, sure="yes")
    press(http, "undo", account=AUTH_ID, point="3")
    assert http.control("GET", f"/applications/{id}").get_json()["status"] == "submitted"


def test_rows_that_are_alike_have_names(http: Http) -> None:
    """Those of the applications that were filed."""
    press(http, "seed", account=AUTH_ID, count="3")
    names = {each.alias for each in http.account.store.applications.every()}
    assert len(names) == 3
    assert all(any(name in row for row in rows(http)) for name in names)


def test_an_undo_says_that_it_asks(http: Http) -> None:
    """Where others have written since."""
    press(http, "advance", account=AUTH_ID, by="1h")
    http.sdk_created()
    assert "and 1 other: it asks" in rows(http)[1]


def test_what_is_forgotten_is_told(http: Http) -> None:
    """How many calls there were before."""
    for n in range(3):
        http.sdk_created(alias=f"case {n}")
    assert "forgotten" not in page(http)
    for _ in range(KEPT_EXCHANGES):
        http.get("PhoneNumber/Compliance/")
    told = page(http)
    assert re.search(r"\d+ earlier calls are forgotten", told)
    assert "earlier calls, which the simulator has forgotten" in copied(http, "pytest")


def test_it_is_of_one_account(http: Http) -> None:
    """What was done in another is not in it."""
    other = "MAYYYYYYYYYYYYYYYYYY"
    press(http, "advance", account=other, by="1h")
    assert "Nothing was done yet" in page(http)
    assert "Advanced by 1h." in http.get(f"/console/{other}/history").text


def test_what_a_client_sent_is_text(http: Http) -> None:
    """In the list, and in the copies."""
    http.post("/v1/Account/" + AUTH_ID + "/EndUser/%3Cb%3E/", json={})
    http.post("EndUser/", json={"name": "<script>", "end_user_type": "business"})
    assert "<b>" not in page(http, show="all")
    shown = http.get(f"{HISTORY}?as=pytest").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_a_call_that_no_button_made(http: Http) -> None:
    """It stands in the script of commands as an HTTP call."""
    http.control("POST", "/clock/advance", {"by": "1h", "account": AUTH_ID})
    script = page(http).partition('id="script-cli"')[2].partition("</pre>")[0]
    assert "curl -X POST http://127.0.0.1/_sim/clock/advance" in script


# --- as a test -------------------------------------------------------------------------------


def by_buttons(http: Http) -> None:
    """Moves, decisions with reasons that need care, a next outcome, a correction."""
    id = http.sdk_created(alias='Acme {x} \\ "y"', callback_url=CALLBACK)
    press(http, "advance", account=AUTH_ID, by="1d")
    press(http, "decide", account=AUTH_ID, id=id, status="rejected", reason='Name\'s "off"\n{id}')
    data = {"end_user": {"name": "Acme Ltd"}, "documents": http.sdk_data()["documents"]}
    assert http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", data).status_code == 200
    press(http, "advance-to", account=AUTH_ID, date="2026-01-12", time="09:00")
    press(http, "next-outcome", account=AUTH_ID, decide="rejected", reason="x", after="1h")
    http.sdk_created(alias="third")
    press(http, "pause", account=AUTH_ID)
    press(http, "advance", account=AUTH_ID, by="3 business days")


def by_control(http: Http) -> None:
    """A scenario, a machine, faults, policies and settings that others set."""
    steer = {"account": AUTH_ID}
    http.control("POST", "/scenario", {"name": "rejected-then-accepted"} | steer)
    http.control("POST", "/machine", {"name": "in-review"} | steer)
    http.control("POST", "/faults", {"effect": "error", "operation": "list", "name": "a"} | steer)
    http.control("POST", "/webhooks/policy", {"retries": ["5s"]} | steer)
    settings = {"review_delay": "2h", "strict": "false", "warp": "7"}
    http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": settings})
    id = http.sdk_created()
    until = {"until": {"application": id, "status": "rejected"}}
    assert http.control("POST", "/clock/advance", until | steer).status_code == 200
    http.control("DELETE", "/faults/a", account=AUTH_ID)
    http.control("DELETE", "/scenario", account=AUTH_ID)
    http.control("POST", "/clock/set", {"to": "2026-02-01T00:00:00Z"} | steer)


def by_the_other_apis(http: Http) -> None:
    """The legacy API, whose records refer to one another, and numbers."""
    legacy, numbers = Legacy(http), Numbers(http)
    end_user = legacy.end_user()
    document = legacy.document(end_user)
    made = http.post(
        "ComplianceApplication/",
        json=legacy.application_body(end_user_id=end_user, document_ids=[document]),
    )
    id = made.get_json()["compliance_application_id"]
    legacy.submit(id)
    press(http, "decide", account=AUTH_ID, id=id, status="accepted")
    numbers.rent(MUMBAI, id)


def by_a_running_clock(http: Http) -> None:
    """What time did by itself between two calls."""
    http.account.configure({"review_delay": "5s"})
    http.sdk_created(alias="SIM-REJECT")
    http.advance("90s")  # the clock as it would have gone on
    http.account.steering.clear()
    id = http.sdk_created(alias="later")
    http.decide(id, "rejected")


def with_an_undo(http: Http) -> None:
    """What was undone is not done again."""
    id = http.sdk_created()
    press(http, "decide", account=AUTH_ID, id=id, status="rejected")
    press(http, "undo", account=AUTH_ID, point="1")
    press(http, "advance", account=AUTH_ID, by="5d")


def rejected_twice(http: Http) -> None:
    """Sent again as it was, rejected again, corrected, accepted."""
    steer = {"account": AUTH_ID}
    http.control("POST", "/scenario", {"name": "name-mismatch"} | steer)
    names = {"end_user": http.sdk_data()["end_user"] | {"name": "Acme Pvt. Ltd."}}
    id = http.sdk_created(**names)
    press(http, "advance", account=AUTH_ID, by="1 business day")
    press(http, "submit", account=AUTH_ID, id=id)
    press(http, "advance", account=AUTH_ID, by="1 business day")
    data = {"end_user": {"name": "Acme"}, "documents": http.sdk_data()["documents"]}
    assert http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", data).status_code == 200
    press(http, "advance", account=AUTH_ID, by="3 business days")
    timeline = http.account.store.applications.fetch(id).timeline
    assert [each.status for each in timeline][1::2] == ["rejected", "rejected", "accepted"]


STORIES: list[Callable[[Http], None]] = [
    by_buttons, by_control, by_the_other_apis, by_a_running_clock, with_an_undo,
    rejected_twice,
]  # fmt: skip


def test_what_is_copied_is_taken_by_the_test(http: Http) -> None:
    """A query, a short time, and YAML on one line, in the form in which each is taken."""
    http.post("EndUser/?x=1&x=2", json={"name": "x", "end_user_type": "business"})
    http.control("POST", "/clock/advance", {"by": 1e-5, "account": AUTH_ID})
    text = "{scenario: All are accepted., rules: []}"
    http.control("POST", "/scenario", {"yaml": text, "account": AUTH_ID})
    test = copied(http, "pytest")
    assert "params=[('x', '1',), ('x', '2',)]".replace("'", '"') in test
    assert "plivo_server.advance(seconds=1e-05)" in test
    assert f'plivo_server.use_scenario("{text}\\n")' in test.replace("{{", "{").replace("}}", "}")


@pytest.mark.live
def test_the_test_passes(tmp_path: Path) -> None:
    """Each file, run by pytest in a process of its own, with the plugin that ships and nothing that
    does not come with it: what was done is done again in a fresh simulator, and leads to the same
    statuses."""
    absent = "import sys\n\nsys.modules |= dict.fromkeys(('requests', 'plivo', 'httpx'))\n"
    (tmp_path / "conftest.py").write_text(absent, "utf-8")
    for story in STORIES:
        sim = make_simulator(PAUSED, transport=MemoryTransport())
        http = Http(create_app(sim), sim)
        story(http)
        text = copied(http, "pytest")
        sim.close()
        assert "assert [each.status for each in" in text, text
        (tmp_path / f"test_{story.__name__}.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{len(STORIES)} passed" in done.stdout, done.stdout + done.stderr


def test_only_what_is_picked(http: Http) -> None:
    """The test says that it is not all, and asserts no statuses then."""
    first = http.sdk_created(alias="first")
    press(http, "decide", account=AUTH_ID, id=first, status="rejected")
    http.sdk_created(alias="second")
    newest, decision, oldest = ticked(http)
    text = copied(http, "pytest", oldest, newest)
    assert ("first" in text, "second" in text, "decide(" in text) == (True, True, False)
    assert "- calls that were not chosen" in text
    assert ".timeline" not in text
    assert ".timeline" in copied(http, "pytest", oldest, newest, decision)


@pytest.mark.parametrize(
    ("do", "told"),
    [
        (
            lambda http: http.control("POST", "/restore", {"name": "x", "account": AUTH_ID}),
            "a test begins anew instead",
        ),
        (
            lambda http: http.post(
                "EndUser/", json={"name": "x" * 40_000, "end_user_type": "business"}
            ),
            None,
        ),
    ],
)
def test_what_cannot_be_carried_over(
    http: Http, do: Callable[[Http], Any], told: str | None
) -> None:
    """It is a comment where it was, and a line of the head."""
    http.sdk_created()
    http.control("POST", "/snapshot", {"name": "x", "account": AUTH_ID})
    http.advance("1h")
    do(http)
    text = copied(http, "pytest")
    compile(text, "test.py", "exec")
    if told:
        assert text.count(told) == 2
        assert "no statuses are asserted" in text


def test_a_record_from_before(http: Http) -> None:
    """A decision about an application whose filing is not known any more."""
    id = http.sdk_created()
    http.account.exchanges.clear()
    press(http, "decide", account=AUTH_ID, id=id, status="accepted")
    text = copied(http, "pytest")
    assert f"{id} was not made by a call that is carried over" in text
    assert "plivo_server.decide" not in text


def test_an_id_that_is_no_records(http: Http) -> None:
    """A text that a client chose stands as it is."""
    http.sdk_created(alias="order 0b7c41e3-90a1-4a55-8f0e-7b1f7f9a2c11")
    text = copied(http, "pytest")
    assert "order 0b7c41e3-90a1-4a55-8f0e-7b1f7f9a2c11" in text
    assert "not carried over" not in text


def test_secrets_are_not_copied(http: Http) -> None:
    """Neither the token, nor what is called like one in a body."""
    http.sdk_create(alias="x", token="hush-hush")
    assert "hush-hush" not in copied(http, "pytest") + page(http)
    assert http.token not in copied(http, "pytest")


def test_nothing_was_done(http: Http) -> None:
    """A test of nothing is a file, too, which says so."""
    test, scenario = copied(http, "pytest"), copied(http, "scenario")
    compile(test, "test.py", "exec")
    assert "It makes no call: nothing that was done is carried over." in test
    load_scenario(scenario)
    assert "# It has no steps: there is no submission in it." in scenario
    http.sdk_created()
    for kind in ("pytest", "scenario"):
        assert not re.search("no call|no steps", copied(http, kind))


def test_decades_between_submissions(http: Http) -> None:
    """More than one step may advance."""
    http.sdk_created(alias="first")
    for by in ("3650d", "3650d", "1ms"):
        http.advance(by)
    http.sdk_created(alias="second")
    scenario = load_scenario(copied(http, "scenario"))
    assert [each.advance for each in scenario.steps if each.advance][:3] == [
        "3650d", "3650d", "0s1ms",
    ]  # fmt: skip


def test_more_submissions_than_a_scenario_has_steps(http: Http) -> None:
    """The last applications, as many as there is room for."""
    for n in range(12):
        id = http.sdk_created(alias=f"case {n}")
        application = http.account.store.applications.fetch(id)
        changes = [application.timeline[0]] * 60
        with http.account.transaction():
            http.account.store.applications.put(replace(application, timeline=tuple(changes)))
    text = copied(http, "scenario")
    load_scenario(text)
    assert "6 applications: only the last 6 are here" in text


# --- as a scenario ---------------------------------------------------------------------------


def suspended_at_once(http: Http) -> None:
    """Several decisions of one submission, one at its very instant."""
    id = http.sdk_created(alias="SIM-STUCK, Acme")
    http.decide(id, "accepted")
    http.advance("3h")
    http.decide(id, "suspended", "Complaints")
    http.sdk_created(alias="nobody decides it")


@pytest.mark.live
@pytest.mark.parametrize("story", [by_buttons, with_an_undo, suspended_at_once, rejected_twice])
def test_the_scenario_holds(http: Http, live: LiveSimulator, story: Callable[[Http], None]) -> None:
    """Played, it leads to the same statuses at the end and on the way."""
    story(http)
    text = copied(http, "scenario")
    played = replay(live.url, "by-hand", load_scenario(text))
    assert played.checks
    assert [each for each in played.checks if not each.ok] == []


def test_magic_values_do_not_decide(http: Http) -> None:
    """They would come before the rules, so the copy has none, and says so."""
    suspended_at_once(http)
    text = copied(http, "scenario")
    assert "STUCK, Acme" in text
    assert "SIM-" not in text
    assert "# - magic values in aliases and names: the rules decide instead" in text


@pytest.mark.parametrize(("kind", "writer"), [("pytest", pytest_file), ("scenario", scenario_file)])
def test_a_copy_is_written_without_the_account(
    http: Http, monkeypatch: pytest.MonkeyPatch, kind: str, writer: Callable[..., str]
) -> None:
    """By the page, and by the file to save."""
    held = []

    def write(*given: Any, **how: Any) -> str:
        held.append(http.account.lock.raw._is_owned())
        return writer(*given, **how)

    monkeypatch.setattr(f"plivo_sim.console.history.{writer.__name__}", write)
    http.sdk_created()
    copied(http, kind)
    page(http, **{"as": kind})
    assert held == [False, False]


@pytest.mark.parametrize(("changes", "status"), [(501, "accepted"), (60, "accepted " * 1000)])
def test_what_is_too_large_for_a_scenario_is_neither_checked_nor_written(
    http: Http, monkeypatch: pytest.MonkeyPatch, changes: int, status: str
) -> None:
    """Its size is looked at first."""
    id = http.sdk_created(alias="large")
    application = http.account.store.applications.fetch(id)
    large = replace(
        application,
        timeline=(*application.timeline, replace(application.timeline[-1], status=status))
        * changes,
    )
    with http.account.transaction():
        http.account.store.applications.put(large)
    checked: list[Any] = []

    def check(data: Any, **how: Any) -> Any:
        checked.append(data.get("steps"))
        return load_scenario_data(data, **how)

    monkeypatch.setattr("plivo_sim.console.copied_scenario.load_scenario_data", check)
    assert "1 applications: only the last 0 are here" in copied(http, "scenario")
    assert not any(checked)


def test_a_copy_has_an_end(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how many calls there was no room for, and asserts no statuses."""
    monkeypatch.setattr(limits, "COPY_TEXT", limits.Limit("copy_text", 20_000, "characters", ""))
    for call in range(8):
        body = {"name": f"A{call}", "end_user_type": "business", "x": ["x" * 90] * 40}
        assert http.post("EndUser/", json=body).status_code == 201
    text = copied(http, "pytest")
    carried = text.count('"POST", f"/v1/Account/{account}/EndUser/"')
    assert 0 < carried < 8
    told = f"the last {8 - carried} calls: the text would be too long, at most 20000 characters"
    assert text.count(told) == 2  # in the head, and where they were
    assert len(text) < 25_000
    assert ".timeline" not in text
    compile(text, "copy.py", "exec")


def memory_of_a_copy(calls: int) -> int:
    """The most bytes that a copy of so many calls, each with 100 ids, takes while it is made."""
    sim = make_simulator(PAUSED, transport=MemoryTransport())
    http = Http(create_app(sim), sim)
    for call in range(calls):
        ids = " ".join(str(UUID(int=call * 100 + each)) for each in range(100))
        text = f"scenario: A text long enough.\ndefault: {{decide: accepted}}\n# {ids}\n"
        answer = http.control("POST", "/scenario", {"yaml": text, "account": AUTH_ID})
        assert answer.status_code == 200, answer.text
    copied(http, "pytest")  # what is imported does not count
    tracemalloc.start()
    copied(http, "pytest")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    sim.close()
    return peak


def test_twice_the_calls_take_twice_the_memory() -> None:
    """Which ids are needed later is not noted for each call anew."""
    assert memory_of_a_copy(100) < 3 * memory_of_a_copy(50)


# --- source ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {}, [], {"a": [1, None, True, 2.5]}, "it's", 'say "x"', "{id} \\ \n \x00 \u202e",
        ["x" * 200], ("x",), [("x" * 90, 1)], ("x" * 90,),
        {"a" * 50: {"b" * 50: ["c" * 50, {"d": "e" * 90}]}}, "é☃\ud800",
    ],
)  # fmt: skip
def test_source_is_the_value(value: Any) -> None:
    """Evaluated, it is what it was, whatever is in it."""
    assert eval(source(value, Names())) == value


class CountedNames(Names):
    """They count how many texts were put into words."""

    texts = 0

    def text(self, text: str) -> str:
        self.texts += 1
        return Names.text(self, text)


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_deep_is_not_written_once_for_each_level() -> None:
    """Each text is put into words to see whether it is short, and once more if it is not."""
    names, value = CountedNames(), nested(["ab"] * 100, 50)
    assert eval(source(value, names)) == value
    assert names.texts == 200


def test_depth_does_not_multiply_the_text() -> None:
    """The indentation ends somewhere."""
    value = ["x" * 90] * 100
    shallow, deep = (len(source(nested(value, depth), Names())) for depth in (10, 50))
    assert deep < 2 * shallow


def test_ids_become_variables() -> None:
    """Alone and within a text; braces around them stay."""
    id = "64c1f219-b23e-4722-b444-e675651ce25a"
    names = Names(known={id: "x"})
    assert names.text(id) == "x"
    assert eval(names.text(f"{{a}}/{id}/\\'\""), {"x": "1"}) == "{a}/1/\\'\""


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", '{"a": ' * 100])
def test_a_text_that_is_no_object(text: str) -> None:
    """It is sent as the text that it is."""
    assert as_json_source(text, Names(), 0) is None


def test_a_button_is_undone_by_its_own_point(http: Http) -> None:
    """Once, though it made several calls, those of an API as well as those of the control API."""
    press(http, "seed", account=AUTH_ID, count="2")
    press(http, "advance", account=AUTH_ID, by="1h")
    points = [str(each.number) for each in http.account.undo_points]
    assert re.findall(r'name="point" value="(\d+)"', page(http)) == points[::-1]
    assert [" Undo" in row for row in rows(http)] == [True, False, True]


INJECTED = "open(chr(47)+'tmp'+chr(47)+'P','w')"


def every_pick(http: Http) -> list[str]:
    return re.findall(r'name="pick" form="copy" value="(\w+)"', page(http))


def test_nothing_that_a_client_sent_is_code(http: Http) -> None:
    """Neither what stands in a URL, nor in a body; not if the call was refused either."""
    path = f"PhoneNumber/Compliance/{{{INJECTED}}}/"
    http.delete(path)
    http.delete(path.replace("{", "%7B").replace("}", "%7D"))
    http.control("POST", "/clock/advance", {"by": [f'"+str({INJECTED})+"'], "account": AUTH_ID})
    http.control("POST", "/clock/advance", {"by": {"a": INJECTED}, "account": AUTH_ID})
    http.sdk_created(alias=f"{{{INJECTED}}}\"'\n")
    text = copied(http, "pytest", *every_pick(http))
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert not [node for node in calls if ast.unparse(node.func) in ("open", "chr", "str")]


@pytest.mark.parametrize(
    "body",
    [{"until": ["x"]}, {"until": {"application": 1}}, {"until": 5}, {"by": []}, {"by": None}, {}],
)
def test_calls_that_were_refused_are_left_out(http: Http, body: dict[str, Any]) -> None:
    """With a word of why; the rest of the test is there."""
    id = http.sdk_created()
    http.control("POST", "/clock/advance", {**body, "account": AUTH_ID})
    http.control("POST", f"/applications/{id}/decision", {"account": AUTH_ID})
    ast.parse(copied(http, "pytest", *every_pick(http)))
