"""What can go wrong, named by the fact. Each dialect words these in its own way.

An error carries what a caller needs to act on: ids, the true state, and *all* the problems
with their paths at once. No HTTP status and no wire word appears here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from plivo_sim.domain.words import did_you_mean

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_sim.domain.machine import StatusRow

Path = tuple[str | int, ...]


class ProblemKind(StrEnum):
    """The kinds of problem that an input can have."""

    MISSING_FIELD = "missing_field"
    MISSING_DATA_FIELD = "missing_data_field"
    MISSING_DOCUMENT = "missing_document"
    MISSING_FILE = "missing_file"
    WRONG_TYPE = "wrong_type"
    NOT_ALLOWED = "not_allowed"
    BAD_LENGTH = "bad_length"
    BAD_VALUE = "bad_value"
    UNKNOWN_DOCUMENT_TYPE = "unknown_document_type"
    NO_REQUIREMENT = "no_requirement"
    BAD_FILE = "bad_file"
    UNKNOWN_RECORD = "unknown_record"
    UNKNOWN_PARAMETER = "unknown_parameter"
    BAD_PARAMETER = "bad_parameter"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    ``path`` uses the domain's own names (``("documents", 0, "file")``); a dialect translates it.
    ``facts`` holds what its sentence needs. A *soft* problem is one that the live service would
    refuse and that the simulator lets pass with a warning unless it is strict. ``live_text``: what
    the live service says then, of no path, if that is known; a strict account answers it.
    """

    fault: ProblemKind
    path: Path
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    soft: bool = False
    live_text: str = ""


class SimError(Exception):
    """Base of everything that the simulator refuses on purpose."""


class NotFound(SimError):
    """A record does not exist, or belongs to another account. ``known``: names that there are, for
    what people name."""

    def __init__(self, kind: str, id: str, known: Collection[str] = ()) -> None:
        super().__init__(f"{kind} {id!r} not found{did_you_mean(id[:80], known)}")
        self.kind = kind
        self.id = id


class Invalid(SimError):
    """The input has one or more problems; nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(p.text for p in problems))
        self.problems = tuple(problems)


def invalid(path: str, text: str) -> Invalid:
    """An input with one wrong value; of the whole of it, with an empty path."""
    return Invalid([Problem(ProblemKind.BAD_VALUE, (path,) if path else (), text)])


def unreadable(text: str) -> Invalid:
    """A body, or another text, that cannot be read at all."""
    return Invalid([Problem(ProblemKind.UNREADABLE, (), text)])


class WrongCoding(SimError):
    """The body has a ``Content-Encoding`` (``coding``) that nobody here unpacks."""

    def __init__(self, coding: str) -> None:
        super().__init__(
            f"the Content-Encoding is '{coding[:50]}'; gzip, deflate and none are taken"
        )
        self.coding = coding


class WrongState(SimError):
    """The record's status does not allow this.

    ``verb`` is what was asked (``"correct"``, ``"update"``, ``"delete"``, ``"accept"`` ...),
    ``status`` the true domain status, ``row`` what the account's machine says of it, if the error
    comes from there, ``detail`` what else stands in the way (linked numbers).
    """

    def __init__(
        self,
        kind: str,
        id: str,
        verb: str,
        status: str,
        detail: str = "",
        *,
        row: StatusRow | None = None,
    ) -> None:
        super().__init__(f"cannot {verb} {kind} {id} in status {status}{detail and '; ' + detail}")
        self.kind = kind
        self.id = id
        self.verb = verb
        self.status = status
        self.row = row
        self.detail = detail


class InUse(SimError):
    """A record cannot be changed or removed while others refer to it."""

    def __init__(self, kind: str, id: str, verb: str, used_by: Sequence[str]) -> None:
        super().__init__(f"cannot {verb} {kind} {id}: used by {', '.join(used_by)}")
        self.kind = kind
        self.id = id
        self.verb = verb
        self.used_by = tuple(used_by)


class ClockRefused(SimError):
    """The clock cannot do that (go back, run at a negative rate)."""


class Busy(SimError):
    """Another call is doing this in the same account."""


class WouldLose(SimError):
    """To go back would undo what others have done since."""


class AccountRequired(SimError):
    """A control call must say which account it means; ``accounts`` lists those there are.

    ``every``: whether it may mean every one. ``always``: each call has to, however many there are.
    """

    def __init__(
        self, accounts: Sequence[str], *, every: bool = False, always: bool = False
    ) -> None:
        several = "several accounts exist: say which one with account=MA..."
        none = "no account exists yet: create an application first, or name one with account=MA..."
        told = several if accounts else none
        if always:
            told = (
                "this server requires it (--require-account): name the account with account=MA..."
            )
        super().__init__(told + (", or account=all for every one" if every and accounts else ""))
        self.accounts = tuple(accounts)


class NotServed(SimError):
    """The account is another server's; ``why`` tells how that is known."""

    def __init__(self, auth_id: str, why: str) -> None:
        super().__init__(f"account {auth_id} is not this server's: {why}")
        self.auth_id = auth_id


class AccountReplaced(SimError):
    """A call is about an account that began at another instant than this one: meanwhile it was
    reset, or its server was restarted. ``began_now``: empty if there is none."""

    def __init__(self, auth_id: str, began: str, began_now: str) -> None:
        now = f"this one began at {began_now}" if began_now else "there is none"
        super().__init__(
            f"account {auth_id} is not the one that began at {began} any more: meanwhile its server"
            f" was restarted, or somebody reset it; {now}"
        )
        self.auth_id = auth_id


class StorageFailed(SimError):
    """The state could not be written; the change was taken back."""


class FileDamaged(SimError):
    """An uploaded file is not there any more, or is not what was uploaded."""


class StateUnreadable(SimError):
    """The state directory cannot be used as it is (locked, newer version, not ours)."""


class NotReached(SimError):
    """Nothing more is due, and the application does not have the awaited status. ``began``: where
    the clock stood before, if that is known; what happened meanwhile stays."""

    def __init__(self, text: str, began: datetime | None = None) -> None:
        super().__init__(text)
        self.began = began


class Mismatch(SimError):
    """A number and an application do not belong together.

    ``aspect``: ``country``, ``number_type`` or ``user_type``; ``number_has`` and
    ``application_has`` say what.
    """

    def __init__(self, aspect: str, number_has: str, application_has: str) -> None:
        super().__init__(
            f"the number's {aspect} is {number_has}, the application's {application_has}"
        )
        self.aspect = aspect
        self.number_has = number_has
        self.application_has = application_has


class ApplicationRequired(SimError):
    """A regulated number cannot be rented without an accepted application. ``page``: where Plivo
    tells about it, or empty."""

    def __init__(self, number: str, page: str) -> None:
        super().__init__(f"number {number} cannot be rented without an accepted application")
        self.number = number
        self.page = page


class AlreadyRented(SimError):
    """The account has this number."""

    def __init__(self, number: str) -> None:
        super().__init__(f"number {number} is already rented")
        self.number = number


class MainAccountOnly(SimError):
    """A subaccount's own credentials do not allow this."""

    def __init__(self, verb: str) -> None:
        super().__init__(f"only the main account can {verb}")
