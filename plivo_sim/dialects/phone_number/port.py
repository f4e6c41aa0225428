"""What a dialect of the new API is: a package with these names, and nothing else in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from plivo_sim.dialects.bodies import Body
from plivo_sim.dialects.paging import Query
from plivo_sim.domain.models import Document
from plivo_sim.domain.requirements import Catalogue
from plivo_sim.domain.statuses import Status
from plivo_sim.errors import Problem, SimError
from plivo_sim.ports import Where
from plivo_sim.services.applications import ApplicationView
from plivo_sim.services.inputs import Correction, Dialect, NewApplication

EXPANDABLE = ("end_user", "documents", "linked_numbers")


@dataclass(slots=True)
class ReadCreate:
    """A create as far as it could be read; ``ignored`` names what nobody looked at."""

    wanted: NewApplication
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReadCorrection:
    change: Correction
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ListQuery:
    where: Where
    offset: int
    limit: int
    expand: Collection[str]


@dataclass(slots=True)
class Shown:
    """What presenters need beside the records: where links point, what to expand."""

    base_url: str
    auth_id: str
    expand: Collection[str] = ()

    def file_url(self, application_id: str, document: Document) -> str:
        """Where the file comes from (DECISIONS 35); the shape is the beta page's (documented)."""
        return (
            f"{self.base_url}/v1/Account/{self.auth_id}/PhoneNumber/Compliance/"
            f"{application_id}/Document/{document.id}/download"
        )


def linked_numbers(view: ApplicationView) -> list[dict[str, Any]]:
    """``linked_numbers`` as the SDKs' own tests have it (observed); the page names it only."""
    return [
        {"number": f"+{number.id}", "number_type": number.number_type} for number in view.numbers
    ]


class NewApi(Protocol):
    """The names that a dialect's package offers."""

    @property
    def NAME(self) -> str: ...
    @property
    def RULES(self) -> Dialect: ...
    @property
    def STATUS_WORDS(self) -> dict[Status, str]: ...

    def read_create(self, body: Body) -> ReadCreate: ...
    def read_correction(self, body: Body) -> ReadCorrection: ...
    def read_get_query(self, query: Query) -> Collection[str]: ...
    def read_list_query(self, query: Query) -> ListQuery: ...
    def present_requirements(self, catalogue: Catalogue, query: Query) -> dict[str, Any]: ...
    def present_created(self, view: ApplicationView) -> dict[str, Any]: ...
    def present_one(self, view: ApplicationView, shown: Shown) -> dict[str, Any]: ...
    def present_corrected(self, view: ApplicationView, shown: Shown) -> dict[str, Any]: ...
    def present_list(
        self, views: Sequence[ApplicationView], meta: dict[str, Any], shown: Shown
    ) -> dict[str, Any]: ...
    def present_deleted(self, id: str) -> dict[str, Any]: ...
    def error_body(self, error: SimError, api_id: str) -> tuple[int, dict[str, Any]]: ...
