"""Traffic in a real browser: in three clicks to why something did not work."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import LiveSimulator
from tests.console.test_browser import AXE
from tests.support import AUTH_ID, Http, Receiver

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.live]
HOME = f"/console/{AUTH_ID}/"
BROKEN = b'{"name": "Acme",\n "end_user_type": business}'


@pytest.fixture
def desk(live: LiveSimulator) -> Http:
    """Another way to the same simulator, for what is not under test."""
    return Http(create_app(live.sim), live.sim)


@pytest.fixture
def trouble(desk: Http, receiver: Receiver) -> Http:
    """A callback that the receiver does not take, a call that is no JSON, and one with a wrong
    URL."""
    receiver.statuses = [500] * 9
    desk.decide(desk.sdk_created(callback_url=receiver.url), "rejected")
    desk.advance("1m")
    desk.post("EndUser/", data=BROKEN, content_type="application/json")
    desk.call("GET", f"/v1/Accounts/{AUTH_ID}/EndUser/")
    return desk


def in_traffic(page: Page, live: LiveSimulator) -> None:
    """The first click."""
    page.goto(f"{live.url}{HOME}")
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Traffic").click()


def test_why_a_callback_did_not_arrive(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """The answer of the receiver, and what is to come."""
    in_traffic(page, live)
    row = page.locator("tr.callback")
    assert "retry 2 of 3" in row.inner_text()
    row.get_by_role("link", name="rejected").click()
    assert "The last try failed: 500. Retry 2 of 3 at " in page.locator("#hook-head").inner_text()
    assert page.get_by_role("heading", name="Try 2 500").is_visible()


def test_why_a_400_was_a_400(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """The reason, and the very bytes that the client sent, with a mark where they are wrong."""
    in_traffic(page, live)
    page.locator("tr.request").get_by_role("link", name="POST …/EndUser/").click()
    assert page.locator("#request-body").text_content() == BROKEN.decode()
    assert page.locator("#request-body mark").text_content() == "b"
    assert "Reading stopped in line 2, column 19" in page.locator(".detail").inner_text()
    assert "curl -X POST" in page.locator("#as-curl").inner_text()


def test_why_a_call_is_in_no_account(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """The URL that was meant."""
    in_traffic(page, live)
    page.get_by_role("link", name="Calls that reached no account").click()
    assert f"/v1/Account/{AUTH_ID}/EndUser/" in page.locator("#list code").inner_text()


def test_from_the_list_of_accounts(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """What goes wrong in an account, and the calls that reached none, are two clicks away."""
    page.goto(f"{live.url}/console/?all")
    page.get_by_role("link", name="1 callback to retry").click()
    page.locator("tr.callback").get_by_role("link", name="rejected").click()
    assert page.get_by_role("heading", name="Try 2 500").is_visible()
    page.goto(f"{live.url}/console/?all")
    page.get_by_role("link", name="1 unmatched call").click()
    assert f"/v1/Account/{AUTH_ID}/EndUser/" in page.locator("#list code").inner_text()


def test_a_rejection_without_code(page: Page, live: LiveSimulator) -> None:
    """From the first page of a simulator that nobody has called: begin, play, look at it."""
    page.goto(f"{live.url}/")
    page.get_by_role("button", name="Play a rejection").click()
    page.get_by_role("button", name="Play all").click()
    page.get_by_text("It holds", exact=True).wait_for()
    page.get_by_role("link", name="Open acme").click()
    page.locator(".timeline", has_text="rejected").wait_for()


def test_one_after_the_other(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """From a detail to the next, older one and back; the list beside it has it in sight."""
    in_traffic(page, live)
    page.locator("tr.request").get_by_role("link", name="POST …/EndUser/").click()
    url = page.url
    page.get_by_role("link", name="Older: rejected").click()
    assert page.locator("#side li.chosen").inner_text().startswith("rejected")
    page.get_by_role("link", name="Newer: POST …/EndUser/").click()
    assert page.url == url


def test_a_request_is_sent_again(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """The button's command and its call are shown."""
    in_traffic(page, live)
    page.locator("tr.request").get_by_role("link", name="POST …/EndUser/").click()
    page.get_by_role("button", name="Send again").click()
    page.locator("#done.good").wait_for()
    page.get_by_text("The same from a shell").click()
    assert "--again" in page.locator("#done-cli").inner_text()
    assert len([each for each in trouble.account.exchanges if each.method == "POST"]) == 3


def test_without_a_script(scriptless: Page, live: LiveSimulator, trouble: Http) -> None:
    """The filters, the picture, and the list beside what one of it is."""
    in_traffic(scriptless, live)
    scriptless.get_by_label("Answer").select_option("4")
    scriptless.get_by_role("button", name="Show").click()
    assert scriptless.locator("tr.request").count() == 1
    assert scriptless.locator("svg.waterfall:not(.narrow) .mark").count() == 1
    scriptless.locator("tr.request").get_by_role("link").first.click()
    assert scriptless.locator("#side li.chosen").count() == 1
    assert "status=4" in scriptless.url


def test_the_axis_can_be_read(page: Page, live: LiveSimulator, trouble: Http) -> None:
    """No label of the waterfall stands on another, the last one included; they are not bold."""
    trouble.advance("3s")
    trouble.get("EndUser/")
    in_traffic(page, live)
    labels = page.locator("svg.waterfall:not(.narrow) .tick:not(:empty)")
    boxes = [box for each in labels.all() if (box := each.bounding_box()) is not None]
    lines: dict[float, list[tuple[float, float]]] = {}
    for box in boxes:
        lines.setdefault(box["y"], []).append((box["x"], box["x"] + box["width"]))
    for line in map(sorted, lines.values()):
        assert all(right <= left for (_, right), (left, _) in pairwise(line))
    assert labels.first.evaluate("e => getComputedStyle(e).stroke") == "none"


def test_answers_and_marks_on_a_phone(scriptless: Page, live: LiveSimulator, trouble: Http) -> None:
    """They are within the width of the screen, without a scroll to the side."""
    scriptless.set_viewport_size({"width": 390, "height": 844})
    in_traffic(scriptless, live)
    for what in ("svg.waterfall .mark:visible", "table.traffic tbody .chip:visible"):
        shown = scriptless.locator(what).all()
        assert shown, what
        for each in shown:
            box = each.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390, what


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(
    page: Page, live: LiveSimulator, trouble: Http, scheme: str, width: int
) -> None:
    """No serious or moderate finding, and no page is wider than the screen."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 844})
    delivery = trouble.control("GET", "/webhooks", account=AUTH_ID).get_json()["webhooks"][0]["id"]
    refused = next(each for each in trouble.account.exchanges if each.status == 400).id
    wrong: list[str] = []
    pages = ("traffic", f"requests/{refused}", f"webhooks/{delivery}", "webhooks/policy")
    for path in (*(f"{HOME}{each}" for each in pages), f"/console/unmatched?account={AUTH_ID}"):
        page.goto(f"{live.url}{path}")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("async () => (await axe.run()).violations")
        wrong += [
            f"{path}: {each['id']} {each['nodes'][0]['html'][:200]}"
            for each in found
            if each["impact"] in ("moderate", "serious", "critical")
        ]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{path} is {wide} wide at {width}")
    assert wrong == []
