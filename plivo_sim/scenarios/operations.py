"""What the imitated APIs can be asked to do: the calls, and whether a pattern can fit one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from plivo_sim.scenarios.patterns import glob

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_COMPLIANCE = "/v1/Account/{}/PhoneNumber/Compliance/"
CALLS: Mapping[str, tuple[str, str]] = {
    "atoms.refresh": ("POST", "/atoms/v1/compliance/applications/{}/refresh"),
    "atoms.requirements": ("GET", "/atoms/v1/compliance/requirements"),
    "atoms.resubmit": ("PATCH", "/atoms/v1/compliance/applications/{}"),
    "atoms.status": ("GET", "/atoms/v1/compliance/status"),
    "atoms.submit": ("POST", "/atoms/v1/compliance/applications"),
    "compliance.create": ("POST", _COMPLIANCE),
    "compliance.delete": ("DELETE", f"{_COMPLIANCE}{{}}/"),
    "compliance.download": (
        "GET",
        f"{_COMPLIANCE}{{}}/Document/{{}}/download/",
    ),
    "compliance.get": ("GET", f"{_COMPLIANCE}{{}}/"),
    "compliance.list": ("GET", _COMPLIANCE),
    "compliance.numbers.link": ("POST", f"{_COMPLIANCE}Link/"),
    "compliance.requirements": ("GET", f"{_COMPLIANCE}Requirements/"),
    "compliance.update": ("PATCH", f"{_COMPLIANCE}{{}}/"),
    "legacy.create_application": ("POST", "/v1/Account/{}/ComplianceApplication/"),
    "legacy.create_document": ("POST", "/v1/Account/{}/ComplianceDocument/"),
    "legacy.create_end_user": ("POST", "/v1/Account/{}/EndUser/"),
    "legacy.delete_application": ("DELETE", "/v1/Account/{}/ComplianceApplication/{}/"),
    "legacy.delete_document": ("DELETE", "/v1/Account/{}/ComplianceDocument/{}/"),
    "legacy.delete_end_user": ("DELETE", "/v1/Account/{}/EndUser/{}/"),
    "legacy.get_application": ("GET", "/v1/Account/{}/ComplianceApplication/{}/"),
    "legacy.get_document": ("GET", "/v1/Account/{}/ComplianceDocument/{}/"),
    "legacy.get_document_type": ("GET", "/v1/Account/{}/ComplianceDocumentType/{}/"),
    "legacy.get_end_user": ("GET", "/v1/Account/{}/EndUser/{}/"),
    "legacy.get_requirement": ("GET", "/v1/Account/{}/ComplianceRequirement/{}/"),
    "legacy.list_applications": ("GET", "/v1/Account/{}/ComplianceApplication/"),
    "legacy.list_document_types": ("GET", "/v1/Account/{}/ComplianceDocumentType/"),
    "legacy.list_documents": ("GET", "/v1/Account/{}/ComplianceDocument/"),
    "legacy.list_end_users": ("GET", "/v1/Account/{}/EndUser/"),
    "legacy.look_up_requirement": ("GET", "/v1/Account/{}/ComplianceRequirement/"),
    "legacy.submit_application": ("POST", "/v1/Account/{}/ComplianceApplication/{}/Submit/"),
    "legacy.update_application": ("POST", "/v1/Account/{}/ComplianceApplication/{}/"),
    "legacy.update_document": ("POST", "/v1/Account/{}/ComplianceDocument/{}/"),
    "legacy.update_end_user": ("POST", "/v1/Account/{}/EndUser/{}/"),
    "numbers.get": ("GET", "/v1/Account/{}/Number/{}/"),
    "numbers.list": ("GET", "/v1/Account/{}/Number/"),
    "numbers.release": ("DELETE", "/v1/Account/{}/Number/{}/"),
    "numbers.rent": ("POST", "/v1/Account/{}/PhoneNumber/{}/"),
    "numbers.search": ("GET", "/v1/Account/{}/PhoneNumber/"),
    "numbers.update": ("POST", "/v1/Account/{}/Number/{}/"),
}
"""Operation, as faults name it -> its method and its path; ``{}`` is one step of that."""
OPERATIONS = tuple(CALLS)
ELSEWHERE = ("/v1/Account/{}/{**}", "/atoms/v1/{**}")
"""Paths that reach an account, whether there is an operation or not; ``{**}`` is any text."""


def operations_like(operation: str, method: str = "*", path: str = "*") -> list[str]:
    """Those that fit these globs, case apart."""
    named, called = glob(operation), glob(method)
    return [
        name
        for name, (verb, template) in CALLS.items()
        if named(name) and called(verb) and can_fit(path, template)
    ]


def can_fit(wanted: str, template: str, *, has_case: bool = False) -> bool:
    """Whether a glob fits any path of a template, a last slash apart, and, unless it ``has_case``,
    case."""
    of = [template.replace("/Account/{}", f"/Account/{each}{{}}", 1) for each in ("MA", "SA")]
    if not has_case:
        wanted, of = wanted.casefold(), [each.casefold() for each in of]
    globs = {wanted, wanted.rstrip("/")}
    return any(_meet(each, _tokens(path.rstrip("/"))) for path in of for each in globs)


_ONE, _MORE, _ANY = "one", "more", "any"
"""Stand for a character that is no slash, more of them, and any characters; the latter for none,
too."""


def _tokens(template: str) -> list[str]:
    """Its characters, and what stands for more of them."""
    found: list[str] = []
    for number, text in enumerate(template.replace("{**}", "{}*").split("{}")):
        if number and text.startswith("*"):
            text = text[1:]
            found.append(_ANY)
        elif number:
            found += (_ONE, _MORE)
        found += text
    return found


def _meet(wanted: str, places: list[str]) -> bool:
    """Follows the glob through all the places of a template at once, at which it may stand."""
    at = set(_opened({0}, places))
    for part in _parts(wanted):
        if not at:
            return False
        if part == "*":
            at = set(range(min(at), len(places) + 1))
        else:
            at = set(_opened(_stepped(part, at, places), places))
    return len(places) in at


def _parts(wanted: str) -> Iterator[str]:
    """The characters of a glob, and its classes whole."""
    at = 0
    while at < len(wanted):
        end = wanted.find("]", at + 2 + (wanted[at + 1 : at + 2] == "!"))
        size = end + 1 - at if wanted[at] == "[" and end > 0 else 1
        yield wanted[at : at + size]
        at += size


def _stepped(part: str, at: Iterable[int], places: list[str]) -> Iterator[int]:
    for each in at:
        place = places[each] if each < len(places) else ""
        if place in (_MORE, _ANY) and (place == _ANY or part != "/"):
            yield each
        elif (place == _ONE and part != "/") or (
            len(place) == 1 and (part == place or fnmatchcase(place, part))
        ):
            yield each + 1


def _opened(at: Iterable[int], places: list[str]) -> Iterator[int]:
    """With the places behind what may be nothing."""
    for each in at:
        yield each
        while each < len(places) and places[each] in (_MORE, _ANY):
            each += 1
            yield each
