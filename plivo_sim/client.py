"""A small HTTP client of a running simulator, for the command line."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import urllib3


class Refused(Exception):
    """The simulator answered with an error; ``status`` and the sentence it gave."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Unreachable(Exception):
    """Nobody answers at that URL."""


class Client:
    """Calls one simulator; each call raises Refused or Unreachable."""

    def __init__(self, url: str, auth_id: str = "", token: str = "") -> None:
        self.url = url.rstrip("/")
        self.auth_id = auth_id
        self._token = token
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(60))

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the control API (``path`` below ``/_sim``)."""
        asked = {key: value for key, value in query.items() if value not in (None, "")}
        tail = f"?{urlencode(asked)}" if asked else ""
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return self._call(method, f"/_sim{quote(path)}{tail}", headers, content)

    def compliance(self, method: str, path: str = "", **fields: Any) -> Any:
        """A call of the new API in the SDK dialect; ``fields``: a multipart form."""
        credentials = base64.b64encode(f"{self.auth_id}:{self._token}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "X-Plivo-Sim-Dialect": "sdk"}
        content = None
        if fields:
            content, headers["Content-Type"] = urllib3.encode_multipart_formdata(fields["form"])
        target = f"/v1/Account/{self.auth_id}/PhoneNumber/Compliance/{path}"
        return self._call(method, target, headers, content)

    def _call(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Any:
        try:
            answer = self._pool.request(method, self.url + target, headers=headers, body=body)
        except urllib3.exceptions.HTTPError:
            raise Unreachable(f"nobody answers at {self.url}; start it: plivo-sim serve") from None
        try:
            value = json.loads(answer.data)
        except ValueError:
            raise Refused(answer.status, "not a simulator: the answer is no JSON") from None
        if answer.status >= 400:
            raise Refused(answer.status, str(value.get("detail") or value.get("error")))
        return value
