"""The scenario lab in a real browser: a story that is played, and the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from tests.console.conftest import missing
from tests.console.test_browser import AXE, LAYOUT
from tests.support import AUTH_ID, Http

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.live]
HOME = f"/console/{AUTH_ID}"


@pytest.fixture
def desk(live: LiveSimulator) -> Http:
    """Another way to the same simulator, for what is not under test."""
    return Http(create_app(live.sim), live.sim)


def test_a_tester_without_code_plays_a_shipped_rejection(live: LiveSimulator, page: Page) -> None:
    """From its card, step by step, to the application's page: rejected, corrected, accepted."""
    page.goto(f"{live.url}{HOME}/scenario")
    page.get_by_role("button", name="Play Two names").click()
    page.wait_for_url(f"**{HOME}/scenario/play?**")
    step = page.get_by_role("button", name="Next step")
    step.click()
    page.locator("#step-1 a", has_text="POST").wait_for()
    step.click()
    page.locator("#step-2 .chip", has_text="rejected").first.wait_for()
    assert "delivered" in page.locator("#step-2").inner_text()
    page.get_by_role("button", name="Play all").click()
    page.locator(".verdict .chip.good").wait_for()
    page.get_by_role("link", name="Open app").click()
    page.locator("h1 .chip", has_text="accepted").wait_for()


def test_using_a_card_moves_the_focus_to_no_other(live: LiveSimulator, page: Page) -> None:
    """Its button is gone: the focus is where it is told that it is in use."""
    page.goto(f"{live.url}{HOME}/scenario")
    page.get_by_role("button", name="Use One file for two documents").click()
    page.locator("#card-same-file-twice .chip", has_text="in use").wait_for()
    page.wait_for_function("document.activeElement.id === 'done'")


def test_a_story_is_played_without_scripts(live: LiveSimulator, scriptless: Page) -> None:
    """Each step is a form, and so is all that is left."""
    scriptless.goto(f"{live.url}{HOME}/scenario")
    scriptless.locator("summary", has_text="Calls that fail").click()
    scriptless.get_by_role("button", name="Play The answer is lost").click()
    scriptless.get_by_role("button", name="Next step").click()
    scriptless.locator("#step-1").get_by_text("The client sees: the connection was cut").wait_for()
    scriptless.get_by_role("button", name="Play all").click()
    scriptless.locator(".verdict .chip.good").wait_for()


def test_mistakes_appear_while_one_writes(live: LiveSimulator, page: Page, desk: Http) -> None:
    """Beside their lines, and told; keys and words are completed by keyboard alone."""
    page.goto(f"{live.url}{HOME}/scenario")
    page.locator("#yaml").fill("scenario: One with a mistake.\nrules:\n  - decide: acepted\n    ")
    told = page.locator("#editor-told")
    told.get_by_text("1 mistake. Line 3").wait_for()
    assert page.locator(".gutter .bad").inner_text() == "3"
    assert "acepted" in page.locator(".margin li").nth(2).inner_text()
    page.keyboard.type("rea")
    page.keyboard.press("Control+Space")
    page.locator("#offers li").get_by_text("reason:", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.locator("#yaml").fill("scenario: One with a mistake.\nrules:\n  - decide: ")
    page.keyboard.press("Control+Space")
    page.locator("#offers li", has_text="rejected").wait_for()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    told.get_by_text("No mistakes.", exact=True).wait_for()
    doubtful = "rules:\n  - when: {data_fields: {busines_name: A}}\n    decide: rejected"
    written = page.locator("#yaml").input_value()
    page.locator("#yaml").fill(f"scenario: A doubt.\n{doubtful}")
    told.get_by_text("No mistakes. 1 warning. Line 3").wait_for()
    assert page.locator(".gutter .wait").inner_text() == "3"
    page.locator("#yaml").fill(written)
    told.get_by_text("No mistakes.", exact=True).wait_for()
    page.get_by_role("button", name="Use it").click()
    page.locator("#done.good").wait_for()
    used = desk.control("GET", "/scenario", account=AUTH_ID).get_json()["scenario"]
    assert used["rules"] == [{"decide": "rejected"}]


def test_what_is_decided_is_in_sight(live: LiveSimulator, scriptless: Page) -> None:
    """Of who decides, each outcome stands within the card, at any width, without a scroll."""
    for width in (390, 1280):
        scriptless.set_viewport_size({"width": width, "height": 900})
        scriptless.goto(f"{live.url}{HOME}/scenario")
        card = scriptless.locator("#flow").bounding_box()
        outcomes = scriptless.locator("#flow rect.out:visible").all()
        assert card is not None
        assert len(outcomes) == 2
        for each in outcomes:
            box = each.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= card["x"] + card["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_can_be_seen_and_read(
    live: LiveSimulator, page: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    """A play, a dry run, and mistakes in the editor: nothing is cut or overlaps, and axe finds
    nothing serious."""
    if not AXE.exists():
        missing("axe-core is not installed")
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{live.url}{HOME}/scenario")
    page.get_by_role("button", name="Play Two names").click()
    page.get_by_role("button", name="Play all").click()
    page.locator(".verdict").wait_for()
    wrong = [problems(page)]
    page.goto(f"{live.url}{HOME}/scenario")
    page.get_by_role("button", name="Try it").click()
    page.locator(".told").wait_for()
    wrong.append(problems(page))
    page.locator("#yaml").fill("scenario: x\nrules: [{a: b}]\n")
    page.get_by_role("button", name="Check it").click()
    page.locator("ol.mistakes").wait_for()
    wrong.append(problems(page))
    page.goto(f"{live.url}{HOME}/faults")
    page.get_by_role("button", name="Reads take 2 s").click()
    page.locator("#done.good").wait_for()
    wrong.append(problems(page))
    assert wrong == [[], [], [], []]


def problems(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    issues = page.evaluate("axe.run().then(r => r.violations)")
    grave = ("moderate", "serious", "critical")
    found = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in issues
             if each["impact"] in grave]  # fmt: skip
    return [*page.evaluate(LAYOUT), *found]


def test_what_is_wrong_is_in_sight(live: LiveSimulator, page: Page) -> None:
    """The field that was refused has the focus, and the sentence stands in sight, at any width."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 700})
        page.goto(f"{live.url}{HOME}/time")
        field = page.get_by_label("Advance by")
        field.fill("a while")
        field.press("Enter")
        page.locator("#done.bad").wait_for()
        assert field.evaluate("e => e === document.activeElement")
        for each in (field, page.locator("#done")):
            box = each.bounding_box()
            assert box is not None
            assert 0 <= box["y"] < 700
        page.get_by_role("link", name="Advance by").click()
        assert page.url.endswith("#field-by")
