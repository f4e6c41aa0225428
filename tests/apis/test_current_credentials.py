"""Who may call the current dialect, and in which account. Source: wire-facts.md,
"Basic credentials", decisions "Lenient credentials", "Foreign ids are 404"."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.webhooks.signatures import sign_v2
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.current_support import BASE, ON_ONE, OPERATIONS, Operation, documents_of, refused
from tests.conftest import PAUSED
from tests.support import AUTH_ID, SDK_AGENT, TOKEN, Http, basic

OTHER_ID = "MAYYYYYYYYYYYYYYYYYY"
SUB_ID = f"SA{AUTH_ID[2:]}"
NEEDED = "HTTP Basic credentials are required: auth id and auth token."
MALFORMED = "The Authorization header is malformed."
ILL_FORMED = "The auth id must be MA or SA and 18 letters or digits."
NOT_THEIRS = "The credentials are not those of the account in the URL."

every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)


def encoded(raw: bytes) -> str:
    return f"Basic {base64.b64encode(raw).decode()}"


WRONG = [
    ("missing", None, NEEDED),
    ("empty", "", NEEDED),
    ("bearer", "Bearer abc", NEEDED),
    ("scheme-only", "Basic", NEEDED),
    ("scheme-and-space", "Basic  ", NEEDED),
    ("bad-base64", "Basic !!!!", MALFORMED),
    ("not-ascii", "Basic é", MALFORMED),
    ("not-latin-1", "Basic आ".encode().decode("latin-1"), MALFORMED),
    ("cut-base64", "Basic TUFYWFh", MALFORMED),
    ("not-utf8", encoded(b"\xff\xfe:x"), MALFORMED),
    ("no-colon", encoded(AUTH_ID.encode()), MALFORMED),
    ("empty-token", basic(AUTH_ID, ""), "The auth token is empty."),
    ("empty-id", basic("", TOKEN), ILL_FORMED),
    ("short-id", basic(AUTH_ID[:-1], TOKEN), ILL_FORMED),
    ("long-id", basic(AUTH_ID + "X", TOKEN), ILL_FORMED),
    ("odd-id", basic("MA..................", TOKEN), ILL_FORMED),
    ("foreign-prefix", basic("XA" + AUTH_ID[2:], TOKEN), ILL_FORMED),
    ("another-account", basic(OTHER_ID, TOKEN), NOT_THEIRS),
    ("another-subaccount", basic(f"SA{OTHER_ID[2:]}", TOKEN), NOT_THEIRS),
    ("own-subaccount", basic(SUB_ID, TOKEN), NOT_THEIRS),
]


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


@every_operation
@pytest.mark.parametrize(("header", "text"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_wrong_credentials_are_401(
    sdk: Http, operation: Operation, header: str | None, text: str
) -> None:
    """On an application that exists, too, and whatever the call."""
    id = sdk.sdk_created()
    document = documents_of(sdk, id)[0]["document_id"]
    headers = {"Authorization": header}
    refused(sdk, lambda: operation.call(sdk, id, document, headers=headers), 401, text)


@every_operation
def test_a_fixed_credential_takes_no_other_token(operation: Operation) -> None:
    """``--credential`` names the one token that this account answers to."""
    settings = replace(PAUSED, credentials={AUTH_ID: TOKEN})
    sim = make_simulator(settings, transport=MemoryTransport())
    http = Http(create_app(sim), sim, agent=SDK_AGENT)
    try:
        id = http.sdk_created()
        headers = {"Authorization": basic(AUTH_ID, "other")}
        text = "The auth token is wrong."
        refused(http, lambda: operation.call(http, id, headers=headers), 401, text)
    finally:
        sim.close()


@pytest.fixture
def other(sdk: Http) -> Iterator[Http]:
    """Another account of the same simulator."""
    return Http(sdk.app, sdk.sim, auth_id=OTHER_ID, token="other", agent=SDK_AGENT)


@pytest.mark.parametrize("operation", ON_ONE, ids=lambda each: each.name)
def test_the_ids_of_another_account_are_unknown(
    sdk: Http, other: Http, operation: Operation
) -> None:
    """They are 404, not 403, so that nobody learns which ids exist."""
    id = sdk.sdk_created()
    document = documents_of(sdk, id)[0]["document_id"]
    text = "Compliance application not found."
    refused(sdk, lambda: operation.call(other, id, document), 404, text)


def test_lists_show_an_account_its_own(sdk: Http, other: Http) -> None:
    """What one account holds is in no other's list."""
    sdk.sdk_created()
    id = other.sdk_created()
    listed = other.get(BASE).get_json()["compliances"]
    assert [each["compliance_id"] for each in listed] == [id]


def test_reading_an_unknown_account_makes_none(other: Http) -> None:
    """It answers from an empty account, and the account does not exist afterwards."""
    assert other.get(BASE).get_json()["meta"]["total_count"] == 0
    assert other.sim.accounts() == []


@pytest.mark.parametrize("user", [AUTH_ID, SUB_ID], ids=["its parent", "itself"])
def test_who_may_act_for_a_subaccount(sdk: Http, user: str) -> None:
    """A subaccount's URLs take its own credentials and its parent's; both see one account."""
    id = sdk.sdk_created()
    headers = {"Authorization": basic(user, TOKEN)}
    answer = sdk.get(f"/v1/Account/{SUB_ID}/{BASE}", headers=headers)
    assert [each["compliance_id"] for each in answer.get_json()["compliances"]] == [id]


def test_the_latest_token_signs(sdk: Http, transport: MemoryTransport) -> None:
    """A callback is signed with the token that the main account used last."""
    id = sdk.sdk_created(callback_url="http://127.0.0.1:9/cb")
    sdk.token = "newer"
    sdk.get(BASE)
    sub = {"Authorization": basic(SUB_ID, "of the subaccount")}
    sdk.get(f"/v1/Account/{SUB_ID}/{BASE}", headers=sub)
    refused_one = {"Authorization": basic(AUTH_ID, "")}
    sdk.get(BASE, headers=refused_one)
    sdk.decide(id, "accepted")
    (sent,) = transport.sent
    headers = dict(sent.headers)
    nonce = headers["X-Plivo-Signature-V2-Nonce"]
    assert headers["X-Plivo-Signature-V2"] == sign_v2("newer", sent.url, nonce)
