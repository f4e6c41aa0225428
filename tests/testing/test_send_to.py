"""A callback that is handed on to the test client of an application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import flask
import httpx
import plivo
import pytest
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from werkzeug import test as werkzeug_test

from plivo_sim.testing import AUTH_TOKEN
from plivo_sim.testing.inbox import Inbox, Message

PATH = "/hooks/plivo?by=x%2Fy&empty="


def seen(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    """What a webhook sees, and what the official SDK says of it."""
    genuine = plivo.utils.validate_v3_signature(
        method,
        url,
        headers.get("X-Plivo-Signature-V3-Nonce", ""),
        AUTH_TOKEN,
        headers.get("X-Plivo-Signature-V3", ""),
        json.loads(body) if body else {},
    )
    kept = {name.lower(): value for name, value in headers.items()}
    return json.dumps([method, url, kept, body.decode(), genuine])


# --- the applications ------------------------------------------------------------------------

in_flask = flask.Flask(__name__)


@in_flask.route("/hooks/plivo", methods=["GET", "POST"])
def by_flask() -> str:
    request = flask.request
    url = f"{request.base_url}?{request.query_string.decode()}"  # its url is one for readers
    return seen(request.method, url, request.headers, request.get_data())


in_fastapi = FastAPI()


@in_fastapi.api_route("/hooks/plivo", methods=["GET", "POST"])
async def by_fastapi(request: Request) -> Any:
    told = seen(request.method, str(request.url), request.headers, await request.body())
    return json.loads(told)


def by_django(request: HttpRequest) -> HttpResponse:
    url = request.build_absolute_uri()
    return HttpResponse(seen(str(request.method), url, request.headers, request.body))


urlpatterns = [path("hooks/plivo", by_django)]


def configure_django() -> None:
    if not settings.configured:
        settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"])


# --- their clients ---------------------------------------------------------------------------


def flask_client(message: Message) -> Any:
    return message.send_to(in_flask.test_client()).get_json(force=True)


def werkzeug_client(message: Message) -> Any:
    return json.loads(message.send_to(werkzeug_test.Client(in_flask)).data)


def django_client(message: Message) -> Any:
    configure_django()
    return json.loads(message.send_to(Client()).content)


def starlette_client(message: Message) -> Any:
    with TestClient(in_fastapi) as client:
        return message.send_to(client).json()


def httpx_client(message: Message) -> Any:
    return _through_httpx(message, in_fastapi)


def django_by_httpx(message: Message) -> Any:
    configure_django()
    return _through_httpx(message, ASGIHandler())


def _through_httpx(message: Message, app: Any) -> Any:
    async def sent() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            return (await message.send_to(client)).json()

    return asyncio.run(sent())


CLIENTS = [
    flask_client,
    werkzeug_client,
    django_client,
    django_by_httpx,
    starlette_client,
    httpx_client,
]


@pytest.mark.live
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("client", CLIENTS)
def test_the_application_sees_what_was_signed(
    plivo_client: Any,
    plivo_server: Any,
    plivo_inbox: Inbox,
    client: Callable[[Message], Any],
    method: str,
) -> None:
    """Method, URL with host and query, every header, the very body; the SDK says it is genuine."""
    data = {
        "country_iso": "US", "number_type": "local", "alias": "Acme",
        "end_user": {"type": "business", "name": "Acme"},
        "callback_url": plivo_inbox.origin + PATH, "callback_method": method,
    }  # fmt: skip
    made = plivo_client.phone_number_compliance.create(data=data)
    plivo_server.reject(made.compliance_id, "Name mismatch, Zoe")
    (message,) = plivo_inbox.messages
    told_method, told_url, headers, body, genuine = client(message)
    assert (told_method, told_url, body, genuine) == (method, message.url, message.body, True)
    assert {name.lower(): value for name, value in message.headers.items()}.items() <= (
        headers.items()
    )


def test_a_redirect_is_an_answer() -> None:
    """As for the sender of callbacks, which follows none; Starlette's client would by itself."""
    app = FastAPI()
    app.add_api_route("/hooks/plivo/", by_fastapi, methods=["POST"])
    message = Message("POST", "http://127.0.0.1:8001/hooks/plivo", {}, "", False)
    with TestClient(app) as client:
        assert message.send_to(client).status_code == 307


@pytest.mark.parametrize("kind", [dict, AsyncClient])
def test_what_cannot_be_called_as_signed_is_told(kind: Callable[[], Any]) -> None:
    """By its kind, with those that can; Django's async client always gives its own host."""
    configure_django()
    message = Message("POST", "http://127.0.0.1:8001/hooks/plivo", {}, "", False)
    with pytest.raises(TypeError, match=f"a {kind.__name__}, only to a test client of Flask"):
        message.send_to(kind())
