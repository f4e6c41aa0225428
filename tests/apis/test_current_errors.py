"""Bad bodies in the current dialect: what is refused, in which words, and that nothing changes.

Source: wire-facts.md, "The new API today"; decisions "All-or-nothing corrections", "HTTP codes",
"Every problem at once", "Files and downloads".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.app import create_app
from plivo_sim.assembly import make_simulator
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from plivo_sim.webhooks.transport import MemoryTransport
from tests.apis.current_support import (
    BASE,
    FILES,
    FORM,
    NO_DOCUMENTS,
    WRITES,
    Operation,
    form_of,
    refused,
    rejected,
    send,
)
from tests.conftest import PAUSED
from tests.support import COUNTRIES, PDF, SDK_AGENT, Http, multipart

SEEN = "; the body is "
NO_DATA = "Field 'data' is required: a form field that holds the application as JSON text"
every_write = pytest.mark.parametrize("operation", WRITES, ids=lambda each: each.name)


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


@pytest.fixture
def types(sdk: Http) -> list[str]:
    """The ids of the two document types of an Indian business."""
    return [each["document_type_id"] for each in sdk.sdk_requirement()["document_types"]]


def target(sdk: Http, operation: Operation) -> str:
    """The path of a create, or of the update of an application that may be corrected."""
    return BASE + operation.path.format(id=rejected(sdk) if "{id}" in operation.path else "")


# --- bodies that cannot be read --------------------------------------------------------------

COMPLETE = multipart([("data", "{}")], [("documents[0].file", "a.pdf", PDF)])[0]
TYPE = multipart([], [])[1]
UNREADABLE = [
    ("nothing", b"", None, NO_DATA),
    ("empty json", b'""', "application/json", NO_DATA),
    ("json object", b'{"alias": "x"}', "application/json", f"{NO_DATA}{SEEN}application/json"),
    ("json list", b"[]", "application/json", f"{NO_DATA}{SEEN}application/json"),
    ("text", b'{"alias": "x"}', "text/plain", f"{NO_DATA}{SEEN}text/plain"),
    ("xml", b"<a/>", "application/xml", f"{NO_DATA}{SEEN}application/xml"),
    ("bytes", PDF, "application/octet-stream", f"{NO_DATA}{SEEN}application/octet-stream"),
    ("unknown type", b"data={}", "nonsense", f"{NO_DATA}{SEEN}nonsense"),
    ("empty form", b"", FORM, NO_DATA),
    ("form not utf-8", b"data=%ff", FORM, "the form is not valid UTF-8"),
    ("form raw bytes", b"data=\xff", FORM, "the form is not valid UTF-8"),
    ("big form", b"&".join([b"a=1"] * 301), FORM, "the form has more than 300 fields"),
    ("no boundary", COMPLETE, "multipart/form-data",
     "the multipart body has no boundary in its Content-Type"),
    ("wrong boundary", COMPLETE, "multipart/form-data; boundary=x",
     "the multipart body is malformed or ended early"),
    ("many parts", multipart([("a", "x")] * 301, [])[0], TYPE,
     "the multipart body has more than 300 parts"),
    *[
        (f"multipart cut at {n}", COMPLETE[:n], TYPE,
         "the multipart body is malformed or ended early")
        for n in (1, 30, 60, 120, 300, len(COMPLETE) - 20, len(COMPLETE) - 4)
    ],
]  # fmt: skip


@every_write
@pytest.mark.parametrize(
    ("body", "content_type", "text"), [u[1:] for u in UNREADABLE], ids=[u[0] for u in UNREADABLE]
)
def test_an_unreadable_body(
    sdk: Http, operation: Operation, body: bytes, content_type: str | None, text: str
) -> None:
    """It is refused as a whole."""
    path = target(sdk, operation)
    refused(
        sdk,
        lambda: sdk.call(operation.method, path, data=body, content_type=content_type),
        400,
        text,
    )


def test_a_form_without_data(sdk: Http) -> None:
    """The Node SDK's own test sends flat fields; the service cannot take them for data."""
    fields = [("alias", "x"), ("country_iso", "IN"), ("requirement_id", "1")]
    body, content_type = multipart(fields, [])
    refused(sdk, lambda: sdk.post(BASE, data=body, content_type=content_type), 400, NO_DATA)


@every_write
@pytest.mark.parametrize(
    "text",
    [
        '{"alias":', "{'alias': 1}", '{"alias": NaN}', '{"alias": 1} x', "alias",
        '{"alias": "\\ud800"}', '{"alias": "\\u0000"}', "[" * 100 + "]" * 100,
    ],
)  # fmt: skip
def test_data_that_is_no_json(sdk: Http, operation: Operation, text: str) -> None:
    """The sentence says which field, and what the JSON reader found."""
    path = target(sdk, operation)
    body, content_type = multipart([("data", text)], [])
    answer = sdk.call(operation.method, path, data=body, content_type=content_type)
    assert answer.status_code == 400
    assert answer.get_json()["error"].startswith("Field 'data' is not valid JSON: ")


@every_write
@pytest.mark.parametrize("data", ["x", 5, True, None, 1.5, [1], ["alias"]])
def test_data_that_is_no_object(sdk: Http, operation: Operation, data: Any) -> None:
    """Any other JSON value is refused (``[]`` alone passes as PHP's empty object)."""
    path = target(sdk, operation)
    text = "The data must be an object"
    refused(sdk, lambda: sdk.call(operation.method, path, **form_of(data)), 400, text)


def test_data_that_is_not_utf8(sdk: Http) -> None:
    """Bytes that are no text are no JSON."""
    body, content_type = multipart([], [("data", None, b'{"alias": "\xff"}')])
    answer = sdk.post(BASE, data=body, content_type=content_type)
    assert (answer.status_code, "not valid JSON" in answer.text) == (400, True)


class Untouched:
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read


@every_write
def test_too_large_a_body_is_refused_before_it_is_read(sdk: Http, operation: Operation) -> None:
    """By its announced length; 400, because that is the code whose text every SDK shows."""
    path = target(sdk, operation)
    environ = {
        "wsgi.input": Untouched(),
        "CONTENT_LENGTH": str(LARGEST_BODY_BYTES + 1),
        "CONTENT_TYPE": TYPE,
    }
    text = f"The request body is over the limit of {LARGEST_BODY_BYTES} bytes."
    refused(sdk, lambda: sdk.call(operation.method, path, environ_overrides=environ), 400, text)


# --- what a create says of its data ----------------------------------------------------------

REQUIRED = ("country_iso", "number_type", "alias", "end_user")
ALL_MISSING = " ".join(f"Field '{name}' is required." for name in REQUIRED)
LONG = "x" * 256

WRONG_DATA: list[tuple[dict[str, Any], str]] = [
    *[({name: None}, f"Field '{name}' is required.") for name in REQUIRED],
    *[({name: ""}, f"Field '{name}' is required.") for name in REQUIRED[:3]],
    ({"alias": "  "}, "Field 'alias' is required."),
    *[({name: 5}, f"{name}: must be a string") for name in REQUIRED[:3]],
    *[({name: ["x"]}, f"{name}: must be a string") for name in REQUIRED[:3]],
    ({"alias": {"x": "y"}}, "alias: must be a string"),
    ({"alias": LONG}, "alias: must have at most 255 characters, has 256"),
    ({"country_iso": "IND"}, "country_iso: must be an ISO 3166-1 alpha-2 country code"),
    ({"country_iso": "1N"}, "country_iso: must be an ISO 3166-1 alpha-2 country code"),
    ({"country_iso": "ZZ"},
     f"Could not find any requirement for country ZZ; there is one for {COUNTRIES}"),
    ({"number_type": "national"}, "Could not find any requirement for number type national in IN; "
     "there is one for local, mobile, tollfree"),
    ({"number_type": "fixed"},
     "number_type: must be one of local, mobile, tollfree, not 'fixed'"),
    ({"end_user": "Acme"}, "end_user: must be an object"),
    ({"end_user": ["Acme"]}, "end_user: must be an object"),
    ({"end_user": {}}, "Field 'end_user.type' is required. Field 'end_user.name' is required."),
    ({"end_user": {"type": "business"}}, "Field 'end_user.name' is required."),
    ({"end_user": {"type": None, "name": "A"}}, "Field 'end_user.type' is required."),
    ({"end_user": {"type": "person", "name": "A"}},
     "end_user.type: must be one of individual, business, not 'person'"),
    ({"end_user": {"type": "business", "name": 5}}, "end_user.name: must be a string"),
    ({"end_user": {"type": "business", "name": "A", "city": [], "email": LONG}},
     "end_user.email: must have at most 255 characters, has 256; end_user.city: must be a string"),
    ({"documents": "x"}, "documents: must be a list"),
    ({"documents": {"0": {}}}, "documents: must be a list"),
    ({"documents": []}, NO_DOCUMENTS),
    ({"documents": None}, NO_DOCUMENTS),
    ({"documents": [{}]}, f"Field 'documents[0].document_type_id' is required. {NO_DOCUMENTS}"),
    ({"documents": ["x", None]}, "documents[0]: must be an object; "
     f"Field 'documents[1]' is required. {NO_DOCUMENTS}"),
    ({"documents": [{"document_type_id": 5}]},
     f"documents[0].document_type_id: must be a string; {NO_DOCUMENTS}"),
    ({"callback_url": 5}, "callback_url: must be a string"),
    ({"callback_url": "example"}, "callback_url: must be an http or https URL"),
    ({"callback_url": "ftp://127.0.0.1/x"}, "callback_url: must be an http or https URL"),
    ({"callback_url": "https://"}, "callback_url: must be an http or https URL"),
    ({"callback_url": "https://a b/"}, "callback_url: must be an http or https URL"),
    ({"callback_url": "https://[x/"}, "callback_url: is not a valid URL"),
    ({"callback_url": "http://hooks.example.com/x"}, "callback_url: must be an https URL"),
    ({"callback_method": "PUT"}, "callback_method: must be one of GET, POST, not 'PUT'"),
    ({"callback_method": 5}, "callback_method: must be a string"),
    ({"alias": 5, "number_type": "x", "callback_method": "PUT"},
     "number_type: must be one of local, mobile, tollfree, not 'x'; "
     "alias: must be a string; callback_method: must be one of GET, POST, not 'PUT'"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "text"), WRONG_DATA, ids=lambda each: str(each)[:50])
def test_wrong_data_in_a_create(sdk: Http, changes: dict[str, Any], text: str) -> None:
    """Every problem is named with its path, in the order of the schema; null is not given."""
    data = sdk.sdk_data() | changes
    refused(sdk, lambda: send(sdk, data, *FILES), 400, text)


@pytest.mark.parametrize("data", [{}, [], dict.fromkeys(REQUIRED)], ids=["{}", "[]", "nulls"])
def test_a_create_without_anything(sdk: Http, data: Any) -> None:
    """All that is missing is named at once."""
    refused(sdk, lambda: send(sdk, data), 400, ALL_MISSING)


def test_a_blank_data_field_counts_as_an_empty_object(sdk: Http) -> None:
    """As if ``data={}``."""
    refused(sdk, lambda: sdk.post(BASE, data=b"data=", content_type=FORM), 400, ALL_MISSING)


# --- documents and their fields --------------------------------------------------------------


def test_a_document_type_of_another_requirement(sdk: Http) -> None:
    """The sentence lists what the requirement takes."""
    german = sdk.sdk_requirement(country_iso="DE")["document_types"]
    india = sdk.sdk_requirement()["document_types"]
    data = sdk.sdk_data()
    data["documents"][1]["document_type_id"] = german[1]["document_type_id"]
    text = (
        f"documents[1].document_type_id: unknown document type '{german[1]['document_type_id']}' "
        f"for IN/local/business; it takes Registration Certificate "
        f"({india[0]['document_type_id']}), GST certificate ({india[1]['document_type_id']}); "
        "documents: a document of type 'GST certificate' is required"
    )
    refused(sdk, lambda: send(sdk, data, *FILES), 400, text)


@pytest.mark.parametrize("empty", [None, {}, [], {"business_name": ""}, {"business_name": None}])
def test_a_data_field_that_is_not_there(sdk: Http, types: list[str], empty: Any) -> None:
    """The field-reported sentence, with the id of the document type."""
    data = sdk.sdk_data()
    data["documents"][0]["data_fields"] = empty
    text = (
        f"Field 'business_name' is required for document type '{types[0]}'. "
        "Check GET /Requirements for required fields."
    )
    refused(sdk, lambda: send(sdk, data, *FILES), 400, text)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ("x", "documents[0].data_fields: must be an object of strings"),
        (["x"], "documents[0].data_fields: must be an object of strings"),
        ({"business_name": 5}, "documents[0].data_fields.business_name: must be a string"),
        ({"business_name": {}}, "documents[0].data_fields.business_name: must be a string"),
        (
            {"business_name": "x" * 51},
            "documents[0].data_fields.business_name: must have 1 to 50 characters, has 51",
        ),
        (
            {"business_name": "Acme", "x": "y" * 16_384},
            "documents[0].data_fields: has 16402 characters: at most 16384 characters"
            " (limit data_fields)",
        ),
        (
            {"business_name": "Acme"} | {str(n): "" for n in range(300)},
            "documents[0].data_fields: has 301 entries: at most 300 entries (limit fields)",
        ),
    ],
)
def test_wrong_data_fields(sdk: Http, fields: Any, text: str) -> None:
    """The path leads to the field of the document."""
    data = sdk.sdk_data()
    data["documents"][0]["data_fields"] = fields
    refused(sdk, lambda: send(sdk, data, *FILES), 400, text)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("date_of_expiration", "31-12-2030", "must be a date, written yyyy-mm-dd"),
        ("date_of_expiration", "2030-02-30", "must be a date, written yyyy-mm-dd"),
        ("date_of_expiration", "1.1.2030", "must be a date, written yyyy-mm-dd"),
        ("type_of_utility", "Steam",
         "must be one of Water, Electricity, Gas, Property Rental, Others"),
    ],
)  # fmt: skip
def test_a_value_that_its_kind_of_field_does_not_take(
    sdk: Http, field: str, value: str, text: str
) -> None:
    """Dates and enums are checked as they are published (wire-facts.md, "Kinds of fields")."""
    types = sdk.sdk_requirement(user_type="individual")["document_types"]
    at = next(
        at
        for at, type_ in enumerate(types)
        if field in [each["field_name"] for each in type_["required_fields"]]
    )
    documents = [{"document_type_id": each["document_type_id"]} for each in types]
    documents[at]["data_fields"] = {field: value}
    end_user = {"type": "individual", "name": "Asha"}
    answer = send(sdk, sdk.sdk_data(end_user=end_user, documents=documents))
    assert answer.status_code == 400
    assert f"documents[{at}].data_fields.{field}: {text}" in answer.get_json()["error"]


# --- the journal -----------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Http]:
    """A simulator that keeps its state in this folder."""
    sim = make_simulator(replace(PAUSED, state=tmp_path), transport=MemoryTransport())
    yield Http(create_app(sim), sim, agent=SDK_AGENT)
    sim.close()


def test_a_refusal_writes_nothing_to_the_journal(on_disk: Http, tmp_path: Path) -> None:
    """Not a byte, whichever way a call goes wrong."""
    path = f"{BASE}{rejected(on_disk)}/"
    (journal,) = tmp_path.rglob("journal.jsonl")
    before = journal.read_bytes()
    answers = [
        on_disk.post(BASE, **form_of({})),
        on_disk.sdk_create(alias=5),
        on_disk.patch(path, **form_of({"documents": []})),
        on_disk.post(BASE, data=COMPLETE[:60], content_type=TYPE),
        on_disk.get(f"{BASE}?limit=0"),
        on_disk.get(f"{BASE}none/"),
        on_disk.call("PUT", BASE),
        on_disk.get(BASE, headers={"Authorization": None}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 5 + [404, 405, 401]
    assert journal.read_bytes() == before
