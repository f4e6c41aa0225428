"""Single requests that somebody was hurt by, one fact each."""

from __future__ import annotations

import pytest

from tests.support import Http

BAD_HOSTS = ["a" * 300, "9" * 64, f"{'a' * 64}.example:80"]


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("path", ["PhoneNumber/Compliance/", "EndUser/", "Number/", "/nowhere"])
def test_a_host_that_is_no_name_is_a_bad_request(http: Http, host: str, path: str) -> None:
    """Werkzeug gives up on a label of more than 63 characters."""
    answer = http.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "he Host header is malformed" in answer.text


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_the_control_api_trusts_no_such_host(http: Http, host: str) -> None:
    """It looks at the host before anything else does."""
    assert http.get("/_sim/health", headers={"Host": host}).status_code in (400, 403)
