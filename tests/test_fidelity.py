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
    found = [e for e in fidelity.entries() if e.place.startswith("catalogue/countries/")]
    assert len({entry.place for entry in found}) == 37
    assert {entry.confidence for entry in found} <= set(fidelity.WORDS)


def test_what_is_unproved_belongs_to_one_question() -> None:
    """Each inferred or invented sentence, and no question stands for nothing."""
    told = fidelity.uncovered(fidelity.entries(), fidelity.questions())
    assert not told, "\n" + "\n".join(told)


QUESTION = fidelity.Question("current", "Why?", ("apis/x.py | order", "apis/x.py:get"), "high")
GUESSES = [
    fidelity.Entry("invented", "apis/x.py", "The order is ours (invented)."),
    fidelity.Entry("inferred", "apis/x.py:get", "Null (inferred)."),
    fidelity.Entry("documented", "apis/x.py", "Keys are printed (documented)."),
]


def test_a_sentence_that_no_question_covers_is_told_with_what_to_write() -> None:
    """By its place, or by its place and words of it."""
    assert fidelity.uncovered(GUESSES, [QUESTION]) == []
    other = fidelity.Entry("invented", "apis/x.py", "So is the case (invented).")
    [told] = fidelity.uncovered([*GUESSES, other], [QUESTION])
    assert "So is the case" in told
    assert "in plivo_sim/fidelity.yaml, add the line '- apis/x.py' below 'covers'" in told


def test_a_sentence_belongs_to_one_question_only() -> None:
    """Both places are named."""
    twice = fidelity.Question("beta", "When?", ("apis/x.py",), "low")
    [told] = fidelity.uncovered(GUESSES, [QUESTION, twice])
    assert "more than once: ['apis/x.py | order', 'apis/x.py']" in told


def test_a_question_for_many_places_stands_for_those_that_no_other_one_covers() -> None:
    """So a new file of that kind needs no line of its own."""
    many = fidelity.Question("current", "All?", ("apis/*",), "low")
    assert fidelity.uncovered([*GUESSES, fidelity.Entry("invented", "apis/y.py", "Z.")],
                              [QUESTION, many]) == []  # fmt: skip
    assert fidelity.uncovered(GUESSES, [many]) == []


def test_a_place_that_has_become_certain_is_told() -> None:
    """So that questions that are answered go."""
    [told] = fidelity.uncovered(GUESSES[:1], [QUESTION])
    assert told == ("plivo_sim/fidelity.yaml covers 'apis/x.py:get', which nothing says: remove it")


def test_questions_are_complete() -> None:
    """An API and a risk that exist, the words to try; the simulator's own have none of these."""
    for each in fidelity.questions():
        assert each.api in fidelity.APIS
        given = (bool(each.risk), bool(each.here), bool(each.attempt), bool(each.change))
        assert set(given) == {each.api != "own"}, each.question


def test_the_page_opens_with_the_twelve_that_matter_most() -> None:
    """All of them of high risk; each group has those of high risk first; the rest is folded."""
    shown = fidelity.page(fidelity.entries(), fidelity.questions(), fidelity.countries())
    top, _, rest = shown.partition("## Before you go live")
    first = [each for each in fidelity.questions() if each.api != "own"][: fidelity.FIRST]
    assert {each.risk for each in first} == {"high"}
    assert [top.index(each.question) for each in first] == sorted(
        top.index(each.question) for each in first
    )
    for group in rest.split("\n### ")[1:]:
        risks = [line.split(" ")[1] for line in group.splitlines() if line.startswith("| ")]
        order = [list(fidelity.RISKS).index(risk) for risk in risks if risk in fidelity.RISKS]
        assert order == sorted(order)
    open_part, _, folded = rest.partition("<details>")
    documented = next(e.text for e in fidelity.entries() if e.confidence == "documented")
    assert documented in folded
    assert documented not in open_part
    assert all(f"`{entry.place}`" in folded for entry in fidelity.entries())


def test_the_page_is_up_to_date() -> None:
    """Made again, it is the same."""
    made = fidelity.page(fidelity.entries(), fidelity.questions(), fidelity.countries())
    assert (DOCS / "fidelity.md").read_text("utf-8") == made, (
        "python -m plivo_sim.fidelity > docs/fidelity.md"
    )
