"""``plivo-sim catalogue``: files of countries, without a simulator."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from plivo_sim.catalogue import countries_in, load_catalogue, read_file, shipped_files
from plivo_sim.domain.records import NumberType, UserType, Version
from tests.cli.conftest import Shell

SHELL = Shell("http://127.0.0.1:9")
"""Nothing answers there."""
OWN = """country: KE
name: Kenya
requirements: [{number_types: [local], user_types: [business], documents: []}]
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "KE.yaml"
    path.write_text(OWN)
    return path


def test_the_list_begins_each_line_with_the_countrys_letters(own: Path) -> None:
    """One line a country, with its number types and how sure they are; own files count."""
    lines = SHELL.told("catalogue", "list").splitlines()
    assert [line[:2] for line in lines] == countries_in(shipped_files())
    [india] = [line for line in lines if line.startswith("IN ")]
    assert "India" in india
    assert "local, mobile, tollfree" in india
    assert "1 documented" in india
    more = SHELL.told("catalogue", "list", "--catalogue", own).splitlines()
    assert set(more) - set(lines) != set()
    assert len(more) == len(lines) + 1


def test_the_list_as_json() -> None:
    """The same, for programs."""
    told = SHELL.json("catalogue", "list")["countries"]
    [spain] = [each for each in told if each["country"] == "ES"]
    assert spain["name"] == "Spain"
    assert spain["number_types"] == ["local", "tollfree", "national"]
    assert spain["sources"]["observed"] == 1


@pytest.mark.parametrize("country", countries_in(shipped_files()))
def test_what_is_shown_is_a_file_that_says_the_same(country: str, tmp_path: Path) -> None:
    """Given as an own file, it changes nothing."""
    path = tmp_path / "own.yaml"
    path.write_text(SHELL.told("catalogue", "show", country), "utf-8")
    one, two = load_catalogue(1), load_catalogue(1, path)
    assert two.country(country) == one.country(country)
    assert set(two.requirements) == set(one.requirements)


def test_a_country_as_a_table(own: Path) -> None:
    """What each kind of number and of user asks for, how sure that is and where it is from."""
    told = SHELL.told("catalogue", "show", "in", "--table")
    assert "registration_certificate, gst_certificate" in told
    assert "the recorded answer in the official SDKs" in told
    assert "nothing" in SHELL.told("catalogue", "show", "KE", "--table", "--catalogue", own)
    assert SHELL.json("catalogue", "show", "IN")["name"] == "India"


def test_what_an_own_file_replaces_is_not_shown(tmp_path: Path) -> None:
    """Entries of which only a part is replaced keep the rest."""
    path = tmp_path / "own.yaml"
    entry = "{number_types: [mobile], user_types: [individual], documents: []}"
    path.write_text(f"country: IN\nrequirements: [{entry}]\n")
    told = SHELL.json("catalogue", "show", "IN", "--catalogue", path)["requirements"]
    kinds = [
        (each.get("version", "current"), number_type, user_type)
        for each in told
        for number_type in each["number_types"]
        for user_type in each["user_types"]
    ]
    assert len(kinds) == len(set(kinds)) == 9
    assert told[-1]["documents"] == []


def test_what_is_not_offered_is_told_from_what_asks_for_nothing(tmp_path: Path) -> None:
    """In the table, and in the list of number types."""
    path = tmp_path / "own.yaml"
    users = "user_types: [business, individual], documents: []"
    path.write_text(
        f"""country: KE
requirements:
  - {{number_types: [local], {users}}}
  - {{number_types: [mobile], {users}, exists: false}}
"""
    )
    told = SHELL.told("catalogue", "show", "KE", "--table", "--catalogue", path)
    [mobile] = [line for line in told.splitlines() if line.startswith("mobile")]
    assert "not offered" in mobile
    assert told.count("nothing") == 1
    listed = SHELL.json("catalogue", "list", "--catalogue", path)["countries"]
    assert [each["number_types"] for each in listed if each["country"] == "KE"] == [["local"]]


def test_a_country_that_is_not_there() -> None:
    """With the one that was probably meant."""
    error = SHELL.error("catalogue", "show", "ind", code=2)
    assert "the catalogue has no country ind; did you mean 'IN'?" in error


def test_the_files_that_ship_pass_the_check() -> None:
    """Their numbers are valid, and Faker knows their locales."""
    folder = Path(__file__).parent.parent.parent / "plivo_sim" / "catalogue" / "countries"
    assert "ok: 37 files" in SHELL.told("catalogue", "check", folder)


WRONG = """country: KE
nam: Kenya
applicants: {locale: en_KF}
number_examples: {local: "1"}
requirements:
  - {number_types: [lokal], user_types: [business], documents: [pasport]}
"""


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """With its line, and what was probably meant; the libraries' too."""
    path = tmp_path / "KE.yaml"
    path.write_text(WRONG)
    lines = SHELL.told("catalogue", "check", path, code=2).splitlines()
    assert [line.removeprefix(f"{path}:").split(": ")[:2] for line in lines] == [
        ["2", "nam"],
        ["3", "applicants.locale"],
        ["4", "number_examples.local"],
        ["6", "requirements[0].number_types[0]"],
        ["6", "requirements[0].documents[0]"],
    ]
    assert sum("did you mean" in line for line in lines) == 4
    told = SHELL.json("catalogue", "check", path, code=2)["mistakes"]
    assert [each["line"] for each in told] == [2, 3, 4, 6, 6]
    path.write_text(OWN)
    assert SHELL.json("catalogue", "check", path) == {"mistakes": []}


def test_a_text_of_another_form_is_told_in_words(tmp_path: Path) -> None:
    """What it must be, with an example; that a number must stand in quotes."""
    path = tmp_path / "KE.yaml"
    path.write_text(
        """country: ke
places: [{area: 20, city: Nairobi, region: Nairobi}]
monthly_rate: "1.5"
requirements:
  - {number_types: [local], user_types: [business], documents: [], observed: yesterday, id: "1"}
"""
    )
    told = SHELL.json("catalogue", "check", path, code=2)["mistakes"]
    assert {each["path"]: each["message"] for each in told} == {
        "country": "'ke' must be two capital letters, as KE",
        "places[0].area": "20 is not of type string; write it in quotes",
        "monthly_rate": "'1.5' must be a price with five digits after the point, as 1.50000",
        "requirements[0].observed": "'yesterday' must be a day, as 2026-11-29",
        "requirements[0].id": (
            "'1' must be a UUID in small letters, as 0a1b2c3d-0000-4000-8000-000000000001"
        ),
    }


def test_two_entries_for_the_same_are_refused_in_one_file(tmp_path: Path) -> None:
    """A later file may replace the entry of an earlier one."""
    one = "country: KE\nrequirements:\n  - {number_types: [local, mobile], user_types: [business],"
    two = "  - {number_types: [local], user_types: [individual, business], version: current,"
    (tmp_path / "1.yaml").write_text(f"{one} documents: []}}\n{two} documents: []}}\n")
    told = SHELL.told("catalogue", "check", tmp_path / "1.yaml", code=2)
    assert ":4: requirements[1]: KE local, business stands in requirements[0], too" in told
    other = two.replace("current", "beta")
    (tmp_path / "1.yaml").write_text(f"{one} documents: []}}\n{other} documents: []}}\n")
    (tmp_path / "2.yaml").write_text(f"{one} documents: []}}\n")
    assert "2 files, 3 entries" in SHELL.told("catalogue", "check", tmp_path)


def test_files_of_a_folder_may_name_one_anothers_words(tmp_path: Path) -> None:
    """In the order of their names, as serve reads them."""
    (tmp_path / "1.yaml").write_text("document_types: {a: {name: A, description: A}}")
    (tmp_path / "2.yaml").write_text(OWN.replace("documents: []", "documents: [a]"))
    assert "2 files, 1 entries" in SHELL.told("catalogue", "check", tmp_path)
    assert "no document type 'a'" in SHELL.told("catalogue", "check", tmp_path / "2.yaml", code=2)


def test_several_files_are_checked_at_once(tmp_path: Path) -> None:
    """In the order in which they are given; the mistakes of all of them are told."""
    types, own, wrong = (tmp_path / name for name in ("types.yaml", "KE.yaml", "wrong.yaml"))
    types.write_text("document_types: {a: {name: A, description: A}}")
    own.write_text(OWN.replace("documents: []", "documents: [a]"))
    wrong.write_text("country: KE\nnam: Kenya\n")
    assert SHELL.told("catalogue", "check", types, own).splitlines() == [
        f"{types}: ok: 1 files, 0 entries", f"{own}: ok: 1 files, 1 entries",
    ]  # fmt: skip
    told = SHELL.told("catalogue", "check", own, wrong, types, code=2).splitlines()
    assert [line.partition(": ")[0] for line in told] == [str(types), f"{own}:3", f"{wrong}:2"]


@pytest.mark.parametrize("content", [None, "", "{}", "document_types: {}"])
def test_nothing_is_not_ok(tmp_path: Path, content: str | None) -> None:
    """A folder without files, or a file that says nothing."""
    if content is not None:
        (tmp_path / "own.yaml").write_text(content)
    told = SHELL.told("catalogue", "check", tmp_path, code=2)
    assert told == f"{tmp_path}: nothing is in it that could be checked\n"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A file that is not there, and one that takes an id."""
    assert "cannot read" in SHELL.told("catalogue", "check", tmp_path / "lost.yaml", code=2)
    path = tmp_path / "KE.yaml"
    taken = load_catalogue(1).requirements[0].id
    path.write_text(OWN.replace("documents", f"id: {taken}, documents"))
    assert "have the same id" in SHELL.told("catalogue", "check", path, code=2)
    assert "lost.yaml" in SHELL.error(
        "catalogue", "list", "--catalogue", tmp_path / "lost.yaml", code=2
    )


def test_a_file_without_an_end_is_too_large() -> None:
    """No more of it is read than a file may have."""
    told = SHELL.told("catalogue", "check", "/dev/zero", code=2)
    assert told.startswith("/dev/zero: is too large: at most 1048576 characters")


@pytest.mark.parametrize("letters", ["KE", "no"])
def test_a_new_file_is_valid_as_it_is(letters: str, tmp_path: Path) -> None:
    """And its commented lines are, too."""
    text = SHELL.told("catalogue", "new", letters)
    path = tmp_path / "new.yaml"
    path.write_text(text)
    assert ": ok: " in SHELL.told("catalogue", "check", path)
    iso = letters.upper()
    found = load_catalogue(1, path).find(
        Version.CURRENT, (iso, NumberType.LOCAL, UserType.INDIVIDUAL)
    )
    assert found is not None
    whole = "\n".join(uncommented(line) for line in text.splitlines())
    assert len(yaml.safe_load(whole)) == 12
    read_file(whole, "whole.yaml", shipped_files())


def uncommented(line: str) -> str:
    """An example of the template as it is used; sentences stay comments."""
    indent, hash_, rest = line.partition("# ")
    key, colon, _ = rest.strip().partition(":")
    is_example = hash_ and not indent.strip() and (
        rest.startswith((" ", "- ")) or (colon and key.isidentifier())
    )  # fmt: skip
    return f"{indent}{rest}" if is_example else line


def test_a_word_that_is_no_country() -> None:
    """Two letters are, if a country has them."""
    assert "two letters" in SHELL.error("catalogue", "new", "Kenya", code=2)
    assert "there is no country 'ZZ'" in SHELL.error("catalogue", "new", "ZZ", code=2)
