"""A client on Node's own ``fetch``; it is ``fetch.mjs``, with the reviewer at its other end.

source: field-reported (docs/wire-facts.md, "Create is a form with a data part").
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.assembly import LiveSimulator
from tests.clients.conftest import Reviewer
from tests.sdk.nodejs import node_alone

pytestmark = [pytest.mark.live, pytest.mark.node]


def test_filed_rejected_corrected_accepted(live: LiveSimulator, reviewer: Reviewer) -> None:
    """With no package, on an account of which nothing is known."""
    reviewer.plays("rejected-then-accepted")
    told: list[dict[str, Any]] = []
    with subprocess.Popen(
        [node_alone(), str(Path(__file__).with_name("fetch.mjs"))],
        env=os.environ | {"PLIVO_SIM_URL": live.url},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stderr is not None
        for line in client.stdout:
            told.append(json.loads(line))
            if "waits" in told[-1]:
                reviewer.works()
                client.stdin.write("\n")
                client.stdin.flush()
        failed = client.stderr.read()
    assert failed == ""
    assert [each for each in told if "waits" not in each] == [
        {"status": "submitted"},
        {"status": "rejected", "reason": told[2]["reason"]},
        {"status": "accepted", "files": ["coi again.pdf", "gst.pdf"]},
        {"accepted": [True]},
        {"refused": "Error: 400: Compliance application must be in 'rejected' status"},
    ]
    assert told[2]["reason"]
