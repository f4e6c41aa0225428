"""The web console: watch and control the simulator in a browser. Invented.

Pages are rendered here and readable without JavaScript; one small script keeps them fresh. A
button makes the very control call that the page shows for copying; see ``actions``. ``/`` leads a
browser to the console, and tells any other client where things are.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from werkzeug.datastructures import ImmutableMultiDict

from plivo_sim import __version__
from plivo_sim.account.lock import Passing
from plivo_sim.apis.words import microseconds
from plivo_sim.console import (
    accounts,
    applications,
    case,
    clock,
    correcting,
    faults,
    filing,
    finder,
    history,
    machines,
    numbers,
    overview,
    plays,
    reports,
    requests,
    scenarios,
    traffic,
    undoing,
    webhooks,
)
from plivo_sim.console.actions import (
    MOST_AT_ONCE,
    Action,
    Build,
    Memory,
    memory,
)
from plivo_sim.console.attention import notices_in, notices_of_server
from plivo_sim.console.doing import perform_all
from plivo_sim.console.pages import guard, newest_of, open_account, pulse_of, show
from plivo_sim.console.traffic_list import says
from plivo_sim.console.undoing import AT_ONCE, keep_points
from plivo_sim.domain.secrets import without_secrets
from plivo_sim.domain.text import SNAPSHOT
from plivo_sim.simulator import is_account
from plivo_sim.web.bodies import MOST_PARTS, not_taken, read_body
from plivo_sim.web.calls import NoSuchPage, Untrusted, current_call

PREFIX = "/console"
FIRST_STORY = "rejected-then-accepted"
"""The scenario that the first page offers to who has no code: it can be played at any time, in an
account of its own."""
PAGES: list[tuple[str, Callable[..., Response]]] = [
    *overview.PAGES,
    *finder.PAGES,
    *applications.PAGES,
    *case.PAGES,
    *correcting.PAGES,
    *reports.PAGES,
    *clock.PAGES,
    *scenarios.PAGES,
    *faults.PAGES,
    *numbers.PAGES,
    *accounts.PAGES,
    *machines.PAGES,
    *webhooks.PAGES,
    *requests.PAGES,
    *traffic.PAGES,
    *history.PAGES,
]

ACTIONS: dict[str, Build] = {
    **applications.ACTIONS,
    **filing.ACTIONS,
    **correcting.ACTIONS,
    **clock.ACTIONS,
    **scenarios.ACTIONS,
    **faults.ACTIONS,
    **accounts.ACTIONS,
    **machines.ACTIONS,
    **webhooks.ACTIONS,
    **requests.ACTIONS,
    **undoing.ACTIONS,
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
    blueprint.add_app_template_filter(curl_of)
    blueprint.add_app_template_filter(command_of)
    blueprint.add_app_template_filter(says)
    blueprint.add_app_template_filter(without_secrets)

    blueprint.add_url_rule("/", "front", front, methods=["GET"])
    blueprint.add_url_rule(f"{PREFIX}/", "welcome", welcome, methods=["GET"])
    blueprint.add_url_rule(f"{PREFIX}/do/<name>", "do", do, methods=["POST"])
    blueprint.add_url_rule(f"{PREFIX}/<auth_id>/pulse", "pulse", pulse, methods=["GET"])
    for rule, view in requests.OF_SERVER:
        blueprint.add_url_rule(f"{PREFIX}{rule}", rule, view, methods=["GET"])
    for rule, view in PAGES:
        blueprint.add_url_rule(
            f"{PREFIX}/<auth_id>{rule}", rule.replace(".", "_"), view, methods=["GET"]
        )
    return blueprint


def curl_of(action: Action, base: str) -> str:
    """For templates: its call from a shell, whatever kind of action it is."""
    return action.as_curl(base)


def command_of(action: Action, base: str) -> str:
    """For templates: its command line."""
    return action.as_command(base)


def front() -> Response:
    """A browser goes to the console; a script is told what is here."""
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
    """The overview of the only account; a list if there are several; how to begin if there is
    none. ``?open=`` leads to an account by its auth id, whether it exists or not."""
    call = current_call()
    existing = call.sim.accounts()
    wanted = request.args.get("open", "").strip()
    if is_account(wanted):
        return _to(f"{PREFIX}/{wanted}/")
    if len(existing) == 1 and not {"all", "open"} & set(request.args):
        return _to(f"{PREFIX}/{existing[0].auth_id}/")
    found = newest_of(existing[::-1])
    shown, passing = [], Passing()
    for account in found.items:
        with passing.held(account.lock) as is_held:
            shown.append(
                {
                    "auth_id": account.auth_id,
                    "now": account.clock.now(),
                    "applications": len(account.store.applications),
                    "numbers": len(account.store.numbers),
                    "notices": notices_in(account) if is_held else [],
                }
            )
    return show(
        "welcome.html",
        rows=len(shown),
        summaries=shown,
        found=found,
        wanted=wanted,
        server_notices=notices_of_server(call.sim),
        story=FIRST_STORY,
        place=plays.own_account(FIRST_STORY),
    )


def pulse(auth_id: str) -> Response:
    """What the script requests every second: whether the page is still current, and the clock."""
    account = open_account(auth_id)
    with account.lock:
        facts = {
            "pulse": pulse_of(account),
            "now": microseconds(account.now()),
            "paused": account.clock.paused,
            "rate": account.clock.rate,
        }
    return current_call().answer(facts)


def do(name: str) -> Response:
    """A button was pressed: make its calls, remember them, and go back to its page, or to the one
    that its form names for when all is done."""
    body = read_body(request, most_parts=MOST_AT_ONCE + MOST_PARTS, json=SNAPSHOT)
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
    if name not in ACTIONS:
        raise NoSuchPage(f"nothing here is called {name[:50]!r}")
    with current_call().sim.runner.together():
        points = keep_points(current_call().sim, name, form, ()) if name in AT_ONCE else {}
        actions = ACTIONS[name](form)
        points = points or keep_points(current_call().sim, name, form, actions)
        done = perform_all(actions)
        group = kept.keep(done, name, form, points.get(form.get("account", ""), 0))
    leads_on = "_then" in form and all(each.ok for each in done)
    back = _own_path(form.get("_then" if leads_on else "_back", ""))
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
