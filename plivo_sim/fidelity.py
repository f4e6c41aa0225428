"""How sure are we: the fidelity table, made from the docstrings and the catalogue.

Every imitated behaviour says where it comes from, in the words below. The table lists each such
sentence with its place. What was only inferred or invented belongs to a question in
``fidelity.yaml``: what to try on Plivo before going live, and what would change here. What imitates
is read as source text and not imported.

``python -m plivo_sim.fidelity > docs/fidelity.md`` writes the page.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from plivo_sim.domain.typed import convert

WORDS = {
    "documented": "printed on a page of Plivo or Smallest",
    "observed": "seen in an official SDK or in an answer recorded from the live service",
    "field-reported": "written down by teams that integrate the live service",
    "inferred": "follows from those, but nobody printed or recorded it",
    "invented": "nobody knows; the least surprising thing",
}
IMITATING = (
    "apis",
    "webhooks",
    "services",
    "domain",
    "machines",
    "catalogue",
    "scenarios/rules.py",
    "web/access.py",
    "web/bodies.py",
    "web/codings.py",
    "web/parts.py",
)
"""Where behaviour of the live services is imitated, below the package."""

UNPROVED = ("inferred", "invented")
APIS = {
    "current": "The new API today",
    "beta": "The new API, beta page",
    "numbers": "Numbers",
    "legacy": "The legacy API",
    "callbacks": "Callbacks",
    "atoms": "Atoms",
    "countries": "What countries require",
    "own": "The simulator's own",
}
RISKS = {
    "high": "a program that passes here may fail on Plivo, or lose days of review",
    "medium": "an error or a rare case may be handled wrongly",
    "low": "a text or a detail may differ",
    "": "nothing to try",
}
FIRST = 12
"""How many questions the page opens with."""

_MARK = re.compile(
    r"(?:\((?:[^()]*[ ;,])?|Source: (?:[^.]*? )?|^|[.;:] |, )"
    r"(documented|observed|field-reported|inferred|invented)\b(?! dialect)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.;])\s+(?=[A-Z`\"(])")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One imitated behaviour: how sure, where, what."""

    confidence: str
    place: str
    text: str


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to ask Plivo, and the places whose unproved sentences it stands for. Those of ``own``
    are no questions: they have no risk and nothing to try."""

    api: str
    question: str
    covers: tuple[str, ...]
    risk: str = ""
    here: str = ""
    attempt: str = msgspec.field(name="try", default="")
    change: str = ""

    @property
    def modules(self) -> list[str]:
        """Where these sentences stand, each once."""
        return list(dict.fromkeys(_place_and_words(each)[0].split(":")[0] for each in self.covers))


def questions() -> list[Question]:
    """Those of ``fidelity.yaml``, by risk, and then as they stand there."""
    import yaml

    path = Path(__file__).with_suffix(".yaml")
    found = convert(yaml.safe_load(path.read_text("utf-8")), list[Question])
    return sorted(found, key=lambda each: list(RISKS).index(each.risk))


def uncovered(found: list[Entry], asked: list[Question]) -> list[str]:
    """What is wrong between sentences and questions, each with what to write where: an unproved
    sentence belongs to one question, and each place of a question has one."""
    covers = [each for question in asked for each in question.covers]
    unproved = [entry for entry in found if entry.confidence in UNPROVED]
    told = []
    for entry in unproved:
        by = [each for each in covers if _covers(each, entry)]
        by = [each for each in by if "*" not in each] or by
        named = f'{entry.place} says "{entry.text}", which is {entry.confidence}'
        if not by:
            told.append(
                f"{named}, and no question covers it: in plivo_sim/fidelity.yaml, add the line"
                f" '- {entry.place}' below 'covers' of the question that it belongs to (or"
                f" '- \"{entry.place} | WORDS OF IT\"' if other sentences there belong elsewhere),"
                " or write a new question"
            )
        elif len(by) > 1:
            told.append(f"{named}, and plivo_sim/fidelity.yaml covers it more than once: {by}")
    for each in covers:
        if not any(_covers(each, entry) for entry in unproved):
            told.append(f"plivo_sim/fidelity.yaml covers '{each}', which nothing says: remove it")
    return told


def _covers(cover: str, entry: Entry) -> bool:
    """A place with ``*`` stands for those that no other one covers."""
    place, words = _place_and_words(cover)
    return fnmatchcase(entry.place, place) and words in entry.text


def _place_and_words(cover: str) -> tuple[str, str]:
    place, _, words = cover.partition(" | ")
    return place, words


def sentences(package: Path | None = None) -> list[Entry]:
    """Every marked sentence of the imitating modules, by place."""
    root = package or Path(__file__).parent
    return [entry for path in imitating_files(root) for entry in _of_file(root, path)]


def entries(package: Path | None = None) -> list[Entry]:
    """Every marked sentence of the imitating modules, by place, and the catalogue's entries."""
    root = package or Path(__file__).parent
    found = sentences(root)
    return [*found, *(entry for told in countries(root) for entry in told.entries)]


def imitating_files(root: Path) -> list[Path]:
    """The modules that imitate, sorted."""
    files: list[Path] = []
    for name in IMITATING:
        place = root / name
        files += [place] if place.is_file() else sorted(place.rglob("*.py"))
    return files


def marks_of(docstring: str) -> Iterator[tuple[str, str]]:
    """The (confidence, sentence) pairs of a docstring."""
    text = " ".join(docstring.split())
    for sentence in _SENTENCE.split(text):
        for word in dict.fromkeys(m[1].lower() for m in _MARK.finditer(sentence)):
            yield word, sentence.strip()


def _of_file(root: Path, path: Path) -> Iterator[Entry]:
    for place, docstring in docstrings(path):
        module = path.relative_to(root).as_posix()
        for confidence, sentence in marks_of(docstring):
            yield Entry(confidence, f"{module}{place}", sentence)


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """``("", module docstring)`` and ``(":name", docstring)`` of what the module defines,
    attribute docstrings included."""
    tree = ast.parse(path.read_text("utf-8"))
    yield "", ast.get_docstring(tree) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield f":{node.name}", ast.get_docstring(node) or ""


@dataclass(frozen=True, slots=True)
class CountryEntries:
    """What a country's file says of requirements; ``evidence``: where that is from."""

    name: str
    number_types: tuple[str, ...]
    entries: tuple[Entry, ...]
    evidence: tuple[str, ...]


def countries(package: Path | None = None) -> list[CountryEntries]:
    """The countries of the catalogue, by their letters."""
    import yaml

    folder = (package or Path(__file__).parent) / "catalogue" / "countries"
    files = [(p, yaml.safe_load(p.read_text("utf-8"))) for p in sorted(folder.glob("*.yaml"))]
    return [
        CountryEntries(
            name=f"{told['country']} {told['name']}",
            number_types=tuple(
                dict.fromkeys(t for each in told["requirements"] for t in each["number_types"])
            ),
            entries=tuple(_of_requirement(path, told, each) for each in told["requirements"]),
            evidence=tuple(dict.fromkeys(each["evidence"] for each in told["requirements"])),
        )
        for path, told in files
    ]


def _of_requirement(path: Path, country: dict[str, Any], entry: dict[str, Any]) -> Entry:
    kinds, users = "/".join(entry["number_types"]), "/".join(entry["user_types"])
    asked = [d if isinstance(d, str) else " or ".join(d["any_of"]) for d in entry["documents"]]
    text = (
        f"{country['country']} {kinds}, {users} ({entry.get('version', 'current')} version): "
        f"{', '.join(asked) or 'nothing'} ({entry['evidence']})"
    )
    return Entry(entry.get("source", "invented"), f"catalogue/countries/{path.name}", text)


PLUMBING = {
    "apis/__init__.py": "empty",
    "apis/fields.py": "kinds of fields",
    "apis/schema.py": "helpers around marshmallow",
    "apis/words.py": "words as texts",
    "apis/phone_number/__init__.py": "empty",
    "apis/phone_number/dialect.py": "a protocol",
    "catalogue/__init__.py": "reads the catalogue, whose entries carry their source",
    "catalogue/__main__.py": "writes a generated file",
    "catalogue/building.py": "makes requirements of the catalogue's entries",
    "catalogue/shape.py": "the shape of files",
    "catalogue/checked.py": "reads files of users strictly",
    "catalogue/output_files.py": "writes files that users name",
    "catalogue/user_files.py": "reads files that users name",
    "catalogue/yaml_files.py": "reads YAML",
    "catalogue/yaml_text.py": "reads YAML",
    "domain/__init__.py": "empty",
    "domain/machine.py": "types; what is known stands in machines/default.yaml",
    "domain/records.py": "records; what they mean stands where they are used",
    "machines/drawing.py": "draws machines",
    "machines/layout.py": "draws machines",
    "machines/loader.py": "reads machine files",
    "machines/validation.py": "checks machine files",
    "services/machines.py": "the simulator's own: which machine an account has",
    "domain/secrets.py": "masks what is secret",
    "domain/text.py": "JSON, words of a shell, ids",
    "domain/durations.py": "durations",
    "domain/limits.py": "limits of the simulator's own",
    "domain/errors.py": "facts; their statuses and words stand in apis",
    "domain/typed.py": "reads values into types",
    "domain/words.py": "words that somebody mistyped",
    "services/__init__.py": "empty",
    "services/rehearsals.py": "the simulator's own: dry runs",
    "services/attempts.py": "compares submissions",
    "services/verdicts.py": "tells people where an application stands",
    "services/inputs.py": "what requests ask, as values",
    "services/bounds.py": "how long what is stored may be",
    "services/foresight.py": "what is due next, as the machine lets it happen",
    "services/integrity.py": "checks of what is stored",
    "services/snapshots.py": "an account as a document",
    "services/policies.py": "keeps what steers an account",
    "webhooks/__init__.py": "empty",
    "webhooks/attempts.py": "what becomes of an attempt here",
    "webhooks/lines.py": "sockets",
    "webhooks/sender.py": "threads",
    "webhooks/timeouts.py": "threads",
    "webhooks/answers.py": "answers that are read up to limits",
    "webhooks/transport.py": "sockets",
    "webhooks/turns.py": "threads",
    "webhooks/waiting.py": "threads",
}
"""Modules in imitating places that imitate nothing themselves, and why."""


def silent_modules(root: Path | None = None) -> list[str]:
    """The modules that imitate and do not say where from; there must be none."""
    package = root or Path(__file__).parent
    return [
        name
        for path in imitating_files(package)
        if (name := path.relative_to(package).as_posix()) not in PLUMBING
        and not list(_of_file(package, path))
    ]


def page(found: list[Entry], asked: list[Question], known: list[CountryEntries]) -> str:
    """The Markdown page: what to try first, all questions by API, the countries, the words, the
    whole table."""
    tried = [each for each in asked if each.api != "own"]
    lines = [
        "# How sure are we",
        "",
        f"{len(tried)} things that no source proves, as questions to Plivo: try what you rely on"
        " before you go live. Made from the docstrings and `plivo_sim/fidelity.yaml` by"
        " `python -m plivo_sim.fidelity`; a test keeps it up to date.",
        "",
        f"## The {FIRST} that matter most",
        "",
        *_table(("", "what nobody knows", "here", "try on Plivo"), _first(tried)),
        "",
        "## Before you go live",
        "",
        *(f"- **{risk}**: {meaning}." for risk, meaning in RISKS.items() if risk),
    ]
    for api, title in APIS.items():
        lines += ["", f"### {title}", "", *_group(api, [each for each in asked if each.api == api])]
    lines += [
        "",
        "## What is known of each country",
        "",
        "How many entries of the catalogue are how sure ([catalogue.md](catalogue.md)), and where"
        " they are from. Cities, prices, numbers and made-up people are invented everywhere; area"
        " codes are real.",
        "",
        *_table(("country", "number types", "how sure", "from"), _countries(known)),
        "",
        "## Where each behaviour is from",
        "",
        *_table(("word", "means", "how many"), _words(found)),
        "",
        "<details>",
        f"<summary>All {len(found)} sentences, with their places</summary>",
        "",
        *_table(("how sure", "what", "where"), _places(found)),
        "",
        "</details>",
    ]
    return "\n".join(lines) + "\n"


Rows = Iterator[tuple[str, ...]]


def _first(tried: list[Question]) -> Rows:
    for number, each in enumerate(tried[:FIRST], 1):
        yield str(number), f"{APIS[each.api]}: {each.question}", each.here, each.attempt


def _group(api: str, asked: list[Question]) -> list[str]:
    if api == "own":
        return ["Nothing to try: Plivo has none of it.", "",
                *(f"- {each.question} ({_code(each.modules)})" for each in asked)]  # fmt: skip
    rows = ((each.risk, f"**{each.question}** Here: {each.here}", each.attempt,
             f"{each.change} ({_code(each.modules)})") for each in asked)  # fmt: skip
    return _table(("risk", "question", "try on Plivo", "if it differs, this changes"), rows)


def _countries(known: list[CountryEntries]) -> Rows:
    for each in known:
        counts = Counter(entry.confidence for entry in each.entries)
        sure = ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])
        yield each.name, ", ".join(each.number_types), sure, "<br>".join(each.evidence)


def _words(found: list[Entry]) -> Rows:
    for word, meaning in WORDS.items():
        yield word, meaning, str(sum(entry.confidence == word for entry in found))


def _places(found: list[Entry]) -> Rows:
    for entry in found:
        yield entry.confidence, entry.text, _code([entry.place])


def _code(places: list[str]) -> str:
    return ", ".join(f"`{each}`" for each in places)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The lines of a Markdown table."""
    body = [[_cell(text) for text in row] for row in (head, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in body]
    return [lines[0], f"|{'---|' * len(head)}", *lines[1:]]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(entries(), questions(), countries()))
