"""A simulator that speaks TLS, and who trusts the authority of its certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plivo
import pytest

from plivo_sim.client import Unreachable
from plivo_sim.testing import remote, served
from plivo_sim.testing.sdk import pointed

pytestmark = pytest.mark.live
OTHER = "MAOTHEROTHEROTHEROTH"


def total(client: Any) -> int:
    count: int = client.phone_number_compliance.list().meta["total_count"]
    return count


def test_a_handle_trusts_the_authority_that_it_has_made(tmp_path: Path) -> None:
    """Verbs and clients, also of other accounts."""
    with served(tls=True, tls_dir=tmp_path) as sim:
        assert sim.url.startswith("https://127.0.0.1:")
        assert sim.applications() == []
        assert [total(each.client()) for each in (sim, sim.for_account(OTHER, "token"))] == [0, 0]


def test_clients_trust_whom_the_verbs_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is what ``SSL_CERT_FILE`` says: elsewhere, and where this process is pointed at."""
    client: Any = plivo.RestClient(OTHER, "token")
    with served(tls=True, tls_dir=tmp_path) as sim:
        with pytest.raises(Unreachable, match="SSL_CERT_FILE"), remote(sim.url):
            pass
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        with remote(sim.url) as elsewhere:
            assert (elsewhere.applications(), total(elsewhere.client())) == ([], 0)
        with pointed(sim.url):
            assert total(client) == 0
