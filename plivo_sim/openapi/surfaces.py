"""The surfaces. A test holds that every route stands in one of them, and the other way round."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from plivo_sim.apis.atoms import schemas as atoms
from plivo_sim.apis.legacy.routes import LEGACY
from plivo_sim.apis.numbers.routes import NUMBERS
from plivo_sim.apis.phone_number.beta import schemas as beta
from plivo_sim.apis.phone_number.current import schemas as current
from plivo_sim.apis.reading import OUTCOME
from plivo_sim.openapi.build import form
from plivo_sim.web.endpoints import (
    BASIC,
    BEARER,
    FILE,
    FORM,
    JSON,
    MULTIPART,
    Endpoint,
    Query,
    Surface,
)


def _elsewhere() -> Response:
    """Stands for the view of a row that is not yet declared beside it."""
    raise NotImplementedError


def Operation(id: str, **row: Any) -> Endpoint:
    """A row whose view is elsewhere."""
    return Endpoint(name=id, view=_elsewhere, **row)


ACCOUNT = "/v1/Account/{auth_id}"


COMPLIANCE = f"{ACCOUNT}/PhoneNumber/Compliance/"


ONE = f"{COMPLIANCE}{{compliance_id}}/"


_EXPAND = Query(name="expand", description="Comma list of end_user, documents, linked_numbers.")


_PAGE = (
    Query(name="limit", type="integer", description="1 to 100, default 20."),
    Query(name="offset", type="integer"),
)


_FILTERS = tuple(
    Query(name=name) for name in ("status", "country_iso", "number_type", "user_type", "alias")
)


_KEY = tuple(Query(name=name) for name in ("country_iso", "number_type", "user_type"))


def _json_text(schema: str) -> dict[str, Any]:
    return {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"#/components/schemas/{schema}"},
    }


def _data_form(schema: str) -> dict[str, Any]:
    """``data`` as JSON text, files as ``documents[i].file``."""
    return {
        "type": "object",
        "properties": {
            "data": _json_text(schema),
            "documents[0].file": FILE,
            "documents[1].file": FILE,
        },
        "required": ["data"],
    }


def _new_api(api: Any, bodies: Any, changes: Any, errors: tuple[int, ...]) -> tuple[Endpoint, ...]:
    deleted = api.DeletedOut if hasattr(api, "DeletedOut") else api.CreatedOut
    updated = api.UpdatedOut if hasattr(api, "UpdatedOut") else api.CreatedOut
    return (
        Operation(
            id="requirements", method="GET", path=f"{COMPLIANCE}Requirements/", query=_KEY,
            summary="What a country asks for.", answers={200: api.RequirementsOut}, errors=errors,
        ),
        Operation(
            id="create", method="POST", path=COMPLIANCE, query=(OUTCOME,), bodies=bodies,
            errors=errors,
            summary="Create an application and submit it for review.",
            answers={201: api.CreatedOut},
        ),
        Operation(
            id="list", method="GET", path=COMPLIANCE, query=(*_PAGE, *_FILTERS, _EXPAND),
            summary="List applications, oldest first.", answers={200: api.ListOut}, errors=errors,
        ),
        Operation(
            id="get", method="GET", path=ONE, query=(_EXPAND, Query(name="id")),
            summary="Read one application.", answers={200: api.OneOut}, errors=(*errors, 404),
        ),
        Operation(
            id="update", method="PATCH", path=ONE, query=(OUTCOME,), bodies=changes,
            body_required=False,
            summary="Correct a rejected application; it is submitted again.",
            answers={200: updated}, errors=(*errors, 404),
        ),
        Operation(
            id="delete", method="DELETE", path=ONE, summary="Delete an application.",
            answers={200: deleted}, errors=(*errors, 404),
        ),
        Operation(
            id="download", method="GET", path=f"{ONE}Document/{{document_id}}/download/",
            summary="The file of a document.", answers={200: None}, errors=(*errors, 404),
        ),
    )  # fmt: skip


CURRENT = Surface(
    name="current",
    title="Plivo PhoneNumber/Compliance, as the SDKs speak it",
    description="The new API in the dialect of the official SDKs.",
    prefix="",
    answers="",
    endpoints=_new_api(
        current,
        {MULTIPART: _data_form("CreateRequest"), FORM: _data_form("CreateRequest")},
        {MULTIPART: _data_form("UpdateRequest"), FORM: _data_form("UpdateRequest")},
        (400,),
    ),
    error=current.ErrorOut,
    security=BASIC,
    always=(401, 429),
    mount="/current",
    components={"CreateRequest": current.CreateIn, "UpdateRequest": current.UpdateIn},
)


BETA = Surface(
    name="beta",
    title="Plivo PhoneNumber/Compliance, as the beta page prints it",
    description="The new API in the beta dialect.",
    prefix="",
    answers="",
    endpoints=_new_api(
        beta,
        {JSON: beta.CreateIn, MULTIPART: form(beta.CreateIn, documents=True)},
        {
            JSON: beta.UpdateIn,
            MULTIPART: form(beta.UpdateIn, documents=True),
            FORM: form(beta.UpdateIn),
        },
        (400, 409, 413, 422),
    ),
    error=beta.ErrorOut,
    security=BASIC,
    always=(401, 429),
    mount="/beta",
)


ATOMS_KEY = tuple(
    Query(name=name, required=True) for name in ("countryIso", "numberType", "userType")
)


_ATOMS_FORM = {
    "type": "object",
    "properties": {
        "endUser": _json_text("EndUserRequest"),
        "documents": {"type": "string", "contentMediaType": "application/json"},
        "files": {"type": "array", "items": FILE, "maxItems": 10},
        **{name: {"type": "string"} for name in ("countryIso", "numberType", "userType")},
    },
    "required": ["countryIso", "numberType", "userType", "endUser", "documents", "files"],
}


_ATOMS_FILES = {
    "type": "object",
    "properties": {name: _ATOMS_FORM["properties"][name] for name in ("documents", "files")},  # type: ignore[index]  # a plain value
    "required": ["documents", "files"],
}


def _enveloped(schema: Any, name: str) -> Any:
    """``{"status": true, "data": …}``."""
    return Schema.from_dict(
        {"status": fields.Boolean(required=True), "data": fields.Nested(schema, required=True)},
        name=name,
    )


_COMPLIANCE = "/atoms/v1/compliance"


_APPLICATION = _enveloped(atoms.ApplicationOut, "ApplicationAnswerOut")


ATOMS = Surface(
    name="atoms",
    title="Atoms compliance",
    description="The compliance facade of Smallest AI's Atoms.",
    prefix="",
    answers="",
    endpoints=(
        Operation(
            id="status", method="GET", path=f"{_COMPLIANCE}/status", query=ATOMS_KEY,
            summary="Where an organisation's application stands.",
            answers={200: _enveloped(atoms.StatusOut, "StatusAnswerOut")}, errors=(400, 502),
        ),
        Operation(
            id="requirements", method="GET", path=f"{_COMPLIANCE}/requirements", query=ATOMS_KEY,
            summary="What a country asks for.",
            answers={200: _enveloped(atoms.RequirementOut, "RequirementAnswerOut")},
            errors=(400, 502),
        ),
        Operation(
            id="submit", method="POST", path=f"{_COMPLIANCE}/applications",
            summary="Submit an application.", query=(OUTCOME,), bodies={MULTIPART: _ATOMS_FORM},
            answers={201: _APPLICATION}, errors=(400, 409, 502),
        ),
        Operation(
            id="resubmit", method="PATCH", path=f"{_COMPLIANCE}/applications/{{id}}",
            summary="Submit a rejected application again, all documents with it.",
            query=(OUTCOME,),
            bodies={MULTIPART: _ATOMS_FILES}, answers={200: _APPLICATION}, errors=(400, 404, 502),
        ),
        Operation(
            id="refresh", method="POST", path=f"{_COMPLIANCE}/applications/{{id}}/refresh",
            summary="Poll Plivo for the status.", answers={200: _APPLICATION},
            errors=(400, 404, 429, 502),
        ),
    ),
    error=atoms.ErrorOut,
    security=BEARER,
    always=(401,),
    components={"EndUserRequest": atoms.EndUserIn},
)  # fmt: skip


SURFACES = {surface.name: surface for surface in (CURRENT, BETA, LEGACY, NUMBERS, ATOMS)}
