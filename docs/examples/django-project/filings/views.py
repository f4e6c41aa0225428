"""The site's pages, as JSON, and Plivo's webhook."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from filings import compliance
from filings.models import Filing


@require_POST
def file_one(request: HttpRequest) -> JsonResponse:
    """File: {"company": "Acme"}."""
    return shown(compliance.submit(json.loads(request.body)["company"]))


@require_http_methods(["GET", "PATCH"])
def one(request: HttpRequest, id: str) -> JsonResponse:
    """Look at a filing, or correct the company's name: {"company": "Acme Inc."}."""
    if request.method == "PATCH":
        return shown(compliance.correct(id, json.loads(request.body)["company"]))
    return shown(get_object_or_404(Filing, pk=id))


@csrf_exempt
@require_POST
def plivo_status(request: HttpRequest) -> HttpResponse:
    """Plivo's webhook."""
    fields = json.loads(request.body)
    if not compliance.is_from_plivo(request, fields):
        return HttpResponse(status=403)
    compliance.refresh(fields["compliance_id"])
    return HttpResponse(status=204)


def shown(filing: Filing) -> JsonResponse:
    statuses = [change.status for change in filing.changes.all()]
    told = {"id": filing.id, "status": filing.status, "reason": filing.reason}
    return JsonResponse({**told, "statuses": statuses})
