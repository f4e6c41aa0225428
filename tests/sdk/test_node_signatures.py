"""The validators of the official Node SDK, unmodified, on what is sent."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from plivo_sim.domain.urls import as_called
from plivo_sim.webhooks.signatures import Tokens, signature_headers
from tests.sdk.nodejs import FOLDER, node

KEYS = Tokens("own token", "main token")
FIELDS = {"compliance_id": "C1", "rejection_reason": "Stempel fehlt: é日", "status": "rejected"}
URLS = [
    "http://receiver.example:4000/cb?e=a@b.c",
    "http://receiver.example:4000/a@b?x=1",
    "http://receiver.example:4000/cb?t=1:2&e=a@b",
    "HTTP://receiver.example/cb?e=1",
    "http://receiver.example:4000",
    "https://receiver.example?a=b&a=a",
    "https://user:p%40w@receiver.example:4000/cb?z=1",
    "https://user@receiver.example",
    "http://receiver.example/cb;p=1?z=1",
    "http://receiver.example/caf%C3%A9/?q=%C3%A9&q=a&p=1+2&e=",
]
VALIDATE = """
const { validateV3Signature, validateSignature } = require("plivo");
const told = JSON.parse(process.argv[1]).map(({ v2, v3 }) => [
  v2 ? validateSignature(...v2) : null, validateV3Signature(...v3)]);
console.log(JSON.stringify(told));
"""


def asked(url: str, method: str, seen: str) -> list[dict[str, Any]]:
    """The arguments of the validators for a delivery to this URL, for each token."""
    fields = FIELDS if method == "POST" else {}
    headers = dict(signature_headers(KEYS, method, url, "12345", tuple(fields.items())))
    v2, v3, ma_v3 = (headers[f"X-Plivo-Signature-{each}"] for each in ("V2", "V3", "Ma-V3"))
    has_v2 = seen == as_called(url) and "@" not in seen  # one header cannot hold both readings
    cases = [(KEYS.own, v3), (KEYS.main, ma_v3), (KEYS.main, v3)]
    return [
        {
            "v2": [seen, "12345", v2, token] if has_v2 else None,
            "v3": [method, seen, "12345", token, signature, fields],
        }
        for token, signature in cases
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_node_sdk_accepts_any_url(method: str) -> None:
    """As it was given, and as a receiver puts it together; V2 as that; not with another token."""
    command = node()
    pairs = [(url, seen) for url in URLS for seen in dict.fromkeys((url, as_called(url)))]
    cases = [case for url, seen in pairs for case in asked(url, method, seen)]
    done = subprocess.run(
        [command, "-e", VALIDATE, json.dumps(cases)],
        cwd=FOLDER, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    right = [pair for _ in pairs for pair in ([True, True], [False, True], [False, False])]
    assert len(told) == len(right)
    for case, found, expected in zip(cases, told, right, strict=True):
        wanted = expected if case["v2"] else [None, expected[1]]
        assert found == wanted, case
