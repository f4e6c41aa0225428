"""The documentation's Python blocks run, and its examples are what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from plivo_sim.cli import main
from plivo_sim.live import LiveSimulator
from plivo_sim.settings import Settings
from tests.sdk.nodejs import MODULES, node

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ("sdks.md", "atoms.md")
URL = "http://127.0.0.1:8700"


@pytest.fixture(scope="module")
def server() -> LiveSimulator:
    with LiveSimulator(Settings(port=0)) as live:
        yield live


def python_blocks() -> list[tuple[str, int, str]]:
    return [
        (page, number, text)
        for page in PAGES
        for number, text in enumerate(
            re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)
        )
    ]


def test_the_blocks_on_testing_are_tests(tmp_path: Path) -> None:
    """Run by pytest, with the plugin and nothing else."""
    found = re.findall(r"^```python\n(.*?)^```", (DOCS / "testing.md").read_text(), re.M | re.S)
    for number, text in enumerate(found):
        (tmp_path / f"test_{number}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert f"{len(found)} passed" in done.stdout


@pytest.mark.live
@pytest.mark.parametrize(("page", "number", "text"), python_blocks())
def test_python_blocks_run(server: LiveSimulator, page: str, number: int, text: str) -> None:
    """Against a real server, in a process of their own."""
    here = text.replace(URL, server.url).replace("127.0.0.1:8700", server.url[7:])
    done = subprocess.run(
        [sys.executable, "-c", here], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.live
@pytest.mark.node
def test_the_node_example_runs(server: LiveSimulator) -> None:
    """With the SDK that the Node tests installed."""
    env = os.environ | {"NODE_PATH": str(MODULES), "PLIVO_SIM_URL": server.url}
    done = subprocess.run(
        [node(), str(DOCS / "examples" / "node.cjs")],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "Registration Certificate, GST certificate", done.stderr


def test_links_of_the_docs_lead_somewhere() -> None:
    """Every relative link names a file."""
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_compose_example_s_command_is_one() -> None:
    """Its options are options, and the alias is the name in the certificate."""
    told = yaml.safe_load((DOCS / "examples" / "compose.yaml").read_text())
    service = told["services"]["plivo-sim"]
    program, command, *options = service["command"]
    assert (program, command) == ("plivo-sim", "serve")
    known = CliRunner().invoke(main, ["serve", "--help"]).output
    for option in options:
        assert not option.startswith("--") or option in known
    from plivo_sim.tls import NAMES

    assert set(service["networks"]["default"]["aliases"]) <= set(NAMES)
    assert told["services"]["app"]["environment"]["NODE_EXTRA_CA_CERTS"].endswith("tls/ca.pem")


def test_the_actions_example_runs_a_command_there_is() -> None:
    """``plivo-sim run`` exists."""
    told = yaml.safe_load((DOCS / "examples" / "github-actions.yaml").read_text())
    steps = [step["run"] for step in told["jobs"]["contract"]["steps"] if "run" in step]
    assert any(step.startswith("plivo-sim run -- ") for step in steps)
    assert CliRunner().invoke(main, ["run", "--help"]).exit_code == 0
