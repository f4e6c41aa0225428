"""Every call reaches its account's server, through each of the proxies."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import string
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import urllib3
import yaml

from plivo_sim.client import Client, Refused
from plivo_sim.client.applications import create_request, requirement_of, sample_business
from plivo_sim.domain.serving import read_rule
from plivo_sim.variables import KNOWN
from plivo_sim.web.access import account_of
from tests.scale.conftest import Cluster
from tests.scale.proxies import EXAMPLES, FILES, RULES
from tests.support import TOKEN, basic

pytestmark = pytest.mark.live
ACCOUNTS = [f"MAXXXXXXXXXXXXXXXXX{end}" for end in "0123"]
CUT = {"haproxy": 502, "envoy": 503, "caddy": 502}
"""What each answers in place of an answer that was cut before its first byte; nginx cuts, too."""
_NAMES = itertools.count()


def call(url: str, method: str, path: str, auth_id: str, **more: Any) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": basic(auth_id, TOKEN)} | more.pop("headers", {})
    return urllib3.request(method, url + path, headers=headers, retries=False, timeout=60, **more)


def end_user() -> dict[str, str]:
    """A new one: an account has each name once."""
    return {"name": f"Acme {next(_NAMES)}", "end_user_type": "business"}


def made(url: str, auth_id: str) -> str:
    """The id of an end user, made through the legacy API."""
    path = f"/v1/Account/{auth_id}/EndUser/"
    answer = call(url, "POST", path, auth_id, json=end_user())
    assert answer.status == 201, answer.data
    return str(answer.json()["end_user_id"])


def test_every_account_has_exactly_one_server() -> None:
    rules = [read_rule(each) for each in RULES]
    for end in string.ascii_letters + string.digits:
        assert sum(rule.serves(f"MA{'X' * 17}{end}") for rule in rules) == 1, end
    for file in FILES.values():
        text = (EXAMPLES / file).read_text(encoding="utf-8")
        assert all(rule.removeprefix("*") in text for rule in RULES[1:]), file


def test_a_browser_uses_the_console_through_a_proxy_and_no_page_of_another_name_does(
    cluster: Cluster,
) -> None:
    """Whatever that page sends as forwarded, and whether the proxy hands it on."""
    marks = {"User-Agent": "Mozilla/5.0", "Accept-Language": "en"}
    for host, status in (("localhost:8700", 200), ("evil.example:8700", 403)):
        for forwarded in ({}, {"X-Forwarded-Host": "localhost"}):
            headers = marks | forwarded | {"Host": host}
            for path in (f"/console/{ACCOUNTS[1]}/", f"/v1/Account/{ACCOUNTS[1]}/EndUser/"):
                answer = call(cluster.url, "GET", path, ACCOUNTS[1], headers=headers)
                assert answer.status == status, (host, forwarded, path, answer.data)


def test_calls_are_routed_by_their_account(cluster: Cluster) -> None:
    """In the path, of a subaccount, by a dialect's mount; the parameter of a control call, a
    page of the console, and an inbox that is called as the account is."""
    for number, auth_id in enumerate(ACCOUNTS):
        made(cluster.url, auth_id)
        made(cluster.url, f"SA{auth_id[2:]}")
        for mount in ("/current", "/beta"):
            path = f"{mount}/v1/Account/{auth_id}/PhoneNumber/Compliance/"
            assert call(cluster.url, "GET", path, auth_id).status == 200
        told = Client(cluster.url).control("GET", "/clock", account=auth_id)
        assert told["account"] == auth_id
        assert Client(cluster.url).control("POST", "/clock/advance", {"by": "1d"}, account=auth_id)
        assert call(cluster.url, "GET", f"/console/{auth_id}/applications", auth_id).status == 200
        assert call(cluster.url, "POST", f"/_sim/inbox/{auth_id}", auth_id, json={}).status == 200
        own = cluster.servers[number]
        assert own is cluster.server_of(auth_id)
        assert [each.auth_id for each in own.sim.accounts()] == [auth_id]
        inbox = Client(own.url).control("GET", f"/inbox/{auth_id}/messages")
        assert len(inbox["messages"]) == 1


def test_atoms_tokens_are_routed(cluster: Cluster) -> None:
    """One that names its account, in either place; HAProxy can work out the others' hash."""
    tokens = [f"{auth_id}-key" for auth_id in ACCOUNTS]
    if cluster.proxy == "haproxy":
        tokens += [f"key-{n}" for n in range(9)]
    for token in tokens:
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"session={token}"}):
            path = "/atoms/v1/compliance/status?countryIso=IN&numberType=local&userType=business"
            answer = urllib3.request(
                "GET", cluster.url + path, headers=headers, retries=False, timeout=60
            )
            assert answer.status == 200, (token, answer.data)
            assert answer.headers["X-Plivo-Sim-Account"] == account_of(token)


def test_what_names_no_account_is_refused_or_answered_by_the_first(cluster: Cluster) -> None:
    with pytest.raises(Refused, match="--require-account"):
        Client(cluster.url).control("GET", "/clock")
    assert Client(cluster.url).control("GET", "/health")["status"] == "ok"


def test_a_wrong_route_is_told(cluster: Cluster) -> None:
    """As when the proxy's map and the rules differ."""
    wrong = cluster.servers[1].url
    answer = call(wrong, "GET", f"/v1/Account/{ACCOUNTS[0]}/EndUser/", ACCOUNTS[0])
    assert answer.status == 421
    assert RULES[1] in answer.json()["error"]


def test_a_fault_stays_a_fault(cluster: Cluster) -> None:
    """A cut answer is a cut one for the client, is not tried again elsewhere, and does not put its
    server aside; a 503 is the simulator's."""
    auth_id = ACCOUNTS[2]
    control = Client(cluster.url)
    host = urlsplit(cluster.url).netloc
    for effect in ("reset", "empty"):
        fault = {"effect": effect, "method": "POST", "times": 1}
        control.control("POST", "/faults", fault, account=auth_id)
        connection = http.client.HTTPConnection(host, timeout=60)
        body = json.dumps(end_user())
        headers = {"Authorization": basic(auth_id, TOKEN), "Content-Type": "application/json"}
        connection.request("POST", f"/v1/Account/{auth_id}/EndUser/", body, headers)
        try:
            status = connection.getresponse().status
        except (http.client.RemoteDisconnected, ConnectionResetError):
            status = 0
        finally:
            connection.close()
        assert status == CUT.get(cluster.proxy, 0)
        made(cluster.url, auth_id)
    fault = {"effect": "unavailable", "method": "GET", "times": 1}
    control.control("POST", "/faults", fault, account=auth_id)
    path = f"/v1/Account/{auth_id}/EndUser/"
    statuses = [call(cluster.url, "GET", path, auth_id).status for _ in range(2)]
    assert statuses == [503, 200]
    calls = cluster.server_of(auth_id).sim.account(auth_id).exchanges
    assert [each.method for each in calls].count("POST") == 4, "each was sent once"


def test_large_files_arrive_and_links_lead_back_to_the_proxy(cluster: Cluster) -> None:
    auth_id = ACCOUNTS[3]
    client = Client(cluster.url, auth_id, TOKEN)
    applicant = sample_business("Acme Traders", alias="large")
    query = {"country_iso": "IN", "number_type": "local", "user_type": "business"}
    told = client.compliance("GET", f"Requirements/?{urlencode(query)}")
    request = create_request(applicant, requirement_of(told))
    form = [
        (name, (value[0], value[1] + b"x" * 4_000_000) if isinstance(value, tuple) else value)
        for name, value in request.form
    ]
    id = client.compliance("POST", form=form)["compliance_id"]
    shown = client.compliance("GET", f"{id}/?expand=documents")
    found = set(re.findall(r"https?://[^/]+(?=/v1/Account/)", json.dumps(shown)))
    assert found == {cluster.url}


@pytest.mark.parametrize("name", ["compose.yaml", "statefulset.yaml"])
def test_the_other_examples_can_be_read(name: str) -> None:
    """They are not run here. What they set are settings that there are."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert all(isinstance(each, dict) for each in yaml.safe_load_all(text))
    assert set(re.findall(r"PLIVO_SIM_\w+", text)) <= set(KNOWN)


def test_the_rules_of_the_pods_part_all_accounts() -> None:
    for name in ("compose.yaml", "statefulset.yaml"):
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        rules = [read_rule(each) for each in re.findall(r"\*\[\w+\]", text)]
        assert len(rules) == 2
        for end in string.ascii_letters + string.digits:
            assert sum(rule.serves(f"MA{'X' * 17}{end}") for rule in rules) == 1, (name, end)


def test_the_page_has_the_rules_of_the_examples() -> None:
    text = (EXAMPLES.parents[1] / "scale.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert told.split() == list(RULES)
    assert all(f"'{rule}'" in text for rule in RULES)


def test_a_button_of_the_console_reaches_its_account(cluster: Cluster) -> None:
    """Its form says whose it is in the URL, where the proxy reads it."""
    auth_id = ACCOUNTS[1]
    made(cluster.url, auth_id)
    page = call(cluster.url, "GET", f"/console/{auth_id}/time", auth_id).data.decode()
    action, token = (
        re.search(pattern, page)[1]  # type: ignore[index]
        for pattern in (r'action="(/console/do/advance[^"]*)"', r'name="_token" value="([^"]+)"')
    )
    form = {"_token": token, "account": auth_id, "by": "1h", "_back": f"/console/{auth_id}/time"}
    answer = call(cluster.url, "POST", action, auth_id, body=urlencode(form), headers={
        "Content-Type": "application/x-www-form-urlencoded",
    })  # fmt: skip
    assert answer.status == 303, answer.data
    now = Client(cluster.url).control("GET", "/clock", account=auth_id)["now"]
    assert now == "2026-01-05T10:00:00.000000Z"
