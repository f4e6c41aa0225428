"""The routes of the legacy API.

Both spellings of every URL, with and without the last slash, are answered; none redirects,
because a redirect turns a POST into a GET. ``ComplianceRequirements`` is the page's spelling
(documented), ``ComplianceRequirement`` the SDKs' (observed).
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from plivo_sim.dialects.calls import current_call
from plivo_sim.dialects.legacy import applications, documents, end_users, requirements
from plivo_sim.dialects.legacy.errors import error_body

_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("POST", "/EndUser/", end_users.create_end_user),
    ("GET", "/EndUser/", end_users.list_end_users),
    ("GET", "/EndUser/<id>/", end_users.get_end_user),
    ("POST", "/EndUser/<id>/", end_users.update_end_user),
    ("DELETE", "/EndUser/<id>/", end_users.delete_end_user),
    ("GET", "/ComplianceDocumentType/", requirements.list_document_types),
    ("GET", "/ComplianceDocumentType/<id>/", requirements.get_document_type),
    ("GET", "/ComplianceRequirement/", requirements.look_up_requirement),
    ("GET", "/ComplianceRequirement/<id>/", requirements.get_requirement),
    ("GET", "/ComplianceRequirements/", requirements.look_up_requirement),
    ("GET", "/ComplianceRequirements/<id>/", requirements.get_requirement),
    ("POST", "/ComplianceDocument/", documents.create_document),
    ("GET", "/ComplianceDocument/", documents.list_documents),
    ("GET", "/ComplianceDocument/<id>/", documents.get_document),
    ("POST", "/ComplianceDocument/<id>/", documents.update_document),
    ("DELETE", "/ComplianceDocument/<id>/", documents.delete_document),
    ("POST", "/ComplianceApplication/", applications.create_application),
    ("GET", "/ComplianceApplication/", applications.list_applications),
    ("GET", "/ComplianceApplication/<id>/", applications.get_application),
    ("POST", "/ComplianceApplication/<id>/", applications.update_application),
    ("DELETE", "/ComplianceApplication/<id>/", applications.delete_application),
    ("POST", "/ComplianceApplication/<id>/Submit/", applications.submit_application),
]


def make_blueprint() -> Blueprint:
    """The blueprint of the legacy API."""
    blueprint = Blueprint("legacy", __name__, url_prefix="/v1/Account/<auth_id>")

    @blueprint.before_request
    def speak() -> None:
        current_call().error_body = error_body

    for method, rule, view in _ROUTES:
        blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
    return blueprint
