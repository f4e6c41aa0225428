"""How sure the running simulator is: what it imitates, and what its own catalogue requires."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Response

from plivo_sim.domain.requirements import Catalogue, Requirement
from plivo_sim.web.calls import current_call
from plivo_sim.web.endpoints import endpoint
from plivo_sim.web.long_work import answer_for_all

if TYPE_CHECKING:  # a start needs none
    from plivo_sim.control.answers import FidelityOut, FidelityRowOut


@endpoint(
    "GET", "/fidelity", "How sure this simulator is of what it imitates.",
    answers={200: "FidelityOut"},
)  # fmt: skip
def get_fidelity() -> Response:
    """A row for each imitated behaviour and each requirement, with how sure it is: the table of
    docs/fidelity.md, with the catalogue that is in use. ``observed`` is the day on which a
    requirement was seen: a learned one takes the place of the one that ships, and so does one that
    was learned not to be there."""
    catalogue = current_call().sim.catalogue
    return answer_for_all("fidelity", catalogue, lambda: _told_of(catalogue))


def _told_of(catalogue: Catalogue) -> FidelityOut:
    from plivo_sim.fidelity import WORDS

    rows = [
        *_sentences(),
        *(_of_requirement(each, _asked(each)) for each in catalogue.requirements),
        *(_of_requirement(each, "not offered") for each in catalogue.absent),
    ]
    counts = {word: sum(row["confidence"] == word for row in rows) for word in WORDS}
    return {"words": WORDS, "counts": counts, "rows": rows}


@lru_cache(maxsize=1)
def _sentences() -> tuple[FidelityRowOut, ...]:
    """Those of the modules, which are read as source text: a second's work, the same for all."""
    from plivo_sim.fidelity import sentences

    return tuple(
        {"confidence": each.confidence, "text": each.text, "place": each.place, "observed": None}
        for each in sentences()
    )


def _asked(requirement: Requirement) -> str:
    asked = [" or ".join(type_.name for type_ in slot.types) for slot in requirement.slots]
    return ", ".join(asked) or "nothing"


def _of_requirement(requirement: Requirement, asked: str) -> FidelityRowOut:
    key = f"{requirement.country_iso} {requirement.number_type}, {requirement.user_type}"
    return {
        "confidence": requirement.source,
        "text": f"{key} ({requirement.version} version): {asked}",
        "place": "catalogue",
        "observed": requirement.observed or None,
    }
