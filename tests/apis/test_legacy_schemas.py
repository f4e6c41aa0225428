"""Every answer of the legacy API against its response schema, and nothing beyond it."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import RAISE, Schema

from plivo_sim.apis.legacy import schemas
from plivo_sim.apis.legacy.presenters import STATUS_WORDS
from plivo_sim.domain.statuses import Status
from tests.apis.legacy_support import INDIA, UNKNOWN_ID, Legacy, ids_of
from tests.support import Http


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


def check(schema: type[Schema], answer: Any) -> None:
    assert schema(unknown=RAISE).validate(answer.get_json()) == {}, answer.text


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("EndUser/", schemas.EndUserListOut),
        ("EndUser/{end_user}/", schemas.EndUserGetOut),
        ("ComplianceDocumentType/", schemas.DocumentTypeListOut),
        ("ComplianceDocumentType/{type}/", schemas.DocumentTypeGetOut),
        ("ComplianceRequirement/{requirement}/", schemas.RequirementOut),
        ("ComplianceDocument/", schemas.DocumentListOut),
        ("ComplianceDocument/{document}/", schemas.DocumentGetOut),
        ("ComplianceApplication/", schemas.ApplicationListOut),
        ("ComplianceApplication/{application}/", schemas.ApplicationGetOut),
    ],
)
def test_what_is_read_has_its_shape(legacy: Legacy, path: str, schema: type[Schema]) -> None:
    """Lists and single records, those of the new API among them."""
    legacy.http.sdk_created()
    legacy.document(legacy.end_user(), file=None)
    legacy.decided("rejected")
    check(schema, legacy.http.get(path.format(**ids_of(legacy))))


@pytest.mark.parametrize("status", ["accepted", "rejected", "more_info_required", "suspended"])
def test_an_application_has_its_shape_in_every_status(legacy: Legacy, status: str) -> None:
    """With and without a reason."""
    id = legacy.decided(status)
    check(schemas.ApplicationGetOut, legacy.http.get(f"ComplianceApplication/{id}/"))


def test_a_document_without_a_file_has_its_shape(legacy: Legacy) -> None:
    """One key less."""
    id = legacy.document(legacy.end_user(), file=None)
    check(schemas.DocumentGetOut, legacy.http.get(f"ComplianceDocument/{id}/"))


def test_a_look_up_has_its_shape(legacy: Legacy) -> None:
    """One object."""
    answer = legacy.http.get("ComplianceRequirement/", query_string=INDIA)
    check(schemas.RequirementOut, answer)


def test_what_is_created_has_its_shape(legacy: Legacy) -> None:
    """The record and a message."""
    body = {"name": "x", "end_user_type": "business"}
    check(schemas.EndUserCreatedOut, legacy.http.post("EndUser/", json=body))
    form = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[0], "alias": "a"}
    check(schemas.DocumentCreatedOut, legacy.send_document(form))
    body = legacy.application_body()
    answer = legacy.http.post("ComplianceApplication/", json=body)
    check(schemas.ApplicationSentOut, answer)
    id = answer.get_json()["compliance_application_id"]
    check(schemas.ApplicationSentOut, legacy.submit(id))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "EndUser/{end_user}/",
        "ComplianceDocument/{document}/",
        "ComplianceApplication/{application}/",
    ],
)
def test_what_is_changed_or_deleted_has_its_shape(legacy: Legacy, method: str, path: str) -> None:
    """``api_id`` and ``message``."""
    check(schemas.MessageOut, legacy.http.call(method, path.format(**ids_of(legacy))))


@pytest.mark.parametrize("path", ["EndUser/", f"EndUser/{UNKNOWN_ID}/", "Nothing/"])
def test_a_refusal_has_its_shape(legacy: Legacy, path: str) -> None:
    """``api_id`` and ``error``, a text."""
    check(schemas.ErrorOut, legacy.http.post(path, json={}))


def test_the_status_table_is_total() -> None:
    """Every domain status has a word."""
    assert set(STATUS_WORDS) == set(Status)
