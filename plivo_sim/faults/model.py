"""Faults and the webhook policy as types; part of the scenario language, and on their own."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

CUTTING = frozenset({"reset", "empty"})
SPOILING = frozenset({"truncated", "invalid_json", "wrong_content_type"})


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the language: immutable, and strict about unknown keys."""


class Quota(Part, frozen=True):
    """After ``calls`` matching calls within ``per_s`` real seconds, the fault strikes."""

    calls: Annotated[int, Meta(ge=1)]
    per_s: Annotated[float, Meta(gt=0)] = 60.0


class FaultRule(Part, frozen=True):
    """One fault: which calls it hits, how often, and what happens to them.

    ``effect``:
      ``error`` answers ``status`` in the dialect's own words; ``slow`` only waits;
      ``rate_limited`` is 429, ``expired_credentials`` 401, ``unavailable`` 503 (502 in Atoms);
      ``reset`` cuts the connection, ``empty`` answers nothing and closes, ``truncated`` stops
      half-way, ``invalid_json`` and ``wrong_content_type`` spoil the answer.

    ``applied``: the work is done first and only its answer is lost or replaced ("applied, answer
    lost"). Spoilt answers always are; cut connections are unless this is false; errors are not
    unless it is true.

    ``api``: ``new`` (Link too), ``numbers``, ``legacy``, ``atoms``, or ``plivo-for-atoms``: the
    calls that Atoms itself makes to Plivo, which only that very word hits (``*`` does not).
    """

    effect: Literal[
        "error", "reset", "empty", "truncated", "invalid_json", "wrong_content_type",
        "rate_limited", "expired_credentials", "unavailable", "slow",
    ]  # fmt: skip
    name: str = ""
    status: Annotated[int, Meta(ge=400, le=599)] = 500
    message: str = ""
    latency_s: Annotated[float, Meta(ge=0, le=120)] = 0.0
    retry_after_s: Annotated[int, Meta(ge=0)] | None = None
    applied: bool | None = None
    api: str = "*"
    operation: str = "*"
    method: str = "*"
    path: str = "*"
    application: str = "*"
    times: Annotated[int, Meta(ge=1)] | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    every: Annotated[int, Meta(ge=1)] = 1
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    quota: Quota | None = None

    @property
    def strikes_late(self) -> bool:
        """Whether the work is done first, and only its answer suffers."""
        if self.effect in SPOILING:
            return True
        return self.effect in CUTTING if self.applied is None else self.applied


class WebhookPolicy(Part, frozen=True):
    """What happens to callbacks on their way.

    ``drop``: how many callbacks of the account are lost before one gets through (``-1``: all);
    ``duplicate``: extra copies of each; ``delay`` holds each back; ``reorder`` holds back every
    first of two until the second has gone; ``signature`` spoils or leaves out the signatures;
    ``age`` dates the callback back (its ``Date`` header).
    """

    retries: list[str] | None = None
    success: list[Annotated[int, Meta(ge=100, le=599)]] | None = None
    timeout_s: Annotated[float, Meta(gt=0, le=120)] | None = None
    delay: str = ""
    drop: Annotated[int, Meta(ge=-1)] = 0
    duplicate: Annotated[int, Meta(ge=0, le=20)] = 0
    reorder: bool = False
    signature: Literal["valid", "wrong", "missing"] = "valid"
    age: str = ""
