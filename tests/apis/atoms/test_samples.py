"""The two pages' printed samples, as far as they can be run; ``docs/atoms.md`` lists them all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from plivo_sim.assembly import LiveSimulator
from plivo_sim.client.applications import sample
from tests.apis.atoms.support import BASE, END_USER, KEY, Atoms, errors

KEY_OF_SAMPLES = "sk-samples"

PRINTED_BODY = (
    "-----011000010111000001101001\r\nContent-Disposition: form-data; name=\"countryIso\"\r\n\r\n"
    "US\r\n-----011000010111000001101001\r\nContent-Disposition: form-data; name=\"numberType\""
    "\r\n\r\nmobile\r\n-----011000010111000001101001\r\nContent-Disposition: form-data; "
    "name=\"userType\"\r\n\r\nindividual\r\n-----011000010111000001101001\r\n"
    "Content-Disposition: form-data; name=\"endUser\"\r\n\r\n{\"name\":\"John Doe\","
    "\"lastName\":\"Doe\",\"email\":\"john.doe@example.com\",\"addressLine1\":\"456 Elm Street\","
    "\"addressLine2\":\"Apt 12B\",\"city\":\"San Francisco\",\"state\":\"CA\","
    "\"postalCode\":\"94107\",\"country\":\"US\"}\r\n-----011000010111000001101001\r\n"
    "Content-Disposition: form-data; name=\"documents\"\r\n\r\n[{\"documentTypeId\": \"dt_456\", "
    "\"dataFields\": {\"first_name\": \"John\", \"last_name\": \"Doe\"}}]\r\n"
    "-----011000010111000001101001\r\nContent-Disposition: form-data; name=\"files\"; "
    "filename=\"passport_scan.pdf\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    "{content}\r\n-----011000010111000001101001--\r\n"
)  # fmt: skip
"""The body that stands in the Go, Ruby, Java and C# samples; the file in it is empty."""

BOUNDARY = "multipart/form-data; boundary=---011000010111000001101001"


def printed(content: bytes = b"") -> bytes:
    return PRINTED_BODY.encode().replace(b"{content}", content)


# --- submit -------------------------------------------------------------------------------------


def test_the_printed_body_has_no_content_type(atoms: Atoms) -> None:
    """Go and Java as they stand: nothing says that it is multipart."""
    answer = atoms.call("POST", "/applications", data=printed(), content_type=None)
    assert errors(answer, 400) == [
        "The body must be multipart/form-data; the request has no Content-Type"
    ]


def test_the_printed_body_as_ruby_sends_it(atoms: Atoms) -> None:
    """Net::HTTP calls a body without a type a form."""
    answer = atoms.call(
        "POST",
        "/applications",
        data=printed(),
        content_type="application/x-www-form-urlencoded",
    )
    assert "Field 'countryIso' is required." in errors(answer, 400)


def test_the_printed_file_is_empty(atoms: Atoms) -> None:
    """With the content type mended."""
    answer = atoms.call("POST", "/applications", data=printed(), content_type=BOUNDARY)
    assert errors(answer, 400) == ["files[0]: file 'passport_scan.pdf' is empty"]


def test_the_printed_document_type_is_a_placeholder(atoms: Atoms) -> None:
    """With a real file, too: Plivo does not know ``dt_456``, and asks for nothing there."""
    body = printed(sample("registration_certificate.pdf").read_bytes())
    answer = atoms.call("POST", "/applications", data=body, content_type=BOUNDARY)
    assert errors(answer, 502) == [
        "documents[0].document_type_id: unknown document type 'dt_456' for US/mobile/individual; "
        "it takes no documents"
    ]


def test_the_printed_text_instead_of_a_file(atoms: Atoms) -> None:
    """JavaScript as it stands: ``form.append('files', 'passport_scan.pdf')``."""
    fields = {"endUser": {"name": "John Doe"}, "documents": [{"documentTypeId": "dt_456"}]}
    sent = KEY | fields | {"files": "passport_scan.pdf"}
    assert errors(atoms.send("POST", "/applications", sent, []), 400) == ["Expected 1 files, got 0"]


@pytest.mark.parametrize("token", ["<token>", "YOUR TOKEN"])
def test_the_printed_token_is_a_placeholder(atoms: Atoms, token: str) -> None:
    """``Bearer <token>``: 401."""
    answer = atoms.refresh("id", headers={"Authorization": f"Bearer {token}"})
    assert errors(answer, 401) == ["The token is malformed."]


def test_the_printed_id_is_a_placeholder(atoms: Atoms) -> None:
    """``applications/id/refresh``: 404."""
    assert errors(atoms.refresh("id", json={}), 404) == ["Compliance application not found."]


def test_the_printed_sdk_calls_do_not_exist() -> None:
    """In smallestai 5.14: no ``token``, no ``submit_a_compliance_application``."""
    from smallestai import SmallestAI

    with pytest.raises(TypeError, match="token"):
        SmallestAI(token="YOUR_TOKEN_HERE")
    from smallestai.atoms.compliance.client import ComplianceClient

    assert not hasattr(ComplianceClient, "submit_a_compliance_application")


# --- what runs, over real HTTP, with token, ids and files put in --------------------------------


@pytest.fixture
def made(live: LiveSimulator) -> Iterator[dict[str, Any]]:
    """An application of the organisation of the samples."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {KEY_OF_SAMPLES}"
        url = f"{live.url}{BASE}"
        asked = session.get(f"{url}/requirements", params=KEY).json()["data"]["documentTypes"]
        documents = [
            {
                "documentTypeId": each["documentTypeId"],
                "dataFields": {field["fieldName"]: "Acme" for field in each["requiredFields"]},
            }
            for each in asked
        ]
        form = KEY | {"endUser": json.dumps(END_USER), "documents": json.dumps(documents)}
        names = ("registration_certificate.pdf", "gst_certificate.png")
        files = [("files", (name, sample(name).read_bytes())) for name in names]
        yield session.post(f"{url}/applications", data=form, files=files).json()["data"]


@pytest.mark.live
def test_the_python_sample_of_refresh(live: LiveSimulator, made: dict[str, Any]) -> None:
    """Line by line, with ``requests``."""
    url = f"{live.url}/atoms/v1/compliance/applications/{made['_id']}/refresh"

    payload: dict[str, Any] = {}
    headers = {"Authorization": f"Bearer {KEY_OF_SAMPLES}", "Content-Type": "application/json"}

    response = requests.post(url, json=payload, headers=headers)

    assert response.json()["data"]["status"] == "submitted"


REFRESH_JS = """
const url = '{base}/compliance/applications/{id}/refresh';
const options = {
  method: 'POST',
  headers: {Authorization: 'Bearer {token}', 'Content-Type': 'application/json'},
  body: '{}'
};

try {
  const response = await fetch(url, options);
  const data = await response.json();
  console.log(JSON.stringify(data));
} catch (error) {
  console.error(error);
}
"""

SUBMIT_JS = """
const url = '{base}/compliance/applications';
const form = new FormData();
form.append('countryIso', 'IN');
form.append('numberType', 'tollfree');
form.append('userType', 'business');
form.append('endUser', '{"name":"John Doe","lastName":"Doe","country":"IN"}');
form.append('documents', '{documents}');
form.append('files', new File(['%PDF-1.4 one'], 'passport_scan.pdf'));
form.append('files', new Blob(['%PDF-1.4 two'], {type: 'application/pdf'}));

const options = {method: 'POST', headers: {Authorization: 'Bearer {token}'}};

options.body = form;

try {
  const response = await fetch(url, options);
  const data = await response.json();
  console.log(JSON.stringify(data));
} catch (error) {
  console.error(error);
}
"""


@pytest.mark.live
@pytest.mark.node
def test_the_javascript_sample_of_refresh(live: LiveSimulator, made: dict[str, Any]) -> None:
    """Line by line, with Node's ``fetch``."""
    shown = javascript(live, REFRESH_JS, id=made["_id"])
    assert shown["data"] == made | {"rejectionReason": None, "updatedAt": made["updatedAt"]}


@pytest.mark.live
@pytest.mark.node
def test_the_javascript_sample_of_submit(live: LiveSimulator) -> None:
    """With files instead of their names, and real document types: a File and a nameless Blob."""
    types = requests.get(
        f"{live.url}{BASE}/requirements",
        params=KEY | {"numberType": "tollfree"},
        headers={"Authorization": f"Bearer {KEY_OF_SAMPLES}"},
    ).json()["data"]["documentTypes"]
    documents = [
        {"documentTypeId": types[0]["documentTypeId"], "dataFields": {"business_name": "John"}},
        {"documentTypeId": types[1]["documentTypeId"]},
    ]
    answer = javascript(live, SUBMIT_JS, documents=json.dumps(documents))
    assert answer["data"]["documentFileNames"] == ["passport_scan.pdf", "blob"]


def javascript(live: LiveSimulator, text: str, **values: str) -> Any:
    """What a script prints; values are put in for their names in braces."""
    node = shutil.which("node")
    if node is None:
        told = "Node 20 or newer is not installed"
        if os.environ.get("TESTS_REQUIRE_NODE") == "1":
            pytest.fail(told)
        pytest.skip(told)
    for name, value in {"base": f"{live.url}/atoms/v1", "token": KEY_OF_SAMPLES, **values}.items():
        text = text.replace(f"{{{name}}}", value)
    done = subprocess.run(
        [node, "--input-type=module", "-e", text], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
