"""Accounts, and the documents that hold all of one."""

from __future__ import annotations

from typing import TypedDict

from plivo_sim.control.answers.webhooks import MessageOut
from plivo_sim.control.answers.words import Instant, Settings
from plivo_sim.domain.records import (
    Application,
    AtomsApplication,
    Delivery,
    Document,
    EndUser,
    Explanation,
    Ledger,
    PhoneNumber,
    Policy,
    Timer,
)
from plivo_sim.web.request_log import Exchange


class AccountOut(TypedDict):
    """``machine``: the name of the status machine in use. ``has_token``: whether its callbacks can
    be signed; not before a call with a token writes to it, unless ``--credential`` gives one."""

    auth_id: str
    now: Instant
    applications: int
    end_users: int
    documents: int
    numbers: int
    machine: str
    has_token: bool
    settings: Settings


class MadeOut(AccountOut):
    """``began``: when it was made or last reset, or its server was started, in real time. A control
    call with both ``account`` and this ``began`` in its query is refused, 400 ``replaced``, once
    that is not so any more."""

    began: Instant


class AccountsOut(TypedDict):
    """``serves``: the rule of ``--serves``; empty where one server has all accounts."""

    accounts: list[AccountOut]
    serves: str


class HandoverOut(TypedDict):
    """``move``: the id of this move, empty if none was given; ``holds``: how much the other server
    must hold afterwards."""

    account: str
    to: str
    move: str
    holds: AccountOut
    snapshots: list[str]
    rest: BelongingsOut


class HandoverEndOut(TypedDict):
    account: str
    moved: bool


class TakenOverOut(AccountOut):
    """``hosts_left_out``: what was in its ``allow_callback_hosts``, and this server does not
    allow. ``inboxes_left_out``: the names of those inboxes whose messages were left behind, as this
    server has no room for more inboxes."""

    hosts_left_out: list[str]
    inboxes_left_out: list[str]


class TakeoverEndOut(TypedDict):
    """``taken``: whether the account is here by this move; if not, it cannot be any more."""

    account: str
    move: str
    taken: bool


class BelongingsOut(TypedDict):
    """What no snapshot holds; ``messages``: those that inboxes got from the account;
    ``uncertain``: of each of these inboxes, how many it may have had before."""

    token: str | None
    subaccount_token: str | None
    api_calls: int
    allow_callback_hosts: str | None
    messages: dict[str, list[MessageOut]]
    uncertain: dict[str, int]
    requests: list[Exchange]


class MarkedOut(AccountOut):
    """``kept``: until when the simulator keeps it."""

    account: str
    name: str
    kept: str


class SnapshotSummaryOut(TypedDict):
    """``now``: where the account's clock stood; null in a document of an account that nothing was
    written to, whose clock begins anew. Then how much it held."""

    name: str
    now: Instant | None
    applications: int
    end_users: int
    documents: int
    numbers: int


class SnapshotsOut(TypedDict):
    account: str
    snapshots: list[SnapshotSummaryOut]


class DroppedOut(TypedDict):
    account: str
    dropped: str


class DueOut(TypedDict):
    """What another status machine did to what is due, reviews and automatic arrows: how many come
    as before, were planned anew, and come no more."""

    kept: int
    planned: int
    dropped: int


class RestoredOut(AccountOut):
    """``due``: what is due now; planned anew where the server's status machine is another."""

    due: DueOut


class ResetOut(TypedDict):
    reset: list[str]


class ExportOut(TypedDict, total=False):
    """Table -> document number (in a snapshot: the record's id) -> record. The ledger is without
    tokens."""

    ledger: dict[str, Ledger]
    end_users: dict[str, EndUser]
    documents: dict[str, Document]
    applications: dict[str, Application]
    numbers: dict[str, PhoneNumber]
    timers: dict[str, Timer]
    deliveries: dict[str, Delivery]
    policies: dict[str, Policy]
    explanations: dict[str, Explanation]
    atoms_applications: dict[str, AtomsApplication]


class SnapshotOut(TypedDict):
    """``plivo_sim_snapshot``: the format. ``files``: SHA-256 -> content in base64."""

    plivo_sim_snapshot: int
    account: str
    tables: ExportOut
    files: dict[str, str]
