"""plivo for Node, not even pointed elsewhere: https://api.plivo.com is the simulator."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
from plivo_sim.settings import Settings
from tests.sdk.nodejs import FOLDER, node

pytestmark = [pytest.mark.live, pytest.mark.node]

UNCHANGED = """
const plivo = require('plivo');
const client = new plivo.Client('MAXXXXXXXXXXXXXXXXXX', 'token');
client.phoneNumberComplianceRequirements
  .get({ countryIso: 'IN', numberType: 'local', userType: 'business' })
  .then((asked) => console.log(asked.countryIso), (error) => console.log(String(error)));
"""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[LiveSimulator]:
    with LiveSimulator(Settings(port=0, paused=True, tls=True, tls_dir=tmp_path)) as live:
        yield live


def told(secure: LiveSimulator, **trust: str) -> str:
    """What the untouched program prints, with the name resolved to loopback."""
    done = subprocess.run(
        [node(), "--require", str(FOLDER / "loopback.cjs"), "-e", UNCHANGED],
        cwd=FOLDER,
        env=os.environ | {"PORT": secure.url.rpartition(":")[2]} | trust,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_untouched_sdk_calls_api_plivo_com(secure: LiveSimulator) -> None:
    """NODE_EXTRA_CA_CERTS is all."""
    assert told(secure, NODE_EXTRA_CA_CERTS=str(secure.authority)) == "IN"


def test_without_trust_it_is_refused(secure: LiveSimulator) -> None:
    """A program that does not know the authority does not talk to it."""
    assert "certificate" in told(secure)
