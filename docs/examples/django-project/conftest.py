"""The site's Plivo client at the simulator; the database and the client are pytest-django's."""

import pytest

from filings import compliance
from plivo_sim.testing.sdk import point


@pytest.fixture(autouse=True)
def _pointed(plivo_server):
    point(compliance.client, plivo_server.url)


@pytest.fixture
def served(live_server, settings):
    """The site is served at a free port, and gives Plivo that address."""
    settings.PUBLIC_URL = live_server.url


@pytest.fixture
def inbox(plivo_inbox, settings):
    """Callbacks come here, and each test hands them on when it likes; the site then sees the
    inbox's host, which was signed."""
    settings.PUBLIC_URL = plivo_inbox.origin
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    return plivo_inbox
