"""One application in a real browser: a tester without code corrects a rejected one, sees it
accepted and saves the report, which opens from the disk without asking anybody for anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from tests.console.conftest import missing
from tests.console.test_browser import AXE, LAYOUT
from tests.support import AUTH_ID, PDF, Http, Receiver

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.live]
HOME = f"/console/{AUTH_ID}"
RULES = """
scenario: A first attempt of Acme has another name than its certificate.
rules:
  - {name: first try, when: {name: "acme*", attempt: 1}, decide: rejected,
     reason: name_mismatch, after: 2d}
"""


@pytest.fixture
def desk(live: LiveSimulator) -> Http:
    """Another way to the same simulator, for what is not under test."""
    return Http(create_app(live.sim), live.sim)


@pytest.fixture
def rejected(desk: Http, receiver: Receiver) -> str:
    """One that a rule rejected; its webhook failed once."""
    receiver.statuses[:] = [500, 200]
    desk.control("POST", "/scenario", {"yaml": RULES, "account": AUTH_ID})
    id = desk.sdk_created(callback_url=receiver.url)
    desk.advance("2d1h")
    return id


def test_a_tester_without_code(
    live: LiveSimulator, page: Page, browser: Browser, desk: Http, rejected: str, tmp_path: Path
) -> None:
    """From the rejection to the report, with nothing typed but into the form."""
    page.goto(f"{live.url}{HOME}/applications")
    page.get_by_role("link", name="Acme Mumbai").click()
    verdict = page.locator("#verdict")
    assert verdict.inner_text().startswith("Rejected by rule 'first try' because")
    assert "your webhook answered 500, then 200" in verdict.inner_text().lower()

    page.locator("#case-head").get_by_role("link", name="Correct and resubmit").click()
    page.get_by_label("Name (required)", exact=True).fill("")
    certificate = page.get_by_role("group", name="Registration Certificate")
    certificate.get_by_label("Legal Name").fill("Acme Private Limited")
    page.get_by_role("button", name="Correct and resubmit").click()
    page.locator("#done.bad").wait_for()  # a name is required: what was typed is still there
    assert certificate.get_by_label("Legal Name").input_value() == "Acme Private Limited"
    assert "is required" in page.locator("[id='wrong-end_user.name-1']").inner_text()
    page.wait_for_function("document.activeElement.name === 'end_user.name'")
    covered = page.locator("#done").evaluate("each => getComputedStyle(each).position")
    assert covered == "static"  # what is to be corrected is not under it

    page.get_by_label("Name (required)", exact=True).fill("Acme Private Limited")
    better = {"name": "better.pdf", "mimeType": "application/pdf", "buffer": PDF + b"\n%"}
    certificate.get_by_label("Another file").set_input_files(better)  # type: ignore[arg-type]
    page.get_by_role("button", name="Correct and resubmit").click()
    page.locator("h1 .chip", has_text="submitted").wait_for()
    page.locator("#done.good summary").click()
    assert "curl -X PATCH" in page.locator("#done-curl").inner_text()
    assert "plivo-sim apps correct" in page.locator("#done-cli").inner_text()
    changed = page.locator("#changed").inner_text()
    assert "better.pdf" in changed
    assert "Acme Traders Pvt Ltd" in changed

    page.get_by_role("button", name="To next event").click()
    page.locator("h1 .chip", has_text="accepted").wait_for()
    assert verdict.inner_text().startswith("Accepted by default")

    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the report").click()
    path = tmp_path / saving.value.suggested_filename
    saving.value.save_as(path)
    assert path.name == f"plivo-sim-{rejected}.html"
    _opens_from_the_disk(browser, path)


def _opens_from_the_disk(browser: Browser, path: Path) -> None:
    """It is readable, its pictures are shown, and nothing is asked of anybody."""
    context = browser.new_context()
    saved = context.new_page()
    asked: list[str] = []
    told: list[str] = []
    saved.on("request", lambda request: asked.append(request.url))
    saved.on("console", lambda message: told.append(message.text))
    saved.goto(path.as_uri())
    assert saved.locator("h1").inner_text().startswith("Acme Mumbai")
    assert saved.locator(".verdict").inner_text().startswith("Accepted by default")
    width = saved.locator(".document img").first.evaluate("image => image.naturalWidth")
    assert width > 0
    ground = saved.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")  # its styles are applied
    assert saved.locator("svg.sequence:not(.narrow) .arrow").count() > 4
    context.close()
    outside = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert outside == []
    assert told == []


def test_an_arrow_opens_what_was_sent(live: LiveSimulator, page: Page, rejected: str) -> None:
    """By the pointer, and by the keyboard."""
    page.goto(f"{live.url}{HOME}/applications/{rejected}")
    page.locator("svg.sequence:not(.narrow) a", has_text="POST Compliance/").click()
    page.wait_for_url(f"**{HOME}/requests/*")
    page.goto(f"{live.url}{HOME}/applications/{rejected}")
    page.locator("svg.sequence:not(.narrow) a", has_text="rejected, try 1").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{HOME}/webhooks/*")


def test_all_three_columns_on_a_phone(live: LiveSimulator, scriptless: Page, rejected: str) -> None:
    """Client, Plivo and the webhook stand within the width of the screen, without a scroll; one
    picture is shown at any width."""
    for width, kind in ((390, "sequence narrow"), (1280, "sequence")):
        scriptless.set_viewport_size({"width": width, "height": 900})
        scriptless.goto(f"{live.url}{HOME}/applications/{rejected}")
        (shown,) = [each for each in scriptless.locator(".sequence").all() if each.is_visible()]
        assert shown.get_attribute("class") == kind
        frame = scriptless.locator(".picture").bounding_box()
        names = [each.bounding_box() for each in shown.locator("text.name").all()]
        assert frame is not None
        assert len(names) == 3
        for box in names:
            assert box is not None
            assert frame["x"] <= box["x"]
            assert box["x"] + box["width"] <= frame["x"] + frame["width"] <= width


def test_tabs_without_scripts(live: LiveSimulator, scriptless: Page, rejected: str) -> None:
    """The record as each API shows it, by links; and the form works."""
    scriptless.goto(f"{live.url}{HOME}/applications/{rejected}")
    scriptless.get_by_role("link", name="New API, beta").click()
    assert '"status": "rejected"' in scriptless.locator("#as-shown pre").inner_text()
    scriptless.locator("#case-head").get_by_role("link", name="Correct and resubmit").click()
    scriptless.get_by_role("button", name="Correct and resubmit").click()
    scriptless.locator("h1 .chip", has_text="submitted").wait_for()


def _pages(live: LiveSimulator, id: str) -> list[str]:
    at = f"{live.url}{HOME}"
    case = f"{at}/applications/{id}"
    return [case, f"{case}/correct", f"{case}/report.html", f"{at}/report.html"]


@pytest.fixture
def twice(desk: Http, rejected: str) -> str:
    """Rejected, corrected, rejected again: everything that the page can have."""
    body: dict[str, Any] = {"end_user": {"name": "Acme " * 12}}
    desk.sdk_send("PATCH", f"PhoneNumber/Compliance/{rejected}/", body, {})
    desk.decide(rejected, "rejected", "The scan is not readable. " * 10)
    return rejected


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_or_overlaps(
    live: LiveSimulator, page: Page, twice: str, width: int
) -> None:
    """No page scrolls sideways, no text is cut off."""
    page.set_viewport_size({"width": width, "height": 900})
    wrong = {}
    for url in _pages(live, twice):
        page.goto(url)
        if found := page.evaluate(LAYOUT):
            wrong[url] = found
    assert wrong == {}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    live: LiveSimulator, browser: Browser, twice: str, scheme: Literal["light", "dark"], width: int
) -> None:
    """Nothing moderate, serious or critical; the policy of the report lets no script in, but for
    this one."""
    if not AXE.exists():
        missing("axe-core is not installed")
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    wrong = {}
    for url in _pages(live, twice):
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
    context.close()
    assert wrong == {}
