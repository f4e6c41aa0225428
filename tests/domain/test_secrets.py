"""What is secret by its name, and how it is masked."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from plivo_sim.domain import secrets
from plivo_sim.domain.secrets import (
    MASK,
    NESTED,
    is_secret,
    masked_json,
    masked_query,
    masked_text,
    without_secrets,
)
from plivo_sim.web.request_log import masked_environ
from tests.support import calls_of


@pytest.mark.parametrize(
    "name",
    [
        "auth_token", "authToken", "AUTH-TOKEN", "token", "access_token", "password", "passwd",
        "client_secret", "api_key", "apikey", "X-Api-Key", "X_API_KEY", "Authorization",
        "Proxy-Authorization", "X-Forwarded-Authorization", "Cookie", "Set-Cookie", "X-Auth-User",
        "session", "session_id", "X-Session-Id", "JSESSIONID", "PHPSESSID",
        "credentials", "private_key", "auth", "pwd",
        "data[auth_token]", "Cf-Access-Jwt-Assertion", "X-Master-Key", "X-Functions-Key",
        "X-Encryption-Key", "X-Key", "Key", "key", "KEY", "encryption_key", "encryptionKey",
        "data[key]", "sig", "signature", "X-Hub-Signature", "pass", "otp", "pin", "X-OTP",
        "X-Plivo-Auth", "X-User-Auth", "Authentication", "X-Creds", "X-PW",
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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ('http://h/{"token":"abc"}/x', 'http://h/{"token":"***"}/x'),
        ("http://h/%7B%22token%22%3A%22abc%22%7D", 'http://h/{"token":"***"}'),
        ("http://h/%257B%2522token%2522%253A%2522abc%2522%257D", 'http://h/{"token":"***"}'),
        ("http://h/%7B%22to%5Cu006ben%22%3A%22abc%22%7D%0A", 'http://h/{"token":"***"}%0A'),
        ('http://h/{"token":["abc"]}/x', 'http://h/{"token":"***'),
        ('http://h/?{"token":"abc"}', 'http://h/?{"token":"***"}'),
        ('http://h/#{"x":{"token":"abc"}}', 'http://h/#{"x":{"token":"***"}}'),
        ('http://h/["token","abc"]', 'http://h/["token","***"]'),
        ("http://h/%7B%22name%22%3A%22abc%22%7D", "http://h/%7B%22name%22%3A%22abc%22%7D"),
    ],
)
def test_json_anywhere_in_a_url_is_masked(url: str, shown: str) -> None:
    """Not only as the value of a parameter."""
    assert without_secrets(url) == shown


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[["auth_token","s3cret"]]', '[["auth_token","***"]]'),
        ('{"name":"auth_token","value":"s3cret"}', '{"name":"auth_token","value":"***"}'),
        ('{"key":"auth_token","value":"s3cret"}', '{"key":"***","value":"***"}'),
        ('{"headers":[["Authorization","Basic x"]]}', '{"headers":[["Authorization","***"]]}'),
        ('{"a":"Authorization: Bearer s3cret"}', '{"a":"Authorization: ***"}'),
        ('{"a":"x=1;auth_token=s3cret"}', '{"a":"x=1;auth_token=***"}'),
        ('{"name":"alias","value":"x"}', '{"name":"alias","value":"x"}'),
    ],
)
def test_json_is_masked_by_names_that_are_values(text: str, shown: str) -> None:
    """Pairs, names beside their values, and lines as they stand in heads and forms."""
    assert masked_json(text.encode()).decode() == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1;auth_token=s3cret", "1;auth_token=***"),
        ("auth_token=s3cret", "auth_token=***"),
        ("Authorization: Basic x y", "Authorization: ***"),
        ("Host: a\nX-Api-Key: s3cret\nB: c", "Host: a\nX-Api-Key: ***\nB: c"),
        ("Acme: a company = good", "Acme: a company = good"),
    ],
)
def test_fields_are_masked_by_names_in_them(text: str, shown: str) -> None:
    """All else stays readable."""
    assert masked_text(text) == shown


@pytest.mark.parametrize("text", [b"", b'{"name" :  "a"}', b"[1, 2]", b"no json"])
def test_other_text_is_left_alone(text: bytes) -> None:
    """To the byte."""
    assert masked_json(text) is text


def test_of_what_is_no_json_nothing_is_shown() -> None:
    """An answer that a fault has cut: nobody can tell where the secret ends."""
    assert b"s3cret" not in masked_json(b'{"token": "s3cret')


# --- texts within texts -----------------------------------------------------------------------


def within(text: str, times: int) -> str:
    """The text as a string of JSON, that as a string of JSON, and so on."""
    for _ in range(times):
        text = json.dumps({"data": text})
    return text


SECRET = "s3cret"
HOLDERS = [
    json.dumps({"auth_token": SECRET}),
    json.dumps({"auth": SECRET}),
    json.dumps([{"session": SECRET}]),
    json.dumps([[{"pwd": [SECRET]}]]),
    json.dumps(json.dumps({"password": SECRET})),
    f' [ {{ "key" : "{SECRET}" }} ]',
    f"http://user:{SECRET}@host/cb",
    f"https://{SECRET}@host",
    f"http://host/cb?auth={SECRET}",
    f"http://host/cb?session={SECRET}&x=1",
    f"http://host/cb?to=http%3A//u%3A{SECRET}@h/",
    f"http://host/cb?to=http://h/?pwd={SECRET}",
    f"http://host/cb?data=%7B%22auth%22%3A%22{SECRET}%22%7D",
    f'{{"auth_token": "{SECRET}',
]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("times", range(1, NESTED + 3))
def test_a_text_within_a_text_is_masked(holder: str, times: int) -> None:
    """However deep: where it is not read any more, it is not shown."""
    assert SECRET not in masked_json(within(holder, times).encode()).decode()
    assert SECRET not in masked_query(urlencode({"data": within(holder, times - 1)}))


def test_what_is_no_secret_stays_readable_within_a_text() -> None:
    """The nested text is JSON again, and its other values are there."""
    nested = {"name": "Acme", "callback_url": "http://u:p@host/cb?token=t&x=1", "api_key": "x"}
    shown = json.loads(masked_json(json.dumps({"data": json.dumps(nested)}).encode()))
    assert json.loads(shown["data"]) == {
        "name": "Acme", "callback_url": "http://***@host/cb?token=***&x=1", "api_key": "***",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "[passport] is unreadable", "{key} missing", "a // b ? key", "mail@host/a@b",
        "see http://host/cb?x=1", "100% of pins",
    ],
)  # fmt: skip
def test_prose_is_left_alone(text: str) -> None:
    """Though it has a bracket or a word in it."""
    assert json.loads(masked_json(json.dumps({"text": text, "pin": "1"}).encode()))["text"] == text


@pytest.mark.parametrize("step", ["http://h/?u=", "http://h/?u=x&", '{"a":"', "["])
def test_endless_nesting_costs_a_few_readings(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as texts within texts are read, whatever the length."""
    read: list[int] = []
    real = secrets.masked_text
    monkeypatch.setattr(
        secrets,
        "masked_text",
        lambda text, nested=NESTED: read.append(nested) or real(text, nested),
    )
    masked_json(json.dumps([step * 5000 + "token=x"]).encode())
    assert read.count(NESTED) == 1
    assert sum(nested < NESTED for nested in read) <= (NESTED if "&" not in step else 5001)


def test_no_more_is_masked_than_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text costs what is kept of it: nothing behind that is decoded, or looked through."""
    looked: list[int] = []
    mask = secrets.masked_bytes

    def noting(text: bytes) -> bytes:
        looked.append(len(text))
        return mask(text)

    monkeypatch.setattr(secrets, "decode_json", lambda text: looked.append(len(text)))
    monkeypatch.setattr(secrets, "masked_bytes", noting)
    long = b'{"token": "abc", "name": "' + b"'a'=" * 10_000 + b'"}'
    shown = masked_json(long, 1000)
    assert (looked, len(shown) <= 1000, b"abc" in shown) == ([1000], True, False)


def test_a_query_without_secrets_is_only_searched() -> None:
    """However many parameters it has; one with escapes is read once, though it stands in the target
    of the request too."""
    plain = "&".join(f"a{n}=1" for n in range(2000))
    escaped = plain.replace("a", "%61")
    assert calls_of(lambda: without_secrets(f"http://host/?{plain}")) < 100

    def work(query: str, **more: str) -> int:
        environ = {"QUERY_STRING": query, "PATH_INFO": "/x", **more}
        masked_environ(environ)  # what is found out once
        return calls_of(lambda: masked_environ(environ))

    assert work(plain, REQUEST_URI=f"/x?{plain}") < 100
    once = work(escaped)
    assert once > 2000
    assert work(escaped, REQUEST_URI=f"/x?{escaped}", RAW_URI=f"/x?{escaped}") < once + 100


@pytest.mark.parametrize("path", ["/x", '/{"token":"y', "//u:y@x/"])
@pytest.mark.parametrize("query", ["a=1&token=y", "%74oken=y", "to+ken=y", "to\N{KELVIN SIGN}en=y",
                                   'x{"token":"y"}', "a=//u:y@x", "token=y?token=y"])  # fmt: skip
def test_a_secret_is_masked_in_the_query_and_in_the_target(path: str, query: str) -> None:
    """Whatever stands before it."""
    shown = masked_environ({"QUERY_STRING": query, "REQUEST_URI": f"{path}?{query}"})
    assert all("y" not in text and MASK in text for text in shown.values()), shown
