"""``plivo-sim try``: one complete application, with the curl line, the SDK code, the timeline."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from plivo_sim.client import Client
from plivo_sim.samples import sample

Say = Callable[[str], Any]
_FILES = ("registration_certificate.pdf", "gst_certificate.png")


def run(client: Client, token: str, say: Say) -> None:
    """File an application, wait for its review in simulated time, tell what came of it."""
    requirements = client.compliance(
        "GET", "Requirements/?country_iso=IN&number_type=local&user_type=business"
    )
    data = application_data(requirements, f"{client.url}/_sim/inbox/try")
    say(_curl(client, token, data))
    say(_sdk_code(client, token, data))
    form = [("data", json.dumps(data))] + [
        (f"documents[{i}].file", (name, sample(name).read_bytes())) for i, name in enumerate(_FILES)
    ]
    made = client.compliance("POST", form=form)
    say(f"\n# Answer\n{json.dumps(made, indent=2)}")
    id = made["compliance_id"]
    until = {"application": id, "status": "accepted"}
    client.control("POST", "/clock/advance", {"until": until, "account": client.auth_id})
    say("\n# Timeline")
    for change in client.control("GET", f"/applications/{id}")["timeline"]:
        say(f"{change['at']}  {change['status']:<10} {change['why']}")
    say("\n# Callbacks received")
    for message in client.control("GET", "/inbox/try/messages")["messages"]:
        if id in message["body"]:
            say(message["body"])
            say(f"  X-Plivo-Signature-V3: {message['headers']['X-Plivo-Signature-V3']}")


def application_data(requirements: dict[str, Any], callback_url: str) -> dict[str, Any]:
    """The ``data`` of a complete Indian business application."""
    return {
        "country_iso": "IN",
        "number_type": "local",
        "alias": "Acme, Mumbai office",
        "end_user": {
            "type": "business",
            "name": "Acme Traders Pvt Ltd",
            "email": "compliance@acme.example",
            "address_line1": "12 MG Road",
            "city": "Mumbai",
            "state": "Maharashtra",
            "postal_code": "400001",
            "country": "IN",
        },
        "documents": [
            {
                "document_type_id": type_["document_type_id"],
                "data_fields": {
                    field["field_name"]: "Acme Traders Pvt Ltd"
                    for field in type_["required_fields"]
                },
            }
            for type_ in requirements["document_types"]
        ],
        "callback_url": callback_url,
    }


def _curl(client: Client, token: str, data: dict[str, Any]) -> str:
    files = " \\\n  ".join(f"-F 'documents[{i}].file=@{name}'" for i, name in enumerate(_FILES))
    url = f"{client.url}/v1/Account/{client.auth_id}/PhoneNumber/Compliance/"
    return (
        f"# curl (plivo-sim try --samples . writes the files)\n"
        f"curl -u {client.auth_id}:{token} \\\n"
        f"  {shlex.quote(url)} \\\n"
        f"  -F 'data={json.dumps(data)}' \\\n  {files}"
    )


def _sdk_code(client: Client, token: str, data: dict[str, Any]) -> str:
    return f"""
# plivo for Python
import plivo, plivo.rest.client
plivo.rest.client.PLIVO_API_BASE_URI = '{client.url}/v1/Account'
client = plivo.RestClient('{client.auth_id}', '{token}')
client.phone_number_compliance.create(
    data={data!r},
    documents={list(_FILES)!r},
)"""
