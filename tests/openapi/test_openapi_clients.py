"""Clients that a generator made from the OpenAPI documents, against a live server."""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from plivo_sim.app import SURFACES, document
from plivo_sim.assembly import LiveSimulator
from tests.apis.page import create_body, documents_of
from tests.support import AUTH_ID, PDF

ROOT = Path(__file__).parents[2]
BASIC = base64.b64encode(f"{AUTH_ID}:token".encode()).decode()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """``current_client``, ``legacy_client`` … can be imported; nothing was complained of."""
    folder = tmp_path_factory.mktemp("clients")
    done = subprocess.run(
        [sys.executable, "-m", "tests.openapi.clients", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


class Generated:
    """One surface's client: ``call("create", …)`` returns what it made of the answer."""

    def __init__(self, name: str, url: str, token: str = BASIC, prefix: str = "Basic") -> None:
        self.name = name
        self.models = importlib.import_module(f"{name}_client.models")
        self.types = importlib.import_module(f"{name}_client.types")
        client = importlib.import_module(f"{name}_client").AuthenticatedClient
        self._client = client(
            base_url=url, token=token, prefix=prefix, raise_on_unexpected_status=True
        )
        self.close = self._client.get_httpx_client().close

    def operation(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.name}_client.api.default.{name}")

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        answer = self.operation(name).sync(*args, client=self._client, **kwargs)
        assert type(answer).__name__ not in ("Error", "ProblemDetails"), answer
        return answer

    def file(self, content: bytes, name: str = "scan.pdf") -> Any:
        return self.types.File(payload=BytesIO(content), file_name=name)


Open = Callable[..., Generated]


@pytest.fixture
def open_(live: LiveSimulator, generated: None) -> Iterator[Open]:
    """Clients of a live server, by surface; closed in the end."""
    with ExitStack() as stack:

        def make(name: str, mount: str = "", **credentials: str) -> Generated:
            return stack.enter_context(closing(Generated(name, live.url + mount, **credentials)))

        yield make


pytestmark = pytest.mark.usefixtures("generated")


@pytest.mark.parametrize("name", SURFACES)
def test_every_operation_has_a_function(name: str) -> None:
    """That can be imported: generators write what does not even compile."""
    api = importlib.import_module(f"{name}_client.api.default")
    for module in pkgutil.iter_modules(api.__path__):
        assert importlib.import_module(f"{api.__name__}.{module.name}").sync_detailed
    told = [
        each["operationId"]
        for operations in document(name)["paths"].values()
        for method, each in operations.items()
        if method != "parameters"
    ]
    assert len(list(pkgutil.iter_modules(api.__path__))) == len(told)


@pytest.mark.live
def test_beta(open_: Open) -> None:
    """Create with embedded files, read, list; then correct with an upload, and delete."""
    api = open_("beta", "/beta")
    body = api.models.CreateRequest.from_dict(create_body(alias="Generated"))
    made = api.call(
        "create", AUTH_ID, body=body,
        x_plivo_sim_outcome='rejected; after=1h; reason="Blurred"',
    )  # fmt: skip
    control = open_("control")
    control.call("advance", body=control.models.AdvanceBody(by="1h"))
    shown = api.call("get", AUTH_ID, str(made.compliance_id))
    assert (shown.alias, shown.status, shown.rejection_reason) == (
        "Generated", "rejected", "Blurred",
    )  # fmt: skip
    change = api.models.UpdateFilesBody.from_dict(
        {"documents[0][type]": "identity_proof", "documents[0][file]": PDF + b"better"}
    )
    change.documents0file.file_name = "better.pdf"
    api.call("update", AUTH_ID, str(made.compliance_id), body=change)
    listed = api.call("list_", AUTH_ID, expand="documents")
    (only,) = listed.compliances
    assert listed.meta.total_count == 1
    assert "better.pdf" in [each.file_name for each in only.documents]
    api.call("delete", AUTH_ID, str(made.compliance_id))
    assert api.call("list_", AUTH_ID).compliances == []


@pytest.mark.live
def test_beta_upload(open_: Open) -> None:
    """A create as a form, with its files."""
    api = open_("beta", "/beta")
    fields: dict[str, Any] = {
        "country_iso": "IN", "number_type": "local",
        "end_user[type]": "business", "end_user[name]": "Acme",
        "end_user[registration_number]": "U1", "end_user[address][line1]": "12 MG Road",
        "end_user[address][city]": "Mumbai", "end_user[address][postal_code]": "400001",
        "end_user[address][country]": "IN",
    }  # fmt: skip
    for index, document_ in enumerate(documents_of()):
        fields[f"documents[{index}][type]"] = document_["type"]
        fields[f"documents[{index}][file]"] = PDF + str(index).encode()
    body = api.models.CreateFilesBody.from_dict(fields)
    for index in range(3):
        getattr(body, f"documents{index}file").file_name = f"{index}.pdf"
    made = api.call("create", AUTH_ID, body=body)
    shown = api.call("get", AUTH_ID, str(made.compliance_id))
    assert [each.file_name for each in shown.documents] == ["0.pdf", "1.pdf", "2.pdf"]


@pytest.mark.live
def test_sdk(open_: Open) -> None:
    """Requirements, create, read, list, and the file comes back."""
    api = open_("current", "/current")
    asked = api.call(
        "requirements", AUTH_ID, country_iso="IN", number_type="local", user_type="business"
    )
    documents = [
        {"document_type_id": str(type_.document_type_id), "data_fields": {
            field.field_name: "Acme" for field in type_.required_fields}}
        for type_ in asked.document_types
    ]  # fmt: skip
    data = {
        "country_iso": "IN", "number_type": "local", "alias": "Generated",
        "end_user": {"type": "business", "name": "Acme"}, "documents": documents,
    }  # fmt: skip
    body = api.models.CreateFilesBody(
        data=json.dumps(data),
        documents0_file=api.file(PDF + b"0"),
        documents1_file=api.file(PDF + b"1"),
    )
    made = api.call("create", AUTH_ID, body=body)
    shown = api.call("get", AUTH_ID, str(made.compliance_id), expand="documents").compliance
    assert (shown.status, len(shown.documents)) == ("submitted", 2)
    assert [each.alias for each in api.call("list_", AUTH_ID).compliances] == ["Generated"]
    got = api.call(
        "download", AUTH_ID, str(made.compliance_id), str(shown.documents[0].document_id)
    )
    assert got.payload.read() == PDF + b"0"


@pytest.mark.live
def test_legacy(open_: Open) -> None:
    """An end user, a document with its file and a data field, a draft; each is read and listed."""
    api = open_("legacy")
    person = api.models.EndUserRequest(name="Acme", end_user_type="business")
    id = str(api.call("create_end_user", AUTH_ID, body=person).end_user_id)
    assert api.call("get_end_user", AUTH_ID, id).name == "Acme"
    assert len(api.call("list_end_users", AUTH_ID).objects) == 1
    asked = api.call(
        "look_up_requirement", AUTH_ID,
        country_iso2="IN", number_type="local", end_user_type="business",
    )  # fmt: skip
    type_ = asked.acceptable_document_types[0].acceptable_documents[0]
    body = api.models.CreateDocumentBody(
        end_user_id=id, document_type_id=str(type_.document_type_id), alias="Certificate",
        file=api.file(PDF),
    )  # fmt: skip
    for field in api.call("get_document_type", AUTH_ID, str(type_.document_type_id)).information:
        body[field.field_name] = "Acme"
    made = str(api.call("create_document", AUTH_ID, body=body).document_id)
    shown = api.call("get_document", AUTH_ID, made)
    assert (shown.alias, shown.file_name) == ("Certificate", "scan.pdf")
    draft = api.models.ApplicationRequest(
        alias="Draft", end_user_id=id, country_iso2="IN", number_type="local",
        end_user_type="business", document_ids=[made],
    )  # fmt: skip
    api.call("create_application", AUTH_ID, body=draft)
    assert [each.alias for each in api.call("list_applications", AUTH_ID).objects] == ["Draft"]


@pytest.mark.live
def test_numbers(open_: Open) -> None:
    """Search, rent, read, list."""
    api = open_("numbers")
    number = api.call("search", AUTH_ID, country_iso="US").objects[0].number
    assert api.call("rent", AUTH_ID, number, body=api.models.RentRequest()).numbers[0].number
    assert api.call("get", AUTH_ID, number).number == number
    assert [each.number for each in api.call("list_", AUTH_ID).objects] == [number]


@pytest.mark.live
def test_atoms(open_: Open) -> None:
    """Requirements, submit, status."""
    api = open_("atoms", token="organisation", prefix="Bearer")
    key = {"country_iso": "IN", "number_type": "local", "user_type": "business"}
    asked = api.call("requirements", **key).data
    documents = [
        {"documentTypeId": str(type_.document_type_id), "dataFields": {
            field.field_name: "Acme" for field in type_.required_fields}}
        for type_ in asked.document_types
    ]  # fmt: skip
    body = api.models.SubmitBody(
        **key, end_user=json.dumps({"name": "Acme"}), documents=json.dumps(documents),
        files=[api.file(PDF + bytes([48 + n])) for n in range(len(documents))],
    )  # fmt: skip
    made = api.call("submit", body=body).data
    shown = api.call("status", **key).data
    assert (shown.step, shown.application.field_id) == ("submitted", made.field_id)


@pytest.mark.live
def test_control(open_: Open) -> None:
    """Make an account, move its time, read its clock and the list of accounts."""
    api = open_("control")
    api.call("make_account", body=api.models.MakeAccountBody(auth_id=AUTH_ID))
    before = api.call("get_clock").now
    api.call("advance", body=api.models.AdvanceBody(by="2 hours"))
    assert (api.call("get_clock").now - before).total_seconds() == 7200
    assert [each.auth_id for each in api.call("list_accounts").accounts] == [AUTH_ID]
