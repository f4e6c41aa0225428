"""The floor: a bare Flask app on the server that the simulator uses, with its settings.

    python benchmarks/peers/bare.py PORT

Keeps nothing: what it costs is Flask and the server alone.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

ID = "c0ffee00-0000-4000-8000-000000000000"
RECORD = {
    "api_id": ID, "alias": "Acme Mumbai", "status": "draft", "documents": [],
    "compliance_application_id": ID, "compliance_requirement_id": ID, "country_iso2": "IN",
    "end_user_id": ID, "end_user_type": "business", "country_iso": "IN", "number_type": "local",
    "compliance_document_id": [], "created_at": "2026-01-05T09:00:00.000000Z",
    "last_updated_at": "2026-01-05T09:00:00.000000Z",
}  # fmt: skip
"""As long as the simulator's answer to a GET of an application."""

PAGE = {"api_id": ID, "meta": {"limit": 20, "offset": 0}, "objects": [RECORD] * 20}


def bare_app() -> Any:
    """Read one, read a page of twenty, write JSON, write a form with two files."""
    import flask

    app = flask.Flask("bare")

    @app.get("/records/<id>")
    def read(id: str) -> Any:
        return RECORD

    @app.get("/records")
    def read_page() -> Any:
        return PAGE

    @app.post("/records")
    def write() -> Any:
        return {**RECORD, "alias": flask.request.get_json()["alias"]}, 201

    @app.post("/files")
    def write_files() -> Any:
        sizes = [len(each.read()) for each in flask.request.files.values()]
        return {**RECORD, "alias": f"{sum(sizes)} bytes in {len(sizes)} files"}, 201

    return app


def main() -> None:
    from plivo_sim.web.server import make_server

    make_server(bare_app(), port=int(sys.argv[1])).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
