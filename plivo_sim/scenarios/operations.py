"""What the imitated APIs can be asked to do: the calls, and whether a pattern can fit one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from plivo_sim.domain.typed import kept
from plivo_sim.scenarios.globs import glob, parts_of

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
    template = template.replace("/Account/{}", "/Account/{1}A{}", 1).rstrip("/")
    if not has_case:
        wanted, template = wanted.casefold(), template.casefold()
    path = _path(template)
    return any(_meet(each, path) for each in {wanted, wanted.rstrip("/")})


class _Path(NamedTuple):
    """Places of a template, as bits: ``chars``: those of each character; ``one``: those of a
    character that is no slash; ``more``: of any number of them; ``any``: of any number of any."""

    end: int
    chars: dict[str, int]
    one: int
    more: int
    any: int


@kept(256)
def _path(template: str) -> _Path:
    chars: dict[str, int] = {}
    sets, bit = {"one": 0, "more": 0, "any": 0}, 1
    for text in re.split(r"(\{1\}|\{\}|\{\*\*\})", template):
        kinds = _KINDS.get(text)
        for each in kinds or text:
            if kinds:
                sets[each] |= bit
            else:
                chars[each] = chars.get(each, 0) | bit
            bit <<= 1
    return _Path(bit, chars, **sets)


_KINDS = {"{1}": ("one",), "{}": ("one", "more"), "{**}": ("any",)}


def _meet(wanted: str, path: _Path) -> bool:
    """Follows the glob through all the places at once at which it may stand."""
    at = _opened(1, path)
    for part in parts_of(wanted):
        if not at:
            return False
        if part == "*":
            at = (2 * path.end - 1) & ~((at & -at) - 1)
            continue
        step = path.chars.get(part, 0)
        if len(part) > 1 or part == "?":
            for char, places in path.chars.items():
                step |= places if fnmatchcase(char, part) else 0
        if part != "/":
            step |= path.one
        stay = path.any if part == "/" else path.any | path.more
        at = _opened((at & stay) | ((at & step) << 1), path)
    return bool(at & path.end)


def _opened(at: int, path: _Path) -> int:
    """With the places behind what may be nothing."""
    while new := ((at & (path.more | path.any)) << 1) & ~at:
        at |= new
    return at
