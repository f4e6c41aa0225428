"""``plivo-sim completion``: what the shells themselves make of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from plivo_sim.assembly import LiveSimulator
from plivo_sim.cli import main
from plivo_sim.cli.completion import VARIABLE
from tests.cli.conftest import Shell
from tests.support import AUTH_ID, Http

pytestmark = pytest.mark.live

BASH = """
eval "$(plivo-sim completion bash)"
COMP_WORDS=({words})
COMP_CWORD={last}
_plivo_sim_completion plivo-sim
echo "${{COMPREPLY[@]}}"
"""
ZSH = """
autoload -Uz compinit; compinit -u -D
eval "$(plivo-sim completion zsh)"
[[ $_comps[plivo-sim] == _plivo_sim_completion ]] || exit 1
compadd() {{ print -rl -- $completions }}
_describe() {{ print -rl -- ${{completions_with_descriptions%%:*}} }}
words=({words})
CURRENT={last}+1
_plivo_sim_completion
"""
"""Of the line editor, the two functions that take what is offered stand for it."""
FISH = "plivo-sim completion fish | source; complete -C {line}"
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def env(served: LiveSimulator, tmp_path: Path) -> dict[str, str]:
    """A folder with the command first in the path, and where the simulator is."""
    script = tmp_path / "plivo-sim"
    main = "import sys; sys.argv[0] = 'plivo-sim'; from plivo_sim.cli import main; main()"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{main}" "$@"\n')
    script.chmod(0o755)
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PLIVO_SIM")}
    path = f"{tmp_path}:{os.environ['PATH']}"
    return kept | {"PATH": path, "PLIVO_SIM_URL": served.url, "HOME": str(tmp_path)}


def completed(env: dict[str, str], shell: str, *words: str) -> list[str]:
    """What a shell offers for the last word."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    typed = " ".join(f"'{word}'" for word in ("plivo-sim", *words))
    line = f"'{' '.join(('plivo-sim', *words))}'"
    command = {
        "bash": ["bash", "--norc", "-c", BASH.format(words=typed, last=len(words))],
        "zsh": ["zsh", "-f", "-c", ZSH.format(words=typed, last=len(words))],
        "fish": ["fish", "--no-config", "-c", FISH.format(line=line)],
    }[shell]
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.replace(" ", "\n").split("\n") if line]


def test_a_script_for_each_shell(shell: Shell) -> None:
    """Of click's own making, under the name of the command."""
    for name, sign in (
        ("bash", "complete -o"),
        ("zsh", "#compdef plivo-sim"),
        ("fish", "complete"),
    ):
        told = shell.told("completion", name)
        assert sign in told
        assert f"_PLIVO_SIM_COMPLETE={name}_complete" in told
    assert "is not one of 'bash', 'zsh', 'fish'" in shell.error("completion", "ksh", code=2)


@pytest.mark.parametrize("which", SHELLS)
def test_in_the_shell(
    env: dict[str, str], emptied: LiveSimulator, http: Http, application: str, which: str
) -> None:
    """Commands, and what the simulator has: ids, accounts, snapshots; names that ship."""
    assert "completion" in completed(env, which, "com")
    assert "accept" in completed(env, which, "apps", "ac")
    assert application in completed(env, which, "apps", "show", application[:4])
    assert AUTH_ID in completed(env, which, "clock", "show", "--account", "MA")
    http.control("POST", "/snapshot", {"name": "before", "account": AUTH_ID})
    assert "before" in completed(env, which, "snapshot", "load", "b")
    assert completed(env, which, "replay", "name-mis") == ["name-mismatch"]


WORDS = {
    ("machine", "use", "rev"): "revocable",
    ("machine", "check", "in-"): "in-review",
    ("serve", "--machine", "str"): "strict-beta",
    ("trigger", "rejected", "--machine", "rev"): "revocable",
    ("scenario", "check", "--machine", "rev"): "revocable",
    ("scenario", "use", "name-mis"): "name-mismatch",
    ("trigger", "susp"): "suspended",
    ("trigger", "rejected", "--reason", "name_"): "name_mismatch",
    ("trigger", "accepted", "--from", "susp"): "suspended",
    ("apps", "reject", "id", "name_"): "name_mismatch",
    ("apps", "suspend", "id", "--reason", "compl"): "complaints",
    ("apps", "decide", "id", "expired", "--reason", "name_"): "name_mismatch",
    ("apps", "decide", "id", "susp"): "suspended",
    ("scenario", "next", "rejected", "--reason", "name_"): "name_mismatch",
    ("scenario", "next", "rej"): "rejected",
    ("apps", "list", "--status", "susp"): "suspended",
    ("clock", "advance", "--until", "exp"): "expired",
    ("apps", "file", "--country", "I"): "IN",
    ("apps", "list", "--country", "in"): "IN",
    ("seed", "--country", "I"): "IN",
    ("catalogue", "show", "U"): "US",
    ("logs", "--operation", "compliance.cr"): "compliance.create",
    ("logs", "--status", "susp"): "suspended",
    ("logs", "--kind", "call"): "callback",
    ("fault", "add", "unavail"): "",
    ("fault", "add", "--effect", "unavail"): "unavailable",
    ("fault", "add", "--operation", "numbers.re"): "numbers.rent",
    ("account", "set", "stri"): "strict=",
    ("serve", "--new-api", "b"): "beta",
    ("coverage", "--of", "st"): "statuses",
}
"""What is typed, and a word that is offered."""


@pytest.mark.parametrize("typed", WORDS, ids=" ".join)
def test_the_words_that_there_are(typed: tuple[str, ...]) -> None:
    """Machines, scenarios, statuses, reasons, countries, operations, settings: as the scripts of
    all shells are answered. An argument that takes no such word is offered none."""
    asked = ShellComplete(main, {}, "plivo-sim", VARIABLE)
    offered = [each.value for each in asked.get_completions([*typed[:-1]], typed[-1])]
    assert WORDS[typed] in offered if WORDS[typed] else offered == []


def test_without_a_simulator(env: dict[str, str]) -> None:
    """Of what one has, nothing is offered, and nothing is said."""
    nowhere = env | {"PLIVO_SIM_URL": "http://127.0.0.1:1"}
    assert completed(nowhere, "bash", "apps", "show", "a") == []
