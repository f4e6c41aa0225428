"""Who else is measured, and the nearest thing to our operations that each of them does."""

from __future__ import annotations

import json
import shutil
from typing import Any, ClassVar

from benchmarks.peers.bare import ID
from benchmarks.peers.calls import (
    UNIQUE,
    Answer,
    Client,
    Lacks,
    Request,
    file_content,
    get,
    post_files,
    post_form,
    post_json,
)
from benchmarks.peers.install import Package
from benchmarks.peers.own import (
    CALLBACK,
    CREATE,
    FLOOR,
    GET,
    OURS,
    PAGE_SIZE,
    Bare,
    Candidate,
    Ours,
    Place,
    Story,
)


class Moto(Candidate):
    name, kind = "moto", "Python"
    does = "Secrets Manager: CreateSecret, DescribeSecret, ListSecrets; files: one S3 PUT of both"
    package = Package("pypi", "moto", "5.2.5", "[server]")

    def command(self, place: Place) -> list[str]:
        server = str(place.installed / "bin" / "moto_server")
        return [server, "-H", "127.0.0.1", "-p", str(place.port)]

    def _call(self, operation: str, sent: dict[str, Any]) -> Request:
        made = post_json("/", sent, **_aws("secretsmanager"))
        kinds = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"secretsmanager.{operation}",
        }
        return Request("POST", "/", made.body, {**made.headers, **kinds})

    def create(self) -> Request:
        return self._call("CreateSecret", {"Name": f"acme-{UNIQUE}", "SecretString": "secret"})

    def read(self, created: Answer) -> Request:
        return self._call("DescribeSecret", {"SecretId": created.json()["Name"]})

    def page(self) -> Request:
        return self._call("ListSecrets", {"MaxResults": PAGE_SIZE})

    def files(self, client: Client) -> Request:
        client.ask(Request("PUT", "/bucket", b"", _aws("s3")))
        body = file_content("one") + file_content("two")
        kind = {"Content-Type": "application/octet-stream"}
        return Request("PUT", f"/bucket/{UNIQUE}", body, {**_aws("s3"), **kind})

    def reset(self) -> Request:
        return Request("POST", "/moto-api/reset")


def _aws(service: str) -> dict[str, str]:
    scope = f"Credential=x/20260101/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}


class LocalStripe(Candidate):
    name, kind = "localstripe", "Python"
    does = "customers: create, get, list; persistence on (it pickles everything at each write)"
    package = Package("pypi", "localstripe", "1.15.10")
    # Its own start listens on every address and pickles to a fixed path; the rest is as it is.
    _start = """
import logging, sys
from aiohttp import web
from localstripe import resources
from localstripe.server import app
resources.open = lambda path, mode: open("localstripe.pickle", mode)
logger = logging.getLogger("aiohttp.access")
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler())
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=logger)
"""

    def command(self, place: Place) -> list[str]:
        return [str(place.installed / "bin" / "python"), "-c", self._start, str(place.port)]

    def create(self) -> Request:
        sent = {"name": f"Acme {UNIQUE}", "email": "a@b.example"}
        return post_form("/v1/customers", sent, Authorization="Bearer sk_test_x")

    def read(self, created: Answer) -> Request:
        return get(f"/v1/customers/{created.json()['id']}", Authorization="Bearer sk_test_x")

    def page(self) -> Request:
        return get(f"/v1/customers?limit={PAGE_SIZE}", Authorization="Bearer sk_test_x")

    def story(self, client: Client, receiver: str) -> Story:
        hook = {"url": receiver, "secret": "secret", "events": ["customer.created"]}
        yield CREATE, post_json("/_config/webhooks/story", hook, Authorization="Bearer sk_test_x")
        made = yield CREATE, self.create()
        yield CALLBACK, None
        yield GET, self.read(made)

    def reset(self) -> Request:
        return Request("DELETE", "/_config/data", b"", {"Authorization": "Bearer sk_test_x"})


class NodePeer(Candidate):
    kind = "Node"
    script: ClassVar[str]  # below node_modules

    def check(self) -> None:
        if shutil.which("node") is None:
            raise Lacks("needs node, which is not installed")

    def node(self, place: Place, *arguments: str) -> list[str]:
        return ["node", str(place.installed / "node_modules" / self.script), *arguments]


class Emulate(NodePeer):
    name = "emulate"
    does = "its Stripe service: customers, create, get, list; in memory"
    # The newest of the 0.x line for Node 20; `latest` (1.0.2) is an older library of that name.
    package = Package("npm", "emulate", "0.11.2")
    script = "emulate/dist/index.js"
    # It answers 403 after 5,000 requests with one token.
    _token: ClassVar[dict[str, str]] = {"Authorization": "Bearer sk_test_##"}

    def command(self, place: Place) -> list[str]:
        return self.node(place, "start", "--port", str(place.port), "--service", "stripe")

    def create(self) -> Request:
        sent = {"name": f"Acme {UNIQUE}", "email": "a@b.example"}
        return post_form("/v1/customers", sent, **self._token)

    def read(self, created: Answer) -> Request:
        return get(f"/v1/customers/{created.json()['id']}", **self._token)

    def page(self) -> Request:
        return get(f"/v1/customers?limit={PAGE_SIZE}", **self._token)

    def files(self, client: Client) -> Request:
        raise Lacks("its Stripe service has no upload")


class WireMock(Candidate):
    name, kind = "wiremock", "JVM"
    does = "create: a stub through /__admin/mappings; get: a stubbed URL; list: /__admin/mappings"
    package = Package("npm", "wiremock", "3.13.2")

    def check(self) -> None:
        if shutil.which("java") is None:
            raise Lacks("needs a JVM, and there is none")

    def command(self, place: Place) -> list[str]:
        [jar] = (place.installed / "node_modules" / "wiremock" / "build").glob("*.jar")
        own = ["--bind-address", "127.0.0.1", "--disable-banner"]
        return ["java", "-jar", str(jar), "--port", str(place.port), *own]

    def _stub(self, method: str, url: str, **more: Any) -> Request:
        answered = {"status": 200, "jsonBody": {"id": UNIQUE, "name": "Acme", "status": "draft"}}
        sent = {"request": {"method": method, "url": url}, "response": answered}
        return post_json("/__admin/mappings", sent | more)

    def create(self) -> Request:
        return self._stub("GET", f"/records/{UNIQUE}")

    def read(self, created: Answer) -> Request:
        return get(created.json()["request"]["url"])

    def page(self) -> Request:
        return get(f"/__admin/mappings?limit={PAGE_SIZE}")

    def files(self, client: Client) -> Request:
        client.ask(self._stub("POST", "/files"))
        return post_files("/files", {"alias": "Acme"}, ("one", "two"))

    def story(self, client: Client, receiver: str) -> Story:
        about = {"method": "POST", "url": receiver, "body": "{}"}
        calls = {"serveEventListeners": [{"name": "webhook", "parameters": about}]}
        yield CREATE, self._stub("POST", "/files", **calls)
        yield CREATE, post_files("/files", {"alias": "Acme"}, ("one", "two"))
        made = yield CREATE, self.create()
        yield CALLBACK, None
        yield GET, self.read(made)

    def reset(self) -> Request:
        return Request("POST", "/__admin/reset")


class Prism(NodePeer):
    name, stores = "prism", False
    does = "an OpenAPI document's examples: POST (validated), GET, a list of 20; stores nothing"
    package = Package("npm", "@stoplight/prism-cli", "5.14.2")
    script = "@stoplight/prism-cli/dist/index.js"

    def command(self, place: Place) -> list[str]:
        document = place.folder / "openapi.json"
        document.write_text(json.dumps(_openapi()))
        own = ["--port", str(place.port), "--host", "127.0.0.1"]
        return self.node(place, "mock", *own, str(document))

    def create(self) -> Request:
        return post_json("/records", {"name": f"Acme {UNIQUE}", "email": "a@b.example"})

    def read(self, created: Answer) -> Request:
        return get(f"/records/{created.json()['id']}")

    def page(self) -> Request:
        return get("/records")

    def files(self, client: Client) -> Request:
        return post_files("/files", {"alias": "Acme"}, ("one", "two"))

    def reset(self) -> Request:
        raise Lacks("stores nothing")


def _openapi() -> dict[str, Any]:
    record = {"id": ID, "name": "Acme", "email": "a@b.example", "status": "draft"}
    text = {"type": "string"}
    sent = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": text, "email": text},
    }
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"data": text, "one": file, "two": file}}

    def answered(status: str, example: Any) -> dict[str, Any]:
        content = {"application/json": {"example": example}}
        return {"responses": {status: {"description": "done", "content": content}}}

    def taken(kind: str, schema: Any) -> dict[str, Any]:
        return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}

    id_ = {"name": "id", "in": "path", "required": True, "schema": text}
    return {
        "openapi": "3.0.3",
        "info": {"title": "records", "version": "1"},
        "paths": {
            "/records": {
                "get": answered("200", [record] * PAGE_SIZE),
                "post": {**taken("application/json", sent), **answered("201", record)},
            },
            "/records/{id}": {"parameters": [id_], "get": answered("200", record)},
            "/files": {"post": {**taken("multipart/form-data", form), **answered("201", record)}},
        },
    }


class Mockoon(NodePeer):
    name = "mockoon"
    does = "a CRUD route over a data bucket: create, get, list; files: a route with a fixed answer"
    package = Package("npm", "@mockoon/cli", "9.9.0")
    script = "@mockoon/cli/bin/run.js"

    def command(self, place: Place) -> list[str]:
        data = place.folder / "mockoon.json"
        data.write_text(json.dumps(_environment(place.port)))
        own = ["--disable-log-to-file", "--repair", "--admin-api-token", "token"]
        where = ["--port", str(place.port), "--hostname", "127.0.0.1"]
        return self.node(place, "start", "--data", str(data), *where, *own)

    def create(self) -> Request:
        return post_json("/records", {"name": f"Acme {UNIQUE}", "email": "a@b.example"})

    def read(self, created: Answer) -> Request:
        return get(f"/records/{created.json()['id']}")

    def page(self) -> Request:
        return get(f"/records?page=1&limit={PAGE_SIZE}")

    def files(self, client: Client) -> Request:
        return post_files("/files", {"alias": "Acme"}, ("one", "two"))

    def reset(self) -> Request:
        headers = {"Authorization": "Bearer token"}
        return Request("POST", "/mockoon-admin/state/purge", b"", headers)


def _environment(port: int) -> dict[str, Any]:
    def route(number: int, kind: str, method: str, endpoint: str, **answer: Any) -> dict[str, Any]:
        told = {"uuid": _uuid(number + 1), "statusCode": 200, "default": True, **answer}
        about = {"uuid": _uuid(number), "type": kind, "method": method, "endpoint": endpoint}
        return {**about, "responses": [told]}

    bucket = {"uuid": _uuid(9), "id": "rcrd", "name": "records", "value": "[]"}
    crud = {"bodyType": "DATABUCKET", "databucketID": "rcrd", "crudKey": "id"}
    return {
        "uuid": _uuid(1),
        "lastMigration": 33,
        "name": "records",
        "port": port,
        "hostname": "127.0.0.1",
        "rootChildren": [{"type": "route", "uuid": _uuid(n)} for n in (2, 4)],
        "routes": [
            route(2, "crud", "", "records", **crud),
            route(4, "http", "post", "files", bodyType="INLINE", body=json.dumps({"id": ID})),
        ],
        "data": [bucket],
        "headers": [{"key": "Content-Type", "value": "application/json"}],
    }


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


EVERY: tuple[type[Candidate], ...] = (
    Bare, Ours, Moto, LocalStripe, Emulate, WireMock, Prism, Mockoon,
)  # fmt: skip


def chosen(names: list[str]) -> list[Candidate]:
    """Those named, all without names, and always the floor. Raises ValueError."""
    short = {"ours": OURS, "bare": FLOOR}
    wanted = {short.get(name, name) for name in names}
    if unknown := wanted - {each.name for each in EVERY}:
        raise ValueError(f"no such candidate: {', '.join(sorted(unknown))}")
    return [each() for each in EVERY if not names or each.name in wanted | {FLOOR}]
