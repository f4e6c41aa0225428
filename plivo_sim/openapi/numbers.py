"""The surface of numbers: search, rent, list, change, release, and Link."""

from __future__ import annotations

from plivo_sim.dialects.numbers import schemas
from plivo_sim.openapi.build import BASIC
from plivo_sim.openapi.model import JSON, Operation, Query, Surface

_ACCOUNT = "/v1/Account/{auth_id}"
_ONE = f"{_ACCOUNT}/Number/{{number}}/"
_PAGE = (
    Query(name="limit", type="integer", description="1 to 20, default 20."),
    Query(name="offset", type="integer"),
)
_WRITES = (400, 403, 404, 409, 422)

NUMBERS = Surface(
    name="numbers",
    title="Plivo numbers",
    description="Numbers to rent, rented numbers, and their links to compliance applications.",
    operations=(
        Operation(
            id="search", method="GET", path=f"{_ACCOUNT}/PhoneNumber/",
            summary="Search for numbers to rent.",
            query=(
                Query(name="country_iso", required=True),
                Query(name="type", description="any, fixed, local, national, mobile, tollfree."),
                *(Query(name=name) for name in (
                    "pattern", "region", "city", "services", "rate_center", "lata", "npanxx",
                )),
                *_PAGE,
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
                *_PAGE,
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
