"""``plivo-sim completion``: what makes a shell complete commands, options, names and ids."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from plivo_sim.cli.shared import Document, say

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "plivo-sim"
VARIABLE = "_PLIVO_SIM_COMPLETE"
"""Under which name click asks a program what could follow."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands and ids.

    Bash: eval "$(plivo-sim completion bash)" in ~/.bashrc. Zsh: the same with zsh, in ~/.zshrc,
    below compinit. Fish: plivo-sim completion fish > ~/.config/fish/completions/plivo-sim.fish
    """
    class_ = get_completion_class(shell)
    assert class_ is not None  # click has all three
    script = class_(context.find_root().command, {}, PROGRAM, VARIABLE)
    say(Document(script.source_template % script.source_vars()), nl=False)
