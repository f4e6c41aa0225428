"""The pure check of an application against a requirement."""

from __future__ import annotations

from typing import Any

import pytest

from plivo_sim.domain.errors import ProblemKind
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.domain.requirements import (
    Catalogue,
    DocumentFacts,
    DocumentType,
    FieldRule,
    Requirement,
    Slot,
    check_documents,
    check_end_user,
    check_value,
)

NAME = FieldRule(name="business_name", label="Name", max_length=5)
PASSPORT = DocumentType(id="t1", word="passport", name="Passport", description="", fields=(NAME,))
LICENCE = DocumentType(id="t2", word="licence", name="Licence", description="")
LETTER = DocumentType(id="t3", word="letter", name="Letter", description="", proof_required=False)
REQUIREMENT = Requirement(
    id="r1",
    version=Version.CURRENT,
    country_iso="IN",
    number_type=NumberType.LOCAL,
    user_type=UserType.BUSINESS,
    slots=(
        Slot(name="Identity", scope="local", types=(PASSPORT, LICENCE)),
        Slot(name="Letter", scope="local", types=(LETTER,)),
    ),
    end_user_fields=(
        FieldRule(name="address.city", label="City", attribute="city", max_length=4),
        FieldRule(name="name", label="Name"),
    ),
)


def facts(type_: DocumentType | None, index: int = 0, **changes: Any) -> DocumentFacts:
    """A document that has everything, unless told otherwise."""
    values: dict[str, Any] = {
        "type": type_,
        "type_reference": type_.id if type_ else "lost",
        "data_fields": {"business_name": "Acme"},
        "has_file": True,
        "index": index,
    }
    return DocumentFacts(**(values | changes))


def found(*documents: DocumentFacts, allow_surplus: bool = False) -> list[tuple[ProblemKind, Any]]:
    """The kinds and paths of the problems."""
    problems = check_documents(REQUIREMENT, documents, allow_surplus=allow_surplus)
    return [(problem.fault, problem.path) for problem in problems]


@pytest.mark.parametrize(
    ("documents", "problems"),
    [
        ([facts(PASSPORT), facts(LETTER, 1)], []),
        ([facts(LICENCE), facts(LETTER, 1)], []),
        ([facts(LICENCE), facts(PASSPORT, 1), facts(LETTER, 2)], []),
        ([facts(LETTER, has_file=False), facts(LICENCE, 1)], []),
        ([], [(ProblemKind.MISSING_DOCUMENT, ("documents",))] * 2),
        ([facts(PASSPORT)], [(ProblemKind.MISSING_DOCUMENT, ("documents",))]),
        (
            [facts(PASSPORT, data_fields={}), facts(LETTER, 1)],
            [(ProblemKind.MISSING_DATA_FIELD, ("documents", 0, "data_fields", "business_name"))],
        ),
        (
            [facts(LETTER), facts(PASSPORT, 1, data_fields={"business_name": "Acme Ltd"})],
            [(ProblemKind.BAD_LENGTH, ("documents", 1, "data_fields", "business_name"))],
        ),
        (
            [facts(LICENCE, has_file=False), facts(LETTER, 1)],
            [(ProblemKind.MISSING_FILE, ("documents", 0, "file"))],
        ),
        (
            [facts(None), facts(LICENCE, 1), facts(LETTER, 2)],
            [(ProblemKind.UNKNOWN_DOCUMENT_TYPE, ("documents", 0, "document_type_id"))],
        ),
        (
            [facts(PASSPORT, data_fields={}, has_file=False)],
            [
                (ProblemKind.MISSING_DATA_FIELD, ("documents", 0, "data_fields", "business_name")),
                (ProblemKind.MISSING_FILE, ("documents", 0, "file")),
                (ProblemKind.MISSING_DOCUMENT, ("documents",)),
            ],
        ),
    ],
    ids=[
        "first of a slot", "second of a slot", "both of a slot", "no proof needed", "none",
        "one missing", "no field", "long field", "no file", "unknown type", "all at once",
    ],
)  # fmt: skip
def test_the_set_of_documents(documents: list[DocumentFacts], problems: Any) -> None:
    """Everything that is wrong at once, with its path."""
    assert found(*documents) == problems


def test_surplus_documents_are_refused_or_let_pass() -> None:
    """The new API refuses what nobody asked for; legacy takes it."""
    documents = [facts(LICENCE), facts(LETTER, 1), facts(None, 2)]
    assert found(*documents, allow_surplus=True) == []
    assert len(found(*documents)) == 1


@pytest.mark.parametrize(
    ("end_user", "problems"),
    [
        ({"name": "Acme", "city": "Pune"}, []),
        ({"name": "Acme", "city": "Mumbai"}, [(ProblemKind.BAD_LENGTH, ("end_user", "city"))]),
        ({"name": "Acme", "city": None}, [(ProblemKind.MISSING_FIELD, ("end_user", "city"))]),
        (
            {"name": ""},
            [
                (ProblemKind.MISSING_FIELD, ("end_user", "city")),
                (ProblemKind.MISSING_FIELD, ("end_user", "name")),
            ],
        ),
    ],
)
def test_the_end_user(end_user: Any, problems: Any) -> None:
    """A published field is satisfied by the attribute that it names."""
    checked = check_end_user(REQUIREMENT, end_user)
    assert [(problem.fault, problem.path) for problem in checked] == problems


@pytest.mark.parametrize(
    ("rule", "value", "fault"),
    [
        (FieldRule(name="a", label=""), "x", None),
        (FieldRule(name="a", label=""), "", ProblemKind.MISSING_FIELD),
        (FieldRule(name="a", label="", required=False), "", None),
        (FieldRule(name="a", label="", min_length=2), "x", ProblemKind.BAD_LENGTH),
        (FieldRule(name="a", label="", min_length=2, max_length=2), "xy", None),
        (FieldRule(name="a", label="", max_length=2), "xyz", ProblemKind.BAD_LENGTH),
        (
            FieldRule(name="a", label="", required=False, max_length=2),
            "xyz",
            ProblemKind.BAD_LENGTH,
        ),
        (FieldRule(name="a", label="", enums=("Gas", "Water")), "Gas", None),
        (FieldRule(name="a", label="", enums=("Gas", "Water")), "gas", ProblemKind.NOT_ALLOWED),
        (FieldRule(name="a", label="", type="date"), "2024-02-29", None),
        (FieldRule(name="a", label="", type="date"), "2023-02-29", ProblemKind.BAD_VALUE),
        (FieldRule(name="a", label="", type="date"), "29-02-2024", ProblemKind.BAD_VALUE),
        (FieldRule(name="a", label="", type="date"), "20240229", ProblemKind.BAD_VALUE),
        (FieldRule(name="a", label="", type="date", required=False), "", None),
    ],
)
def test_one_value(rule: FieldRule, value: str, fault: ProblemKind | None) -> None:
    """Presence, length at both ends, the list of words, dates of the calendar."""
    problem = check_value(rule, value, ("a",))
    assert (problem.fault if problem else None) == fault


@pytest.mark.parametrize(
    ("reference", "word"),
    [
        ("t1", "passport"),
        ("passport", "passport"),
        ("PASSPORT", "passport"),
        ("", None),
        ("t9", None),
    ],
)
def test_a_type_is_found_by_id_or_word(reference: str, word: str | None) -> None:
    """In any case."""
    type_ = REQUIREMENT.document_type(reference)
    assert (type_.word if type_ else None) == word


def test_a_catalogue_finds_by_key_and_version() -> None:
    """And by the ids of requirements and of types."""
    catalogue = Catalogue([REQUIREMENT])
    key = ("IN", NumberType.LOCAL, UserType.BUSINESS)
    assert catalogue.find(Version.CURRENT, key) is REQUIREMENT
    assert catalogue.find(Version.BETA, key) is None
    assert (catalogue.countries(Version.CURRENT), catalogue.countries(Version.BETA)) == (
        ["IN"],
        [],
    )
    assert catalogue.of_country(Version.CURRENT, "DE") == []
    assert (catalogue.by_id["r1"], catalogue.types_by_id["t3"]) == (REQUIREMENT, LETTER)
