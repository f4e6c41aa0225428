"""The console in a real browser: the scenario that a QA engineer lives, and what it looks like."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from plivo_sim.client.applications import sample
from plivo_sim.testing.sdk import point
from tests.conftest import PAUSED
from tests.console.conftest import missing
from tests.support import AUTH_ID, PDF, PNG, TOKEN, Http, Receiver

if TYPE_CHECKING:
    import plivo
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.live,
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # the SDK's
]
HOME = f"/console/{AUTH_ID}"
TABS = (
    "", "applications", "time", "traffic", "scenario", "faults", "numbers", "account", "history",
    "search?q=a", "account/machine", "account/coverage", "inbox",
)  # fmt: skip
AXE = Path(__file__).parents[1] / "sdk/node/node_modules/axe-core/axe.min.js"
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}"


@pytest.fixture
def sdk(live: LiveSimulator) -> Iterator[plivo.RestClient]:
    """The unmodified SDK, pointed at the simulator."""
    import plivo

    with plivo.RestClient(AUTH_ID, TOKEN) as client:
        yield point(client, live.url)


@pytest.fixture
def desk(live: LiveSimulator) -> Http:
    """Another way to the same simulator, for what is not under test."""
    return Http(create_app(live.sim), live.sim)


def data_of(sdk: plivo.RestClient, **changes: Any) -> dict[str, Any]:
    asked = sdk.phone_number_compliance_requirements.get("IN", "local", "business")
    documents = [
        {
            "document_type_id": type_.document_type_id,
            "data_fields": {field.field_name: "Acme" for field in type_.required_fields},
        }
        for type_ in asked.document_types
    ]
    end_user = {
        "type": "business", "name": "Acme Traders Pvt Ltd", "email": "a@b.example",
        "address_line1": "12 MG Road", "city": "Mumbai", "state": "Maharashtra",
        "postal_code": "400001", "country": "IN",
    }  # fmt: skip
    return {
        "country_iso": "IN",
        "number_type": "local",
        "alias": "Acme Mumbai",
        "end_user": end_user,
        "documents": documents,
    } | changes


@pytest.fixture
def paths() -> list[str]:
    return [str(sample(n)) for n in ("registration_certificate.pdf", "gst_certificate.png")]


def test_rejected_seen_corrected_accepted(
    live: LiveSimulator, page: Page, sdk: plivo.RestClient, receiver: Receiver, paths: list[str]
) -> None:
    """A submission appears by itself; it is rejected, corrected and accepted under one's eyes."""
    page.goto(live.url)
    page.get_by_role("heading", name="Nothing has been written yet").wait_for()
    id = sdk.phone_number_compliance.create(
        data_of(sdk, callback_url=receiver.url), paths
    ).compliance_id
    page.wait_for_url(f"**{HOME}/")  # the first account opens by itself
    page.get_by_role("link", name="Applications", exact=True).click()
    page.get_by_role("link", name="Acme Mumbai").click()

    page.get_by_label("Reason").select_option("name_mismatch")
    page.get_by_role("button", name="Reject").click()
    page.locator("h1 .chip", has_text="rejected").wait_for()
    callbacks = page.locator("#callbacks")
    callbacks.get_by_text("delivered").wait_for()  # live: the receiver was called meanwhile
    assert receiver.wait_for(1)[0].json()["status"] == "rejected"
    assert "Business name is not identical" in page.locator("#case-head").inner_text()

    sdk.phone_number_compliance.update(id, {"end_user": {"name": "Acme Private Limited"}})
    page.locator("h1 .chip", has_text="submitted").wait_for()  # live again
    page.get_by_role("button", name="To next event").click()
    page.locator("h1 .chip", has_text="accepted").wait_for()
    assert [each.json()["status"] for each in receiver.wait_for(2)] == ["rejected", "accepted"]


def test_two_are_decided_at_once(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Ticks survive the list's own refreshing, and one button decides all that are ticked."""
    ids = [desk.sdk_created(alias=f"case {i}") for i in range(3)]
    page.goto(f"{live.url}{HOME}/applications")
    page.get_by_label("Choose case 0").check()
    page.get_by_label("Choose case 1").check()
    desk.sdk_created(alias="a late one")
    page.get_by_role("button", name="1 new").click()
    page.get_by_role("link", name="a late one").wait_for()
    page.get_by_role("button", name="Decide").click()
    page.locator("#done.good").wait_for()
    shown = [desk.control("GET", f"/applications/{id}").get_json()["status"] for id in ids]
    assert shown == ["accepted", "accepted", "submitted"]


def test_all_of_a_page_are_chosen(live: LiveSimulator, page: Page, desk: Http) -> None:
    """One box ticks every row, the form is in sight below many rows, and the box says what is."""
    for i in range(30):
        desk.sdk_created(alias=f"case {i}")
    page.goto(f"{live.url}{HOME}/applications")
    every = page.get_by_label("Choose all on this page")
    every.check()
    assert page.locator("input[name=id]:checked").count() == 30
    page.get_by_label("Choose case 29").uncheck()
    assert every.evaluate("box => [box.checked, box.indeterminate]") == [False, True]
    box = page.get_by_role("button", name="Decide").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900
    desk.sdk_created(alias="a late one")
    page.get_by_role("button", name="1 new").click()
    page.get_by_role("link", name="a late one").wait_for()
    assert page.locator("input[name=id]:checked").count() == 29
    page.get_by_role("button", name="Decide").click()
    page.locator("#done.good").wait_for()
    listed = desk.control("GET", "/applications", status="accepted", account=AUTH_ID).get_json()
    assert listed["total_count"] == 29


def test_the_first_can_be_decided_at_once(live: LiveSimulator, page: Page, desk: Http) -> None:
    """What an empty page had no use for is there when the first application appears."""
    page.goto(f"{live.url}{HOME}/applications")
    desk.sdk_created(alias="the first")
    page.get_by_label("Choose the first").check()
    page.get_by_role("button", name="Decide").click()
    page.locator("#list .chip", has_text="accepted").wait_for()


def test_what_is_typed_stays(live: LiveSimulator, page: Page, desk: Http) -> None:
    """A reason that is being written is not lost when something happens meanwhile."""
    id = desk.sdk_created(callback_url="http://localhost:9/")
    page.goto(f"{live.url}{HOME}/applications/{id}")
    page.locator("#reason").fill("The seal is")
    desk.decide(id, "more_info_required")
    page.locator("h1 .chip", has_text="more info required").wait_for()
    assert page.locator("#reason").input_value() == "The seal is"


def test_what_is_chosen_stays(live: LiveSimulator, page: Page, desk: Http) -> None:
    """A preset that was chosen, and left, is not lost either; its part catches up afterwards."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/applications/{id}")
    preset = page.get_by_label("Reason")
    preset.select_option("name_mismatch")
    preset.blur()
    desk.decide(id, "accepted")
    page.locator("h1 .chip", has_text="accepted").wait_for()
    assert preset.input_value() == "name_mismatch"
    preset.select_option("")
    preset.blur()
    page.get_by_role("button", name="Suspend").wait_for()


def test_what_did_not_change_is_left_alone(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Only the parts of a page that changed are exchanged: a selected text stays selected."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/applications/{id}")
    page.evaluate("document.getElementById('applicant').same = true")
    desk.decide(id, "accepted")
    page.locator("h1 .chip", has_text="accepted").wait_for()
    assert page.evaluate("document.getElementById('applicant').same")


def test_a_case_that_is_gone_says_so(live: LiveSimulator, page: Page, desk: Http) -> None:
    """After a reset an open page does not go on as if its application were there."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/applications/{id}")
    desk.control("POST", "/reset", {"account": AUTH_ID})
    page.get_by_role("heading", name="No such record").wait_for()


def test_an_open_detail_stays_open(live: LiveSimulator, page: Page, desk: Http) -> None:
    """What somebody opened or closed stays so when its part of the page is renewed."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/applications/{id}")
    page.locator("#why-1 summary").click()  # it was open
    desk.decide(id, "accepted")
    page.locator("#timeline .chip", has_text="accepted").wait_for()
    assert page.locator("#why-1").get_attribute("open") is None


def test_the_clock_runs(live: LiveSimulator, page: Page, desk: Http) -> None:
    """A running clock is seen running, at its own rate."""
    desk.sdk_created()
    page.goto(f"{live.url}{HOME}/time")
    page.get_by_label("Simulated seconds per real second").fill("86400")
    page.get_by_role("button", name="Set the rate").click()
    page.get_by_role("button", name="Run").click()
    page.locator("#now", has_text="2026-01-08").wait_for()


def test_without_scripts(live: LiveSimulator, scriptless: Page, desk: Http) -> None:
    """Pages can be read, and buttons work, in a browser that runs none; what needs it is hidden."""
    id = desk.sdk_created()
    scriptless.goto(f"{live.url}{HOME}/applications")
    assert scriptless.locator("[data-tick]").is_hidden()
    scriptless.get_by_role("link", name="Acme Mumbai").click()
    scriptless.get_by_role("button", name="Accept").click()
    scriptless.locator("h1 .chip", has_text="accepted").wait_for()
    assert desk.control("GET", f"/applications/{id}").get_json()["status"] == "accepted"


def test_by_keyboard(live: LiveSimulator, page: Page, desk: Http) -> None:
    """A slash goes to the search; Enter searches; the first stop of Tab skips the header."""
    desk.sdk_created(alias="Needle")
    desk.sdk_created(alias="Hay")
    page.goto(f"{live.url}{HOME}/applications")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.textContent === 'Skip to content'")
    page.keyboard.press("/")
    page.keyboard.type("needle")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=needle**")
    assert page.get_by_role("link", name="Hay").count() == 0


def test_a_restart_is_survived(page: Page, tmp_path: Path) -> None:
    """The page finds the simulator again after a restart, without being reloaded."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]  # one that is named can be had again at once
    settings = replace(PAUSED, state=tmp_path, port=port)
    with LiveSimulator(settings) as first:
        id = Http(create_app(first.sim), first.sim).sdk_created()
        page.goto(f"{first.url}{HOME}/applications/{id}")
    with LiveSimulator(settings) as second:
        Http(create_app(second.sim), second.sim).decide(id, "accepted")
        page.locator("h1 .chip", has_text="accepted").wait_for(timeout=30_000)


def test_while_nobody_answers(page: Page) -> None:
    """A page whose simulator is gone says that it is old; after a restart its buttons work."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        settings = replace(PAUSED, port=probe.getsockname()[1])
    with LiveSimulator(settings) as first:
        page.goto(f"{first.url}{HOME}/time")
    page.locator("#lost").wait_for(timeout=30_000)
    with LiveSimulator(settings):
        page.locator("#lost").wait_for(state="hidden", timeout=30_000)
        page.get_by_role("button", name="+1 day").click()
        page.locator("#done.good").wait_for()


# --- what it looks like --------------------------------------------------------------------


@pytest.fixture
def full(live: LiveSimulator, desk: Http, receiver: Receiver) -> str:
    """An account in which every page has something to show; the id of its first case."""
    id = desk.sdk_created(callback_url=receiver.url)
    desk.decide(id, "rejected", "The scan is not readable.")
    accepted = desk.sdk_created(alias="Bolt", callback_url="http://localhost:9/dead")
    desk.decide(accepted, "accepted")
    desk.sdk_created(alias="A rather long alias of a company with many words in its name " * 3)
    desk.control("POST", "/scenario", {"name": "name-mismatch", "account": AUTH_ID})
    fault = {"effect": "error", "status": 503, "account": AUTH_ID}
    desk.control("POST", "/faults", fault)
    receiver.wait_for(1)
    return id


def pages_of(url: str, id: str) -> list[str]:
    return [f"{url}/console/?all", *(f"{url}{HOME}/{tab}" for tab in TABS),
            f"{url}{HOME}/applications/{id}"]  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_or_overlaps(live: LiveSimulator, page: Page, full: str, width: int) -> None:
    """No page scrolls sideways, no text is cut off, no button lies over another."""
    page.set_viewport_size({"width": width, "height": 900})
    wrong = {}
    for url in pages_of(live.url, full):
        page.goto(url)
        if found := page.evaluate(LAYOUT):
            wrong[url] = found
    assert wrong == {}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    live: LiveSimulator, page: Page, full: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """Labels, contrast, focus, landmarks: nothing serious or moderate on any page, empty or
    full."""
    page.set_viewport_size({"width": width, "height": 900})
    if not AXE.exists():
        missing("axe-core is not installed")
    page.emulate_media(color_scheme=scheme)
    wrong = {}
    empty = f"{live.url}/console/MAEMPTYEMPTYEMPTYEMP"
    nothing_yet = [f"{empty}/{tab}" for tab in TABS] if scheme == "light" else []
    for url in [*pages_of(live.url, full), *nothing_yet]:
        page.goto(url)
        page.evaluate(AXE.read_text())
        issues = page.evaluate("axe.run().then(r => r.violations)")
        told = [
            f"{each['impact']} {each['id']}: {each['nodes'][0]['html'][:200]}"
            for each in issues
            if each["impact"] in ("moderate", "serious", "critical")
        ]
        if told:
            wrong[url] = told
    assert wrong == {}


def test_a_clients_text_is_only_text(live: LiveSimulator, page: Page, desk: Http) -> None:
    """An attack in every field that a client can set is shown, and does nothing."""
    desk.headers = {"User-Agent": f"{HOSTILE}<script>alert(2)</script>", "Cookie": HOSTILE}
    data = desk.sdk_data(alias=HOSTILE, callback_url="http://localhost:9/<script>alert(3)</script>")
    data["end_user"] |= dict.fromkeys(
        ("name", "last_name", "address_line1", "city", "state", "postal_code"), HOSTILE
    )
    data["documents"][0]["data_fields"] = {"business_name": HOSTILE}
    name = HOSTILE.replace('"', "'") + ".pdf"
    answer = desk.sdk_create(data, files={0: (PDF, name), 1: (PNG, "<b>.png")})
    assert answer.status_code == 201, answer.text
    id = answer.get_json()["compliance_id"]
    desk.decide(id, "rejected", HOSTILE)
    desk.advance("1h")
    desk.get(f"PhoneNumber/{HOSTILE}/", query_string={"x": HOSTILE})
    desk.control("POST", f"/inbox/{HOSTILE}", {"x": HOSTILE})
    scenario = {"scenario": HOSTILE, "rules": [{"name": HOSTILE, "decide": "accepted"}]}
    desk.control("POST", "/scenario", {"scenario": scenario, "account": AUTH_ID})
    desk.control("POST", "/snapshot", {"name": HOSTILE, "account": AUTH_ID})
    for url in pages_of(live.url, id):
        page.goto(url)
        assert page.locator("[onerror], main script, header script").count() == 0, url
    page.goto(f"{live.url}{HOME}/applications/{id}")
    assert page.locator("h1").inner_text().startswith(HOSTILE.split(">")[0])


LAYOUT = """() => {
  const wrong = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} wide`);
  const seen = (e) => e.offsetParent !== null && e.checkVisibility({visibilityProperty: true});
  const boxes = [...document.querySelectorAll("button, a.button, input, select, textarea")]
    .filter(seen).filter((e) => e.type !== "hidden" && !e.closest(".scroll, .stay") )
    .map((e) => [e, e.getBoundingClientRect()]);
  for (const [e, box] of boxes) {
    if (box.right > root.clientWidth + 1 || box.left < 0)
      wrong.push(`out of sight: ${e.outerHTML.slice(0, 120)}`);
    if (e.matches("button, a.button") && e.scrollWidth > e.clientWidth + 1)
      wrong.push(`cut: ${e.outerHTML.slice(0, 120)}`);
    for (const [other, its] of boxes)
      if (e !== other && !e.contains(other) && !other.contains(e) && box.width && its.width &&
          box.left < its.right - 1 && its.left < box.right - 1 &&
          box.top < its.bottom - 1 && its.top < box.bottom - 1)
        wrong.push(`overlap: ${e.outerHTML.slice(0, 90)} and ${other.outerHTML.slice(0, 90)}`);
  }
  for (const e of document.querySelectorAll("h1, h2, h3, p, dd, dt, td, th, summary, .chip"))
    if (seen(e) && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible"
        && getComputedStyle(e).display !== "inline")
      wrong.push(`cut: ${e.outerHTML.slice(0, 120)}`);
  return wrong.slice(0, 10);
}"""
