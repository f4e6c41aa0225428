"""One call to an imitated API: who calls, in which account, what it turned out to be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, cast

from flask import Request, Response, g
from werkzeug.datastructures import Headers
from werkzeug.local import LocalProxy
from werkzeug.wsgi import ClosingIterator

from plivo_sim.account.account import Account
from plivo_sim.account.clock import monotonic_s
from plivo_sim.account.interfaces import Wrote
from plivo_sim.domain.errors import Busy, SimError
from plivo_sim.domain.text import encode_json, joined
from plivo_sim.scenarios.language import FaultRule
from plivo_sim.simulator import Simulator
from plivo_sim.web.framework import base_url_of

NAMED_DIALECTS = ("current", "beta")
"""Those that an answer names: other APIs have one alone."""

JSON = "application/json"
SAFE = ("GET", "HEAD", "OPTIONS")
"""The methods that change nothing (RFC 9110, 9.2.1)."""

TAKEN_BACK = "a restore, a reset or an undo ended this call; what it did is undone"

Environ = dict[str, Any]
ErrorBody = Callable[["Call", SimError], tuple[int, Any]]


class JsonResponse(Response):
    """A whole text with its length: what Werkzeug works out for any response is known here."""

    def __init__(self, content: bytes, status: int = 200, content_type: str = JSON) -> None:
        length = str(len(content))
        self.headers = Headers([("Content-Type", content_type), ("Content-Length", length)])
        self.status = status
        self.direct_passthrough = False
        self._on_close = []
        self.response = [content]

    @property
    def content(self) -> bytes:
        """What is sent."""
        return b"".join(cast("list[bytes]", self.response))

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        sent = () if environ["REQUEST_METHOD"] == "HEAD" else (self.content,)
        return ClosingIterator(sent, self.close)


class Window(NamedTuple):
    """The window of a rate limit: how many calls it takes, how many it has, when it ends, and
    what time it is (seconds since the epoch)."""

    limit: int
    calls: int
    end_s: float
    now_s: float

    @property
    def headers(self) -> dict[str, str]:
        """What an answer says of it; the end is in whole seconds, rounded up."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self.calls, 0)),
            "X-RateLimit-Reset": str(math.ceil(self.end_s)),
        }

    @property
    def warning(self) -> str:
        """What is said of the call that is one too many where limits are not enforced."""
        if self.calls <= self.limit:
            return ""
        return f"{_exceeded(self.limit)}: call {self.calls} of this window would be answered 429"

    @property
    def retry_after_s(self) -> int:
        """How long until it ends, rounded up."""
        return max(math.ceil(self.end_s - self.now_s), 1)

    def exhausted(self, now_s: float, retry_after_s: int) -> Window:
        """With no call left until then."""
        return Window(self.limit, self.limit, now_s + retry_after_s, now_s)


class Noted(NamedTuple):
    """What a call that is put off takes along: what was drawn, found and counted must not be so
    again. ``window``: the one in which it is counted. ``progress``, ``present``: see ``Call``."""

    api_id: str
    began: float
    strikes: list[tuple[str, FaultRule | None]]
    window: Window | None
    progress: Any = None
    present: tuple[Account, int] | None = None


class Came(NamedTuple):
    """What came as the body of a request: its first bytes, and how many it has. ``changed``:
    ``cut`` if there are more, ``unpacked`` if it is without its Content-Encoding."""

    start: bytes
    size_bytes: int
    changed: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Call:
    """What is known of the request being served. ``why`` is one clause for the log. ``account``
    is there once it is known who calls.

    ``fault`` names the fault that hit it; ``spoil`` is one that strikes when the work is done, and
    ``is_spoilt`` says that it did.
    ``strikes``: what the injector found each time it was asked, and ``strikes_met`` how often it
    was; a call that was put off (``Held``) is begun again, and meets the same ones.

    ``error_body`` words an error for whoever is asking; it may change as the call is understood
    (a dialect is chosen after the body is read). ``came`` is what came as the body of the request,
    and ``body`` what that was read as.
    ``window``: that of the rate limit, in an API that has one; every answer shows it. The call is
    one of it when it ``is_counted``. ``progress``: what the view wants to find again, should it
    be put off. ``refusal``: what it was refused for. ``moved_from``: where the clock stood, of a
    call that moved it. ``wrote``: the states that an account had after its first and its last write
    there, or after it made another moment the present; what happens while it ``is_due`` is not its
    doing. ``present``: the account as an imitated API found it first, and its era: a later one is
    not the call's, which does nothing there. ``stands``: whether what it did is there still, where
    that is in no record.
    ``basis``: what a read is answered by, as it was when that began, and ``shown`` the JSON behind
    the id of an answer that may be given again (``kept_answers``).
    """

    sim: Simulator
    error_body: ErrorBody
    request: Request
    media_type: str = JSON
    auth_id: str = ""
    token: str = ""
    account: Account = field(init=False)
    api_id: str = ""
    dialect: str = ""
    operation: str = ""
    why: str = ""
    api: str = ""
    fault: str = ""
    spoil: FaultRule | None = None
    is_spoilt: bool = False
    strikes: list[tuple[str, FaultRule | None]] = field(default_factory=list)
    strikes_met: int = 0
    came: Came | None = None
    body: Any = None
    window: Window | None = None
    is_counted: bool = False
    progress: Any = None
    refusal: SimError | None = None
    began: float = field(default_factory=monotonic_s)
    moved_from: datetime | None = None
    wrote: dict[Account, Wrote] = field(default_factory=dict)
    is_due: bool = False
    stands: Callable[[], bool] | None = None
    present: tuple[Account, int] | None = None
    basis: Any = None
    shown: bytes | None = None
    warnings: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def noted(self) -> Noted:
        """What is to be kept of it, should it be put off now."""
        window = self.window if self.is_counted else None
        return Noted(self.api_id, self.began, self.strikes, window, self.progress, self.present)

    def go_on(self, earlier: Noted) -> None:
        """As the same call, which was begun before and then put off."""
        self.api_id, self.began, self.strikes = earlier.api_id, earlier.began, earlier.strikes
        self.progress, self.present = earlier.progress, earlier.present
        if earlier.window is not None:
            self.window, self.is_counted = earlier.window, True

    def found(self, account: Account) -> None:
        """Who calls an imitated API. Raises Busy where the account was reset, or went back, since
        the call found it first, unless it only reads."""
        self.account = account
        self.present = self.present or (account, account.era)
        self.check_present()

    def check_present(self) -> None:
        """Raises Busy as ``found``; once, as that is worded and told then."""
        account = self.account_or_none
        if account is None or self.present is None or self.is_read:
            return
        if self.present != (account, account.era):
            self.present = None
            raise Busy(TAKEN_BACK)

    @property
    def account_or_none(self) -> Account | None:
        """The account, if it is known who calls."""
        return getattr(self, "account", None)

    @property
    def is_read(self) -> bool:
        """It makes nothing due, and is answered when nothing can be written, too."""
        return self.request.method in ("GET", "HEAD")

    def catch_up(self, account: Account, *, sends: bool = False) -> None:
        """Make happen what is due in the account before the call is served (``Runner.catch_up``).

        Raises StorageFailed when it cannot be written, unless the call only reads.
        """
        with self.due():
            self.sim.runner.catch_up(account, sends=sends, may_wait=self.is_read)

    @contextmanager
    def due(self) -> Iterator[None]:
        """What happens within is due, and not the call's own doing."""
        self.is_due = True
        try:
            yield
        finally:
            self.is_due = False

    def note_write(self, account: Account, *, is_other: bool) -> None:
        """It has written to the account in its own name, or made another moment its present. Caller
        holds the lock."""
        if self.is_read or self.is_due:
            return
        state = account.state
        first = state if is_other else self.wrote.get(account, (state,))[0]
        self.wrote[account] = first, state
        account.unanswered.add(self)

    def wrote_in(self, account: Account | None) -> Wrote | None:
        """What it wrote there, if it did."""
        return None if account is None else self.wrote.get(account)

    def close(self) -> None:
        """It is in the logs; what happens later in its thread is not its doing."""
        self.is_due = True
        for account in self.wrote:
            account.unanswered.discard(self)

    @property
    def is_undone(self) -> bool:
        """Whether an account that it wrote to went back to another moment since, or was reset."""
        if self.stands is not None:
            return not self.stands()
        return any(
            first[0] != account.era and account.refusal is None  # one that was moved is elsewhere
            for account, (first, _) in self.wrote.items()
        )

    @property
    def base_url(self) -> str:
        """What URLs in answers begin with, without a last slash."""
        return self.sim.settings.public_url.rstrip("/") or base_url_of(self.request)

    def id_of_answer(self) -> str:
        """``api_id``: the account's next, or that of an answer to somebody who has none."""
        if not self.api_id:
            self.api_id = self.sim.next_api_id()
        return self.api_id

    def answer(self, body: Any, status: int = 200) -> Response:
        """A JSON response."""
        return self.answer_encoded(encode_json(body), status)

    def answer_encoded(self, text: bytes, status: int = 200) -> Response:
        """The same of a text that is JSON already."""
        return JsonResponse(text, status=status, content_type=self.media_type)

    def answer_kept(self, shown: Mapping[str, object]) -> Response:
        """``api_id`` and what is shown, which depends on nothing but the request, the account's
        records, settings and day, and the server's settings: while those are as they were, the
        same request is answered so again (``kept_answers``)."""
        self.shown = encode_json(shown)[1:]
        return JsonResponse(with_id(self.api_id, self.shown), content_type=self.media_type)

    def refuse(self, error: SimError) -> Response:
        """The response that says what went wrong. The error is kept without the frames that it
        came through: they have the call and its body, which would stay until somebody collects
        garbage."""
        error.__traceback__ = error.__context__ = None
        self.refusal = error
        self.id_of_answer()
        status, body = self.error_body(self, error)
        self.why = _told(body) or str(error)
        return self.answer(body, status)


def with_id(api_id: str, text: bytes) -> bytes:
    """The JSON of an answer: its id, and the text behind that, up to the last bracket."""
    return b'{"api_id":"%b",%b' % (api_id.encode(), text)


def added_headers(
    api_id: str,
    dialect: str,
    warnings: list[str],
    more: Mapping[str, str],
    window: Window | None,
    cors: Mapping[str, str],
) -> list[tuple[str, str]]:
    """The headers that an answer has beside those of its view, in their order. ``more``: those of
    its call."""
    added = [("X-Request-Id", api_id)] if api_id else []
    if dialect in NAMED_DIALECTS:
        added.append(("X-Plivo-Sim-Dialect", dialect))
    if warnings:
        added.append(("X-Plivo-Sim-Warning", header_text(joined(warnings))))
    added += more.items()
    if window is not None:
        added += window.headers.items()
    added += cors.items()
    return added


def header_text(text: str) -> str:
    """One line of printable ASCII: clients choose some of these words."""
    plain = text.encode("ascii", "backslashreplace").decode()
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain)
    return plain[:2000]


def _told(body: Any) -> str:
    """The sentence within an error body, whatever its dialect."""
    told = body.get("error") or body.get("detail") or body.get("errors")
    return str(told.get("message") if isinstance(told, dict) else told)


_globals = cast("LocalProxy[Any]", g)
"""Flask's proxy; what it stands for is asked for its call, which takes half of asking the proxy."""


def current_call() -> Call:
    """The call that this request opened."""
    call: Call = _globals._get_current_object().call
    return call


# --- what can go wrong with a call, named by the fact; each dialect words it in its own way -----


class Unauthenticated(SimError):
    """Credentials are missing, malformed, or not those of the account."""


class NoSuchPage(SimError):
    """The URL is not one that this server answers."""


class WrongMethod(SimError):
    """The URL exists, the method does not. ``allowed`` lists those that do."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"method not allowed; use {', '.join(allowed)}")
        self.allowed = tuple(allowed)


class TooLarge(SimError):
    """The body is over the limit (``limit_bytes``) and was not read."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the request body is over the limit of {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class TooSlow(SimError):
    """The request, or the body that was announced, did not arrive in time."""

    def __init__(self, text: str = "the request body did not arrive in time") -> None:
        super().__init__(text)


class Refused(SimError):
    """What the server does not take of HTTP itself, such as a URL that is too long; ``status``:
    that of HTTP which means just that."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class RateLimited(SimError):
    """Too many calls in a window, which takes ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__(_exceeded(limit))


def _exceeded(limit: int) -> str:
    return f"rate limit of {limit} requests per minute exceeded"


class Untrusted(SimError):
    """A call from another site's page, or a control call under a foreign host name."""


class Injected(SimError):
    """A failure that was asked for; a dialect words it like any other with this HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Cut(SimError):
    """The connection is to be cut before anything is done; ``how``: ``reset`` or ``empty``."""

    def __init__(self, how: str) -> None:
        super().__init__(f"connection cut: {how}")
        self.how = how
