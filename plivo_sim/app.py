"""The Flask applications: the surfaces, what is loaded for each, and their documents.

How each of their calls is opened and closed: ``calls``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Flask, Response, g, has_app_context, request
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from plivo_sim.account.account import Account
from plivo_sim.apis.legacy.routes import LEGACY
from plivo_sim.apis.legacy.routes import make_blueprint as legacy_blueprint
from plivo_sim.apis.numbers.routes import NUMBERS, make_link_blueprint
from plivo_sim.apis.numbers.routes import make_blueprint as numbers_blueprint
from plivo_sim.apis.phone_number.limits import RateLimits
from plivo_sim.apis.phone_number.routes import BETA, CURRENT
from plivo_sim.apis.phone_number.routes import make_blueprint as new_api_blueprint
from plivo_sim.apis.reading import MOUNT_KEY
from plivo_sim.calls import close_call, fail, open_call, refuse, refuse_http
from plivo_sim.domain.errors import SimError
from plivo_sim.domain.machine import Machine
from plivo_sim.domain.typed import once
from plivo_sim.machines import default_machine
from plivo_sim.settings import Network
from plivo_sim.simulator import Simulator
from plivo_sim.web.endpoints import Surface
from plivo_sim.web.fault_injection import Injector
from plivo_sim.web.framework import make_app
from plivo_sim.web.kept_answers import KeptAnswers
from plivo_sim.web.streams import CuttingApp


@once
def _surfaces() -> dict[str, Surface]:
    from plivo_sim.apis.atoms.routes import ATOMS
    from plivo_sim.control import CONTROL

    return {each.name: each for each in (CURRENT, BETA, LEGACY, NUMBERS, ATOMS, CONTROL)}


class _Surfaces(Mapping[str, Surface]):
    """Each by its name; the others than Plivo's are loaded when somebody looks for one."""

    def __getitem__(self, name: str) -> Surface:
        return _surfaces()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_surfaces())

    def __len__(self) -> int:
        return len(_surfaces())


SURFACES = _Surfaces()
"""Everything that answers, but the console. A test holds that every route stands in one of them."""

MOUNTS = {surface.mount: surface.name for surface in (CURRENT, BETA)}
"""Path -> the dialect that answers below it."""


@once
def document(name: str) -> dict[str, Any]:
    """The OpenAPI document of a surface, with the default machine's words. Raises KeyError. Nobody
    changes it once it is made."""
    return _worded(name, default_machine())


@once
def _unworded(name: str) -> dict[str, Any]:
    from plivo_sim.openapi import unworded  # here: a start needs none of it

    return unworded(SURFACES[name])


def _worded(name: str, machine: Machine) -> dict[str, Any]:
    from plivo_sim.openapi import worded  # here: a start needs none of it

    return worded(_unworded(name), machine)


class _Documents:
    """The documents of a simulator, with the words of its machine, or of an account's own."""

    def __init__(self, sim: Simulator) -> None:
        self._machine = sim.machine
        self._made = once(partial(_worded, machine=sim.machine))

    def __call__(self, name: str, machine: Machine | None = None) -> dict[str, Any]:
        machine = machine or self._machine
        if machine == default_machine():
            return document(name)
        return self._made(name) if machine == self._machine else _worded(name, machine)


def create_app(sim: Simulator) -> Flask:
    """The WSGI application for a simulator."""
    sim.on_write = _note_write
    parts = _Parts(sim)
    return parts.of("/v1/")


def _note_write(account: Account, is_other: bool) -> None:
    """By the call of this thread, if there is one."""
    if has_app_context() and (call := g.get("call")) is not None:
        call.note_write(account, is_other=is_other)


class _Parts:
    """The Flask applications that a simulator is made of, each for its own paths, and made when it
    is first called: the APIs of Plivo's accounts are what a start is for, and the rest would double
    what it loads. Each is called as the whole, so none needs to know which one it is."""

    def __init__(self, sim: Simulator) -> None:
        self._sim, self._injector, self._limits = sim, Injector(), RateLimits()
        self._extensions: dict[str, Any] = {
            "plivo_sim": sim, "surfaces": SURFACES, "document": _Documents(sim),
            "part": self.of, "html_report": self._html_report,
            "copy_of_history": _copy_of_history,
        }  # fmt: skip
        self._made = once(self._make)
        self._kept = KeptAnswers(sim, self._limits.hit)
        self._kept.app = CuttingApp(_Forwarded(sim, _Mounts(self._serve)))

    def of(self, path: str) -> Flask:
        """What answers below a path, without its mount."""
        return self._made(_part_of(path))

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = f"/{environ.get('PATH_INFO', '').lstrip('/')}"  # as a request says it
        return Flask.wsgi_app(self.of(path), environ, start_response)

    def _make(self, part: str) -> Flask:
        if part == "console":
            self._made("control")  # whose calls its buttons make
        app = make_app("plivo_sim", static_folder=None, template_folder=None)
        app.extensions = self._extensions
        app.before_request(partial(open_call, part, self._sim, self._injector, self._limits))
        for blueprint in _maker_of(part)(self._injector):
            app.register_blueprint(blueprint)
        app.after_request(partial(close_call, self._injector, self._kept))
        app.register_error_handler(SimError, refuse)
        app.register_error_handler(HTTPException, refuse_http)
        app.register_error_handler(Exception, fail)
        app.wsgi_app = self._kept  # type: ignore[method-assign]  # Flask's documented way
        return app

    def _html_report(self, account: Account, id: str) -> Response:
        """What the console shows of an account, as the answer to a control call."""
        from plivo_sim.console.reports import html_report

        call = g.call
        with self.of("/console/").request_context(request.environ):
            g.call = call
            return html_report(account, id)


def _copy_of_history(account: Account, kind: str) -> str:
    """What was done, as the console copies it."""
    from plivo_sim.console.history import copied  # here: a start needs none of it

    return copied(account, kind)


def _part_of(path: str) -> str:
    if path.startswith("/_sim"):
        return "control"
    if path in ("/", "/console") or path.startswith("/console/"):
        return "console"
    return "atoms" if path.startswith("/atoms/") else ""


@once
def _maker_of(part: str) -> Callable[[Injector], Iterable[Blueprint]]:
    """What makes the blueprints of a part, whose package is loaded for it: by one thread at a time,
    whichever simulator is called."""
    if part == "atoms":
        from plivo_sim.apis.atoms.routes import make_blueprint as make_atoms

        return lambda injector: [make_atoms(injector.within)]
    if part == "control":
        from plivo_sim.control import make_blueprint as make_control

        return lambda _: [make_control()]
    if part == "console":
        from plivo_sim.console import make_blueprint as make_console

        return lambda _: [make_console()]
    return lambda _: _api_blueprints()


def _api_blueprints() -> Iterator[Blueprint]:
    compliance = new_api_blueprint()
    compliance.register_blueprint(make_link_blueprint())
    yield compliance
    yield numbers_blueprint()
    yield legacy_blueprint()


class _Forwarded:
    """What a trusted proxy says of its client (``X-Forwarded-Host``, ``-Proto``, ``-For``) is
    believed; of anybody else it is not."""

    def __init__(self, sim: Simulator, app: Any) -> None:
        self._sim, self._app = sim, app
        self._fixed = ProxyFix(app, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        trusted = self._sim.settings.trusted_proxies
        if not trusted or not _is_in(environ.get("REMOTE_ADDR", ""), trusted):
            return self._app(environ, start_response)
        if environ.get("HTTP_X_FORWARDED_PROTO", "http") not in ("http", "https"):
            del environ["HTTP_X_FORWARDED_PROTO"]
        return self._fixed(environ, start_response)


def _is_in(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in each for each in networks)


class _Mounts:
    """``/current/v1/…`` and ``/beta/v1/…``: the same API with the dialect fixed."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        for mount, dialect in MOUNTS.items():
            if path.startswith(f"{mount}/v1/"):
                environ[MOUNT_KEY] = dialect
                environ["PATH_INFO"] = path[len(mount) :]
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + mount
        return self._app(environ, start_response)
