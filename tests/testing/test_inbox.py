"""The receiver of callbacks of test suites."""

from __future__ import annotations

import pytest

from plivo_sim import client
from plivo_sim.testing.inbox import Inbox

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.org"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_no_web_page_puts_a_message_into_the_inbox(headers: dict[str, str]) -> None:
    """Whoever waits for a callback gets no other one."""
    inbox = Inbox()
    try:
        sender, target = client.Http(inbox.url), "/"
        assert sender.send("POST", target, headers, body=b"{}").status == 403
        assert inbox.messages == []
        assert sender.send("POST", target, {}, body=b"{}").status == 200
        assert len(inbox.messages) == 1
    finally:
        inbox.close()
