"""What every page needs: its account, the facts of the header, how it is rendered and paged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from flask import Response, render_template, request

from plivo_sim import __version__
from plivo_sim.account.account import Account
from plivo_sim.account.interfaces import Record, Rows, Where
from plivo_sim.console.actions import memory, pressed
from plivo_sim.console.attention import notices_of
from plivo_sim.console.due import next_of
from plivo_sim.console.refill import refill
from plivo_sim.console.telling import told
from plivo_sim.console.undoing import may_undo
from plivo_sim.control.presenters import problem_details
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.text import decode_json, encode_json, shell_word
from plivo_sim.settings import DEFAULT_URL
from plivo_sim.simulator import is_account
from plivo_sim.web.calls import Call, NoSuchPage, current_call
from plivo_sim.web.framework import base_url_of
from plivo_sim.web.long_work import long_work
from plivo_sim.web.request_log import Exchange

PAGE_SIZE = 50
FEW_ROWS = 20
"""Of a page that is rendered without waiting for others that work for long."""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
T = TypeVar("T")
R = TypeVar("R", bound=Record)


class ConsoleCall(Call):
    """A page being served: a refusal is shown as a page, too, where a page may have asked. What
    no link and no button calls, such as a POST to ``/``, is told as the control API does."""

    __slots__ = ()

    def refuse(self, error: SimError) -> Response:
        is_button = self.request.method == "POST" and self.request.path.startswith("/console/do/")
        if not (self.is_read or is_button):
            return super().refuse(error)
        status, problem = problem_details(self, error)
        self.why = problem["detail"]
        home = self.account_or_none.auth_id if self.account_or_none else ""
        return show("error.html", status=status, problem=problem, home=home)


def open_account(auth_id: str) -> Account:
    """The account of a page, after everything that is due in it. Raises NoSuchPage."""
    if not is_account(auth_id):
        raise NoSuchPage(f"{auth_id[:50]!r} is no account: those are MA and 18 letters or digits")
    call = current_call()
    call.account = account = call.sim.account(auth_id)
    call.catch_up(account)
    return account


def show(
    template: str,
    status: int = 200,
    *,
    account: Account | None = None,
    rows: int = 0,
    **given: Any,
) -> Response:
    """A page. Templates get what is ``given``, the header's facts, and what was just done.
    ``rows``: how many it lists, where it lists many."""
    facts = header(account)
    with long_work(rows, FEW_ROWS):
        page = render_template(f"console/{template}", **facts, **given)
    just = pressed()
    if just.is_refused:
        page = refill(page, f"/console/do/{just.do}", just.form)
    response = Response(page, status=status, content_type="text/html; charset=utf-8")
    guard(response, POLICY)
    return response


def guard(response: Response, policy: str) -> None:
    """Not in a frame, no script but ours, and no cache keeps it."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"


def header(account: Account | None) -> dict[str, Any]:
    """What the top of every page shows."""
    accounts = [each.auth_id for each in current_call().sim.accounts()[:PAGE_SIZE]]
    kept, base = memory(), base_url()
    machine = account.machine if account is not None else current_call().sim.machine
    facts = {
        "version": __version__,
        "accounts": accounts,
        "token": kept.token,
        "done": pressed().done,
        "told": told,
        "back": _here(),
        "base": base,
        "at_url": "" if base == DEFAULT_URL else f" --url {shell_word(base)}",
        "as_json": as_json,
        "as_answered": lambda body: indented(encode_json(body)),
        "tones": {name: row.tone for name, row in machine.statuses.items()},
        "section": _section(),
    }
    return facts if account is None else facts | _of_account(account)


def _of_account(account: Account) -> dict[str, Any]:
    with account.lock:
        return {
            "account": account.auth_id,
            "now": account.now(),
            "paused": account.clock.paused,
            "rate": account.clock.rate,
            "advancing": account.advancing,
            "next_due": account.next_due(),
            "due_count": len(account.store.timers),
            "pulse": pulse_of(account),
            "coming": next_of(account),
            "notices": notices_of(current_call().sim, account),
            "undo_point": _undo_point(account),
        }


def _undo_point(account: Account) -> int:
    """The one behind which nothing but the last button was; 0: none. Caller holds the lock."""
    point = pressed().point
    return point if may_undo(account, point) else 0


def base_url() -> str:
    """Where this simulator answers, as the browser reached it."""
    return base_url_of(request)


def pulse_of(account: Account) -> str:
    """Another text whenever something in the account, or in an inbox, changed. Caller holds the
    lock."""
    own = f"{account.era}.{account.changes}.{account.api_calls}.{account.sending}"
    unmatched = current_call().sim.unmatched
    others = f"{current_call().sim.inboxes.changes}.{unmatched.forgotten + len(unmatched)}"
    return f"{memory().run}.{own}.{memory().count}.{others}"


def _section() -> str:
    """The first part of this page's path behind the account, which is that of its tab; of a page of
    no account its own."""
    first, _, rest = request.path.removeprefix("/console/").partition("/")
    return rest.partition("/")[0] if is_account(first) else first


def _here() -> str:
    """This page's own URL, without ``?done=``."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "done"]
    return quote(request.path) + (f"?{urlencode(kept)}" if kept else "")


def as_json(value: Any) -> str:
    """For reading; times as text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def indented(text: bytes) -> str:
    """JSON that was encoded here, or is none: as it is then. Far faster than ``readable``."""
    try:
        return msgspec.json.format(text, indent=2).decode()
    except ValueError:
        return text.decode()


def readable(text: str) -> str:
    """JSON indented; any other text as it is."""
    try:
        return as_json(decode_json(text))
    except ValueError:
        return text


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """Some of a list, newest first, and where the others are. Pages count from 1."""

    items: Sequence[T]
    number: int
    total: int
    size: int = PAGE_SIZE

    @property
    def last(self) -> int:
        return _last_page(self.total, self.size)

    @property
    def near(self) -> list[int]:
        """The numbers of the first page, the last, and those around this one; 0 where some are left
        out."""
        wanted = {1, 2, *range(self.number - 2, self.number + 3), self.last - 1, self.last}
        shown = sorted(each for each in wanted if 1 <= each <= self.last)
        numbers = shown[:1]
        for each in shown[1:]:
            numbers += [each] if each == numbers[-1] + 1 else [0, each]
        return numbers


def newest(rows: Rows[R], where: Where, size: int = PAGE_SIZE) -> Paged[R]:
    """The requested page of the records that match, by index. Caller holds the lock."""
    total = rows.page(where, limit=1).total_count
    number, start, end = _requested_page(total, size)
    records = rows.page(where, offset=start, limit=end - start).records if total else []
    return Paged(records[::-1], number, total, size)


def newest_of(items: Sequence[T], at: int | None = None) -> Paged[T]:
    """The requested page of a list whose oldest is first; ``at``: the one with this place in it."""
    number, start, end = _requested_page(len(items), at=at)
    return Paged(items[start:end][::-1], number, len(items))


def _requested_page(
    total: int, size: int = PAGE_SIZE, *, at: int | None = None
) -> tuple[int, int, int]:
    """``?page=``, or the one that has the place ``at``, and where it begins and ends in a list
    whose oldest is first. What is no number means the first page; a number beyond the last page
    means the last."""
    text = request.args.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    number = min(max(1, int(text)), _last_page(total, size)) if is_number else 1
    if at is not None:
        number = (total - 1 - at) // size + 1
    end = total - (number - 1) * size
    return number, max(0, end - size), end


def _last_page(total: int, size: int) -> int:
    return max(1, -(-total // size))


def row_of(exchange: Exchange) -> dict[str, Any]:
    """An exchange as it is shown, with path and query of its URL, and a real instant."""
    shown = exchange.shown()
    parts = urlsplit(shown["url"])
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return {**shown, "target": target, "at": exchange.at}
