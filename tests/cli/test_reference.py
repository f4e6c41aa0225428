"""The reference in the docs is what the commands, the settings and the control API are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from plivo_sim.cli import main
from plivo_sim.cli.reference import commands_of
from tests.cli.conftest import Shell

DOCS = Path(__file__).parent.parent.parent / "docs"


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in commands_of(group):
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


ALL = [each for each in commands(main) if not each[1].hidden]


@pytest.mark.parametrize("what", ["cli", "settings", "control", "limits"])
def test_the_page_is_current(what: str) -> None:
    """``plivo-sim reference WHAT > docs/WHAT.md`` makes it so."""
    assert Shell("").told("reference", what) == (DOCS / f"{what}.md").read_text("utf-8")


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_and_option_explains_itself(name: str, command: click.Command) -> None:
    """The list of commands shows the first sentence whole."""
    assert command.help, name
    assert not command.get_short_help_str(limit=64).endswith("..."), name
    for option in command.params:
        if isinstance(option, click.Option) and not option.help:
            assert {"--auth-id", "--auth-token"} & set(option.opts), option.opts


NUMBERS = [
    (name, parameter)
    for name, command in ALL
    for parameter in command.params
    if parameter.type.name.startswith(("integer", "float"))
]


@pytest.mark.parametrize(
    ("name", "parameter"), NUMBERS, ids=[f"{name} {each.name}" for name, each in NUMBERS]
)
def test_a_number_is_written_as_others_write_it(name: str, parameter: click.Parameter) -> None:
    """click alone takes what Python does; ``nan`` is over no minimum, and under none."""
    for text in ("1_0", "١", "nan"):
        with pytest.raises(click.BadParameter, match="is not a valid"):
            parameter.type.convert(text, parameter, None)
