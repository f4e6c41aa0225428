"""Bodies as the official SDKs, browsers and command lines really send them.

Every one of them is a correct request. The numbers are those of wire-facts.md,
"Checklist of traps".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from werkzeug.test import TestResponse

from tests.apis.current_support import (
    BASE,
    FILES,
    FORM,
    created,
    documents_of,
    form_of,
    names_of,
    rejected,
)
from tests.support import PDF, PNG, SDK_AGENT, Http, multipart

GO_AGENT = "Go-http-client/1.1"


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


def form(*parts: tuple[str, bytes], boundary: str = "B", quoted: bool = False) -> dict[str, Any]:
    """A form of parts whose heads are written out, without the empty line after them."""
    body = b"".join(
        f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts
    )
    named = f'"{boundary}"' if quoted else boundary
    return {
        "data": body + f"--{boundary}--\r\n".encode(),
        "content_type": f"multipart/form-data; boundary={named}",
    }


def head(name: str, filename: str | None = None, *more: str) -> str:
    """The head of a part in the usual spelling."""
    named = "" if filename is None else f'; filename="{filename}"'
    lines = [f'Content-Disposition: form-data; name="{name}"{named}', *more]
    return "\r\n".join(lines)


def content_of(sdk: Http, id: str, index: int) -> bytes:
    url = documents_of(sdk, id)[index]["download_url"]
    return sdk.get(url.removeprefix("http://127.0.0.1")).data


def data_part(sdk: Http, *more: str) -> tuple[str, bytes]:
    return head("data", None, *more), json.dumps(sdk.sdk_data()).encode()


# --- 2, 7: the data part ---------------------------------------------------------------------


def unregulated(sdk: Http) -> dict[str, Any]:
    """A complete ``data`` for a country that asks for no documents."""
    return sdk.sdk_data(country_iso="US", documents=[])


@pytest.mark.parametrize("encode", [lambda text: urlencode({"data": text}), quote])
def test_2_urlencoded_data(sdk: Http, encode: Any) -> None:
    """Python and Ruby send it when there is no file, with ``+`` or ``%20`` for a space."""
    text = encode(json.dumps(unregulated(sdk)))
    body = text if text.startswith("data=") else f"data={text}"
    created(sdk, data=body.encode(), content_type=FORM)


def test_2_urlencoded_data_with_a_charset(sdk: Http) -> None:
    """Parameters of the content type do not matter."""
    body = urlencode({"data": json.dumps(unregulated(sdk))}).encode()
    created(sdk, data=body, content_type=f"{FORM}; charset=UTF-8")


def test_2_multipart_without_files(sdk: Http) -> None:
    """Node, Go, PHP, Java and .NET send it."""
    created(sdk, **form_of(unregulated(sdk)))


def test_7_an_update_with_data_of_an_empty_list(sdk: Http) -> None:
    """PHP sends ``[]`` for an empty object; the application is submitted again as it is."""
    id = rejected(sdk)
    answer = sdk.patch(f"{BASE}{id}/", **form_of([]))
    assert (answer.status_code, answer.get_json()["compliance"]["status"]) == (200, "submitted")


def test_7_empty_lists_for_objects(sdk: Http) -> None:
    """Also within ``data``."""
    data = sdk.sdk_data()
    data["documents"][1]["data_fields"] = []
    created(sdk, **form_of(data, *FILES))


def test_7_escaped_slashes(sdk: Http) -> None:
    """PHP escapes them in JSON."""
    data = sdk.sdk_data(callback_url="http://127.0.0.1:9/cb")
    body, content_type = multipart([("data", json.dumps(data).replace("/", "\\/"))], list(FILES))
    id = created(sdk, data=body, content_type=content_type)
    shown = sdk.get(f"{BASE}{id}/").get_json()["compliance"]
    assert shown["callback_url"] == "http://127.0.0.1:9/cb"


def test_6_nulls_count_as_not_given(sdk: Http) -> None:
    """For everything that is optional, at every depth."""
    data = sdk.sdk_data() | {"callback_url": None, "callback_method": None, "unknown": None}
    data["end_user"] |= {"last_name": None, "address_line2": None}
    data["documents"][1]["data_fields"] = None
    id = created(sdk, **form_of(data, *FILES))
    shown = sdk.get(f"{BASE}{id}/?expand=end_user").get_json()["compliance"]
    assert (shown["callback_url"], shown["end_user"]["last_name"]) == (None, None)


def test_extra_keys_are_tolerated(sdk: Http) -> None:
    """The tests of four SDKs send some."""
    data = sdk.sdk_data() | {"user_type": "business", "end_user_id": "1", "end_user_name": "x"}
    created(sdk, **form_of(data, *FILES))


@pytest.mark.parametrize(("number_type", "shown"), [("Toll Free", "tollfree"), ("LOCAL", "local")])
def test_9_words_in_any_case(sdk: Http, number_type: str, shown: str) -> None:
    """Number type, user type, country and method; answers have the one spelling."""
    data = sdk.sdk_data(
        number_type=number_type,
        country_iso="in",
        callback_url="http://127.0.0.1:9/cb",
        callback_method="get",
    )
    data["end_user"]["type"] = "Business"
    id = created(sdk, **form_of(data, *FILES))
    record = sdk.get(f"{BASE}{id}/").get_json()["compliance"]
    assert [record[key] for key in ("number_type", "user_type", "country_iso")] == [
        shown,
        "business",
        "IN",
    ]
    assert record["callback_method"] == "GET"


# --- 3, 4: the file parts --------------------------------------------------------------------


def test_3_file_parts_without_a_content_type(sdk: Http) -> None:
    """Python sends none; the bytes tell."""
    id = created(sdk, **form_of(sdk.sdk_data(), *FILES))
    assert names_of(sdk, id) == ["certificate.pdf", "gst.png"]
    assert content_of(sdk, id, 1) == PNG


def test_3_octet_streams(http: Http) -> None:
    """Go sends all files as such, under a User-Agent that does not name the SDK."""
    octets = "Content-Type: application/octet-stream"
    body = form(
        data_part(http),
        (head("documents[0].file", "certificate.pdf", octets), PDF),
        (head("documents[1].file", "gst.png", octets), PNG),
    )
    answer = http.post(BASE, headers={"User-Agent": GO_AGENT}, **body)
    assert (answer.status_code, answer.headers["X-Plivo-Sim-Dialect"]) == (201, "current")


def test_3_a_file_part_without_a_file_name(sdk: Http) -> None:
    """A Node buffer; it is called after its field."""
    octets = "Content-Type: application/octet-stream"
    body = form(
        data_part(sdk),
        (head("documents[0].file", None, octets), PDF),
        (head("documents[1].file", None), PNG),
    )
    id = created(sdk, **body)
    assert names_of(sdk, id) == ["documents[0].file", "documents[1].file"]
    assert [content_of(sdk, id, n) for n in (0, 1)] == [PDF, PNG]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("/home/me/certificate.pdf", "certificate.pdf"),
        ("C:\\Users\\me\\certificate.pdf", "certificate.pdf"),
        ("\\\\server\\share\\certificate.pdf", "certificate.pdf"),
        ("../../../etc/passwd", "passwd"),
        ('a\\"b.pdf', 'a"b.pdf'),
        ("a%22b%22.pdf", 'a"b".pdf'),
        ("Žluťoučký kůň.pdf", "Žluťoučký kůň.pdf"),
        ("印度.pdf", "印度.pdf"),
        ("", "file"),
        ("folder/", "file"),
    ],
)
def test_3_file_names(sdk: Http, sent: str, kept: str) -> None:
    """Bare names in raw UTF-8; folders go, ``%22`` is a quote."""
    named = ("documents[0].file", sent, PDF)
    assert names_of(sdk, created(sdk, **form_of(sdk.sdk_data(), named, FILES[1])))[0] == kept


def test_4_the_parts_of_dotnet(sdk: Http) -> None:
    """Names without quotes, ``filename*``, a quoted boundary, a type on the text part."""
    text = "Content-Type: text/plain; charset=utf-8"
    named = "Content-Disposition: form-data; name="
    star = "; filename=caf_.pdf; filename*=utf-8''caf%C3%A9.pdf"
    body = form(
        (f"{text}\r\n{named}data", json.dumps(sdk.sdk_data()).encode()),
        (f'Content-Type: application/pdf\r\n{named}"documents[0].file"{star}', PDF),
        (f'{named}"documents[1].file"; filename=gst.png', PNG),
        boundary="b1c2-d3",
        quoted=True,
    )
    assert names_of(sdk, created(sdk, **body)) == ["café.pdf", "gst.png"]


def test_4_lengths_and_encodings_of_parts(sdk: Http) -> None:
    """Ruby, PHP and Java say how long each part is, and Ruby how it is encoded."""
    length = f"Content-Length: {len(PDF)}"
    body = form(
        data_part(sdk, f"Content-Length: {len(json.dumps(sdk.sdk_data()))}"),
        (
            head(
                "documents[0].file",
                "a.pdf",
                length,
                "Content-Type: application/pdf",
                "Content-Transfer-Encoding: binary",
            ),
            PDF,
        ),
        (head("documents[1].file", "b.png", "Content-Transfer-Encoding: binary"), PNG),
    )
    assert content_of(sdk, created(sdk, **body), 0) == PDF


def test_lower_case_heads_and_other_orders(sdk: Http) -> None:
    """Files first, header names in any case, a preamble and an epilogue around the parts."""
    body = form(
        (head("documents[1].file", "b.png").lower(), PNG),
        (head("documents[0].file", "a.pdf").replace("Content-D", "content-d"), PDF),
        data_part(sdk),
    )
    body["data"] = b"preamble\r\n" + body["data"] + b"epilogue"
    assert names_of(sdk, created(sdk, **body)) == ["a.pdf", "b.png"]


@pytest.mark.parametrize(
    "agent", ["Mozilla/5.0", "curl/8.0", "node", "aiohttp/3.9", "Go-http-client/1.1"]
)
@pytest.mark.parametrize(
    "data_head",
    [
        head("data"),
        head("data", None, "Content-Type: application/json"),
        head("data", "blob", "Content-Type: application/json"),
        head("data", "app.json", "Content-Type: application/octet-stream"),
    ],
    ids=["text", "json", "blob", "uploaded"],
)
def test_11_a_data_part_says_sdk_whoever_sends_it(http: Http, agent: str, data_head: str) -> None:
    """Also as a browser's Blob or an uploaded file (field-reported)."""
    body = form(
        (data_head, json.dumps(http.sdk_data()).encode()),
        (head("documents[0].file", "a.pdf"), PDF),
        (head("documents[1].file", "b.png"), PNG),
    )
    answer = http.post(BASE, headers={"User-Agent": agent}, **body)
    assert (answer.status_code, answer.headers["X-Plivo-Sim-Dialect"]) == (201, "current")


def test_binary_files_that_hold_the_boundary_survive(sdk: Http) -> None:
    """Line ends and something like the boundary within a file are content."""
    tricky = PDF + b"\r\n--B\r-- \r\n--\r\n\n\r" + bytes(range(256))
    body = form(
        data_part(sdk),
        (head("documents[0].file", "a.pdf"), tricky),
        (head("documents[1].file", "b.png"), PNG),
        boundary="BOUNDARY",
    )
    assert content_of(sdk, created(sdk, **body), 0) == tricky


# --- 35: what nobody looks at ----------------------------------------------------------------


def test_35_unknown_fields_are_ignored_and_named(sdk: Http) -> None:
    """Silently on the live service; here a header says so."""
    answer = sdk.post(
        BASE,
        **form_of(sdk.sdk_data(), *FILES, ("file_0", "a.pdf", PDF), ("api_id", None, b"")),
    )
    assert answer.status_code == 201
    warned = answer.headers["X-Plivo-Sim-Warning"]
    assert "'file_0'" in warned
    assert "'api_id'" in warned


def test_35_a_file_without_its_document_is_ignored(sdk: Http) -> None:
    """An index that no document has pairs with nothing."""
    surplus = ("documents[7].file", "c.pdf", b"%PDF-other")
    answer = sdk.post(BASE, **form_of(sdk.sdk_data(), *FILES, surplus))
    assert names_of(sdk, answer.get_json()["compliance_id"]) == ["certificate.pdf", "gst.png"]
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored field 'documents[7].file'"


def test_35_of_two_parts_of_one_name_the_first_counts(sdk: Http) -> None:
    """The other is named."""
    again = ("documents[0].file", "c.pdf", b"%PDF-other")
    answer = sdk.post(BASE, **form_of(sdk.sdk_data(), *FILES, again))
    assert names_of(sdk, answer.get_json()["compliance_id"]) == ["certificate.pdf", "gst.png"]
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored field 'documents[0].file'"


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_35_every_key_that_nothing_uses_is_named(sdk: Http, method: str) -> None:
    """At any depth; null is not given, and data fields are never ignored."""
    path = BASE if method == "POST" else f"{BASE}{rejected(sdk)}/"
    data = sdk.sdk_data(alias="Another") | {"user_type": "business", "end_user_id": None}
    data["end_user"] |= {"adress_line1": "x", "address": {"line1": "y"}}
    data["documents"][1] |= {"file": "gst.png", "data_fields": {"number": "7"}}
    answer = sdk.call(method, path, **form_of(data, *FILES))
    assert answer.status_code in (200, 201)
    names = ("user_type", "end_user.adress_line1", "end_user.address", "documents[1].file")
    expected = {"country_iso", "number_type"} if method == "PATCH" else set()
    told = set(answer.headers["X-Plivo-Sim-Warning"].split("; "))
    assert told == {f"ignored field '{name}'" for name in {*names, *expected}}


# --- bodies where none is needed -------------------------------------------------------------


@pytest.mark.parametrize("body", [b'""', b"{}", b'{"id": "1"}', b"nonsense"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_6_a_body_on_get_and_delete_is_not_looked_at(sdk: Http, method: str, body: bytes) -> None:
    """Node sends ``""``, PHP and .NET ``{}``."""
    path = f"{BASE}{sdk.sdk_created()}/"
    answer = sdk.call(method, path, data=body, content_type="application/json")
    assert answer.status_code == 200


def test_8_the_id_that_java_sends_on_every_get(sdk: Http) -> None:
    """Tolerated here, though the live service is said to refuse it
    (decision "Unknown query parameters")."""
    id = sdk.sdk_created()
    assert sdk.get(f"{BASE}{id}/?id={id}").status_code == 200


def expanded(answer: TestResponse) -> set[str]:
    record = answer.get_json()["compliance"]
    return {"end_user", "documents", "linked_numbers"} & set(record)


@pytest.mark.parametrize(
    ("expand", "shown"),
    [
        ("end_user%2Cdocuments", {"end_user", "documents"}),
        ("end_user,linked_numbers", {"end_user", "linked_numbers"}),
        ("true", {"end_user", "documents", "linked_numbers"}),
        ("documents,", {"documents"}),
        ("", set()),
    ],
)
def test_8_spellings_of_expand(sdk: Http, expand: str, shown: set[str]) -> None:
    """Commas encoded or not; ``true`` from PHP's own test is everything."""
    id = sdk.sdk_created()
    assert expanded(sdk.get(f"{BASE}{id}/?expand={expand}")) == shown
