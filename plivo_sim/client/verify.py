"""Compares the shapes of a server's answers with the simulator's own, to notice drift.

Read-only probes, and a whole life cycle only when it is asked for, because on the live service
that creates a real application. Every answer is compared with the schema of the simulator's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from plivo_sim.apis.legacy.routes import LEGACY
from plivo_sim.apis.phone_number.routes import CURRENT
from plivo_sim.client import Client, Form, Garbled, Http, Refused
from plivo_sim.client.applications import create_request, requirement_of, sample_business
from plivo_sim.domain.typed import Steps, dotted, short, told
from plivo_sim.domain.urls import basic
from plivo_sim.openapi import build
from plivo_sim.web.endpoints import Surface

AGENT = "plivo-python/4.63.0 (plivo-sim verify)"

NOWHERE = "00000000-0000-4000-8000-000000000000"

EXPAND = "?expand=end_user,documents,linked_numbers"

TIMEOUT_S = 30.0
_LONGEST_SHOWN = 200
Sized = tuple[Steps, int]
"""A path and a length."""


@dataclass(slots=True)
class Probe:
    """One request and how its answer differs from ours; nothing when the shapes agree.
    ``not_compared``: paths of lists in the answer that have no entry; ``not_made``: why it was not
    made, for one that was not."""

    name: str
    differences: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    not_made: str = ""


class Verifier:
    """Probes one server as one account."""

    def __init__(self, base_url: str, auth_id: str, auth_token: str) -> None:
        self._http = Http(base_url.rstrip("/"), timeout_s=TIMEOUT_S)
        self._account = f"/v1/Account/{quote(auth_id)}"
        self._credentials = (auth_id, auth_token)
        self._schemas = {each.name: Schemas(each) for each in (CURRENT, LEGACY)}

    def read_only(self) -> Iterator[Probe]:
        """Probes that change nothing."""
        key = "?country_iso=IN&number_type=local&user_type=business"
        compliance = "PhoneNumber/Compliance/"
        yield self._probe(
            "current", "requirements", f"{compliance}Requirements/{key}", "Requirements"
        )
        yield self._probe("current", "list", f"{compliance}?limit=1&offset=0", "List")
        yield from self._first("current", compliance, "compliances", "compliance_id", "One", EXPAND)
        yield self._probe("current", "unknown id", f"{compliance}{NOWHERE}/", "Error", 404)
        yield self._probe("current", "unknown parameter", f"{compliance}?surprise=1", "Error", 400)
        yield self._probe(
            "current", "POST on an id", f"{compliance}{NOWHERE}/", "Error", 405, method="POST"
        )
        yield self._probe("current", "wrong credentials", compliance, "Error", 401, user="MAx")
        yield from self._legacy()

    def _legacy(self) -> Iterator[Probe]:
        key = "?country_iso2=IN&number_type=local&end_user_type=business&operation_type=buy_number"
        yield self._probe("legacy", "requirement", f"ComplianceRequirement/{key}", "Requirement")
        for noun, id, listed, one in (
            ("EndUser", "end_user_id", "EndUserList", "EndUserGet"),
            ("ComplianceDocumentType", "document_type_id", "DocumentTypeList", "DocumentTypeGet"),
            ("ComplianceDocument", "compliance_document_id", "DocumentList", "DocumentGet"),
            (
                "ComplianceApplication",
                "compliance_application_id",
                "ApplicationList",
                "ApplicationGet",
            ),
        ):
            yield self._probe("legacy", f"{noun} list", f"{noun}/?limit=1", listed)
            yield from self._first("legacy", f"{noun}/", "objects", id, one)
        yield self._probe("legacy", "unknown id", f"EndUser/{NOWHERE}/", "Error", 404)

    def life_cycle(self) -> Iterator[Probe]:
        """Creates an application, reads it, is refused an update, deletes it."""
        path = "PhoneNumber/Compliance/"
        key = "?country_iso=IN&number_type=local&user_type=business"
        _, answer = self._call("GET", f"{path}Requirements/{key}")
        name = "plivo-sim verify"
        applicant = sample_business(name, alias=name, email="verify@example.com")
        form = create_request(applicant, requirement_of(answer)).form
        yield self._probe(
            "current", "create without data", path, "Error", 400, method="POST", form=[]
        )
        probe, made = self._probed(
            "current", "create", path, "Created", 201, method="POST", form=form
        )
        yield probe
        id = made.get("compliance_id") if isinstance(made, dict) else None
        if not id:
            for name in ("get expanded", "update in review", "delete", "get deleted"):
                yield Probe(f"current: {name}", not_made="the create told no id")
            return
        yield self._probe("current", "get expanded", f"{path}{id}/{EXPAND}", "One")
        change = [("data", json.dumps({"alias": "changed"}))]
        yield self._probe(
            "current", "update in review", f"{path}{id}/", "Error", 400, method="PATCH", form=change
        )
        yield self._probe("current", "delete", f"{path}{id}/", "Created", method="DELETE")
        yield self._probe("current", "get deleted", f"{path}{id}/", "Error", 404)

    def _first(
        self, surface: str, path: str, key: str, id: str, schema: str, query: str = ""
    ) -> Iterator[Probe]:
        """The first record of a list; one that is not made, where it has none with an id."""
        name = f"{path} get"
        _, listed = self._call("GET", f"{path}?limit=1")
        records = listed.get(key) if isinstance(listed, dict) else None
        if records == []:
            yield Probe(f"{surface}: {name}", not_made="the account has no such record")
        elif (
            not isinstance(records, list)
            or not isinstance(records[0], dict)
            or (id not in records[0])
        ):
            yield Probe(f"{surface}: {name}", not_made=f"the list told no {id}")
        else:
            yield self._probe(surface, name, f"{path}{records[0][id]}/{query}", schema)

    def _probe(
        self, surface: str, name: str, path: str, schema: str, status: int = 200, **call: Any
    ) -> Probe:
        return self._probed(surface, name, path, schema, status, **call)[0]

    def _probed(
        self, surface: str, name: str, path: str, schema: str, status: int, **call: Any
    ) -> tuple[Probe, Any]:
        method = call.pop("method", "GET")
        found, body = self._call(method, path, **call)
        probe = Probe(f"{surface}: {name}")
        if found >= 400 > status:  # another body: its keys would say nothing
            error = body.get("error", body) if isinstance(body, dict) else body
            sentence = error if isinstance(error, str) else short(error)
            probe.differences.append(
                f"{method} {path} answers {found}, ours is {status}: {sentence[:_LONGEST_SHOWN]}"
            )
            return probe, body
        if found != status:
            probe.differences.append(f"status {found}, ours is {status}")
        probe.differences += self._schemas[surface].differences(schema, body)
        probe.not_compared += self._schemas[surface].empty_lists(schema, body)
        return probe, body

    def _call(
        self, method: str, path: str, *, form: Form | None = None, user: str = ""
    ) -> tuple[int, Any]:
        auth_id, auth_token = self._credentials
        headers = {"Authorization": basic(user or auth_id, auth_token), "User-Agent": AGENT}
        answer = self._http.send(method, f"{self._account}/{path}", headers, form=form)
        try:
            return answer.status, json.loads(answer.data)
        except ValueError:
            return answer.status, answer.data.decode("utf-8", "replace")


def check_credentials(client: Client) -> None:
    """Reads once as the client's account. Raises Refused when its credentials are, Unreachable."""
    try:
        client.api("GET", "PhoneNumber/Compliance/?limit=1", headers={"User-Agent": AGENT})
    except Garbled:
        return  # which the probes tell
    except Refused as error:
        if error.status in (401, 403):
            raise


class Schemas:
    """A surface's schemas, strict about keys that we do not send. ``paths``: those of its OpenAPI
    document."""

    def __init__(self, surface: Surface) -> None:
        document = build(surface)
        self.paths: dict[str, Any] = document["paths"]
        self._components = document["components"]["schemas"]
        for schema in self._components.values():
            if schema.get("type") == "object" and "properties" in schema:
                schema["additionalProperties"] = False

    def differences(self, name: str, body: Any) -> list[str]:
        """How a body differs from the component of this name, path by path."""
        found = self.misfits({"$ref": f"#/components/schemas/{name}"}, body)
        return [f"{path}: {text}" for path, text in found]

    def empty_lists(self, name: str, body: Any) -> list[str]:
        """The paths of the lists of objects that have no entry anywhere in the body, so that the
        shape of an entry cannot be compared."""
        found = list(self._lists({"$ref": f"/{name}"}, body, ()))
        filled = {path for path, size in found if size}
        return list(dict.fromkeys(dotted(path) for path, _ in found if path not in filled))

    def _lists(self, schema: Mapping[str, Any], body: Any, path: Steps) -> Iterator[Sized]:
        """Each list of objects in a body, with its length; a path has no places in lists."""
        if "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        for each in schema.get("anyOf", ()):
            yield from self._lists(each, body, path)
        items = schema.get("items", {})
        if isinstance(body, list) and ("$ref" in items or items.get("type") == "object"):
            yield path, len(body)
            for entry in body:
                yield from self._lists(items, entry, path)
        elif isinstance(body, dict):
            for key, inner in schema.get("properties", {}).items():
                yield from self._lists(inner, body.get(key), (*path, key))

    def misfits(self, schema: Mapping[str, Any], body: Any) -> list[tuple[str, str]]:
        """Path and text of all that does not fit a schema, which may refer to components."""
        import jsonschema

        whole = {**schema, "components": {"schemas": self._components}}
        validator = jsonschema.Draft202012Validator(whole)
        return [
            (dotted(path) or "body", text)
            for error in sorted(validator.iter_errors(body), key=lambda e: e.json_path)
            for path, text in told(error)
        ]
