"""``plivo-sim machine``: the status machine, which says what statuses there are and who leads from
one to another."""

from __future__ import annotations

import click

from plivo_sim.cli.shared import WrongFile


@click.group()
def machine() -> None:
    """Look at status machines, check and use them.

    A status machine says which statuses there are, and who leads from one to another.
    """


@machine.command()
@click.argument("name", metavar="[NAME|FILE]", default="default")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("svg", "mermaid")),
    default="svg",
    show_default=True,
    help="What to write: a picture, or the text of a Mermaid diagram.",
)
def draw(name: str, format_: str) -> None:
    """Draw a machine that ships, or a file. Needs no simulator.

    The picture goes to standard output: plivo-sim machine draw > machine.svg
    """
    from plivo_sim.machines.drawing import mermaid_of, svg_of
    from plivo_sim.machines.loader import find_machine

    try:
        found = find_machine(name)
    except ValueError as error:
        raise WrongFile(str(error)) from None
    click.echo(svg_of(found) if format_ == "svg" else mermaid_of(found), nl=False)
