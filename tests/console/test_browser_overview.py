"""The overview, the header and the list of applications, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from tests.console.conftest import missing
from tests.support import AUTH_ID, Http

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.live]
HOME = f"/console/{AUTH_ID}"
AXE = Path(__file__).parents[1] / "sdk/node/node_modules/axe-core/axe.min.js"


@pytest.fixture
def desk(live: LiveSimulator) -> Http:
    """Another way to the same simulator, for what is not under test."""
    return Http(create_app(live.sim), live.sim)


# --- the overview ----------------------------------------------------------------------------


def test_from_nothing_to_a_decision(live: LiveSimulator, page: Page) -> None:
    """Without code: file an application, find it by its status in the picture, open it."""
    page.goto(f"{live.url}{HOME}/")
    page.get_by_role("button", name="New application").click()
    page.locator("#done.good").wait_for()
    page.locator(".machine").get_by_role("link", name="submitted").click()
    page.wait_for_url("**/applications?status=submitted")
    assert page.locator("tbody tr").count() == 1


def test_the_overview_is_live(live: LiveSimulator, page: Page, desk: Http) -> None:
    """What happens is seen: in the picture, in the stream, in what needs attention."""
    id = desk.sdk_created(alias="Acme")
    page.goto(f"{live.url}{HOME}/")
    desk.decide(id, "rejected", "The seal is missing.")
    page.locator("#stream li.transition", has_text="rejected").wait_for()
    page.locator(".machine").get_by_role("link", name="rejected; 1 now").wait_for()
    desk.control("POST", "/faults", {"effect": "error", "account": AUTH_ID})
    page.locator("#attention", has_text="1 fault switched on").wait_for()
    page.locator("#notices", has_text="1 fault").wait_for()


# --- the header --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_a_record_by_keyboard(live: LiveSimulator, page: Page, desk: Http, key: str) -> None:
    """From any page: the key, a few letters, arrow down, Enter."""
    desk.sdk_created(alias="Hay")
    id = desk.sdk_created(alias="Needle")
    page.goto(f"{live.url}{HOME}/history")
    page.keyboard.press(key)
    page.keyboard.type("needl")
    page.locator("#palette").get_by_role("link", name="Needle", exact=True).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/applications/{id}")


def test_a_command_leads_back(live: LiveSimulator, page: Page, desk: Http) -> None:
    """A button of the list does what it says, and the page is the one where one was."""
    desk.sdk_created()
    page.goto(f"{live.url}{HOME}/numbers")
    page.keyboard.press("/")
    page.keyboard.type("advance 1 d")
    page.locator("#palette").get_by_role("button", name="Advance 1 day").click()
    page.locator("#done.good").wait_for()
    assert page.url == f"{live.url}{HOME}/numbers"


def test_the_list_of_the_search_closes(live: LiveSimulator, page: Page) -> None:
    """Escape closes it, and so does going elsewhere."""
    page.goto(f"{live.url}{HOME}/numbers")
    palette = page.locator("#palette")
    page.keyboard.press("/")
    palette.get_by_text("New application").wait_for()
    page.keyboard.press("Escape")
    palette.wait_for(state="hidden")
    page.keyboard.type("a")
    palette.wait_for()
    page.locator("footer").click()
    palette.wait_for(state="hidden")


def test_a_list_that_comes_late_stays_closed(live: LiveSimulator, page: Page) -> None:
    """Escape closes one that is still being fetched, too."""
    page.goto(f"{live.url}{HOME}/numbers")
    asked: list[Route] = []
    page.route("**/search?**", lambda route: asked.append(route))
    with page.expect_request("**/search?**"):
        page.keyboard.press("/")
    page.keyboard.press("Escape")
    with page.expect_request_finished():
        asked[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.locator("#palette").is_hidden()


def test_the_search_without_scripts(live: LiveSimulator, scriptless: Page, desk: Http) -> None:
    """Enter opens a page with the same list; its buttons work."""
    desk.sdk_created(alias="Needle")
    scriptless.goto(f"{live.url}{HOME}/numbers")
    scriptless.get_by_label("Search everything").fill("needle")
    scriptless.keyboard.press("Enter")
    scriptless.get_by_role("link", name="Needle", exact=True).click()
    scriptless.get_by_role("heading", name="Needle").wait_for()


# --- the list ----------------------------------------------------------------------------------


def test_new_rows_wait(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Nothing moves until they are asked for; ticks stay; rows that are there say what is new."""
    ids = [desk.sdk_created(alias=f"case {i}") for i in range(3)]
    page.goto(f"{live.url}{HOME}/applications")
    page.get_by_label("Choose case 1").check()
    before = page.get_by_role("link", name="case 1", exact=True).bounding_box()
    desk.decide(ids[0], "accepted")
    desk.sdk_created(alias="late")
    desk.sdk_created(alias="later")
    page.get_by_role("button", name="2 new").wait_for()
    page.locator("tr", has_text="case 0").locator(".chip", has_text="accepted").wait_for()
    assert page.get_by_role("link", name="case 1", exact=True).bounding_box() == before
    assert page.get_by_role("link", name="late", exact=True).count() == 0
    assert page.get_by_label("Choose case 1").evaluate("box => box === document.activeElement")
    assert page.locator("#told").text_content() == "2 new"
    page.get_by_role("button", name="2 new").click()
    page.get_by_role("link", name="later", exact=True).wait_for()
    assert page.get_by_label("Choose case 1").is_checked()


def test_the_decision_bar_comes_with_a_tick(
    live: LiveSimulator, scriptless: Page, desk: Http
) -> None:
    """Without a script, too: it is there when something is ticked."""
    desk.sdk_created(alias="case")
    scriptless.goto(f"{live.url}{HOME}/applications")
    bar = scriptless.get_by_role("button", name="Decide")
    assert bar.is_hidden()
    scriptless.get_by_label("Choose case").check()
    assert bar.is_visible()


def test_a_refused_decision_is_still_chosen(live: LiveSimulator, page: Page, desk: Http) -> None:
    """The bar has the decision, the reason and the ticks; a refresh leaves them."""
    desk.decide(desk.sdk_created(alias="case"), "accepted")
    page.goto(f"{live.url}{HOME}/applications")
    page.get_by_label("Choose case").check()
    page.get_by_label("Decision").select_option("rejected")
    page.get_by_label("or in words").fill("Too blurred")
    page.get_by_role("button", name="Decide").click()
    page.locator("#done.bad").wait_for()
    desk.sdk_created(alias="late")
    page.get_by_role("button", name="1 new").wait_for()
    assert page.get_by_label("Decision").input_value() == "rejected"
    assert page.get_by_label("or in words").input_value() == "Too blurred"
    assert page.get_by_label("Choose case").is_checked()


def test_what_was_done_is_not_in_the_url(live: LiveSimulator, page: Page, desk: Http) -> None:
    """The link that somebody copies shows the page, and not what one did there."""
    desk.sdk_created()
    page.goto(f"{live.url}{HOME}/applications?sort=alias")
    page.get_by_role("button", name="+1 hour").click()
    page.locator("#done.good").wait_for()
    assert page.url == f"{live.url}{HOME}/applications?sort=alias"
    page.reload()
    page.get_by_role("heading", name="Applications").wait_for()
    assert page.locator("#done").count() == 0


def test_focus_stays_after_a_button(live: LiveSimulator, page: Page, desk: Http) -> None:
    """By keyboard: after a press one is at the same button, and can press it again."""
    desk.sdk_created()
    page.goto(f"{live.url}{HOME}/applications")
    page.get_by_role("button", name="+1 hour").focus()
    for text in ("10:00:00", "11:00:00"):
        page.keyboard.press("Enter")
        page.locator("#now", has_text=text).wait_for()
        page.wait_for_function("document.activeElement.textContent === '+1 hour'")


def test_a_skip_to_the_results(live: LiveSimulator, page: Page, desk: Http) -> None:
    """The second stop of Tab leads past the filters."""
    desk.sdk_created(alias="case")
    page.goto(f"{live.url}{HOME}/applications")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.textContent === 'Skip to the results'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'list'")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["", "applications", "traffic", "history"])
def test_the_first_screen(
    live: LiveSimulator, page: Page, desk: Http, path: str, width: int
) -> None:
    """With things that need attention: the active tab is in sight, and so is the first row."""
    page.set_viewport_size({"width": width, "height": 844})
    for i in range(20):
        desk.sdk_created(alias=f"case {i}")
    desk.decide(desk.sdk_created(alias="case", callback_url="http://127.0.0.1:9/"), "rejected")
    desk.advance("1m")
    desk.control("POST", "/faults", {"effect": "error", "account": AUTH_ID})
    page.goto(f"{live.url}{HOME}/{path}")
    tab = page.locator(".tabs [aria-current]").bounding_box()
    assert tab is not None
    assert 0 <= tab["x"] < tab["x"] + tab["width"] <= width
    row = page.locator("#list tbody tr, #stream li, .history > li").first.bounding_box()
    assert row is not None
    assert row["y"] + min(row["height"], 40) < 844
    header = page.locator("header").bounding_box()
    assert header is not None
    assert header["height"] < 190
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 700, 1000, 1280])
def test_the_header_stays_as_high(live: LiveSimulator, page: Page, desk: Http, width: int) -> None:
    """However long the countdown, and whether time runs fast, slowly or not at all."""
    page.set_viewport_size({"width": width, "height": 844})
    delay = {"auth_id": AUTH_ID, "settings": {"review_delay": "300d"}}
    desk.control("POST", "/accounts", delay)
    desk.sdk_created(alias="case")
    heights = set()
    for by in ("1s", "299d"):
        desk.advance(by)
        page.goto(f"{live.url}{HOME}/numbers")
        assert page.locator("#next-move", has_text="To next event (in ").count() == 1
        box = page.locator("header").bounding_box()
        assert box is not None
        heights.add(box["height"])
        page.locator(".bar .rate").evaluate("e => e.textContent = '86400 × real time'")
        box = page.locator("header").bounding_box()
        assert box is not None
        heights.add(box["height"])
    assert len(heights) == 1


def test_the_active_tab_without_scripts(live: LiveSimulator, scriptless: Page) -> None:
    """It is in sight on a phone whose browser runs none."""
    scriptless.set_viewport_size({"width": 390, "height": 844})
    scriptless.goto(f"{live.url}{HOME}/history")
    tab = scriptless.locator(".tabs [aria-current]").bounding_box()
    assert tab is not None
    assert tab["x"] + tab["width"] <= 390


def test_on_paper(live: LiveSimulator, page: Page, desk: Http) -> None:
    """What is printed is what there is to read: no header, no buttons, dark letters."""
    desk.sdk_created(alias="case")
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{live.url}{HOME}/applications")
    assert page.locator("header").is_hidden()
    assert page.locator("h1").evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"
    assert page.get_by_role("link", name="case", exact=True).is_visible()


def test_traffic_on_paper(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Each cell stands below its heading, whatever the row is, and the waterfall is whole."""
    for _ in range(12):
        desk.decide(desk.sdk_created(callback_url="http://localhost:9/"), "accepted")
    page.emulate_media(media="print")
    page.goto(f"{live.url}{HOME}/traffic")
    for kind in ("request", "callback"):
        assert page.locator(f"tr.{kind}").first.locator("td:visible").count() == 6
    assert page.locator("thead th:visible").count() == 6
    cut = page.locator(".low").evaluate("box => box.scrollHeight - box.clientHeight")
    assert cut <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_reference_can_be_read(
    live: LiveSimulator, page: Page, scheme: Literal["light", "dark"]
) -> None:
    """The reference of the APIs, which the footer leads to: axe has nothing against it."""
    if not AXE.exists():
        missing("axe-core is not installed")
    page.emulate_media(color_scheme=scheme)
    for path in ("/_sim/openapi/", f"{HOME}/"):
        page.goto(f"{live.url}{path}")
        page.evaluate(f"(() => {{ {AXE.read_text()} }})()")
        issues = page.evaluate("axe.run().then(r => r.violations)")
        told = [(e["impact"], e["id"]) for e in issues if e["impact"] != "minor"]
        assert told == [], path
