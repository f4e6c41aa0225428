"""Requests to a simulator of this process, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import urllib3

from plivo_sim.client import Answer, BrokenOff, Form

Application = Callable[..., Iterable[bytes]]


class Wsgi:
    """Brings requests to a WSGI application of this process, in the thread of the caller. ``base``:
    the URL under which the application is asked."""

    def __init__(self, app: Application, base: str = "http://127.0.0.1") -> None:
        self._app = app
        self._base = f"{base}/"

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        form: Form | None = None,
    ) -> Answer:
        """See ``plivo_sim.client.Transport``. Raises BrokenOff when a fault cuts the call off."""
        from werkzeug.test import EnvironBuilder, run_wsgi_app  # only for who calls in process

        sent = dict(headers)
        if form is not None:
            body, sent["Content-Type"] = urllib3.encode_multipart_formdata(form)
        builder = EnvironBuilder(
            target, self._base, method=method, headers=[*sent.items()], data=body
        )
        try:
            chunks, status, found = run_wsgi_app(self._app, builder.get_environ(), buffered=True)
        except ConnectionResetError as error:
            raise BrokenOff(str(error)) from None
        code, _, reason = status.partition(" ")
        pairs: Any = found.to_wsgi_list()
        headers_out = urllib3.HTTPResponse(headers=pairs).headers  # 1.26 has no name for the type
        return Answer(int(code), reason, headers_out, b"".join(chunks))
