"""``ComplianceDocumentType`` and ``ComplianceRequirement``: what each country asks for.

``ComplianceRequirements`` is the page's spelling (documented), ``ComplianceRequirement`` the SDKs'
(observed). Look-ups and lists publish the version that the SDKs recorded; both are readable by id
(decision "Requirement versions").

In a look-up, the country and the type of a phone number are found as those of rented numbers are
(inferred).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from plivo_sim.account.account import Account
from plivo_sim.apis.legacy.presenters import (
    DocumentTypeGetOut,
    RequirementOut,
    present_document_type,
    present_requirement,
)
from plivo_sim.apis.legacy.reading import (
    COUNTRY,
    NUMBER_TYPE,
    PAGE,
    USER_TYPE,
    Filter,
    parameters,
    read_filters,
    read_list_query,
)
from plivo_sim.apis.reading import answer_list, let_pass
from plivo_sim.domain.errors import Invalid, NotFound, Problem, ProblemKind
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.domain.requirements import Catalogue, DocumentType
from plivo_sim.services.drafts import check_operation
from plivo_sim.services.inventory import describe, digits_of
from plivo_sim.web.calls import Call, current_call
from plivo_sim.web.endpoints import Query, endpoint


def classify(catalogue: Catalogue, text: str) -> tuple[str, NumberType]:
    """Country and type of a number in E.164, with or without ``+``.

    Raises ValueError with a sentence when it is not a number, or of a kind that cannot be rented.
    """
    digits = digits_of(text)
    if not digits:
        raise ValueError("must be a phone number in E.164 format")
    offer = describe(catalogue, digits)
    if offer is None:
        raise ValueError(
            "is not a number whose country and type are known; give country_iso2 and number_type"
        )
    return offer.country_iso, offer.number_type


_TYPE_FILTERS = {
    name: Filter((name,))
    for name in ("document_type_id", "document_name", "description", "proof_required")
}
"""None is documented on the page; these are named in the Node SDK (observed)."""

_LOOK_UP = {
    "country_iso": COUNTRY,
    "number_type": NUMBER_TYPE,
    "user_type": USER_TYPE,
    "phone_number": Filter(("phone_number",)),
    "operation_type": Filter(("operation_type",)),
}

_LOOK_UP_QUERY = (*parameters(_LOOK_UP), Query(name="id"))


@endpoint(
    "GET", "/ComplianceDocumentType/", "List document types.",
    query=(*PAGE, *parameters(_TYPE_FILTERS)),
    answers={200: "DocumentTypeListOut"}, errors=(400,),
)  # fmt: skip
def list_document_types(auth_id: str) -> Response:
    """Unknown filters do no harm (field-reported: docs/wire-facts.md, "ComplianceDocumentType")."""
    call = current_call()
    query = read_list_query(call, request.args, _TYPE_FILTERS)
    every = [present_document_type(type_) for type_ in _published(call.sim.catalogue)]
    found = [each for each in every if _matches(each, query.where)]
    shown = found[query.offset : query.offset + query.limit]
    return answer_list(call, query.offset, query.limit, shown, len(found))


def _published(catalogue: Catalogue) -> list[DocumentType]:
    """Each type once, in the catalogue's order."""
    ours = [each for each in catalogue.requirements if each.version is Version.CURRENT]
    return list({type_.id: type_ for each in ours for type_ in each.document_types}.values())


def _matches(shown: Mapping[str, Any], where: Any) -> bool:
    return all(shown[name] in values for name, values in where.items())


@endpoint(
    "GET", "/ComplianceDocumentType/{id}/", "Read a document type.",
    answers={200: "DocumentTypeGetOut"}, errors=(400, 404),
)  # fmt: skip
def get_document_type(auth_id: str, id: str) -> Response:
    call = current_call()
    type_ = call.sim.catalogue.types_by_id.get(id)
    if type_ is None:
        raise NotFound("document_type", id)
    answer: DocumentTypeGetOut = {"api_id": call.api_id, **present_document_type(type_)}
    return call.answer(answer)


@endpoint(
    "GET",
    "/ComplianceRequirement/{id}/",
    "Read a requirement.",
    answers={200: "RequirementOut"},
    errors=(400, 404),
)
@endpoint(
    "GET", "/ComplianceRequirements/{id}/", "Read a requirement.",
    operation_id="get_requirement_plural",
    answers={200: "RequirementOut"}, errors=(400, 404),
)  # fmt: skip
def get_requirement(auth_id: str, id: str) -> Response:
    call = current_call()
    requirement = call.sim.catalogue.by_id.get(id)
    if requirement is None:
        raise NotFound("requirement", id)
    answer: RequirementOut = {"api_id": call.api_id, **present_requirement(requirement)}
    return call.answer(answer)


@endpoint(
    "GET",
    "/ComplianceRequirement/",
    "What a country asks for.",
    query=_LOOK_UP_QUERY,
    answers={200: "RequirementOut"},
    errors=(400, 404),
)
@endpoint(
    "GET", "/ComplianceRequirements/", "What a country asks for.", query=_LOOK_UP_QUERY,
    operation_id="look_up_requirement_plural",
    answers={200: "RequirementOut"}, errors=(400, 404),
)  # fmt: skip
def look_up_requirement(auth_id: str) -> Response:
    """By country, number type and user type, or by phone number and user type (documented).

    Where both are given the first one counts: Java cannot leave the phone number out (observed).
    """
    call = current_call()
    key = _read_look_up(call)
    found = call.sim.catalogue.find(Version.CURRENT, key)
    if found is None:
        raise Invalid([call.sim.catalogue.no_requirement(Version.CURRENT, *key)])
    answer: RequirementOut = {"api_id": call.api_id, **present_requirement(found)}
    return call.answer(answer)


def _read_look_up(call: Call) -> tuple[str, NumberType, UserType]:
    problems: list[Problem] = []
    read = read_filters(request.args, _LOOK_UP, problems)
    given: dict[str, Any] = {name: next(iter(values)) for name, values in read.items()}
    complained = {problem.path[0] for problem in problems}
    if "user_type" not in given and "end_user_type" not in complained:
        problems.append(Problem(ProblemKind.MISSING_FIELD, ("end_user_type",), "is required"))
    if "phone_number" in given and not ("country_iso" in given and "number_type" in given):
        try:
            given["country_iso"], given["number_type"] = _classify(
                call.account, given["phone_number"]
            )
        except ValueError as error:
            problems.append(Problem(ProblemKind.BAD_PARAMETER, ("phone_number",), str(error)))
    elif not complained & set(COUNTRY.names):
        problems += _missing(given, complained)
    let_pass(call, [*problems, *check_operation(given.get("operation_type"))])
    return given["country_iso"], given["number_type"], given["user_type"]


def _missing(given: dict[str, Any], complained: set[Any]) -> list[Problem]:
    names = {"country_iso": "country_iso2", "number_type": "number_type"}
    text = "is required, unless phone_number is given"
    return [
        Problem(ProblemKind.BAD_PARAMETER, (wire,), text)
        for name, wire in names.items()
        if name not in given and wire not in complained
    ]


def _classify(account: Account, text: str) -> tuple[str, NumberType]:
    """Country and type: as this account rents the number, else what the number says itself."""
    with account.lock:
        rented = account.store.numbers.fetch(text.strip().removeprefix("+"))
    return (rented.country_iso, rented.number_type) if rented else classify(account.catalogue, text)
