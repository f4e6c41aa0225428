"""A small HTTP client of a running simulator, for the commands."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from errno import EINVAL
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import urllib3
import urllib3.connection

from plivo_sim.account.clock import monotonic_s
from plivo_sim.catalogue.user_files import text_in
from plivo_sim.domain.limits import ANSWER, PEM
from plivo_sim.domain.machine import Machine, MachineFile
from plivo_sim.domain.typed import convert
from plivo_sim.domain.urls import basic, has_user, with_scheme
from plivo_sim.webhooks.answers import Endless, FinalAnswer
from plivo_sim.webhooks.lines import Line, Names, Secured, connected

Form = Sequence[tuple[str, str | tuple[str, bytes]]]
"""A multipart form: name and text, or name and (file name, content)."""

TIMEOUT_S = 60.0
"""A whole call, unless it is asked for otherwise."""
LEAST_BYTES_PER_S = 100_000
"""What is sent is given time besides: as much as an upload over a slow line takes."""
NO_USER = "a URL with a user name or a password is not called, as they would not be sent"
_ENCODINGS = ("", "identity", "gzip", "deflate")
_PIECE_BYTES = 16 * 1024  # decompressed, it is at most a thousand times as much


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


class TooMuch(Unreachable):
    """More is answered than is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer; ``data`` is decompressed."""

    status: int
    reason: str
    headers: urllib3.HTTPHeaderDict
    data: bytes

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.data)


class Transport(Protocol):
    """What brings requests to a simulator, and its answers back, whatever their status."""

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        form: Form | None = None,
    ) -> Answer:
        """See ``Http.send``. Raises Unreachable."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One that is being made by this thread: what is used for it, and until when."""

    line: Line
    deadline: float


_CALL: ContextVar[_Call] = ContextVar("_CALL")
_NAMES = Names()

if TYPE_CHECKING:
    _Base = urllib3.connection.HTTPConnection
else:
    _Base = object


class _Cut(_Base):
    """A connection that the call over it cuts when its time is up."""

    response_class = FinalAnswer

    def _new_conn(self) -> socket.socket:
        call = _CALL.get()
        try:
            addresses = _NAMES.addresses(self.host, "", call.deadline)
            sock = connected(addresses, self.port, call.deadline)
        except OSError as error:
            if isinstance(error, TimeoutError):
                call.line.cut()
            raise urllib3.exceptions.NewConnectionError(self, str(error)) from None
        except UnicodeError:  # no name can be so
            raise urllib3.exceptions.LocationValueError(self.host) from None
        sock.settimeout(self.timeout)
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        self._use(sock)
        return sock

    def putrequest(self, *given: Any, **options: Any) -> None:
        if self.sock is not None:  # from the call before
            self._use(self.sock)
        super().putrequest(*given, **options)

    def _use(self, sock: socket.socket) -> None:
        try:
            _CALL.get().line.use(sock)
        except TimeoutError:
            sock.close()
            raise


class _Plain(_Cut, urllib3.connection.HTTPConnection):
    pass


class _Secured(_Cut, urllib3.connection.HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecuredPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secured


class Http:
    """Requests to one server. Returns the answer whatever its status; raises Unreachable.

    ``timeout_s``: for a whole call, from the look-up of the server's name to the last byte of the
    answer; a large body is given time besides. ``hint``: what to do when nothing answers, for the
    end of the message. ``authority``: a file of certificates that are trusted in place of the
    system's. Redirects are not followed. A URL with a user name or a password is not called, as
    they would not be sent, and told to nobody. Raises OSError for a file that cannot be read, or
    has none.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float | None = None,
        hint: str = "",
        authority: str | None = None,
    ) -> None:
        self.url = url
        self._timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
        self._hint = hint
        self._pool = urllib3.PoolManager(retries=False, ssl_context=_context(url, authority))
        self._pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecuredPool}

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        form: Form | None = None,
    ) -> Answer:
        """``target``: what follows the server's URL; ``form``: sent as multipart. An answer that is
        longer than the limit, or not whole in time, is read no further."""
        if has_user(self.url):
            raise NoUrl(NO_USER)
        sent = dict(headers)
        if form is not None:
            body, sent["Content-Type"] = urllib3.encode_multipart_formdata(form)
        within_s = self._timeout_s + len(body or b"") / LEAST_BYTES_PER_S
        call = _Call(Line(), monotonic_s() + within_s)
        made = _CALL.set(call)
        try:
            with call.line.until(call.deadline):
                return self._sent(method, target, sent, body, within_s)
        except (TimeoutError, urllib3.exceptions.ReadTimeoutError):
            raise Unreachable(f"{self.url} did not answer within {within_s:.3g} s") from None
        except urllib3.exceptions.ProtocolError as error:
            for each in error.args:
                if isinstance(each, Endless):
                    raise TooMuch(f"the answer of {self.url} {each}") from None
            raise BrokenOff(f"{self.url} broke the connection off") from None
        except urllib3.exceptions.LocationValueError:
            raise NoUrl(f"{self.url!r} is not a URL; write http://127.0.0.1:8700") from None
        except urllib3.exceptions.SSLError as error:
            if not any(isinstance(each, ssl.SSLCertVerificationError) for each in error.args):
                plain = self.url.replace("https", "http", 1)
                raise Unreachable(f"{self.url} does not speak TLS; write {plain}") from None
            text = f"the certificate of {self.url} is not trusted"
            raise Unreachable(f"{text}; name its authority in SSL_CERT_FILE") from None
        except urllib3.exceptions.DecodeError:
            raise Garbled(f"{self.url} answers in another encoding than it says") from None
        except urllib3.exceptions.HTTPError:
            raise Unreachable(f"nothing answers at {self.url}{self._hint}") from None
        finally:
            _CALL.reset(made)

    def _sent(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None, within_s: float
    ) -> Answer:
        answer = self._pool.request(
            method, self.url + target, headers=headers, body=body, preload_content=False,
            enforce_content_length=True,  # the default since 2.0
            timeout=urllib3.Timeout(2 * within_s),  # where cutting would not wake who waits
        )  # fmt: skip
        try:
            data = self._content(answer)
        except BaseException:
            answer.close()
            raise
        answer.release_conn()
        return Answer(answer.status, answer.reason or "", answer.headers, data)

    def _content(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in _ENCODINGS:
            raise Garbled(f"{self.url} answers in an encoding that is not read")
        content = bytearray()
        for piece in _pieces(answer):
            content += piece
            if len(content) > ANSWER.most:
                raise TooMuch(f"{self.url} answers more than is read: {ANSWER}")
        return bytes(content)


def _context(url: str, authority: str | None) -> ssl.SSLContext | None:
    """How TLS is spoken; None where the URL has none, as certificates take a while to load."""
    if authority is None and not url.lower().startswith("https:"):
        return None
    context = trusting(authority)
    context.sslsocket_class = Secured
    return context


def trusting(file: str | None) -> ssl.SSLContext:
    """A context that trusts the authorities of a file; without one, the system's, or those of the
    file that ``SSL_CERT_FILE`` names. Raises OSError."""
    if file is None:
        return ssl.create_default_context()
    try:
        text = text_in(Path(file), PEM)
        if len(text) > PEM.most or "CERTIFICATE" not in text:
            raise ValueError
        return ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise OSError(EINVAL, "is no file of certificates (PEM)", file) from None


def _pieces(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """As they come. Where urllib3 is new enough, the size of a chunk and the lines behind the last
    one are read up to a limit, too."""
    if hasattr(answer, "read1"):
        return iter(partial(answer.read1, _PIECE_BYTES, decode_content=True), b"")
    return answer.stream(_PIECE_BYTES, decode_content=True)


class Client:
    """Calls one simulator; each call raises Refused or Unreachable. ``transport``: what brings the
    calls there; default: HTTP, with ``timeout_s`` and ``authority`` as ``Http`` takes them."""

    def __init__(
        self,
        url: str,
        auth_id: str = "",
        token: str = "",
        transport: Transport | None = None,
        *,
        timeout_s: float | None = None,
        authority: str | None = None,
    ) -> None:
        self.url, self.authority = with_scheme(url), authority
        self.auth_id = auth_id
        self._token = token
        hint = "; start it: plivo-sim serve"
        self._http = transport or Http(
            self.url, timeout_s=timeout_s, hint=hint, authority=authority
        )

    def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the control API (``path`` below ``/_sim``); a tuple in the query repeats. The
        account stands in the query, also where the body names it: a proxy reads it there."""
        named = body if isinstance(body, dict) else {}
        account = query.get("account") or named.get("account") or named.get("auth_id")
        tail = _tail({**query, "account": account or self.auth_id})
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        return self._value(
            self._http.send(method, f"/_sim{quote(path)}{tail}", headers, body=content)
        )

    def document(self, path: str, **query: Any) -> bytes:
        """What a control call answers that is no JSON."""
        answer = self._http.send("GET", f"/_sim{quote(path)}{_tail(query)}", {})
        if answer.status >= 400:
            self._value(answer)
        return answer.data

    def ready(self) -> Any:
        """What a simulator says that is ready for calls. Raises Unreachable: NoUrl, or why it is
        not, or is none."""
        none = f"what answers at {self.url} is not plivo-sim"
        try:
            answer = self.control("GET", "/health/ready")
        except Refused as error:
            reasons = error.body.get("reasons")
            raise Unreachable("; ".join(reasons) if reasons else f"{none}: {error.text}") from None
        if not isinstance(answer, dict) or answer.get("status") != "ready":
            raise Unreachable(none)
        if not isinstance(answer.get("reasons"), list):  # which others that are ready do not tell
            raise Unreachable(f"{none}: its answer has no 'reasons'")
        return answer

    def machine(self, account: str = "") -> Machine:
        """The status machine that an account has in use."""
        told = self.control("GET", "/machine", account=account)
        return Machine(convert(told["machine"], MachineFile))

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
        sent = {"X-Plivo-Sim-Dialect": "current", **(headers or {})}
        return self.api(method, f"PhoneNumber/Compliance/{path}", form=form, headers=sent)

    def api(
        self,
        method: str,
        path: str,
        *,
        form: Form = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """A call of an imitated API, ``path`` below the account's URL."""
        sent = {"Authorization": basic(self.auth_id, self._token), **(headers or {})}
        target = f"/v1/Account/{self.auth_id}/{path}"
        return self._value(self._http.send(method, target, sent, form=form or None))

    def _value(self, answer: Answer) -> Any:
        try:
            value = answer.json()
        except (ValueError, RecursionError):
            raise Garbled(f"what answers at {self.url} is not plivo-sim: no JSON") from None
        if answer.status >= 400:
            body = value if isinstance(value, dict) else {}
            raise Refused(answer.status, _sentence(body) or str(answer.reason), body)
        return value


def _tail(query: Mapping[str, Any]) -> str:
    given = {key: value for key, value in query.items() if value not in (None, "", ())}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _sentence(body: Mapping[str, Any]) -> str:
    """What an error answer says: problem details, or the text of the imitated APIs."""
    return str(body.get("detail") or body.get("error") or "")
