"""Every imitated behaviour says where it comes from."""

from __future__ import annotations

from pathlib import Path

from plivo_sim import fidelity

DOCS = Path(__file__).parent.parent / "docs"


def test_no_imitating_module_is_silent() -> None:
    """Each says documented, observed, field-reported, inferred or invented."""
    assert fidelity.silent_modules() == []


def test_a_silent_module_is_found(tmp_path: Path) -> None:
    """The check can fail."""
    for name in fidelity.IMITATING:
        folder = tmp_path / name
        if folder.suffix:
            folder.parent.mkdir(exist_ok=True)
            folder.write_text('"""Reasons (invented)."""')
        else:
            folder.mkdir(exist_ok=True)
    (tmp_path / "apis" / "new.py").write_text('"""Imitates, and does not say."""')
    assert fidelity.silent_modules(tmp_path) == ["apis/new.py"]


def test_marks_are_read_from_sentences() -> None:
    """A sentence counts once for each word; the dialect's name is no mark."""
    text = (
        "Keys are recorded (observed). The order is ours (invented: nobody says). The beta dialect."
    )
    assert [word for word, _ in fidelity.marks_of(text)] == ["observed", "invented"]


def test_every_requirement_of_the_catalogue_has_a_source() -> None:
    """One of the words."""
    found = [e for e in fidelity.entries() if e.place == "catalogue/catalogue.yaml"]
    assert len(found) >= 10
    assert {entry.confidence for entry in found} <= set(fidelity.WORDS)


def test_the_page_is_up_to_date() -> None:
    """Made again, it is the same."""
    made = fidelity.page(fidelity.entries())
    assert (DOCS / "fidelity.md").read_text("utf-8") == made, (
        "python -m plivo_sim.fidelity > docs/fidelity.md"
    )
