"""What is secret by its name, and how it is masked."""

from __future__ import annotations

import json

import pytest

from plivo_sim.domain.secrets import is_secret, masked_json, masked_query
from plivo_sim.domain.urls import without_secrets


@pytest.mark.parametrize(
    "name",
    [
        "auth_token", "authToken", "AUTH-TOKEN", "token", "access_token", "password", "passwd",
        "client_secret", "api_key", "apikey", "X-Api-Key", "X_API_KEY", "Authorization",
        "Proxy-Authorization", "X-Forwarded-Authorization", "Cookie", "Set-Cookie", "X-Auth-User",
        "session", "session_id", "credentials", "private_key", "auth", "pwd",
        "data[auth_token]", "Cf-Access-Jwt-Assertion", "X-Master-Key", "X-Functions-Key",
        "X-Encryption-Key", "X-Key", "Key", "key", "KEY", "encryption_key", "encryptionKey",
        "data[key]", "sig", "signature", "X-Hub-Signature", "pass", "otp", "pin", "X-OTP",
    ],
)  # fmt: skip
def test_these_names_are_secret(name: str) -> None:
    """In any spelling."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "auth_id", "authorised_signatory", "author", "authority", "monkey", "spin", "compass",
        "pin_code", "name", "key_account", "Idempotency-Key", "X-Plivo-Signature",
        "company_secretary", "letter_of_authorization", "proof_of_possession", "passport_number",
        "X-Idempotency-Key", "X-Plivo-Signature-V3", "X-Plivo-Signature-Ma-V3",
        "X-Plivo-Signature-V2-Nonce",
        "compliance_id", "",
    ],
)  # fmt: skip
def test_these_are_none(name: str) -> None:
    """What an application is made of stays readable."""
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ""),
        ("alias=a%20b&limit=2", "alias=a%20b&limit=2"),
        ("a=1&auth_token=x%26y&b=2", "a=1&auth_token=***&b=2"),
        ("%61uth_tok%65n=x", "%61uth_tok%65n=***"),
        ("data[password]=x;token=y", "data[password]=***;token=***"),
        ("token=", "token="),
        ("token=a=b=c", "token=***"),
        ("token", "token"),
    ],
)
def test_queries_are_masked(query: str, shown: str) -> None:
    """The rest is as it was."""
    assert masked_query(query) == shown


def test_urls_are_masked() -> None:
    """Credentials, parameters, and those of a fragment."""
    url = "https://user:pw@host/cb?x=1&api_key=s#access_token=t"
    assert without_secrets(url) == "https://***@host/cb?x=1&api_key=***#access_token=***"


def test_json_is_masked_at_any_depth() -> None:
    """Whatever the value, and however the key is spelt."""
    text = rb'{"a": [{"Auth-Token": {"b": 1}}], "p\u0061ssword": "x", "name": "token"}'
    assert json.loads(masked_json(text)) == {
        "a": [{"Auth-Token": "***"}], "password": "***", "name": "token",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["key", "masterKey", "sig", "pass", "otp", "pin"])
def test_json_is_masked_by_last_words_too(name: str) -> None:
    """Though nothing else in the text looks like a secret."""
    assert json.loads(masked_json(json.dumps({name: "x"}).encode())) == {name: "***"}


@pytest.mark.parametrize("text", [b"", b'{"name" :  "a"}', b"[1, 2]", b"no json"])
def test_other_text_is_left_alone(text: bytes) -> None:
    """To the byte."""
    assert masked_json(text) is text


def test_of_what_is_no_json_nothing_is_shown() -> None:
    """An answer that a fault has cut: nobody can tell where the secret ends."""
    assert b"s3cret" not in masked_json(b'{"token": "s3cret')
