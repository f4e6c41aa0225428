"""Buttons that make a call of an imitated API, as a client of it does: see ``actions``."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from plivo_sim.account.account import Account
from plivo_sim.console.actions import Action, curl
from plivo_sim.domain.text import shell_word

USUAL = "token"
"""What ``plivo-sim seed`` uses, too, where no token is known."""

File = tuple[str, bytes]
"""The name of a file, and its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Action):
    """One call of an imitated API, by ``account``. ``verb``: GET, POST …; ``path``: below the
    account's URL. It carries ``body`` as JSON, or a multipart ``form``; ``headers`` beside those.

    ``token``: that of the account, which is not shown: who pastes the command gives an own one.
    """

    account: str
    verb: str
    path: str
    token: str = USUAL
    form: Sequence[tuple[str, str | File]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.verb

    @property
    def url(self) -> str:
        return f"/v1/Account/{self.account}/{self.path}"

    def sent(self) -> dict[str, Any]:
        """See ``Action.sent``."""
        basic = b64encode(f"{self.account}:{self.token}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", **self.headers}
        if not self.form:
            return {"json": self.body, "headers": headers}
        parts = [
            (name, each if isinstance(each, str) else (BytesIO(each[1]), each[0]))
            for name, each in self.form
        ]
        return {"data": dict(parts), "headers": headers, "content_type": "multipart/form-data"}

    def as_curl(self, base: str) -> str:
        """The call from a shell; files stand in it by their names."""
        if self.wrong:
            return ""
        words: list[str] = []
        headers = dict(self.headers)
        for name, each in self.form:
            words += ["-F", f"{name}={each}" if isinstance(each, str) else f"{name}=@{each[0]}"]
        if self.body is not None and not self.form:
            headers["Content-Type"] = "application/json"
            words += ["-d", json.dumps(self.body, ensure_ascii=False)]
        user = f'-u "{shell_word(self.account)}:${{PLIVO_AUTH_TOKEN:-any-token}}"'
        return curl(self.verb, f"{base}{self.url}", headers, words, user)

    def light(self) -> Action:
        """Without the contents of its files."""
        form = [(name, e if isinstance(e, str) else (e[0], b"")) for name, e in self.form]
        return replace(self, form=form)


def token_of(account: Account) -> str:
    """The token that it last used: another one would sign its callbacks from then on."""
    return account.token or USUAL
