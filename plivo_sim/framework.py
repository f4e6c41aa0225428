"""What we make of Flask: routes that know both spellings of a URL, and nothing we do not use.

Each override drops work of every request (or of the start) that has no effect here; the ratios
are in ``docs/performance.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Flask, Request, request
from werkzeug.local import LocalProxy
from werkzeug.routing import MapAdapter, Rule


class BothSpellings(Rule):
    """A rule for the URL with and without its last slash.

    Werkzeug matches both when the rule has none and slashes are not strict; when the rule has
    one, a wrong method of the other spelling is told as an unknown URL.
    """

    def __init__(self, string: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(string.rstrip("/") or "/", *args, **kwargs)

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        """Nothing: no URL is ever built from a rule, and this was most of the time to start."""
        return lambda *_: None


class BareRequest(Request):
    """A request whose size nobody but ``bodies.py`` looks at: it refuses in the dialect's words."""

    max_content_length = None  # a property of Flask, which asks for it at each use


class App(Flask):
    """A Flask application whose views are plain functions and whose paths alone are matched."""

    url_rule_class = BothSpellings
    request_class = BareRequest

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.url_map.strict_slashes = False
        self.url_map.merge_slashes = False
        self.url_map.redirect_defaults = False
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # its answer is empty, and HTML

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: no view or hook is a coroutine, and Flask asks before each."""
        return func

    def do_teardown_request(self, *_: Any, **__: Any) -> None:
        """Nothing: there are no functions to call."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Matches by path and method: hosts choose no route, and no URL is made from one."""
        if request is None:
            return None
        return MapAdapter(self.url_map, "", "/", "", "http", request.path, request.method, None)


def real_request() -> Request:
    """The request itself, not Flask's proxy, which looks it up at each use."""
    return cast("LocalProxy[Request]", request)._get_current_object()
