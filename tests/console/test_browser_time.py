"""Time, undo and history in a real browser: now is dragged, and what was done is taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from tests.console.conftest import missing
from tests.console.support import press
from tests.support import AUTH_ID, Http

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.live]
HOME = f"/console/{AUTH_ID}"
AXE = Path(__file__).parents[1] / "sdk/node/node_modules/axe-core/axe.min.js"
DUE = "2026-01-08"
"""When what is filed at the start is decided."""


@pytest.fixture
def desk(live: LiveSimulator) -> Http:
    """Another way to the same simulator, for what is not under test."""
    return Http(create_app(live.sim), live.sim)


def now(desk: Http) -> str:
    return str(desk.control("GET", "/clock", account=AUTH_ID).get_json()["now"])


def status(desk: Http, id: str) -> str:
    return str(desk.control("GET", f"/applications/{id}").get_json()["status"])


def drag_to_the_mark(page: Page) -> None:
    """From the line of now to a bit beside the first mark of what is due."""
    grip = page.locator("#now-line path").bounding_box()
    mark = page.locator(".lanes .mark circle").bounding_box()
    assert grip is not None
    assert mark is not None
    y = grip["y"] + grip["height"] / 2
    page.mouse.move(grip["x"] + grip["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(mark["x"] - 60, y, steps=4)
    page.mouse.move(mark["x"] + mark["width"] / 2 + 4, y, steps=4)
    page.mouse.up()


def test_now_is_dragged(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Close to something due it goes exactly there; a button in focus says where, and goes."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/time")
    drag_to_the_mark(page)
    assert page.get_by_label("Advance to, date").input_value() == DUE
    assert page.get_by_label("Time, UTC").input_value().startswith("09:00")
    go = page.get_by_role("button", name=f"Go to {DUE} 09:00:00 UTC")
    assert go.evaluate("each => each === document.activeElement")
    page.keyboard.press("Enter")
    page.locator("#done.good").get_by_text("Moved 3 days").wait_for()
    assert (now(desk), status(desk, id)) == ("2026-01-08T09:00:00.000000Z", "accepted")


def test_now_is_moved_with_the_keys(live: LiveSimulator, page: Page, desk: Http) -> None:
    """To the next thing that is due, and back: time itself goes only with Enter, and never back."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/time")
    line = page.get_by_role("slider", name="Where to advance to")
    line.focus()
    line.press("ArrowLeft")
    assert (line.get_attribute("aria-valuetext") or "").startswith("now, 2026-01-05 09:00:00")
    line.press("PageUp")
    assert line.get_attribute("aria-valuetext") == f"{DUE} 09:00:00 UTC"
    line.press("ArrowRight")
    line.press("PageDown")
    assert status(desk, id) == "submitted"
    line.press("Enter")
    page.locator("#done.good").wait_for()
    assert now(desk) == "2026-01-08T09:00:00.000000Z"


def test_a_narrow_screen(live: LiveSimulator, page: Page, desk: Http) -> None:
    """The line of now and the names are in sight, and the page itself does not scroll sideways."""
    desk.sdk_created()
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{live.url}{HOME}/time")
    for part in ("#now-line path", ".lanes .name"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_where_it_was_dragged_survives_news(live: LiveSimulator, page: Page, desk: Http) -> None:
    """The picture is renewed; what was chosen stays chosen, in the form and in the picture."""
    desk.sdk_created()
    page.goto(f"{live.url}{HOME}/time")
    drag_to_the_mark(page)
    desk.sdk_created(alias="a late one")
    page.locator(".lanes").get_by_text("a late one").wait_for()
    assert page.get_by_label("Advance to, date").input_value() == DUE
    line = page.get_by_role("slider", name="Where to advance to")
    assert line.get_attribute("aria-valuetext") == f"{DUE} 09:00:00 UTC"


def test_it_works_without_a_script(live: LiveSimulator, scriptless: Page, desk: Http) -> None:
    """A mark of the picture fills the form; its button goes there, and undo comes back."""
    id = desk.sdk_created()
    scriptless.goto(f"{live.url}{HOME}/time")
    scriptless.locator(".lanes .mark").click()
    assert scriptless.get_by_label("Advance to, date").input_value() == DUE
    scriptless.locator("#go-to button").click()
    assert status(desk, id) == "accepted"
    scriptless.get_by_role("button", name="Undo").click()
    assert status(desk, id) == "submitted"


def test_undone_by_a_button(live: LiveSimulator, page: Page, desk: Http) -> None:
    """A move is taken back where it was made."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/time")
    page.get_by_label("Advance by").fill("5d")
    page.get_by_role("button", name="Advance", exact=True).click()
    page.locator("#done").get_by_role("button", name="Undo").click()
    page.locator("#done.good").get_by_text("Undone: Advanced by 5d.").wait_for()
    assert status(desk, id) == "submitted"


def test_others_have_written(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Undo says what would be lost, and goes on only when that is confirmed."""
    id = desk.sdk_created()
    page.goto(f"{live.url}{HOME}/time")
    page.get_by_label("Advance by").fill("5d")
    page.get_by_role("button", name="Advance", exact=True).click()
    page.locator("#done.good").wait_for()
    desk.sdk_created(alias="by somebody else")
    page.locator("#done").get_by_role("button", name="Undo").click()
    page.locator("#done.bad p", has_text="followed by 1 other call").wait_for()
    assert status(desk, id) == "accepted"
    page.locator("#done").get_by_role("button", name="Undo it all").click()
    page.locator("#done.good p", has_text="Undone").wait_for()
    assert status(desk, id) == "submitted"


def test_copied_from_the_history(live: LiveSimulator, page: Page, desk: Http) -> None:
    """What is ticked becomes a test on the same page, with two clicks from any page."""
    desk.sdk_created(alias="first")
    desk.sdk_created(alias="second")
    page.goto(f"{live.url}{HOME}/time")
    page.get_by_role("link", name="History").click()
    page.get_by_label("all of these into the test").uncheck()
    page.get_by_label("Into the test: POST /PhoneNumber/Compliance/: first").check()
    page.get_by_role("button", name="Copy as pytest").click()
    text = page.locator("#copied").inner_text()
    assert ('"first"' in text, '"second"' in text) == (True, False)
    assert page.locator("#list input[name=pick]:checked").count() == 1
    page.get_by_role("button", name="Copy as scenario").click()
    assert "alias: second" in page.locator("#copied").inner_text()


PAGES = ("time", "time?which=due&window=month", "history", "history?show=all",
         "history?as=pytest", "history?as=scenario")  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(
    live: LiveSimulator, page: Page, desk: Http, scheme: Literal["light", "dark"], width: int
) -> None:
    """No serious and no moderate issue, with an undo, a refusal, and things of every kind."""
    if not AXE.exists():
        missing("axe-core is not installed")
    id = desk.sdk_created(callback_url="http://127.0.0.1:9/hook")
    desk.sdk_created(alias="second")
    press(desk, "decide", account=AUTH_ID, id=id, status="rejected")
    press(desk, "advance", account=AUTH_ID, by="soon")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    wrong = {}
    for path in PAGES:
        page.goto(f"{live.url}{HOME}/{path}")
        page.evaluate(AXE.read_text())
        told = [
            f"{each['impact']} {each['id']}: {each['nodes'][0]['html'][:200]}"
            for each in page.evaluate("axe.run().then(r => r.violations)")
            if each["impact"] in ("moderate", "serious", "critical")
        ]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            told.append("it scrolls sideways")
        if told:
            wrong[path] = told
    assert wrong == {}
