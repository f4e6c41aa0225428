"""One application, or a whole account, to show to somebody: as text, or as an HTML file that needs
nothing else.

The file has no script and no links home; its styles and pictures are in it, secrets are masked. Its
own policy allows nothing but these. It is sent in parts: its text is made at once, its pictures are
read and encoded when it is their turn, some of one at a time.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import accumulate
from typing import Any

from flask import Response, render_template, request

from plivo_sim import __version__
from plivo_sim.account.account import Account
from plivo_sim.apis.reading import name_file
from plivo_sim.console.case_facts import INLINE, as_shown, facts_of
from plivo_sim.console.pages import base_url, guard, indented, open_account, show
from plivo_sim.domain.errors import NotFound
from plivo_sim.domain.limits import REPORT_APPLICATIONS, REPORT_DOCUMENTS, REPORT_FILES
from plivo_sim.domain.records import StoredFile
from plivo_sim.domain.secrets import masked_json
from plivo_sim.domain.text import encode_json, printable
from plivo_sim.domain.typed import once
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.document_sets import content_of
from plivo_sim.web.long_work import long_work

HTML = "text/html; charset=utf-8"
FEW_CASES = 5
"""Applications of which a report is made without waiting for others that work for long."""
DOCUMENTS_OF_CASE = 10
"""So many documents are as much work as an application."""
ENCODED_AT_ONCE = 3 * 64 * 1024
"""Bytes of a picture; base64 makes four of three."""


def text_page(auth_id: str, id: str) -> Response:
    """The application as text, to paste into a ticket, or to look at in a terminal."""
    account = open_account(auth_id)
    with account.lock:
        facts = facts_of(account, id, lambda _: "")
    answer = show("report.txt", account=account, **facts)
    lines = answer.get_data(as_text=True).split("\n")
    answer.set_data("\n".join(map(printable, lines)))
    answer.content_type = "text/plain; charset=utf-8"
    return answer


def application_page(auth_id: str, id: str) -> Response:
    """The application as an HTML file; ``?save`` has the browser save it."""
    account = open_account(auth_id)
    return _served(account, id, f"plivo-sim-{id}.html")


def account_page(auth_id: str) -> Response:
    """The whole account, alike."""
    account = open_account(auth_id)
    return _served(account, "", f"plivo-sim-{auth_id}.html")


def _served(account: Account, id: str, name: str) -> Response:
    answer = html_report(account, id)
    name_file(answer, name, "attachment" if "save" in request.args else "inline")
    return answer


def report_of(account: Account, id: str = "") -> tuple[list[bytes], list[StoredFile]]:
    """The HTML of one application, or of all of an account, the newest first: its text in pieces,
    and the picture that stands behind each but the last. Raises NotFound, FileDamaged."""
    room = _Room(REPORT_FILES.most)
    with account.lock:
        store = account.store.applications
        total = len(store)
        if id:
            ids = [id]
        else:
            start = max(total - REPORT_APPLICATIONS.most, 0)
            page = store.page({}, offset=start, limit=REPORT_APPLICATIONS.most)
            newest = page.records[::-1]
            documents = accumulate(len(each.document_ids) for each in newest)
            ids = [
                each.id
                for number, (each, so_far) in enumerate(zip(newest, documents, strict=True))
                if not number or so_far <= REPORT_DOCUMENTS.most
            ]
        now = account.now()
        tones = {name: row.tone for name, row in account.machine.statuses.items()}
    found = account.of_each(ids, lambda each: _facts(account, each.id, room), at_once=1)
    if id and not found:
        raise NotFound("application", id)
    documents_told = sum(len(each["view"].documents) for each in found)
    with long_work(len(found) + documents_told // DOCUMENTS_OF_CASE, FEW_CASES):
        pictures = _Pictures()
        cases = [_case(found.pop(0), pictures) for _ in range(len(found))]
        rows = [] if id else [(each["application"], each["verdict"]) for each in cases]
        html = render_template(
            "console/report.html",
            version=__version__,
            account=account.auth_id,
            now=now,
            tones=tones,
            cases=cases,
            rows=rows,
            one=bool(id),
            left_out=0 if id else total - len(cases),
            total=total,
            inline=INLINE,
            files_left_out=room.left_out,
            room=REPORT_FILES.most,
            policy=_policy(),
            style=_style(),
            base=base_url(),
        )
        return pictures.between(html)


def _facts(account: Account, id: str, room: _Room) -> dict[str, Any]:
    """What is told of an application, as it is in the account. Caller holds the lock."""
    facts = facts_of(account, id, lambda _: "")
    view = facts["view"]
    pictures = _pictures(account, view, room)
    return {**facts, "shown": list(as_shown(account, view)), "files": pictures}


def _case(facts: dict[str, Any], pictures: _Pictures) -> dict[str, Any]:
    """The same as the template takes it."""
    shown = [
        {**each, "text": indented(masked_json(encode_json(each["body"])))}
        for each in facts["shown"]
    ]
    files = {id: pictures.url_of(file) for id, file in facts["files"].items()}
    return {**facts, "shown": shown, "files": files}


class _Pictures:
    """Marks the places of pictures in a text, by words that nobody knows who could write them into
    an alias, say."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(16)
        self._files: list[StoredFile] = []

    def url_of(self, file: StoredFile) -> str:
        self._files.append(file)
        return f"data:{file.media_type};base64,{self._mark}{len(self._files) - 1}."

    def between(self, text: str) -> tuple[list[bytes], list[StoredFile]]:
        """The text in pieces, and the picture behind each but the last."""
        first, *others = text.split(self._mark)
        pieces, files = [first.encode()], []
        for each in others:
            number, _, piece = each.partition(".")
            files.append(self._files[int(number)])
            pieces.append(piece.encode())
        return pieces, files


class _Room:
    """How many bytes of pictures still have room, and how many pictures had none."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.left_out = 0

    def takes(self, size_bytes: int) -> bool:
        if size_bytes > self.left:
            self.left_out += 1
            return False
        self.left -= size_bytes
        return True


def _pictures(account: Account, view: ApplicationView, room: _Room) -> dict[str, StoredFile]:
    """The uploaded pictures, by their document's id, as far as there is room. Raises FileDamaged
    for one that cannot be had."""
    found: dict[str, StoredFile] = {}
    for document, _ in view.documents:
        file = document.file
        if file is not None and file.media_type in INLINE and room.takes(file.size_bytes):
            content_of(account, file)
            found[document.id] = file
    return found


@once
def _style() -> str:
    sheet = resources.files("plivo_sim.console").joinpath("static", "console.css")
    return sheet.read_text(encoding="utf-8")


def _policy() -> str:
    """Allows that style sheet, and pictures that are within."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'"


def html_report(account: Account, id: str) -> Response:
    """What the control call answers: ``report_of``, not to be kept by a browser. It ends in the
    middle where a picture was removed since."""
    pieces, files = report_of(account, id)
    answer = Response(_in_parts(account, pieces, files), content_type=HTML)
    encoded = sum((file.size_bytes + 2) // 3 * 4 for file in files)
    answer.content_length = sum(map(len, pieces)) + encoded
    guard(answer, f"{_policy()}; sandbox; frame-ancestors 'none'")
    return answer


def _in_parts(account: Account, pieces: list[bytes], files: list[StoredFile]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        if number:
            content = memoryview(content_of(account, files[number - 1]))
            for start in range(0, len(content), ENCODED_AT_ONCE):
                yield base64.b64encode(content[start : start + ENCODED_AT_ONCE])
        yield piece


PAGES: list[tuple[str, Callable[..., Response]]] = [
    ("/applications/<id>/report.txt", text_page),
    ("/applications/<id>/report.html", application_page),
    ("/report.html", account_page),
]
