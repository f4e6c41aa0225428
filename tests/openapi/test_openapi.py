"""The OpenAPI documents: valid, complete, and kept by the server under fuzzing."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from plivo_sim.app import SURFACES, create_app, document
from plivo_sim.assembly import make_simulator
from plivo_sim.settings import Settings
from tests.support import AUTH_ID, Http, basic, parts_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 12
UNDOCUMENTED = {("GET", "/_sim/openapi/"), ("GET", "/")}
"""Pages, not calls."""


@pytest.mark.parametrize("name", SURFACES)
def test_documents_are_valid(name: str) -> None:
    """OpenAPI 3.1."""
    assert document(name)["openapi"] == "3.1.0"
    validate(document(name))


def normal(method: str, path: str) -> tuple[str, str]:
    """Without the names of parameters and the last slash."""
    return method, re.sub(r"[<{][^>}]*[>}]", "{}", path).rstrip("/")


def test_every_route_is_documented_and_every_path_exists(http: Http) -> None:
    """Neither says more than the other."""
    routes = {
        normal(method, rule.rule)
        for part in parts_of(http.app)
        for rule in part.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/console")
    } - {normal(*each) for each in UNDOCUMENTED}
    told = {
        normal(method.upper(), path)
        for name in SURFACES
        for path, operations in document(name)["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert routes - told == set()
    assert told - routes == set()


def test_documents_are_served(http: Http) -> None:
    """With an offline page that leads to each."""
    for name in SURFACES:
        assert http.control("GET", f"/openapi/{name}.json").get_json() == document(name)
    page = http.control("GET", "/openapi/")
    assert page.content_type.startswith("text/html")
    for name in SURFACES:
        assert f"/_sim/openapi/{name}.json" in page.text
    assert "</b> /<wbr>_sim/<wbr>clock/<wbr>advance</code>" in page.text
    assert "http" not in re.sub(r"http-equiv", "", page.text).replace("https:", "x")
    assert http.control("GET", "/openapi/nothing.json").status_code == 404


def operations() -> list[tuple[str, str, str]]:
    return [
        (name, method, path)
        for name in SURFACES
        for path, found in document(name)["paths"].items()
        for method in found
        if method != "parameters"
    ]


def fuzzed(name: str, method: str, path: str) -> None:
    """Calls one operation with what its document allows, and a bit beyond."""
    dialect = name if name in ("current", "beta") else "auto"
    sim = make_simulator(Settings(port=0, paused=True, new_api=dialect))
    schema = schemathesis.openapi.from_wsgi(f"/_sim/openapi/{name}.json", create_app(sim))
    credentials = "Bearer token" if name == "atoms" else basic(AUTH_ID)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=schema[path][method].as_strategy())
    def call(case: Any) -> None:
        if "auth_id" in (case.path_parameters or {}):
            case.path_parameters["auth_id"] = AUTH_ID
        answer = case.call(headers={"Authorization": credentials})
        case.validate_response(answer, checks=CHECKS)

    call()
    sim.close()


@pytest.mark.filterwarnings("ignore")  # the fuzzer's own dependencies
@pytest.mark.parametrize(("name", "method", "path"), operations())
def test_no_undocumented_status_no_schema_violation_no_500(
    name: str, method: str, path: str
) -> None:
    """schemathesis, a few cases an operation; deterministic."""
    fuzzed(name, method, path)
