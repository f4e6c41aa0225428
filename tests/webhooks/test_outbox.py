"""Callbacks: queued with the change, attempted, retried, logged."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from plivo.utils import validate_signature, validate_v3_signature

from plivo_sim.account.interfaces import Answer, Outgoing
from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.domain.durations import Duration
from plivo_sim.settings import Settings
from plivo_sim.webhooks import outbox
from plivo_sim.webhooks.transport import MemoryTransport
from tests.fakes import START, Wall, refuse_writes
from tests.support import AUTH_ID, TOKEN, Http

CALLBACK = "http://127.0.0.1:9/cb"

Maker = Callable[..., Http]


@pytest.fixture
def make() -> Iterator[Maker]:
    """Makes simulators with settings, a transport and a wall clock of choice, and closes them."""
    made = []

    def maker(transport: MemoryTransport, wall: Wall | None = None, **chosen: Any) -> Http:
        values = {"paused": True, "review_delay": None} | chosen
        made.append(make_simulator(Settings(**values), transport=transport, real=wall or Wall()))
        return Http(create_app(made[-1]), made[-1])

    yield maker
    for sim in made:
        sim.close()


def attempts(http: Http) -> list[tuple[str, int | None]]:
    """When each attempt of the one delivery was made, since the decision, and its status."""
    (delivery,) = http.account.store.deliveries.every()
    decided = START + timedelta(days=3)
    return [(str(a.at - decided), a.status) for a in delivery.attempts]


def state(http: Http) -> str:
    """The state of the one delivery."""
    (delivery,) = http.account.store.deliveries.every()
    return str(delivery.state)


# --- what is sent ----------------------------------------------------------------------------


def sent_fields(request: Outgoing) -> dict[str, str]:
    """The fields of a callback, whichever way they went."""
    if request.method == "GET":
        return dict(parse_qsl(urlsplit(request.url).query))
    if b"{" in request.body:
        return dict(json.loads(request.body))
    return dict(parse_qsl(request.body.decode()))


@pytest.mark.parametrize(
    ("method", "encoding", "content_type"),
    [
        ("POST", "json", "application/json"),
        ("POST", "form", "application/x-www-form-urlencoded"),
        ("GET", "json", None),
    ],
)
@pytest.mark.parametrize("url", [CALLBACK, f"{CALLBACK}?z=1&a=%20b", "http://localhost/"])
def test_a_callback_validates_as_an_sdk_user_would(
    make: Maker, method: str, encoding: str, content_type: str | None, url: str
) -> None:
    """Its fields, its content type, both signatures under the token that the client used."""
    transport = MemoryTransport()
    http = make(transport, callback_encoding=encoding)
    id = http.sdk_created(callback_url=url, callback_method=method)
    http.decide(id, "rejected", "Blurred & illegible")
    (request,) = transport.sent
    headers = dict(request.headers)
    fields = sent_fields(request)
    wanted = {"compliance_id": id, "status": "rejected", "rejection_reason": "Blurred & illegible"}
    assert wanted.items() <= fields.items()
    assert (request.method, headers.get("Content-Type")) == (method, content_type)
    nonce = headers["X-Plivo-Signature-V3-Nonce"]
    assert len(nonce) == 20
    assert nonce.isdigit()
    assert validate_signature(request.url, nonce, headers["X-Plivo-Signature-V2"], TOKEN)
    assert validate_v3_signature(
        method,
        request.url,
        nonce,
        TOKEN,
        headers["X-Plivo-Signature-V3"],
        {} if method == "GET" else fields,
    )


def test_the_policy_says_how_long_a_receiver_has(http: Http, transport: MemoryTransport) -> None:
    """Else the setting does."""
    for policy in ({}, {"timeout_s": 0.5}):
        body = policy | {"account": http.auth_id}
        assert http.control("POST", "/webhooks/policy", body).status_code == 200
        http.decide(http.sdk_created(callback_url=CALLBACK), "rejected")
    assert [each.timeout_s for each in transport.sent] == [
        http.account.settings.callback_timeout_s,
        0.5,
    ]


def test_the_latest_token_signs(http: Http, transport: MemoryTransport) -> None:
    """Not the one that created the application."""
    id = http.sdk_created(callback_url=CALLBACK)
    http.token = "another"
    http.get(f"PhoneNumber/Compliance/{id}/")
    http.decide(id, "rejected")
    headers = dict(transport.sent[0].headers)
    nonce = headers["X-Plivo-Signature-V2-Nonce"]
    assert validate_signature(CALLBACK, nonce, headers["X-Plivo-Signature-V2"], "another")


def test_a_subaccount_s_application_is_signed_with_its_token(make: Maker) -> None:
    """Ma-V3 with the main account's, which made the other application."""
    transport = MemoryTransport()
    http = make(transport)
    http.decide(http.sdk_created(callback_url=CALLBACK), "rejected")
    main, main_token = http.auth_id, http.token
    http.auth_id, http.token = f"SA{main[2:]}", "of the subaccount"
    id = http.sdk_created(callback_url=CALLBACK)
    http.auth_id, http.token = main, main_token
    http.decide(id, "rejected")
    keys = []
    for request in transport.sent:
        headers = dict(request.headers)
        keys += [
            token
            for name in ("V3", "Ma-V3")
            for token in (TOKEN, "of the subaccount")
            if validate_v3_signature(
                "POST",
                CALLBACK,
                headers["X-Plivo-Signature-V3-Nonce"],
                token,
                headers[f"X-Plivo-Signature-{name}"],
                sent_fields(request),
            )
        ]
    assert keys == [TOKEN, TOKEN, "of the subaccount", TOKEN]


def test_a_fixed_token_signs_before_it_was_used(make: Maker) -> None:
    """Only the subaccount called; the main account's token is known all the same."""
    transport = MemoryTransport()
    sub = f"SA{AUTH_ID[2:]}"
    http = make(transport, credentials={AUTH_ID: "fixed", sub: TOKEN})
    http.auth_id = sub
    id = http.sdk_created(callback_url=CALLBACK)
    http.auth_id = AUTH_ID
    http.decide(id, "rejected")
    headers = dict(transport.sent[0].headers)
    nonce = headers["X-Plivo-Signature-V3-Nonce"]
    fields = sent_fields(transport.sent[0])
    for name, token in (("V3", TOKEN), ("Ma-V3", "fixed")):
        signature = headers[f"X-Plivo-Signature-{name}"]
        assert validate_v3_signature("POST", CALLBACK, nonce, token, signature, fields)


@pytest.mark.parametrize("signed", [True, False])
def test_the_fields_of_json_are_signed_or_not(make: Maker, signed: bool) -> None:
    """Nobody knows which; a form's always are."""
    for encoding in ("json", "form"):
        transport = MemoryTransport()
        http = make(transport, callback_json_signed=signed, callback_encoding=encoding)
        http.decide(http.sdk_created(callback_url=CALLBACK), "rejected")
        headers = dict(transport.sent[0].headers)
        nonce = headers["X-Plivo-Signature-V3-Nonce"]
        has_fields = signed or encoding == "form"
        for given, valid in ((sent_fields(transport.sent[0]), has_fields), ({}, not has_fields)):
            for name in ("V3", "Ma-V3"):
                signature = headers[f"X-Plivo-Signature-{name}"]
                found = validate_v3_signature("POST", CALLBACK, nonce, TOKEN, signature, given)
                assert found is valid


def test_credentials_in_the_url_are_basic_credentials(make: Maker) -> None:
    """On the wire; not in the URL that is called, nor in the log of attempts."""
    transport = MemoryTransport()
    http = make(transport)
    url = "https://user:p%40w%C3%A9@127.0.0.1:9?a=b"
    http.decide(http.sdk_created(callback_url=url), "rejected")
    (request,) = transport.sent
    assert request.url == "https://127.0.0.1:9/?a=b"
    basic = base64.b64encode("user:p@wé".encode()).decode()
    assert dict(request.headers)["Authorization"] == f"Basic {basic}"
    (shown,) = http.control("GET", "/webhooks").get_json()["webhooks"]
    assert shown["attempts"][0]["headers"]["Authorization"] == "***"


def test_every_attempt_has_a_nonce_of_its_own_and_the_same_delivery_id(make: Maker) -> None:
    """The receiver sees a repeat as one."""
    transport = MemoryTransport(500, 500)
    http = make(transport)
    http.sdk_created(callback_url=CALLBACK)
    http.advance("4d")
    headers = [dict(request.headers) for request in transport.sent]
    assert len({each["X-Plivo-Signature-V3-Nonce"] for each in headers}) == 3
    assert len({each["X-Plivo-Sim-Delivery"] for each in headers}) == 1
    assert [each["X-Plivo-Sim-Attempt"] for each in headers] == ["1", "2", "3"]


def test_the_client_s_own_call_causes_no_callback(http: Http, transport: MemoryTransport) -> None:
    """Creating and correcting are the client's; deciding is the reviewer's."""
    id = http.sdk_created(callback_url=CALLBACK)
    assert transport.sent == []
    http.decide(id, "rejected")
    assert len(transport.sent) == 1
    body = http.sdk_send("PATCH", f"PhoneNumber/Compliance/{id}/", {"alias": "Again"}, {})
    assert body.status_code == 200, body.text
    assert len(transport.sent) == 1


def test_an_account_wide_callback_stands_in(make: Maker) -> None:
    """For applications that have none of their own."""
    transport = MemoryTransport()
    http = make(transport, callback_url="http://127.0.0.1:9/all", callback_method="get")
    http.sdk_created()
    http.sdk_created(alias="own", callback_url=CALLBACK)
    http.advance("3d")
    assert sorted((r.method, r.url.partition("?")[0]) for r in transport.sent) == [
        ("GET", "http://127.0.0.1:9/all"),
        ("POST", CALLBACK),
    ]


# --- retries ---------------------------------------------------------------------------------


def test_retries_come_after_one_two_and_four_minutes(make: Maker) -> None:
    """Of simulated time; the one that succeeds is the last."""
    http = make(MemoryTransport(500, 404))
    http.sdk_created(callback_url=CALLBACK)
    http.advance("4d")
    assert attempts(http) == [("0:00:00", 500), ("0:01:00", 404), ("0:03:00", 200)]
    assert (state(http), len(http.account.store.timers)) == ("delivered", 0)


def test_after_the_last_retry_the_delivery_has_failed(make: Maker) -> None:
    """Four attempts in all."""
    http = make(MemoryTransport(*[500] * 9))
    http.sdk_created(callback_url=CALLBACK)
    http.advance("4d")
    assert [at for at, _ in attempts(http)] == ["0:00:00", "0:01:00", "0:03:00", "0:07:00"]
    assert (state(http), len(http.account.store.timers)) == ("failed", 0)


@pytest.mark.parametrize("status", [199, 300, 302, 307, 400, 429, 500])
def test_only_2xx_is_success(make: Maker, status: int) -> None:
    """A redirect is none."""
    http = make(MemoryTransport(status))
    http.sdk_created(callback_url=CALLBACK)
    http.advance("3d")
    assert state(http) == "pending"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_success(make: Maker, status: int) -> None:
    """Whatever it means."""
    http = make(MemoryTransport(status))
    http.sdk_created(callback_url=CALLBACK)
    http.advance("3d")
    assert state(http) == "delivered"


def test_a_delivery_that_waits_for_its_retry_survives_a_reading(make: Maker) -> None:
    """It is pending, and says when it is tried again."""
    http = make(MemoryTransport(500))
    http.sdk_created(callback_url=CALLBACK)
    told = http.advance("3d")
    assert (told["next_due"], told["due_count"]) == ("2026-01-08T09:01:00.000000Z", 1)


def test_own_waits(make: Maker) -> None:
    """As the settings have them, business days included."""
    waits = (Duration(5), Duration(business_days=1))
    http = make(MemoryTransport(500, 500), callback_retries=waits)
    http.sdk_created(callback_url=CALLBACK)
    http.advance("9d")
    assert [at for at, _ in attempts(http)] == ["0:00:00", "0:00:05", "1 day, 0:00:05"]


def test_no_waits_mean_no_retries(make: Maker) -> None:
    """One attempt."""
    http = make(MemoryTransport(500), callback_retries=())
    http.sdk_created(callback_url=CALLBACK)
    http.advance("9d")
    assert (len(attempts(http)), state(http)) == (1, "failed")


@pytest.mark.parametrize(
    ("warp", "retry_clock", "wait_s"),
    [
        (60.0, "auto", 60),
        (61.0, "auto", 60 * 61),
        (86400.0, "auto", 60 * 86400),
        (86400.0, "simulator", 60),
        (1e9, "auto", 60e9),
    ],
)
def test_when_time_flies_retries_wait_in_real_time(
    make: Maker, warp: float, retry_clock: str, wait_s: float
) -> None:
    """Or the receiver would get all four within a moment, unless the settings want that."""
    chosen = {"paused": False, "warp": warp, "retry_clock": retry_clock}
    http = make(MemoryTransport(500), review_delay=Duration(1), **chosen)
    http.sdk_created(callback_url=CALLBACK)
    http.account.clock.move_to(START + timedelta(seconds=1))
    http.sim.runner.catch_up(http.account)
    (timer,) = http.account.store.timers.every()
    assert timer.due_at - START == timedelta(seconds=1 + wait_s)


def test_a_warped_retry_is_made_after_a_real_minute(make: Maker) -> None:
    """Not before."""
    wall, transport = Wall(), MemoryTransport(500)
    http = make(transport, wall, paused=False, warp=86400.0)
    http.sdk_created(callback_url=CALLBACK)
    wall.pass_s(3)
    http.sim.runner.catch_up(http.account)
    sent = [len(transport.sent)]
    wall.pass_s(59)
    http.sim.runner.catch_up(http.account)
    sent.append(len(transport.sent))
    wall.pass_s(1)
    http.sim.runner.catch_up(http.account)
    assert [*sent, len(transport.sent)] == [1, 1, 2]


def test_a_retry_beyond_the_calendar_is_never_made(make: Maker) -> None:
    """And breaks nothing."""
    wall = Wall()
    waits = (Duration(3650 * 86400),)
    http = make(MemoryTransport(500), wall, paused=False, warp=1e9, callback_retries=waits)
    http.sdk_created(callback_url=CALLBACK)
    wall.pass_s(1)
    http.sim.runner.catch_up(http.account)
    assert (state(http), len(http.account.store.timers)) == ("pending", 1)


# --- the log ---------------------------------------------------------------------------------


def test_an_attempt_is_logged_whole(http: Http, transport: MemoryTransport) -> None:
    """Request, answer, simulated instant."""
    http.sdk_created(callback_url=CALLBACK)
    http.advance("3d")
    (delivery,) = http.account.store.deliveries.every()
    (attempt,), (request,) = delivery.attempts, transport.sent
    assert (attempt.url, attempt.headers, attempt.body.encode()) == (
        request.url,
        request.headers,
        request.body,
    )
    assert (attempt.status, attempt.error, attempt.at) == (200, None, START + timedelta(days=3))


OFF_LIMITS = [
    "169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fe80::1", "0.0.0.0",
    "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1",
    "168.63.129.16", "::a9fe:a9fe", "64:ff9b::a9fe:a9fe",
]  # fmt: skip


def test_a_foreign_host_is_blocked_and_logged(http: Http, transport: MemoryTransport) -> None:
    """Fixtures are full of production URLs: the log says which setting opens it."""
    http.sdk_created(callback_url="https://api.example.com/hooks")
    assert http.advance("3d")["happenings"][0]["type"] == "transition"
    (delivery,) = http.account.store.deliveries.every()
    assert (transport.sent, str(delivery.state)) == ([], "blocked")
    assert "--allow-callback-hosts api.example.com" in delivery.why


def test_an_allowed_host_is_called(make: Maker) -> None:
    """And the transport learns that it is allowed."""
    transport = MemoryTransport()
    http = make(transport, allow_callback_hosts=("api.example.com",))
    http.sdk_created(callback_url="https://api.example.com/hooks")
    http.advance("3d")
    assert [r.allowed_hosts for r in transport.sent] == [("api.example.com",)]


@pytest.mark.parametrize("host", OFF_LIMITS)
@pytest.mark.parametrize("started_with", [(), ("hooks.example.com",)])
def test_no_setting_of_an_account_opens_what_is_off_limits(
    make: Maker, host: str, started_with: tuple[str, ...]
) -> None:
    """Nor one that was kept by a server which was started with that address."""
    transport = MemoryTransport()
    http = make(transport, allow_callback_hosts=started_with)
    texts = {"allow_callback_hosts": f"own.example.com {host}"}
    answer = http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": texts})
    assert answer.status_code == 400, answer.text
    told = answer.get_json()["problems"][0]
    assert told["path"] == "settings.allow_callback_hosts"
    assert f"only if the server is started with --allow-callback-hosts {host}" in told["message"]
    http.account.configure(texts)
    assert http.account.settings.allow_callback_hosts == ("own.example.com",)
    http.sdk_created(callback_url=f"https://[{host}]/" if ":" in host else f"https://{host}/")
    http.advance("3d")
    (delivery,) = http.account.store.deliveries.every()
    assert (transport.sent, str(delivery.state)) == ([], "blocked")
    assert f"is started with --allow-callback-hosts {host} " in delivery.why


@pytest.mark.parametrize("host", OFF_LIMITS)
def test_what_is_off_limits_is_called_where_the_server_was_started_with_it(
    make: Maker, host: str
) -> None:
    """Then an account may name it too."""
    transport = MemoryTransport()
    http = make(transport, allow_callback_hosts=(host,))
    texts = {"allow_callback_hosts": f"own.example.com {host}"}
    for settings in ({}, texts):
        answer = http.control("POST", "/accounts", {"auth_id": AUTH_ID, "settings": settings})
        assert answer.status_code == 201, answer.text
        assert host in http.account.settings.allow_callback_hosts


def test_a_replay_is_a_delivery_of_its_own(http: Http, transport: MemoryTransport) -> None:
    """With the same payload; the first one's log stays as it is."""
    http.sdk_created(callback_url=CALLBACK)
    http.advance("3d")
    (first,) = http.account.store.deliveries.every()
    http.control("POST", f"/webhooks/{first.id}/replay")
    _, again = http.account.store.deliveries.every()
    assert (again.payload, again.why, str(again.state)) == (
        first.payload,
        f"replay of {first.id}",
        "delivered",
    )
    assert (len(transport.sent), len(first.attempts)) == (2, 1)


def test_the_log_is_a_ring_of_finished_deliveries(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest goes, but never one that is still to be delivered."""
    monkeypatch.setattr(outbox, "KEPT_DELIVERIES", 3)
    http = make(MemoryTransport(500))
    made = [http.sdk_created(alias=f"A{n}", callback_url=CALLBACK) for n in range(6)]
    for id in made:
        http.decide(id, "rejected")
    kept = list(http.account.store.deliveries.every())
    assert [made.index(d.application_id) for d in kept] == [0, 4, 5]
    assert [str(d.state) for d in kept] == ["pending", "delivered", "delivered"]


def test_the_log_of_callbacks_is_bounded_in_bytes(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What receivers answered counts; replays too make room for themselves, and what is taken back
    counts no more."""
    monkeypatch.setattr(outbox, "KEPT_DELIVERY_BYTES", 30_000)
    http = make(Talkative())
    deliveries = http.account.store.deliveries
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "rejected")
    for _ in range(20):
        http.control("POST", f"/webhooks/{list(deliveries.every())[-1].id}/replay")
        assert deliveries.weight == sum(each.size_bytes for each in deliveries.every())
        assert deliveries.weight <= 30_000 + 8_000
    assert len(deliveries) == 4
    with suppress(ZeroDivisionError), http.account.transaction():
        deliveries.drop(next(deliveries.every()).id)
        raise ZeroDivisionError
    assert deliveries.weight == sum(each.size_bytes for each in deliveries.every())


class Talkative:
    """A transport whose receivers say as much as is kept."""

    def send(self, request: Outgoing) -> Answer:
        return Answer(status=200, body="x" * 4096)


def test_deleting_an_application_cancels_its_callbacks(make: Maker) -> None:
    """The log says so."""
    http = make(MemoryTransport(500))
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "rejected")
    http.delete(f"PhoneNumber/Compliance/{id}/")
    assert (state(http), len(http.account.store.timers)) == ("cancelled", 0)


def test_an_attempt_that_was_on_its_way_is_logged_though_its_application_is_deleted(
    make: Maker,
) -> None:
    """Its receiver saw it; the callback stays cancelled, and is not tried again."""

    class Deleting:
        """A transport whose receiver deletes the application before it answers."""

        def send(self, request: Outgoing) -> Answer:
            http.delete(f"PhoneNumber/Compliance/{id}/")
            return Answer(status=500, body="failed")

    http = make(Deleting())  # type: ignore[arg-type]
    id = http.sdk_created(callback_url=CALLBACK)
    http.decide(id, "rejected")
    assert [status for _, status in attempts(http)] == [500]
    assert (state(http), len(http.account.store.timers)) == ("cancelled", 0)


def test_a_change_that_is_taken_back_and_made_again_is_told_once(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full at the first try; the ids of the second are the same."""
    transport = MemoryTransport()
    http = make(transport)
    id = http.sdk_created(callback_url=CALLBACK)
    refuse_writes(monkeypatch, http.account, times=1)
    assert http.decide(id, "rejected").status_code >= 500
    assert http.decide(id, "rejected").status_code == 200
    assert len(transport.sent) == 1
