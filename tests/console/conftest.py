"""A real headless Chromium, for the tests that are marked ``browser``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def missing(what: str) -> None:
    """Skip, with the reason; where a browser is required (in CI), fail."""
    text = f"{what}: see .ci/run for how to get it"
    if os.environ.get("TESTS_REQUIRE_BROWSER"):
        pytest.fail(text)
    pytest.skip(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module; each has a context of its own. Not for longer: while
    it is there, its event loop counts as running, and no other can be run in the process."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        missing("there is no Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    with sync_playwright() as playwright:
        # Its sandbox needs privileges that containers do not give; every page here is ours.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page at 1280 pixels, far from UTC. Fails the test when a script fails, the policy is
    offended, or anything but loopback is asked."""
    yield from _page(browser, timezone_id="Asia/Kolkata")


@pytest.fixture
def scriptless(browser: Browser) -> Iterator[Page]:
    """A page of a browser that runs no script."""
    yield from _page(browser, java_script_enabled=False)


def _page(browser: Browser, **options: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("console", lambda told: wrong.append(told.text) if _is_offence(told.text) else None)
    page.on(
        "request",
        lambda asked: (
            None
            if urlsplit(asked.url).hostname in ("127.0.0.1", "localhost", None)
            else wrong.append(f"asked {asked.url}")
        ),
    )
    page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    context.close()
    assert wrong == []


def _is_offence(text: str) -> bool:
    return "Content Security Policy" in text or "Refused to" in text
