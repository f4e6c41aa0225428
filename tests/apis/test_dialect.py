"""Which dialect answers (decision "Which dialect answers"): clients as they are on the wire, then
the rule itself.

source: observed for the SDKs' headers and bodies (docs/wire-facts.md, "Headers of each SDK",
"Requests as captured").
"""

from __future__ import annotations

import json
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from plivo_sim.apis.phone_number.dialect import Clues, detect_dialect
from plivo_sim.apis.reading import DIALECT_HEADER, is_sdk_agent
from plivo_sim.domain.records import Origin
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from tests.apis import page
from tests.apis.page import FORM, URL, Page
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http, basic

AGENTS = {
    "python": "plivo-python/4.63.0 (Python: 3.11.7)",
    "node": "plivo-node/4.79.0 (Node: v20.20.2)",
    "go": "plivo-go/7.60.2 (Go: go1.19.8)",
    "ruby": "plivo-ruby/4.63.4 (Ruby 3.1.2)",
    "php": "plivo-php/4.70.0 (PHP 8.2.35)",
    "java": "plivo-java/5.49.0 (Implementation: null null null, Specification: null null null)",
    "net": "plivo-dotnet/5.53.0",
}
STRANGERS = {
    "nobody": "",
    "go's uploads": "Go-http-client/1.1",
    "curl": "curl/8.5.0",
    "aiohttp": "Python/3.11 aiohttp/3.9.5",
    "requests": "python-requests/2.32.3",
    "axios": "axios/1.7.2",
    "node's fetch": "node",
    "a browser": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "smallestai": "python-httpx/0.28.1",
    "one that names an SDK": "my-app/1.0 (uses plivo-python/4.63.0)",
    "another of Plivo's": "plivo-cli/1.0",
}

# --- bodies as the clients write them ------------------------------------------------------

B = "d31c4c19c2a2a3d1107ecbd7"
Part = tuple[list[str], bytes]


def raw(parts: list[Part], boundary: str = B) -> bytes:
    """A multipart body of parts given by their very header lines."""
    lines = [
        f"--{boundary}\r\n".encode() + "\r\n".join(head).encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    ]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def named(name: str, filename: str | None = None) -> str:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'Content-Disposition: form-data; name="{name}"{file}'


def sdk_bodies(data: str) -> dict[str, tuple[str, str, bytes]]:
    """Client -> User-Agent of its creates, Content-Type, body."""
    text = data.encode()
    form = f"multipart/form-data; boundary={B}"
    octets = "Content-Type: application/octet-stream"
    pdf, png = "Content-Type: application/pdf", "Content-Type: image/png"
    first, second = named("documents[0].file", "a.pdf"), named("documents[1].file", "utility b.png")
    plain_files: list[Part] = [([first, pdf], PDF), ([second, png], PNG)]
    length = f"Content-Length: {len(text)}"
    json_part = "Content-Type: application/json"
    binary = "Content-Transfer-Encoding: binary"
    go = [([named("data")], text), ([first, octets], PDF), ([second, octets], PNG)]
    net = [
        (["Content-Type: text/plain; charset=utf-8",
          "Content-Disposition: form-data; name=data"], text),
        ([pdf, 'Content-Disposition: form-data; name="documents[0].file"; filename=a.pdf; '
               "filename*=utf-8''a.pdf"], PDF),
        ([png, 'Content-Disposition: form-data; name="documents[1].file"; filename=b.png; '
               "filename*=utf-8''b.png"], PNG),
    ]  # fmt: skip
    php = [
        ([named("data"), length], text),
        ([first, f"Content-Length: {len(PDF)}", pdf], PDF),
        ([second, f"Content-Length: {len(PNG)}", png], PNG),
    ]
    ruby = [
        ([named("data")], text),
        ([first, f"Content-Length: {len(PDF)}", pdf, binary], PDF),
        ([second, f"Content-Length: {len(PNG)}", png, binary], PNG),
    ]
    return {
        "python": (AGENTS["python"], form,
                   raw([([named("data")], text), ([first], PDF), ([second], PNG)])),
        "node": (AGENTS["node"], form, raw([([named("data")], text), *plain_files])),
        "go": (STRANGERS["go's uploads"], form, raw(go)),
        "ruby": (AGENTS["ruby"], form, raw(ruby)),
        "php": (AGENTS["php"], form, raw(php)),
        "java": (AGENTS["java"], form, raw([([named("data"), length], text), *plain_files])),
        "net": (AGENTS["net"], f'multipart/form-data; boundary="{B}"', raw(net)),
        "aiohttp": (STRANGERS["aiohttp"], form,
                    raw([([json_part, named("data")], text), *plain_files])),
        "axios": (STRANGERS["axios"], form, raw([([named("data")], text), *plain_files])),
        "browser with a Blob": (STRANGERS["a browser"], form,
                                raw([([named("data", "blob"), json_part], text), *plain_files])),
        "node's fetch with a Blob": (STRANGERS["node's fetch"], form,
                                     raw([([named("data", "blob"), json_part], text),
                                          *plain_files])),
        "curl with a file of data": (STRANGERS["curl"], form,
                                     raw([([named("data", "app.json"), octets], text),
                                          *plain_files])),
    }  # fmt: skip


SDK_CLIENTS = tuple(sdk_bodies("{}"))


def dialect(answer: Any) -> str:
    told: str = answer.headers["X-Plivo-Sim-Dialect"]
    return told


@pytest.mark.parametrize("client", SDK_CLIENTS)
@pytest.mark.parametrize("with_agent", [True, False])
def test_a_create_as_each_client_sends_it(http: Http, client: str, with_agent: bool) -> None:
    """Understood whole, and by its body alone if need be."""
    agent, content_type, body = sdk_bodies(json.dumps(http.sdk_data()))[client]
    answer = http.post(
        f"{URL}/",
        data=body,
        content_type=content_type,
        headers={"User-Agent": agent if with_agent else "Go-http-client/1.1"},
    )
    assert (answer.status_code, dialect(answer)) == (201, "current"), answer.text
    assert answer.get_json()["message"].endswith("submitted for review.")


@pytest.mark.parametrize("agent", [AGENTS["python"], AGENTS["ruby"], ""])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_form_without_files(http: Http, method: str, agent: str) -> None:
    """Python and Ruby send ``data`` urlencoded then."""
    id = http.sdk_created()
    http.decide(id, "rejected")
    answer = http.call(
        method,
        f"{URL}/" + (f"{id}/" if method == "PATCH" else ""),
        data=urlencode({"data": '{"alias": "b"}'}),
        content_type=FORM,
        headers={"User-Agent": agent},
    )
    assert dialect(answer) == "current"


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
@pytest.mark.parametrize(
    ("method", "path", "request_"),
    [
        ("GET", f"{URL}/Requirements/?country_iso=IN", {}),
        ("GET", f"{URL}/", {}),
        ("GET", f"{URL}/some-id/", {}),
        ("DELETE", f"{URL}/some-id/", {"data": '""', "content_type": "application/json"}),
        ("POST", f"{URL}/", {}),
        ("POST", f"{URL}/", {"json": {}}),
        ("POST", f"{URL}/some-id/", {"json": {}}),
    ],
)
def test_an_sdks_agent_is_enough(
    http: Http, agent: str, method: str, path: str, request_: dict[str, Any]
) -> None:
    """For calls without a telling body: an empty create of Python's among them."""
    answer = http.call(method, path, headers={"User-Agent": agent}, **request_)
    assert dialect(answer) == "current"


@pytest.mark.parametrize("agent", STRANGERS.values(), ids=STRANGERS)
def test_others_that_send_the_pages_shape(http: Http, agent: str) -> None:
    """Forms and JSON alike are the page's."""
    body, content_type = page.page_form()
    for request in ({"data": body, "content_type": content_type}, {"json": page.create_body()}):
        answer = http.post(f"{URL}/", headers={"User-Agent": agent}, **request)
        assert (answer.status_code, dialect(answer)) == (201, "beta")


@pytest.mark.parametrize("agent", STRANGERS.values(), ids=STRANGERS)
def test_a_new_account_speaks_as_the_page_does(http: Http, agent: str) -> None:
    """Nothing known: the page's dialect."""
    for path in (f"{URL}/", f"{URL}/Requirements?country_iso=IN", f"{URL}/some-id"):
        assert dialect(http.get(path, headers={"User-Agent": agent})) == "beta"


@pytest.mark.parametrize("requested", ["current", "beta", "CURRENT", "Beta"])
@pytest.mark.parametrize("agent", [SDK_AGENT, ""])
def test_the_header_decides(http: Http, requested: str, agent: str) -> None:
    """Before the User-Agent; its case does not count."""
    answer = http.get(f"{URL}/", headers={DIALECT_HEADER: requested, "User-Agent": agent})
    assert dialect(answer) == requested.lower()


@pytest.mark.parametrize("mount", ["current", "beta"])
@pytest.mark.parametrize(
    "headers", [{"User-Agent": SDK_AGENT}, {DIALECT_HEADER: "current"}, {}], ids=str
)
@pytest.mark.parametrize("path", ["/", "/Requirements", "/some-id/", "/a/b/c/d"])
def test_a_mount_decides(http: Http, mount: str, headers: dict[str, str], path: str) -> None:
    """Before everything, errors included."""
    answer = http.get(f"/{mount}/v1/Account/{AUTH_ID}/{URL}{path}", headers=headers)
    assert dialect(answer) == mount


def test_a_mounted_create_with_data_is_the_mounts(http: Http) -> None:
    """Even where it cannot be understood then; what was ignored is told."""
    _, content_type, body = sdk_bodies("{}")["go"]
    url = f"/beta/v1/Account/{AUTH_ID}/{URL}/"
    answer = http.post(url, data=body, content_type=content_type)
    assert (answer.status_code, dialect(answer)) == (422, "beta")
    assert "ignored field 'data'" in answer.headers["X-Plivo-Sim-Warning"]


def test_an_unknown_word_in_the_header_is_no_clue(http: Http) -> None:
    """As if it were not there, and a warning says which words there are."""
    answer = http.get(f"{URL}/", headers={DIALECT_HEADER: "klingon"})
    assert dialect(answer) == "beta"
    text = f"{DIALECT_HEADER} must be one of current, beta, not 'klingon'"
    assert answer.headers["X-Plivo-Sim-Warning"] == text


# --- what is remembered --------------------------------------------------------------------


def test_a_path_with_an_id_follows_the_record(http: Http) -> None:
    """Whatever was written last."""
    ids = {"current": http.sdk_created(), "beta": Page(http).id()}
    assert {name: dialect(http.get(f"{URL}/{id}")) for name, id in ids.items()} == {
        "current": "current",
        "beta": "beta",
    }
    assert dialect(http.delete(f"{URL}/{ids['current']}")) == "current"


def test_collections_follow_the_last_write(http: Http) -> None:
    """Of the account; a read is no write, a delete is none of the dialect's either."""
    api = Page(http)
    seen = [dialect(http.get(f"{URL}/"))]
    http.sdk_created()
    seen.append(dialect(http.get(f"{URL}/")))
    seen.append(dialect(http.get(f"{URL}/Requirements?country_iso=IN")))
    api.id()
    http.get(f"{URL}/", headers={"User-Agent": SDK_AGENT})
    seen.append(dialect(http.get(f"{URL}/")))
    assert seen == ["beta", "current", "current", "beta"]


def test_the_last_write_of_another_account_does_not_count(http: Http) -> None:
    """Accounts are separate from one another."""
    http.sdk_created()
    other = "MAYYYYYYYYYYYYYYYYYY"
    url = f"/v1/Account/{other}/{URL}/"
    assert dialect(http.get(url, headers={"Authorization": basic(other)})) == "beta"


def test_a_correction_counts_as_a_write(http: Http) -> None:
    """So a client that only corrects is understood afterwards."""
    id = http.sdk_created()
    http.decide(id, "rejected")
    assert dialect(http.patch(f"{URL}/{id}", json={"alias": "b"})) == "beta"
    assert dialect(http.get(f"{URL}/")) == "beta"


def test_a_refused_write_is_not_remembered(http: Http) -> None:
    """Nothing was written."""
    http.sdk_created()
    assert dialect(http.post(f"{URL}/", json={})) == "beta"
    assert dialect(http.get(f"{URL}/")) == "current"


# --- errors before the body is read --------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(("last", "expected"), [("current", "current"), ("beta", "beta")])
def test_a_body_too_large_is_told_as_far_as_known(
    http: Http, method: str, last: str, expected: str
) -> None:
    """By the record or the last write: the body cannot say."""
    id = http.sdk_created() if last == "current" else Page(http).id()
    _, content_type, body = sdk_bodies("{}")["go"]
    answer = http.call(
        method,
        f"{URL}/" + (id if method == "PATCH" else ""),
        data=body,
        content_type=content_type,
        environ_overrides={"CONTENT_LENGTH": str(LARGEST_BODY_BYTES + 1)},
    )
    assert dialect(answer) == expected
    assert answer.status_code == (400 if expected == "current" else 413)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"User-Agent": SDK_AGENT}, "current"),
        ({"User-Agent": "Go-http-client/1.1"}, "beta"),
        ({DIALECT_HEADER: "current"}, "current"),
    ],
)
@pytest.mark.parametrize("credentials", [None, basic(token="")])
def test_a_stranger_is_told_by_headers_alone(
    http: Http, headers: dict[str, str], expected: str, credentials: str | None
) -> None:
    """The account is not known, so its last write is none of the stranger's business."""
    http.sdk_created()
    _, content_type, body = sdk_bodies("{}")["go"]
    answer = http.post(
        f"{URL}/",
        data=body,
        content_type=content_type,
        headers={**headers, "Authorization": credentials},
    )
    assert (answer.status_code, dialect(answer)) == (401, expected)


def test_an_unreadable_body_is_told_as_far_as_known(http: Http) -> None:
    """One that ends early has no part that could be trusted."""
    http.sdk_created()
    _, content_type, body = sdk_bodies("{}")["go"]
    answer = http.post(f"{URL}/", data=body[:-99], content_type=content_type)
    assert (answer.status_code, dialect(answer)) == (400, "current")


@pytest.mark.parametrize(("method", "path"), [("POST", "/some-id"), ("PUT", "/"), ("GET", "/a/b")])
def test_routing_errors_are_told_as_far_as_known(http: Http, method: str, path: str) -> None:
    """405 and 404 of the router, after an SDK's write."""
    http.sdk_created()
    assert dialect(http.call(method, URL + path, json={})) == "current"


@pytest.mark.parametrize("mount", ["", "/current", "/beta"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_requirements_is_no_id(http: Http, mount: str, method: str, slash: str) -> None:
    """405 with the one method that it has, in every dialect and spelling."""
    path = f"{mount}/v1/Account/{AUTH_ID}/{URL}/Requirements{slash}"
    answer = http.call(method, path, json={})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert dialect(answer) == (mount.strip("/") or "beta")


# --- the setting ---------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["current", "beta"])
def test_the_setting_replaces_what_would_be_guessed(http: Http, setting: str) -> None:
    """Body shape of the page, record, last write: all of them."""
    ids = [http.sdk_created(), Page(http).id()]
    settings = {"auth_id": AUTH_ID, "settings": {"new_api": setting}}
    assert http.control("POST", "/accounts", settings).status_code == 201
    for path in (f"{URL}/", f"{URL}/Requirements", *(f"{URL}/{id}" for id in ids)):
        assert dialect(http.get(path)) == setting
    assert dialect(http.post(f"{URL}/", json={})) == setting


@pytest.mark.parametrize("setting", ["current", "beta"])
def test_the_setting_leaves_what_is_certain(http: Http, setting: str) -> None:
    """Header, ``data`` and the SDKs' agents stay before it."""
    settings = {"auth_id": AUTH_ID, "settings": {"new_api": setting}}
    assert http.control("POST", "/accounts", settings).status_code == 201
    _, content_type, body = sdk_bodies("{}")["go"]
    assert dialect(http.post(f"{URL}/", data=body, content_type=content_type)) == "current"
    assert dialect(http.get(f"{URL}/", headers={"User-Agent": SDK_AGENT})) == "current"
    assert dialect(http.get(f"{URL}/", headers={DIALECT_HEADER: "beta"})) == "beta"


# --- the rule itself -----------------------------------------------------------------------

TABLE: list[tuple[dict[str, Any], str]] = [
    ({}, "beta"),
    ({"requested": "beta", "has_data_part": True, "user_agent": SDK_AGENT}, "beta"),
    (
        {"requested": "current", "setting": "beta", "is_write": True, "has_data_part": False},
        "current",
    ),
    ({"has_data_part": True, "is_write": True, "setting": "beta"}, "current"),
    ({"user_agent": SDK_AGENT, "setting": "beta"}, "current"),
    ({"user_agent": SDK_AGENT, "is_write": True, "has_data_part": False}, "current"),
    ({"setting": "current", "is_write": True, "has_data_part": False}, "current"),
    ({"setting": "beta", "record_origin": Origin.CURRENT, "last_write": "current"}, "beta"),
    ({"is_write": True, "has_data_part": False, "record_origin": Origin.CURRENT}, "beta"),
    ({"is_write": True, "has_data_part": None, "record_origin": Origin.CURRENT}, "current"),
    ({"is_write": True, "has_data_part": None, "last_write": "current"}, "current"),
    ({"is_write": True, "has_data_part": None}, "beta"),
    ({"record_origin": Origin.CURRENT, "last_write": "beta"}, "current"),
    ({"record_origin": Origin.LEGACY, "last_write": "beta"}, "current"),
    ({"record_origin": Origin.ATOMS}, "current"),
    ({"record_origin": Origin.BETA, "last_write": "current"}, "beta"),
    ({"last_write": "current"}, "current"),
    ({"last_write": "beta"}, "beta"),
]


@pytest.mark.parametrize(("clues", "expected"), TABLE, ids=str)
def test_the_table(clues: dict[str, Any], expected: str) -> None:
    """Decision "Which dialect answers", line by line."""
    assert detect_dialect(Clues(**clues)) == expected


def test_every_combination_of_clues_has_an_answer() -> None:
    """And it is the first clue in the order of decision "Which dialect answers" that speaks."""
    axes = {
        "requested": ["", "current", "beta"],
        "user_agent": ["", SDK_AGENT],
        "is_write": [False, True],
        "has_data_part": [None, False, True],
        "record_origin": [None, *Origin],
        "last_write": [None, "current", "beta"],
        "setting": ["auto", "current", "beta"],
    }
    for values in product(*axes.values()):
        clues = Clues(**dict(zip(axes, values, strict=True)))
        origin = clues.record_origin
        speaking = [
            clues.requested,
            "current" if clues.has_data_part else "",
            "current" if clues.user_agent else "",
            clues.setting.replace("auto", ""),
            "beta" if clues.is_write and clues.has_data_part is not None else "",
            "" if origin is None else "beta" if origin is Origin.BETA else "current",
            clues.last_write or "",
            "beta",
        ]
        assert detect_dialect(clues) == next(word for word in speaking if word)


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_the_sdks_agents_are_known(agent: str) -> None:
    """In their exact formats, whatever the version."""
    assert is_sdk_agent(agent)


@pytest.mark.parametrize("agent", STRANGERS.values(), ids=STRANGERS)
def test_other_agents_are_not(agent: str) -> None:
    """The name must stand at the start."""
    assert not is_sdk_agent(agent)
