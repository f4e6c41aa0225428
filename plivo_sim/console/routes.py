"""The console's URLs. ``/`` leads a browser to it, and tells anybody else where things are."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from werkzeug.datastructures import ImmutableMultiDict

from plivo_sim import __version__
from plivo_sim.console import (
    account,
    applications,
    exchanges,
    faults,
    inboxes,
    numbers,
    scenarios,
    times,
    webhooks,
)
from plivo_sim.console.deeds import KEPT_DEEDS, MOST_AT_ONCE, Build, Deed, Memory, memory, perform
from plivo_sim.console.pages import base_url, guard, open_world, pulse_of, show
from plivo_sim.control.trust import check_caller
from plivo_sim.dialects.bodies import MOST_PARTS, not_taken, read_body
from plivo_sim.dialects.calls import current_call
from plivo_sim.dialects.timestamps import microseconds
from plivo_sim.errors import NoSuchPage, Untrusted
from plivo_sim.simulator import is_account

PREFIX = "/console"
PAGES: list[tuple[str, Callable[..., Response]]] = [
    *applications.PAGES,
    *times.PAGES,
    *scenarios.PAGES,
    *faults.PAGES,
    *numbers.PAGES,
    *account.PAGES,
    *webhooks.PAGES,
    *inboxes.PAGES,
    *exchanges.PAGES,
]
DEEDS: dict[str, Build] = {
    **applications.DEEDS,
    **times.DEEDS,
    **scenarios.DEEDS,
    **faults.DEEDS,
    **account.DEEDS,
    **webhooks.DEEDS,
    **inboxes.DEEDS,
}


def make_blueprint() -> Blueprint:
    """``/`` and ``/console``."""
    blueprint = Blueprint(
        "console",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path=f"{PREFIX}/static",
    )
    blueprint.record_once(lambda state: state.app.extensions.setdefault("console", Memory()))
    blueprint.add_app_template_filter(Deed.as_curl, "curl_of")
    blueprint.add_app_template_filter(Deed.as_command, "command_of")
    blueprint.add_app_template_filter(webhooks.says, "says")

    @blueprint.before_request
    def check() -> None:
        check_caller(request, current_call().sim.settings)

    blueprint.add_url_rule("/", "front", front, methods=["GET"])
    blueprint.add_url_rule(f"{PREFIX}/", "welcome", welcome, methods=["GET"])
    blueprint.add_url_rule(f"{PREFIX}/do/<name>", "do", do, methods=["POST"])
    blueprint.add_url_rule(f"{PREFIX}/<account>/", "account_home", account_home, methods=["GET"])
    blueprint.add_url_rule(f"{PREFIX}/<account>/history", "history", history, methods=["GET"])
    blueprint.add_url_rule(f"{PREFIX}/<account>/pulse", "pulse", pulse, methods=["GET"])
    for rule, view in PAGES:
        blueprint.add_url_rule(
            f"{PREFIX}/<account>{rule}", rule.replace(".", "_"), view, methods=["GET"]
        )
    return blueprint


def is_console(path: str) -> bool:
    """Whether a URL is one of the console's."""
    return path == "/" or path.startswith(PREFIX)


def front() -> Response:
    """A browser goes to the console; a script learns what is here."""
    if "text/html" in request.headers.get("Accept", ""):
        return _to(f"{PREFIX}/")
    call = current_call()
    return call.answer(
        {
            "name": "plivo-sim",
            "version": __version__,
            "console": f"{PREFIX}/",
            "control": "/_sim/health",
            "openapi": "/_sim/openapi/",
        }
    )


def welcome() -> Response:
    """The only account's applications; a choice where there are several; how to begin if none.
    ``?open=`` leads to an account by its auth id, whether it exists or not."""
    call = current_call()
    worlds = call.sim.accounts()
    wanted = request.args.get("open", "").strip()
    if is_account(wanted):
        return _to(f"{PREFIX}/{wanted}/applications")
    if len(worlds) == 1 and not {"all", "open"} & set(request.args):
        return _to(f"{PREFIX}/{worlds[0].auth_id}/applications")
    shown = []
    for world in worlds:
        with world.lock:
            shown.append(
                {
                    "auth_id": world.auth_id,
                    "now": world.now(),
                    "applications": len(world.store.applications),
                    "numbers": len(world.store.numbers),
                }
            )
    return show("welcome.html", worlds=shown, wanted=wanted)


def account_home(account: str) -> Response:
    """An account's first page."""
    open_world(account)
    return _to(f"{PREFIX}/{account}/applications")


def pulse(account: str) -> Response:
    """What the script asks every second: whether to look again, and where time stands."""
    world = open_world(account)
    with world.lock:
        facts = {
            "pulse": pulse_of(world),
            "now": microseconds(world.now()),
            "paused": world.clock.paused,
            "rate": world.clock.rate,
        }
    return current_call().answer(facts)


def history(account: str) -> Response:
    """What was done here, as a script that does it again."""
    deeds = [
        done.deed for _, group in memory().groups for done in group if done.ok and not done.over
    ]
    base = base_url()
    return show(
        "history.html",
        world=open_world(account),
        groups=deeds,
        most=KEPT_DEEDS,
        script_cli="\n".join(deed.as_command(base) or deed.as_curl(base) for deed in deeds),
        script_curl="\n".join(deed.as_curl(base) for deed in deeds),
    )


def do(name: str) -> Response:
    """A button was pressed: make its control calls, remember them, and go back to its page."""
    body = read_body(request, most_parts=MOST_AT_ONCE + MOST_PARTS)
    if body.kind not in ("multipart", "form", "empty"):
        raise not_taken("the body must be a form", body.media_type)
    form = ImmutableMultiDict(
        (part.name, part.content.decode("utf-8", "replace"))
        for part in body.parts
        if not part.is_file
    )
    kept = memory()
    if not hmac.compare_digest(form.get("_token", "").encode(), kept.token.encode()):
        raise Untrusted("the form is not from this console, or from before it was restarted")
    if name not in DEEDS:
        raise NoSuchPage(f"nothing here is called {name[:50]!r}")
    with current_call().sim.runner.together():
        group = kept.keep([perform(deed) for deed in DEEDS[name](form)])
    back = _own_path(form.get("_back", ""))
    return _to(f"{back}{'&' if '?' in back else '?'}done={group}")


def _own_path(text: str) -> str:
    """A path of the console, whatever the form says."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return f"{PREFIX}/"
    own = not parts.scheme and not parts.netloc and parts.path.startswith(f"{PREFIX}/")
    if not own or not text.isascii() or not text.isprintable() or "\\" in text:
        return f"{PREFIX}/"
    return parts._replace(fragment="").geturl()


def _to(path: str) -> Response:
    response = Response(status=303, headers={"Location": path})
    guard(response, "default-src 'none'")
    return response
