"""What commands print: a terminal obeys none of it, wherever the words come from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import plivo_sim.cli
from tests.cli.conftest import Shell

NOWHERE = Shell("http://127.0.0.1:9")
ODD = "\x1b[2J\x1b]0;title\x07"


@pytest.mark.parametrize("command", ["scenario", "machine", "catalogue"])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_words_of_a_file(tmp_path: Path, command: str, options: tuple[str, ...]) -> None:
    """As a key, and as a value."""
    file = tmp_path / "odd.yaml"
    file.write_text('"\\e[2J\\e]0;title\\a": 1\nscenario: "\\e[2J\\e]0;title\\a x"\n', "utf-8")
    done = NOWHERE.run(command, "check", str(file), *options, code=2)
    assert "title" in done.output + done.stderr
    assert not set("\x1b\x07") & set(done.output + done.stderr)


@pytest.mark.parametrize(
    "words", [(ODD,), (f"--{ODD}",), ("clock", ODD), ("status", f"--{ODD}"), ("tape", "show", ODD)]
)
def test_words_of_the_command_line(words: tuple[str, ...]) -> None:
    done = NOWHERE.run(*words, code=2)
    assert "title" in done.output + done.stderr
    assert not set("\x1b\x07") & set(done.output + done.stderr)


def test_there_is_one_place_that_prints() -> None:
    """``say``; no command writes to a stream by itself."""
    found = [
        path.name
        for path in Path(plivo_sim.cli.__file__).parent.glob("*.py")
        for _ in re.findall(
            r"click\.s?echo\(|click\.secho\(|\bprint\(|\bstd(?:out|err)\.write",
            path.read_text("utf-8"),
        )
    ]
    assert found == ["shared.py"]
