"""A small HTTP client of a running simulator, for the commands."""

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

TIMEOUT_S = 60.0


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
    """What was given is not a URL, so nothing was sent."""


class BrokenOff(Unreachable):
    """The connection was cut before the whole answer had arrived."""


class Garbled(Unreachable):
    """The answer is not JSON."""


class Http:
    """Requests to one server. Returns the answer whatever its status; raises Unreachable.

    ``hint``: what to do when nothing answers, for the end of the message. ``authority``: a file of
    certificates that are trusted in place of the system's. Redirects are not followed.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = TIMEOUT_S,
        hint: str = "",
        authority: str | None = None,
    ) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._hint = hint
        self._pool = urllib3.PoolManager(
            retries=False, timeout=urllib3.Timeout(timeout_s), ca_certs=authority
        )

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        form: Form | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """``target``: what follows the server's URL; ``form``: sent as multipart."""
        sent = dict(headers)
        if form is not None:
            body, sent["Content-Type"] = urllib3.encode_multipart_formdata(form)
        try:
            return self._pool.request(method, self.url + target, headers=sent, body=body)
        except urllib3.exceptions.ProtocolError:
            raise BrokenOff(f"{self.url} broke the connection off") from None
        except urllib3.exceptions.LocationValueError:
            raise NoUrl(f"{self.url!r} is not a URL; write http://127.0.0.1:8700") from None
        except urllib3.exceptions.SSLError:
            text = f"the certificate of {self.url} is not trusted"
            raise Unreachable(f"{text}; name its authority in SSL_CERT_FILE") from None
        except urllib3.exceptions.ReadTimeoutError:
            raise Unreachable(f"{self.url} did not answer within {self._timeout_s:g} s") from None
        except urllib3.exceptions.HTTPError:
            raise Unreachable(f"nothing answers at {self.url}{self._hint}") from None


def basic(auth_id: str, token: str) -> str:
    """The Authorization header of an account."""
    return f"Basic {base64.b64encode(f'{auth_id}:{token}'.encode()).decode()}"


class Client:
    """Calls one simulator; each call raises Refused or Unreachable."""

    def __init__(self, url: str, auth_id: str = "", token: str = "") -> None:
        self.url = with_scheme(url)
        self.auth_id = auth_id
        self._token = token
        self._http = Http(self.url, hint="; start it: plivo-sim serve")

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the control API (``path`` below ``/_sim``); a tuple in the query repeats."""
        given = {key: value for key, value in query.items() if value not in (None, "", ())}
        tail = f"?{urlencode(given, doseq=True)}" if given else ""
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return self._value(
            self._http.send(method, f"/_sim{quote(path)}{tail}", headers, body=content)
        )

    def evaluate(self, form: Form, headers: Mapping[str, str] | None = None) -> Any:
        """What a create with this form would lead to; nothing of it is kept."""
        target = f"/_sim/evaluate?{urlencode({'account': self.auth_id})}"
        sent = {"X-Plivo-Sim-Dialect": "current", **(headers or {})}
        return self._value(self._http.send("POST", target, sent, form=form or None))

    def compliance(
        self,
        method: str,
        path: str = "",
        *,
        form: Form = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """A call of the new API in the current dialect."""
        sent = {
            "Authorization": basic(self.auth_id, self._token),
            "X-Plivo-Sim-Dialect": "current",
            **(headers or {}),
        }
        target = f"/v1/Account/{self.auth_id}/PhoneNumber/Compliance/{path}"
        return self._value(self._http.send(method, target, sent, form=form or None))

    def _value(self, answer: urllib3.BaseHTTPResponse) -> Any:
        try:
            value = json.loads(answer.data)
        except ValueError:
            raise Garbled(f"what answers at {self.url} is not plivo-sim: no JSON") from None
        if answer.status >= 400:
            body = value if isinstance(value, dict) else {}
            raise Refused(answer.status, _sentence(body) or str(answer.reason), body)
        return value


def _sentence(body: Mapping[str, Any]) -> str:
    """What an error answer says: problem details, or the text of the imitated APIs."""
    return str(body.get("detail") or body.get("error") or "")
