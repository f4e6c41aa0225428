"""The requirement catalogue: the one that ships, and a user's own on top of it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from plivo_sim.catalogue import load_catalogue, shipped_as_json, shipped_files
from plivo_sim.domain.records import NumberType, UserType, Version
from plivo_sim.domain.requirements import Catalogue, Requirement

INDIA = ("IN", NumberType.LOCAL, UserType.BUSINESS)


@pytest.fixture
def shipped() -> Catalogue:
    """For the default seed."""
    return load_catalogue(1)


def of(catalogue: Catalogue, version: Version, key: Any = INDIA) -> Requirement:
    """A requirement that must be there."""
    found = catalogue.find(version, key)
    assert found is not None
    return found


# --- the one that ships ----------------------------------------------------------------------


def test_the_two_sets_for_india_are_the_page_s_and_the_recorded_one(shipped: Catalogue) -> None:
    """Source: the beta page (three proofs), the SDKs' recorded answer (two certificates)."""
    words = {
        version: [type_.word for type_ in of(shipped, version).document_types]
        for version in Version
    }
    assert words == {
        Version.BETA: ["identity_proof", "address_proof", "business_registration"],
        Version.CURRENT: ["registration_certificate", "gst_certificate"],
    }


def test_every_country_of_which_something_is_public_is_there(shipped: Catalogue) -> None:
    """37 of them; the beta page knows India only."""
    assert len(shipped.countries(Version.CURRENT)) == 37
    assert {"AE", "DE", "FR", "IN", "US", "BR", "ES", "GB", "JP", "ZA"} <= set(
        shipped.countries(Version.CURRENT)
    )
    assert shipped.countries(Version.BETA) == ["IN"]


def test_an_unregulated_country_asks_for_nothing(shipped: Catalogue) -> None:
    """Its list is empty, not missing."""
    key = ("US", NumberType.LOCAL, UserType.BUSINESS)
    assert of(shipped, Version.CURRENT, key).slots == ()


def test_every_guess_is_marked(shipped: Catalogue) -> None:
    """Each requirement says how sure it is, in one of four words, and where it is from."""
    sources = {requirement.source for requirement in shipped.requirements}
    assert sources == {"documented", "observed", "inferred", "invented"}
    assert all(requirement.evidence for requirement in shipped.requirements)
    known = {
        (r.country_iso, r.number_type, r.user_type)
        for r in shipped.requirements
        if r.source in ("documented", "observed")
    }
    assert {key[0] for key in known} == {"IN", "ES"}


def test_every_slot_can_be_satisfied(shipped: Catalogue) -> None:
    """By at least one type; every id leads back to its record."""
    for requirement in shipped.requirements:
        assert shipped.by_id[requirement.id] is requirement
        for slot in requirement.slots:
            assert slot.types
            for type_ in slot.types:
                assert shipped.types_by_id[type_.id] == type_


def test_ids_are_stable_for_a_seed(shipped: Catalogue) -> None:
    """Other seeds, other ids; versions share none."""
    assert set(load_catalogue(1).by_id) == set(shipped.by_id)
    assert not set(load_catalogue(2).by_id) & set(shipped.by_id)
    ids = [
        {t.id for r in shipped.requirements if r.version is version for t in r.document_types}
        for version in Version
    ]
    assert not ids[0] & ids[1]


# --- a user's own ----------------------------------------------------------------------------


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return path


OWN = """
fields:
  tax_number: {label: Tax Number, max_length: 12}
document_types:
  tax_card: {name: Tax Card, description: A card, fields: [tax_number]}
requirements:
  - {version: current, country: KE, number_types: [local, mobile], user_types: [business],
     documents: [tax_card, {name: Identity, any_of: [passport, national_id]}]}
"""


def test_an_own_file_adds(tmp_path: Path) -> None:
    """Its types and the shipped ones can be used together; the rest stays as it is."""
    catalogue = load_catalogue(1, write(tmp_path, OWN))
    added = of(catalogue, Version.CURRENT, ("KE", NumberType.MOBILE, UserType.BUSINESS))
    assert [[t.word for t in slot.types] for slot in added.slots] == [
        ["tax_card"],
        ["passport", "national_id"],
    ]
    assert (added.source, added.slots[0].types[0].fields[0].max_length) == ("invented", 12)
    assert of(catalogue, Version.CURRENT) == of(load_catalogue(1), Version.CURRENT)


def test_an_own_file_replaces_what_has_the_same_key(tmp_path: Path) -> None:
    """Under the same id; nothing else changes."""
    text = OWN.replace("country: KE", "country: IN")
    catalogue, shipped = load_catalogue(1, write(tmp_path, text)), load_catalogue(1)
    assert of(catalogue, Version.CURRENT).slots[0].types[0].word == "tax_card"
    assert of(catalogue, Version.CURRENT).id == of(shipped, Version.CURRENT).id
    assert len(catalogue.requirements) == len(shipped.requirements)
    assert of(catalogue, Version.BETA) == of(shipped, Version.BETA)


def test_an_own_type_reaches_the_shipped_requirements(tmp_path: Path) -> None:
    """One word is one type everywhere; its id stays."""
    text = "document_types: {gst_certificate: {name: Own Name, description: x}}"
    catalogue, shipped = load_catalogue(1, write(tmp_path, text)), load_catalogue(1)
    own, old = (
        of(catalogue, Version.CURRENT).slots[1].types[0],
        of(shipped, Version.CURRENT).slots[1].types[0],
    )
    assert (own.name, own.id) == ("Own Name", old.id)
    assert catalogue.types_by_id[own.id] == own


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    """Nor does a comment."""
    catalogue = load_catalogue(1, write(tmp_path, "# to be filled\n"))
    assert catalogue.requirements == load_catalogue(1).requirements


ENTRY = "version: current, country: SG, number_types: [local], user_types: [business]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("requirements: [", ":1: not valid YAML: "),
        ("- a list", "is not of type object"),
        ("requirement: []", "requirement: unknown key; did you mean 'requirements'"),
        (f"requirements: [{{{ENTRY}}}]", r"requirements\[0\].documents: is required"),
        (f"requirements: [{{{ENTRY}, documents: [], days: 3}}]",
         r"requirements\[0\].days: unknown key"),
        (f"requirements: [{{{ENTRY}, documents: [pasport]}}]",
         r"requirements\[0\].documents\[0\]: the catalogue has no document type 'pasport'; did"),
        (f"requirements: [{{{ENTRY}, documents: []}}, {{{ENTRY}, documents: "
         "[{name: Any, any_of: []}]}]", r"requirements\[1\].documents\[0\].any_of: must name"),
        (f"requirements: [{{{ENTRY.replace('local', 'lokal')}, documents: []}}]", "lokal"),
        (f"requirements: [{{{ENTRY.replace('SG', 'NO')}, documents: []}}]",
         r"requirements\[0\].country: YAML reads NO as false"),
        ("document_types: {a: {name: A, description: b, fields: [lost]}}\n"
         f"requirements: [{{{ENTRY}, documents: [a]}}]", "no field 'lost'"),
        ("fields: {f: {label: F, max_length: long}}\n"
         "document_types: {a: {name: A, description: b, fields: [f]}}\n"
         f"requirements: [{{{ENTRY}, documents: [a]}}]", "max_length"),
        (f"requirements: [{{{ENTRY}, documents: [], end_user_fields: [{{name: x}}]}}]", "label"),
        ("a: !!python/object/apply:os.system ['true']", ":1: not valid YAML: tags"),
    ],
    ids=[
        "no YAML", "no mapping", "unknown key", "missing key", "unknown key of an entry",
        "unknown type", "empty slot", "unknown word", "a boolean", "unknown field",
        "wrong type of a field", "incomplete field", "code",
    ],
)  # fmt: skip
def test_a_wrong_file_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    """With what is wrong in it, in a ValueError."""
    with pytest.raises(ValueError, match=f"(?s)own.yaml.*{sentence}"):
        load_catalogue(1, write(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """It is no fault of the network, as an OSError at the start would be told."""
    with pytest.raises(ValueError, match=r"cannot read catalogue .*lost\.yaml"):
        load_catalogue(1, tmp_path / "lost.yaml")


def test_a_file_of_bytes_is_named(tmp_path: Path) -> None:
    """YAML is UTF-8 here."""
    path = tmp_path / "own.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not UTF-8"):
        load_catalogue(1, path)


def test_the_json_form_of_the_shipped_catalogue_is_current() -> None:
    """Write it anew with ``python -m plivo_sim.catalogue``."""
    kept = resources.files("plivo_sim.catalogue").joinpath("catalogue.json").read_bytes()
    assert kept == shipped_as_json()


def test_a_country_that_yaml_takes_for_a_boolean_is_explained(tmp_path: Path) -> None:
    """Norway's code, without quotes."""
    entry = "{version: current, country: NO, number_types: [local], user_types: [business]"
    path = write(tmp_path, f"requirements: [{entry}, documents: []}}]")
    with pytest.raises(ValueError, match='YAML reads NO as false; write "NO" in quotes'):
        load_catalogue(1, path)


# --- a country's file ------------------------------------------------------------------------

KENYA = """
country: KE
name: Kenya
adjective: Kenyan
document_types: {pin: {name: PIN, description: A card, fields: [{name: pin, label: PIN}]}}
requirements:
  - {number_types: [local], user_types: [business], documents: [pin]}
"""
ID = "0a1b2c3d-0000-4000-8000-00000000000{}"
LEARNED = f"""
country: IN
document_types:
  registration_certificate:
    {{id: {ID.format(1)}, name: Registration Certificate, description: x,
     fields: [{{name: business_name, label: Legal Name, max_length: 50}}]}}
requirements:
  - {{number_types: [local], user_types: [business], id: {ID.format(2)}, source: observed,
     observed: 2026-11-29, evidence: the live account, documents: [registration_certificate]}}
"""


def test_a_file_about_a_country_names_it_once(tmp_path: Path) -> None:
    """Its entries are the country's, and its facts are known."""
    catalogue = load_catalogue(1, write(tmp_path, KENYA))
    found = of(catalogue, Version.CURRENT, ("KE", NumberType.LOCAL, UserType.BUSINESS))
    assert [type_.word for type_ in found.document_types] == ["pin"]
    assert (catalogue.country("KE").name, found.adjective) == ("Kenya", "Kenyan")
    assert catalogue.country("ZW").name == "ZW"


def test_a_folder_is_all_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    """YAML and JSON; what else lies there is passed over."""
    (tmp_path / "1.yaml").write_text(KENYA)
    (tmp_path / "2.json").write_text('{"country": "KE", "adjective": "of Kenya"}')
    (tmp_path / "notes.txt").write_text("[")
    catalogue = load_catalogue(1, tmp_path)
    assert catalogue.country("KE").name == "Kenya"
    assert catalogue.country("KE").adjective == "of Kenya"


def test_a_link_within_a_folder_is_a_file_of_it(tmp_path: Path) -> None:
    """As in a volume of Kubernetes; one that leads elsewhere is refused, and shows nothing."""
    folder = tmp_path / "catalogue"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "ke.yaml").write_text(KENYA)
    (folder / "ke.yaml").symlink_to("..data/ke.yaml")
    assert load_catalogue(1, folder).country("KE").name == "Kenya"
    (tmp_path / "secret").write_text("very secret")
    (folder / "other.yaml").symlink_to("../secret")
    with pytest.raises(ValueError, match=r"other.yaml: it is a link that leaves") as caught:
        load_catalogue(1, folder)
    assert "very" not in str(caught.value)


def test_ids_that_are_given_are_used(tmp_path: Path) -> None:
    """Of requirements and of document types, with the day on which they were seen."""
    catalogue = load_catalogue(1, write(tmp_path, LEARNED))
    found = of(catalogue, Version.CURRENT)
    assert (found.id, found.source, found.observed) == (ID.format(2), "observed", "2026-11-29")
    assert [type_.id for type_ in found.document_types] == [ID.format(1)]
    assert catalogue.by_id[ID.format(2)] is found
    assert catalogue.types_by_id[ID.format(1)].word == "registration_certificate"
    assert catalogue.country("IN") == load_catalogue(1).country("IN")


def test_two_things_with_one_id_are_refused(tmp_path: Path) -> None:
    """In one file with its line, and across files."""
    path = write(tmp_path, LEARNED.replace(ID.format(2), ID.format(1)))
    with pytest.raises(ValueError, match=r"own.yaml:8: requirements\[0\].id: .* is given twice"):
        load_catalogue(1, path)
    taken = load_catalogue(1).requirements[0].id
    path = write(tmp_path, LEARNED.replace(ID.format(2), taken))
    with pytest.raises(ValueError, match=f"have the same id {taken}"):
        load_catalogue(1, path)


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Of its shape and of what it says, by line, with what was probably meant."""
    wrong = """country: KE
adjectiv: Kenyan
document_types:
  pin: {name: PIN, description: x, fields: [busines_name]}
requirements:
  - number_types: [lokal, mobile]
    user_types: [business]
    id: 0a1b2c3d-0000-4000-8000-000000000001
    documents: [pasport]
    observed: yesterday
"""
    with pytest.raises(ValueError, match="own") as caught:
        load_catalogue(1, write(tmp_path, wrong))
    told = [line.partition("own.yaml:")[2] for line in str(caught.value).splitlines()]
    assert [line.split(":")[0] for line in told] == ["2", "4", "6", "8", "9", "10"]
    for hint in ("'adjective'", "'business_name'", "'local'", "'passport'"):
        assert f"did you mean {hint}?" in str(caught.value)


def test_a_word_is_defined_by_one_file_that_ships() -> None:
    """Or one country's field would change another's."""
    for kind in ("fields", "document_types"):
        words = [word for file in shipped_files() for word in getattr(file, kind)]
        assert len(words) == len(set(words))
