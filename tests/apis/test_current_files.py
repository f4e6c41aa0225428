"""Files in the current dialect: which are refused, which just pass, and how they come back.

Source: wire-facts.md, "Files of the new API"; decision "Files and downloads".
"""

from __future__ import annotations

from urllib.parse import quote

import pytest
from flask import Response

from plivo_sim.apis.reading import name_file
from tests.apis.current_support import BASE, FILES, LACKING, documents_of, refused, send
from tests.support import JPEG, PDF, PNG, SDK_AGENT, Http

MIB = 1024 * 1024


@pytest.fixture
def sdk(http: Http) -> Http:
    http.agent = SDK_AGENT
    return http


KINDS = "must be PDF or PNG or JPEG; its content is none of them"

WRONG_FILES: list[tuple[str, list[tuple[str, str | None, bytes]], str]] = [
    ("none", [], "; ".join(LACKING)),
    ("first only", [FILES[0]], LACKING[1]),
    ("second only", [FILES[1]], LACKING[0]),
    ("other names", [("file_0", "a.pdf", PDF), ("documents[0]", "a.pdf", PDF)], "; ".join(LACKING)),
    ("path as text", [("documents[0].file", None, b"/home/me/a.pdf"), FILES[1]],
     f"documents[0].file: file 'documents[0].file' {KINDS}"),
    ("text file", [("documents[0].file", "notes.txt", b"hello"), FILES[1]],
     f"documents[0].file: file 'notes.txt' {KINDS}"),
    ("program called pdf", [("documents[0].file", "a.pdf", b"MZ\x90\x00"), FILES[1]],
     f"documents[0].file: file 'a.pdf' {KINDS}"),
    ("pdf later on", [("documents[0].file", "a.pdf", b"\n" + PDF), FILES[1]],
     f"documents[0].file: file 'a.pdf' {KINDS}"),
    ("empty", [("documents[0].file", "a.pdf", b""), FILES[1]],
     "documents[0].file: file 'a.pdf' is empty"),
    ("both empty", [("documents[0].file", "a.pdf", b""), ("documents[1].file", "b.png", b"")],
     "documents[0].file: file 'a.pdf' is empty; documents[1].file: file 'b.png' is empty"),
    ("over 5 MB", [("documents[0].file", "a.pdf", b"%PDF-".ljust(5 * MIB + 1)), FILES[1]],
     "documents[0].file: file 'a.pdf' exceeds the 5 MB size limit"),
    ("long name", [("documents[0].file", "x" * 96 + ".pdf", PDF), FILES[1]],
     "documents[0].file: file name has 100 characters, at most 99 allowed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "text"), [w[1:] for w in WRONG_FILES], ids=[w[0] for w in WRONG_FILES]
)
def test_wrong_files(sdk: Http, files: list[tuple[str, str | None, bytes]], text: str) -> None:
    """What is in a file counts, not what it is called; unknown field names are ignored."""
    data = sdk.sdk_data()
    refused(sdk, lambda: send(sdk, data, *files), 400, text)


def test_the_same_file_in_two_slots_is_warned_of(sdk: Http) -> None:
    """No page makes it a rule (wire-facts.md, "The same file in two slots"); a strict account
    refuses it (decision "Lenient with a warning")."""
    again = (FILES[0], ("documents[1].file", "b.pdf", PDF))
    text = "documents[1].file: the same file as documents[0].file, which is a cause of rejection"
    answer = send(sdk, sdk.sdk_data(), *again)
    assert (answer.status_code, answer.headers["X-Plivo-Sim-Warning"]) == (201, text)
    sdk.account.configure({"strict": "true"})
    data = sdk.sdk_data(alias="Another")
    refused(sdk, lambda: send(sdk, data, *again), 400, text)


@pytest.mark.parametrize(
    "file",
    [
        ("a.pdf", b"%PDF-".ljust(5 * MIB)),
        ("x" * 95 + ".pdf", PDF),
        ("photo.jpg", JPEG),
        ("no extension", PDF),
        ("wrong.txt", PNG[:8] + b"other"),
    ],
    ids=["5 MB", "name of 99", "jpeg", "bare name", "wrong name"],
)
def test_files_that_just_pass(sdk: Http, file: tuple[str, bytes]) -> None:
    """The other side of each limit."""
    first = ("documents[0].file", *file)
    assert send(sdk, sdk.sdk_data(), first, FILES[1]).status_code == 201


# --- back again -----------------------------------------------------------------------------


def test_a_download_is_an_attachment(sdk: Http) -> None:
    """With its own name and type; no browser runs it."""
    id = sdk.sdk_create(files={0: (PDF, "smlouva ěšč.pdf"), 1: (PDF + b"%", "b.pdf")})
    document = documents_of(sdk, id.get_json()["compliance_id"])[0]
    answer = sdk.get(document["download_url"].removeprefix("http://127.0.0.1"))
    assert (answer.data, answer.headers["Content-Type"]) == (PDF, "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "sm" in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("प्रमाण पत्र.pdf", "file.pdf"),
        ("आधार", "file"),
        ("smlouva ěšč.pdf", '"smlouva esc.pdf"'),
        ("Straße.pdf", "Strae.pdf"),
    ],
)
def test_a_downloads_name_may_be_of_any_script(sdk: Http, name: str, plain: str) -> None:
    """RFC 6266: whole in ``filename*``, and as much of it as ASCII has for old clients."""
    id = sdk.sdk_create(files={0: (PDF, name), 1: (PDF + b"%", "b.pdf")})
    document = documents_of(sdk, id.get_json()["compliance_id"])[0]
    told = sdk.get(document["download_url"].removeprefix("http://127.0.0.1")).headers
    assert told["Content-Disposition"] == (
        f"attachment; filename={plain}; filename*=UTF-8''{quote(name)}"
    )


@pytest.mark.parametrize("name", ["a\nb.pdf", "ě\nX: y.pdf"])
def test_a_downloads_name_is_one_line(name: str) -> None:
    """Whatever the record says."""
    answer = Response()
    name_file(answer, name)
    assert len(answer.headers["Content-Disposition"].splitlines()) == 1


@pytest.mark.parametrize(
    ("sent", "media_type"),
    [("gst.png", "image/png"), ("wrong.txt", "image/png")],
)
def test_a_downloads_type_is_told_by_its_bytes(sdk: Http, sent: str, media_type: str) -> None:
    """Not by its name."""
    png = b"\x89PNG\r\n\x1a\n" + b"content"
    made = sdk.sdk_create(files={0: (PDF, "a.pdf"), 1: (png, sent)}).get_json()
    url = documents_of(sdk, made["compliance_id"])[1]["download_url"]
    assert sdk.get(url.removeprefix("http://127.0.0.1")).headers["Content-Type"] == media_type


@pytest.mark.parametrize(
    ("host", "base"),
    [("127.0.0.1:8700", "http://127.0.0.1:8700"), ("sim.internal", "http://sim.internal")],
)
def test_download_urls_point_where_the_request_came_to(sdk: Http, host: str, base: str) -> None:
    """Absolute, with the host that the client used."""
    id = sdk.sdk_created()
    answer = sdk.get(f"{BASE}{id}/?expand=documents", headers={"Host": host})
    url = answer.get_json()["compliance"]["documents"][0]["download_url"]
    assert url.startswith(f"{base}/v1/Account/{sdk.auth_id}/{BASE}{id}/Document/")
    assert url.endswith("/download")
