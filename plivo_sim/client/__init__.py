"""A small HTTP client of a running simulator, for the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from plivo_sim.domain.urls import with_scheme

Form = Sequence[tuple[str, str | tuple[str, bytes]]]
"""A multipart form: name and text, or name and (file name, content)."""


TIMEOUT_S = 60


class Refused(Exception):
    """The simulator answered with an error: ``status``, the sentence it gave, and ``body``, the
    whole answer."""

    def __init__(self, status: int, text: str, body: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text
        self.body = dict(body or {})


class Unreachable(Exception):
    """No simulator answers at that URL."""


class NoUrl(Unreachable):
    """What was given is no URL, so nobody was asked."""


class BrokenOff(Unreachable):
    """The connection was cut before the answer was whole."""


class Garbled(Unreachable):
    """The answer is no JSON."""


class Client:
    """Calls one simulator; each call raises Refused or Unreachable."""

    def __init__(self, url: str, auth_id: str = "", token: str = "") -> None:
        self.url = with_scheme(url)
        self.auth_id = auth_id
        self._token = token
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(TIMEOUT_S))

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the control API (``path`` below ``/_sim``); a tuple in the query repeats."""
        asked = {key: value for key, value in query.items() if value not in (None, "", ())}
        tail = f"?{urlencode(asked, doseq=True)}" if asked else ""
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return self._call(method, f"/_sim{quote(path)}{tail}", headers, content)

    def evaluate(self, form: Form, headers: Mapping[str, str] | None = None) -> Any:
        """What a create with this form would lead to; nothing is kept of it."""
        target = f"/_sim/evaluate?{urlencode({'account': self.auth_id})}"
        return self._send_form("POST", target, form, {"X-Plivo-Sim-Dialect": "current"}, headers)

    def compliance(
        self,
        method: str,
        path: str = "",
        *,
        form: Form = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """A call of the new API in the current dialect."""
        credentials = base64.b64encode(f"{self.auth_id}:{self._token}".encode()).decode()
        sent = {"Authorization": f"Basic {credentials}", "X-Plivo-Sim-Dialect": "current"}
        target = f"/v1/Account/{self.auth_id}/PhoneNumber/Compliance/{path}"
        return self._send_form(method, target, form, sent, headers)

    def _send_form(
        self,
        method: str,
        target: str,
        form: Form,
        own: Mapping[str, str],
        headers: Mapping[str, str] | None,
    ) -> Any:
        sent, content = {**own, **(headers or {})}, None
        if form:
            content, sent["Content-Type"] = urllib3.encode_multipart_formdata(form)
        return self._call(method, target, sent, content)

    def _call(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> Any:
        try:
            answer = self._pool.request(method, self.url + target, headers=headers, body=body)
        except urllib3.exceptions.ProtocolError:
            raise BrokenOff(f"{self.url} broke the connection off") from None
        except urllib3.exceptions.LocationValueError:
            raise NoUrl(f"{self.url!r} is no URL; write http://127.0.0.1:8700") from None
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(self._why_unreachable(error)) from None
        try:
            value = json.loads(answer.data)
        except ValueError:
            raise Garbled(f"what answers at {self.url} is no plivo-sim: no JSON") from None
        if answer.status >= 400:
            body_ = value if isinstance(value, dict) else {}
            raise Refused(answer.status, _sentence(body_) or str(answer.reason), body_)
        return value

    def _why_unreachable(self, error: Exception) -> str:
        if isinstance(error, urllib3.exceptions.SSLError):
            return (
                f"the certificate of {self.url} is not trusted; name its authority in SSL_CERT_FILE"
            )
        if isinstance(error, urllib3.exceptions.ReadTimeoutError):
            return f"{self.url} did not answer within {TIMEOUT_S} s"
        return f"nobody answers at {self.url}; start it: plivo-sim serve"


def _sentence(body: Mapping[str, Any]) -> str:
    """What an error answer says: problem details, or the plain dialects' text."""
    return str(body.get("detail") or body.get("error") or "")
