"""What we make of Flask: routes that know both spellings of a URL, and nothing we do not use.

Each override drops work of every request (or of the start) that has no effect here; the ratios
are in ``docs/performance.md``. What they lean on is looked at when the application is made: where
Flask's methods do not take what they are expected to take, Flask is used as it is, with the same
answers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy
from werkzeug.routing import MapAdapter, Rule
from werkzeug.utils import cached_property

from plivo_sim.domain.urls import base_url_asked

KEPT_ROUTES = 1024
LONGEST_KEPT_PATH = 300

Route = tuple[Rule, Mapping[str, Any]]
Hook = Callable[..., Any]
Hooks = tuple[list[Hook], list[Hook]]
"""What is called before the view of an endpoint, and after it."""


class BothSpellings(Rule):
    """A rule for the URL with and without its last slash.

    Werkzeug matches both when the rule has none and slashes are not strict; when the rule has
    one, a wrong method of the other spelling is told as an unknown URL.
    """

    def __init__(self, string: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(string.rstrip("/") or "/", *args, **kwargs)


class Unbuilt(BothSpellings):
    """A rule that no URL is ever built from: to prepare for that was most of the time to start."""

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        return lambda *_: None


class BareRequest(Request):
    """A request whose size nobody but ``bodies.py`` looks at: it refuses in the dialect's words;
    and whose URLs are valid whatever its ``Host``."""

    max_content_length = None  # a property of Flask, which asks for it at each use

    @cached_property
    def host(self) -> str:
        return base_url_of(self).partition("://")[2]

    @cached_property
    def content_length(self) -> int | None:
        """As Werkzeug has it, which is asked where the length is not just digits."""
        length: str = self.environ.get("CONTENT_LENGTH") or ""
        plain = length.isascii() and length.isdecimal() and len(length) < 19
        if plain and "HTTP_TRANSFER_ENCODING" not in self.environ:
            return int(length)
        return super().content_length


def base_url_of(request: Request) -> str:
    """Where the caller reached us, without a last slash."""
    return base_url_asked(request.scheme, request.environ.get("HTTP_HOST"), request.server)


class PlainApp(Flask):
    """Flask as it is, but for what is matched: paths alone, in both spellings."""

    url_rule_class = BothSpellings
    request_class = BareRequest

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        self.url_map.redirect_defaults = False

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Without Flask's own answer to OPTIONS, which is empty, and HTML."""
        options["provide_automatic_options"] = False
        super().add_url_rule(rule, *args, **options)

    def create_url_adapter(self, request: Request | None, *more: Any) -> MapAdapter | None:
        """Hosts and protocols choose no route."""
        if isinstance(request, Request):
            return self._adapter(request.path, request.method)
        return super().create_url_adapter(request, *more)

    def _adapter(self, path: str, method: str) -> MapAdapter:
        return MapAdapter(self.url_map, "", "/", "", "http", path, method, None)


class App(PlainApp):
    """A Flask application whose views are plain functions that return responses, whose paths
    alone are matched, and which has neither sessions nor signals."""

    url_rule_class = Unbuilt

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self._kept_route = lru_cache(KEPT_ROUTES)(self._route)
        self._hooks: dict[str | None, Hooks] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: no view or hook is a coroutine, and Flask asks before each."""
        return func

    def do_teardown_request(self, *_: Any, **__: Any) -> None:
        """Nothing: there are no functions to call."""

    def create_url_adapter(self, request: Request | None, *_: Any) -> None:
        """None: a request is matched when it is served, and no URL is made from a rule."""
        return

    def full_dispatch_request(self) -> Response:
        """Match the request; hooks before, the view or the handler of its error, hooks after."""
        request = real_request()
        try:
            self._match(request)
            before, after = self._hooks_of(request)
        except HTTPException as error:
            request.routing_exception = error
            before, after = self._hooks_of(request)
        try:
            response = self._answer(request, before)
        except Exception as error:
            response = self.make_response(self.handle_user_exception(error))
        for hook in after:
            response = hook(response)
        return response

    def _answer(self, request: Request, before: list[Hook]) -> Response:
        for hook in before:
            refusal = hook()
            if refusal is not None:
                return self.make_response(refusal)
        if request.routing_exception is not None:
            self.raise_routing_exception(request)
        rule, arguments = cast("Rule", request.url_rule), cast("dict[str, Any]", request.view_args)
        view: Hook = self.view_functions[rule.endpoint]
        return self.make_response(view(**arguments))

    def _match(self, request: Request) -> None:
        """Raises HTTPException. Rules do not change, so what a path matches is kept."""
        path = request.path
        route = self._kept_route if len(path) <= LONGEST_KEPT_PATH else self._route
        request.url_rule, arguments = route(path, request.method)
        request.view_args = dict(arguments)

    def _route(self, path: str, method: str) -> Route:
        return self._adapter(path, method).match(return_rule=True)

    def _hooks_of(self, request: Request) -> Hooks:
        """Those of the application and of the request's blueprints, as Flask orders them."""
        found = self._hooks.get(request.endpoint)
        if found is None:
            before: list[Hook] = []
            after: list[Hook] = []
            for name in (None, *reversed(request.blueprints)):
                before += self.before_request_funcs.get(name, ())
                after[:0] = reversed(self.after_request_funcs.get(name, ()))
            found = self._hooks[request.endpoint] = before, after
        return found


def make_app(name: str, **kwargs: Any) -> Flask:
    """An application: ours where Flask and Werkzeug are as it expects them, else the plain one."""
    return (App if _is_as_expected() else PlainApp)(name, **kwargs)


def _is_as_expected() -> bool:
    """Whether what ``App`` overrides and calls takes what it took when that was written."""
    methods = ((kind, name, taken) for kind, all_ in _TAKEN.items() for name, taken in all_.items())
    return all(_parameters(kind, name) == taken for kind, name, taken in methods)


def _parameters(kind: type[Any], name: str) -> str | None:
    method = getattr(kind, name, None)
    return None if method is None else " ".join(list(inspect.signature(method).parameters)[1:])


_TAKEN: Mapping[type[Any], Mapping[str, str]] = {
    Flask: {
        "ensure_sync": "func",
        "do_teardown_request": "exc",
        "create_url_adapter": "request",
        "full_dispatch_request": "",
        "handle_user_exception": "e",
        "make_response": "rv",
        "raise_routing_exception": "request",
    },
    Rule: {"_compile_builder": "append_unknown"},
}
"""The methods that ``App`` and its rules override or call, with their parameters."""


def real_request() -> Request:
    """The request itself, not Flask's proxy, which looks it up at each use."""
    return cast("LocalProxy[Request]", request)._get_current_object()
