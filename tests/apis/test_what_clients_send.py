"""What clients send, on every surface that reads a body: spellings, charsets, packed bodies, names.

Each row is sent to each surface as it is; what all surfaces share is read in one place.
"""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from plivo_sim.control.inputs import LARGEST_JSON_BYTES
from plivo_sim.domain import limits
from plivo_sim.domain.text import bare_name, is_bare_name
from plivo_sim.web.bodies import LARGEST_BODY_BYTES
from plivo_sim.web.calls import TooLarge
from plivo_sim.web.codings import unpacked_whole
from tests.apis import page
from tests.apis.atoms.support import Atoms, certificates
from tests.apis.legacy_support import BUSINESS, Legacy
from tests.console.support import HOME, token_of
from tests.support import AUTH_ID, PDF, PNG, SDK_AGENT, Http, basic, multipart

FORM = "application/x-www-form-urlencoded"
LATIN = "Café Tokaj"

Send = Callable[[Http, bytes, dict[str, str]], TestResponse]


# --- one JSON write and one form of every surface ------------------------------------------


def to(method: str, path: str) -> Send:
    """Send a body to a path as it is, with these headers."""

    def send(http: Http, body: bytes, headers: dict[str, str]) -> TestResponse:
        return http.call(method, path, data=body, headers=headers)

    return send


def to_legacy_document(http: Http, body: bytes, headers: dict[str, str]) -> TestResponse:
    return http.post("ComplianceDocument/", data=body, headers=headers)


def to_atoms(http: Http, body: bytes, headers: dict[str, str]) -> TestResponse:
    return Atoms(http).call("POST", "/applications", data=body, headers=headers)


def to_sdk(http: Http, body: bytes, headers: dict[str, str]) -> TestResponse:
    agent = {"User-Agent": SDK_AGENT}
    return http.post("PhoneNumber/Compliance/", data=body, headers=headers | agent)


def to_console(http: Http, body: bytes, headers: dict[str, str]) -> TestResponse:
    return http.post("/console/do/restore", data=body, headers=headers)


JSON_SURFACES: dict[str, tuple[Send, dict[str, Any], int]] = {
    "beta": (to("POST", "PhoneNumber/Compliance/"), page.create_body(alias=LATIN), 201),
    "legacy": (to("POST", "EndUser/"), BUSINESS | {"name": LATIN}, 201),
    "number": (to("POST", "PhoneNumber/14155550100/"), {"alias": LATIN}, 201),
    "link": (to("POST", "PhoneNumber/Compliance/Link/"), {"numbers": []}, 200),
    "control": (to("POST", "/_sim/clock/pause"), {"account": AUTH_ID}, 200),
    "evaluate": (
        to("POST", f"/_sim/evaluate?account={AUTH_ID}"), page.create_body(alias=LATIN), 200,
    ),
}  # fmt: skip
"""A write of each surface that takes JSON, and the status of its success."""


def sdk_fields(http: Http) -> list[tuple[str, str]]:
    return [("data", json.dumps(http.sdk_data(country_iso="US", documents=[], alias=LATIN)))]


def page_fields(http: Http) -> list[tuple[str, str]]:
    texts = {"end_user": json.dumps(page.END_USER), "documents": json.dumps(page.documents_of())}
    return [*({"country_iso": "IN", "number_type": "local", "alias": LATIN} | texts).items()]


def document_fields(http: Http) -> list[tuple[str, str]]:
    legacy = Legacy(http)
    fields = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[0]}
    return [*(fields | {"alias": LATIN, "business_name": "Acme"}).items()]


def atoms_fields(http: Http) -> list[tuple[str, str]]:
    fields = Atoms(http).fields()
    return [(name, text if isinstance(text, str) else json.dumps(text))
            for name, text in fields.items()]  # fmt: skip


def console_fields(http: Http) -> list[tuple[str, str]]:
    return [("_token", token_of(http)), ("_back", f"{HOME}/time"), ("name", LATIN)]


Fields = Callable[[Http], list[tuple[str, str]]]
FORM_SURFACES: dict[str, tuple[Send, Fields, int]] = {
    "current": (to_sdk, sdk_fields, 201),
    "beta": (to("POST", "PhoneNumber/Compliance/"), page_fields, 201),
    "legacy": (to_legacy_document, document_fields, 201),
    "atoms": (to_atoms, atoms_fields, 201),
    "console": (to_console, console_fields, 303),
}
"""A form of each surface that takes one, and the status of its success."""

json_surfaces = pytest.mark.parametrize("surface", JSON_SURFACES.values(), ids=JSON_SURFACES)
form_surfaces = pytest.mark.parametrize("name", FORM_SURFACES)


@pytest.fixture
def http(http: Http) -> Http:
    """With the account that control calls name."""
    http.sdk_created()
    return http


def multipart_of(name: str, http: Http, fields: list[tuple[str, str]]) -> tuple[bytes, str]:
    """A complete form: that of Atoms has files, too."""
    files = [("files", *each) for each in certificates()] if name == "atoms" else []
    return multipart(fields, files)  # type: ignore[arg-type]  # str is a str | None


def taken(answer: TestResponse, status: int) -> None:
    """A success, whatever it says."""
    assert answer.status_code == status, answer.text


# --- spellings and charsets of a JSON body -------------------------------------------------

Pack = Callable[[str], tuple[bytes, dict[str, str]]]


def typed(content_type: str, codec: str = "utf-8") -> Pack:
    return lambda text: (text.encode(codec), {"Content-Type": content_type})


def packed(coding: str, pack: Callable[[bytes], bytes]) -> Pack:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    return lambda text: (pack(text.encode()), headers)


def raw_deflate(content: bytes) -> bytes:
    """Without the head that HTTP asks for, as some clients send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


JSON_BODIES: dict[str, Pack] = {
    "capitals": typed("APPLICATION/JSON"),
    "a suffix in capitals": typed("Application/Vnd.Api+JSON"),
    "a charset in capitals": typed("Application/Json; Charset=UTF-8"),
    "iso-8859-1": typed("application/json; charset=ISO-8859-1", "latin-1"),
    "windows-1252": typed('application/json; charset="windows-1252"', "cp1252"),
    "utf-16": typed("application/json; charset=utf-16", "utf-16"),
    "utf-16le with a mark": typed("application/json; charset=utf-16le", "utf-16"),
    "utf-16be": typed("application/json; charset=utf-16be", "utf-16-be"),
    "a byte-order mark": typed("application/json", "utf-8-sig"),
    "PowerShell's utf-16": typed("application/json", "utf-16"),
    "gzip": packed("gzip", gzip.compress),
    "gzip in capitals": packed("GZIP", gzip.compress),
    "x-gzip": packed("x-gzip", gzip.compress),
    "deflate": packed("deflate", zlib.compress),
    "deflate without a head": packed("Deflate", raw_deflate),
    "identity": packed("identity", bytes),
}


@json_surfaces
@pytest.mark.parametrize("pack", JSON_BODIES.values(), ids=JSON_BODIES)
def test_a_json_body_is_taken_however_it_is_written(
    http: Http, surface: tuple[Send, dict[str, Any], int], pack: Pack
) -> None:
    """With the same success as the plain one."""
    send, value, status = surface
    body, headers = pack(json.dumps(value, ensure_ascii=False))
    taken(send(http, body, headers), status)


@pytest.mark.parametrize("pack", JSON_BODIES.values(), ids=JSON_BODIES)
def test_the_text_is_the_same_however_it_is_written(http: Http, pack: Pack) -> None:
    """Letter by letter."""
    body, headers = pack(json.dumps(BUSINESS | {"name": LATIN}, ensure_ascii=False))
    assert http.post("EndUser/", data=body, headers=headers).get_json()["name"] == LATIN


# --- what is refused -----------------------------------------------------------------------

BOMB = gzip.compress(b" " * (LARGEST_BODY_BYTES + 1), 9)
NOT_GZIP = "the body is not gzip, as its Content-Encoding says"
GZIP_ENDS = "the gzip body ended early, or goes on after its end"
JSON = "application/json"
REFUSED: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "brotli": (b"{}", {"Content-Encoding": "br"}, 415,
               "he Content-Encoding is 'br'; gzip, deflate and none are taken"),
    "two codings": (b"{}", {"Content-Encoding": "deflate, gzip"}, 415,
                    "he Content-Encoding is 'deflate, gzip'; gzip, deflate and none are taken"),
    "no gzip": (b"{}", {"Content-Encoding": "gzip"}, 400, NOT_GZIP[1:]),
    "half a gzip": (gzip.compress(b"{}")[:-4], {"Content-Encoding": "gzip"}, 400, GZIP_ENDS[1:]),
    "more than a gzip": (gzip.compress(b"{}") * 2, {"Content-Encoding": "gzip"}, 400,
                         GZIP_ENDS[1:]),
    "an unknown charset": (b"{}", {"Content-Type": f"{JSON}; charset=klingon"}, 400,
                           "he body has the charset 'klingon'; utf-8, us-ascii, iso-8859-1, "),
    "not of its charset": (b"{}x", {"Content-Type": f"{JSON}; charset=utf-16"}, 400,
                           "he body is not valid utf-16"),
}  # fmt: skip


@json_surfaces
@pytest.mark.parametrize(("body", "headers", "status", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_with_what_is_taken(
    http: Http,
    surface: tuple[Send, dict[str, Any], int],
    body: bytes,
    headers: dict[str, str],
    status: int,
    told: str,
) -> None:
    """In the words of the surface."""
    answer = surface[0](http, body, {"Content-Type": JSON} | headers)
    assert answer.status_code == status
    assert told in json.dumps(answer.get_json())


@pytest.mark.parametrize("path", ["EndUser/", "PhoneNumber/Compliance/"])
def test_a_bomb_is_refused_by_the_size_that_it_unpacks_to(http: Http, path: str) -> None:
    """By the same limit as a plain body."""
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    answer = http.post(path, data=BOMB, headers=headers)
    assert answer.status_code in (400, 413)
    assert f"over the limit of {limits.JSON.most} bytes" in answer.text


@pytest.mark.parametrize("path", ["ComplianceDocument/", "PhoneNumber/Compliance/"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_form_has_a_limit_of_its_own(
    http: Http, path: str, pack: Callable[[bytes], bytes]
) -> None:
    """Unpacked; one byte more than the limit is refused, in the words of the API."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if pack is gzip.compress:
        headers["Content-Encoding"] = "gzip"
    form = b"data=" + b"x" * (limits.FORM.most - 5)
    told = f"over the limit of {limits.FORM.most} bytes"
    assert told not in http.post(path, data=pack(form), headers=headers).text
    answer = http.post(path, data=pack(form + b"x"), headers=headers)
    assert answer.status_code in (400, 413)
    assert told in answer.text


def test_control_bodies_are_small_when_unpacked(http: Http) -> None:
    """Their own limit holds."""
    body = gzip.compress(json.dumps({"account": "x" * LARGEST_JSON_BYTES}).encode())
    headers = {"Content-Type": JSON, "Content-Encoding": "gzip"}
    assert http.post("/_sim/clock/pause", data=body, headers=headers).status_code == 413


@form_surfaces
def test_a_form_surface_refuses_an_unknown_coding(http: Http, name: str) -> None:
    """415, and the body is not looked at."""
    send, _, _ = FORM_SURFACES[name]
    answer = send(http, b"a=1", {"Content-Type": FORM, "Content-Encoding": "zstd"})
    assert answer.status_code == 415
    assert "gzip, deflate and none are taken" in answer.text


@pytest.mark.parametrize("size", [1, 1029, 65_535, 65_536, 65_537, 131_072, 200_000, 1_000_000])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate])
@pytest.mark.parametrize("source", [b"\x00", bytes(range(256)), random.Random(1).randbytes(70_001)])
def test_what_was_packed_comes_out_whole(
    size: int, pack: Callable[[bytes], bytes], source: bytes
) -> None:
    """Wherever the pieces end in which it is unpacked."""
    content = (source * (size // len(source) + 1))[:size]
    coding = "gzip" if pack is gzip.compress else "deflate"
    assert unpacked_whole(pack(content), coding, size) == content


def test_no_more_than_the_limit_of_a_bomb_is_held() -> None:
    """It is left where the limit is passed."""
    limit, bomb = 1024 * 1024, gzip.compress(b" " * 200_000_000, 9)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpacked_whole(bomb, "gzip", limit)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * limit + len(bomb)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("EndUser/", "application/json; it is text/csv"),
        ("ComplianceDocument/", "application/x-www-form-urlencoded; it is text/csv"),
        ("PhoneNumber/14155550100/", "application/json; it is text/csv"),
        ("PhoneNumber/Compliance/", "the body is text/csv"),
        ("/_sim/clock/pause", "application/json); it is text/csv"),
        ("/console/do/restore", "the body must be a form; it is text/csv"),
        (
            "/beta/v1/Account/MAXXXXXXXXXXXXXXXXXX/PhoneNumber/Compliance/",
            "application/json; it is text/csv",
        ),
    ],
)
def test_another_type_is_refused_with_what_it_is(http: Http, path: str, told: str) -> None:
    """What was seen, and what is taken."""
    answer = http.post(path, data=b"a,b", content_type="Text/CSV; header=present")
    assert answer.status_code == 400
    assert told in answer.text


def test_a_body_in_chunks_of_another_type_is_refused_by_atoms(http: Http) -> None:
    """No length announced it."""
    headers = {"Content-Type": JSON, "Transfer-Encoding": "chunked", "Content-Length": None}
    over = {"wsgi.input_terminated": True}
    answer = Atoms(http).call(
        "POST", "/applications", data=b"{}", headers=headers, environ_overrides=over
    )
    assert "multipart/form-data; it is application/json" in answer.text


# --- forms ---------------------------------------------------------------------------------


@form_surfaces
@pytest.mark.parametrize("spelling", ["Multipart/Form-Data", "MULTIPART/FORM-DATA"])
def test_multipart_in_capitals(http: Http, name: str, spelling: str) -> None:
    """A media type has no case."""
    send, fields, status = FORM_SURFACES[name]
    body, content_type = multipart_of(name, http, fields(http))
    headers = {"Content-Type": content_type.replace("multipart/form-data", spelling)}
    taken(send(http, body, headers), status)


@form_surfaces
def test_a_packed_form(http: Http, name: str) -> None:
    """Files and all."""
    send, fields, status = FORM_SURFACES[name]
    body, content_type = multipart_of(name, http, fields(http))
    headers = {"Content-Type": content_type, "Content-Encoding": "gzip"}
    taken(send(http, gzip.compress(body), headers), status)


WITHOUT_FILES = {name: each for name, each in FORM_SURFACES.items() if name != "atoms"}
URLENCODED: dict[str, Callable[[list[tuple[str, str]]], tuple[bytes, str]]] = {
    "capitals": lambda fields: (urlencode(fields).encode(), FORM.upper()),
    "escapes of a charset": lambda fields: (
        urlencode(fields, encoding="latin-1").encode(), f"{FORM}; charset=ISO-8859-1",
    ),
    "letters of a charset": lambda fields: (
        urlencode(fields, encoding="latin-1").replace("%E9", "é").encode("cp1252"),
        f"{FORM}; charset=windows-1252",
    ),
    "a byte-order mark": lambda fields: (b"\xef\xbb\xbf" + urlencode(fields).encode(), FORM),
    "a mark in each value": lambda fields: (
        urlencode([(k, f"\ufeff{v}") for k, v in fields]).encode(), FORM,
    ),
}  # fmt: skip


@pytest.mark.parametrize("surface", WITHOUT_FILES.values(), ids=WITHOUT_FILES)
@pytest.mark.parametrize("encode", URLENCODED.values(), ids=URLENCODED)
def test_an_urlencoded_form_is_taken_however_it_is_written(
    http: Http, surface: tuple[Send, Fields, int], encode: Any
) -> None:
    """With the same success as the plain one."""
    send, fields, status = surface
    body, content_type = encode(fields(http))
    taken(send(http, body, {"Content-Type": content_type}), status)


def part(name: str, content: bytes, *lines: str) -> bytes:
    head = "\r\n".join([f'Content-Disposition: form-data; name="{name}"', *lines])
    return f"--B\r\n{head}\r\n\r\n".encode() + content + b"\r\n"


@pytest.mark.parametrize(
    ("content", "lines", "charset"),
    [
        (LATIN.encode("latin-1"), ["Content-Type: text/plain; charset=ISO-8859-1"], ""),
        (LATIN.encode("utf-16"), ["Content-Type: text/plain; charset=utf-16"], ""),
        (
            "\ufeff".encode("utf-16-le") + LATIN.encode("utf-16-le"),
            ["Content-Type: text/plain; charset=utf-16le"],
            "",
        ),
        (LATIN.encode("latin-1"), [], "; charset=iso-8859-1"),
        (LATIN.encode(), ["Content-Type: text/plain; charset=utf-8"], "; charset=iso-8859-1"),
        (b"\xef\xbb\xbf" + LATIN.encode(), [], ""),
    ],
)
def test_the_charset_of_a_part(http: Http, content: bytes, lines: list[str], charset: str) -> None:
    """Its own, or that of the form; a byte-order mark is none of the text."""
    fields = [each for each in document_fields(http) if each[0] != "alias"]
    parts = [part("alias", content, *lines), *(part(k, v.encode()) for k, v in fields)]
    answer = http.post(
        "ComplianceDocument/",
        data=b"".join(parts) + b"--B--\r\n",
        content_type=f"multipart/form-data{charset}; boundary=B",
    )
    assert answer.get_json()["alias"] == LATIN


@pytest.mark.parametrize(
    ("path", "name"), [("ComplianceDocument/", "alias"), ("PhoneNumber/Compliance/", "data")]
)
def test_an_unknown_charset_of_a_part_is_refused(http: Http, path: str, name: str) -> None:
    """The field is named."""
    body = part(name, b"x", "Content-Type: text/plain; charset=klingon") + b"--B--\r\n"
    answer = http.post(path, data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 400
    assert f"form field '{name}' has the charset 'klingon'; utf-8, " in answer.text


def test_a_file_is_no_text_whatever_its_charset(http: Http) -> None:
    """Some clients declare one for everything."""
    named = 'Content-Disposition: form-data; name="file"; filename="a.pdf"'
    body = f"--B\r\n{named}\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n".encode()
    fields = [part(k, v.encode()) for k, v in document_fields(http)]
    answer = http.post(
        "ComplianceDocument/",
        data=body + PDF + b"\r\n" + b"".join(fields) + b"--B--\r\n",
        content_type="multipart/form-data; boundary=B",
    )
    assert answer.get_json()["file_name"] == "a.pdf"


# --- file names ----------------------------------------------------------------------------

STAR = "filename*=utf-8''caf%C3%A9.pdf"
WORD = '"=?utf-8?B?Y2Fmw6kucGRm?="'
NAMES: dict[str, tuple[bytes, str]] = {
    ".NET": (f"filename={WORD}; {STAR}".encode(), "café.pdf"),
    "filename* first": (f'{STAR}; filename="caf_.pdf"'.encode(), "café.pdf"),
    "filename* last": (f'filename="caf_.pdf"; {STAR}'.encode(), "café.pdf"),
    "filename* of Latin-1": (b"filename=a.pdf; filename*=ISO-8859-1''caf%E9.pdf", "café.pdf"),
    "filename* in quotes": (b"filename=a.pdf; filename*=\"UTF-8'en'caf%C3%A9.pdf\"", "café.pdf"),
    "filename* in capitals": (b"FILENAME=a.pdf; FILENAME*=UTF-8''caf%C3%A9.pdf", "café.pdf"),
    "filename* of no charset": (b"filename*=klingon''x; filename=a.pdf", "a.pdf"),
    "filename* of wrong bytes": (b"filename*=utf-8''%FF; filename=\"a.pdf\"", "a.pdf"),
    "filename* with folders": (b"filename*=utf-8''..%2F..%2Fa.pdf", "a.pdf"),
    "an encoded word": (f"filename={WORD}".encode(), "café.pdf"),
    "encoded words": (b'filename="=?utf-8?Q?caf=C3=A9?= =?iso-8859-1?q?_=E9.pdf?="', "café é.pdf"),
    "a word of no base64": (b'filename="=?utf-8?B?Y2F?="', "=?utf-8?B?Y2F?="),
    "a word of no charset": (b'filename="=?klingon?B?YQ==?="', "=?klingon?B?YQ==?="),
    "Latin-1 bytes": (b'filename="caf\xe9.pdf"', "café.pdf"),
    "without quotes": (b"filename=my scan.pdf", "my scan.pdf"),
    "narrow spaces": ('filename="at 5.03\u202fPM.pdf"'.encode(), "at 5.03\u202fPM.pdf"),
    "ideographic spaces": ('filename="印\u3000度.pdf"'.encode(), "印\u3000度.pdf"),
    "joiners": ('filename="क्\u200dष\u200c.pdf"'.encode(), "क्\u200dष\u200c.pdf"),
}


@pytest.mark.parametrize(("sent", "kept"), NAMES.values(), ids=NAMES)
def test_the_name_of_a_file(http: Http, sent: bytes, kept: str) -> None:
    """As its sender calls it."""
    named = b'--B\r\nContent-Disposition: form-data; name="file"; ' + sent + b"\r\n\r\n"
    fields = [part(k, v.encode()) for k, v in document_fields(http)]
    answer = http.post(
        "ComplianceDocument/",
        data=named + PDF + b"\r\n" + b"".join(fields) + b"--B--\r\n",
        content_type="multipart/form-data; boundary=B",
    )
    assert answer.get_json()["file_name"] == kept


@pytest.mark.parametrize("character", ["\x00", "\n", "\u202e", "\u200b", "\u2028", "\ufeff"])
def test_what_is_not_seen_is_no_part_of_a_name(character: str) -> None:
    """Controls, and what turns a text round."""
    assert bare_name(f"a{character}b.pdf") == "ab.pdf"
    assert not is_bare_name(f"a{character}b.pdf")


@pytest.mark.parametrize("name", ["a.pdf", "क\u200dष.pdf", "a\u3000b", "\U0003fffd", 'a"b', "%22"])
def test_a_name_that_was_kept_is_one_to_keep(name: str) -> None:
    """Also that of a character which only another version of Python knows."""
    assert is_bare_name(name)
    assert is_bare_name(bare_name(name))


# --- lists of files, and files that were not chosen ----------------------------------------

LISTS = ["files[]", "file[]", "documents[]"]


@pytest.mark.parametrize("name", LISTS)
def test_files_in_brackets_go_to_the_documents_of_the_page(http: Http, name: str) -> None:
    """In their order."""
    documents = [{"type": type_} for type_ in page.FILES]
    fields = [each for each in page_fields(http) if each[0] != "documents"]
    fields.append(("documents", json.dumps(documents)))
    body, kind = multipart(fields, [(name, *each) for each in page.FILES.values()])
    id = page.Page(http).created(data=body, content_type=kind)["compliance_id"]
    shown = page.Page(http).get(id)["documents"]
    assert [each["file_name"] for each in shown] == [name for name, _ in page.FILES.values()]


@pytest.mark.parametrize("name", LISTS)
def test_files_in_brackets_go_to_the_documents_of_atoms(http: Http, name: str) -> None:
    """As ``files`` do."""
    body, kind = multipart(atoms_fields(http), [(name, *each) for each in certificates()])
    answer = to_atoms(http, body, {"Content-Type": kind})
    taken(answer, 201)
    assert "X-Plivo-Sim-Warning" not in answer.headers


@pytest.mark.parametrize("name", LISTS)
def test_the_file_of_a_legacy_document_in_brackets(http: Http, name: str) -> None:
    """One file is one file."""
    body, kind = multipart(document_fields(http), [(name, "a.pdf", PDF)])
    answer = to_legacy_document(http, body, {"Content-Type": kind})
    assert answer.get_json()["file_name"] == "a.pdf"


def test_files_in_brackets_are_told_by_the_sdk_dialect(http: Http) -> None:
    """The live service ignores them (observed), so the refusal says what each is called."""
    data = [("data", json.dumps(http.sdk_data()))]
    body, kind = multipart(data, [("files[]", "a.pdf", PDF), ("files[]", "b.png", PNG)])
    answer = to_sdk(http, body, {"Content-Type": kind})
    assert "documents[0].file: a file is required" in answer.get_json()["error"]
    assert "ignored field 'files[]'" in answer.headers["X-Plivo-Sim-Warning"]


def sdk_with(http: Http, name: str | None, content: bytes) -> str:
    files = [("documents[0].file", name, content), ("documents[1].file", "b.png", PNG)]
    body, kind = multipart([("data", json.dumps(http.sdk_data()))], files)  # type: ignore[arg-type]
    return to_sdk(http, body, {"Content-Type": kind}).text


def page_with(http: Http, name: str | None, content: bytes) -> str:
    fields = [each for each in page_fields(http) if each[0] != "documents"]
    fields.append(("documents", json.dumps([{"type": type_} for type_ in page.FILES])))
    body, kind = multipart(fields, [("documents[0].file", name, content)])
    return http.post("PhoneNumber/Compliance/", data=body, content_type=kind).text


def atoms_with(http: Http, name: str | None, content: bytes) -> str:
    files = [("files", name, content), ("files", "b.png", PNG)]
    body, kind = multipart(atoms_fields(http), files)  # type: ignore[arg-type]
    return to_atoms(http, body, {"Content-Type": kind}).text


def legacy_with(http: Http, name: str | None, content: bytes) -> str:
    body, kind = multipart(document_fields(http), [("file", name, content)])
    return to_legacy_document(http, body, {"Content-Type": kind}).text


UPLOADS = {
    "current": (sdk_with, "documents[0].file", "documents[0].file: a file is required"),
    "beta": (page_with, "documents[0].file", '"param":"documents[0].file"'),
    "atoms": (atoms_with, "files", "Expected 2 files, got 1"),
    "legacy": (legacy_with, "file", '"file_name":null'),
}
"""How a file comes, the name of its field, and what is said when none came."""
uploads = pytest.mark.parametrize(("send", "field", "none"), UPLOADS.values(), ids=UPLOADS)


@uploads
@pytest.mark.parametrize("is_named", [False, True])
def test_an_input_in_which_nothing_was_chosen_is_no_file(
    http: Http, send: Callable[[Http, str, bytes], str], field: str, none: str, is_named: bool
) -> None:
    """Browsers send no name, the Python SDK that of the field."""
    told = send(http, field if is_named else "", b"")
    assert none in told
    assert "is empty" not in told


@uploads
def test_a_named_file_without_bytes_is_an_empty_file(
    http: Http, send: Callable[[Http, str, bytes], str], field: str, none: str
) -> None:
    """It is refused everywhere, not lost."""
    assert "ile 'a.pdf' is empty" in send(http, "a.pdf", b"")


# --- header tokens -------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic", "bAsIc"])
def test_the_scheme_of_credentials_has_no_case(http: Http, scheme: str) -> None:
    """As RFC 9110 has it."""
    headers = {"Authorization": basic().replace("Basic", scheme)}
    assert http.get("EndUser/", headers=headers).status_code == 200


@pytest.mark.parametrize("dialect", ["current", "CURRENT", "Beta"])
def test_the_dialect_header_has_no_case(http: Http, dialect: str) -> None:
    """It is a word, not a name."""
    answer = http.get("PhoneNumber/Compliance/", headers={"X-Plivo-Sim-Dialect": dialect})
    assert answer.headers["X-Plivo-Sim-Dialect"] == dialect.lower()


@pytest.mark.parametrize("outcome", ["Rejected; After=1h", "REJECTED;AFTER=1h"])
def test_the_outcome_header_has_no_case(http: Http, outcome: str) -> None:
    """Word and options."""
    data = http.sdk_data(country_iso="US", documents=[])
    body, kind = multipart([("data", json.dumps(data))], [])
    headers = {"Content-Type": kind, "X-Plivo-Sim-Outcome": outcome}
    id = to_sdk(http, body, headers).get_json()["compliance_id"]
    http.advance("1h")
    shown = http.get(f"PhoneNumber/Compliance/{id}/", headers={"User-Agent": SDK_AGENT})
    assert shown.get_json()["compliance"]["status"] == "rejected"


def test_an_octet_stream_in_capitals_is_a_file(http: Http) -> None:
    """A Node buffer has no file name; what is in it is judged as a file's content."""
    fields = [part(k, v.encode()) for k, v in document_fields(http)]
    sent = part("file", b"MZ", "Content-Type: Application/Octet-Stream")
    answer = http.post(
        "ComplianceDocument/",
        data=sent + b"".join(fields) + b"--B--\r\n",
        content_type="multipart/form-data; boundary=B",
    )
    assert "file 'file' must be PDF" in answer.get_json()["error"]


# --- the inbox -----------------------------------------------------------------------------


def test_the_inbox_unpacks_what_it_keeps(http: Http) -> None:
    """As a receiver would see it."""
    headers = {"Content-Encoding": "GZip"}
    http.post("/_sim/inbox/a", data=gzip.compress(LATIN.encode()), headers=headers)
    kept = http.get("/_sim/inbox/a/messages").get_json()["messages"]
    assert [each["body"] for each in kept] == [LATIN]


def test_the_inbox_keeps_the_start_of_what_is_large_when_unpacked(http: Http) -> None:
    """As of what is large as it is."""
    headers = {"Content-Encoding": "gzip"}
    http.post("/_sim/inbox/a", data=gzip.compress(b"x" * 10_000_000), headers=headers)
    kept = http.get("/_sim/inbox/a/messages").get_json()["messages"]
    assert [each["body"] for each in kept] == ["x" * limits.INBOX_BODY.most]


def test_the_inbox_refuses_what_it_cannot_unpack(http: Http) -> None:
    """Rather than keep what nobody can read."""
    answer = http.post("/_sim/inbox/a", data=b"x", headers={"Content-Encoding": "br"})
    assert answer.status_code == 415


def test_an_exchange_shows_what_was_packed(http: Http) -> None:
    """And its curl command does not say that it still is."""
    body = gzip.compress(json.dumps(BUSINESS).encode())
    headers = {"Content-Type": f"{JSON}; charset=utf-8", "Content-Encoding": "gzip"}
    made = http.post("EndUser/", data=body, headers=headers)
    shown = http.get(f"{HOME}/requests/{made.headers['X-Request-Id']}").text
    assert "Acme Traders" in shown
    command = shown[shown.index("curl -X POST") :].split("</", 1)[0]
    assert "Content-Encoding" not in command
    assert "charset=utf-8" in command, "it is sent as it was read"
