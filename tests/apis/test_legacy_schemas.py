"""Every answer of the legacy API against its response schema, and nothing beyond it."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.apis.legacy import presenters
from tests.apis.legacy_support import INDIA, UNKNOWN_ID, Legacy, ids_of
from tests.support import Http, check_answer


@pytest.fixture
def legacy(http: Http) -> Legacy:
    return Legacy(http)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("EndUser/", presenters.EndUserListOut),
        ("EndUser/{end_user}/", presenters.EndUserGetOut),
        ("ComplianceDocumentType/", presenters.DocumentTypeListOut),
        ("ComplianceDocumentType/{type}/", presenters.DocumentTypeGetOut),
        ("ComplianceRequirement/{requirement}/", presenters.RequirementOut),
        ("ComplianceDocument/", presenters.DocumentListOut),
        ("ComplianceDocument/{document}/", presenters.DocumentGetOut),
        ("ComplianceApplication/", presenters.ApplicationListOut),
        ("ComplianceApplication/{application}/", presenters.ApplicationGetOut),
    ],
)
def test_what_is_read_has_its_shape(legacy: Legacy, path: str, kind: Any) -> None:
    """Lists and single records, those of the new API among them."""
    legacy.http.sdk_created()
    legacy.document(legacy.end_user(), file=None)
    legacy.decided("rejected")
    check_answer(legacy.http.get(path.format(**ids_of(legacy))).get_json(), kind)


@pytest.mark.parametrize("status", ["accepted", "rejected", "more_info_required", "suspended"])
def test_an_application_has_its_shape_in_every_status(legacy: Legacy, status: str) -> None:
    """With and without a reason."""
    id = legacy.decided(status)
    check_answer(
        legacy.http.get(f"ComplianceApplication/{id}/").get_json(), presenters.ApplicationGetOut
    )


def test_a_document_without_a_file_has_its_shape(legacy: Legacy) -> None:
    """One key less."""
    id = legacy.document(legacy.end_user(), file=None)
    check_answer(legacy.http.get(f"ComplianceDocument/{id}/").get_json(), presenters.DocumentGetOut)


def test_a_look_up_has_its_shape(legacy: Legacy) -> None:
    """One object."""
    answer = legacy.http.get("ComplianceRequirement/", query_string=INDIA)
    check_answer(answer.get_json(), presenters.RequirementOut)


def test_what_is_created_has_its_shape(legacy: Legacy) -> None:
    """The record and a message."""
    body = {"name": "x", "end_user_type": "business"}
    check_answer(legacy.http.post("EndUser/", json=body).get_json(), presenters.EndUserCreatedOut)
    form = {"end_user_id": legacy.end_user(), "document_type_id": legacy.types()[1], "alias": "a"}
    check_answer(legacy.send_document(form).get_json(), presenters.DocumentCreatedOut)
    body = legacy.application_body()
    answer = legacy.http.post("ComplianceApplication/", json=body)
    check_answer(answer.get_json(), presenters.ApplicationSentOut)
    id = answer.get_json()["compliance_application_id"]
    check_answer(legacy.submit(id).get_json(), presenters.ApplicationSentOut)


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
    check_answer(
        legacy.http.call(method, path.format(**ids_of(legacy))).get_json(), presenters.MessageOut
    )


@pytest.mark.parametrize("path", ["EndUser/", f"EndUser/{UNKNOWN_ID}/", "Nothing/"])
def test_a_refusal_has_its_shape(legacy: Legacy, path: str) -> None:
    """``api_id`` and ``error``, a text."""
    check_answer(legacy.http.post(path, json={}).get_json(), presenters.ErrorOut)
