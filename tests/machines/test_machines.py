"""Machine files: the one that ships, a user's own, changes; every mistake at once."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from plivo_sim.domain import limits
from plivo_sim.domain.machine import Machine
from plivo_sim.machines import MachineError, default_machine, shipped_machine, shipped_names
from plivo_sim.machines.loader import find_machine, known_machine, load_machine, shipped_as_json
from tests.machines.files import IN_REVIEW

DEFAULT = resources.files("plivo_sim.machines").joinpath("default.yaml").read_text("utf-8")


def mistakes(text: str) -> list[tuple[int, str, str]]:
    """Line, path and text of everything that is wrong."""
    with pytest.raises(MachineError) as caught:
        load_machine(text)
    return [(each.line, each.path, each.text) for each in caught.value.mistakes]


@pytest.mark.parametrize("name", shipped_names())
def test_the_json_beside_the_yaml_is_up_to_date(name: str) -> None:
    """CONTRIBUTING.md has the command that renews it."""
    kept = resources.files("plivo_sim.machines").joinpath(f"{name}.json").read_bytes()
    assert kept == shipped_as_json(name)


def test_a_start_with_the_default_machine_reads_no_yaml() -> None:
    """Nor does it load what checks files."""
    code = (
        "import sys; from plivo_sim.assembly import make_simulator; make_simulator();"
        "print({'yaml', 'jsonschema'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_the_default_file_is_a_whole_machine() -> None:
    """Loaded as a user's own it is the same."""
    assert load_machine(DEFAULT) == default_machine() == shipped_machine("default")


def test_every_fact_of_the_default_file_has_a_source() -> None:
    """Each status is preceded by a comment that says how sure it is."""
    lines = DEFAULT[DEFAULT.index("statuses:") :].splitlines()
    marks = ("documented", "observed", "field-reported", "inferred", "invented")
    for number, line in enumerate(lines):
        if line.rstrip(":") in {f"  {name}" for name in default_machine().statuses}:
            above = lines[number - 1]
            nearby = " ".join(lines[max(0, number - 3) : number + 6])
            assert above.lstrip().startswith("#") or "#" in nearby, line
            assert any(mark in nearby for mark in marks), line


def test_a_file_of_changes_keeps_the_rest() -> None:
    """A status more, two arrows less, and the commands are called as before."""
    machine = load_machine(IN_REVIEW)
    base = default_machine()
    assert list(machine.statuses) == [*base.statuses, "in_review"]
    assert not machine.allowed("submitted", "accepted")
    assert machine.open_to("in_review")["accepted"].command == "accept"
    assert machine.ways_to("suspended") == base.ways_to("suspended")


def test_a_status_is_taken_away_with_its_arrows() -> None:
    """Null says so; what is left must still hold together."""
    machine = load_machine("machine: small\nextends: default\nstatuses: {expired: null}\n")
    assert "expired" not in machine.statuses
    assert machine.arrow("accepted", "expired") is None


def test_what_is_given_of_an_arrow_replaces_what_it_had() -> None:
    """The rest of it stays."""
    machine = load_machine(
        "machine: yearly\nextends: default\narrows: [{from: accepted, to: expired, after: 365d}]\n"
    )
    arrow = machine.arrow("accepted", "expired")
    assert arrow is not None
    assert (arrow.after, arrow.takers, arrow.command) == ("365d", ("time", "hand"), "expire")


def changed(**parts: Any) -> str:
    return yaml.safe_dump({"machine": "mine", "extends": "default", **parts}, sort_keys=False)


ROW = {"legacy": "held", "current": "held", "beta": "held", "atoms": "held"}
IN = {"from": "submitted", "to": "held", "by": "reviewer"}
OUT = {"from": "held", "to": "accepted", "by": "hand"}
WRONG: list[tuple[str, str, str, str]] = [
    ("an unknown key", changed(statusses={}), "statusses", "did you mean 'statuses'?"),
    ("an unknown key of a status",
     changed(statuses={"held": {**ROW, "colour": "red"}}, arrows=[IN, OUT]),
     "statuses.held.colour", "unknown key"),
    ("an unknown word", changed(arrows=[{**IN, "to": "accepted", "by": "reviewr"}]),
     "arrows[0].by", "did you mean 'reviewer'?"),
    ("an unknown status", changed(arrows=[{"from": "accepted", "to": "suspened", "by": "hand"}]),
     "arrows[0].to", "there is no status 'suspened'; did you mean 'suspended'?"),
    ("no word in a dialect",
     changed(statuses={"held": {k: v for k, v in ROW.items() if k != "beta"}}, arrows=[IN, OUT]),
     "statuses.held.beta", "is required"),
    ("nothing reaches it", changed(statuses={"held": ROW}, arrows=[OUT]),
     "statuses.held", "no arrow leads to it from draft"),
    ("nothing leaves it", changed(statuses={"held": ROW}, arrows=[IN]),
     "statuses.held", "no arrow leaves it; say 'ends: true' if that is meant"),
    ("it ends and goes on", changed(statuses={"held": {**ROW, "ends": True}}, arrows=[IN, OUT]),
     "statuses.held.ends", "it ends, but an arrow leaves it"),
    ("a race",
     changed(arrows=[
         {"from": "accepted", "to": "expired", "after": "1d"},
         {"from": "accepted", "to": "suspended", "by": "time", "after": "2d"},
     ]), "arrows[0].after",
     "accepted to expired races with accepted to suspended: one arrow leaves accepted"),
    ("a delay without a unit",
     changed(arrows=[{"from": "accepted", "to": "expired", "after": 365}]),
     "arrows[0].after", "365 has no unit: write 365d"),
    ("time without a delay, where no plan goes", changed(
        statuses={"stale": {**ROW, "ends": True}},
        arrows=[{"from": "draft", "to": "stale", "by": "time"}]),
     "arrows[0].by", "no plan of the reviewer's comes to draft; say 'after'"),
    ("the last arrow to a status",
     changed(arrows=[{"from": "accepted", "to": "suspended", "by": None}]),
     "arrows[0]", "say 'suspended: null' in statuses, too, or give it another arrow"),
    ("the last arrow from a status",
     changed(arrows=[{"from": "suspended", "to": "accepted", "by": None}]),
     "arrows[0]", "say 'ends: true' of it in statuses, or give it another arrow"),
    ("changes of nothing", "machine: mine\narrows: [{from: accepted, to: expired, after: 1d}]\n",
     "", "a file of changes needs 'extends: default'"),
    ("a circle",
     changed(arrows=[
         {"from": "accepted", "to": "suspended", "by": "time", "after": "1d"},
         {"from": "suspended", "to": "accepted", "by": "time", "after": "1d"},
     ]), "arrows[0].after", "leads back to accepted by itself, without an end"),
    ("the client beyond every API",
     changed(arrows=[{"from": "accepted", "to": "suspended", "by": "client"}]),
     "arrows[0].by", "no API has a call that leads to suspended"),
    ("a client who may not submit",
     changed(statuses={"draft": {"client": ["delete"]}}),
     "arrows", "the client may not 'submit' in draft"),
    ("submit without an arrow",
     changed(statuses={"suspended": {"client": ["submit"]}}),
     "statuses.suspended.client", "'submit' needs an arrow by the client"),
    ("a delay without time",
     changed(arrows=[{"from": "accepted", "to": "suspended", "after": "1d"}]),
     "arrows[0].after", "only an arrow by 'time' is taken by itself"),
    ("a wait of nobody's",
     changed(arrows=[{"from": "accepted", "to": "expired", "not_before": "1d"}]),
     "arrows[0].not_before", "belongs to an arrow by 'reviewer'"),
    ("no duration", changed(arrows=[{"from": "accepted", "to": "expired", "after": "soon"}]),
     "arrows[0].after", "cannot read duration 'soon'"),
    ("an arrow to itself",
     changed(arrows=[{"from": "accepted", "to": "accepted", "by": "hand"}]),
     "arrows[0]", "leads from accepted to itself"),
    ("an arrow that is given twice",
     changed(arrows=[{"from": "accepted", "to": "expired", "after": "1d"}] * 2),
     "arrows[1]", "is given twice"),
    ("a taker in a list", changed(arrows=[
        {"from": "draft", "to": "accepted", "by": ["tme", "hand"]}]),
     "arrows[0].by[0]", "'tme' is not one of client, hand, reviewer, time; did you mean 'time'?"),
    ("a number type", changed(review={"outcome": "accepted", "cases": [{"number_type": "fixed"}]}),
     "review.cases[0].number_type", "'fixed' is not one of local, mobile"),
    ("a command for two", changed(arrows=[
        {"from": "accepted", "to": "suspended", "command": "accept"}]),
     "arrows[0].command", "'accept' decides for"),
    ("nothing to take away", changed(statuses={"expird": None}),
     "statuses.expird", "did you mean 'expired'?"),
    ("no arrow to take away", changed(arrows=[{"from": "draft", "to": "accepted", "by": None}]),
     "arrows[0]", "there is no arrow from draft to accepted to take away"),
    ("a base that there is not", "machine: mine\nextends: defalt\n",
     "extends", "did you mean 'default'?"),
    ("an outcome that no arrow leads to", changed(review={"outcome": "suspended"}),
     "review.outcome", "the reviewer has no arrow from submitted to suspended"),
    ("a word that is taken", changed(statuses={"nothing": ROW}),
     "statuses.nothing", "choose another"),
    ("too long a name", changed(statuses={"h" * 51: ROW}), "statuses", "(limit status_name)"),
    ("an empty file", "", "", "is empty; begin with 'machine: NAME'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path", "told"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG]
)
def test_a_mistake_is_told_where_it_stands(text: str, path: str, told: str) -> None:
    """In words that help."""
    found = mistakes(text)
    assert any(at == path and told in said for _, at, said in found), found


def test_each_of_the_arrows_that_race_is_told_with_its_line() -> None:
    """Of one that stands in the base, only the other has one."""
    lines = [
        "  - {from: accepted, to: expired, after: 1d}",
        "  - {from: accepted, to: suspended, by: time, after: 2d}",
    ]
    text = "machine: mine\nextends: default\narrows:\n" + "\n".join(lines)
    assert [(line, path, told.partition(":")[0]) for line, path, told in mistakes(text)] == [
        (4, "arrows[0].after", "accepted to expired races with accepted to suspended"),
        (5, "arrows[1].after", "accepted to suspended races with accepted to expired"),
    ]
    raced = "machine: mine\nextends: in-review\narrows:\n"
    raced += "  - {from: submitted, to: accepted, by: [reviewer, time], after: 2d}\n"
    (told,) = mistakes(raced)
    assert told[:2] == (4, "arrows[0].after")
    assert "submitted to accepted races with submitted to in_review" in told[2]


@pytest.mark.parametrize("key", ["? [a, b]\n: 1", "{a: 1}: 2"])
def test_a_key_that_is_no_text_is_told_with_its_line(key: str) -> None:
    """In a sentence of our own."""
    text = "not valid YAML: tags (!name) are not followed, and keys are plain texts"
    assert mistakes(f"machine: x\n{key}\n") == [(2, "", text)]


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    """One pass, in the order of the file."""
    text = IN_REVIEW.replace("by: time, after: 1h", "by: timer, after: 1h").replace(
        "to: rejected, by: [", "to: rejectd, by: ["
    )
    found = mistakes(text.replace(", beta: reviewing", "").replace("locks: true", "lock: true"))
    assert [(line, path) for line, path, _ in found] == [
        (4, "statuses.in_review.beta"),
        (4, "statuses.in_review.lock"),
        (6, "arrows[0].by"),
        (8, "arrows[2].to"),
    ]


def test_a_wrong_word_hides_no_other_mistake_of_its_arrow() -> None:
    """Its statuses and delays are told in the same pass; the words that there are, once."""
    arrow = {"from": "submited", "to": "in_revew", "by": "xyz", "after": "soon"}
    row = {"in_review": {**ROW, "ends": True}}
    found = mistakes(changed(statuses=row, arrows=[arrow]))
    assert {path for _, path, _ in found} == {
        "arrows[0].from", "arrows[0].to", "arrows[0].by", "arrows[0].after",
    }  # fmt: skip
    (said,) = (text for _, path, text in found if path == "arrows[0].by")
    assert said == "'xyz' is not one of client, hand, reviewer, time"


def test_changes_without_their_base_are_told_nothing_else() -> None:
    """Not that the keys of a whole machine are required."""
    assert len(mistakes("machine: mine\narrows: [{from: accepted, to: expired, after: 1d}]\n")) == 1


def test_time_without_a_delay_is_taken_by_a_plan() -> None:
    """A scenario says when: as the default machine's expiry."""
    row = {"stale": {**ROW, "ends": True}}
    arrow = {"from": "rejected", "to": "stale", "by": "time"}
    machine = load_machine(changed(statuses=row, arrows=[arrow]))
    assert machine.can_decide("rejected", "stale")


def test_what_is_wrong_with_the_base_is_told_too() -> None:
    """When a change leaves a status of it behind."""
    found = mistakes(changed(arrows=[{"from": "accepted", "to": "expired", "by": None}]))
    (told,) = found
    assert told[:2] == (4, "arrows[0]")


def test_a_machine_has_so_many_statuses_and_no_more() -> None:
    """Far more than anybody draws; checking them costs no more than that."""
    rows = {f"s{n}": ROW for n in range(limits.STATUSES.most + 1)}
    arrows = [{"from": f"s{n}", "to": "x", "by": "hand"} for n in range(600)]
    found = mistakes(changed(statuses=rows, arrows=arrows))
    assert any("(limit statuses)" in text or "has too many" in text for _, _, text in found), found


def test_a_machine_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    """A file that cannot be read is named."""
    path = tmp_path / "mine.yaml"
    path.write_text(IN_REVIEW)
    assert find_machine(str(path)).name == "with-in-review"
    assert find_machine("default") is default_machine() or find_machine("default") == (
        default_machine()
    )
    with pytest.raises(ValueError, match=r"cannot read machine .*none\.yaml"):
        find_machine(str(tmp_path / "none.yaml"))
    with pytest.raises(MachineError, match="no machine of this name ships"):
        find_machine("defualt")


def test_machines_do_not_share_their_names() -> None:
    """Equal is who says the same."""
    machine: Machine = load_machine(IN_REVIEW)
    assert machine == load_machine(IN_REVIEW)
    assert machine != default_machine()


def test_a_machine_of_the_environment_that_cannot_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands are then those of the default one."""
    monkeypatch.setenv("PLIVO_SIM_MACHINE", "nope.yaml")
    assert known_machine.__wrapped__() == default_machine()  # type: ignore[attr-defined]
    assert capsys.readouterr().err.startswith("PLIVO_SIM_MACHINE: cannot read machine nope.yaml")
