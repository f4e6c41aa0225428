"""Exit codes: every command has the same one for the same thing (docs/shell.md has the table)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from plivo_sim.cli import main
from tests.cli.conftest import Shell

pytestmark = pytest.mark.live

EXAMPLE = Path(__file__).parents[2] / "plivo_sim" / "openapi" / "examples.json"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
NOWHERE = "http://127.0.0.1:1"
CREDENTIALS = ("--auth-id", "MA" + "X" * 18, "--auth-token", "x")
WORDS: dict[str, tuple[str, ...]] = {
    "account set": ("strict=on",),
    "apps correct": (UNKNOWN, "--alias", "x"),
    "apps decide": (UNKNOWN, "accepted"),
    "apps file": ("--country", "US"),
    "clock advance": ("1d",),
    "clock rate": ("2",),
    "clock set": ("2030-01-01",),
    "evaluate": (str(EXAMPLE),),
    "export": ("-",),
    "fault add": ("--effect", "error"),
    "learn": ("--base-url", NOWHERE, "--out", "OUT", *CREDENTIALS),
    "machine use": ("default",),
    "replay": ("name-mismatch", "--url", NOWHERE),
    "scenario next": ("rejected",),
    "scenario use": ("instant-accept",),
    "seed": ("1",),
    "snapshot drop": ("x",),
    "snapshot load": ("x",),
    "trigger": ("rejected", "--to", NOWHERE),
    "verify": ("--base-url", NOWHERE, *CREDENTIALS),
    "wait": ("--timeout", "0"),
    "webhooks inbox": ("x",),
    "webhooks replay": ("--all",),
    "webhooks verify-signature": ("http://x/", "--nonce", "1", "--v3", "x", "--body", "{}"),
}
"""What a command needs beside its options; an id, where it takes nothing else."""
WITHOUT_A_SIMULATOR = {"doctor": 0, "machine list": 0}
"""What these two are for, or most of it: they say that none answers."""


def leaves(group: click.Group, name: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        full = f"{name} {word}".strip()
        if isinstance(command, click.Group):
            yield from leaves(command, full)
        else:
            yield full, command


COMMANDS = dict(leaves(main))


def typed(name: str, tmp_path: Path) -> list[str]:
    needed = [UNKNOWN for each in COMMANDS[name].params if each.name == "id" and each.required]
    words = [str(tmp_path / each) if each == "OUT" else each for each in WORDS.get(name, needed)]
    return [*name.split(), *words]


def takes(option: str) -> list[str]:
    return [
        name
        for name, command in COMMANDS.items()
        if any(option in each.opts for each in command.params)
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_usage(name: str) -> None:
    """2, before anything else is looked at."""
    assert "there is no option --no-such" in Shell(NOWHERE).error(
        *name.split(), "--no-such", code=2
    )


@pytest.mark.parametrize("name", [*takes("--url"), "learn", "trigger", "verify"])
def test_nobody_answers(name: str, tmp_path: Path) -> None:
    """3, for a receiver and the live service, too."""
    done = Shell(NOWHERE).run(*typed(name, tmp_path), code=WITHOUT_A_SIMULATOR.get(name, 3))
    assert re.search("nothing answers|connection refused|not ready", done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("apps", "show", UNKNOWN), "not found"),
        (("apps", "file", "--country", "US", "--alias", "x" * 300), "alias"),
        (("clock", "advance", "nonsense"), "cannot read duration"),
        (("account", "set", "strict=maybe", "--account", "MA" + "X" * 18), "neither true nor"),
        (("fault", "add", "--effect", "error", "--operation", "nosuch"), "no operation"),
        (("scenario", "use", "nosuch"), "no scenario of this name"),
        (("machine", "use", "nosuch"), "no machine of this name"),
        (("seed", "1", "--account", "nonsense"), "must be MA and 18"),
    ],
)
def test_the_simulator_refuses(
    shell: Shell, application: str, words: tuple[str, ...], told: str
) -> None:
    """1, with its sentence. (What the command itself sees is wrong usage.)"""
    assert told in shell.error(*words, code=1)


def test_a_check_fails(shell: Shell, application: str, tmp_path: Path) -> None:
    """1: what was expected is not so, though all went well."""
    assert "under 100 %" in shell.run("coverage", "--fail-under", "100", code=1).stderr
    shell.run("webhooks", "verify-signature", "http://x/", "--nonce", "1", "--v3", "x", "--body",
              "{}", code=1)  # fmt: skip
    wrong = tmp_path / "expects.yaml"
    wrong.write_text(
        "scenario: The first is accepted\ndefault: {decide: accepted, after: 1h}\n"
        "steps: [{submit: {}}, {advance: 2h}]\nexpect: {status: {app: rejected}}\n"
    )
    shell.run("replay", str(wrong), code=1)
    shell.run("doctor", "--url", "http://", code=1)


@pytest.mark.parametrize(
    "words", [("scenario", "check"), ("machine", "check"), ("catalogue", "check")], ids=" ".join
)
def test_a_file_has_mistakes(shell: Shell, tmp_path: Path, words: tuple[str, ...]) -> None:
    """2, as for one that cannot be read (``test_user_files``)."""
    path = tmp_path / "wrong.yaml"
    path.write_text("nonsense: 1\n")
    shell.run(*words, str(path), code=2)


def test_the_page_has_the_table() -> None:
    """Of shell.md: its codes are those that are tested here, and those that the help names."""
    page = (Path(__file__).parents[2] / "docs" / "shell.md").read_text("utf-8")
    section = page.partition("## Exit codes")[2].partition("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|", section, re.M) == ["0", "1", "2", "3", "130", "141"]
    for name in WITHOUT_A_SIMULATOR:
        assert f"`{name}`" in section
