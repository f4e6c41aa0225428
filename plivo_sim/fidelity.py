"""How sure are we: the fidelity table, made from the docstrings and the catalogue.

Every imitated behaviour says where it comes from, in the words below. The table lists each such
sentence with its place; what was only inferred or invented is the list of things to try on Plivo
before going live. Reads source text, imports nothing of it.

``python -m plivo_sim.fidelity > docs/fidelity.md`` writes the page.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    "catalogue",
    "scenarios/rules.py",
    "web/bodies.py",
)
"""Where behaviour of the live services is imitated, below the package."""

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


def entries(package: Path | None = None) -> list[Entry]:
    """Every marked sentence of the imitating modules, by place, and the catalogue's entries."""
    root = package or Path(__file__).parent
    found = [entry for path in imitating_files(root) for entry in _of_file(root, path)]
    return [*found, *_of_catalogue(root / "catalogue" / "catalogue.yaml")]


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


def _of_catalogue(path: Path) -> Iterator[Entry]:
    import yaml

    for each in yaml.safe_load(path.read_text("utf-8"))["requirements"]:
        kinds = "/".join(each["number_types"])
        users = "/".join(each["user_types"])
        asked = [d if isinstance(d, str) else " or ".join(d["any_of"]) for d in each["documents"]]
        text = (
            f"{each['country']} {kinds}, {users} ({each['version']} version): "
            f"{', '.join(asked) or 'nothing'}"
        )
        yield Entry(each.get("source", "invented"), "catalogue/catalogue.yaml", text)


PLUMBING = {
    "apis/__init__.py": "empty",
    "apis/schema.py": "helpers around marshmallow",
    "apis/words.py": "words as texts",
    "apis/phone_number/__init__.py": "empty",
    "apis/phone_number/dialect.py": "a protocol",
    "catalogue/__init__.py": "reads the catalogue, whose entries carry their source",
    "catalogue/yaml_text.py": "reads YAML",
    "domain/__init__.py": "empty",
    "domain/records.py": "records; what they mean stands where they are used",
    "domain/text.py": "JSON, words of a shell, ids",
    "domain/durations.py": "durations",
    "domain/errors.py": "facts; their statuses and words stand in apis",
    "domain/typed.py": "reads values into types",
    "services/__init__.py": "empty",
    "services/inputs.py": "what requests ask, as values",
    "services/policies.py": "keeps what steers an account",
    "webhooks/__init__.py": "empty",
    "webhooks/sender.py": "threads",
    "webhooks/transport.py": "sockets",
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


def page(found: list[Entry]) -> str:
    """The Markdown page: the words, the list to try before going live, the whole table."""
    lines = [
        "# How sure are we",
        "",
        "Made from the docstrings by `python -m plivo_sim.fidelity`; a test keeps it up to date.",
        "",
        "| word | means |",
        "|---|---|",
        *(f"| {word} | {meaning} |" for word, meaning in WORDS.items()),
        "",
        "## Before you go live",
        "",
        "What was only inferred or invented, and must be tried on Plivo before you rely on it:",
        "",
        *(
            f"- [ ] {_cell(entry.text)} ({entry.confidence}; `{entry.place}`)"
            for entry in found
            if entry.confidence in ("inferred", "invented")
        ),
        "",
        "## Everything",
        "",
        "| how sure | what | where |",
        "|---|---|---|",
        *(f"| {e.confidence} | {_cell(e.text)} | `{e.place}` |" for e in found),
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page(entries()))
