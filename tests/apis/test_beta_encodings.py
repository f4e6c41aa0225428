"""The encodings of create and update: the page states none, so the usual ones are all taken.

source: inferred, all of it.
"""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from plivo_sim.apis.phone_number.beta.reading import read_file
from tests.apis import page
from tests.apis.page import CREATE, END_USER, FILES, FORM, URL, Page, speaking_beta
from tests.support import PDF, Http, multipart

Request = dict[str, Any]
TYPES = list(FILES)
UPLOADS = list(FILES.values())


@pytest.fixture
def http(http: Http) -> Http:
    return speaking_beta(http)


@pytest.fixture
def api(http: Http) -> Page:
    return Page(http)


def form(fields: list[tuple[str, str]], files: list[tuple[str, str | None, bytes]]) -> Request:
    body, content_type = multipart(fields, files)
    return {"data": body, "content_type": content_type}


def plain(**more: str) -> list[tuple[str, str]]:
    return [("country_iso", "IN"), ("number_type", "local"), *more.items()]


def files_as(name: str) -> list[tuple[str, str | None, bytes]]:
    return [(name.format(i), file, content) for i, (file, content) in enumerate(UPLOADS)]


def types_as(name: str) -> list[tuple[str, str]]:
    return [(name.format(i), type_) for i, type_ in enumerate(TYPES)]


def bracketed() -> Request:
    """PHP, axios, qs: brackets all the way."""
    fields = plain() + page.flat({"end_user": END_USER}) + types_as("documents[{}][type]")
    return form(fields, files_as("documents[{}][file]"))


def dotted() -> Request:
    """As the SDKs name their files."""
    fields = plain() + page.flat({"end_user": END_USER}, style=".") + types_as("documents[{}].type")
    return form(fields, files_as("documents[{}].file"))


def dotted_indexes() -> Request:
    """object-to-formdata with dots."""
    fields = plain() + page.flat({"end_user": END_USER}, style=".") + types_as("documents.{}.type")
    return form(fields, files_as("documents.{}.file"))


def mixed() -> Request:
    """Every document another way, the end user half JSON text and half fields."""
    address = json.dumps(END_USER["address"])
    fields = plain() + [(f"end_user[{k}]", END_USER[k]) for k in ("type", "name", "email")]
    fields += [
        ("end_user.address", address),
        ("end_user.registration_number", "U72200KA2020PTC123456"),
    ]
    fields += [("documents[0].type", TYPES[0]), ("documents[1][type]", TYPES[1])]
    fields += [("documents.2", json.dumps({"type": TYPES[2]}))]
    names = ("documents[0][file]", "documents.1.file", "documents[2].file")
    return form(fields, [(name, *UPLOADS[i]) for i, name in enumerate(names)])


def json_text() -> Request:
    """Objects as JSON text, files beside them; the files come first."""
    texts = [
        ("end_user", json.dumps(END_USER)),
        ("documents", json.dumps([{"type": t} for t in TYPES])),
    ]
    body, content_type = multipart([], files_as("documents[{}].file"))
    end = body.rindex(b"--cb1ea573abe400c9f6d6a0fce7a2fead--")
    more, _ = multipart([*plain(), *texts], [])
    return {"data": body[:end] + more, "content_type": content_type}


def repeated_files() -> Request:
    """``files`` in the order of the documents."""
    texts = plain(end_user=json.dumps(END_USER), documents=json.dumps([{"type": t} for t in TYPES]))
    return form(texts, files_as("files"))


def repeated_files_around_an_own_one() -> Request:
    """A document with a file of its own takes none of them."""
    texts = plain(end_user=json.dumps(END_USER), documents=json.dumps([{"type": t} for t in TYPES]))
    return form(texts, [
        ("files", *UPLOADS[0]), ("documents[1].file", *UPLOADS[1]), ("files", *UPLOADS[2]),
    ])  # fmt: skip


def blobs() -> Request:
    """A browser's fetch: objects as JSON blobs, which it names ``blob``."""
    texts = [("end_user", "blob", json.dumps(END_USER).encode())]
    texts += [("documents", "blob", json.dumps([{"type": t} for t in TYPES]).encode())]
    return form(plain(), [*texts, *files_as("documents[{}].file")])


def embedded() -> Request:
    """JSON with base64."""
    return {"json": page.create_body()}


def data_urls() -> Request:
    """JSON with data URLs; the name goes with them as a parameter."""
    documents = [
        {"type": t, "file": f"data:x/y;name={quote(n)};base64,{base64.b64encode(c).decode()}"}
        for t, (n, c) in FILES.items()
    ]
    return {"json": CREATE | {"documents": documents}}


def json_text_with_embedded_files() -> Request:
    """A multipart form whose ``documents`` carries the files itself."""
    texts = plain(end_user=json.dumps(END_USER), documents=json.dumps(page.documents_of()))
    return form(texts, [])


def urlencoded() -> Request:
    """Small files fit into a plain form, too."""
    fields = {
        **CREATE,
        "end_user": json.dumps(END_USER),
        "documents": json.dumps(page.documents_of()),
    }
    return {"data": urlencode(fields), "content_type": FORM}


def json_without_content_type() -> Request:
    return {"data": json.dumps(page.create_body()), "content_type": ""}


ENCODINGS = [
    bracketed, dotted, dotted_indexes, mixed, json_text, repeated_files,
    repeated_files_around_an_own_one, blobs, embedded, data_urls, json_text_with_embedded_files,
    urlencoded, json_without_content_type,
]  # fmt: skip


@pytest.mark.parametrize("encode", ENCODINGS, ids=lambda each: each.__name__)
def test_every_encoding_makes_the_same_record(api: Page, encode: Callable[[], Request]) -> None:
    """The same values, documents, file names and bytes."""
    shown = api.get(api.created(**encode())["compliance_id"])
    assert {key: shown["end_user"][key] for key in END_USER} == END_USER
    assert [(each["type"], each["file_name"]) for each in shown["documents"]] == [
        (type_, name) for type_, (name, _) in FILES.items()
    ]
    for each in shown["documents"]:
        path = each["file_url"].removeprefix("http://127.0.0.1")
        assert api.http.get(path).data == FILES[each["type"]][1]


def test_a_file_without_a_name_gets_one(api: Page) -> None:
    """Its type and what it is."""
    content = base64.b64encode(PDF + b"x").decode()
    id = api.created(json=page.create_body(documents__0__file={"content": content}))
    shown = api.get(id["compliance_id"])
    assert shown["documents"][0]["file_name"] == "identity_proof.pdf"


def test_a_file_part_without_a_file_name_is_a_file(api: Page) -> None:
    """As Node sends a buffer (observed for the SDK); the part's name is what it has."""
    fields = plain(end_user=json.dumps(END_USER)) + types_as("documents[{}].type")
    files: list[tuple[str, str | None, bytes]] = files_as("documents[{}].file")
    files[0] = ("documents[0].file", None, PDF + b"1")
    shown = api.get(api.created(**form(fields, files))["compliance_id"])
    assert shown["documents"][0]["file_name"] == "documents[0].file"


@pytest.mark.parametrize(
    "change",
    [
        {"data": "alias=new&end_user[name]=Acme", "content_type": FORM},
        {"data": "alias=new&end_user.name=Acme", "content_type": FORM},
        {"data": urlencode({"alias": "new", "end_user": '{"name":"Acme"}'}), "content_type": FORM},
        {"json": {"alias": "new", "end_user": {"name": "Acme"}}},
        {"json": {"alias": "new", "end_user": {"name": "Acme"}, "documents": None}},
        {"json": {"alias": "new", "end_user": {"name": "Acme", "email": None}, "documents": []}},
        form([("alias", "new"), ("end_user[name]", "Acme")], []),
    ],
    ids=range(7),
)
def test_every_encoding_corrects(api: Page, change: Request) -> None:
    """Without files; what is null or absent stays as it is."""
    id = api.id()
    api.http.decide(id, "rejected")
    assert api.http.patch(f"{URL}/{id}", **change).status_code == 200
    shown = api.get(id)
    assert (shown["alias"], shown["end_user"]["name"]) == ("new", "Acme")
    assert shown["end_user"]["email"] == END_USER["email"]
    assert len(shown["documents"]) == 3


def test_a_correction_by_form_replaces_one_file(api: Page) -> None:
    """The file of the index that the form gives it."""
    id = api.id()
    api.http.decide(id, "rejected")
    change = form([("documents[0][type]", "address_proof")], [("documents[0][file]", "n.pdf", PDF)])
    assert api.http.patch(f"{URL}/{id}", **change).status_code == 200
    assert [each["file_name"] for each in api.get(id)["documents"]] == [
        "passport.pdf", "n.pdf", "registration.pdf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "ignored"),
    [
        ({"callbackUrl": "x"}, "callbackUrl"),
        ({"end_user[address_line1]": "x"}, "end_user.address_line1"),
        ({"end_user.address.zip": "x"}, "end_user.address.zip"),
        ({"documents[0][name]": "x"}, "documents[0].name"),
        ({"what is this": "x"}, "what is this"),
        ({"documents[]": "x"}, "documents[]"),
        ({"a.b.c.d.e.f.g": "x"}, "a.b.c.d.e.f.g"),
    ],
)
def test_what_nobody_looks_at_is_told(api: Page, more: dict[str, str], ignored: str) -> None:
    """The live service ignores unknown fields (observed); a header says so here."""
    fields = plain(end_user=json.dumps(END_USER), **more) + types_as("documents[{}].type")
    answer = api.http.post(f"{URL}/", **form(fields, files_as("documents[{}].file")))
    assert answer.status_code == 201, answer.text
    assert f"ignored field '{ignored}'" in answer.headers["X-Plivo-Sim-Warning"]


def test_a_surplus_file_is_told(api: Page) -> None:
    """More ``files`` than documents that wait for one."""
    fields = plain(end_user=json.dumps(END_USER)) + types_as("documents[{}].type")
    files = [*files_as("documents[{}].file"), ("files", "z.pdf", PDF)]
    answer = api.http.post(f"{URL}/", **form(fields, files))
    assert answer.headers["X-Plivo-Sim-Warning"] == "ignored field 'files'"


@pytest.mark.parametrize(
    "file",
    [
        "data:application/pdf," + "%41" * 100_000,
        "data:application/pdf;base64," + "%41" * 100_000,
        "data:application/pdf," + "%41aa" * 60_000,
        {"name": "a.pdf", "content": "ab " * 100_000},
    ],
    ids=["escapes", "escaped base64", "escapes between", "base64 with blanks"],
)
def test_an_embedded_file_takes_little_memory(file: Any) -> None:
    """Not an object for each escape or word of it: 56 KB that were packed took 4.5 GB."""
    tracemalloc.start()
    try:
        upload, _ = read_file(file, (), "document")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert upload is not None
    assert most < 5 * 300_000


def test_the_head_of_a_data_url_is_so_long() -> None:
    """Each of its options was looked at."""
    _, problem = read_file(f"data:{';' * 1025},", (), "document")
    assert problem is not None
    assert "(limit data_url_head)" in problem.text
