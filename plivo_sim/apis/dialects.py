"""Which dialect answers a call of the new API or of numbers: one function
(decision "Which dialect answers").

The beta page and today's API use the same URLs with different words. In order: what the caller says
(header or mount); what only clients of today's API send (a part named ``data``, the User-Agent of
Plivo's own); the dialect that the record was made in; the setting; what the request itself says;
else today's API answers, and never by what an earlier call said (invented).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from plivo_sim.apis.reading import DIALECT_HEADER, is_plivo_client, requested_dialect
from plivo_sim.domain.records import Origin
from plivo_sim.domain.text import decode_json
from plivo_sim.web.bodies import Body
from plivo_sim.web.calls import Call


class BodyClue(StrEnum):
    """What a body says. ``NOTHING``: there is none, it was not read, or it could not be read."""

    NOTHING = ""
    DATA = "data"
    TODAYS_WORDS = "todays_words"
    BETA = "beta"


class Clues(NamedTuple):
    """What is known of a request.

    ``setting``: ``new_api``. ``has_beta_status``: a list is filtered by a status that only the beta
    has. ``is_open_lookup``: Requirements without ``number_type`` or without ``user_type``.
    """

    requested: str = ""
    body: BodyClue = BodyClue.NOTHING
    user_agent: str = ""
    record_origin: Origin | None = None
    setting: str = "auto"
    has_beta_status: bool = False
    is_open_lookup: bool = False


def detect_dialect(clues: Clues) -> str:
    """``"current"`` or ``"beta"``."""
    if clues.requested:
        return clues.requested
    if clues.body is BodyClue.DATA or is_plivo_client(clues.user_agent):
        return "current"
    if clues.record_origin is not None:
        return "beta" if clues.record_origin is Origin.BETA else "current"
    if clues.setting != "auto":
        return clues.setting
    is_beta = clues.has_beta_status or clues.is_open_lookup or clues.body is BodyClue.BETA
    return "beta" if is_beta else "current"


_TAKEN_FOR_BETA = (
    "answered as the private beta, from which Plivo's API of today differs; choose by the header "
    f"{DIALECT_HEADER}, the URL (/current/v1 or /beta/v1) or the setting new_api"
)


def dialect_of(
    call: Call,
    body: BodyClue = BodyClue.NOTHING,
    record_origin: Origin | None = None,
    *,
    has_beta_status: bool = False,
    is_open_lookup: bool = False,
) -> str:
    """The dialect of a call. An answer of the beta that neither header, mount nor setting asked for
    says in ``X-Plivo-Sim-Warning`` that today's API differs (invented)."""
    account = call.account_or_none
    settings = call.sim.settings if account is None else account.settings
    clues = Clues(
        requested_dialect(call),
        body,
        call.request.environ.get("HTTP_USER_AGENT", ""),
        record_origin,
        settings.new_api,
        has_beta_status,
        is_open_lookup,
    )
    dialect = detect_dialect(clues)
    is_asked_for = "beta" in (clues.requested, clues.setting)
    if _TAKEN_FOR_BETA in call.warnings:  # from before the body was read
        call.warnings.remove(_TAKEN_FOR_BETA)
    if dialect == "beta" and not is_asked_for:
        call.warnings.append(_TAKEN_FOR_BETA)
    return dialect


_TODAYS_WORDS = frozenset(
    ("documenttypeid", "requirementid", "usertype", "lastname", "addressline1", "addressline2")
)
"""Names that today's API has and the beta page has not, as ``_bare`` writes them."""

_PAGES_WORDS = frozenset(
    ("countryiso", "numbertype", "alias", "enduser", "documents", "callbackurl", "callbackmethod")
)
"""What a body of the beta page has at its top (documented), as ``_bare`` writes it."""

FILE_FIELD = re.compile(r"documents\[(\d{1,4})\]\.file")
"""How today's API names files (observed: docs/wire-facts.md, "Create is a form with a data
part")."""

_STEP = re.compile(r"\w+")


def body_clue(body: Body) -> BodyClue:
    """What the body of a create or update says: where it is, and with which names."""
    if body.part("data") is not None or (isinstance(body.json, dict) and "data" in body.json):
        return BodyClue.DATA
    if body.kind != "json" and not body.parts:
        return BodyClue.NOTHING
    if not _TODAYS_WORDS.isdisjoint(_names(body)) or _has_todays_files(body):
        return BodyClue.TODAYS_WORDS
    tops = {_bare(key) for key in body.json} if isinstance(body.json, dict) else set()
    tops |= {_bare(step[0]) for part in body.parts if (step := _STEP.match(part.name))}
    return BodyClue.NOTHING if _PAGES_WORDS.isdisjoint(tops) else BodyClue.BETA


def _has_todays_files(body: Body) -> bool:
    """Whether files are named as today's API names them, and nothing else is said of documents."""
    names = [part.name for part in body.parts if part.name.startswith("documents")]
    return bool(names) and all(FILE_FIELD.fullmatch(name) for name in names)


def number_clue(body: Body | None) -> BodyClue:
    """What the body of a call of numbers says: by which name it calls the application.

    The beta page says ``compliance_id`` (documented), the SDKs ``compliance_application_id``
    (observed).
    """
    names = set() if body is None else set(_names(body))
    if "complianceapplicationid" in names:
        return BodyClue.TODAYS_WORDS
    return BodyClue.BETA if "complianceid" in names else BodyClue.NOTHING


def _names(body: Body) -> Iterator[str]:
    """Every name in a body, in forms (with brackets or dots) and the JSON texts within them too."""
    yield from _keys(body.json)
    for part in body.parts:
        yield from (_bare(step) for step in _STEP.findall(part.name))
        if part.content[:64].lstrip()[:1] in (b"{", b"["):
            try:
                yield from _keys(decode_json(part.content))
            except ValueError:  # whoever reads it says so
                continue


def _keys(value: Any) -> Iterator[str]:
    """The names in a JSON value; what is null counts as not given."""
    if isinstance(value, dict):
        for key, each in value.items():
            if each is not None:
                yield _bare(key)
                yield from _keys(each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys(each)


def _bare(name: str) -> str:
    """A name as ``snake_case``, ``camelCase`` and .NET's ``PascalCase`` have in common."""
    return name.lower().replace("_", "")
