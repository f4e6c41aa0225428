"""The surfaces. A test holds that every route stands in one of them, and the other way round.

The surface of numbers: search, rent, list, change, release, and Link.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema

from plivo_sim.apis.atoms.routes import ATOMS
from plivo_sim.apis.headers import OUTCOME
from plivo_sim.apis.legacy import schemas as legacy
from plivo_sim.apis.numbers import schemas
from plivo_sim.apis.phone_number.routes import BETA, CURRENT
from plivo_sim.openapi.build import form
from plivo_sim.web.endpoints import (
    BASIC,
    FILE,
    FORM,
    JSON,
    MULTIPART,
    TEXT,
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


SURFACES = {surface.name: surface for surface in (CURRENT, BETA, LEGACY, NUMBERS, ATOMS)}
