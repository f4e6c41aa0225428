"""The control API. Invented; see the reference in the docs for every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from plivo_sim import __version__
from plivo_sim.clock import VirtualClock
from plivo_sim.control import checks, inbox, listing, presenters, probes, steering
from plivo_sim.control.accounts import wanted, world_of
from plivo_sim.control.inputs import (
    duration_of,
    instant_of,
    invalid,
    json_object,
    number_of,
    text_of,
    word_of,
)
from plivo_sim.control.trust import check_caller
from plivo_sim.dialects.calls import current_call
from plivo_sim.domain.models import Delivery, DeliveryState
from plivo_sim.domain.statuses import Status
from plivo_sim.errors import NotFound
from plivo_sim.services import applications
from plivo_sim.settings import read_rate
from plivo_sim.simulator import is_account
from plivo_sim.snapshots import load_snapshot, save_snapshot
from plivo_sim.world import World


def make_blueprint() -> Blueprint:
    """``/_sim``."""
    blueprint = Blueprint("control", __name__, url_prefix="/_sim")
    blueprint.record_once(lambda state: state.app.extensions.setdefault("inboxes", inbox.Inboxes()))

    @blueprint.before_request
    def guard() -> None:
        check_caller(request, current_call().sim.settings)

    routes: list[tuple[str, str, Callable[..., Response]]] = [
        ("GET", "/health", health),
        ("GET", "/clock", clock),
        ("POST", "/clock/advance", advance),
        ("POST", "/clock/pause", pause),
        ("POST", "/clock/resume", resume),
        ("POST", "/clock/rate", rate),
        ("POST", "/clock/set", set_clock),
        ("GET", "/applications/<id>", get_application),
        ("POST", "/applications/<id>/decision", decide),
        ("GET", "/webhooks", list_webhooks),
        ("GET", "/webhooks/<id>", get_webhook),
        ("POST", "/webhooks/<id>/replay", replay_webhook),
        ("GET", "/accounts", list_accounts),
        ("POST", "/accounts", make_account),
        ("POST", "/reset", reset),
        ("POST", "/snapshot", snapshot),
        ("GET", "/snapshot/<path:name>", get_snapshot),
        ("POST", "/restore", restore),
        ("GET", "/openapi/", get_reference),
        ("GET", "/openapi/<name>.json", get_document),
    ]
    for module in (probes, inbox, steering, checks, listing):
        routes += module.ROUTES
    for method, rule, view in routes:
        blueprint.add_url_rule(rule, f"{method} {rule}".replace(".", "_"), view, methods=[method])
    return blueprint


def get_reference() -> Response:
    from plivo_sim.control.reference import get_page  # here: it needs every schema of every API

    return get_page()


def get_document(name: str) -> Response:
    from plivo_sim.control import reference  # here, as above

    return reference.get_document(name)


def health() -> Response:
    """Alive, and which version; needs no account. ``damages``: state that was found damaged."""
    call = current_call()
    state = call.sim.settings.state
    return call.answer(
        {
            "status": "ok",
            "version": __version__,
            "state": "memory" if state is None else str(state),
            "accounts": len(call.sim.accounts()),
            "damages": [asdict(damage) for damage in call.sim.damages],
        }
    )


# --- time ------------------------------------------------------------------------------------


def clock() -> Response:
    world = world_of()
    with world.lock:
        return current_call().answer(presenters.clock_of(world))


def advance() -> Response:
    """``{"by": duration}``, ``{"to": instant}`` or ``{"until": {"application", "status"}}``.

    Answers with what happened, in order; 202 when it took so long that it carries on. Until a
    status: 409 when nothing more is due and the application does not have it.
    """
    data = json_object("by", "to", "until", "account")
    if sum(data.get(key) is not None for key in ("by", "to", "until")) != 1:
        raise invalid("", "give one of by, to, until")
    call, world = current_call(), world_of(data, sends=True)
    by, to = duration_of(data, "by"), instant_of(data, "to")
    if data.get("until") is not None:
        result = call.sim.advance_until(world, _reached(world, data["until"]))
    else:
        result = call.sim.advance(world, by, to=to)
    call.why = f"now {world.now():%Y-%m-%d %H:%M:%S}; {len(result.happenings)} happened"
    with world.lock:
        return call.answer(presenters.advanced(world, result), 202 if result.pending else 200)


def _reached(world: World, until: Any) -> Callable[[], bool]:
    if not isinstance(until, dict):
        raise invalid("until", "must be an object with application and status")
    status = word_of(until, "status", Status)
    id = text_of(until, "application") or ""
    applications.get(world, id)

    def reached() -> bool:
        with world.lock:
            return applications.get(world, id).status is status

    return reached


def pause() -> Response:
    return _changed_clock(json_object("account"), VirtualClock.pause)


def resume() -> Response:
    return _changed_clock(json_object("account"), VirtualClock.resume)


def _changed_clock(data: dict[str, Any], change: Callable[[VirtualClock], None]) -> Response:
    world = world_of(data)
    with world.lock:
        change(world.clock)
        world.keep_ledger()
        return current_call().answer(presenters.clock_of(world))


def rate() -> Response:
    """``{"rate": simulated seconds a real second}``."""
    data = json_object("rate", "account")
    try:
        wanted = read_rate(str(data.get("rate", "")))
    except ValueError as error:
        raise invalid("rate", str(error)) from None
    return _changed_clock(data, lambda clock: clock.set_rate(wanted))


def set_clock() -> Response:
    """``{"to": instant}``: like advance, but told where to; never back."""
    data = json_object("to", "account")
    to = instant_of(data, "to")
    if to is None:
        raise invalid("to", "is required")
    call, world = current_call(), world_of(data, sends=True)
    result = call.sim.advance(world, to=to)
    with world.lock:
        return call.answer(presenters.advanced(world, result), 202 if result.pending else 200)


# --- applications ----------------------------------------------------------------------------


def get_application(id: str) -> Response:
    call = current_call()
    world = call.sim.world_of_application(id)
    call.sim.runner.catch_up(world)
    with world.lock:
        return call.answer(presenters.application_of(world, applications.get(world, id)))


def decide(id: str) -> Response:
    """``{"status": …, "reason": …}``: what a reviewer would do, now; answers when the first attempt
    of its callbacks is over, or after a moment while a receiver is being called."""
    call = current_call()
    data = json_object("status", "reason")
    status, reason = word_of(data, "status", Status), text_of(data, "reason")
    world = call.sim.world_of_application(id)
    call.sim.runner.catch_up(world)
    application = call.sim.decide(id, status, reason)
    call.why = f"{id} is {application.status}, by hand"
    call.world = world
    with world.lock:
        return call.answer(presenters.application_of(world, application))


# --- callbacks -------------------------------------------------------------------------------


def list_webhooks() -> Response:
    """Deliveries, oldest first; ``application`` and ``state`` filter."""
    if request.args.get("state"):
        word_of(request.args, "state", DeliveryState)
    world = world_of(sends=True)
    where = {
        field: (request.args[name],)
        for name, field in (("application", "application_id"), ("state", "state"))
        if request.args.get(name)
    }
    with world.lock:
        page = world.store.deliveries.page(
            where, offset=number_of("offset", 0), limit=number_of("limit", 100)
        )
        shown = [presenters.delivery_of(each) for each in page.records]
    return current_call().answer({"total_count": page.total_count, "webhooks": shown})


def get_webhook(id: str) -> Response:
    world, delivery = _delivery(id)
    with world.lock:
        return current_call().answer(presenters.delivery_of(delivery))


def replay_webhook(id: str) -> Response:
    """Send a delivery again, as a new one; 202 with the new record."""
    call = current_call()
    world, delivery = _delivery(id)
    with world.transaction():
        again = call.sim.replay(world, delivery)
    call.world = world
    return call.answer(presenters.delivery_of(again), 202)


def _delivery(id: str) -> tuple[World, Delivery]:
    for world in current_call().sim.accounts():
        current_call().sim.runner.catch_up(world, sends=True)
        with world.lock:
            delivery = world.store.deliveries.fetch(id)
            if delivery is not None:
                return world, delivery
    raise NotFound("webhook", id)


# --- accounts, reset, snapshots --------------------------------------------------------------


def list_accounts() -> Response:
    shown = []
    for world in current_call().sim.accounts():
        with world.lock:
            shown.append(presenters.account_of(world))
    return current_call().answer({"accounts": shown})


def make_account() -> Response:
    """``{"auth_id", "settings": {name: text}}``: make an account, or change its settings."""
    data = json_object("auth_id", "settings")
    auth_id = text_of(data, "auth_id") or ""
    if not is_account(auth_id):
        raise invalid("auth_id", "must be MA and 18 letters or digits")
    settings = data.get("settings", {})
    if not isinstance(settings, dict):
        raise invalid("settings", "must be an object")
    call = current_call()
    world = call.sim.world(auth_id)
    try:
        world.configure({key: _as_text(value) for key, value in settings.items()})
    except ValueError as error:
        raise invalid("settings", str(error)) from None
    call.world = world
    with world.lock:
        return call.answer(presenters.account_of(world), 201)


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def reset() -> Response:
    """``{"account": "MA…"}`` or ``"all"``: forget everything in it; clocks start anew."""
    call = current_call()
    data = json_object("account")
    if wanted(data) == "all" or (not wanted(data) and not call.sim.accounts()):
        gone = [world.auth_id for world in call.sim.accounts()]
        call.sim.remove_all()
    else:
        world = world_of(data)
        gone = [world.auth_id]
        call.sim.remove(world)
    return call.answer({"reset": gone})


def snapshot() -> Response:
    """``{"name": …}``: remember this moment of the account under a name."""
    data = json_object("name", "account")
    world = world_of(data, sends=True)
    name = text_of(data, "name") or f"snapshot-{len(world.marks) + 1}"
    with world.lock:
        world.marks[name] = world.mark()
        return current_call().answer(
            {"account": world.auth_id, "name": name, **presenters.account_of(world)}, 201
        )


def get_snapshot(name: str) -> Response:
    """The snapshot as a document to keep: records and files."""
    world = world_of()
    with world.lock:
        return current_call().answer(save_snapshot(world, _mark(world, name)))


def restore() -> Response:
    """``{"name": …}``, or ``{"snapshot": document}``: make that moment the present again."""
    data = json_object("name", "snapshot", "account", large=True)
    world = world_of(data)
    name = text_of(data, "name")
    with world.lock:
        if "snapshot" in data:
            try:
                mark = load_snapshot(world, data["snapshot"])
            except ValueError as error:
                raise invalid("snapshot", str(error)) from None
        elif name:
            mark = _mark(world, name)
        else:
            raise invalid("name", "is required")
        current_call().sim.restore(world, mark)
        current_call().world = world
        return current_call().answer(presenters.account_of(world))


def _mark(world: World, name: str) -> dict[str, Any]:
    if name not in world.marks:
        raise NotFound("snapshot", name)
    return world.marks[name]
