"""Calls of the imitated APIs, which some buttons make as the account's own client would: with its
credentials, in the words of the API that made the record, and noted among its requests.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from plivo_sim.account.account import Account
from plivo_sim.console.actions import KEPT_TEXT, Action, curl, login_words
from plivo_sim.domain.errors import Invalid, SimError
from plivo_sim.domain.records import Application
from plivo_sim.domain.text import curl_file, encode_json
from plivo_sim.domain.typed import dotted
from plivo_sim.domain.urls import basic
from plivo_sim.web.calls import current_call
from plivo_sim.web.steering import CONSOLE_AGENT

DEFAULT_TOKEN = "token"  # noqa: S105  # any would do
"""Of an account that no client has called yet; the commands use it, too."""
_DOCUMENT = re.compile(r"documents\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form."""

    name: str
    content: bytes

    def sent_as(self, field: str) -> FileStorage:
        """As Werkzeug sends it."""
        return FileStorage(io.BytesIO(self.content), self.name, field)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Action):
    """``verb`` and ``path`` (below the account's URL) of the call. ``parts``: its multipart form;
    without any, ``body`` is its JSON. ``dialect``: of the new API.

    ``auth_id``, ``token``: of the caller. ``form``: what was written in the button's form. Where in
    that form stands what a refusal names: ``part``, if the call is about a part of it;
    ``documents``, the place of each document of the call.
    """

    verb: str
    path: str
    auth_id: str
    token: str = field(repr=False)
    dialect: str = ""
    parts: tuple[tuple[str, str | Upload], ...] = ()
    part: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    documents: tuple[int, ...] = ()

    @property
    def method(self) -> str:
        return self.verb

    @property
    def url(self) -> str:
        return f"/v1/Account/{self.auth_id}/{self.path}"

    @property
    def _said(self) -> dict[str, str]:
        return {"X-Plivo-Sim-Dialect": self.dialect} if self.dialect else {}

    def request(self) -> dict[str, Any]:
        headers = {
            "Authorization": basic(self.auth_id, self.token),
            "User-Agent": CONSOLE_AGENT,
            **self._said,
        }
        if not self.parts:
            return {"headers": headers, "json": self.body}
        data: MultiDict[str, Any] = MultiDict()
        for name, value in self.parts:
            data.add(name, value.sent_as(name) if isinstance(value, Upload) else value)
        form = {"data": data, "content_type": "multipart/form-data"}
        return {"headers": headers, **form}

    def problems_of(self, refusal: SimError | None) -> tuple[tuple[str, str], ...]:
        if refusal is None:
            return ()
        if not isinstance(refusal, Invalid):
            return (("", str(refusal)),)
        return tuple((self._place(dotted(each.path)), each.text) for each in refusal.problems)

    def _place(self, path: str) -> str:
        if self.part:
            return f"{self.part}.{path}" if path else self.part
        found = _DOCUMENT.match(path)
        if found is None or int(found[1]) >= len(self.documents):
            return path
        return f"documents[{self.documents[int(found[1])]}]{path[found.end() :]}"

    def as_curl(self, base: str) -> str:
        if self.wrong:
            return ""
        headers, credentials = self._said, login_words(self.auth_id)
        if not self.parts and self.body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        return curl(self.verb, base + self.url, headers, self._words(), credentials)

    def _words(self) -> Iterator[str]:
        for name, value in self.parts:
            if isinstance(value, Upload):
                yield from ("-F", f"{name}=@{curl_file(value.name)}")
            else:
                yield from ("--form-string", f"{name}={value}")
        if not self.parts and self.body is not None:
            yield from ("-d", json.dumps(self.body, ensure_ascii=False))

    def light(self) -> Action:
        """Without the files' contents, and with no text that is longer than any that is taken."""
        parts = tuple(
            (name, Upload(value.name, b"") if isinstance(value, Upload) else value[:KEPT_TEXT])
            for name, value in self.parts
        )
        return Action.light(replace(self, parts=parts))


def _known_token(account: Account) -> str | None:
    return current_call().sim.settings.credentials.get(account.auth_id) or account.token


def token_of(account: Account) -> str:
    """The token with which the account's own client calls: a fixed one, or that which was used
    last, so that callbacks are signed as before."""
    return _known_token(account) or DEFAULT_TOKEN


def caller_of(account: Account, application: Application) -> tuple[str, str]:
    """Auth id and token with which an application's own client calls: those that were used last,
    so that nothing else is kept, and callbacks are signed as before."""
    fixed, sub = current_call().sim.settings.credentials, application.subaccount or ""
    own = _known_token(account)
    of_sub = fixed.get(sub) or account.subaccount_token
    if own is None and sub and of_sub:
        return sub, of_sub
    return account.auth_id, own or DEFAULT_TOKEN


def as_text(value: object) -> str:
    """JSON, for a part of a form."""
    return encode_json(value).decode()
