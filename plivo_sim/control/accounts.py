"""Which account a control call means (DECISIONS 5)."""

from __future__ import annotations

from typing import Any

from flask import request

from plivo_sim.control.inputs import invalid, text_of
from plivo_sim.dialects.calls import current_call
from plivo_sim.simulator import is_account
from plivo_sim.world import World


def wanted(data: dict[str, Any] | None = None) -> str:
    """The ``account`` of the body or the query; empty when the call names none."""
    return (text_of(data or {}, "account") or request.args.get("account") or "").strip()


def world_of(data: dict[str, Any] | None = None, *, sends: bool = False) -> World:
    """The account that a call means, with what is due in it done; with ``sends``, callbacks too.

    A receiver that calls in before it answers would wait for itself there: so wait only where the
    answer tells of callbacks. Raises AccountRequired when none is named and there is not exactly
    one.
    """
    call = current_call()
    auth_id = wanted(data)
    if not auth_id:
        world = call.sim.only_account()
    elif is_account(auth_id):
        world = call.sim.world(auth_id)
    else:
        raise invalid("account", "must be MA and 18 letters or digits")
    call.world = world
    call.sim.runner.catch_up(world, sends=sends)
    return world
