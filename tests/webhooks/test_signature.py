"""Signatures, against the vectors of the SDKs and the Python SDK's own validators."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plivo.utils import validate_signature, validate_v3_signature

from plivo_sim.domain.urls import as_called
from plivo_sim.webhooks.signatures import Tokens, sign_v2, sign_v3, signature_headers

TOKEN = "my_auth_token"
KEYS = Tokens(TOKEN, "of the main account")
FIELDS = (("compliance_id", "C1"), ("event", "compliance.approved"), ("status", "approved"))


@pytest.mark.parametrize(
    ("url", "signature"),
    [
        ("https://answer.url", "ehV3IKhLysWBxC1sy8INm0qGoQYdYsHwuoKjsX7FsXc="),
        ("https://answer.url/", "do1CXv+k99A6+B+eTcyqbxWlezFIxJ/1vz72787r37g="),
        ("https://answer.url/?a=b#c", "do1CXv+k99A6+B+eTcyqbxWlezFIxJ/1vz72787r37g="),
    ],
)
def test_v2_is_what_every_sdk_s_vector_says(url: str, signature: str) -> None:
    """Source: observed in the test-suites of all seven SDKs; the query does not count."""
    assert sign_v2(TOKEN, url, "12345") == signature


@pytest.mark.parametrize(
    ("method", "url", "fields", "base"),
    [
        ("POST", "http://localhost:4000/cb", FIELDS,
         "http://localhost:4000/cb?compliance_idC1eventcompliance.approvedstatusapproved"),
        ("POST", "http://localhost:4000/cb?c=d&a=b", FIELDS,
         "http://localhost:4000/cb?a=b&c=d."
         "compliance_idC1eventcompliance.approvedstatusapproved"),
        ("POST", "http://localhost:4000/cb", (), "http://localhost:4000/cb"),
        ("POST", "http://localhost:4000/cb?c=d&a=b", (), "http://localhost:4000/cb?a=b&c=d"),
        ("GET", "http://localhost:4000/cb", (), "http://localhost:4000/cb"),
        ("GET", "http://localhost:4000/cb?z=1&a=b", FIELDS,
         "http://localhost:4000/cb?a=b&compliance_id=C1&event=compliance.approved"
         "&status=approved&z=1"),
        ("GET", "http://localhost/cb?k=2&k=1", (), "http://localhost/cb?k=1&k=2"),
        ("GET", "http://localhost/cb?a=%26&b=", (), "http://localhost/cb?a=&&b="),
    ],
)  # fmt: skip
def test_v3_signs_this_base(method: str, url: str, fields: Any, base: str) -> None:
    """The rule that py, node, go and php share (observed)."""
    digest = hmac.new(TOKEN.encode(), f"{base}.12345".encode(), hashlib.sha256).digest()
    assert sign_v3(TOKEN, method, url, "12345", fields) == base64.b64encode(digest).decode()


PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
TEXT = st.text(PRINTABLE, max_size=12)
NAME = st.text(PRINTABLE, min_size=1, max_size=8)
PAIRS = st.dictionaries(NAME, TEXT, max_size=5)
HOST = st.sampled_from(["localhost", "127.0.0.1", "receiver.example", "a-b.co.in", "xn--e1aybc.in"])
PORT = st.none() | st.integers(1, 65535)
PATH = st.lists(st.text(PRINTABLE, max_size=6).map(lambda s: quote(s, safe="")), max_size=4)


@st.composite
def urls(draw: Any) -> str:
    """A callback URL, with what URLs may have in them percent-encoded."""
    port, pairs = draw(PORT), draw(st.lists(st.tuples(NAME, TEXT), max_size=4))
    where = draw(HOST) + ("" if port is None else f":{port}")
    query = f"?{urlencode(pairs)}" if pairs else ""
    scheme = draw(st.sampled_from(["http", "https"]))
    return f"{scheme}://{where}/{'/'.join(draw(PATH))}{query}"


@settings(max_examples=150, deadline=None)
@given(urls(), st.sampled_from(["GET", "POST"]), PAIRS, st.text("0123456789", min_size=1))
def test_the_python_sdk_accepts_any_signature(
    url: str, method: str, fields: dict[str, str], nonce: str
) -> None:
    """Both versions, whatever the URL and the flat fields. For GET the fields are in the URL."""
    if method == "GET" and fields:
        url += ("&" if "?" in url else "?") + urlencode(fields)
        fields = {}
    headers = dict(signature_headers(KEYS, method, url, nonce, tuple(fields.items())))
    assert validate_signature(url, nonce, headers["X-Plivo-Signature-V2"], TOKEN)
    assert validate_v3_signature(
        method, url, nonce, TOKEN, headers["X-Plivo-Signature-V3"], dict(fields)
    )
    assert validate_v3_signature(
        method, url, nonce, KEYS.main, headers["X-Plivo-Signature-Ma-V3"], dict(fields)
    )
    assert headers["X-Plivo-Signature-V2-Nonce"] == headers["X-Plivo-Signature-V3-Nonce"] == nonce


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example:4000",
        "https://receiver.example?a=b&a=a",
        "https://user:p%40w@receiver.example:4000/cb?z=1",
        "https://user@receiver.example",
        "http://receiver.example/cb;p=1?z=1",
        "http://receiver.example/caf%C3%A9/?b=&a=1+2#part",
    ],
)
def test_the_python_sdk_accepts_odd_urls(method: str, url: str) -> None:
    """As they were given, and as a receiver puts them together from the request; V2 as that."""
    fields = () if method == "GET" else FIELDS
    headers = dict(signature_headers(KEYS, method, url, "1", fields))
    for seen in (url, as_called(url)):
        for token, name in ((TOKEN, "V3"), (KEYS.main, "Ma-V3")):
            v3 = headers[f"X-Plivo-Signature-{name}"]
            assert validate_v3_signature(method, seen, "1", token, v3, dict(fields))
            assert not validate_v3_signature(method, seen, "1", "other", v3, dict(fields))
    if ";" not in url:  # Python's V2 drops what follows, Node's does not
        v2 = headers["X-Plivo-Signature-V2"]
        assert validate_signature(as_called(url), "1", v2, TOKEN)


def test_a_plain_url_has_one_signature_in_each_header() -> None:
    """For receivers that compare the header as a whole."""
    headers = dict(signature_headers(KEYS, "POST", "https://receiver.example/cb?z=1", "1", FIELDS))
    assert not [name for name, text in headers.items() if "," in text]


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAME, st.text("aZ09 &=%+.é日😀\n", max_size=12), min_size=1, max_size=4))
def test_the_python_sdk_accepts_any_value_in_a_body(fields: dict[str, str]) -> None:
    """Not ASCII only."""
    signature = sign_v3(TOKEN, "POST", "http://127.0.0.1/cb", "1", fields.items())
    assert validate_v3_signature("POST", "http://127.0.0.1/cb", "1", TOKEN, signature, fields)


@pytest.mark.parametrize(
    "changed",
    [
        {"token": "another"},
        {"nonce": "54321"},
        {"url": "http://localhost:4001/cb"},
        {"method": "GET"},
        {"params": (("status", "rejected"),)},
    ],
)
def test_any_change_makes_another_v3(changed: dict[str, Any]) -> None:
    """Token, nonce, port, method and fields are all covered."""
    given = {
        "token": TOKEN,
        "method": "POST",
        "url": "http://localhost:4000/cb",
        "nonce": "12345",
        "params": (("status", "approved"),),
    }
    assert sign_v3(**given) != sign_v3(**(given | changed))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://localhost:4000/cb?e=a@b.c", "http://b.c?k1v1.n"),
        ("http://localhost:4000/a@b.c?x=1", "http://b.c?x=1.k1v1.n"),
        ("HTTP://localhost/cb", "HTTP://localhost/cb?k1v1.n"),
    ],
)
def test_a_url_that_node_reads_differently_has_its_signature_too(url: str, base: str) -> None:
    """source: wire-facts.md, "URLs that validators read differently"."""
    headers = dict(signature_headers(KEYS, "POST", url, "n", (("k1", "v1"),)))
    digest = hmac.digest(TOKEN.encode(), base.encode(), hashlib.sha256)
    signatures = headers["X-Plivo-Signature-V3"].split(",")
    assert base64.b64encode(digest).decode() in signatures
    assert sign_v3(TOKEN, "POST", url, "n", (("k1", "v1"),)) in signatures
