"""``plivo-sim completion``: what the shells themselves make of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from plivo_sim.assembly import LiveSimulator
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
print -r -- $_comps[plivo-sim]; whence -w _plivo_sim_completion
"""


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


def need(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")


def completed(env: dict[str, str], shell: str, *words: str) -> list[str]:
    """What a shell offers for the last word."""
    typed = " ".join(f"'{word}'" for word in ("plivo-sim", *words))
    if shell == "bash":
        command = ["bash", "--norc", "-c", BASH.format(words=typed, last=len(words))]
    else:
        line = " ".join(("plivo-sim", *words))
        script = f"plivo-sim completion fish | source; complete -C '{line}'"
        command = ["fish", "--no-config", "-c", script]
    need(shell)
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


@pytest.mark.parametrize("which", ["bash", "fish"])
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
    assert "name-mismatch" in completed(env, which, "replay", "name-mis")
    assert "suspended" in completed(env, which, "trigger", "susp")


def test_in_zsh(env: dict[str, str]) -> None:
    """The line for ~/.zshrc makes it the completion of the command."""
    need("zsh")
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    told = "_plivo_sim_completion\n_plivo_sim_completion: function\n"
    assert (done.stdout, done.stderr) == (told, "")


def test_without_a_simulator(env: dict[str, str]) -> None:
    """Nothing is offered, and nothing is said."""
    nowhere = env | {"PLIVO_SIM_URL": "http://127.0.0.1:1"}
    assert completed(nowhere, "bash", "apps", "show", "a") == []
