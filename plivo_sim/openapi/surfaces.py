"""The surfaces. A test holds that every route stands in one of them, and the other way round.

The surface of numbers: search, rent, list, change, release, and Link.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields

from plivo_sim.apis import headers as outcome
from plivo_sim.apis.atoms import schemas as atoms
from plivo_sim.apis.legacy import schemas as legacy
from plivo_sim.apis.numbers import schemas
from plivo_sim.apis.phone_number.beta import schemas as beta
from plivo_sim.apis.phone_number.current import schemas as current
from plivo_sim.openapi.build import BASIC, BEARER, FILE, TEXT, form
from plivo_sim.web.endpoints import FORM, JSON, MULTIPART, Endpoint, Query, Surface


def _elsewhere() -> Response:
    """Stands for the view of a row that is not yet declared beside it."""
    raise NotImplementedError


def Operation(id: str, **row: Any) -> Endpoint:
    """A row whose view is elsewhere."""
    return Endpoint(name=id, view=_elsewhere, **row)


_ACCOUNT = "/v1/Account/{auth_id}"


_ONE = f"{_ACCOUNT}/Number/{{number}}/"


_NUMBERS_PAGE = (
    Query(name="limit", type="integer", description="1 to 20, default 20."),
    Query(name="offset", type="integer"),
)


_WRITES = (400, 403, 404, 409, 422)


NUMBERS = Surface(
    name="numbers",
    title="Plivo numbers",
    description="Numbers to rent, rented numbers, and their links to compliance applications.",
    prefix="",
    answers="",
    endpoints=(
        Operation(
            id="search", method="GET", path=f"{_ACCOUNT}/PhoneNumber/",
            summary="Search for numbers to rent.",
            query=(
                Query(name="country_iso", required=True),
                Query(name="type", description="any, fixed, local, national, mobile, tollfree."),
                *(Query(name=name) for name in (
                    "pattern", "region", "city", "services", "rate_center", "lata", "npanxx",
                )),
                *_NUMBERS_PAGE,
            ),
            answers={200: schemas.SearchOut}, errors=(400,),
        ),
        Operation(
            id="rent", method="POST", path=f"{_ACCOUNT}/PhoneNumber/{{number}}/",
            summary="Rent a number.", bodies={JSON: schemas.RentIn}, body_required=False,
            answers={201: schemas.RentedOut}, errors=_WRITES,
        ),
        Operation(
            id="list", method="GET", path=f"{_ACCOUNT}/Number/",
            summary="List rented numbers, oldest first.",
            query=(
                *(Query(name=name) for name in (
                    "type", "number_type", "number_startswith", "subaccount", "alias", "services",
                    "cnam_lookup", "renewal_date", "renewal_date__lt", "renewal_date__lte",
                    "renewal_date__gt", "renewal_date__gte",
                )),
                *_NUMBERS_PAGE,
            ),
            answers={200: schemas.NumberListOut}, errors=(400,),
        ),
        Operation(
            id="get", method="GET", path=_ONE, summary="Read one rented number.",
            answers={200: schemas.NumberGetOut}, errors=(400, 404),
        ),
        Operation(
            id="update", method="POST", path=_ONE,
            summary="Change a number, link it, or unlink it with an empty string.",
            bodies={JSON: schemas.ChangeIn}, body_required=False,
            answers={202: schemas.MessageOut}, errors=_WRITES,
        ),
        Operation(
            id="release", method="DELETE", path=_ONE, summary="Give a number back.",
            answers={200: schemas.MessageOut}, errors=(400, 403, 404),
        ),
        Operation(
            id="link", method="POST", path=f"{_ACCOUNT}/PhoneNumber/Compliance/Link/",
            summary="Link numbers to accepted applications.", bodies={JSON: schemas.LinkIn},
            answers={200: schemas.LinkOut}, errors=(400, 403, 413, 422, 429),
        ),
    ),
    error=schemas.ErrorOut,
    security=BASIC,
    always=(401,),
)  # fmt: skip


ACCOUNT = "/v1/Account/{auth_id}"


COMPLIANCE = f"{ACCOUNT}/PhoneNumber/Compliance/"


ONE = f"{COMPLIANCE}{{compliance_id}}/"


OUTCOME = Query(
    name=outcome.OUTCOME_HEADER, place="header",
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


def _document(schema: type[Schema]) -> dict[str, Any]:
    """A legacy document: every further text field is one of its data fields."""
    return form(schema, file=FILE) | {"additionalProperties": TEXT}


def _legacy() -> tuple[Endpoint, ...]:
    page = (Query(name="limit", type="integer"), Query(name="offset", type="integer"))

    def crud(
        noun: str, one: str, out: Any, created: Any, listed: Any, new: Any, change: Any,
        filters: tuple[str, ...],
    ) -> tuple[Endpoint, ...]:  # fmt: skip
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
    prefix="",
    answers="",
    endpoints=_legacy(),
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
