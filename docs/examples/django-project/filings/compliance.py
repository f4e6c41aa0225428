"""What the site asks of Plivo. plivo for Python 4.63.0.

A callback is a notice only. What is stored is what Plivo says when it is asked, so that a callback
that comes twice, late or out of order changes nothing.
"""

import plivo
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from filings.models import Filing

client = plivo.RestClient(settings.PLIVO_AUTH_ID, settings.PLIVO_AUTH_TOKEN)


def submit(company: str) -> Filing:
    """File for an American local number."""
    made = client.phone_number_compliance.create(
        data={
            "country_iso": "US",
            "number_type": "local",
            "alias": company,
            "end_user": {"type": "business", "name": company},
            "callback_url": f"{settings.PUBLIC_URL}/plivo/status",
        }
    )
    return refresh(made.compliance_id)


def correct(id: str, company: str) -> Filing:
    """Correct the company's name, and submit again."""
    client.phone_number_compliance.update(id, data={"end_user": {"name": company}})
    return refresh(id)


def refresh(id: str) -> Filing:
    """Store what Plivo says of it now; one writer at a time, so that the last one is right."""
    with transaction.atomic():
        filing, _ = Filing.objects.select_for_update().get_or_create(pk=id)
        told = client.phone_number_compliance.get(id).compliance
        now = (told.status, getattr(told, "rejection_reason", ""))
        if (filing.status, filing.reason) != now:
            filing.status, filing.reason = now
            filing.save()
            filing.changes.create(status=filing.status)
    return filing


def is_from_plivo(request: HttpRequest, fields: dict[str, str]) -> bool:
    """By the SDK's own check: of the URL that was called and the fields of the body."""
    return plivo.utils.validate_v3_signature(
        "POST",
        request.build_absolute_uri(),
        request.headers.get("X-Plivo-Signature-V3-Nonce", ""),
        settings.PLIVO_AUTH_TOKEN,
        request.headers.get("X-Plivo-Signature-V3", ""),
        fields,
    )
