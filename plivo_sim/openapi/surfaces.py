"""The surfaces. A test holds that every route stands in one of them, and the other way round."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from plivo_sim.atoms import schemas as atoms
from plivo_sim.dialects import outcome
from plivo_sim.dialects.legacy import schemas as legacy
from plivo_sim.dialects.phone_number.documented import schemas as documented
from plivo_sim.dialects.phone_number.sdk import schemas as sdk
from plivo_sim.openapi.build import BASIC, BEARER
from plivo_sim.openapi.forms import FILE, TEXT, form
from plivo_sim.openapi.model import (
    FORM,
    JSON,
    MULTIPART,
    Operation,
    Query,
    SchemaType,
    Surface,
)
from plivo_sim.openapi.numbers import NUMBERS

ACCOUNT = "/v1/Account/{auth_id}"
COMPLIANCE = f"{ACCOUNT}/PhoneNumber/Compliance/"
ONE = f"{COMPLIANCE}{{compliance_id}}/"
OUTCOME = Query(
    name=outcome.HEADER, place="header",
    description="What the reviewer decides about this submission, such as rejected; after=2d; "
    'reason="Name mismatch". Plivo has no such header.',
)  # fmt: skip
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


def _new_api(api: Any, bodies: Any, changes: Any, errors: tuple[int, ...]) -> tuple[Operation, ...]:
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


SDK = Surface(
    name="sdk",
    title="Plivo PhoneNumber/Compliance, as the SDKs speak it",
    description="The new API in the dialect of the official SDKs.",
    operations=_new_api(
        sdk,
        {MULTIPART: _data_form("CreateRequest"), FORM: _data_form("CreateRequest")},
        {MULTIPART: _data_form("UpdateRequest"), FORM: _data_form("UpdateRequest")},
        (400,),
    ),
    error=sdk.ErrorOut,
    security=BASIC,
    always=(401, 429),
    mount="/sdk",
    components={"CreateRequest": sdk.CreateIn, "UpdateRequest": sdk.UpdateIn},
)

DOCUMENTED = Surface(
    name="documented",
    title="Plivo PhoneNumber/Compliance, as the beta page prints it",
    description="The new API in the documented dialect.",
    operations=_new_api(
        documented,
        {JSON: documented.CreateIn, MULTIPART: form(documented.CreateIn, documents=True)},
        {
            JSON: documented.UpdateIn,
            MULTIPART: form(documented.UpdateIn, documents=True),
            FORM: form(documented.UpdateIn),
        },
        (400, 409, 413, 422),
    ),
    error=documented.ErrorOut,
    security=BASIC,
    always=(401, 429),
    mount="/documented",
)


def _document(schema: SchemaType) -> dict[str, Any]:
    """A legacy document: every further text field is one of its data fields."""
    return form(schema, file=FILE) | {"additionalProperties": TEXT}


def _legacy() -> tuple[Operation, ...]:
    page = (Query(name="limit", type="integer"), Query(name="offset", type="integer"))

    def crud(
        noun: str, one: str, out: Any, created: Any, listed: Any, new: Any, change: Any,
        filters: tuple[str, ...],
    ) -> tuple[Operation, ...]:  # fmt: skip
        path, single = f"{ACCOUNT}/{noun}/", f"{ACCOUNT}/{noun}/{{id}}/"
        said = one.replace("_", " ")
        query = (*page, *(Query(name=name) for name in filters))
        return (
            Operation(id=f"create_{one}", method="POST", path=path, bodies=new,
                      summary=f"Create one {said}.", answers={201: created}, errors=(400, 404)),
            Operation(id=f"list_{one}", method="GET", path=path, query=query,
                      summary=f"List every {said}.", answers={200: listed}, errors=(400,)),
            Operation(id=f"get_{one}", method="GET", path=single,
                      summary=f"Read one {said}.", answers={200: out}, errors=(400, 404)),
            Operation(id=f"update_{one}", method="POST", path=single, bodies=change,
                      body_required=False, summary=f"Change one {said}.",
                      answers={202: legacy.MessageOut}, errors=(400, 404)),
            Operation(id=f"delete_{one}", method="DELETE", path=single,
                      summary=f"Delete one {said}.", answers={200: legacy.MessageOut},
                      errors=(400, 404)),
        )  # fmt: skip

    requirement = tuple(
        Query(name=name)
        for name in ("country_iso2", "country_iso", "number_type", "end_user_type",
                     "phone_number", "id")
    )  # fmt: skip
    lookups = tuple(
        operation
        for noun, id in (("ComplianceRequirement", ""), ("ComplianceRequirements", "_plural"))
        for operation in (
            Operation(id=f"look_up_requirement{id}", method="GET", path=f"{ACCOUNT}/{noun}/",
                      query=requirement, summary="What a country asks for.",
                      answers={200: legacy.RequirementOut}, errors=(400, 404)),
            Operation(id=f"get_requirement{id}", method="GET", path=f"{ACCOUNT}/{noun}/{{id}}/",
                      summary="Read one requirement.",
                      answers={200: legacy.RequirementOut}, errors=(400, 404)),
        )
    )  # fmt: skip
    return (
        *crud("EndUser", "end_user", legacy.EndUserGetOut, legacy.EndUserCreatedOut,
              legacy.EndUserListOut, {JSON: legacy.EndUserIn}, {JSON: legacy.EndUserChangeIn},
              ("name", "last_name", "end_user_type")),
        Operation(id="list_document_type", method="GET",
                  path=f"{ACCOUNT}/ComplianceDocumentType/", query=page,
                  summary="List document types.",
                  answers={200: legacy.DocumentTypeListOut}, errors=(400,)),
        Operation(id="get_document_type", method="GET",
                  path=f"{ACCOUNT}/ComplianceDocumentType/{{id}}/",
                  summary="Read one document type.",
                  answers={200: legacy.DocumentTypeGetOut}, errors=(400, 404)),
        *lookups,
        *crud("ComplianceDocument", "document", legacy.DocumentGetOut, legacy.DocumentCreatedOut,
              legacy.DocumentListOut,
              {MULTIPART: _document(legacy.DocumentIn)},
              {MULTIPART: _document(legacy.DocumentChangeIn), FORM: form(legacy.DocumentChangeIn)},
              ("end_user_id", "document_type_id", "alias")),
        *crud("ComplianceApplication", "application", legacy.ApplicationGetOut,
              legacy.ApplicationSentOut, legacy.ApplicationListOut,
              {JSON: legacy.ApplicationIn}, {JSON: legacy.ApplicationChangeIn},
              ("status", "end_user_type", "number_type", "country_iso2", "country", "alias",
               "end_user_id")),
        Operation(id="submit_application", method="POST",
                  path=f"{ACCOUNT}/ComplianceApplication/{{id}}/Submit/", query=(OUTCOME,),
                  summary="Submit a draft or a corrected application for review.",
                  answers={202: legacy.ApplicationSentOut}, errors=(400, 404)),
    )  # fmt: skip


LEGACY = Surface(
    name="legacy",
    title="Plivo legacy compliance API",
    description="EndUser, ComplianceDocumentType, ComplianceRequirement, ComplianceDocument, "
    "ComplianceApplication.",
    operations=_legacy(),
    error=legacy.ErrorOut,
    security=BASIC,
    always=(401,),
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
    operations=(
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

SURFACES = {surface.name: surface for surface in (SDK, DOCUMENTED, LEGACY, NUMBERS, ATOMS)}
